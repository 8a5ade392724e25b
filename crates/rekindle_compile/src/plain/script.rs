//! Rewrites the calls of a script that mean something to us into plain imports, for a bundler.
//!
//! ```js
//! import('./page')                                  →  __rekindle_preload(() => import('./page'), __REKINDLE_DEPS__)
//! import.meta.filename                              →  "/src/main.ts"
//! import.meta.glob('./*.js')                        →  {'./a.js': () => import('/src/a.js')}
//! new URL('./a.png', import.meta.url)               →  new URL(__rekindle_0, import.meta.url)
//! new Worker(new URL('./w.ts', import.meta.url))    →  new Worker(new URL(__rekindle_1, import.meta.url))
//! import text from './a.txt' with { type: 'text' }  →  import text from './a.txt?raw'
//! import './box.module.css'                         →  import './box.module.css?rekindle-sheet'
//! ```
//! and below the module
//! ```js
//! import __rekindle_0 from './a.png?url'; import __rekindle_1 from './w.ts?worker&url'
//! ```
//!
//! The imports stand at the end: they are hoisted all the same, and run after those that the module wrote itself.

use oxc_allocator::{Allocator, GetAllocator, TakeIn};
use oxc_ast::ast::*;
use oxc_ast::builder::AstBuilder;
use oxc_ast_visit::{VisitMut, walk_mut};
use oxc_codegen::{Codegen, CodegenOptions, CommentOptions, LegalComment};
use oxc_semantic::Scoping;
use oxc_span::{GetSpan, SPAN, Span};
use rekindle_graph::{GlobCall, quoted};
use rustc_hash::FxHashMap;

use crate::kind::{self, is_style_module, join_query};
use crate::plain::lazy;
use crate::plain::options::{PlainOptions, RUNTIME_URL};
use crate::script::calls::GlobArguments;
use crate::script::input::{ParsedScript, ScriptInput, Shape};
use crate::script::snippet::snippet;
use crate::script::{calls, commonjs};

/// Stands for the list of what a lazy chunk needs, until the names of chunks are known.
pub const DEPS_MARKER: &str = "__REKINDLE_DEPS__";

/// The module at [`RUNTIME_URL`].
pub const RUNTIME: &str = r#"
const began = new Map()
/** Fetches what a lazy chunk needs beside itself; its sheets are there before it runs. */
export function preload(load, files) {
  if (!files || !files.length || typeof document === 'undefined') return load()
  const nonce = document.querySelector('meta[property=csp-nonce]')
  const begin = (address) => {
    const href = new URL(address, document.baseURI).href
    if (began.has(href)) return began.get(href)
    const isSheet = address.endsWith('.css')
    const there = [...document.getElementsByTagName('link')].find((link) => link.href === href && (!isSheet || link.rel === 'stylesheet'))
    if (there) return
    const link = document.createElement('link')
    link.rel = isSheet ? 'stylesheet' : 'modulepreload'
    link.crossOrigin = ''
    if (nonce) link.nonce = nonce.nonce || nonce.content
    link.href = href
    const loaded = isSheet ? new Promise((done, fail) => {
      link.onload = done
      link.onerror = () => {
        began.delete(href)
        link.remove()
        fail(new Error('Unable to preload CSS for ' + href))
      }
    }) : undefined
    began.set(href, loaded)
    document.head.append(link)
    return loaded
  }
  const told = (error) => {
    const event = new Event('vite:preloadError', { cancelable: true })
    event.payload = error
    if (window.dispatchEvent(event)) throw error
  }
  return Promise.all(files.map((file) => Promise.resolve(begin(file)).catch(told))).then(() => load().catch(told))
}
/** import(`./pages/${name}.js`) */
export function importGlob(matches, path) {
  const found = matches[String(path).split('?')[0]]
  return found ? found() : Promise.reject(new Error('no file matches the import of ' + path))
}
/** new URL(`./pics/${name}.png`, import.meta.url) */
export function assetGlob(matches, path) {
  const [, wanted, suffix] = /^([^?#]*)(.*)$/s.exec(String(path))
  return Object.hasOwn(matches, wanted) ? matches[wanted] + suffix : String(path)
}
"#;

/// Keys of a glob's object, and addresses.
pub(crate) type GlobEntries = Vec<(String, String)>;

/// What the module is in, and how its calls reach the files around it.
pub(crate) struct ModuleContext<'s> {
    pub options: PlainOptions,
    /// The module's address, which is what it knows of its place.
    pub url: &'s str,
    /// The module's name of the file that an address in it means, of the project or of a package.
    pub file_behind: &'s dyn Fn(&str) -> Option<String>,
    /// Keys and addresses of the files that a glob matches.
    pub matches: &'s dyn Fn(&GlobCall) -> Result<GlobEntries, String>,
}

pub(crate) struct RewriteOutput {
    /// Imports, to stand below the module.
    pub footer: String,
    /// Mistakes: message, where, advice.
    pub errors: Vec<(String, Span, String)>,
}

/// Rewrites a lowered script in place.
pub(crate) fn rewrite<'a>(
    allocator: &'a Allocator,
    module: &mut ParsedScript<'a>,
    shape: Shape,
    context: &ModuleContext<'_>,
) -> RewriteOutput {
    let mut writer = Writer {
        ast: AstBuilder::new(allocator),
        scoping: &module.scoping,
        context,
        is_module: shape == Shape::Module,
        calls_runtime: [false; 3],
        imports: 0,
        picked: FxHashMap::default(),
        out: RewriteOutput { footer: String::new(), errors: Vec::new() },
    };
    module.program.hashbang = None;
    writer.visit_program(&mut module.program);
    writer.import_runtime();
    writer.out
}

