//! Watches the files the graph is made of and tells the loop which of them changed.
//!
//! ```text
//! editor: truncate a.ts, write, close        ──►  one batch: paths [a.ts]
//! editor: write a.ts~, rename it to a.ts     ──►  one batch: paths [a.ts]
//! git switch: 5,000 files in 300 ms          ──►  one batch, when git lets go of its lock (`burst.rs`)
//! mv src/d src/e, mv src/e src/d             ──►  batches with every watched file of src/d
//! npm install: packages go and come          ──►  one batch, when that is over (`install.rs`)
//! ```
//!
//! Folders that hold watched files are watched, never recursively, by real path: a watch on the file itself would
//! follow the old inode when an editor saves by renaming, and a recursive one would walk `node_modules`.
//!
//! It may say too much, never too little: the loop compares contents, so an announcement without a change costs one
//! read, and a change without an announcement leaves old code on the page. Hence every doubt (a file touched just
//! before its watch was armed, an overflow of the system's queue, a folder that moved) ends as an announcement, and a
//! slow round over the metadata of all files looks for what the system did not tell.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RemoveKind, RenameMode};
use notify::{ErrorKind, EventKind, RecursiveMode};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::config::WatchConfig;
use crate::event::{Event, FileBatch, Inbox};

mod burst;
mod install;
mod repository;

use burst::{Burst, PAUSE, Verdict};
use install::Install;
use repository::{Repositories, Repository};

/// Who waits for quiet is told after this long in any case.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Editors save by removing or renaming away and writing anew; only what stays away this long is gone.
const VANISHED: Duration = Duration::from_millis(30);
/// Most writers truncate first; an empty or half-written file gets this long to become whole.
const UNFINISHED: Duration = Duration::from_millis(60);
/// How often all files of a burst are looked at until they are.
const UNFINISHED_PACE: Duration = Duration::from_millis(5);
/// A file that changed this shortly before the loop read it, at the earliest, may have changed after that.
const JUST_NOW: Duration = Duration::from_millis(1000);
/// Two writes within one tick of the file system's clock carry the same time.
const CLOCK_TICK: Duration = Duration::from_millis(20);
/// Pace and cost of the round that looks for changes the system did not tell.
const ROUND_PACE: Duration = Duration::from_millis(2000);
const ROUND_LOOKS: usize = 2000;
/// How long an event may lag behind its change before the system is said to stay silent.
const EVENT_LAG: Duration = Duration::from_millis(1000);
/// When files are looked at in turn, at most a fifth of the time is spent on it.
const POLL_SHARE: u32 = 4;
/// The line about polling waits for the crawl, so that its number of files is a useful one.
const CRAWL: Duration = Duration::from_millis(500);
/// Files of a folder that appeared are announced one by one up to this many.
const RESCAN_LIMIT: usize = 10_000;
/// Whether the system tells that a writer has closed its file.
const TELLS_CLOSE: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// A handle on the watching thread; dropping it ends the thread. Every method returns at once.
pub struct Watcher {
    mailbox: Sender<Message>,
}

enum Message {
    /// Files that were read after a time.
    WatchFiles(Vec<PathBuf>, SystemTime),
    WatchFolders(Vec<PathBuf>),
    UnwatchFiles(Vec<PathBuf>),
    /// From notify's thread and stamped there: the latency that the user reads begins here.
    Noticed(Instant, notify::Result<notify::Event>),
    /// Sent to oneself behind all events that are on their way: what they did not explain was not told.
    Judge,
    /// Keep all news until `Release`.
    Hold,
    /// Tell all news, with what a look at every file finds.
    Release,
    /// Sent to oneself like `Judge`: all that was done before is in the mailbox no more.
    Tell {
        released: bool,
    },
    /// Say when nothing more comes.
    AwaitQuiet,
    /// Everything sent before has been done.
    #[cfg(test)]
    Done(Sender<()>),
    Stop,
}

type Backend = Box<dyn notify::Watcher + Send>;
type Handler = Box<dyn Fn(notify::Result<notify::Event>) + Send>;
type Report = Arc<dyn Fn(String) + Send + Sync>;

impl Watcher {
    /// Starts the thread for the project in `root`. Never fails: where the system gives no events, the files are looked at
    /// in turn and `report` says so in one line.
    pub fn start(
        root: PathBuf,
        config: &WatchConfig,
        inbox: Inbox,
        report: Arc<dyn Fn(String) + Send + Sync>,
    ) -> Watcher {
        Self::start_with(root, config, inbox, report, |handler| Ok(Box::new(notify::recommended_watcher(handler)?)))
    }

    fn start_with(
        root: PathBuf,
        config: &WatchConfig,
        inbox: Inbox,
        report: Report,
        backend: impl FnOnce(Handler) -> notify::Result<Backend> + Send + 'static,
    ) -> Watcher {
        let (mailbox, messages) = channel();
        let config = config.clone();
        let own_mailbox = mailbox.clone();
        std::thread::Builder::new()
            .name("rekindle-watch".into())
            .spawn(move || Desk::new(root, &config, inbox, report, own_mailbox, backend).run(&messages))
            .expect("a process that starts can start one more thread");
        Watcher { mailbox }
    }

