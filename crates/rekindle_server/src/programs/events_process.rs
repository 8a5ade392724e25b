//! The user's program that answers custom events: one JSON object a line, both ways.
//!
//! ```text
//! tab ── import.meta.hot.send('todo:add', 'milk') ──►  {"event":"todo:add","data":"milk","client":1}   stdin
//! tab ◄─ hot.on('todo:list', …) ─────────────────────  {"event":"todo:list","data":["milk"]}           stdout, to all tabs
//!                                                      {"event":"todo:ok","client":1}                  stdout, to one tab
//! ```
//!
//! It is started in the root and started again when it ends. What it writes to stderr goes to the terminal.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};

use crate::event::{Event, Inbox};
use crate::tabs::client::ClientId;

/// Events that wait for the program; the next ones are dropped.
const QUEUE: usize = 1024;
/// Bytes of them.
const QUEUE_BYTES: usize = 16 << 20;
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A program that ran for so long was well, so the pauses before starting it again begin with the shortest one.
const HEALTHY: Duration = Duration::from_secs(10);
/// How long the program may take to end after its stdin was closed.
const FAREWELL: Duration = Duration::from_millis(250);

/// Receives sentences for the terminal.
pub type Report = Arc<dyn Fn(String) + Send + Sync>;

/// The running program. It ends with this value: [`EventsProcess::stop`] waits for that, dropping does not.
pub struct EventsProcess {
    lines: mpsc::Sender<String>,
    /// Bytes of the lines that the program has not read.
    bytes: Arc<AtomicUsize>,
    is_full: AtomicBool,
    report: Report,
    /// Dropping this end stops the program.
    running: oneshot::Sender<()>,
    keeper: JoinHandle<()>,
}

/// A line that the program reads.
#[derive(Serialize)]
struct EventLine<'a> {
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Value>,
    client: u64,
}

