//! A file that may be sent. Only the graph's admissions and the listings build one, so no request can name a path.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rekindle_compile::files::file;

/// Proof that a file was admitted by the server's own walk (rule S1).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Servable(PathBuf);

/// An admitted file, opened to be sent.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub file: std::fs::File,
    pub length: u64,
    pub modified: Option<SystemTime>,
}

impl Servable {
    /// Only for code that found the file by walking (the graph's links, a folder's listing), never from a request.
    pub(crate) fn admit(real_path: PathBuf) -> Self {
        Self(real_path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Opens the file. What was admitted is this path and not where it may lead by now: a file that became a link, or
    /// whose folder did, counts as gone until the next listing admits it again.
    pub(crate) async fn open(&self) -> io::Result<OpenFile> {
        let path = self.path().to_owned();
        let opened = tokio::task::spawn_blocking(move || {
            if std::fs::canonicalize(&path)? != path {
                return Err(io::ErrorKind::NotFound.into());
            }
            let file = file::open(&path).map_err(|error| match error.kind() {
                // What is there now is no file.
                io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory => io::ErrorKind::NotFound.into(),
                _ => error,
            })?;
            let facts = file.metadata()?;
            Ok(OpenFile { length: facts.len(), modified: facts.modified().ok(), file })
        });
        opened.await.map_err(io::Error::other)?
    }
}