    /// Watches files whose content matters. A file that does not exist is announced when it appears. Names in a batch
    /// are the ones given here, whatever links they pass through. Naming a file again costs nothing.
    ///
    /// Read first, watch afterwards, within a second: a file that changed during the last second before this call
    /// is announced once, in case the reader saw the text before.
    pub fn watch_files(&self, files: impl IntoIterator<Item = PathBuf>) {
        self.watch_files_read_since(files, SystemTime::now());
    }

    /// The same for files that were read at some time after `since`, which may be longer ago.
    pub fn watch_files_read_since(&self, files: impl IntoIterator<Item = PathBuf>, since: SystemTime) {
        let files: Vec<PathBuf> = files.into_iter().collect();
        if !files.is_empty() {
            self.send(Message::WatchFiles(files, since));
        }
    }

    /// Watches folders whose listing matters: where an import was not found, what a glob or `public/` lists. What is
    /// created, removed or renamed inside makes a batch, with the folder in `folders`. Subfolders are not included: one
    /// that appears is announced in `folders` together with the files inside it; whoever cares for the whole tree lists it
    /// again then and watches what it finds. A folder that does not exist is announced when it appears.
    pub fn watch_folders(&self, folders: impl IntoIterator<Item = PathBuf>) {
        let folders: Vec<PathBuf> = folders.into_iter().collect();
        if !folders.is_empty() {
            self.send(Message::WatchFolders(folders));
        }
    }

    pub fn unwatch_files(&self, files: impl IntoIterator<Item = PathBuf>) {
        self.send(Message::UnwatchFiles(files.into_iter().collect()));
    }

    /// Keeps news back until [`Watcher::release`].
    pub fn hold(&self) {
        self.send(Message::Hold);
    }

    /// Ends [`Watcher::hold`]: all that happened before this call comes in one batch, with `released` set. There is one
    /// also when nothing happened.
    pub fn release(&self) {
        self.send(Message::Release);
    }

    /// Asks for [`Event::Quiet`] once no file has changed for a moment and no burst is under way.
    pub fn await_quiet(&self) {
        self.send(Message::AwaitQuiet);
    }

    /// A watcher without a thread: it only takes down what it is asked to watch. For tests that say themselves what changed.
    pub(crate) fn taking_notes() -> (Watcher, Notes) {
        let (mailbox, messages) = channel();
        (Watcher { mailbox }, Notes { messages, files: FxHashSet::default(), folders: FxHashSet::default() })
    }

    fn send(&self, message: Message) {
        // The thread ends before its handle only when the loop is gone; nobody is left to be told.
        let _ = self.mailbox.send(message);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.send(Message::Stop);
    }
}

/// What a watcher without a thread was asked to watch.
pub(crate) struct Notes {
    messages: Receiver<Message>,
    files: FxHashSet<PathBuf>,
    folders: FxHashSet<PathBuf>,
}

impl Notes {
    /// The batch that a real watcher would make of files that were written, and of files and folders that appeared or
    /// vanished. None if it would have noticed nothing.
    pub fn batch(&mut self, written: &[PathBuf], listed: &[PathBuf]) -> Option<FileBatch> {
        while let Ok(message) = self.messages.try_recv() {
            match message {
                Message::WatchFiles(files, _) => self.files.extend(files),
                Message::WatchFolders(folders) => self.folders.extend(folders),
                Message::UnwatchFiles(files) => files.iter().for_each(|file| _ = self.files.remove(file)),
                _ => {}
            }
        }
        let mut batch = FileBatch::default();
        batch.paths.extend(written.iter().filter(|path| self.files.contains(*path)).cloned());
        for path in listed {
            let lister = path.parent().filter(|folder| self.folders.contains(*folder));
            let is_file = !path.is_dir() && !self.folders.contains(path);
            match is_file {
                true if self.files.contains(path) || lister.is_some() => batch.paths.push(path.clone()),
                true => {}
                // Whatever is watched in a folder comes and goes with it.
                false => {
                    batch.paths.extend(self.files.iter().filter(|file| file.starts_with(path)).cloned());
                    if lister.is_some() || self.folders.contains(path) {
                        batch.folders.push(path.clone());
                    }
                }
            }
            batch.folders.extend(lister.map(Path::to_owned));
        }
        for paths in [&mut batch.paths, &mut batch.folders] {
            paths.sort_unstable();
            paths.dedup();
        }
        (!batch.paths.is_empty() || !batch.folders.is_empty()).then_some(batch)
    }
}

/// What was asked for: a file's content or a folder's listing, by the name the loop uses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Item {
    kind: Kind,
    path: Arc<Path>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    File,
    Folder,
}

#[derive(Debug, Default)]
struct Watched {
    place: Resolved,
    /// Metadata when it was last announced, or first watched.
    seen: Option<Snapshot>,
    /// A later write could hide behind the same metadata.
    racy: bool,
    /// Polling only: what a folder listed.
    names: Option<FxHashSet<OsString>>,
}

/// Where events about an item show up. Real paths, since that is how the system names things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Resolved {
    /// The file; for a symbolic link also its target; for what is missing the first missing folder on the way.
    spots: Vec<PathBuf>,
    /// For a folder that exists: the folder.
    listing: Option<PathBuf>,
    /// A new listing at a spot may lead elsewhere: links, and stand-ins for what is missing.
    moves: bool,
}

