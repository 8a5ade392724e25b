//! The keys in `packages/rekindle/config.d.ts`, the types of a configuration of Vite.

use super::region::fill_between;
use crate::key::{Key, Type};
use crate::keys::keys;

/// The line in front of the keys of one of Vite's tables, and the one behind them.
const END: &str = "// end of settings";

/// Vite's tables, and whether their keys are those that its two servers share.
const TABLES: [(&str, Option<bool>); 11] = [
    ("", None),
    ("resolve", None),
    ("server", Some(true)),
    ("server", Some(false)),
    ("server.hmr", None),
    ("server.watch", None),
    ("server.warmup", None),
    ("build", None),
    ("build.rollupOptions", None),
    ("css", None),
    ("css.modules", None),
];

pub(super) fn fill(present: &str) -> Result<String, String> {
    let mut text = present.to_owned();
    for (table, is_shared) in TABLES {
        let name = match (table, is_shared) {
            ("", _) => "the top".to_owned(),
            (table, Some(true)) => format!("`{table}` and `preview`"),
            (table, _) => format!("`{table}`"),
        };
        let begin = format!("// settings of {name}, written by `cargo xtask settings`");
        let wanted = keys().filter(|key| is_shared.is_none_or(|is_shared| key.is_shared == is_shared));
        let lines: Vec<String> = wanted.flat_map(|key| lines_of(key, table)).collect();
        text = fill_between(&text, &begin, END, &lines)?;
    }
    Ok(text)
}

fn lines_of(key: &Key, table: &str) -> Vec<String> {
    let in_table = |name: &&'static str| -> Option<&'static str> {
        let name = if table.is_empty() { *name } else { name.strip_prefix(table)?.strip_prefix('.')? };
        (!name.contains('.')).then_some(name)
    };
    let Some(name) = key.vite.iter().find_map(in_table) else { return Vec::new() };
    let kind = if key.vite_type.is_empty() { type_of(&key.holds) } else { key.vite_type.to_owned() };
    let doc = match key.holds {
        // What follows shows the shape in rekindle.toml.
        Type::Other(_) => key.doc.split(": ").next().unwrap_or(key.doc),
        _ => key.doc,
    };
    vec![format!("  /** {}. */", doc.replace("*/", "*\\/")), format!("  {name}?: {kind}")]
}

fn type_of(holds: &Type) -> String {
    let one_of = |texts: &[&str]| texts.iter().map(|text| format!("'{text}'")).collect::<Vec<_>>().join(" | ");
    match holds {
        Type::Switch(_) => "boolean".to_owned(),
        Type::Tool(_) | Type::Setting { texts: [], .. } => "boolean | string".to_owned(),
        Type::Number { .. } => "number".to_owned(),
        Type::Text(_) | Type::Folder(_) => "string".to_owned(),
        Type::FolderOrNone { .. } => "string | false".to_owned(),
        Type::Setting { texts, .. } => format!("boolean | {}", one_of(texts)),
        Type::Choice(names, _) => one_of(names),
        Type::Texts(..) => "string[]".to_owned(),
        Type::OneOrTexts(..) => "string | string[]".to_owned(),
        Type::Other(shape) => shape.typescript.to_owned(),
    }
}
