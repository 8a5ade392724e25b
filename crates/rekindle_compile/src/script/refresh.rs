//! What the exports of a component file are made of, so that a tab can tell which of them an edit has changed.
//!
//! ```js
//! import { createContext } from 'react'
//! import { size } from './size'
//! const half = size / 2
//! export const limit = half + 1                     // made: {limit:["3f…",1], Theme:["a0…",0], Label:["77…"]}
//! export const Theme = createContext('light')       // becomes $r.keep(createContext('light'),"Theme","a0…",0)
//! export function Label() { return <i>{limit}</i> }
//! ```
//!
//! An entry is a digest over the text of the export's declaration and of all that it uses in its file, and the imports among
//! that. Components stop the walk: a refresh lets everyone who holds one see its newest code. An export with an equal
//! digest, none of whose imports ran again, is what it was, even if it is another object. (Vite compares identities,
//! so that a literal beside a component sends every save to the importers: rule R185.)

use oxc_ast::ast::*;
use oxc_ast_visit::Visit;
use oxc_ecmascript::BoundNames;
use oxc_semantic::{Scoping, SymbolId};
use oxc_span::{GetSpan, Span};
use rekindle_graph::{Dep, digest};
use rustc_hash::{FxHashMap, FxHashSet};

/// Packages whose `createContext` makes something that only its identity connects with its users.
const CONTEXT_SOURCES: [&str; 4] = ["react", "preact", "preact/compat", "preact/hooks"];

/// What the exports and the contexts of a module are made of.
#[derive(Debug, Default)]
pub(crate) struct Makings {
    /// By exported name, in source order.
    exports: Vec<(String, Making)>,
    /// Top-level `const X = createContext(…)`, by local name.
    pub contexts: FxHashMap<String, Making>,
    /// A class that looks like a component.
    pub has_class_component: bool,
    /// `export default () => <b>…</b>`: a component, although nothing names it.
    pub has_anonymous_component: bool,
    /// A comment says `@refresh reset`: components start afresh on every edit.
    pub resets: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Making {
    pub digest: String,
    /// Specifiers of the imports in it.
    specifiers: Vec<String>,
}

impl Making {
    /// The imports in it as places in `deps`.
    pub fn deps(&self, deps: &[Dep]) -> Vec<usize> {
        let places = deps.iter().enumerate().filter(|(_, dep)| self.specifiers.contains(&dep.specifier));
        places.map(|(at, _)| at).collect()
    }
}

impl Makings {
    /// `{limit:["3f…",1]}`
    pub fn meta(&self, deps: &[Dep]) -> String {
        let entry = |(name, making): &(String, Making)| {
            let mut list = vec![serde_json::Value::from(making.digest.as_str())];
            list.extend(making.deps(deps).into_iter().map(serde_json::Value::from));
            (name.clone(), serde_json::Value::Array(list))
        };
        serde_json::Value::Object(self.exports.iter().map(entry).collect()).to_string()
    }
}

/// One declaration, or one statement that is none.
#[derive(Default)]
struct Piece {
    span: Span,
    /// Top-level names and imports it uses, in order of appearance.
    uses: Vec<SymbolId>,
}

struct Reader<'p, 'a> {
    program: &'p Program<'a>,
    scoping: &'p Scoping,
    imports: FxHashMap<SymbolId, (String, String)>,
    pieces: Vec<Piece>,
    /// The pieces that make up a top-level name: its declaration, and statements that mention it.
    of_symbol: FxHashMap<SymbolId, Vec<usize>>,
    components: FxHashSet<SymbolId>,
    /// Exported name → local symbol, or a piece of its own (`export default <expression>`).
    exports: Vec<(String, Export)>,
    contexts: Vec<(String, SymbolId)>,
    has_class_component: bool,
    has_anonymous_component: bool,
}

enum Export {
    Symbol(SymbolId),
    Piece(usize),
}

/// Reads `program`, as it was parsed.
pub(crate) fn makings(program: &Program, scoping: &Scoping) -> Makings {
    let mut reader = Reader {
        program,
        scoping,
        imports: FxHashMap::default(),
        pieces: Vec::new(),
        of_symbol: FxHashMap::default(),
        components: FxHashSet::default(),
        exports: Vec::new(),
        contexts: Vec::new(),
        has_class_component: false,
        has_anonymous_component: false,
    };
    for statement in &program.body {
        reader.read_import(statement);
    }
    for statement in &program.body {
        reader.read(statement);
    }
    Makings {
        exports: reader.exports.iter().map(|(name, export)| (name.clone(), reader.making(export))).collect(),
        contexts: reader
            .contexts
            .iter()
            .map(|(name, symbol)| (name.clone(), reader.making(&Export::Symbol(*symbol))))
            .collect(),
        has_class_component: reader.has_class_component,
        has_anonymous_component: reader.has_anonymous_component,
        resets: program.comments.iter().any(|comment| {
            comment.content_span().source_text(program.source_text).trim().starts_with("@refresh reset")
        }),
    }
}

impl<'p, 'a> Reader<'p, 'a> {
    fn read_import(&mut self, statement: &Statement<'a>) {
        let Statement::ImportDeclaration(import) = statement else { return };
        for specifier in import.specifiers.iter().flatten() {
            let imported = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(it) => it.imported.name().to_string(),
                ImportDeclarationSpecifier::ImportDefaultSpecifier(_) => "default".to_owned(),
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(_) => "*".to_owned(),
            };
            self.imports.insert(specifier.local().symbol_id(), (import.source.value.to_string(), imported));
        }
    }

