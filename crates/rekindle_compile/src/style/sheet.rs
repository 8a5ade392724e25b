//! What goes into the compiler of sheets and comes out of it.

use std::fmt;
use std::path::{Path, PathBuf};

use rekindle_graph::{Diagnostic, FilePath};

use crate::style::settings::StyleOptions;

/// A stylesheet and how to reach the files around it.
pub struct StyleInput<'a> {
    pub file: &'a Path,
    pub source: &'a str,
    /// A CSS module: names of classes, ids and keyframes become unique.
    pub modules: bool,
    pub options: &'a StyleOptions,
    /// The name of a file for diagnostics, relative to the root where it lies inside. Names of CSS modules depend on it.
    pub display: &'a dyn Fn(&Path) -> String,
    /// Resolves a specifier as written in CSS, seen from a file.
    pub resolve: &'a (dyn Fn(&str, &Path) -> Option<PathBuf> + Sync),
    pub read: &'a (dyn Fn(&Path) -> std::io::Result<String> + Sync),
}

/// CSS for the browser, once the addresses are filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StyleOutput {
    pub css: String,
    pub urls: Vec<StyleUrl>,
    /// Local name → names for the `class` attribute, in source order. `None` unless it is a CSS module.
    pub class_map: Option<Vec<(String, String)>>,
    /// The other files that were read.
    pub files: Vec<FilePath>,
    /// What a browser skips in silence: the sheet works without it.
    pub warnings: Vec<Diagnostic>,
}

/// A local address. `placeholder` stands inside double quotes in the CSS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StyleUrl {
    pub placeholder: String,
    /// Relative to the folder of the main stylesheet (`./…`, `../…`), or from the root (`/…`); with query and fragment.
    pub specifier: String,
    /// Byte range in the main stylesheet, if it stands there.
    pub offset: Option<(u32, u32)>,
}

/// What stands in the CSS for the address of the URL with this number.
pub fn placeholder(number: usize) -> String {
    format!("__rekindle_url_{number}__")
}

/// Why a stylesheet could not be compiled, and the files whose change could help: those read and those missed.
#[derive(Clone, PartialEq, Eq)]
pub struct StyleError {
    pub diagnostics: Vec<Diagnostic>,
    pub files: Vec<FilePath>,
}

impl fmt::Debug for StyleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.diagnostics.iter().map(|diagnostic| &diagnostic.message)).finish()
    }
}
