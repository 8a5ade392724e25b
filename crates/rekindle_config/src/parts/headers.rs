//! `server.headers`: headers of every answer. Rules of a proxy have such a table too.

use crate::checks::header;
use crate::key::Shape;
use crate::reader::Reader;
use crate::value::{Item, Value};

pub(crate) const SHAPE: Shape = Shape {
    read,
    typescript: "{ [name: string]: string | string[] | number | undefined }",
    schema: r#"{ "type": "object", "additionalProperties": { "type": ["string", "number", "boolean"] } }"#,
};

fn read(reader: &mut Reader<'_>, name: &str, item: &Item) -> bool {
    let headers = list(reader, name, item, true);
    let is_stored = headers.is_some();
    if let Some(headers) = headers {
        reader.config.server.headers = headers;
    }
    is_stored
}

/// A table of headers. Those of our own answers are restricted further than those that are sent to another server.
pub(crate) fn list(reader: &mut Reader<'_>, name: &str, item: &Item, are_ours: bool) -> Option<Vec<(String, String)>> {
    let Value::Object(entries) = &item.value else {
        reader.mistyped(name, item, "a table of header names and texts");
        return None;
    };
    let mut headers = Vec::new();
    for (name, item) in entries {
        let text = item.value.as_plain_text().ok_or_else(|| format!("the value of `{name}` is a string"));
        match text.and_then(|text| header(name, &text, are_ours)) {
            Ok(header) => headers.push(header),
            Err(message) => reader.name_problem(item, message, None),
        }
    }
    (headers.len() == entries.len()).then_some(headers)
}
