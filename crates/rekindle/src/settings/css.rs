//! `[css]` of `rekindle.toml`.
//!
//! ```toml
//! [css]
//! dev_sourcemap = true
//! [css.modules]
//! locals_convention = "camelCase"
//! [css.preprocessor_options.scss]
//! additional_data = "@use '/src/theme' as *;"
//! ```

use rekindle_server::config::css::{
    LocalsConvention, ModulesSettings, PostcssSetting, PreprocessorOptions, ScopeBehaviour, StyleSettings,
};
use serde_json::Value;

use super::{DeValue, Path, Reader, Spanned, Table, join, snake_case};

pub(super) const CSS: &[&str] = &["dev_sourcemap", "postcss", "modules", "preprocessor_options"];
pub(super) const MODULES: &[&str] = &["locals_convention", "generate_scoped_name", "hash_prefix", "scope_behaviour"];
pub(crate) const LANGUAGES: &[&str] = &["scss", "sass", "less", "styl", "stylus"];

pub(crate) const CONVENTIONS: [(&str, LocalsConvention); 4] = [
    ("camelCase", LocalsConvention::CamelCase),
    ("camelCaseOnly", LocalsConvention::CamelCaseOnly),
    ("dashes", LocalsConvention::Dashes),
    ("dashesOnly", LocalsConvention::DashesOnly),
];

impl Reader<'_> {
    pub(super) fn css(&mut self, top: &Table<'_, '_>, root: &Path, to: &mut StyleSettings) {
        let Some(css) = self.table(top, "css", CSS) else { return };
        if let Some(wanted) = self.boolean(&css, "dev_sourcemap") {
            to.dev_sourcemap = wanted;
        }
        if let Some(folder) = self.text_or_false(&css, "postcss", "the folder of its configuration, or false for none")
        {
            to.postcss = match folder {
                Some(folder) => PostcssSetting::Folder(join(root, Path::new(&folder))),
                None => PostcssSetting::Off,
            };
        }
        self.css_modules(&css, &mut to.modules);
        let Some(languages) = self.inner_table(&css, "preprocessor_options", "css.preprocessor_options") else {
            return;
        };
        self.known(&languages, LANGUAGES);
        for &language in LANGUAGES {
            if let Some(table) = self.inner_table(&languages, language, "css.preprocessor_options.*") {
                let options = self.preprocessor(&table, root);
                to.preprocessor_options.insert(language.to_owned(), options);
            }
        }
    }

    fn css_modules(&mut self, css: &Table<'_, '_>, to: &mut ModulesSettings) {
        let Some(modules) = self.inner_table(css, "modules", "css.modules") else { return };
        self.known(&modules, MODULES);
        if let Some(convention) = self.choice(&modules, "locals_convention", &CONVENTIONS) {
            to.locals_convention = convention;
        }
        let has_local = |pattern: &str| {
            if pattern.contains("[local]") || pattern.contains("hash") {
                Ok(pattern.to_owned())
            } else {
                Err("without [local] or [hash] all names would be the same".to_owned())
            }
        };
        if let Some(pattern) = self.checked(&modules, "generate_scoped_name", has_local) {
            to.generate_scoped_name = Some(pattern);
        }
        if let Some(prefix) = self.checked(&modules, "hash_prefix", |text| Ok(text.to_owned())) {
            to.hash_prefix = prefix;
        }
        let scopes = [("local", ScopeBehaviour::Local), ("global", ScopeBehaviour::Global)];
        if let Some(scope) = self.choice(&modules, "scope_behaviour", &scopes) {
            to.scope_behaviour = scope;
        }
    }

    fn preprocessor(&mut self, table: &Table<'_, '_>, root: &Path) -> PreprocessorOptions {
        let mut options = PreprocessorOptions::default();
        if let Some(text) = self.checked(table, "additional_data", |text| Ok(text.to_owned())) {
            options.additional_data = text;
        }
        for key in ["load_paths", "paths"] {
            let folders = self.texts(table, key).unwrap_or_default();
            options.load_paths.extend(folders.iter().map(|folder| join(root, Path::new(folder))));
        }
        for (name, value) in table.table.iter() {
            let key = name.get_ref().as_ref();
            match snake_case(key).as_str() {
                "additional_data" | "load_paths" | "paths" if key == snake_case(key) => {}
                wanted @ ("additional_data" | "load_paths") => {
                    let help = format!("did you mean `{wanted}`?");
                    self.problem(name.span(), format!("unknown key `{key}` in [{}]", table.name), Some(help));
                }
                _ => drop(options.others.insert(camel_case(key), as_json(value))),
            }
        }
        options
    }

    fn inner_table<'t, 'i>(&mut self, table: &Table<'t, 'i>, key: &str, name: &'static str) -> Option<Table<'t, 'i>> {
        let value = table.get(key)?;
        let Some(inner) = value.get_ref().as_table() else {
            self.mistyped(table, key, value, "a table");
            return None;
        };
        Some(Table { name: name.to_owned(), table: inner })
    }
}

/// Options of npm packages are spelled their way: `global_vars` → `globalVars`.
fn camel_case(key: &str) -> String {
    let mut words = key.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut out, word| {
        let mut chars = word.chars();
        out.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(chars.as_str());
        out
    })
}

/// Keys of tables are names of the user's own and stay as they are.
fn as_json(value: &Spanned<DeValue<'_>>) -> Value {
    match value.get_ref() {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => {
            Value::from(i64::from_str_radix(number.as_str(), number.radix()).unwrap_or_default())
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map(Value::from).unwrap_or_default(),
        DeValue::Boolean(boolean) => Value::from(*boolean),
        DeValue::Datetime(date) => Value::from(date.to_string()),
        DeValue::Array(list) => list.iter().map(as_json).collect(),
        DeValue::Table(table) => table
            .iter()
            .map(|(key, value)| (key.get_ref().to_string(), as_json(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}
