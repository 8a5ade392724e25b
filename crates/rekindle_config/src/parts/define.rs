//! `define`: names in sources and the expressions that stand for them.

use rekindle_compile::project::defines;

use crate::key::Shape;
use crate::reader::{Reader, part_of};
use crate::value::{Item, Value, json_text};

pub(crate) const SHAPE: Shape = Shape {
    read,
    typescript: "{ [name: string]: any }",
    schema: r#"{ "type": "object", "additionalProperties": true }"#,
};

fn read(reader: &mut Reader<'_>, name: &str, item: &Item) -> bool {
    let Value::Object(entries) = &item.value else {
        reader.mistyped(name, item, "a table of names and expressions");
        return false;
    };
    let mut is_any_stored = entries.is_empty();
    for (constant, item) in entries {
        let expression = match &item.value {
            Value::Text(text) => Some(text.clone()),
            Value::Undefined => Some("undefined".to_owned()),
            value => json_text(value),
        };
        let checked = expression.ok_or_else(|| "this cannot be known without running it".to_owned()).and_then(|it| {
            defines::check(constant, &it)?;
            Ok(it)
        });
        match checked {
            Ok(expression) => {
                put(&mut reader.config.define, constant, expression);
                is_any_stored = true;
            }
            Err(message) => {
                let before = reader.problems.len();
                reader.name_problem(item, message, None);
                reader.name_part(before, &part_of(name, constant));
            }
        }
    }
    is_any_stored
}

/// Sets a name, in place of an earlier value.
fn put(list: &mut Vec<(String, String)>, name: &str, value: String) {
    match list.iter_mut().find(|(known, _)| known == name) {
        Some(entry) => entry.1 = value,
        None => list.push((name.to_owned(), value)),
    }
}
