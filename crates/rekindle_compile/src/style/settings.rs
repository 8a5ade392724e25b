//! What a project says about its styles: `[css]` of `rekindle.toml`, named as in Vite.
//!
//! ```toml
//! [css.modules]
//! locals_convention = "camelCase"            # .big-box → styles.bigBox and styles['big-box']
//! generate_scoped_name = "[name]__[local]"   # .title of box.module.css → box-module__title
//! ```

use std::collections::BTreeMap;
use std::path::PathBuf;

use lightningcss::targets::Browsers;
use serde_json::Value;

/// `[css]`
#[derive(Clone, Debug, PartialEq, Default)]
pub struct StyleSettings {
    /// Source maps inside the sheets.
    pub dev_sourcemap: bool,
    pub postcss: PostcssSetting,
    pub modules: ModulesSettings,
    /// By language (`scss`, `sass`, `less`, `styl`, `stylus`).
    pub preprocessor_options: BTreeMap<String, PreprocessorOptions>,
}

/// `css.postcss`: where its configuration is.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum PostcssSetting {
    /// In the project folder, or in a folder above it up to the workspace's.
    #[default]
    Search,
    Folder(PathBuf),
    Off,
}

/// `[css.preprocessor_options.scss]` and the like.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct PreprocessorOptions {
    /// Stands before the text of every file of the language, but not before what these import.
    pub additional_data: String,
    /// Folders in which imports are looked for.
    pub load_paths: Vec<PathBuf>,
    /// All other keys, as the compiler of the language calls them. Only those that are npm packages take them.
    pub others: serde_json::Map<String, Value>,
}

/// `[css.modules]`
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ModulesSettings {
    pub locals_convention: LocalsConvention,
    /// `None`: `_[local]_[hash]`.
    pub generate_scoped_name: Option<String>,
    /// Goes into every hash.
    pub hash_prefix: String,
    pub scope_behaviour: ScopeBehaviour,
}

/// Which names a CSS module exports for `.big-box`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LocalsConvention {
    /// `big-box`
    #[default]
    AsWritten,
    /// `big-box` and `bigBox`
    CamelCase,
    /// `bigBox`
    CamelCaseOnly,
    /// As `CamelCase`, but only dashes count.
    Dashes,
    DashesOnly,
}

/// What names mean that are in neither `:local()` nor `:global()`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ScopeBehaviour {
    #[default]
    Local,
    Global,
}

/// What decides how CSS is printed.
#[derive(Clone, Debug, Default)]
pub struct StyleOptions {
    pub modules: ModulesSettings,
    /// Syntax that these do not know is lowered. `None`: nothing is.
    pub targets: Option<Browsers>,
    pub source_map: bool,
}

impl LocalsConvention {
    /// The names under which `name` is exported.
    pub fn exported(self, name: &str) -> Vec<String> {
        let (changed, keeps) = match self {
            Self::AsWritten => return vec![name.to_owned()],
            Self::CamelCase => (camel_case(name, &['-', '_', '.', ' ']), true),
            Self::CamelCaseOnly => (camel_case(name, &['-', '_', '.', ' ']), false),
            Self::Dashes => (camel_case(name, &['-']), true),
            Self::DashesOnly => (camel_case(name, &['-']), false),
        };
        if keeps && changed != name { vec![name.to_owned(), changed] } else { vec![changed] }
    }
}

/// `big-box` → `bigBox`; separators at the start are left out, or kept where only dashes count.
fn camel_case(name: &str, separators: &[char]) -> String {
    let only_dashes = separators.len() == 1;
    let lead = if only_dashes { name.len() - name.trim_start_matches('-').len() } else { 0 };
    let mut out = name[..lead].to_owned();
    let mut words = name[lead..].split(|c| separators.contains(&c)).filter(|word| !word.is_empty());
    if let Some(first) = words.next() {
        let mut chars = first.chars();
        match (only_dashes, chars.next()) {
            (false, Some(initial)) => out.extend(initial.to_lowercase().chain(chars)),
            _ => out.push_str(first),
        }
    }
    for word in words {
        let mut chars = word.chars();
        out.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(chars.as_str());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_convention() {
        let all = |name: &str| {
            use LocalsConvention::{AsWritten, CamelCase, CamelCaseOnly, Dashes, DashesOnly};
            [AsWritten, CamelCase, CamelCaseOnly, Dashes, DashesOnly]
                .map(|convention| convention.exported(name).join(","))
                .join(" | ")
        };
        assert_eq!(
            all("big-box_two"),
            "big-box_two | big-box_two,bigBoxTwo | bigBoxTwo | big-box_two,bigBox_two | bigBox_two"
        );
        assert_eq!(all("title"), "title | title | title | title | title");
    }
}
