//! Constants that stand in the source as names: `define` of the settings.
//!
//! ```text
//! __VERSION__ = "\"1.2\""        console.log(__VERSION__)   →   console.log("1.2")
//! process.env.NODE_ENV           always, "development" unless the settings say otherwise; also behind `globalThis.` and `global.`
//! ```

use std::fmt;

use oxc_transformer_plugins::ReplaceGlobalDefinesConfig;

const NODE_ENV: &str = "process.env.NODE_ENV";

/// Names and the expressions they stand for.
#[derive(Clone)]
pub struct Defines {
    /// As given, `process.env.NODE_ENV` included; sorted by name.
    entries: Vec<(String, String)>,
    config: Option<ReplaceGlobalDefinesConfig>,
}

impl Default for Defines {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl Defines {
    /// What does not pass [`check`] is left out.
    pub fn new(given: &[(String, String)]) -> Self {
        let mut entries: Vec<(String, String)> =
            given.iter().filter(|(name, value)| check(name, value).is_ok()).cloned().collect();
        let known = entries.iter().find(|(name, _)| name == NODE_ENV).map(|(_, value)| value.clone());
        let value = known.unwrap_or_else(|| "\"development\"".into());
        for name in [NODE_ENV, "globalThis.process.env.NODE_ENV", "global.process.env.NODE_ENV"] {
            if !entries.iter().any(|(given, _)| given == name) {
                entries.push((name.into(), value.clone()));
            }
        }
        entries.sort();
        entries.dedup_by(|a, b| a.0 == b.0);
        let config = ReplaceGlobalDefinesConfig::new(&entries).ok();
        Self { entries, config }
    }

    /// The constants to rewrite a source with; `None` if it contains none of the names.
    pub(crate) fn for_source(&self, source: &str) -> Option<ReplaceGlobalDefinesConfig> {
        let is_used = self.used(source).next().is_some();
        is_used.then(|| self.config.clone()).flatten()
    }

    /// The part of a definition's digest that stands for these constants: only those that the source may hold.
    pub(crate) fn digest_of(&self, source: &str) -> String {
        self.used(source).map(|(name, value)| format!("{name}={value};")).collect()
    }

    /// By the last word of a name: a chain may be written over several lines, or with brackets.
    fn used(&self, source: &str) -> impl Iterator<Item = &(String, String)> {
        self.entries.iter().filter(move |(name, _)| source.contains(last_word(name)))
    }

    /// Keys of `import.meta.env` that are defined here, with their values where these are JSON.
    pub fn env(&self) -> impl Iterator<Item = (&str, serde_json::Value)> {
        self.entries.iter().filter_map(|(name, value)| {
            let key = name.strip_prefix("import.meta.env.")?;
            Some((key, serde_json::from_str(value).ok()?))
        })
    }
}

impl fmt::Debug for Defines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries.iter().map(|(name, value)| (name, value))).finish()
    }
}

/// Whether a name can be replaced, and a value is an expression to replace it with.
pub fn check(name: &str, value: &str) -> Result<(), String> {
    let allocator = oxc_allocator::Allocator::default();
    let parser = oxc_parser::Parser::new(&allocator, value, oxc_span::SourceType::mjs());
    if crate::script::nesting::too_deep(value).is_some() || parser.parse_expression().is_err() {
        return Err(format!("`{value}` is not an expression; a string needs quotes of its own: '\"{value}\"'"));
    }
    match ReplaceGlobalDefinesConfig::new(&[(name, "0")]) {
        Ok(_) if name != "this" && name != "import.meta" => Ok(()),
        _ => Err(format!("`{name}` cannot be replaced; it must be a name such as `__VERSION__` or `process.env.NAME`")),
    }
}

fn last_word(name: &str) -> &str {
    let name = name.trim_end_matches(".*");
    name.rsplit(['.', ' ']).next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_checked() {
        for (name, value) in [("__A__", "\"1\""), ("process.env.X", "{a:1}"), ("import.meta.env.VITE_A", "null")] {
            assert_eq!(check(name, value), Ok(()), "{name}");
        }
        for (name, value) in [("__A__", "1 +"), ("a-b", "1"), ("a..b", "1"), ("", "1"), ("this", "1")] {
            assert!(check(name, value).is_err(), "{name}");
        }
    }

    #[test]
    fn only_what_a_source_may_hold_counts_for_its_digest() {
        let defines = Defines::new(&[("__A__".into(), "1".into()), ("__B__".into(), "2".into())]);
        assert_eq!(defines.digest_of("log(__A__)"), "__A__=1;");
        assert_eq!(defines.digest_of("log(1)"), "");
        assert!(defines.for_source("log(1)").is_none());
    }
}
