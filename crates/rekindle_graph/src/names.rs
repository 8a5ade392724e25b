//! Names of things: a file on disk and a module in the browser are never the same string type.

use std::borrow::Borrow;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An absolute path on disk, symbolic links resolved where the file exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FilePath(Arc<Path>);

impl FilePath {
    /// Takes `path` as it is: nothing is resolved or looked up.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(Arc::from(path.into()))
    }

    /// The path, to read the file.
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl AsRef<Path> for FilePath {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Borrow<Path> for FilePath {
    fn borrow(&self) -> &Path {
        &self.0
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

/// A module's name in the browser: root-relative with a leading slash, plus its query (`/src/app.tsx`,
/// `/logo.svg?raw`). Outside the root: `/@fs/` and the absolute path. Decoded text: spaces and letters
/// beyond ASCII stand as they are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleUrl(Arc<str>);

impl ModuleUrl {
    /// Takes `url` as it is: it begins with a slash and is not escaped.
    pub fn new(url: impl Into<Arc<str>>) -> Self {
        Self(url.into())
    }

    /// The whole name, with its query.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address without its query.
    pub fn path(&self) -> &str {
        self.0.split_once('?').map_or(&self.0, |(path, _)| path)
    }

    /// The query without its question mark; empty when there is none.
    pub fn query(&self) -> &str {
        self.0.split_once('?').map_or("", |(_, query)| query)
    }

    /// Whether the query has a part of this name: `direct` in `/a.css?v=1&direct`.
    pub fn asks_for(&self, name: &str) -> bool {
        self.query().split('&').any(|part| part == name)
    }
}

impl Borrow<str> for ModuleUrl {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModuleUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl serde::Serialize for ModuleUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for ModuleUrl {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
