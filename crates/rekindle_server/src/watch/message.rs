//! What the watching thread is told: by its handle, by the system, and by itself.

use std::path::PathBuf;
use std::sync::Arc;

#[cfg(test)]
use std::sync::mpsc::Sender;
use std::time::{Instant, SystemTime};

pub(super) type Backend = Box<dyn notify::Watcher + Send>;
pub(super) type Handler = Box<dyn Fn(notify::Result<notify::Event>) + Send>;
/// Takes a line for the terminal.
pub(super) type Report = Arc<dyn Fn(String) + Send + Sync>;

/// One message to the thread.
pub(super) enum Message {
    /// Files that were read after a time.
    WatchFiles(Vec<PathBuf>, SystemTime),
    WatchFolders(Vec<PathBuf>),
    UnwatchFiles(Vec<PathBuf>),
    /// From notify's thread and stamped there: the latency that the user reads begins here.
    Noticed(Instant, notify::Result<notify::Event>),
    /// Sent by the thread to itself, behind all events that are on their way: the system has not told of changes that those do
    /// not explain.
    Judge,
    /// Keep all news until `Release`.
    Hold,
    /// Tell all news, with what a look at every file finds.
    Release,
    /// Sent by the thread to itself like `Judge`: when it arrives, all that was done before has been taken in.
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
