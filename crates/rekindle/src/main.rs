//! The command: flags and `rekindle.toml` become a `Config`, and the server runs with it.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use rekindle::flags::{Flags, Task};
use rekindle::settings::{self, Settings};
use rekindle::{Config, DevServer};
use rekindle_server::report::Report;

fn main() -> ExitCode {
    log_if_asked();
    let flags = match Flags::parse().task() {
        Task::Dev(flags) => flags,
        Task::Client { out, only } => return write_client(&out, only.as_deref()),
    };
    let Settings { config, notes } = match settings::read(&flags) {
        Ok(settings) => settings,
        Err(problems) => {
            for problem in &problems {
                // When even stderr is gone, the exit code is all that is left to say.
                let _ = anstream::stderr().write_all(rekindle_server::report::show(problem).as_bytes());
            }
            return ExitCode::FAILURE;
        }
    };
    let report = Report::stdout();
    for note in notes {
        report.note(&note);
    }
    run(config, report)
}

/// Serves until Ctrl-C or SIGTERM.
fn run(config: Config, report: Report) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    let code = runtime.block_on(async {
        let open = config.server.open.clone();
        let server = match DevServer::builder(config).report(report.clone()).start().await {
            Ok(server) => server,
            Err(error) => return fail(&error.to_string()),
        };
        if let Some(path) = open {
            let url = match path.contains("://") {
                true => path,
                false => format!("{}{}", server.url(), path.trim_start_matches('/')),
            };
            if let Err(error) = rekindle_server::editor::open_browser(&url) {
                report.warn(&format!("cannot open the browser: {error}"));
            }
        }
        asked_to_end().await;
        server.stop().await;
        ExitCode::SUCCESS
    });
    // What is still being compiled is not worth waiting for.
    runtime.shutdown_background();
    code
}

/// The browser runtime in a file, for its tests.
fn write_client(out: &std::path::Path, only: Option<&str>) -> ExitCode {
    let script = rekindle_server::client_script::runtime(only);
    match script.and_then(|script| std::fs::write(out, script).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("cannot write {}: {error}", out.display())),
    }
}

fn fail(message: &str) -> ExitCode {
    let _ = writeln!(anstream::stderr(), "error: {message}");
    ExitCode::FAILURE
}

/// Ctrl-C, or SIGTERM where there is one.
async fn asked_to_end() {
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
        }
    }
    #[cfg(not(unix))]
    let _ = interrupted.await;
}

/// `REKINDLE_LOG=debug` shows our own spans; what the user should read goes through the report.
fn log_if_asked() {
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("REKINDLE_LOG") {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
}
