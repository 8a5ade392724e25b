//! What a project's `vite.config.*` says, as far as it can be read without running it.
//!
//! ```text
//! export default defineConfig({                        config.base = "/app/"
//!   base: '/app/',                                     config.resolve.alias = "@" → /project/src
//!   resolve: { alias: { '@': path.resolve('src') } },
//!   plugins: [react(), pwa()],                    →    vite.config.ts
//!   css: theirs(),                                     taken           base, resolve.alias
//! })                                                   built in        @vitejs/plugin-react
//!                                                      not supported   vite-plugin-pwa
//!                                                      not understood  css (line 5)
//!                                                      for rekindle.toml  css
//! ```

pub(crate) mod notes;
mod other_keys;
mod plugins;

use std::path::{Path, PathBuf};

use rekindle_compile::files::file;
use rekindle_compile::project::VITE_CONFIGS;
use rekindle_graph::Diagnostic;

use crate::config::Config;
use crate::keys::{key_of_vite, keys};
use crate::preview_keys;
use crate::reader::{Reader, part_of};
use crate::script::{ConfigEnv, ReadFailure, StaticConfig, evaluate};
use crate::value::{Item, SPREAD, Value};
use notes::{Block, Notes};
use other_keys::{NO_EFFECT, NOT_NEEDED, TABLES, UNSUPPORTED, is_as_here};

/// The project's configuration of Vite.
pub fn find(root: &Path) -> Option<PathBuf> {
    VITE_CONFIGS.iter().map(|name| root.join(name)).find(|path| path.is_file())
}

/// What stands where it is looked for and is no file, such as a named pipe: a line for each.
pub fn left_out(root: &Path) -> Vec<String> {
    let looked_at = VITE_CONFIGS.iter().take_while(|name| !root.join(name).is_file());
    let odd = looked_at.filter_map(|name| Some((name, file::oddity(&root.join(name))?)));
    odd.map(|(name, kind)| format!("{name} is {kind}, not a file, and is left out")).collect()
}

/// A configuration of Vite that was read.
#[derive(Debug)]
pub struct ViteConfig {
    /// The name of the file.
    name: String,
    /// What it says, or a sentence about why nothing is known of it.
    said: Result<StaticConfig, String>,
    /// Files that its values come from.
    pub files: Vec<PathBuf>,
}

/// Reads a configuration of Vite without running it.
///
/// # Errors
/// It cannot be parsed.
pub fn read(path: &Path, config_env: ConfigEnv<'_>) -> Result<ViteConfig, Diagnostic> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    match evaluate(path, config_env) {
        Ok(found) => Ok(ViteConfig { name, files: found.files.clone(), said: Ok(found) }),
        Err(ReadFailure::Broken(mistake)) => Err(mistake),
        Err(ReadFailure::Unclear(reason)) => Ok(ViteConfig { name, files: vec![path.to_owned()], said: Err(reason) }),
    }
}

/// Puts what a configuration of Vite says into `config`, and gives what the terminal says about it.
pub fn apply(vite: &ViteConfig, config: &mut Config) -> Block {
    let file = vite.name.clone();
    let found = match &vite.said {
        Ok(found) => found,
        Err(reason) => return Block { file, rows: vec![("not understood", reason.clone())] },
    };
    let mut layer = Layer { reader: Reader { config, problems: Vec::new() }, notes: Notes::default() };
    match &found.value.value {
        Value::Object(entries) => layer.top(entries),
        _ => layer.notes.missed.push(format!("its default export (line {})", found.value.place.line())),
    }
    for (code, place) in &found.lost {
        layer.notes.missed.push(format!("{code} (line {})", place.line()));
    }
    Block { file, rows: layer.notes.rows() }
}

struct Layer<'c> {
    reader: Reader<'c>,
    notes: Notes,
}

