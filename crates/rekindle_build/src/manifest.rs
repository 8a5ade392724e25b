//! `.vite/manifest.json` in Vite's shape: which files a server's template has to name.
//!
//! ```json
//! { "index.html": { "file": "assets/index-x.js", "name": "index", "src": "index.html", "isEntry": true,
//!                   "imports": ["_shared-y.js"], "css": ["assets/index-z.css"], "assets": ["assets/a-w.png"] } }
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::chunks::{Chunk, base_name};
use crate::pages::below_root;
use crate::plugin::without_query;
use crate::session::Session;

/// One chunk of the manifest.
pub(crate) struct Entry {
    file: String,
    name: String,
    /// Path of the page or the module that it is the chunk of.
    source: Option<String>,
    is_entry: bool,
    is_dynamic: bool,
    imports: Vec<String>,
    dynamic_imports: Vec<String>,
    css: Vec<String>,
    assets: Vec<String>,
}

impl Entry {
    pub fn of(session: &Session, chunk: &Chunk, style: Option<&str>) -> Self {
        let made = &chunk.chunk;
        let source = made.facade_module_id.as_ref().filter(|id| !id.as_str().starts_with('\0'));
        let assets = session.addresses.sources();
        let own = made.modules.keys.iter().filter_map(|id| assets.get(Path::new(without_query(id.as_str()).0)));
        Self {
            file: made.filename.to_string(),
            name: made.name.to_string(),
            source: source.map(|id| below_root(session, Path::new(without_query(id.as_str()).0))),
            is_entry: made.is_entry,
            is_dynamic: made.is_dynamic_entry,
            imports: made.imports.iter().map(ToString::to_string).collect(),
            dynamic_imports: made.dynamic_imports.iter().map(ToString::to_string).collect(),
            css: chunk.own_sheets.iter().cloned().chain(style.filter(|_| made.is_entry).map(str::to_owned)).collect(),
            assets: own.cloned().collect(),
        }
    }

    /// What other entries call it.
    fn key(&self) -> String {
        self.source.clone().unwrap_or_else(|| format!("_{}", base_name(&self.file)))
    }
}

pub(crate) fn text(session: &Session, entries: Vec<Entry>, style: Option<&str>) -> String {
    let keys: BTreeMap<&str, String> = entries.iter().map(|entry| (entry.file.as_str(), entry.key())).collect();
    let named = |files: &[String]| -> Vec<String> {
        files.iter().filter_map(|file| keys.get(file.as_str()).cloned()).collect()
    };
    let mut manifest: BTreeMap<String, Value> = BTreeMap::new();
    for entry in &entries {
        let mut value = Map::new();
        value.insert("file".into(), json!(entry.file));
        value.insert("name".into(), json!(entry.name));
        if let Some(source) = &entry.source {
            value.insert("src".into(), json!(source));
        }
        let mut put = |name: &str, list: Vec<String>| {
            if !list.is_empty() {
                value.insert(name.into(), json!(list));
            }
        };
        put("imports", named(&entry.imports));
        put("dynamicImports", named(&entry.dynamic_imports));
        put("css", entry.css.clone());
        put("assets", entry.assets.clone());
        if entry.is_entry {
            value.insert("isEntry".into(), json!(true));
        }
        if entry.is_dynamic {
            value.insert("isDynamicEntry".into(), json!(true));
        }
        manifest.insert(entry.key(), Value::Object(value));
    }
    for (path, file) in session.addresses.sources() {
        let source = below_root(session, &path);
        manifest.entry(source.clone()).or_insert_with(|| json!({ "file": file, "src": source }));
    }
    if let Some(style) = style {
        manifest.insert("style.css".into(), json!({ "file": style, "src": "style.css" }));
    }
    serde_json::to_string_pretty(&manifest).expect("strings, lists and maps always serialise")
}
