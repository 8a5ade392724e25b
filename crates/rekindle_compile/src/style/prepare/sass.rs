//! Sass and SCSS → CSS, with the crate grass.
//!
//! ```scss
//! @use './theme';                  // ./theme.scss, ./_theme.scss, ./theme/_index.scss, …
//! .title { color: theme.$accent }
//! ```
//! becomes
//! ```css
//! .title { color: teal }
//! ```
//!
//! What an import means is decided here and not by grass: beside the file, in the load paths, as an alias or a package.
//! grass asks for files by paths it makes itself; a table answers which file stands for each.

use std::cell::RefCell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use grass::{ErrorKind, Fs, Logger, Options};
use rekindle_graph::Diagnostic;
use rekindle_graph::paths::is_in_package;
use rustc_hash::FxHashMap;

use crate::files::{file, lookups};
use crate::style::load::relative_to_folder_of;

/// One file and its surroundings.
pub(super) struct SassInput<'a> {
    pub file: &'a Path,
    pub source: &'a str,
    /// Stands before the source.
    pub additional_data: &'a str,
    pub places: SassPlaces<'a>,
    pub display: &'a dyn Fn(&Path) -> String,
}

/// Where imports are looked for besides the importing file's folder.
#[derive(Clone, Copy)]
pub(super) struct SassPlaces<'a> {
    pub load_paths: &'a [PathBuf],
    /// An alias or a package, seen from a file.
    pub resolve: &'a dyn Fn(&str, &Path) -> Option<PathBuf>,
}

#[derive(Debug)]
pub(super) struct SassOutput {
    pub css: String,
    /// Other files that were read.
    pub files: Vec<PathBuf>,
    pub warnings: Vec<Diagnostic>,
}

#[derive(Debug)]
pub(super) struct SassFailure {
    pub diagnostic: Box<Diagnostic>,
    /// Other files that were read, and those that were not found.
    pub files: Vec<PathBuf>,
}

const EXTENSIONS: [&str; 3] = ["scss", "sass", "css"];

pub(super) fn compile_sass(input: &SassInput<'_>) -> Result<SassOutput, SassFailure> {
    let files = SassFiles {
        input,
        text: format!("{}{}", input.additional_data, input.source),
        meant: RefCell::default(),
        files: RefCell::default(),
        odd: RefCell::default(),
    };
    files.note_imports(&files.text, input.file);
    let log = SassLog { display: input.display, warnings: RefCell::default(), hidden: input.additional_data };
    let options = Options::default().fs(&files).logger(&log).allows_charset(false);
    // grass has a few places that are not written yet; they panic.
    let compiled = catch_unwind(AssertUnwindSafe(|| grass::from_path(input.file, &options)));
    let mut diagnostic = match compiled {
        Ok(Ok(css)) => {
            return Ok(SassOutput { css, files: files.files.into_inner(), warnings: log.warnings.into_inner() });
        }
        Ok(Err(error)) => explain(error.kind(), input),
        Err(_) => Diagnostic::error(
            "this file, or one that it imports, needs something that the built-in Sass compiler does not have",
        )
        .in_file((input.display)(input.file))
        .with_help(INSTALL),
    };
    let odd = files.odd.into_inner();
    if diagnostic.is_missing && !odd.is_empty() {
        diagnostic = diagnostic.with_help(odd.join("; "));
    }
    Err(SassFailure { diagnostic: Box::new(diagnostic), files: files.files.into_inner() })
}

/// What to do about syntax or functions that are newer than grass.
const INSTALL: &str =
    "install Sass itself: npm install -D sass-embedded. It is used where the built-in compiler is not enough";

