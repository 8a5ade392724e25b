//! What rolldown finds wrong, as mistakes of the user's with a place in the source they wrote.

use std::path::{Path, PathBuf};

use rekindle_graph::Diagnostic;
use rolldown_error::{BatchedBuildDiagnostic, BuildDiagnostic, EventKind};

use crate::plugin::without_query;
use crate::session::Session;

/// Puts a diagnostic where `importer` names `specifier`.
pub(crate) fn at_specifier(session: &Session, importer: &Path, specifier: &str, diagnostic: Diagnostic) -> Diagnostic {
    let diagnostic = diagnostic.in_file(session.compiler.display(importer));
    let Ok(text) = std::fs::read_to_string(importer) else { return diagnostic };
    let quoted = ['\'', '"', '`'].iter().filter_map(|quote| text.find(&format!("{quote}{specifier}{quote}"))).min();
    match quoted {
        Some(at) => diagnostic.at(&text, at, specifier.len() + 2),
        None => diagnostic,
    }
}

/// Rolldown's errors. They speak of the text it was given; the place is looked for in the file itself.
pub(crate) fn of_rolldown(session: &Session, errors: BatchedBuildDiagnostic) -> Vec<Diagnostic> {
    errors.iter().map(|error| of_error(session, error)).collect()
}

fn of_error(session: &Session, error: &BuildDiagnostic) -> Diagnostic {
    let diagnostic = error.to_diagnostic();
    let shown = diagnostic.convert_to_string(false);
    let message = error.to_message_with(&Default::default());
    let file = error.id().or_else(|| location(&shown)).map(|id| PathBuf::from(without_query(&id).0));
    let file = file.map(|file| if file.is_absolute() { file } else { session.config.root.join(file) });
    let mut problem = Diagnostic::error(first_sentence(&message, &shown));
    let Some(file) = file.filter(|file| file.is_file()) else { return problem };
    problem = problem.in_file(session.compiler.display(&file));
    let Ok(text) = std::fs::read_to_string(&file) else { return problem };
    if matches!(error.kind(), EventKind::MissingExportError) {
        let name = message.split('"').nth(1).unwrap_or_default();
        problem = problem.with_help("export it there, or import a name that is exported");
        if let Some(at) = word(&text, name) {
            return problem.at(&text, at, name.len());
        }
    }
    problem
}

fn first_sentence(message: &str, shown: &str) -> String {
    let text = if message.trim().is_empty() { shown } else { message };
    text.trim().trim_end_matches('.').to_owned()
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
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '$'));
    (!name.is_empty()).then_some(())?;
    text.match_indices(name)
        .map(|(at, _)| at)
        .find(|&at| !is_part(text[..at].chars().next_back()) && !is_part(text[at + name.len()..].chars().next()))
}

/// Warnings that are worth a line.
pub(crate) fn warn(session: &Session, warnings: &[BuildDiagnostic]) {
    for warning in warnings {
        let is_of_package = warning.id().is_some_and(|id| id.contains("node_modules"));
        if is_of_package || matches!(warning.kind(), EventKind::Eval | EventKind::CircularDependency) {
            continue;
        }
        let message = warning.to_message_with(&Default::default());
        let place = warning.id().map(|id| session.compiler.display(Path::new(without_query(&id).0)));
        session.warn(match place {
            Some(file) if !message.contains(&file) => format!("{file}: {}", message.trim()),
            _ => message.trim().to_owned(),
        });
    }
}