    fn read(&mut self, statement: &Statement<'a>) {
        match statement {
            Statement::ImportDeclaration(_)
            | Statement::ExportAllDeclaration(_)
            | Statement::ExportFromDeclaration(_) => {}
            Statement::ExportNamedDeclaration(export) => {
                for specifier in &export.specifiers {
                    self.export_local(specifier);
                }
            }
            Statement::ExportDeclaration(export) => {
                export.declaration.bound_names(&mut |identifier| {
                    self.exports.push((identifier.name.to_string(), Export::Symbol(identifier.symbol_id())));
                });
                self.read_declaration(&export.declaration);
            }
            Statement::ExportDefaultDeclaration(export) => self.read_default(export),
            _ => match statement.as_declaration() {
                Some(declaration) => self.read_declaration(declaration),
                None => self.read_other(statement),
            },
        }
    }

    fn export_local(&mut self, specifier: &ExportSpecifier<'a>) {
        let ModuleExportName::IdentifierReference(local) = &specifier.local else { return };
        let symbol = local.reference_id.get().and_then(|id| self.scoping.get_reference(id).symbol_id());
        if let Some(symbol) = symbol.filter(|symbol| !self.imports.contains_key(symbol)) {
            self.exports.push((specifier.exported.name().to_string(), Export::Symbol(symbol)));
        }
    }

    fn read_declaration(&mut self, declaration: &Declaration<'a>) {
        match declaration {
            Declaration::VariableDeclaration(variables) => {
                for declarator in &variables.declarations {
                    self.read_variable(declarator);
                }
            }
            Declaration::FunctionDeclaration(function) => {
                let at = self.piece(function.span, |uses| uses.visit_function(function, function_flags()));
                if let Some(id) = &function.id {
                    self.declare(id.symbol_id(), at);
                    self.note_component(id);
                }
            }
            Declaration::ClassDeclaration(class) => {
                self.note_class(class);
                let at = self.piece(class.span, |uses| uses.visit_class(class));
                if let Some(id) = &class.id {
                    self.declare(id.symbol_id(), at);
                }
            }
            Declaration::TSEnumDeclaration(it) => {
                let at = self.piece(it.span, |uses| uses.visit_ts_enum_declaration(it));
                self.declare(it.id.symbol_id(), at);
            }
            // Types are nothing at run time; namespaces are rare: their text counts for whoever mentions them.
            _ => {}
        }
    }

