//! What a save does: from the files that changed to an edit that tabs can be told of.
//!
//! ```text
//! FileBatch ─► public/, listing ─► modules: Modules::edited ─► env ─► pages ─► what pages import anew ─► Edit ─► dev/publish.rs
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rekindle_graph::wire::ServerReload;
use rekindle_graph::{Delta, FilePath, ModuleId, ModuleState};
use rustc_hash::FxHashSet;

use super::Project;
use crate::event::FileBatch;
use crate::files::listing::RootFiles;
use crate::project::edit::{Edit, PageChanges};
use crate::project::env::EnvValues;
use crate::project::gaps::StateBefore;
use crate::project::pages::PageFate;
use crate::report::News;
use crate::watch::Watcher;

impl Project {
    /// Takes in what happened to files: modules are compiled, pages, env files and the files of `public/` are read again, as far as
    /// it concerns them, and what is new is watched. `seq` is the number of the batch that will tell tabs of it.
    pub fn take(&mut self, batch: FileBatch, seq: u64, watcher: &Watcher) -> Edit {
        let noticed = batch.noticed.unwrap_or_else(Instant::now);
        let mut listing_changed = self.listing_changed(&batch);
        for path in &batch.paths {
            listing_changed |= self.modules.compiler.left_out().returned(path);
        }
        listing_changed |= self.public_edit(&batch, watcher);
        let paths = self.concerned_paths(batch.paths, &batch.folders, watcher);
        // They are looked at once: a file that goes after this is in the next batch.
        let gone: FxHashSet<&Path> = paths.iter().map(PathBuf::as_path).filter(|path| !path.exists()).collect();
        let env_files = EnvValues::files(&self.config);
        let env = self.env_edit(&paths, &env_files);
        let vanishes = |path: &&PathBuf| {
            let is_of_env = env.is_some() && env_files.contains(path);
            gone.contains(path.as_path()) && (is_of_env || self.was_there(path))
        };
        let vanished: Vec<PathBuf> = paths.iter().filter(vanishes).cloned().collect();
        let before = StateBefore::an_edit_of(&paths, !vanished.is_empty(), &self.modules.graph);
        let (mut delta, listing_changed) = self.modules.edited(&paths, &gone, listing_changed, watcher);
        paths.iter().for_each(|path| self.note_odd(path));
        if let Some(changed) = &env {
            delta.merge(self.modules.env_edited(changed));
        }
        let mut page_changes = self.page_edits(&paths, &batch.folders, listing_changed || env.is_some(), seq, watcher);
        self.bring_in_of_pages(&mut delta, watcher);
        self.modules.tell_of_node();
        page_changes.env = env.is_some();
        page_changes.reload = self.modules.take_new_framework().then(|| self.start_pages_anew());
        Edit { delta, page_changes, noticed, before, vanished }.without_undone(&self.modules.graph)
    }

    /// Lists `public/` again if something happened there. Whether files came or went, so that addresses may mean something else.
    fn public_edit(&mut self, batch: &FileBatch, watcher: &Watcher) -> bool {
        // A folder that appears in `public/` may get its files later.
        watcher.watch_folders(batch.folders.iter().filter(|folder| self.is_public(folder)).cloned());
        if !self.public_changed(batch) {
            return false;
        }
        let Some(public) = &mut self.public else { return false };
        let told = std::mem::take(&mut public.warnings);
        let is_another = public.refresh();
        if is_another {
            watcher.watch_folders(public.folders());
        }
        public.warnings.iter().filter(|line| !told.contains(line)).for_each(|line| self.report.warn(line));
        is_another
    }

    /// The files of a batch, those that a tsconfig.json which appeared is about, and those in folders that came or went.
    fn concerned_paths(&mut self, mut paths: Vec<PathBuf>, folders: &[PathBuf], watcher: &Watcher) -> Vec<PathBuf> {
        let compiler = &self.modules.compiler;
        let configured = paths.iter().filter(|path| compiler.is_unknown_tsconfig(path));
        let configured: Vec<PathBuf> = configured.filter_map(|path| path.parent()).map(Path::to_owned).collect();
        let graph = &self.modules.graph;
        let is_configured = |file: &&FilePath| configured.iter().any(|folder| file.as_path().starts_with(folder));
        let configured = graph.files().filter(is_configured).map(|file| file.as_path().to_owned());
        paths.extend(configured.collect::<Vec<_>>());
        paths.extend(self.files_below(folders));
        paths.extend(self.modules.watch_scanned(folders, watcher));
        paths.sort();
        paths.dedup();
        paths
    }

    /// Compiles what pages import or link since their last edit.
    fn bring_in_of_pages(&mut self, delta: &mut Delta, watcher: &Watcher) {
        self.modules.watch_awaited(watcher);
        let entries: Vec<ModuleId> = self.pages.entries().collect();
        self.modules.bring_in(&entries, watcher, delta);
        // The browser fetches a newly linked sheet by itself, so only its mistakes are news for those who show the page.
        let sheets: Vec<ModuleId> = self.pages.sheets().collect();
        let mut of_sheets = Delta::default();
        self.modules.bring_in(&sheets, watcher, &mut of_sheets);
        delta.broken.extend(of_sheets.broken);
    }

    /// Whether files appeared or vanished so that specifiers or globs may mean something else.
    fn listing_changed(&self, batch: &FileBatch) -> bool {
        let modules = &self.modules;
        let known = |path: &PathBuf| !modules.graph.of_file(path).is_empty();
        let lookups = &modules.compiler.resolver.lookups;
        let may_mean = |path: &PathBuf| lookups.may_differ(path) || modules.cares_about(path);
        let appeared = |path: &PathBuf| if known(path) { !path.is_file() } else { may_mean(path) };
        let moved = |folder: &PathBuf| modules.is_new_folder(folder) && !self.is_public(folder);
        batch.paths.iter().any(appeared) || batch.folders.iter().any(moved)
    }