fn explain(error: ErrorKind, input: &SassInput<'_>) -> Diagnostic {
    let main = || (input.display)(input.file);
    match error {
        ErrorKind::ParseError { message, loc, .. } => {
            let message = lower_first(message.trim_end_matches('.'));
            let may_be_new = ["undefined function", "no argument named", "expected "]
                .iter()
                .any(|sign| message.to_lowercase().starts_with(sign));
            let is_missing = message.contains("find stylesheet");
            let file = Path::new(loc.file.name());
            // What grass has read of an imported file has other addresses in it.
            let on_disk = if file == input.file { None } else { file::read_text(file).ok() };
            let text = on_disk.as_deref().unwrap_or_else(|| loc.file.source());
            let offset = offset_of(text, loc.begin.line, loc.begin.column);
            let end = offset_of(text, loc.end.line, loc.end.column);
            let place = place(file, text, offset, end, input);
            let mut diagnostic = Diagnostic::error(message);
            if is_missing {
                let name = (input.display)(file);
                let NotFound { message, help } =
                    not_found(&text[offset..], &name, input.places.load_paths, input.display);
                diagnostic = Diagnostic::error(message).with_help(help);
                diagnostic.is_missing = true;
            }
            let diagnostic = match place {
                Some((text, offset, length)) => diagnostic.in_file((input.display)(file)).at(text, offset, length),
                None => diagnostic.in_file("css.preprocessor_options.*.additional_data"),
            };
            if may_be_new {
                diagnostic.with_help(format!("if it is valid in a newer Sass, {INSTALL}"))
            } else {
                diagnostic
            }
        }
        ErrorKind::FromUtf8Error(_) => {
            Diagnostic::error("the file or an import of it is not valid UTF-8").in_file(main())
        }
        ErrorKind::IoError(error) => Diagnostic::error(format!("a Sass file cannot be read: {error}")).in_file(main()),
        _ => Diagnostic::error("the file cannot be compiled").in_file(main()),
    }
}

/// Where a position lies for the user, to whom the additional data before the main file is not visible.
fn place<'t>(
    file: &Path,
    text: &'t str,
    offset: usize,
    end: usize,
    input: &SassInput<'t>,
) -> Option<(&'t str, usize, usize)> {
    let length = end.saturating_sub(offset).max(1);
    if file != input.file {
        return Some((text, offset, length));
    }
    let offset = offset.checked_sub(input.additional_data.len())?;
    Some((input.source, offset, length))
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    format!("{first}{}", chars.as_str())
}

/// The byte offset of a line and a column (in characters), both from 0.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let column: usize = text[start..].chars().take(column).map(char::len_utf8).sum();
    start + column
}

/// The files as grass sees them.
struct SassFiles<'a> {
    input: &'a SassInput<'a>,
    /// The main file with the additional data before it.
    text: String,
    /// The path grass will ask for first → the file that is meant.
    meant: RefCell<FxHashMap<PathBuf, PathBuf>>,
    files: RefCell<Vec<PathBuf>>,
    /// `_t.scss is a named pipe, not a file`
    odd: RefCell<Vec<String>>,
}

impl std::fmt::Debug for SassFiles<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SassFiles")
    }
}

impl Fs for SassFiles<'_> {
    fn is_dir(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn is_file(&self, path: &Path) -> bool {
        self.meant.borrow().contains_key(path) || path.is_file()
    }

    fn canonicalize(&self, path: &Path) -> io::Result<PathBuf> {
        let meant = self.meant.borrow().get(path).cloned();
        let path = meant.as_deref().unwrap_or(path);
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        lookups::links_on_the_way(path, &real).into_iter().for_each(|link| self.note(link));
        Ok(real)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        if path == self.input.file {
            return Ok(self.text.clone().into_bytes());
        }
        self.note(path.to_owned());
        let bytes = file::read(path)?;
        let Ok(text) = String::from_utf8(bytes) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} is not valid UTF-8", path.display())));
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        self.note_imports(text, path);
        Ok(rebase_urls(text, path, self.input.file).into_bytes())
    }
}

impl SassFiles<'_> {
    fn note(&self, path: PathBuf) {
        let mut files = self.files.borrow_mut();
        if !files.contains(&path) {
            files.push(path);
        }
    }

    /// Decides what the imports of a file mean, before grass asks.
    fn note_imports(&self, text: &str, file: &Path) {
        let indented = file.extension().is_some_and(|extension| extension == "sass");
        for import in imports_of(text, indented) {
            let folder = file.parent().unwrap_or(file);
            let beside = folder.join(&import.specifier);
            match find(&import.specifier, import.is_import, file, &self.input.places) {
                Some(found) => {
                    earlier(&import.specifier, import.is_import, file, &self.input.places, &found)
                        .into_iter()
                        .for_each(|path| self.note(path));
                    let asked =
                        if has_extension(&import.specifier) { beside } else { beside.with_extension("import.sass") };
                    self.meant.borrow_mut().insert(asked, found);
                }
                None => {
                    self.odd.borrow_mut().extend(candidates(&beside, import.is_import).into_iter().filter_map(
                        |path| {
                            let name = file::oddity(&path)?;
                            self.note(path.clone()); // When it is a file again, the sheet is compiled anew.
                            Some(format!("{} is {name}, not a file", (self.input.display)(&path)))
                        },
                    ));
                    let missed = if has_extension(&import.specifier) { beside } else { with_suffix(&beside, "scss") };
                    self.note(missed);
                    if !import.specifier.starts_with('.') {
                        let package = import.specifier.trim_start_matches('~');
                        let packages = self.input.file.ancestors().map(|folder| folder.join("node_modules"));
                        packages.filter(|folder| folder.is_dir()).for_each(|folder| self.note(folder.join(package)));
                    }
                }
            }
        }
    }
}

