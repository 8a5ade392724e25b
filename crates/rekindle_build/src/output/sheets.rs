//! Sheets of a build: addresses filled in, joined by chunk, lowered and minified.
//!
//! ```text
//! a.css, b.css of one chunk   →   assets/index-Bq3x_0aZ.css: all `@import` of other hosts first, then the rules in order
//! ```

use std::collections::BTreeSet;
use std::path::PathBuf;

use lightningcss::printer::PrinterOptions;
use lightningcss::rules::{CssRule, CssRuleList};
use lightningcss::stylesheet::{MinifyOptions, ParserOptions, StyleSheet};
use rekindle_compile::kind::without_suffix;
use rekindle_compile::plain::module::{Inlining, PlainModule};
use rekindle_compile::plain::options::PlainOptions;
use rekindle_compile::style::StyleOutput;
use rekindle_compile::style::definition::is_class_export;
use rekindle_graph::{Diagnostic, FilePath, ModuleUrl};

use crate::output::addresses::{Referrer, Target, json};
use crate::output::place::target_of;
use crate::session::Session;

/// The sheet with addresses in the places of its placeholders, as they are seen from a sheet of the output. The files that
/// it refers to go to `sources`.
pub(crate) fn with_addresses(
    session: &Session,
    file: &FilePath,
    output: &StyleOutput,
    sources: &mut BTreeSet<PathBuf>,
) -> String {
    with_written(session, file, output, sources, |target| session.addresses.written(target, Referrer::Sheet))
}

/// The sheet as an expression in a script, whose text may come to any page.
///
/// ```js
/// "body{background:url(\"" + new URL("big-Bq3x_0aZ.png", import.meta.url).href + "\")}"
/// ```
pub(crate) fn text(
    session: &Session,
    file: &FilePath,
    output: &StyleOutput,
    from: Referrer<'_>,
    sources: &mut BTreeSet<PathBuf>,
) -> String {
    if !session.config.build.relative_base {
        return json(&finish(session, [&*with_addresses(session, file, output, sources)]));
    }
    let mut expressions = Vec::new();
    let css = with_written(session, file, output, sources, |target| match target {
        Target::Content(content) => content.clone(),
        Target::Output(_) => {
            expressions.push(session.addresses.expression(target, from));
            place(expressions.len() - 1)
        }
    });
    let css = json(&finish(session, [&*css]));
    let splice =
        |css: String, (at, expression): (usize, &String)| css.replace(&place(at), &format!("\" + {expression} + \""));
    expressions.iter().enumerate().fold(css, splice)
}

/// Stands for an address until the sheet is printed. Parentheses have a printer keep the quotes around it.
fn place(at: usize) -> String {
    format!("((((rekindle-address-{at}))))")
}

fn with_written(
    session: &Session,
    file: &FilePath,
    output: &StyleOutput,
    sources: &mut BTreeSet<PathBuf>,
    mut write: impl FnMut(&Target) -> String,
) -> String {
    let mut css = output.css.clone();
    for url in &output.urls {
        let written = match target_of(session, file.as_path(), &url.specifier, Inlining::Small, sources) {
            Some((target, suffix)) => format!("{}{suffix}", write(&target)),
            None => {
                let name = session.compiler.display(file.as_path());
                let missing = without_suffix(&url.specifier).0;
                session.warn(format!("{missing}, which {name} refers to, is not there: its address stays as it is"));
                url.specifier.clone()
            }
        };
        css = css.replace(&url.placeholder, &written.replace('\\', "\\\\").replace('"', "\\\""));
    }
    css
}

/// Joins sheets in their order; lowered and minified as the settings say.
pub(crate) fn finish<'s>(session: &Session, sheets: impl IntoIterator<Item = &'s str>) -> String {
    let build = &session.config.build;
    let minify = build.css_minify.unwrap_or(build.minify);
    let sheets: Vec<&str> = sheets.into_iter().collect();
    // Rules that the parser does not understand are printed as they were written.
    let options = || ParserOptions { error_recovery: true, ..ParserOptions::default() };
    let mut imports = Vec::new();
    let mut rules = Vec::new();
    for sheet in &sheets {
        let Ok(parsed) = StyleSheet::parse(sheet, options()) else { return sheets.join("\n") };
        for rule in parsed.rules.0 {
            match rule {
                CssRule::Import(_) => imports.push(rule),
                _ => rules.push(rule),
            }
        }
    }
    imports.extend(rules);
    let mut joined = StyleSheet::new(vec![String::new()], CssRuleList(imports), options());
    let targets = session.css_targets;
    if (minify || targets.browsers.is_some())
        && let Err(error) = joined.minify(MinifyOptions { targets, ..MinifyOptions::default() })
    {
        session.warn(format!("a style sheet stays as it is: {error}"));
        return sheets.join("\n");
    }
    match joined.to_css(PrinterOptions { minify, targets, ..PrinterOptions::default() }) {
        Ok(printed) if minify && !printed.code.is_empty() => printed.code + "\n",
        Ok(printed) => printed.code,
        Err(error) => {
            session.warn(format!("a style sheet stays as it is: {error}"));
            sheets.join("\n")
        }
    }
}

/// Compiles a sheet into a file of its own, for `<link>` and `?url`. The files that went into it go to `sources`.
pub(crate) fn emit(
    session: &Session,
    url: &ModuleUrl,
    file: &FilePath,
    sources: &mut BTreeSet<PathBuf>,
) -> Result<String, Vec<Diagnostic>> {
    let stem = file.as_path().file_stem().unwrap_or_default().to_string_lossy();
    emit_as(session, url, file, &stem, sources)
}

/// The same under another name.
pub(crate) fn emit_as(
    session: &Session,
    url: &ModuleUrl,
    file: &FilePath,
    stem: &str,
    sources: &mut BTreeSet<PathBuf>,
) -> Result<String, Vec<Diagnostic>> {
    let mut files = Vec::new();
    let source = rekindle_compile::source::Source::File;
    let compile = || session.compiler.plain(url, file, &source, PlainOptions::default(), &mut files);
    let plain = tokio::task::block_in_place(compile)?;
    sources.extend([file].into_iter().chain(&files).map(|file| file.as_path().to_owned()));
    let PlainModule::Style(output, _) = plain else {
        let name = session.compiler.display(file.as_path());
        return Err(vec![Diagnostic::error("this is not a style sheet").in_file(name)]);
    };
    let css = finish(session, [&*with_addresses(session, file, &output, sources)]);
    Ok(session.addresses.emit(&format!("{stem}.css"), css.into_bytes().into()))
}

/// ```js
/// const $0 = "title_1a2b"; export { $0 as title };
/// export default { "title": $0, "big-box": "big-box_1a2b" };
/// ```
pub(crate) fn class_module(classes: &[(String, String)]) -> String {
    let (mut code, mut fields) = (String::new(), Vec::new());
    for (at, (name, scoped)) in classes.iter().enumerate() {
        if is_class_export(name) {
            code.push_str(&format!("const $${at} = {};\nexport {{ $${at} as {name} }};\n", json(scoped)));
            fields.push(format!("{}: $${at}", json(name)));
        } else {
            fields.push(format!("{}: {}", json(name), json(scoped)))
        }
    }
    format!("{code}export default {{ {} }};\n", fields.join(", "))
}
