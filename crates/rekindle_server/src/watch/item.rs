//! What is watched: the content of a file, or the listing of a folder.

use std::path::Path;
use std::sync::Arc;

/// What was asked for: a file's content or a folder's listing, by the name the loop uses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Item {
    pub kind: Kind,
    pub path: Arc<Path>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    File,
    Folder,
}

/// The content of the file at a path.
pub(super) fn file(path: &Arc<Path>) -> Item {
    Item { kind: Kind::File, path: path.clone() }
}

/// The listing of the folder at a path.
pub(super) fn folder(path: &Arc<Path>) -> Item {
    Item { kind: Kind::Folder, path: path.clone() }
}
