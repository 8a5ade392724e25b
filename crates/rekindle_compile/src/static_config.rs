//! Reads the default export of a configuration file without running it.
//!
//! ```text
//! const port = 3000                                   { base: "/app/",
//! export default defineConfig(({ mode }) => ({    →     server: { port: 3000 },
//!   base: `/${'app'}/`,                                 plugins: [call of react of "@vitejs/plugin-react"],
//!   server: { port },                                   define: unknown, line 6 }
//!   plugins: [react()],
//!   define: compute(),
//! }))
//! ```
//!
//! What depends on more than the file and what it plainly names (JSON files, `.env` files, variables of the environment) is
//! [`Value::Unknown`], never a guess.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use oxc_allocator::Allocator;
use oxc_ast::ast::*;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::{GetSpan, SourceType};

use crate::env::{Env, load_env};
use crate::nesting::{COMPILE_STACK, too_deep};
use crate::resolve::normal;

/// A value and the line that says it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub value: Value,
    pub line: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Undefined,
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Pattern {
        source: String,
        flags: String,
    },
    /// The address of a file: `new URL('./src', import.meta.url)`.
    FileUrl(PathBuf),
    /// The text of a file, by its path: `fs.readFileSync('key.pem')`.
    FileText(PathBuf),
    List(Vec<Item>),
    Object(Vec<(String, Item)>),
    /// A call of something imported, as plugins are.
    Call {
        package: String,
        name: String,
        args: Vec<Item>,
    },
    /// A function of one text: replacements, one after the other.
    Rewriter(Vec<Replacement>),
    Unknown,
}

/// `text.replace(/pattern/flags, to)`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replacement {
    pub pattern: String,
    pub flags: String,
    pub to: String,
}

/// The default export, and the files that had a part in it.
#[derive(Clone, Debug, PartialEq)]
pub struct StaticConfig {
    pub value: Item,
    pub files: Vec<PathBuf>,
}

/// What the file is told when its export is a function.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    pub mode: &'a str,
    /// `serve` or `build`.
    pub command: &'a str,
    /// The folder the command was started for.
    pub folder: &'a Path,
}

/// Evaluates a file. The error is a sentence: it cannot be read or parsed, or exports nothing by default.
pub fn evaluate(file: &Path, situation: Situation<'_>) -> Result<StaticConfig, String> {
    // The parser is recursive, and a stack overflow cannot be caught.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(COMPILE_STACK);
        let started = thread.spawn_scoped(scope, || evaluate_here(file, situation));
        let evaluated = started.map_err(|error| format!("it cannot be read: {error}"))?.join();
        evaluated.unwrap_or_else(|_| Err("rekindle ran into a bug of its own with it".to_owned()))
    })
}

fn evaluate_here(file: &Path, situation: Situation<'_>) -> Result<StaticConfig, String> {
    let source = std::fs::read_to_string(file).map_err(|error| format!("it cannot be read: {error}"))?;
    if too_deep(&source).is_some() {
        return Err("it is nested too deeply".to_owned());
    }
    let allocator = Allocator::default();
    let source_type = SourceType::from_path(file).unwrap_or_else(|_| SourceType::mjs()).with_module(true);
    let options =
        ParseOptions { preserve_parens: false, allow_return_outside_function: true, ..ParseOptions::default() };
    let parsed = Parser::new(&allocator, &source, source_type).with_options(options).parse();
    if let Some(error) = parsed.diagnostics.errors().next() {
        return Err(format!("it cannot be parsed: {}", error.message));
    }
    let evaluator = Evaluator {
        source: &source,
        file,
        situation,
        depth: Cell::new(0),
        files: RefCell::default(),
        scopes: RefCell::new(vec![HashMap::new()]),
    };
    let export = evaluator.collect(&parsed.program).ok_or("it has no default export")?;
    let value = evaluator.configuration(export);
    let files = evaluator.files.into_inner();
    Ok(StaticConfig { value, files })
}

/// Names that every file has without importing them.
const GLOBALS: [&str; 9] =
    ["process", "URL", "JSON", "Object", "String", "Number", "Boolean", "parseInt", "parseFloat"];

/// Nested evaluations; a constant that names itself ends here.
const DEEPEST: u32 = 100;

/// What a name stands for.
#[derive(Clone)]
enum Binding<'a> {
    Value(Item),
    Expression(&'a Expression<'a>),
    /// A property of what an expression gives: `const { resolve } = require('path')`.
    Property(&'a Expression<'a>, String),
    Function(&'a Function<'a>),
    Import {
        package: String,
        name: String,
    },
}

enum Export<'a> {
    Expression(&'a Expression<'a>),
    Function(&'a Function<'a>),
}

struct Evaluator<'a, 's> {
    source: &'s str,
    file: &'s Path,
    situation: Situation<'s>,
    depth: Cell<u32>,
    files: RefCell<Vec<PathBuf>>,
    scopes: RefCell<Vec<HashMap<String, Binding<'a>>>>,
}