impl Layer<'_> {
    fn top(&mut self, entries: &[(String, Item)]) {
        // Other keys are relative to the root, whichever comes first.
        let (root, rest): (Vec<_>, Vec<_>) = entries.iter().partition(|(name, _)| name == "root");
        // What is said of the browser alone comes last: it counts more than what is said of all environments.
        let (environments, rest): (Vec<_>, Vec<_>) = rest.into_iter().partition(|(name, _)| name == "environments");
        for (name, item) in root.into_iter().chain(rest) {
            self.entry(name, item);
        }
        for (name, item) in environments {
            match &item.value {
                Value::Object(entries) => self.environments(entries),
                _ => self.notes.miss(name, item.place),
            }
        }
    }

    /// Only the browser's settings count here.
    fn environments(&mut self, entries: &[(String, Item)]) {
        for (name, item) in entries {
            match &item.value {
                Value::Object(entries) if name == "client" => {
                    let (known, other): (Vec<_>, Vec<_>) =
                        entries.iter().partition(|(key, _)| matches!(key.as_str(), "define" | "resolve" | "build"));
                    known.into_iter().for_each(|(key, item)| self.entry(key, item));
                    let other = other.into_iter().map(|(key, _)| format!("environments.client.{key}"));
                    self.notes.not_needed.extend(other);
                }
                _ if name == "client" || name == SPREAD => self.notes.miss("environments.client", item.place),
                _ => self.notes.not_needed.push(format!("environments.{name}")),
            }
        }
    }

    fn entry(&mut self, path: &str, item: &Item) {
        match &item.value {
            Value::Undefined => {}
            Value::Object(entries) if is_table(path) => {
                for (name, item) in entries {
                    self.entry(&format!("{path}.{name}"), item);
                }
            }
            Value::List(plugins) if path == "plugins" => plugins::take(self.reader.config, &mut self.notes, plugins),
            Value::Object(options) if path == "css.postcss" => self.postcss(options),
            value if is_as_here(path, value) => self.notes.taken.push(path.to_owned()),
            _ if NOT_NEEDED.contains(&path) => self.notes.not_needed.push(path.to_owned()),
            _ if UNSUPPORTED.contains(&path) => self.notes.unsupported.push(path.to_owned()),
            value => match NO_EFFECT.iter().find(|(key, _)| *key == path) {
                Some((_, instead)) => {
                    let parts = match value {
                        Value::Object(entries) => entries.iter().map(|(name, _)| format!("{path}.{name}")).collect(),
                        _ => vec![path.to_owned()],
                    };
                    self.notes.no_effect.push(format!("{} ({instead})", parts.join(", ")));
                }
                None => self.setting(path, item),
            },
        }
    }

    fn setting(&mut self, path: &str, item: &Item) {
        let Some((key, toml)) = key_of_vite(path) else {
            return match path.strip_suffix(SPREAD).map(|table| table.trim_end_matches('.')) {
                None => self.notes.miss(path, item.place),
                Some("") => self.notes.miss("a spread", item.place),
                Some(table) => self.notes.miss(&part_of(table, SPREAD), item.place),
            };
        };
        let is_stored = preview_keys::read(&mut self.reader, key, &toml, path, item);
        let mut is_understood = true;
        for problem in self.reader.problems.drain(..) {
            match problem.part {
                Some(part) => self.notes.miss(&part, problem.place),
                None => is_understood = false,
            }
        }
        if !is_understood {
            self.notes.miss(path, item.place);
        } else if is_stored {
            // The terminal names all keys of CSS modules as one.
            let is_of_modules = path.starts_with("css.modules.");
            self.notes.taken.push(if is_of_modules { "css.modules" } else { path }.to_owned());
        }
    }

    /// PostCSS options that are written into the configuration itself. Plugins are calls, and nothing is called here; those
    /// of a file of PostCSS's own run.
    fn postcss(&mut self, entries: &[(String, Item)]) {
        for (name, item) in entries.iter().filter(|(_, item)| item.value != Value::Undefined) {
            self.notes.miss(&part_of("css.postcss", name), item.place);
            self.notes.for_postcss.push(match &item.value {
                _ if name == SPREAD => "css.postcss".to_owned(),
                Value::List(plugins) => match plugins.iter().map(package).collect::<Option<Vec<_>>>() {
                    Some(packages) if !packages.is_empty() => format!("css.postcss.{name} ({})", packages.join(", ")),
                    _ => format!("css.postcss.{name}"),
                },
                _ => format!("css.postcss.{name}"),
            });
        }
    }
}

/// Whether settings stand below a name.
fn is_table(path: &str) -> bool {
    let is_above = |name: &&'static str| name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
    path == "preview" || TABLES.contains(&path) || keys().any(|key| key.vite.iter().any(is_above))
}

fn package(plugin: &Item) -> Option<&str> {
    match &plugin.value {
        Value::Call { package, .. } => Some(package),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
