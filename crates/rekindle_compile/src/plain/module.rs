//! One source file → one plain ES module, for a bundler: the same meaning as a definition, but nothing wrapped.
//!
//! ```text
//! /src/app.tsx          → types, JSX and decorators away; globs, workers and addresses are imports
//! /data.json            → default and named exports          /note.txt?raw    → its text
//! /logo.svg             → PlainModule::Asset: where it ends is not known here
//! /app.css              → PlainModule::Style: the sheet with placeholders of addresses
//! ```
//!
//! What is meant is decided where definitions are made: `Compiler::kind`, `script.rs`, `calls.rs`, `glob.rs`.

use oxc_allocator::Allocator;
use oxc_parser::Parser;
use oxc_span::SourceType;
use rekindle_graph::paths::is_in_package;
use rekindle_graph::{DepKind, Diagnostic, FilePath, ModuleUrl, quoted};

use crate::compiler::Compiler;
use crate::data::{json, wasm};
use crate::kind::{Kind, StyleUse, asks_for_content, keeps_file, path_of};
use crate::plain::options::PlainOptions;
use crate::plain::script::ModuleContext;
use crate::plain::{commonjs, meta, script};
use crate::resolve::resolver::Resolved;
use crate::script::compile::{lower, may_hold_jsx, mistakes, read_script, replace_defines};
use crate::script::input::ScriptInput;
use crate::source::Source;
use crate::style::StyleOutput;

/// A module without what makes it replaceable.
#[derive(Clone, Debug)]
pub enum PlainModule {
    /// ES module (or CommonJS). Specifiers are as written, or addresses from the root.
    Script {
        code: String,
        map: Option<String>,
    },
    /// An ES module without imports that does nothing but export values.
    Value(String),
    /// An address, or the content in its place.
    Asset(Inlining),
    Worker {
        class: &'static str,
        address: bool,
        inline: bool,
    },
    /// A function that instantiates the file.
    WasmInit,
    /// An instance of the file: specifiers of its imports, names of its exports with whether they are globals.
    Wasm {
        imports: Vec<(String, bool)>,
        exports: Vec<(String, bool)>,
    },
    Style(Box<StyleOutput>, StyleUse),
}

/// Whether an asset's content may stand in place of its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inlining {
    /// If it is small.
    Small,
    Always,
    Never,
}

impl Compiler {
    /// The plain module of a source. The files that went into it go to `files`.
    ///
    /// # Errors
    /// The user's mistakes, each with its place: the same as for a definition.
    pub fn plain(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        source: &Source,
        options: PlainOptions,
        files: &mut Vec<FilePath>,
    ) -> Result<PlainModule, Vec<Diagnostic>> {
        Ok(match self.kind(url, file, source) {
            Kind::Script => return self.plain_script(url, file, source, options, files),
            Kind::Worker { class, address } => {
                self.check_worker(url, file)?;
                PlainModule::Worker { class, address, inline: asks_for_content(url) }
            }
            Kind::WasmInit => PlainModule::WasmInit,
            Kind::Wasm => {
                let bytes = self.read(file)?;
                let wasm::Interface { imports, exports } =
                    wasm::interface(&bytes, &self.display(file.as_path())).map_err(|error| vec![error])?;
                PlainModule::Wasm { imports, exports }
            }
            Kind::Raw => PlainModule::Value(format!("export default {};", self.raw_value(file)?)),
            Kind::Bytes => PlainModule::Value(format!("export default /* @__PURE__ */ {};", self.bytes_value(file)?)),
            Kind::Json => {
                let text = self.read_text(file)?;
                PlainModule::Value(json::plain_json(&text, &self.display(file.as_path())).map_err(|error| vec![error])?)
            }
            Kind::DataUrl => PlainModule::Asset(Inlining::Always),
            Kind::Asset if keeps_file(url) => PlainModule::Asset(Inlining::Never),
            Kind::Asset if asks_for_content(url) => PlainModule::Asset(Inlining::Always),
            Kind::Asset => PlainModule::Asset(Inlining::Small),
            Kind::Style => {
                let (output, kind) = self.style_output(url, file, files)?;
                PlainModule::Style(Box::new(output), kind)
            }
            Kind::Unsupported(tool) => return Err(vec![self.unsupported(tool, file)]),
            Kind::OfPlugin(plugin) => return Err(vec![self.of_plugin(plugin, url, file)]),
        })
    }

