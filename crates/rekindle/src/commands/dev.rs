//! `rekindle dev`: flags and `rekindle.toml` become a `Config`, and the server runs with it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use rekindle::flags::DevFlags;
use rekindle::settings::{self, Settings};
use rekindle::{Config, DevServer, ServeError};
use rekindle_server::event::Event;
use rekindle_server::report::{News, Report};
use rekindle_server::watch::Watcher;
use tokio::sync::mpsc;

use crate::program::{asked_to_end, fail, fail_with, open_browser};

/// Serves a project until the program is asked to end.
pub(crate) fn run(flags: DevFlags) -> ExitCode {
    let settings = match settings::read(&flags) {
        Ok(settings) => settings,
        Err(problems) => return fail_with(&problems),
    };
    let report = Report::stdout();
    for note in &settings.notes {
        report.note(note);
    }
    if let Some(block) = &settings.vite {
        report.tell(News::Settings { file: block.file.clone(), rows: block.rows.clone() });
    }
    settings.left_out.iter().for_each(|line| report.warn(line));
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    let code = runtime.block_on(serve(flags, settings, report));
    // What is still being compiled is not worth waiting for.
    runtime.shutdown_background();
    code
}

/// Serves until Ctrl-C or SIGTERM. An edit of the settings restarts the server, in this process and on this port; open
/// pages come back by themselves.
async fn serve(flags: DevFlags, mut settings: Settings, report: Report) -> ExitCode {
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
            Err(errors) => {
                report.tell(News::Failed { errors });
                continue;
            }
        };
        if next.vite != settings.vite
            && let Some(block) = &next.vite
        {
            report.tell(News::Settings { file: block.file.clone(), rows: block.rows.clone() });
        }
        next.left_out.iter().filter(|line| !settings.left_out.contains(line)).for_each(|line| report.warn(line));
        if next.config == settings.config {
            settings = next;
            continue;
        }
        report.tell(News::Restarting { files: names(&batch.paths) });
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
            report.tell(News::NotRestarted { error: error.to_string() });
            Ok((start(before).await?, false))
        }
    }
}

fn names(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect()
}
