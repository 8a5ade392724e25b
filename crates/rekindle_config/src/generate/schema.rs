//! The JSON schema of `rekindle.toml`, for editors that complete and check it.

use serde_json::{Map, Value, json};

use crate::key::{DefaultValue, Key, Type};
use crate::keys::keys;
use crate::read::toml_file::literal;

pub(super) fn write(_: &str) -> Result<String, String> {
    let mut top = table();
    for key in keys() {
        insert(&mut top, key.toml, of_key(key)?);
        if let Some(name) = key.toml.strip_prefix("server.").filter(|_| key.is_shared) {
            let mut schema = of_key(key)?;
            if let Value::Object(schema) = &mut schema {
                schema.remove("default");
                schema
                    .insert("description".to_owned(), format!("{} (as in [server] if it is left out)", key.doc).into());
            }
            insert(&mut top, &format!("preview.{name}"), schema);
        }
    }
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), "http://json-schema.org/draft-07/schema#".into());
    schema.insert("title".to_owned(), "rekindle.toml".into());
    if let Value::Object(top) = top {
        schema.extend(top);
    }
    let text = serde_json::to_string_pretty(&Value::Object(schema)).map_err(|error| error.to_string())?;
    Ok(text + "\n")
}

fn table() -> Value {
    json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

/// Puts the schema of a key below those of its tables.
fn insert(table_schema: &mut Value, path: &str, schema: Value) {
    let Some(properties) = table_schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    match path.split_once('.') {
        Some((name, rest)) => insert(properties.entry(name).or_insert_with(table), rest, schema),
        None => drop(properties.entry(path).or_insert(schema)),
    }
}

fn of_key(key: &Key) -> Result<Value, String> {
    let mut schema = match of_type(&key.holds)? {
        Value::Object(schema) => schema,
        _ => return Err(format!("the schema of {} is no object", key.toml)),
    };
    schema.insert("description".to_owned(), key.doc.into());
    if let DefaultValue::Toml(value) = key.default {
        schema.insert("default".to_owned(), literal(value)?);
    }
    Ok(Value::Object(schema))
}

fn of_type(holds: &Type) -> Result<Value, String> {
    let list = || json!({ "type": "array", "items": { "type": "string" } });
    Ok(match holds {
        Type::Switch(_) | Type::Tool(_) => json!({ "type": "boolean" }),
        Type::Number { range, .. } => json!({ "type": "integer", "minimum": range.start(), "maximum": range.end() }),
        Type::Text(_) | Type::Folder(_) => json!({ "type": "string" }),
        Type::FolderOrNone { .. } => json!({ "anyOf": [{ "type": "string" }, { "const": false }] }),
        Type::Setting { texts: [], .. } => json!({ "type": ["boolean", "string"] }),
        Type::Setting { texts, .. } => json!({ "anyOf": [{ "type": "boolean" }, { "enum": texts }] }),
        Type::Choice(names, _) => json!({ "enum": names }),
        Type::Texts(..) => list(),
        Type::OneOrTexts(..) => json!({ "anyOf": [{ "type": "string" }, list()] }),
        Type::Other(shape) => serde_json::from_str(shape.schema).map_err(|error| error.to_string())?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::read::toml_file::apply_text;

    #[test]
    fn the_defaults_of_the_table_are_those_of_the_fields() {
        for key in keys() {
            if let DefaultValue::Toml(value) = key.default {
                let (table, name) = key.toml.rsplit_once('.').unwrap_or(("", key.toml));
                let header = if table.is_empty() { String::new() } else { format!("[{table}]\n") };
                let mut config = Config::new("/project");
                apply_text(&format!("{header}{name} = {value}"), "rekindle.toml", &mut config).unwrap();
                assert_eq!(config, Config::new("/project"), "{}", key.toml);
            }
        }
    }
}