    /// What `require` gives of a JSON file, as a CommonJS module: its value, with all of its keys.
    ///
    /// # Errors
    /// The file cannot be read, or is no JSON.
    pub fn required_json(&self, file: &FilePath) -> Result<String, Vec<Diagnostic>> {
        let text = self.read_text(file)?;
        json::plain_json(&text, &self.display(file.as_path())).map_err(|error| vec![error])?;
        let text = text.trim_start_matches('\u{feff}').trim();
        // In an object literal that key is no key.
        Ok(if text.contains("__proto__") {
            format!("module.exports = JSON.parse({});", quoted(text))
        } else {
            format!("module.exports = {text};")
        })
    }

    /// Whether the address of a script leads to the file itself, as that of any asset: it is JavaScript of a package, or
    /// uses nothing that only modules have.
    pub fn runs_as_it_is(&self, file: &FilePath) -> bool {
        let url = self.resolver.url_of(file.as_path(), None);
        if ![".js", ".mjs", ".cjs"].iter().any(|ending| url.path().ends_with(ending)) {
            return false;
        }
        let Ok(text) = self.read_text(file) else { return true };
        let allocator = Allocator::default();
        let record = Parser::new(&allocator, &text, SourceType::unambiguous()).parse().module_record;
        let is_plain = !record.has_module_syntax && record.dynamic_imports.is_empty();
        is_plain || is_in_package(file.as_path())
    }

    fn plain_script(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        source: &Source,
        options: PlainOptions,
        files: &mut Vec<FilePath>,
    ) -> Result<PlainModule, Vec<Diagnostic>> {
        let script = self.load_script(url, file, source, files)?;
        let display = self.display(file.as_path());
        let input = ScriptInput { source_map: options.source_map, ..self.script_input(&script, url, &display) };
        if is_plain_already(&input) && is_in_package(file.as_path()) && !commonjs::may_need_more(input.source) {
            return Ok(PlainModule::Script { code: script.text, map: None });
        }
        let allocator = Allocator::default();
        let (mut module, shape) = read_script(&allocator, &input)?;
        meta::name_members(&allocator, &mut module, input.source);
        replace_defines(&allocator, &input, &mut module);
        lower(&allocator, &input, &mut module)?;
        let from = source.seen_from(file);
        let context = ModuleContext {
            options,
            url: commonjs::told_address(input.url),
            file_behind: &|specifier| match self.resolver.resolve(from.as_path(), specifier, DepKind::Asset) {
                Ok(Resolved::File { url, .. }) => Some(url.path().to_owned()),
                Ok(Resolved::Address(_)) => self.resolver.public_file(specifier).map(|_| specifier.to_owned()),
                _ => None,
            },
            matches: &|call| {
                let found = self.glob_matches(call, from);
                let entries = found.entries.into_iter().map(|(key, _, url)| (key, url.as_str().to_owned()));
                found.mistake.map_or_else(|| Ok(entries.collect()), Err)
            },
        };
        let rewritten = script::rewrite(&allocator, &mut module, shape, &context);
        mistakes(&rewritten.errors, &input)?;
        commonjs::complete(&allocator, &mut module, shape, commonjs::told_address(input.url));
        let (mut code, map) = script::print(&module.program, &input, options);
        code.push_str(&rewritten.footer);
        Ok(PlainModule::Script { code, map })
    }
}

/// Whether a script can go to a bundler as it is.
fn is_plain_already(input: &ScriptInput) -> bool {
    const MEANINGS: [&str; 6] = ["import.meta", "import(", "import (", " with {", " with{", ".module."];
    let path = path_of(input.url);
    [".js", ".mjs", ".cjs"].iter().any(|ending| path.ends_with(ending))
        && !MEANINGS.iter().any(|text| input.source.contains(text))
        && !may_hold_jsx(input.source)
        && input.defines.for_source(input.source).is_none()
}
