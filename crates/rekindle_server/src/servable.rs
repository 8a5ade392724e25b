//! A file that may be sent. Only the graph's admissions and the listings build one, so no request can name a path.

use std::path::{Path, PathBuf};

/// Proof that a file was admitted by the server's own walk (rule R1 of the security notes).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Servable(PathBuf);

impl Servable {
    /// Only for code that found the file by walking (the graph's links, a folder's listing), never from a request.
    pub(crate) fn admit(real_path: PathBuf) -> Self {
        Self(real_path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}
