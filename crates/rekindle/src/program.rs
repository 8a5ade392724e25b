//! What every command needs of the program around it: how it fails, when it ends, a browser.

use std::io::Write;
use std::process::ExitCode;

use rekindle_graph::Diagnostic;
use rekindle_server::report::{News, Report};

/// Set by the launcher of the npm package where it waits for this process: its number.
#[cfg(unix)]
const LAUNCHER_VARIABLE: &str = "REKINDLE_LAUNCHER";

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

pub(crate) fn open_browser(path: Option<&str>, url: &str, report: &Report) {
    let Some(path) = path else { return };
    let url = if path.contains("://") { path.to_owned() } else { format!("{url}{}", path.trim_start_matches('/')) };
    // What the system's opener says (`ExitStatus(…)`) tells nobody anything.
    if rekindle_server::editor::open_browser(&url).is_err() {
        report.tell(News::NoBrowser { url });
    }
}
