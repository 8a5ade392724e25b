//! What the version control systems around a file are doing, as their folders show it.
//!
//! ```text
//! .git/index.lock                                 git is changing files, or was killed while it did
//! .git/rebase-merge/  rebase-apply/  sequencer/   a series of commits is being replayed, or waits for a person
//! .git                                            a file in worktrees and submodules: "gitdir: …"
//! .hg/wlock  .sl/wlock  .jj/working_copy/…        the same of others
//! ```

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustc_hash::FxHashMap;

use super::burst::{Replay, SILENT_REBASE, STOPPED_REPLAY, VcsState};

/// Folders of git that are there while commits are replayed.
const REPLAYS: [&str; 3] = [REBASE, "rebase-apply", "sequencer"];
/// This one names the commit at which it has stopped for a person.
const REBASE: &str = "rebase-merge";
/// Folders of other systems, and the lock on the working copy in each.
const OTHER_VCS_LOCKS: [(&str, &str); 3] =
    [(".hg", "wlock"), (".sl", "wlock"), (".jj", "working_copy/working_copy.lock")];

/// Where a version control system shows what it is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Repository {
    /// The folder that holds the index: `.git`, or what the file `.git` names.
    Git(PathBuf),
    /// The lock of another system.
    Lock(PathBuf),
}

/// The repositories that folders are in, remembered for a while.
#[derive(Debug, Default)]
pub struct Repositories {
    known: FxHashMap<PathBuf, Arc<[Repository]>>,
}

impl Repositories {
    /// The repositories that `folder` is in, the innermost first.
    pub fn of_folder(&mut self, folder: &Path) -> Arc<[Repository]> {
        if let Some(known) = self.known.get(folder) {
            return known.clone();
        }
        let found: Arc<[Repository]> = folder.ancestors().flat_map(at).collect();
        self.known.insert(folder.to_owned(), found.clone());
        found
    }

    /// A repository may have been made or removed.
    pub fn forget(&mut self) {
        self.known.clear();
    }
}

/// The repositories whose top is `folder`.
fn at(folder: &Path) -> Vec<Repository> {
    let mut found = Vec::new();
    let git = folder.join(".git");
    if git.is_dir() {
        found.push(Repository::Git(git));
    } else if let Some(git) = named_in(&git, folder) {
        found.push(Repository::Git(git));
    }
    for (name, lock) in OTHER_VCS_LOCKS {
        if folder.join(name).is_dir() {
            found.push(Repository::Lock(folder.join(name).join(lock)));
        }
    }
    found
}

/// The folder that a `.git` file names. A file that is longer than one line is something else.
fn named_in(file: &Path, folder: &Path) -> Option<PathBuf> {
    const LONGEST: u64 = 8192;
    let metadata = fs::metadata(file).ok()?;
    if !metadata.is_file() || metadata.len() > LONGEST {
        return None;
    }
    let text = fs::read_to_string(file).ok()?;
    Some(folder.join(text.strip_prefix("gitdir:")?.trim()))
}

impl Repository {
    fn signs(&self) -> VcsState {
        match self {
            // A lock of Mercurial is a link that leads nowhere.
            Self::Lock(lock) => VcsState { lock: age(lock), replay: None },
            Self::Git(folder) => {
                let index = age(&folder.join("index"));
                let replays = REPLAYS.iter().filter_map(|name| {
                    let since = age(&folder.join(name))?;
                    let limit = match *name {
                        REBASE if folder.join(REBASE).join("stopped-sha").exists() => return None,
                        REBASE => SILENT_REBASE,
                        _ => STOPPED_REPLAY,
                    };
                    Some(Replay { rest: index.map_or(since, |index| index.min(since)), limit })
                });
                VcsState { lock: age(&folder.join("index.lock")), replay: replays.min() }
            }
        }
    }
}

/// What all of them show together.
pub fn signs<'a>(repositories: impl Iterator<Item = &'a Repository>) -> VcsState {
    repositories.map(Repository::signs).fold(VcsState::default(), |all, one| VcsState {
        lock: all.lock.into_iter().chain(one.lock).min(),
        replay: all.replay.into_iter().chain(one.replay).min(),
    })
}

