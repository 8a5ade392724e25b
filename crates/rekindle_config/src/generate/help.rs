//! The sentence that `--help` has for a flag that stands for a key.

use crate::key::{DefaultValue, Type};
use crate::keys::key;

/// What `--help` says of the flag of a key.
///
/// # Panics
/// The table has no such key: a mistake in the flags, which shows as soon as the program is started.
pub fn help(toml: &str) -> String {
    let key = key(toml).expect("a flag names a key of the table of settings");
    let default = match key.default {
        DefaultValue::Toml("false" | "[]") => "",
        DefaultValue::Toml(value) => value,
        DefaultValue::Described(text) => text.strip_prefix("`false`: ").unwrap_or(text),
    };
    let doc = match key.holds {
        // What follows shows the shape in rekindle.toml.
        Type::Other(_) => key.doc.split(": ").next().unwrap_or(key.doc),
        _ => key.doc,
    };
    let text = if default.is_empty() { doc.to_owned() } else { format!("{doc} [default: {default}]") };
    text.replace(['`', '"'], "")
}
