//! Finds which exports of a lazy module are used, so that a bundler leaves out the others. The call that we put around `import()`
//! would hide that from it.
//!
//! ```js
//! const { a, b: c } = await import('./x')   →  preload(() => import('./x').then(({ a: $0, b: $1 }) => ({ a: $0, b: $1 })), …)
//! import('./x').then(({ a }) => a())        →  the same of `a`; so of `.then((m) => m.a())` and `(await import('./x')).a`
//! ```

use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_semantic::{Scoping, SymbolId};
use oxc_syntax::identifier::is_identifier_name;
use oxc_syntax::scope::ScopeFlags;

/// The place of an `import()` with the names that are read of what it gives.
type ImportReads = (u32, Vec<String>);

/// `const { a } = await import('./x')`
pub(crate) fn read_by_declarator(declarator: &VariableDeclarator) -> Option<ImportReads> {
    Some((awaited(declarator.init.as_ref()?)?.span.start, names_of_pattern(&declarator.id)?))
}

/// `import('./x').then(({ a }) => …)`, `(await import('./x')).a`
pub(crate) fn read_by_expression(expression: &Expression, scoping: &Scoping) -> Option<ImportReads> {
    match expression {
        Expression::StaticMemberExpression(member) if !member.optional => {
            Some((awaited(&member.object)?.span.start, names([member.property.name.as_str()])?))
        }
        Expression::CallExpression(call) if !call.optional => {
            let Expression::StaticMemberExpression(then) = &call.callee else { return None };
            let Expression::ImportExpression(import) = &then.object else { return None };
            let Some(Expression::ArrowFunctionExpression(arrow)) = call.arguments.first()?.as_expression() else {
                return None;
            };
            let [parameter] = arrow.params.items.as_slice() else { return None };
            if then.property.name != "then" || then.optional || arrow.params.rest.is_some() {
                return None;
            }
            if parameter.initializer.is_some() {
                return None;
            }
            let names = match &parameter.pattern {
                BindingPattern::BindingIdentifier(name) => {
                    names([&*read_once(arrow, name.symbol_id.get()?, scoping)?])?
                }
                pattern => names_of_pattern(pattern)?,
            };
            Some((import.span.start, names))
        }
        _ => None,
    }
}

/// `.then(…)` that hands on no more than these names.
pub(crate) fn reading(names: &[String]) -> String {
    let fields: Vec<String> = names.iter().enumerate().map(|(at, name)| format!("{name}: ${at}")).collect();
    let fields = fields.join(", ");
    format!(".then(({{ {fields} }}) => ({{ {fields} }}))")
}

fn awaited<'e, 'a>(expression: &'e Expression<'a>) -> Option<&'e ImportExpression<'a>> {
    let Expression::AwaitExpression(wait) = expression else { return None };
    match &wait.argument {
        Expression::ImportExpression(import) => Some(import),
        _ => None,
    }
}

fn names_of_pattern(pattern: &BindingPattern) -> Option<Vec<String>> {
    let BindingPattern::ObjectPattern(pattern) = pattern else { return None };
    if pattern.rest.is_some() || pattern.properties.is_empty() {
        return None;
    }
    let keys: Option<Vec<_>> = pattern
        .properties
        .iter()
        .map(|property| if property.computed { None } else { property.key.static_name() })
        .collect();
    names(keys?.iter().map(|key| &**key))
}

/// The names, unless one of them changes what kind of object it is (`then`, `__proto__`).
fn names<'n>(all: impl IntoIterator<Item = &'n str>) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for name in all {
        if !is_identifier_name(name) || matches!(name, "then" | "__proto__") {
            return None;
        }
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    Some(names)
}

/// The one name that an arrow function reads of its parameter, at once when it is called. Later the module might have
/// given it another value.
fn read_once(arrow: &ArrowFunctionExpression, symbol: SymbolId, scoping: &Scoping) -> Option<String> {
    struct Reads<'s> {
        scoping: &'s Scoping,
        symbol: SymbolId,
        name: Option<String>,
    }
    impl<'a> Visit<'a> for Reads<'_> {
        fn visit_static_member_expression(&mut self, it: &StaticMemberExpression<'a>) {
            if let Expression::Identifier(object) = &it.object
                && let Some(reference) = object.reference_id.get()
                && self.scoping.get_reference(reference).symbol_id() == Some(self.symbol)
            {
                self.name = Some(it.property.name.to_string());
            }
            walk::walk_static_member_expression(self, it);
        }
        fn visit_function(&mut self, _: &Function<'a>, _: ScopeFlags) {}
        fn visit_arrow_function_expression(&mut self, _: &ArrowFunctionExpression<'a>) {}
        fn visit_class(&mut self, _: &Class<'a>) {}
        // An assignment or a `delete` does more than read.
        fn visit_assignment_target(&mut self, _: &AssignmentTarget<'a>) {}
        fn visit_simple_assignment_target(&mut self, _: &SimpleAssignmentTarget<'a>) {}
    }
    if arrow.r#async || scoping.get_resolved_reference_ids(symbol).len() != 1 {
        return None;
    }
    // One statement, and no loop.
    let expression = match &arrow.body {
        ArrowFunctionBody::FunctionBody(body) => match body.statements.as_slice() {
            [Statement::ExpressionStatement(statement)] => &statement.expression,
            [Statement::ReturnStatement(statement)] => statement.argument.as_ref()?,
            _ => return None,
        },
        body => body.as_expression()?,
    };
    let mut reads = Reads { scoping, symbol, name: None };
    reads.visit_expression(expression);
    reads.name
}
