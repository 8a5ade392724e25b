//! Globs that begin with an alias, of the settings or of tsconfig.json.
//!
//! ```text
//! import.meta.glob('@/pages/*.ts')     →  /src/pages/*.ts     key  /src/pages/home.ts, as in Vite
//! import(`@/pages/${name}.ts`)         →  /src/pages/*.ts     key  @/pages/home.ts, as it will be asked for
//! ```

use std::borrow::Cow;
use std::path::Path;

use rekindle_graph::GlobCall;

use crate::resolve::Resolver;

/// A call whose patterns all begin with a path, as far as aliases can do that.
pub struct Aliased<'c> {
    pub call: Cow<'c, GlobCall>,
    /// For keys that stay as they were written: their beginning from the root, and as written.
    heads: Vec<(String, String)>,
}

impl<'c> Aliased<'c> {
    pub fn of(call: &'c GlobCall, importer: &Path, resolver: &Resolver) -> Self {
        if call.patterns.iter().all(|pattern| begins_with_path(pattern)) {
            return Self { call: Cow::Borrowed(call), heads: Vec::new() };
        }
        let mut heads = Vec::new();
        let mut patterns = Vec::new();
        for pattern in &call.patterns {
            let (not, positive) = pattern.strip_prefix('!').map_or(("", pattern.as_str()), |positive| ("!", positive));
            let behind = match begins_with_path(positive) {
                true => Vec::new(),
                false => resolver.globs_behind(importer, positive),
            };
            if behind.is_empty() {
                patterns.push(pattern.clone());
            }
            for path in behind {
                if call.of_import {
                    // Keys outside of the root begin with `../`.
                    let head = path.strip_prefix('/').filter(|path| path.starts_with("../")).unwrap_or(&path);
                    heads.push((head_of(head).to_owned(), head_of(positive).to_owned()));
                }
                patterns.push(format!("{not}{path}"));
            }
        }
        Self { call: Cow::Owned(GlobCall { patterns, ..call.clone() }), heads }
    }

    /// The key of a match.
    pub fn key(&self, key: String) -> String {
        let written = self.heads.iter().find_map(|(head, written)| Some((key.strip_prefix(head.as_str())?, written)));
        written.map(|(rest, written)| format!("{written}{rest}")).unwrap_or(key)
    }
}

fn begins_with_path(pattern: &str) -> bool {
    let positive = pattern.strip_prefix('!').unwrap_or(pattern);
    ["./", "../", "/", "**"].iter().any(|start| positive.starts_with(start))
}

/// What stands before the first wildcard.
fn head_of(pattern: &str) -> &str {
    pattern.split('*').next().unwrap_or(pattern)
}
