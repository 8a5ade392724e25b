//! Paths where a file was looked for and something else was found: a named pipe, a device, a folder.
//!
//! ```text
//! mkfifo .env.local    →  ".env.local is a named pipe, not a file, and is left out", once
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::files::file::{holds_query, oddity};

/// Paths at which a file was expected and something else was found, so that it was left out. Clones share one list.
#[derive(Clone, Debug, Default)]
pub struct SkippedPaths {
    paths: Arc<Mutex<Paths>>,
}

/// Invariant: `fresh` is part of `told`.
#[derive(Debug, Default)]
struct Paths {
    fresh: BTreeSet<PathBuf>,
    told: BTreeSet<PathBuf>,
}

impl SkippedPaths {
    /// Notes a path if something odd is there; true if so.
    pub fn note(&self, path: &Path) -> bool {
        let is_odd = oddity(path).is_some();
        let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
        if is_odd && paths.told.insert(path.to_owned()) {
            paths.fresh.insert(path.to_owned());
        }
        is_odd
    }

    /// Notes what has the name of a glob's match and is none.
    pub fn note_match(&self, path: &Path) {
        if !self.note(path) && holds_query(path) {
            let mut paths = self.paths.lock().unwrap_or_else(PoisonError::into_inner);
            if paths.told.insert(path.to_owned()) {
                paths.fresh.insert(path.to_owned());
            }
        }
    }

    /// What was noted since the last call, with the reason; each path once.
    ///
    /// ```text
    /// .env.local   is a named pipe, not a file, and is left out
    /// ```
    pub fn take(&self) -> Vec<(PathBuf, String)> {
        let fresh = std::mem::take(&mut self.paths.lock().unwrap_or_else(PoisonError::into_inner).fresh);
        let reason = |path: &Path| match oddity(path) {
            Some(name) => Some(format!("is {name}, not a file, and is left out")),
            None if holds_query(path) => {
                Some("has a `?` in its name, where the query of an address begins, and is left out".to_owned())
            }
            None => None,
        };
        fresh.into_iter().filter_map(|path| reason(&path).map(|reason| (path, reason))).collect()
    }

    /// Whether a path that was left out is a file by now, or gone. It is not left out any more then.
    pub fn returned(&self, path: &Path) -> bool {
        oddity(path).is_none()
            && !holds_query(path)
            && self.paths.lock().unwrap_or_else(PoisonError::into_inner).told.remove(path)
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;

    use super::*;
    use crate::files::file::make_pipe;

    #[test]
    fn what_was_left_out_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        make_pipe(&pipe);
        let left_out = SkippedPaths::default();
        assert!(left_out.note(&pipe) && left_out.clone().note(&pipe));
        assert!(!left_out.note(dir.path()));
        assert_eq!(left_out.take(), [(pipe.clone(), "is a named pipe, not a file, and is left out".to_owned())]);
        left_out.note(&pipe);
        assert_eq!(left_out.take(), []);
        assert!(!left_out.returned(&pipe) && !left_out.returned(dir.path()));
        fs::remove_file(&pipe).unwrap();
        assert!(left_out.returned(&pipe) && !left_out.returned(&pipe));
        make_pipe(&pipe);
        left_out.note(&pipe);
        assert_eq!(left_out.take().len(), 1);
    }
}
