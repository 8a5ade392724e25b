//! The command: flags say which of `commands/` runs.

mod commands;
mod program;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ContextKind;
use commands::{build, dev, edit, preview};
use program::fail;
use rekindle::flags::{Flags, Task};
use rekindle::vite_flags::{Answer, Arguments};
use rekindle::{init, vite_flags};

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
    match parse(arguments).task() {
        Task::Dev(flags) => dev::run(flags),
        Task::Build(flags) => build::run(&flags),
        Task::Preview(flags) => preview::run(&flags),
        Task::Edit(flags) => edit::run(&flags),
        Task::Init(flags) => init::run(&flags),
        Task::Client { out, only } => write_client(&out, only.as_deref()),
    }
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

/// The browser runtime in a file, for its tests.
fn write_client(out: &std::path::Path, only: Option<&str>) -> ExitCode {
    let script = rekindle_server::client_script::runtime(only);
    match script.and_then(|script| std::fs::write(out, script).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("cannot write {}: {error}", out.display())),
    }
}

/// `REKINDLE_LOG=debug` shows our own spans; what the user should read goes through the report.
fn log_if_asked() {
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("REKINDLE_LOG") {
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    }
}
