//! `css.preprocessor_options`: a table for each language.

use std::path::{Path, PathBuf};

use rekindle_compile::style::settings::PreprocessorOptions;

use crate::checks::join;
use crate::key::Shape;
use crate::names::{camel_case, snake_case};
use crate::reader::{Reader, part_of};
use crate::value::{Item, SPREAD, Value, json_text};

pub(crate) const SHAPE: Shape = Shape {
    read,
    typescript: "{ [language: string]: { [option: string]: any } }",
    schema: r#"{ "type": "object", "propertyNames": { "enum": ["scss", "sass", "less", "styl", "stylus"] }, "additionalProperties": {
        "type": "object", "properties": { "additional_data": { "type": "string" }, "load_paths": { "type": "array", "items": { "type": "string" } } }, "additionalProperties": true
    } }"#,
};

const LANGUAGES: &[&str] = &["scss", "sass", "less", "styl", "stylus"];

fn read(reader: &mut Reader<'_>, name: &str, item: &Item) -> bool {
    let Value::Object(languages) = &item.value else {
        reader.mistyped(name, item, "a table");
        return false;
    };
    let before = reader.problems.len();
    reader.known(name, languages, LANGUAGES);
    reader.problems.truncate(if item.is_of_script() { before } else { reader.problems.len() });
    let mut is_any_stored = false;
    for (language, item) in languages.iter().filter(|(_, item)| item.value != Value::Undefined) {
        let before = reader.problems.len();
        match &item.value {
            Value::Object(options) if LANGUAGES.contains(&language.as_str()) => {
                is_any_stored |= table(reader, &format!("{name}.{language}"), language, options);
            }
            Value::Object(_) if !item.is_of_script() => {} // `known` has complained.
            _ => reader.mistyped(&format!("{name}.{language}"), item, "a table"),
        }
        reader.name_part(before, &part_of(name, language));
    }
    is_any_stored
}

fn table(reader: &mut Reader<'_>, name: &str, language: &str, entries: &[(String, Item)]) -> bool {
    let mut options = PreprocessorOptions::default();
    let mut is_any_stored = entries.is_empty();
    for (option, item) in entries.iter().filter(|(_, item)| item.value != Value::Undefined) {
        let before = reader.problems.len();
        is_any_stored |= take(reader, &mut options, name, option, item).is_some();
        reader.name_part(before, &part_of(name, option));
    }
    reader.config.css.preprocessor_options.insert(language.to_owned(), options);
    is_any_stored
}

fn take(
    reader: &mut Reader<'_>,
    options: &mut PreprocessorOptions,
    table: &str,
    option: &str,
    item: &Item,
) -> Option<()> {
    let name = format!("{table}.{option}");
    let (is_of_script, known) = (item.is_of_script(), snake_case(option));
    match known.as_str() {
        "additional_data" | "load_paths" if option != known && !is_of_script => {
            let help = format!("did you mean `{known}`?");
            reader.name_problem(item, format!("unknown key `{option}` in [{table}]"), Some(help));
            return None;
        }
        "additional_data" => options.additional_data = reader.checked(&name, item, |text| Ok(text.to_owned()))?,
        "load_paths" | "paths" => options.load_paths.extend(folders(reader, &name, item)?),
        "include_paths" if is_of_script => options.load_paths.extend(folders(reader, &name, item)?),
        // It chooses between two interfaces of the Sass compiler, of which rekindle uses only one.
        "api" if is_of_script => {}
        _ => {
            let json = json_text(&item.value).filter(|_| option != SPREAD);
            let Some(json) = json.and_then(|json| serde_json::from_str(&json).ok()) else {
                reader.problem(item, "this cannot be known without running it");
                return None;
            };
            // Options of npm packages are spelled their way: `global_vars` → `globalVars`. Names in them are the user's.
            options.others.insert(if is_of_script { option.to_owned() } else { camel_case(option) }, json);
        }
    }
    Some(())
}

fn folders(reader: &mut Reader<'_>, name: &str, item: &Item) -> Option<Vec<PathBuf>> {
    let root = reader.config.root.clone();
    let folder = |value: &Value| Some(join(&root, Path::new(&value.as_path()?)));
    let folders: Option<Vec<PathBuf>> = match &item.value {
        Value::List(items) => items.iter().map(|item| folder(&item.value)).collect(),
        value if item.is_of_script() => folder(value).map(|folder| vec![folder]),
        _ => None,
    };
    if folders.is_none() {
        reader.mistyped(name, item, "a list of strings");
    }
    folders
}
