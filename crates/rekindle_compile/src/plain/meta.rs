//! Gives what a script reads of `import.meta` its plain spelling, so that constants can be put in.
//!
//! ```js
//! import.meta['hot']                          →  import.meta.hot
//! const { hot, env: { MODE } } = import.meta  →  const hot = import.meta.hot, { MODE } = import.meta.env
//! const h = import.meta.hot; if (h) …         →  const h = import.meta.hot; if (void 0) …
//! const meta = import.meta; meta.env          →  const meta = import.meta; import.meta.env
//! 'hot' in import.meta                        →  false
//! ```

use oxc_allocator::{Allocator, ArenaVec, CloneIn, GetAllocator, TakeIn};
use oxc_ast::ast::*;
use oxc_ast::builder::AstBuilder;
use oxc_ast_visit::{Visit, VisitMut, walk, walk_mut};
use oxc_semantic::{Scoping, SymbolId};
use oxc_span::SPAN;
use rustc_hash::FxHashMap;

use crate::script::calls;
use crate::script::input::ParsedScript;
use crate::script::snippet::snippet;

/// Rewrites the script in place, before constants are put in.
pub(crate) fn name_members<'a>(allocator: &'a Allocator, module: &mut ParsedScript<'a>, source: &str) {
    if !source.contains("import.meta") {
        return;
    }
    let ParsedScript { program, scoping, .. } = module;
    let ast = AstBuilder::new(allocator);
    let mut metas = AliasCollector { ast: &ast, scoping, names: FxHashMap::default() };
    metas.visit_program(program);
    let names = metas.names;
    if !names.is_empty() {
        AliasReplacer { ast, scoping, values: names }.visit_program(program);
    }
    let mut members = MemberRewriter { ast: AstBuilder::new(allocator), scoping, hot: FxHashMap::default() };
    members.visit_program(program);
    if !members.hot.is_empty() {
        AliasReplacer { ast: members.ast, scoping, values: members.hot }.visit_program(program);
    }
}

/// Collects other names of `import.meta`: `const meta = import.meta`.
struct AliasCollector<'a, 's> {
    ast: &'s AstBuilder<'a>,
    scoping: &'s Scoping,
    names: FxHashMap<SymbolId, Expression<'a>>,
}

impl<'a> Visit<'a> for AliasCollector<'a, '_> {
    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        walk::walk_variable_declarator(self, it);
        if let (BindingPattern::BindingIdentifier(name), Some(init)) = (&it.id, &it.init)
            && let Some(symbol) = name.symbol_id.get()
            && never_changes(self.scoping, symbol)
            && matches!(init.get_inner_expression(), Expression::ImportMeta(_))
        {
            self.names.insert(symbol, init.get_inner_expression().clone_in(self.ast.allocator()));
        }
    }
}

/// Whether all that is read of a name is what stands at its declaration.
fn never_changes(scoping: &Scoping, symbol: SymbolId) -> bool {
    !scoping.symbol_is_mutated(symbol) && scoping.symbol_redeclarations(symbol).is_empty()
}

struct MemberRewriter<'a, 's> {
    ast: AstBuilder<'a>,
    scoping: &'s Scoping,
    /// What other names of `import.meta.hot` are in a build.
    hot: FxHashMap<SymbolId, Expression<'a>>,
}

impl<'a> MemberRewriter<'a, '_> {
    /// `import.meta.name`
    fn member(&mut self, name: &str) -> Option<Expression<'a>> {
        let mut member = snippet(&self.ast, &format!("import.meta[{}]", rekindle_graph::quoted(name)))?;
        self.visit_expression(&mut member);
        Some(member)
    }

    /// A declarator per name that is read.
    fn split(&mut self, declarator: VariableDeclarator<'a>, into: &mut ArenaVec<'a, VariableDeclarator<'a>>) {
        let BindingPattern::ObjectPattern(pattern) = declarator.id else { return };
        for property in pattern.unbox().properties {
            let Some(name) = property.key.static_name() else { continue };
            let Some(value) = self.member(&name) else { continue };
            let (id, value) = match property.value {
                BindingPattern::AssignmentPattern(default) => {
                    let default = default.unbox();
                    // `{ hot = null }`: `hot` is undefined in a build, so the default is taken.
                    if name == "hot"
                        && default.right.is_literal()
                        && let BindingPattern::BindingIdentifier(id) = &default.left
                        && let Some(symbol) = id.symbol_id.get()
                        && never_changes(self.scoping, symbol)
                    {
                        self.hot.insert(symbol, default.right.clone_in(self.ast.allocator()));
                    }
                    (default.left, self.or_default(&name, value, default.right))
                }
                id => (id, value),
            };
            into.push(VariableDeclarator::new(property.span, id, None, Some(value), false, &self.ast));
        }
    }

    fn or_default(&mut self, name: &str, value: Expression<'a>, default: Expression<'a>) -> Expression<'a> {
        if name == "hot" {
            return default;
        }
        let Some(mut test) = snippet(&self.ast, "x === void 0") else { return value };
        if let (Expression::BinaryExpression(test), Some(member)) = (&mut test, self.member(name)) {
            test.left = member;
        }
        Expression::new_conditional_expression(SPAN, test, default, value, &self.ast)
    }
}

