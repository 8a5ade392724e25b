//! Turns the tree of an ES module into the parts of a definition: rewritten body, header and meta.
//!
//! ```js
//! import { n } from './store'            // deps: ["./store"], names: [["n"]]
//! export const App = () => n             // header: let $0;$x({App:()=>App},$n=>{$0=$n(0)});yield;
//!                                        // body:   const App = () => $0.n;
//! ```
//!
//! The generator gives the two phases of ECMAScript modules: up to the `yield` the exports exist and function
//! declarations are hoisted, after it the body runs. Imported names are read through the namespace of their module
//! each time, so bindings are live and dead zones are the language's own (ECMA-262 section 16.2.1.6).

use oxc_allocator::{Allocator, ArenaBox, ArenaVec, GetAllocator, TakeIn};
use oxc_ast::ast::*;
use oxc_ast::builder::AstBuilder;
use oxc_ast_visit::{VisitMut, walk_mut};
use oxc_ecmascript::BoundNames;
use oxc_semantic::{ScopeFlags, Scoping, SymbolId};
use oxc_span::{GetSpan, SPAN, Span};
use oxc_str::Str;
use oxc_syntax::identifier::is_identifier_name;
use rekindle_graph::{Dep, DepKind, EnvReads};
use rustc_hash::FxHashMap;

use crate::kind::without_suffix;
use crate::script::async_statements::AsyncStatements;
use crate::script::calls;
use crate::script::calls::{AcceptCall, GlobArguments};
use crate::script::refresh::Making;
use crate::script::wrapped::{Export, Wrapped, json};

/// Names that the scripts around a definition have for themselves: `$d` brings it, `event` is the parameter of the handler as
/// which a tab compiles it.
const RESERVED_NAMES: [&str; 2] = ["$d", "event"];

/// What is wrapped. A CommonJS module runs in a function, so `arguments` is that function's; in an ES module it is an undeclared name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wrapping<'c> {
    /// `contexts`: top-level variables whose value survives an edit that does not touch them. `requires`: it may call
    /// `require` all the same, as files do that are both.
    Module {
        contexts: &'c FxHashMap<String, Making>,
        requires: bool,
    },
    CommonJs,
}

/// Rewrites `program` in place. `prefix` begins every name that the wrapper brings in (`$`, or longer where the
/// module uses such names itself).
pub(crate) fn wrap<'a>(
    allocator: &'a Allocator,
    program: &mut Program<'a>,
    scoping: &Scoping,
    prefix: &'a str,
    kind: Wrapping<'_>,
) -> Wrapped {
    let mut wrapper = Wrapper {
        ast: AstBuilder::new(allocator),
        scoping,
        prefix,
        imports: FxHashMap::default(),
        index: FxHashMap::default(),
        function_depth: 0,
        arguments_depth: u32::from(matches!(kind, Wrapping::CommonJs)),
        requires: matches!(kind, Wrapping::Module { requires: true, .. }),
        out: Wrapped::default(),
    };
    wrapper.out.needs_async_function = program.source_text.contains("await") && AsyncStatements::are_in(program);
    wrapper.collect(program);
    wrapper.visit_program(program);
    if let Wrapping::Module { contexts, .. } = kind
        && !contexts.is_empty()
    {
        wrapper.keep_contexts(program, contexts);
    }
    wrapper.note_names();
    wrapper.out
}

/// The shortest run of `$` that begins no name of the module in a way the wrapper's names could meet.
pub(crate) fn free_prefix(source: &str, scoping: &Scoping) -> &'static str {
    const PREFIXES: [&str; 4] = ["$", "$$", "$_$", "$rk$"];
    if !source.contains('$') {
        return PREFIXES[0];
    }
    let taken = |prefix: &str| {
        let clashes = |name: &str| name.strip_prefix(prefix).is_some_and(is_wrapper_name);
        scoping.symbol_names().any(clashes)
            || scoping.root_unresolved_references().keys().any(|name| clashes(name.as_str()))
    };
    PREFIXES.into_iter().find(|prefix| !taken(prefix)).unwrap_or("$rekindle$")
}

fn is_wrapper_name(rest: &str) -> bool {
    matches!(rest, "x" | "m" | "r" | "n" | "default" | "arguments")
        || (!rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()))
}

