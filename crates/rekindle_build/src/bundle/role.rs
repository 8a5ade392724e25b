//! What is bundled: the pages, or a worker, which is a program of its own.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;
use tokio::sync::OnceCell;

/// What is bundled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Pages,
    /// `around`: the workers that start this one, and at the end itself.
    Worker {
        classic: bool,
        around: Vec<PathBuf>,
    },
}

impl Role {
    /// Whether the output is a script that is no module.
    pub fn is_classic(&self) -> bool {
        matches!(self, Self::Worker { classic: true, .. })
    }

    /// Whether `file` is the worker itself.
    pub fn is_worker(&self, file: &Path) -> bool {
        matches!(self, Self::Worker { around, .. } if around.last().is_some_and(|own| own == file))
    }

    pub fn around(&self) -> &[PathBuf] {
        match self {
            Self::Pages => &[],
            Self::Worker { around, .. } => around,
        }
    }
}

/// The script of a worker: its name in the output, and its text.
#[derive(Clone, Debug)]
pub(crate) struct WorkerScript {
    pub name: String,
    pub code: String,
}

/// Workers that pages start: each is built once, however many start it.
#[derive(Default)]
pub(crate) struct Workers {
    pub built: Mutex<FxHashMap<(PathBuf, bool), Cell>>,
}

pub(crate) type Cell = Arc<OnceCell<Option<WorkerScript>>>;
