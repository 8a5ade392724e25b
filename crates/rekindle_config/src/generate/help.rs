//! The sentence that `--help` has for a flag that stands for a key.

use crate::key::DefaultValue;
use crate::keys::key;

/// What `--help` says of the flag of a key.
pub fn help(toml: &str) -> String {
    let Some(key) = key(toml) else { return String::new() };
    let default = match key.default {
        DefaultValue::Toml("false" | "[]") => "",
        DefaultValue::Toml(value) => value,
        DefaultValue::Described(text) => text,
    };
    let text = if default.is_empty() { key.doc.to_owned() } else { format!("{} [default: {default}]", key.doc) };
    text.replace(['`', '"'], "")
}
