//! Modules that no file holds: scripts written into pages, and for each page the module that imports all of its scripts.
//!
//! ```html
//! <script type="module" src="/src/main.ts"></script>          → entry: import '/app/src/main.ts'
//! <script type="module">import './src/main.ts'; …</script>    → entry: import '/app/index.html?html-proxy&index=1.js'
//! ```
//!
//! What a page names as a script always runs, also where `sideEffects: false` in package.json says that nobody would miss it.

use std::path::Path;

use oxc_allocator::Allocator;
use oxc_ast::ast::{Statement, StringLiteral};
use oxc_parser::Parser;
use oxc_span::SourceType;
use rekindle_compile::compiler::Compiler;
use rekindle_compile::kind::split_query;
use rekindle_compile::resolve::resolver::Resolved;
use rekindle_compile::source::Source;
use rekindle_graph::paths::is_in_package;
use rekindle_graph::{DepKind, FilePath, ModuleUrl};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::bundle::ids::file_id;

/// The modules of all pages that are in no file of their own.
#[derive(Default)]
pub(crate) struct PageModules {
    /// By a page's entry: the text that imports its scripts in order.
    entries: FxHashMap<String, String>,
    /// By id: the scripts written into pages.
    inline: FxHashMap<String, InlineScript>,
    /// Ids of the modules that pages name as their scripts.
    page_scripts: FxHashSet<String>,
}

/// A script written into a page.
#[derive(Clone)]
pub(crate) struct InlineScript {
    pub url: ModuleUrl,
    /// The page.
    pub file: FilePath,
    pub source: Source,
}

impl PageModules {
    /// `entries` are the pages' own modules, `inline` the scripts written into them, both by id.
    pub fn new(
        entries: FxHashMap<String, String>,
        inline: FxHashMap<String, InlineScript>,
        compiler: &Compiler,
    ) -> Self {
        let mut page_scripts = FxHashSet::default();
        for imports in entries.values() {
            visit_imports(imports, |specifier, _| _ = page_scripts.insert(specifier.to_owned()));
        }
        for InlineScript { file, source, .. } in inline.values() {
            if let Source::Inline { text, .. } = source {
                visit_imports(text, |specifier, for_effects| {
                    page_scripts.extend(id_of(compiler, source.seen_from(file).as_path(), specifier, for_effects));
                });
            }
        }
        Self { entries, inline, page_scripts }
    }

    /// The text of a page's entry.
    pub fn entry(&self, id: &str) -> Option<&str> {
        self.entries.get(id).map(String::as_str)
    }

    pub fn is_inline(&self, id: &str) -> bool {
        self.inline.contains_key(id)
    }

    /// Whether a page names the module as one of its scripts.
    pub fn is_page_script(&self, id: &str) -> bool {
        self.page_scripts.contains(id)
    }

    /// What a module of rolldown's is made of.
    pub fn source_of(&self, id: &str, compiler: &Compiler) -> (ModuleUrl, FilePath, Source) {
        if let Some(InlineScript { url, file, source }) = self.inline.get(id).cloned() {
            return (url, file, source);
        }
        let (path, query) = split_query(id);
        (compiler.resolver.url_of(Path::new(path), query), FilePath::new(path), Source::File)
    }
}

/// Calls `visit` with each module that a script imports statically, and whether it is imported for its effects alone.
fn visit_imports(text: &str, mut visit: impl FnMut(&str, bool)) {
    let allocator = Allocator::default();
    for statement in &Parser::new(&allocator, text, SourceType::ts()).parse().program.body {
        let mut take = |source: &StringLiteral, for_effects| visit(source.value.as_str(), for_effects);
        match statement {
            Statement::ImportDeclaration(import) => take(&import.source, import.specifiers.is_none()),
            Statement::ExportFromDeclaration(export) => take(&export.source, false),
            Statement::ExportAllDeclaration(export) => take(&export.source, false),
            _ => {}
        }
    }
}

/// The id of what an inline script imports. Packages of which it takes something stay as they say they are.
fn id_of(compiler: &Compiler, page: &Path, specifier: &str, for_effects: bool) -> Option<String> {
    match compiler.resolver.resolve(page, specifier, DepKind::Static).ok()? {
        Resolved::File { path, url } if for_effects || !is_in_package(path.as_path()) => {
            Some(file_id(path.as_path(), &url))
        }
        _ => None,
    }
}
