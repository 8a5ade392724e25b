//! Finds the scripts of pages: those always run, also where `sideEffects: false` in package.json says that nobody would miss them.
//!
//! ```html
//! <script type="module" src="/src/main.ts"></script>          → /app/src/main.ts
//! <script type="module">import './src/main.ts'; …</script>    → /app/src/main.ts
//! ```

use std::path::Path;

use oxc_allocator::Allocator;
use oxc_ast::ast::{Statement, StringLiteral};
use oxc_parser::Parser;
use oxc_span::SourceType;
use rekindle_compile::resolve::resolver::Resolved;
use rekindle_compile::source::Source;
use rekindle_graph::DepKind;
use rekindle_graph::paths::is_in_package;

use crate::lock::lock;
use crate::session::Session;

/// Notes the scripts of all pages that were read.
pub(crate) fn note(session: &Session) {
    let mut found = Vec::new();
    for imports in lock(&session.entries).values() {
        of_script(imports, |specifier, _| found.push(specifier.to_owned()));
    }
    for (_, file, source) in lock(&session.inline).values() {
        if let Source::Inline { text, .. } = source {
            of_script(text, |specifier, for_effects| {
                found.extend(id_of(session, source.seen_from(file).as_path(), specifier, for_effects));
            });
        }
    }
    lock(&session.page_scripts).extend(found);
}

/// What a script imports; `for_effects`: nothing else.
fn of_script(text: &str, mut found: impl FnMut(&str, bool)) {
    let allocator = Allocator::default();
    for statement in &Parser::new(&allocator, text, SourceType::ts()).parse().program.body {
        let mut take = |source: &StringLiteral, for_effects| found(source.value.as_str(), for_effects);
        match statement {
            Statement::ImportDeclaration(import) => take(&import.source, import.specifiers.is_none()),
            Statement::ExportFromDeclaration(export) => take(&export.source, false),
            Statement::ExportAllDeclaration(export) => take(&export.source, false),
            _ => {}
        }
    }
}

/// The id of what an inline script imports. Packages of which it takes something stay as they say they are.
fn id_of(session: &Session, page: &Path, specifier: &str, for_effects: bool) -> Option<String> {
    match session.compiler.resolver.resolve(page, specifier, DepKind::Static).ok()? {
        Resolved::File { path, url } if for_effects || !is_in_package(path.as_path()) => {
            let query = if url.query().is_empty() { String::new() } else { format!("?{}", url.query()) };
            Some(format!("{}{query}", path.as_path().display()))
        }
        _ => None,
    }
}