impl<'a> VisitMut<'a> for MemberRewriter<'a, '_> {
    fn visit_expression(&mut self, it: &mut Expression<'a>) {
        walk_mut::walk_expression(self, it);
        if let Expression::ComputedMemberExpression(member) = it
            && is_of_meta(&member.object)
            && let Some(name) = calls::constant_string(&member.expression)
            && oxc_syntax::identifier::is_identifier_name(&name)
        {
            let ast = &self.ast;
            let (span, optional, object) = (member.span, member.optional, member.object.take_in(ast));
            let property = IdentifierName::new(SPAN, ast.allocator().alloc_str(&name), ast);
            *it = Expression::new_static_member_expression(span, object, property, optional, ast);
        }
        if let Expression::BinaryExpression(test) = it
            && test.operator == BinaryOperator::In
            && matches!(test.right.get_inner_expression(), Expression::ImportMeta(_))
            && matches!(&test.left, Expression::StringLiteral(name) if name.value == "hot")
            && let Some(no) = snippet(&self.ast, "false")
        {
            *it = no;
        }
        // Types around what is read.
        if let Expression::StaticMemberExpression(member) = it
            && is_of_meta(&member.object)
            && !matches!(member.object, Expression::ImportMeta(_) | Expression::StaticMemberExpression(_))
        {
            let object = member.object.get_inner_expression_mut().take_in(&self.ast);
            member.object = object;
        }
    }

    fn visit_variable_declaration(&mut self, it: &mut VariableDeclaration<'a>) {
        walk_mut::walk_variable_declaration(self, it);
        if it.declarations.iter().any(takes_apart) {
            let declarators = it.declarations.take_in(&self.ast);
            for declarator in declarators {
                if takes_apart(&declarator) {
                    self.split(declarator, &mut it.declarations)
                } else {
                    it.declarations.push(declarator)
                }
            }
        }
        for declarator in &it.declarations {
            if let (BindingPattern::BindingIdentifier(name), Some(init)) = (&declarator.id, &declarator.init)
                && let Some(symbol) = name.symbol_id.get()
                && never_changes(self.scoping, symbol)
                && is_hot(init)
                && let Some(nothing) = snippet(&self.ast, "void 0")
            {
                self.hot.insert(symbol, nothing);
            }
        }
    }
}

/// `{ hot, env } = import.meta`, without a rest.
fn takes_apart(declarator: &VariableDeclarator) -> bool {
    let BindingPattern::ObjectPattern(pattern) = &declarator.id else { return false };
    let is_meta = |init: &Expression| matches!(init.get_inner_expression(), Expression::ImportMeta(_));
    declarator.init.as_ref().is_some_and(is_meta)
        && pattern.rest.is_none()
        && !pattern.properties.is_empty()
        && pattern.properties.iter().all(|property| property.key.static_name().is_some())
}

/// `import.meta`, or a name read of it.
fn is_of_meta(expression: &Expression) -> bool {
    match expression.get_inner_expression() {
        Expression::ImportMeta(_) => true,
        Expression::StaticMemberExpression(member) => {
            matches!(member.object.get_inner_expression(), Expression::ImportMeta(_))
        }
        _ => false,
    }
}

/// `import.meta.hot`
fn is_hot(expression: &Expression) -> bool {
    matches!(expression.get_inner_expression(), Expression::StaticMemberExpression(member)
        if member.property.name == "hot" && matches!(member.object.get_inner_expression(), Expression::ImportMeta(_)))
}

/// Puts what other names of `import.meta` and `import.meta.hot` are in their place.
struct AliasReplacer<'a, 's> {
    ast: AstBuilder<'a>,
    scoping: &'s Scoping,
    values: FxHashMap<SymbolId, Expression<'a>>,
}

impl<'a> VisitMut<'a> for AliasReplacer<'a, '_> {
    fn visit_expression(&mut self, it: &mut Expression<'a>) {
        walk_mut::walk_expression(self, it);
        if let Expression::Identifier(name) = it
            && let Some(reference) = name.reference_id.get()
            && let Some(symbol) = self.scoping.get_reference(reference).symbol_id()
            && let Some(value) = self.values.get(&symbol)
        {
            *it = value.clone_in(self.ast.allocator());
        }
    }

    fn visit_object_property(&mut self, it: &mut ObjectProperty<'a>) {
        walk_mut::walk_object_property(self, it);
        it.shorthand &= matches!(it.value, Expression::Identifier(_));
    }
}
