//! `css` of a `vite.config.*`, as far as `[css]` of `rekindle.toml` can hold it; and the limit of what is inlined.
//!
//! ```text
//! modules: { localsConvention: 'camelCase' }              →  css.modules.locals_convention
//! preprocessorOptions: { scss: { additionalData: '…' } }  →  css.preprocessor_options.scss.additional_data
//! ```

use std::path::Path;

use rekindle_compile::project::static_config::Item;
use rekindle_compile::project::static_config::SPREAD;
use rekindle_compile::project::static_config::Value;
use rekindle_compile::project::static_config::json_text;
use rekindle_server::config::css::{PreprocessorOptions, ScopeBehaviour};

use super::{Reader, path_text, text};
use crate::settings;
use crate::settings::css::{CONVENTIONS, LANGUAGES};

impl Reader<'_> {
    pub(super) fn css_modules(&mut self, entries: &[(String, Item)]) {
        let mut took = false;
        for (name, item) in entries.iter().filter(|(_, item)| item.value != Value::Undefined) {
            match self.set_modules(name, &item.value) {
                Some(()) => took = true,
                None => self.miss_in("css.modules", name, item),
            }
        }
        if took {
            self.report.taken.push("css.modules".to_owned());
        }
    }

    fn set_modules(&mut self, name: &str, value: &Value) -> Option<()> {
        let to = &mut self.config.css.modules;
        match name {
            "localsConvention" => {
                to.locals_convention = CONVENTIONS.iter().find(|(known, _)| text(value) == Some(*known))?.1;
            }
            "generateScopedName" => {
                let has_local = |pattern: &&str| pattern.contains("[local]") || pattern.contains("hash");
                to.generate_scoped_name = Some(text(value).filter(has_local)?.to_owned());
            }
            "hashPrefix" => to.hash_prefix = text(value)?.to_owned(),
            "scopeBehaviour" => {
                to.scope_behaviour = match text(value)? {
                    "local" => ScopeBehaviour::Local,
                    "global" => ScopeBehaviour::Global,
                    _ => return None,
                }
            }
            _ => return None,
        }
        Some(())
    }

    pub(super) fn preprocessors(&mut self, languages: &[(String, Item)]) {
        let mut took = false;
        for (language, item) in languages {
            match &item.value {
                Value::Object(entries) if LANGUAGES.contains(&language.as_str()) => {
                    took |= self.preprocessor(language, entries);
                }
                Value::Undefined => {}
                _ => self.miss_in("css.preprocessorOptions", language, item),
            }
        }
        if took {
            self.report.taken.push("css.preprocessorOptions".to_owned());
        }
    }

    fn preprocessor(&mut self, language: &str, entries: &[(String, Item)]) -> bool {
        let root = self.config.root.clone();
        let mut options = PreprocessorOptions::default();
        let mut took = entries.is_empty();
        for (name, item) in entries.iter().filter(|(_, item)| item.value != Value::Undefined) {
            let taken = match name.as_str() {
                "additionalData" => {
                    text(&item.value).map(|text| text.to_owned()).map(|data| options.additional_data = data)
                }
                "loadPaths" | "includePaths" | "paths" => {
                    folders(&item.value, &root).map(|folders| options.load_paths.extend(folders))
                }
                // There is one way only to call a compiler.
                "api" => Some(()),
                name if name == SPREAD => None,
                name => json_text(&item.value)
                    .and_then(|json| serde_json::from_str(&json).ok())
                    .map(|json| drop(options.others.insert(name.to_owned(), json))),
            };
            match taken {
                Some(()) => took = true,
                None => self.miss_in(&format!("css.preprocessorOptions.{language}"), name, item),
            }
        }
        self.config.css.preprocessor_options.insert(language.to_owned(), options);
        took
    }

    /// PostCSS options that are written into the configuration itself. Plugins are calls, and nothing is called here; those
    /// of a file of PostCSS's own run.
    pub(super) fn postcss(&mut self, entries: &[(String, Item)]) {
        for (name, item) in entries.iter().filter(|(_, item)| item.value != Value::Undefined) {
            self.miss_in("css.postcss", name, item);
            self.report.for_postcss.push(match &item.value {
                _ if name == SPREAD => "css.postcss".to_owned(),
                Value::List(plugins) => match plugins.iter().map(package).collect::<Option<Vec<_>>>() {
                    Some(packages) if !packages.is_empty() => format!("css.postcss.{name} ({})", packages.join(", ")),
                    _ => format!("css.postcss.{name}"),
                },
                _ => format!("css.postcss.{name}"),
            });
        }
    }

    fn miss_in(&mut self, table: &str, name: &str, item: &Item) {
        let path = if name == SPREAD { format!("a spread in {table}") } else { format!("{table}.{name}") };
        self.report.miss(&path, item);
    }
}

fn package(plugin: &Item) -> Option<&str> {
    match &plugin.value {
        Value::Call { package, .. } => Some(package),
        _ => None,
    }
}

fn folders(value: &Value, root: &Path) -> Option<Vec<std::path::PathBuf>> {
    let folder = |value: &Value| Some(settings::join(root, Path::new(&path_text(value)?)));
    match value {
        Value::List(items) => items.iter().map(|item| folder(&item.value)).collect(),
        value => Some(vec![folder(value)?]),
    }
}
