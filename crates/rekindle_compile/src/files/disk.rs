//! The disk as the resolver of packages reads it: files as `file.rs` reads them, and what was seen on the way is noted.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::{fs, io};

use oxc_resolver::{FileMetadata, FileSystem, FileSystemOs, ResolveError, ResolverGeneric};

use crate::files::file::{read, read_text};
use crate::files::lookups::Lookups;

/// Resolves specifiers against the disk.
pub(crate) type DiskResolver = ResolverGeneric<Disk>;

/// The disk, as oxc's resolver reads it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    pub lookups: Lookups,
}

impl Disk {
    fn noted<T>(&self, path: &Path, result: io::Result<T>) -> io::Result<T> {
        if result.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            self.lookups.note_absent(path);
        }
        result
    }
}

impl FileSystem for Disk {
    fn new(_yarn_pnp: bool) -> Self {
        Self::default()
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.noted(path, read(path))
    }

    fn read_to_string(&self, path: &Path) -> io::Result<String> {
        self.noted(path, read_text(path))
    }

    fn metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        self.noted(path, FileSystemOs::metadata(path))
    }

    fn symlink_metadata(&self, path: &Path) -> io::Result<FileMetadata> {
        self.noted(path, FileSystemOs::symlink_metadata(path))
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf, ResolveError> {
        let target = FileSystemOs::read_link(path)?;
        // As the system has it, to be compared with what it says later.
        self.lookups.note_link(path, &fs::read_link(path)?);
        Ok(target)
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        FileSystemOs::canonicalize(path)
    }
}
