//! A path with news that the loop has not been told: what has happened to it, and whether it is whole by now.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::snapshot::Snapshot;

/// Editors save by removing or renaming away and writing anew; only what stays away this long is gone.
pub(super) const VANISHED: Duration = Duration::from_millis(30);
/// Most writers truncate first; an empty or half-written file gets this long to become whole.
pub(super) const UNFINISHED: Duration = Duration::from_millis(60);
/// Whether the system tells that a writer has closed its file.
pub(super) const TELLS_CLOSE: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// A path with news that the loop has not been told.
#[derive(Debug)]
pub(super) struct Pending {
    pub noticed: Instant,
    /// There is news since the last look.
    pub active: bool,
    /// Otherwise: when to look again.
    pub again: Instant,
    /// Somebody has written and not closed.
    pub open: bool,
    /// It was created or renamed to; a folder is rescanned then.
    pub appeared: bool,
    pub folder: bool,
    /// It is told when the installation of packages is over.
    pub is_of_install: bool,
    pub look: Option<Snapshot>,
    pub missing_since: Option<Instant>,
    pub unfinished_since: Option<Instant>,
    /// Watched folders whose listing this path belongs to.
    pub listed_by: Vec<Arc<Path>>,
}

/// What has happened to a path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PathChange {
    Written,
    Closed,
    Metadata,
    Appeared,
    Vanished,
    /// Something about the path; the system does not say what.
    Any,
}

impl Pending {
    /// When to look again, or `None` if the loop can be told now.
    pub fn held_until(
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
