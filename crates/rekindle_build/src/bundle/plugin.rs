//! Gives rolldown the meaning that development has: what a specifier is, and what a file becomes.
//!
//! ```text
//! resolve_id('./logo.svg', '/app/src/main.ts')  →  /app/src/logo.svg            (an id: a path with its query)
//! load('/app/src/logo.svg')                     →  export default "/assets/logo-Bq3x_0aZ.svg"
//! load('/app/src/app.css')                      →  an empty module; the sheet is kept for its chunk
//! ```

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use rekindle_compile::files::file;
use rekindle_compile::files::secrets::{self, holds_secrets};
use rekindle_compile::kind::{
    SHEET_OF_MODULE, StyleUse, asks_for_content, is_classic_worker, is_script, is_sheet_of_page, is_style,
    is_style_module, join_query, linked_sheet, module_of_sheet, node_module, sheet_of_module, split_query,
};
use rekindle_compile::plain::module::{Inlining, PlainModule};
use rekindle_compile::plain::options::{PlainOptions, RUNTIME_URL};
use rekindle_compile::plain::script::RUNTIME;
use rekindle_compile::resolve::resolver::Resolved;
use rekindle_compile::script::builtin;
use rekindle_compile::script::builtin::{EMPTY_URL, HELPER_URL, NODE_URL};
use rekindle_compile::source::Source;
use rekindle_compile::style::StyleOutput;
use rekindle_graph::paths::is_in_package;
use rekindle_graph::{DepKind, Diagnostic, FilePath, ModuleUrl};
use rolldown_common::side_effects::HookSideEffects;
use rolldown_common::{
    ExportsKind, ImportKind, ModuleInfo, ModuleType, NormalModule, ResolvedExternal, RollupRenderedChunk,
};
use rolldown_plugin::{
    HookAugmentChunkHashReturn, HookLoadArgs, HookLoadOutput, HookLoadReturn, HookNoopReturn, HookRenderChunkArgs,
    HookRenderChunkOutput, HookRenderChunkReturn, HookRenderStartArgs, HookResolveIdArgs, HookResolveIdOutput,
    HookResolveIdReturn, HookTransformOutputMap, HookUsage, Plugin, PluginContext, SharedLoadPluginContext,
};

use crate::bundle::context::BundleContext;
use crate::bundle::ids::{PAGE, plain_id, required_file, required_id};
use crate::bundle::modules::BundledModules;
use crate::bundle::page_modules::PageModules;
use crate::bundle::problems;
use crate::bundle::role::{Role, WorkerScript};
use crate::lock::lock;
use crate::output::addresses::{Referrer, Target, hash, json};
use crate::output::sheets;
use crate::session::Session;

const OWN: &str = "\0rekindle:";
/// Begins the id of a module that is required and does not exist; its name follows.
const MISSING: &str = "missing?";

/// How rolldown's runtime begins a namespace, and what we put in its place. `same.test.mjs` fails if a new rolldown writes it
/// differently.
const NAMESPACE: (&str, &str) = (
    "__exportAll = (all, no_symbols) => {\n\tlet target = {};",
    "__exportAll = (all, no_symbols) => {\n\tlet target = { __proto__: null };",
);

/// How it ends; and what adds names to a namespace afterwards, where a chunk has that.
const NAMESPACE_END: (&str, &str) = ("return target;", "return Object.preventExtensions(target);");
const ADDS_NAMES: &str = "__reExport = ";

/// What rolldown is told when the real mistake is in `Session::problem`.
const REPORTED_ELSEWHERE: &str = "told elsewhere";

pub(crate) struct BundlerPlugin {
    pub context: Arc<BundleContext>,
    pub pages: Arc<PageModules>,
    pub role: Role,
    /// Builds the worker that a file is the script of, started by who is in this role.
    pub build_worker: BuildWorker,
    /// What the hooks found so far. `bundler.rs` takes it out when rolldown is done.
    pub modules: Mutex<BundledModules>,
}

