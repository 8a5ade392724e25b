//! Definitions by the digest of what they were made from: going back to an earlier text, or switching a branch there
//! and back, compiles nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use rekindle_graph::Definition;
use rustc_hash::FxHashMap;

/// Bytes of code that are kept. What live modules hold anyway is shared and counts too.
const LIMIT: usize = 32 << 20;

/// Shared by all compiling threads; the oldest entry goes first.
#[derive(Debug, Default)]
pub(crate) struct DefinitionCache {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    by_digest: FxHashMap<Arc<str>, Definition>,
    order: VecDeque<Arc<str>>,
    bytes: usize,
}

impl DefinitionCache {
    pub fn get(&self, digest: &str) -> Option<Definition> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).by_digest.get(digest).cloned()
    }

    /// Keeps a definition under its own digest.
    pub fn keep(&self, definition: &Definition) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if size(definition) > LIMIT / 4 || inner.by_digest.contains_key(&definition.hash) {
            return;
        }
        inner.bytes += size(definition);
        inner.order.push_back(definition.hash.clone());
        inner.by_digest.insert(definition.hash.clone(), definition.clone());
        while inner.bytes > LIMIT {
            let Some(oldest) = inner.order.pop_front() else { return };
            if let Some(gone) = inner.by_digest.remove(&oldest) {
                inner.bytes -= size(&gone);
            }
        }
    }
}

fn size(definition: &Definition) -> usize {
    definition.code.len() + definition.sheet.as_ref().map_or(0, |sheet| sheet.len())
}

#[cfg(test)]
mod tests {
    use rekindle_graph::EnvReads;

    use super::*;

    fn definition(hash: &str, size: usize) -> Definition {
        Definition {
            code: "x".repeat(size).into(),
            hash: hash.into(),
            deps: Vec::new(),
            globs: Vec::new(),
            exports: Vec::new(),
            stars: Vec::new(),
            env: EnvReads::None,
            files: Vec::new(),
            imports_by_name: false,
            sheet: None,
        }
    }

    #[test]
    fn what_was_compiled_before_is_found_again() {
        let cache = DefinitionCache::default();
        cache.keep(&definition("a", 10));
        assert!(cache.get("a").is_some());
        assert!(cache.get("b").is_none());
    }

    #[test]
    fn the_oldest_goes_when_the_limit_is_reached() {
        let cache = DefinitionCache::default();
        for name in ["a", "b", "c", "d", "e", "f"] {
            cache.keep(&definition(name, LIMIT / 5));
        }
        assert!(cache.get("a").is_none());
        assert!(cache.get("f").is_some());
    }
}
