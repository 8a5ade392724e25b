//! `rekindle edit`: whatever a command does to the project becomes one update of its running servers.
//!
//! ```text
//! rekindle edit -- npx prettier --write src     begin ─► the command, the lease renewed meanwhile ─► commit
//! id=$(rekindle edit begin); …; rekindle edit commit "$id"
//! ```
//!
//! The command's input, output and exit code are its own; what is said here goes to stderr. Without a server the command runs
//! all the same. A server that starts meanwhile finds the edit's note (`control.rs`) and waits for its end, too.

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use rekindle::flags::{EditFlags, EditStep};
use rekindle_server::control::{self, Control, ControlFile, OpenEdit, Scope};
use rekindle_server::leases::EditAnswer;
use rekindle_server::token::Token;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a server may take to take an edit in, large ones included.
const PATIENCE: Duration = Duration::from_secs(90);
/// As shells say that a command is not there, or cannot be run.
const NOT_FOUND: i32 = 127;
const CANNOT_EXECUTE: i32 = 126;
/// What shells add to the number of a signal that ended a command.
#[cfg(unix)]
const SIGNAL_EXIT_BASE: i32 = 128;

pub fn run(flags: &EditFlags) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return crate::program::fail(&format!("cannot start: {error}")),
    };
    match &flags.step {
        Some(EditStep::Begin { root, lease }) => runtime.block_on(begin(root.as_deref(), *lease)),
        Some(EditStep::Commit { id, root }) => runtime.block_on(commit(root.as_deref(), id)),
        None => {
            let code = runtime.block_on(run_command(flags.root.as_deref(), flags.lease, &flags.command));
            // Exit codes of Windows have 32 bits.
            std::process::exit(code)
        }
    }
}

/// A server in whose project an edit is under way.
struct Server {
    file: PathBuf,
    control: Control,
}

/// How a server took a request.
enum RequestOutcome {
    Answer(EditAnswer),
    /// It does not run any more.
    Gone,
    /// Why the request failed.
    Failed(String),
}

async fn begin(root: Option<&Path>, lease: Duration) -> ExitCode {
    let edit = edit_of(root, lease);
    let note = ControlFile::of_edit(&edit);
    if begin_all(&edit, say).await.is_empty() {
        say(&format!("{}; one that starts before the edit ends waits for its end", no_server(root)));
    }
    // A script takes the name from here.
    match writeln!(std::io::stdout(), "{}", edit.id) {
        Ok(()) => {
            note.into_iter().for_each(ControlFile::leave);
            ExitCode::SUCCESS
        }
        Err(error) => crate::program::fail(&format!("cannot write to stdout: {error}")),
    }
}

async fn commit(root: Option<&Path>, id: &str) -> ExitCode {
    // Before servers are looked for: none that starts from now on may wait for an end that has been.
    let lasted = control::end_edit(id);
    let outcomes = commit_all(&scope_of(root), id).await;
    let is_known =
        |outcome: &RequestOutcome| matches!(outcome, RequestOutcome::Answer(answer) if *answer != EditAnswer::Unknown);
    let is_done = outcomes.iter().any(is_known);
    for outcome in &outcomes {
        match outcome {
            RequestOutcome::Answer(EditAnswer::Unknown) | RequestOutcome::Gone => {}
            RequestOutcome::Answer(answer) => say(&sentence(*answer)),
            RequestOutcome::Failed(why) => say(why),
        }
    }
    if outcomes.iter().all(|outcome| matches!(outcome, RequestOutcome::Gone)) {
        say(&no_server(root));
        return ExitCode::SUCCESS;
    }
    if is_done || lasted == Some(true) {
        return ExitCode::SUCCESS;
    }
    crate::program::fail(&format!(
        "no server knows the edit {id}: it was committed before, or its lease ran out; its files were taken in then"
    ))
}

/// Gives the exit code.
async fn run_command(root: Option<&Path>, lease: Duration, command: &[OsString]) -> i32 {
    let edit = edit_of(root, lease);
    let mut note = ControlFile::of_edit(&edit);
    let had_servers = !begin_all(&edit, say).await.is_empty();
    if !had_servers {
        say(&format!("{}; the command runs anyway", no_server(root)));
    }
    let code = match spawn(command) {
        Ok(child) => code_of(attend(child, &edit, note.as_mut()).await),
        Err((code, message)) => {
            say(&message);
            code
        }
    };
    drop(note); // First, as for `commit`.
    let outcomes = commit_all(&edit.scope, &edit.id).await;
    if had_servers && outcomes.iter().all(|outcome| matches!(outcome, RequestOutcome::Gone)) {
        say("the server ended meanwhile");
    }
    for outcome in outcomes {
        match outcome {
            RequestOutcome::Answer(answer) => say(&sentence(answer)),
            RequestOutcome::Gone => {}
            RequestOutcome::Failed(why) => say(&why),
        }
    }
    code
}