pub(crate) type BuildWorker = for<'a> fn(&'a Arc<BundleContext>, &'a Path, bool, &'a Role) -> WorkerBuild<'a>;
pub(crate) type WorkerBuild<'a> = Pin<Box<dyn Future<Output = Result<WorkerScript, Vec<Diagnostic>>> + Send + 'a>>;

impl std::fmt::Debug for BundlerPlugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BundlerPlugin").field("role", &self.role).finish_non_exhaustive()
    }
}

impl Plugin for BundlerPlugin {
    fn name(&self) -> Cow<'static, str> {
        "rekindle".into()
    }

    fn register_hook_usage(&self) -> HookUsage {
        HookUsage::RenderStart
            | HookUsage::ResolveId
            | HookUsage::Load
            | HookUsage::ModuleParsed
            | HookUsage::AugmentChunkHash
            | HookUsage::RenderChunk
    }

    async fn render_start(&self, _: &PluginContext, _: &HookRenderStartArgs<'_>) -> HookNoopReturn {
        if self.role == Role::Pages {
            self.context.progress.begin_rendering();
        }
        Ok(())
    }

    async fn resolve_id(&self, _: &PluginContext, args: &HookResolveIdArgs<'_>) -> HookResolveIdReturn {
        self.resolve(args)
    }

    async fn load(&self, _: SharedLoadPluginContext, args: &HookLoadArgs<'_>) -> HookLoadReturn {
        self.load_id(args.id).await
    }

    async fn module_parsed(&self, _: &PluginContext, info: Arc<ModuleInfo>, module: &NormalModule) -> HookNoopReturn {
        let imports = info.imported_ids.iter().map(|id| id.as_str().to_owned()).collect();
        let id = module.id.as_str().to_owned();
        let mut modules = lock(&self.modules);
        modules.imports.insert(id.clone(), imports);
        // A CommonJS module runs when it is required, wherever it stands.
        let runs_at_its_place = !matches!(module.exports_kind, ExportsKind::CommonJs);
        if runs_at_its_place && module.ecma_view.side_effects.has_side_effects() {
            modules.effects.insert(id);
        }
        Ok(())
    }

    /// A namespace inherits from nothing and takes nothing on (ECMA-262 10.4.6). The place is on a line of its own that no source stands for, so the
    /// source map stays as it is.
    async fn render_chunk(&self, _: &PluginContext, args: &HookRenderChunkArgs<'_>) -> HookRenderChunkReturn {
        let Some(at) = args.code.find(NAMESPACE.0) else { return Ok(None) };
        let mut code = args.code.replacen(NAMESPACE.0, NAMESPACE.1, 1);
        // Names of what is not bundled are added later.
        let is_final = !code.contains(ADDS_NAMES);
        if let Some(end) = code[at..].find(NAMESPACE_END.0).filter(|_| is_final) {
            code.replace_range(at + end..at + end + NAMESPACE_END.0.len(), NAMESPACE_END.1);
        }
        Ok(Some(HookRenderChunkOutput { code, map: HookTransformOutputMap::Null }))
    }

    /// Sheets are no part of a chunk's text, but their names are in the scripts that load it.
    async fn augment_chunk_hash(
        &self,
        _: &PluginContext,
        chunk: Arc<RollupRenderedChunk>,
    ) -> HookAugmentChunkHashReturn {
        let modules = lock(&self.modules);
        let own: Vec<&str> =
            chunk.modules.keys.iter().filter_map(|id| modules.sheets.get(id.as_str()).map(|css| &**css)).collect();
        Ok((!own.is_empty()).then(|| hash(own.concat().as_bytes())))
    }
}

impl BundlerPlugin {
    fn session(&self) -> &Session {
        &self.context.session
    }

    fn has_sheet(&self, id: &str) -> bool {
        lock(&self.modules).sheets.contains_key(id)
    }

    fn keep_sheet(&self, id: String, css: String) {
        lock(&self.modules).sheets.insert(id, css.into());
    }

    fn note_sources(&self, sources: impl IntoIterator<Item = PathBuf>) {
        lock(&self.modules).sources.extend(sources);
    }

