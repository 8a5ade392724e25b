//! JavaScript and TypeScript: one source file → the text of one definition.
//!
//! parse → semantic → types, JSX and decorators away → wrap → print. About 0.2 ms for a file of 60 lines.

use std::path::Path;

use oxc_allocator::Allocator;
use oxc_ast::ast::{
    ClassElement, Declaration, Program, Statement, TSInterfaceDeclaration, TSModuleReference, TSTypeAliasDeclaration,
};
use oxc_ast_visit::{Visit, walk};
use oxc_codegen::{Codegen, CodegenOptions, CommentOptions, LegalComment};
use oxc_diagnostics::OxcDiagnostic;
use oxc_parser::{ParseOptions, Parser};
use oxc_semantic::SemanticBuilder;
use oxc_span::{GetSpan, SourceType, Span};
use oxc_transformer::{JsxRuntime, ReactRefreshOptions, TransformOptions, Transformer};
use oxc_transformer_plugins::ReplaceGlobalDefines;
use rekindle_graph::Diagnostic;
use rekindle_graph::paths::is_in_package;
use rustc_hash::FxHashSet;

use crate::kind::path_of;
use crate::project::tsconfig::TsOptions;
use crate::script::input::{Format, ParsedScript, ScriptInput, ScriptOutput, Shape};
use crate::script::refresh::makings;
use crate::script::wrapped::Wrapped;
use crate::script::{accessors, commonjs, namespaces, nesting, wrap};

/// Compiles one script. Errors are the user's mistakes, each with its place.
pub fn compile_script(input: &ScriptInput) -> Result<ScriptOutput, Vec<Diagnostic>> {
    let allocator = Allocator::default();
    match read_script(&allocator, input)? {
        (module, Shape::Module) => compile_module(&allocator, input, module),
        (module, Shape::CommonJs { sloppy }) => compile_commonjs(&allocator, input, module, sloppy),
    }
}

/// Parses a script and finds out what it is.
pub(crate) fn read_script<'a>(
    allocator: &'a Allocator,
    input: &ScriptInput<'a>,
) -> Result<(ParsedScript<'a>, Shape), Vec<Diagnostic>> {
    if let Some(offset) = nesting::too_deep(input.source) {
        return Err(vec![
            Diagnostic::error("the source is nested too deeply to be parsed")
                .in_file(input.display)
                .at(input.source, offset, 1)
                .with_help("if a program generates this file, have it build the value in steps"),
        ]);
    }
    let source_type = source_type(input.url);
    match parse(allocator, input, source_type, false) {
        Ok(module) if !is_commonjs(&module, input) => {
            refuse_commonjs_of_typescript(&module.program, input)?;
            Ok((module, Shape::Module))
        }
        Ok(module) => Ok((module, Shape::CommonJs { sloppy: false })),
        // Code that strict mode refuses may still be CommonJS, which runs in sloppy mode.
        Err(errors) if input.format != Format::Module && !source_type.is_typescript() => {
            let sloppy = SourceType::cjs().with_jsx(source_type.is_jsx());
            match parse(allocator, input, sloppy, true) {
                Ok(module) if is_commonjs(&module, input) => Ok((module, Shape::CommonJs { sloppy: true })),
                _ => Err(errors),
            }
        }
        Err(errors) => Err(errors),
    }
}

fn is_commonjs(module: &ParsedScript, input: &ScriptInput) -> bool {
    // CommonJS runs in a function, which cannot hold a top-level `await`. So where there may be one, the name of the file is not
    // enough: it has to use CommonJS.
    let by_name = input.format == Format::CommonJs && !module.has_module_syntax && !input.source.contains("await");
    input.format != Format::Module && (by_name || commonjs::is_commonjs(module))
}

fn source_type(url: &str) -> SourceType {
    let path = path_of(url);
    // Every script is first read as a module; what is CommonJS is found out from what it uses.
    let known = SourceType::from_path(path).unwrap_or_else(|_| SourceType::mjs()).with_module(true);
    // JSX is understood in plain `.js` too: the same text can mean nothing else in JavaScript.
    if known.is_typescript() { known } else { known.with_jsx(true) }
}

