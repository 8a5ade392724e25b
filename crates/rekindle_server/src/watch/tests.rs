//! The watcher on a real folder: what is done there, and which batches the loop gets.

use std::fs;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use rustc_hash::FxHashSet;
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::burst;
use super::burst::PAUSE;
use super::message::{Backend, Handler, Message, Report};
use super::pending::{UNFINISHED, VANISHED};
use super::thread::announce::rescan;
use super::watcher::Watcher;
use crate::event::{Event, FileBatch};
use rekindle_config::WatchConfig;

mod silent_systems;

const PATIENCE: Duration = Duration::from_secs(20);

/// A folder on disk, a watcher, and what it said.
struct Case {
    folder: TempDir,
    root: PathBuf,
    watcher: Watcher,
    news: UnboundedReceiver<Event>,
    said: Arc<Mutex<Vec<String>>>,
}

impl Case {
    /// Writes the files long ago, so that only what the test does is news.
    fn new(files: &[&str]) -> Self {
        Self::with(files, &settings(), |handler| Ok(Box::new(notify::recommended_watcher(handler)?)))
    }

    fn polling(files: &[&str]) -> Self {
        Self::with(files, &WatchConfig { poll: true, interval: 10, settle: 4 }, |_| unreachable!())
    }

    fn with(
        files: &[&str],
        settings: &WatchConfig,
        backend: impl FnOnce(Handler) -> notify::Result<Backend> + Send + 'static,
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for file in files {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), "before").unwrap();
        }
        make_old(&root);
        let (inbox, news) = unbounded_channel();
        let said = Arc::new(Mutex::new(Vec::new()));
        let line = said.clone();
        let report: Report = Arc::new(move |text| line.lock().unwrap().push(text));
        let watcher = Watcher::start_with(root.clone(), settings, inbox, report, backend);
        let case = Self { folder, root, watcher, news, said };
        case.watch(files);
        case
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    fn watch(&self, files: &[&str]) {
        self.watcher.watch_files(files.iter().map(|file| self.at(file)));
        self.armed();
    }

    fn watch_folders(&self, folders: &[&str]) {
        self.watcher.watch_folders(folders.iter().map(|folder| self.at(folder)));
        self.armed();
    }

    /// Returns when the thread has done what it was asked.
    fn armed(&self) {
        let (done, is_done) = channel();
        self.watcher.send(Message::Done(done));
        is_done.recv_timeout(PATIENCE).unwrap();
    }

    fn next(&mut self) -> FileBatch {
        let start = Instant::now();
        loop {
            match self.news.try_recv() {
                Ok(Event::Files(batch)) => return batch,
                Ok(other) => panic!("unexpected {other:?}"),
                Err(_) if start.elapsed() < PATIENCE => std::thread::sleep(Duration::from_millis(1)),
                Err(_) => panic!("no batch; the watcher said {:?}", self.said.lock().unwrap()),
            }
        }
    }

    /// Waits until the file is announced while it holds `text`: the loop that reads it then has the final content.
    fn told(&mut self, file: &str, text: Option<&str>) -> FileBatch {
        let path = self.at(file);
        loop {
            let batch = self.next();
            if batch.paths.contains(&path) && fs::read_to_string(&path).ok().as_deref() == text {
                return batch;
            }
        }
    }

    fn told_folder(&mut self, folder: &str) -> FileBatch {
        let path = self.at(folder);
        loop {
            let batch = self.next();
            if batch.folders.contains(&path) {
                return batch;
            }
        }
    }

    fn wait_for_words(&self, words: &str) {
        let start = Instant::now();
        while !self.said.lock().unwrap().iter().any(|line| line.contains(words)) {
            assert!(start.elapsed() < PATIENCE, "said only {:?}", self.said.lock().unwrap());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Two steps of one save with a pause between them; a round in which the machine was too busy for them to count as
    /// one save says nothing, so it is repeated.
    fn saves_within(&mut self, limit: Duration, first: impl Fn(&Self), second: impl Fn(&Self)) -> FileBatch {
        loop {
            let start = Instant::now();
            first(self);
            std::thread::sleep(limit / 5);
            second(self);
            let busy = start.elapsed() > limit / 2;
            let batch = self.told("a.ts", Some("after"));
            if !busy {
                return batch;
            }
            self.write("a.ts", "before");
            self.told("a.ts", Some("before"));
        }
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.at(file), text).unwrap();
    }
}

