//! The keeper of child processes, with programs of the shell.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::ffi::OsString;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rekindle_compile::project::child_process::{ChildEvent, ChildProcess, End, Program, Start};

/// A program and what it says: lines, and `ended` or `not started`.
fn keep(command: &[&str], start: Start) -> (ChildProcess, Receiver<String>) {
    let (sender, said) = channel();
    let command = command.iter().map(OsString::from).collect();
    let program = Program { name: "test", command, folder: std::env::temp_dir(), start };
    let child = ChildProcess::keep(program, move |event| {
        let text = match event {
            ChildEvent::Line(line) | ChildEvent::Note(line) => line.to_owned(),
            ChildEvent::Ended { end: End::NotStarted(_), .. } => "not started".to_owned(),
            ChildEvent::Ended { end: End::Exited(_), .. } => "ended".to_owned(),
        };
        let _ = sender.send(text); // The test may be over.
    });
    (child, said)
}

fn next(said: &Receiver<String>) -> String {
    said.recv_timeout(Duration::from_secs(20)).unwrap()
}

#[test]
fn a_program_that_is_started_with_a_line_is_started_again_with_the_next() {
    let (child, said) = keep(&["sh", "-c", "read line; echo \"got $line\""], Start::WithLine);
    for line in ["one", "two"] {
        assert!(said.recv_timeout(Duration::from_millis(50)).is_err(), "nobody has asked for it");
        child.tell(format!("{line}\n"));
        assert_eq!([next(&said), next(&said)], [format!("got {line}"), "ended".to_owned()]);
    }
}

#[test]
fn a_program_that_hangs_is_ended_and_started_again() {
    let (child, said) = keep(&["sh", "-c", "echo up; read line; exec sleep 60"], Start::WithLine);
    child.tell("line\n".to_owned());
    assert_eq!(next(&said), "up");
    child.restart();
    assert_eq!(next(&said), "ended");
    child.tell("line\n".to_owned());
    assert_eq!(next(&said), "up");
}

#[test]
fn a_program_that_is_not_there_is_looked_for_again() {
    let (child, said) = keep(&["rekindle-has-no-such-program"], Start::WithLine);
    for _ in 0..2 {
        child.tell("line\n".to_owned());
        assert_eq!(next(&said), "not started");
    }
}

#[test]
fn a_program_that_ends_when_its_stdin_is_closed_gets_the_time_for_it() {
    let (child, said) = keep(&["sh", "-c", "echo up; read line; echo bye"], Start::AtOnce);
    assert_eq!(next(&said), "up");
    child.stop(Duration::from_secs(20));
    assert_eq!(next(&said), "bye");
}
