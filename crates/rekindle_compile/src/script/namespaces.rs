//! Namespaces of TypeScript that continue earlier ones: what those export gets its full name.
//!
//! ```ts
//! namespace N { export const a = 1 }
//! namespace N { export const b = a }      // ‥ = N.a
//! ```
//!
//! Each body becomes a function of its own, so that it does not see the names of the others. oxc's transformer qualifies
//! the names of the same body only.

use oxc_allocator::Allocator;
use oxc_ast::ast::*;
use oxc_ast::builder::AstBuilder;
use oxc_ast_visit::{Visit, VisitMut, walk, walk_mut};
use oxc_ecmascript::BoundNames;
use oxc_semantic::{NodeId, Reference, ReferenceFlags, Scoping, SymbolId};
use oxc_span::Span;
use rustc_hash::{FxHashMap, FxHashSet};

/// Rewrites references to names that another body of the same namespace exports.
pub(crate) fn qualify<'a>(allocator: &'a Allocator, program: &mut Program<'a>, scoping: &mut Scoping) {
    if program.source_text.matches("namespace").count() < 2 {
        return;
    }
    let mut bodies = NamespaceExports::default();
    bodies.visit_program(program);
    if bodies.counts.values().any(|count| *count > 1) {
        let mut qualifier = NamespaceQualifier {
            ast: AstBuilder::new(allocator),
            scoping,
            exports: bodies.exports,
            around: Vec::new(),
        };
        qualifier.visit_program(program);
    }
}

/// What the bodies of each namespace export together, by its path (`N.M`).
#[derive(Default)]
struct NamespaceExports {
    path: Vec<String>,
    counts: FxHashMap<String, u32>,
    exports: FxHashMap<String, FxHashSet<String>>,
}

impl<'a> Visit<'a> for NamespaceExports {
    fn visit_ts_namespace_declaration(&mut self, it: &TSNamespaceDeclaration<'a>) {
        self.path.push(it.id.name.to_string());
        let path = self.path.join(".");
        *self.counts.entry(path.clone()).or_default() += 1;
        // `namespace N.M {}` exports M from N.
        if let TSNamespaceDeclarationBody::TSNamespaceDeclaration(inner) = &it.body {
            self.exports.entry(path).or_default().insert(inner.id.name.to_string());
        }
        walk::walk_ts_namespace_declaration(self, it);
        self.path.pop();
    }

    fn visit_export_declaration(&mut self, it: &ExportDeclaration<'a>) {
        if !self.path.is_empty() {
            let exports = self.exports.entry(self.path.join(".")).or_default();
            it.declaration.bound_names(&mut |identifier| _ = exports.insert(identifier.name.to_string()));
            match &it.declaration {
                Declaration::TSEnumDeclaration(it) => _ = exports.insert(it.id.name.to_string()),
                Declaration::TSNamespaceDeclaration(it) => _ = exports.insert(it.id.name.to_string()),
                _ => {}
            }
        }
        walk::walk_export_declaration(self, it);
    }
}

struct NamespaceQualifier<'a, 's> {
    ast: AstBuilder<'a>,
    scoping: &'s mut Scoping,
    exports: FxHashMap<String, FxHashSet<String>>,
    /// The namespaces around, from the outermost: path, name and symbol.
    around: Vec<(String, Ident<'a>, SymbolId)>,
}

impl<'a> NamespaceQualifier<'a, '_> {
    /// The innermost namespace around that exports `name`.
    fn owner(&self, name: &str) -> Option<(Ident<'a>, SymbolId)> {
        let exports = |path: &String| self.exports.get(path).is_some_and(|names| names.contains(name));
        let (_, owner, symbol) = self.around.iter().rev().find(|(path, ..)| exports(path))?;
        Some((*owner, *symbol))
    }

    fn read(&mut self, owner: Ident<'a>, symbol: SymbolId, name: Ident<'a>, span: Span) -> Expression<'a> {
        let scope = self.scoping.symbol_scope_id(symbol);
        let reference = Reference::new_with_symbol_id(NodeId::DUMMY, symbol, scope, ReferenceFlags::Read);
        let reference = self.scoping.create_reference(reference);
        self.scoping.add_resolved_reference(symbol, reference);
        let ast = &self.ast;
        let object = Expression::new_identifier_with_reference_id(span, owner, reference, ast);
        Expression::new_static_member_expression(span, object, IdentifierName::new(span, name, ast), false, ast)
    }
}

impl<'a> VisitMut<'a> for NamespaceQualifier<'a, '_> {
    fn visit_ts_namespace_declaration(&mut self, it: &mut TSNamespaceDeclaration<'a>) {
        let path = match self.around.last() {
            Some((outer, ..)) => format!("{outer}.{}", it.id.name),
            None => it.id.name.to_string(),
        };
        self.around.push((path, it.id.name, it.id.symbol_id()));
        walk_mut::walk_ts_namespace_declaration(self, it);
        self.around.pop();
    }

    fn visit_expression(&mut self, it: &mut Expression<'a>) {
        let Expression::Identifier(identifier) = it else { return walk_mut::walk_expression(self, it) };
        let reference = identifier.reference_id.get().map(|id| self.scoping.get_reference(id));
        if reference.is_some_and(|reference| reference.symbol_id().is_none())
            && let Some((owner, symbol)) = self.owner(identifier.name.as_str())
        {
            let (name, span) = (identifier.name, identifier.span);
            *it = self.read(owner, symbol, name, span);
        }
    }
}
