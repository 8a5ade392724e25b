//! Turns rolldown's errors into diagnostics with a place in the source that the user wrote.

use std::any::Any;
use std::path::{Path, PathBuf};

use oxc_sourcemap::SourceMap;
use rekindle_compile::files::file;
use rekindle_compile::kind::path_of;
use rekindle_compile::plain::module::PlainModule;
use rekindle_compile::plain::options::PlainOptions;
use rekindle_graph::Diagnostic;
use rolldown_error::{BatchedBuildDiagnostic, BuildDiagnostic, DiagnosticOptions, EventKind};

use crate::bundle::page_modules::PageModules;
use crate::session::Session;

/// Puts a diagnostic where `importer` names `specifier`.
pub(crate) fn at_specifier(session: &Session, importer: &Path, specifier: &str, diagnostic: Diagnostic) -> Diagnostic {
    let diagnostic = diagnostic.in_file(session.compiler.display(importer));
    let Ok(text) = file::read_text(importer) else { return diagnostic };
    // What a call means may stand behind it by now: `./w.ts?worker&url`.
    let written = [specifier, path_of(specifier)];
    let quoted = written.iter().find_map(|specifier| {
        let places = ['\'', '"', '`'].iter().filter_map(|quote| text.find(&format!("{quote}{specifier}{quote}")));
        Some((places.min()?, specifier.len()))
    });
    match quoted {
        Some((at, length)) => diagnostic.at(&text, at, length + 2),
        None => diagnostic,
    }
}

/// The bundler panicked.
pub(crate) fn of_panic(panic: &(dyn Any + Send)) -> Diagnostic {
    let said =
        panic.downcast_ref::<String>().cloned().or_else(|| panic.downcast_ref::<&str>().map(|&text| text.into()));
    let reason = said.unwrap_or_else(|| "without a reason".to_owned());
    Diagnostic::error(format!("the bundler stopped: {reason}")).with_help(
        "an assignment to what a module exports, `import { ns } from './a'; ns.name = 1` for instance, can be the cause; \
         the development server says which module throws",
    )
}

/// Rolldown's errors. They speak of the text it was given; the place is looked for in the file itself.
pub(crate) fn of_rolldown(session: &Session, pages: &PageModules, errors: BatchedBuildDiagnostic) -> Vec<Diagnostic> {
    errors.iter().map(|error| of_error(session, pages, error)).collect()
}

fn of_error(session: &Session, pages: &PageModules, error: &BuildDiagnostic) -> Diagnostic {
    let options = options(session);
    let diagnostic = error.to_diagnostic_with(&options);
    let shown = diagnostic.convert_to_string(false);
    let message = error.to_message_with(&options);
    let id = error.id().or_else(|| location(&shown)).map(|id| absolute(session, &id));
    let file = id.as_ref().map(|id| PathBuf::from(path_of(id)));
    let mut problem = Diagnostic::error(first_sentence(session, &message, &shown));
    let Some((id, file)) = id.zip(file.filter(|file| file.is_file())) else { return problem };
    problem = problem.in_file(session.compiler.display(&file));
    let Ok(text) = file::read_text(&file) else { return problem };
    if matches!(error.kind(), EventKind::MissingExportError) {
        let name = message.split('"').nth(1).unwrap_or_default();
        problem = problem.with_help("export it there, or import a name that is exported");
        if let Some(at) = word(&text, name) {
            return problem.at(&text, at, name.len());
        }
    }
    let place = diagnostic.get_primary_location().filter(|(named, ..)| absolute(session, named) == id);
    match place.and_then(|(_, line, column, _)| offset_in_source(session, pages, &id, &text, (line, column))) {
        Some(at) => {
            let length = text[at..].find(|c: char| !is_of_word(c)).unwrap_or(text.len() - at);
            problem.at(&text, at, length.max(1))
        }
        None => problem,
    }
}

/// Paths are told from the project folder.
fn options(session: &Session) -> DiagnosticOptions {
    DiagnosticOptions { cwd: session.config.root.clone() }
}

fn absolute(session: &Session, id: &str) -> String {
    if Path::new(id).is_absolute() {
        id.to_owned()
    } else {
        session.config.root.join(id).to_string_lossy().into_owned()
    }
}

/// The byte in `text` that became what stands at a place of the module that rolldown was given.
fn offset_in_source(
    session: &Session,
    pages: &PageModules,
    id: &str,
    text: &str,
    (line, column): (usize, usize),
) -> Option<usize> {
    let (url, file, source) = pages.source_of(id, &session.compiler);
    let options = PlainOptions { source_map: true, ..PlainOptions::default() };
    let plain = session.compiler.plain(&url, &file, &source, options, &mut Vec::new()).ok()?;
    let (line, column) = match plain {
        PlainModule::Script { map: Some(map), .. } => {
            let map = SourceMap::from_json_string(&map).ok()?;
            let token = map.lookup_token(&map.generate_lookup_table(), line as u32 - 1, column as u32)?;
            (token.get_src_line() as usize, token.get_src_col() as usize)
        }
        _ => (line - 1, column),
    };
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let within = text[start..].char_indices().scan(0, |units, (at, c)| {
        let here = *units;
        *units += c.len_utf16();
        Some((here, at))
    });
    let at = within.take_while(|(units, _)| *units <= column).last()?.1;
    Some(start + at)
}

/// Without the absolute paths that rolldown puts into some.
fn first_sentence(session: &Session, message: &str, shown: &str) -> String {
    let text = if message.trim().is_empty() { shown } else { message };
    let root = format!("{}/", session.config.root.display());
    let line = text.trim().lines().next().unwrap_or_default();
    let line = line.trim_end_matches('.').replace(&root, "");
    // The file stands below it.
    line.rsplit_once(" at ")
        .filter(|(_, file)| session.config.root.join(file).is_file())
        .map_or(line.clone(), |(said, _)| said.to_owned())
}

/// `[ src/main.ts:3:1 ]` in a frame of rolldown's.
fn location(shown: &str) -> Option<String> {
    let (_, rest) = shown.split_once("[ ")?;
    let inside = rest.split(" ]").next()?;
    let mut parts = inside.rsplitn(3, ':');
    parts.next()?;
    parts.next()?;
    parts.next().map(str::to_owned)
}

/// Where a name stands as a word of its own.
fn word(text: &str, name: &str) -> Option<usize> {
    let is_part = |c: Option<char>| c.is_some_and(is_of_word);
    (!name.is_empty()).then_some(())?;
    text.match_indices(name)
        .map(|(at, _)| at)
        .find(|&at| !is_part(text[..at].chars().next_back()) && !is_part(text[at + name.len()..].chars().next()))
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// Warnings that are worth a line.
pub(crate) fn warn(session: &Session, warnings: &[BuildDiagnostic]) {
    for warning in warnings {
        let is_of_package = warning.id().is_some_and(|id| id.contains("node_modules"));
        if is_of_package || matches!(warning.kind(), EventKind::Eval | EventKind::CircularDependency) {
            continue;
        }
        let message = warning.to_message_with(&options(session));
        let place = warning.id().map(|id| session.compiler.display(Path::new(path_of(&id))));
        session.warn(match place {
            Some(file) if !message.contains(&file) => format!("{file}: {}", message.trim()),
            _ => message.trim().to_owned(),
        });
    }
}
