//! A program that runs beside this one: lines go in, lines come out, and it is started again when it has ended.
//!
//! ```text
//! tell("…")  ──►  queue ──► stdin           a thread of its own writes, so nobody waits for a program that does not read
//! listener   ◄──  Line, Note                each line of stdout and of stderr
//! listener   ◄──  Ended { end, pause }      after all its lines; the next run begins after the pause
//! ```
//!
//! Dropping the value ends the program. If this process is killed, the program's stdin is closed.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use shared_child::SharedChild;

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A program that ran for so long was well, so the pauses before starting it again begin with the shortest one.
const HEALTHY: Duration = Duration::from_secs(10);
/// How long the last lines of a program that has ended are waited for: a process that it started may keep the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// What is started, and when.
pub struct Program {
    /// The name of its threads.
    pub name: &'static str,
    /// The program, and its arguments.
    pub command: Vec<OsString>,
    pub folder: PathBuf,
    pub start: Start,
}

/// When a program is started.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// At once, and again when it has ended, after pauses that grow. Lines that it has not read are for its next run.
    AtOnce,
    /// With the first line, and again with the first line after its end. What it has not read is lost when it ends.
    WithLine,
}

/// What a program says, and what becomes of it.
pub enum ChildEvent<'a> {
    /// A line that it wrote to stdout.
    Line(&'a str),
    /// A line that it wrote to stderr.
    Note(&'a str),
    /// It is not running any more. It is started again after `pause`.
    Ended { end: End, pause: Duration },
}

/// How a run of a program ended.
pub enum End {
    NotStarted(io::Error),
    Exited(io::Result<ExitStatus>),
}

/// A program that is kept running.
pub struct ChildProcess {
    keeper: Arc<Keeper>,
}

type Listener = Box<dyn Fn(ChildEvent<'_>) + Send + Sync>;

struct Keeper {
    program: Program,
    listener: Listener,
    state: Mutex<State>,
    /// The state has changed.
    changed: Condvar,
}

/// Invariant: `bytes` is the length of all lines in `queue`.
#[derive(Default)]
struct State {
    queue: VecDeque<String>,
    bytes: usize,
    /// The program, while it runs.
    child: Option<Arc<SharedChild>>,
    /// How often it was started; the threads of an earlier run end.
    run: u64,
    /// Threads that read what the present run writes.
    readers: usize,
    is_stopped: bool,
}

impl ChildProcess {
    /// Keeps `program` running. `listener` is called on threads of the program, one line after the other for each of its pipes.
    pub fn keep(program: Program, listener: impl Fn(ChildEvent<'_>) + Send + Sync + 'static) -> Self {
        let keeper = Arc::new(Keeper {
            program,
            listener: Box::new(listener),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let own = keeper.clone();
        std::thread::Builder::new()
            .name(keeper.program.name.to_owned())
            .spawn(move || own.keep())
            .expect("a process that starts can start one more thread");
        Self { keeper }
    }

    /// Passes a line on, which ends with a newline. Never waits.
    pub fn tell(&self, line: String) {
        let mut state = self.keeper.lock();
        state.bytes += line.len();
        state.queue.push_back(line);
        self.keeper.changed.notify_all();
    }

    /// How many lines wait for the program, and how many bytes they have.
    pub fn queued(&self) -> (usize, usize) {
        let state = self.keeper.lock();
        (state.queue.len(), state.bytes)
    }

    /// Ends this run of the program at once.
    pub fn restart(&self) {
        if let Some(child) = &self.keeper.lock().child {
            let _ = child.kill(); // It may have ended by itself.
        }
    }

    /// Closes the program's stdin, and ends it if it still runs after `farewell`. Returns when it has ended.
    pub fn stop(&self, farewell: Duration) {
        let mut state = self.keeper.lock();
        state.is_stopped = true;
        self.keeper.changed.notify_all();
        let deadline = Instant::now() + farewell;
        while let Some(child) = state.child.clone() {
            let Some(rest) = deadline.checked_duration_since(Instant::now()) else {
                drop(state);
                let _ = child.kill();
                return;
            };
            state = self.keeper.wait(state, Some(rest));
        }
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        self.stop(Duration::ZERO);
    }
}

impl Keeper {
    /// Runs the program again and again until it is stopped.
    fn keep(self: Arc<Self>) {
        let mut growing = FIRST_PAUSE;
        while self.is_wanted() {
            let began = Instant::now();
            let end = self.run().map_or_else(End::NotStarted, End::Exited);
            if began.elapsed() >= HEALTHY {
                growing = FIRST_PAUSE;
            }
            let pause = match self.program.start {
                Start::AtOnce => growing,
                Start::WithLine => Duration::ZERO,
            };
            growing = (growing * 2).min(LONGEST_PAUSE);
            if self.lock().is_stopped {
                return;
            }
            (self.listener)(ChildEvent::Ended { end, pause });
            let next = Instant::now() + pause;
            let mut state = self.lock();
            while let Some(rest) = next.checked_duration_since(Instant::now()).filter(|rest| !rest.is_zero())
                && !state.is_stopped
            {
                state = self.wait(state, Some(rest));
            }
        }
    }

    /// Waits until the program is to be started; false if it is stopped first.
    fn is_wanted(&self) -> bool {
        let mut state = self.lock();
        while !state.is_stopped && self.program.start == Start::WithLine && state.queue.is_empty() {
            state = self.wait(state, None);
        }
        !state.is_stopped
    }

    /// Runs the program once, and waits for its end.
    fn run(self: &Arc<Self>) -> io::Result<io::Result<ExitStatus>> {
        let started = self.start();
        let ended = started.map(|child| {
            let status = child.wait();
            let deadline = Instant::now() + LAST_WORDS;
            let mut state = self.lock();
            while state.readers > 0
                && let Some(rest) = deadline.checked_duration_since(Instant::now())
            {
                state = self.wait(state, Some(rest));
            }
            status
        });
        let mut state = self.lock();
        state.child = None;
        state.run += 1;
        if self.program.start == Start::WithLine {
            state.queue.clear();
            state.bytes = 0;
        }
        self.changed.notify_all();
        ended
    }

    /// Starts the program and the threads that write to it and read from it.
    fn start(self: &Arc<Self>) -> io::Result<Arc<SharedChild>> {
        let Some((program, arguments)) = self.program.command.split_first() else {
            return Err(ErrorKind::InvalidInput.into());
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.program.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Ctrl-C is for this process, which then ends the program in good order.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = Arc::new(SharedChild::spawn(&mut command)?);
        let pipes = (child.take_stdin(), child.take_stdout(), child.take_stderr());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(ErrorKind::BrokenPipe.into());
        };
        let mut state = self.lock();
        if state.is_stopped {
            let _ = child.kill();
        }
        state.child = Some(child.clone());
        state.readers = 2;
        let run = state.run;
        drop(state);
        self.spawn(move |keeper| keeper.write(run, stdin));
        self.spawn(move |keeper| keeper.read(run, stdout, |line| (keeper.listener)(ChildEvent::Line(line))));
        self.spawn(move |keeper| keeper.read(run, stderr, |line| (keeper.listener)(ChildEvent::Note(line))));
        Ok(child)
    }

    fn spawn(self: &Arc<Self>, work: impl FnOnce(&Self) + Send + 'static) {
        let keeper = self.clone();
        let builder = std::thread::Builder::new().name(self.program.name.to_owned());
        builder.spawn(move || work(&keeper)).expect("a process that starts can start one more thread");
    }

    /// Writes what is queued until the run ends, and closes the program's stdin then. A program that has closed its stdin itself is
    /// either ending or not interested.
    fn write(&self, run: u64, mut stdin: ChildStdin) {
        let mut state = self.lock();
        while state.run == run && !state.is_stopped {
            let Some(line) = state.queue.pop_front() else {
                state = self.wait(state, None);
                continue;
            };
            state.bytes -= line.len();
            drop(state);
            let _ = stdin.write_all(line.as_bytes());
            state = self.lock();
        }
    }

    fn read(&self, run: u64, pipe: impl Read, take: impl Fn(&str)) {
        let (mut pipe, mut line) = (BufReader::new(pipe), Vec::new());
        while pipe.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            take(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']));
            line.clear();
        }
        let mut state = self.lock();
        if state.run == run {
            state.readers -= 1;
            self.changed.notify_all();
        }
    }

    /// Waits until the state has changed or the time is over; it may return earlier.
    fn wait<'s>(&self, state: MutexGuard<'s, State>, longest: Option<Duration>) -> MutexGuard<'s, State> {
        match longest {
            None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(longest) => self.changed.wait_timeout(state, longest).unwrap_or_else(PoisonError::into_inner).0,
        }
    }

    /// A thread that panicked while it held the lock left nothing half done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