fn settings() -> WatchConfig {
    WatchConfig { poll: false, interval: 10, settle: 4 }
}

fn make_old(folder: &Path) {
    let old = SystemTime::now() - Duration::from_secs(3600);
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            make_old(&path);
        } else {
            File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
        }
    }
    if cfg!(unix) {
        File::open(folder).unwrap().set_modified(old).unwrap();
    }
}

#[test]
fn a_save_is_announced_once_and_alone() {
    let mut case = Case::new(&["a.ts", "b.ts"]);
    case.write("unwatched.ts", "x");
    case.write("a.ts", "after");
    let batch = case.next();
    assert_eq!((batch.paths, batch.folders), (vec![case.at("a.ts")], vec![]));
    assert!(batch.noticed.is_some());
}

#[test]
fn a_file_truncated_and_written_later_is_announced_with_its_final_text() {
    let mut case = Case::new(&["a.ts"]);
    for pause in [0, 3, 10, 25, 40, 60] {
        let text = format!("after {pause}");
        case.write("a.ts", "");
        std::thread::sleep(Duration::from_millis(pause));
        case.write("a.ts", &text);
        case.told("a.ts", Some(&text));
    }
}

#[test]
fn an_empty_file_is_held_back_until_it_is_written() {
    let mut case = Case::new(&["a.ts"]);
    let batch = case.saves_within(UNFINISHED, |case| case.write("a.ts", ""), |case| case.write("a.ts", "after"));
    assert_eq!(batch.paths, [case.at("a.ts")]);
    assert!(case.news.try_recv().is_err());
}

#[test]
fn a_file_may_be_empty_for_good() {
    let mut case = Case::new(&["a.ts"]);
    case.write("a.ts", "");
    case.told("a.ts", Some(""));
}

#[test]
fn the_last_of_many_saves_is_always_announced() {
    let mut case = Case::new(&["a.ts"]);
    for round in 0..30 {
        let text = format!("formatted {round}");
        case.write("a.ts", "saved");
        case.told("a.ts", Some("saved"));
        std::thread::sleep(Duration::from_millis([0, 1, 3, 5, 10, 50][round % 6]));
        case.write("a.ts", &text);
        case.told("a.ts", Some(&text));
    }
    for round in 0..400 {
        case.write("a.ts", &format!("rapid {round}"));
    }
    case.write("a.ts", "last");
    case.told("a.ts", Some("last"));
}

#[test]
fn rapid_saves_do_not_starve_the_page() {
    let mut case = Case::new(&["a.ts"]);
    let mut batches = 0;
    let start = Instant::now();
    while batches < 3 {
        case.write("a.ts", &format!("{:?}", start.elapsed()));
        std::thread::sleep(Duration::from_millis(1));
        batches += usize::from(case.news.try_recv().is_ok());
        assert!(start.elapsed() < PATIENCE);
    }
}

#[test]
fn a_save_by_renaming_counts_once() {
    let mut case = Case::new(&["a.ts"]);
    for round in 0..5 {
        let text = format!("renamed {round}");
        case.write("a.ts~", &text);
        fs::rename(case.at("a.ts~"), case.at("a.ts")).unwrap();
        assert_eq!(case.next().paths, [case.at("a.ts")]);
        assert_eq!(fs::read_to_string(case.at("a.ts")).unwrap(), text);
    }
}

#[test]
fn delete_and_create_counts_once() {
    let mut case = Case::new(&["a.ts"]);
    let batch = case.saves_within(
        VANISHED,
        |case| fs::rename(case.at("a.ts"), case.at("a.ts~")).unwrap(),
        |case| case.write("a.ts", "after"),
    );
    assert_eq!(batch.paths, [case.at("a.ts")]);
    assert!(case.news.try_recv().is_err());
}

#[test]
fn a_deleted_file_is_announced_and_so_is_its_return() {
    let mut case = Case::new(&["a.ts"]);
    fs::remove_file(case.at("a.ts")).unwrap();
    case.told("a.ts", None);
    case.write("a.ts", "back");
    case.told("a.ts", Some("back"));
}

#[test]
fn a_missing_file_is_announced_when_it_appears_even_in_new_folders() {
    let mut case = Case::new(&["src/a.ts"]);
    case.watch(&["src/b.ts", "src/deep/er/c.ts"]);
    case.write("src/b.ts", "b");
    case.told("src/b.ts", Some("b"));
    fs::create_dir_all(case.at("src/deep/er")).unwrap();
    case.write("src/deep/er/c.ts", "c");
    case.told("src/deep/er/c.ts", Some("c"));
    case.write("src/deep/er/c.ts", "again");
    case.told("src/deep/er/c.ts", Some("again"));
}