/// Prints a plain module. Comments are kept only where a bundler reads them or a licence asks for them.
pub(crate) fn print(program: &Program, input: &ScriptInput, options: PlainOptions) -> (String, Option<String>) {
    let legal = if options.legal_comments { LegalComment::Inline } else { LegalComment::None };
    let options = CodegenOptions {
        comments: CommentOptions { normal: false, jsdoc: false, annotation: true, legal },
        source_map_path: input.source_map.then(|| input.display.into()),
        ..CodegenOptions::default()
    };
    let printed = Codegen::new().with_options(options).with_source_text(input.source).build(program);
    (printed.code, printed.map.map(|map| map.to_json_string()))
}

struct Writer<'a, 's> {
    ast: AstBuilder<'a>,
    scoping: &'s Scoping,
    context: &'s ModuleContext<'s>,
    is_module: bool,
    /// Which functions of the runtime are called, in the order of [`RUNTIME_NAMES`].
    calls_runtime: [bool; 3],
    imports: usize,
    /// What is read of a lazy module where that is certain, by the place of its `import()`.
    picked: FxHashMap<u32, Vec<String>>,
    out: RewriteOutput,
}

const RUNTIME_NAMES: [&str; 3] = ["preload", "importGlob", "assetGlob"];
const PRELOAD: usize = 0;
const IMPORT_GLOB: usize = 1;
const ASSET_GLOB: usize = 2;

