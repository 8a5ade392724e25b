//! The command: flags and `rekindle.toml` become a `Config`, and the server runs with it.

mod preview;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use clap::error::ContextKind;
use rekindle::flags::{DevFlags, Flags, Task};
use rekindle::settings::{self, Settings};
use rekindle::vite_flags::{Answer, Arguments};
use rekindle::{Config, DevServer, ServeError, init, vite_flags};
use rekindle_graph::Diagnostic;
use rekindle_server::event::Event;
use rekindle_server::report::Report;
use rekindle_server::watch::Watcher;
use tokio::sync::mpsc;

mod build_command;
mod edit_command;

/// Set by the launcher of the npm package where it waits for this process: its number.
#[cfg(unix)]
const LAUNCHER_VARIABLE: &str = "REKINDLE_LAUNCHER";

fn main() -> ExitCode {
    log_if_asked();
    let arguments = match vite_flags::read(std::env::args_os().collect()) {
        Ok(Arguments { arguments, notes }) => {
            for note in notes {
                let _ = writeln!(anstream::stderr(), "{note}");
            }
            arguments
        }
        Err(Answer { text, code }) => {
            let _ = writeln!(anstream::stderr(), "{text}");
            return ExitCode::from(code);
        }
    };
    let flags = match parse(arguments).task() {
        Task::Dev(flags) => flags,
        Task::Build(flags) => return build_command::run(&flags),
        Task::Preview(flags) => return preview::run(&flags),
        Task::Edit(flags) => return edit_command::run(&flags),
        Task::Init(flags) => return init::run(&flags),
        Task::Client { out, only } => return write_client(&out, only.as_deref()),
    };
    let settings = match settings::read(&flags) {
        Ok(settings) => settings,
        Err(problems) => return fail_with(&problems),
    };
    let report = Report::stdout();
    for note in &settings.notes {
        report.note(note);
    }
    if let Some(block) = &settings.vite {
        report.block(&block.file, &block.rows);
    }
    settings.left_out.iter().for_each(|line| report.warn(line));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    let code = runtime.block_on(run(flags, settings, report));
    // What is still being compiled is not worth waiting for.
    runtime.shutdown_background();
    code
}

/// Ends the program where the flags make no sense.
fn parse(arguments: Vec<OsString>) -> Flags {
    Flags::try_parse_from(arguments).unwrap_or_else(|mut error| {
        // Nobody means a flag as the project folder.
        for advice in [ContextKind::TrailingArg, ContextKind::Suggested] {
            error.remove(advice);
        }
        error.exit()
    })
}

/// Serves until Ctrl-C or SIGTERM. An edit of the settings starts the server anew, in this process and on this port; open
/// pages come back by themselves.
async fn run(flags: DevFlags, mut settings: Settings, report: Report) -> ExitCode {
    let mut server = match DevServer::builder(settings.config.clone()).report(report.clone()).start().await {
        Ok(server) => server,
        Err(error) => return fail(&error.to_string()),
    };
    open_browser(settings.config.server.open.as_deref(), server.url(), &report);
    let (inbox, mut edits) = mpsc::unbounded_channel();
    let watcher = Watcher::start(settings.config.root.clone(), &settings.config.watch, inbox, Arc::new(|_| {}));
    watcher.watch_files(settings.files.iter().cloned());
    let mut end = std::pin::pin!(asked_to_end());
    loop {
        let batch = tokio::select! {
            () = &mut end => break,
            Some(Event::Files(batch)) = edits.recv() => batch,
        };
        // What a command does to the settings belongs to its edit, too.
        tokio::select! {
            () = &mut end => break,
            () = server.edits_over() => {}
        }
        let (read, files) = settings::read_with_files(&flags);
        watcher.watch_files(files);
        let next = match read {
            Ok(next) => next,
            Err(problems) => {
                report.diagnostics(&problems);
                continue;
            }
        };
        if next.vite != settings.vite
            && let Some(block) = &next.vite
        {
            report.block(&block.file, &block.rows);
        }
        next.left_out.iter().filter(|line| !settings.left_out.contains(line)).for_each(|line| report.warn(line));
        if next.config == settings.config {
            settings = next;
            continue;
        }
        report.note(&format!("{} changed, the server starts anew", names(&batch.paths)));
        server = match start_anew(server, &settings.config, &next.config, &report).await {
            Ok((server, true)) => {
                settings = next;
                server
            }
            Ok((server, false)) => server,
            Err(error) => return fail(&error.to_string()),
        };
    }
    server.stop().await;
    ExitCode::SUCCESS
}

