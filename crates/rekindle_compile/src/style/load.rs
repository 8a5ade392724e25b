//! Reads a stylesheet and all it imports or composes; each file is parsed once per CSS module it belongs to.

use std::cell::RefCell;
use std::convert::Infallible;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, RwLock};

use lightningcss::error::{Error, ParserError, SelectorError};
use lightningcss::properties::custom::Token;
use lightningcss::rules::CssRule;
use lightningcss::rules::import::ImportRule;
use lightningcss::stylesheet::{ParserOptions, StyleSheet};
use lightningcss::values::image::Image;
use lightningcss::values::url::Url;
use lightningcss::visitor::{Visit, VisitTypes, Visitor};
use lightningcss::{css_modules, visit_types};
use oxc_allocator::Allocator;
use rekindle_graph::Diagnostic;
use rustc_hash::FxHashMap;

use super::names::Unit;
use super::sheet::{StyleInput, StyleUrl, placeholder};
use super::values::Values;
use super::{names, recover, scopes, values};
use crate::files::file;
use crate::kind::without_suffix_in_style;

/// Everything behind one stylesheet.
pub(super) struct LoadedSheets<'a> {
    /// The main one is the first.
    pub sheets: Vec<Sheet<'a>>,
    pub units: Vec<Unit>,
    /// For each sheet its unit, its file and its text.
    pub unit_of: Vec<usize>,
    pub sources: Vec<(PathBuf, &'a str)>,
    pub urls: Vec<StyleUrl>,
    /// `@value`s of the main one, which it exports.
    pub values: Values,
    /// Files beside the main one: read, or wished for.
    pub files: Vec<PathBuf>,
    pub diagnostics: Vec<Diagnostic>,
    pub warnings: Vec<Diagnostic>,
}

/// One parsed file.
pub(super) struct Sheet<'a> {
    /// What stands before the rules: imports, and `@layer` statements, whose order to them matters.
    pub head: Vec<Head<'a>>,
    pub rules: Vec<CssRule<'a>>,
}

pub(super) enum Head<'a> {
    Layers(CssRule<'a>),
    Local { sheet: usize, rule: ImportRule<'a> },
    Remote(ImportRule<'a>),
}

pub(super) fn parser_options<'i>(modules: bool, sheet: usize) -> ParserOptions<'i> {
    // Only the syntax is wanted. Names are given by `names`: lightningcss would also rename animations that the sheet
    // does not define, and knows fewer patterns.
    let config = css_modules::Config {
        pattern: css_modules::Pattern::default(),
        dashed_idents: false,
        animation: false,
        grid: false,
        custom_idents: false,
        container: false,
        pure: false,
    };
    ParserOptions {
        css_modules: modules.then_some(config),
        source_index: sheet as u32,
        error_recovery: true,
        warnings: Some(Arc::new(RwLock::new(Vec::new()))),
        ..ParserOptions::default()
    }
}

pub(super) fn load<'a>(input: &'a StyleInput<'a>, texts: &'a Allocator) -> LoadedSheets<'a> {
    let main = texts.alloc_str(input.source.strip_prefix('\u{feff}').unwrap_or(input.source));
    let loaded = LoadedSheets {
        sheets: Vec::new(),
        units: vec![Unit::new(input, input.file)],
        unit_of: Vec::new(),
        sources: Vec::new(),
        urls: Vec::new(),
        values: Values::new(),
        files: Vec::new(),
        diagnostics: Vec::new(),
        warnings: Vec::new(),
    };
    let mut loader = Loader { input, texts, loaded, queue: Vec::new(), known: FxHashMap::default() };
    loader.enqueue(input.file.to_owned(), 0, main);
    // Parsing adds to the queue; indices into it are indices of sheets.
    let mut next = 0;
    while next < loader.queue.len() {
        loader.load_next(next);
        next += 1;
    }
    for source in loader.queue {
        loader.loaded.unit_of.push(source.unit);
        loader.loaded.sources.push((source.path, source.text));
    }
    loader.loaded
}

