//! CommonJS: telling it from an ES module, and finding what it requires and exports.
//!
//! The order of the checks is the one rolldown uses: module syntax decides first, then free `module` or `exports`,
//! then a free `require`.

use oxc_allocator::{Allocator, TakeIn};
use oxc_ast::ast::*;
use oxc_ast::builder::AstBuilder;
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::Scoping;
use oxc_span::GetSpan;
use rekindle_graph::{Dep, DepKind, quoted};

use crate::script::calls::constant_string;
use crate::script::input::ParsedScript;
use crate::script::snippet::statements;

/// Writes what TypeScript has for CommonJS as JavaScript has it, in a file that uses nothing else of modules. True if there was some.
///
/// ```ts
/// import a = require('a'); export = { a }   →   const a = require('a'); module.exports = { a }
/// ```
pub(crate) fn of_typescript<'a>(allocator: &'a Allocator, program: &mut Program<'a>) -> bool {
    let ast = AstBuilder::new(allocator);
    let is_other = |statement: &Statement| {
        let is_own = matches!(statement, Statement::TSExportAssignment(_) | Statement::TSImportEqualsDeclaration(_));
        statement.is_module_declaration() && !is_own
    };
    if program.body.iter().any(is_other) {
        return false;
    }
    let mut has_some = false;
    for place in &mut program.body {
        let written = match place {
            Statement::TSExportAssignment(it) => {
                let mut written = statements(&ast, "module.exports = 0").pop();
                if let Some(Statement::ExpressionStatement(written)) = &mut written
                    && let Expression::AssignmentExpression(assignment) = &mut written.expression
                {
                    assignment.right = it.expression.take_in(&ast);
                }
                written
            }
            Statement::TSImportEqualsDeclaration(it) if it.import_kind.is_value() => {
                let TSModuleReference::ExternalModuleReference(module) = &it.module_reference else { continue };
                let required = quoted(&module.expression.value);
                statements(&ast, &format!("const {} = require({required})", it.id.name)).pop()
            }
            _ => continue,
        };
        if let Some(written) = written {
            *place = written;
            has_some = true;
        }
    }
    has_some
}

/// Whether the file is CommonJS by what it uses. One that imports, but exports through `module` alone, is CommonJS too:
/// compilers have written such files, and bundlers take them.
pub(crate) fn is_commonjs(parsed: &ParsedScript) -> bool {
    let free = |name: &str| parsed.scoping.root_unresolved_references().keys().any(|known| known.as_str() == name);
    if parsed.has_module_syntax {
        let exports = |statement: &Statement| {
            statement.is_module_declaration() && !matches!(statement, Statement::ImportDeclaration(_))
        };
        return (free("module") || free("exports")) && !parsed.program.body.iter().any(exports);
    }
    let returns = parsed.program.body.iter().any(|statement| matches!(statement, Statement::ReturnStatement(_)));
    free("module") || free("exports") || free("require") || returns
}

/// Names that CommonJS brings along besides `module`, `exports` and `require`, where the file uses them. Paths are
/// addresses, as in `import.meta.filename`.
pub(crate) fn surroundings(scoping: &Scoping, url: &str) -> String {
    let free = |name: &str| scoping.root_unresolved_references().keys().any(|known| known.as_str() == name);
    let mut text = String::new();
    if free("global") {
        text.push_str("var global=globalThis;");
    }
    for name in ["filename", "dirname"] {
        if free(&format!("__{name}"))
            && let Some(value) = place(url, name)
        {
            text.push_str(&format!("var __{name}={};", serde_json::Value::from(value)));
        }
    }
    text
}

/// `filename` or `dirname` of a module: `/src/main.ts`, `/src`.
pub(crate) fn place<'u>(url: &'u str, name: &str) -> Option<&'u str> {
    let path = crate::kind::path_of(url);
    match name {
        "filename" => Some(path),
        "dirname" => {
            Some(path.rsplit_once('/').map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder }))
        }
        _ => None,
    }
}

