//! The tables of `docs/configuration.md`.

use super::region::fill_between;
use crate::key::{DefaultValue, Key};
use crate::keys::{keys, tables};

const BEGIN: &str = "<!-- settings: written by `cargo xtask settings` -->";
const END: &str = "<!-- /settings -->";

pub(super) fn fill(present: &str) -> Result<String, String> {
    let mut lines = vec![String::new()];
    let top: Vec<&Key> = keys().filter(|key| !key.toml.contains('.')).collect();
    section(&mut lines, "At the top of the file", "", &top);
    for table in tables() {
        let own: Vec<&Key> =
            keys().filter(|key| key.toml.split('.').next() == Some(table) && key.toml != table).collect();
        if !own.is_empty() && !top.iter().any(|key| key.toml == table) {
            section(&mut lines, &format!("`[{table}]`"), &format!("{table}."), &own);
        }
        if table == "preview" {
            let shared: Vec<String> = keys()
                .filter(|key| key.is_shared && key.toml != "server.port")
                .map(|key| format!("`{}`", key.toml.trim_start_matches("server.")))
                .collect();
            lines.push(format!("What is left out is as in `[server]`: {}.", shared.join(", ")));
            lines.push(String::new());
        }
    }
    fill_between(present, BEGIN, END, &lines)
}

fn section(lines: &mut Vec<String>, title: &str, table: &str, keys: &[&Key]) {
    lines.push(format!("### {title}"));
    lines.push(String::new());
    lines.push("| key | | default | in `vite.config` | flag |".to_owned());
    lines.push("|---|---|---|---|---|".to_owned());
    for key in keys {
        let default = match key.default {
            DefaultValue::Toml(value) => format!("`{value}`"),
            DefaultValue::Described(text) => text.to_owned(),
        };
        let vite = key.vite.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let flag = key.flag.map(|flag| format!("`--{flag}`")).unwrap_or_default();
        let name = key.toml.strip_prefix(table).unwrap_or(key.toml);
        lines.push(format!("| `{name}` | {} | {default} | {vite} | {flag} |", key.doc.replace('|', "\\|")));
    }
    lines.push(String::new());
}
