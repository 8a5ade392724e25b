//! Definitions by the digest of what they were made from: going back to an earlier text, or switching a branch there
//! and back, compiles nothing.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use rekindle_graph::{Definition, ModuleUrl};
use rustc_hash::FxHashMap;

/// Bytes that are kept. What live modules hold anyway is shared and counts too.
const LIMIT: usize = 32 << 20;
/// What a definition takes besides its code, roughly.
const DEFINITION_OVERHEAD: usize = 700;
/// Versions of one module: a file that is saved all day long must not fill the cache with what nobody goes back to.
const VERSIONS: usize = 16;

/// Shared by all compiling threads; the oldest entry goes first.
#[derive(Debug, Default)]
pub(crate) struct DefinitionCache {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    by_digest: FxHashMap<Arc<str>, Definition>,
    /// Of each module the digests, oldest first.
    of_module: FxHashMap<ModuleUrl, VecDeque<Arc<str>>>,
    order: VecDeque<(ModuleUrl, Arc<str>)>,
    bytes: usize,
}

impl DefinitionCache {
    pub fn get(&self, digest: &str) -> Option<Definition> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).by_digest.get(digest).cloned()
    }

    /// Keeps a definition of a module under its own digest.
    pub fn keep(&self, url: &ModuleUrl, definition: &Definition) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if size(definition) > LIMIT / 4 || inner.by_digest.contains_key(&definition.hash) {
            return;
        }
        inner.bytes += size(definition);
        inner.order.push_back((url.clone(), definition.hash.clone()));
        inner.by_digest.insert(definition.hash.clone(), definition.clone());
        let versions = inner.of_module.entry(url.clone()).or_default();
        versions.push_back(definition.hash.clone());
        if versions.len() > VERSIONS
            && let Some(oldest) = versions.pop_front()
        {
            inner.take_out(&oldest);
        }
        while inner.bytes > LIMIT {
            let Some((url, oldest)) = inner.order.pop_front() else { return };
            if let Some(versions) = inner.of_module.get_mut(&url) {
                versions.retain(|digest| *digest != oldest);
                if versions.is_empty() {
                    inner.of_module.remove(&url);
                }
            }
            inner.take_out(&oldest);
        }
        inner.forget_dropped();
    }
}

impl Inner {
    fn take_out(&mut self, digest: &str) {
        if let Some(gone) = self.by_digest.remove(digest) {
            self.bytes -= size(&gone);
        }
    }

    /// Removes the entries from `order` that are no longer kept, once they outnumber the others.
    fn forget_dropped(&mut self) {
        if self.order.len() > 2 * self.by_digest.len() + VERSIONS {
            let Self { order, by_digest, .. } = self;
            order.retain(|(_, digest)| by_digest.contains_key(digest));
        }
    }
}

fn size(definition: &Definition) -> usize {
    definition.code.len() + definition.sheet.as_ref().map_or(0, |sheet| sheet.len()) + DEFINITION_OVERHEAD
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

    fn url(name: &str) -> ModuleUrl {
        ModuleUrl::new(format!("/{name}.js").as_str())
    }

    #[test]
    fn what_was_compiled_before_is_found_again() {
        let cache = DefinitionCache::default();
        cache.keep(&url("a"), &definition("a", 10));
        assert!(cache.get("a").is_some());
        assert!(cache.get("b").is_none());
    }

    #[test]
    fn the_oldest_goes_when_the_limit_is_reached() {
        let cache = DefinitionCache::default();
        for name in ["a", "b", "c", "d", "e", "f"] {
            cache.keep(&url(name), &definition(name, LIMIT / 5));
        }
        assert!(cache.get("a").is_none());
        assert!(cache.get("f").is_some());
    }

    #[test]
    fn of_a_module_only_the_last_versions_are_kept() {
        let cache = DefinitionCache::default();
        cache.keep(&url("other"), &definition("other", 10));
        for version in 0..1000 {
            cache.keep(&url("a"), &definition(&version.to_string(), 10));
        }
        let inner = cache.inner.lock().unwrap();
        assert_eq!(inner.by_digest.len(), VERSIONS + 1);
        assert!(inner.by_digest.contains_key("other") && inner.by_digest.contains_key("999"));
        assert!(inner.order.len() < 4 * VERSIONS, "{}", inner.order.len());
        assert_eq!(inner.bytes, (VERSIONS + 1) * (10 + DEFINITION_OVERHEAD));
    }
}
