//! `import.meta.env` of the served pages: the `.env` files' exposed values beside the constants of development.

use std::collections::BTreeMap;
use std::path::PathBuf;

use rekindle_compile::project::defines::Defines;
use rekindle_compile::project::env::{Env, PageEnv};
use rekindle_graph::EnvReads;
use serde_json::{Map, Value};

use rekindle_config::Config;

/// The values pages see, by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnvValues {
    values: BTreeMap<String, Value>,
    prefixes: Vec<String>,
}

impl EnvValues {
    /// Reads the files of the mode.
    pub fn load(config: &Config) -> Self {
        let env = PageEnv {
            dir: &config.env_dir,
            mode: &config.mode,
            base: &config.base,
            prefixes: &config.env_prefix,
            defines: &Defines::new(&config.define),
            is_production: false,
            variables: &config.variables,
        };
        Self { values: env.values(), prefixes: config.env_prefix.clone() }
    }

    /// The files whose edit may change the values, whether they exist or not.
    pub fn files(config: &Config) -> [PathBuf; 4] {
        Env::files(&config.env_dir, &config.mode)
    }

    /// The object behind `import.meta.env`.
    pub fn object(&self) -> Value {
        Value::Object(self.values.iter().map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>())
    }

    /// What stands for `%KEY%` in a page.
    pub fn text(&self, key: &str) -> Option<String> {
        self.values.get(key).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    /// Whether a name has no value although its prefix says that it should.
    pub fn misses(&self, name: &str) -> bool {
        !self.values.contains_key(name) && self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }

    /// Keys whose values differ, and those that only one side has.
    pub fn difference(&self, other: &Self) -> Vec<String> {
        let keys = self.values.keys().chain(other.values.keys());
        let mut changed: Vec<String> =
            keys.filter(|key| self.values.get(*key) != other.values.get(*key)).cloned().collect();
        changed.sort();
        changed.dedup();
        changed
    }

    /// The values that a module reads, as text to compare.
    pub fn digest_of(&self, reads: &EnvReads) -> String {
        match reads {
            EnvReads::None => String::new(),
            EnvReads::Keys(keys) => keys.iter().map(|key| format!("{key}={:?};", self.values.get(key))).collect(),
            EnvReads::All => format!("{:?}", self.values),
        }
    }
}
