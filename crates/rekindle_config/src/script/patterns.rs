//! Names: what declarations, imports and parameters bind.

use oxc_ast::ast::*;
use oxc_span::GetSpan;

use super::evaluator::{Body, Evaluator, Function};
use super::operators::{as_text, imported};
use crate::value::{Item, Value};

impl<'a> Evaluator<'a, '_> {
    pub fn import(&mut self, import: &'a ImportDeclaration<'a>) {
        let package = import.source.value.as_str();
        for specifier in import.specifiers.iter().flatten() {
            let (local, name) = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(it) => (&it.local, it.imported.name().to_string()),
                ImportDeclarationSpecifier::ImportDefaultSpecifier(it) => (&it.local, "default".to_owned()),
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(it) => (&it.local, "*".to_owned()),
            };
            let value = if package.ends_with(".json") {
                let whole = self.json_file(&self.here(package));
                if matches!(name.as_str(), "default" | "*") { whole } else { self.property(&whole, &name) }
            } else {
                imported(package, &name)
            };
            let value = self.share(value);
            self.bind(local.name.as_str(), self.item(import.span.start, value));
        }
    }

    /// Functions are there before the statements in front of them run.
    pub fn hoist(&mut self, function: &'a oxc_ast::ast::Function<'a>) {
        let (Some(id), Some(value)) = (&function.id, self.declared(function)) else { return };
        self.bind(id.name.as_str(), self.item(function.span.start, value));
    }

    pub fn declared(&mut self, function: &'a oxc_ast::ast::Function<'a>) -> Option<Value> {
        let body = Body::Statements(function.body.as_deref()?);
        Some(self.function(Function { params: &function.params, body, replacements: None }))
    }

    pub fn declare(&mut self, declaration: &'a VariableDeclaration<'a>) {
        for declarator in declaration.declarations.iter().filter(|_| !declaration.declare) {
            let item = match &declarator.init {
                Some(init) => self.refer(init),
                None => self.item(declarator.span.start, Value::Undefined),
            };
            self.bind_pattern(&declarator.id, item);
        }
    }

    /// Binds the names of `{ version, author: { name }, ...rest }` to the parts of a value.
    pub fn bind_pattern(&mut self, pattern: &'a BindingPattern<'a>, item: Item) {
        match pattern {
            BindingPattern::BindingIdentifier(id) => self.bind(id.name.as_str(), item),
            BindingPattern::ObjectPattern(it) => {
                let mut taken = Vec::new();
                for property in &it.properties {
                    let key = self.key_of(&property.key, property.computed);
                    let value = key.as_ref().map_or(Value::Unknown, |key| self.property(&item.value, key));
                    taken.extend(key);
                    self.bind_pattern(&property.value, Item { value, place: item.place });
                }
                if let Some(rest) = &it.rest {
                    let value = match self.opened(item.value) {
                        Value::Object(mut entries) => {
                            entries.retain(|(name, _)| !taken.contains(name));
                            self.share(Value::Object(entries))
                        }
                        _ => Value::Unknown,
                    };
                    self.bind_pattern(&rest.argument, Item { value, place: item.place });
                }
            }
            BindingPattern::ArrayPattern(it) => {
                let place = item.place;
                let items = match self.opened(item.value) {
                    Value::List(items) => Some(items),
                    _ => None,
                };
                let missing = if items.is_some() { Value::Undefined } else { Value::Unknown };
                for (at, element) in it.elements.iter().enumerate() {
                    let part = items.as_ref().and_then(|items| items.get(at));
                    let value = part.map_or(missing.clone(), |item| item.value.clone());
                    if let Some(element) = element {
                        self.bind_pattern(element, Item { value, place });
                    }
                }
                if let Some(rest) = &it.rest {
                    let left = items.map(|items| items.into_iter().skip(it.elements.len()).collect());
                    let value = left.map_or(Value::Unknown, |items| self.share(Value::List(items)));
                    self.bind_pattern(&rest.argument, Item { value, place });
                }
            }
            BindingPattern::AssignmentPattern(it) => {
                let item = if item.value == Value::Undefined { self.refer(&it.right) } else { item };
                self.bind_pattern(&it.left, item);
            }
        }
    }

    pub fn bind_params(&mut self, params: &'a FormalParameters<'a>, args: Vec<Item>) {
        let mut args = args.into_iter();
        for param in &params.items {
            let item = match (args.next(), &param.initializer) {
                (None | Some(Item { value: Value::Undefined, .. }), Some(default)) => self.refer(default),
                (Some(item), _) => item,
                (None, None) => self.item(param.span.start, Value::Undefined),
            };
            self.bind_pattern(&param.pattern, item);
        }
        if let Some(rest) = &params.rest {
            let list = self.share(Value::List(args.collect()));
            self.bind_pattern(&rest.rest.argument, self.item(rest.span.start, list));
        }
    }

    /// The name of a property; `None` where it is computed and not known.
    pub fn key_of(&mut self, key: &'a PropertyKey<'a>, is_computed: bool) -> Option<String> {
        match key.as_expression().filter(|_| is_computed) {
            Some(expression) => as_text(&self.eval(expression).value),
            None => key.static_name().map(|name| name.into_owned()),
        }
    }

    /// Binds the names of a `for` whose turns are not known, or whose values change from turn to turn.
    pub fn declare_unknown(&mut self, declaration: &'a VariableDeclaration<'a>) {
        for declarator in &declaration.declarations {
            let unknown = self.unknown(declarator.id.span().start);
            self.bind_pattern(&declarator.id, unknown);
        }
    }
}
