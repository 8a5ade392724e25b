//! Code that is put into a script, from its text. It has no place in the source.

use oxc_allocator::{ArenaVec, GetAllocator};
use oxc_ast::ast::*;
use oxc_ast::builder::AstBuilder;
use oxc_ast_visit::VisitMut;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::{SPAN, SourceType, Span};

/// An expression from its text. It has no place in the source.
pub(crate) fn snippet<'a>(ast: &AstBuilder<'a>, text: &str) -> Option<Expression<'a>> {
    let text = ast.allocator().alloc_str(text);
    let mut expression = Parser::new(ast.allocator(), text, SourceType::mjs()).parse_expression().ok()?;
    ClearSpans.visit_expression(&mut expression);
    Some(match expression {
        Expression::ParenthesizedExpression(inner) => inner.unbox().expression,
        other => other,
    })
}

/// Statements from their text. They have no place in the source.
pub(crate) fn statements<'a>(ast: &AstBuilder<'a>, text: &str) -> ArenaVec<'a, Statement<'a>> {
    let text = ast.allocator().alloc_str(text);
    let options = ParseOptions { preserve_parens: false, ..ParseOptions::default() };
    let mut parsed = Parser::new(ast.allocator(), text, SourceType::mjs()).with_options(options).parse();
    ClearSpans.visit_program(&mut parsed.program);
    parsed.program.body
}

/// Clears the spans of code that stands nowhere in the source, so that no source map leads there.
pub(super) struct ClearSpans;

impl<'a> VisitMut<'a> for ClearSpans {
    fn visit_span(&mut self, it: &mut Span) {
        *it = SPAN;
    }
}
