//! `server.cors`: which other origins may read answers.

use rekindle_compile::resolve::pattern::Pattern;

use crate::checks::{is_token, origin_rule};
use crate::config::cors::{Cors, CorsOrigin, OriginRule};
use crate::key::Shape;
use crate::names::snake_case;
use crate::reader::{Reader, called};
use crate::value::{Item, Value};

pub(crate) const SHAPE: Shape = Shape {
    read,
    typescript: "boolean | CorsOptions",
    schema: r#"{ "anyOf": [
        { "type": "boolean" },
        { "type": "object", "properties": {
            "origin": { "anyOf": [{ "type": "boolean" }, { "type": "string" }, { "type": "array", "items": { "type": "string" } }] },
            "methods": { "type": "array", "items": { "type": "string" } },
            "allowed_headers": { "type": "array", "items": { "type": "string" } },
            "exposed_headers": { "type": "array", "items": { "type": "string" } },
            "credentials": { "type": "boolean" },
            "max_age": { "type": "integer", "minimum": 0, "maximum": 86400 }
        }, "additionalProperties": false }
    ] }"#,
};

const FIELDS: &[&str] = &["origin", "methods", "allowed_headers", "exposed_headers", "credentials", "max_age"];

fn read(reader: &mut Reader<'_>, name: &str, item: &Item) -> bool {
    let before = reader.problems.len();
    let any = Cors { origin: CorsOrigin::Any, ..Cors::default() };
    let cors = match &item.value {
        Value::Bool(true) => any,
        Value::Bool(false) => Cors::default(),
        Value::Object(entries) => {
            let mut cors = any;
            for (field, item) in entries {
                let known = if item.is_of_script() { snake_case(field) } else { field.clone() };
                take(reader, &mut cors, name, &known, item);
            }
            if !item.is_of_script() {
                reader.known(name, entries, FIELDS);
            }
            cors
        }
        _ => {
            reader.mistyped(name, item, "true, false or a table with `origin`");
            return false;
        }
    };
    // A rule of which only a part is understood might admit other origins than the whole one does.
    let is_understood = reader.problems.len() == before;
    if is_understood {
        reader.config.server.cors = cors;
    }
    is_understood
}

fn take(reader: &mut Reader<'_>, cors: &mut Cors, name: &str, field: &str, item: &Item) {
    let called = format!("{name}.{field}");
    match field {
        "origin" => {
            if let Some(origin) = origins(reader, &called, item) {
                cors.origin = origin;
            }
        }
        "methods" => words(reader, &called, item, &mut cors.methods),
        "allowed_headers" => words(reader, &called, item, &mut cors.allowed_headers),
        "exposed_headers" => words(reader, &called, item, &mut cors.exposed_headers),
        "credentials" => cors.credentials = reader.boolean(&called, item).unwrap_or(false),
        "max_age" => cors.max_age = reader.number(&called, item, &(0..=86_400), "seconds from 0 to 86400"),
        // These change how Vite answers a preflight request; rekindle answers it in one way.
        "preflight_continue" | "options_success_status" => {}
        _ if item.is_of_script() => reader.problem(item, "this is no field of `cors`"),
        _ => {} // `known` has complained.
    }
}

fn origins(reader: &mut Reader<'_>, name: &str, item: &Item) -> Option<CorsOrigin> {
    const WANTED: &str = "true, an origin or a list of origins";
    let items = match &item.value {
        Value::Bool(true) => return Some(CorsOrigin::Any),
        Value::Bool(false) => return Some(CorsOrigin::None),
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(item),
    };
    let mut rules = Vec::new();
    for entry in items {
        let rule = match &entry.value {
            Value::Text(text) => origin_rule(text),
            Value::Pattern { source, flags } => {
                Pattern::new(source, flags).map(|pattern| Some(OriginRule::Pattern(pattern)))
            }
            _ => {
                reader.mistyped(name, item, WANTED);
                return None;
            }
        };
        match rule {
            Ok(None) => return Some(CorsOrigin::Any),
            Ok(Some(rule)) => rules.push(rule),
            Err(message) => reader.problem(entry, format!("{}: {message}", called(name, entry))),
        }
    }
    Some(CorsOrigin::Listed(rules))
}

/// A list of single words; in a configuration of Vite also a text with commas.
fn words(reader: &mut Reader<'_>, name: &str, item: &Item, to: &mut Vec<String>) {
    let check = |text: &str| {
        if is_token(text) { Ok(text.to_owned()) } else { Err(format!("`{text}` is not one word")) }
    };
    let words = match &item.value {
        Value::Text(text) if item.is_of_script() => {
            let words: Result<Vec<_>, _> = text.split(',').map(|word| check(word.trim())).collect();
            words.map_err(|message| reader.problem(item, message)).ok()
        }
        _ => reader.texts(name, item, check),
    };
    if let Some(words) = words {
        *to = words;
    }
}
