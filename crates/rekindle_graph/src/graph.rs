//! The module graph: which modules exist, what they import, and what of them a tab may run.
//!
//! ```text
//! compile ─► set(id, compiled) ─► Change::{Nothing, Updated, Broke}      the loop tells the tabs
//! ```
//!
//! The graph knows files, imports and versions. How far an edit spreads is decided in the tab.

use std::path::Path;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::definition::{Definition, DepKind, Link};
use crate::diagnostic::Diagnostic;
use crate::names::{FilePath, ModuleUrl};

/// Index of a module. Never reused: a deleted file's module stays, without a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModuleId(u32);

impl ModuleId {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// One module.
#[derive(Debug)]
pub struct Module {
    /// Its name in the browser.
    pub url: ModuleUrl,
    /// The file that it is made of.
    pub file: FilePath,
    /// How it stands with its newest source.
    pub state: ModuleState,
    /// What a tab may run: the last source that compiled and whose imports were all there.
    pub published: Option<Arc<Published>>,
    /// Number of the batch that brought what is published. 0: it was there before the first.
    pub published_at: u64,
    /// Number of the batch since which it stands as it does: broken, gone, or fine again.
    pub stands_since: u64,
}

/// Where a module stands with its newest source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleState {
    /// Named by an importer, not compiled yet.
    New,
    /// Its newest source has compiled, and what it imports is there.
    Ready,
    /// Its newest source does not compile, or imports what is not there.
    Broken(Vec<Diagnostic>),
    /// Its file is gone.
    Deleted,
}

/// A definition together with what its specifiers mean.
#[derive(Clone, Debug)]
pub struct Published {
    /// The wrapped code.
    pub definition: Definition,
    /// What each of `definition.deps` means, in their order.
    pub links: Vec<Link>,
    /// For each of `definition.globs` the keys and modules that were found, in their order.
    pub globs: Vec<Vec<(String, ModuleUrl)>>,
    /// Digest over all of it: equal digests are equal modules for a tab.
    pub hash: Arc<str>,
}

impl Published {
    /// Modules behind specifiers of these kinds, then those that globs import eagerly.
    pub fn deps_of(&self, is_wanted: fn(DepKind) -> bool) -> impl Iterator<Item = &ModuleUrl> {
        let eager = self.definition.globs.iter().zip(&self.globs).filter(|(call, _)| call.eager);
        let globbed = eager.flat_map(|(_, found)| found.iter().map(|(_, url)| url));
        let deps = self.definition.deps.iter().zip(&self.links);
        let linked = deps.filter(move |(dep, _)| is_wanted(dep.kind)).flat_map(|(_, link)| link.modules());
        linked.chain(globbed)
    }

    /// Modules behind `export * from`.
    pub fn stars(&self) -> impl Iterator<Item = &ModuleUrl> {
        self.definition.stars.iter().filter_map(|&at| self.links.get(at)?.module())
    }
}

/// What a tab would notice of a newly compiled module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: the code and its meaning are the same.
    Nothing,
    /// A new definition, or the end of an error, or both.
    Updated {
        /// There is a new definition.
        definition: bool,
        /// It was broken before.
        fixed: bool,
    },
    /// It was fine, or broken for other reasons, and is broken now.
    Broke,
}

/// What a batch of file changes did to the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// Modules with a new definition.
    pub changed: Vec<ModuleId>,
    /// Modules that broke, or are broken for another reason now.
    pub broken: Vec<ModuleId>,
    /// Modules that were broken and are fine again.
    pub fixed: Vec<ModuleId>,
    /// Modules whose files are gone.
    pub deleted: Vec<ModuleId>,
    /// Saved, and broken as before: nothing changed but that somebody has tried.
    pub still_broken: Vec<ModuleId>,
}

impl Delta {
    /// Whether nothing happened that a tab or the terminal would be told.
    pub fn is_empty(&self) -> bool {
        let Self { changed, broken, fixed, deleted, still_broken } = self;
        [changed, broken, fixed, deleted, still_broken].iter().all(|list| list.is_empty())
    }

    /// Adds what another step of the same edit did. What both did is listed once.
    pub fn merge(&mut self, more: Self) {
        let Self { changed, broken, fixed, deleted, still_broken } = more;
        let lists = [
            (&mut self.changed, changed),
            (&mut self.broken, broken),
            (&mut self.fixed, fixed),
            (&mut self.deleted, deleted),
            (&mut self.still_broken, still_broken),
        ];
        for (own, more) in lists {
            let mut seen: FxHashSet<ModuleId> = own.iter().copied().collect();
            own.extend(more.into_iter().filter(|&id| seen.insert(id)));
        }
    }

    /// Adds what `change` says of `id`.
    pub fn note(&mut self, id: ModuleId, change: Change) {
        match change {
            Change::Nothing => {}
            Change::Broke => self.broken.push(id),
            Change::Updated { definition, fixed } => {
                if definition {
                    self.changed.push(id);
                }
                if fixed {
                    self.fixed.push(id);
                }
            }
        }
    }
}

