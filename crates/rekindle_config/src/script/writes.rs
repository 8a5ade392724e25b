//! What a file changes: names, properties, lists, and what functions may change that are not known.

use oxc_ast::ast::*;
use oxc_span::{GetSpan, Span};

use super::evaluator::Evaluator;
use super::expressions::{bare, takes_right};
use super::operators::{added, as_text, set, truth};
use crate::value::{Item, SPREAD, Value};

impl<'a> Evaluator<'a, '_> {
    /// An expression that stands for itself.
    pub fn effect(&mut self, expression: &'a Expression<'a>) {
        match bare(expression) {
            Expression::CallExpression(it) => self.call_as_statement(it),
            Expression::ChainExpression(it) => match &it.expression {
                ChainElement::CallExpression(it) => self.call_as_statement(it),
                _ => drop(self.refer(expression)),
            },
            Expression::LogicalExpression(it) => {
                let left = self.refer(&it.left).value;
                match takes_right(it.operator, &left).filter(|_| !self.unsure) {
                    Some(true) => self.effect(&it.right),
                    Some(false) => {}
                    None => self.unsurely(|this| this.effect(&it.right)),
                }
            }
            Expression::ConditionalExpression(it) => {
                match truth(&self.refer(&it.test).value).filter(|_| !self.unsure) {
                    Some(true) => self.effect(&it.consequent),
                    Some(false) => self.effect(&it.alternate),
                    None => self.unsurely(|this| {
                        this.effect(&it.consequent);
                        this.effect(&it.alternate);
                    }),
                }
            }
            Expression::SequenceExpression(it) => it.expressions.iter().for_each(|it| self.effect(it)),
            other => drop(self.refer(other)),
        }
    }

    fn call_as_statement(&mut self, it: &'a CallExpression<'a>) {
        let value = self.call_value(it);
        // A function of the file has run here, and has noted itself what it lost.
        let is_followed = !matches!(value, Value::Unknown | Value::Call { .. });
        if is_followed || matches!(self.refer(&it.callee).value, Value::Function(_)) {
            return;
        }
        self.callbacks(it, true);
        if root_name(&it.callee) == Some("console") {
            return;
        }
        // What is given to a function that is not known may be changed by it.
        let owner = match &it.callee {
            Expression::StaticMemberExpression(member) => Some(&member.object),
            _ => None,
        };
        let mut places = Vec::new();
        for argument in &it.arguments {
            match argument {
                Argument::SpreadElement(spread) => places_in(&spread.argument, &mut places),
                other => other.as_expression().into_iter().for_each(|it| places_in(it, &mut places)),
            }
        }
        for place in places {
            if let Value::Shared(id) = self.refer(place).value {
                self.lose(Some(id), it.span);
            }
        }
        let mut owners = Vec::new();
        owner.into_iter().for_each(|owner| places_in(owner, &mut owners));
        for place in owners {
            match self.refer(place).value {
                Value::Shared(id) => self.lose(Some(id), it.span),
                _ if owner.is_some_and(|owner| std::ptr::eq(bare(owner), place)) && self.is_own(place) => {
                    self.lose(None, it.span);
                }
                _ => {}
            }
        }
    }

    /// Functions that are given to one that is not known: they may be called.
    pub fn callbacks(&mut self, it: &'a CallExpression<'a>, is_statement: bool) {
        // What a package hands to them is its own, so writing to it loses nothing.
        let foreign = Value::Import { package: String::new(), name: "*".to_owned() };
        let argument = if is_statement { Value::Unknown } else { foreign };
        for given in it.arguments.iter().filter_map(Argument::as_expression) {
            if matches!(bare(given), Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_))
                && let Value::Function(id) = self.refer(given).value
            {
                self.perhaps(id, &argument);
            }
        }
    }

    pub fn assign(&mut self, it: &'a AssignmentExpression<'a>) -> Value {
        let logical = match it.operator {
            AssignmentOperator::LogicalNullish => Some(LogicalOperator::Coalesce),
            AssignmentOperator::LogicalOr => Some(LogicalOperator::Or),
            AssignmentOperator::LogicalAnd => Some(LogicalOperator::And),
            _ => None,
        };
        let right = match (it.operator, logical) {
            (AssignmentOperator::Assign, _) => {
                if is_module_exports(&it.left) {
                    self.export_expression(&it.right);
                    return Value::Undefined;
                }
                self.refer(&it.right).value
            }
            (AssignmentOperator::Addition, _) => {
                let left = self.current(&it.left);
                added(&left, &self.refer(&it.right).value)
            }
            (_, Some(operator)) => {
                let left = self.current(&it.left);
                match takes_right(operator, &left) {
                    Some(true) => self.refer(&it.right).value,
                    Some(false) => return left,
                    None => Value::Unknown,
                }
            }
            _ => Value::Unknown,
        };
        let item = self.item(it.span.start, right.clone());
        self.write(&it.left, item, it.left.span());
        right
    }

    /// The value of what is about to be written.
    fn current(&mut self, target: &'a AssignmentTarget<'a>) -> Value {
        match target {
            AssignmentTarget::AssignmentTargetIdentifier(id) => {
                self.binding(id.name.as_str()).map_or(Value::Unknown, |item| item.value.clone())
            }
            AssignmentTarget::StaticMemberExpression(it) => self.member(&it.object, it.property.name.as_str()),
            AssignmentTarget::ComputedMemberExpression(it) => self.computed_member(it),
            _ => Value::Unknown,
        }
    }

    /// `count++`, by what comes out.
    pub fn update(&mut self, it: &'a UpdateExpression<'a>) -> Value {
        match &it.argument {
            SimpleAssignmentTarget::AssignmentTargetIdentifier(id) => {
                let before = self.binding(id.name.as_str()).map_or(Value::Unknown, |item| item.value.clone());
                let step = if it.operator == UpdateOperator::Increment { 1.0 } else { -1.0 };
                let after = match before {
                    Value::Number(number) => Value::Number(number + step),
                    _ => Value::Unknown,
                };
                self.rebind(id.name.as_str(), self.item(it.span.start, after.clone()));
                if it.prefix { after } else { before }
            }
            SimpleAssignmentTarget::StaticMemberExpression(member) => {
                let unknown = self.unknown(it.span.start);
                self.write_member(&member.object, Some(member.property.name.to_string()), unknown, it.span);
                Value::Unknown
            }
            _ => {
                self.lose(None, it.span);
                Value::Unknown
            }
        }
    }

    /// `delete config.server`
    pub fn delete(&mut self, target: &'a Expression<'a>, span: Span) {
        let gone = self.item(span.start, Value::Undefined);
        match bare(target) {
            Expression::StaticMemberExpression(it) => {
                let name = it.property.name.as_str();
                if let (Value::Shared(id), false) = (self.refer(&it.object).value, self.unsure)
                    && let Value::Object(entries) = &mut self.objects[id].value
                {
                    return entries.retain(|(known, _)| known != name);
                }
                self.write_member(&it.object, Some(name.to_owned()), gone, span);
            }
            Expression::ComputedMemberExpression(it) => {
                let key = as_text(&self.eval(&it.expression).value);
                self.write_member(&it.object, key, gone, span);
            }
            _ => self.lose(None, span),
        }
    }

    pub fn write(&mut self, target: &'a AssignmentTarget<'a>, item: Item, code: Span) {
        match target {
            AssignmentTarget::AssignmentTargetIdentifier(id) => self.rebind(id.name.as_str(), item),
            AssignmentTarget::StaticMemberExpression(it) => {
                self.write_member(&it.object, Some(it.property.name.to_string()), item, code);
            }
            AssignmentTarget::ComputedMemberExpression(it) => {
                let key = as_text(&self.eval(&it.expression).value);
                self.write_member(&it.object, key, item, code);
            }
            _ => self.lose(None, code),
        }
    }

    fn rebind(&mut self, name: &str, item: Item) {
        let item = self.sure(item);
        if let Some(known) = self.scopes.iter_mut().rev().find_map(|scope| scope.get_mut(name)) {
            *known = item;
        }
    }

    fn write_member(&mut self, object: &'a Expression<'a>, key: Option<String>, item: Item, code: Span) {
        let item = self.sure(item);
        if let (true, Some(key)) = (self.is_environment(object), &key) {
            self.variables.insert(key.clone(), item.value);
            // What the application reads of it comes from .env files only.
            return self.lose(None, code);
        }
        match (self.refer(object).value, key) {
            (Value::Shared(id), Some(key)) if self.put(id, &key, item) => {}
            (Value::Shared(id), _) => self.lose(Some(id), code),
            _ if self.is_own(object) => self.lose(None, code),
            _ => {}
        }
    }

    fn put(&mut self, id: usize, key: &str, item: Item) -> bool {
        match &mut self.objects[id].value {
            Value::Object(entries) => set(entries, key.to_owned(), item),
            Value::List(items) => match key.parse::<usize>().ok() {
                Some(at) if at < items.len() => items[at] = item,
                Some(at) if at == items.len() => items.push(item),
                _ => return false,
            },
            _ => return false,
        }
        true
    }

    /// Not of a package, of Node itself, or what a function is given that is not called here.
    fn is_own(&mut self, object: &'a Expression<'a>) -> bool {
        let is_of_node = |name: &str| matches!(name, "globalThis" | "global" | "console" | "process" | "exports");
        !root_name(object).is_some_and(is_of_node) && !matches!(self.refer(object).value, Value::Import { .. })
    }

    /// What a method gives that changes its list; `None`: it is not one of those.
    pub fn change_list(&mut self, call: &'a CallExpression<'a>) -> Option<Value> {
        const METHODS: [&str; 9] =
            ["push", "unshift", "splice", "pop", "shift", "sort", "reverse", "fill", "copyWithin"];
        let Expression::StaticMemberExpression(member) = &call.callee else { return None };
        let name = member.property.name.as_str();
        if !METHODS.contains(&name) {
            return None;
        }
        let Value::Shared(id) = self.refer(&member.object).value else { return None };
        if !matches!(self.objects[id].value, Value::List(_)) {
            return None;
        }
        if !matches!(name, "push" | "unshift") {
            self.lose(Some(id), call.span);
            return Some(Value::Unknown);
        }
        let mut more = Vec::new();
        for argument in &call.arguments {
            match argument {
                Argument::SpreadElement(spread) => more.extend(self.spread(&spread.argument)),
                other => more.extend(other.as_expression().map(|expression| self.refer(expression))),
            }
        }
        let more: Vec<Item> = more.into_iter().map(|item| self.sure(item)).collect();
        match &mut self.objects[id].value {
            Value::List(items) if name == "push" => items.extend(more),
            Value::List(items) => drop(items.splice(0..0, more)),
            _ => {}
        }
        Some(Value::Undefined)
    }

    /// `Object.assign(to, from, …)`
    pub fn assign_all(&mut self, values: Vec<Item>, code: Span) -> Value {
        let mut values = values.into_iter();
        let Some(Item { value: Value::Shared(id), .. }) = values.next() else { return Value::Unknown };
        for from in values {
            match self.opened(from.value) {
                Value::Object(entries) => {
                    for (name, item) in entries {
                        let item = self.sure(item);
                        if name == SPREAD || !self.put(id, &name, item) {
                            self.lose(Some(id), code);
                        }
                    }
                }
                Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_) => {}
                _ => self.lose(Some(id), code),
            }
        }
        Value::Shared(id)
    }
}