impl Resolved {
    fn folders(&self) -> impl Iterator<Item = &Path> {
        self.spots.iter().filter_map(|spot| spot.parent()).chain(self.listing.as_deref())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Snapshot {
    modified: Option<SystemTime>,
    size: u64,
    identity: (u64, u64),
    folder: bool,
}

#[derive(Debug)]
struct Armed {
    /// Spots and listings in this folder.
    users: usize,
    /// False after the folder went or moved, until somebody needs it again.
    live: bool,
    identity: Option<(u64, u64)>,
    /// The system refused, for a reason other than its limit.
    refused: bool,
}

/// A path with news that the loop has not been told.
#[derive(Debug)]
struct Pending {
    noticed: Instant,
    /// There is news since the last look.
    active: bool,
    /// Otherwise: when to look again.
    again: Instant,
    /// Somebody has written and not closed.
    open: bool,
    /// It was created or renamed to; a folder is rescanned then.
    appeared: bool,
    folder: bool,
    /// There is no news but [`Touch::Assumed`].
    is_assumed: bool,
    /// It is told when the installation of packages is over.
    is_of_install: bool,
    look: Option<Snapshot>,
    missing_since: Option<Instant>,
    unfinished_since: Option<Instant>,
    /// Watched folders whose listing this path belongs to.
    listed_by: Vec<Arc<Path>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Touch {
    Written,
    Closed,
    Metadata,
    Appeared,
    Vanished,
    /// Something about the path; the system does not say what.
    Any,
    /// It may have been written since it was read: nobody has said so.
    Assumed,
}

/// The thread's state.
/// An item is in `spots[s]` exactly when `s` is in its `place.spots`; likewise `listings`; `armed[f].users` counts both.
struct Desk {
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
    armed: BTreeMap<PathBuf, Armed>,
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
    /// Since when somebody waits for quiet, and when it will have been quiet for long enough.
    awaited: Option<(Instant, Instant)>,
    poll_at: Option<Instant>,
    round_at: Instant,
    round: Vec<Item>,
    /// What was found to have changed without news of it, and how it looked then.
    suspects: FxHashMap<Item, Option<Snapshot>>,
    judge_at: Option<Instant>,
    say_at: Option<(Instant, String)>,
}

impl Desk {
    fn new(
        root: PathBuf,
        config: &WatchConfig,
        inbox: Inbox,
        report: Report,
        mailbox: Sender<Message>,
        backend: impl FnOnce(Handler) -> notify::Result<Backend>,
    ) -> Self {
        let mut desk = Self {
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
            desk.poll_because("`watch.poll` is set");
            return desk;
        }
        match backend(Box::new(move |event| forward(&mailbox, event))) {
            Ok(backend) => desk.backend = Some(backend),
            Err(error) => desk.poll_because(limit(&error).unwrap_or("the system does not tell of file changes")),
        }
        desk
    }

    fn run(mut self, messages: &Receiver<Message>) {
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
            // Saves put it off, and not who asks again with each batch.
            Message::AwaitQuiet => {
                let now = Instant::now();
                self.awaited.get_or_insert((now, now + PAUSE));
            }
            #[cfg(test)]
            Message::Done(done) => drop(done.send(())),
            Message::Stop => {}
        }
    }

    // ── Time ──────────────────────────────────────────────────────────────────────────────────────────────────────

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
            // Whoever has released a lock did all of it before, also what the system has not told yet.
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

    /// Nothing waits for long: not even for who changes files without a pause.
    fn tell_of_quiet(&mut self, now: Instant, since: Instant) {
        let is_busy = self.is_held || self.is_telling || self.burst.is_on() || self.held_at.is_some();
        if is_busy && now < since + LONGEST_WAIT {
            self.awaited = Some((since, now + PAUSE / 10));
            return;
        }
        self.awaited = None;
        let _ = self.inbox.send(Event::Quiet);
    }

    // ── Who is watched, and where ─────────────────────────────────────────────────────────────────────────────────

    fn watch(&mut self, kind: Kind, paths: Vec<PathBuf>, since: SystemTime) {
        let mut real = FxHashMap::default();
        for path in paths {
            let item = Item { kind, path: Arc::from(path) };
            if self.watched.contains_key(&item) {
                continue;
            }
            self.watched.insert(item.clone(), Watched::default());
            self.place(&item, &mut real);
            self.first_look(&item, since);
        }
    }

    fn unwatch_file(&mut self, path: PathBuf) {
        let item = Item { kind: Kind::File, path: Arc::from(path) };
        if let Some(watched) = self.watched.remove(&item) {
            self.release(&item, &watched.place);
            self.suspects.remove(&item);
        }
    }

    /// Arms the folders where news of the item shows up. What moves between resolving and arming would go unnoticed,
    /// so whenever a folder was armed the item is resolved again.
    fn place(&mut self, item: &Item, real: &mut FxHashMap<PathBuf, PathBuf>) {
        if self.backend.is_none() {
            return;
        }
        for _ in 0..8 {
            let place = resolve(item, real);
            let mut armed_some = false;
            for folder in place.folders().map(Path::to_owned).collect::<Vec<_>>() {
                armed_some |= self.arm(&folder);
            }
            if self.backend.is_none() {
                return; // The limit is reached: everything is looked at in turn from now on.
            }
            for spot in &place.spots {
                self.spots.entry(spot.clone()).or_default().push(item.clone());
            }
            if let Some(listing) = &place.listing {
                self.listings.entry(listing.clone()).or_default().push(item.clone());
            }
            let Some(watched) = self.watched.get_mut(item) else { return };
            let before = std::mem::replace(&mut watched.place, place.clone());
            // Released after the new place is armed, so that a folder in both stays armed.
            self.release(item, &before);
            if !armed_some {
                return;
            }
            real.clear();
        }
    }

    fn release(&mut self, item: &Item, place: &Resolved) {
        for spot in &place.spots {
            remove_one(&mut self.spots, spot, item);
        }
        if let Some(listing) = &place.listing {
            remove_one(&mut self.listings, listing, item);
        }
        for folder in place.folders() {
            let Some(armed) = self.armed.get_mut(folder) else { continue };
            armed.users -= 1;
            if armed.users == 0 {
                self.armed.remove(folder);
                self.disarm(folder);
            }
        }
    }

    /// Adds a user to a folder's watch; true when the watch is new.
    fn arm(&mut self, folder: &Path) -> bool {
        let users = match self.armed.get_mut(folder) {
            Some(armed) if armed.live => {
                armed.users += 1;
                return false;
            }
            Some(armed) => armed.users + 1,
            None => 1,
        };
        let Some(backend) = &mut self.backend else { return false };
        let result = backend.watch(folder, RecursiveMode::NonRecursive);
        if let Some(reason) = result.as_ref().err().and_then(limit) {
            self.poll_because(reason);
            return false;
        }
        if let Err(error) = &result {
            tracing::debug!(%error, folder = %folder.display(), "no watch");
        }
        let identity = look_at(folder).map(|look| look.identity);
        self.armed.insert(folder.to_owned(), Armed { users, live: true, identity, refused: result.is_err() });
        true
    }

    fn disarm(&mut self, folder: &Path) {
        if let Some(armed) = self.armed.get_mut(folder) {
            armed.live = false;
        }
        if let Some(backend) = &mut self.backend {
            // It fails when the folder is gone, and then there is nothing to take back.
            let _ = backend.unwatch(folder);
        }
    }

    /// After arming: whatever happened before is not told by the system. `since`: when it was read at the earliest.
    fn first_look(&mut self, item: &Item, since: SystemTime) {
        let look = look_at(&item.path);
        let Some(watched) = self.watched.get_mut(item) else { return };
        let changed = watched.seen.is_some() && watched.seen != look;
        let nearest = match &look {
            Some(_) => None,
            // A removal shows in the folder.
            None => watched.place.spots.first().map_or(&*item.path, |spot| spot).parent().and_then(look_at),
        };
        let fresh = look.or(nearest).is_some_and(|look| look.is_after(since.checked_sub(JUST_NOW).unwrap_or(since)));
        if watched.seen.is_none() {
            watched.saw(look);
        }
        if changed || fresh {
            let touch = if changed { Touch::Any } else { Touch::Assumed };
            self.note(&item.path.clone(), Instant::now(), touch);
        }
    }

    /// A folder came, went or moved, and with it what is below. The system's watches follow the old folder or are gone.
    fn moved(&mut self, path: &Path, at: Instant) {
        let folders: Vec<PathBuf> = below(&self.armed, path).map(|(folder, _)| folder.clone()).collect();
        let items: FxHashSet<Item> = below(&self.spots, path)
            .filter(|(spot, _)| spot.as_path() != path)
            .chain(below(&self.listings, path))
            .flat_map(|(_, items)| items.iter().cloned())
            .collect();
        if folders.is_empty() && items.is_empty() {
            return;
        }
        for folder in &folders {
            self.disarm(folder);
        }
        self.saved(path, at);
        let mut real = FxHashMap::default();
        for item in items {
            self.place(&item, &mut real);
            if look_at(&item.path).is_some() || self.watched.get(&item).is_some_and(|watched| watched.seen.is_some()) {
                // What a folder got before it was armed again is not told: it is looked through.
                self.note(&item.path, at, if item.kind == Kind::Folder { Touch::Appeared } else { Touch::Any });
            }
        }
    }

    /// A folder that could not be read may be readable now: its files are as good as new.
    fn opened(&mut self, path: &Path, at: Instant) {
        let items = below(&self.spots, path).chain(below(&self.listings, path)).flat_map(|(_, items)| items);
        let folders: FxHashSet<Item> = items.filter(|item| item.kind == Kind::Folder).cloned().collect();
        self.moved(path, at);
        for folder in folders {
            if look_at(&folder.path).is_some() {
                self.note(&folder.path, at, Touch::Appeared);
            }
        }
    }

    // ── News ──────────────────────────────────────────────────────────────────────────────────────────────────────

    fn noticed(&mut self, at: Instant, event: notify::Result<notify::Event>) {
        if self.backend.is_none() {
            return;
        }
        let event = match event {
            Ok(event) if event.need_rescan() => return self.catch_up(),
            Ok(event) => event,
            Err(error) => match limit(&error) {
                Some(reason) => return self.poll_because(reason),
                None => return self.catch_up(),
            },
        };
        let touch = match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => Touch::Closed,
            EventKind::Access(_) => return,
            EventKind::Modify(ModifyKind::Data(_)) => Touch::Written,
            EventKind::Modify(ModifyKind::Metadata(_)) => Touch::Metadata,
            EventKind::Create(_) => Touch::Appeared,
            EventKind::Remove(_) => Touch::Vanished,
            EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Touch::Vanished,
            // Where the system does not say which side of a renaming it is, what is there now does.
            EventKind::Modify(ModifyKind::Name(_)) => Touch::Appeared,
            EventKind::Modify(_) | EventKind::Any | EventKind::Other => Touch::Any,
        };
        let folder =
            matches!(event.kind, EventKind::Create(CreateKind::Folder) | EventKind::Remove(RemoveKind::Folder));
        for path in &event.paths {
            self.touched(path, at, touch, folder);
        }
    }

    fn touched(&mut self, path: &Path, at: Instant, touch: Touch, folder: bool) {
        if matches!(touch, Touch::Appeared | Touch::Vanished) {
            self.moved(path, at);
        }
        if touch == Touch::Metadata && self.armed.get(path).is_some_and(|armed| armed.refused) {
            self.opened(path, at);
        }
        let listing = !matches!(touch, Touch::Written | Touch::Closed | Touch::Metadata);
        for item in self.spots.get(path).cloned().unwrap_or_default() {
            let moves = self.watched.get(&item).is_some_and(|watched| watched.place.moves);
            if listing && (moves || path.is_symlink()) {
                self.place(&item, &mut FxHashMap::default());
                let known = self.watched.get(&item).is_some_and(|watched| watched.seen.is_some());
                if !known && look_at(&item.path).is_none() {
                    continue; // A step on the way to it appeared, or something else of that name.
                }
            }
            self.note(&item.path, at, touch);
            if item.kind == Kind::File {
                self.saved(path, at);
            }
        }
        if !listing {
            return;
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return };
        for lister in self.listings.get(parent).cloned().unwrap_or_default() {
            let entry: Arc<Path> = Arc::from(lister.path.join(name));
            self.note(&entry, at, touch);
            if let Some(pending) = self.pending.get_mut(&entry) {
                pending.folder |= folder;
                if !pending.listed_by.contains(&lister.path) {
                    pending.listed_by.push(lister.path);
                }
            }
        }
    }

    /// Somebody changed a file or a folder that matters, under its real path.
    fn saved(&mut self, path: &Path, at: Instant) {
        if self.install.takes(path) {
            return;
        }
        let is_first = self.burst.saved(path, at);
        // One file that is written again and again says nothing of others.
        if let Some((since, quiet_at)) = &mut self.awaited
            && is_first
        {
            *quiet_at = (Instant::now() + PAUSE).min(*since + LONGEST_WAIT);
        }
        for repository in self.repositories.of_folder(path.parent().unwrap_or(path)).iter() {
            if !self.concerned.contains(repository) {
                self.concerned.push(repository.clone());
            }
        }
    }

    fn note(&mut self, path: &Arc<Path>, at: Instant, touch: Touch) {
        let now = Instant::now();
        let begins = !self.install.is_on() && self.install.is_in_packages(path) && is_of_structure(path, touch);
        let is_of_install = begins || self.install.takes(path);
        if is_of_install {
            self.install.note(path, now);
        }
        if begins {
            let earlier = self.pending.iter_mut().filter(|(path, _)| self.install.takes(path));
            earlier.for_each(|(_, pending)| pending.is_of_install = true);
        }
        let pending = self.pending.entry(path.clone()).or_insert_with(|| Pending {
            noticed: at,
            active: true,
            again: now,
            open: false,
            appeared: false,
            folder: false,
            is_assumed: true,
            is_of_install,
            look: if TELLS_CLOSE { None } else { look_at(path) },
            missing_since: None,
            unfinished_since: None,
            listed_by: Vec::new(),
        });
        pending.active = true;
        pending.is_assumed &= touch == Touch::Assumed;
        pending.appeared |= touch == Touch::Appeared;
        match touch {
            Touch::Written => pending.open = TELLS_CLOSE,
            Touch::Closed | Touch::Appeared => pending.open = false,
            Touch::Vanished => _ = pending.missing_since.get_or_insert(at),
            Touch::Metadata | Touch::Any | Touch::Assumed => {}
        }
        if !is_of_install {
            self.burst.note(now);
        }
        if !self.suspects.is_empty() {
            for kind in [Kind::File, Kind::Folder] {
                self.suspects.remove(&Item { kind, path: path.clone() });
            }
        }
    }

    /// The system lost events: compare everything.
    fn catch_up(&mut self) {
        let moved: Vec<PathBuf> = self
            .armed
            .iter()
            .filter(|(folder, armed)| look_at(folder).map(|look| look.identity) != armed.identity)
            .map(|(folder, _)| folder.clone())
            .collect();
        for folder in moved {
            self.moved(&folder, Instant::now());
        }
        let items: Vec<Item> = self.watched.keys().cloned().collect();
        for item in items {
            self.first_look(&item, SystemTime::now());
        }
    }

    // ── Telling the loop ──────────────────────────────────────────────────────────────────────────────────────────

    /// Tells each path that is whole; the others are looked at again.
    fn flush(&mut self, now: Instant) {
        self.burst.told();
        let due: Vec<Arc<Path>> = self
            .pending
            .iter()
            .filter(|(_, pending)| !pending.is_of_install && (pending.active || pending.again <= now))
            .map(|(path, _)| path.clone())
            .collect();
        let mut batch = FileBatch::default();
        for path in due {
            let look = look_at(&path);
            if self.held_until(&path, look, now).is_none()
                && let Some(pending) = self.pending.remove(&path)
            {
                self.announce(&path, pending, look, &mut batch);
            }
        }
        self.held_at = self.at_hand().map(|(_, pending)| pending.again).min();
        self.send(batch);
    }

    /// What waits for no installation.
    fn at_hand(&self) -> impl Iterator<Item = (&Arc<Path>, &Pending)> {
        self.pending.iter().filter(|(_, pending)| !pending.is_of_install)
    }

    /// Tells what was done in `node_modules`.
    fn flush_install(&mut self) {
        self.install.end();
        let mut batch = FileBatch::default();
        let (of_install, others) = std::mem::take(&mut self.pending).into_iter().partition(|(_, it)| it.is_of_install);
        self.pending = others;
        for (path, pending) in of_install {
            self.announce(&path, pending, look_at(&path), &mut batch);
        }
        tracing::debug!(paths = batch.paths.len(), "packages were installed");
        self.send(batch);
    }

    /// Tells all paths, whole or not.
    fn flush_as_it_is(&mut self, now: Instant, released: bool) {
        tracing::debug!(paths = self.pending.len(), released, "saves that belong together");
        self.burst.told();
        self.held_at = None;
        let mut batch = FileBatch { released, ..FileBatch::default() };
        if released {
            self.install.end();
        }
        let (waiting, told) =
            std::mem::take(&mut self.pending).into_iter().partition(|(_, it)| it.is_of_install && !released);
        self.pending = waiting;
        for (path, pending) in told {
            self.announce(&path, pending, look_at(&path), &mut batch);
        }
        if released {
            batch.noticed = Some(now); // How long the edit took is no latency of ours.
        }
        self.send(batch);
    }

    /// When to look again, if some path is not whole yet.
    fn unfinished(&mut self, now: Instant) -> Option<Instant> {
        let paths: Vec<Arc<Path>> = self.at_hand().map(|(path, _)| path.clone()).collect();
        paths.iter().find_map(|path| self.held_until(path, look_at(path), now))
    }

    fn held_until(&mut self, path: &Arc<Path>, look: Option<Snapshot>, now: Instant) -> Option<Instant> {
        let was_there = self.watched.get(&file(path)).is_none_or(|watched| watched.seen.is_some());
        let pending = self.pending.get_mut(path)?;
        pending.active = false;
        let again = pending.held_until(look, was_there, now, self.settle)?;
        pending.again = again;
        Some(again)
    }

    fn send(&mut self, mut batch: FileBatch) {
        if self.at_hand().next().is_none() {
            self.concerned.clear();
        }
        if batch.paths.is_empty() && batch.folders.is_empty() && !batch.released {
            return;
        }
        for paths in [&mut batch.paths, &mut batch.folders] {
            paths.sort_unstable();
            paths.dedup();
        }
        // The loop may have ended; `run` sees it and ends as well.
        let _ = self.inbox.send(Event::Files(batch));
    }

    fn announce(&mut self, path: &Arc<Path>, pending: Pending, look: Option<Snapshot>, batch: &mut FileBatch) {
        batch.noticed = Some(batch.noticed.map_or(pending.noticed, |noticed| noticed.min(pending.noticed)));
        let as_file = self.watched.get_mut(&file(path)).map(|watched| watched.saw(look)).is_some();
        let as_folder = self.watched.get_mut(&folder(path)).map(|watched| watched.saw(look)).is_some();
        let is_folder = look.map_or(pending.folder || as_folder, |look| look.folder);
        if as_file || !is_folder {
            batch.paths.push(path.to_path_buf());
        }
        if pending.is_assumed {
            batch.assumed.push(path.to_path_buf());
        }
        if is_folder || as_folder {
            batch.folders.push(path.to_path_buf());
        }
        if is_folder && pending.appeared {
            // A file made right after its folder is not told by the system.
            rescan(path, batch);
        }
        for lister in pending.listed_by {
            if let Some(watched) = self.watched.get_mut(&folder(&lister)) {
                watched.saw(look_at(&lister));
            }
            batch.folders.push(lister.to_path_buf());
        }
    }

    // ── Without the system's help ─────────────────────────────────────────────────────────────────────────────────

    fn poll_because(&mut self, reason: &str) {
        self.backend = None;
        self.spots.clear();
        self.listings.clear();
        self.armed.clear();
        self.suspects.clear();
        self.judge_at = None;
        for watched in self.watched.values_mut() {
            watched.place = Resolved::default();
        }
        self.burst.slow_down(self.interval);
        self.poll_at = Some(Instant::now());
        self.say_at = Some((Instant::now() + CRAWL, reason.to_owned()));
    }

    fn say(&mut self, now: Instant) {
        let Some((_, reason)) = self.say_at.take() else { return };
        if self.watched.is_empty() {
            self.say_at = Some((now + CRAWL, reason));
            return;
        }
        let files = self.watched.keys().filter(|item| item.kind == Kind::File).count();
        let interval = self.interval.as_millis();
        (self.report)(format!("{reason}; looking at {files} files every {interval} ms instead"));
    }

    fn poll(&mut self) {
        let started = Instant::now();
        let mut news = Vec::new();
        for (item, watched) in &mut self.watched {
            if item.kind == Kind::Folder && watched.names.is_none() {
                watched.names = Some(names_in(&item.path));
            }
            if self.pending.contains_key(&item.path) {
                continue;
            }
            let look = look_at(&item.path);
            let ripe = watched.racy && look.is_none_or(|look| look.age() > CLOCK_TICK);
            if look == watched.seen && !ripe {
                continue;
            }
            watched.racy = false;
            news.push((item.path.clone(), look, None::<Arc<Path>>));
            if item.kind == Kind::Folder {
                let names = names_in(&item.path);
                let before = watched.names.replace(names.clone()).unwrap_or_default();
                for name in names.symmetric_difference(&before) {
                    let entry: Arc<Path> = Arc::from(item.path.join(name));
                    news.push((entry, None, Some(item.path.clone())));
                }
            }
        }
        for (path, look, lister) in news {
            if self.watched.contains_key(&file(&path)) {
                self.saved(&path, started);
            }
            self.note(&path, started, if lister.is_some() { Touch::Appeared } else { Touch::Any });
            if let Some(pending) = self.pending.get_mut(&path) {
                pending.look = pending.look.or(look);
                pending.listed_by.extend(lister);
            }
        }
        let now = Instant::now();
        self.poll_at = Some(now + self.interval.max((now - started) * POLL_SHARE));
    }

    /// Network and container file systems accept watches and never say a word. A few looks now and then find out.
    fn look_round(&mut self, now: Instant) {
        self.round_at = now + ROUND_PACE;
        self.repositories.forget();
        if self.backend.is_none() || self.install.is_on() {
            return;
        }
        if self.round.is_empty() {
            self.round = self.watched.keys().cloned().collect();
        }
        for item in self.round.split_off(self.round.len().saturating_sub(ROUND_LOOKS)) {
            if self.pending.contains_key(&item.path) {
                continue;
            }
            let look = look_at(&item.path);
            if self.watched.get(&item).is_some_and(|watched| watched.seen != look) {
                self.suspects.insert(item, look);
                self.judge_at.get_or_insert(now + EVENT_LAG);
            }
        }
    }

    fn prepare_judgement(&mut self) {
        self.judge_at = None;
        self.read_all_events();
        let _ = self.mailbox.send(Message::Judge);
    }

    /// Makes sure that every event the system has is in the mailbox. notify's thread answers between two reads of the
    /// system's queue, so after two answers it has read it once.
    fn read_all_events(&mut self) {
        if let Some(backend) = &mut self.backend {
            let _ = backend.configure(notify::Config::default());
            let _ = backend.configure(notify::Config::default());
        }
    }

    /// Notes what has changed and was not told: where the system is slow to tell, or does not.
    fn look_everywhere(&mut self) {
        if self.backend.is_none() {
            return self.poll();
        }
        let changed: Vec<Arc<Path>> = self
            .watched
            .iter()
            .filter(|(item, watched)| watched.racy || look_at(&item.path) != watched.seen)
            .map(|(item, _)| item.path.clone())
            .collect();
        for path in changed {
            self.note(&path, Instant::now(), Touch::Any);
        }
    }

    fn judge(&mut self) {
        let mut silent = false;
        let suspects = std::mem::take(&mut self.suspects);
        if self.install.is_on() {
            return; // What it changes is told at its end.
        }
        for (item, look) in suspects {
            let Some(watched) = self.watched.get(&item) else { continue };
            // What changed again since then may have its news still on the way.
            let now = look_at(&item.path);
            if watched.seen == now || now != look || self.pending.contains_key(&item.path) {
                continue;
            }
            self.note(&item.path.clone(), Instant::now(), Touch::Any);
            let is_explained = self.place_changed(&item);
            tracing::debug!(path = %item.path.display(), is_explained, "changed without an event");
            silent |= !is_explained;
        }
        if silent {
            self.poll_because("the system does not tell of changes in this folder");
        }
    }

    /// A link or a folder far above was exchanged, which no watch shows; the item is placed anew and all is well.
    fn place_changed(&mut self, item: &Item) -> bool {
        let Some(watched) = self.watched.get(item) else { return true };
        let before = watched.place.clone();
        let mut explained = before != resolve(item, &mut FxHashMap::default());
        for folder in before.folders() {
            let Some(armed) = self.armed.get(folder) else { continue };
            explained |= armed.refused;
            if armed.identity != look_at(folder).map(|look| look.identity) {
                explained = true;
                self.moved(folder, Instant::now());
            }
        }
        if explained {
            self.place(item, &mut FxHashMap::default());
        }
        explained
    }
}

impl Pending {
    /// When to look again, or `None` if the loop can be told now.
    fn held_until(
        &mut self,
        look: Option<Snapshot>,
        was_there: bool,
        now: Instant,
        settle: Duration,
    ) -> Option<Instant> {
        let before = std::mem::replace(&mut self.look, look);
        let (since, patience) = match look {
            None if was_there => (self.missing_since.get_or_insert(now), VANISHED),
            None => return None,
            Some(look) => {
                self.missing_since = None;
                let changing = self.open || before.is_some_and(|before| before != look);
                if look.folder || !(look.size == 0 || changing) {
                    return None;
                }
                (self.unfinished_since.get_or_insert(now), UNFINISHED)
            }
        };
        let end = *since + patience;
        (now < end).then(|| end.min(now + settle))
    }
}

impl Watched {
    fn saw(&mut self, look: Option<Snapshot>) {
        self.seen = look;
        self.racy = look.is_some_and(|look| look.age() < CLOCK_TICK);
    }
}

impl Snapshot {
    /// Whether it was changed after a time, or may have been.
    fn is_after(&self, time: SystemTime) -> bool {
        self.modified.is_none_or(|modified| modified > time)
    }