impl<'a> Evaluator<'a, '_> {
    /// Notes what the file's names stand for, and finds its export.
    fn collect(&self, program: &'a Program<'a>) -> Option<Export<'a>> {
        let mut export = None;
        for statement in &program.body {
            match statement {
                Statement::ImportDeclaration(it) => self.import(it),
                Statement::ExportDeclaration(it) => match &it.declaration {
                    Declaration::VariableDeclaration(declaration) => self.declare(declaration),
                    Declaration::FunctionDeclaration(function) => self.name_function(function),
                    _ => {}
                },
                Statement::ExportDefaultDeclaration(it) => {
                    export = match &it.declaration {
                        ExportDefaultDeclarationKind::FunctionDeclaration(function) => Some(Export::Function(function)),
                        other => other.as_expression().map(Export::Expression),
                    };
                }
                Statement::TSExportAssignment(it) => export = Some(Export::Expression(&it.expression)),
                Statement::ExpressionStatement(it) => {
                    if let Expression::AssignmentExpression(assignment) = &it.expression
                        && is_module_exports(&assignment.left)
                    {
                        export = Some(Export::Expression(&assignment.right));
                    }
                }
                other => self.note(other),
            }
        }
        export
    }

    /// The export; a function is asked what it returns.
    fn configuration(&self, export: Export<'a>) -> Item {
        match export {
            Export::Function(function) => self.ask(function.span.start, |it| {
                it.run_function(&function.params, function.body.as_deref()?, vec![it.question(function.span.start)])
            }),
            Export::Expression(expression) => self.resolved(expression),
        }
    }

    fn resolved(&self, expression: &'a Expression<'a>) -> Item {
        let start = expression.span().start;
        match self.function_of(expression) {
            Some(_) => self.ask(start, |it| it.call_function(expression, vec![it.question(start)])),
            None => self.eval(expression),
        }
    }

    fn ask(&self, start: u32, answer: impl FnOnce(&Self) -> Option<Item>) -> Item {
        answer(self).unwrap_or_else(|| self.item(start, Value::Unknown))
    }

    /// `{ mode, command }`, what Vite gives to a function.
    fn question(&self, start: u32) -> Item {
        let entry = |name: &str, value: Value| (name.to_owned(), self.item(start, value));
        self.item(
            start,
            Value::Object(vec![
                entry("mode", Value::Text(self.situation.mode.to_owned())),
                entry("command", Value::Text(self.situation.command.to_owned())),
                entry("isSsrBuild", Value::Bool(false)),
                entry("ssrBuild", Value::Bool(false)),
                entry("isPreview", Value::Bool(false)),
            ]),
        )
    }

    // ---- names

    fn import(&self, import: &'a ImportDeclaration<'a>) {
        let package = import.source.value.as_str().to_owned();
        for specifier in import.specifiers.iter().flatten() {
            let (local, name) = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(it) => (&it.local, it.imported.name().to_string()),
                ImportDeclarationSpecifier::ImportDefaultSpecifier(it) => (&it.local, "default".to_owned()),
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(it) => (&it.local, "*".to_owned()),
            };
            self.bind(local.name.as_str(), Binding::Import { package: package.clone(), name });
        }
    }

    fn note(&self, statement: &'a Statement<'a>) {
        match statement {
            Statement::VariableDeclaration(it) => self.declare(it),
            Statement::FunctionDeclaration(it) => self.name_function(it),
            _ => {}
        }
    }

    fn name_function(&self, function: &'a Function<'a>) {
        if let Some(id) = &function.id {
            self.bind(id.name.as_str(), Binding::Function(function));
        }
    }

    /// Constants only: what may be assigned later is not known here.
    fn declare(&self, declaration: &'a VariableDeclaration<'a>) {
        for declarator in &declaration.declarations {
            let Some(init) = declarator.init.as_ref().filter(|_| declaration.kind.is_const()) else { continue };
            match &declarator.id {
                BindingPattern::BindingIdentifier(id) => self.bind(id.name.as_str(), Binding::Expression(init)),
                BindingPattern::ObjectPattern(pattern) => {
                    for property in &pattern.properties {
                        if let (Some(key), BindingPattern::BindingIdentifier(id)) =
                            (property.key.static_name(), &property.value)
                        {
                            self.bind(id.name.as_str(), Binding::Property(init, key.into_owned()));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn bind(&self, name: &str, binding: Binding<'a>) {
        if let Some(scope) = self.scopes.borrow_mut().last_mut() {
            scope.insert(name.to_owned(), binding);
        }
    }

    fn binding(&self, name: &str) -> Option<Binding<'a>> {
        self.scopes.borrow().iter().rev().find_map(|scope| scope.get(name).cloned())
    }

    /// What an expression names of a package: `path.resolve` → (`path`, `resolve`).
    fn imported(&self, expression: &'a Expression<'a>) -> Option<(String, String)> {
        self.deeper(|this| this.imported_at(expression))?
    }

    /// One step further, unless a constant leads back to itself.
    fn deeper<T>(&self, step: impl FnOnce(&Self) -> T) -> Option<T> {
        if self.depth.get() >= DEEPEST {
            return None;
        }
        self.depth.set(self.depth.get() + 1);
        let result = step(self);
        self.depth.set(self.depth.get() - 1);
        Some(result)
    }

    fn imported_at(&self, expression: &'a Expression<'a>) -> Option<(String, String)> {
        match bare(expression) {
            Expression::Identifier(it) => match self.binding(it.name.as_str()) {
                Some(Binding::Import { package, name }) => Some((package, name)),
                Some(Binding::Expression(init)) => self.imported(init),
                Some(Binding::Property(init, key)) => {
                    let (package, name) = self.imported(init)?;
                    is_whole(&name).then_some((package, key))
                }
                Some(_) => None,
                None if GLOBALS.contains(&it.name.as_str()) => Some(("global".to_owned(), it.name.to_string())),
                None => None,
            },
            Expression::StaticMemberExpression(it) => {
                let (package, name) = self.imported(&it.object)?;
                let property = it.property.name.as_str();
                match (package.as_str(), name.as_str()) {
                    (_, whole) if is_whole(whole) => Some((package, property.to_owned())),
                    ("global", owner) => Some((package, format!("{owner}.{property}"))),
                    (_, "posix") => Some((package, property.to_owned())),
                    _ => None,
                }
            }
            Expression::CallExpression(it) => {
                let is_require = matches!(&it.callee, Expression::Identifier(id) if id.name == "require");
                match it.arguments.first().and_then(Argument::as_expression) {
                    Some(Expression::StringLiteral(package)) if is_require => {
                        Some((package.value.to_string(), "*".to_owned()))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    // ---- expressions

    fn item(&self, start: u32, value: Value) -> Item {
        let line = self.source.as_bytes()[..start as usize].iter().filter(|byte| **byte == b'\n').count() as u32 + 1;
        Item { value, line }
    }

    fn eval(&self, expression: &'a Expression<'a>) -> Item {
        let start = expression.span().start;
        if self.depth.get() >= DEEPEST {
            return self.item(start, Value::Unknown);
        }
        self.depth.set(self.depth.get() + 1);
        let value = self.value(bare(expression));
        self.depth.set(self.depth.get() - 1);
        self.item(start, value)
    }

    fn value(&self, expression: &'a Expression<'a>) -> Value {
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
            Expression::Identifier(it) => self.identifier(it.name.as_str(), expression),
            Expression::StaticMemberExpression(it) => self.member(&it.object, it.property.name.as_str()),
            Expression::ComputedMemberExpression(it) => match self.eval(&it.expression).value {
                Value::Text(key) => self.member(&it.object, &key),
                Value::Number(at) => match self.eval(&it.object).value {
                    Value::List(items) => items.get(at as usize).map_or(Value::Undefined, |item| item.value.clone()),
                    _ => Value::Unknown,
                },
                _ => Value::Unknown,
            },
            Expression::ChainExpression(it) => match &it.expression {
                ChainElement::StaticMemberExpression(member) => {
                    self.property(&self.eval(&member.object).value, member.property.name.as_str())
                }
                _ => Value::Unknown,
            },
            Expression::ConditionalExpression(it) => match truth(&self.eval(&it.test).value) {
                Some(true) => self.eval(&it.consequent).value,
                Some(false) => self.eval(&it.alternate).value,
                None => Value::Unknown,
            },
            Expression::LogicalExpression(it) => self.logical(it),
            Expression::UnaryExpression(it) => self.unary(it),
            Expression::BinaryExpression(it) => self.binary(it),
            Expression::CallExpression(it) => self.call(it),
            Expression::NewExpression(it) => self.construct(it),
            Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_) => {
                self.rewriter(expression).map_or(Value::Unknown, Value::Rewriter)
            }
            _ => Value::Unknown,
        }
    }

    fn identifier(&self, name: &str, expression: &'a Expression<'a>) -> Value {
        match self.binding(name) {
            Some(Binding::Value(item)) => item.value,
            Some(Binding::Expression(init)) => self.eval(init).value,
            Some(Binding::Property(init, key)) if self.imported(expression).is_none() => {
                self.property(&self.eval(init).value, &key)
            }
            Some(Binding::Import { package, name }) if package.ends_with(".json") => {
                let whole = self.json_file(&self.here(&package));
                if is_whole(&name) { whole } else { self.property(&whole, &name) }
            }
            Some(_) => Value::Unknown,
            None => match name {
                "undefined" => Value::Undefined,
                "__dirname" => self.folder_of_file(),
                "__filename" => text_of(self.file),
                _ => Value::Unknown,
            },
        }
    }

    fn folder_of_file(&self) -> Value {
        text_of(self.file.parent().unwrap_or(self.file))
    }

    fn here(&self, path: &str) -> PathBuf {
        normal(&self.file.parent().unwrap_or(self.file).join(path))
    }

    fn member(&self, object: &'a Expression<'a>, key: &str) -> Value {
        if let Expression::ImportMeta(_) = bare(object) {
            return match key {
                "url" => Value::FileUrl(self.file.to_owned()),
                "dirname" => self.folder_of_file(),
                "filename" => text_of(self.file),
                _ => Value::Unknown,
            };
        }
        if let Some((package, name)) = self.imported(object) {
            let is_env = name == "env" && without_scheme(&package) == "process" || name == "process.env";
            if is_env {
                return self.variable(key);
            }
        }
        self.property(&self.eval(object).value, key)
    }

    fn property(&self, object: &Value, key: &str) -> Value {
        match (object, key) {
            (Value::Object(entries), _) if has_unknown_spread(entries) => Value::Unknown,
            (Value::Object(entries), _) => entries
                .iter()
                .rev()
                .find(|(name, _)| name == key)
                .map_or(Value::Undefined, |(_, item)| item.value.clone()),
            (Value::FileUrl(path), "pathname") => text_of(path),
            (Value::FileUrl(path), "href") => Value::Text(format!("file://{}", path.display())),
            (Value::List(items), "length") => Value::Number(items.len() as f64),
            (Value::Text(text), "length") => Value::Number(text.encode_utf16().count() as f64),
            (Value::Undefined, _) => Value::Undefined,
            _ => Value::Unknown,
        }
    }

    /// A variable of the environment. npm sets those with its prefix from package.json, for the scripts it runs.
    fn variable(&self, name: &str) -> Value {
        if let Ok(value) = std::env::var(name) {
            return Value::Text(value);
        }
        match name {
            "NODE_ENV" => Value::Text("development".to_owned()),
            _ => match name.strip_prefix("npm_package_") {
                Some(field @ ("name" | "version")) => {
                    self.property(&self.json_file(&self.situation.folder.join("package.json")), field)
                }
                _ => Value::Undefined,
            },
        }
    }

    fn template(&self, template: &'a TemplateLiteral<'a>) -> Value {
        let mut text = String::new();
        for (at, quasi) in template.quasis.iter().enumerate() {
            text.push_str(quasi.value.cooked.as_ref().map_or("", |cooked| cooked.as_str()));
            if let Some(expression) = template.expressions.get(at) {
                match as_text(&self.eval(expression).value) {
                    Some(part) => text.push_str(&part),
                    None => return Value::Unknown,
                }
            }
        }
        Value::Text(text)
    }

    fn list(&self, array: &'a ArrayExpression<'a>) -> Value {
        let mut items = Vec::new();
        for element in &array.elements {
            match element {
                ArrayExpressionElement::SpreadElement(spread) => match self.eval(&spread.argument) {
                    Item { value: Value::List(more), .. } => items.extend(more),
                    unknown => items.push(Item { value: Value::Unknown, ..unknown }),
                },
                ArrayExpressionElement::Elision(hole) => items.push(self.item(hole.span.start, Value::Undefined)),
                other => items.extend(other.as_expression().map(|expression| self.eval(expression))),
            }
        }
        Value::List(items)
    }

    fn object(&self, object: &'a ObjectExpression<'a>) -> Value {
        let mut entries: Vec<(String, Item)> = Vec::new();
        for property in &object.properties {
            match property {
                ObjectPropertyKind::SpreadProperty(spread) => {
                    let item = self.eval(&spread.argument);
                    match item.value {
                        Value::Object(more) => more.into_iter().for_each(|(name, item)| set(&mut entries, name, item)),
                        Value::Undefined | Value::Null | Value::Bool(_) => {}
                        _ => entries.push((SPREAD.to_owned(), item)),
                    }
                }
                ObjectPropertyKind::ObjectProperty(it) => {
                    let key = match it.key.as_expression().filter(|_| it.computed) {
                        Some(expression) => as_text(&self.eval(expression).value),
                        None => it.key.static_name().map(|name| name.into_owned()),
                    };
                    match key {
                        Some(key) => {
                            let item = self.eval(&it.value);
                            set(&mut entries, key, item);
                        }
                        None => entries.push((SPREAD.to_owned(), self.item(it.span.start, Value::Unknown))),
                    }
                }
            }
        }
        Value::Object(entries)
    }

    fn logical(&self, it: &'a LogicalExpression<'a>) -> Value {
        let left = self.eval(&it.left).value;
        let is_nothing = matches!(left, Value::Undefined | Value::Null);
        let takes_right = match (it.operator, truth(&left)) {
            (LogicalOperator::Coalesce, _) if left != Value::Unknown => Some(is_nothing),
            (LogicalOperator::Or, known) => known.map(|truth| !truth),
            (LogicalOperator::And, known) => known,
            _ => None,
        };
        match takes_right {
            Some(true) => self.eval(&it.right).value,
            Some(false) => left,
            None => Value::Unknown,
        }
    }

    fn unary(&self, it: &'a UnaryExpression<'a>) -> Value {
        let value = self.eval(&it.argument).value;
        match (it.operator, &value) {
            (UnaryOperator::LogicalNot, value) => truth(value).map_or(Value::Unknown, |truth| Value::Bool(!truth)),
            (UnaryOperator::UnaryNegation, Value::Number(number)) => Value::Number(-number),
            (UnaryOperator::UnaryPlus, value) => as_number(value).map_or(Value::Unknown, Value::Number),
            (UnaryOperator::Void, _) => Value::Undefined,
            _ => Value::Unknown,
        }
    }

    fn binary(&self, it: &'a BinaryExpression<'a>) -> Value {
        let (left, right) = (self.eval(&it.left).value, self.eval(&it.right).value);
        let is_plain = |value: &Value| {
            matches!(value, Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_))
        };
        if !is_plain(&left) || !is_plain(&right) {
            return Value::Unknown;
        }
        match it.operator {
            BinaryOperator::StrictEquality | BinaryOperator::Equality => Value::Bool(left == right),
            BinaryOperator::StrictInequality | BinaryOperator::Inequality => Value::Bool(left != right),
            BinaryOperator::Addition => match (&left, &right) {
                (Value::Number(left), Value::Number(right)) => Value::Number(left + right),
                _ => match (as_text(&left), as_text(&right)) {
                    (Some(left), Some(right)) => Value::Text(left + &right),
                    _ => Value::Unknown,
                },
            },
            _ => Value::Unknown,
        }
    }

    fn construct(&self, it: &'a NewExpression<'a>) -> Value {
        let is_url = self.imported(&it.callee).is_some_and(|(_, name)| name == "URL");
        let mut args = it.arguments.iter().filter_map(Argument::as_expression);
        match (is_url, args.next(), args.next()) {
            (true, Some(path), Some(from)) => match (self.eval(path).value, self.eval(from).value) {
                (Value::Text(path), Value::FileUrl(from)) if !path.contains(':') => {
                    let slash = if path.ends_with('/') && path != "/" { "/" } else { "" };
                    let folder = from.parent().unwrap_or(&from).to_owned();
                    Value::FileUrl(PathBuf::from(format!("{}{slash}", normal(&folder.join(path)).display())))
                }
                _ => Value::Unknown,
            },
            _ => Value::Unknown,
        }
    }

    // ---- calls

    fn call(&self, it: &'a CallExpression<'a>) -> Value {
        let Some(args) = it.arguments.iter().map(Argument::as_expression).collect::<Option<Vec<_>>>() else {
            return Value::Unknown;
        };
        if let Some((package, name)) = self.imported(&it.callee) {
            return self.call_imported(&package, &name, &args);
        }
        if let Expression::StaticMemberExpression(member) = &it.callee {
            return self.method(member, &args);
        }
        let values = args.iter().map(|arg| self.eval(arg)).collect();
        self.call_function(&it.callee, values).map_or(Value::Unknown, |item| item.value)
    }

    fn call_imported(&self, package: &str, name: &str, args: &[&'a Expression<'a>]) -> Value {
        let value = |at: usize| args.get(at).map_or(Value::Undefined, |arg| self.eval(arg).value);
        match (without_scheme(package), name) {
            (_, "defineConfig") => args.first().map_or(Value::Unknown, |arg| self.resolved(arg).value),
            ("vite" | "vitest/config", "mergeConfig") => match (args.first(), args.get(1)) {
                (Some(first), Some(second)) => merge(self.resolved(first).value, self.resolved(second).value),
                _ => Value::Unknown,
            },
            ("vite", "loadEnv") => self.load_env(value(0), value(1), value(2)),
            ("vite", "normalizePath") => value(0),
            ("path" | "path/posix", "resolve" | "join" | "dirname" | "normalize" | "basename") => {
                let parts: Option<Vec<String>> = args.iter().map(|arg| as_path(&self.eval(arg).value)).collect();
                parts.map_or(Value::Unknown, |parts| self.path(name, &parts))
            }
            ("url", "fileURLToPath") => as_path(&value(0)).map_or(Value::Unknown, Value::Text),
            ("url", "pathToFileURL") => as_path(&value(0)).map_or(Value::Unknown, |path| Value::FileUrl(path.into())),
            ("fs", "readFileSync") => match as_path(&value(0)) {
                Some(path) => Value::FileText(normal(&self.situation.folder.join(path))),
                None => Value::Unknown,
            },
            ("process", "cwd") | ("global", "process.cwd") => text_of(self.situation.folder),
            ("global", "JSON.stringify") if args.len() == 1 => json_text(&value(0)).map_or(Value::Unknown, Value::Text),
            ("global", "JSON.parse") => match value(0) {
                Value::FileText(path) => self.json_file(&path),
                Value::Text(text) => self.parse_json(&text),
                _ => Value::Unknown,
            },
            ("global", "String") => as_text(&value(0)).map_or(Value::Unknown, Value::Text),
            ("global", "Number") => number(&value(0)).map_or(Value::Unknown, Value::Number),
            ("global", "parseInt" | "Number.parseInt" | "parseFloat" | "Number.parseFloat") => {
                let (text, keeps_fraction) = (as_text(&value(0)), name.ends_with("Float"));
                text.map_or(Value::Unknown, |text| Value::Number(leading_number(&text, keeps_fraction)))
            }
            ("global", "Boolean") => truth(&value(0)).map_or(Value::Unknown, Value::Bool),
            ("global", "Object.assign") => (0..args.len()).map(value).reduce(overlay).unwrap_or(Value::Unknown),
            ("global", _) => Value::Unknown,
            _ if package.ends_with(".json") => Value::Unknown,
            _ => Value::Call {
                package: package.to_owned(),
                name: name.to_owned(),
                args: args.iter().map(|arg| self.eval(arg)).collect(),
            },
        }
    }

    fn method(&self, member: &'a StaticMemberExpression<'a>, args: &[&'a Expression<'a>]) -> Value {
        let is_boolean = |arg: &&Expression| matches!(arg, Expression::Identifier(id) if id.name == "Boolean");
        match (self.eval(&member.object).value, member.property.name.as_str()) {
            // `[react(), isDev && inspect()].filter(Boolean)`
            (Value::List(items), "filter") if args.first().is_some_and(is_boolean) => {
                Value::List(items.into_iter().filter(|item| truth(&item.value) != Some(false)).collect())
            }
            (Value::List(items), "concat") => {
                let more = args.iter().map(|arg| self.eval(arg)).flat_map(|item| match item.value {
                    Value::List(more) => more,
                    _ => vec![item],
                });
                Value::List(items.into_iter().chain(more).collect())
            }
            (Value::List(items), "flat") => {
                let flat = items.into_iter().flat_map(|item| match item.value {
                    Value::List(inner) => inner,
                    _ => vec![item],
                });
                Value::List(flat.collect())
            }
            (value @ (Value::Text(_) | Value::Number(_)), "toString") => {
                as_text(&value).map_or(Value::Unknown, Value::Text)
            }
            (Value::FileUrl(path), "toString") => Value::Text(format!("file://{}", path.display())),
            (Value::FileText(path), "toString") => Value::FileText(path),
            (Value::Text(text), "trim") => Value::Text(text.trim().to_owned()),
            _ => Value::Unknown,
        }
    }

    fn path(&self, name: &str, parts: &[String]) -> Value {
        let first = parts.first().map_or("", String::as_str);
        let mut path = match name {
            "resolve" => self.situation.folder.to_owned(),
            _ => PathBuf::new(),
        };
        match name {
            "dirname" => return text_of(Path::new(first).parent().unwrap_or(Path::new("."))),
            "basename" => {
                let name = Path::new(first).file_name().map(|name| name.to_string_lossy().into_owned());
                return name.map_or(Value::Unknown, Value::Text);
            }
            "resolve" => parts.iter().for_each(|part| path.push(part)),
            _ => parts.iter().for_each(|part| {
                path.push(part.strip_prefix('/').filter(|_| !path.as_os_str().is_empty()).unwrap_or(part))
            }),
        }
        let ends_with_slash = name != "resolve" && parts.last().is_some_and(|part| part.ends_with('/'));
        Value::Text(format!("{}{}", normal(&path).display(), if ends_with_slash { "/" } else { "" }))
    }

    fn load_env(&self, mode: Value, folder: Value, prefixes: Value) -> Value {
        let (Value::Text(mode), Some(folder)) = (mode, as_path(&folder)) else { return Value::Unknown };
        let prefixes = match prefixes {
            Value::Undefined => vec!["VITE_".to_owned()],
            Value::Text(prefix) => vec![prefix],
            Value::List(items) => match items.iter().map(|item| as_text(&item.value)).collect() {
                Some(prefixes) => prefixes,
                None => return Value::Unknown,
            },
            _ => return Value::Unknown,
        };
        let folder = normal(&self.situation.folder.join(folder));
        self.files.borrow_mut().extend(Env::files(&folder, &mode));
        let env = load_env(&folder, &mode, &|path| std::fs::read_to_string(path).ok());
        let entries =
            env.exposed(&prefixes).into_iter().map(|(name, value)| (name, Item { value: Value::Text(value), line: 0 }));
        Value::Object(entries.collect())
    }

    fn json_file(&self, path: &Path) -> Value {
        self.files.borrow_mut().push(path.to_owned());
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        match std::fs::read_to_string(path).ok().filter(|_| is_json) {
            Some(text) => self.parse_json(&text),
            None => Value::Unknown,
        }
    }

    fn parse_json(&self, text: &str) -> Value {
        serde_json::from_str::<serde_json::Value>(text).map_or(Value::Unknown, |value| of_json(&value))
    }

    // ---- functions

    fn function_of(&self, expression: &'a Expression<'a>) -> Option<Callable<'a>> {
        match bare(expression) {
            Expression::ArrowFunctionExpression(it) => Some(Callable::Arrow(it)),
            Expression::FunctionExpression(it) => Some(Callable::Function(it)),
            Expression::Identifier(it) => match self.binding(it.name.as_str())? {
                Binding::Expression(init) => self.deeper(|this| this.function_of(init))?,
                Binding::Function(function) => Some(Callable::Function(function)),
                _ => None,
            },
            _ => None,
        }
    }

    fn call_function(&self, callee: &'a Expression<'a>, args: Vec<Item>) -> Option<Item> {
        if self.depth.get() >= DEEPEST {
            return None;
        }
        match self.function_of(callee)? {
            Callable::Function(function) => self.run_function(&function.params, function.body.as_deref()?, args),
            Callable::Arrow(arrow) => match arrow.body.as_expression() {
                Some(expression) => self.within(&arrow.params, args, |it| Some(it.eval(expression))),
                None => match &arrow.body {
                    ArrowFunctionBody::FunctionBody(body) => self.run_function(&arrow.params, body, args),
                    _ => None,
                },
            },
        }
    }

    fn run_function(
        &self,
        params: &'a FormalParameters<'a>,
        body: &'a FunctionBody<'a>,
        args: Vec<Item>,
    ) -> Option<Item> {
        self.within(params, args, |it| it.run(&body.statements))
    }

    fn within(
        &self,
        params: &'a FormalParameters<'a>,
        args: Vec<Item>,
        run: impl FnOnce(&Self) -> Option<Item>,
    ) -> Option<Item> {
        self.scopes.borrow_mut().push(HashMap::new());
        self.depth.set(self.depth.get() + 1);
        for (param, arg) in params.items.iter().zip(args) {
            match &param.pattern {
                BindingPattern::BindingIdentifier(id) => self.bind(id.name.as_str(), Binding::Value(arg)),
                BindingPattern::ObjectPattern(pattern) => {
                    for property in &pattern.properties {
                        if let (Some(key), BindingPattern::BindingIdentifier(id)) =
                            (property.key.static_name(), &property.value)
                        {
                            let value = self.property(&arg.value, &key);
                            self.bind(id.name.as_str(), Binding::Value(Item { value, line: arg.line }));
                        }
                    }
                }
                _ => {}
            }
        }
        let result = run(self);
        self.depth.set(self.depth.get() - 1);
        self.scopes.borrow_mut().pop();
        result
    }

    /// What some statements return; `None` if they do not.
    fn run(&self, statements: &'a [Statement<'a>]) -> Option<Item> {
        for statement in statements {
            let result = match statement {
                Statement::ReturnStatement(it) => Some(
                    it.argument
                        .as_ref()
                        .map_or_else(|| self.item(it.span.start, Value::Undefined), |value| self.eval(value)),
                ),
                Statement::BlockStatement(it) => self.run(&it.body),
                Statement::IfStatement(it) => match truth(&self.eval(&it.test).value) {
                    Some(true) => self.run(std::slice::from_ref(&it.consequent)),
                    Some(false) => it.alternate.as_ref().and_then(|other| self.run(std::slice::from_ref(other))),
                    // Either could be meant; what comes after it is not known.
                    None => Some(self.item(it.span.start, Value::Unknown)),
                },
                other => {
                    self.note(other);
                    None
                }
            };
            if result.is_some() {
                return result;
            }
        }
        None
    }

    /// The replacements that a function of one text makes: `(path) => path.replace(/^\/api/, '')`.
    fn rewriter(&self, expression: &'a Expression<'a>) -> Option<Vec<Replacement>> {
        let (params, body) = match expression {
            Expression::ArrowFunctionExpression(it) => match (it.body.as_expression(), &it.body) {
                (Some(body), _) => (&it.params, body),
                (None, ArrowFunctionBody::FunctionBody(body)) => (&it.params, only_return(body)?),
                _ => return None,
            },
            Expression::FunctionExpression(it) => (&it.params, only_return(it.body.as_deref()?)?),
            _ => return None,
        };
        let [FormalParameter { pattern: BindingPattern::BindingIdentifier(param), .. }] = params.items.as_slice()
        else {
            return None;
        };
        self.steps(body, param.name.as_str())
    }

    fn steps(&self, expression: &'a Expression<'a>, param: &str) -> Option<Vec<Replacement>> {
        let plain = |pattern: &str, to: &str| Replacement {
            pattern: pattern.to_owned(),
            flags: String::new(),
            to: to.replace('$', "$$"),
        };
        match bare(expression) {
            Expression::Identifier(it) if it.name == param => Some(Vec::new()),
            Expression::CallExpression(call) => {
                let Expression::StaticMemberExpression(member) = &call.callee else { return None };
                let mut steps = self.steps(&member.object, param)?;
                let args: Vec<Value> =
                    call.arguments.iter().filter_map(Argument::as_expression).map(|arg| self.eval(arg).value).collect();
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
                if let Some(mut steps) = self.steps(&it.right, param) {
                    steps.push(plain("^", &as_text(&self.eval(&it.left).value)?));
                    return Some(steps);
                }
                let mut steps = self.steps(&it.left, param)?;
                steps.push(plain("$", &as_text(&self.eval(&it.right).value)?));
                Some(steps)
            }
            Expression::TemplateLiteral(it) => {
                let ([before, after], [inner]) = (it.quasis.as_slice(), it.expressions.as_slice()) else { return None };
                let mut steps = self.steps(inner, param)?;
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

enum Callable<'a> {
    Arrow(&'a ArrowFunctionExpression<'a>),
    Function(&'a Function<'a>),
}

/// Stands among the keys of an object for a spread, or a computed key, that is not known.
pub const SPREAD: &str = "...";

fn has_unknown_spread(entries: &[(String, Item)]) -> bool {
    entries.iter().any(|(name, _)| name == SPREAD)
}

/// Without what only types and parentheses are.
fn bare<'a>(expression: &'a Expression<'a>) -> &'a Expression<'a> {
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

fn only_return<'a>(body: &'a FunctionBody<'a>) -> Option<&'a Expression<'a>> {
    match body.statements.as_slice() {
        [Statement::ReturnStatement(it)] => it.argument.as_ref(),
        _ => None,
    }
}

fn is_whole(name: &str) -> bool {
    matches!(name, "default" | "*")
}

fn without_scheme(package: &str) -> &str {
    package.strip_prefix("node:").unwrap_or(package)
}

fn text_of(path: &Path) -> Value {
    Value::Text(path.display().to_string())
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Undefined | Value::Null => Some(false),
        Value::Bool(value) => Some(*value),
        Value::Number(number) => Some(*number != 0.0 && !number.is_nan()),
        Value::Text(text) => Some(!text.is_empty()),
        Value::Unknown => None,
        _ => Some(true),
    }
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Number(number) => Some(number_text(*number)),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null => Some("null".to_owned()),
        Value::Undefined => Some("undefined".to_owned()),
        Value::FileUrl(path) => Some(format!("file://{}", path.display())),
        _ => None,
    }
}

fn as_number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// What `Number()` makes of a value.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Undefined => Some(f64::NAN),
        Value::Null => Some(0.0),
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Text(text) if text.trim().is_empty() => Some(0.0),
        Value::Text(text) => Some(text.trim().parse().unwrap_or(f64::NAN)),
        value => as_number(value),
    }
}

/// `3000px` → 3000
fn leading_number(text: &str, keeps_fraction: bool) -> f64 {
    let text = text.trim();
    let digits = text.trim_start_matches(['-', '+']);
    let is_part = |c: char| c.is_ascii_digit() || (keeps_fraction && c == '.');
    let end = text.len() - digits.len() + digits.find(|c| !is_part(c)).unwrap_or(digits.len());
    text[..end].parse().unwrap_or(f64::NAN)
}

fn as_path(value: &Value) -> Option<String> {
    match value {
        Value::FileUrl(path) => Some(path.display().to_string()),
        Value::Text(text) => Some(text.strip_prefix("file://").unwrap_or(text).to_owned()),
        _ => None,
    }
}

fn number_text(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 { format!("{}", number as i64) } else { number.to_string() }
}

/// What `JSON.stringify` gives; `None` for what is not known.
pub fn json_text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number_text(*number),
        Value::Text(text) => serde_json::to_string(text).ok()?,
        Value::FileUrl(path) => serde_json::to_string(&format!("file://{}", path.display())).ok()?,
        Value::List(items) => {
            let items: Option<Vec<String>> = items.iter().map(|item| json_text(&item.value)).collect();
            format!("[{}]", items?.join(","))
        }
        Value::Object(entries) if !has_unknown_spread(entries) => {
            let entries: Option<Vec<String>> = entries
                .iter()
                .filter(|(_, item)| item.value != Value::Undefined)
                .map(|(name, item)| Some(format!("{}:{}", serde_json::to_string(name).ok()?, json_text(&item.value)?)))
                .collect();
            format!("{{{}}}", entries?.join(","))
        }
        _ => return None,
    })
}

