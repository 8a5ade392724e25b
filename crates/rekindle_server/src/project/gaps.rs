//! What an edit leaves open: imports of files or of names that are not there.
//!
//! ```text
//! app.ts: import './new'           new.ts is not there            a gap: its next save may bring it
//! store.ts: count → total          app.ts still imports `count`   a gap: app.ts may be saved next
//! app.ts: const x = ;              a mistake of its own           no gap
//! ```
//!
//! Files that belong together are written one after the other, and in between they do not fit. An edit with a new gap is told
//! a moment later than others, in case the next file closes it. A gap that tabs know of holds nothing up again.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use rekindle_graph::{Delta, DepKind, Link, ModuleGraph, ModuleId, ModuleState};
use rustc_hash::{FxHashMap, FxHashSet};

/// A module and what it lacks: the name of an export, or a sentence.
pub type Gap = (ModuleId, String);

/// How things stood before an edit, as far as its gaps depend on it.
#[derive(Clone, Debug, Default)]
pub struct StateBefore {
    /// Digest and exports of the modules that it may change.
    modules: FxHashMap<ModuleId, (Arc<str>, Vec<String>)>,
    /// What was broken, or not there.
    pub unwell: FxHashSet<ModuleId>,
}

impl StateBefore {
    /// `is_undone`: the edit may be taken back soon, so the state of all modules is noted, to see which of them changed in the end.
    pub fn an_edit_of(paths: &[PathBuf], is_undone: bool, graph: &ModuleGraph) -> Self {
        let others = graph.ids().filter(|_| is_undone);
        let others = others.filter_map(|id| Some((id, (graph[id].published.as_ref()?.hash.clone(), Vec::new()))));
        let ids = paths.iter().flat_map(|path| graph.of_file(path));
        let modules = others.chain(ids.filter_map(|id| {
            let published = graph[id].published.as_ref()?;
            Some((id, (published.hash.clone(), published.definition.exports.clone())))
        }));
        let is_unwell = |&id: &ModuleId| matches!(graph[id].state, ModuleState::Broken(_) | ModuleState::Deleted);
        Self { modules: modules.collect(), unwell: graph.ids().filter(is_unwell).collect() }
    }

    /// The same before an earlier edit, which did `delta`.
    pub fn or_earlier(mut self, earlier: Self, delta: &Delta) -> Self {
        // What that edit has made is not how things stood before it.
        for id in delta.changed.iter().chain(&delta.deleted) {
            self.modules.remove(id);
        }
        self.modules.extend(earlier.modules);
        // What that edit broke or removed is known to nobody yet; what else is not well by now was told meanwhile.
        self.unwell.retain(|id| !delta.broken.contains(id) && !delta.deleted.contains(id));
        self.unwell.extend(earlier.unwell);
        self
    }

    /// Whether a module is what it was.
    pub fn is_same(&self, id: ModuleId, graph: &ModuleGraph) -> bool {
        let now = graph[id].published.as_ref().map(|published| &published.hash);
        self.modules.get(&id).is_some_and(|(hash, _)| now == Some(hash))
    }

    /// Names that modules in `delta` do not export any more.
    fn lost<'b>(&'b self, delta: &Delta, graph: &ModuleGraph) -> FxHashSet<&'b str> {
        let changed = delta.changed.iter().filter_map(|&id| Some((id, &self.modules.get(&id)?.1)));
        let lost = changed.flat_map(|(id, before)| {
            let published = graph[id].published.as_ref();
            let exports = published.map(|published| published.definition.exports.as_slice()).unwrap_or_default();
            let now: FxHashSet<&str> = exports.iter().map(String::as_str).collect();
            before.iter().filter(move |name| !now.contains(name.as_str()))
        });
        lost.map(String::as_str).collect()
    }
}

/// The gaps that tabs have been told of.
#[derive(Debug, Default)]
pub struct Gaps {
    told: BTreeSet<Gap>,
}

impl Gaps {
    /// Whether `delta` has gaps that are new.
    pub fn are_new(&self, found: &BTreeSet<Gap>) -> bool {
        !found.is_subset(&self.told)
    }

    /// Tabs are told of `delta` with the gaps that were found in it.
    pub fn tell(&mut self, delta: &Delta, found: BTreeSet<Gap>) {
        let settled: FxHashSet<ModuleId> =
            delta.changed.iter().chain(&delta.fixed).chain(&delta.deleted).copied().collect();
        self.told.retain(|(importer, _)| !settled.contains(importer));
        self.told.extend(found);
    }
}

/// The gaps in what an edit changed, and those that it tore open elsewhere.
pub fn find(graph: &ModuleGraph, delta: &Delta, before: &StateBefore) -> BTreeSet<Gap> {
    let mut found = BTreeSet::new();
    for &id in &delta.broken {
        if let ModuleState::Broken(diagnostics) = &graph[id].state {
            found.extend(diagnostics.iter().filter(|one| one.is_missing).map(|one| (id, one.message.clone())));
        }
    }
    for &id in &delta.changed {
        add_names(graph, id, |_| true, &mut found);
    }
    let lost = before.lost(delta, graph);
    if !lost.is_empty() {
        let is_own = |&id: &ModuleId| !graph[id].url.path().contains("/node_modules/");
        for id in graph.ids().filter(is_own) {
            add_names(graph, id, |name| lost.contains(name), &mut found);
        }
    }
    found
}

/// Adds the names that `importer` takes of modules which do not have them.
fn add_names(graph: &ModuleGraph, importer: ModuleId, is_wanted: impl Fn(&str) -> bool, found: &mut BTreeSet<Gap>) {
    let Some(published) = graph[importer].published.as_ref().filter(|_| graph[importer].state == ModuleState::Ready)
    else {
        return;
    };
    for (dep, link) in published.definition.deps.iter().zip(&published.links) {
        let Link::Module(url) = link else { continue };
        if dep.kind != DepKind::Static {
            continue;
        }
        let Some(source) = graph.get(url.as_str()) else { continue };
        let names = dep.names.iter().filter(|name| *name != "*" && is_wanted(name));
        let missing = names.filter(|name| lacks(graph, source, name));
        found.extend(missing.map(|name| (importer, name.clone())));
    }
}

/// Whether it is certain that a module does not export a name.
fn lacks(graph: &ModuleGraph, module: ModuleId, name: &str) -> bool {
    let mut seen = FxHashSet::from_iter([module]);
    let mut queue = vec![module];
    while let Some(at) = queue.pop() {
        let Some(published) = graph[at].published.as_ref().filter(|_| graph[at].state == ModuleState::Ready) else {
            return false; // It has an error of its own, or nobody has looked at it.
        };
        let definition = &published.definition;
        if definition.exports.iter().any(|export| export == name && (at == module || name != "default")) {
            return false;
        }
        if is_commonjs(&definition.code) {
            return false; // What it exports shows when it runs.
        }
        for &star in &definition.stars {
            match published.links.get(star) {
                Some(Link::Module(url)) => match graph.get(url.as_str()) {
                    Some(next) if seen.insert(next) => queue.push(next),
                    Some(_) => {}
                    None => return false,
                },
                _ => return false,
            }
        }
    }
    true
}

/// Whether a definition is of a CommonJS module, by the form of its factory.
fn is_commonjs(code: &str) -> bool {
    code.contains("function(module,exports,require")
}
