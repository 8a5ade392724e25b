//! A watcher without a thread: it takes down what it is asked to watch, and whoever drives it says what happened.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use rustc_hash::FxHashSet;

use super::message::Message;
use crate::event::FileBatch;

/// What a watcher without a thread was asked to watch.
pub(crate) struct Notes {
    messages: Receiver<Message>,
    files: FxHashSet<PathBuf>,
    folders: FxHashSet<PathBuf>,
}

impl Notes {
    pub(super) fn of(messages: Receiver<Message>) -> Self {
        Self { messages, files: FxHashSet::default(), folders: FxHashSet::default() }
    }

    /// The batch that a real watcher would make of files that were written, and of files and folders that appeared or
    /// vanished. None if it would have noticed nothing.
    pub fn batch(&mut self, written: &[PathBuf], listed: &[PathBuf]) -> Option<FileBatch> {
        while let Ok(message) = self.messages.try_recv() {
            match message {
                Message::WatchFiles(files, _) => self.files.extend(files),
                Message::WatchFolders(folders) => self.folders.extend(folders),
                Message::UnwatchFiles(files) => files.iter().for_each(|file| _ = self.files.remove(file)),
                _ => {}
            }
        }
        let mut batch = FileBatch::default();
        batch.paths.extend(written.iter().filter(|path| self.files.contains(*path)).cloned());
        for path in listed {
            let lister = path.parent().filter(|folder| self.folders.contains(*folder));
            let is_file = !path.is_dir() && !self.folders.contains(path);
            if is_file {
                if self.files.contains(path) || lister.is_some() {
                    batch.paths.push(path.clone());
                }
            } else {
                // Whatever is watched in a folder comes and goes with it.
                batch.paths.extend(self.files.iter().filter(|file| file.starts_with(path)).cloned());
                if lister.is_some() || self.folders.contains(path) {
                    batch.folders.push(path.clone());
                }
            }
            batch.folders.extend(lister.map(Path::to_owned));
        }
        for paths in [&mut batch.paths, &mut batch.folders] {
            paths.sort_unstable();
            paths.dedup();
        }
        (!batch.paths.is_empty() || !batch.folders.is_empty()).then_some(batch)
    }
}
