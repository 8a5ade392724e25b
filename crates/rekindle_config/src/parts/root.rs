//! `root`: another project folder than the one the settings lie in.

use std::path::Path;

use crate::checks::{folder_name, move_root};
use crate::key::Shape;
use crate::reader::Reader;
use crate::value::Item;

pub(crate) const SHAPE: Shape = Shape { read, typescript: "string", schema: r#"{ "type": "string" }"# };

fn read(reader: &mut Reader<'_>, name: &str, item: &Item) -> bool {
    let folder = match item.value.as_path() {
        Some(path) => path.into(),
        None => match reader.checked(name, item, folder_name) {
            Some(folder) => folder,
            None => return false,
        },
    };
    let moved = move_root(reader.config, Path::new(&folder));
    if let Err(message) = &moved {
        reader.problem(item, message);
        reader.help("the root is the folder with index.html");
    }
    moved.is_ok()
}