fn parse<'a>(
    allocator: &'a Allocator,
    input: &ScriptInput<'a>,
    source_type: SourceType,
    commonjs: bool,
) -> Result<ParsedScript<'a>, Vec<Diagnostic>> {
    let options = ParseOptions {
        parse_regular_expression: true,
        preserve_parens: false,
        allow_return_outside_function: commonjs || input.format != Format::Module,
        ..ParseOptions::default()
    };
    let mut parsed = Parser::new(allocator, input.source, source_type).with_options(options).parse();
    check(parsed.diagnostics.errors(), input)?;
    if parsed.panicked {
        return Err(vec![Diagnostic::error("the file cannot be parsed").in_file(input.display)]);
    }
    if input.source.contains("accessor") {
        accessors::lower(allocator, &mut parsed.program);
    }
    let was_commonjs = path_of(input.url).ends_with(".cts") && commonjs::of_typescript(allocator, &mut parsed.program);
    let built = SemanticBuilder::new().with_check_syntax_error(true).with_enum_eval(true).build(&parsed.program);
    let mut errors: Vec<&OxcDiagnostic> = built.diagnostics.errors().filter(|error| !is_about_types(error)).collect();
    if !errors.is_empty() && source_type.is_typescript() {
        let names = FreeNames::of(&parsed.program);
        errors.retain(|error| !names.are_doubled_by(error));
    }
    check(errors.into_iter(), input)?;
    if source_type.is_typescript() {
        refuse_doubled_functions(&parsed.program, input)?;
    }
    let scoping = built.semantic.into_scoping();
    let has_module_syntax = parsed.module_record.has_module_syntax && !was_commonjs;
    Ok(ParsedScript { program: parsed.program, scoping, has_module_syntax })
}

/// Whether an error is only about declarations that leave nothing behind in JavaScript: overloads without an implementation,
/// abstract members in a plain class. Types are removed and not checked, as in Vite.
fn is_about_types(error: &OxcDiagnostic) -> bool {
    // `super()` in the wrong place, a private name that is static and not, `export =` beside exports, a namespace in a block.
    const RUNTIME_ERROR_CODES: [&str; 4] = ["2337", "2804", "2309", "1235"];
    match (error.code.scope.as_deref(), error.code.number.as_deref()) {
        (Some("TS"), number) => !number.is_some_and(|number| RUNTIME_ERROR_CODES.contains(&number)),
        _ => error.message == "Getters and setters must have an implementation.",
    }
}

/// Two functions of one name, each with a body: no overloads in TypeScript, and a syntax error in a module.
fn refuse_doubled_functions(program: &Program, input: &ScriptInput) -> Result<(), Vec<Diagnostic>> {
    let mut known = FxHashSet::default();
    for statement in &program.body {
        let function = match statement {
            Statement::FunctionDeclaration(it) => it,
            Statement::ExportDeclaration(it) => match &it.declaration {
                Declaration::FunctionDeclaration(it) => it,
                _ => continue,
            },
            _ => continue,
        };
        if let Some(name) = function.id.as_ref().filter(|_| function.body.is_some())
            && !known.insert(name.name)
        {
            let message = format!("Identifier `{}` has already been declared", name.name);
            let place = (name.span.start as usize, name.span.size() as usize);
            return Err(vec![Diagnostic::error(message).in_file(input.display).at(input.source, place.0, place.1)]);
        }
    }
    Ok(())
}

/// Where names stand that may be declared twice in what becomes JavaScript: members of classes, and types, which go.
struct FreeNames(FxHashSet<u32>);

impl FreeNames {
    fn of(program: &Program) -> Self {
        let mut names = Self(FxHashSet::default());
        names.visit_program(program);
        names
    }

    fn are_doubled_by(&self, error: &OxcDiagnostic) -> bool {
        let is_doubled =
            error.message.starts_with("Identifier `") && error.message.ends_with("has already been declared");
        let mut places = error.labels.iter().map(|label| label.offset());
        is_doubled && error.labels.len() > 1 && places.all(|place| self.0.contains(&place))
    }
}

impl<'a> Visit<'a> for FreeNames {
    fn visit_class_element(&mut self, it: &ClassElement<'a>) {
        self.0.extend(it.property_key().filter(|key| !key.is_private_identifier()).map(|key| key.span().start));
        walk::walk_class_element(self, it);
    }

    fn visit_ts_type_alias_declaration(&mut self, it: &TSTypeAliasDeclaration<'a>) {
        self.0.insert(it.id.span.start);
    }

    fn visit_ts_interface_declaration(&mut self, it: &TSInterfaceDeclaration<'a>) {
        self.0.insert(it.id.span.start);
    }
}

fn check<'e>(errors: impl Iterator<Item = &'e OxcDiagnostic>, input: &ScriptInput) -> Result<(), Vec<Diagnostic>> {
    let diagnostics: Vec<Diagnostic> = errors.map(|error| diagnostic(error, input.display, input.source)).collect();
    if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
}

/// What the parser says of the file `display`, whose text is `source`.
pub fn diagnostic(error: &OxcDiagnostic, display: &str, source: &str) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(error.message.to_string()).in_file(display);
    if let Some(label) = error.labels.first() {
        diagnostic = diagnostic.at(source, label.offset() as usize, label.len() as usize);
    }
    match &error.help {
        Some(help) => diagnostic.with_help(help.to_string()),
        None => diagnostic,
    }
}

