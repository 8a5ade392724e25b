//! Compiles one stylesheet to CSS for the browser: imports inlined, addresses marked, CSS modules named.
//!
//! ```css
//! @import './reset.css' screen;
//! .title { background: url(./dot.png) }
//! ```
//! becomes
//! ```css
//! @media screen { /* … reset.css … */ }
//! .title { background: url("__rekindle_url_0__") }   /* urls: __rekindle_url_0__ → ./dot.png */
//! ```
//!
//! lightningcss parses and prints. Its own bundler is not used: it refuses a remote `@import` after a local one,
//! one file imported under two conditions, and stops at the first missing file. Nothing is minified or lowered.

mod bundle;
mod load;
mod names;
mod recover;

use std::fmt;
use std::path::{Path, PathBuf};

use lightningcss::rules::CssRuleList;
use lightningcss::stylesheet::{PrinterOptions, StyleSheet};
use oxc_allocator::Allocator;
use rekindle_graph::{Diagnostic, FilePath};

/// A stylesheet and how to reach the files around it.
pub struct StyleInput<'a> {
    pub file: &'a Path,
    pub source: &'a str,
    /// A CSS module: names of classes, ids and keyframes become unique.
    pub modules: bool,
    /// The name of a file for diagnostics, relative to the root where it lies inside. Names of CSS modules depend on it.
    pub display: &'a dyn Fn(&Path) -> String,
    /// Resolves a specifier as written in CSS, seen from a file.
    pub resolve: &'a (dyn Fn(&str, &Path) -> Option<PathBuf> + Sync),
    pub read: &'a (dyn Fn(&Path) -> std::io::Result<String> + Sync),
}

/// CSS for the browser, once the addresses are filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StyleOutput {
    pub css: String,
    pub urls: Vec<StyleUrl>,
    /// Local name → names for the `class` attribute, in source order. `None` unless it is a CSS module.
    pub class_map: Option<Vec<(String, String)>>,
    /// The other files that were read.
    pub files: Vec<FilePath>,
    /// What a browser skips in silence: the sheet works without it.
    pub warnings: Vec<Diagnostic>,
}

/// A local address. `placeholder` stands inside double quotes in the CSS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StyleUrl {
    pub placeholder: String,
    /// Relative to the folder of the main stylesheet (`./…`, `../…`), or from the root (`/…`); with query and fragment.
    pub specifier: String,
    /// Byte range in the main stylesheet, if it stands there.
    pub offset: Option<(u32, u32)>,
}

/// What stands in the CSS for the address of the URL with this number.
pub fn placeholder(number: usize) -> String {
    format!("__rekindle_url_{number}__")
}

/// Why a stylesheet could not be compiled, and the files whose change could help: those read and those missed.
#[derive(Clone, PartialEq, Eq)]
pub struct StyleError {
    pub diagnostics: Vec<Diagnostic>,
    pub files: Vec<FilePath>,
}

impl fmt::Debug for StyleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.diagnostics.iter().map(|diagnostic| &diagnostic.message)).finish()
    }
}

/// Compiles a stylesheet with everything it imports and composes.
pub fn compile_style(input: &StyleInput<'_>) -> Result<StyleOutput, StyleError> {
    let texts = Allocator::default();
    let mut loaded = load::load(input, &texts);
    let files: Vec<FilePath> = loaded.files.iter().map(|file| FilePath::new(file.clone())).collect();
    if !loaded.diagnostics.is_empty() {
        return Err(StyleError { diagnostics: loaded.diagnostics, files });
    }
    let class_map = input.modules.then(|| {
        let (class_map, warnings) = names::class_map(&loaded.units, input.display);
        loaded.warnings.extend(warnings);
        class_map
    });
    let options = load::parser_options(input.modules, 0);
    let sources = loaded.units.iter().map(|unit| unit.printed_source()).collect();
    let mut rules = bundle::bundle(loaded.sheets, &loaded.units);
    names::rename_animations(&mut rules, &loaded.units);
    let sheet = StyleSheet::new(sources, CssRuleList(rules), options);
    let css = sheet.to_css(PrinterOptions::default()).map_err(|error| StyleError {
        diagnostics: vec![Diagnostic::error(error.to_string()).in_file((input.display)(input.file))],
        files: files.clone(),
    })?;
    let warnings = loaded.warnings;
    Ok(StyleOutput { css: css.code, urls: loaded.urls, class_map, files, warnings })
}

#[cfg(test)]
mod tests;
