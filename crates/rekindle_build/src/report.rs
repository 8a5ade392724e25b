//! What a build made, and how far it is.

use std::path::PathBuf;

/// What a build made.
#[derive(Clone, Debug, serde::Serialize)]
pub struct BuildReport {
    pub out_dir: PathBuf,
    /// Files of the output but not those of the public folder; pages first, scripts last.
    pub files: Vec<OutputFile>,
    /// How many public files were copied.
    pub public_files: usize,
    /// How many modules went into it.
    pub modules: usize,
    pub warnings: Vec<String>,
    /// Milliseconds.
    pub time: u64,
}

/// One file of the output.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct OutputFile {
    /// Below the output folder, with forward slashes.
    pub name: String,
    pub kind: FileKind,
    pub size: u64,
    /// `None` for what is compressed already, and if it is not to be told.
    pub gzip: Option<u64>,
    /// Size of its source map.
    pub map: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    Page,
    Asset,
    Style,
    Script,
}

/// How far a build is, for who shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many modules were transformed.
    Transforming(usize),
    Rendering,
    Writing,
}
