//! Globs that begin with an alias, of the settings or of tsconfig.json.
//!
//! ```text
//! import.meta.glob('@/pages/*.ts')     →  /src/pages/*.ts     key  /src/pages/home.ts, as in Vite
//! import(`@/pages/${name}.ts`)         →  /src/pages/*.ts     key  @/pages/home.ts, as it will be asked for
//! import(`../own/${name}.ts`)          →  ../own/*.ts         key  ../own/home.ts, also where the importer is in own/
//! ```

use std::borrow::Cow;
use std::path::Path;

use rekindle_graph::GlobCall;
use rekindle_graph::paths::{normal, relative_path};

use crate::resolve::resolver::Resolver;

/// A call whose patterns all begin with a path, as far as aliases can do that.
pub struct AliasedGlob<'c> {
    pub call: Cow<'c, GlobCall>,
    /// For keys that stay as they were written: their beginning from the root, and as written.
    heads: Vec<(String, String)>,
}

impl<'c> AliasedGlob<'c> {
    pub fn of(call: &'c GlobCall, importer: &Path, resolver: &Resolver) -> Self {
        let mut heads: Vec<(String, String)> = match (call.of_import, importer.parent()) {
            (true, Some(folder)) => call.patterns.iter().filter_map(|pattern| detour(pattern, folder)).collect(),
            _ => Vec::new(),
        };
        if call.patterns.iter().all(|pattern| begins_with_path(pattern)) {
            return Self { call: Cow::Borrowed(call), heads };
        }
        let mut patterns = Vec::new();
        for pattern in &call.patterns {
            let (not, positive) = pattern.strip_prefix('!').map_or(("", pattern.as_str()), |positive| ("!", positive));
            let behind =
                if begins_with_path(positive) { Vec::new() } else { resolver.globs_behind(importer, positive) };
            if behind.is_empty() {
                patterns.push(pattern.clone());
            }
            for path in behind {
                if call.of_import {
                    // Keys outside of the root begin with `../`.
                    let head = path.strip_prefix('/').filter(|path| path.starts_with("../")).unwrap_or(&path);
                    heads.push((head_of(head).replace('\\', ""), head_of(positive).to_owned()));
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

/// For a path that leaves a folder and comes back, as `../own/*.js` in `own/`: the beginning that keys have (`./`), and as
/// written.
fn detour(pattern: &str, folder: &Path) -> Option<(String, String)> {
    let head = head_of(pattern);
    let written = &head[..=head.rfind('/')?];
    if !written.starts_with('.') {
        return None;
    }
    let way = relative_path(folder, &normal(&folder.join(written)));
    let begins = match way.as_str() {
        "" => "./".to_owned(),
        way if way.starts_with("..") => format!("{way}/"),
        way => format!("./{way}/"),
    };
    (begins != written).then(|| (begins, written.to_owned()))
}

/// What stands before the first wildcard.
fn head_of(pattern: &str) -> &str {
    pattern.split('*').next().unwrap_or(pattern)
}
