//! Runs the statements of a configuration file in their order, and keeps what they change.
//!
//! ```text
//! const config = { define: {} }                 1  config is object 0, its define object 1
//! config.define.__A__ = '1'                     2  object 1 gets __A__
//! if (compute()) config.base = '/x/'            3  object 0 gets base: unknown, line 3
//! config.server.proxy = {}                      4  lost: config.server.proxy, line 4
//! ```
//!
//! Where it is not known whether a statement runs, all that it would write becomes [`Value::Unknown`]. What would be written
//! to something that is not known itself is noted, so that nothing goes without a word.

use std::collections::HashMap;

use oxc_ast::ast::*;
use oxc_span::{GetSpan, Span};

use super::{Binding, DEEPEST, Evaluator, Export, Lost, Source, as_text, bare, property_of, set, truth};
use crate::value::{Item, Place, SPREAD, Value, has_unknown_spread};

/// Turns of one loop; more of them are not followed.
const TURNS: usize = 1000;

/// Characters of the code that is shown for what was lost.
const SHOWN: usize = 60;

/// An object or a list, as names share it.
pub(super) struct Slot {
    value: Value,
    /// The line that changes it in a way that is not known.
    changed_at: Option<Place>,
}

/// Where a statement leads.
pub(super) enum Flow {
    Next,
    Return(Item),
    Break,
    Continue,
    /// Out of the loop, or of the function, or on; by the line of the condition.
    Maybe {
        place: Place,
        returns: bool,
    },
}

impl Flow {
    fn or(self, other: Self, place: Place) -> Self {
        match (self.may_return(), other.may_return()) {
            (None, None) => Self::Next,
            (one, other) => Self::Maybe { place, returns: one == Some(true) || other == Some(true) },
        }
    }

    fn may_return(&self) -> Option<bool> {
        match self {
            Self::Next => None,
            Self::Break | Self::Continue => Some(false),
            Self::Return(_) => Some(true),
            Self::Maybe { returns, .. } => Some(*returns),
        }
    }
}

