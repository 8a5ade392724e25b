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
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use oxc_allocator::Allocator;
use oxc_ast::ast::*;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::{GetSpan, SourceType, Span};
use rekindle_compile::files::file;
use rekindle_compile::project::env::{Env, Variables, load_env};
use rekindle_compile::script::compile::diagnostic;
use rekindle_compile::script::nesting::{COMPILE_STACK, too_deep};
use rekindle_graph::Diagnostic;
use rekindle_graph::paths::normal;

use crate::value::{Item, Place, Replacement, SPREAD, Value, has_unknown_spread, json_text, number_text};

mod statements;

use statements::{Flow, Slot};

/// The default export, and the files that had a part in it.
#[derive(Clone, Debug, PartialEq)]
pub struct StaticConfig {
    /// The default export.
    pub value: Item,
    /// Files that were read for it.
    pub files: Vec<PathBuf>,
    /// What the file changes later on in a way that is not known: its code, and the line.
    pub lost: Vec<(String, Place)>,
}

/// What the file is told when its export is a function.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The mode.
    pub mode: &'a str,
    /// `serve` or `build`.
    pub command: &'a str,
    /// The folder the command was started for.
    pub folder: &'a Path,
    /// The environment.
    pub variables: &'a Variables,
}

/// Why nothing is known of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Unread {
    /// It has a mistake: nobody can run it.
    Broken(Diagnostic),
    /// It is beyond us, in a sentence.
    Unclear(String),
}

impl From<&str> for Unread {
    fn from(reason: &str) -> Self {
        Self::Unclear(reason.to_owned())
    }
}

/// Evaluates a file.
///
/// # Errors
/// It cannot be read or parsed, exports nothing by default, or computes more than can be followed.
pub fn evaluate(file: &Path, situation: Situation<'_>) -> Result<StaticConfig, Unread> {
    // The parser is recursive, and a stack overflow cannot be caught.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(COMPILE_STACK);
        let started = thread.spawn_scoped(scope, || evaluate_here(file, situation));
        let evaluated = started.map_err(|error| Unread::Unclear(format!("it cannot be read: {error}")))?.join();
        evaluated.unwrap_or_else(|_| Err("rekindle ran into a bug of its own with it".into()))
    })
}

fn evaluate_here(file: &Path, situation: Situation<'_>) -> Result<StaticConfig, Unread> {
    let shown = file.strip_prefix(situation.folder).unwrap_or(file).display().to_string();
    let unreadable = |error| Diagnostic::error(format!("it cannot be read: {error}")).in_file(&shown);
    let source = file::read_text(file).map_err(|error| Unread::Broken(unreadable(error)))?;
    if too_deep(&source).is_some() {
        return Err("it is nested too deeply".into());
    }
    let allocator = Allocator::default();
    let source_type = SourceType::from_path(file).unwrap_or_else(|_| SourceType::mjs()).with_module(true);
    let options =
        ParseOptions { preserve_parens: false, allow_return_outside_function: true, ..ParseOptions::default() };
    let parsed = Parser::new(&allocator, &source, source_type).with_options(options).parse();
    if let Some(error) = parsed.diagnostics.errors().next() {
        return Err(Unread::Broken(diagnostic(error, &shown, &source)));
    }
    let evaluator = Evaluator {
        source: &source,
        file,
        situation,
        depth: Cell::new(0),
        steps: Cell::new(0),
        unsure: Cell::new(false),
        finishing: Cell::new(false),
        files: RefCell::default(),
        scopes: RefCell::new(vec![HashMap::new()]),
        objects: RefCell::default(),
        reading: RefCell::default(),
        seen: RefCell::default(),
        lost: RefCell::default(),
        export: RefCell::default(),
        variables: RefCell::default(),
    };
    let export = evaluator.program(&parsed.program);
    let (value, lost) = match export.map(|export| evaluator.finish(evaluator.configuration(export))) {
        _ if !evaluator.has_steps(1) => return Err("it computes more than can be followed".into()),
        finished => finished.ok_or(Unread::from("it has no default export"))?,
    };
    let files = evaluator.files.into_inner();
    Ok(StaticConfig { value, files, lost })
}