impl<'a> Writer<'a, '_> {
    fn import_runtime(&mut self) {
        let names = RUNTIME_NAMES.iter().zip(self.calls_runtime).filter(|(_, is_called)| *is_called);
        let names: Vec<String> = names.map(|(name, _)| format!("{name} as __rekindle_{name}")).collect();
        if !names.is_empty() {
            self.out.footer.push_str(&format!("import {{ {} }} from {};\n", names.join(", "), quoted(RUNTIME_URL)));
        }
    }

    fn runtime(&mut self, function: usize) -> String {
        self.calls_runtime[function] = true;
        format!("__rekindle_{}", RUNTIME_NAMES[function])
    }

    fn error(&mut self, message: impl Into<String>, span: Span, help: &str) {
        self.out.errors.push((message.into(), span, help.to_owned()));
    }

    /// A name for what a specifier exports: `* as` for all of it.
    fn import(&mut self, clause: &str, specifier: &str) -> String {
        let name = format!("__rekindle_{}", self.imports);
        self.imports += 1;
        self.out.footer.push_str(&format!("import {clause}{name} from {};\n", quoted(specifier)));
        name
    }

    /// `import('…')` as text, with what it needs loaded before; `read` takes what is wanted of it.
    fn lazy(&mut self, specifier: &str, read: &str) -> String {
        let import = format!("import({}){read}", quoted(specifier));
        if self.context.options.in_worker {
            import
        } else {
            format!("{}(() => {import}, {DEPS_MARKER})", self.runtime(PRELOAD))
        }
    }

    fn glob_object(&mut self, glob: &GlobCall, import: Option<&str>) -> Option<String> {
        let matches = match (self.context.matches)(glob) {
            Ok(matches) => matches,
            Err(message) => {
                let span = Span::new(glob.span.0, glob.span.1);
                self.error(message, span, "a pattern must start with `./`, `../`, `/`, `**` or an alias");
                return None;
            }
        };
        let mut entries = Vec::new();
        for (key, address) in matches {
            let value = match (glob.eager, import) {
                (true, None) => self.import("* as ", &address),
                (true, Some("default")) => self.import("", &address),
                (true, Some(name)) => format!("{}[{}]", self.import("* as ", &address), quoted(name)),
                (false, None) => format!("() => {}", self.lazy(&address, "")),
                (false, Some(name)) => {
                    let read = format!(".then((module) => module[{}])", quoted(name));
                    format!("() => {}", self.lazy(&address, &read))
                }
            };
            entries.push(format!("{}: {value}", quoted(&key)));
        }
        Some(format!("({{{}}})", entries.join(",")))
    }

    fn rewrite_glob(&mut self, call: &CallExpression<'a>) -> Option<Expression<'a>> {
        match calls::glob_arguments(call)? {
            Ok(GlobArguments { glob, import }) => {
                let object = self.glob_object(&glob, import.as_deref())?;
                snippet(&self.ast, &object)
            }
            Err((message, span)) => {
                let help = "import.meta.glob is expanded before the module runs, so its arguments must be literals";
                self.error(message, span, help);
                None
            }
        }
    }

    /// `function({…matches}, path)`
    fn choose(&mut self, function: usize, matches: &str, path: Expression<'a>) -> Option<Expression<'a>> {
        let name = self.runtime(function);
        let mut call = snippet(&self.ast, &format!("{name}({matches}, 0)"))?;
        if let Expression::CallExpression(call) = &mut call {
            call.arguments[1] = Argument::from(path);
        }
        Some(call)
    }

    fn rewrite_import(&mut self, import: &mut ImportExpression<'a>) -> Option<Expression<'a>> {
        if let Some(specifier) = calls::constant_string(&import.source) {
            if let Some(attribute) = import.options.as_ref().and_then(calls::type_attribute_of_options) {
                import.options = None;
                import.source = self.text(&with_attribute(&specifier, &attribute));
            }
            if !self.is_module || self.context.options.in_worker || is_address(&specifier) {
                return None;
            }
            let name = self.runtime(PRELOAD);
            let picked =
                self.picked.get(&import.span.start).filter(|_| import.options.is_none() && !import.span.is_empty());
            let read = picked.map(|names| lazy::reading(names)).unwrap_or_default();
            let mut call = snippet(&self.ast, &format!("{name}(() => x{read}, {DEPS_MARKER})"))?;
            let inner = ImportExpression::new(
                import.span,
                import.source.take_in(&self.ast),
                import.options.take(),
                import.phase,
                &self.ast,
            );
            if let Expression::CallExpression(call) = &mut call
                && let Some(Expression::ArrowFunctionExpression(arrow)) = call.arguments[0].as_expression_mut()
                && let Some(body) = arrow.body.as_expression_mut()
            {
                let place = match body {
                    Expression::CallExpression(then) => match &mut then.callee {
                        Expression::StaticMemberExpression(member) => &mut member.object,
                        callee => callee,
                    },
                    body => body,
                };
                *place = Expression::ImportExpression(oxc_allocator::ArenaBox::new_in(inner, &self.ast));
            }
            return Some(call);
        }
        let glob = calls::glob_of_template(&import.source).filter(|_| self.is_module)?;
        let matches = self.glob_object(&glob, None)?;
        let path = import.source.take_in(&self.ast);
        self.choose(IMPORT_GLOB, &matches, path)
    }

    fn text(&self, text: &str) -> Expression<'a> {
        let text = self.ast.allocator().alloc_str(text);
        Expression::new_string_literal(SPAN, text, None, &self.ast)
    }

    /// `import x from './a.txt' with { type: 'text' }`: what the attribute says goes into the specifier.
    fn rewrite_attribute(
        &self,
        source: &mut StringLiteral<'a>,
        with: &mut Option<oxc_allocator::ArenaBox<'a, WithClause<'a>>>,
    ) {
        let Some(attribute) = with.as_deref().and_then(calls::type_attribute) else { return };
        if is_address(source.value.as_str()) {
            return;
        }
        *with = None;
        let text = self.ast.allocator().alloc_str(&with_attribute(source.value.as_str(), &attribute));
        *source = StringLiteral::new(source.span, text, None, &self.ast);
    }
}

/// The specifier with what an attribute says, as a query.
fn with_attribute(specifier: &str, attribute: &str) -> String {
    kind::with_attribute(specifier, attribute).unwrap_or_else(|| specifier.to_owned())
}

fn is_address(specifier: &str) -> bool {
    specifier.starts_with("//") || specifier.contains("://") || specifier.starts_with("data:")
}

/// `./a.png#x` → `./a.png?url#x`, without the fragment, which stays behind the address.
fn with_query(specifier: &str, query: &str) -> (String, String) {
    let (path, suffix) = kind::without_suffix(specifier);
    // A bare path means one beside the module.
    let dot = if path.starts_with(['.', '/']) { "" } else { "./" };
    (join_query(&format!("{dot}{path}"), Some(query)), suffix.to_owned())
}

impl<'a> VisitMut<'a> for Writer<'a, '_> {
    fn visit_expression(&mut self, it: &mut Expression<'a>) {
        if let Expression::CallExpression(call) = it
            && calls::is_glob(call)
            && let Some(object) = self.rewrite_glob(call)
        {
            *it = object;
            return;
        }
        self.picked.extend(lazy::read_by_expression(it, self.scoping));
        walk_mut::walk_expression(self, it);
        if let Expression::StaticMemberExpression(member) = it
            && matches!(member.object, Expression::ImportMeta(_))
            && let Some(place) = commonjs::place(self.context.url, member.property.name.as_str())
        {
            *it = self.text(place);
        }
        if let Expression::ImportExpression(import) = it
            && let Some(call) = self.rewrite_import(import)
        {
            *it = call;
        }
    }

    fn visit_new_expression(&mut self, it: &mut NewExpression<'a>) {
        if let Some((specifier, _)) = calls::worker_url(it, self.scoping) {
            let is_shared = matches!(&it.callee, Expression::Identifier(name) if name.name == "SharedWorker");
            let query = kind::worker_address_query(is_shared, runs_as_module(it));
            let file = (self.context.file_behind)(kind::without_suffix(&specifier).0);
            // A missing file is reported under the name that the source gives it.
            let specifier =
                file.map_or_else(|| with_query(&specifier, &query).0, |file| join_query(&file, Some(&query)));
            let name = self.import("", &specifier);
            let address = snippet(&self.ast, &name);
            if let Some(Expression::NewExpression(url)) = it.arguments[0].as_expression_mut()
                && let Some(address) = address
            {
                url.arguments[0] = Argument::from(address);
            }
        } else if let Some((specifier, _)) = calls::asset_url(it, self.scoping) {
            let (path, suffix) = kind::without_suffix(&specifier);
            if let Some(file) = (self.context.file_behind)(path) {
                let query = kind::file_address_query(!suffix.is_empty());
                let name = self.import("", &join_query(&file, Some(&query)));
                let text = if suffix.is_empty() { name } else { format!("{name} + {}", quoted(suffix)) };
                if let Some(address) = snippet(&self.ast, &text) {
                    it.arguments[0] = Argument::from(address);
                }
            }
        } else if let Some(glob) = calls::asset_urls(it, self.scoping)
            && let Some(matches) = self.glob_object(&glob, Some("default"))
            && let Some(path) = it.arguments[0].as_expression_mut().map(|path| path.take_in(&self.ast))
            && let Some(chosen) = self.choose(ASSET_GLOB, &matches, path)
        {
            it.arguments[0] = Argument::from(chosen);
        }
        walk_mut::walk_new_expression(self, it);
    }

    fn visit_variable_declarator(&mut self, it: &mut VariableDeclarator<'a>) {
        self.picked.extend(lazy::read_by_declarator(it));
        walk_mut::walk_variable_declarator(self, it);
    }

    fn visit_import_declaration(&mut self, it: &mut ImportDeclaration<'a>) {
        if it.phase.is_some() {
            self.error("imports with a phase are not supported", it.span, "import the module without a phase");
        }
        self.rewrite_attribute(&mut it.source, &mut it.with_clause);
        // No class name is used, so a bundler would leave the sheet out.
        let has_names = it.specifiers.as_ref().is_some_and(|names| !names.is_empty());
        if !has_names && is_style_module(&it.source.value) {
            let sheet = kind::sheet_of_module(&it.source.value);
            it.source.value = self.ast.allocator().alloc_str(&sheet).into();
        }
    }

    fn visit_export_all_declaration(&mut self, it: &mut ExportAllDeclaration<'a>) {
        self.rewrite_attribute(&mut it.source, &mut it.with_clause);
    }

    fn visit_export_from_declaration(&mut self, it: &mut ExportFromDeclaration<'a>) {
        self.rewrite_attribute(&mut it.source, &mut it.with_clause);
    }

    fn visit_decorator(&mut self, it: &mut Decorator<'a>) {
        self.error(
            "no browser runs decorators yet",
            it.span(),
            "set `experimentalDecorators: true` in tsconfig.json to have them compiled away",
        );
    }
}

/// `new Worker(…, { type: 'module' })`
fn runs_as_module(new: &NewExpression) -> bool {
    let Some(Expression::ObjectExpression(options)) = new.arguments.get(1).and_then(Argument::as_expression) else {
        return false;
    };
    options.properties.iter().any(|property| match property {
        ObjectPropertyKind::ObjectProperty(property) => {
            property.key.is_specific_static_name("type")
                && calls::constant_string(&property.value).as_deref() == Some("module")
        }
        ObjectPropertyKind::SpreadProperty(_) => false,
    })
}
