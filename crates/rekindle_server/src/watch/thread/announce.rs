//! Telling the loop: paths that are whole go out in one batch; the others are looked at again.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::WatchThread;
use crate::event::{Event, FileBatch};
use crate::watch::item::{file, folder};
use crate::watch::pending::Pending;
use crate::watch::snapshot::{Snapshot, look_at};

/// Files of a folder that appeared are announced one by one up to this many.
const RESCAN_LIMIT: usize = 10_000;

impl WatchThread {
    /// Tells each path that is whole; the others are looked at again.
    pub(super) fn flush(&mut self, now: Instant) {
        self.burst.told();
        let due: Vec<Arc<Path>> = self
            .pending
            .iter()
            .filter(|(_, pending)| !pending.is_of_install && (pending.active || pending.again <= now))
            .map(|(path, _)| path.clone())
            .collect();
        let mut batch = FileBatch::default();
        for path in due {
            let look = look_at(&path);
            if self.held_until(&path, look, now).is_none()
                && let Some(pending) = self.pending.remove(&path)
            {
                self.announce(&path, pending, look, &mut batch);
            }
        }
        self.held_at = self.at_hand().map(|(_, pending)| pending.again).min();
        self.send(batch);
    }

    /// Paths with news that do not wait for an installation of packages.
    fn at_hand(&self) -> impl Iterator<Item = (&Arc<Path>, &Pending)> {
        self.pending.iter().filter(|(_, pending)| !pending.is_of_install)
    }

    /// Tells what was done in `node_modules`.
    pub(super) fn flush_install(&mut self) {
        self.install.end();
        let mut batch = FileBatch::default();
        let (of_install, others) = std::mem::take(&mut self.pending).into_iter().partition(|(_, it)| it.is_of_install);
        self.pending = others;
        for (path, pending) in of_install {
            self.announce(&path, pending, look_at(&path), &mut batch);
        }
        tracing::debug!(paths = batch.paths.len(), "packages were installed");
        self.send(batch);
    }

    /// Tells all paths, whole or not.
    pub(super) fn flush_as_it_is(&mut self, now: Instant, released: bool) {
        tracing::debug!(paths = self.pending.len(), released, "saves that belong together");
        self.burst.told();
        self.held_at = None;
        let mut batch = FileBatch { released, ..FileBatch::default() };
        if released {
            self.install.end();
        }
        let (waiting, told) =
            std::mem::take(&mut self.pending).into_iter().partition(|(_, it)| it.is_of_install && !released);
        self.pending = waiting;
        for (path, pending) in told {
            self.announce(&path, pending, look_at(&path), &mut batch);
        }
        if released {
            batch.noticed = Some(now); // How long the edit took is no latency of ours.
        }
        self.send(batch);
    }

    /// When to look again, if some path is not whole yet.
    pub(super) fn unfinished(&mut self, now: Instant) -> Option<Instant> {
        let paths: Vec<Arc<Path>> = self.at_hand().map(|(path, _)| path.clone()).collect();
        paths.iter().find_map(|path| self.held_until(path, look_at(path), now))
    }

    fn held_until(&mut self, path: &Arc<Path>, look: Option<Snapshot>, now: Instant) -> Option<Instant> {
        let was_there = self.watched.get(&file(path)).is_none_or(|watched| watched.seen.is_some());
        let pending = self.pending.get_mut(path)?;
        pending.active = false;
        let again = pending.held_until(look, was_there, now, self.settle)?;
        pending.again = again;
        Some(again)
    }

    fn send(&mut self, mut batch: FileBatch) {
        if self.at_hand().next().is_none() {
            self.concerned.clear();
        }
        if batch.paths.is_empty() && batch.folders.is_empty() && !batch.released {
            return;
        }
        for paths in [&mut batch.paths, &mut batch.folders] {
            paths.sort_unstable();
            paths.dedup();
        }
        // The loop may have ended; `run` sees it and ends as well.
        let _ = self.inbox.send(Event::Files(batch));
    }

    fn announce(&mut self, path: &Arc<Path>, pending: Pending, look: Option<Snapshot>, batch: &mut FileBatch) {
        batch.noticed = Some(batch.noticed.map_or(pending.noticed, |noticed| noticed.min(pending.noticed)));
        let as_file = self.watched.get_mut(&file(path)).map(|watched| watched.saw(look)).is_some();
        let as_folder = self.watched.get_mut(&folder(path)).map(|watched| watched.saw(look)).is_some();
        let is_folder = look.map_or(pending.folder || as_folder, |look| look.folder);
        if as_file || !is_folder {
            batch.paths.push(path.to_path_buf());
        }
        if is_folder || as_folder {
            batch.folders.push(path.to_path_buf());
        }
        if is_folder && pending.appeared {
            // A file made right after its folder is not told by the system.
            rescan(path, batch);
        }
        for lister in pending.listed_by {
            if let Some(watched) = self.watched.get_mut(&folder(&lister)) {
                watched.saw(look_at(&lister));
            }
            batch.folders.push(lister.to_path_buf());
        }
    }
}

/// Adds what a new folder holds. Packages and hidden folders are no business of a listing.
pub(in crate::watch) fn rescan(folder: &Path, batch: &mut FileBatch) {
    let mut todo = vec![folder.to_owned()];
    let mut found = 0;
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
            found += 1;
            if found > RESCAN_LIMIT {
                return;
            }
            let name = entry.file_name();
            match entry.file_type() {
                Ok(kind) if !kind.is_dir() => batch.paths.push(entry.path()),
                Ok(_) if name == "node_modules" || name.as_encoded_bytes().starts_with(b".") => {}
                Ok(_) => {
                    batch.folders.push(entry.path());
                    todo.push(entry.path());
                }
                Err(_) => {}
            }
        }
    }
}