/// Names that every file has without importing them.
const GLOBALS: [&str; 9] =
    ["process", "URL", "JSON", "Object", "String", "Number", "Boolean", "parseInt", "parseFloat"];

/// Nested evaluations; a constant that names itself ends here.
const DEEPEST: u32 = 100;

/// Evaluations in all; a file that needs more of them computes something.
const MOST_STEPS: usize = 400_000;

/// Bytes of a text; longer ones are not kept.
const LONGEST: usize = 1_000_000;

/// What a name stands for.
#[derive(Clone)]
enum Binding<'a> {
    Value(Item),
    /// A value, and the expression that it has from its declaration on.
    Constant(Item, &'a Expression<'a>),
    Function(&'a Function<'a>),
    Import {
        package: String,
        name: String,
    },
    /// A parameter of a function that a package may call.
    Foreign,
}

enum Export<'a> {
    Item(Item),
    Callable(&'a Expression<'a>),
    Function(&'a Function<'a>),
}

/// What a pattern takes apart: a value, and what it names of a package.
struct Source {
    item: Item,
    import: Option<(String, String)>,
}

/// A change that is not known, of the object in a place if that is known.
struct Lost {
    of: Option<usize>,
    code: String,
    place: Place,
}

struct Evaluator<'a, 's> {
    source: &'s str,
    file: &'s Path,
    situation: Situation<'s>,
    depth: Cell<u32>,
    steps: Cell<usize>,
    /// It is not known whether what is being evaluated runs, or how often.
    unsure: Cell<bool>,
    /// The file has run.
    finishing: Cell<bool>,
    files: RefCell<Vec<PathBuf>>,
    scopes: RefCell<Vec<HashMap<String, Binding<'a>>>>,
    objects: RefCell<Vec<Slot>>,
    /// Places that are being read; an object may contain itself.
    reading: RefCell<Vec<usize>>,
    /// Places that the export has.
    seen: RefCell<HashSet<usize>>,
    lost: RefCell<Vec<Lost>>,
    export: RefCell<Option<Export<'a>>>,
    /// Variables of the environment that the file sets.
    variables: RefCell<HashMap<String, Value>>,
}

