//! The table of all settings. A new setting is a row here, a field in `config.rs`, and what uses it.
//!
//! From it come the checks of all sources, the messages about unknown keys, `docs/configuration.md`, the help text of flags, the
//! types of `packages/rekindle/config.d.ts` and the JSON schema of `rekindle.toml`; `cargo xtask settings` writes those files.

mod build;
mod project;
mod server;
mod styles;

use crate::key::Key;
use crate::names::snake_case;

/// All rows, in the order in which they are documented and applied.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    [project::KEYS, server::KEYS, server::PREVIEW, build::KEYS, server::SERVE, styles::KEYS, server::REST]
        .into_iter()
        .flatten()
}

/// The row of a key of `rekindle.toml`; for `preview.host` that of `server.host`.
pub fn key(toml: &str) -> Option<&'static Key> {
    keys().find(|key| key.toml == toml).or_else(|| {
        let shared = format!("server.{}", toml.strip_prefix("preview.")?);
        keys().find(|key| key.is_shared && key.toml == shared)
    })
}

/// The row of a key of Vite, and its name in `rekindle.toml`.
pub fn key_of_vite(path: &str) -> Option<(&'static Key, String)> {
    let named = |path: &str| keys().find(|key| key.vite.contains(&path));
    if let Some(key) = named(path) {
        return Some((key, key.toml.to_owned()));
    }
    let name = path.strip_prefix("preview.")?;
    let key = named(&format!("server.{name}")).filter(|key| key.is_shared)?;
    Some((key, key.toml.replacen("server", "preview", 1)))
}

/// The names in a table of `rekindle.toml`, those of its tables included; the empty name is the top of the file.
pub fn names_in(table: &str) -> Vec<&'static str> {
    let mut names = Vec::new();
    let mut add = |name: &'static str| {
        if !names.contains(&name) {
            names.push(name);
        }
    };
    for key in keys() {
        if let Some(name) = key.toml.strip_prefix("server.").filter(|_| table == "preview" && key.is_shared) {
            add(name);
        }
        let rest = if table.is_empty() { Some(key.toml) } else { key.toml.strip_prefix(table) };
        let rest = rest.and_then(|rest| if table.is_empty() { Some(rest) } else { rest.strip_prefix('.') });
        if let Some(rest) = rest {
            add(rest.split('.').next().unwrap_or(rest));
        }
    }
    names
}

/// The tables at the top of `rekindle.toml`.
pub fn tables() -> Vec<&'static str> {
    let mut tables = Vec::new();
    for (table, _) in keys().filter_map(|key| key.toml.split_once('.')) {
        if !tables.contains(&table) {
            tables.push(table);
        }
    }
    tables
}

/// The key of `rekindle.toml` that can hold what a key of Vite holds: `css.modules.hashPrefix` → `css.modules.hash_prefix`.
pub fn toml_name(path: &str) -> Option<String> {
    let path = path.split(' ').next().unwrap_or(path);
    if let Some((_, name)) = key_of_vite(path) {
        return Some(name);
    }
    let name = snake_case(path);
    let is_table = keys().any(|key| key.toml.strip_prefix(&name).is_some_and(|rest| rest.starts_with('.')));
    let is_option = name.starts_with("css.preprocessor_options.")
        && (name.ends_with(".additional_data") || name.ends_with(".load_paths"));
    (is_table || is_option).then_some(name)
}
