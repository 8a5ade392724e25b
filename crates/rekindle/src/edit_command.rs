//! `rekindle edit`: whatever a command does to the project becomes one update of its running servers.
//!
//! ```text
//! rekindle edit -- npx prettier --write src     begin ─► the command, the lease renewed meanwhile ─► commit
//! id=$(rekindle edit begin); …; rekindle edit commit "$id"
//! ```
//!
//! The command's input, output and exit code are its own; what is said here goes to stderr. Without a server the command runs
//! all the same.

use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, ExitStatus};
use std::time::Duration;

use rekindle::flags::{DevFlags, EditFlags, EditStep};
use rekindle::settings;
use rekindle_server::control::{self, Control};
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
const NOT_RUN: i32 = 126;
/// What shells add to the number of a signal that ended a command.
#[cfg(unix)]
const SIGNALLED: i32 = 128;

pub fn run(flags: &EditFlags) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return crate::fail(&format!("cannot start: {error}")),
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
enum Outcome {
    Answer(EditAnswer),
    /// Nobody listens there any more.
    Gone,
    /// Somebody else does, or the request failed: why.
    Failed(String),
}

async fn begin(root: Option<&Path>, lease: Duration) -> ExitCode {
    let id = Token::fresh();
    if begin_all(root, id.as_str(), lease).await.is_empty() {
        say(&format!("{}; files are taken in as they are saved, whenever there is one", no_server(root)));
    }
    // A script takes the name from here; without a server `commit` has nothing to do.
    match writeln!(std::io::stdout(), "{}", id.as_str()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => crate::fail(&format!("cannot write to stdout: {error}")),
    }
}

async fn commit(root: Option<&Path>, id: &str) -> ExitCode {
    let servers = find(root);
    let (mut is_done, mut is_any) = (false, false);
    for server in &servers {
        match server.ask(&format!("do=commit&id={id}")).await {
            Outcome::Answer(EditAnswer::Unknown) => is_any = true,
            Outcome::Answer(answer) => {
                is_done = true;
                say(&sentence(answer));
            }
            Outcome::Gone => {}
            Outcome::Failed(why) => {
                is_any = true;
                say(&why);
            }
        }
    }
    if !is_any && !is_done {
        say(&no_server(root));
        return ExitCode::SUCCESS;
    }
    if is_done {
        return ExitCode::SUCCESS;
    }
    crate::fail(&format!(
        "no server knows the edit {id}: it was committed before, its lease ran out, or the server started anew; its files were taken in then"
    ))
}

/// Gives the exit code.
async fn run_command(root: Option<&Path>, lease: Duration, command: &[OsString]) -> i32 {
    let id = Token::fresh();
    let servers = begin_all(root, id.as_str(), lease).await;
    if servers.is_empty() {
        say(&format!("{}; the command is run all the same", no_server(root)));
    }
    let code = match spawn(command) {
        Ok(child) => code_of(attend(child, &servers, id.as_str(), lease).await),
        Err((code, message)) => {
            say(&message);
            code
        }
    };
    for server in &servers {
        match server.ask(&format!("do=commit&id={}", id.as_str())).await {
            Outcome::Answer(answer) => say(&sentence(answer)),
            Outcome::Gone => say("the server ended meanwhile"),
            Outcome::Failed(why) => say(&why),
        }
    }
    code
}

fn spawn(command: &[OsString]) -> Result<Child, (i32, String)> {
    let Some((program, arguments)) = command.split_first() else {
        return Err((NOT_FOUND, "there is no command behind `--`".to_owned()));
    };
    Command::new(program).args(arguments).spawn().map_err(|error| {
        let code = if error.kind() == std::io::ErrorKind::NotFound { NOT_FOUND } else { NOT_RUN };
        (code, format!("cannot run {}: {error}", program.to_string_lossy()))
    })
}

/// Waits for the command, renews the lease meanwhile, and passes on what asks it to end.
async fn attend(mut child: Child, servers: &[Server], id: &str, lease: Duration) -> std::io::Result<ExitStatus> {
    let mut signals = Signals::listen();
    let mut renewals = tokio::time::interval(lease / 3);
    renewals.tick().await; // The first is at once.
    loop {
        tokio::select! {
            status = child.wait() => return status,
            signal = signals.next() => signal.pass_on(&child),
            _ = renewals.tick() => {
                for server in servers {
                    // One that is gone is noticed at the end.
                    let _ = timeout(lease / 3, server.ask(&format!("do=renew&id={id}"))).await;
                }
            }
        }
    }
}

