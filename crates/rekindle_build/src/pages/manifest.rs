//! `.vite/manifest.json` in Vite's shape: which files a server's template has to name.
//!
//! ```json
//! { "index.html": { "file": "assets/index-x.js", "name": "index", "src": "index.html", "isEntry": true,
//!                   "imports": ["_shared-y.js"], "css": ["assets/index-z.css"], "assets": ["assets/a-w.png"] } }
//!   "src/only.css": { "file": "assets/only-v.css", "name": "only", "src": "src/only.css", "isEntry": true } }
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rekindle_compile::kind::{path_of, without_suffix};
use serde_json::{Map, Value, json};

use crate::output::chunks::{Chunk, base_name};
use crate::output::place::below_root;
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
    assets: BTreeSet<String>,
}

/// What a page names besides its scripts.
#[derive(Default)]
pub(crate) struct PageReferences<'p> {
    pub sheets: &'p [String],
    /// Addresses, of which some lead to assets.
    pub addresses: &'p [String],
}

/// A sheet that is an input of its own.
pub(crate) struct SheetInput {
    pub name: String,
    pub source: String,
    /// In the output.
    pub file: String,
}

/// Assets by the last part of their name in the output.
pub(crate) type Assets = BTreeMap<String, String>;

pub(crate) fn assets(session: &Session) -> Assets {
    session.addresses.sources().into_values().map(|name| (base_name(&name).to_owned(), name)).collect()
}

/// The assets that addresses in a sheet lead to.
fn assets_in_sheet<'t>(text: &'t str, assets: &'t Assets) -> impl Iterator<Item = String> {
    let urls = text.match_indices("url(").filter_map(|(at, _)| text[at + 4..].split(')').next());
    urls.filter_map(|url| asset_at(url.trim_matches(['"', '\'', ' ']), assets))
}

fn asset_at(address: &str, assets: &Assets) -> Option<String> {
    let path = without_suffix(address).0;
    let name = percent_encoding::percent_decode_str(base_name(path)).decode_utf8_lossy();
    assets.get(&*name).cloned()
}

impl Entry {
    /// `sheet` gives the text of a sheet of the output.
    pub fn of(
        session: &Session,
        chunk: &Chunk,
        style: Option<&str>,
        page: &PageReferences<'_>,
        known: &Assets,
        sheet: &dyn Fn(&str) -> String,
    ) -> Self {
        let made = &chunk.chunk;
        let source = made.facade_module_id.as_ref().filter(|id| !id.as_str().starts_with('\0'));
        let sources = session.addresses.sources();
        let own = made.modules.keys.iter().filter_map(|id| sources.get(Path::new(path_of(id.as_str()))));
        let mut assets: BTreeSet<String> = own.cloned().collect();
        assets.extend(page.addresses.iter().filter_map(|address| asset_at(address, known)));
        let style = style.filter(|_| made.is_entry).map(str::to_owned);
        let mut css: Vec<String> = Vec::new();
        for name in page.sheets.iter().cloned().chain(chunk.own_sheets.iter().cloned()).chain(style) {
            assets.extend(assets_in_sheet(&sheet(&name), known));
            if !css.contains(&name) {
                css.push(name);
            }
        }
        Self {
            file: made.filename.to_string(),
            name: made.name.to_string(),
            source: source.map(|id| below_root(session, Path::new(path_of(id.as_str())))),
            is_entry: made.is_entry,
            is_dynamic: made.is_dynamic_entry,
            imports: made.imports.iter().map(ToString::to_string).collect(),
            dynamic_imports: made.dynamic_imports.iter().map(ToString::to_string).collect(),
            css,
            assets,
        }
    }

    /// What other entries call it.
    fn key(&self) -> String {
        self.source.clone().unwrap_or_else(|| format!("_{}", base_name(&self.file)))
    }
}

pub(crate) fn text(
    session: &Session,
    entries: Vec<Entry>,
    sheets: &[SheetInput],
    style: Option<&str>,
    known: &Assets,
    sheet: &dyn Fn(&str) -> String,
) -> String {
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
        put("assets", entry.assets.iter().cloned().collect());
        if entry.is_entry {
            value.insert("isEntry".into(), json!(true));
        }
        if entry.is_dynamic {
            value.insert("isDynamicEntry".into(), json!(true));
        }
        manifest.insert(entry.key(), Value::Object(value));
    }
    for input in sheets {
        let mut value = json!({
            "file": input.file, "name": input.name, "names": [format!("{}.css", base_name(&input.name))],
            "src": input.source, "isEntry": true,
        });
        let assets: BTreeSet<String> = assets_in_sheet(&sheet(&input.file), known).collect();
        if !assets.is_empty() {
            value["assets"] = json!(assets);
        }
        manifest.insert(input.source.clone(), value);
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
