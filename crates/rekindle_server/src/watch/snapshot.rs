//! How a file or folder looked at a moment: its metadata, by which a later look tells whether it has changed.

use std::fs;
use std::fs::Metadata;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Two writes within one tick of the file system's clock carry the same time.
pub(super) const CLOCK_TICK: Duration = Duration::from_millis(20);

/// The metadata that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub modified: Option<SystemTime>,
    pub size: u64,
    pub identity: (u64, u64),
    pub folder: bool,
}

impl Snapshot {
    /// Whether it was changed after a time, or may have been.
    pub fn is_after(&self, time: SystemTime) -> bool {
        self.modified.is_none_or(|modified| modified > time)
    }

    /// Time since the last change; zero for one in the future.
    pub fn age(&self) -> Duration {
        self.modified.and_then(|modified| SystemTime::now().duration_since(modified).ok()).unwrap_or_default()
    }
}

/// The metadata of what is at a path now; `None` if there is nothing.
pub(crate) fn look_at(path: &Path) -> Option<Snapshot> {
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