fn code_of(status: std::io::Result<ExitStatus>) -> i32 {
    match status {
        Ok(status) => {
            #[cfg(unix)]
            if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
                return SIGNALLED + signal;
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

/// Announces an edit to all servers of the project; gives those that wait for its end.
async fn begin_all(root: Option<&Path>, id: &str, lease: Duration) -> Vec<Server> {
    let mut begun = Vec::new();
    for server in find(root) {
        match server.ask(&format!("do=begin&id={id}&lease={}", lease.as_millis())).await {
            Outcome::Answer(EditAnswer::Open) => begun.push(server),
            Outcome::Answer(_) => say("too many edits are under way; this one is taken in as its files are saved"),
            // It was killed, and could not remove its file.
            Outcome::Gone => _ = std::fs::remove_file(&server.file),
            Outcome::Failed(why) => say(&why),
        }
    }
    begun
}

/// Servers of the project at `root`, or of the nearest project around the current folder that has one.
fn find(root: Option<&Path>) -> Vec<Server> {
    let here = std::env::current_dir().unwrap_or_default();
    match root {
        Some(root) => find_at(&here.join(root)),
        None => here.ancestors().map(find_at).find(|servers| !servers.is_empty()).unwrap_or_default(),
    }
}

/// A server keeps its file in its cache folder, which depends on the settings and on what was installed when it started.
fn find_at(root: &Path) -> Vec<Server> {
    let mut folders = vec![root.join("node_modules/.rekindle"), root.join(".rekindle")];
    if root.join("rekindle.toml").is_file() {
        let flags = DevFlags { root: Some(root.to_owned()), ..DevFlags::default() };
        folders.extend(settings::read(&flags).ok().map(|settings| settings.config.cache_dir));
    }
    let mut servers: Vec<Server> = Vec::new();
    for folder in folders {
        for (file, control) in control::find(&folder).unwrap_or_default() {
            if servers.iter().all(|known| known.control != control) {
                servers.push(Server { file, control });
            }
        }
    }
    servers
}

impl Server {
    async fn ask(&self, query: &str) -> Outcome {
        match timeout(PATIENCE, self.exchange(query)).await {
            Ok(Ok(answer)) => read_answer(&answer).map_or_else(
                || Outcome::Failed(format!("{} is no server of this project any more", self.control.address)),
                Outcome::Answer,
            ),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionRefused => Outcome::Gone,
            Ok(Err(error)) => {
                Outcome::Failed(format!("the server at {} does not answer: {error}", self.control.address))
            }
            Err(_) => Outcome::Failed(format!("the server at {} does not answer", self.control.address)),
        }
    }

    async fn exchange(&self, query: &str) -> std::io::Result<Vec<u8>> {
        const LONGEST: u64 = 64 * 1024;
        let Control { address, path, token } = &self.control;
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

/// The body of an answer, if it is one of ours.
fn read_answer(answer: &[u8]) -> Option<EditAnswer> {
    let text = std::str::from_utf8(answer).ok()?;
    let (_, body) = text.split_once("\r\n\r\n")?;
    serde_json::from_str(body.trim()).ok()
}

fn sentence(answer: EditAnswer) -> String {
    match answer {
        EditAnswer::Done { files: 0 } => "no file of a page is another one now".to_owned(),
        EditAnswer::Done { files: 1 } => "one update with 1 file".to_owned(),
        EditAnswer::Done { files } => format!("one update with {files} files"),
        EditAnswer::Shared { others: 1 } => "the update goes out when another edit ends that is under way".to_owned(),
        EditAnswer::Shared { others } => {
            format!("the update goes out when the last of {others} other edits ends that are under way")
        }
        EditAnswer::Open | EditAnswer::Unknown | EditAnswer::Full => {
            "the server does not know the edit: it started anew meanwhile, or the lease ran out".to_owned()
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
        let read = |body: &str| read_answer(format!("HTTP/1.1 200 OK\r\nserver: x\r\n\r\n{body}\n").as_bytes());
        assert_eq!(read(r#"{"edit":"done","files":3}"#), Some(EditAnswer::Done { files: 3 }));
        assert_eq!(read(r#"{"edit":"unknown"}"#), Some(EditAnswer::Unknown));
        assert_eq!(read("<!doctype html>"), None);
        assert_eq!(read_answer(b"\xff\r\n\r\n"), None);
    }
}