    fn source_of(&self, id: &str) -> (ModuleUrl, FilePath, Source) {
        self.pages.source_of(id, &self.session().compiler)
    }

    fn resolve(&self, args: &HookResolveIdArgs<'_>) -> HookResolveIdReturn {
        let specifier = args.specifier;
        let session = self.session();
        if specifier == RUNTIME_URL {
            return Ok(Some(with_effects(format!("{OWN}{RUNTIME_URL}"), Some(HookSideEffects::False))));
        }
        let is_known_sheet = || module_of_sheet(specifier).is_some() && self.has_sheet(specifier);
        if specifier.starts_with(OWN) || specifier.ends_with(PAGE) || is_known_sheet() {
            return Ok(Some(with_effects(specifier, Some(HookSideEffects::NoTreeshake))));
        }
        if self.pages.is_inline(specifier) {
            return Ok(Some(with_effects(specifier, None)));
        }
        // Inputs, and what a page's entry imports, are ids already.
        let Some(importer) = args.importer.filter(|importer| !importer.ends_with(PAGE)) else {
            let (path, query) = split_query(specifier);
            return Ok(Some(self.file(Path::new(path), query)));
        };
        // Helpers of lowered syntax are rolldown's own business.
        if specifier.starts_with(['\0', '#']) && importer.starts_with('\0')
            || specifier.starts_with("@oxc-project/runtime/")
            || specifier.starts_with("rolldown:")
            || importer.starts_with('\0')
        {
            return Ok(None);
        }
        let kind = match args.kind {
            ImportKind::Require => DepKind::Require,
            ImportKind::DynamicImport => DepKind::Dynamic,
            _ => DepKind::Static,
        };
        let (_, file, source) = self.source_of(importer);
        let from = source.seen_from(&file).as_path();
        match session.compiler.resolver.resolve(from, specifier, kind) {
            Ok(Resolved::File { path, .. }) if holds_secrets(path.as_path(), &session.config.root) => {
                let message = format!("`{specifier}` looks like a file with secrets, so it is never part of a page");
                let problem = problems::at_specifier(session, file.as_path(), specifier, Diagnostic::error(message))
                    .with_help(secrets::ADVICE);
                session.problem([problem]);
                Err(anyhow::anyhow!(REPORTED_ELSEWHERE))
            }
            Ok(Resolved::File { path, url }) if kind == DepKind::Require && is_json(&url) => {
                Ok(Some(with_effects(required_id(path.as_path()), None)))
            }
            Ok(Resolved::File { path, url }) => {
                if let Some(diagnostic) = session.compiler.plugin_lacks(&url, &path).filter(|_| kind == DepKind::Static)
                {
                    session.problem([problems::at_specifier(session, file.as_path(), specifier, diagnostic)]);
                    return Err(anyhow::anyhow!(REPORTED_ELSEWHERE));
                }
                let query = Some(url.query()).filter(|query| !query.is_empty());
                Ok(Some(self.file(path.as_path(), query)))
            }
            Ok(Resolved::Helper(url)) if url.path() == NODE_URL => {
                let (name, by) = node_module(&url);
                session.warn(builtin::node_module_note(&name, &by));
                Ok(Some(with_effects(format!("{OWN}{EMPTY_URL}"), None)))
            }
            Ok(Resolved::Helper(url)) => Ok(Some(with_effects(format!("{OWN}{}", url.as_str()), None))),
            Ok(Resolved::Address(address)) => Ok(Some(self.address(specifier, &address, kind))),
            // A `require` of a missing module fails only when it runs: packages guard such calls with `try`.
            Err(_) if kind == DepKind::Require && is_in_package(from) => {
                session.warn(format!(
                    "`{specifier}` is required by {} but not installed",
                    session.compiler.display(file.as_path())
                ));
                Ok(Some(with_effects(format!("{OWN}{MISSING}{specifier}"), None)))
            }
            Err(unresolved) => {
                let mut diagnostic = Diagnostic::error(unresolved.message);
                diagnostic.help = unresolved.help;
                session.problem([problems::at_specifier(session, file.as_path(), specifier, diagnostic)]);
                Err(anyhow::anyhow!(REPORTED_ELSEWHERE))
            }
        }
    }

