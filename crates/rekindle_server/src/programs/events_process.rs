//! The user's program that answers custom events: one JSON object a line, both ways.
//!
//! ```text
//! tab ── import.meta.hot.send('todo:add', 'milk') ──►  {"event":"todo:add","data":"milk","client":1}   stdin
//! tab ◄─ hot.on('todo:list', …) ─────────────────────  {"event":"todo:list","data":["milk"]}           stdout, to all tabs
//!                                                      {"event":"todo:ok","client":1}                  stdout, to one tab
//! ```
//!
//! It is started in the root and started again when it ends. What it writes to stderr goes to the terminal.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rekindle_compile::project::child_process::{ChildEvent, ChildProcess, End, Program, Start};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{Event, Inbox};
use crate::tabs::client::ClientId;

/// Events that wait for the program; the next ones are dropped.
const QUEUE: usize = 1024;
/// Bytes of them.
const QUEUE_BYTES: usize = 16 << 20;
/// How long the program may take to end after its stdin was closed.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(250);

/// Receives sentences for the terminal.
pub type Report = Arc<dyn Fn(String) + Send + Sync>;

/// The running program. It ends with this value; [`EventsProcess::stop`] lets it end by itself.
pub struct EventsProcess {
    child: ChildProcess,
    is_full: AtomicBool,
    report: Report,
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
    /// Starts the program and keeps it running.
    pub fn start(command: Vec<String>, root: PathBuf, inbox: Inbox, report: Report) -> Self {
        let shown = command.join(" ");
        let program = Program {
            name: "events-process",
            command: command.into_iter().map(OsString::from).collect(),
            folder: root,
            start: Start::AtOnce,
        };
        let (told, has_misspoken) = (report.clone(), AtomicBool::new(false));
        let child = ChildProcess::keep(program, move |event| match event {
            ChildEvent::Line(line) => hear(line, &inbox, &told, &has_misspoken),
            ChildEvent::Note(line) => told(line.to_owned()),
            ChildEvent::Ended { end, pause } => {
                let how = match end {
                    End::NotStarted(error) => format!("cannot be started (`{shown}`: {error})"),
                    End::Exited(Ok(status)) => format!("ended ({status})"),
                    End::Exited(Err(error)) => format!("is lost ({error})"),
                };
                told(format!("the events process {how}; it is started again in {} ms", pause.as_millis()));
            }
        });
        Self { child, is_full: AtomicBool::new(false), report }
    }

    /// Passes a custom event on. Never waits: when the program does not keep up, the event is dropped.
    pub fn tell(&self, event: &str, data: Option<&Value>, client: ClientId) {
        let told = EventLine { event, data, client: client.0 };
        let mut line = serde_json::to_string(&told).expect("strings and JSON values are written without failing");
        line.push('\n');
        let (lines, bytes) = self.child.queued();
        let is_full = lines >= QUEUE || bytes + line.len() > QUEUE_BYTES;
        let was_full = self.is_full.swap(is_full, Ordering::Relaxed);
        if !is_full {
            self.child.tell(line);
        } else if !was_full {
            (self.report)(format!("the events process does not keep up; `{event}` and what follows it is dropped"));
        }
    }

    /// Closes the program's stdin, and ends it if that is not enough.
    pub async fn stop(self) {
        let stop = tokio::task::spawn_blocking(move || self.child.stop(CLOSE_TIMEOUT));
        let _ = stop.await; // It does not panic.
    }
}

/// Takes a line that the program wrote to stdout.
fn hear(line: &str, inbox: &Inbox, report: &Report, has_misspoken: &AtomicBool) {
    if line.trim().is_empty() {
        return;
    }
    match serde_json::from_str::<ProgramLine>(line) {
        Ok(ProgramLine { event, data, client }) => {
            let _ = inbox.send(Event::Send { event, data, to: client.map(ClientId) });
        }
        Err(error) if !has_misspoken.swap(true, Ordering::Relaxed) => {
            report(format!(
                "the events process wrote a line that is not an event ({error}): {line}\nexpected {{\"event\": …, \"data\": …}}; use stderr for messages"
            ));
        }
        Err(_) => {}
    }
}

#[cfg(all(test, unix))]
#[expect(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;
    use tokio::sync::mpsc;
    use tokio::time::{Instant, sleep, timeout};

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
        assert!(stage.process.child.queued().1 <= QUEUE_BYTES);
        let start = Instant::now();
        stage.process.stop().await;
        assert!(start.elapsed() < Duration::from_secs(2));
    }
}