fn compile_module<'a>(
    allocator: &'a Allocator,
    input: &ScriptInput<'a>,
    mut module: ParsedScript<'a>,
) -> Result<ScriptOutput, Vec<Diagnostic>> {
    replace_defines(allocator, input, &mut module);
    let makings = (input.refresh && may_hold_components(input)).then(|| makings(&module.program, &module.scoping));
    let makings = makings.unwrap_or_default();
    lower(allocator, input, &mut module)?;
    let prefix = wrap::free_prefix(input.source, &module.scoping);
    let requires = input.source.contains("require") && is_in_package(Path::new(input.url));
    let kind = wrap::Wrapping::Module { contexts: &makings.contexts, requires };
    let mut wrapped = wrap::wrap(allocator, &mut module.program, &module.scoping, prefix, kind);
    mistakes(&wrapped.errors, input)?;
    let (body, map) = print(&module.program, input);
    if input.refresh {
        wrapped.note_refresh(&body, &makings);
    }
    let code = format!("{},{}\n{body}}})", wrapped.meta(input.interop), wrapped.header(prefix));
    let exports = wrapped.exports.iter().map(|export| export.name.clone()).collect();
    Ok(output(code, wrapped, exports, map))
}

fn compile_commonjs<'a>(
    allocator: &'a Allocator,
    input: &ScriptInput<'a>,
    mut module: ParsedScript<'a>,
    sloppy: bool,
) -> Result<ScriptOutput, Vec<Diagnostic>> {
    replace_defines(allocator, input, &mut module);
    // Helpers and the JSX runtime are required then, not imported.
    module.program.source_type = module.program.source_type.with_commonjs(true);
    lower(allocator, input, &mut module)?;
    let prefix = wrap::free_prefix(input.source, &module.scoping);
    let mut wrapped = wrap::wrap(allocator, &mut module.program, &module.scoping, prefix, wrap::Wrapping::CommonJs);
    mistakes(&wrapped.errors, input)?;
    let exports = commonjs::collect(&module.program, &module.scoping, &mut wrapped.deps);
    let names = commonjs::surroundings(&module.scoping, input.url) + &wrapped.imported(prefix);
    let meta = wrapped.meta(input.interop).replacen('{', "{cjs:true,", 1);
    let (body, map) = print(&module.program, input);
    let factory = format!("(function(module,exports,require,{prefix}r){{{names}\n{body}}})");
    let code = if !sloppy {
        format!("{meta},{factory}")
    } else {
        format!("{meta},(0,eval)({})", serde_json::to_string(&factory).unwrap_or_default())
    };
    Ok(output(code, wrapped, exports, map))
}

fn output(code: String, wrapped: Wrapped, exports: Vec<String>, map: Option<String>) -> ScriptOutput {
    let Wrapped { deps, globs, stars, env, imports_by_name, .. } = wrapped;
    ScriptOutput { code, deps, globs, exports, stars, env, imports_by_name, map }
}

/// Mistakes (message, where, advice) as what the user gets to see.
pub(crate) fn mistakes(errors: &[(String, Span, String)], input: &ScriptInput) -> Result<(), Vec<Diagnostic>> {
    let diagnostics: Vec<Diagnostic> = errors
        .iter()
        .map(|(message, span, help)| {
            Diagnostic::error(message)
                .in_file(input.display)
                .at(input.source, span.start as usize, span.size() as usize)
                .with_help(help)
        })
        .collect();
    if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
}

/// `import a = require('a')` and `export = a` would be a `require` and a `module` that no browser has.
fn refuse_commonjs_of_typescript(program: &Program, input: &ScriptInput) -> Result<(), Vec<Diagnostic>> {
    let refuse = |span: Span, message: &str, help: &str| {
        let (start, length) = (span.start as usize, span.size() as usize);
        Diagnostic::error(message).in_file(input.display).at(input.source, start, length).with_help(help)
    };
    let refused = |statement: &Statement| match statement {
        Statement::TSImportEqualsDeclaration(it)
            if it.import_kind.is_value()
                && matches!(it.module_reference, TSModuleReference::ExternalModuleReference(_)) =>
        {
            Some(refuse(it.span, "`import = require()` is CommonJS", "write `import name from` instead"))
        }
        Statement::TSExportAssignment(it) => {
            Some(refuse(it.span, "`export =` is CommonJS", "write `export default` instead"))
        }
        _ => None,
    };
    let diagnostics: Vec<Diagnostic> = program.body.iter().filter_map(refused).collect();
    if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
}

