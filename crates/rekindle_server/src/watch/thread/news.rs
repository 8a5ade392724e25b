//! News: what the system tells of paths becomes news of items, which wait to be announced.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use notify::EventKind;
use notify::event::{AccessKind, AccessMode, CreateKind, ModifyKind, RemoveKind, RenameMode};
use rustc_hash::FxHashMap;

use super::{LONGEST_WAIT, WatchThread, limit};
use crate::watch::burst::PAUSE;
use crate::watch::item::{Item, Kind};
use crate::watch::pending::{PathChange, Pending, TELLS_CLOSE};
use crate::watch::snapshot::look_at;

impl WatchThread {
    pub(super) fn noticed(&mut self, at: Instant, event: notify::Result<notify::Event>) {
        if self.backend.is_none() {
            return;
        }
        let event = match event {
            Ok(event) if event.need_rescan() => return self.catch_up(),
            Ok(event) => event,
            Err(error) => match limit(&error) {
                Some(reason) => return self.poll_because(reason),
                None => return self.catch_up(),
            },
        };
        let touch = match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => PathChange::Closed,
            EventKind::Access(_) => return,
            EventKind::Modify(ModifyKind::Data(_)) => PathChange::Written,
            EventKind::Modify(ModifyKind::Metadata(_)) => PathChange::Metadata,
            EventKind::Create(_) => PathChange::Appeared,
            EventKind::Remove(_) => PathChange::Vanished,
            EventKind::Modify(ModifyKind::Name(RenameMode::From)) => PathChange::Vanished,
            // Where the system does not say which side of a renaming it is, what is there now does.
            EventKind::Modify(ModifyKind::Name(_)) => PathChange::Appeared,
            EventKind::Modify(_) | EventKind::Any | EventKind::Other => PathChange::Any,
        };
        let folder =
            matches!(event.kind, EventKind::Create(CreateKind::Folder) | EventKind::Remove(RemoveKind::Folder));
        for path in &event.paths {
            self.touched(path, at, touch, folder);
        }
    }

    fn touched(&mut self, path: &Path, at: Instant, touch: PathChange, folder: bool) {
        if matches!(touch, PathChange::Appeared | PathChange::Vanished) {
            self.moved(path, at);
        }
        if touch == PathChange::Metadata && self.armed.get(path).is_some_and(|armed| armed.refused) {
            self.opened(path, at);
        }
        let listing = !matches!(touch, PathChange::Written | PathChange::Closed | PathChange::Metadata);
        for item in self.spots.get(path).cloned().unwrap_or_default() {
            let moves = self.watched.get(&item).is_some_and(|watched| watched.place.moves);
            if listing && (moves || path.is_symlink()) {
                self.place(&item, &mut FxHashMap::default());
                let known = self.watched.get(&item).is_some_and(|watched| watched.seen.is_some());
                if !known && look_at(&item.path).is_none() {
                    continue; // A step on the way to it appeared, or something else of that name.
                }
            }
            self.note(&item.path, at, touch);
            if item.kind == Kind::File {
                self.saved(path, at);
            }
        }
        if !listing {
            return;
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return };
        for lister in self.listings.get(parent).cloned().unwrap_or_default() {
            let entry: Arc<Path> = Arc::from(lister.path.join(name));
            self.note(&entry, at, touch);
            if let Some(pending) = self.pending.get_mut(&entry) {
                pending.folder |= folder;
                if !pending.listed_by.contains(&lister.path) {
                    pending.listed_by.push(lister.path);
                }
            }
        }
    }

    /// Somebody changed a file or a folder that matters, under its real path.
    pub(super) fn saved(&mut self, path: &Path, at: Instant) {
        if self.install.takes(path) {
            return;
        }
        let is_first = self.burst.saved(path, at);
        // Only the first save of a file puts quiet off: one that is written again and again says nothing about others.
        if let Some((since, quiet_at)) = &mut self.awaited
            && is_first
        {
            *quiet_at = (Instant::now() + PAUSE).min(*since + LONGEST_WAIT);
        }
        for repository in self.repositories.of_folder(path.parent().unwrap_or(path)).iter() {
            if !self.concerned.contains(repository) {
                self.concerned.push(repository.clone());
            }
        }
    }

    pub(super) fn note(&mut self, path: &Arc<Path>, at: Instant, touch: PathChange) {
        let now = Instant::now();
        let begins = !self.install.is_on() && self.install.is_in_packages(path) && is_of_structure(path, touch);
        let is_of_install = begins || self.install.takes(path);
        if is_of_install {
            self.install.note(path, now);
        }
        if begins {
            let earlier = self.pending.iter_mut().filter(|(path, _)| self.install.takes(path));
            earlier.for_each(|(_, pending)| pending.is_of_install = true);
        }
        let pending = self.pending.entry(path.clone()).or_insert_with(|| Pending {
            noticed: at,
            active: true,
            again: now,
            open: false,
            appeared: false,
            folder: false,
            is_of_install,
            look: if TELLS_CLOSE { None } else { look_at(path) },
            missing_since: None,
            unfinished_since: None,
            listed_by: Vec::new(),
        });
        pending.active = true;
        pending.appeared |= touch == PathChange::Appeared;
        match touch {
            PathChange::Written => pending.open = TELLS_CLOSE,
            PathChange::Closed | PathChange::Appeared => pending.open = false,
            PathChange::Vanished => _ = pending.missing_since.get_or_insert(at),
            PathChange::Metadata | PathChange::Any => {}
        }
        if !is_of_install {
            self.burst.note(now);
        }
        if !self.suspects.is_empty() {
            for kind in [Kind::File, Kind::Folder] {
                self.suspects.remove(&Item { kind, path: path.clone() });
            }
        }
    }

    /// The system lost events: compare everything.
    fn catch_up(&mut self) {
        let moved: Vec<PathBuf> = self
            .armed
            .iter()
            .filter(|(folder, armed)| look_at(folder).map(|look| look.identity) != armed.identity)
            .map(|(folder, _)| folder.clone())
            .collect();
        for folder in moved {
            self.moved(&folder, Instant::now());
        }
        let items: Vec<Item> = self.watched.keys().cloned().collect();
        for item in items {
            self.first_look(&item, SystemTime::now());
        }
    }
}

/// Whether something has gone, or a folder has come.
fn is_of_structure(path: &Path, touch: PathChange) -> bool {
    match look_at(path) {
        None => true,
        Some(look) => look.folder && touch == PathChange::Appeared,
    }
}