/// Ends a server and starts one with other settings; `false` if that did not work and the old settings serve on.
async fn start_anew(
    server: DevServer,
    before: &Config,
    after: &Config,
    report: &Report,
) -> Result<(DevServer, bool), ServeError> {
    let (url, port) = (server.url().to_owned(), server.port());
    let start = async |config: &Config| {
        let mut config = config.clone();
        // The port it had, if it is not another one that is wanted now.
        if config.server.port == before.server.port {
            config.server.port = port;
        }
        DevServer::builder(config).report(report.clone()).known_at(&url).start().await
    };
    server.stop().await;
    match start(after).await {
        Ok(server) => Ok((server, true)),
        Err(error) => {
            report.warn(&format!("{error}; the server goes on with the settings it had"));
            Ok((start(before).await?, false))
        }
    }
}

fn names(paths: &[PathBuf]) -> String {
    let names: Vec<String> =
        paths.iter().filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect();
    names.join(", ")
}

pub(crate) fn open_browser(path: Option<&str>, url: &str, report: &Report) {
    let Some(path) = path else { return };
    let url = if path.contains("://") { path.to_owned() } else { format!("{url}{}", path.trim_start_matches('/')) };
    // What the system's opener says (`ExitStatus(…)`) tells nobody anything.
    if rekindle_server::editor::open_browser(&url).is_err() {
        report.warn(&format!("no browser could be opened; go to {url}"));
    }
}

/// The browser runtime in a file, for its tests.
fn write_client(out: &std::path::Path, only: Option<&str>) -> ExitCode {
    let script = rekindle_server::client_script::runtime(only);
    match script.and_then(|script| std::fs::write(out, script).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("cannot write {}: {error}", out.display())),
    }
}

/// Mistakes in the settings.
pub(crate) fn fail_with(problems: &[Diagnostic]) -> ExitCode {
    for problem in problems {
        // When even stderr is gone, the exit code is all that is left to say.
        let _ = anstream::stderr().write_all(rekindle_server::report::show(problem).as_bytes());
    }
    ExitCode::FAILURE
}

pub(crate) fn fail(message: &str) -> ExitCode {
    let _ = writeln!(anstream::stderr(), "error: {message}");
    ExitCode::FAILURE
}

/// Ctrl-C, or SIGTERM where there is one; or the launcher is gone.
pub(crate) async fn asked_to_end() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminated) = signal(SignalKind::terminate()) else {
            let _ = interrupted.await;
            return;
        };
        tokio::select! {
            _ = interrupted => {}
            _ = terminated.recv() => {}
            () = launcher_gone() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = interrupted.await;
}

/// Waits until the launcher of the npm package, which waits for this process, was ended in a way that it could not pass on.
#[cfg(unix)]
async fn launcher_gone() {
    use std::os::unix::process::parent_id;
    let launcher = std::env::var(LAUNCHER_VARIABLE).ok().and_then(|number| number.parse::<u32>().ok());
    if launcher != Some(parent_id()) {
        return std::future::pending().await;
    }
    let mut looks = tokio::time::interval(std::time::Duration::from_millis(500));
    while launcher == Some(parent_id()) {
        looks.tick().await;
    }
}

/// `REKINDLE_LOG=debug` shows our own spans; what the user should read goes through the report.
fn log_if_asked() {
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("REKINDLE_LOG") {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
}