/// The file that an import means: beside the importing one, in the load paths, as an alias or a package.
pub(super) fn find(specifier: &str, is_import: bool, file: &Path, places: &SassPlaces<'_>) -> Option<PathBuf> {
    let folder = file.parent()?;
    if let Some(from_root) = specifier.strip_prefix('/')
        && let Some(found) = (places.resolve)(&format!("/{from_root}"), file)
    {
        return Some(found);
    }
    let nearby = [folder].into_iter().chain(places.load_paths.iter().map(PathBuf::as_path));
    if let Some(found) = nearby.map(|folder| folder.join(specifier)).find_map(|path| candidate(&path, is_import)) {
        return Some(found);
    }
    let name = specifier.strip_prefix("pkg:").or_else(|| specifier.strip_prefix('~')).unwrap_or(specifier);
    for name in [specifier, name.trim_start_matches('/')] {
        let partial = match name.rsplit_once('/') {
            Some((folder, last)) => format!("{folder}/_{last}"),
            None => format!("_{name}"),
        };
        let named = [name, &partial].into_iter().find_map(|name| (places.resolve)(name, file));
        if let Some(found) = named.filter(|found| found.extension().is_some_and(is_known)) {
            return Some(found);
        }
        // Packages whose `exports` do not mention their Sass files.
        let packages = file.ancestors().skip(1).map(|folder| folder.join("node_modules").join(name));
        if let Some(found) = packages.into_iter().find_map(|path| candidate(&path, is_import)) {
            return Some(found);
        }
    }
    None
}

/// Where the file that an import means would be if it came before the one that was `found`, which is in a later place.
pub(super) fn earlier(
    specifier: &str,
    is_import: bool,
    file: &Path,
    places: &SassPlaces<'_>,
    found: &Path,
) -> Vec<PathBuf> {
    let Some(folder) = file.parent().filter(|_| !is_in_package(file) && !specifier.starts_with(['/', '~'])) else {
        return Vec::new();
    };
    let nearby = [folder].into_iter().chain(places.load_paths.iter().map(PathBuf::as_path));
    let lists = nearby.map(|folder| candidates(&folder.join(specifier), is_import));
    lists.take_while(|paths| !paths.iter().any(|path| path == found)).flatten().collect()
}

/// The file that a path without extension, underscore or `index` stands for.
fn candidate(path: &Path, is_import: bool) -> Option<PathBuf> {
    candidates(path, is_import).into_iter().find(|path| path.is_file())
}

/// Where that file may be; the first counts.
fn candidates(path: &Path, is_import: bool) -> Vec<PathBuf> {
    let partial = |path: &Path| Some(path.with_file_name(format!("_{}", path.file_name()?.to_str()?)));
    let with_partial = |path: PathBuf| {
        let partial = partial(&path);
        [Some(path), partial].into_iter().flatten()
    };
    let named = path.extension().is_some_and(is_known).then(|| path.to_owned());
    let import_only = EXTENSIONS.iter().filter(|_| is_import).map(|extension| format!("import.{extension}"));
    let suffixes: Vec<String> = import_only.chain(EXTENSIONS.map(str::to_owned)).collect();
    let index = path.is_dir().then(|| path.join("index"));
    let suffixed = [Some(path.to_owned()), index].into_iter().flatten();
    let suffixed = suffixed.flat_map(|path| suffixes.iter().map(move |suffix| with_suffix(&path, suffix)));
    named.into_iter().chain(suffixed).flat_map(with_partial).collect()
}

