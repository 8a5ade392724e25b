//! A process of Node that runs the project's own style tools: PostCSS, Tailwind, Less, Stylus, Sass.
//!
//! ```text
//! ask(job) ──► {"id":1,"tool":"postcss",…}   stdin        any compiling thread; it waits
//!          ◄── {"id":1,"ask":0,…}            stdout       what does this import mean?  answered by the same thread
//!          ◄── {"id":1,"css":"…",…}          stdout
//! ```
//!
//! It is started with the first job and again when it has ended. Its program is `worker.mjs`, in the binary.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::project::child_process::{ChildEvent, ChildProcess, End, Program, Start};

/// The file that an import means: language (`css`, `sass`, `less`), specifier, importing file.
pub(crate) type ResolveStyle<'a> = dyn Fn(&str, &str, &Path) -> Option<PathBuf> + 'a;

const PROGRAM: &str = include_str!("worker.mjs");
/// A plugin that hangs must not keep the server waiting for ever.
const PATIENCE: Duration = Duration::from_secs(60);
/// Lines of its stderr that are kept until somebody shows them.
const MOST_NOTES: usize = 200;

/// The worker, whether it runs or not. Dropping it ends the process.
pub(super) struct Worker {
    root: PathBuf,
    /// Made for the first job.
    process: OnceLock<ChildProcess>,
    numbers: AtomicU64,
    waiting: Arc<Mutex<PendingJobs>>,
    notes: Arc<Mutex<Vec<String>>>,
}

/// Who waits for which job. Senders are dropped when the process ends, which wakes those who wait.
type PendingJobs = FxHashMap<u64, Sender<Result<WorkerLine, Arc<io::Error>>>>;

/// One line from the worker.
#[derive(Deserialize)]
struct WorkerLine {
    id: u64,
    /// It wants to know what an import means.
    ask: Option<u64>,
    #[serde(default)]
    language: String,
    #[serde(default)]
    specifier: String,
    #[serde(default)]
    from: PathBuf,
    #[serde(flatten)]
    done: JobResult,
}

/// How a job went.
#[derive(Default, Deserialize)]
pub(super) struct JobResult {
    /// `None`: nothing in it for the tool, or an error.
    #[serde(default)]
    pub css: Option<String>,
    #[serde(default)]
    pub error: Option<ToolError>,
    #[serde(default)]
    pub files: Vec<PathBuf>,
    #[serde(default)]
    pub scans: Vec<ScannedFolder>,
    #[serde(default)]
    pub warnings: Vec<ToolError>,
}

/// What a tool complains about.
#[derive(Deserialize)]
pub(super) struct ToolError {
    pub message: String,
    #[serde(default)]
    pub file: Option<PathBuf>,
    #[serde(default)]
    pub line: Option<u32>,
    #[serde(default)]
    pub column: Option<u32>,
    #[serde(default)]
    pub plugin: Option<String>,
    /// A package that is not installed.
    #[serde(default)]
    pub missing: Option<String>,
    /// The import that found nothing, as it is written.
    #[serde(default)]
    pub rule: Option<String>,
}

/// Files below `base` that match are looked at for class names.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ScannedFolder {
    pub base: PathBuf,
    pub pattern: String,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum WorkerError {
    NoNode(Arc<io::Error>),
    Ended,
    TooSlow,
}

impl Worker {
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            process: OnceLock::new(),
            numbers: AtomicU64::new(0),
            waiting: Arc::default(),
            notes: Arc::default(),
        }
    }

    /// Runs a job and waits for it. `resolve` tells what an import means: language, specifier, importing file.
    pub fn ask(&self, mut job: Value, resolve: &ResolveStyle<'_>) -> Result<JobResult, WorkerError> {
        // Its end is noticed by the next job, which deserves a process that runs.
        match self.attempt(&mut job, resolve) {
            Err(WorkerError::Ended) => self.attempt(&mut job, resolve),
            result => result,
        }
    }

    fn attempt(&self, job: &mut Value, resolve: &ResolveStyle<'_>) -> Result<JobResult, WorkerError> {
        let process = self.process.get_or_init(|| self.start());
        let id = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = channel();
        lock(&self.waiting).insert(id, sender);
        job["id"] = id.into();
        let done = converse(process, id, job, &receiver, resolve);
        lock(&self.waiting).remove(&id);
        if let Err(WorkerError::TooSlow) = done {
            process.restart();
        }
        done
    }

    /// What tools and plugins have printed since the last call.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.notes))
    }

    fn start(&self) -> ChildProcess {
        let mut command: Vec<OsString> = ["node", "--input-type=module", "--eval", PROGRAM].map(OsString::from).into();
        command.push(self.root.clone().into());
        let program = Program { name: "style-worker", command, folder: self.root.clone(), start: Start::WithLine };
        let (waiting, notes) = (self.waiting.clone(), self.notes.clone());
        ChildProcess::keep(program, move |event| match event {
            ChildEvent::Line(line) => hear(line, &waiting),
            ChildEvent::Note(line) => note(line, &notes),
            ChildEvent::Ended { end, .. } => {
                let waiting = std::mem::take(&mut *lock(&waiting));
                if let End::NotStarted(error) = end {
                    let error = Arc::new(error);
                    waiting.into_values().for_each(|listener| drop(listener.send(Err(error.clone()))));
                }
            }
        })
    }
}

fn hear(line: &str, waiting: &Mutex<PendingJobs>) {
    let Ok(line) = serde_json::from_str::<WorkerLine>(line) else { return };
    if let Some(listener) = lock(waiting).get(&line.id) {
        let _ = listener.send(Ok(line)); // Who does not wait any more needs no answer.
    }
}

fn note(line: &str, notes: &Mutex<Vec<String>>) {
    let mut notes = lock(notes);
    if is_news(line) && notes.len() < MOST_NOTES && notes.last().is_none_or(|last| last != line) {
        notes.push(line.to_owned());
    }
}

/// Some plugins print the error that they also throw, with its stack: it is shown as a diagnostic.
fn is_news(line: &str) -> bool {
    let line = line.trim();
    let is_error = line.split_once(": ").is_some_and(|(kind, _)| kind.ends_with("Error") && !kind.contains(' '));
    !line.is_empty() && !line.starts_with("at ") && !is_error
}

/// Hands a job in and answers what the worker asks, until the job is done.
fn converse(
    process: &ChildProcess,
    id: u64,
    job: &Value,
    receiver: &Receiver<Result<WorkerLine, Arc<io::Error>>>,
    resolve: &ResolveStyle<'_>,
) -> Result<JobResult, WorkerError> {
    process.tell(format!("{job}\n"));
    loop {
        let line = receiver.recv_timeout(PATIENCE).map_err(|error| match error {
            RecvTimeoutError::Timeout => WorkerError::TooSlow,
            RecvTimeoutError::Disconnected => WorkerError::Ended,
        })?;
        let line = line.map_err(WorkerError::NoNode)?;
        let Some(ask) = line.ask else { return Ok(line.done) };
        let path = resolve(&line.language, &line.specifier, &line.from);
        process.tell(format!("{}\n", json!({ "id": id, "answer": ask, "path": path })));
    }
}

/// A thread that panicked while it held the lock left nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
