//! What the bundles of one build share: that of the pages, and one for each worker.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;
use tokio::sync::OnceCell;

use crate::bundle::role::WorkerScript;
use crate::report::ProgressMeter;
use crate::session::Session;

/// Shared by all bundles of a build.
pub(crate) struct BundleContext {
    pub session: Arc<Session>,
    pub progress: Arc<ProgressMeter>,
    /// Workers that pages start, by their script and whether they are classic: each is built once, however many start it.
    pub workers: Mutex<FxHashMap<(PathBuf, bool), WorkerCell>>,
}

/// A worker that is built by the first who needs it; `None` if that failed.
pub(crate) type WorkerCell = Arc<OnceCell<Option<WorkerScript>>>;

impl BundleContext {
    pub fn new(session: Arc<Session>, progress: Arc<ProgressMeter>) -> Self {
        Self { session, progress, workers: Mutex::default() }
    }
}
