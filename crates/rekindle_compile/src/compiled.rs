//! What compiling a module gives: its definition, and what its specifiers mean now.

use std::path::PathBuf;

use rekindle_graph::{Definition, Diagnostic, FilePath, Link, ModuleUrl};

/// A compiled module with what its specifiers mean now.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub result: Result<Definition, Vec<Diagnostic>>,
    pub links: Links,
    /// Files that went into it besides its own, also when it failed: an edit of one compiles it anew.
    pub files: Vec<FilePath>,
}

/// The meanings of a module's specifiers, and what was learned on the way.
#[derive(Clone, Debug, Default)]
pub struct Links {
    pub links: Vec<Link>,
    /// For each `import.meta.glob`: key and module.
    pub globs: Vec<Vec<(String, ModuleUrl)>>,
    /// Files behind the modules named above.
    pub files: Vec<(ModuleUrl, FilePath)>,
    /// Assets whose addresses are named above.
    pub assets: Vec<(String, FilePath)>,
    /// Imports without which the module cannot run.
    pub errors: Vec<Diagnostic>,
    /// Folders whose listing matters: of missing files and of globs.
    pub folders: Vec<PathBuf>,
    /// Modules of Node that a package imports: the module and who imports it.
    pub of_node: Vec<(String, String)>,
}

/// What a glob matches.
pub(crate) struct GlobExpansion {
    /// Key, file and module.
    pub entries: Vec<(String, FilePath, ModuleUrl)>,
    /// Folders whose listing decided.
    pub folders: Vec<PathBuf>,
    /// What is wrong with the call.
    pub mistake: Option<String>,
}