impl<'a> Evaluator<'a, '_> {
    // ---- objects

    /// The same with a place of its own for each object and list that has none yet.
    pub(super) fn share(&self, value: Value) -> Value {
        let shared = |item: Item| Item { value: self.share(item.value), place: item.place };
        let value = match value {
            Value::List(items) => Value::List(items.into_iter().map(shared).collect()),
            Value::Object(entries) => {
                Value::Object(entries.into_iter().map(|(name, item)| (name, shared(item))).collect())
            }
            other => return other,
        };
        let mut objects = self.objects.borrow_mut();
        objects.push(Slot { value, changed_at: None });
        Value::Shared(objects.len() - 1)
    }

    /// A property of an object in a place.
    pub(super) fn property_in(&self, id: usize, key: &str) -> Value {
        let objects = self.objects.borrow();
        match &objects[id] {
            Slot { changed_at: Some(_), .. } => Value::Unknown,
            Slot { value, .. } => property_of(value, key),
        }
    }

    /// What stands in a place, with the places of its parts.
    pub(super) fn opened(&self, value: Value) -> Value {
        let Value::Shared(id) = value else { return value };
        let objects = self.objects.borrow();
        let slot = &objects[id]; // Places are only made by `share`, and stay.
        let size = match &slot.value {
            Value::List(items) => items.len(),
            Value::Object(entries) => entries.len(),
            _ => 0,
        };
        if !self.has_steps(size) {
            return Value::Unknown;
        }
        let mut value = slot.value.clone();
        if let Some(place) = slot.changed_at.filter(|_| !self.finishing.get()) {
            let unknown = Item { value: Value::Unknown, place };
            match &mut value {
                Value::Object(entries) => entries.push((SPREAD.to_owned(), unknown)),
                Value::List(items) => items.push(unknown),
                _ => {}
            }
        }
        value
    }

    /// A value with all its parts, as it is now.
    pub(super) fn read(&self, value: Value) -> Value {
        if !self.has_steps(1) || self.reading.borrow().len() >= DEEPEST as usize {
            return Value::Unknown;
        }
        let whole = |item: Item| Item { value: self.read(item.value), place: item.place };
        match value {
            Value::Shared(id) if self.reading.borrow().contains(&id) => Value::Unknown,
            Value::Shared(id) => {
                if self.finishing.get() {
                    self.seen.borrow_mut().insert(id);
                }
                self.reading.borrow_mut().push(id);
                let read = self.read(self.opened(value));
                self.reading.borrow_mut().pop();
                read
            }
            Value::List(items) => Value::List(items.into_iter().map(whole).collect()),
            Value::Object(entries) => {
                Value::Object(entries.into_iter().map(|(name, item)| (name, whole(item))).collect())
            }
            Value::Call { package, name, args } => {
                Value::Call { package, name, args: args.into_iter().map(whole).collect() }
            }
            other => other,
        }
    }

    /// The export with all its parts, and what was meant for them and lost.
    pub(super) fn finish(&self, export: Item) -> (Item, Vec<(String, Place)>) {
        self.finishing.set(true);
        let value = Item { value: self.read(export.value), place: export.place };
        let seen = self.seen.borrow();
        let mut lost: Vec<(String, Place)> = Vec::new();
        for it in self.lost.take() {
            if it.of.is_none_or(|id| seen.contains(&id)) && !lost.contains(&(it.code.clone(), it.place)) {
                lost.push((it.code, it.place));
            }
        }
        (value, lost)
    }

    fn put(&self, id: usize, key: &str, item: Item) -> bool {
        match &mut self.objects.borrow_mut()[id].value {
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

    /// Notes that an object was changed in a way that is not known.
    fn lose(&self, of: Option<usize>, code: Span) {
        let place = self.place(code.start);
        if let Some(id) = of {
            self.objects.borrow_mut()[id].changed_at = Some(place);
        }
        let words: Vec<&str> = code.source_text(self.source).split_whitespace().collect();
        let mut code = words.join(" ");
        if let Some((end, _)) = code.char_indices().nth(SHOWN) {
            code.truncate(end);
            code.push('…');
        }
        self.lost.borrow_mut().push(Lost { of, code, place });
    }

    /// What a write gives where it is not known whether it takes place.
    fn sure(&self, item: Item) -> Item {
        if self.unsure.get() { Item { value: Value::Unknown, ..item } } else { item }
    }

    fn unsurely<T>(&self, run: impl FnOnce(&Self) -> T) -> T {
        let before = self.unsure.replace(true);
        let result = run(self);
        self.unsure.set(before);
        result
    }

    // ---- statements

    /// The whole file; functions and imports are there from its first line on.
    pub(super) fn program(&self, program: &'a Program<'a>) -> Option<Export<'a>> {
        for statement in &program.body {
            match statement {
                Statement::ImportDeclaration(it) => self.import(it),
                Statement::ExportDeclaration(it) => {
                    if let Declaration::FunctionDeclaration(function) = &it.declaration {
                        self.name_function(function);
                    }
                }
                _ => {}
            }
        }
        self.hoist(&program.body);
        let mut named = None;
        for statement in &program.body {
            match statement {
                Statement::ExportDeclaration(it) => {
                    if let Declaration::VariableDeclaration(declaration) = &it.declaration {
                        self.declare(declaration);
                    }
                }
                Statement::ExportDefaultDeclaration(it) => match &it.declaration {
                    ExportDefaultDeclarationKind::FunctionDeclaration(function) => {
                        self.export.replace(Some(Export::Function(function)));
                    }
                    other => {
                        if let Some(expression) = other.as_expression() {
                            self.export_expression(expression);
                        }
                    }
                },
                Statement::ExportNamedDeclaration(it) => {
                    let is_default = |it: &&ExportSpecifier| it.exported.name() == "default";
                    named = it.specifiers.iter().find(is_default).map(|it| it.local.name().to_string()).or(named);
                }
                Statement::TSExportAssignment(it) => {
                    self.export_expression(&it.expression);
                }
                // Nothing returns from a file.
                other => drop(self.statement(other)),
            }
        }
        match named {
            Some(name) => self.export_name(&name, program.span.start),
            None => self.export.take(),
        }
    }

    /// A function is asked when the file has run; everything else has its value here.
    fn export_expression(&self, expression: &'a Expression<'a>) {
        let export = match self.function_of(expression) {
            _ if self.unsure.get() => Export::Item(self.item(expression.span().start, Value::Unknown)),
            Some(_) => Export::Callable(expression),
            None => Export::Item(self.refer(expression)),
        };
        self.export.replace(Some(export));
    }

    /// `export { config as default }`
    fn export_name(&self, name: &str, start: u32) -> Option<Export<'a>> {
        Some(match self.binding(name)? {
            Binding::Function(function) => Export::Function(function),
            Binding::Constant(_, init) if self.function_of(init).is_some() => Export::Callable(init),
            Binding::Constant(item, _) | Binding::Value(item) => Export::Item(item),
            Binding::Import { .. } | Binding::Foreign => Export::Item(self.item(start, Value::Unknown)),
        })
    }

    fn hoist(&self, statements: &'a [Statement<'a>]) {
        for statement in statements {
            if let Statement::FunctionDeclaration(function) = statement {
                self.name_function(function);
            }
        }
    }

    pub(super) fn run(&self, statements: &'a [Statement<'a>]) -> Flow {
        self.hoist(statements);
        let before = self.unsure.get();
        let mut end = Flow::Next;
        for statement in statements {
            match (self.statement(statement), &end) {
                (Flow::Next, _) => {}
                // It may not come here, and if it does, it leaves.
                (flow, Flow::Maybe { place, .. }) => {
                    let (place, is_left) = (*place, !matches!(flow, Flow::Maybe { .. }));
                    end = end.or(flow, place);
                    if is_left {
                        break;
                    }
                }
                (flow @ Flow::Maybe { .. }, _) => {
                    // What comes after it may not run.
                    self.unsure.set(true);
                    end = flow;
                }
                (flow, _) => {
                    end = flow;
                    break;
                }
            }
        }
        self.unsure.set(before);
        end
    }

    fn block(&self, statements: &'a [Statement<'a>]) -> Flow {
        self.in_scope(|it| it.run(statements))
    }

    pub(super) fn in_scope<T>(&self, run: impl FnOnce(&Self) -> T) -> T {
        self.scopes.borrow_mut().push(HashMap::new());
        let result = run(self);
        self.scopes.borrow_mut().pop();
        result
    }

    fn statement(&self, statement: &'a Statement<'a>) -> Flow {
        let unsure_body = |body: &'a Statement<'a>| {
            let flow = self.unsurely(|it| it.body(body));
            self.after_loop(flow, body.span().start)
        };
        if !self.has_steps(1) {
            return Flow::Return(self.item(statement.span().start, Value::Unknown));
        }
        match statement {
            Statement::VariableDeclaration(it) => self.declare(it),
            Statement::ExpressionStatement(it) => self.effect(&it.expression),
            Statement::ReturnStatement(it) => {
                let nothing = || self.item(it.span.start, Value::Undefined);
                return Flow::Return(it.argument.as_ref().map_or_else(nothing, |value| self.refer(value)));
            }
            // A file that throws is no configuration; what would be one if it did not is still of use.
            Statement::ThrowStatement(_) => {}
            Statement::BlockStatement(it) => return self.block(&it.body),
            Statement::IfStatement(it) => return self.run_if(it),
            Statement::BreakStatement(it) if it.label.is_none() => return Flow::Break,
            Statement::ContinueStatement(it) if it.label.is_none() => return Flow::Continue,
            Statement::BreakStatement(_) | Statement::ContinueStatement(_) => {
                // The whole statement that has the label is one that may run.
                return Flow::Maybe { place: self.place(statement.span().start), returns: false };
            }
            Statement::LabeledStatement(it) => return unsure_body(&it.body),
            Statement::SwitchStatement(it) => return self.switch(it),
            Statement::TryStatement(it) => return self.attempt(it),
            Statement::ForOfStatement(it) => {
                let turns = match self.opened(self.refer(&it.right).value) {
                    Value::List(items) => Some(items),
                    _ => None,
                };
                return self.turns(&it.left, turns, &it.body);
            }
            Statement::ForInStatement(it) => {
                let turns = match self.opened(self.refer(&it.right).value) {
                    Value::Object(entries) if !has_unknown_spread(&entries) => {
                        let key = |(name, item): (String, Item)| Item { value: Value::Text(name), place: item.place };
                        Some(entries.into_iter().map(key).collect())
                    }
                    _ => None,
                };
                return self.turns(&it.left, turns, &it.body);
            }
            Statement::ForStatement(it) => {
                return self.in_scope(|this| {
                    match &it.init {
                        // Its value is that of the first turn only.
                        Some(ForStatementInit::VariableDeclaration(it)) => this.declare_unknown(it),
                        Some(init) => init.as_expression().into_iter().for_each(|it| this.effect(it)),
                        None => {}
                    }
                    let flow = this.unsurely(|this| {
                        it.update.iter().for_each(|update| this.effect(update));
                        this.body(&it.body)
                    });
                    this.after_loop(flow, it.span.start)
                });
            }
            Statement::WhileStatement(it) => return unsure_body(&it.body),
            Statement::DoWhileStatement(it) => return unsure_body(&it.body),
            _ => {}
        }
        Flow::Next
    }

    fn body(&self, statement: &'a Statement<'a>) -> Flow {
        self.block(std::slice::from_ref(statement))
    }

    fn run_if(&self, it: &'a IfStatement<'a>) -> Flow {
        let known = truth(&self.refer(&it.test).value).filter(|_| !self.unsure.get());
        let other = |this: &Self| it.alternate.as_ref().map_or(Flow::Next, |other| this.body(other));
        match known {
            Some(true) => self.body(&it.consequent),
            Some(false) => other(self),
            None => self.unsurely(|this| this.body(&it.consequent).or(other(this), this.place(it.span.start))),
        }
    }

    fn switch(&self, it: &'a SwitchStatement<'a>) -> Flow {
        let wanted = self.refer(&it.discriminant).value;
        let mut known = (!self.unsure.get() && as_text(&wanted).is_some()).then_some(None);
        for (at, case) in it.cases.iter().enumerate() {
            let test = case.test.as_ref().map(|test| self.refer(test).value);
            match test {
                Some(value) if as_text(&value).is_none() => known = None,
                Some(value) if value == wanted && known == Some(None) => known = Some(Some(at)),
                _ => {}
            }
        }
        let default = it.cases.iter().position(|case| case.test.is_none()).unwrap_or(it.cases.len());
        self.in_scope(|this| match known {
            Some(from) => {
                for case in &it.cases[from.unwrap_or(default)..] {
                    match this.run(&case.consequent) {
                        Flow::Next => {}
                        Flow::Break | Flow::Maybe { returns: false, .. } => break,
                        flow => return flow,
                    }
                }
                Flow::Next
            }
            None => this.unsurely(|this| {
                let place = this.place(it.span.start);
                let run = |flow: Flow, case: &'a SwitchCase<'a>| match this.run(&case.consequent) {
                    Flow::Break => flow,
                    other => flow.or(other, place),
                };
                it.cases.iter().fold(Flow::Next, run)
            }),
        })
    }

    /// Whether something is thrown is not known.
    fn attempt(&self, it: &'a TryStatement<'a>) -> Flow {
        let place = self.place(it.span.start);
        let tried = self.unsurely(|this| {
            let tried = this.block(&it.block.body);
            match &it.handler {
                Some(handler) => tried.or(this.block(&handler.body.body), place),
                None => tried.or(Flow::Next, place),
            }
        });
        match it.finalizer.as_ref().map(|last| self.block(&last.body)) {
            None | Some(Flow::Next) => tried,
            Some(flow) => flow,
        }
    }

    fn turns(&self, left: &'a ForStatementLeft<'a>, turns: Option<Vec<Item>>, body: &'a Statement<'a>) -> Flow {
        let start = body.span().start;
        let name = match left {
            ForStatementLeft::VariableDeclaration(it) => it.declarations.first().map(|it| &it.id),
            _ => None,
        };
        let known = turns.filter(|items| items.len() <= TURNS && items.iter().all(|it| it.value != Value::Unknown));
        let (Some(name), Some(items), false) = (name, known, self.unsure.get()) else {
            let flow = self.in_scope(|this| {
                match (name, left.as_assignment_target()) {
                    (Some(name), _) => this.bind_pattern(name, &Binding::Value, this.unknown(start)),
                    (None, Some(target)) => this.write(target, this.unknown(start).item, body.span()),
                    (None, None) => {}
                }
                this.unsurely(|this| this.body(body))
            });
            return self.after_loop(flow, start);
        };
        let before = self.unsure.get();
        let mut end = Flow::Next;
        for item in items {
            let flow = self.in_scope(|this| {
                this.bind_pattern(name, &Binding::Value, Source { item, import: None });
                this.body(body)
            });
            match flow {
                Flow::Next | Flow::Continue => {}
                Flow::Maybe { .. } => {
                    self.unsure.set(true);
                    end = end.or(flow, self.place(start));
                }
                Flow::Break => break,
                Flow::Return(_) if matches!(end, Flow::Next) => {
                    end = flow;
                    break;
                }
                Flow::Return(_) => {
                    end = end.or(flow, self.place(start));
                    break;
                }
            }
        }
        self.unsure.set(before);
        match end {
            Flow::Maybe { returns: false, .. } => Flow::Next,
            end => end,
        }
    }

    /// What leaves a loop of which it is not known how often it runs.
    fn after_loop(&self, flow: Flow, start: u32) -> Flow {
        match flow.may_return() {
            Some(true) => Flow::Maybe { place: self.place(start), returns: true },
            _ => Flow::Next,
        }
    }

    // ---- writing

    /// An expression that stands for itself.
    fn effect(&self, expression: &'a Expression<'a>) {
        match bare(expression) {
            Expression::CallExpression(it) => self.call_as_statement(it),
            Expression::ChainExpression(it) => match &it.expression {
                ChainElement::CallExpression(it) => self.call_as_statement(it),
                _ => drop(self.refer(expression)),
            },
            Expression::LogicalExpression(it) => match truth(&self.refer(&it.left).value) {
                Some(known) if !self.unsure.get() && it.operator != LogicalOperator::Coalesce => {
                    if known == (it.operator == LogicalOperator::And) {
                        self.effect(&it.right);
                    }
                }
                _ => self.unsurely(|this| this.effect(&it.right)),
            },
            Expression::ConditionalExpression(it) => {
                match truth(&self.refer(&it.test).value).filter(|_| !self.unsure.get()) {
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

    fn call_as_statement(&self, it: &'a CallExpression<'a>) {
        let value = self.call_value(it);
        // A function of the file has run here, and has noted itself what it lost.
        let is_known = !matches!(value, Value::Unknown | Value::Call { .. });
        if is_known || self.function_of(&it.callee).is_some() {
            return;
        }
        self.callbacks(it, true);
        if let Some(name) = root_name(&it.callee)
            && name == "console"
        {
            return;
        }
        // What is given to a function that is not known may be changed by it.
        let owner = match &it.callee {
            Expression::StaticMemberExpression(member) => Some(&member.object),
            _ => None,
        };
        let mut places = Vec::new();
        for given in it.arguments.iter().filter_map(given).chain(owner) {
            places_in(given, &mut places);
        }
        for place in places {
            match self.refer(place).value {
                Value::Shared(id) => self.lose(Some(id), it.span),
                _ if owner.is_some_and(|owner| std::ptr::eq(bare(owner), place) && self.is_own(owner)) => {
                    self.lose(None, it.span);
                }
                _ => {}
            }
        }
    }

    /// Functions that are given to one that is not known: they may be called.
    pub(super) fn callbacks(&self, it: &'a CallExpression<'a>, is_statement: bool) {
        for given in it.arguments.iter().filter_map(Argument::as_expression) {
            let (params, body) = match bare(given) {
                Expression::ArrowFunctionExpression(it) => (&it.params, Some(&it.body)),
                Expression::FunctionExpression(it) => {
                    if let Some(body) = it.body.as_deref() {
                        self.perhaps(&it.params, is_statement, |this| drop(this.run(&body.statements)));
                    }
                    continue;
                }
                _ => continue,
            };
            self.perhaps(params, is_statement, |this| match body {
                Some(ArrowFunctionBody::FunctionBody(body)) => drop(this.run(&body.statements)),
                Some(body) => body.as_expression().into_iter().for_each(|it| this.effect(it)),
                None => {}
            });
        }
    }

    fn perhaps(&self, params: &'a FormalParameters<'a>, is_statement: bool, run: impl FnOnce(&Self)) {
        let binding = |item: Item| if is_statement { Binding::Value(item) } else { Binding::Foreign };
        let step = || {
            self.in_scope(|this| {
                for param in &params.items {
                    this.bind_pattern(&param.pattern, &binding, this.unknown(params.span.start));
                }
                this.unsurely(run);
            });
        };
        self.deeper(|_| step());
    }

    pub(super) fn assign(&self, it: &'a AssignmentExpression<'a>) -> Value {
        let current = || match &it.left {
            AssignmentTarget::AssignmentTargetIdentifier(id) => self.named(id.name.as_str()),
            AssignmentTarget::StaticMemberExpression(member) => {
                self.member(&member.object, member.property.name.as_str())
            }
            AssignmentTarget::ComputedMemberExpression(member) => self.computed_member(member),
            _ => Value::Unknown,
        };
        let right = match it.operator {
            AssignmentOperator::Assign => {
                if is_module_exports(&it.left) {
                    self.export_expression(&it.right);
                    return Value::Undefined;
                }
                self.refer(&it.right).value
            }
            AssignmentOperator::Addition => super::added(&current(), &self.refer(&it.right).value),
            AssignmentOperator::LogicalNullish | AssignmentOperator::LogicalOr | AssignmentOperator::LogicalAnd => {
                let left = current();
                let writes = match it.operator {
                    AssignmentOperator::LogicalNullish if left == Value::Unknown => None,
                    AssignmentOperator::LogicalNullish => Some(matches!(left, Value::Undefined | Value::Null)),
                    AssignmentOperator::LogicalOr => truth(&left).map(|truth| !truth),
                    _ => truth(&left),
                };
                match writes {
                    Some(true) => self.refer(&it.right).value,
                    Some(false) => return left,
                    None => Value::Unknown,
                }
            }
            _ => Value::Unknown,
        };
        self.write(&it.left, self.item(it.span.start, right.clone()), it.left.span());
        right
    }

    /// `count++`, by what comes out.
    pub(super) fn update(&self, it: &'a UpdateExpression<'a>) -> Value {
        let SimpleAssignmentTarget::AssignmentTargetIdentifier(id) = &it.argument else {
            if let SimpleAssignmentTarget::StaticMemberExpression(member) = &it.argument {
                let unknown = self.item(it.span.start, Value::Unknown);
                self.write_member(&member.object, Some(member.property.name.to_string()), unknown, it.span);
            } else {
                self.lose(None, it.span);
            }
            return Value::Unknown;
        };
        let before = self.named(id.name.as_str());
        let step = if it.operator == UpdateOperator::Increment { 1.0 } else { -1.0 };
        let after = match before {
            Value::Number(number) => Value::Number(number + step),
            _ => Value::Unknown,
        };
        self.rebind(id.name.as_str(), self.item(it.span.start, after.clone()));
        if it.prefix { after } else { before }
    }

    /// `delete config.server`
    pub(super) fn delete(&self, target: &'a Expression<'a>, span: Span) {
        let gone = self.item(span.start, Value::Undefined);
        if let Expression::StaticMemberExpression(it) = bare(target)
            && let (Value::Shared(id), false) = (self.refer(&it.object).value, self.unsure.get())
            && let Value::Object(entries) = &mut self.objects.borrow_mut()[id].value
        {
            return entries.retain(|(name, _)| name != it.property.name.as_str());
        }
        match bare(target) {
            Expression::StaticMemberExpression(it) => {
                self.write_member(&it.object, Some(it.property.name.to_string()), gone, span);
            }
            Expression::ComputedMemberExpression(it) => {
                self.write_member(&it.object, as_text(&self.eval(&it.expression).value), gone, span);
            }
            _ => self.lose(None, span),
        }
    }

    fn write(&self, target: &'a AssignmentTarget<'a>, item: Item, code: Span) {
        match target {
            AssignmentTarget::AssignmentTargetIdentifier(id) => self.rebind(id.name.as_str(), item),
            AssignmentTarget::StaticMemberExpression(it) => {
                self.write_member(&it.object, Some(it.property.name.to_string()), item, code);
            }
            AssignmentTarget::ComputedMemberExpression(it) => {
                self.write_member(&it.object, as_text(&self.eval(&it.expression).value), item, code);
            }
            _ => self.lose(None, code),
        }
    }

    fn rebind(&self, name: &str, item: Item) {
        let item = self.sure(item);
        let mut scopes = self.scopes.borrow_mut();
        if let Some(binding) = scopes.iter_mut().rev().find_map(|scope| scope.get_mut(name)) {
            *binding = Binding::Value(item);
        }
    }

    fn write_member(&self, object: &'a Expression<'a>, key: Option<String>, item: Item, code: Span) {
        if let (true, Some(key)) = (self.is_environment(object), &key) {
            self.variables.borrow_mut().insert(key.clone(), self.sure(item).value);
            // What the application reads of it comes from .env files only.
            return self.lose(None, code);
        }
        match (self.refer(object).value, key) {
            (Value::Shared(id), Some(key)) if self.put(id, &key, self.sure(item.clone())) => {}
            (Value::Shared(id), _) => self.lose(Some(id), code),
            _ if self.is_own(object) => self.lose(None, code),
            _ => {}
        }
    }

    /// Not of a package, of Node itself, or what a function is given that is not called here.
    fn is_own(&self, object: &'a Expression<'a>) -> bool {
        let is_foreign = |name: &str| {
            matches!(name, "globalThis" | "global" | "console" | "process" | "exports")
                || matches!(self.binding(name), Some(Binding::Foreign))
        };
        self.imported(object).is_none() && !root_name(object).is_some_and(is_foreign)
    }

    // ---- methods that change

    /// What a method gives that changes its list; `None`: it is not one of those.
    pub(super) fn change_list(&self, call: &'a CallExpression<'a>) -> Option<Value> {
        const METHODS: [&str; 9] =
            ["push", "unshift", "splice", "pop", "shift", "sort", "reverse", "fill", "copyWithin"];
        let Expression::StaticMemberExpression(member) = &call.callee else { return None };
        let name = member.property.name.as_str();
        if !METHODS.contains(&name) {
            return None;
        }
        let Value::Shared(id) = self.refer(&member.object).value else { return None };
        if !matches!(self.objects.borrow()[id].value, Value::List(_)) {
            return None;
        }
        if !matches!(name, "push" | "unshift") {
            self.lose(Some(id), call.span);
            return Some(Value::Unknown);
        }
        let mut more = Vec::new();
        for argument in &call.arguments {
            match argument {
                Argument::SpreadElement(spread) => {
                    let item = self.refer(&spread.argument);
                    match self.opened(item.value) {
                        Value::List(items) => more.extend(items),
                        _ => more.push(Item { value: Value::Unknown, place: item.place }),
                    }
                }
                other => more.extend(other.as_expression().map(|expression| self.refer(expression))),
            }
        }
        let more = more.into_iter().map(|item| self.sure(item));
        match &mut self.objects.borrow_mut()[id].value {
            Value::List(items) if name == "push" => items.extend(more),
            Value::List(items) => drop(items.splice(0..0, more)),
            _ => {}
        }
        Some(Value::Undefined)
    }

    /// `Object.assign(to, from, …)`
    pub(super) fn assign_all(&self, values: Vec<Item>, code: Span) -> Value {
        let mut values = values.into_iter();
        let Some(Item { value: Value::Shared(id), .. }) = values.next() else { return Value::Unknown };
        for from in values {
            match self.opened(from.value) {
                Value::Object(entries) => {
                    for (name, item) in entries {
                        if name == SPREAD || !self.put(id, &name, self.sure(item)) {
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

fn given<'a>(argument: &'a Argument<'a>) -> Option<&'a Expression<'a>> {
    match argument {
        Argument::SpreadElement(spread) => Some(&spread.argument),
        other => other.as_expression(),
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
    match target {
        AssignmentTarget::StaticMemberExpression(it) => {
            let owner = match &it.object {
                Expression::Identifier(owner) => owner.name.as_str(),
                _ => return false,
            };
            (owner == "module" && it.property.name == "exports")
                || (owner == "exports" && it.property.name == "default")
        }
        _ => false,
    }
}
