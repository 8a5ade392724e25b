//! `rekindle preview`: settings and flags become a server for the finished build.
//!
//! ```text
//! error: there is no build in /project/dist
//!   help: run `rekindle build` first, or name the folder with --out-dir
//! ```

use std::process::ExitCode;

use rekindle::flags::PreviewFlags;
use rekindle::{PreviewError, PreviewServer, settings};
use rekindle_graph::Diagnostic;
use rekindle_server::report::Report;

use crate::program::{asked_to_end, fail, fail_with, open_browser};

pub fn run(flags: &PreviewFlags) -> ExitCode {
    let settings = match settings::read_preview(flags) {
        Ok(settings) => settings,
        Err(problems) => return fail_with(&problems),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    let code = runtime.block_on(async {
        let report = Report::stdout();
        settings.left_out.iter().for_each(|line| report.warn(line));
        let open = settings.config.preview_server().open;
        let server = match PreviewServer::start(settings.config, report.clone()).await {
            Ok(server) => server,
            Err(error @ PreviewError::NoBuild { .. }) => {
                let advice = "run `rekindle build` first, or name the folder with --out-dir";
                return fail_with(&[Diagnostic::error(error.to_string()).with_help(advice)]);
            }
            Err(error) => return fail(&error.to_string()),
        };
        open_browser(open.as_deref(), server.url(), &report);
        asked_to_end().await;
        server.stop().await;
        ExitCode::SUCCESS
    });
    runtime.shutdown_background();
    code
}
