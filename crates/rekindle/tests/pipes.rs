//! The program in a folder where a named pipe has the name of its settings: it says so and waits for nobody.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A project in which these names are pipes that nobody writes to.
fn project(pipes: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "<!doctype html>").unwrap();
    for name in pipes {
        assert!(Command::new("mkfifo").arg(folder.path().join(name)).status().unwrap().success());
    }
    folder
}

fn rekindle(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rekindle"));
    command.current_dir(folder).arg("dev").env("NO_COLOR", "1").stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_ascii_uppercase();
        if upper.starts_with("VITE_") || upper.starts_with("REKINDLE_") {
            command.env_remove(name);
        }
    }
    command
}

#[test]
fn a_pipe_as_rekindle_toml_is_an_error() {
    let folder = project(&["rekindle.toml"]);
    let output = rekindle(folder.path()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("rekindle.toml") && said.contains("it is a named pipe, not a file"), "{said}");
}

#[test]
fn a_pipe_as_vite_config_is_named_and_the_server_starts() {
    let folder = project(&["vite.config.js"]);
    let mut server = rekindle(folder.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut said = Vec::new();
    // Its address is the last thing that a start says.
    let has_started = lines.by_ref().any(|line| {
        said.push(line);
        said.last().is_some_and(|line| line.contains("http://localhost:"))
    });
    server.kill().unwrap();
    server.wait().unwrap();
    let warning = "warning: vite.config.js is a named pipe, not a file, and is left out";
    assert!(has_started && said.iter().any(|line| line.contains(warning)), "{said:?}");
}
