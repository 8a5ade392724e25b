//! Whether splitting into chunks changed the order in which modules run.
//!
//! ```text
//! main: import './first'; import { x } from './shared'     lazy: import { x } from './shared'
//! chunks: main imports shared                              → shared runs before first: the order is another one
//! ```
//!
//! Only modules that do something when they run count. Where one is out of order the pages are bundled once more, with
//! each module put off to its place, which costs a few bytes for each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rolldown_common::OutputChunk;
use rustc_hash::FxHashSet;

/// Whether some module would run before one that comes before it.
pub(crate) fn is_changed(chunks: &[Arc<OutputChunk>], counts: &dyn Fn(&str) -> bool) -> bool {
    let by_name: BTreeMap<&str, &OutputChunk> =
        chunks.iter().map(|chunk| (chunk.filename.as_str(), &**chunk)).collect();
    chunks.iter().filter(|chunk| chunk.is_entry || chunk.is_dynamic_entry).any(|chunk| {
        let there = if chunk.is_entry { BTreeSet::new() } else { already_there(&by_name, chunk) };
        let order = loaded(&by_name, &chunk.filename)
            .into_iter()
            .filter(|name| !there.contains(name))
            .flat_map(|name| places(by_name[name], counts));
        !order.is_sorted()
    })
}

/// What has run before a lazy chunk, whoever asks for it.
fn already_there<'c>(chunks: &BTreeMap<&'c str, &'c OutputChunk>, lazy: &OutputChunk) -> BTreeSet<&'c str> {
    let askers = chunks.values().filter(|chunk| chunk.dynamic_imports.contains(&lazy.filename));
    let sets = askers.map(|chunk| loaded(chunks, &chunk.filename).into_iter().collect::<BTreeSet<_>>());
    sets.reduce(|a, b| a.intersection(&b).copied().collect()).unwrap_or_default()
}

/// Chunks in the order in which they run when `name` is imported.
fn loaded<'c>(chunks: &BTreeMap<&'c str, &'c OutputChunk>, name: &str) -> Vec<&'c str> {
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

/// The places in the order of all modules of those of a chunk that count.
fn places(chunk: &OutputChunk, counts: &dyn Fn(&str) -> bool) -> Vec<u32> {
    let modules = chunk.modules.keys.iter().zip(&chunk.modules.values);
    modules.filter(|(id, _)| counts(id.as_str())).map(|(_, module)| module.exec_order).collect()
}
