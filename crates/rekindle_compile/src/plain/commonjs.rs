//! Adds to CommonJS what development provides and a bundler does not: `global`, `__dirname`, a `return` at the top level.
//!
//! ```js
//! module.exports = global.x + __dirname   →  var global = globalThis; var __dirname = "/src"; module.exports = …
//! if (isBrowser) return; other()          →  (() => { if (isBrowser) return; other() })(module)
//! ```

use oxc_allocator::{Allocator, TakeIn};
use oxc_ast::ast::*;
use oxc_ast::builder::AstBuilder;
use oxc_ast_visit::{Visit, VisitMut, walk, walk_mut};
use oxc_parser::{ParseOptions, Parser};
use oxc_semantic::Scoping;
use oxc_span::SourceType;
use oxc_syntax::scope::ScopeFlags;

use crate::script::commonjs;
use crate::script::input::{ParsedScript, Shape};
use crate::script::snippet::statements;

/// Whether the text of a package's script may need [`complete`].
pub(crate) fn may_need_more(source: &str) -> bool {
    let begins = |line: &str, word: &str| line.strip_prefix(word).is_some_and(|rest| !rest.starts_with(is_name_part));
    let is_module = source.lines().any(|line| begins(line, "import") || begins(line, "export"));
    if is_module {
        return false;
    }
    if ["global", "__dirname", "__filename"].iter().any(|word| has_word(source, word)) || source.contains("require.") {
        return true;
    }
    let allocator = Allocator::default();
    let options = ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    let parsed = Parser::new(&allocator, source, SourceType::cjs()).with_options(options).parse();
    returns(&parsed.program)
}

/// Adds to a script what is missing.
pub(crate) fn complete<'a>(allocator: &'a Allocator, module: &mut ParsedScript<'a>, shape: Shape, url: &str) {
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
        let mut members = RequireMembers { scoping: &module.scoping, required: Vec::new(), are_used: false };
        members.visit_program(&mut module.program);
        let mut surroundings = commonjs::surroundings(&module.scoping, url);
        if members.are_used {
            surroundings.push_str(&members.object());
        }
        let mut all = statements(&ast, &surroundings);
        all.extend(module.program.body.take_in(&ast));
        module.program.body = all;
    }
}

/// `require.resolve`, `require.cache`: what a bundler's `require` does not have. A module is found that is required as well.
struct RequireMembers<'s> {
    scoping: &'s Scoping,
    /// What is required by its name.
    required: Vec<String>,
    are_used: bool,
}

/// Stands for `require` in front of a member.
const REQUIRE: &str = "__rekindle_require";

impl RequireMembers<'_> {
    fn object(&self) -> String {
        let required = serde_json::to_string(&self.required).unwrap_or_default();
        format!(
            "var {REQUIRE}={{cache:{{}},extensions:{{}},main:void 0,resolve(name){{if({required}.includes(name))return name;\
             throw Object.assign(new Error(\"Cannot find module '\"+name+\"'\"),{{code:\"MODULE_NOT_FOUND\"}})}}}};"
        )
    }

    fn is_require(&self, it: &Expression) -> bool {
        let Expression::Identifier(name) = it else { return false };
        let symbol = name.reference_id.get().and_then(|id| self.scoping.get_reference(id).symbol_id());
        name.name == "require" && symbol.is_none()
    }
}

impl<'a> VisitMut<'a> for RequireMembers<'_> {
    fn visit_static_member_expression(&mut self, it: &mut StaticMemberExpression<'a>) {
        if self.is_require(&it.object)
            && matches!(it.property.name.as_str(), "resolve" | "cache" | "main" | "extensions")
            && let Expression::Identifier(name) = &mut it.object
        {
            name.name = REQUIRE.into();
            self.are_used = true;
        }
        walk_mut::walk_static_member_expression(self, it);
    }

    fn visit_call_expression(&mut self, it: &mut CallExpression<'a>) {
        if self.is_require(&it.callee)
            && let Some(Argument::StringLiteral(name)) = it.arguments.first()
        {
            self.required.push(name.value.to_string());
        }
        walk_mut::walk_call_expression(self, it);
    }
}

/// The address that says where a module is. What is outside of the project keeps its folders on the build machine to
/// itself: `/@fs/home/me/work/node_modules/p/i.js` → `/node_modules/p/i.js`, `/@fs/home/me/shared/a.js` → `/a.js`.
pub(crate) fn told_address(url: &str) -> &str {
    if !url.starts_with("/@fs/") {
        return url;
    }
    let path = crate::kind::path_of(url);
    let at = path.rfind("/node_modules/").or_else(|| path.rfind('/')).unwrap_or_default();
    &path[at..]
}

/// Whether the script may end at a `return` outside of functions.
fn returns(program: &Program) -> bool {
    #[derive(Default)]
    struct ReturnFinder(bool);
    impl<'a> Visit<'a> for ReturnFinder {
        fn visit_return_statement(&mut self, _: &ReturnStatement<'a>) {
            self.0 = true;
        }
        fn visit_expression(&mut self, _: &Expression<'a>) {}
        fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}
        fn visit_class(&mut self, _: &Class<'a>) {}
    }
    let mut returns = ReturnFinder::default();
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
        assert!(may_need_more("exports.has = () => require.resolve('x')"));
        assert!(may_need_more("if (a) { return }\nexports.b = 1"));
        assert!(!may_need_more("exports.f = function () { return globalThis.x }"));
        assert!(!may_need_more("import a from 'a'\nglobal.x"));
    }
}
