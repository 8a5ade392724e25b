//! A process of Node that runs the project's own style tools: PostCSS, Tailwind, Less, Stylus, Sass.
//!
//! ```text
//! ask(job) ──► {"id":1,"tool":"postcss",…}   stdin        any compiling thread; it waits
//!          ◄── {"id":1,"ask":0,…}            stdout       what does this import mean?  answered by the same thread
//!          ◄── {"id":1,"css":"…",…}          stdout
//! ```
//!
//! It is started with the first job and again when it has ended. Its program is `worker.mjs`, in the binary.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustc_hash::FxHashMap;
use serde::Deserialize;
use serde_json::{Value, json};

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
    running: Mutex<Option<Arc<Running>>>,
    numbers: AtomicU64,
    notes: Arc<Mutex<Vec<String>>>,
}

struct Running {
    child: Mutex<Child>,
    stdin: Mutex<ChildStdin>,
    waiting: Arc<Mutex<Waiting>>,
}

/// Who waits for which job; `None` once the process has ended.
type Waiting = Option<FxHashMap<u64, Sender<Said>>>;

/// One line from the worker.
#[derive(Deserialize)]
struct Said {
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
    done: Done,
}

/// How a job went.
#[derive(Default, Deserialize)]
pub(super) struct Done {
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
    NoNode(std::io::Error),
    Ended,
    TooSlow,
}

impl Worker {
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), running: Mutex::new(None), numbers: AtomicU64::new(0), notes: Arc::default() }
    }

    /// Runs a job and waits for it. `resolve` tells what an import means: language, specifier, importing file.
    pub fn ask(&self, mut job: Value, resolve: &ResolveStyle<'_>) -> Result<Done, WorkerError> {
        // Its end is noticed by the next job, which deserves a process that runs.
        match self.attempt(&mut job, resolve) {
            Err(WorkerError::Ended) => self.attempt(&mut job, resolve),
            result => result,
        }
    }

    fn attempt(&self, job: &mut Value, resolve: &ResolveStyle<'_>) -> Result<Done, WorkerError> {
        let running = self.running()?;
        let id = self.numbers.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = channel();
        match lock(&running.waiting).as_mut() {
            Some(waiting) => drop(waiting.insert(id, sender)),
            None => return Err(WorkerError::Ended),
        }
        job["id"] = id.into();
        let done = running.converse(id, job, &receiver, resolve);
        if let Some(waiting) = lock(&running.waiting).as_mut() {
            waiting.remove(&id);
        }
        if let Err(WorkerError::TooSlow) = done {
            running.end();
        }
        done
    }

    /// What tools and plugins have printed since the last call.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.notes))
    }

    fn running(&self) -> Result<Arc<Running>, WorkerError> {
        let mut running = lock(&self.running);
        if let Some(known) = &*running
            && lock(&known.waiting).is_some()
        {
            return Ok(Arc::clone(known));
        }
        let started = Arc::new(self.start().map_err(WorkerError::NoNode)?);
        *running = Some(Arc::clone(&started));
        Ok(started)
    }

    fn start(&self) -> std::io::Result<Running> {
        let mut command = Command::new("node");
        command
            .args(["--input-type=module", "--eval", PROGRAM])
            .arg(&self.root)
            .current_dir(&self.root)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Ctrl-C is for the server.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        };
        let waiting = Arc::new(Mutex::new(Some(FxHashMap::default())));
        let listeners = Arc::clone(&waiting);
        spawn("style-worker", move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                hear(&line, &listeners);
            }
            // Dropping the senders wakes those who wait.
            *lock(&listeners) = None;
        })?;
        let notes = Arc::clone(&self.notes);
        spawn("style-worker-notes", move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut notes = lock(&notes);
                if is_news(&line) && notes.len() < MOST_NOTES && notes.last() != Some(&line) {
                    notes.push(line);
                }
            }
        })?;
        Ok(Running { child: Mutex::new(child), stdin: Mutex::new(stdin), waiting })
    }
}

fn hear(line: &str, waiting: &Mutex<Waiting>) {
    let Ok(said) = serde_json::from_str::<Said>(line) else { return };
    if let Some(listener) = lock(waiting).as_ref().and_then(|waiting| waiting.get(&said.id)) {
        let _ = listener.send(said); // Who does not wait any more needs no answer.
    }
}

/// Some plugins print the error that they also throw, with its stack: it is shown as a diagnostic.
fn is_news(line: &str) -> bool {
    let line = line.trim();
    let is_error = line.split_once(": ").is_some_and(|(kind, _)| kind.ends_with("Error") && !kind.contains(' '));
    !line.is_empty() && !line.starts_with("at ") && !is_error
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
}

impl Running {
    fn converse(
        &self,
        id: u64,
        job: &Value,
        receiver: &Receiver<Said>,
        resolve: &ResolveStyle<'_>,
    ) -> Result<Done, WorkerError> {
        self.write(job)?;
        loop {
            let said = receiver.recv_timeout(PATIENCE).map_err(|error| match error {
                RecvTimeoutError::Timeout => WorkerError::TooSlow,
                RecvTimeoutError::Disconnected => WorkerError::Ended,
            })?;
            let Some(ask) = said.ask else { return Ok(said.done) };
            let path = resolve(&said.language, &said.specifier, &said.from);
            self.write(&json!({ "id": id, "answer": ask, "path": path }))?;
        }
    }

    fn write(&self, message: &Value) -> Result<(), WorkerError> {
        let mut line = message.to_string();
        line.push('\n');
        lock(&self.stdin).write_all(line.as_bytes()).map_err(|_| WorkerError::Ended)
    }

    fn end(&self) {
        let mut child = lock(&self.child);
        let _ = child.kill(); // It may have ended by itself.
        let _ = child.wait();
        *lock(&self.waiting) = None;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// A thread that panicked while it held the lock left nothing half done here.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
