//! `server.https`: a switch, or the files of a certificate and its key.

use std::path::{Path, PathBuf};

use crate::checks::join;
use crate::config::Https;
use crate::key::Shape;
use crate::reader::{Reader, called};
use crate::value::{Item, Place, Value};

pub(crate) const SHAPE: Shape = Shape {
    read,
    typescript: "boolean | { key?: any; cert?: any; [other: string]: unknown }",
    schema: r#"{ "anyOf": [
        { "type": "boolean" },
        { "type": "object", "properties": { "key": { "type": "string" }, "cert": { "type": "string" } }, "required": ["key", "cert"], "additionalProperties": false }
    ] }"#,
};

fn read(reader: &mut Reader<'_>, name: &str, item: &Item) -> bool {
    let made_here = Some(Https::Generated);
    let https = match &item.value {
        // The flag switches HTTPS on; a certificate that another source names is kept.
        Value::Bool(true) if matches!(item.place, Place::Flag(_)) => reader.config.server.https.take().or(made_here),
        Value::Bool(true) => made_here,
        Value::Bool(false) => None,
        Value::Object(entries) if entries.is_empty() && item.is_of_script() => made_here,
        Value::Object(entries) => {
            if !item.is_of_script() {
                reader.known(name, entries, &["key", "cert"]);
            }
            let (Some(key), Some(cert)) = (file(reader, name, item, "key"), file(reader, name, item, "cert")) else {
                reader.problem(item, format!("{} needs both `key` and `cert`, files in PEM form", called(name, item)));
                return false;
            };
            Some(Https::Files { key, cert })
        }
        _ => {
            reader.mistyped(name, item, "true, or a table with `key` and `cert`");
            return false;
        }
    };
    reader.config.server.https = https;
    true
}

/// A file in PEM form. A configuration of Vite may hold its text, or a path that may as well be a text of PEM.
fn file(reader: &mut Reader<'_>, name: &str, item: &Item, field: &str) -> Option<PathBuf> {
    let value = item.field(field)?;
    match &value.value {
        Value::FileText(path) => Some(path.clone()),
        Value::Text(text) if item.is_of_script() => Some(reader.config.root.join(text)).filter(|path| path.is_file()),
        _ => {
            let path = reader.checked(&format!("{name}.{field}"), value, crate::checks::folder_name)?;
            Some(join(&reader.config.root, Path::new(&path)))
        }
    }
}