    /// The id of a file: its path with the query that says what is made of it.
    fn file(&self, path: &Path, query: Option<&str>) -> HookResolveIdOutput {
        let url = ModuleUrl::new(join_query(&path.display().to_string(), query));
        let id = if query.is_some() { url.to_string() } else { plain_id(path) };
        let mut output = HookResolveIdOutput::from_id(id);
        if is_sheet_of_page(&url) {
            output.side_effects = Some(match self.role {
                _ if is_style_module(url.path()) && query != Some(SHEET_OF_MODULE) => HookSideEffects::False,
                Role::Pages => HookSideEffects::NoTreeshake,
                Role::Worker { .. } => HookSideEffects::True,
            });
            return output;
        }
        if is_in_package(path) && query.is_none() && self.session().compiler.leads_to_effects(path) {
            output.side_effects = Some(HookSideEffects::True);
            return output;
        }
        let package = self.session().compiler.resolver.packages.nearest(path);
        output.package_json_path = package.map(|package| package.folder.join("package.json").display().to_string());
        output
    }

    /// What the browser loads itself; a public file that is no script is a module like any asset.
    fn address(&self, specifier: &str, address: &str, kind: DepKind) -> HookResolveIdOutput {
        if let Some((public, query)) = self.session().compiler.public_asset(specifier, kind) {
            return self.file(&public, query);
        }
        let mut external = HookResolveIdOutput::from_id(address.to_owned());
        external.external = Some(ResolvedExternal::Bool(true));
        external.normalize_external_id = Some(false);
        external
    }

    async fn load_id(&self, id: &str) -> HookLoadReturn {
        let session = self.session();
        if let Some(url) = id.strip_prefix(OWN) {
            return Ok(match url {
                RUNTIME_URL => Some(script(RUNTIME)),
                EMPTY_URL => Some(script("module.exports = {}")),
                url if url.starts_with(MISSING) => Some(script(&missing_module(&url[MISSING.len()..]))),
                helper if helper.starts_with(HELPER_URL) => {
                    builtin::source(&ModuleUrl::new(helper)).map(|source| script(&source))
                }
                _ => None,
            });
        }
        if id.starts_with('\0') {
            return Ok(None);
        }
        if let Some(module) = module_of_sheet(id) {
            self.sheet_of_module(id, module)?;
            return Ok(Some(sheet_place()));
        }
        if let Some(entry) = self.pages.entry(id) {
            return Ok(Some(HookLoadOutput { side_effects: Some(HookSideEffects::NoTreeshake), ..script(entry) }));
        }
        self.context.progress.count_module();
        if let Some(json) = required_file(id) {
            let file = FilePath::new(json);
            self.note_sources([file.as_path().to_owned()]);
            let code = session.compiler.required_json(&file).map_err(|problems| self.told(problems))?;
            return Ok(Some(script(&code)));
        }
        let (url, file, source) = self.source_of(id);
        self.note_sources([file.as_path().to_owned()]);
        let options = PlainOptions {
            source_map: session.config.build.sourcemap != Default::default(),
            legal_comments: session.config.build.legal_comments == Default::default(),
            in_worker: self.role != Role::Pages,
        };
        match self.compile(&url, &file, &source, options)? {
            PlainModule::Script { code, map } => {
                let map = map.and_then(|map| named_by_path(&map, &file, &source));
                let side_effects = self.pages.is_page_script(id).then_some(HookSideEffects::True);
                Ok(Some(HookLoadOutput { map, side_effects, ..script(&code) }))
            }
            PlainModule::Value(code) => Ok(Some(script(&code))),
            // Public files are copied to the output unchanged.
            PlainModule::Asset(inlining)
                if !asks_for_content(&url) && session.compiler.resolver.address_of_public(file.as_path()).is_some() =>
            {
                let address = self.asset(&file, inlining)?;
                Ok(Some(script(&format!("export default {address};"))))
            }
            PlainModule::Asset(_) if is_style(url.path()) && !asks_for_content(&url) => {
                let name = self.linked_sheet(&url, &file)?;
                Ok(Some(script(&format!("export default {};", self.expression(&Target::Output(name))))))
            }
            PlainModule::Asset(Inlining::Small | Inlining::Never)
                if is_script(&ModuleUrl::new(url.path())) && !session.compiler.runs_as_it_is(&file) =>
            {
                Ok(Some(script(&self.worker(file.as_path(), "Worker", true, false, false).await?)))
            }
            PlainModule::Asset(inlining) => {
                let address = self.asset(&file, inlining)?;
                Ok(Some(script(&format!("export default {address};"))))
            }
            PlainModule::Style(output, kind) => self.style(id, &file, &output, kind),
            PlainModule::WasmInit => {
                let address = self.asset(&file, Inlining::Small)?;
                Ok(Some(script(&format!("{WASM}export default (imports) => instantiate({address}, imports);"))))
            }
            PlainModule::Wasm { imports, exports } => {
                let address = self.asset(&file, Inlining::Small)?;
                Ok(Some(script(&wasm_module(&file, &address, &imports, &exports))))
            }
            PlainModule::Worker { class, address, inline } => {
                let code = self.worker(file.as_path(), class, address, inline, is_classic_worker(&url)).await?;
                Ok(Some(script(&code)))
            }
        }
    }

