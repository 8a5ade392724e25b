//! Takes values of any source into a [`Config`], and collects what is wrong with them.
//!
//! The three sources differ in what a mistake means: in `rekindle.toml` and in a flag it ends the program, in a configuration of
//! Vite it becomes a line under `not understood`. So nothing here decides that: `read/toml_file.rs`, `read/flags.rs` and `vite.rs` do.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::checks::join;
use crate::config::Config;
use crate::names::{meant, nearest, snake_case};
use crate::value::{Item, Place, SPREAD, Value};

/// Something wrong with a value.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// What is wrong is this part of the value alone, in the words of its source: `server.proxy /api headers`.
    pub part: Option<String>,
    pub place: Place,
    /// The name in front of the value is what is wrong.
    pub is_name: bool,
    pub message: String,
    pub help: Option<String>,
}

/// What a switch is set to that can also have a text.
#[derive(Clone, Copy)]
pub(crate) enum Setting<'a> {
    On,
    Off,
    Text(&'a str),
}

/// One source's values on their way into the settings.
pub(crate) struct Reader<'c> {
    pub config: &'c mut Config,
    pub problems: Vec<Problem>,
}

impl Reader<'_> {
    pub fn problem(&mut self, item: &Item, message: impl Into<String>) {
        let message = message.into();
        self.problems.push(Problem { part: None, place: item.place, is_name: false, message, help: None });
    }

    /// As `problem`, about the name in front of the value.
    pub fn name_problem(&mut self, item: &Item, message: impl Into<String>, help: Option<String>) {
        self.problems.push(Problem { part: None, place: item.place, is_name: true, message: message.into(), help });
    }

    /// The value of `name` is of another kind than the one that is wanted.
    pub fn mistyped(&mut self, name: &str, item: &Item, wanted: &str) {
        self.problem(item, format!("{} is {wanted}, and this is {}", called(name, item), item.value.kind()));
    }

    /// Adds advice to the last problem.
    pub fn help(&mut self, help: &str) {
        if let Some(problem) = self.problems.last_mut() {
            problem.help = Some(help.to_owned());
        }
    }

    /// A check of the value refused it.
    pub fn refuse(&mut self, name: &str, item: &Item, message: &str) {
        self.problem(item, format!("{}: {message}", called(name, item)));
    }

    /// Says of all problems since `count` of them that they are about a part of the value.
    pub fn name_part(&mut self, count: usize, part: &str) {
        for problem in &mut self.problems[count..] {
            problem.part.get_or_insert_with(|| part.to_owned());
        }
    }

    /// Complains about names in a table that are none of `known`.
    pub fn known(&mut self, table: &str, entries: &[(String, Item)], known: &[&str]) {
        for (name, item) in entries {
            if !known.contains(&name.as_str()) {
                let help = match meant(name, known) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => format!("the keys here are {}", known.join(", ")),
                };
                self.name_problem(item, format!("unknown key `{name}` in [{table}]"), Some(help));
            }
        }
    }

    pub fn boolean(&mut self, name: &str, item: &Item) -> Option<bool> {
        let boolean = item.value.as_bool();
        if boolean.is_none() {
            self.mistyped(name, item, "true or false");
        }
        boolean
    }

    /// A whole number. In a configuration of Vite it may be a text, as variables of the environment are, or `false` for none.
    pub fn number(&mut self, name: &str, item: &Item, range: &RangeInclusive<u64>, wanted: &str) -> Option<u64> {
        let number = match (&item.value, item.is_of_script()) {
            (Value::Number(number), _) if number.fract() == 0.0 => *number,
            (Value::Text(text), true) if text.parse::<u64>().is_ok() => text.parse().unwrap_or(f64::NAN),
            (Value::Bool(false), true) => 0.0,
            _ => {
                self.mistyped(name, item, wanted);
                return None;
            }
        };
        let fits = number >= 0.0 && range.contains(&(number as u64));
        if !fits {
            self.problem(item, format!("{} is {wanted}", called(name, item)));
        }
        fits.then_some(number as u64)
    }

    /// A text that `check` turns into what is stored, or refuses with a message.
    pub fn checked<T>(&mut self, name: &str, item: &Item, check: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let Some(text) = item.value.as_text() else {
            self.mistyped(name, item, "a string");
            return None;
        };
        match check(text) {
            Ok(checked) => Some(checked),
            Err(message) => {
                self.refuse(name, item, &message);
                None
            }
        }
    }

    /// The place of one of `names` among them.
    pub fn choice(&mut self, name: &str, item: &Item, names: &[&str]) -> Option<usize> {
        let wanted = names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" or ");
        let Some(text) = item.value.as_text() else {
            self.mistyped(name, item, &wanted);
            return None;
        };
        let choice = names.iter().position(|name| *name == text);
        if choice.is_none() {
            let help = nearest(text, names).map(|name| format!("did you mean \"{name}\"?"));
            let message = format!("{} is {wanted}", called(name, item));
            self.problems.push(Problem { part: None, place: item.place, is_name: false, message, help });
        }
        choice
    }

    /// `true`, `false`, or a text; one of `texts`, if there are any.
    pub fn setting<'i>(&mut self, name: &str, item: &'i Item, wanted: &str, texts: &[&str]) -> Option<Setting<'i>> {
        match &item.value {
            Value::Bool(true) => Some(Setting::On),
            Value::Bool(false) => Some(Setting::Off),
            Value::Text(text) if !text.is_empty() && (texts.is_empty() || texts.contains(&text.as_str())) => {
                Some(Setting::Text(text))
            }
            Value::Text(_) => {
                self.problem(item, format!("{} is {wanted}", called(name, item)));
                None
            }
            _ => {
                self.mistyped(name, item, wanted);
                None
            }
        }
    }

    /// A folder, from the project folder.
    pub fn folder(&mut self, name: &str, item: &Item) -> Option<PathBuf> {
        let path = item.value.as_path();
        if path.is_none() {
            self.checked(name, item, |_| Err::<(), _>("a folder has a name".to_owned()));
        }
        path.map(|path| join(&self.config.root, Path::new(&path)))
    }

    pub fn folder_or_none(&mut self, name: &str, item: &Item, wanted: &str) -> Option<Option<PathBuf>> {
        match &item.value {
            Value::Bool(false) => Some(None),
            Value::Text(text) if text.is_empty() && item.is_of_script() => Some(None),
            Value::FileUrl(_) => self.folder(name, item).map(Some),
            _ => match self.setting(name, item, wanted, &[])? {
                Setting::Text(_) => self.folder(name, item).map(Some),
                Setting::On | Setting::Off => {
                    self.mistyped(name, item, wanted);
                    None
                }
            },
        }
    }

    /// A list of texts that pass a check.
    pub fn texts(
        &mut self,
        name: &str,
        item: &Item,
        check: impl Fn(&str) -> Result<String, String>,
    ) -> Option<Vec<String>> {
        let Value::List(list) = &item.value else {
            self.mistyped(name, item, "a list of strings");
            return None;
        };
        let mut texts = Vec::new();
        for entry in list {
            match entry.value.as_text().map(&check) {
                Some(Ok(text)) => texts.push(text),
                Some(Err(message)) => self.problem(entry, format!("{}: {message}", called(name, item))),
                None => self.problem(entry, format!("{} is a list of strings", called(name, item))),
            }
        }
        // With some of its entries left out, the list would mean something else.
        (texts.len() == list.len()).then_some(texts)
    }

    /// One text, or a list of them.
    pub fn one_or_texts(
        &mut self,
        name: &str,
        item: &Item,
        check: impl Fn(&str) -> Result<String, String>,
    ) -> Option<Vec<String>> {
        match &item.value {
            Value::Text(_) => Some(vec![self.checked(name, item, check)?]),
            _ => self.texts(name, item, check),
        }
    }
}

impl Item {
    /// Whether it stands in a configuration of Vite.
    pub fn is_of_script(&self) -> bool {
        matches!(self.place, Place::Line(_))
    }

    /// The value of a field; those of a configuration of Vite are written in camel case.
    pub(crate) fn field(&self, name: &str) -> Option<&Item> {
        let Value::Object(entries) = &self.value else { return None };
        let is_it = |known: &str| known == name || (self.is_of_script() && snake_case(known) == name);
        let found = entries.iter().find(|(known, _)| is_it(known)).map(|(_, item)| item);
        found.filter(|item| item.value != Value::Undefined)
    }
}

/// What a message calls a setting: `` `server.port` ``, or `--port`.
pub(crate) fn called(name: &str, item: &Item) -> String {
    match item.place {
        Place::Flag(flag) => format!("--{flag}"),
        _ => format!("`{name}`"),
    }
}

/// What a part of a value is called in a configuration of Vite: `define.__A__`.
pub(crate) fn part_of(table: &str, name: &str) -> String {
    if name == SPREAD { format!("a spread in {table}") } else { format!("{table}.{name}") }
}
