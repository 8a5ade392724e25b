//! Without the system's help: files that are looked at in turn, and the round that finds out that the system stays silent.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::{FxHashMap, FxHashSet};

use super::{ROUND_PACE, WatchThread};
use crate::watch::item::{Item, Kind, file};
use crate::watch::message::Message;
use crate::watch::pending::PathChange;
use crate::watch::place::{WatchLocation, resolve};
use crate::watch::snapshot::{CLOCK_TICK, look_at};

const ROUND_LOOKS: usize = 2000;
/// How long an event may lag behind its change before the system is said to stay silent.
const EVENT_LAG: Duration = Duration::from_millis(1000);
/// When files are looked at in turn, at most a fifth of the time is spent on it.
const POLL_SHARE: u32 = 4;
/// The line about polling waits for the crawl, so that its number of files is a useful one.
const CRAWL: Duration = Duration::from_millis(500);

impl WatchThread {
    pub(super) fn poll_because(&mut self, reason: &str) {
        self.backend = None;
        self.spots.clear();
        self.listings.clear();
        self.armed.clear();
        self.suspects.clear();
        self.judge_at = None;
        for watched in self.watched.values_mut() {
            watched.place = WatchLocation::default();
        }
        self.burst.slow_down(self.interval);
        self.poll_at = Some(Instant::now());
        self.say_at = Some((Instant::now() + CRAWL, reason.to_owned()));
    }

    pub(super) fn say(&mut self, now: Instant) {
        let Some((_, reason)) = self.say_at.take() else { return };
        if self.watched.is_empty() {
            self.say_at = Some((now + CRAWL, reason));
            return;
        }
        let files = self.watched.keys().filter(|item| item.kind == Kind::File).count();
        let interval = self.interval.as_millis();
        (self.report)(format!("{reason}; looking at {files} files every {interval} ms instead"));
    }

    pub(super) fn poll(&mut self) {
        let started = Instant::now();
        let mut news = Vec::new();
        for (item, watched) in &mut self.watched {
            if item.kind == Kind::Folder && watched.names.is_none() {
                watched.names = Some(names_in(&item.path));
            }
            if self.pending.contains_key(&item.path) {
                continue;
            }
            let look = look_at(&item.path);
            let ripe = watched.racy && look.is_none_or(|look| look.age() > CLOCK_TICK);
            if look == watched.seen && !ripe {
                continue;
            }
            watched.racy = false;
            news.push((item.path.clone(), look, None::<Arc<Path>>));
            if item.kind == Kind::Folder {
                let names = names_in(&item.path);
                let before = watched.names.replace(names.clone()).unwrap_or_default();
                for name in names.symmetric_difference(&before) {
                    let entry: Arc<Path> = Arc::from(item.path.join(name));
                    news.push((entry, None, Some(item.path.clone())));
                }
            }
        }
        for (path, look, lister) in news {
            if self.watched.contains_key(&file(&path)) {
                self.saved(&path, started);
            }
            self.note(&path, started, if lister.is_some() { PathChange::Appeared } else { PathChange::Any });
            if let Some(pending) = self.pending.get_mut(&path) {
                pending.look = pending.look.or(look);
                pending.listed_by.extend(lister);
            }
        }
        let now = Instant::now();
        self.poll_at = Some(now + self.interval.max((now - started) * POLL_SHARE));
    }

    /// Network and container file systems accept watches and never say a word. A few looks now and then find out.
    pub(super) fn look_round(&mut self, now: Instant) {
        self.round_at = now + ROUND_PACE;
        self.repositories.forget();
        if self.backend.is_none() || self.install.is_on() {
            return;
        }
        if self.round.is_empty() {
            self.round = self.watched.keys().cloned().collect();
        }
        for item in self.round.split_off(self.round.len().saturating_sub(ROUND_LOOKS)) {
            if self.pending.contains_key(&item.path) {
                continue;
            }
            let look = look_at(&item.path);
            if self.watched.get(&item).is_some_and(|watched| watched.seen != look) {
                self.suspects.insert(item, look);
                self.judge_at.get_or_insert(now + EVENT_LAG);
            }
        }
    }

    pub(super) fn prepare_judgement(&mut self) {
        self.judge_at = None;
        self.read_all_events();
        let _ = self.mailbox.send(Message::Judge);
    }

    /// Makes sure that every event the system has is in the mailbox. notify's thread answers between two reads of the
    /// system's queue, so after two answers it has read it once.
    pub(super) fn read_all_events(&mut self) {
        if let Some(backend) = &mut self.backend {
            let _ = backend.configure(notify::Config::default());
            let _ = backend.configure(notify::Config::default());
        }
    }

    /// Notes what has changed without an event, where the system is slow to tell or never does.
    pub(super) fn look_everywhere(&mut self) {
        if self.backend.is_none() {
            return self.poll();
        }
        let changed: Vec<Arc<Path>> = self
            .watched
            .iter()
            .filter(|(item, watched)| watched.racy || look_at(&item.path) != watched.seen)
            .map(|(item, _)| item.path.clone())
            .collect();
        for path in changed {
            self.note(&path, Instant::now(), PathChange::Any);
        }
    }

    pub(super) fn judge(&mut self) {
        let mut silent = false;
        let suspects = std::mem::take(&mut self.suspects);
        if self.install.is_on() {
            return; // What it changes is told at its end.
        }
        for (item, look) in suspects {
            let Some(watched) = self.watched.get(&item) else { continue };
            // What changed again since then may have its news still on the way.
            let now = look_at(&item.path);
            if watched.seen == now || now != look || self.pending.contains_key(&item.path) {
                continue;
            }
            self.note(&item.path.clone(), Instant::now(), PathChange::Any);
            let is_explained = self.place_changed(&item);
            tracing::debug!(path = %item.path.display(), is_explained, "changed without an event");
            silent |= !is_explained;
        }
        if silent {
            self.poll_because("the system does not report changes in this folder");
        }
    }

    /// A link or a folder far above was exchanged, which no watch shows; the item is placed anew and all is well.
    fn place_changed(&mut self, item: &Item) -> bool {
        let Some(watched) = self.watched.get(item) else { return true };
        let before = watched.place.clone();
        let mut explained = before != resolve(item, &mut FxHashMap::default());
        for folder in before.folders() {
            let Some(armed) = self.armed.get(folder) else { continue };
            explained |= armed.refused;
            if armed.identity != look_at(folder).map(|look| look.identity) {
                explained = true;
                self.moved(folder, Instant::now());
            }
        }
        if explained {
            self.place(item, &mut FxHashMap::default());
        }
        explained
    }
}

fn names_in(folder: &Path) -> FxHashSet<OsString> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect()
}