    fn compile(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        source: &Source,
        options: PlainOptions,
    ) -> anyhow::Result<PlainModule> {
        let session = self.session();
        let mut files = Vec::new();
        let mut compile = || session.compiler.plain(url, file, source, options, &mut files);
        // A sheet may wait for the tools of the project.
        let plain = if is_style(url.path()) { tokio::task::block_in_place(compile) } else { compile() };
        let plain = plain.map_err(|problems| self.told(problems))?;
        self.note_sources(files.iter().map(|file| file.as_path().to_owned()));
        Ok(plain)
    }

    /// Sees to it that the sheet of the CSS module `module` is known by `id`.
    fn sheet_of_module(&self, id: &str, module: &str) -> anyhow::Result<()> {
        if self.has_sheet(id) {
            return Ok(());
        }
        let (url, file, source) = self.source_of(module);
        self.note_sources([file.as_path().to_owned()]);
        if let PlainModule::Style(output, _) = self.compile(&url, &file, &source, PlainOptions::default())? {
            self.keep_sheet(id.to_owned(), self.sheet(&file, &output));
        }
        Ok(())
    }

    /// The text of a sheet of the output.
    fn sheet(&self, file: &FilePath, output: &StyleOutput) -> String {
        let mut sources = BTreeSet::new();
        let css = sheets::with_addresses(self.session(), file, output, &mut sources);
        self.note_sources(sources);
        css
    }

    /// The text of a sheet as an expression.
    fn sheet_as_text(&self, file: &FilePath, output: &StyleOutput) -> String {
        let mut sources = BTreeSet::new();
        let css = sheets::text(self.session(), file, output, self.from(), &mut sources);
        self.note_sources(sources);
        css
    }

    fn told(&self, problems: Vec<Diagnostic>) -> anyhow::Error {
        self.session().problem(problems);
        anyhow::anyhow!(REPORTED_ELSEWHERE)
    }

