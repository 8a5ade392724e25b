//! The command: flags and `rekindle.toml` become a `Config`, and the server runs with it.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use rekindle::Config;
use rekindle::flags::Flags;
use rekindle::settings::{self, Settings};
use rekindle_server::report::Report;

fn main() -> ExitCode {
    log_if_asked();
    let flags = Flags::parse().dev();
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
    run(config)
}

/// Serves until Ctrl-C.
fn run(config: Config) -> ExitCode {
    let _ = writeln!(anstream::stderr(), "the server is not linked yet; it would serve {}", config.root.display());
    ExitCode::FAILURE
}

/// `REKINDLE_LOG=debug` shows our own spans; what the user should read goes through the report.
fn log_if_asked() {
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("REKINDLE_LOG") {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
}
