//! What expressions give.

use oxc_ast::ast::*;
use oxc_span::GetSpan;

use super::evaluator::{Body, DEEPEST, Evaluator, Function};
use super::operators::{
    as_number, as_path, as_text, binary, imported, is_known, is_nothing, of_bool, of_number, of_path, property_of, set,
    truth,
};
use crate::value::{Item, SPREAD, Value};
use rekindle_graph::paths::normal;

/// Names that every file has without importing them.
const GLOBALS: [&str; 9] =
    ["process", "URL", "JSON", "Object", "String", "Number", "Boolean", "parseInt", "parseFloat"];

/// Bytes of a text; longer ones are not kept.
const LONGEST: usize = 1_000_000;

impl<'a> Evaluator<'a, '_> {
    /// What an expression gives, with all its parts as they are now.
    pub fn eval(&mut self, expression: &'a Expression<'a>) -> Item {
        let item = self.refer(expression);
        Item { value: self.read(item.value), place: item.place }
    }

    /// What an expression gives; objects and lists by their places, so that later changes are seen.
    pub fn refer(&mut self, expression: &'a Expression<'a>) -> Item {
        let start = expression.span().start;
        if self.depth >= DEEPEST || !self.has_steps(1) {
            return self.unknown(start);
        }
        self.depth += 1;
        let value = match self.value(bare(expression)) {
            Value::Text(text) if text.len() > LONGEST => Value::Unknown,
            value => self.share(value),
        };
        self.depth -= 1;
        self.item(start, value)
    }

    fn value(&mut self, expression: &'a Expression<'a>) -> Value {
        match expression {
            Expression::StringLiteral(it) => Value::Text(it.value.to_string()),
            Expression::NumericLiteral(it) => Value::Number(it.value),
            Expression::BooleanLiteral(it) => Value::Bool(it.value),
            Expression::NullLiteral(_) => Value::Null,
            Expression::RegExpLiteral(it) => {
                Value::Pattern { source: it.regex.pattern.text.to_string(), flags: it.regex.flags.to_string() }
            }
            Expression::TemplateLiteral(it) => self.template(it),
            Expression::ArrayExpression(it) => self.list(it),
            Expression::ObjectExpression(it) => self.object(it),
            Expression::Identifier(it) => self.named(it.name.as_str()),
            Expression::StaticMemberExpression(it) => self.member(&it.object, it.property.name.as_str()),
            Expression::ComputedMemberExpression(it) => self.computed_member(it),
            Expression::ChainExpression(it) => match &it.expression {
                ChainElement::StaticMemberExpression(it) => match self.refer(&it.object).value {
                    Value::Null => Value::Undefined,
                    _ => self.member(&it.object, it.property.name.as_str()),
                },
                ChainElement::ComputedMemberExpression(it) => self.computed_member(it),
                ChainElement::CallExpression(it) => self.call(it),
                _ => Value::Unknown,
            },
            Expression::ConditionalExpression(it) => match truth(&self.refer(&it.test).value) {
                Some(true) => self.refer(&it.consequent).value,
                Some(false) => self.refer(&it.alternate).value,
                None => Value::Unknown,
            },
            Expression::AssignmentExpression(it) => self.assign(it),
            Expression::UpdateExpression(it) => self.update(it),
            Expression::LogicalExpression(it) => self.logical(it),
            Expression::UnaryExpression(it) => self.unary(it),
            Expression::BinaryExpression(it) => {
                let left = self.refer(&it.left).value;
                binary(it.operator, &left, &self.refer(&it.right).value)
            }
            Expression::CallExpression(it) => self.call(it),
            Expression::NewExpression(it) => self.construct(it),
            Expression::ArrowFunctionExpression(it) => match Body::of_arrow(&it.body) {
                Some(body) => self.function(Function { params: &it.params, body, replacements: None }),
                None => Value::Unknown,
            },
            Expression::FunctionExpression(it) => self.declared(it).unwrap_or(Value::Unknown),
            _ => Value::Unknown,
        }
    }

    fn named(&self, name: &str) -> Value {
        if let Some(item) = self.binding(name) {
            return item.value.clone();
        }
        match name {
            "undefined" => Value::Undefined,
            "__dirname" => self.folder(),
            "__filename" => of_path(self.file),
            _ if GLOBALS.contains(&name) => imported("global", name),
            _ => Value::Unknown,
        }
    }

    fn folder(&self) -> Value {
        of_path(self.file.parent().unwrap_or(self.file))
    }

    pub fn member(&mut self, object: &'a Expression<'a>, key: &str) -> Value {
        match (bare(object), key) {
            (Expression::ImportMeta(_), "url") => return Value::FileUrl(self.file.to_owned()),
            (Expression::ImportMeta(_), "dirname") => return self.folder(),
            (Expression::ImportMeta(_), "filename") => return of_path(self.file),
            (Expression::Identifier(it), _)
                if matches!((it.name.as_str(), key), ("module", "exports") | ("exports", "default")) =>
            {
                if let Some(export) = &self.export {
                    return export.value.clone();
                }
            }
            _ => {}
        }
        let object = self.refer(object).value;
        self.property(&object, key)
    }

    pub fn computed_member(&mut self, it: &'a ComputedMemberExpression<'a>) -> Value {
        match self.eval(&it.expression).value {
            key @ (Value::Text(_) | Value::Number(_)) => self.member(&it.object, &as_text(&key).unwrap_or_default()),
            _ => Value::Unknown,
        }
    }

    /// A property of a value, or what it is of something imported: (`path`, `default`), `resolve` → (`path`, `resolve`).
    pub fn property(&mut self, object: &Value, key: &str) -> Value {
        let (package, name) = match object {
            Value::Shared(id) if self.objects[*id].changed_at.is_some() => return Value::Unknown,
            Value::Shared(id) => return property_of(&self.objects[*id].value, key),
            Value::Import { package, name } => (package, name),
            object => return property_of(object, key),
        };
        let is_process = package.strip_prefix("node:").unwrap_or(package) == "process";
        if (name == "env" && is_process) || name == "process.env" {
            return self.variable(key);
        }
        let name = match (package.as_str(), name.as_str()) {
            (_, "default" | "*" | "posix") => key.to_owned(),
            ("global", owner) => format!("{owner}.{key}"),
            _ => return Value::Unknown,
        };
        imported(package, &name)
    }

    /// Whether an expression is `process.env`.
    pub fn is_environment(&mut self, object: &'a Expression<'a>) -> bool {
        match self.refer(object).value {
            Value::Import { package, name } => name == "process.env" || (name == "env" && package.ends_with("process")),
            _ => false,
        }
    }

    /// A variable of the environment. npm sets those with its prefix from package.json, for the scripts it runs.
    fn variable(&mut self, name: &str) -> Value {
        if let Some(value) = self.variables.get(name) {
            return value.clone();
        }
        if let Some(value) = self.config_env.variables.get(name) {
            return Value::Text(value.to_owned());
        }
        match (name, name.strip_prefix("npm_package_")) {
            ("NODE_ENV", _) => Value::Text("development".to_owned()),
            (_, Some(field @ ("name" | "version"))) => {
                let package = self.json_file(&self.config_env.folder.join("package.json"));
                property_of(&package, field)
            }
            _ => Value::Undefined,
        }
    }

    fn template(&mut self, template: &'a TemplateLiteral<'a>) -> Value {
        let mut text = String::new();
        for (at, quasi) in template.quasis.iter().enumerate() {
            text.push_str(quasi.value.cooked.as_ref().map_or("", |cooked| cooked.as_str()));
            if let Some(expression) = template.expressions.get(at) {
                match as_text(&self.refer(expression).value).filter(|_| text.len() < LONGEST) {
                    Some(part) => text.push_str(&part),
                    None => return Value::Unknown,
                }
            }
        }
        Value::Text(text)
    }

    /// The items of a list that is spread, or one that is not known.
    pub fn spread(&mut self, expression: &'a Expression<'a>) -> Vec<Item> {
        let item = self.refer(expression);
        match self.opened(item.value) {
            Value::List(items) => items,
            _ => vec![Item { value: Value::Unknown, place: item.place }],
        }
    }

    fn list(&mut self, array: &'a ArrayExpression<'a>) -> Value {
        let mut items = Vec::new();
        for element in &array.elements {
            match element {
                ArrayExpressionElement::SpreadElement(spread) => items.extend(self.spread(&spread.argument)),
                ArrayExpressionElement::Elision(hole) => items.push(self.item(hole.span.start, Value::Undefined)),
                other => items.extend(other.as_expression().map(|expression| self.refer(expression))),
            }
        }
        Value::List(items)
    }

    fn object(&mut self, object: &'a ObjectExpression<'a>) -> Value {
        let mut entries: Vec<(String, Item)> = Vec::new();
        for property in &object.properties {
            match property {
                ObjectPropertyKind::SpreadProperty(spread) => {
                    let Item { value, place } = self.refer(&spread.argument);
                    match self.opened(value) {
                        Value::Object(more) => more.into_iter().for_each(|(name, item)| set(&mut entries, name, item)),
                        Value::Undefined | Value::Null | Value::Bool(_) => {}
                        _ => entries.push((SPREAD.to_owned(), Item { value: Value::Unknown, place })),
                    }
                }
                ObjectPropertyKind::ObjectProperty(it) => match self.key_of(&it.key, it.computed) {
                    Some(key) => {
                        let item = self.refer(&it.value);
                        set(&mut entries, key, item);
                    }
                    None => entries.push((SPREAD.to_owned(), self.unknown(it.span.start))),
                },
            }
        }
        Value::Object(entries)
    }

    fn logical(&mut self, it: &'a LogicalExpression<'a>) -> Value {
        let left = self.refer(&it.left).value;
        match takes_right(it.operator, &left) {
            Some(true) => self.refer(&it.right).value,
            Some(false) => left,
            None => Value::Unknown,
        }
    }

    fn unary(&mut self, it: &'a UnaryExpression<'a>) -> Value {
        if it.operator == UnaryOperator::Delete {
            self.delete(&it.argument, it.span);
            return Value::Bool(true);
        }
        let value = self.refer(&it.argument).value;
        match (it.operator, &value) {
            (UnaryOperator::LogicalNot, value) => of_bool(truth(value).map(|truth| !truth)),
            (UnaryOperator::UnaryNegation, Value::Number(number)) => Value::Number(-number),
            (UnaryOperator::UnaryPlus, Value::Number(_) | Value::Text(_)) => of_number(as_number(&value)),
            (UnaryOperator::Void, _) => Value::Undefined,
            _ => Value::Unknown,
        }
    }

    /// `new URL('./src', import.meta.url)`
    fn construct(&mut self, it: &'a NewExpression<'a>) -> Value {
        let is_url = matches!(self.refer(&it.callee).value, Value::Import { name, .. } if name == "URL");
        let args: Vec<_> = it.arguments.iter().filter_map(Argument::as_expression).collect();
        let (true, [path, from, ..]) = (is_url, args.as_slice()) else { return Value::Unknown };
        match (self.eval(path).value, self.eval(from).value) {
            (Value::Text(path), Value::FileUrl(from)) if !path.contains(':') => {
                let slash = if path.ends_with('/') && path != "/" { "/" } else { "" };
                let file = normal(&from.parent().unwrap_or(&from).join(&path));
                Value::FileUrl(format!("{}{slash}", file.display()).into())
            }
            _ => Value::Unknown,
        }
    }

    /// The path or the address of a path that an expression gives.
    pub fn path_of(&mut self, expression: &'a Expression<'a>) -> Option<String> {
        as_path(&self.eval(expression).value)
    }
}

/// Whether the right side of `&&`, `||` or `??` is what comes out.
pub(super) fn takes_right(operator: LogicalOperator, left: &Value) -> Option<bool> {
    match operator {
        LogicalOperator::Coalesce => is_known(left).then(|| is_nothing(left)),
        LogicalOperator::Or => truth(left).map(|truth| !truth),
        LogicalOperator::And => truth(left),
    }
}

/// Without what only types and parentheses are.
pub(super) fn bare<'a>(expression: &'a Expression<'a>) -> &'a Expression<'a> {
    match expression {
        Expression::TSAsExpression(it) => bare(&it.expression),
        Expression::TSSatisfiesExpression(it) => bare(&it.expression),
        Expression::TSNonNullExpression(it) => bare(&it.expression),
        Expression::TSTypeAssertion(it) => bare(&it.expression),
        Expression::ParenthesizedExpression(it) => bare(&it.expression),
        Expression::AwaitExpression(it) => bare(&it.argument),
        other => other,
    }
}
