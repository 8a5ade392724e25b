//! Flags of the command line as values of keys.

use rekindle_graph::Diagnostic;

use crate::config::Config;
use crate::keys::key;
use crate::preview_keys;
use crate::reader::Reader;
use crate::value::{Item, Place, Value};

/// A flag, by the key that it stands for.
#[derive(Clone, Debug)]
pub struct Flag {
    /// The key in `rekindle.toml`.
    pub key: &'static str,
    /// What it is set to.
    pub value: Value,
}

/// Applies flags in their order.
pub(crate) fn apply(flags: &[Flag], config: &mut Config) -> Result<(), Vec<Diagnostic>> {
    let mut reader = Reader { config, problems: Vec::new() };
    for flag in flags {
        let Some(key) = key(flag.key) else {
            return Err(vec![Diagnostic::error(format!(
                "a flag stands for the setting `{}`, which does not exist",
                flag.key
            ))]);
        };
        let place = Place::Flag(key.flag.unwrap_or(key.toml));
        let item = Item { value: flag.value.clone(), place };
        preview_keys::read(&mut reader, key, flag.key, flag.key, &item);
    }
    let mistakes: Vec<_> = reader.problems.into_iter().map(|problem| Diagnostic::error(problem.message)).collect();
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}