    /// Time since the last change; zero for one in the future.
    fn age(&self) -> Duration {
        self.modified.and_then(|modified| SystemTime::now().duration_since(modified).ok()).unwrap_or_default()
    }
}

/// Whether something has gone, or a folder has come.
fn is_of_structure(path: &Path, touch: Touch) -> bool {
    match look_at(path) {
        None => true,
        Some(look) => look.folder && touch == Touch::Appeared,
    }
}

fn look_at(path: &Path) -> Option<Snapshot> {
    let metadata = fs::metadata(path).ok()?;
    Some(Snapshot {
        modified: metadata.modified().ok(),
        size: metadata.len(),
        identity: identity(&metadata),
        folder: metadata.is_dir(),
    })
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, u64) {
    (0, 0)
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

fn file(path: &Arc<Path>) -> Item {
    Item { kind: Kind::File, path: path.clone() }
}

fn folder(path: &Arc<Path>) -> Item {
    Item { kind: Kind::Folder, path: path.clone() }
}

/// `path` and everything below it; paths are ordered by components, so they stand side by side.
fn below<'a, T>(map: &'a BTreeMap<PathBuf, T>, path: &'a Path) -> impl Iterator<Item = (&'a PathBuf, &'a T)> {
    map.range::<Path, _>((Bound::Included(path), Bound::Unbounded)).take_while(move |(key, _)| key.starts_with(path))
}

fn remove_one(map: &mut BTreeMap<PathBuf, Vec<Item>>, key: &Path, item: &Item) {
    let Some(items) = map.get_mut(key) else { return };
    if let Some(at) = items.iter().position(|other| other == item) {
        items.swap_remove(at);
    }
    if items.is_empty() {
        map.remove(key);
    }
}

fn resolve(item: &Item, real: &mut FxHashMap<PathBuf, PathBuf>) -> Resolved {
    match item.kind {
        Kind::File => resolve_file(&item.path, real),
        Kind::Folder => resolve_folder(&item.path),
    }
}

/// `real` remembers the real paths of folders within one call of `watch_files`.
fn resolve_file(path: &Path, real: &mut FxHashMap<PathBuf, PathBuf>) -> Resolved {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Resolved::default() };
    let folder = match real.get(parent) {
        Some(folder) => folder.clone(),
        None => match real_folder(parent) {
            Some(folder) => real.entry(parent.to_owned()).or_insert(folder).clone(),
            None => return stand_in(path),
        },
    };
    let spot = folder.join(name);
    let Ok(target) = fs::read_link(&spot) else {
        return Resolved { spots: vec![spot], listing: None, moves: false };
    };
    let target = match spot.canonicalize() {
        Ok(target) => target,
        Err(_) => stand_in(&folder.join(target)).spots.pop().unwrap_or_else(|| spot.clone()),
    };
    Resolved { spots: vec![spot, target], listing: None, moves: true }
}

