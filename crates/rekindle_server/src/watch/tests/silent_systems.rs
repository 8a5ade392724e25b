//! Where the system gives few events, or none: files are looked at in turn, and nothing is missed.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use notify::{Config, ErrorKind, EventHandler, RecursiveMode, WatcherKind};

use super::{Case, make_old, settings};
use crate::watch::burst::PAUSE;

#[test]
fn an_announced_edit_is_one_batch_also_where_no_events_arrive() {
    for mut case in [
        Case::polling(&["a.ts", "b.ts"]),
        Case::with(&["a.ts", "b.ts"], &settings(), |_| Ok(Box::new(notify::NullWatcher))),
    ] {
        case.watcher.hold();
        case.armed();
        case.write("a.ts", "after");
        std::thread::sleep(PAUSE);
        case.write("b.ts", "after");
        case.watcher.release();
        let batch = case.next();
        assert_eq!((batch.paths.len(), batch.released), (2, true));
    }
}

#[test]
fn polling_finds_what_changes_appears_and_vanishes() {
    let mut case = Case::polling(&["a.ts", "d/b.ts"]);
    case.wait_for_words("`watch.poll` is set; looking at 2 files every 10 ms instead");
    case.watch(&["d/later.ts"]);
    case.watch_folders(&["d"]);
    for round in 0..20 {
        let text = format!("{:02}", round);
        case.write("a.ts", &text);
        case.told("a.ts", Some(&text));
    }
    case.write("d/later.ts", "later");
    let batch = case.told("d/later.ts", Some("later"));
    assert!(batch.folders.contains(&case.at("d")) || !case.told_folder("d").folders.is_empty());
    fs::rename(case.at("d"), case.at("e")).unwrap();
    case.told("d/b.ts", None);
    fs::rename(case.at("e"), case.at("d")).unwrap();
    case.told("d/b.ts", Some("before"));
    case.write("d/listed.ts", "listed");
    case.told("d/listed.ts", Some("listed"));
}

/// Accepts some watches and then says that the limit is reached.
struct Full(notify::RecommendedWatcher, usize);

impl notify::Watcher for Full {
    fn new<F: EventHandler>(_: F, _: Config) -> notify::Result<Self> {
        unreachable!()
    }
    fn watch(&mut self, path: &Path, mode: RecursiveMode) -> notify::Result<()> {
        if self.1 == 0 {
            return Err(notify::Error::new(ErrorKind::MaxFilesWatch));
        }
        self.1 -= 1;
        self.0.watch(path, mode)
    }
    fn unwatch(&mut self, path: &Path) -> notify::Result<()> {
        self.0.unwatch(path)
    }
    fn kind() -> WatcherKind {
        WatcherKind::NullWatcher
    }
}

#[test]
fn at_the_watch_limit_files_are_looked_at_in_turn() {
    let mut case = Case::with(&["a.ts", "b/b.ts", "c/c.ts", "d/d.ts"], &settings(), |handler| {
        Ok(Box::new(Full(notify::recommended_watcher(handler)?, 2)))
    });
    for file in ["a.ts", "d/d.ts"] {
        case.write(file, "after");
        case.told(file, Some("after"));
    }
    case.wait_for_words("the system's watch limit is reached; looking at 4 files every 10 ms instead");
}

/// Does not let folders named `closed` be watched until it is told to.
struct Closed(notify::RecommendedWatcher, Arc<std::sync::atomic::AtomicBool>);

impl notify::Watcher for Closed {
    fn new<F: EventHandler>(_: F, _: Config) -> notify::Result<Self> {
        unreachable!()
    }
    fn watch(&mut self, path: &Path, mode: RecursiveMode) -> notify::Result<()> {
        if path.ends_with("closed") && !self.1.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(notify::Error::io(std::io::ErrorKind::PermissionDenied.into()));
        }
        self.0.watch(path, mode)
    }
    fn unwatch(&mut self, path: &Path) -> notify::Result<()> {
        self.0.unwatch(path)
    }
    fn kind() -> WatcherKind {
        WatcherKind::NullWatcher
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_could_not_be_read_is_announced_with_its_files_when_it_can() {
    use std::os::unix::fs::PermissionsExt;
    let is_open = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let gate = is_open.clone();
    let mut case =
        Case::with(&["a.ts"], &settings(), |handler| Ok(Box::new(Closed(notify::recommended_watcher(handler)?, gate))));
    fs::create_dir(case.at("closed")).unwrap();
    case.write("closed/b.ts", "before");
    make_old(&case.root);
    case.watch_folders(&["closed"]);
    is_open.store(true, std::sync::atomic::Ordering::Relaxed);
    fs::set_permissions(case.at("closed"), fs::Permissions::from_mode(0o755)).unwrap();
    let batch = case.told_folder("closed");
    assert!(batch.paths.contains(&case.at("closed/b.ts")), "{batch:?}");
    case.write("closed/c.ts", "before");
    case.told("closed/c.ts", Some("before"));
}

#[test]
fn a_system_without_watches_is_no_obstacle() {
    let mut case = Case::with(&["a.ts"], &settings(), |_| Err(notify::Error::new(ErrorKind::MaxFilesWatch)));
    case.write("a.ts", "after");
    case.told("a.ts", Some("after"));
}

#[test]
fn where_no_events_arrive_changes_are_found_all_the_same() {
    let mut case = Case::with(&["a.ts", "b.ts"], &settings(), |_| Ok(Box::new(notify::NullWatcher)));
    case.write("a.ts", "after");
    case.told("a.ts", Some("after"));
    case.wait_for_words("the system does not report changes in this folder; looking at 2 files every 10 ms instead");
    case.write("b.ts", "soon");
    case.told("b.ts", Some("soon"));
}
