//! Gives CommonJS what a bundler does not, as it has it in development.
//!
//! ```js
//! module.exports = global.x + __dirname   →  var global = globalThis; var __dirname = "/src"; module.exports = …
//! if (isBrowser) return; other()          →  (() => { if (isBrowser) return; other() })(module)
//! ```

use oxc_allocator::{Allocator, ArenaVec, GetAllocator, TakeIn};
use oxc_ast::ast::*;
use oxc_ast::builder::AstBuilder;
use oxc_ast_visit::{Visit, VisitMut, walk};
use oxc_parser::{ParseOptions, Parser};
use oxc_span::{SPAN, SourceType, Span};
use oxc_syntax::scope::ScopeFlags;

use crate::commonjs;
use crate::script::{Parsed, Shape};

/// Whether the text of a package's script may need [`complete`].
pub(crate) fn may_need_more(source: &str) -> bool {
    let begins = |line: &str, word: &str| line.strip_prefix(word).is_some_and(|rest| !rest.starts_with(is_name_part));
    let is_module = source.lines().any(|line| begins(line, "import") || begins(line, "export"));
    if is_module {
        return false;
    }
    if ["global", "__dirname", "__filename"].iter().any(|word| has_word(source, word)) {
        return true;
    }
    let allocator = Allocator::default();
    let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    let parsed = Parser::new(&allocator, source, SourceType::cjs()).with_options(options).parse();
    returns(&parsed.program)
}

/// Adds to a script what is missing.
pub(crate) fn complete<'a>(allocator: &'a Allocator, module: &mut Parsed<'a>, shape: Shape, url: &str) {
    let ast = AstBuilder::new(allocator);
    if !module.has_module_syntax && returns(&module.program) {
        let mut whole = statements(&ast, "(() => {})(module)");
        if let Some(Statement::ExpressionStatement(statement)) = whole.first_mut()
            && let Expression::CallExpression(call) = &mut statement.expression
            && let Expression::ArrowFunctionExpression(arrow) = &mut call.callee
            && let ArrowFunctionBody::FunctionBody(body) = &mut arrow.body
        {
            body.statements = module.program.body.take_in(&ast);
            module.program.body = whole;
        }
    }
    if matches!(shape, Shape::CommonJs { .. }) {
        let mut all = statements(&ast, &commonjs::surroundings(&module.scoping, url));
        all.extend(module.program.body.take_in(&ast));
        module.program.body = all;
    }
}

/// The address that says where a module is. What is outside of the project keeps its folders on the build machine to
/// itself: `/@fs/home/me/work/node_modules/p/i.js` → `/node_modules/p/i.js`, `/@fs/home/me/shared/a.js` → `/a.js`.
pub(crate) fn told_address(url: &str) -> &str {
    if !url.starts_with("/@fs/") {
        return url;
    }
    let path = url.split_once('?').map_or(url, |(path, _)| path);
    let at = path.rfind("/node_modules/").or_else(|| path.rfind('/')).unwrap_or_default();
    &path[at..]
}

/// Statements from their text. They have no place in the source.
fn statements<'a>(ast: &AstBuilder<'a>, text: &str) -> ArenaVec<'a, Statement<'a>> {
    struct NoPlace;
    impl<'a> VisitMut<'a> for NoPlace {
        fn visit_span(&mut self, it: &mut Span) {
            *it = SPAN;
        }
    }
    let text = ast.allocator().alloc_str(text);
    let options = ParseOptions { preserve_parens: false, ..ParseOptions::default() };
    let mut parsed = Parser::new(ast.allocator(), text, SourceType::mjs()).with_options(options).parse();
    NoPlace.visit_program(&mut parsed.program);
    parsed.program.body
}

/// Whether the script may end at a `return` outside of functions.
fn returns(program: &Program) -> bool {
    #[derive(Default)]
    struct Returns(bool);
    impl<'a> Visit<'a> for Returns {
        fn visit_return_statement(&mut self, _: &ReturnStatement<'a>) {
            self.0 = true;
        }
        fn visit_expression(&mut self, _: &Expression<'a>) {}
        fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}
        fn visit_class(&mut self, _: &Class<'a>) {}
    }
    let mut returns = Returns::default();
    walk::walk_program(&mut returns, program);
    returns.0
}

/// `global` in `global.x`, not in `globalThis`.
fn has_word(source: &str, word: &str) -> bool {
    source
        .match_indices(word)
        .any(|(at, _)| !source[at + word.len()..].starts_with(is_name_part) && !source[..at].ends_with(is_name_part))
}

fn is_name_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_folder_of_the_build_machine_is_told() {
        assert_eq!(told_address("/src/a.js?x"), "/src/a.js?x");
        assert_eq!(told_address("/@fs/home/me/work/node_modules/p/i.js"), "/node_modules/p/i.js");
        assert_eq!(told_address("/@fs/home/me/shared/a.js?raw"), "/a.js");
    }

    #[test]
    fn only_what_needs_it_is_printed_anew() {
        assert!(may_need_more("module.exports = global.x"));
        assert!(may_need_more("exports.x = __dirname"));
        assert!(may_need_more("if (a) { return }\nexports.b = 1"));
        assert!(!may_need_more("exports.f = function () { return globalThis.x }"));
        assert!(!may_need_more("import a from 'a'\nglobal.x"));
    }
}