struct Wrapper<'a, 's> {
    ast: AstBuilder<'a>,
    scoping: &'s Scoping,
    prefix: &'a str,
    /// Symbols of imports: dependency, and the name there (`None`: the namespace).
    imports: FxHashMap<SymbolId, (usize, Option<Str<'a>>)>,
    /// (specifier, attribute, whether a worker runs it) → place in `deps`.
    index: FxHashMap<(String, Option<String>, Option<DepKind>), usize>,
    function_depth: u32,
    /// Functions around that have `arguments` of their own, which arrow functions have not.
    arguments_depth: u32,
    /// A call of `require` means a dependency.
    requires: bool,
    out: Wrapped,
}

// ---- imports and exports leave the tree

impl<'a> Wrapper<'a, '_> {
    fn collect(&mut self, program: &mut Program<'a>) {
        program.directives.clear();
        program.hashbang = None;
        let statements = program.body.take_in(&self.ast);
        // Imports first: an export further up may pass one of them on.
        for statement in &statements {
            self.collect_dep(statement);
        }
        let mut body = ArenaVec::with_capacity_in(statements.len(), &self.ast);
        for statement in statements {
            self.collect_statement(statement, &mut body);
        }
        program.body = body;
    }

    fn collect_dep(&mut self, statement: &Statement<'a>) {
        match statement {
            Statement::ImportDeclaration(import) => self.collect_import(import),
            Statement::ExportAllDeclaration(export) => {
                let dep = self.static_dep(&export.source, export.with_clause.as_deref());
                match &export.exported {
                    Some(_) => self.take_name(dep, "*"),
                    None if self.out.stars.contains(&dep) => {}
                    None => self.out.stars.push(dep),
                }
            }
            Statement::ExportFromDeclaration(export) => {
                let dep = self.static_dep(&export.source, export.with_clause.as_deref());
                for specifier in &export.specifiers {
                    self.take_name(dep, &specifier.local.name());
                }
            }
            _ => {}
        }
    }

