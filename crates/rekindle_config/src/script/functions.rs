//! Functions of the file: called where it is known with what, and as replacements where that is all they do.

use oxc_ast::ast::*;

use super::evaluator::{Body, DEEPEST, Evaluator, Function};
use super::expressions::bare;
use super::operators::as_text;
use super::statements::Flow;
use crate::value::{Item, Replacement, Value};

impl<'a> Evaluator<'a, '_> {
    pub fn function(&mut self, function: Function<'a>) -> Value {
        self.functions.push(function);
        let id = self.functions.len() - 1;
        // Constants that it needs may be gone later, or not be there yet.
        self.functions[id].replacements = self.replacements(id);
        Value::Function(id)
    }

    /// The value of an export: a function is asked, as Vite does.
    pub fn answer(&mut self, export: Item) -> Item {
        let Value::Function(id) = export.value else { return export };
        let entry = |name: &str, value: Value| (name.to_owned(), Item { value, place: export.place });
        let question = Value::Object(vec![
            entry("mode", Value::Text(self.config_env.mode.to_owned())),
            entry("command", Value::Text(self.config_env.command.to_owned())),
            entry("isSsrBuild", Value::Bool(false)),
            entry("ssrBuild", Value::Bool(false)),
            entry("isPreview", Value::Bool(false)),
        ]);
        let value = self.share(question);
        self.call_function(id, vec![Item { value, place: export.place }])
            .unwrap_or(Item { value: Value::Unknown, place: export.place })
    }

    /// What a function returns; `None` where too many calls lead here.
    pub fn call_function(&mut self, id: usize, args: Vec<Item>) -> Option<Item> {
        if self.depth >= DEEPEST {
            return None;
        }
        let Function { params, body, .. } = self.functions[id].clone();
        self.depth += 1;
        let result = self.in_scope(|this| {
            this.bind_params(params, args);
            match body {
                Body::Expression(expression) => this.refer(expression),
                Body::Statements(body) => match this.run(&body.statements) {
                    Flow::Return(item) => item,
                    // Either could be meant.
                    Flow::Maybe { place, returns: true } => Item { value: Value::Unknown, place },
                    _ => this.item(body.span.start, Value::Undefined),
                },
            }
        });
        self.depth -= 1;
        Some(result)
    }

    /// Runs a function that may be called, with what is not known.
    pub fn perhaps(&mut self, id: usize, argument: &Value) {
        if self.depth >= DEEPEST {
            return;
        }
        let Function { params, body, .. } = self.functions[id].clone();
        self.depth += 1;
        self.in_scope(|this| {
            for param in &params.items {
                let item = this.item(params.span.start, argument.clone());
                this.bind_pattern(&param.pattern, item);
            }
            this.unsurely(|this| match body {
                Body::Expression(expression) => this.effect(expression),
                Body::Statements(body) => drop(this.run(&body.statements)),
            });
        });
        self.depth -= 1;
    }

    /// The replacements that a function of one text makes: `(path) => path.replace(/^\/api/, '')`.
    pub fn replacements(&mut self, id: usize) -> Option<Vec<Replacement>> {
        let Function { params, body, .. } = self.functions[id].clone();
        let [FormalParameter { pattern: BindingPattern::BindingIdentifier(param), .. }] = params.items.as_slice()
        else {
            return None;
        };
        let result = match body {
            Body::Expression(expression) => expression,
            Body::Statements(body) => match body.statements.as_slice() {
                [Statement::ReturnStatement(it)] => it.argument.as_ref()?,
                _ => return None,
            },
        };
        self.steps_of(result, param.name.as_str())
    }

    fn steps_of(&mut self, expression: &'a Expression<'a>, param: &str) -> Option<Vec<Replacement>> {
        let plain = |pattern: &str, to: &str| Replacement {
            pattern: pattern.to_owned(),
            flags: String::new(),
            to: to.replace('$', "$$"),
        };
        match bare(expression) {
            Expression::Identifier(it) if it.name == param => Some(Vec::new()),
            Expression::CallExpression(call) => {
                let Expression::StaticMemberExpression(member) = &call.callee else { return None };
                let mut steps = self.steps_of(&member.object, param)?;
                let given = call.arguments.iter().filter_map(Argument::as_expression);
                let args: Vec<Value> = given.map(|arg| self.eval(arg).value).collect();
                let step = match (member.property.name.as_str(), args.as_slice()) {
                    ("replace" | "replaceAll", [Value::Pattern { source, flags }, Value::Text(to)]) => {
                        Replacement { pattern: source.clone(), flags: flags.clone(), to: to.clone() }
                    }
                    (name @ ("replace" | "replaceAll"), [Value::Text(from), Value::Text(to)]) => Replacement {
                        pattern: fancy_regex::escape(from).into_owned(),
                        flags: if name == "replaceAll" { "g".to_owned() } else { String::new() },
                        to: to.clone(),
                    },
                    ("slice" | "substring", [Value::Number(count)]) if *count >= 0.0 => {
                        plain(&format!("^[\\s\\S]{{0,{}}}", *count as u32), "")
                    }
                    _ => return None,
                };
                steps.push(step);
                Some(steps)
            }
            Expression::BinaryExpression(it) if it.operator == BinaryOperator::Addition => {
                let (inner, pattern, added) = match self.steps_of(&it.right, param) {
                    Some(steps) => (steps, "^", &it.left),
                    None => (self.steps_of(&it.left, param)?, "$", &it.right),
                };
                let text = as_text(&self.eval(added).value)?;
                Some(inner.into_iter().chain([plain(pattern, &text)]).collect())
            }
            Expression::TemplateLiteral(it) => {
                let ([before, after], [inner]) = (it.quasis.as_slice(), it.expressions.as_slice()) else { return None };
                let mut steps = self.steps_of(inner, param)?;
                for (pattern, quasi) in [("^", before), ("$", after)] {
                    let text = quasi.value.cooked.as_ref()?.as_str();
                    if !text.is_empty() {
                        steps.push(plain(pattern, text));
                    }
                }
                Some(steps)
            }
            _ => None,
        }
    }
}
