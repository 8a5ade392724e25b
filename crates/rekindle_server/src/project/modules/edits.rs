//! Edits: the graph is brought up to date with files that changed, and whoever asks learns what that did to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use rekindle_compile::compiled::{Compiled, Links};
use rekindle_compile::kind::is_style;
use rekindle_compile::source::Source;
use rekindle_compile::style::prepare::is_style_setup;
use rekindle_graph::diagnostic::code_frame;
use rekindle_graph::wire::TracedFrame;
use rekindle_graph::{Delta, Diagnostic, FilePath, Link, ModuleId, ModuleState, Place, Published};
use rustc_hash::FxHashSet;

use super::Modules;
use crate::watch::{Watcher, look_at};

/// Characters that are shown of a browser's message.
const LONGEST_REFUSAL: usize = 300;

impl Modules {
    /// Brings the graph up to date with what happened to `paths`, of which those in `gone` are not there. `listing_changed`: files may have appeared or
    /// vanished anywhere, so that specifiers and globs may mean something else; the result says whether that was so in the end.
    pub fn edited(
        &mut self,
        paths: &[PathBuf],
        gone: &FxHashSet<&Path>,
        listing_changed: bool,
        watcher: &Watcher,
    ) -> (Delta, bool) {
        let mut delta = Delta::default();
        let mut touched: Vec<ModuleId> = Vec::new();
        let mut saved: Vec<ModuleId> = Vec::new();
        let mut listing_changed = listing_changed;
        for path in paths {
            // One save can be announced several times: a slow writer's file is read before it is closed, and a file is looked at again
            // that changed just before it was watched.
            let is_saved = self.failed_with.get(path).is_none_or(|look| *look != look_at(path));
            touched.extend(self.asset_edit(path));
            touched.extend(self.styles_with(path));
            for id in self.graph.of_file(path) {
                let is_own = self.graph[id].file.as_path() == path;
                if is_own && gone.contains(path.as_path()) && !self.inline.contains_key(&self.graph[id].url) {
                    if self.graph[id].state != ModuleState::New && self.graph.delete(id) {
                        delta.deleted.push(id);
                        self.segments.touch([id]);
                    }
                    listing_changed = true;
                } else if self.graph[id].state != ModuleState::New {
                    listing_changed |= match self.graph[id].state {
                        ModuleState::Deleted => true,
                        // It may have been what others did not find, while it was something else than a file.
                        ModuleState::Broken(_) => path.parent().is_some_and(|folder| self.missing_in.contains(folder)),
                        _ => false,
                    };
                    touched.push(id);
                    if is_saved {
                        saved.push(id);
                    }
                }
            }
        }
        for path in paths.iter().filter(|path| path.ends_with("package.json")) {
            touched.extend(self.modules_of_another_kind(path));
        }
        // A configuration decides what specifiers mean, also in modules whose compiling does not depend on it.
        listing_changed |= paths.iter().any(|path| self.compiler.is_config(path) || self.compiler.is_barrel(path));
        if listing_changed {
            self.compiler.clear();
            touched.extend(self.framework_edit());
            self.await_refresh_runtime(watcher);
        }
        touched.sort_unstable();
        touched.dedup();
        self.compile(&touched, watcher, &mut delta);
        if listing_changed {
            self.relink(watcher, &mut delta);
        }
        self.compile_new_imports(watcher, &mut delta);
        let broke: FxHashSet<ModuleId> = delta.broken.iter().copied().collect();
        saved.retain(|id| matches!(self.graph[*id].state, ModuleState::Broken(_)) && !broke.contains(id));
        saved.sort_unstable();
        saved.dedup();
        delta.still_broken = saved;
        delta.changed.sort_unstable();
        delta.changed.dedup();
        let changed = delta.changed.clone();
        self.segments.assign(&self.graph, &changed);
        (delta, listing_changed)
    }

    /// Compiles those of `ids` that are new, and what they import: modules that pages wait for.
    pub fn bring_in(&mut self, ids: &[ModuleId], watcher: &Watcher, delta: &mut Delta) {
        let mut fresh: Vec<ModuleId> = ids.to_vec();
        fresh.retain(|&id| self.graph[id].state == ModuleState::New);
        if fresh.is_empty() {
            return;
        }
        fresh.sort_unstable();
        fresh.dedup();
        let known = delta.changed.len();
        self.compile(&fresh, watcher, delta);
        self.compile_new_imports(watcher, delta);
        let brought = delta.changed[known..].to_vec();
        self.segments.assign(&self.graph, &brought);
    }