/// All modules. Only the loop owns one.
#[derive(Debug, Default)]
pub struct ModuleGraph {
    modules: Vec<Module>,
    by_url: FxHashMap<ModuleUrl, ModuleId>,
    /// id is in by_file[f] exactly when an edit of the file f may change the module: its own file, and files that went into it.
    by_file: FxHashMap<FilePath, FxHashSet<ModuleId>>,
    /// Files besides its own that went into each module: the inverse of `by_file`.
    extra_files: FxHashMap<ModuleId, Vec<FilePath>>,
    /// How often a module was found broken since the start.
    pub broken: usize,
}

impl std::ops::Index<ModuleId> for ModuleGraph {
    type Output = Module;

    fn index(&self, id: ModuleId) -> &Module {
        &self.modules[id.index()]
    }
}

impl ModuleGraph {
    /// The module of a name, made if it is not there.
    pub fn insert(&mut self, url: &ModuleUrl, file: &FilePath) -> ModuleId {
        if let Some(&id) = self.by_url.get(url) {
            return id;
        }
        let id = ModuleId(self.modules.len() as u32);
        self.modules.push(Module {
            url: url.clone(),
            file: file.clone(),
            state: ModuleState::New,
            published: None,
            published_at: 0,
            stands_since: 0,
        });
        self.by_url.insert(url.clone(), id);
        self.by_file.entry(file.clone()).or_default().insert(id);
        id
    }

    /// The module of this name, if there is one.
    pub fn get(&self, url: &str) -> Option<ModuleId> {
        self.by_url.get(url).copied()
    }

    /// All modules, in the order in which they came into the graph.
    pub fn ids(&self) -> impl Iterator<Item = ModuleId> + use<> {
        (0..self.modules.len() as u32).map(ModuleId)
    }

    /// How many modules there are, deleted ones included.
    pub fn len(&self) -> usize {
        self.modules.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.modules.is_empty()
    }

    /// Modules that an edit of `file` may change, in the order they came into the graph.
    pub fn of_file(&self, file: &Path) -> Vec<ModuleId> {
        let mut ids: Vec<ModuleId> = self.by_file.get(file).into_iter().flatten().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// Every file that some module depends on.
    pub fn files(&self) -> impl Iterator<Item = &FilePath> {
        self.by_file.keys()
    }

    /// Takes a compiled module in. An error leaves what was published before, so that tabs go on with it.
    pub fn set(&mut self, id: ModuleId, result: Result<Published, Vec<Diagnostic>>, files: Vec<FilePath>) -> Change {
        self.set_files(id, files);
        let module = &mut self.modules[id.index()];
        match result {
            Err(diagnostics) => {
                let state = ModuleState::Broken(diagnostics);
                if module.state == state {
                    return Change::Nothing;
                }
                module.state = state;
                self.broken += 1;
                Change::Broke
            }
            Ok(published) => {
                let fixed = matches!(module.state, ModuleState::Broken(_) | ModuleState::Deleted);
                let definition = module.published.as_ref().is_none_or(|before| before.hash != published.hash);
                module.state = ModuleState::Ready;
                module.published = Some(Arc::new(published));
                if definition || fixed { Change::Updated { definition, fixed } } else { Change::Nothing }
            }
        }
    }

    fn set_files(&mut self, id: ModuleId, files: Vec<FilePath>) {
        for file in self.extra_files.remove(&id).unwrap_or_default() {
            if file != self.modules[id.index()].file
                && let Some(ids) = self.by_file.get_mut(&file)
            {
                ids.remove(&id);
            }
        }
        for file in &files {
            self.by_file.entry(file.clone()).or_default().insert(id);
        }
        if !files.is_empty() {
            self.extra_files.insert(id, files);
        }
    }

    /// The module's file is gone: nothing of it may run from now on. False if that was known.
    pub fn delete(&mut self, id: ModuleId) -> bool {
        let module = &mut self.modules[id.index()];
        let known = module.state == ModuleState::Deleted;
        module.state = ModuleState::Deleted;
        module.published = None;
        !known
    }

    /// Back to the state before the first compilation: the next crawl compiles it.
    pub fn forget(&mut self, id: ModuleId) {
        let module = &mut self.modules[id.index()];
        module.state = ModuleState::New;
        module.published = None;
    }

    /// Writes the batch's number on everything in `delta`.
    pub fn stamp(&mut self, delta: &Delta, seq: u64) {
        for &id in &delta.changed {
            self.modules[id.index()].published_at = seq;
        }
        for &id in delta.broken.iter().chain(&delta.fixed).chain(&delta.deleted) {
            self.modules[id.index()].stands_since = seq;
        }
    }

    /// Those of `ids` that a page may run that starts now: not what their sources no longer say.
    pub fn ready(&self, ids: &[ModuleId]) -> impl Iterator<Item = (ModuleId, &Arc<Published>)> {
        let ready = ids.iter().filter(|&&id| self[id].state == ModuleState::Ready);
        ready.filter_map(|&id| Some((id, self[id].published.as_ref()?)))
    }

    /// What the batches after `seq` did, as it stands now: for a tab that missed them. A module that is broken now is in
    /// `changed` as well if it had a good definition meanwhile.
    pub fn since(&self, seq: u64) -> Delta {
        let mut delta = Delta::default();
        for id in self.ids() {
            let module = &self[id];
            if module.published_at > seq && module.published.is_some() {
                delta.changed.push(id);
            }
            if module.stands_since <= seq {
                continue;
            }
            match module.state {
                ModuleState::New => {}
                ModuleState::Ready => delta.fixed.push(id),
                ModuleState::Broken(_) => delta.broken.push(id),
                ModuleState::Deleted => delta.deleted.push(id),
            }
        }
        delta
    }

    /// Modules that `published` imports statically: these must be there before it runs.
    pub fn static_deps<'p>(&self, published: &'p Published) -> impl Iterator<Item = &'p ModuleUrl> {
        published.deps_of(DepKind::is_static)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::EnvReads;