    /// Whether a module has been made of the file, and it was not known to be gone.
    fn was_there(&self, path: &Path) -> bool {
        let graph = &self.modules.graph;
        let was_there = |id: &ModuleId| !matches!(graph[*id].state, ModuleState::New | ModuleState::Deleted);
        graph.of_file(path).iter().any(was_there)
    }

    /// A watched file that has become a pipe is named, unless it is a module, whose error says so.
    fn note_odd(&self, path: &Path) {
        let graph = &self.modules.graph;
        let is_told = |id: &ModuleId| matches!(graph[*id].state, ModuleState::Broken(_));
        if !self.is_public(path) && !graph.of_file(path).iter().any(is_told) {
            self.modules.compiler.left_out().note(path);
        }
    }

    fn is_public(&self, path: &Path) -> bool {
        self.config.public_dir.as_ref().is_some_and(|folder| path.starts_with(folder))
    }

    fn public_changed(&self, batch: &FileBatch) -> bool {
        batch.paths.iter().chain(&batch.folders).any(|path| self.is_public(path))
    }

    /// Files of the graph below folders that changed.
    fn files_below(&self, folders: &[PathBuf]) -> Vec<PathBuf> {
        if folders.is_empty() {
            return Vec::new();
        }
        // Where styles look for class names every folder is listed; a file that appears there concerns no other.
        let modules = &self.modules;
        let moved = |folder: &&PathBuf| {
            let is_of_all = !modules.compiler.styles.scans(folder) && !modules.is_only_looked_into(folder);
            modules.is_new_folder(folder) || is_of_all
        };
        let folders: Vec<&PathBuf> = folders.iter().filter(moved).collect();
        let below = |file: &FilePath| folders.iter().any(|folder| file.as_path().starts_with(folder));
        self.modules.graph.files().filter(|file| below(file)).map(|file| file.as_path().to_owned()).collect()
    }

    /// Reads the env files again if one of them was edited: the keys of `import.meta.env` whose values have changed, if any have.
    fn env_edit(&mut self, paths: &[PathBuf], files: &[PathBuf]) -> Option<Vec<String>> {
        if !paths.iter().any(|path| files.contains(path)) {
            return None;
        }
        let env = EnvValues::load(&self.config);
        files.iter().for_each(|file| _ = self.modules.compiler.left_out().note(file));
        let changed = env.difference(&self.modules.env);
        self.modules.env = env;
        (!changed.is_empty()).then_some(changed)
    }

    /// What the batch did to pages: their texts are read again, as far as it concerns them.
    fn page_edits(
        &mut self,
        paths: &[PathBuf],
        folders: &[PathBuf],
        refresh_all: bool,
        seq: u64,
        watcher: &Watcher,
    ) -> PageChanges {
        let mut page_changes = PageChanges::default();
        let is_listed = |path: &PathBuf| {
            path.extension().is_some_and(|extension| extension == "html") || !self.config.serve.include.is_empty()
        };
        if paths.iter().any(is_listed) || folders.iter().any(|folder| self.modules.is_new_folder(folder)) {
            let told = std::mem::replace(&mut self.listing, RootFiles::list(&self.config)).warnings;
            self.listing.warnings.iter().filter(|line| !told.contains(line)).for_each(|line| self.report.warn(line));
            watcher.watch_folders(self.listing.folders(&self.config.root));
        }
        let moved = self.pages.settle(&self.listing.pages);
        let has_moved = !moved.is_empty();
        let mut concerned = self.pages.changed_by(paths, folders);
        concerned.extend(moved.into_iter().filter_map(|url| Some((url.clone(), self.pages.get(&url)?.file.clone()))));
        // Each page with the file that changed it.
        let mut edited: BTreeMap<String, String> = BTreeMap::new();
        for (url, file) in concerned {
            match self.pages.reload(&url, &mut self.modules, seq) {
                PageFate::Same => {}
                PageFate::Edited => _ = edited.insert(url, self.modules.compiler.display(file.as_path())),
                PageFate::Gone => page_changes.gone.push(url),
                PageFate::GoneOtherwise => page_changes.gone_otherwise.push(url),
                PageFate::Back { is_edited } => {
                    page_changes.back.push(url.clone());
                    if is_edited {
                        edited.insert(url, self.modules.compiler.display(file.as_path()));
                    }
                }
            }
        }
        if refresh_all || paths.iter().any(|path| self.pages.refer_to(path)) {
            for url in self.pages.refresh(&mut self.modules, seq) {
                let Some(page) = self.pages.get(&url) else { continue };
                let cause = paths.first().map_or(page.file.as_path(), PathBuf::as_path);
                edited.entry(url).or_insert_with(|| self.modules.compiler.display(cause));
            }
        }
        if refresh_all || has_moved || !edited.is_empty() {
            watcher.watch_files(self.pages.watched());
        }
        let pages =
            edited.into_iter().filter_map(|(url, cause)| self.pages.get(&url)?.edited_since(seq - 1, &url, cause));
        page_changes.pages = pages.collect();
        page_changes
    }

    /// Tells the terminal that pages start anew, and gives the reason for the tabs.
    fn start_pages_anew(&self) -> ServerReload {
        let reason = ServerReload::FrameworkChanged;
        self.report.tell(News::PagesStartAnew { reason });
        self.modules.advice().iter().for_each(|advice| self.report.note(advice));
        reason
    }
}
