//! What is bundled: the pages, or a worker, which is a program of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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

/// The script of a worker.
#[derive(Clone, Debug)]
pub(crate) struct WorkerScript {
    /// Its name in the output.
    pub name: String,
    pub code: String,
    /// Files that went into it, and into the workers that it starts.
    pub sources: BTreeSet<PathBuf>,
}
