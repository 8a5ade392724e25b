//! Runs the statements of a configuration file in their order.
//!
//! Where it is not known whether a statement runs, all that it would write becomes [`Value::Unknown`]. What would be written
//! to something that is not known itself is noted, so that nothing goes without a word.

use oxc_ast::ast::*;
use oxc_span::GetSpan;

use super::evaluator::Evaluator;
use super::operators::{as_text, is_known, truth};
use crate::value::{Item, Place, Value, has_unknown_spread};

/// Turns of one loop; more of them are not followed.
const TURNS: usize = 1000;

/// Where a statement leads.
pub(super) enum Flow {
    Next,
    Return(Item),
    Break,
    Continue,
    /// Out of the loop, or of the function, or on; by the place of the condition.
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

    /// What leaves a loop, or a labelled statement, of which it is not known how often it runs.
    fn after_loop(self, place: Place) -> Self {
        match self.may_return() {
            Some(true) => Self::Maybe { place, returns: true },
            _ => Self::Next,
        }
    }
}

impl<'a> Evaluator<'a, '_> {
    /// The whole file, and its default export; functions and imports are there from its first line on.
    pub fn program(&mut self, program: &'a Program<'a>) -> Option<Item> {
        for statement in &program.body {
            match statement {
                Statement::ImportDeclaration(it) => self.import(it),
                Statement::ExportDeclaration(it) => {
                    if let Declaration::FunctionDeclaration(function) = &it.declaration {
                        self.hoist(function);
                    }
                }
                Statement::FunctionDeclaration(function) => self.hoist(function),
                _ => {}
            }
        }
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
                        let value = self.declared(function).unwrap_or(Value::Unknown);
                        self.export = Some(self.item(function.span.start, value));
                    }
                    other => other.as_expression().into_iter().for_each(|it| self.export_expression(it)),
                },
                Statement::ExportNamedDeclaration(it) => {
                    let is_default = |it: &&ExportSpecifier| it.exported.name() == "default";
                    named = it.specifiers.iter().find(is_default).map(|it| it.local.name().to_string()).or(named);
                }
                Statement::TSExportAssignment(it) => self.export_expression(&it.expression),
                // Nothing returns from a file.
                other => drop(self.statement(other)),
            }
        }
        match named {
            // `export { config as default }`
            Some(name) => self.binding(&name).cloned(),
            None => self.export.take(),
        }
    }

    pub fn export_expression(&mut self, expression: &'a Expression<'a>) {
        let item = self.refer(expression);
        self.export = Some(self.sure(item));
    }

    pub fn run(&mut self, statements: &'a [Statement<'a>]) -> Flow {
        for statement in statements {
            if let Statement::FunctionDeclaration(function) = statement {
                self.hoist(function);
            }
        }
        let before = self.unsure;
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
                    self.unsure = true;
                    end = flow;
                }
                (flow, _) => {
                    end = flow;
                    break;
                }
            }
        }
        self.unsure = before;
        end
    }

    fn block(&mut self, statements: &'a [Statement<'a>]) -> Flow {
        self.in_scope(|this| this.run(statements))
    }

    fn body(&mut self, statement: &'a Statement<'a>) -> Flow {
        self.block(std::slice::from_ref(statement))
    }

    fn statement(&mut self, statement: &'a Statement<'a>) -> Flow {
        let here = self.unknown(statement.span().start);
        if !self.has_steps(1) {
            return Flow::Return(here);
        }
        match statement {
            Statement::VariableDeclaration(it) => self.declare(it),
            Statement::ExpressionStatement(it) => self.effect(&it.expression),
            Statement::ReturnStatement(it) => {
                return Flow::Return(match &it.argument {
                    Some(value) => self.refer(value),
                    None => Item { value: Value::Undefined, ..here },
                });
            }
            Statement::BlockStatement(it) => return self.block(&it.body),
            Statement::IfStatement(it) => return self.run_if(it),
            Statement::BreakStatement(it) if it.label.is_none() => return Flow::Break,
            Statement::ContinueStatement(it) if it.label.is_none() => return Flow::Continue,
            // The whole statement that has the label is one that may run.
            Statement::BreakStatement(_) | Statement::ContinueStatement(_) => {
                return Flow::Maybe { place: here.place, returns: false };
            }
            Statement::SwitchStatement(it) => return self.switch(it),
            Statement::TryStatement(it) => return self.attempt(it),
            Statement::ForOfStatement(it) => {
                let right = self.refer(&it.right).value;
                let turns = match self.opened(right) {
                    Value::List(items) => Some(items),
                    _ => None,
                };
                return self.turns(&it.left, turns, &it.body);
            }
            Statement::ForInStatement(it) => {
                let right = self.refer(&it.right).value;
                let turns = match self.opened(right) {
                    Value::Object(entries) if !has_unknown_spread(&entries) => {
                        let key = |(name, item): (String, Item)| Item { value: Value::Text(name), place: item.place };
                        Some(entries.into_iter().map(key).collect())
                    }
                    _ => None,
                };
                return self.turns(&it.left, turns, &it.body);
            }
            Statement::ForStatement(it) => return self.count(it),
            Statement::LabeledStatement(it) => return self.maybe_often(&it.body),
            Statement::WhileStatement(it) => return self.maybe_often(&it.body),
            Statement::DoWhileStatement(it) => return self.maybe_often(&it.body),
            // A file that throws is no configuration; what would be one if it did not is still of use.
            _ => {}
        }
        Flow::Next
    }

    fn maybe_often(&mut self, body: &'a Statement<'a>) -> Flow {
        let place = self.unknown(body.span().start).place;
        self.unsurely(|this| this.body(body)).after_loop(place)
    }

    fn run_if(&mut self, it: &'a IfStatement<'a>) -> Flow {
        let known = truth(&self.refer(&it.test).value).filter(|_| !self.unsure);
        let place = self.unknown(it.span.start).place;
        match (known, &it.alternate) {
            (Some(true), _) => self.body(&it.consequent),
            (Some(false), None) => Flow::Next,
            (Some(false), Some(other)) => self.body(other),
            (None, other) => self.unsurely(|this| {
                let flow = this.body(&it.consequent);
                let other = other.as_ref().map_or(Flow::Next, |other| this.body(other));
                flow.or(other, place)
            }),
        }
    }

    fn switch(&mut self, it: &'a SwitchStatement<'a>) -> Flow {
        let wanted = self.refer(&it.discriminant).value;
        let place = self.unknown(it.span.start).place;
        let mut are_known = !self.unsure && as_text(&wanted).is_some();
        let mut matching = None;
        for (at, case) in it.cases.iter().enumerate() {
            let Some(value) = case.test.as_ref().map(|test| self.refer(test).value) else { continue };
            are_known &= as_text(&value).is_some() || matching.is_some();
            if value == wanted {
                matching.get_or_insert(at);
            }
        }
        let default = it.cases.iter().position(|case| case.test.is_none()).unwrap_or(it.cases.len());
        self.in_scope(|this| {
            if !are_known {
                return this.unsurely(|this| {
                    it.cases.iter().fold(Flow::Next, |flow, case| match this.run(&case.consequent) {
                        Flow::Break => flow,
                        other => flow.or(other, place),
                    })
                });
            }
            for case in &it.cases[matching.unwrap_or(default)..] {
                match this.run(&case.consequent) {
                    Flow::Next => {}
                    Flow::Break | Flow::Maybe { returns: false, .. } => break,
                    flow => return flow,
                }
            }
            Flow::Next
        })
    }

    /// Whether something is thrown is not known.
    fn attempt(&mut self, it: &'a TryStatement<'a>) -> Flow {
        let place = self.unknown(it.span.start).place;
        let tried = self.unsurely(|this| {
            let tried = this.block(&it.block.body);
            let caught = it.handler.as_ref().map_or(Flow::Next, |handler| this.block(&handler.body.body));
            tried.or(caught, place)
        });
        match it.finalizer.as_ref().map(|last| self.block(&last.body)) {
            None | Some(Flow::Next) => tried,
            Some(flow) => flow,
        }
    }

    /// `for (let i = 0; …; …)`: how often it runs is not followed.
    fn count(&mut self, it: &'a ForStatement<'a>) -> Flow {
        let place = self.unknown(it.span.start).place;
        self.in_scope(|this| {
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
            flow.after_loop(place)
        })
    }

    fn turns(&mut self, left: &'a ForStatementLeft<'a>, turns: Option<Vec<Item>>, body: &'a Statement<'a>) -> Flow {
        let here = self.unknown(body.span().start);
        let place = here.place;
        let known = turns.filter(|items| items.len() <= TURNS && items.iter().all(|it| is_known(&it.value)));
        let (ForStatementLeft::VariableDeclaration(names), Some(items), false) = (left, known, self.unsure) else {
            let flow = self.in_scope(|this| {
                match left {
                    ForStatementLeft::VariableDeclaration(it) => this.declare_unknown(it),
                    left => {
                        if let Some(target) = left.as_assignment_target() {
                            this.write(target, here, body.span());
                        }
                    }
                }
                this.unsurely(|this| this.body(body))
            });
            return flow.after_loop(place);
        };
        let before = self.unsure;
        let mut end = Flow::Next;
        for item in items {
            let flow = self.in_scope(|this| {
                names.declarations.iter().for_each(|it| this.bind_pattern(&it.id, item.clone()));
                this.body(body)
            });
            match flow {
                Flow::Next | Flow::Continue => {}
                Flow::Break => break,
                Flow::Maybe { .. } => {
                    self.unsure = true;
                    end = end.or(flow, place);
                }
                Flow::Return(_) => {
                    end = if matches!(end, Flow::Next) { flow } else { end.or(flow, place) };
                    break;
                }
            }
        }
        self.unsure = before;
        match end {
            Flow::Maybe { returns: false, .. } => Flow::Next,
            end => end,
        }
    }
}