    /// Modules of a package whose package.json now states another type.
    fn modules_of_another_kind(&self, path: &Path) -> Vec<ModuleId> {
        let Some(folder) = path.parent().filter(|_| self.compiler.resolver.packages.changed_kind(path)) else {
            return Vec::new();
        };
        let is_below = |&id: &ModuleId| self.graph[id].file.as_path().starts_with(folder);
        let is_compiled = |&id: &ModuleId| self.graph[id].state != ModuleState::New;
        // Another version may not have it.
        let is_there = |&id: &ModuleId| self.graph[id].file.as_path().is_file();
        self.graph.ids().filter(is_below).filter(is_compiled).filter(is_there).collect()
    }

    /// Modules that carry the address of the asset at `path`, if its content is not what it was.
    fn asset_edit(&mut self, path: &Path) -> Vec<ModuleId> {
        let Some(users) = self.asset_users.get(path) else { return Vec::new() };
        let Ok(digest) = self.compiler.asset_digest(&FilePath::new(path)) else { return Vec::new() };
        if self.asset_digests.get(path) == Some(&digest) {
            return Vec::new();
        }
        self.compiler.asset_edited(path);
        self.compiler.note_asset(path, &digest);
        self.asset_digests.insert(path.to_owned(), digest);
        users.iter().copied().collect()
    }

    /// Styles that a file may concern without being one of their files yet: they scan its folder for class names, or it
    /// is the configuration of a tool of theirs.
    fn styles_with(&self, path: &Path) -> Vec<ModuleId> {
        let is_compiled = |id: &ModuleId| self.graph[*id].state != ModuleState::New;
        if is_style_setup(path) {
            return self.graph.ids().filter(|id| is_style(self.graph[*id].url.path()) && is_compiled(id)).collect();
        }
        let sheets = self.compiler.styles.scanning(path);
        sheets.iter().flat_map(|sheet| self.graph.of_file(sheet)).filter(is_compiled).collect()
    }

    /// Resolves everything anew; compiles what had an import that was not there.
    fn relink(&mut self, watcher: &Watcher, delta: &mut Delta) {
        let waiting: Vec<ModuleId> = self.graph.ids().filter(|id| self.is_waiting(*id)).collect();
        self.compile(&waiting, watcher, delta);
        let ready: Vec<ModuleId> = self.graph.ids().filter(|&id| self.graph[id].state == ModuleState::Ready).collect();
        let relink = |&id: &ModuleId| {
            let module = &self.graph[id];
            let published = module.published.as_ref()?;
            let source = self.source_of(&module.url);
            let links = self.compiler.link(&published.definition, &module.file, &source);
            let same = links.links == published.links && links.globs == published.globs && links.errors.is_empty();
            let keeps = same && links.folders.is_empty();
            (!keeps).then(|| (id, (!same).then(|| published.definition.clone()), links))
        };
        let relinked: Vec<_> = self.pool.install(|| ready.par_iter().filter_map(relink).collect());
        watcher.watch_files(self.compiler.take_read());
        self.watch_looked_into(watcher);
        for (id, definition, links) in relinked {
            // Also where the links are the same: a folder that appeared may get a file that a glob matches.
            self.watch_folders(links.folders.clone(), watcher);
            if links.links.contains(&Link::Missing) {
                self.missing_in.extend(links.folders.iter().cloned());
            }
            if let Some(definition) = definition {
                let files = definition.files.clone();
                self.absorb(id, Compiled { result: Ok(definition), links, files }, delta);
            }
        }
    }

    fn is_waiting(&self, id: ModuleId) -> bool {
        match &self.graph[id].state {
            ModuleState::Broken(_) => true,
            ModuleState::Deleted => self.graph[id].file.as_path().exists(),
            _ => false,
        }
    }

