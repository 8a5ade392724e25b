//! What a batch of file changes did to the project: an edit, which tabs and terminal are told of.

use std::path::PathBuf;
use std::time::Instant;

use rekindle_graph::wire::{EditedPage, ServerReload};
use rekindle_graph::{Delta, ModuleGraph, ModuleId, ModuleState};
use rustc_hash::FxHashSet;

use crate::project::gaps::StateBefore;

/// What a batch of file changes did.
pub struct Edit {
    pub delta: Delta,
    pub page_changes: PageChanges,
    pub noticed: Instant,
    pub before: StateBefore,
    /// Files that went: they may be back in a moment.
    pub vanished: Vec<PathBuf>,
}

impl Edit {
    pub fn is_empty(&self) -> bool {
        let PageChanges { pages, gone, back, gone_otherwise, env, reload } = &self.page_changes;
        let of_pages = pages.len() + gone.len() + back.len() + gone_otherwise.len();
        self.delta.is_empty() && of_pages == 0 && !env && reload.is_none()
    }

    /// This edit and the next one as one: what both did, as it stands now.
    pub fn join(self, next: Self, graph: &ModuleGraph) -> Self {
        let before = next.before.or_earlier(self.before, &self.delta);
        let mut delta = self.delta;
        delta.merge(next.delta);
        let mut vanished = [self.vanished, next.vanished].concat();
        vanished.retain(|path| !path.exists());
        let page_changes = self.page_changes.join(next.page_changes);
        Self { delta, page_changes, noticed: self.noticed.min(next.noticed), before, vanished }.without_undone(graph)
    }

    /// Leaves out what was taken back before anyone was told of it: a file that went and is there again, a mistake that is mended.
    pub fn without_undone(mut self, graph: &ModuleGraph) -> Self {
        let before = &self.before;
        let is_broken = |id: &ModuleId| matches!(graph[*id].state, ModuleState::Broken(_));
        let is_gone = |id: &ModuleId| graph[*id].state == ModuleState::Deleted;
        let Delta { changed, broken, fixed, deleted, still_broken } = &mut self.delta;
        changed.retain(|id| !is_gone(id) && !before.is_same(*id, graph));
        broken.retain(is_broken);
        deleted.retain(is_gone);
        // A module that was well before this edit had no error for anyone.
        fixed.retain(|id| graph[*id].state == ModuleState::Ready && before.unwell.contains(id));
        let broken: FxHashSet<&ModuleId> = broken.iter().collect();
        still_broken.retain(|id| is_broken(id) && !broken.contains(id));
        self
    }
}

/// What an edit did besides the modules: to pages, to `import.meta.env`, and whether pages have to start anew.
#[derive(Debug, Default)]
pub struct PageChanges {
    pub pages: Vec<EditedPage>,
    /// Pages whose files went, and those that came back.
    pub gone: Vec<String>,
    pub back: Vec<String>,
    /// Pages that were gone before, and are gone for another reason now.
    pub gone_otherwise: Vec<String>,
    pub env: bool,
    pub reload: Option<ServerReload>,
}

impl PageChanges {
    fn join(self, next: Self) -> Self {
        let mut pages = self.pages;
        pages.retain(|page| next.pages.iter().all(|newer| newer.page != page.page));
        pages.extend(next.pages);
        // What went and is back never went for anyone.
        let without = |list: &[String], others: &[String]| -> Vec<String> {
            list.iter().filter(|url| !others.contains(url)).cloned().collect()
        };
        let gone = [without(&self.gone, &next.back), without(&next.gone, &self.back)].concat();
        let back = [without(&self.back, &next.gone), without(&next.back, &self.gone)].concat();
        let gone_otherwise = [without(&self.gone_otherwise, &next.back), next.gone_otherwise].concat();
        Self { pages, gone, back, gone_otherwise, env: self.env || next.env, reload: self.reload.or(next.reload) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::project::modules::Modules;
    use crate::report::Report;
    use crate::watch::Watcher;
    use rekindle_graph::{FilePath, ModuleUrl};

    fn edit(modules: &mut Modules, path: &Path, is_gone: bool) -> Edit {
        let (watcher, _notes) = Watcher::taking_notes();
        let paths = [path.to_owned()];
        let gone: FxHashSet<&Path> = is_gone.then_some(path).into_iter().collect();
        let before = StateBefore::an_edit_of(&paths, is_gone, &modules.graph);
        let (delta, _) = modules.edited(&paths, &gone, is_gone, &watcher);
        let edit =
            Edit { delta, page_changes: PageChanges::default(), noticed: Instant::now(), before, vanished: Vec::new() };
        edit.without_undone(&modules.graph)
    }

    /// Files of a new folder with modules of them, compiled.
    fn compiled<const N: usize>(folder: &tempfile::TempDir, names: [&str; N]) -> (Modules, [(ModuleId, PathBuf); N]) {
        let root = folder.path().canonicalize().unwrap();
        let mut modules = Modules::new(&Config::new(&root), [0; 32], &Report::plain(std::io::sink())).unwrap();
        let files = names.map(|name| {
            let path = root.join(name);
            fs::write(&path, "show(1)").unwrap();
            (modules.graph.insert(&ModuleUrl::new(format!("/{name}")), &FilePath::new(&path)), path)
        });
        let (watcher, _notes) = Watcher::taking_notes();
        modules.bring_in(&files.each_ref().map(|(id, _)| *id), &watcher, &mut Delta::default());
        (modules, files)
    }

    #[test]
    fn a_file_that_is_back_before_the_edit_was_taken_in_was_never_gone() {
        let folder = tempfile::tempdir().unwrap();
        let (mut modules, [(main, path)]) = compiled(&folder, ["main.js"]);

        // It was looked at while it was away, and is there when imports are resolved anew.
        assert!(edit(&mut modules, &path, true).is_empty());
        assert_eq!(modules.graph[main].state, ModuleState::Ready);

        fs::write(&path, "show(2)").unwrap();
        let edit = edit(&mut modules, &path, true);
        assert_eq!(
            edit.delta,
            Delta { changed: vec![main], ..Delta::default() },
            "it is another, and was never broken"
        );
    }

    #[test]
    fn an_error_that_is_told_while_an_edit_waits_is_told_as_mended_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let (mut modules, [(main, path), (_, other)]) = compiled(&folder, ["main.js", "other.js"]);

        let waiting = edit(&mut modules, &other, true);
        let told = modules.refused(main, None, "Unexpected token");
        assert_eq!(told.broken, [main]);
        fs::write(&path, "show(2)").unwrap();
        let next = edit(&mut modules, &path, false);
        assert_eq!(waiting.join(next, &modules.graph).delta.fixed, [main]);
    }
}