fn of_json(value: &serde_json::Value) -> Value {
    let item = |value: &serde_json::Value| Item { value: of_json(value), line: 0 };
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::NAN)),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(item).collect()),
        serde_json::Value::Object(entries) => {
            Value::Object(entries.iter().map(|(name, value)| (name.clone(), item(value))).collect())
        }
    }
}

fn set(entries: &mut Vec<(String, Item)>, name: String, item: Item) {
    match entries.iter_mut().find(|(known, _)| *known == name) {
        Some(entry) => entry.1 = item,
        None => entries.push((name, item)),
    }
}

/// `{ ...left, ...right }`
fn overlay(left: Value, right: Value) -> Value {
    match (left, right) {
        (Value::Object(mut left), Value::Object(right)) => {
            right.into_iter().for_each(|(name, item)| set(&mut left, name, item));
            Value::Object(left)
        }
        _ => Value::Unknown,
    }
}

/// What `mergeConfig` does: objects are merged, lists joined, the rest is replaced.
fn merge(left: Value, right: Value) -> Value {
    match (left, right) {
        (Value::Object(mut left), Value::Object(right)) => {
            for (name, item) in right {
                match left.iter().position(|(known, _)| *known == name) {
                    Some(at) => {
                        let old = std::mem::replace(&mut left[at].1.value, Value::Undefined);
                        left[at].1 = Item { value: merge(old, item.value), line: item.line };
                    }
                    None => left.push((name, item)),
                }
            }
            Value::Object(left)
        }
        (Value::List(mut left), Value::List(right)) => {
            left.extend(right);
            Value::List(left)
        }
        (left, Value::Undefined | Value::Null) => left,
        (Value::Unknown, Value::Object(mut right)) => {
            right.push((SPREAD.to_owned(), Item { value: Value::Unknown, line: 0 }));
            Value::Object(right)
        }
        (Value::Object(mut left), Value::Unknown) => {
            left.push((SPREAD.to_owned(), Item { value: Value::Unknown, line: 0 }));
            Value::Object(left)
        }
        (_, right) => right,
    }
}
