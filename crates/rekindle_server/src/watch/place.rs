//! Where news of an item shows up: by real paths, since that is how the system names things.

use std::fs;
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use super::item::{Item, Kind};

/// Where events about an item show up. Real paths, since that is how the system names things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WatchLocation {
    /// The file; for a symbolic link also its target; for what is missing the first missing folder on the way.
    pub spots: Vec<PathBuf>,
    /// For a folder that exists: the folder.
    pub listing: Option<PathBuf>,
    /// A new listing at a spot may lead elsewhere: links, and stand-ins for what is missing.
    pub moves: bool,
}

impl WatchLocation {
    pub fn folders(&self) -> impl Iterator<Item = &Path> {
        self.spots.iter().filter_map(|spot| spot.parent()).chain(self.listing.as_deref())
    }
}

/// The place of an item, as the folders and links on the way to it stand now.
pub(super) fn resolve(item: &Item, real: &mut FxHashMap<PathBuf, PathBuf>) -> WatchLocation {
    match item.kind {
        Kind::File => resolve_file(&item.path, real),
        Kind::Folder => resolve_folder(&item.path),
    }
}

/// `real` remembers the real paths of folders within one call of `watch_files`.
fn resolve_file(path: &Path, real: &mut FxHashMap<PathBuf, PathBuf>) -> WatchLocation {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return WatchLocation::default() };
    let folder = match real.get(parent) {
        Some(folder) => folder.clone(),
        None => match real_folder(parent) {
            Some(folder) => real.entry(parent.to_owned()).or_insert(folder).clone(),
            None => return stand_in(path),
        },
    };
    let spot = folder.join(name);
    let Ok(target) = fs::read_link(&spot) else {
        return WatchLocation { spots: vec![spot], listing: None, moves: false };
    };
    let target = match spot.canonicalize() {
        Ok(target) => target,
        Err(_) => stand_in(&folder.join(target)).spots.pop().unwrap_or_else(|| spot.clone()),
    };
    WatchLocation { spots: vec![spot, target], listing: None, moves: true }
}

fn resolve_folder(path: &Path) -> WatchLocation {
    match real_folder(path) {
        Some(folder) => WatchLocation { spots: Vec::new(), listing: Some(folder), moves: false },
        None => stand_in(path),
    }
}

/// Where the next step towards a missing path would appear.
fn stand_in(path: &Path) -> WatchLocation {
    let spot = path.ancestors().find_map(|step| Some(real_folder(step.parent()?)?.join(step.file_name()?)));
    WatchLocation { spots: spot.into_iter().collect(), listing: None, moves: true }
}

fn real_folder(path: &Path) -> Option<PathBuf> {
    path.canonicalize().ok().filter(|path| path.is_dir())
}
