//! The parts of the test run, and how each is run.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::tally::Tally;
use crate::{checks, kit};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Checks,
    Rust,
    Client,
    Model,
    Types,
    Browser,
}

impl Part {
    pub const ALL: [Part; 6] = [Part::Checks, Part::Rust, Part::Client, Part::Model, Part::Types, Part::Browser];

    pub fn named(name: &str) -> Option<Part> {
        match name {
            "checks" => Some(Part::Checks),
            "rust" => Some(Part::Rust),
            "client" => Some(Part::Client),
            "model" => Some(Part::Model),
            "types" => Some(Part::Types),
            "e2e" => Some(Part::Browser),
            _ => None,
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Part::Checks => "checks",
            Part::Rust => "rust tests",
            Part::Client => "client tests",
            Part::Model => "model test",
            Part::Types => "type tests",
            Part::Browser => "browser tests",
        }
    }

    pub fn run(self) -> Result<Tally, String> {
        match self {
            Part::Checks => Ok(checks::run_all()),
            Part::Rust => rust(),
            Part::Client => client(),
            Part::Model => model(),
            Part::Types => types(),
            Part::Browser => browser(),
        }
    }
}

fn rust() -> Result<Tally, String> {
    let workspace = ["--release", "--workspace", "--no-fail-fast"];
    if !succeeds(cargo().args(["nextest", "--version"])) {
        return count(cargo().arg("test").args(workspace));
    }
    let mut tally = count(cargo().args(["nextest", "run", "--no-tests=pass"]).args(workspace))?;
    tally += count(cargo().args(["test", "--doc"]).args(workspace))?; // nextest leaves out the examples in doc comments.
    Ok(tally)
}

/// The browser runtime's own tests, run by Node on those files of it that need no browser, compiled as in the server. One of them asks the
/// TypeScript compiler, which is among the packages of the browser tests.
fn client() -> Result<Tally, String> {
    let tests = files_ending_with(&root().join("client/test"), ".test.mjs");
    if tests.is_empty() {
        return Err("there are none in client/test".into());
    }
    let compiled = target().join("client.mjs");
    let write = ["run", "--release", "--quiet", "--package", "rekindle", "--", "client", "--only", "core/replica.ts"];
    run(cargo().args(write).arg(&compiled))?;
    kit::npm_packages(&root().join("e2e"))?;
    count(node()?.args(tests).env("REKINDLE_CLIENT", compiled))
}

/// Random sequences of saves, cuts and reloads: the real loop, driven line by line, and the real client in realms of Node.
fn model() -> Result<Tally, String> {
    // The whole workspace: with the features of the Rust tests, so that what they compiled is used again.
    run(cargo().args(["build", "--release", "--quiet", "--workspace", "--example", "driven_loop"]))?;
    let program = target().join("release/examples").join(format!("driven_loop{}", std::env::consts::EXE_SUFFIX));
    count(node()?.arg(root().join("client/test/model/model.test.mjs")).env("REKINDLE_DRIVEN_LOOP", program))
}

fn types() -> Result<Tally, String> {
    kit::npm_packages(&root().join("e2e"))?;
    count(node()?.args(files_ending_with(&root().join("packages/rekindle/test"), ".test.mjs")))
}

fn browser() -> Result<Tally, String> {
    let chromium = kit::chromium()?;
    let e2e = root().join("e2e");
    kit::npm_packages(&e2e)?;
    run(cargo().args(["build", "--release", "--package", "rekindle"]))?;
    let program = target().join("release").join(format!("rekindle{}", std::env::consts::EXE_SUFFIX));
    let tests = files_ending_with(&e2e, ".test.mjs");
    // Two at a time: each is a browser and a server, and a test that gets no processor time fails without a reason.
    count(node()?.arg("--test-concurrency=2").args(tests).env("REKINDLE_BIN", program).env("CHROMIUM", chromium))
}

/// Writes what comes from the table of settings. The test that compares these files is what writes them.
pub fn settings() -> Result<(), String> {
    // The whole workspace: with the features of the Rust tests, so that what they compiled is used again.
    let test = ["test", "--release", "--quiet", "--workspace", "--test", "generated"];
    run(cargo().args(test).env("REKINDLE_WRITE_SETTINGS", "1"))
}

