//! Numbers of assets that were edited: they make addresses that the document does not hold yet.
//!
//! ```text
//! /pic.png          as it was first
//! /pic.png?t=1      after an edit
//! /pic.png?t=2      after another, also if the server was away meanwhile
//! ```
//!
//! A browser fetches no address again that a document has shown. So the numbers outlive the server, in a file of lines with the
//! digest that each asset was last known by; what was edited while nobody watched is found by that.

use std::collections::HashMap;
use std::fs;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// How many assets are remembered. Those beyond that begin at number 0 again after a restart.
const MOST: usize = 20_000;

/// Shared by all compiling threads.
#[derive(Debug, Default)]
pub struct AssetVersions {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The file that keeps the numbers for the next server.
    file: Option<PathBuf>,
    now: HashMap<PathBuf, u32>,
    /// As the file has it.
    noted: HashMap<PathBuf, SavedVersion>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SavedVersion {
    version: u32,
    digest: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    path: PathBuf,
    #[serde(flatten)]
    noted: SavedVersion,
}

impl AssetVersions {
    /// Those of earlier servers, kept in a folder. A file that cannot be read or written costs an old picture after a restart.
    pub fn kept_in(folder: &Path) -> Self {
        let file = folder.join("assets.jsonl");
        let text = fs::read_to_string(&file).unwrap_or_default();
        let mut noted: HashMap<PathBuf, SavedVersion> = HashMap::new();
        let mut lines = 0;
        for Line { path, noted: last } in text.lines().filter_map(|line| serde_json::from_str(line).ok()) {
            lines += 1;
            if noted.len() < MOST || noted.contains_key(&path) {
                noted.insert(path, last);
            }
        }
        if lines > 2 * noted.len() + 100 {
            rewrite(&file, &noted);
        }
        Self { state: Mutex::new(State { file: Some(file), now: HashMap::new(), noted }) }
    }

    /// The number of an asset, none if it is as it was first. `digest` is asked for what it is now, once for an asset of an
    /// earlier server.
    pub fn of(&self, file: &Path, digest: impl FnOnce() -> Option<String>) -> Option<u32> {
        let is_edited = |version: &u32| *version > 0;
        let SavedVersion { version, digest: last } = {
            let state = self.lock();
            if let Some(version) = state.now.get(file) {
                return Some(*version).filter(is_edited);
            }
            state.noted.get(file)?.clone()
        };
        let Some(now) = digest() else { return Some(version).filter(is_edited) };
        let version = if now == last { version } else { version + 1 };
        let mut state = self.lock();
        Some(*state.now.entry(file.to_owned()).or_insert(version)).filter(is_edited)
    }

    /// An asset was edited: its number is another one from now on.
    pub fn edited(&self, file: &Path) {
        let mut state = self.lock();
        let noted = state.noted.get(file).map_or(0, |noted| noted.version);
        let version = state.now.entry(file.to_owned()).or_insert(noted);
        *version += 1;
    }

    /// Remembers for the next server by what digest an asset is known.
    pub fn note(&self, file: &Path, digest: &str) {
        let mut state = self.lock();
        // It may be admitted before anybody has asked for its address.
        let next = |noted: &SavedVersion| if noted.digest == digest { noted.version } else { noted.version + 1 };
        let version = state.now.get(file).copied().or_else(|| state.noted.get(file).map(next)).unwrap_or_default();
        state.now.insert(file.to_owned(), version);
        let noted = SavedVersion { version, digest: digest.to_owned() };
        if state.noted.get(file) == Some(&noted) || (state.noted.len() >= MOST && !state.noted.contains_key(file)) {
            return;
        }
        if let Some(kept) = &state.file {
            append(kept, &Line { path: file.to_owned(), noted: noted.clone() });
        }
        state.noted.insert(file.to_owned(), noted);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn append(file: &Path, line: &Line) {
    let Ok(mut text) = serde_json::to_string(line) else { return };
    text.push('\n');
    if let Some(folder) = file.parent() {
        let _ = fs::create_dir_all(folder);
    }
    // One write for a line: servers of one project share the file.
    if let Ok(mut open) = OpenOptions::new().create(true).append(true).open(file) {
        let _ = open.write_all(text.as_bytes());
    }
}

fn rewrite(file: &Path, noted: &HashMap<PathBuf, SavedVersion>) {
    let lines = noted
        .iter()
        .filter_map(|(path, noted)| serde_json::to_string(&Line { path: path.clone(), noted: noted.clone() }).ok());
    let text: String = lines.map(|line| line + "\n").collect();
    let fresh = file.with_extension(format!("{}.new", std::process::id()));
    if fs::write(&fresh, text).and_then(|()| fs::rename(&fresh, file)).is_err() {
        let _ = fs::remove_file(&fresh);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(versions: &AssetVersions, digest: &str) -> Option<u32> {
        versions.of(Path::new("/pic.png"), || Some(digest.to_owned()))
    }

    #[test]
    fn numbers_go_on_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let start = || AssetVersions::kept_in(folder.path());
        let pic = Path::new("/pic.png");
        let first = start();
        assert_eq!(of(&first, "a"), None);
        first.note(pic, "a");
        first.edited(pic);
        first.note(pic, "b");
        assert_eq!(of(&first, "b"), Some(1));
        assert_eq!(of(&start(), "b"), Some(1), "as it was");
        let second = start();
        assert_eq!(of(&second, "c"), Some(2), "edited while nobody watched");
        second.note(pic, "c");
        second.edited(pic);
        assert_eq!(of(&second, "d"), Some(3));
        assert_eq!(start().of(pic, || None), Some(2), "it is not there");
        let third = start();
        third.note(pic, "e");
        assert_eq!(of(&third, "e"), Some(3), "noted before its address is asked for");
    }

    #[test]
    fn what_was_never_edited_has_no_number() {
        let folder = tempfile::tempdir().unwrap();
        AssetVersions::kept_in(folder.path()).note(Path::new("/pic.png"), "a");
        assert_eq!(of(&AssetVersions::kept_in(folder.path()), "a"), None);
        assert_eq!(of(&AssetVersions::default(), "a"), None);
    }

    #[test]
    fn the_file_does_not_grow_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let versions = AssetVersions::kept_in(folder.path());
        (0..300).for_each(|at| versions.note(Path::new("/pic.png"), &at.to_string()));
        let length = || fs::read_to_string(folder.path().join("assets.jsonl")).unwrap().lines().count();
        assert_eq!(length(), 300);
        AssetVersions::kept_in(folder.path());
        assert_eq!(length(), 1);
    }
}