/// A block may hide its second mistake behind the first, so one more attempt may not be enough.
const MOST_ATTEMPTS: usize = 10;

/// What becomes of something lightningcss complains about.
#[derive(PartialEq, Eq)]
enum ErrorHandling {
    Kept,
    Skipped,
    Fatal,
}

struct Loader<'a> {
    input: &'a StyleInput<'a>,
    texts: &'a Allocator,
    loaded: LoadedSheets<'a>,
    queue: Vec<Source<'a>>,
    known: FxHashMap<(PathBuf, usize), usize>,
}

#[derive(Clone)]
pub(super) struct Source<'a> {
    index: usize,
    path: PathBuf,
    unit: usize,
    text: &'a str,
}

impl<'a> Loader<'a> {
    fn enqueue(&mut self, path: PathBuf, unit: usize, text: &'a str) -> usize {
        let index = self.queue.len();
        let text = if self.input.modules && scopes::has_some(text) {
            self.texts.alloc_str(&scopes::in_parentheses(text))
        } else {
            text
        };
        let text = self.with_values(&path, text, index == 0);
        self.known.insert((path.clone(), unit), index);
        self.queue.push(Source { index, path, unit, text });
        index
    }

    /// The text of a CSS module with its `@value`s in their places, and without `:export`.
    fn with_values(&mut self, path: &Path, text: &'a str, is_main: bool) -> &'a str {
        if !self.input.modules || !values::has_some(text) {
            return text;
        }
        let read_files = RefCell::new(Vec::new());
        let read = |path: &Path| {
            read_files.borrow_mut().push(path.to_owned());
            (self.input.read)(path).ok()
        };
        let resolve = |specifier: &str, from: &Path| {
            let found = self.resolve(specifier, from);
            if found.is_none() {
                read_files.borrow_mut().push(beside(from, specifier));
            }
            found
        };
        let (filled, values) = values::fill_in(text, path, &values::Sources { resolve: &resolve, read: &read });
        for file in read_files.into_inner() {
            self.note_file(file);
        }
        if is_main {
            self.loaded.values = values;
        }
        self.texts.alloc_str(&filled)
    }

    fn load_next(&mut self, index: usize) {
        let source = self.queue[index].clone();
        let mut rules = self.parse(&source);
        let mut urls = UrlVisitor { loader: self, source: &source };
        for rule in &mut rules {
            let Ok(()) = rule.visit(&mut urls);
        }
        if self.input.modules {
            self.collect_names(&source, &mut rules);
        }
        let (head, rules) = self.split_head(&source, rules);
        self.loaded.sheets.push(Sheet { head, rules });
    }

    /// The rules of a file without what a browser would skip.
    fn parse(&mut self, source: &Source<'a>) -> Vec<CssRule<'a>> {
        let mut text = source.text;
        let mut attempts_left = MOST_ATTEMPTS;
        loop {
            let options = parser_options(self.input.modules, source.index);
            let warnings = options.warnings.clone();
            let parsed = StyleSheet::parse(text, options);
            let skipped =
                warnings.and_then(|warnings| warnings.write().ok().map(|mut list| std::mem::take(&mut *list)));
            let mut bad = Vec::new();
            for error in skipped.into_iter().flatten() {
                if self.judge(source, &error) == ErrorHandling::Skipped {
                    bad.push(source.text.len() - text_at(source, &error).len());
                }
            }
            let rules = match parsed {
                Ok(sheet) => sheet.rules.0,
                Err(error) => {
                    let diagnostic = self.explain(source, &error);
                    self.loaded.diagnostics.push(diagnostic);
                    return Vec::new();
                }
            };
            attempts_left -= 1;
            if attempts_left == 0 || !self.loaded.diagnostics.is_empty() {
                return rules;
            }
            match recover::without_bad_items(text, &bad) {
                Some(mended) => text = self.texts.alloc_str(&mended),
                None => return rules,
            }
        }
    }

    fn split_head(&mut self, source: &Source<'a>, rules: Vec<CssRule<'a>>) -> (Vec<Head<'a>>, Vec<CssRule<'a>>) {
        let mut head = Vec::new();
        let mut rest = Vec::new();
        for rule in rules {
            match rule {
                CssRule::Ignored => {}
                CssRule::Import(rule) if is_remote(&rule.url) => head.push(Head::Remote(rule)),
                CssRule::Import(rule) => {
                    let start = offset_of(source.text, rule.loc.line, rule.loc.column);
                    if let Some(sheet) = self.find_sheet(source, &rule.url, source.unit, start) {
                        head.push(Head::Local { sheet, rule });
                    }
                }
                CssRule::LayerStatement(_) if rest.is_empty() => head.push(Head::Layers(rule)),
                rule => rest.push(rule),
            }
        }
        (head, rest)
    }

    /// The sheet behind a specifier, read on first use; a diagnostic if there is none.
    fn find_sheet(&mut self, from: &Source<'a>, specifier: &str, unit: usize, start: usize) -> Option<usize> {
        let path = match self.resolve(specifier, &from.path) {
            Some(path) => path,
            None => {
                let wished = beside(&from.path, specifier);
                let diagnostic = self.missing(from, specifier, start, &wished);
                self.loaded.diagnostics.push(diagnostic);
                self.note_file(wished);
                return None;
            }
        };
        if let Some(&known) = self.known.get(&(path.clone(), unit)) {
            return Some(known);
        }
        if path == self.input.file {
            // The main file as part of another module: its text is at hand.
            let text = self.queue[0].text;
            return Some(self.enqueue(path, unit, text));
        }
        self.note_file(path.clone());
        match (self.input.read)(&path) {
            Ok(text) => {
                let text = self.texts.alloc_str(text.strip_prefix('\u{feff}').unwrap_or(&text));
                Some(self.enqueue(path, unit, text))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let diagnostic = self.missing(from, specifier, start, &path);
                self.loaded.diagnostics.push(diagnostic);
                None
            }
            Err(error) => {
                let diagnostic = self
                    .at_word(from, format!("cannot read `{specifier}`"), specifier, start)
                    .with_help(error.to_string());
                self.loaded.diagnostics.push(diagnostic);
                None
            }
        }
    }

    fn note_file(&mut self, path: PathBuf) {
        if !self.loaded.files.contains(&path) {
            self.loaded.files.push(path);
        }
    }

    /// In CSS `part.css` means `./part.css`; a package or an alias comes second. `~` is an old way to say package.
    fn resolve(&self, specifier: &str, from: &Path) -> Option<PathBuf> {
        let resolve = |specifier: &str| (self.input.resolve)(specifier, from);
        let (path, _) = without_suffix_in_style(specifier);
        if path.starts_with(['.', '/']) {
            return resolve(path);
        }
        resolve(&format!("./{path}"))
            .or_else(|| resolve(path))
            .or_else(|| path.strip_prefix('~').and_then(|package| resolve(package.trim_start_matches('/'))))
    }

    fn missing(&self, from: &Source<'a>, specifier: &str, start: usize, wished: &Path) -> Diagnostic {
        if let Some(name) = file::oddity(wished) {
            return self.at_word(from, format!("`{specifier}` is {name}, not a file"), specifier, start);
        }
        let help = if specifier.starts_with(['.', '/']) {
            format!("there is no file `{}`", (self.input.display)(wished))
        } else {
            format!("there is neither a file `{}` nor a package of that name", (self.input.display)(wished))
        };
        self.at_word(from, format!("cannot find `{specifier}`"), specifier, start).of_missing().with_help(help)
    }

    /// A diagnostic at the first `word` behind `start`.
    fn at_word(&self, source: &Source<'a>, message: String, word: &str, start: usize) -> Diagnostic {
        let found = source.text[start..].find(word).map(|gap| start + gap);
        Diagnostic::error(message).in_file((self.input.display)(&source.path)).at(
            source.text,
            found.unwrap_or(start),
            found.map_or(1, |_| word.len()),
        )
    }

    /// Notes names and `composes`, and takes the latter out of the rules: what they mean is in the class map.
    fn collect_names(&mut self, source: &Source<'a>, rules: &mut [CssRule<'a>]) {
        let mut collector = names::Collector::new(self.input.options.modules.scope_behaviour);
        for rule in rules {
            let Ok(()) = rule.visit(&mut collector);
        }
        for misplaced in collector.misplaced {
            let start = offset_of(source.text, misplaced.line.saturating_sub(1), misplaced.column);
            let start = source.text[..start].rfind("composes").unwrap_or(start);
            let diagnostic = self
                .at_word(source, "`composes` cannot be used here".to_owned(), "composes", start)
                .with_help("it works in a rule whose selector is a single class, outside of other rules");
            self.loaded.diagnostics.push(diagnostic);
        }
        for mut composes in collector.composes {
            if let names::ComposeSource::File(specifier) = &composes.from {
                let start = offset_of(source.text, composes.loc.line.saturating_sub(1), composes.loc.column);
                let specifier = specifier.clone();
                let Some(unit) = self.find_unit(source, &specifier, start) else { continue };
                composes.from = names::ComposeSource::Unit(unit);
            }
            self.loaded.units[source.unit].composes.push(composes);
        }
        let unit = &mut self.loaded.units[source.unit];
        unit.names.extend(collector.names);
        unit.keyframes.extend(collector.keyframes);
    }

    /// The CSS module that a `composes … from` names.
    fn find_unit(&mut self, from: &Source<'a>, specifier: &str, start: usize) -> Option<usize> {
        let path = self.resolve(specifier, &from.path);
        let known = path.and_then(|path| self.loaded.units.iter().position(|unit| unit.path == path));
        if let Some(known) = known {
            return Some(known);
        }
        let unit = self.loaded.units.len();
        let sheet = self.find_sheet(from, specifier, unit, start)?;
        let path = self.queue[sheet].path.clone();
        let mut composed = Unit::new(self.input, &path);
        composed.sheet = sheet;
        self.loaded.units.push(composed);
        Some(unit)
    }

    /// A browser skips what it does not understand. So does the compiler, except for mistakes that swallow the rules behind them.
    fn judge(&mut self, source: &Source<'a>, error: &Error<ParserError<'a>>) -> ErrorHandling {
        match &error.kind {
            // Newer than this lightningcss, or meant for another tool: printed as it stands.
            ParserError::AtRuleInvalid(_)
            | ParserError::DeprecatedNestRule
            | ParserError::SelectorError(
                SelectorError::UnsupportedPseudoClass(_) | SelectorError::UnsupportedPseudoElement(_),
            ) => ErrorHandling::Kept,
            kind if is_fatal(kind) => {
                let diagnostic = self.explain(source, error);
                self.loaded.diagnostics.push(diagnostic);
                ErrorHandling::Fatal
            }
            _ => {
                let diagnostic = self.explain(source, error);
                // A second attempt meets what stands outside of blocks again.
                if !self.loaded.warnings.contains(&diagnostic) {
                    self.loaded.warnings.push(diagnostic);
                }
                ErrorHandling::Skipped
            }
        }
    }

    fn explain(&self, source: &Source<'a>, error: &Error<ParserError<'a>>) -> Diagnostic {
        let rest = text_at(source, error);
        let offset = source.text.len() - rest.len();
        let (message, help) = describe(&error.kind, rest);
        let diagnostic =
            Diagnostic::error(message).in_file((self.input.display)(&source.path)).at(source.text, offset, 1);
        match help {
            Some(help) => diagnostic.with_help(help),
            None => diagnostic,
        }
    }

    fn placeholder(&mut self, source: &Source<'a>, url: &Url<'a>) -> Option<String> {
        let specifier = self.specifier_from_main(source, &url.url)?;
        if let Some(known) = self.loaded.urls.iter().find(|known| known.specifier == specifier) {
            return Some(known.placeholder.clone());
        }
        let placeholder = placeholder(self.loaded.urls.len());
        let offset = (source.path == self.input.file).then(|| {
            let start = offset_of(source.text, url.loc.line.saturating_sub(1), url.loc.column);
            let start = source.text[start..].find(url.url.as_ref()).map(|gap| start + gap)?;
            Some((start as u32, (start + url.url.len()) as u32))
        });
        self.loaded.urls.push(StyleUrl { placeholder: placeholder.clone(), specifier, offset: offset.flatten() });
        Some(placeholder)
    }

    /// An address as the main stylesheet would write it; `None` for addresses that are not the project's.
    fn specifier_from_main(&self, source: &Source<'a>, url: &str) -> Option<String> {
        let url = url.trim();
        if url.is_empty() || url.starts_with('#') || url.starts_with("__rekindle_url_") || is_remote(url) {
            return None;
        }
        if url.starts_with('/') {
            return Some(url.to_owned());
        }
        let (path, suffix) = without_suffix_in_style(url);
        let target = if path.starts_with('.') {
            beside(&source.path, path)
        } else {
            self.resolve(path, &source.path).unwrap_or_else(|| beside(&source.path, path))
        };
        Some(format!("{}{suffix}", relative_to_folder_of(self.input.file, &target)))
    }
}

struct UrlVisitor<'v, 'a> {
    loader: &'v mut Loader<'a>,
    source: &'v Source<'a>,
}

impl<'a> Visitor<'a> for UrlVisitor<'_, 'a> {
    type Error = Infallible;