/// A line that the program writes.
#[derive(Deserialize)]
struct ProgramLine {
    event: String,
    /// A missing `data` stays missing and `null` stays `null`.
    #[serde(default, deserialize_with = "present")]
    data: Option<Value>,
    #[serde(default)]
    client: Option<u64>,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl EventsProcess {
    /// Starts the program and keeps it running. Must be called within the runtime.
    pub fn start(command: Vec<String>, root: PathBuf, inbox: Inbox, report: Report) -> Self {
        let (lines, queue) = mpsc::channel(QUEUE);
        let bytes = Arc::<AtomicUsize>::default();
        let (running, stopped) = oneshot::channel();
        let keeper =
            Arc::new(Keeper { command, root, inbox, report: report.clone(), has_misspoken: AtomicBool::new(false) });
        let queue = Queue { lines: queue, bytes: bytes.clone() };
        Self {
            lines,
            bytes,
            is_full: AtomicBool::new(false),
            report,
            running,
            keeper: tokio::spawn(keeper.keep(queue, stopped)),
        }
    }

    /// Passes a custom event on. Never waits: when the program does not keep up, the event is dropped.
    pub fn tell(&self, event: &str, data: Option<&Value>, client: ClientId) {
        let told = EventLine { event, data, client: client.0 };
        let mut line = serde_json::to_string(&told).expect("strings and JSON values are written without failing");
        line.push('\n');
        let length = line.len();
        let is_full = self.bytes.fetch_add(length, Ordering::Relaxed) + length > QUEUE_BYTES
            || matches!(self.lines.try_send(line), Err(mpsc::error::TrySendError::Full(_)));
        if is_full {
            self.bytes.fetch_sub(length, Ordering::Relaxed);
        }
        if is_full && !self.is_full.swap(true, Ordering::Relaxed) {
            (self.report)(format!("the events process does not keep up; `{event}` and what follows it is dropped"));
        } else if !is_full {
            self.is_full.store(false, Ordering::Relaxed);
        }
    }

    /// Closes the program's stdin, and ends it if that is not enough.
    pub async fn stop(self) {
        drop(self.running);
        let _ = timeout(FAREWELL * 2, self.keeper).await;
    }
}

/// What the program has not read yet. Invariant: `bytes` is the length of all `lines`.
struct Queue {
    lines: mpsc::Receiver<String>,
    bytes: Arc<AtomicUsize>,
}

/// What keeps the program running.
struct Keeper {
    command: Vec<String>,
    root: PathBuf,
    inbox: Inbox,
    report: Report,
    has_misspoken: AtomicBool,
}

impl Keeper {
    async fn keep(self: Arc<Self>, mut queue: Queue, mut stopped: oneshot::Receiver<()>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let started = Instant::now();
            let Some(how) = self.run(&mut queue, &mut stopped).await else {
                return;
            };
            if started.elapsed() >= HEALTHY {
                pause = FIRST_PAUSE;
            }
            (self.report)(format!("the events process {how}; it is started again in {} ms", pause.as_millis()));
            tokio::select! {
                () = sleep(pause) => {}
                _ = &mut stopped => return,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Runs the program once. Says how it ended, or `None` when the server stopped.
    async fn run(self: &Arc<Self>, queue: &mut Queue, stopped: &mut oneshot::Receiver<()>) -> Option<String> {
        let mut child = match self.spawn() {
            Ok(child) => child,
            Err(error) => {
                return Some(format!("cannot be started (`{}`: {error})", self.command.join(" ")));
            }
        };
        let stdin = child.stdin.take()?;
        // Read in their own tasks, so that the last words of a program that just ended are heard as well.
        let keeper = self.clone();
        tokio::spawn(each_line(child.stdout.take()?, move |line| keeper.hear(line)));
        let keeper = self.clone();
        tokio::spawn(each_line(child.stderr.take()?, move |line| (keeper.report)(line.to_owned())));
        tokio::select! {
            status = child.wait() => return Some(status.map_or_else(|error| format!("is lost ({error})"), |status| format!("ended ({status})"))),
            _ = stopped => {}
            () = write_lines(stdin, queue) => {}
        }
        // Its stdin is closed now.
        if timeout(FAREWELL, child.wait()).await.is_err() {
            let _ = child.kill().await;
        }
        None
    }

    fn spawn(&self) -> std::io::Result<Child> {
        let Some((program, arguments)) = self.command.split_first() else {
            return Err(std::io::ErrorKind::InvalidInput.into());
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // Ctrl-C is for the server, which then ends the program in good order.
        #[cfg(unix)]
        command.process_group(0);
        command.spawn()
    }

    fn hear(&self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        match serde_json::from_str::<ProgramLine>(line) {
            Ok(ProgramLine { event, data, client }) => {
                let _ = self.inbox.send(Event::Send { event, data, to: client.map(ClientId) });
            }
            Err(error) if !self.has_misspoken.swap(true, Ordering::Relaxed) => {
                (self.report)(format!(
                    "the events process wrote a line that is not an event ({error}): {line}\nexpected {{\"event\": …, \"data\": …}}; use stderr for messages"
                ));
            }
            Err(_) => {}
        }
    }
}

/// Writes what is queued. A program that closed its stdin is either ending or not interested; its end is noticed elsewhere.
async fn write_lines(mut stdin: ChildStdin, queue: &mut Queue) {
    let mut is_open = true;
    while let Some(line) = queue.lines.recv().await {
        queue.bytes.fetch_sub(line.len(), Ordering::Relaxed);
        if is_open {
            is_open = stdin.write_all(line.as_bytes()).await.is_ok();
        }
    }
}

async fn each_line(pipe: impl AsyncRead + Unpin, mut take: impl FnMut(&str)) {
    let (mut pipe, mut line) = (BufReader::new(pipe), Vec::new());
    while pipe.read_until(b'\n', &mut line).await.is_ok_and(|count| count > 0) {
        take(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']));
        line.clear();
    }
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;

    struct Stage {
        process: EventsProcess,
        events: mpsc::UnboundedReceiver<Event>,
        reports: Arc<Mutex<Vec<String>>>,
        _root: tempfile::TempDir,
    }

    fn stage(script: &str) -> Stage {
        let root = tempfile::tempdir().unwrap();
        let (inbox, events) = mpsc::unbounded_channel();
        let reports = Arc::<Mutex<Vec<String>>>::default();
        let told = reports.clone();
        let report: Report = Arc::new(move |text| told.lock().unwrap().push(text));
        let command = vec!["sh".into(), "-c".into(), script.into()];
        Stage {
            process: EventsProcess::start(command, root.path().into(), inbox, report),
            events,
            reports,
            _root: root,
        }
    }

    impl Stage {
        async fn next(&mut self) -> (String, Option<Value>, Option<u64>) {
            match timeout(Duration::from_secs(5), self.events.recv()).await {
                Ok(Some(Event::Send { event, data, to })) => (event, data, to.map(|id| id.0)),
                other => panic!("{other:?}, reports {:?}", self.reports.lock().unwrap()),
            }
        }

        async fn reported(&self, part: &str) {
            for _ in 0..500 {
                if self.reports.lock().unwrap().iter().any(|text| text.contains(part)) {
                    return;
                }
                sleep(Duration::from_millis(10)).await;
            }
            panic!("no report of {part}: {:?}", self.reports.lock().unwrap());
        }
    }

    #[tokio::test]
    async fn events_go_both_ways_with_their_data_as_it_was() {
        let mut stage = stage("cat");
        stage.process.tell("a", None, ClientId(7));
        stage.process.tell("b", Some(&Value::Null), ClientId(8));
        stage.process.tell("c", Some(&json!({ "x": "line\nbreak" })), ClientId(9));
        assert_eq!(stage.next().await, ("a".into(), None, Some(7)));
        assert_eq!(stage.next().await, ("b".into(), Some(Value::Null), Some(8)));
        assert_eq!(stage.next().await, ("c".into(), Some(json!({ "x": "line\nbreak" })), Some(9)));
        stage.process.stop().await;
    }

    #[tokio::test]
    async fn without_a_client_an_event_is_for_all() {
        let mut stage = stage(r#"echo '{"event":"hello"}'; cat"#);
        assert_eq!(stage.next().await, ("hello".into(), None, None));
    }

    #[tokio::test]
    async fn a_program_that_ends_is_started_again() {
        let mut stage = stage(r#"echo '{"event":"up"}'; exit 3"#);
        stage.next().await;
        stage.next().await;
        stage.reported("ended (exit status: 3); it is started again in 200 ms").await;
    }

    #[tokio::test]
    async fn other_lines_are_reported_once_and_stderr_always() {
        let mut stage = stage(r#"echo nonsense; echo more; echo oops >&2; echo '{"event":"after"}'; cat"#);
        assert_eq!(stage.next().await.0, "after");
        stage.reported("nonsense").await;
        stage.reported("oops").await;
        assert!(!stage.reports.lock().unwrap().iter().any(|text| text.contains("more")));
    }

    #[tokio::test]
    async fn a_program_that_does_not_read_costs_nothing_but_its_events() {
        let stage = stage("sleep 60");
        let large = Value::from("x".repeat(1000));
        for _ in 0..5000 {
            stage.process.tell("a", Some(&large), ClientId(1));
        }
        stage.reported("does not keep up").await;
        let huge = Value::from("x".repeat(1 << 20));
        for _ in 0..100 {
            stage.process.tell("a", Some(&huge), ClientId(1));
        }
        assert!(stage.process.bytes.load(Ordering::Relaxed) <= QUEUE_BYTES);
        let start = Instant::now();
        stage.process.stop().await;
        assert!(start.elapsed() < Duration::from_secs(2));
    }
}
