//! What a build made, and how far it is.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// What a build made.
#[derive(Clone, Debug, serde::Serialize)]
pub struct BuildReport {
    /// The output folder, absolute.
    pub out_dir: PathBuf,
    /// Files of the output but not those of the public folder; pages first, scripts last.
    pub files: Vec<OutputFile>,
    /// How many public files were copied.
    pub public_files: usize,
    /// How many modules went into it.
    pub modules: usize,
    /// What works, but is probably not what the user means; a sentence each.
    pub warnings: Vec<String>,
    /// How long the build took, in milliseconds.
    pub time: u64,
}

/// One file of the output.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct OutputFile {
    /// Below the output folder, with forward slashes.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// In bytes.
    pub size: u64,
    /// Its size with gzip, in bytes. `None` for what is compressed already, and if it is not to be told.
    pub gzip: Option<u64>,
    /// Size of its source map in bytes, if it has one.
    pub map: Option<u64>,
}

/// What a file of the output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// HTML.
    Page,
    /// An image, a font, or any other file that is named by its address.
    Asset,
    /// CSS.
    Style,
    /// JavaScript.
    Script,
}

/// How far a build is, for who shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many modules were transformed.
    Transforming(usize),
    /// The chunks are being written as text.
    Rendering,
    /// The files are being written.
    Writing,
}

/// Counts while the bundles of a build are made, for whoever shows how far it is.
#[derive(Debug, Default)]
pub(crate) struct ProgressMeter {
    modules: AtomicUsize,
    /// All modules of the pages are there, and their chunks are being written.
    is_rendering: AtomicBool,
}

impl ProgressMeter {
    /// How far the bundler is.
    pub fn progress(&self) -> Progress {
        if self.is_rendering.load(Ordering::Relaxed) {
            Progress::Rendering
        } else {
            Progress::Transforming(self.modules())
        }
    }

    /// How many modules were transformed.
    pub fn modules(&self) -> usize {
        self.modules.load(Ordering::Relaxed)
    }

    pub fn count_module(&self) {
        self.modules.fetch_add(1, Ordering::Relaxed);
    }

    pub fn begin_rendering(&self) {
        self.is_rendering.store(true, Ordering::Relaxed);
    }

    /// The pages are bundled once more, from where there were this many modules.
    pub fn begin_again(&self, modules: usize) {
        self.modules.store(modules, Ordering::Relaxed);
        self.is_rendering.store(false, Ordering::Relaxed);
    }
}