    fn read_variable(&mut self, declarator: &VariableDeclarator<'a>) {
        let at = self.piece(declarator.span, |uses| uses.visit_variable_declarator(declarator));
        declarator.id.bound_names(&mut |identifier| self.declare(identifier.symbol_id(), at));
        let BindingPattern::BindingIdentifier(id) = &declarator.id else { return };
        match declarator.init.as_ref().map(Expression::get_inner_expression) {
            Some(Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_)) => self.note_component(id),
            Some(Expression::ClassExpression(class)) => self.note_class(class),
            Some(Expression::CallExpression(call)) => {
                let name = called(&call.callee).unwrap_or_default();
                if matches!(name, "memo" | "forwardRef" | "lazy") {
                    self.note_component(id);
                }
                if name == "createContext" && self.is_from_framework(&call.callee) {
                    self.contexts.push((id.name.to_string(), id.symbol_id()));
                }
            }
            _ => {}
        }
    }

    fn read_default(&mut self, export: &ExportDefaultDeclaration<'a>) {
        let at = match &export.declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                let at = self.piece(function.span, |uses| uses.visit_function(function, function_flags()));
                match &function.id {
                    Some(id) => {
                        self.declare(id.symbol_id(), at);
                        self.note_component(id);
                    }
                    None => {
                        self.has_anonymous_component |= JsxFinder::is_in(|search| {
                            search.visit_function(function, function_flags());
                        })
                    }
                }
                at
            }
            ExportDefaultDeclarationKind::ClassDeclaration(class) => {
                self.note_class(class);
                let at = self.piece(class.span, |uses| uses.visit_class(class));
                if let Some(id) = &class.id {
                    self.declare(id.symbol_id(), at);
                }
                at
            }
            ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => return,
            other => {
                let Some(expression) = other.as_expression() else { return };
                let is_anonymous = match expression.get_inner_expression() {
                    Expression::ArrowFunctionExpression(_) => true,
                    Expression::FunctionExpression(function) => function.id.is_none(),
                    _ => false,
                };
                self.has_anonymous_component |=
                    is_anonymous && JsxFinder::is_in(|search| search.visit_expression(expression));
                self.piece(expression.span(), |uses| uses.visit_expression(expression))
            }
        };
        self.exports.push(("default".to_owned(), Export::Piece(at)));
    }

    /// `Label.displayName = 'x'`, `Object.assign(options, more)`: part of every name it mentions.
    fn read_other(&mut self, statement: &Statement<'a>) {
        let at = self.piece(statement.span(), |uses| uses.visit_statement(statement));
        for symbol in self.pieces[at].uses.clone() {
            if !self.imports.contains_key(&symbol) {
                self.declare(symbol, at);
            }
        }
    }

    fn piece(&mut self, span: Span, visit: impl FnOnce(&mut Uses)) -> usize {
        let mut uses = Uses { scoping: self.scoping, found: Vec::new() };
        visit(&mut uses);
        self.pieces.push(Piece { span, uses: uses.found });
        self.pieces.len() - 1
    }

    fn declare(&mut self, symbol: SymbolId, piece: usize) {
        let pieces = self.of_symbol.entry(symbol).or_default();
        if !pieces.contains(&piece) {
            pieces.push(piece);
        }
    }

    fn note_component(&mut self, id: &BindingIdentifier<'a>) {
        if id.name.starts_with(|first: char| first.is_ascii_uppercase()) {
            self.components.insert(id.symbol_id());
        }
    }

    fn note_class(&mut self, class: &Class<'a>) {
        let super_name = class.heritage.as_ref().and_then(|heritage| called(&heritage.expression));
        self.has_class_component |= super_name.is_some_and(|name| name.ends_with("Component"));
    }

    /// Whether `createContext` or the `React` of `React.createContext` is imported from a framework.
    fn is_from_framework(&self, callee: &Expression<'a>) -> bool {
        let identifier = match callee.get_inner_expression() {
            Expression::Identifier(identifier) => identifier,
            Expression::StaticMemberExpression(member) => match member.object.get_inner_expression() {
                Expression::Identifier(identifier) => identifier,
                _ => return false,
            },
            _ => return false,
        };
        let symbol = identifier.reference_id.get().and_then(|id| self.scoping.get_reference(id).symbol_id());
        let import = symbol.and_then(|symbol| self.imports.get(&symbol));
        import.is_some_and(|(specifier, _)| CONTEXT_SOURCES.contains(&specifier.as_str()))
    }

    /// Walks from an export to everything it uses in its file.
    fn making(&self, export: &Export) -> Making {
        let mut parts: Vec<&[u8]> = Vec::new();
        let mut specifiers: Vec<String> = Vec::new();
        let mut seen: FxHashSet<SymbolId> = FxHashSet::default();
        let mut counted: FxHashSet<usize> = FxHashSet::default();
        let mut open: Vec<usize> = match export {
            Export::Piece(at) => vec![*at],
            Export::Symbol(symbol) => {
                seen.insert(*symbol);
                self.of_symbol.get(symbol).cloned().unwrap_or_default()
            }
        };
        while let Some(at) = open.pop() {
            if !counted.insert(at) {
                continue;
            }
            let piece = &self.pieces[at];
            parts.push(piece.span.source_text(self.program.source_text).as_bytes());
            for symbol in &piece.uses {
                if !seen.insert(*symbol) {
                    continue;
                }
                if let Some((specifier, imported)) = self.imports.get(symbol) {
                    parts.push(specifier.as_bytes());
                    parts.push(imported.as_bytes());
                    if !specifiers.contains(specifier) {
                        specifiers.push(specifier.clone());
                    }
                } else if self.components.contains(symbol) {
                    parts.push(self.scoping.symbol_name(*symbol).as_bytes());
                } else {
                    open.extend(self.of_symbol.get(symbol).into_iter().flatten());
                }
            }
        }
        Making { digest: digest(&parts).to_string(), specifiers }
    }
}

