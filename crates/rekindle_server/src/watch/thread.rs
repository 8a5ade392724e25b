//! The watching thread: its state, and when it does what. The steps of one subject are in a file each.
//!
//! ```text
//! system ─► news.rs: which item, what happened ─► pending ─► burst: complete? ─► announce.rs: one batch for the loop
//! nothing comes ─► polling.rs: looks by itself                 places.rs: which folders are watched for whom
//! ```

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime};

use notify::event::{AccessKind, AccessMode};
use notify::{ErrorKind, EventKind};
use rustc_hash::{FxHashMap, FxHashSet};

use super::burst::{Burst, PAUSE, Verdict};
use super::install::Install;
use super::item::{Item, Kind};
use super::message::{Backend, Handler, Message, Report};
use super::pending::Pending;
use super::place::WatchLocation;
use super::repository;
use super::repository::{Repositories, Repository};
use super::snapshot::{CLOCK_TICK, Snapshot};
use crate::event::{Event, Inbox};
use rekindle_config::WatchConfig;

pub(super) mod announce;
mod news;
mod places;
mod polling;

/// Who waits for quiet is told after this long in any case.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How often all files of a burst are looked at until they are.
const UNFINISHED_PACE: Duration = Duration::from_millis(5);
/// Pace and cost of the round that looks for changes the system did not tell.
const ROUND_PACE: Duration = Duration::from_millis(2000);

/// What is known of a watched item.
#[derive(Debug, Default)]
struct Watched {
    place: WatchLocation,
    /// Metadata when it was last announced, or first watched.
    seen: Option<Snapshot>,
    /// A later write could hide behind the same metadata.
    racy: bool,
    /// Polling only: what a folder listed.
    names: Option<FxHashSet<OsString>>,
}

/// A folder that the system watches for us.
#[derive(Debug)]
struct FolderWatch {
    /// Spots and listings in this folder.
    users: usize,
    /// False after the folder went or moved, until somebody needs it again.
    live: bool,
    identity: Option<(u64, u64)>,
    /// The system refused, for a reason other than its limit.
    refused: bool,
}

/// The state of the thread.
///
/// An item is in `spots[s]` exactly when `s` is in its `place.spots`; likewise `listings`; `armed[f].users` counts both.
pub(super) struct WatchThread {
    inbox: Inbox,
    report: Report,
    mailbox: Sender<Message>,
    settle: Duration,
    interval: Duration,
    /// `None`: files are looked at in turn.
    backend: Option<Backend>,
    watched: FxHashMap<Item, Watched>,
    spots: BTreeMap<PathBuf, Vec<Item>>,
    listings: BTreeMap<PathBuf, Vec<Item>>,
    armed: BTreeMap<PathBuf, FolderWatch>,
    pending: FxHashMap<Arc<Path>, Pending>,
    burst: Burst,
    install: Install,
    repositories: Repositories,
    /// The repositories of the files in `pending`.
    concerned: Vec<Repository>,
    /// When paths that are not whole yet are looked at again.
    held_at: Option<Instant>,
    /// When to ask for a verdict again.
    verdict_at: Option<Instant>,
    /// Somebody makes an edit of many files, whose news come together at its end.
    is_held: bool,
    /// A `Tell` is on its way.
    is_telling: bool,
    /// Since when the loop waits for quiet, and the moment at which it will have been quiet for long enough.
    awaited: Option<(Instant, Instant)>,
    poll_at: Option<Instant>,
    round_at: Instant,
    round: Vec<Item>,
    /// What was found to have changed without news of it, and how it looked then.
    suspects: FxHashMap<Item, Option<Snapshot>>,
    judge_at: Option<Instant>,
    say_at: Option<(Instant, String)>,
}

impl WatchThread {
    pub(super) fn new(
        root: PathBuf,
        config: &WatchConfig,
        inbox: Inbox,
        report: Report,
        mailbox: Sender<Message>,
        backend: impl FnOnce(Handler) -> notify::Result<Backend>,
    ) -> Self {
        let mut thread = Self {
            inbox,
            report,
            mailbox: mailbox.clone(),
            settle: Duration::from_millis(config.settle.max(1)),
            interval: Duration::from_millis(config.interval.max(1)),
            backend: None,
            watched: FxHashMap::default(),
            spots: BTreeMap::new(),
            listings: BTreeMap::new(),
            armed: BTreeMap::new(),
            pending: FxHashMap::default(),
            burst: Burst::new(Duration::from_millis(config.settle.max(1))),
            install: Install::new(root),
            repositories: Repositories::default(),
            concerned: Vec::new(),
            held_at: None,
            verdict_at: None,
            is_held: false,
            is_telling: false,
            awaited: None,
            poll_at: None,
            round_at: Instant::now() + ROUND_PACE,
            round: Vec::new(),
            suspects: FxHashMap::default(),
            judge_at: None,
            say_at: None,
        };
        if config.poll {
            thread.poll_because("`watch.poll` is set");
            return thread;
        }
        match backend(Box::new(move |event| forward(&mailbox, event))) {
            Ok(backend) => thread.backend = Some(backend),
            Err(error) => thread.poll_because(limit(&error).unwrap_or("the system does not report file changes")),
        }
        thread
    }

