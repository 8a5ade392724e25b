//! Where the text of a module is, and from where its specifiers are seen.

use rekindle_graph::FilePath;

/// Where the source of a module comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    File,
    /// A script written into a page: its text at the line and column where it stands there.
    Inline {
        text: String,
        /// The page where it would be for what the script names to be beside it, if a `<base>` says so: `/lib/page.html`.
        as_if: Option<FilePath>,
    },
}

impl Source {
    /// The file that specifiers in the module are relative to; `file` is where it is written.
    pub fn seen_from<'f>(&'f self, file: &'f FilePath) -> &'f FilePath {
        match self {
            Self::Inline { as_if: Some(as_if), .. } => as_if,
            Self::Inline { as_if: None, .. } | Self::File => file,
        }
    }
}
