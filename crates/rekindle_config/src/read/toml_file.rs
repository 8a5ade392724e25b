//! `rekindle.toml`: its text as values, and what is wrong with it.
//!
//! ```text
//! error: unknown key `strictport` in [server]
//!   --> rekindle.toml:2:1
//!     1 | [server]
//!   > 2 | strictport = true
//!       | ^^^^^^^^^^
//!   help: did you mean `strict_port`?
//! ```

use std::ops::Range;

use rekindle_graph::Diagnostic;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::Config;
use crate::keys::{keys, names_in, tables};
use crate::names::{meant, snake_case};
use crate::preview_keys;
use crate::reader::{Problem, Reader};
use crate::value::{Item, Place, Value, json_text};

/// Applies the text of a settings file; `name` is what the user calls it.
///
/// # Errors
/// Every mistake in it, in the order of the text. Then only a part of `config` is set.
pub fn apply_text(text: &str, name: &str, config: &mut Config) -> Result<(), Vec<Diagnostic>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut mistakes: Vec<Diagnostic> = errors
        .iter()
        .map(|error| {
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            let span = error.span().unwrap_or(0..0);
            Diagnostic::error(message).in_file(name).at(text, span.start, span.len())
        })
        .collect();
    if mistakes.is_empty() {
        let mut reader = Reader { config, problems: Vec::new() };
        take(&mut reader, &entries_of(table.get_ref()));
        mistakes = reader.problems.into_iter().map(|problem| diagnostic(problem, text, name)).collect();
    }
    mistakes.sort_by_key(|mistake| mistake.place.map(|place| (place.line, place.column)));
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

fn take(reader: &mut Reader<'_>, file: &[(String, Item)]) {
    check_names(reader, "", file);
    for key in keys() {
        let mut paths = vec![key.toml.to_owned()];
        if let Some(name) = key.toml.strip_prefix("server.").filter(|_| key.is_shared) {
            paths.push(format!("preview.{name}"));
        }
        for path in paths {
            if let Some(item) = at(file, &path) {
                preview_keys::read(reader, key, &path, &path, item);
            }
        }
    }
}

/// The value of `server.port`.
fn at<'f>(file: &'f [(String, Item)], path: &str) -> Option<&'f Item> {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let (_, item) = file.iter().find(|(known, _)| known == name)?;
    match (&item.value, rest) {
        (_, "") => Some(item),
        (Value::Object(entries), rest) => at(entries, rest),
        _ => None,
    }
}

/// Complains about keys that do not exist, and about tables that are none.
fn check_names(reader: &mut Reader<'_>, table: &str, entries: &[(String, Item)]) {
    let known = names_in(table);
    for (name, item) in entries {
        let path = if table.is_empty() { name.clone() } else { format!("{table}.{name}") };
        if !known.contains(&name.as_str()) {
            let place = if table.is_empty() { String::new() } else { format!(" in [{table}]") };
            reader.name_problem(item, format!("unknown key `{name}`{place}"), Some(advice(name, &known)));
        } else if !names_in(&path).is_empty() {
            match &item.value {
                Value::Object(entries) => check_names(reader, &path, entries),
                _ => reader.mistyped(&path, item, "a table"),
            }
        }
    }
}

/// The key that was probably meant, or all there are.
fn advice(key: &str, known: &[&str]) -> String {
    if let Some(key) = meant(key, known) {
        return format!("did you mean `{key}`?");
    }
    let wanted = snake_case(key);
    if let Some(table) = tables().into_iter().find(|table| names_in(table).contains(&wanted.as_str())) {
        return format!("`{wanted}` belongs in [{table}]");
    }
    if names_in("").contains(&wanted.as_str()) {
        return format!("`{wanted}` belongs at the top of the file, before the first table");
    }
    format!("the keys here are {}", known.join(", "))
}

fn diagnostic(problem: Problem, text: &str, name: &str) -> Diagnostic {
    let mistake = Diagnostic::error(problem.message).in_file(name);
    let mistake = match problem.place {
        Place::Bytes { name: (start, length), .. } if problem.is_name => mistake.at(text, start, length),
        Place::Bytes { value: (start, length), .. } => mistake.at(text, start, length),
        Place::Line(_) | Place::Flag(_) => mistake,
    };
    match problem.help {
        Some(help) => mistake.with_help(help),
        None => mistake,
    }
}

/// The entries of a table in the order of the text.
fn entries_of(table: &DeTable<'_>) -> Vec<(String, Item)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(name, _)| name.span().start);
    let entry = |(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let name: &Spanned<std::borrow::Cow<'_, str>> = name;
        (name.get_ref().to_string(), item_of(value, name.span()))
    };
    entries.into_iter().map(entry).collect()
}

/// A value as it is written in `rekindle.toml`, as JSON.
pub(crate) fn literal(text: &str) -> Result<serde_json::Value, String> {
    let read = DeValue::parse(text).map_err(|error| error.message().to_owned())?;
    let json = json_text(&item_of(&read, 0..0).value).unwrap_or_default();
    serde_json::from_str(&json).map_err(|error| error.to_string())
}

fn item_of(value: &Spanned<DeValue<'_>>, name: Range<usize>) -> Item {
    let place = |range: Range<usize>| (range.start, range.len());
    let item = |value: &Spanned<DeValue<'_>>| item_of(value, value.span());
    let read = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            let whole = i64::from_str_radix(number.as_str(), number.radix());
            Value::Number(whole.map_or(f64::NAN, |whole| whole as f64))
        }
        DeValue::Float(number) => Value::Number(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(boolean) => Value::Bool(*boolean),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(list) => Value::List(list.iter().map(item).collect()),
        DeValue::Table(table) => Value::Object(entries_of(table)),
    };
    Item { value: read, place: Place::Bytes { value: place(value.span()), name: place(name) } }
}

#[cfg(test)]
mod tests;
