//! The edits of a loop that are under way: announced ones, and the one that waits for the file that belongs to it.

use tokio::sync::oneshot;

use crate::programs::leases::{EditAnswer, Leases};
use crate::project::edit::Edit;
use crate::project::gaps::Gaps;

/// The edits of a loop that are under way.
#[derive(Default)]
pub struct Edits {
    /// In the graph and not published.
    pub waiting: Option<Edit>,
    pub gaps: Gaps,
    pub leases: Leases,
    /// Who waits for the end of all of them.
    pub awaiting: Vec<oneshot::Sender<()>>,
    /// Who ended the last lease and is told how many files there were.
    pub committers: Vec<oneshot::Sender<EditAnswer>>,
    /// Files of the last edit.
    pub files: usize,
}

impl Edits {
    /// Tabs and terminal are not told yet of all that is in the graph.
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }
}
