//! `build.input`: a list of files, or a table of them by the names of their chunks.

use std::path::{Path, PathBuf};

use rekindle_compile::plain::build_settings::Input;

use crate::checks::below_output;
use crate::key::Shape;
use crate::reader::Reader;
use crate::value::{Item, Value};

pub(crate) const SHAPE: Shape = Shape {
    read,
    typescript: "string | string[] | { [name: string]: string }",
    schema: r#"{ "anyOf": [
        { "type": "array", "items": { "type": "string" } },
        { "type": "object", "additionalProperties": { "type": "string" } }
    ] }"#,
};

fn read(reader: &mut Reader<'_>, name: &str, item: &Item) -> bool {
    let inputs: Option<Vec<Input>> = match &item.value {
        Value::Object(entries) => {
            let input =
                |(chunk, item): &(String, Item)| input(reader, &format!("{name}.{chunk}"), item, Some(chunk.clone()));
            entries.iter().map(input).collect()
        }
        Value::List(items) => items.iter().map(|item| input(reader, name, item, None)).collect(),
        Value::Text(_) | Value::FileUrl(_) if item.is_of_script() => {
            input(reader, name, item, None).map(|input| vec![input])
        }
        _ => {
            reader.mistyped(name, item, "a list of strings");
            None
        }
    };
    let is_stored = inputs.is_some();
    if let Some(inputs) = inputs {
        reader.config.build.input = inputs;
    }
    is_stored
}

fn input(reader: &mut Reader<'_>, called: &str, item: &Item, name: Option<String>) -> Option<Input> {
    let path = match item.value.as_path().filter(|_| item.is_of_script()) {
        // Configurations of Vite compute whole paths.
        Some(path) => Path::new(&path).strip_prefix(&reader.config.root).map(Path::to_owned).unwrap_or(path.into()),
        None => PathBuf::from(reader.checked(called, item, below_output)?),
    };
    Some(Input { name, path })
}