/// `a/v1.2` → `a/v1.2.scss`
fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn is_known(extension: &std::ffi::OsStr) -> bool {
    EXTENSIONS.iter().any(|known| *known == extension)
}

fn has_extension(specifier: &str) -> bool {
    Path::new(specifier).extension().is_some_and(is_known)
}

#[derive(Debug, PartialEq)]
struct SassImport {
    specifier: String,
    /// `@import`, not `@use` or `@forward`.
    is_import: bool,
}

/// What a file imports and Sass itself has to find: `sass:math`, `url(…)` and `x.css` behind `@import` are not among it.
fn imports_of(text: &str, indented: bool) -> Vec<SassImport> {
    let bytes = text.as_bytes();
    let mut imports = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = text[at + 2..].find("*/").map_or(bytes.len(), |gap| at + gap + 4);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = text[at..].find('\n').map_or(bytes.len(), |gap| at + gap);
            }
            quote @ (b'"' | b'\'') => at = quoted_end(bytes, at, quote),
            b'@' => {
                let rules = [("import", true), ("use", false), ("forward", false)];
                let rule = rules.iter().find(|(name, _)| {
                    let rest = &text[at + 1..];
                    rest.starts_with(name) && rest[name.len()..].starts_with([' ', '\t', '\n', '\r', '"', '\''])
                });
                if let Some(&(name, is_import)) = rule {
                    at = read_list(text, at + 1 + name.len(), is_import, indented, &mut imports);
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    imports.retain(|import| {
        let specifier = import.specifier.as_str();
        let is_css = import.is_import
            && (specifier.ends_with(".css") || specifier.contains("://") || specifier.starts_with("//"));
        !is_css && !specifier.starts_with("sass:") && !specifier.contains("#{")
    });
    imports
}

/// `"a", 'b'` behind an at-rule; in the indented syntax also `a, b`. Gives back where it ends.
fn read_list(text: &str, mut at: usize, is_import: bool, indented: bool, imports: &mut Vec<SassImport>) -> usize {
    let bytes = text.as_bytes();
    loop {
        at += text[at..].len() - text[at..].trim_start().len();
        let end = match bytes.get(at) {
            Some(&quote @ (b'"' | b'\'')) => {
                let end = quoted_end(bytes, at, quote);
                imports.push(SassImport { specifier: text[at + 1..end].to_owned(), is_import });
                end + 1
            }
            Some(_) if indented && is_import && !text[at..].starts_with("url(") => {
                let end = text[at..].find([',', '\n', '\r']).map_or(text.len(), |gap| at + gap);
                imports.push(SassImport { specifier: text[at..end].trim().to_owned(), is_import });
                end
            }
            _ => return at,
        };
        at = end.min(text.len());
        let rest = text[at..].trim_start_matches([' ', '\t']);
        if !is_import || !rest.starts_with(',') {
            return at;
        }
        at = text.len() - rest.len() + 1;
    }
}

/// The closing quote, or the end of the line or text.
fn quoted_end(bytes: &[u8], open: usize, quote: u8) -> usize {
    let mut at = open + 1;
    while at < bytes.len() && bytes[at] != quote && bytes[at] != b'\n' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

/// Makes `url(./dot.svg)` and `@import './plain.css'` in an imported file mean what stands beside that file, as Vite does.
fn rebase_urls(text: &str, file: &Path, main: &Path) -> String {
    let (Some(folder), Some(main_folder)) = (file.parent(), main.parent()) else { return text.to_owned() };
    if folder == main_folder {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, path) in addresses_in(text) {
        let is_relative = !path.starts_with(['/', '#', '~', '@']) && !path.contains("://");
        if at < done || !is_relative {
            continue;
        }
        let name = crate::kind::without_suffix(path).0;
        // Of `./icons/#{$name}.svg` the folder is known.
        let parent = path.find("#{").filter(|_| path.starts_with('.')).and_then(|at| path[..at].rfind('/'));
        let (known, way) = if let Some(end) = parent {
            (&path[..end], relative_to_folder_of(main, &crate::style::load::beside(file, &path[..end])))
        } else if !path.contains(['$', '{', '+']) && !name.is_empty() && folder.join(name).is_file() {
            (name, relative_to_folder_of(main, &crate::style::load::beside(file, name)))
        } else {
            continue;
        };
        out.push_str(&text[done..at]);
        out.push_str(way.trim_end_matches('/'));
        done = at + known.len();
    }
    out.push_str(&text[done..]);
    out
}

/// What stands in `url(…)`, and the names of plain sheets behind `@import`, in order, with their offsets.
fn addresses_in(text: &str) -> Vec<(usize, &str)> {
    let trimmed = |start: usize, end: usize| {
        let inner = text[start..end].trim_start();
        let start = end - inner.len();
        let quotes = inner.len() - inner.trim_start_matches(['"', '\'']).len();
        (start + quotes, inner.trim().trim_matches(['"', '\'']))
    };
    let end_of = |start: usize, signs: [char; 2]| text[start..].find(signs).map_or(text.len(), |gap| start + gap);
    let after = |word: &'static str| text.match_indices(word).map(move |(at, _)| at + word.len());
    let urls = after("url(").map(|start| trimmed(start, end_of(start, [')', '\n'])));
    let imports = after("@import").flat_map(|start| {
        let end = end_of(start, [';', '\n']);
        let mut parts: Vec<(usize, &str)> = Vec::new();
        let mut at = start;
        for part in text[start..end].split(['"', '\'']) {
            parts.push((at, part));
            at += part.len() + 1;
        }
        parts.into_iter().filter(|(_, part)| part.ends_with(".css"))
    });
    let mut found: Vec<(usize, &str)> = urls.chain(imports).filter(|(_, path)| !path.is_empty()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// What to say of an import that is not found.
pub(super) struct NotFound {
    pub message: String,
    pub help: String,
}

/// `text` begins with the specifier, or with the rule it stands in.
pub(super) fn not_found(text: &str, file: &str, load_paths: &[PathBuf], display: &dyn Fn(&Path) -> String) -> NotFound {
    let line = text.lines().next().unwrap_or_default();
    let quoted = line.split(['"', '\'']).nth(1);
    let specifier = quoted.or_else(|| line.split_whitespace().nth(1)).unwrap_or(line);
    let mut places = vec![format!("beside `{file}`")];
    places.extend(load_paths.iter().map(|folder| format!("in `{}`", display(folder))));
    if !specifier.starts_with('.') {
        places.push("as an alias, and as a package in node_modules".into());
    }
    NotFound {
        message: format!("cannot find the stylesheet `{specifier}`"),
        help: format!(
            "looked for {}; the `_` before the name, the extension and `/_index` may be left out",
            places.join(", ")
        ),
    }
}

/// What `@warn` and `@debug` say, and what is deprecated.
struct SassLog<'a> {
    display: &'a dyn Fn(&Path) -> String,
    warnings: RefCell<Vec<Diagnostic>>,
    hidden: &'a str,
}

impl std::fmt::Debug for SassLog<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SassLog")
    }
}

impl SassLog<'_> {
    fn note(&self, location: &codemap::SpanLoc, message: String) {
        let text = location.file.source();
        let offset = offset_of(text, location.begin.line, location.begin.column);
        let diagnostic = Diagnostic::error(message).in_file((self.display)(Path::new(location.file.name())));
        let diagnostic = if self.hidden.is_empty() { diagnostic.at(text, offset, 1) } else { diagnostic };
        self.warnings.borrow_mut().push(diagnostic);
    }
}