    fn collect_import(&mut self, import: &ImportDeclaration<'a>) {
        if let Some(phase) = import.phase {
            let word = if phase == ImportPhase::Defer { "defer" } else { "source" };
            self.error(format!("`import {word}` is not supported"), import.span, "import the module without a phase");
        }
        let dep = self.static_dep(&import.source, import.with_clause.as_deref());
        for specifier in import.specifiers.iter().flatten() {
            let (local, imported) = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(it) => (&it.local, Some(it.imported.name())),
                ImportDeclarationSpecifier::ImportDefaultSpecifier(it) => (&it.local, Some(Str::from("default"))),
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(it) => (&it.local, None),
            };
            self.take_name(dep, imported.as_ref().map_or("*", |name: &Str<'a>| name.as_str()));
            self.imports.insert(local.symbol_id(), (dep, imported));
        }
    }

    fn static_dep(&mut self, source: &StringLiteral<'a>, with: Option<&WithClause<'a>>) -> usize {
        let attribute = with.and_then(calls::type_attribute);
        let at = self.dep(source.value.as_str(), DepKind::Static, source.span, attribute);
        self.out.names.resize_with(self.out.names.len().max(at + 1), Vec::new);
        at
    }

    fn dep(&mut self, specifier: &str, kind: DepKind, span: Span, attribute: Option<String>) -> usize {
        let deps = &mut self.out.deps;
        // An address is not the module that is imported by the same name.
        let is_apart = matches!(kind, DepKind::Worker | DepKind::Asset);
        let key = (specifier.to_owned(), attribute.clone(), is_apart.then_some(kind));
        *self.index.entry(key).or_insert_with(|| {
            let specifier = specifier.to_owned();
            deps.push(Dep { specifier, kind, span: (span.start, span.end), attribute, names: Vec::new() });
            deps.len() - 1
        })
    }

    /// The names taken of each dependency; all of them where it is accepted, passed on by `export *` or imported by `import()`.
    fn note_names(&mut self) {
        let out = &mut self.out;
        for (at, names) in out.names.iter().enumerate() {
            let whole = out.stars.contains(&at) || out.accepted.contains(&at) || out.dynamic.contains(&at);
            out.deps[at].names = if whole { vec!["*".to_owned()] } else { names.clone() };
        }
    }

    fn take_name(&mut self, dep: usize, name: &str) {
        let names = &mut self.out.names[dep];
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }

    fn collect_statement(&mut self, statement: Statement<'a>, body: &mut ArenaVec<'a, Statement<'a>>) {
        match statement {
            Statement::ImportDeclaration(_) => {}
            Statement::ExportAllDeclaration(export) => {
                if let Some(exported) = &export.exported {
                    let dep = self.static_dep(&export.source, export.with_clause.as_deref());
                    let read = format!("{}{dep}", self.prefix);
                    self.export(exported.name().as_str(), read, Some((dep, "*".into())));
                }
            }
            Statement::ExportFromDeclaration(export) => {
                let dep = self.static_dep(&export.source, export.with_clause.as_deref());
                for specifier in &export.specifiers {
                    let imported = specifier.local.name();
                    self.export_passed_on(specifier.exported.name().as_str(), dep, imported.as_str());
                }
            }
            Statement::ExportNamedDeclaration(export) => {
                for specifier in &export.specifiers {
                    self.export_local(specifier);
                }
            }
            Statement::ExportDeclaration(export) => {
                let declaration = export.unbox().declaration;
                let mut names = Vec::new();
                declaration.bound_names(&mut |identifier| names.push(identifier.name.to_string()));
                for name in names {
                    self.export(&name, name.clone(), None);
                }
                body.push(Statement::from(declaration));
            }
            Statement::ExportDefaultDeclaration(export) => {
                let statement = self.default_export(export.unbox());
                body.push(statement);
            }
            other => body.push(other),
        }
    }

    fn export(&mut self, name: &str, read: String, from: Option<(usize, String)>) {
        self.out.exports.push(Export { name: name.to_owned(), read, from });
    }

    fn export_passed_on(&mut self, name: &str, dep: usize, imported: &str) {
        let read = if is_identifier_name(imported) {
            format!("{}{dep}.{imported}", self.prefix)
        } else {
            format!("{}{dep}[{}]", self.prefix, json(imported))
        };
        self.export(name, read, Some((dep, imported.to_owned())));
    }

    fn export_local(&mut self, specifier: &ExportSpecifier<'a>) {
        let exported = specifier.exported.name();
        let ModuleExportName::IdentifierReference(local) = &specifier.local else { return };
        let import = self.symbol_of(local).and_then(|symbol| self.imports.get(&symbol).cloned());
        match import {
            Some((dep, Some(imported))) => self.export_passed_on(exported.as_str(), dep, imported.as_str()),
            Some((dep, None)) => {
                self.export(exported.as_str(), format!("{}{dep}", self.prefix), Some((dep, "*".into())))
            }
            None => self.export(exported.as_str(), local.name.to_string(), None),
        }
    }

    /// `export default` keeps a declaration a declaration (it is hoisted); an anonymous function or class gets the
    /// name "default", which the language gives it too (ECMA-262 section 16.2.3.7).
    fn default_export(&mut self, export: ExportDefaultDeclaration<'a>) -> Statement<'a> {
        let variable = self.own_name("default");
        match export.declaration {
            ExportDefaultDeclarationKind::FunctionDeclaration(mut function) => {
                let name = match &function.id {
                    Some(id) => id.name.to_string(),
                    None => {
                        function.id = Some(BindingIdentifier::new(SPAN, variable, &self.ast));
                        self.out.names_default_function = true;
                        self.out.uses_runtime = true;
                        variable.to_owned()
                    }
                };
                self.export("default", name, None);
                Statement::FunctionDeclaration(function)
            }
            ExportDefaultDeclarationKind::ClassDeclaration(mut class) => {
                if let Some(id) = &class.id {
                    self.export("default", id.name.to_string(), None);
                    return Statement::ClassDeclaration(class);
                }
                class.r#type = ClassType::ClassExpression;
                self.export("default", variable.to_owned(), None);
                self.default_variable(variable, Expression::ClassExpression(class), true, export.span)
            }
            ExportDefaultDeclarationKind::TSInterfaceDeclaration(_) => Statement::new_empty_statement(SPAN, &self.ast),
            other => {
                self.export("default", variable.to_owned(), None);
                let value = other.into_expression();
                let anonymous = match &value {
                    Expression::ArrowFunctionExpression(_) => true,
                    Expression::FunctionExpression(function) => function.id.is_none(),
                    Expression::ClassExpression(class) => class.id.is_none(),
                    _ => false,
                };
                self.default_variable(variable, value, anonymous, export.span)
            }
        }
    }

    /// `const $default = value`, or `const $default = { default: value }.default` where the value takes its name from there.
    fn default_variable(&self, variable: &'a str, value: Expression<'a>, anonymous: bool, span: Span) -> Statement<'a> {
        let ast = &self.ast;
        let value = if !anonymous {
            value
        } else {
            let key = PropertyKey::StaticIdentifier(ArenaBox::new_in(IdentifierName::new(SPAN, "default", ast), ast));
            let property =
                ObjectPropertyKind::new_object_property(SPAN, PropertyKind::Init, key, value, false, false, false, ast);
            let object = Expression::new_object_expression(SPAN, [property], ast);
            Expression::new_static_member_expression(
                SPAN,
                object,
                IdentifierName::new(SPAN, "default", ast),
                false,
                ast,
            )
        };
        let pattern = BindingPattern::new_binding_identifier(SPAN, variable, ast);
        let declarator = VariableDeclarator::new(SPAN, pattern, None, Some(value), false, ast);
        Statement::VariableDeclaration(VariableDeclaration::boxed(
            span,
            VariableDeclarationKind::Const,
            [declarator],
            false,
            ast,
        ))
    }

    fn error(&mut self, message: impl Into<String>, span: Span, help: impl Into<String>) {
        self.out.errors.push((message.into(), span, help.into()));
    }

    fn own_name(&self, rest: &str) -> &'a str {
        self.ast.allocator().alloc_concat_strs_array([self.prefix, rest])
    }