/// The suites beside the repository, held against what passed before; the last line they print is the sum with `tally`.
/// Whether all of that is good.
pub fn ratchet(tally: Tally, options: &[&str]) -> Result<bool, String> {
    let mut command = Command::new("node");
    command.arg(root().join(".ci/ratchet.mjs")).arg("--tests").arg(tally.to_string()).args(options);
    let status = command.current_dir(root()).stdin(Stdio::null()).status();
    status.map(|status| status.success()).map_err(|error| cannot_start(&command, &error))
}

/// The npm packages for this computer, from a release build.
pub fn package() -> Result<(), String> {
    run(cargo().args(["build", "--release", "--package", "rekindle"]))?;
    let program = target().join("release").join(format!("rekindle{}", std::env::consts::EXE_SUFFIX));
    let script = root().join("packages/pack.mjs");
    run(Command::new("node").arg(script).arg("--binary").arg(program).current_dir(root()))
}

/// Runs a test runner, passes its output on line by line, and counts as it goes.
fn count(command: &mut Command) -> Result<Tally, String> {
    let mut child = command
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| cannot_start(command, &error))?;
    let stdout = child.stdout.take().expect("stdout was asked to be a pipe");
    let stderr = child.stderr.take().expect("stderr was asked to be a pipe");
    // nextest reports on stderr, the others on stdout.
    let other = std::thread::spawn(move || {
        let mut tally = Tally::default();
        read_lines(stderr, |line| {
            eprintln!("{line}");
            tally.read(line);
        });
        tally
    });
    let mut tally = Tally::default();
    read_lines(stdout, |line| {
        println!("{line}");
        tally.read(line);
    });
    tally += other.join().expect("reading lines does not panic");
    let status = child.wait().map_err(|error| error.to_string())?;
    if !status.success() && tally.failed == 0 {
        eprintln!("{} ended with {status}", name_of(command));
        tally += Tally::broken();
    }
    Ok(tally)
}

fn read_lines(stream: impl std::io::Read, mut each: impl FnMut(&str)) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    // Not `lines()`, which ends at the first byte that is not UTF-8.
    while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        each(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
}

/// Runs a step whose output is for the reader only.
pub fn run(command: &mut Command) -> Result<(), String> {
    let status = command.stdin(Stdio::null()).status().map_err(|error| cannot_start(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", name_of(command))) }
}

pub fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!("cannot start {}: {error}", name_of(command))
}

fn name_of(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_stem().unwrap_or(command.get_program()).to_string_lossy()];
    words.extend(command.get_args().take(2).map(|argument| argument.to_string_lossy()));
    format!("`{}`", words.join(" "))
}

pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    without_foreign_variables(&mut cargo).current_dir(root());
    cargo
}

/// Node as a test runner whose report `Tally` can read.
fn node() -> Result<Command, String> {
    if !succeeds(Command::new("node").args(["--test-reporter=spec", "--version"])) {
        return Err("Node 20 or newer is needed (https://nodejs.org)".into());
    }
    let mut node = Command::new("node");
    without_foreign_variables(&mut node).args(["--test", "--test-reporter=spec"]);
    Ok(node)
}

/// Variables that a shell may set for the tests; the tests refuse values that are not valid.
pub const OPTIONS: [&str; 2] = ["REKINDLE_MODEL_SEQUENCES", "REKINDLE_PATIENCE_MS"];

/// rekindle reads variables with these names: no test may depend on what the shell has set.
fn without_foreign_variables(command: &mut Command) -> &mut Command {
    let names = std::env::vars_os().map(|(name, _)| name);
    for name in names.filter(|name| is_foreign(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command
}

fn is_foreign(name: &str) -> bool {
    let upper = name.to_ascii_uppercase();
    (upper.starts_with("VITE_") || upper.starts_with("REKINDLE_")) && !OPTIONS.contains(&name)
}

/// The repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask is a folder of the repository").to_owned()
}

pub fn target() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

fn files_ending_with(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> =
        entries.map(|entry| entry.path()).filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_get_no_variables_that_are_meant_for_what_they_test() {
        for name in ["VITE_API", "vite_api", "REKINDLE_LOG", "REKINDLE_BIN"] {
            assert!(is_foreign(name), "{name}");
        }
        for name in ["PATH", "CHROMIUM", "CARGO_TARGET_DIR", "INVITE_ONLY"].iter().chain(&OPTIONS) {
            assert!(!is_foreign(name), "{name}");
        }
    }
}