impl<'a> Evaluator<'a, '_> {
    /// The export; a function is asked what it returns.
    fn configuration(&self, export: Export<'a>) -> Item {
        match export {
            Export::Function(function) => self.ask(function.span.start, |it| {
                it.run_function(&function.params, function.body.as_deref()?, vec![it.question(function.span.start)])
            }),
            Export::Callable(expression) => self.resolved(expression),
            Export::Item(item) => item,
        }
    }

    fn resolved(&self, expression: &'a Expression<'a>) -> Item {
        let start = expression.span().start;
        match self.function_of(expression) {
            Some(_) => self.ask(start, |it| it.call_function(expression, vec![it.question(start)])),
            None => self.refer(expression),
        }
    }

    fn ask(&self, start: u32, answer: impl FnOnce(&Self) -> Option<Item>) -> Item {
        answer(self).unwrap_or_else(|| self.item(start, Value::Unknown))
    }

    /// `{ mode, command }`, what Vite gives to a function.
    fn question(&self, start: u32) -> Item {
        let entry = |name: &str, value: Value| (name.to_owned(), self.item(start, value));
        let entries = vec![
            entry("mode", Value::Text(self.situation.mode.to_owned())),
            entry("command", Value::Text(self.situation.command.to_owned())),
            entry("isSsrBuild", Value::Bool(false)),
            entry("ssrBuild", Value::Bool(false)),
            entry("isPreview", Value::Bool(false)),
        ];
        self.item(start, self.share(Value::Object(entries)))
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
            let binding = if package.ends_with(".json") {
                let whole = self.json_file(&self.here(&package));
                let value = if is_whole(&name) { whole } else { self.property(&whole, &name) };
                Binding::Value(self.item(import.span.start, self.share(value)))
            } else {
                Binding::Import { package: package.clone(), name }
            };
            self.bind(local.name.as_str(), binding);
        }
    }

    fn name_function(&self, function: &'a Function<'a>) {
        if let Some(id) = &function.id {
            self.bind(id.name.as_str(), Binding::Function(function));
        }
    }

    fn declare(&self, declaration: &'a VariableDeclaration<'a>) {
        for declarator in declaration.declarations.iter().filter(|_| !declaration.declare) {
            let start = declarator.span.start;
            match (&declarator.init, &declarator.id) {
                (Some(init), BindingPattern::BindingIdentifier(id)) => {
                    self.bind(id.name.as_str(), Binding::Constant(self.refer(init), init));
                }
                (Some(init), pattern) => {
                    let source = Source { item: self.refer(init), import: self.imported(init) };
                    self.bind_pattern(pattern, &Binding::Value, source);
                }
                (None, pattern) => {
                    let source = Source { item: self.item(start, Value::Undefined), import: None };
                    self.bind_pattern(pattern, &Binding::Value, source);
                }
            }
        }
    }

    /// Names that change from turn to turn.
    fn declare_unknown(&self, declaration: &'a VariableDeclaration<'a>) {
        for declarator in &declaration.declarations {
            self.bind_pattern(&declarator.id, &Binding::Value, self.unknown(declarator.span.start));
        }
    }

    /// `{ version, author: { name }, ...rest }`, with what stands for each of the names.
    fn bind_pattern(&self, pattern: &'a BindingPattern<'a>, binding: &dyn Fn(Item) -> Binding<'a>, source: Source) {
        match pattern {
            BindingPattern::BindingIdentifier(id) => {
                let binding = match (source.import, &source.item.value) {
                    (Some((package, name)), Value::Unknown) => Binding::Import { package, name },
                    _ => binding(source.item),
                };
                self.bind(id.name.as_str(), binding);
            }
            BindingPattern::ObjectPattern(it) => {
                let mut taken = Vec::new();
                for property in &it.properties {
                    let key = match property.key.as_expression().filter(|_| property.computed) {
                        Some(expression) => as_text(&self.eval(expression).value),
                        None => property.key.static_name().map(|name| name.into_owned()),
                    };
                    let part = match &key {
                        Some(key) => self.part(&source, key),
                        None => self.unknown(property.span.start),
                    };
                    taken.extend(key);
                    self.bind_pattern(&property.value, binding, part);
                }
                if let Some(rest) = &it.rest {
                    let value = match self.opened(source.item.value) {
                        Value::Object(mut entries) => {
                            entries.retain(|(name, _)| !taken.contains(name));
                            self.share(Value::Object(entries))
                        }
                        _ => Value::Unknown,
                    };
                    let item = Item { value, place: source.item.place };
                    self.bind_pattern(&rest.argument, binding, Source { item, import: None });
                }
            }
            BindingPattern::ArrayPattern(it) => {
                let items = match self.opened(source.item.value) {
                    Value::List(items) => Some(items),
                    _ => None,
                };
                let place = source.item.place;
                let part = |value: Option<Value>| Source {
                    item: Item { value: value.unwrap_or(Value::Unknown), place },
                    import: None,
                };
                for (at, element) in it.elements.iter().enumerate() {
                    let at = |items: &Vec<Item>| items.get(at).map_or(Value::Undefined, |item| item.value.clone());
                    if let Some(element) = element {
                        self.bind_pattern(element, binding, part(items.as_ref().map(at)));
                    }
                }
                if let Some(rest) = &it.rest {
                    let left = items.map(|items| items.into_iter().skip(it.elements.len()).collect());
                    let left = left.map(|items| self.share(Value::List(items)));
                    self.bind_pattern(&rest.argument, binding, part(left));
                }
            }
            BindingPattern::AssignmentPattern(it) => {
                let source = match source.item.value {
                    Value::Undefined => Source { item: self.refer(&it.right), import: None },
                    _ => source,
                };
                self.bind_pattern(&it.left, binding, source);
            }
        }
    }

    fn part(&self, source: &Source, key: &str) -> Source {
        let place = source.item.place;
        match &source.import {
            Some(import) if is_environment(import) => {
                Source { item: Item { value: self.variable(key), place }, import: None }
            }
            import => {
                let import = import.as_ref().and_then(|import| part_of_import(import, key));
                let value = self.property(&source.item.value, key);
                Source { item: Item { value, place }, import }
            }
        }
    }

    fn unknown(&self, start: u32) -> Source {
        Source { item: self.item(start, Value::Unknown), import: None }
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
                Some(Binding::Constant(_, init)) => self.imported(init),
                Some(_) => None,
                None if GLOBALS.contains(&it.name.as_str()) => Some(("global".to_owned(), it.name.to_string())),
                None => None,
            },
            Expression::StaticMemberExpression(it) => {
                part_of_import(&self.imported(&it.object)?, it.property.name.as_str())
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
        Item { value, place: self.place(start) }
    }

    fn place(&self, start: u32) -> Place {
        let before = &self.source.as_bytes()[..start as usize];
        Place::Line(before.iter().filter(|byte| **byte == b'\n').count() as u32 + 1)
    }

    /// So many evaluations more, if there may be.
    fn has_steps(&self, count: usize) -> bool {
        self.steps.set(self.steps.get().saturating_add(count));
        self.steps.get() < MOST_STEPS
    }

    /// What an expression gives, with all its parts as they are now.
    fn eval(&self, expression: &'a Expression<'a>) -> Item {
        let item = self.refer(expression);
        Item { value: self.read(item.value), place: item.place }
    }

    /// What an expression gives; objects and lists by their places, so that later changes are seen.
    fn refer(&self, expression: &'a Expression<'a>) -> Item {
        let start = expression.span().start;
        if self.depth.get() >= DEEPEST || !self.has_steps(1) {
            return self.item(start, Value::Unknown);
        }
        self.depth.set(self.depth.get() + 1);
        let value = match self.value(bare(expression)) {
            Value::Text(text) if text.len() > LONGEST => Value::Unknown,
            value => self.share(value),
        };
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
            Expression::Identifier(it) => self.named(it.name.as_str()),
            Expression::StaticMemberExpression(it) => self.member(&it.object, it.property.name.as_str()),
            Expression::ComputedMemberExpression(it) => self.computed_member(it),
            Expression::ChainExpression(it) => match &it.expression {
                ChainElement::StaticMemberExpression(it) => self.chained(&it.object, it.property.name.as_str()),
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
            Expression::BinaryExpression(it) => self.binary(it),
            Expression::CallExpression(it) => self.call(it),
            Expression::NewExpression(it) => self.construct(it),
            Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_) => {
                self.rewriter(expression).map_or(Value::Unknown, Value::Rewriter)
            }
            _ => Value::Unknown,
        }
    }

    fn named(&self, name: &str) -> Value {
        match self.binding(name) {
            // What a function makes of a text may need constants that stand behind it.
            Some(Binding::Constant(_, init)) if is_function(init) => self.refer(init).value,
            Some(Binding::Value(item) | Binding::Constant(item, _)) => item.value,
            Some(Binding::Import { package, name }) => constant_of(&package, &name),
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
        if self.is_environment(object) {
            return self.variable(key);
        }
        if let (Expression::Identifier(owner), Some(Export::Item(export))) = (bare(object), &*self.export.borrow())
            && matches!((owner.name.as_str(), key), ("module", "exports") | ("exports", "default"))
        {
            return export.value.clone();
        }
        let import = self.imported(object).and_then(|import| part_of_import(&import, key));
        match import.map(|(package, name)| constant_of(&package, &name)) {
            Some(value) if value != Value::Unknown => value,
            _ => self.property(&self.refer(object).value, key),
        }
    }

    /// `object?.key`
    fn chained(&self, object: &'a Expression<'a>, key: &str) -> Value {
        match self.refer(object).value {
            Value::Null => Value::Undefined,
            _ => self.member(object, key),
        }
    }

    fn computed_member(&self, it: &'a ComputedMemberExpression<'a>) -> Value {
        match self.eval(&it.expression).value {
            Value::Text(key) => self.member(&it.object, &key),
            Value::Number(at) => match self.opened(self.refer(&it.object).value) {
                Value::List(items) => items.get(at as usize).map_or(Value::Undefined, |item| item.value.clone()),
                _ => Value::Unknown,
            },
            _ => Value::Unknown,
        }
    }

    fn is_environment(&self, object: &'a Expression<'a>) -> bool {
        self.imported(object).is_some_and(|import| is_environment(&import))
    }

    fn property(&self, object: &Value, key: &str) -> Value {
        match object {
            Value::Shared(id) => self.property_in(*id, key),
            object => property_of(object, key),
        }
    }

    /// A variable of the environment. npm sets those with its prefix from package.json, for the scripts it runs.
    fn variable(&self, name: &str) -> Value {
        if let Some(value) = self.variables.borrow().get(name) {
            return value.clone();
        }
        if let Some(value) = self.situation.variables.get(name) {
            return Value::Text(value.to_owned());
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
                match as_text(&self.refer(expression).value).filter(|_| text.len() < LONGEST) {
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
                ArrayExpressionElement::SpreadElement(spread) => {
                    let item = self.refer(&spread.argument);
                    match self.opened(item.value) {
                        Value::List(more) => items.extend(more),
                        _ => items.push(Item { value: Value::Unknown, place: item.place }),
                    }
                }
                ArrayExpressionElement::Elision(hole) => items.push(self.item(hole.span.start, Value::Undefined)),
                other => items.extend(other.as_expression().map(|expression| self.refer(expression))),
            }
        }
        Value::List(items)
    }

    fn object(&self, object: &'a ObjectExpression<'a>) -> Value {
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
                ObjectPropertyKind::ObjectProperty(it) => {
                    let key = match it.key.as_expression().filter(|_| it.computed) {
                        Some(expression) => as_text(&self.eval(expression).value),
                        None => it.key.static_name().map(|name| name.into_owned()),
                    };
                    match key {
                        Some(key) => {
                            let item = self.refer(&it.value);
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
        let left = self.refer(&it.left).value;
        let is_nothing = matches!(left, Value::Undefined | Value::Null);
        let takes_right = match (it.operator, truth(&left)) {
            (LogicalOperator::Coalesce, _) if left != Value::Unknown => Some(is_nothing),
            (LogicalOperator::Or, known) => known.map(|truth| !truth),
            (LogicalOperator::And, known) => known,
            _ => None,
        };
        match takes_right {
            Some(true) => self.refer(&it.right).value,
            Some(false) => left,
            None => Value::Unknown,
        }
    }

    fn unary(&self, it: &'a UnaryExpression<'a>) -> Value {
        if it.operator == UnaryOperator::Delete {
            self.delete(&it.argument, it.span);
            return Value::Bool(true);
        }
        let value = self.refer(&it.argument).value;
        match (it.operator, &value) {
            (UnaryOperator::LogicalNot, value) => truth(value).map_or(Value::Unknown, |truth| Value::Bool(!truth)),
            (UnaryOperator::UnaryNegation, Value::Number(number)) => Value::Number(-number),
            (UnaryOperator::UnaryPlus, value) => as_number(value).map_or(Value::Unknown, Value::Number),
            (UnaryOperator::Void, _) => Value::Undefined,
            _ => Value::Unknown,
        }
    }

    fn binary(&self, it: &'a BinaryExpression<'a>) -> Value {
        let (left, right) = (self.refer(&it.left).value, self.refer(&it.right).value);
        let is_nothing = |value: &Value| matches!(value, Value::Undefined | Value::Null);
        let equal = match it.operator {
            BinaryOperator::StrictEquality | BinaryOperator::StrictInequality => same(&left, &right),
            BinaryOperator::Equality | BinaryOperator::Inequality if is_nothing(&left) && is_nothing(&right) => {
                Some(true)
            }
            // Other kinds are turned into each other.
            BinaryOperator::Equality | BinaryOperator::Inequality => same(&left, &right).filter(|same| {
                *same
                    || is_nothing(&left)
                    || is_nothing(&right)
                    || std::mem::discriminant(&left) == std::mem::discriminant(&right)
            }),
            BinaryOperator::Addition => return added(&left, &right),
            _ => return compared(it.operator, &left, &right),
        };
        let wanted = matches!(it.operator, BinaryOperator::StrictEquality | BinaryOperator::Equality);
        equal.map_or(Value::Unknown, |equal| Value::Bool(equal == wanted))
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
        let value = self.call_value(it);
        if matches!(value, Value::Unknown | Value::Call { .. }) {
            self.callbacks(it, false);
        }
        value
    }

    fn call_value(&self, it: &'a CallExpression<'a>) -> Value {
        if let Some(value) = self.change_list(it) {
            return value;
        }
        let Some(args) = it.arguments.iter().map(Argument::as_expression).collect::<Option<Vec<_>>>() else {
            return Value::Unknown;
        };
        if let (Expression::Identifier(name), Some(Expression::StringLiteral(path))) = (&it.callee, args.first())
            && name.name == "require"
            && path.value.ends_with(".json")
        {
            return self.json_file(&self.here(&path.value));
        }
        if let Some((package, name)) = self.imported(&it.callee) {
            return self.call_imported(&package, &name, &args, it.span);
        }
        if let Expression::StaticMemberExpression(member) = &it.callee {
            return self.method(member, &args);
        }
        let values = args.iter().map(|arg| self.refer(arg)).collect();
        self.call_function(&it.callee, values).map_or(Value::Unknown, |item| item.value)
    }

    fn call_imported(&self, package: &str, name: &str, args: &[&'a Expression<'a>], code: Span) -> Value {
        let value = |at: usize| args.get(at).map_or(Value::Undefined, |arg| self.eval(arg).value);
        match (without_scheme(package), name) {
            // A function is asked where its answer is wanted.
            (_, "defineConfig") => args
                .first()
                .filter(|arg| self.function_of(arg).is_none())
                .map_or(Value::Unknown, |arg| self.refer(arg).value),
            ("vite" | "vitest/config", "mergeConfig") => match (args.first(), args.get(1)) {
                (Some(first), Some(second)) => {
                    let read = |side| self.read(self.resolved(side).value);
                    merge(read(first), read(second))
                }
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
            ("global", "Object.assign") => self.assign_all(args.iter().map(|arg| self.refer(arg)).collect(), code),
            ("global", "Object.freeze" | "Object.seal" | "Object.preventExtensions") if args.len() == 1 => {
                self.refer(args[0]).value
            }
            ("global", "Object.keys" | "Object.values" | "Object.entries") if args.len() == 1 => {
                match self.opened(self.refer(args[0]).value) {
                    Value::Object(entries) if !has_unknown_spread(&entries) => entry_list(name, entries),
                    _ => Value::Unknown,
                }
            }
            ("global", _) => Value::Unknown,
            _ if package.ends_with(".json") => Value::Unknown,
            _ => Value::Call {
                package: package.to_owned(),
                name: name.to_owned(),
                args: args.iter().map(|arg| self.refer(arg)).collect(),
            },
        }
    }

    fn method(&self, member: &'a StaticMemberExpression<'a>, args: &[&'a Expression<'a>]) -> Value {
        let is_boolean = |arg: &&Expression| matches!(arg, Expression::Identifier(id) if id.name == "Boolean");
        match (self.opened(self.refer(&member.object).value), member.property.name.as_str()) {
            // `[react(), isDev && inspect()].filter(Boolean)`
            (Value::List(items), "filter") if args.first().is_some_and(is_boolean) => {
                Value::List(items.into_iter().filter(|item| truth(&item.value) != Some(false)).collect())
            }
            (Value::List(items), "forEach" | "map")
                if args.first().is_some_and(|arg| self.function_of(arg).is_some()) =>
            {
                let is_known = items.iter().all(|item| item.value != Value::Unknown);
                let turn = |(at, item): (usize, Item)| {
                    let at = Item { value: Value::Number(at as f64), place: item.place };
                    args.first().and_then(|step| self.call_function(step, vec![item, at]))
                };
                let turns = items.into_iter().enumerate().map(turn);
                match turns.collect::<Option<Vec<_>>>().filter(|_| is_known) {
                    Some(items) if member.property.name == "map" => Value::List(items),
                    Some(_) => Value::Undefined,
                    None => Value::Unknown,
                }
            }
            (Value::List(items), "concat") => {
                let more =
                    args.iter().map(|arg| self.refer(arg)).flat_map(|item| match self.opened(item.value.clone()) {
                        Value::List(more) => more,
                        _ => vec![item],
                    });
                Value::List(items.into_iter().chain(more).collect())
            }
            (Value::List(items), "flat") => {
                let flat = items.into_iter().flat_map(|item| match self.opened(item.value.clone()) {
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
        let env = load_env(&folder, &mode, self.situation.variables, &|path| file::read_text(path).ok());
        let entries = env
            .exposed(&prefixes)
            .into_iter()
            .map(|(name, value)| (name, Item { value: Value::Text(value), place: Place::Line(0) }));
        Value::Object(entries.collect())
    }

    fn json_file(&self, path: &Path) -> Value {
        self.files.borrow_mut().push(path.to_owned());
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        match file::read_text(path).ok().filter(|_| is_json) {
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
                Binding::Constant(_, init) => self.deeper(|this| this.function_of(init))?,
                Binding::Function(function) => Some(Callable::Function(function)),
                _ => None,
            },
            Expression::CallExpression(it) => {
                let first = it.arguments.first().and_then(Argument::as_expression)?;
                let (_, name) = self.imported(&it.callee)?;
                if name == "defineConfig" { self.deeper(|this| this.function_of(first))? } else { None }
            }
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
                Some(expression) => Some(self.within(&arrow.params, args, |it| it.refer(expression))),
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
        Some(self.within(params, args, |it| match it.run(&body.statements) {
            Flow::Return(item) => item,
            // Either could be meant.
            Flow::Maybe { place, returns: true } => Item { value: Value::Unknown, place },
            _ => it.item(body.span.start, Value::Undefined),
        }))
    }

    fn within(&self, params: &'a FormalParameters<'a>, args: Vec<Item>, run: impl FnOnce(&Self) -> Item) -> Item {
        self.depth.set(self.depth.get() + 1);
        let result = self.in_scope(|this| {
            let mut args = args.into_iter();
            for param in &params.items {
                let start = param.span.start;
                let item = match (args.next(), &param.initializer) {
                    (None | Some(Item { value: Value::Undefined, .. }), Some(default)) => this.refer(default),
                    (Some(item), _) => item,
                    (None, None) => this.item(start, Value::Undefined),
                };
                this.bind_pattern(&param.pattern, &Binding::Value, Source { item, import: None });
            }
            if let Some(rest) = &params.rest {
                let list = this.share(Value::List(args.collect()));
                let item = this.item(rest.span.start, list);
                this.bind_pattern(&rest.rest.argument, &Binding::Value, Source { item, import: None });
            }
            run(this)
        });
        self.depth.set(self.depth.get() - 1);
        result
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

fn only_return<'a>(body: &'a FunctionBody<'a>) -> Option<&'a Expression<'a>> {
    match body.statements.as_slice() {
        [Statement::ReturnStatement(it)] => it.argument.as_ref(),
        _ => None,
    }
}

fn property_of(object: &Value, key: &str) -> Value {
    match (object, key) {
        (Value::Object(entries), _) if has_unknown_spread(entries) => Value::Unknown,
        (Value::Object(entries), _) => {
            let found = entries.iter().rev().find(|(name, _)| name == key);
            found.map_or(Value::Undefined, |(_, item)| item.value.clone())
        }
        (Value::FileUrl(path), "pathname") => text_of(path),
        (Value::FileUrl(path), "href") => Value::Text(format!("file://{}", path.display())),
        (Value::List(items), "length") => Value::Number(items.len() as f64),
        (Value::Text(text), "length") => Value::Number(text.encode_utf16().count() as f64),
        (Value::Undefined, _) => Value::Undefined,
        _ => Value::Unknown,
    }
}

fn is_function(expression: &Expression) -> bool {
    matches!(bare(expression), Expression::ArrowFunctionExpression(_) | Expression::FunctionExpression(_))
}

/// `process.env`
fn is_environment((package, name): &(String, String)) -> bool {
    name == "env" && without_scheme(package) == "process" || name == "process.env"
}

/// The lists that Vite exports, by which configurations name its defaults.
fn constant_of(package: &str, name: &str) -> Value {
    let names: &[&str] = match (package, name) {
        ("vite", "defaultClientConditions") => &["module", "browser", "development|production"],
        ("vite", "defaultServerConditions") => &["module", "node", "development|production"],
        ("vite", "defaultClientMainFields") => &["browser", "module", "jsnext:main", "jsnext"],
        ("vite", "defaultServerMainFields") => &["module", "jsnext:main", "jsnext"],
        _ => return Value::Unknown,
    };
    Value::List(
        names.iter().map(|name| Item { value: Value::Text((*name).to_owned()), place: Place::Line(0) }).collect(),
    )
}

/// What a property is of something that is imported: (`path`, `default`), `resolve` → (`path`, `resolve`).
fn part_of_import((package, name): &(String, String), property: &str) -> Option<(String, String)> {
    match (package.as_str(), name.as_str()) {
        (_, whole) if is_whole(whole) => Some((package.clone(), property.to_owned())),
        ("global", owner) => Some((package.clone(), format!("{owner}.{property}"))),
        (_, "posix") => Some((package.clone(), property.to_owned())),
        _ => None,
    }
}

/// Whether two values are one; of objects only that they are something.
fn same(left: &Value, right: &Value) -> Option<bool> {
    let is_plain = |value: &Value| {
        matches!(value, Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_))
    };
    match (left, right) {
        (Value::Unknown, _) | (_, Value::Unknown) => None,
        (left, right) if is_plain(left) && is_plain(right) => Some(left == right),
        (Value::Shared(left), Value::Shared(right)) => Some(left == right),
        (Value::Shared(_), plain) | (plain, Value::Shared(_)) if is_plain(plain) => Some(false),
        _ => None,
    }
}

fn added(left: &Value, right: &Value) -> Value {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => Value::Number(left + right),
        (Value::Text(_), _) | (_, Value::Text(_)) => match (as_text(left), as_text(right)) {
            (Some(left), Some(right)) => Value::Text(left + &right),
            _ => Value::Unknown,
        },
        _ => Value::Unknown,
    }
}

fn compared(operator: BinaryOperator, left: &Value, right: &Value) -> Value {
    let (Value::Number(left), Value::Number(right)) = (left, right) else { return Value::Unknown };
    match operator {
        BinaryOperator::LessThan => Value::Bool(left < right),
        BinaryOperator::LessEqualThan => Value::Bool(left <= right),
        BinaryOperator::GreaterThan => Value::Bool(left > right),
        BinaryOperator::GreaterEqualThan => Value::Bool(left >= right),
        BinaryOperator::Subtraction => Value::Number(left - right),
        BinaryOperator::Multiplication => Value::Number(left * right),
        BinaryOperator::Division => Value::Number(left / right),
        _ => Value::Unknown,
    }
}

/// `Object.keys`, `Object.values` or `Object.entries` of an object.
fn entry_list(name: &str, entries: Vec<(String, Item)>) -> Value {
    let part = |(key, item): (String, Item)| {
        let (place, key) = (item.place, Item { value: Value::Text(key), place: item.place });
        match name {
            "Object.keys" => key,
            "Object.values" => item,
            _ => Item { value: Value::List(vec![key, item]), place },
        }
    };
    Value::List(entries.into_iter().map(part).collect())
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

fn of_json(value: &serde_json::Value) -> Value {
    let item = |value: &serde_json::Value| Item { value: of_json(value), place: Place::Line(0) };
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

/// What `mergeConfig` does: objects are merged, lists joined, the rest is replaced.
fn merge(left: Value, right: Value) -> Value {
    match (left, right) {
        (Value::Object(mut left), Value::Object(right)) => {
            for (name, item) in right {
                match left.iter().position(|(known, _)| *known == name) {
                    Some(at) => {
                        let old = std::mem::replace(&mut left[at].1.value, Value::Undefined);
                        left[at].1 = Item { value: merge(old, item.value), place: item.place };
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
            right.push((SPREAD.to_owned(), Item { value: Value::Unknown, place: Place::Line(0) }));
            Value::Object(right)
        }
        (Value::Object(mut left), Value::Unknown) => {
            left.push((SPREAD.to_owned(), Item { value: Value::Unknown, place: Place::Line(0) }));
            Value::Object(left)
        }
        (_, right) => right,
    }
}
