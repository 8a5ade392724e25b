//! `resolve.alias`: `{ "@" = "/src" }`, or a list of tables with `find` and `replacement`.

use rekindle_compile::resolve::pattern::Pattern;
use rekindle_compile::resolve::settings::{Alias, Find};

use crate::checks::from_root;
use crate::key::Shape;
use crate::reader::Reader;
use crate::value::{Item, SPREAD, Value};

pub(crate) const SHAPE: Shape = Shape {
    read,
    typescript: "AliasOptions",
    schema: r#"{ "anyOf": [
        { "type": "object", "additionalProperties": { "type": "string" } },
        { "type": "array", "items": { "type": "object", "properties": { "find": { "type": "string" }, "replacement": { "type": "string" } }, "required": ["find", "replacement"], "additionalProperties": false } }
    ] }"#,
};

fn read(reader: &mut Reader<'_>, name: &str, item: &Item) -> bool {
    let aliases = match &item.value {
        Value::Object(entries) => of_table(reader, name, entries),
        Value::List(items) => of_list(reader, name, items),
        _ => {
            reader.mistyped(name, item, "a table, or a list of tables with `find` and `replacement`");
            return false;
        }
    };
    let is_any_stored = !aliases.is_empty();
    let known = std::mem::replace(&mut reader.config.resolve.alias, aliases);
    if item.is_of_script() {
        // Plugins have set those that are known: the user's own come first.
        reader.config.resolve.alias.extend(known);
    }
    is_any_stored
}

/// The order in which they are written decides which of two aliases comes first.
fn of_table(reader: &mut Reader<'_>, name: &str, entries: &[(String, Item)]) -> Vec<Alias> {
    let mut aliases = Vec::new();
    for (find, item) in entries {
        let before = reader.problems.len();
        match item.value.as_path() {
            Some(_) if find == SPREAD => reader.problem(item, "a spread"),
            // Names of objects are no patterns in Vite.
            Some(replacement) if item.is_of_script() => {
                let replacement = from_root(&replacement, &reader.config.root);
                aliases.push(Alias { find: Find::Prefix(find.clone()), replacement });
            }
            Some(replacement) => match alias(reader, find, &replacement) {
                Ok(alias) => aliases.push(alias),
                Err(message) => reader.name_problem(item, message, None),
            },
            None => reader.problem(item, "the replacement of an alias is a string"),
        }
        reader.name_part(before, &format!("{name} {find}"));
    }
    aliases
}

fn of_list(reader: &mut Reader<'_>, name: &str, items: &[Item]) -> Vec<Alias> {
    let mut aliases = Vec::new();
    for item in items {
        let before = reader.problems.len();
        let shown = item.value.property("find").map_or_else(|| "?".to_owned(), shown);
        aliases.extend(of_entry(reader, name, item));
        reader.name_part(before, &format!("{name} {shown}"));
    }
    aliases
}

fn of_entry(reader: &mut Reader<'_>, name: &str, item: &Item) -> Option<Alias> {
    let Value::Object(entries) = &item.value else {
        reader.problem(item, "an alias is a table with `find` and `replacement`");
        return None;
    };
    if !item.is_of_script() {
        reader.known(name, entries, &["find", "replacement"]);
    }
    let (Some(find), Some(replacement)) = (item.field("find"), item.field("replacement")) else {
        reader.problem(item, "an alias needs `find` and `replacement`");
        return None;
    };
    let Some(replacement_path) = replacement.value.as_path() else {
        reader.mistyped(&format!("{name}.replacement"), replacement, "a string");
        return None;
    };
    let made = match &find.value {
        Value::Pattern { source, flags } => Pattern::new(source, flags).map(Find::Pattern),
        Value::Text(text) if item.is_of_script() && !text.is_empty() => Ok(Find::Prefix(text.clone())),
        Value::Text(text) => find_of(text),
        _ => {
            reader.mistyped(&format!("{name}.find"), find, "a string");
            return None;
        }
    };
    match made {
        Ok(find) => Some(Alias { find, replacement: from_root(&replacement_path, &reader.config.root) }),
        Err(message) => {
            reader.problem(item, message);
            None
        }
    }
}

/// One alias. A replacement that begins with a dot is a path from the project folder.
fn alias(reader: &Reader<'_>, find: &str, replacement: &str) -> Result<Alias, String> {
    Ok(Alias { find: find_of(find)?, replacement: from_root(replacement, &reader.config.root) })
}

fn find_of(text: &str) -> Result<Find, String> {
    match text {
        "" => Err("an alias needs a name".to_owned()),
        _ if text.starts_with('^') => Ok(Find::Pattern(Pattern::new(text, "")?)),
        _ => Ok(Find::Prefix(text.to_owned())),
    }
}

fn shown(find: &Value) -> String {
    match find {
        Value::Text(text) => text.clone(),
        Value::Pattern { source, flags } => format!("/{source}/{flags}"),
        _ => "?".to_owned(),
    }
}