fn spawn(command: &[OsString]) -> Result<Child, (i32, String)> {
    let Some((program, arguments)) = command.split_first() else {
        return Err((NOT_FOUND, "there is no command after `--`".to_owned()));
    };
    Command::new(program).args(arguments).spawn().map_err(|error| {
        let code = if error.kind() == std::io::ErrorKind::NotFound { NOT_FOUND } else { CANNOT_EXECUTE };
        (code, format!("cannot run {}: {error}", program.to_string_lossy()))
    })
}

/// Waits for the command, renews the lease meanwhile, and passes on what asks it to end.
async fn attend(mut child: Child, edit: &OpenEdit, mut note: Option<&mut ControlFile>) -> std::io::Result<ExitStatus> {
    let mut signals = Signals::listen();
    let rest = Duration::from_millis(edit.lease) / 3;
    let mut renewals = tokio::time::interval(rest.max(Duration::from_millis(1)));
    renewals.tick().await; // The first is at once.
    loop {
        tokio::select! {
            status = child.wait() => return status,
            signal = signals.next() => signal.pass_on(&child),
            _ = renewals.tick() => {
                note.iter_mut().for_each(|note| note.renew());
                // What went wrong was said at the begin, or is noticed at the end.
                let _ = timeout(rest, begin_all(edit, |_| {})).await;
            }
        }
    }
}

fn code_of(status: std::io::Result<ExitStatus>) -> i32 {
    match status {
        Ok(status) => {
            #[cfg(unix)]
            if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
                return SIGNAL_EXIT_BASE + signal;
            }
            status.code().unwrap_or(1)
        }
        Err(error) => {
            say(&format!("cannot wait for the command: {error}"));
            1
        }
    }
}

/// What asks a program to end. This one ends when its command does.
#[cfg(unix)]
struct Signals {
    interrupted: Option<tokio::signal::unix::Signal>,
    terminated: Option<tokio::signal::unix::Signal>,
    hung_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
struct Signal(&'static str);

#[cfg(unix)]
impl Signals {
    fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            interrupted: signal(SignalKind::interrupt()).ok(),
            terminated: signal(SignalKind::terminate()).ok(),
            hung_up: signal(SignalKind::hangup()).ok(),
        }
    }

    async fn next(&mut self) -> Signal {
        async fn one(signal: &mut Option<tokio::signal::unix::Signal>) {
            match signal {
                Some(signal) => _ = signal.recv().await,
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = one(&mut self.interrupted) => Signal("INT"),
            () = one(&mut self.terminated) => Signal("TERM"),
            () = one(&mut self.hung_up) => Signal("HUP"),
        }
    }
}

#[cfg(unix)]
impl Signal {
    fn pass_on(&self, child: &Child) {
        // Ctrl-C goes to all programs of a terminal: the command has it already, and a second one means "at once" to many.
        if self.0 == "INT" && std::io::stdin().is_terminal() {
            return;
        }
        let Some(pid) = child.id() else { return };
        // Every system has a shell, and every shell has this. It fails when the command has just ended.
        let kill = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\" 2>&-", self.0, &pid.to_string()]).spawn();
        drop(kill); // Tokio waits for it in the background.
    }
}

