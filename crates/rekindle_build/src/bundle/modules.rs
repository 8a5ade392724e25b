//! What the plugin learns of modules while rolldown bundles them: its own until the bundle is done, then part of the result.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use rolldown_common::OutputChunk;
use rustc_hash::{FxHashMap, FxHashSet};

/// What one run of rolldown gives.
#[derive(Default)]
pub(crate) struct Bundle {
    pub chunks: Vec<Arc<OutputChunk>>,
    pub modules: BundledModules,
}

/// The modules of one bundle, by their ids.
#[derive(Debug, Default)]
pub(crate) struct BundledModules {
    /// The sheets that modules stand for.
    pub sheets: FxHashMap<String, Arc<str>>,
    /// What each module imports statically, in order.
    pub imports: FxHashMap<String, Vec<String>>,
    /// Modules that do something when they run, besides making what they export.
    pub effects: FxHashSet<String>,
    /// Files that went into the bundle, and into the workers that it starts.
    pub sources: BTreeSet<PathBuf>,
}
