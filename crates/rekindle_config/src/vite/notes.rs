//! What the terminal says of a configuration of Vite: each key and plugin, by what became of it.

use crate::keys::toml_name;
use crate::value::Place;

/// What the terminal says about a configuration of Vite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The name of the file.
    pub file: String,
    /// What became of names, and those names.
    pub rows: Vec<(&'static str, String)>,
}

/// The keys that a configuration has, sorted by what rekindle does with them.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub taken: Vec<String>,
    pub built_in: Vec<String>,
    pub unsupported: Vec<String>,
    pub missed: Vec<String>,
    pub not_needed: Vec<String>,
    pub no_effect: Vec<String>,
    /// Keys of rekindle.toml that could hold what was not understood.
    settable: Vec<String>,
    /// What postcss.config.js could hold: plugins run where they are set there.
    pub for_postcss: Vec<String>,
}

impl Notes {
    pub fn rows(self) -> Vec<(&'static str, String)> {
        let rows = [
            ("taken", self.taken),
            ("built in", self.built_in),
            ("not supported yet", self.unsupported),
            ("not understood", self.missed),
            ("not needed", self.not_needed),
            ("no effect here", self.no_effect),
            ("for rekindle.toml", self.settable),
            ("for postcss.config.js", self.for_postcss),
        ];
        rows.into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(label, names)| {
                // The browser's own settings may name a key again.
                let mut once: Vec<&str> = Vec::new();
                names.iter().for_each(|name| {
                    if !once.contains(&name.as_str()) {
                        once.push(name)
                    }
                });
                (label, once.join(", "))
            })
            .collect()
    }

    /// Names a key, or a part of one, whose value is not understood.
    pub fn miss(&mut self, path: &str, place: Place) {
        if let Some(key) = toml_name(path).filter(|key| !self.settable.contains(key)) {
            self.settable.push(key);
        }
        self.missed.push(match place.line() {
            0 => path.to_owned(),
            line => format!("{path} (line {line})"),
        });
    }
}
