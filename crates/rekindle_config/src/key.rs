//! One row of the table of settings: all that is to be said of one key.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use crate::config::Config;
use crate::reader::{Reader, Setting};
use crate::value::{Item, Value};

/// A key of the settings.
pub struct Key {
    /// Its name in `rekindle.toml`, with its table: `server.port`.
    pub toml: &'static str,
    /// Its names in a configuration of Vite; none if Vite has no such key.
    pub vite: &'static [&'static str],
    /// Its type in TypeScript where Vite takes more than is read here.
    pub vite_type: &'static str,
    /// The flag that sets it for one run, without dashes.
    pub flag: Option<&'static str>,
    /// `[preview]` has it as well, and takes it from `[server]` where it is not set.
    pub is_shared: bool,
    /// One sentence, in Markdown.
    pub doc: &'static str,
    /// What holds where nobody sets it.
    pub default: DefaultValue,
    /// What it may be, and what it sets.
    pub(crate) holds: Type,
}

/// What holds where nobody sets a key.
#[derive(Clone, Copy, Debug)]
pub enum DefaultValue {
    /// A value as it is written in `rekindle.toml`.
    Toml(&'static str),
    /// A description, in Markdown.
    Described(&'static str),
}

/// The base of a row: fields that many rows do not mention.
pub(crate) const KEY: Key = Key {
    toml: "",
    vite: &[],
    vite_type: "",
    flag: None,
    is_shared: false,
    doc: "",
    default: DefaultValue::Described(""),
    holds: Type::Switch(|_, _| {}),
};

/// What a key may be, and the function that stores it.
pub(crate) enum Type {
    Switch(fn(&mut Config, bool)),
    /// A switch that Vite also lets name the tool that does the work.
    Tool(fn(&mut Config, bool)),
    Number {
        range: RangeInclusive<u64>,
        wanted: &'static str,
        set: fn(&mut Config, u64),
    },
    /// A text; the function checks and stores it.
    Text(fn(&mut Config, &str) -> Result<(), String>),
    /// A folder or file, from the project folder.
    Folder(fn(&mut Config, PathBuf)),
    FolderOrNone {
        wanted: &'static str,
        set: fn(&mut Config, Option<PathBuf>),
    },
    /// A switch that may also be a text; one of `texts`, if there are any.
    Setting {
        wanted: &'static str,
        texts: &'static [&'static str],
        set: fn(&mut Config, Setting<'_>) -> Result<(), String>,
    },
    /// One of some texts, by its place among them.
    Choice(&'static [&'static str], fn(&mut Config, usize)),
    Texts(Check, fn(&mut Config, Vec<String>)),
    OneOrTexts(Check, fn(&mut Config, Vec<String>)),
    /// A shape of its own.
    Other(Shape),
}

pub(crate) type Check = fn(&str) -> Result<String, String>;

/// A value that no other key looks like.
pub(crate) struct Shape {
    /// Takes the value of a name, and says whether anything of it could be stored.
    pub read: fn(&mut Reader<'_>, &str, &Item) -> bool,
    /// Its type in TypeScript, for a configuration of Vite.
    pub typescript: &'static str,
    /// Its JSON schema, for `rekindle.toml`.
    pub schema: &'static str,
}

impl Key {
    /// Takes a value, which its source calls `name`, into the settings. Gives whether anything of it was stored.
    pub(crate) fn read(&self, reader: &mut Reader<'_>, name: &str, item: &Item) -> bool {
        self.take(reader, name, item).is_some()
    }

    fn take(&self, reader: &mut Reader<'_>, name: &str, item: &Item) -> Option<()> {
        match &self.holds {
            Type::Switch(set) => {
                let is_on = reader.boolean(name, item)?;
                set(reader.config, is_on);
            }
            Type::Tool(set) => {
                let is_named = matches!(item.value, Value::Text(_)) && item.is_of_script();
                let wanted = if is_named { true } else { reader.boolean(name, item)? };
                set(reader.config, wanted);
            }
            Type::Number { range, wanted, set } => {
                let number = reader.number(name, item, range, wanted)?;
                set(reader.config, number);
            }
            Type::Text(set) => {
                reader.checked(name, item, |text| Ok(text.to_owned()))?;
                let stored = set(reader.config, item.value.as_text()?);
                stored.map_err(|message| reader.refuse(name, item, &message)).ok()?;
            }
            Type::Folder(set) => {
                let folder = reader.folder(name, item)?;
                set(reader.config, folder);
            }
            Type::FolderOrNone { wanted, set } => {
                let folder = reader.folder_or_none(name, item, wanted)?;
                set(reader.config, folder);
            }
            Type::Setting { wanted, texts, set } => {
                let setting = reader.setting(name, item, wanted, texts)?;
                let stored = set(reader.config, setting);
                stored.map_err(|message| reader.refuse(name, item, &message)).ok()?;
            }
            Type::Choice(names, set) => {
                let choice = reader.choice(name, item, names)?;
                set(reader.config, choice);
            }
            Type::Texts(check, set) => {
                let texts = reader.texts(name, item, check)?;
                set(reader.config, texts);
            }
            Type::OneOrTexts(check, set) => {
                let texts = reader.one_or_texts(name, item, check)?;
                set(reader.config, texts);
            }
            Type::Other(shape) => return (shape.read)(reader, name, item).then_some(()),
        }
        Some(())
    }
}