/// Time since the entry changed, if it is there. One from the future, on a disk with a clock of its own, is as old as can be:
/// nothing must wait for it.
fn age(path: &Path) -> Option<Duration> {
    const CLOCK_TICK: Duration = Duration::from_millis(20);
    let modified = fs::symlink_metadata(path).ok()?.modified().ok()?;
    Some(match SystemTime::now().duration_since(modified) {
        Ok(age) => age,
        Err(ahead) if ahead.duration() <= CLOCK_TICK => Duration::ZERO,
        Err(_) => Duration::MAX,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(root: &Path, files: &[(&str, &str)]) {
        for (file, text) in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    fn look(repositories: &mut Repositories, folder: &Path) -> VcsState {
        signs(repositories.of_folder(folder).iter())
    }

    #[test]
    fn a_lock_is_seen_from_below_from_worktrees_and_from_submodules() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        make(
            root,
            &[
                ("main/.git/index", ""),
                ("main/packages/app/src/a.ts", ""),
                ("main/.git/worktrees/w/index", ""),
                ("w/.git", "gitdir: ../main/.git/worktrees/w\n"),
                ("main/sub/.git", "gitdir: ../.git/modules/sub\n"),
                ("main/.git/modules/sub/index", ""),
                ("hg/.hg/requires", ""),
                ("not/.git", "something else"),
            ],
        );
        let mut repositories = Repositories::default();
        let cases = [
            ("main/packages/app/src", "main/.git/index.lock"),
            ("w/src", "main/.git/worktrees/w/index.lock"),
            ("main/sub", "main/.git/modules/sub/index.lock"),
            ("main/sub", "main/.git/index.lock"),
            ("hg/src", "hg/.hg/wlock"),
        ];
        for (place, lock) in cases {
            assert_eq!(look(&mut repositories, &root.join(place)).lock, None, "{place}");
            fs::write(root.join(lock), "").unwrap();
            assert!(look(&mut repositories, &root.join(place)).lock.is_some(), "{place}");
            fs::remove_file(root.join(lock)).unwrap();
        }
        assert!(repositories.of_folder(&root.join("not")).is_empty());
    }

    #[test]
    fn a_repository_that_appears_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let mut repositories = Repositories::default();
        assert!(repositories.of_folder(folder.path()).is_empty());
        fs::create_dir(folder.path().join(".git")).unwrap();
        repositories.forget();
        assert_eq!(*repositories.of_folder(folder.path()), [Repository::Git(folder.path().join(".git"))]);
    }

    #[test]
    fn a_rebase_that_does_nothing_is_told_from_one_that_works() {
        let folder = tempfile::tempdir().unwrap();
        let git = folder.path().join(".git");
        make(folder.path(), &[(".git/index", ""), (".git/rebase-merge/done", "")]);
        let mut repositories = Repositories::default();
        assert!(look(&mut repositories, folder.path()).replay.unwrap().rest < Duration::from_secs(60));
        fs::write(git.join("rebase-merge/stopped-sha"), "").unwrap();
        assert_eq!(look(&mut repositories, folder.path()).replay, None, "for a person");
        fs::remove_file(git.join("rebase-merge/stopped-sha")).unwrap();
        let old = SystemTime::now() - Duration::from_secs(3600);
        for name in ["index", "rebase-merge"] {
            fs::File::open(git.join(name)).unwrap().set_modified(old).unwrap();
        }
        assert!(look(&mut repositories, folder.path()).replay.unwrap().rest >= Duration::from_secs(3600));
        fs::remove_dir_all(git.join("rebase-merge")).unwrap();
        assert_eq!(look(&mut repositories, folder.path()), VcsState::default());
    }

    #[test]
    fn a_lock_from_the_future_is_none_to_wait_for() {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), &[(".git/index.lock", "")]);
        let file = fs::File::options().write(true).open(folder.path().join(".git/index.lock")).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(3600)).unwrap();
        assert_eq!(look(&mut Repositories::default(), folder.path()).lock, Some(Duration::MAX));
    }
}