    fn symbol_of(&self, identifier: &IdentifierReference<'a>) -> Option<SymbolId> {
        self.scoping.get_reference(identifier.reference_id.get()?).symbol_id()
    }
}

// ---- references are rewritten

impl<'a> Wrapper<'a, '_> {
    fn own_identifier(&self, rest: &str, span: Span) -> Expression<'a> {
        Expression::new_identifier(span, self.own_name(rest), &self.ast)
    }

    /// `$r.<method>(arguments)`
    fn runtime_call<const N: usize>(
        &mut self,
        method: &'a str,
        arguments: [Expression<'a>; N],
        span: Span,
    ) -> Expression<'a> {
        self.out.uses_runtime = true;
        let ast = &self.ast;
        let runtime = self.own_identifier("r", SPAN);
        let callee =
            Expression::new_static_member_expression(SPAN, runtime, IdentifierName::new(SPAN, method, ast), false, ast);
        Expression::new_call_expression(span, callee, None, arguments.map(Argument::from), false, ast)
    }

    fn number(&self, value: usize) -> Expression<'a> {
        Expression::new_numeric_literal(SPAN, value as f64, None, NumberBase::Decimal, &self.ast)
    }

    /// The expression that reads an import now, if `identifier` is one.
    fn import_read(&self, identifier: &IdentifierReference<'a>) -> Option<Expression<'a>> {
        let symbol = match identifier.reference_id.get() {
            Some(_) => self.symbol_of(identifier)?,
            // A copy that a transform made: the hooks of a component in `forwardRef()` are named twice.
            None => self.scoping.get_root_binding(identifier.name)?,
        };
        let (dep, imported) = self.imports.get(&symbol)?;
        let namespace = self.own_identifier(&dep.to_string(), identifier.span);
        let ast = &self.ast;
        Some(match imported {
            None => namespace,
            Some(name) if is_identifier_name(name) => {
                let property = IdentifierName::new(SPAN, *name, ast);
                Expression::new_static_member_expression(identifier.span, namespace, property, false, ast)
            }
            Some(name) => {
                let property = Expression::new_string_literal(SPAN, *name, None, ast);
                Expression::new_computed_member_expression(identifier.span, namespace, property, false, ast)
            }
        })
    }

    /// Whether calling `callee` would pass our namespace as `this`.
    fn is_named_import(&self, callee: &Expression<'a>) -> bool {
        let Expression::Identifier(identifier) = callee else { return false };
        let symbol = self.symbol_of(identifier);
        symbol.and_then(|symbol| self.imports.get(&symbol)).is_some_and(|(_, imported)| imported.is_some())
    }

    /// `f` → `(0, f)`: the call gets `undefined` as `this`.
    fn without_this(&self, callee: &mut Expression<'a>) {
        let read = callee.take_in(&self.ast);
        let span = read.span();
        *callee = Expression::new_sequence_expression(span, [self.number(0), read], &self.ast);
    }

    fn meta(&mut self, span: Span) -> Expression<'a> {
        self.out.uses_meta = true;
        self.own_identifier("m", span)
    }

    fn global(&self, name: &'a str, span: Span) -> Expression<'a> {
        let ast = &self.ast;
        let object = Expression::new_identifier(span, "globalThis", ast);
        Expression::new_static_member_expression(span, object, IdentifierName::new(span, name, ast), false, ast)
    }

    fn reject_assignment(&mut self, identifier: &IdentifierReference<'a>) {
        let symbol = self.symbol_of(identifier);
        if symbol.is_some_and(|symbol| self.imports.contains_key(&symbol)) {
            self.error(
                format!("the import `{}` cannot be assigned to", identifier.name),
                identifier.span,
                "imports are read-only: export a function that changes the value from the other module",
            );
        }
    }

    fn rewrite_import_call(&mut self, import: ImportExpression<'a>) -> Expression<'a> {
        let attribute = import.options.as_ref().and_then(calls::type_attribute_of_options);
        let span = import.span;
        if let Some(specifier) = calls::constant_string(&import.source) {
            let dep = self.dep(&specifier, DepKind::Dynamic, import.source.span(), attribute);
            if !self.out.dynamic.contains(&dep) {
                self.out.dynamic.push(dep);
            }
            let number = self.number(dep);
            return self.runtime_call("import", [number], span);
        }
        if let Some(glob) = calls::glob_of_template(&import.source) {
            self.out.globs.push(glob);
            let number = self.number(self.out.globs.len() - 1);
            return self.runtime_call("importGlob", [number, import.source], span);
        }
        self.out.imports_by_name = true;
        match import.options {
            Some(options) => self.runtime_call("import", [import.source, options], span),
            None => self.runtime_call("import", [import.source], span),
        }
    }

    /// `require('./x')` of a file that is an ES module too → `$r.require(2)`.
    fn rewrite_require(&mut self, call: &CallExpression<'a>) -> Option<Expression<'a>> {
        let Expression::Identifier(callee) = &call.callee else { return None };
        let [argument] = call.arguments.as_slice() else { return None };
        if !self.requires || callee.name != "require" || self.symbol_of(callee).is_some() {
            return None;
        }
        let argument = argument.as_expression()?;
        let specifier = calls::constant_string(argument)?;
        let at = self.dep(&specifier, DepKind::Require, argument.span(), None);
        if !self.out.required.contains(&at) {
            self.out.required.push(at);
        }
        let number = self.number(at);
        Some(self.runtime_call("require", [number], call.span))
    }

    fn rewrite_glob(&mut self, call: &CallExpression<'a>) -> Option<Expression<'a>> {
        match calls::glob_arguments(call)? {
            Ok(GlobArguments { glob, import }) => {
                self.out.globs.push(glob);
                let number = self.number(self.out.globs.len() - 1);
                let picked = match import {
                    Some(name) => {
                        let name = self.ast.allocator().alloc_str(&name);
                        Expression::new_string_literal(SPAN, name, None, &self.ast)
                    }
                    None => Expression::new_null_literal(SPAN, &self.ast),
                };
                Some(self.runtime_call("glob", [number, picked], call.span))
            }
            Err((message, span)) => {
                self.error(
                    message,
                    span,
                    "import.meta.glob is expanded before the module runs, so its arguments must be literals",
                );
                None
            }
        }
    }

    /// `const Theme = createContext(0)` → `const Theme = $r.keep(createContext(0), "Theme", "a0…", 0)`
    fn keep_contexts(&mut self, program: &mut Program<'a>, contexts: &FxHashMap<String, Making>) {
        for statement in &mut program.body {
            let Statement::VariableDeclaration(variables) = statement else { continue };
            for declarator in &mut variables.declarations {
                let BindingPattern::BindingIdentifier(id) = &declarator.id else { continue };
                let Some((making, init)) = contexts.get(id.name.as_str()).zip(declarator.init.as_mut()) else {
                    continue;
                };
                let name = id.name;
                let value = init.take_in(&self.ast);
                *init = self.keep(value, name.as_str(), making);
            }
        }
    }

    fn keep(&mut self, value: Expression<'a>, name: &'a str, making: &Making) -> Expression<'a> {
        let span = value.span();
        let ast = &self.ast;
        let digest = self.ast.allocator().alloc_str(&making.digest);
        let texts = [name, digest].map(|text| Expression::new_string_literal(SPAN, text, None, ast));
        let deps = making.deps(&self.out.deps);
        let parts = [value].into_iter().chain(texts).chain(deps.into_iter().map(|dep| self.number(dep)));
        let arguments = ArenaVec::from_iter_in(parts.map(Argument::from), ast);
        self.out.uses_runtime = true;
        let runtime = self.own_identifier("r", SPAN);
        let member = IdentifierName::new(SPAN, "keep", ast);
        let callee = Expression::new_static_member_expression(SPAN, runtime, member, false, ast);
        Expression::new_call_expression(span, callee, None, arguments, false, ast)
    }

    fn note_accept(&mut self, call: &CallExpression<'a>) {
        match calls::accept_call(call) {
            AcceptCall::Other => {}
            AcceptCall::Deps(deps) => {
                for (specifier, span) in deps {
                    let at = self.dep(&specifier, DepKind::Accept, span, None);
                    self.out.accepted.push(at);
                }
            }
            AcceptCall::NotLiteral(span) => self.error(
                "import.meta.hot.accept() takes a string literal or an array of string literals",
                span,
                "write the path of each accepted module as a literal here",
            ),
        }
    }
}

impl<'a> VisitMut<'a> for Wrapper<'a, '_> {
    fn visit_expression(&mut self, it: &mut Expression<'a>) {
        match it {
            Expression::Identifier(identifier) => {
                if let Some(read) = self.import_read(identifier) {
                    *it = read;
                } else if let Some(name) = RESERVED_NAMES.iter().find(|name| identifier.name == **name)
                    && self.symbol_of(identifier).is_none()
                {
                    *it = self.global(name, identifier.span);
                } else if identifier.name == "arguments" && self.arguments_depth == 0 {
                    // A module has no `arguments`, but our function around it has: read a name that is declared nowhere.
                    *it = self.own_identifier("arguments", identifier.span);
                }
            }
            Expression::ImportMeta(meta) => {
                // `import.meta.env` without a property name after it: any of its keys may be read.
                self.out.env = EnvReads::All;
                *it = self.meta(meta.span);
            }
            Expression::ImportExpression(_) => {
                walk_mut::walk_expression(self, it);
                if let Expression::ImportExpression(import) = it.take_in(&self.ast) {
                    *it = self.rewrite_import_call(import.unbox());
                }
            }
            // `await x` → `yield x`: the registry waits and resumes. An async generator would begin its body a turn late.
            Expression::AwaitExpression(_) if self.function_depth == 0 && !self.out.needs_async_function => {
                walk_mut::walk_expression(self, it);
                self.out.is_async = true;
                if let Expression::AwaitExpression(awaited) = it.take_in(&self.ast) {
                    let awaited = awaited.unbox();
                    *it = Expression::new_yield_expression(awaited.span, false, Some(awaited.argument), &self.ast);
                }
            }
            Expression::CallExpression(call) if calls::is_glob(call) => match self.rewrite_glob(call) {
                Some(replacement) => *it = replacement,
                None => walk_mut::walk_expression(self, it),
            },
            Expression::CallExpression(call) if self.requires => match self.rewrite_require(call) {
                Some(replacement) => *it = replacement,
                None => walk_mut::walk_expression(self, it),
            },
            _ => walk_mut::walk_expression(self, it),
        }
    }

    fn visit_static_member_expression(&mut self, it: &mut StaticMemberExpression<'a>) {
        let Expression::ImportMeta(meta) = &it.object else {
            if let Some(name) = calls::env_key(it) {
                self.out.env.add(name);
                // The inner `import.meta.env` is not an escape of the whole object.
                let before = std::mem::take(&mut self.out.env);
                walk_mut::walk_static_member_expression(self, it);
                self.out.env = before;
                return;
            }
            return walk_mut::walk_static_member_expression(self, it);
        };
        if it.property.name == "env" {
            self.out.env = EnvReads::All;
        }
        it.object = self.meta(meta.span);
    }

    fn visit_call_expression(&mut self, it: &mut CallExpression<'a>) {
        self.note_accept(it);
        let bare = self.is_named_import(&it.callee);
        walk_mut::walk_call_expression(self, it);
        if bare {
            self.without_this(&mut it.callee);
        }
    }

    fn visit_tagged_template_expression(&mut self, it: &mut TaggedTemplateExpression<'a>) {
        let bare = self.is_named_import(&it.tag);
        walk_mut::walk_tagged_template_expression(self, it);
        if bare {
            self.without_this(&mut it.tag);
        }
    }

    fn visit_new_expression(&mut self, it: &mut NewExpression<'a>) {
        if let Some((specifier, span)) = calls::worker_url(it, self.scoping) {
            let dep = self.dep(&specifier, DepKind::Worker, span, None);
            let number = self.number(dep);
            let address = self.runtime_call("worker", [number], span);
            if let Some(Expression::NewExpression(url)) = it.arguments[0].as_expression_mut() {
                url.arguments[0] = Argument::from(address);
            }
        } else if let Some((specifier, span)) = calls::asset_url(it, self.scoping) {
            let (path, suffix) = without_suffix(&specifier);
            let dep = self.dep(path, DepKind::Asset, span, None);
            let number = self.number(dep);
            let call = if suffix.is_empty() {
                self.runtime_call("asset", [number], span)
            } else {
                let suffix = self.ast.allocator().alloc_str(suffix);
                let suffix = Expression::new_string_literal(SPAN, suffix, None, &self.ast);
                self.runtime_call("asset", [number, suffix], span)
            };
            it.arguments[0] = Argument::from(call);
        } else if let Some(glob) = calls::asset_urls(it, self.scoping) {
            self.out.globs.push(glob);
            let number = self.number(self.out.globs.len() - 1);
            if let Some(path) = it.arguments[0].as_expression_mut().map(|path| path.take_in(&self.ast)) {
                let span = path.span();
                it.arguments[0] = Argument::from(self.runtime_call("assetGlob", [number, path], span));
            }
        }
        walk_mut::walk_new_expression(self, it);
    }

    fn visit_simple_assignment_target(&mut self, it: &mut SimpleAssignmentTarget<'a>) {
        if let SimpleAssignmentTarget::AssignmentTargetIdentifier(identifier) = it {
            return self.reject_assignment(identifier);
        }
        walk_mut::walk_simple_assignment_target(self, it);
    }

    fn visit_assignment_target_property_identifier(&mut self, it: &mut AssignmentTargetPropertyIdentifier<'a>) {
        self.reject_assignment(&it.binding);
        walk_mut::walk_assignment_target_property_identifier(self, it);
    }

    fn visit_function(&mut self, it: &mut Function<'a>, flags: ScopeFlags) {
        self.function_depth += 1;
        self.arguments_depth += 1;
        walk_mut::walk_function(self, it, flags);
        self.arguments_depth -= 1;
        self.function_depth -= 1;
    }

    fn visit_arrow_function_expression(&mut self, it: &mut ArrowFunctionExpression<'a>) {
        self.function_depth += 1;
        walk_mut::walk_arrow_function_expression(self, it);
        self.function_depth -= 1;
    }

    fn visit_decorator(&mut self, it: &mut Decorator<'a>) {
        self.error(
            "no browser runs decorators yet",
            it.span,
            "set `experimentalDecorators: true` in tsconfig.json to have them compiled away",
        );
    }
}