#[test]
fn a_file_that_a_folder_gets_right_after_it_came_back_is_announced() {
    let mut case = Case::new(&["src/a/x.js"]);
    case.watch_folders(&["src/a"]);
    for round in 0..50 {
        fs::rename(case.at("src/a"), case.at("src/a2")).unwrap();
        fs::rename(case.at("src/a2"), case.at("src/a")).unwrap();
        let file = format!("src/a/j{round}.json");
        fs::write(case.at(&file), "{}").unwrap();
        case.told(&file, Some("{}"));
    }
}

#[test]
fn a_folder_renamed_away_and_back_stays_watched() {
    let mut case = Case::new(&["src/a.ts", "src/d/b.ts", "src/d/deep/c.ts"]);
    fs::rename(case.at("src/d"), case.at("src/d2")).unwrap();
    case.told("src/d/b.ts", None);
    fs::rename(case.at("src/d2"), case.at("src/d")).unwrap();
    case.told("src/d/b.ts", Some("before"));
    for file in ["src/d/b.ts", "src/d/deep/c.ts"] {
        case.write(file, "after");
        case.told(file, Some("after"));
    }
    // At once, nobody sees it missing.
    for round in 0..20 {
        fs::rename(case.at("src/d"), case.at("src/d2")).unwrap();
        fs::rename(case.at("src/d2"), case.at("src/d")).unwrap();
        let text = format!("round {round}");
        case.write("src/d/deep/c.ts", &text);
        case.told("src/d/deep/c.ts", Some(&text));
    }
    assert!(case.said.lock().unwrap().is_empty());
}

#[test]
fn a_folder_that_moves_while_its_parent_is_not_watched_is_found_again() {
    let mut case = Case::new(&["src/d/b.ts"]);
    fs::rename(case.at("src/d"), case.at("src/d2")).unwrap();
    case.told("src/d/b.ts", None);
    fs::create_dir(case.at("src/d")).unwrap();
    case.write("src/d/b.ts", "new");
    case.told("src/d/b.ts", Some("new"));
}

#[test]
fn a_folder_far_above_that_moves_is_found_without_giving_up_on_events() {
    let mut case = Case::new(&["x/y/z/b.ts"]);
    fs::rename(case.at("x"), case.at("x2")).unwrap();
    case.told("x/y/z/b.ts", None);
    fs::rename(case.at("x2"), case.at("x")).unwrap();
    case.told("x/y/z/b.ts", Some("before"));
    case.write("x/y/z/b.ts", "after");
    case.told("x/y/z/b.ts", Some("after"));
    assert!(case.said.lock().unwrap().is_empty());
}

#[test]
fn deleted_and_recreated_folders_are_watched_again() {
    let mut case = Case::new(&["src/a.ts", "src/d/b.ts"]);
    for round in 0..10 {
        fs::remove_dir_all(case.at("src/d")).unwrap();
        fs::create_dir(case.at("src/d")).unwrap();
        let text = format!("round {round}");
        case.write("src/d/b.ts", &text);
        case.told("src/d/b.ts", Some(&text));
    }
}

#[test]
fn a_watched_folder_announces_its_listing() {
    let mut case = Case::new(&["public/old.svg"]);
    case.watcher.unwatch_files([case.at("public/old.svg")]);
    case.watch_folders(&["public"]);
    case.write("public/new.svg", "<svg/>");
    let batch = case.told_folder("public");
    assert_eq!((batch.paths, batch.folders), (vec![case.at("public/new.svg")], vec![case.at("public")]));
    fs::remove_file(case.at("public/old.svg")).unwrap();
    let batch = case.told_folder("public");
    assert_eq!(batch.paths, [case.at("public/old.svg")]);
}

#[test]
fn a_file_made_right_after_its_folder_is_not_missed() {
    let mut case = Case::new(&["src/a.ts"]);
    case.watch_folders(&["src"]);
    for round in 0..20 {
        let folder = case.at(&format!("src/new{round}/deep"));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("b.ts");
        fs::write(&file, "b").unwrap();
        // What the loop does for a glob: whatever is announced is listed again, with all below, and watched.
        let mut found = false;
        while !found {
            let batch = case.next();
            let mut listed = FileBatch { folders: batch.folders, ..Default::default() };
            for folder in listed.folders.clone() {
                rescan(&folder, &mut listed);
            }
            case.watcher.watch_folders(listed.folders);
            found = listed.paths.contains(&file) || batch.paths.contains(&file);
        }
    }
}