impl Logger for SassLog<'_> {
    fn debug(&self, location: codemap::SpanLoc, message: &str) {
        self.note(&location, format!("@debug: {message}"));
    }

    fn warn(&self, location: codemap::SpanLoc, message: &str) {
        self.note(&location, message.trim_matches('"').to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles the first of some files in a folder of their own.
    fn compile(files: &[(&str, &str)], additional_data: &str) -> Result<SassOutput, SassFailure> {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for (name, text) in files {
            std::fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            std::fs::write(root.join(name), text).unwrap();
        }
        let display = |path: &Path| path.strip_prefix(&root).unwrap_or(path).display().to_string();
        let resolve = |specifier: &str, _: &Path| {
            let path = root.join("src").join(specifier.strip_prefix("@/")?);
            path.is_file().then_some(path)
        };
        let input = SassInput {
            file: &root.join(files[0].0),
            source: files[0].1,
            additional_data,
            places: SassPlaces { load_paths: &[root.join("styles")], resolve: &resolve },
            display: &display,
        };
        compile_sass(&input)
    }

    fn css(files: &[(&str, &str)]) -> String {
        compile(files, "").unwrap().css.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn imports_are_found_beside_the_file_in_load_paths_as_aliases_and_in_packages() {
        let text = "@use 'one';\n@use 'two.v1' as two;\n@use 'dir';\n@use 'three';\n@use '@/four.scss';\n@use 'pkg/five';\n@import '~pkg/five';";
        let files = [
            ("main.scss", text),
            ("_one.scss", "a { b: 1 }"),
            ("two.v1.scss", "a { b: 2 }"),
            ("dir/_index.scss", "a { b: dir }"),
            ("styles/three.sass", "a\n  b: 3\n"),
            ("src/four.scss", "a { b: 4 }"),
            ("node_modules/pkg/_five.scss", "a { b: 5 }"),
        ];
        assert_eq!(
            css(&files),
            "a { b: 1; } a { b: 2; } a { b: dir; } a { b: 3; } a { b: 4; } a { b: 5; } a { b: 5; }"
        );
    }

    #[test]
    fn a_file_means_its_own_neighbours_in_addresses() {
        let files = [
            ("main.scss", "@use 'deep/part'; a { b: url(dot.svg) }"),
            (
                "deep/_part.scss",
                "@import './plain.css', url( \"plain.css\" ), 'none.css'; $x: 'dot'; a { b: url(dot.svg?v#i); c: url(\"../dot.svg\"); d: url($x); e: url(none.svg); f: url('./icons/#{$x}.svg') }",
            ),
            ("deep/dot.svg", ""),
            ("deep/plain.css", ""),
            ("dot.svg", ""),
        ];
        assert_eq!(
            css(&files),
            "@import './deep/plain.css'; @import url(\"./deep/plain.css\"); @import 'none.css'; a { b: url(./deep/dot.svg?v#i); c: url(\"./dot.svg\"); d: url(\"dot\"); e: url(none.svg); f: url(\"./deep/icons/dot.svg\"); } a { b: url(dot.svg); }"
        );
    }

    #[test]
    fn mistakes_are_where_the_user_sees_them() {
        let failure = compile(&[("main.scss", "a { b: $nowhere }")], "$x: 1;\n$y: 2;\n").unwrap_err();
        assert_eq!(failure.diagnostic.location().as_deref(), Some("main.scss:1:8"));
        let failure = compile(&[("main.scss", "\n@use 'nowhere';")], "").unwrap_err();
        assert_eq!(failure.diagnostic.location().as_deref(), Some("main.scss:2:1"));
        assert_eq!(failure.diagnostic.message, "cannot find the stylesheet `nowhere`");
        assert!(failure.diagnostic.help.is_some_and(|help| help.contains("beside `main.scss`, in `styles`")));
        assert!(failure.files.iter().any(|file| file.ends_with("nowhere.scss")));
        let failure = compile(&[("main.scss", "a {}")], "$x: $nowhere;").unwrap_err();
        assert_eq!(failure.diagnostic.file.as_deref(), Some("css.preprocessor_options.*.additional_data"));
    }

    #[test]
    fn warnings_and_other_files_are_told() {
        let output = compile(&[("main.scss", "@use 'part';"), ("_part.scss", "@warn 'careful';")], "").unwrap();
        assert_eq!(output.warnings[0].message, "careful");
        assert_eq!(output.warnings[0].location().as_deref(), Some("_part.scss:1:7"));
        assert!(output.files[0].ends_with("_part.scss"));
    }

    #[test]
    fn only_what_sass_has_to_find_counts_as_an_import() {
        let names = |text: &str, indented: bool| {
            imports_of(text, indented).into_iter().map(|import| import.specifier).collect::<Vec<_>>().join(" ")
        };
        let text = "@use 'sass:math'; // @use 'no'\n/* @use 'no' */ @import 'a', \"b\"; @import url(no); @import 'no.css'; a { b: '@use \"no\"' } @forward 'c' show d;";
        assert_eq!(names(text, false), "a b c");
        assert_eq!(names("@import a, b/c\n@use \"d\"\n", true), "a b/c d");
    }
}