    fn from(&self) -> Referrer<'static> {
        Referrer::Script { classic: self.role.is_classic() }
    }

    fn expression(&self, target: &Target) -> String {
        self.session().addresses.expression(target, self.from())
    }

    /// The address of an asset as an expression.
    fn asset(&self, file: &FilePath, inlining: Inlining) -> anyhow::Result<String> {
        match self.session().addresses.asset(file.as_path(), inlining) {
            Ok(target) => Ok(self.expression(&target)),
            Err(error) => {
                let name = self.session().compiler.display(file.as_path());
                Err(self.told(vec![Diagnostic::error(format!("the file cannot be read: {error}")).in_file(name)]))
            }
        }
    }

    fn style(&self, id: &str, file: &FilePath, output: &StyleOutput, kind: StyleUse) -> HookLoadReturn {
        match kind {
            StyleUse::Page | StyleUse::Link => {}
            StyleUse::Text => {
                let css = self.sheet_as_text(file, output);
                return Ok(Some(script(&format!("export default {css};"))));
            }
            StyleUse::Sheet => {
                let css = self.sheet_as_text(file, output);
                let code =
                    format!("const sheet = new CSSStyleSheet();\nsheet.replaceSync({css});\nexport default sheet;");
                return Ok(Some(script(&code)));
            }
        }
        let css = self.sheet(file, output);
        let Some(classes) = &output.class_map else {
            self.keep_sheet(id.to_owned(), css);
            return Ok(Some(sheet_place()));
        };
        let sheet = sheet_of_module(id);
        let code = format!("import {};\n{}", json(&sheet), sheets::class_module(classes));
        self.keep_sheet(sheet, css);
        Ok(Some(HookLoadOutput { side_effects: Some(HookSideEffects::False), ..script(&code) }))
    }

    /// `?url` of a sheet: a file of its own.
    fn linked_sheet(&self, url: &ModuleUrl, file: &FilePath) -> anyhow::Result<String> {
        let linked = linked_sheet(url.path());
        let mut sources = BTreeSet::new();
        let name = sheets::emit(self.session(), &linked, file, &mut sources);
        self.note_sources(sources);
        name.map_err(|problems| self.told(problems))
    }

    async fn worker(
        &self,
        file: &Path,
        class: &str,
        address: bool,
        inline: bool,
        classic: bool,
    ) -> anyhow::Result<String> {
        let classic = classic || inline;
        // A worker that starts another copy of itself.
        if self.role.is_worker(file) {
            let own = if self.role.is_classic() { "self.location.href" } else { "import.meta.url" };
            return Ok(worker_module(class, address, own, classic));
        }
        let built = (self.build_worker)(&self.context, file, classic, &self.role).await;
        let built = built.map_err(|problems| self.told(problems))?;
        self.note_sources(built.sources);
        if inline && !address {
            return Ok(inline_worker_module(class, &built.code));
        }
        let expression = self.expression(&Target::Output(built.name));
        Ok(worker_module(class, address, &expression, classic))
    }
}

fn is_json(url: &ModuleUrl) -> bool {
    url.path().ends_with(".json") && url.query().is_empty()
}

fn with_effects(id: impl Into<String>, side_effects: Option<HookSideEffects>) -> HookResolveIdOutput {
    let id: String = id.into();
    HookResolveIdOutput { side_effects, ..HookResolveIdOutput::from_id(id) }
}

/// A generated script, which has no source to map to.
fn script(code: &str) -> HookLoadOutput {
    let map = oxc_sourcemap::SourceMap::default();
    HookLoadOutput { code: code.into(), map: Some(map), module_type: Some(ModuleType::Js), ..HookLoadOutput::default() }
}

/// Stands for a sheet in a chunk: an empty module, at the place in the order where the sheet belongs.
fn sheet_place() -> HookLoadOutput {
    HookLoadOutput { side_effects: Some(HookSideEffects::NoTreeshake), ..script("") }
}

/// The map with the file's path in place of its name: rolldown makes it relative to the chunk. A script of a page leads to
/// the page as it is written.
fn named_by_path(map: &str, file: &FilePath, source: &Source) -> Option<oxc_sourcemap::SourceMap<'static>> {
    let mut map = oxc_sourcemap::SourceMap::from_json_string(map).ok()?.into_owned();
    map.set_sources([file.as_path().display().to_string()]);
    if let Source::Inline { .. } = source {
        let page = file::read(file.as_path()).ok()?;
        map.set_source_contents(vec![Some(&*String::from_utf8_lossy(&page))]);
    }
    Some(map)
}

