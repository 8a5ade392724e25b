//! Whether splitting into chunks changed the order in which modules run.
//!
//! ```text
//! main: import './first'; import { x } from './shared'     lazy: import { x } from './shared'
//! chunks: main imports shared                              → shared runs before first: the order has changed
//! ```
//!
//! Only modules that do something when they run count. Where one is out of order the pages are bundled once more, with
//! each module put off to its place, which costs a few bytes for each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rolldown_common::OutputChunk;
use rustc_hash::{FxHashMap, FxHashSet};

/// What is known of the modules.
pub(crate) struct Modules<'m> {
    /// What each imports statically, in order.
    pub imports: &'m FxHashMap<String, Vec<String>>,
    /// Whether a module does something when it runs.
    pub counts: &'m dyn Fn(&str) -> bool,
}

/// Whether some module would run before one that comes before it.
pub(crate) fn is_changed(chunks: &[Arc<OutputChunk>], modules: &Modules<'_>) -> bool {
    let by_name: BTreeMap<&str, &OutputChunk> =
        chunks.iter().map(|chunk| (chunk.filename.as_str(), &**chunk)).collect();
    chunks.iter().filter(|chunk| chunk.is_entry || chunk.is_dynamic_entry).any(|chunk| {
        let Some(entry) = &chunk.facade_module_id else { return false };
        let there = if chunk.is_entry { BTreeSet::new() } else { already_there(&by_name, chunk) };
        let wanted = evaluation(modules.imports, entry.as_str());
        let order = loaded(&by_name, &chunk.filename).into_iter().filter(|name| !there.contains(name));
        let order = order.flat_map(|name| by_name[name].modules.keys.iter().map(|id| id.as_str()));
        !order.filter(|id| (modules.counts)(id)).filter_map(|id| wanted.get(id)).is_sorted()
    })
}

/// The places of modules in the order in which they run when `entry` is imported.
pub(crate) fn evaluation<'m>(imports: &'m FxHashMap<String, Vec<String>>, entry: &'m str) -> FxHashMap<&'m str, usize> {
    let (mut places, mut seen) = (FxHashMap::default(), FxHashSet::default());
    let mut stack = vec![(entry, false)];
    while let Some((id, is_done)) = stack.pop() {
        if is_done {
            places.insert(id, places.len());
        } else if seen.insert(id) {
            stack.push((id, true));
            stack.extend(imports.get(id).into_iter().flatten().rev().map(|import| (import.as_str(), false)));
        }
    }
    places
}

/// What has run before a lazy chunk, whoever asks for it.
pub(crate) fn already_there<'c>(chunks: &BTreeMap<&'c str, &'c OutputChunk>, lazy: &OutputChunk) -> BTreeSet<&'c str> {
    let askers = chunks.values().filter(|chunk| chunk.dynamic_imports.contains(&lazy.filename));
    let sets = askers.map(|chunk| loaded(chunks, &chunk.filename).into_iter().collect::<BTreeSet<_>>());
    sets.reduce(|a, b| a.intersection(&b).copied().collect()).unwrap_or_default()
}

/// Chunks in the order in which they run when `name` is imported.
pub(crate) fn loaded<'c>(chunks: &BTreeMap<&'c str, &'c OutputChunk>, name: &str) -> Vec<&'c str> {
    let (mut order, mut seen) = (Vec::new(), FxHashSet::default());
    let mut stack = vec![(name, false)];
    while let Some((name, is_done)) = stack.pop() {
        let Some((&name, chunk)) = chunks.get_key_value(name) else { continue };
        if is_done {
            order.push(name);
        } else if seen.insert(name) {
            stack.push((name, true));
            stack.extend(chunk.imports.iter().rev().map(|import| (import.as_str(), false)));
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_run_after_what_they_import() {
        let imports: FxHashMap<String, Vec<String>> = [("a", "b c"), ("b", "d"), ("c", "d a"), ("d", "")]
            .into_iter()
            .map(|(id, list)| (id.to_owned(), list.split_whitespace().map(str::to_owned).collect()))
            .collect();
        let mut order: Vec<_> = evaluation(&imports, "a").into_iter().collect();
        order.sort_by_key(|(_, place)| *place);
        assert_eq!(order.iter().map(|(id, _)| *id).collect::<String>(), "dbca");
    }
}
