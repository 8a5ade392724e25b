//! Whether a module awaits in a statement that only an async generator can hold.
//!
//! ```js
//! for await (const line of lines) {}     await using file = open()
//! ```

use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_syntax::scope::ScopeFlags;

/// Looks for `for await` and `await using` outside of functions: only an async generator can hold those.
#[derive(Default)]
pub(crate) struct AsyncStatements {
    function_depth: u32,
    found: bool,
}

impl AsyncStatements {
    pub fn are_in(program: &Program) -> bool {
        let mut search = Self::default();
        search.visit_program(program);
        search.found
    }
}

impl<'a> Visit<'a> for AsyncStatements {
    fn visit_function(&mut self, it: &Function<'a>, flags: ScopeFlags) {
        self.function_depth += 1;
        walk::walk_function(self, it, flags);
        self.function_depth -= 1;
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        self.function_depth += 1;
        walk::walk_arrow_function_expression(self, it);
        self.function_depth -= 1;
    }

    fn visit_for_of_statement(&mut self, it: &ForOfStatement<'a>) {
        self.found |= it.r#await && self.function_depth == 0;
        walk::walk_for_of_statement(self, it);
    }

    fn visit_variable_declaration(&mut self, it: &VariableDeclaration<'a>) {
        self.found |= it.kind == VariableDeclarationKind::AwaitUsing && self.function_depth == 0;
        walk::walk_variable_declaration(self, it);
    }
}
