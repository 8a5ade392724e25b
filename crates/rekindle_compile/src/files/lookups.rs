//! What the meaning of a name depends on besides the file that it leads to.
//!
//! ```text
//! ./now/v.js   through the link now → lib/1     now is turned: another file
//! ./x          found as x.ts, and x.mjs was not there     x.mjs appears: another file
//! ```

use std::fs;
use std::hash::BuildHasher;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};

/// What was seen of the disk while files were looked for: symbolic links, and where each led; and what was not there, whose
/// appearing may give a name another meaning. Clones share one list.
#[derive(Clone, Debug, Default)]
pub struct Lookups {
    /// The project's folder: files that might appear outside of it are not waited for.
    root: PathBuf,
    seen: Arc<Mutex<LookupRecord>>,
}

/// Invariant: `fresh_links` are keys of `targets`, `fresh_folders` are in `folders`.
#[derive(Debug, Default)]
struct LookupRecord {
    targets: FxHashMap<PathBuf, PathBuf>,
    fresh_links: Vec<PathBuf>,
    /// Digests of the paths that were not there. There are many, and a wrong one only costs a look.
    absent: FxHashSet<u64>,
    /// Folders in which those would be.
    folders: FxHashSet<PathBuf>,
    fresh_folders: Vec<PathBuf>,
}

impl Lookups {
    /// Nothing was seen yet; `root` is the project's folder.
    pub fn of(root: &Path) -> Self {
        Self { root: root.to_owned(), ..Self::default() }
    }

    fn seen(&self) -> MutexGuard<'_, LookupRecord> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note_link(&self, link: &Path, target: &Path) {
        let mut seen = self.seen();
        if seen.targets.insert(link.to_owned(), target.to_owned()).is_none() {
            seen.fresh_links.push(link.to_owned());
        }
    }

    /// Files that appear inside packages are noticed by the installation that brings them.
    pub(crate) fn note_absent(&self, path: &Path) {
        let Some(folder) = path.parent() else { return };
        let is_around = folder != self.root && self.root.starts_with(folder);
        if is_around || folder.components().any(|part| part.as_os_str() == "node_modules") {
            return;
        }
        let mut seen = self.seen();
        if seen.absent.insert(digest_of(path)) && !seen.folders.contains(folder) {
            seen.folders.insert(folder.to_owned());
            seen.fresh_folders.push(folder.to_owned());
        }
    }

    /// The links that were followed for the first time since the last call.
    pub fn take_links(&self) -> Vec<PathBuf> {
        std::mem::take(&mut self.seen().fresh_links)
    }

    /// Folders in which something was not there for the first time since the last call.
    pub fn take_folders(&self) -> Vec<PathBuf> {
        std::mem::take(&mut self.seen().fresh_folders)
    }

    /// Whether a name may mean another file, now that something has happened to `path`: a link that was followed leads elsewhere or
    /// is gone, or what was not there is.
    pub fn may_differ(&self, path: &Path) -> bool {
        let seen = self.seen();
        let is_turned = |target: &PathBuf| fs::read_link(path).ok().as_ref() != Some(target);
        seen.targets.get(path).is_some_and(is_turned) || (seen.absent.contains(&digest_of(path)) && path.exists())
    }
}

fn digest_of(path: &Path) -> u64 {
    FxBuildHasher.hash_one(path)
}

/// The symbolic links on the way of a path to the file `real`.
pub(crate) fn links_on_the_way(path: &Path, real: &Path) -> Vec<PathBuf> {
    let is_direct = path == real;
    let links = path.ancestors().take_while(|_| !is_direct).filter(|part| part.is_symlink());
    links.map(Path::to_owned).collect()
}