/// Ctrl-C, which Windows gives to all programs of a console.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
struct Signal;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Self {
        Self
    }

    async fn next(&mut self) -> Signal {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Signal,
            Err(_) => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
impl Signal {
    fn pass_on(&self, _: &Child) {}
}

fn edit_of(root: Option<&Path>, lease: Duration) -> OpenEdit {
    let lease = u64::try_from(lease.as_millis()).unwrap_or(u64::MAX);
    OpenEdit { scope: scope_of(root), id: Token::fresh().as_str().to_owned(), lease }
}

fn scope_of(root: Option<&Path>) -> Scope {
    let here = std::env::current_dir().unwrap_or_default();
    root.map_or_else(|| Scope::around(&here), |root| Scope::of_project(&here.join(root)))
}

/// Announces an edit to all servers that it concerns, or lets it last for its lease from now on; gives those that wait for its
/// end.
async fn begin_all(edit: &OpenEdit, say: impl Fn(&str)) -> Vec<Server> {
    let mut begun = Vec::new();
    for server in servers_of(&edit.scope) {
        match server.ask(&format!("do=begin&id={}&lease={}", edit.id, edit.lease)).await {
            RequestOutcome::Answer(EditAnswer::Open) => begun.push(server),
            RequestOutcome::Answer(_) => {
                say("too many edits are under way; this one is taken in as its files are saved")
            }
            RequestOutcome::Gone => {}
            RequestOutcome::Failed(why) => say(&why),
        }
    }
    begun
}

async fn commit_all(scope: &Scope, id: &str) -> Vec<RequestOutcome> {
    let mut outcomes = Vec::new();
    for server in servers_of(scope) {
        outcomes.push(server.ask(&format!("do=commit&id={id}")).await);
    }
    outcomes
}

fn servers_of(scope: &Scope) -> Vec<Server> {
    control::servers(scope).into_iter().map(|(file, control)| Server { file, control }).collect()
}

impl Server {
    async fn ask(&self, query: &str) -> RequestOutcome {
        let address = self.control.address;
        let outcome = match timeout(PATIENCE, self.exchange(query)).await {
            Ok(Ok(answer)) => match read_answer(&answer) {
                ParsedAnswer::Answer(answer) => RequestOutcome::Answer(answer),
                ParsedAnswer::Excuse(why) => RequestOutcome::Failed(format!("the server at {address} says: {why}")),
                // The port is somebody else's by now.
                ParsedAnswer::Foreign => RequestOutcome::Gone,
            },
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => RequestOutcome::Gone,
            Ok(Err(error)) => RequestOutcome::Failed(format!("the server at {address} does not answer: {error}")),
            Err(_) => RequestOutcome::Failed(format!("the server at {address} does not answer")),
        };
        if matches!(outcome, RequestOutcome::Gone) {
            // It was killed, and could not remove its note.
            let _ = std::fs::remove_file(&self.file);
        }
        outcome
    }

    async fn exchange(&self, query: &str) -> std::io::Result<Vec<u8>> {
        const LONGEST: u64 = 64 * 1024;
        let Control { address, path, token, .. } = &self.control;
        let mut stream = TcpStream::connect(address).await?;
        let head = format!(
            "POST {path}?{query} HTTP/1.1\r\nhost: localhost:{}\r\n{}: {token}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            address.port(),
            control::HEADER
        );
        stream.write_all(head.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(LONGEST).read_to_end(&mut answer).await?;
        Ok(answer)
    }
}

/// What an answer is.
#[derive(Debug, PartialEq)]
enum ParsedAnswer {
    Answer(EditAnswer),
    /// A server of ours cannot take the edit in, and says why.
    Excuse(String),
    Foreign,
}

fn read_answer(answer: &[u8]) -> ParsedAnswer {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return ParsedAnswer::Foreign };
    let status = head.split(' ').nth(1).unwrap_or_default();
    match serde_json::from_str(body.trim()) {
        Ok(answer) => ParsedAnswer::Answer(answer),
        Err(_) if status == "500" => ParsedAnswer::Excuse(body.trim().to_owned()),
        Err(_) => ParsedAnswer::Foreign,
    }
}

fn sentence(answer: EditAnswer) -> String {
    match answer {
        EditAnswer::Done { files: 0 } => "no file that a page uses has changed".to_owned(),
        EditAnswer::Done { files: 1 } => "one update with 1 file".to_owned(),
        EditAnswer::Done { files } => format!("one update with {files} files"),
        EditAnswer::Shared { others: 1 } => "the update goes out when the other edit that is under way ends".to_owned(),
        EditAnswer::Shared { others } => {
            format!("the update goes out when the last of the {others} other edits that are under way ends")
        }
        EditAnswer::Open | EditAnswer::Unknown | EditAnswer::Full => {
            "the server does not know the edit: the lease ran out, or too many were under way".to_owned()
        }
    }
}

fn no_server(root: Option<&Path>) -> String {
    match root {
        Some(root) => format!("no server runs for {}", root.display()),
        None => "no server runs for this folder or one above it".to_owned(),
    }
}

fn say(text: &str) {
    let _ = writeln!(anstream::stderr(), "rekindle: {text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_answers_of_ours_are_read() {
        let read = |status: u16, body: &str| {
            read_answer(format!("HTTP/1.1 {status} OK\r\nserver: x\r\n\r\n{body}\n").as_bytes())
        };
        let done = EditAnswer::Done { files: 3 };
        assert_eq!(read(200, r#"{"edit":"done","files":3}"#), ParsedAnswer::Answer(done));
        assert_eq!(read(404, r#"{"edit":"unknown"}"#), ParsedAnswer::Answer(EditAnswer::Unknown));
        assert_eq!(read(500, "not taken in"), ParsedAnswer::Excuse("not taken in".into()));
        assert_eq!(read(403, "only `rekindle edit` may"), ParsedAnswer::Foreign);
        assert_eq!(read(200, "<!doctype html>"), ParsedAnswer::Foreign);
        assert_eq!(read_answer(b"\xff\r\n\r\n"), ParsedAnswer::Foreign);
        assert_eq!(read_answer(b""), ParsedAnswer::Foreign);
    }
}
