//! Which files and folders are watched for the project, and whether what appears or vanishes in them concerns it.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rekindle_compile::source::Source;
use rekindle_graph::ModuleId;

use super::{Modules, Watchlist};
use crate::watch::Watcher;

impl Modules {
    /// `since`: when the files were read at the earliest.
    pub(super) fn watch(&mut self, Watchlist { mut files, folders }: Watchlist, watcher: &Watcher, since: SystemTime) {
        files.extend(self.compiler.take_read());
        watcher.watch_files_read_since(files, since);
        self.watch_folders(folders, watcher);
        self.watch_looked_into(watcher);
    }

    /// Watches folders that appeared where styles look for class names; gives back the files in them.
    pub fn watch_scanned(&mut self, folders: &[PathBuf], watcher: &Watcher) -> Vec<PathBuf> {
        let mut queue: Vec<PathBuf> =
            folders.iter().filter(|folder| self.compiler.styles.scans(folder)).cloned().collect();
        let (mut found, mut fresh) = (Vec::new(), Vec::new());
        while let Some(folder) = queue.pop() {
            let is_fresh = !self.listed.contains(&folder);
            for entry in folder.read_dir().into_iter().flatten().flatten() {
                let (path, name) = (entry.path(), entry.file_name());
                let is_left_out = name == "node_modules" || name.to_string_lossy().starts_with('.');
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() && !is_left_out && !self.listed.contains(&path) => queue.push(path),
                    Ok(kind) if kind.is_file() && is_fresh => found.push(path),
                    _ => {}
                }
            }
            if is_fresh {
                fresh.push(folder);
            }
        }
        self.watch_folders(fresh, watcher);
        found
    }

    pub(super) fn watch_folders(&mut self, folders: Vec<PathBuf>, watcher: &Watcher) {
        self.listed.extend(folders.iter().cloned());
        watcher.watch_folders(folders);
    }

    /// Watches the folders in which what comes before a file may appear.
    pub(super) fn watch_looked_into(&mut self, watcher: &Watcher) {
        let folders = self.compiler.resolver.lookups.take_folders();
        if !folders.is_empty() {
            self.looked_into.extend(folders.iter().cloned());
            watcher.watch_folders(folders);
        }
    }

    /// Whether a file or folder that appeared or vanished can change what some specifier or glob means.
    pub fn cares_about(&self, path: &Path) -> bool {
        let is_missing = path.ancestors().take(3).skip(1).any(|folder| self.missing_in.contains(folder));
        is_missing || self.globbing.iter().any(|&id| self.globs_match(id, path))
    }

    /// Whether a folder appeared or vanished where one is listed.
    pub fn is_new_folder(&self, folder: &Path) -> bool {
        !(self.listed.contains(folder) || self.looked_into.contains(folder)) || !folder.exists()
    }

    /// Whether what happens in a folder matters only where a name would mean what appears there.
    pub fn is_only_looked_into(&self, folder: &Path) -> bool {
        self.looked_into.contains(folder) && !self.listed.contains(folder) && folder.exists()
    }

    fn globs_match(&self, id: ModuleId, path: &Path) -> bool {
        let module = &self.graph[id];
        let calls = module.published.iter().flat_map(|published| &published.definition.globs);
        let source = self.inline.get(&module.url).unwrap_or(&Source::File);
        calls.into_iter().any(|call| self.compiler.could_match(call, source.seen_from(&module.file), path))
    }

    /// A page names something that is not there; it may appear in one of these folders.
    pub fn await_in(&mut self, folders: Vec<PathBuf>) {
        self.awaited.extend(folders.iter().filter(|folder| !self.missing_in.contains(*folder)).cloned());
        self.missing_in.extend(folders);
    }

    /// Looks out for what pages wait for.
    pub fn watch_awaited(&mut self, watcher: &Watcher) {
        let folders = std::mem::take(&mut self.awaited);
        if !folders.is_empty() {
            self.watch_folders(folders, watcher);
        }
        self.watch_looked_into(watcher);
    }
}
