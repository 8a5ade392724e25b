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

/// glibc keeps freed blocks of some megabytes for later, so that tests of memory would measure what is kept (118 to 164 MB) and not what
/// is held (73 MB). With a fixed threshold large blocks go back to the system at once. Other systems ignore it.
const FREED_GOES_BACK: (&str, &str) = ("MALLOC_MMAP_THRESHOLD_", "131072");

fn rust() -> Result<Tally, String> {
    let workspace = ["--release", "--workspace", "--no-fail-fast"];
    let (name, value) = FREED_GOES_BACK;
    if !succeeds(cargo().args(["nextest", "--version"])) {
        return count(cargo().arg("test").args(workspace).env(name, value));
    }
    let mut tally = count(cargo().args(["nextest", "run", "--no-tests=pass"]).args(workspace).env(name, value))?;
    tally += count(cargo().args(["test", "--doc"]).args(workspace))?; // nextest leaves out the examples in doc comments.
    Ok(tally)
}

/// Runs the tests of the browser runtime in Node, on those of its files that need no browser, compiled as for the
/// server. One test runs the TypeScript compiler, which is among the npm packages of e2e/.
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

/// The model test without a browser: random sequences of saves, cut connections and reloads, with the real loop
/// (`driven_loop`, driven by lines on stdin) and the real client in `node:vm` realms.
fn model() -> Result<Tally, String> {
    // `--workspace` enables the same features as the Rust tests, so that what those compiled is reused.
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
    // Two test files at a time: each runs a browser and a server, and a test that gets no CPU time fails by its
    // timeout.
    count(node()?.arg("--test-concurrency=2").args(tests).env("REKINDLE_BIN", program).env("CHROMIUM", chromium))
}

/// Regenerates the files that are made from the table of settings. The test `generated` compares them, and writes them
/// where REKINDLE_WRITE_SETTINGS is set.
pub fn settings() -> Result<(), String> {
    // `--workspace` enables the same features as the Rust tests, so that what those compiled is reused.
    let test = ["test", "--release", "--quiet", "--workspace", "--test", "generated"];
    run(cargo().args(test).env("REKINDLE_WRITE_SETTINGS", "1"))
}

/// Runs the shared suites and compares them with .ci/passing.txt; the last line printed is the sum with `tally`.
/// Returns whether everything passed.
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

/// Runs a command whose output is shown, not parsed.
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

/// Variables of the shell that are passed on to the tests, which reject invalid values.
pub const OPTIONS: [&str; 2] = ["REKINDLE_MODEL_SEQUENCES", "REKINDLE_PATIENCE_MS"];

/// Removes the variables that rekindle reads, so that no test depends on the shell.
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

/// The root folder of the repository.
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
