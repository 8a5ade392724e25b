//! What the sources of settings say, as one kind of value, each with the place it stands at.
//!
//! ```text
//! port = 3000                      in rekindle.toml   →  3000, and the bytes of `port` and of `3000`
//! server: { port: 3000 }           in vite.config.ts  →  3000, line 4
//! --port 3000                                         →  3000, --port
//! ```

use std::path::PathBuf;

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What is said.
    pub value: Value,
    /// Where it is said.
    pub place: Place,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A line of a configuration of Vite; 0 where the value comes from another file.
    Line(u32),
    /// Bytes of `rekindle.toml`: those of the value, and those of the name in front of it.
    Bytes {
        /// Offset and length of the value.
        value: (usize, usize),
        /// Offset and length of the name.
        name: (usize, usize),
    },
    /// A flag of the command line, such as `port`.
    Flag(&'static str),
}

impl Place {
    /// The line in a configuration of Vite; 0 for all other places.
    pub fn line(self) -> u32 {
        match self {
            Self::Line(line) => line,
            Self::Bytes { .. } | Self::Flag(_) => 0,
        }
    }
}

/// All that a source of settings can say. Only configurations of Vite have patterns, files, calls and functions.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `undefined`
    Undefined,
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number; whole ones are written without a fraction.
    Number(f64),
    /// A text.
    Text(String),
    /// A date of TOML, as it is written.
    Date(String),
    /// `/source/flags`
    Pattern {
        /// What stands between the slashes.
        source: String,
        /// What stands behind them.
        flags: String,
    },
    /// The address of a file: `new URL('./src', import.meta.url)`.
    FileUrl(PathBuf),
    /// The text of a file, by its path: `fs.readFileSync('key.pem')`.
    FileText(PathBuf),
    /// A list.
    List(Vec<Item>),
    /// Names and values, in the order in which they are written.
    Object(Vec<(String, Item)>),
    /// A call of something imported, as plugins are.
    Call {
        /// What it is imported from.
        package: String,
        /// The name of the function there.
        name: String,
        /// What it is given.
        args: Vec<Item>,
    },
    /// A function of one text: replacements, one after the other.
    Rewriter(Vec<Replacement>),
    /// An object or a list that more than one name may stand for, by its place; only while a file is read.
    Shared(usize),
    /// Something imported, as a file names it; only while it is read.
    Import {
        /// What it is imported from; `global` for what every file has.
        package: String,
        /// Its name there, `default`, or `*` for all of it.
        name: String,
    },
    /// A function of the file, by its place; only while it is read.
    Function(usize),
    /// What cannot be known without running the file.
    Unknown,
}

/// `text.replace(/pattern/flags, to)`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    /// The source of the pattern.
    pub pattern: String,
    /// Its flags.
    pub flags: String,
    /// What stands in place of what fits, with `$1` and the like.
    pub to: String,
}

/// Stands among the names of an object for a spread, or a computed name, that is not known.
pub const SPREAD: &str = "...";

pub(crate) fn has_unknown_spread(entries: &[(String, Item)]) -> bool {
    entries.iter().any(|(name, _)| name == SPREAD)
}

impl Value {
    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The value of a name, if this is an object that has it.
    pub fn property(&self, name: &str) -> Option<&Value> {
        match self {
            Self::Object(entries) => entries.iter().find(|(known, _)| known == name).map(|(_, item)| &item.value),
            _ => None,
        }
    }

    /// A path: a text that is not empty, or the address of a file.
    pub(crate) fn as_path(&self) -> Option<String> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text.strip_prefix("file://").unwrap_or(text).to_owned()),
            Self::FileUrl(path) => Some(path.display().to_string()),
            _ => None,
        }
    }

    /// A text, number or boolean as text.
    pub(crate) fn as_plain_text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Number(_) | Self::Bool(_) => json_text(self),
            _ => None,
        }
    }

    /// What a message calls a value of this kind.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Number(number) if number.fract() == 0.0 => "a number",
            Self::Number(_) => "a fraction",
            Self::Bool(_) => "a boolean",
            Self::Date(_) => "a date",
            Self::List(_) => "a list",
            Self::Object(_) => "a table",
            _ => "something else",
        }
    }
}

/// A number as JavaScript prints it.
pub(crate) fn number_text(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if number.fract() == 0.0 && number.abs() < 1e15 { format!("{}", number as i64) } else { number.to_string() }
}

/// What `JSON.stringify` gives; `None` for what is not known.
pub fn json_text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number_text(*number),
        Value::Text(text) | Value::Date(text) => serde_json::to_string(text).ok()?,
        Value::FileUrl(path) => serde_json::to_string(&format!("file://{}", path.display())).ok()?,
        Value::List(items) => {
            let items: Option<Vec<String>> = items.iter().map(|item| json_text(&item.value)).collect();
            format!("[{}]", items?.join(","))
        }
        Value::Object(entries) if !has_unknown_spread(entries) => {
            let entries: Option<Vec<String>> = entries
                .iter()
                .filter(|(_, item)| item.value != Value::Undefined)
                .map(|(name, item)| Some(format!("{}:{}", serde_json::to_string(name).ok()?, json_text(&item.value)?)))
                .collect();
            format!("{{{}}}", entries?.join(","))
        }
        _ => return None,
    })
}