#[test]
fn a_missing_folder_is_announced_when_it_appears() {
    let mut case = Case::new(&["a.ts"]);
    case.watch_folders(&["gone/public"]);
    fs::create_dir_all(case.at("gone/public")).unwrap();
    case.told_folder("gone/public");
    case.write("gone/public/x.svg", "x");
    case.told("gone/public/x.svg", Some("x"));
    fs::remove_dir_all(case.at("gone/public")).unwrap();
    case.told_folder("gone/public");
    fs::create_dir(case.at("gone/public")).unwrap();
    case.told_folder("gone/public");
}

#[test]
fn a_file_changed_just_before_it_was_watched_is_announced() {
    let mut case = Case::new(&["a.ts", "b.ts"]);
    case.watcher.unwatch_files([case.at("a.ts")]);
    case.write("a.ts", "after");
    case.watch(&["a.ts"]);
    case.told("a.ts", Some("after"));
    case.watcher.unwatch_files([case.at("a.ts")]);
    fs::remove_file(case.at("a.ts")).unwrap();
    case.watch(&["a.ts"]);
    case.told("a.ts", None);
}

#[cfg(unix)]
#[test]
fn links_to_folders_and_to_files_are_followed() {
    use std::os::unix::fs::symlink;
    let mut case = Case::new(&["packages/lib/index.ts", "elsewhere/real.ts", "elsewhere/other.ts"]);
    fs::create_dir(case.at("node_modules")).unwrap();
    symlink(case.at("packages/lib"), case.at("node_modules/lib")).unwrap();
    symlink("elsewhere/real.ts", case.at("link.ts")).unwrap();
    case.watcher.unwatch_files(["packages/lib/index.ts", "elsewhere/real.ts"].map(|file| case.at(file)));
    case.watch(&["node_modules/lib/index.ts", "link.ts"]);
    case.write("packages/lib/index.ts", "through the folder");
    case.told("node_modules/lib/index.ts", Some("through the folder"));
    case.write("elsewhere/real.ts", "through the file");
    case.told("link.ts", Some("through the file"));
    fs::remove_file(case.at("link.ts")).unwrap();
    symlink("elsewhere/other.ts", case.at("link.ts")).unwrap();
    case.told("link.ts", Some("before"));
    case.write("elsewhere/other.ts", "the other");
    case.told("link.ts", Some("the other"));
}

#[cfg(unix)]
#[test]
fn a_link_that_points_nowhere_is_announced_when_its_target_appears() {
    let mut case = Case::new(&["a.ts"]);
    std::os::unix::fs::symlink("later/real.ts", case.at("link.ts")).unwrap();
    case.watch(&["link.ts"]);
    fs::create_dir(case.at("later")).unwrap();
    case.write("later/real.ts", "here");
    case.told("link.ts", Some("here"));
}

#[test]
fn unwatched_files_are_silent() {
    let mut case = Case::new(&["a.ts", "b.ts"]);
    case.watcher.unwatch_files([case.at("a.ts")]);
    case.armed();
    case.write("a.ts", "after");
    case.write("b.ts", "after");
    assert_eq!(case.next().paths, [case.at("b.ts")]);
}

#[test]
fn thousands_of_files_make_few_batches() {
    let files: Vec<String> = (0..5000).map(|i| format!("m/{}/m{i}.ts", i % 50)).collect();
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    let mut case = Case::new(&names);
    let start = Instant::now();
    for file in &files {
        case.write(file, "after");
    }
    let took = start.elapsed();
    let mut told = FxHashSet::default();
    let mut batches = 0;
    while told.len() < files.len() {
        told.extend(case.next().paths);
        batches += 1;
    }
    // One for each pause of a busy machine that looks like the end, and the longest bursts.
    let most = 20 + (took.as_millis() / burst::LONGEST_BURST.as_millis()) as usize * 2;
    assert!(batches <= most, "{batches} batches in {took:?}");
}