    fn published(hash: &str) -> Published {
        let definition = Definition {
            code: "".into(),
            hash: hash.into(),
            deps: Vec::new(),
            globs: Vec::new(),
            exports: Vec::new(),
            stars: Vec::new(),
            env: EnvReads::None,
            files: Vec::new(),
            imports_by_name: false,
            sheet: None,
        };
        Published { definition, links: Vec::new(), globs: Vec::new(), hash: hash.into() }
    }

    fn graph() -> (ModuleGraph, ModuleId) {
        let mut graph = ModuleGraph::default();
        let id = graph.insert(&ModuleUrl::new("/a.js"), &FilePath::new("/p/a.js"));
        (graph, id)
    }

    #[test]
    fn the_same_source_again_changes_nothing() {
        let (mut graph, id) = graph();
        assert_eq!(graph.set(id, Ok(published("1")), Vec::new()), Change::Updated { definition: true, fixed: false });
        assert_eq!(graph.set(id, Ok(published("1")), Vec::new()), Change::Nothing);
    }

    #[test]
    fn an_error_keeps_what_was_published_and_its_end_is_told() {
        let (mut graph, id) = graph();
        graph.set(id, Ok(published("1")), Vec::new());
        assert_eq!(graph.set(id, Err(vec![Diagnostic::error("x")]), Vec::new()), Change::Broke);
        assert_eq!(graph[id].published.as_ref().map(|published| &*published.hash), Some("1"));
        assert_eq!(graph.set(id, Ok(published("1")), Vec::new()), Change::Updated { definition: false, fixed: true });
    }

    #[test]
    fn who_missed_batches_gets_how_things_stand_now() {
        let (mut graph, id) = graph();
        let mut first = Delta::default();
        first.note(id, graph.set(id, Ok(published("1")), Vec::new()));
        graph.stamp(&first, 1);
        let mut second = Delta::default();
        second.note(id, graph.set(id, Err(vec![Diagnostic::error("x")]), Vec::new()));
        graph.stamp(&second, 2);
        assert_eq!(graph.since(2), Delta::default());
        assert_eq!(graph.since(1), Delta { broken: vec![id], ..Delta::default() });
        graph.delete(id);
        graph.stamp(&Delta { deleted: vec![id], ..Delta::default() }, 3);
        assert_eq!(graph.since(1), Delta { deleted: vec![id], ..Delta::default() });
    }

    #[test]
    fn who_was_away_when_a_good_save_was_followed_by_a_broken_one_gets_both() {
        let (mut graph, id) = graph();
        for (seq, result) in
            [Ok(published("1")), Ok(published("2")), Err(vec![Diagnostic::error("x")])].into_iter().enumerate()
        {
            let mut delta = Delta::default();
            delta.note(id, graph.set(id, result, Vec::new()));
            graph.stamp(&delta, seq as u64);
        }
        assert_eq!(graph.since(0), Delta { changed: vec![id], broken: vec![id], ..Delta::default() });
        let mut undone = Delta::default();
        undone.note(id, graph.set(id, Ok(published("2")), Vec::new()));
        graph.stamp(&undone, 3);
        assert_eq!(graph.since(0), Delta { changed: vec![id], fixed: vec![id], ..Delta::default() });
        assert_eq!(graph.since(2), Delta { fixed: vec![id], ..Delta::default() });
    }

    #[test]
    fn a_file_that_went_into_a_module_leads_to_it_until_it_no_longer_does() {
        let (mut graph, id) = graph();
        graph.set(id, Ok(published("1")), vec![FilePath::new("/p/part.css")]);
        assert_eq!(graph.of_file(Path::new("/p/part.css")), [id]);
        graph.set(id, Ok(published("2")), Vec::new());
        assert_eq!(graph.of_file(Path::new("/p/part.css")), []);
        assert_eq!(graph.of_file(Path::new("/p/a.js")), [id]);
    }
}