    /// Compiles what a tab that takes the changes will import for the first time, so that one batch has all of it.
    fn compile_new_imports(&mut self, watcher: &Watcher, delta: &mut Delta) {
        let mut queue = delta.changed.clone();
        while !queue.is_empty() {
            let mut fresh: Vec<ModuleId> = queue.iter().flat_map(|&id| self.static_deps(id)).collect();
            fresh.retain(|&id| self.graph[id].state == ModuleState::New);
            fresh.sort_unstable();
            fresh.dedup();
            if fresh.is_empty() {
                return;
            }
            self.compile(&fresh, watcher, delta);
            queue = fresh;
        }
    }

    /// Adds what `ids` import and a tab has not got: `holds` says which modules it holds.
    pub fn add_new_imports(&self, ids: &mut Vec<ModuleId>, holds: impl Fn(&str) -> bool) {
        let mut seen: FxHashSet<ModuleId> = ids.iter().copied().collect();
        let mut at = 0;
        while at < ids.len() {
            for dep in self.static_deps(ids[at]) {
                let module = &self.graph[dep];
                if module.published.is_some() && !holds(module.url.as_str()) && seen.insert(dep) {
                    ids.push(dep);
                }
            }
            at += 1;
        }
    }

    /// A browser cannot parse what this module was compiled to.
    pub fn refused(&mut self, id: ModuleId, place: Option<&TracedFrame>, message: &str) -> Delta {
        let module = &self.graph[id];
        let message: String = message.chars().take(LONGEST_REFUSAL).collect();
        let mut diagnostic = Diagnostic::error(format!("the browser cannot parse this file: {message}"))
            .in_file(self.compiler.display(module.file.as_path()))
            .with_help("it may not know this syntax yet: write it in another way, or use a newer browser");
        if let (Some(place), Source::File) = (place, self.source_of(&module.url)) {
            let text = self.read_known(module.file.as_path()).unwrap_or_default();
            let place = Place { line: place.line, column: place.column };
            diagnostic.frame = Some(code_frame(&text, place, ""));
            diagnostic.place = Some(place);
        }
        let files = module.published.as_ref().map(|published| published.definition.files.clone()).unwrap_or_default();
        let mut delta = Delta::default();
        let change = self.graph.set(id, Err(vec![diagnostic]), files);
        delta.note(id, change);
        self.segments.touch([id]);
        delta
    }

    /// The values of env keys changed: the modules that read them are not what they were.
    pub fn env_edited(&mut self, changed: &[String]) -> Delta {
        let mut delta = Delta::default();
        let readers: Vec<ModuleId> = self.graph.ids().collect();
        for id in readers {
            let Some(published) = self.graph[id].published.clone() else { continue };
            if !published.definition.env.meets(changed) || self.graph[id].state != ModuleState::Ready {
                continue;
            }
            let Published { definition, links, globs, .. } = Arc::unwrap_or_clone(published);
            let links = Links { links, globs, ..Links::default() };
            let files = definition.files.clone();
            self.absorb(id, Compiled { result: Ok(definition), links, files }, &mut delta);
        }
        delta
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::thread::sleep;
    use std::time::Duration;

    use rekindle_graph::ModuleUrl;

    use super::*;
    use crate::config::Config;
    use crate::report::Report;

    #[test]
    fn a_save_that_mends_nothing_is_noticed_however_often_it_is_announced() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let path = root.join("main.js");
        fs::write(&path, "const = 1").unwrap();
        let mut modules = Modules::new(&Config::new(&root), [0; 32], &Report::plain(std::io::sink())).unwrap();
        let (watcher, _notes) = Watcher::taking_notes();
        let main = modules.graph.insert(&ModuleUrl::new("/main.js"), &FilePath::new(&path));
        let mut delta = Delta::default();
        modules.bring_in(&[main], &watcher, &mut delta);
        assert_eq!(delta.broken, [main]);
        let mut still_broken =
            || modules.edited(std::slice::from_ref(&path), &FxHashSet::default(), false, &watcher).0.still_broken;
        assert_eq!(still_broken(), [], "it was watched after it had been read, so it is announced");
        sleep(Duration::from_millis(20));
        fs::write(&path, "const = 1").unwrap();
        assert_eq!(still_broken(), [main]);
        assert_eq!(still_broken(), [], "the writer closes the file after it was read");
        sleep(Duration::from_millis(20));
        fs::write(&path, "const = 1").unwrap();
        assert_eq!(still_broken(), [main]);
    }
}
