//! Who is watched, and where: the folders in which news of an item shows up are armed, and placed anew when they move.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use notify::RecursiveMode;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{FolderWatch, WatchThread, Watched, limit};
use crate::watch::item::{Item, Kind};
use crate::watch::pending::PathChange;
use crate::watch::place::{WatchLocation, resolve};
use crate::watch::snapshot::look_at;

/// A file that changed this shortly before the loop read it, at the earliest, may have changed after that.
const RECENT_CHANGE: Duration = Duration::from_millis(1000);

impl WatchThread {
    pub(super) fn watch(&mut self, kind: Kind, paths: Vec<PathBuf>, since: SystemTime) {
        let mut real = FxHashMap::default();
        for path in paths {
            let item = Item { kind, path: Arc::from(path) };
            if self.watched.contains_key(&item) {
                continue;
            }
            self.watched.insert(item.clone(), Watched::default());
            self.place(&item, &mut real);
            self.first_look(&item, since);
        }
    }

    pub(super) fn unwatch_file(&mut self, path: PathBuf) {
        let item = Item { kind: Kind::File, path: Arc::from(path) };
        if let Some(watched) = self.watched.remove(&item) {
            self.release(&item, &watched.place);
            self.suspects.remove(&item);
        }
    }

    /// Arms the folders where news of the item shows up. What moves between resolving and arming would go unnoticed,
    /// so whenever a folder was armed the item is resolved again.
    pub(super) fn place(&mut self, item: &Item, real: &mut FxHashMap<PathBuf, PathBuf>) {
        if self.backend.is_none() {
            return;
        }
        for _ in 0..8 {
            let place = resolve(item, real);
            let mut armed_some = false;
            for folder in place.folders().map(Path::to_owned).collect::<Vec<_>>() {
                armed_some |= self.arm(&folder);
            }
            if self.backend.is_none() {
                return; // The limit is reached: everything is looked at in turn from now on.
            }
            for spot in &place.spots {
                self.spots.entry(spot.clone()).or_default().push(item.clone());
            }
            if let Some(listing) = &place.listing {
                self.listings.entry(listing.clone()).or_default().push(item.clone());
            }
            let Some(watched) = self.watched.get_mut(item) else { return };
            let before = std::mem::replace(&mut watched.place, place.clone());
            // Released after the new place is armed, so that a folder in both stays armed.
            self.release(item, &before);
            if !armed_some {
                return;
            }
            real.clear();
        }
    }

    fn release(&mut self, item: &Item, place: &WatchLocation) {
        for spot in &place.spots {
            remove_one(&mut self.spots, spot, item);
        }
        if let Some(listing) = &place.listing {
            remove_one(&mut self.listings, listing, item);
        }
        for folder in place.folders() {
            let Some(armed) = self.armed.get_mut(folder) else { continue };
            armed.users -= 1;
            if armed.users == 0 {
                self.armed.remove(folder);
                self.disarm(folder);
            }
        }
    }

    /// Adds a user to a folder's watch; true when the watch is new.
    fn arm(&mut self, folder: &Path) -> bool {
        let users = match self.armed.get_mut(folder) {
            Some(armed) if armed.live => {
                armed.users += 1;
                return false;
            }
            Some(armed) => armed.users + 1,
            None => 1,
        };
        let Some(backend) = &mut self.backend else { return false };
        let result = backend.watch(folder, RecursiveMode::NonRecursive);
        if let Some(reason) = result.as_ref().err().and_then(limit) {
            self.poll_because(reason);
            return false;
        }
        if let Err(error) = &result {
            tracing::debug!(%error, folder = %folder.display(), "no watch");
        }
        let identity = look_at(folder).map(|look| look.identity);
        self.armed.insert(folder.to_owned(), FolderWatch { users, live: true, identity, refused: result.is_err() });
        true
    }

    fn disarm(&mut self, folder: &Path) {
        if let Some(armed) = self.armed.get_mut(folder) {
            armed.live = false;
        }
        if let Some(backend) = &mut self.backend {
            // It fails when the folder is gone, and then there is nothing to take back.
            let _ = backend.unwatch(folder);
        }
    }

    /// Looks at an item whose folders have just been armed, since the system does not tell what happened before. `since`: when
    /// the item was read at the earliest.
    pub(super) fn first_look(&mut self, item: &Item, since: SystemTime) {
        let look = look_at(&item.path);
        let Some(watched) = self.watched.get_mut(item) else { return };
        let changed = watched.seen.is_some() && watched.seen != look;
        let nearest = match &look {
            Some(_) => None,
            // A removal shows in the folder.
            None => watched.place.spots.first().map_or(&*item.path, |spot| spot).parent().and_then(look_at),
        };
        let fresh =
            look.or(nearest).is_some_and(|look| look.is_after(since.checked_sub(RECENT_CHANGE).unwrap_or(since)));
        if watched.seen.is_none() {
            watched.saw(look);
        }
        if changed || fresh {
            self.note(&item.path.clone(), Instant::now(), PathChange::Any);
        }
    }

    /// A folder came, went or moved, and with it what is below. The system's watches follow the old folder or are gone.
    pub(super) fn moved(&mut self, path: &Path, at: Instant) {
        let folders: Vec<PathBuf> = below(&self.armed, path).map(|(folder, _)| folder.clone()).collect();
        let items: FxHashSet<Item> = below(&self.spots, path)
            .filter(|(spot, _)| spot.as_path() != path)
            .chain(below(&self.listings, path))
            .flat_map(|(_, items)| items.iter().cloned())
            .collect();
        if folders.is_empty() && items.is_empty() {
            return;
        }
        for folder in &folders {
            self.disarm(folder);
        }
        self.saved(path, at);
        let mut real = FxHashMap::default();
        for item in items {
            self.place(&item, &mut real);
            if look_at(&item.path).is_some() || self.watched.get(&item).is_some_and(|watched| watched.seen.is_some()) {
                // What a folder got before it was armed again is not told: it is looked through.
                self.note(
                    &item.path,
                    at,
                    if item.kind == Kind::Folder { PathChange::Appeared } else { PathChange::Any },
                );
            }
        }
    }

    /// A folder that could not be read may be readable now: its files are as good as new.
    pub(super) fn opened(&mut self, path: &Path, at: Instant) {
        let items = below(&self.spots, path).chain(below(&self.listings, path)).flat_map(|(_, items)| items);
        let folders: FxHashSet<Item> = items.filter(|item| item.kind == Kind::Folder).cloned().collect();
        self.moved(path, at);
        for folder in folders {
            if look_at(&folder.path).is_some() {
                self.note(&folder.path, at, PathChange::Appeared);
            }
        }
    }
}

/// `path` and everything below it; paths are ordered by components, so they stand side by side.
fn below<'a, T>(map: &'a BTreeMap<PathBuf, T>, path: &'a Path) -> impl Iterator<Item = (&'a PathBuf, &'a T)> {
    map.range::<Path, _>((Bound::Included(path), Bound::Unbounded)).take_while(move |(key, _)| key.starts_with(path))
}

fn remove_one(map: &mut BTreeMap<PathBuf, Vec<Item>>, key: &Path, item: &Item) {
    let Some(items) = map.get_mut(key) else { return };
    if let Some(at) = items.iter().position(|other| other == item) {
        items.swap_remove(at);
    }
    if items.is_empty() {
        map.remove(key);
    }
}