    pub(super) fn run(mut self, messages: &Receiver<Message>) {
        loop {
            let wait = self.deadline().saturating_duration_since(Instant::now());
            match messages.recv_timeout(wait) {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
            }
            while self.flush_at().is_none_or(|at| at > Instant::now()) {
                match messages.try_recv() {
                    Ok(Message::Stop) => return,
                    Ok(message) => self.take(message),
                    Err(_) => break,
                }
            }
            self.act(Instant::now());
            if self.inbox.is_closed() {
                return;
            }
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::WatchFiles(files, since) => self.watch(Kind::File, files, since),
            Message::WatchFolders(folders) => self.watch(Kind::Folder, folders, SystemTime::now()),
            Message::UnwatchFiles(files) => files.into_iter().for_each(|path| self.unwatch_file(path)),
            Message::Noticed(at, event) => self.noticed(at, event),
            Message::Judge => self.judge(),
            Message::Hold => self.is_held = true,
            Message::Release => {
                self.is_held = false;
                self.tell_behind_all_events(true);
            }
            Message::Tell { released } => self.tell_all(released),
            // A further save puts the moment off; asking again does not.
            Message::AwaitQuiet => {
                let now = Instant::now();
                self.awaited.get_or_insert((now, now + PAUSE));
            }
            #[cfg(test)]
            Message::Done(done) => drop(done.send(())),
            Message::Stop => {}
        }
    }

    fn flush_at(&self) -> Option<Instant> {
        if self.is_held || self.is_telling {
            return None;
        }
        self.verdict_at.or_else(|| self.burst.due().into_iter().chain(self.held_at).min())
    }

    fn install_at(&self) -> Option<Instant> {
        self.install.due().filter(|_| !self.is_held && !self.is_telling)
    }

    fn deadline(&self) -> Instant {
        let quiet_at = self.awaited.map(|(_, at)| at);
        let say_at = self.say_at.as_ref().map(|(at, _)| *at);
        let others = [self.flush_at(), self.install_at(), self.poll_at, self.judge_at, say_at, quiet_at];
        others.into_iter().flatten().fold(self.round_at, Instant::min)
    }

    fn act(&mut self, now: Instant) {
        if self.flush_at().is_some_and(|at| at <= now) {
            self.decide(now);
        }
        if self.install_at().is_some_and(|at| at <= now) && self.install.is_over(now) {
            self.flush_install();
        }
        if self.poll_at.is_some_and(|at| at <= now) {
            self.poll();
        }
        if self.round_at <= now {
            self.look_round(now);
        }
        if self.judge_at.is_some_and(|at| at <= now) {
            self.prepare_judgement();
        }
        if self.say_at.as_ref().is_some_and(|(at, _)| *at <= now) {
            self.say(now);
        }
        if let Some((since, at)) = self.awaited
            && at <= now
        {
            self.tell_of_quiet(now, since);
        }
    }

    /// Asks whether the news that are there are complete.
    fn decide(&mut self, now: Instant) {
        self.verdict_at = None;
        match self.burst.verdict(now, repository::signs(self.concerned.iter())) {
            Verdict::Wait(until) => self.verdict_at = Some(until),
            Verdict::Single => self.flush(now),
            Verdict::Together => match self.unfinished(now) {
                Some(until) => self.verdict_at = Some(until.max(now + UNFINISHED_PACE)),
                None => self.flush_as_it_is(now, false),
            },
            // A lock is released when all changes are made. So those that the system has not told yet belong to them.
            Verdict::AsItIs => self.tell_behind_all_events(false),
        }
    }

    fn tell_behind_all_events(&mut self, released: bool) {
        self.is_telling = true;
        self.read_all_events();
        let _ = self.mailbox.send(Message::Tell { released });
    }

    fn tell_all(&mut self, released: bool) {
        self.is_telling = false;
        self.verdict_at = None;
        if released {
            self.look_everywhere();
        }
        if released || !self.is_held {
            self.flush_as_it_is(Instant::now(), released);
        }
    }

    /// Tells the loop that all is quiet; after a while in any case, since somebody may change files without a pause.
    fn tell_of_quiet(&mut self, now: Instant, since: Instant) {
        let is_busy = self.is_held || self.is_telling || self.burst.is_on() || self.held_at.is_some();
        if is_busy && now < since + LONGEST_WAIT {
            self.awaited = Some((since, now + PAUSE / 10));
            return;
        }
        self.awaited = None;
        let _ = self.inbox.send(Event::Quiet);
    }
}

impl Watched {
    fn saw(&mut self, look: Option<Snapshot>) {
        self.seen = look;
        self.racy = look.is_some_and(|look| look.age() < CLOCK_TICK);
    }
}

/// Runs on notify's thread. Every file that anybody opens in a watched folder makes an event; those stop here.
fn forward(mailbox: &Sender<Message>, event: notify::Result<notify::Event>) {
    if let Ok(event) = &event
        && let EventKind::Access(kind) = event.kind
        && kind != AccessKind::Close(AccessMode::Write)
    {
        return;
    }
    let _ = mailbox.send(Message::Noticed(Instant::now(), event));
}

/// The reason when the system has no more watches or files to give.
fn limit(error: &notify::Error) -> Option<&'static str> {
    const NO_SPACE: i32 = 28;
    const FILES_OF_PROCESS: i32 = 24;
    const FILES_OF_SYSTEM: i32 = 23;
    match &error.kind {
        ErrorKind::MaxFilesWatch => Some("the system's watch limit is reached"),
        ErrorKind::Io(error) if cfg!(unix) => match error.raw_os_error()? {
            NO_SPACE => Some("the system's watch limit is reached"),
            FILES_OF_PROCESS | FILES_OF_SYSTEM => Some("the system's limit of open files is reached"),
            _ => None,
        },
        _ => None,
    }
}