#[test]
fn what_git_does_is_told_when_it_releases_its_lock() {
    let mut case = Case::new(&[".git/index", "a.ts", "gone.ts", "src/b.ts", "src/empty.ts"]);
    case.watcher.unwatch_files([case.at(".git/index")]);
    loop {
        let start = Instant::now();
        case.write(".git/index.lock", "");
        case.write("a.ts", "after");
        std::thread::sleep(PAUSE * 2);
        fs::remove_file(case.at("gone.ts")).unwrap();
        case.write("src/empty.ts", "");
        std::thread::sleep(PAUSE * 2);
        case.write("src/b.ts", "after");
        let early = case.news.try_recv();
        fs::rename(case.at(".git/index.lock"), case.at(".git/index")).unwrap();
        // On a machine that was too busy it may have looked as if git did nothing.
        let busy = start.elapsed() > burst::FRESH_LOCK / 4;
        let batch = case.told("src/b.ts", Some("after"));
        if !busy {
            assert!(early.is_err(), "told before the lock was released: {early:?}");
            assert_eq!(batch.paths, ["a.ts", "gone.ts", "src/b.ts", "src/empty.ts"].map(|file| case.at(file)));
            assert!(case.news.try_recv().is_err());
            return;
        }
        for file in ["a.ts", "gone.ts", "src/b.ts", "src/empty.ts"] {
            case.write(file, "before");
            case.told(file, Some("before"));
        }
    }
}

#[test]
fn a_worktree_has_a_lock_of_its_own() {
    let mut case = Case::new(&["main/.git/worktrees/w/index", "w/a.ts"]);
    case.write("w/.git", "gitdir: ../main/.git/worktrees/w");
    loop {
        let start = Instant::now();
        case.write("main/.git/worktrees/w/index.lock", "");
        case.write("w/a.ts", "after");
        std::thread::sleep(PAUSE * 2);
        let early = case.news.try_recv();
        fs::remove_file(case.at("main/.git/worktrees/w/index.lock")).unwrap();
        let busy = start.elapsed() > burst::FRESH_LOCK / 4;
        if early.is_err() {
            case.told("w/a.ts", Some("after"));
        }
        if !busy {
            return assert!(early.is_err(), "told before the lock was released: {early:?}");
        }
    }
}

#[test]
fn an_announced_edit_is_one_batch_with_all_that_was_done_before_its_end() {
    let mut case = Case::new(&["a.ts", "b.ts", "gone.ts", "src/c.ts"]);
    case.watch(&["src/new.ts"]);
    case.watcher.hold();
    case.armed();
    case.write("a.ts", "after");
    std::thread::sleep(PAUSE * 3);
    fs::remove_file(case.at("gone.ts")).unwrap();
    case.write("src/new.ts", "new");
    std::thread::sleep(PAUSE * 3);
    case.write("b.ts", "");
    assert!(case.news.try_recv().is_err(), "an edit that is under way was told");
    case.write("src/c.ts", "last");
    case.watcher.release();
    let batch = case.next();
    let expected = ["a.ts", "b.ts", "gone.ts", "src/c.ts", "src/new.ts"].map(|file| case.at(file));
    assert_eq!((batch.paths, batch.released), (expected.to_vec(), true));
    case.write("a.ts", "single");
    assert!(!case.told("a.ts", Some("single")).released);
}

#[test]
fn the_end_of_an_edit_without_changes_is_told_too() {
    for mut case in [Case::new(&["a.ts"]), Case::polling(&["a.ts"])] {
        case.watcher.hold();
        case.watcher.release();
        assert_eq!((case.next().paths, case.news.try_recv().is_err()), (vec![], true));
    }
}

#[test]
fn whoever_waits_for_quiet_is_told_once_when_nothing_comes_any_more() {
    let mut case = Case::new(&["a.ts"]);
    case.watcher.await_quiet();
    case.watcher.await_quiet();
    let start = Instant::now();
    loop {
        match case.news.try_recv() {
            Ok(Event::Quiet) => break,
            Ok(other) => panic!("unexpected {other:?}"),
            Err(_) => assert!(start.elapsed() < PATIENCE),
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(start.elapsed() >= PAUSE, "told after {:?}", start.elapsed());
    case.write("a.ts", "after");
    case.told("a.ts", Some("after"));
}

#[test]
fn the_thread_ends_with_its_handle() {
    let case = Case::new(&["a.ts"]);
    let Case { watcher, mut news, folder, .. } = case;
    drop(watcher);
    let start = Instant::now();
    while !matches!(news.try_recv(), Err(tokio::sync::mpsc::error::TryRecvError::Disconnected)) {
        assert!(start.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(folder);
}
