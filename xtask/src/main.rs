//! Chores of this repository, as a program so that they run alike everywhere: `cargo xtask ready`.

#![expect(clippy::print_stderr, reason = "a program for developers, whose terminal is all that it reports to")]

mod checks;
mod kit;
mod parts;
mod tally;
mod tidy;

use std::process::ExitCode;

use parts::Part;
use tally::Tally;

const USAGE: &str = "\
cargo xtask ready [--accept]        everything CI runs, the fastest first; --accept is for .ci/ratchet.mjs
cargo xtask test [--only PART]...   run the checks and tests; PART is checks, rust, client, model, types or e2e
cargo xtask settings                write what comes from the table of settings: docs/configuration.md, types and the schema
cargo xtask tidy                    look for import cycles, names of files that are not there, files without a purpose
cargo xtask format                  lay out all sources: rustfmt for Rust, dprint for JavaScript and TypeScript
cargo xtask package                 pack the npm packages for this computer into target/npm

Browser tests need Node 20 and Chromium ($CHROMIUM, or /usr/bin/chromium). What is missing is installed where that is
possible: Chromium from Debian's packages, the npm packages of e2e/ by npm.

The tests get none of the shell's VITE_* and REKINDLE_* variables but these: REKINDLE_MODEL_SEQUENCES, how many sequences
the model test tries (2000), and REKINDLE_PATIENCE_MS, how long a browser test waits for what must come (10000).";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match parse(&arguments) {
        Ok(Command::Ready { accept }) => ready(accept),
        Ok(Command::Test(parts)) => test(&parts),
        Ok(Command::Tidy) => tidy(),
        Ok(Command::Settings) => end(parts::settings()),
        Ok(Command::Format) => end(checks::format()),
        Ok(Command::Package) => end(parts::package()),
        Ok(Command::Help) => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        Err(mistake) => {
            eprintln!("{mistake}\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn end(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

enum Command {
    Ready { accept: bool },
    Test(Vec<Part>),
    Tidy,
    Settings,
    Format,
    Package,
    Help,
}

fn parse(arguments: &[String]) -> Result<Command, String> {
    let mut arguments = arguments.iter().map(String::as_str);
    match arguments.next() {
        Some("test") => {}
        Some("ready") => {
            return match arguments.next() {
                None => Ok(Command::Ready { accept: false }),
                Some("--accept") => Ok(Command::Ready { accept: true }),
                Some(argument) => Err(format!("`{argument}` is not an option of ready")),
            };
        }
        Some(chore @ ("package" | "settings" | "format" | "tidy")) => {
            return match arguments.next() {
                None => Ok(match chore {
                    "tidy" => Command::Tidy,
                    "settings" => Command::Settings,
                    "format" => Command::Format,
                    _ => Command::Package,
                }),
                Some(argument) => Err(format!("`{argument}` is not an option of {chore}")),
            };
        }
        Some("help" | "--help" | "-h") | None => return Ok(Command::Help),
        Some(other) => return Err(format!("there is no chore called `{other}`")),
    }
    let mut only = Vec::new();
    while let Some(argument) = arguments.next() {
        let names = match argument.split_once('=') {
            Some(("--only", names)) => names,
            None if argument == "--only" => arguments.next().ok_or("--only needs the name of a part")?,
            _ => return Err(format!("`{argument}` is not an option of test")),
        };
        for name in names.split(',') {
            only.push(Part::named(name).ok_or_else(|| format!("there is no part called `{name}`"))?);
        }
    }
    Ok(Command::Test(if only.is_empty() { Part::ALL.to_vec() } else { only }))
}

/// Prints the findings of `tidy`.
fn tidy() -> ExitCode {
    match tidy::check(&parts::root()) {
        Ok(findings) if findings.is_empty() => ExitCode::SUCCESS,
        Ok(findings) => {
            for finding in &findings {
                eprintln!("{finding}");
            }
            eprintln!("\n{} to mend", findings.len());
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs all parts, then the shared suites of ../shared; each part reports what it skips.
fn ready(accept: bool) -> ExitCode {
    let tally = run_parts(&Part::ALL);
    let options: &[&str] = if accept { &["--accept"] } else { &[] };
    let is_good = parts::ratchet(tally, options).unwrap_or_else(|why| {
        eprintln!("{why}");
        false
    });
    if tally.is_good() && is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn test(parts: &[Part]) -> ExitCode {
    let sum = run_parts(parts);
    println!("\n{sum}");
    if sum.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the parts one after the other; a part that fails does not keep the next from running.
fn run_parts(parts: &[Part]) -> Tally {
    let mut sum = Tally::default();
    for part in parts {
        println!("\n── {} ──", part.title());
        let tally = part.run().unwrap_or_else(|why| {
            eprintln!("{}: {why}", part.title());
            Tally::broken()
        });
        println!("{}: {tally}", part.title());
        sum += tally;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts_of(line: &str) -> Result<Vec<Part>, String> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        match parse(&words)? {
            Command::Test(parts) => Ok(parts),
            Command::Ready { .. }
            | Command::Tidy
            | Command::Settings
            | Command::Format
            | Command::Package
            | Command::Help => Err("no test".into()),
        }
    }

    #[test]
    fn all_parts_run_unless_some_are_named() {
        assert_eq!(parts_of("test"), Ok(Part::ALL.to_vec()));
        assert_eq!(parts_of("test --only e2e"), Ok(vec![Part::Browser]));
        assert_eq!(parts_of("test --only=types,client --only rust"), Ok(vec![Part::Types, Part::Client, Part::Rust]));
    }

    #[test]
    fn a_mistake_is_named() {
        assert_eq!(parts_of("tset"), Err("there is no chore called `tset`".into()));
        assert_eq!(parts_of("test --only web"), Err("there is no part called `web`".into()));
        assert_eq!(parts_of("test --fast"), Err("`--fast` is not an option of test".into()));
        assert_eq!(parts_of("ready --fast"), Err("`--fast` is not an option of ready".into()));
    }
}
