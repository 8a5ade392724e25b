//! Where a module takes a name of another one, for the error that there is no such name.

use std::path::Path;

use oxc_allocator::Allocator;
use oxc_parser::Parser;
use oxc_span::{SourceType, Span};
use oxc_syntax::module_record::{ExportImportName, ImportImportName};
use rekindle_graph::{FilePath, ModuleUrl, Place};

use crate::compiler::Compiler;
use crate::source::Source;

/// Exports that are listed where none is like the name that was wanted.
const LISTED: usize = 5;

impl Compiler {
    /// The place of `name` in what a module imports or passes on from `specifier`, and the module's text. Without the name
    /// there, the place of the specifier.
    pub fn import_place(
        &self,
        (url, file, source): (&ModuleUrl, &FilePath, &Source),
        specifier: &str,
        name: &str,
    ) -> Option<(Place, String)> {
        let text = self.script_text(url, file, source).ok()?;
        let span = import_span(&text, Path::new(url.path()), specifier, name)?;
        Some((Place::of_offset(&text, span.start as usize), text))
    }
}

fn import_span(text: &str, path: &Path, specifier: &str, name: &str) -> Option<Span> {
    let allocator = Allocator::default();
    // In these files `<T>` is a type, not an element of JSX.
    let may_be_jsx = !path.extension().is_some_and(|kind| ["ts", "mts", "cts"].iter().any(|typed| kind == *typed));
    let source_type = SourceType::from_path(path).unwrap_or_else(|_| SourceType::tsx()).with_module(true);
    let record = Parser::new(&allocator, text, source_type.with_jsx(may_be_jsx)).parse().module_record;
    let imports = record.import_entries.iter().filter(|entry| entry.module_request.name == specifier);
    let imported = imports.filter_map(|entry| match &entry.import_name {
        ImportImportName::Name(there) if there.name == name => Some(there.span),
        ImportImportName::Default(span) if name == "default" => Some(*span),
        _ => None,
    });
    let exports = record.indirect_export_entries.iter();
    let exported = exports.filter_map(|entry| match &entry.import_name {
        ExportImportName::Name(there) if there.name == name => {
            entry.module_request.as_ref().filter(|request| request.name == specifier).map(|_| there.span)
        }
        _ => None,
    });
    let requests = record.requested_modules.iter().filter(|(request, _)| request.as_str() == specifier);
    let requested = requests.flat_map(|(_, requests)| requests.iter().map(|request| request.span));
    imported.chain(exported).chain(requested).next()
}

/// Advice for a name that is not among `exports`.
pub fn advice(name: &str, exports: &[&str], is_typed: bool) -> String {
    if exports.contains(&name) {
        return format!(
            "several of the modules that it re-exports have it; re-export it by name: `export {{ {name} }} from '…'`"
        );
    }
    let near = exports.iter().map(|export| (strsim::osa_distance(export, name), *export)).min();
    if let Some((distance, export)) = near
        && distance <= 1 + name.len() / 5
    {
        return format!("did you mean `{export}`?");
    }
    let named: Vec<String> = exports.iter().take(LISTED).map(|export| format!("`{export}`")).collect();
    let more = if exports.len() > LISTED { format!(" and {} more", exports.len() - LISTED) } else { String::new() };
    let list = if named.is_empty() { "nothing".to_owned() } else { named.join(", ") };
    let of_types = if is_typed { "; if it is a type, write `type` before it" } else { "" };
    format!("it exports {list}{more}{of_types}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_is_that_of_the_name_where_it_is_taken() {
        let at = |text: &str, file: &str, name: &str| {
            let span = import_span(text, Path::new(file), "./a", name);
            span.map(|span| &text[span.start as usize..span.end as usize]).map(str::to_owned)
        };
        assert_eq!(at("import { x as y, z } from './a'", "/m.js", "z").as_deref(), Some("z"));
        assert_eq!(at("import { x as y } from './a'\nimport { x } from './b'", "/m.js", "x").as_deref(), Some("x"));
        assert_eq!(at("import d from './a'\nconst e = <d/>", "/m.jsx", "default").as_deref(), Some("d"));
        assert_eq!(at("export { q as r } from './a'", "/m.ts", "q").as_deref(), Some("q"));
        assert_eq!(at("import * as all from './a'", "/m.ts", "q").as_deref(), Some("'./a'"));
        assert_eq!(at("const f = <T>(t: T) => t\nimport { q } from './a'", "/m.ts", "q").as_deref(), Some("q"));
        assert_eq!(at("import { q } from './b'", "/m.ts", "q"), None);
    }

    #[test]
    fn what_is_meant_is_named_or_what_there_is() {
        assert_eq!(advice("cuont", &["count", "other"], false), "did you mean `count`?");
        let passed_on =
            "several of the modules that it re-exports have it; re-export it by name: `export { both } from '…'`";
        assert_eq!(advice("both", &["both", "other"], false), passed_on);
        assert_eq!(advice("Props", &[], true), "it exports nothing; if it is a type, write `type` before it");
        let many = ["aa", "bb", "cc", "dd", "ee", "ff"];
        assert_eq!(advice("something", &many, false), "it exports `aa`, `bb`, `cc`, `dd`, `ee` and 1 more");
    }
}