/// Constants of the settings, and `process.env.NODE_ENV`, so that only one of a package's two builds is required.
pub(crate) fn replace_defines<'a>(allocator: &'a Allocator, input: &ScriptInput<'a>, module: &mut ParsedScript<'a>) {
    if let Some(config) = input.defines.for_source(input.source) {
        let scoping = std::mem::take(&mut module.scoping);
        module.scoping = ReplaceGlobalDefines::new(allocator, config).build(scoping, &mut module.program).scoping;
    }
}

/// Whether the file may declare components or contexts: what is looked at is its text.
fn may_hold_components(input: &ScriptInput) -> bool {
    may_hold_jsx(input.source) || input.source.contains("createContext")
}

pub(crate) fn may_hold_jsx(source: &str) -> bool {
    source.contains("</") || source.contains("/>")
}

/// Types, JSX and decorators away. Newer syntax stays: the browsers a developer has run it.
pub(crate) fn lower<'a>(
    allocator: &'a Allocator,
    input: &ScriptInput<'a>,
    module: &mut ParsedScript<'a>,
) -> Result<(), Vec<Diagnostic>> {
    let may_hold_hooks = input.refresh && input.source.contains("use");
    if !module.program.source_type.is_typescript() && !may_hold_jsx(input.source) && !may_hold_hooks {
        return Ok(());
    }
    if module.program.source_type.is_typescript() {
        namespaces::qualify(allocator, &mut module.program, &mut module.scoping);
    }
    let mut options = transform_options(input.options, classic_pragma(input.source), input.production);
    options.jsx.refresh = input.refresh.then(ReactRefreshOptions::default);
    let scoping = std::mem::take(&mut module.scoping);
    let path = Path::new(input.url);
    let lowered = Transformer::new(allocator, path, &options).build_with_scoping(scoping, &mut module.program);
    module.scoping = lowered.scoping;
    check(lowered.diagnostics.errors(), input)
}

/// Whether the file itself asks for the classic JSX runtime: `/** @jsxRuntime classic */`.
fn classic_pragma(source: &str) -> Option<bool> {
    let (_, after) = source.split_once("@jsxRuntime")?;
    match after.split_whitespace().next()? {
        "classic" => Some(true),
        "automatic" => Some(false),
        _ => None,
    }
}

fn transform_options(ts: &TsOptions, classic_pragma: Option<bool>, production: bool) -> TransformOptions {
    let mut options = TransformOptions::default();
    options.typescript.only_remove_type_imports = ts.verbatim_module_syntax || ts.preserve_value_imports;
    options.decorator.legacy = ts.experimental_decorators == Some(true);
    options.decorator.emit_decorator_metadata = ts.emit_decorator_metadata == Some(true);
    if !ts.defines_class_fields() {
        options.assumptions.set_public_class_fields = true;
        options.typescript.remove_class_fields_without_initializer = true;
        // Not `loose`: there oxc 0.146 forgets to declare what private methods are checked against.
        options.env.es2022.class_properties = Some(oxc_transformer::ClassPropertiesOptions { loose: false });
    }
    let classic = classic_pragma.unwrap_or(ts.jsx.as_deref() == Some("react"));
    options.jsx.runtime = if classic { JsxRuntime::Classic } else { JsxRuntime::Automatic };
    options.jsx.development = !classic && !production && ts.jsx.as_deref() != Some("react-jsx-production");
    options.jsx.throw_if_namespace = false;
    if classic {
        options.jsx.pragma = ts.jsx_factory.clone();
        options.jsx.pragma_frag = ts.jsx_fragment_factory.clone();
    } else {
        options.jsx.import_source = ts.jsx_import_source.clone();
    }
    if let Some(factory) = &ts.jsx_factory {
        options.typescript.jsx_pragma = factory.clone().into();
    }
    if let Some(fragment) = &ts.jsx_fragment_factory {
        options.typescript.jsx_pragma_frag = fragment.clone().into();
    }
    options.jsx.conform();
    options
}

fn print(program: &Program, input: &ScriptInput) -> (String, Option<String>) {
    let options = CodegenOptions {
        comments: CommentOptions { normal: false, jsdoc: false, annotation: false, legal: LegalComment::None },
        source_map_path: input.source_map.then(|| input.display.into()),
        ..CodegenOptions::default()
    };
    let printed = Codegen::new().with_options(options).with_source_text(input.source).build(program);
    // The header is one line of text above the body.
    let map = printed.map.map(|map| below_the_header(&map.to_json_string()));
    (printed.code, map)
}

/// One empty line in front of the mappings: the generated text begins with the header.
fn below_the_header(map: &str) -> String {
    map.replacen("\"mappings\":\"", "\"mappings\":\";", 1)
}
