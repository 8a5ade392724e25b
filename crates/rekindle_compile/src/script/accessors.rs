//! Auto-accessors of classes, which browsers do not know yet.
//!
//! ```js
//! accessor n = 1     →     #$accessor0 = 1; get n() { return this.#$accessor0 } set n($v) { this.#$accessor0 = $v }
//! ```
//!
//! Decorators go to the getter: those of TypeScript get the pair of both, as they would from its own compiler.

use oxc_allocator::{Allocator, ArenaVec, CloneIn, TakeIn};
use oxc_ast::ast::*;
use oxc_ast::builder::AstBuilder;
use oxc_ast_visit::{VisitMut, walk_mut};
use oxc_parser::{ParseOptions, Parser};
use oxc_span::SourceType;

use super::snippet::ClearSpans;

/// Rewrites them in place, before symbols are looked for.
pub(crate) fn lower<'a>(allocator: &'a Allocator, program: &mut Program<'a>) {
    Lowering { ast: AstBuilder::new(allocator), allocator, count: 0 }.visit_program(program);
}

struct Lowering<'a> {
    ast: AstBuilder<'a>,
    allocator: &'a Allocator,
    count: usize,
}

impl<'a> VisitMut<'a> for Lowering<'a> {
    fn visit_class_body(&mut self, it: &mut ClassBody<'a>) {
        walk_mut::walk_class_body(self, it);
        if !it.body.iter().any(is_accessor) {
            return;
        }
        let mut body = ArenaVec::with_capacity_in(it.body.len() + 2, &self.ast);
        for element in it.body.take_in(&self.ast) {
            match element {
                ClassElement::AccessorProperty(accessor)
                    if accessor.r#type == AccessorPropertyType::AccessorProperty =>
                {
                    body.extend(self.parts(accessor.unbox()));
                }
                other => body.push(other),
            }
        }
        it.body = body;
    }
}

fn is_accessor(element: &ClassElement) -> bool {
    matches!(element, ClassElement::AccessorProperty(it) if it.r#type == AccessorPropertyType::AccessorProperty)
}

impl<'a> Lowering<'a> {
    /// Field, getter and setter.
    fn parts(&mut self, mut accessor: AccessorProperty<'a>) -> Vec<ClassElement<'a>> {
        let number = self.count;
        self.count += 1;
        let word = if accessor.r#static { "static " } else { "" };
        let field = format!("this.#$accessor{number}");
        let text =
            format!("(class{{{word}#$accessor{number};{word}get k(){{return {field}}}{word}set k($v){{{field}=$v}}}})");
        let text: &'a str = self.allocator.alloc_str(&text);
        let options = ParseOptions { preserve_parens: false, ..ParseOptions::default() };
        let mut parsed = Parser::new(self.allocator, text, SourceType::mjs()).with_options(options).parse().program;
        ClearSpans.visit_program(&mut parsed);
        let Some(Statement::ExpressionStatement(statement)) = parsed.body.first_mut() else { return Vec::new() };
        let Expression::ClassExpression(class) = &mut statement.expression else { return Vec::new() };
        let mut elements: Vec<ClassElement<'a>> = class.body.body.take_in(&self.ast).into_iter().collect();
        let mut value = accessor.value.take();
        let mut decorators = Some(accessor.decorators.take_in(&self.ast));
        for element in &mut elements {
            match element {
                ClassElement::PropertyDefinition(property) => property.value = value.take(),
                ClassElement::MethodDefinition(method) => {
                    method.key = accessor.key.clone_in(self.allocator);
                    method.computed = accessor.computed;
                    method.span = accessor.span;
                    if let Some(decorators) = decorators.take() {
                        method.decorators = decorators;
                    }
                }
                _ => {}
            }
        }
        elements
    }
}