fn resolve_folder(path: &Path) -> Resolved {
    match real_folder(path) {
        Some(folder) => Resolved { spots: Vec::new(), listing: Some(folder), moves: false },
        None => stand_in(path),
    }
}

/// Where the next step towards a missing path would appear.
fn stand_in(path: &Path) -> Resolved {
    let spot = path.ancestors().find_map(|step| Some(real_folder(step.parent()?)?.join(step.file_name()?)));
    Resolved { spots: spot.into_iter().collect(), listing: None, moves: true }
}

fn real_folder(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok().filter(|path| path.is_dir())
}

fn names_in(folder: &Path) -> FxHashSet<OsString> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect()
}

/// Adds what a new folder holds. Packages and hidden folders are no business of a listing.
fn rescan(folder: &Path, batch: &mut FileBatch) {
    let mut todo = vec![folder.to_owned()];
    let mut found = 0;
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
            found += 1;
            if found > RESCAN_LIMIT {
                return;
            }
            let name = entry.file_name();
            match entry.file_type() {
                Ok(kind) if !kind.is_dir() => batch.paths.push(entry.path()),
                Ok(_) if name == "node_modules" || name.as_encoded_bytes().starts_with(b".") => {}
                Ok(_) => {
                    batch.folders.push(entry.path());
                    todo.push(entry.path());
                }
                Err(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