    fn visit_types(&self) -> VisitTypes {
        visit_types!(URLS | IMAGES)
    }

    /// The derived walk does not look into `image-set()`.
    fn visit_image(&mut self, image: &mut Image<'a>) -> Result<(), Infallible> {
        match image {
            Image::ImageSet(set) => set.options.iter_mut().try_for_each(|option| self.visit_image(&mut option.image)),
            Image::Url(url) => self.visit_url(url),
            Image::None | Image::Gradient(_) => Ok(()),
        }
    }

    fn visit_url(&mut self, url: &mut Url<'a>) -> Result<(), Infallible> {
        if let Some(placeholder) = self.loader.placeholder(self.source, url) {
            url.url = placeholder.into();
        }
        Ok(())
    }
}

/// Mistakes for which no browser has a rule: what the sheet means is not known.
fn is_fatal(kind: &ParserError<'_>) -> bool {
    matches!(
        kind,
        ParserError::DeprecatedCssModulesValueRule
            | ParserError::SelectorError(SelectorError::AmbiguousCssModuleClass(_))
            | ParserError::MaximumNestingDepth
    )
}

/// What stands from the place of an error on.
fn text_at<'a>(source: &Source<'a>, error: &Error<ParserError<'a>>) -> &'a str {
    &source.text[error.loc.as_ref().map_or(0, |loc| offset_of(source.text, loc.line, loc.column))..]
}

fn describe(kind: &ParserError<'_>, rest: &str) -> (String, Option<&'static str>) {
    const SKIPPED: &str = "this is not valid CSS: browsers skip it";
    match kind {
        ParserError::SelectorError(SelectorError::EmptySelector) if rest.starts_with('}') => {
            ("unexpected `}`".to_owned(), Some(CLOSES_NOTHING))
        }
        ParserError::EndOfInput if !rest.trim().is_empty() => (SKIPPED.to_owned(), None),
        ParserError::DeprecatedCssModulesValueRule => (
            "this `@value` cannot be understood".to_owned(),
            Some("write `@value name: value;`, or `@value name from './other.css';` where that file has the name"),
        ),
        ParserError::SelectorError(SelectorError::AmbiguousCssModuleClass(name)) => {
            (format!("`:{name}` needs a selector in parentheses"), Some("write `:global(.name)` or `:local(.name)`"))
        }
        ParserError::EndOfInput => ("the stylesheet ends in the middle of a rule".to_owned(), None),
        ParserError::QualifiedRuleInvalid => ("a selector without a block".to_owned(), Some("add `{ … }` after it")),
        ParserError::UnexpectedToken(token) => match spell(token) {
            Some(sign @ ("}" | ")" | "]")) => (format!("unexpected `{sign}`"), Some(CLOSES_NOTHING)),
            Some(sign) => (format!("unexpected `{sign}`"), None),
            None if matches!(token, Token::BadString(_)) => {
                ("a string that is not closed on its line: browsers skip the declaration".to_owned(), None)
            }
            None if matches!(token, Token::BadUrl(_)) => (
                "an address that is not valid: browsers skip the declaration".to_owned(),
                Some("put it in quotes: `url(\"…\")`"),
            ),
            None => (SKIPPED.to_owned(), None),
        },
        ParserError::UnexpectedImportRule => {
            ("`@import` after other rules is ignored".to_owned(), Some("move it to the top of the stylesheet"))
        }
        ParserError::MaximumNestingDepth => ("rules are nested too deeply".to_owned(), None),
        other => {
            let text = other.to_string();
            let mut chars = text.chars();
            let first = chars.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
            (format!("{first}{}", chars.as_str()), None)
        }
    }
}

const CLOSES_NOTHING: &str = "it closes nothing: either it is one too many, or the opening one is missing; browsers skip it and the rule after it";

fn spell(token: &Token<'_>) -> Option<&'static str> {
    Some(match token {
        Token::CloseCurlyBracket => "}",
        Token::CloseParenthesis => ")",
        Token::CloseSquareBracket => "]",
        Token::CurlyBracketBlock => "{",
        Token::ParenthesisBlock => "(",
        Token::SquareBracketBlock => "[",
        Token::Semicolon => ";",
        Token::Colon => ":",
        Token::Comma => ",",
        _ => return None,
    })
}

/// An address with a scheme, or of another host.
fn is_remote(url: &str) -> bool {
    if url.starts_with("//") {
        return true;
    }
    let end = url.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')));
    end.is_some_and(|end| end > 0 && url[end..].starts_with(':') && url.starts_with(|c: char| c.is_ascii_alphabetic()))
}

pub(super) fn beside(file: &Path, specifier: &str) -> PathBuf {
    let (specifier, _) = without_suffix_in_style(specifier);
    let mut path = file.parent().unwrap_or(file).to_owned();
    for component in Path::new(specifier).components() {
        match component {
            Component::ParentDir => drop(path.pop()),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    path
}

pub(super) fn relative_to_folder_of(file: &Path, target: &Path) -> String {
    let names = |path: &Path| -> Vec<String> {
        path.components().map(|component| component.as_os_str().to_string_lossy().into_owned()).collect()
    };
    let (from, to) = (names(file.parent().unwrap_or(file)), names(target));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let way = std::iter::repeat_n("..", from.len() - common).chain(to[common..].iter().map(String::as_str));
    let way = way.collect::<Vec<_>>().join("/");
    if way.starts_with("..") { way } else { format!("./{way}") }
}

/// cssparser counts lines from 0 and columns from 1, in UTF-16 units.
fn offset_of(source: &str, line: u32, column: u32) -> usize {
    let mut start = 0;
    for _ in 0..line {
        let Some(end) = source[start..].find(['\n', '\r', '\x0c']).map(|gap| start + gap) else { break };
        start = end + if source[end..].starts_with("\r\n") { 2 } else { 1 };
    }
    let mut units = column.saturating_sub(1) as usize;
    for (at, c) in source[start..].char_indices() {
        if units == 0 || c == '\n' {
            return start + at;
        }
        units = units.saturating_sub(c.len_utf16());
    }
    source.len()
}
