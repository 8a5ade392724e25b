//! `%NAME%` in a page: values of `.env` files.

use std::ops::Range;

/// A text with the values of `%NAME%` in it.
pub(crate) fn with_env(source: &str, env: &dyn Fn(&str) -> Option<String>) -> String {
    let mut text = String::with_capacity(source.len());
    let mut done = 0;
    for (range, value) in env_references(source, env) {
        text.push_str(&source[done..range.start]);
        text.push_str(&value);
        done = range.end;
    }
    text.push_str(&source[done..]);
    text
}

/// Each `%NAME%` that `env` knows: its byte range and its value.
pub(crate) fn env_references(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Vec<(Range<usize>, String)> {
    let mut found: Vec<(Range<usize>, String)> = Vec::new();
    for (range, name) in references(text) {
        // In `%A%B%` the second `%` ends one name and may begin the next.
        let is_free = found.last().is_none_or(|(last, _)| last.end <= range.start);
        if let Some(value) = env(name).filter(|_| is_free) {
            found.push((range, value));
        }
    }
    found
}

/// Each `%NAME%` with its byte range; two may share a `%`.
pub(crate) fn references(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    text.match_indices('%').filter_map(|(start, _)| {
        let rest = &text[start + 1..];
        let length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '$')))
            .unwrap_or(rest.len());
        (length > 0 && rest[length..].starts_with('%')).then(|| (start..start + length + 2, &rest[..length]))
    })
}