/// Compiles WebAssembly while it is being fetched, if the server sends it with the right content type.
const WASM: &str = r#"
async function instantiate(address, imports = {}) {
  if (address.startsWith('data:')) {
    const bytes = Uint8Array.from(atob(address.slice(address.indexOf(',') + 1)), (c) => c.charCodeAt(0))
    return (await WebAssembly.instantiate(bytes, imports)).instance
  }
  const response = await fetch(address)
  const type = response.headers.get('Content-Type') || ''
  if (WebAssembly.instantiateStreaming && type.startsWith('application/wasm')) {
    return (await WebAssembly.instantiateStreaming(response, imports)).instance
  }
  return (await WebAssembly.instantiate(await response.arrayBuffer(), imports)).instance
}
"#;

/// What WebAssembly modules export as it is, by their namespaces: scripts get the values of globals, other WebAssembly
/// modules share them.
const WASM_EXPORTS: &str = "globalThis[Symbol.for('rekindle.wasm')]";

/// `imports` and `exports` say whether it is globals that are imported and exported.
fn wasm_module(file: &FilePath, address: &str, imports: &[(String, bool)], exports: &[(String, bool)]) -> String {
    let mut code = String::new();
    for (at, (specifier, _)) in imports.iter().enumerate() {
        code.push_str(&format!("import * as import{at} from {};\n", json(specifier)));
    }
    let given = imports.iter().enumerate().map(|(at, (name, has_globals))| {
        let of_globals = if *has_globals { format!("{WASM_EXPORTS}?.get(import{at}) ?? ") } else { String::new() };
        format!("{}: {of_globals}import{at}", json(name))
    });
    let given: Vec<String> = given.collect();
    code.push_str(WASM);
    code.push_str(&format!("const {{ exports }} = await instantiate({address}, {{ {} }});\n", given.join(", ")));
    let name = file.as_path().file_name().unwrap_or_default().to_string_lossy();
    if exports.iter().any(|(_, is_global)| *is_global) {
        code.push_str(&format!("import * as self from {};\n", json(&format!("./{name}"))));
        code.push_str(&format!("({WASM_EXPORTS} ??= new WeakMap()).set(self, exports);\n"));
    }
    for (at, (name, is_global)) in exports.iter().enumerate() {
        let value = if *is_global { ".value" } else { "" };
        let name = json(name);
        code.push_str(&format!("const export{at} = exports[{name}]{value};\nexport {{ export{at} as {name} }};\n"));
    }
    code
}

/// Fails whenever it is required, as in Node, not only the first time.
fn missing_module(specifier: &str) -> String {
    let message = json(&format!("Cannot find module '{specifier}'"));
    format!(
        "module.exports = {{}};\nObject.defineProperty(module, 'exports', {{ get() {{ throw Object.assign(new Error({message}), {{ code: 'MODULE_NOT_FOUND' }}); }} }});"
    )
}

fn class_name(class: &str) -> &str {
    if class.eq_ignore_ascii_case("sharedworker") { "SharedWorker" } else { "Worker" }
}

fn worker_module(class: &str, address: bool, expression: &str, classic: bool) -> String {
    if address {
        return format!("export default {expression};");
    }
    let class = class_name(class);
    let kind = if classic { "" } else { ", type: 'module'" };
    format!(
        "export default function WorkerWrapper(options) {{\n  return new {class}({expression}, {{ ...options{kind} }});\n}}"
    )
}

fn inline_worker_module(class: &str, code: &str) -> String {
    let class = class_name(class);
    if class == "SharedWorker" {
        // Pages share a worker if its address is the same: so its code is the address, where a blob would have a new one each time.
        return format!(
            "const address = 'data:text/javascript;charset=utf-8,' + encodeURIComponent({});\n\
             export default function WorkerWrapper(options) {{\n  return new SharedWorker(address, options);\n}}",
            json(code)
        );
    }
    let code = json(&format!("URL.revokeObjectURL(self.location.href);{code}"));
    format!(
        "const code = {code};\n\
         export default function WorkerWrapper(options) {{\n  \
         const address = URL.createObjectURL(new Blob([code], {{ type: 'text/javascript;charset=utf-8' }}));\n  \
         return new Worker(address, options);\n}}"
    )
}
