//! Values as they stand in scripts and in messages to tabs.

use serde::Serialize;

/// A value as JSON, which is an expression of a script as well.
pub fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("messages always serialise")
}

/// A string literal that may stand in a script.
pub fn quoted(text: &str) -> String {
    json(&text)
}