/// Adds the `require` calls that can be reached to `deps`; gives the names that are plainly assigned to `exports`.
pub(crate) fn collect(program: &Program, scoping: &Scoping, deps: &mut Vec<Dep>) -> Vec<String> {
    let mut collector = Collector { scoping, deps, exports: Vec::new() };
    collector.visit_program(program);
    collector.exports
}

struct Collector<'s> {
    scoping: &'s Scoping,
    deps: &'s mut Vec<Dep>,
    exports: Vec<String>,
}

impl Collector<'_> {
    fn is_free(&self, expression: &Expression, name: &str) -> bool {
        matches!(expression, Expression::Identifier(identifier) if identifier.name == name
            && identifier.reference_id.get().is_none_or(|id| self.scoping.get_reference(id).symbol_id().is_none()))
    }

    fn is_exports(&self, expression: &Expression) -> bool {
        self.is_free(expression, "exports")
            || matches!(expression, Expression::StaticMemberExpression(member)
                if member.property.name == "exports" && self.is_free(&member.object, "module"))
    }
}

impl<'a> Visit<'a> for Collector<'_> {
    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        if self.is_free(&it.callee, "require")
            && let [argument] = it.arguments.as_slice()
            && let Some(specifier) = argument.as_expression().and_then(constant_string)
            && !self.deps.iter().any(|dep| dep.specifier == specifier && dep.kind == DepKind::Require)
        {
            let span = argument.span();
            self.deps.push(Dep {
                specifier,
                kind: DepKind::Require,
                span: (span.start, span.end),
                attribute: None,
                names: Vec::new(),
            });
        }
        walk::walk_call_expression(self, it);
    }

    fn visit_if_statement(&mut self, it: &IfStatement<'a>) {
        match truth(&it.test) {
            Some(true) => self.visit_statement(&it.consequent),
            Some(false) => {
                if let Some(alternate) = &it.alternate {
                    self.visit_statement(alternate);
                }
            }
            None => walk::walk_if_statement(self, it),
        }
    }

    fn visit_conditional_expression(&mut self, it: &ConditionalExpression<'a>) {
        match truth(&it.test) {
            Some(true) => self.visit_expression(&it.consequent),
            Some(false) => self.visit_expression(&it.alternate),
            None => walk::walk_conditional_expression(self, it),
        }
    }

    fn visit_logical_expression(&mut self, it: &LogicalExpression<'a>) {
        match (it.operator, truth(&it.left)) {
            (LogicalOperator::And, Some(false)) | (LogicalOperator::Or, Some(true)) => {}
            _ => walk::walk_logical_expression(self, it),
        }
    }

    fn visit_assignment_expression(&mut self, it: &AssignmentExpression<'a>) {
        if let AssignmentTarget::StaticMemberExpression(member) = &it.left
            && self.is_exports(&member.object)
        {
            let name = member.property.name.to_string();
            if name != "__esModule" && !self.exports.contains(&name) {
                self.exports.push(name);
            }
        }
        walk::walk_assignment_expression(self, it);
    }
}

/// The truth of a condition that only compares constants: what is left of `process.env.NODE_ENV === 'production'`.
fn truth(test: &Expression) -> Option<bool> {
    match test.get_inner_expression() {
        Expression::BooleanLiteral(literal) => Some(literal.value),
        Expression::UnaryExpression(unary) if unary.operator == UnaryOperator::LogicalNot => {
            Some(!truth(&unary.argument)?)
        }
        Expression::BinaryExpression(binary) => {
            let equal = constant_string(&binary.left)? == constant_string(&binary.right)?;
            match binary.operator {
                BinaryOperator::StrictEquality | BinaryOperator::Equality => Some(equal),
                BinaryOperator::StrictInequality | BinaryOperator::Inequality => Some(!equal),
                _ => None,
            }
        }
        Expression::LogicalExpression(logical) => {
            let (left, right) = (truth(&logical.left), truth(&logical.right));
            match logical.operator {
                LogicalOperator::And if left == Some(false) || right == Some(false) => Some(false),
                LogicalOperator::And => Some(left? && right?),
                LogicalOperator::Or if left == Some(true) || right == Some(true) => Some(true),
                LogicalOperator::Or => Some(left? || right?),
                LogicalOperator::Coalesce => None,
            }
        }
        _ => None,
    }
}