/// Names and members that an argument consists of: asking for them again changes nothing.
fn places_in<'a>(expression: &'a Expression<'a>, places: &mut Vec<&'a Expression<'a>>) {
    match bare(expression) {
        place @ (Expression::Identifier(_)
        | Expression::StaticMemberExpression(_)
        | Expression::ComputedMemberExpression(_)) => places.push(place),
        Expression::ObjectExpression(it) => it.properties.iter().for_each(|property| match property {
            ObjectPropertyKind::ObjectProperty(it) => places_in(&it.value, places),
            ObjectPropertyKind::SpreadProperty(_) => {}
        }),
        Expression::ArrayExpression(it) => {
            it.elements.iter().filter_map(|element| element.as_expression()).for_each(|it| places_in(it, places));
        }
        _ => {}
    }
}

/// The name that a chain of members begins with.
fn root_name<'a>(expression: &'a Expression<'a>) -> Option<&'a str> {
    match bare(expression) {
        Expression::Identifier(it) => Some(it.name.as_str()),
        Expression::StaticMemberExpression(it) => root_name(&it.object),
        Expression::ComputedMemberExpression(it) => root_name(&it.object),
        _ => None,
    }
}

fn is_module_exports(target: &AssignmentTarget) -> bool {
    let AssignmentTarget::StaticMemberExpression(it) = target else { return false };
    let Expression::Identifier(owner) = &it.object else { return false };
    matches!((owner.name.as_str(), it.property.name.as_str()), ("module", "exports") | ("exports", "default"))
}