fn function_flags() -> oxc_semantic::ScopeFlags {
    oxc_semantic::ScopeFlags::Function
}

/// `memo` of `memo(…)` and of `React.memo(…)`; `Component` of `React.Component`.
fn called<'b>(callee: &'b Expression) -> Option<&'b str> {
    match callee.get_inner_expression() {
        Expression::Identifier(identifier) => Some(identifier.name.as_str()),
        Expression::StaticMemberExpression(member) => Some(member.property.name.as_str()),
        _ => None,
    }
}

/// Looks for JSX.
#[derive(Default)]
struct JsxFinder {
    found: bool,
}

impl JsxFinder {
    fn is_in(visit: impl FnOnce(&mut Self)) -> bool {
        let mut search = Self::default();
        visit(&mut search);
        search.found
    }
}

impl<'a> Visit<'a> for JsxFinder {
    fn visit_jsx_element(&mut self, _: &JSXElement<'a>) {
        self.found = true;
    }

    fn visit_jsx_fragment(&mut self, _: &JSXFragment<'a>) {
        self.found = true;
    }
}

/// Collects the top-level names and imports that a piece of code uses as values.
struct Uses<'s> {
    scoping: &'s Scoping,
    found: Vec<SymbolId>,
}

impl<'a> Visit<'a> for Uses<'_> {
    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        let Some(reference) = it.reference_id.get().map(|id| self.scoping.get_reference(id)) else { return };
        let Some(symbol) = reference.symbol_id() else { return };
        let is_top_level = self.scoping.symbol_scope_id(symbol) == self.scoping.root_scope_id();
        if reference.is_value() && is_top_level && !self.found.contains(&symbol) {
            self.found.push(symbol);
        }
    }

    fn visit_ts_type_annotation(&mut self, _: &TSTypeAnnotation<'a>) {}
}
