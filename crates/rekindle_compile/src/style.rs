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
//! one file imported under two conditions, and stops at the first missing file. Nothing is minified, and
//! nothing lowered unless the project names its browsers.
//!
//! Other languages and the project's own tools come before: `prepare.rs`.

mod bundle;
pub mod definition;
mod load;
mod names;
pub mod prepare;
mod recover;
mod scoped_name;
mod scopes;
pub mod settings;
pub mod sheet;
mod targets;
mod values;

use std::path::PathBuf;

use base64::Engine;
use lightningcss::rules::{CssRule, CssRuleList};
use lightningcss::stylesheet::{MinifyOptions, ParserOptions, PrinterOptions, StyleSheet};
use lightningcss::targets::Targets;
use oxc_allocator::Allocator;
use parcel_sourcemap::SourceMap;
use rekindle_graph::{Diagnostic, FilePath};
pub use settings::StyleOptions;
pub use sheet::{StyleError, StyleInput, StyleOutput, StyleUrl};

/// Compiles a stylesheet with everything it imports and composes.
pub fn compile_style(input: &StyleInput<'_>) -> Result<StyleOutput, StyleError> {
    let texts = Allocator::default();
    let mut loaded = load::load(input, &texts);
    let files: Vec<FilePath> = loaded.files.iter().map(|file| FilePath::new(file.clone())).collect();
    if !loaded.diagnostics.is_empty() {
        return Err(StyleError { diagnostics: loaded.diagnostics, files });
    }
    let modules = &input.options.modules;
    let class_map = input.modules.then(|| {
        let (class_map, warnings) = names::class_map(&loaded.units, modules.locals_convention, input.display);
        loaded.warnings.extend(warnings);
        let mut class_map = class_map;
        let is_free = |name: &str, class_map: &[(String, String)]| class_map.iter().all(|(known, _)| known != name);
        for (name, value) in std::mem::take(&mut loaded.values) {
            if is_free(&name, &class_map) {
                class_map.push((name, value));
            }
        }
        class_map
    });
    let mut rules = bundle::bundle(loaded.sheets, &loaded.units);
    if input.modules {
        names::rename(&mut rules, &loaded.units, &loaded.unit_of, modules.scope_behaviour);
    }
    let css = print(rules, &loaded.sources, input).map_err(|message| StyleError {
        diagnostics: vec![Diagnostic::error(message).in_file((input.display)(input.file))],
        files: files.clone(),
    })?;
    Ok(StyleOutput { css, urls: loaded.urls, class_map, files, warnings: loaded.warnings })
}

/// The rules as text; lowered for the project's browsers, and with a source map, where that is wanted.
fn print(rules: Vec<CssRule<'_>>, sources: &[(PathBuf, &str)], input: &StyleInput<'_>) -> Result<String, String> {
    let names: Vec<String> = sources.iter().map(|(path, _)| format!("/{}", (input.display)(path))).collect();
    let mut sheet = StyleSheet::new(names.clone(), CssRuleList(rules), ParserOptions::default());
    let targets = Targets { browsers: input.options.targets, ..Targets::default() };
    if targets.browsers.is_some() {
        let options = MinifyOptions { targets, ..MinifyOptions::default() };
        sheet.minify(options).map_err(|error| error.to_string())?;
    }
    if !input.options.source_map {
        let options = PrinterOptions { targets, ..PrinterOptions::default() };
        return sheet.to_css(options).map(|css| css.code).map_err(|error| error.to_string());
    }
    let mut map = SourceMap::new("/");
    map.add_sources(names);
    for (at, (_, text)) in sources.iter().enumerate() {
        map.set_source_content(at, text).map_err(|error| error.to_string())?;
    }
    let options = PrinterOptions { targets, source_map: Some(&mut map), ..PrinterOptions::default() };
    let css = sheet.to_css(options).map_err(|error| error.to_string())?.code;
    let map = map.to_json(None).map_err(|error| error.to_string())?;
    let map = base64::engine::general_purpose::STANDARD.encode(map);
    Ok(format!("{css}/*# sourceMappingURL=data:application/json;base64,{map} */\n"))
}

#[cfg(test)]
mod tests;
