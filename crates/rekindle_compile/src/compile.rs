//! One file → one definition, whatever its kind: script, stylesheet, JSON, asset.
//!
//! ```text
//! /src/app.tsx          → the module, wrapped          /data.json         → default and named exports
//! /app.css              → puts its text on the page    /logo.svg          → its address
//! /box.module.css       → class names                  /note.txt?raw      → its text
//! ```

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use oxc_syntax::identifier::is_identifier_name;
use rekindle_graph::{Definition, Dep, DepKind, Diagnostic, EnvReads, FilePath, GlobCall, Link, ModuleUrl};

use crate::asset_versions::AssetVersions;
use crate::barrel::Barrels;
use crate::cache::DefinitionCache;
use crate::defines::Defines;
use crate::file::LeftOut;
use crate::framework::Framework;
use crate::glob_alias::Aliased;
use crate::packages::PackageKind;
use crate::resolve::{self, EMPTY_URL, HELPER_URL, NODE_URL, Resolved, Resolver, Unresolved};
use crate::resolve_settings::ResolveSettings;
use crate::script::{Format, ScriptInput, compile_script};
use crate::style::prepare::{StyleTools, is_style, is_style_module, is_style_setup};
use crate::style::settings::StyleSettings;
use crate::style::{StyleError, StyleInput, StyleOutput, compile_style, placeholder};
use crate::tsconfig::{TsConfigs, TsOptions};
use crate::wrap::Interop;
use crate::{barrel, builtin, file, glob, inline, json, secrets, style, wasm};

/// Everything that compiling needs besides a file: the project's facts, shared by all threads.
pub struct Compiler {
    root: PathBuf,
    base: String,
    pub resolver: Resolver,
    /// Decides whether components are registered for a refresh, and what JSX means by default. It may be installed later.
    framework: RwLock<Arc<Framework>>,
    pub styles: StyleTools,
    defines: Defines,
    /// Nothing is registered for a refresh, and JSX calls the functions of production.
    production: bool,
    /// Where JSX functions come from if no tsconfig says so.
    jsx_import_source: Option<String>,
    tsconfigs: TsConfigs,
    cache: DefinitionCache,
    /// Files that are assets whatever their extension says, by their path below the root.
    assets: GlobSet,
    inline_limit: u64,
    barrels: Barrels,
    /// How often an asset's content was seen to change: its address carries that, so that browsers fetch it anew.
    asset_versions: AssetVersions,
}

/// Where the source of a module comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    File,
    /// A script written into a page: its text at the line and column where it stands there.
    Inline {
        text: String,
        /// The page where it would be for what the script names to be beside it, if a `<base>` says so: `/lib/page.html`.
        as_if: Option<FilePath>,
    },
}

impl Source {
    /// The file that specifiers in the module are relative to; `file` is where it is written.
    pub fn seen_from<'f>(&'f self, file: &'f FilePath) -> &'f FilePath {
        match self {
            Self::Inline { as_if: Some(as_if), .. } => as_if,
            Self::Inline { as_if: None, .. } | Self::File => file,
        }
    }
}

/// A compiled module with what its specifiers mean now.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub result: Result<Definition, Vec<Diagnostic>>,
    pub links: Links,
    /// Files that went into it besides its own, also when it failed: an edit of one compiles it anew.
    pub files: Vec<FilePath>,
}

/// The meanings of a module's specifiers, and what was learned on the way.
#[derive(Clone, Debug, Default)]
pub struct Links {
    pub links: Vec<Link>,
    /// For each `import.meta.glob`: key and module.
    pub globs: Vec<Vec<(String, ModuleUrl)>>,
    /// Files behind the modules named above.
    pub files: Vec<(ModuleUrl, FilePath)>,
    /// Assets whose addresses are named above.
    pub assets: Vec<(String, FilePath)>,
    /// Imports without which the module cannot run.
    pub errors: Vec<Diagnostic>,
    /// Folders whose listing matters: of missing files and of globs.
    pub folders: Vec<PathBuf>,
    /// Modules of Node that a package imports: the module and who imports it.
    pub of_node: Vec<(String, String)>,
}

/// What queries of addresses ask for: the file itself, or its content in the address.
const KEEPS_FILE: &str = "no-inline";
const INLINE: &str = "inline";
/// What a glob matches.
pub(crate) struct Matched {
    /// Key, file and module.
    pub entries: Vec<(String, FilePath, ModuleUrl)>,
    /// Folders whose listing decided.
    pub folders: Vec<PathBuf>,
    /// What is wrong with the call.
    pub mistake: Option<String>,
}

const SCRIPTS: [&str; 8] = ["js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx"];
/// Kinds of files that need a tool which is not there (yet).
const UNSUPPORTED: [(&str, &str); 3] = [("vue", "Vue"), ("svelte", "Svelte"), ("astro", "Astro")];
/// Assets up to this size are hashed by content, larger ones by size and time.
const LARGEST_HASHED: u64 = 16 << 20;

impl Compiler {
    pub fn new(root: &Path, public_dir: Option<&Path>, base: &str) -> Self {
        Self {
            root: root.to_owned(),
            base: base.to_owned(),
            resolver: Resolver::new(root, public_dir, base, &ResolveSettings::default()),
            defines: Defines::default(),
            production: false,
            jsx_import_source: None,
            framework: RwLock::default(),
            styles: StyleTools::new(root, "development", StyleSettings::default()),
            tsconfigs: TsConfigs::new(),
            cache: DefinitionCache::default(),
            assets: GlobSet::empty(),
            inline_limit: inline::DEFAULT_LIMIT,
            barrels: Barrels::default(),
            asset_versions: AssetVersions::default(),
        }
    }

    /// The component framework of the project.
    pub fn framework(&self) -> Arc<Framework> {
        self.framework.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What is compiled from now on is compiled for `framework`.
    pub fn set_framework(&self, framework: Framework) {
        *self.framework.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(framework);
    }

    /// Compiles styles as `[css]` says.
    pub fn with_styles(mut self, mode: &str, settings: &StyleSettings) -> Self {
        self.styles = StyleTools::new(&self.root, mode, settings.clone());
        self
    }

    /// The same compiler, for which the files that match `globs` are assets, whatever their extension says.
    ///
    /// # Errors
    /// A glob that cannot be understood.
    pub fn with_assets(mut self, globs: &[String]) -> Result<Self, String> {
        self.assets = asset_globs(globs)?;
        Ok(self)
    }

    /// Whether the settings make the file of a module without a query an asset.
    pub(crate) fn is_included_asset(&self, url: &ModuleUrl, file: &FilePath) -> bool {
        !self.assets.is_empty()
            && Query::of(url.query()) == Query::Other
            && self.assets.is_match(file.as_path().strip_prefix(&self.root).unwrap_or(file.as_path()))
    }

    /// SVG files of fewer bytes become part of what refers to them.
    pub fn with_inline_limit(mut self, limit: u64) -> Self {
        self.inline_limit = limit;
        self
    }

    /// What the settings say about specifiers.
    pub fn with_resolve(mut self, public_dir: Option<&Path>, settings: &ResolveSettings) -> Self {
        self.resolver = Resolver::new(&self.root, public_dir, &self.base, settings);
        self
    }

    /// Numbers of edited assets that outlive this process.
    pub fn with_asset_versions(mut self, versions: AssetVersions) -> Self {
        self.asset_versions = versions;
        self
    }

    /// Constants of the settings, and where JSX functions come from where no tsconfig says so.
    pub fn with_constants(mut self, defines: Defines, jsx_import_source: Option<String>) -> Self {
        self.defines = defines;
        self.jsx_import_source = jsx_import_source;
        self
    }

    /// The same compiler for what is deployed.
    pub fn for_production(mut self) -> Self {
        self.production = true;
        self
    }

    /// Forgets what was seen of tsconfig files and of the disk's listing.
    pub fn clear(&self) {
        self.resolver.clear();
        self.styles.clear();
        self.tsconfigs.clear();
        self.barrels.clear();
    }

    /// Files and links that say what specifiers and names mean, as far as they were read since the last call.
    pub fn take_read(&self) -> Vec<PathBuf> {
        let mut files = self.resolver.packages.take_read();
        files.extend(self.barrels.take_read());
        files.extend(self.resolver.sights.take_links());
        files
    }

    /// Where a file was expected and something odd was found, which was left out.
    pub fn left_out(&self) -> &LeftOut {
        &self.resolver.packages.left_out
    }

    /// Whether an edit of a file that is no module of the page may change what names of a package mean.
    pub fn is_barrel(&self, file: &Path) -> bool {
        self.barrels.knows(file)
    }

    /// The project folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Path under which everything is served.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Whether an edit of the file changes what other files compile to, or what their specifiers mean.
    pub fn is_config(&self, file: &Path) -> bool {
        let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let is_named_so = name == "package.json" || name.starts_with("tsconfig") || name.starts_with("jsconfig");
        is_named_so || is_style_setup(file) || self.tsconfigs.hold(file)
    }

    /// Whether a file that says how scripts below it are compiled has appeared, or gone before it was read.
    pub fn is_unknown_tsconfig(&self, file: &Path) -> bool {
        matches!(file.file_name().and_then(|name| name.to_str()), Some("tsconfig.json" | "jsconfig.json"))
            && !self.tsconfigs.hold(file)
    }

    /// How the user knows a file.
    pub fn display(&self, file: &Path) -> String {
        file.strip_prefix(&self.root).unwrap_or(file).display().to_string()
    }

    /// Compiles one module and resolves its specifiers.
    pub fn compile(&self, url: &ModuleUrl, file: &FilePath, source: &Source) -> Compiled {
        let mut files = Vec::new();
        let result = self.definition(url, file, source, &mut files);
        let links = match &result {
            Ok(definition) => {
                let mut links = self.link(definition, file, source);
                links.folders.extend(self.styles.scanned_folders(file.as_path()));
                links
            }
            // A file that was missed may appear.
            Err(_) => {
                let missed = files.iter().filter(|file| !file.as_path().exists());
                let folders = missed.filter_map(|file| Some(file.as_path().parent()?.to_owned())).collect();
                Links { folders, ..Links::default() }
            }
        };
        Compiled { result, links, files }
    }

    fn definition(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        source: &Source,
        files: &mut Vec<FilePath>,
    ) -> Result<Definition, Vec<Diagnostic>> {
        match self.kind(url, file, source) {
            Kind::Script => self.script(url, file, source, files),
            Kind::Worker { class, address } => self.worker(url, file, class, address),
            Kind::WasmInit => self.wasm_init(file),
            Kind::Wasm => self.wasm(file),
            Kind::Raw => self.raw(file),
            Kind::Bytes => self.bytes(file),
            Kind::Asset => self.asset(file, url.query().split('&').any(|part| part == "no-inline")),
            Kind::Style => self.style(url, file, files),
            Kind::DataUrl => self.data_url(file),
            Kind::Json => self.json(file),
            Kind::Unsupported(tool) => Err(vec![self.unsupported(tool, file)]),
            Kind::OfPlugin(plugin) => Err(vec![self.of_plugin(plugin, url, file)]),
        }
    }

    /// What is made of a module: by its query, its extension, and what the settings say.
    pub(crate) fn kind(&self, url: &ModuleUrl, file: &FilePath, source: &Source) -> Kind {
        if matches!(source, Source::File) && self.is_included_asset(url, file) {
            return Kind::Asset;
        }
        if is_compiled_as_script(url, source) {
            return Kind::Script;
        }
        let is_style = is_style(url.path());
        match (Query::of(url.query()), extension(url.path()).as_str()) {
            (Query::Worker { class, address }, _) => Kind::Worker { class, address },
            (Query::Init, _) => Kind::WasmInit,
            (Query::Raw, _) => Kind::Raw,
            (Query::Bytes, _) => Kind::Bytes,
            (Query::Url, _) => Kind::Asset,
            (Query::Inline | Query::Other, _) if is_style => Kind::Style,
            (Query::Inline, _) => Kind::DataUrl,
            (Query::Other, "json") => Kind::Json,
            (Query::Other, "wasm") => Kind::Wasm,
            (Query::Other, extension) => match UNSUPPORTED.iter().find(|(known, _)| *known == extension) {
                Some((_, tool)) => Kind::Unsupported(tool),
                // The settings name it among what imports may leave out.
                None if self.resolver.settings.is_own_script(extension) => Kind::Script,
                None => plugin_of(url.query(), extension).map_or(Kind::Asset, Kind::OfPlugin),
            },
        }
    }

    pub(crate) fn unsupported(&self, tool: &str, file: &FilePath) -> Diagnostic {
        Diagnostic::error(format!("{tool} files are not supported yet"))
            .in_file(self.display(file.as_path()))
            .with_help(UNSUPPORTED_HELP)
    }

    /// What only a plugin can make something of: an address in its place would be no component, and no list of sizes.
    pub(crate) fn of_plugin(&self, plugin: &str, url: &ModuleUrl, file: &FilePath) -> Diagnostic {
        let name = url.as_str().rsplit('/').next().unwrap_or_default();
        Diagnostic::error(format!("`{name}` is for the plugin {plugin}, which does not run here yet"))
            .in_file(self.display(file.as_path()))
            .with_help("import the file without the query for its address, with `?raw` for its text, or write by hand what the plugin makes of it")
    }

    /// What is wrong with an import of `url` whose query belongs to a plugin.
    pub fn plugin_lacks(&self, url: &ModuleUrl, file: &FilePath) -> Option<Diagnostic> {
        match self.kind(url, file, &Source::File) {
            Kind::OfPlugin(plugin) if !url.query().is_empty() => Some(self.of_plugin(plugin, url, file)),
            _ => None,
        }
    }

    // ---- the kinds

    fn script(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        source: &Source,
        files: &mut Vec<FilePath>,
    ) -> Result<Definition, Vec<Diagnostic>> {
        let text = self.script_text(url, file, source)?;
        let options = self.script_options(url, file, files)?;
        let facts = self.facts(url, file, source);
        let hash = self.script_digest(&text, url, &options, facts);
        if let Some(mut known) = self.cache.get(&hash) {
            known.files.clone_from(files);
            return Ok(known);
        }
        let display = self.display(file.as_path());
        let output = compile_script(&self.script_input(&text, url, &display, &options, facts))?;
        let definition = output.into_definition(hash, files.clone());
        self.cache.keep(url, &definition);
        Ok(definition)
    }

    /// What is known of a script without its text: from its name and the package.json above it.
    pub(crate) fn facts(&self, url: &ModuleUrl, file: &FilePath, source: &Source) -> Facts {
        let path = match url.path() {
            NODE_URL | EMPTY_URL => return Facts { format: Format::CommonJs, interop: Interop::Node, refresh: false },
            helper if helper.starts_with(HELPER_URL) => return Facts::default(),
            _ => file.as_path(),
        };
        let package = self.resolver.packages.nearest(path);
        let kind = package.as_ref().map(|package| package.kind).unwrap_or_default();
        let extension = if matches!(source, Source::Inline { .. }) { String::new() } else { extension(url.path()) };
        let interop = match (extension.as_str(), kind) {
            ("mjs" | "mts", _) => Interop::Node,
            ("cjs" | "cts", _) => Interop::BabelIfStatic,
            (_, PackageKind::Module) => Interop::Node,
            (_, PackageKind::CommonJs) => Interop::BabelIfStatic,
            (_, PackageKind::Unstated) => Interop::Babel,
        };
        // Of the project itself only what says so; its other files are what the browser would take them for.
        let is_of_project = || package.as_ref().is_none_or(|package| self.root.starts_with(&package.folder));
        let format = match extension.as_str() {
            "cjs" | "cts" => Format::CommonJs,
            "js" if !resolve::is_in_package(path) && is_of_project() => Format::Module,
            "js" if kind == PackageKind::Module => Format::Open,
            "js" => Format::CommonJs,
            _ => Format::Module,
        };
        Facts { format, interop, refresh: self.refreshes(file, source) }
    }

    pub(crate) fn script_text(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        source: &Source,
    ) -> Result<String, Vec<Diagnostic>> {
        match (builtin::source(url.as_str()), source) {
            (Some(helper), _) => Ok(helper.into_owned()),
            (None, Source::Inline { text, .. }) => Ok(text.clone()),
            (None, Source::File) => self.read_text(file),
        }
    }

    /// What tsconfig.json says about a script. The files that say it, or are wrong, go to `files`.
    pub(crate) fn script_options(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        files: &mut Vec<FilePath>,
    ) -> Result<TsOptions, Vec<Diagnostic>> {
        let has_types = matches!(extension(url.path()).as_str(), "ts" | "mts" | "cts" | "tsx" | "jsx");
        let mut options = TsOptions::default();
        if has_types {
            match self.tsconfigs.nearest(file.as_path(), self.left_out()) {
                Ok((found, read)) => {
                    options = found;
                    files.extend(read);
                }
                Err(bad) => {
                    files.extend(bad.files.into_iter().map(FilePath::new));
                    return Err(vec![*bad.diagnostic]);
                }
            }
        }
        if options.jsx_import_source.is_none() {
            let of_framework = || self.framework().jsx_import_source().map(str::to_owned);
            options.jsx_import_source = self.jsx_import_source.clone().or_else(of_framework);
        }
        Ok(options)
    }

    /// Whether a script's components are registered: those of the project, and of packages linked into it.
    fn refreshes(&self, file: &FilePath, source: &Source) -> bool {
        let is_own =
            matches!(source, Source::File) && file.as_path().is_absolute() && !resolve::is_in_package(file.as_path());
        self.framework().refreshes() && is_own && !self.production
    }

    pub(crate) fn script_input<'a>(
        &'a self,
        text: &'a str,
        url: &'a ModuleUrl,
        display: &'a str,
        options: &'a TsOptions,
        facts: Facts,
    ) -> ScriptInput<'a> {
        let Facts { format, interop, refresh } = facts;
        let (url, defines) = (url.as_str(), &self.defines);
        let production = self.production;
        ScriptInput {
            source: text,
            url,
            display,
            options,
            defines,
            format,
            interop,
            source_map: false,
            refresh,
            production,
        }
    }

    /// Equal digests compile to the same text.
    fn script_digest(&self, text: &str, url: &ModuleUrl, options: &TsOptions, facts: Facts) -> Arc<str> {
        let options = format!("{options:?}{facts:?}{}", self.defines.digest_of(text));
        digest(&[text.as_bytes(), url.as_str().as_bytes(), options.as_bytes()])
    }

    fn json(&self, file: &FilePath) -> Result<Definition, Vec<Diagnostic>> {
        let source = self.read_text(file)?;
        let module = json::compile_json(&source, &self.display(file.as_path())).map_err(|error| vec![error])?;
        Ok(plain(module.code, module.exports, &source))
    }

    fn raw(&self, file: &FilePath) -> Result<Definition, Vec<Diagnostic>> {
        let source = self.read_text_as_is(file)?;
        Ok(plain(default_export(&quoted(&source)), vec!["default".into()], &source))
    }

    fn bytes(&self, file: &FilePath) -> Result<Definition, Vec<Diagnostic>> {
        let bytes = self.read(file)?;
        let list: Vec<String> = bytes.iter().map(u8::to_string).collect();
        let value = format!("new Uint8Array([{}])", list.join(","));
        Ok(plain(default_export(&value), vec!["default".into()], &value))
    }

    fn data_url(&self, file: &FilePath) -> Result<Definition, Vec<Diagnostic>> {
        let url = inline::data_url(file.as_path(), &self.read(file)?);
        Ok(plain(default_export(&quoted(&url)), vec!["default".into()], &url))
    }

    /// `keeps_file`: its address is never its content.
    fn asset(&self, file: &FilePath, keeps_file: bool) -> Result<Definition, Vec<Diagnostic>> {
        // The content is not in the definition; its digest is, so that an edit counts as one.
        let content = match is_style(&file.as_path().to_string_lossy()) {
            true => self.read(file).map(|_| file.to_string())?,
            false => self.asset_digest(file)?,
        };
        let code = "{deps:[\"\"],names:[]},(function*($x,$r){$x({default:()=>$a});yield;\nvar $a=$r.asset(0);\n})";
        let attribute = keeps_file.then(|| KEEPS_FILE.to_owned());
        let dep = Dep { specifier: String::new(), kind: DepKind::Asset, span: (0, 0), attribute, names: Vec::new() };
        let mut definition = plain(code.to_owned(), vec!["default".into()], &content);
        definition.deps = vec![dep];
        Ok(definition)
    }

    /// `?worker`: a constructor. What the worker runs is not in it, so an edit of that does not change it.
    fn worker(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        class: &str,
        address: bool,
    ) -> Result<Definition, Vec<Diagnostic>> {
        self.check_worker(url, file)?;
        let value = match address {
            true => "$r.worker(0)".to_owned(),
            false => format!("$r.workerClass(0,\"{class}\")"),
        };
        let code =
            format!("{{deps:[\"\"],names:[]}},(function*($x,$r){{$x({{default:()=>$d}});yield;\nvar $d={value};\n}})");
        let dep =
            Dep { specifier: String::new(), kind: DepKind::Worker, span: (0, 0), attribute: None, names: Vec::new() };
        let mut definition = plain(code.clone(), vec!["default".into()], &code);
        definition.deps = vec![dep];
        Ok(definition)
    }

    /// What is wrong with a file as the script of a worker.
    pub(crate) fn check_worker(&self, url: &ModuleUrl, file: &FilePath) -> Result<(), Vec<Diagnostic>> {
        if !is_script(&ModuleUrl::new(url.path())) {
            return Err(vec![
                Diagnostic::error("only a script can be a worker")
                    .in_file(self.display(file.as_path()))
                    .with_help("put `?worker` behind a JavaScript or TypeScript file"),
            ]);
        }
        if !file.as_path().is_file() {
            return Err(vec![self.unreadable(file, &std::io::ErrorKind::NotFound.into())]);
        }
        Ok(())
    }

    fn wasm_init(&self, file: &FilePath) -> Result<Definition, Vec<Diagnostic>> {
        let content = self.asset_digest(file)?;
        Ok(wasm_definition(wasm::init(), &content))
    }

    fn wasm(&self, file: &FilePath) -> Result<Definition, Vec<Diagnostic>> {
        let bytes = self.read(file)?;
        let module = wasm::module(&bytes, &self.display(file.as_path())).map_err(|error| vec![error])?;
        Ok(wasm_definition(module, &digest(&[&bytes])))
    }

    /// Digest of an asset's content.
    pub fn asset_digest(&self, file: &FilePath) -> Result<String, Vec<Diagnostic>> {
        let meta = std::fs::metadata(file).map_err(|error| vec![self.unreadable(file, &error)])?;
        if !meta.is_file() || meta.len() <= LARGEST_HASHED {
            return Ok(digest(&[&self.read(file)?]).to_string());
        }
        Ok(format!("{}-{:?}", meta.len(), meta.modified().ok()))
    }

    fn style(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        files: &mut Vec<FilePath>,
    ) -> Result<Definition, Vec<Diagnostic>> {
        let (output, kind) = self.style_output(url, file, files)?;
        let mut definition = style_definition(&output, kind);
        definition.files = files.clone();
        Ok(definition)
    }

    /// The sheet that a module stands for, and what is done with it.
    pub(crate) fn style_output(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        files: &mut Vec<FilePath>,
    ) -> Result<(StyleOutput, StyleUse), Vec<Diagnostic>> {
        let source = self.read_text(file)?;
        let inline = Query::of(url.query()) == Query::Inline;
        let output = self.compile_css(file, &source, is_style_module(url.path()), files)?;
        let kind = match () {
            _ if is_linked(url) => StyleUse::Link,
            _ if inline => StyleUse::Text,
            _ if url.query().split('&').any(|part| part == "sheet") => StyleUse::Sheet,
            _ => StyleUse::Page,
        };
        Ok((output, kind))
    }

    fn compile_css(
        &self,
        file: &FilePath,
        source: &str,
        modules: bool,
        files: &mut Vec<FilePath>,
    ) -> Result<StyleOutput, Vec<Diagnostic>> {
        let display = |path: &Path| self.display(path);
        let resolve_import =
            |language: &str, specifier: &str, from: &Path| self.resolve_style(specifier, from, language);
        let left_out = self.left_out();
        let surroundings = style::prepare::Surroundings { left_out, display: &display, resolve: &resolve_import };
        let failed = |error: StyleError, files: &mut Vec<FilePath>| {
            files.extend(error.files);
            error.diagnostics
        };
        let prepared =
            self.styles.prepare(file.as_path(), source, &surroundings).map_err(|error| failed(error, files))?;
        files.extend(prepared.files.iter().cloned().map(FilePath::new));
        // Imported and composed files may be in another language as well.
        let inner_files = Mutex::new(Vec::new());
        let resolve = |specifier: &str, from: &Path| {
            let found = self.resolve_css(specifier, from)?;
            let beside = resolve::normal(&from.with_file_name("").join(specifier));
            let mut depends_on = Vec::new();
            if !resolve::is_in_package(&found) {
                depends_on = file::links_on_the_way(&beside, &found);
            }
            if !specifier.starts_with(['.', '/']) && !resolve::is_in_package(from) && !beside.exists() {
                // What appears there comes first.
                depends_on.push(beside);
            }
            let depends_on = depends_on.into_iter().map(FilePath::new);
            inner_files.lock().unwrap_or_else(PoisonError::into_inner).extend(depends_on);
            Some(found)
        };
        let read = |path: &Path| {
            let text = file::read_text(path)?;
            let display = |path: &Path| self.display(path);
            let resolve = |language: &str, specifier: &str, from: &Path| self.resolve_style(specifier, from, language);
            let prepared = self.styles.prepare(
                path,
                &text,
                &style::prepare::Surroundings { left_out, display: &display, resolve: &resolve },
            );
            let (result, files) = match prepared {
                Ok(prepared) => (Ok(prepared.css), prepared.files.into_iter().map(FilePath::new).collect()),
                Err(error) => {
                    let message = error.diagnostics.first().map(|diagnostic| diagnostic.message.clone());
                    (Err(std::io::Error::other(message.unwrap_or_default())), error.files)
                }
            };
            inner_files.lock().unwrap_or_else(PoisonError::into_inner).extend(files);
            result
        };
        let options = self.styles.options(left_out);
        let input = StyleInput {
            file: file.as_path(),
            source: &prepared.css,
            modules,
            options: &options,
            display: &display,
            resolve: &resolve,
            read: &read,
        };
        let own = self.display(file.as_path());
        let in_generated = |diagnostic: &Diagnostic| prepared.is_generated && diagnostic.file.as_ref() == Some(&own);
        let compiled = compile_style(&input);
        files.extend(inner_files.into_inner().unwrap_or_else(PoisonError::into_inner));
        match compiled {
            Ok(output) => {
                files.extend(output.files.iter().cloned());
                let is_foreign = |warning: &Diagnostic| {
                    in_generated(warning) || warning.file.as_ref().is_some_and(|file| file.contains("node_modules"))
                };
                let warnings = output.warnings.iter().filter(|warning| !is_foreign(warning)).cloned();
                self.styles.warn(file.as_path(), prepared.warnings.iter().cloned().chain(warnings).collect());
                Ok(output)
            }
            Err(mut error) => {
                for diagnostic in error.diagnostics.iter_mut().filter(|diagnostic| in_generated(diagnostic)) {
                    diagnostic.message.push_str(", in the CSS that this file compiles to");
                    diagnostic.place = None;
                }
                Err(failed(error, files))
            }
        }
    }

    /// What a style in any language imports.
    fn resolve_style(&self, specifier: &str, from: &Path, language: &str) -> Option<PathBuf> {
        if language == "css" {
            let bare = specifier.strip_prefix('~').map(|name| name.trim_start_matches('/'));
            return self.resolve_css(specifier, from).or_else(|| self.resolve_css(bare?, from));
        }
        let relative = from.parent()?.join(specifier);
        let found = match specifier.starts_with('/') {
            false if relative.is_file() => relative.canonicalize().ok(),
            _ => self.resolver.resolve_style(from, specifier, language),
        };
        found.or_else(|| {
            let package = specifier.strip_prefix('~').filter(|_| language == "less")?;
            self.resolver.resolve_style(from, package.trim_start_matches('/'), language)
        })
    }

    /// What a sheet names; in addresses there `a%20b.css` is the file `a b.css`.
    fn resolve_css(&self, specifier: &str, from: &Path) -> Option<PathBuf> {
        self.resolve_css_as_written(specifier, from).or_else(|| {
            let decoded = percent_encoding::percent_decode_str(specifier).decode_utf8().ok()?;
            self.resolve_css_as_written(&decoded, from).filter(|_| decoded != specifier)
        })
    }

    fn resolve_css_as_written(&self, specifier: &str, from: &Path) -> Option<PathBuf> {
        let relative = from.parent()?.join(specifier);
        if !specifier.starts_with('/') && relative.is_file() {
            return relative.canonicalize().ok();
        }
        if let Some(found) = self.resolver.resolve_style(from, specifier, "css") {
            return Some(found);
        }
        match self.resolver.resolve(from, specifier, DepKind::Static).ok()? {
            Resolved::File { path, .. } => Some(path.as_path().to_owned()),
            Resolved::Address(_) => self.resolver.public_file(specifier),
            Resolved::Helper(_) => None,
        }
    }

    // ---- links

    /// The place of the file that a page's address would lead to, there or not: `/lib/page.html`, with or without the base.
    pub fn file_at(&self, url: &str) -> FilePath {
        let below = url.strip_prefix(self.base()).unwrap_or_else(|| url.trim_start_matches('/'));
        FilePath::new(self.root.join(below))
    }

    /// What the specifiers of a definition mean now.
    pub fn link(&self, definition: &Definition, file: &FilePath, source: &Source) -> Links {
        let mut links = Links::default();
        for dep in &definition.deps {
            let link = self.link_dep(dep, file, source, &mut links);
            links.links.push(link);
        }
        for call in &definition.globs {
            let found = self.glob_matches(call, source.seen_from(file));
            links.folders.extend(found.folders);
            let entries = found.entries.into_iter().map(|(key, path, url)| {
                links.files.push((url.clone(), path));
                (key, url)
            });
            let entries = entries.collect();
            links.globs.push(entries);
            if let Some(message) = found.mistake {
                links.errors.push(self.at(Diagnostic::error(message), file, source, call.span));
            }
        }
        links
    }

    /// What a glob in `importer` matches now.
    pub(crate) fn glob_matches(&self, call: &GlobCall, importer: &FilePath) -> Matched {
        let aliased = Aliased::of(call, importer.as_path(), &self.resolver);
        let found = glob::expand(&aliased.call, importer.as_path(), &self.root);
        for path in &found.left_out {
            self.left_out().note_match(path);
        }
        let query = Some(call.query.trim_start_matches('?')).filter(|query| !query.is_empty());
        let entries = found.entries.into_iter().filter(|(_, path)| !secrets::holds_secrets(path, &self.root));
        let entries = entries.map(|(key, path)| {
            let path = path.canonicalize().unwrap_or(path);
            let url = self.resolver.url_of(&path, query);
            (aliased.key(key), FilePath::new(path), url)
        });
        // A computed import may mean anything until it runs.
        let mistake = glob::check(&aliased.call).err().filter(|_| !call.of_import);
        Matched { entries: entries.collect(), folders: found.folders, mistake }
    }

    /// Whether a file of this name would be among the matches of a glob in `importer`.
    pub fn could_match(&self, call: &GlobCall, importer: &FilePath, path: &Path) -> bool {
        let aliased = Aliased::of(call, importer.as_path(), &self.resolver);
        glob::could_match(&aliased.call, importer.as_path(), &self.root, path)
    }

    fn link_dep(&self, dep: &Dep, file: &FilePath, source: &Source, links: &mut Links) -> Link {
        if dep.kind == DepKind::Asset && dep.specifier.is_empty() {
            if is_style(&file.as_path().to_string_lossy()) && self.resolver.address_of_public(file.as_path()).is_none()
            {
                // `?url` of a style: the address leads to the sheet it compiles to. An edit swaps the links to it.
                let url = self.resolver.url_of(file.as_path(), Some("direct"));
                let address = self.address_of(url.path());
                links.files.push((url, file.clone()));
                return Link::Address(address);
            }
            let inlined = self.inlined(file, dep);
            let address = self.asset_link(file.clone(), links);
            return inlined.unwrap_or(address);
        }
        if dep.kind == DepKind::Worker && dep.specifier.is_empty() {
            return self.worker_link(file.clone(), links);
        }
        match self.resolver.resolve(source.seen_from(file).as_path(), &dep.specifier, dep.kind) {
            Ok(Resolved::Address(address)) => match self.public_module(dep) {
                Some((url, file)) => {
                    links.files.push((url.clone(), file));
                    Link::Module(url)
                }
                None => Link::Address(address),
            },
            Ok(Resolved::Helper(url)) => {
                if url.path() == NODE_URL {
                    links.of_node.push(builtin::node_module(url.query()));
                }
                links.files.push((url.clone(), FilePath::new(url.path())));
                Link::Module(url)
            }
            Ok(Resolved::File { path, .. }) if secrets::holds_secrets(path.as_path(), &self.root) => {
                let message = format!("`{}` looks like a file with secrets, so it is never served", dep.specifier);
                let help = "give what the page needs a file of its own, or a variable with the prefix VITE_".to_owned();
                let unresolved = Unresolved { message, help: Some(help), folders: Vec::new() };
                self.note_missing(dep, file, source, unresolved, links);
                Link::Missing
            }
            Ok(Resolved::File { path, .. }) if dep.kind == DepKind::Asset => {
                let is_of_style = is_style(&file.as_path().to_string_lossy());
                let inlined = is_of_style.then(|| self.inlined(&path, dep)).flatten();
                let address = self.asset_link(path, links);
                inlined.unwrap_or(address)
            }
            Ok(Resolved::File { path, .. }) if dep.kind == DepKind::Worker => self.worker_link(path, links),
            Ok(Resolved::File { path, url }) => {
                if let Some(picked) = self.pick(dep, &path, &url, links) {
                    return picked;
                }
                let url = resolve::with_attribute(&url, dep);
                if dep.kind == DepKind::Static
                    && let Some(diagnostic) = self.plugin_lacks(&url, &path)
                {
                    links.errors.push(self.at(diagnostic, file, source, dep.span));
                    return Link::Missing;
                }
                links.files.push((url.clone(), path));
                Link::Module(url)
            }
            Err(unresolved) => {
                self.note_missing(dep, file, source, unresolved, links);
                Link::Missing
            }
        }
    }

    /// `import logo from '/logo.svg'` of a public file: a module like that of any asset. Scripts are left to the browser.
    fn public_module(&self, dep: &Dep) -> Option<(ModuleUrl, FilePath)> {
        let (path, query) =
            dep.specifier.split_once('?').map_or((&*dep.specifier, None), |(path, query)| (path, Some(query)));
        let is_import = matches!(dep.kind, DepKind::Static | DepKind::Dynamic);
        let file =
            self.resolver.public_file(path).filter(|_| is_import && !is_script(&ModuleUrl::new(&*dep.specifier)))?;
        let url = self.resolver.url_of(&file, query);
        Some((resolve::with_attribute(&url, dep), FilePath::new(file)))
    }

    /// Where the names are that are taken of a package's index, if the index itself is not needed for them.
    fn pick(&self, dep: &Dep, path: &FilePath, url: &ModuleUrl, links: &mut Links) -> Option<Link> {
        let is_plain = dep.kind == DepKind::Static && dep.attribute.is_none() && url.query().is_empty();
        if !is_plain || !resolve::is_in_package(path.as_path()) {
            return None;
        }
        let resolve = |specifier: &str, from: &Path| self.file_of_import(specifier, from);
        let around = barrel::Surroundings { packages: &self.resolver.packages, resolve: &resolve };
        let barrel::Picked { picks, order } = self.barrels.pick(path.as_path(), &dep.names, &around)?;
        let mut place = |name: String, file: PathBuf, there: String| {
            let url = self.resolver.url_of(&file, None);
            links.files.push((url.clone(), FilePath::new(file)));
            (name, url, there)
        };
        // What runs for its side effects stands among the names with one that nothing can export.
        let order = order.into_iter().enumerate().map(|(at, file)| (format!("*{at}"), file, "*".to_owned()));
        let named = picks.into_iter().zip(&dep.names).map(|(pick, name)| (name.clone(), pick.file, pick.name));
        Some(Link::Picked(order.chain(named).map(|(name, file, there)| place(name, file, there)).collect()))
    }

    /// Whether a module of a package that has no side effects of its own runs some that it imports.
    pub fn leads_to_effects(&self, file: &Path) -> bool {
        let resolve = |specifier: &str, from: &Path| self.file_of_import(specifier, from);
        self.barrels
            .leads_to_effects(file, &barrel::Surroundings { packages: &self.resolver.packages, resolve: &resolve })
    }

    fn file_of_import(&self, specifier: &str, from: &Path) -> Option<PathBuf> {
        match self.resolver.resolve(from, specifier, DepKind::Static) {
            Ok(Resolved::File { path, url }) if url.query().is_empty() => Some(path.as_path().to_owned()),
            _ => None,
        }
    }

    fn note_missing(&self, dep: &Dep, file: &FilePath, source: &Source, unresolved: Unresolved, links: &mut Links) {
        links.folders.extend(unresolved.folders);
        // What may never be asked for fails when it is.
        let fatal = matches!(dep.kind, DepKind::Static | DepKind::Accept | DepKind::Worker);
        if !fatal {
            if let Some(odd) = self.resolver.oddity_behind(source.seen_from(file).as_path(), &dep.specifier) {
                self.left_out().note(&odd);
            }
            return;
        }
        let mut diagnostic = Diagnostic::error(unresolved.message).of_missing();
        if let Some(help) = unresolved.help {
            diagnostic = diagnostic.with_help(help);
        }
        links.errors.push(self.at(diagnostic, file, source, dep.span));
    }

    pub(crate) fn at(&self, diagnostic: Diagnostic, file: &FilePath, source: &Source, span: (u32, u32)) -> Diagnostic {
        let diagnostic = diagnostic.in_file(self.display(file.as_path()));
        let text = match source {
            Source::File => self.read_text(file).unwrap_or_default(),
            Source::Inline { text, .. } => text.clone(),
        };
        let (start, end) = (span.0 as usize, span.1 as usize);
        match end > start && start < text.len() {
            true => diagnostic.at(&text, start, end - start),
            false => diagnostic,
        }
    }

    /// The module that a worker runs, whatever query it was named with.
    fn worker_link(&self, file: FilePath, links: &mut Links) -> Link {
        let url = self.resolver.url_of(file.as_path(), None);
        links.files.push((url.clone(), file));
        Link::Module(url)
    }

    /// A small SVG that is imported, or that a style shows, is no request: as in Vite, where it is so in builds as well.
    fn inlined(&self, file: &FilePath, dep: &Dep) -> Option<Link> {
        let wish = dep.attribute.as_deref();
        if wish == Some(KEEPS_FILE) || (wish != Some(INLINE) && !inline::is_svg(file.as_path())) {
            return None;
        }
        let content = self.read(file).ok()?;
        let is_small = wish == Some(INLINE) || inline::fits(&content, self.inline_limit);
        is_small.then(|| Link::Address(inline::data_url(file.as_path(), &content)))
    }

    fn asset_link(&self, file: FilePath, links: &mut Links) -> Link {
        if let Some(address) = self.resolver.address_of_public(file.as_path()) {
            return Link::Address(address);
        }
        let address = self.asset_address(&file);
        links.assets.push((self.resolver.url_of(file.as_path(), None).as_str().to_owned(), file));
        Link::Address(address)
    }

    /// The address of an asset: its path, and once it was edited a number that changes with it.
    pub fn asset_address(&self, file: &FilePath) -> String {
        let address = self.address_of(self.resolver.url_of(file.as_path(), None).as_str());
        match self.asset_versions.of(file.as_path(), || self.asset_digest(file).ok()) {
            Some(version) => format!("{address}?t={version}"),
            None => address,
        }
    }

    /// The address of a path below the root, without a version.
    pub fn address_of(&self, path: &str) -> String {
        format!("{}{}", self.base, encode_path(path).trim_start_matches('/'))
    }

    /// Notes that an asset was edited: from now on its address is another.
    pub fn asset_edited(&self, file: &Path) {
        self.asset_versions.edited(file);
    }

    /// Remembers an asset for the next server, by what it is now.
    pub fn note_asset(&self, file: &Path, digest: &str) {
        self.asset_versions.note(file, digest);
    }

    /// The source map of a definition's text: a script's, if the file still is what it was made from; of any other kind
    /// one that leads to the beginning of the file, since its text is a value and not code of the user's.
    pub fn source_map(&self, url: &ModuleUrl, file: &FilePath, source: &Source, hash: &str) -> Option<String> {
        if !is_compiled_as_script(url, source) {
            let text = self.read_text(file).ok();
            let map = serde_json::json!({
                "version": 3,
                "sources": [url],
                "sourcesContent": [text],
                "names": [],
                "mappings": ";AAAA",
            });
            return Some(map.to_string());
        }
        let text = self.script_text(url, file, source).ok()?;
        let options = self.script_options(url, file, &mut Vec::new()).ok()?;
        let facts = self.facts(url, file, source);
        if *self.script_digest(&text, url, &options, facts) != *hash {
            return None;
        }
        let input = self.script_input(&text, url, url.as_str(), &options, facts);
        compile_script(&ScriptInput { source_map: true, ..input }).ok()?.map
    }

    // ---- reading

    pub(crate) fn read(&self, file: &FilePath) -> Result<Vec<u8>, Vec<Diagnostic>> {
        file::read(file.as_path()).map_err(|error| vec![self.unreadable(file, &error)])
    }

    pub(crate) fn read_text(&self, file: &FilePath) -> Result<String, Vec<Diagnostic>> {
        let text = self.read_text_as_is(file)?;
        Ok(match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        })
    }

    pub(crate) fn read_text_as_is(&self, file: &FilePath) -> Result<String, Vec<Diagnostic>> {
        String::from_utf8(self.read(file)?).map_err(|error| {
            let offset = error.utf8_error().valid_up_to();
            let valid = String::from_utf8_lossy(&error.as_bytes()[..offset]).into_owned();
            vec![
                Diagnostic::error(format!("the file is not valid UTF-8 at byte {offset}"))
                    .in_file(self.display(file.as_path()))
                    .at(&valid, offset, 0)
                    .with_help("save it with the encoding UTF-8"),
            ]
        })
    }

    fn unreadable(&self, file: &FilePath, error: &std::io::Error) -> Diagnostic {
        let name = self.display(file.as_path());
        match error.kind() {
            std::io::ErrorKind::NotFound => Diagnostic::gone(name),
            _ => Diagnostic::error(format!("the file cannot be read: {error}")).in_file(name),
        }
    }
}

/// Whether a module goes through the script compiler: by its kind, or because a page or the binary holds it as one.
fn is_compiled_as_script(url: &ModuleUrl, source: &Source) -> bool {
    matches!(source, Source::Inline { .. }) || is_script(url)
}

/// What a script is compiled with besides its text and its tsconfig.json.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    pub format: Format,
    interop: Interop,
    /// Its components are registered for a refresh.
    refresh: bool,
}

/// Globs of files, relative to the root; `*` stays within a folder, one without a slash counts in every folder.
pub fn asset_globs(globs: &[String]) -> Result<GlobSet, String> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        let pattern = match glob.strip_prefix("./").or(glob.strip_prefix('/')) {
            Some(rest) => rest.to_owned(),
            None if glob.contains('/') => glob.clone(),
            None => format!("**/{glob}"),
        };
        let built = GlobBuilder::new(&pattern).literal_separator(true).build();
        set.add(built.map_err(|error| format!("`{glob}` is no glob: {}", error.kind()))?);
    }
    set.build().map_err(|error| error.to_string())
}

/// What else can be done with a file in a language that is not known.
const UNSUPPORTED_HELP: &str = "compile it to JavaScript beforehand, or import it with `?raw` or `?url`";

/// What a module is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Script,
    Style,
    Json,
    Raw,
    Bytes,
    DataUrl,
    Asset,
    Worker {
        class: &'static str,
        address: bool,
    },
    WasmInit,
    Wasm,
    /// In the language of this tool.
    Unsupported(&'static str),
    /// With a query that means something to this plugin.
    OfPlugin(&'static str),
}

/// Pictures that are made to measure.
const PICTURES: [&str; 8] = ["png", "jpg", "jpeg", "webp", "avif", "gif", "tiff", "svg"];

/// The plugin that a query of a picture belongs to; any other query only makes another instance.
fn plugin_of(query: &str, extension: &str) -> Option<&'static str> {
    if !PICTURES.contains(&extension) {
        return None;
    }
    query.split('&').find_map(|part| match part.split_once('=') {
        None if extension == "svg" && matches!(part, "react" | "jsx") => Some("vite-plugin-svgr"),
        None if extension == "svg" && matches!(part, "component" | "skipsvgo") => Some("vite-svg-loader"),
        None if part == "enhanced" => Some("@sveltejs/enhanced-img"),
        Some(("w" | "h" | "width" | "height" | "format" | "quality" | "aspect" | "as" | "preset", _)) => {
            Some("vite-imagetools")
        }
        _ => None,
    })
}

/// What a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Query {
    Raw,
    Url,
    Inline,
    Bytes,
    /// `?worker`, `?sharedworker`: a constructor, or with `&url` an address.
    Worker {
        class: &'static str,
        address: bool,
    },
    /// `?init`: a function that instantiates WebAssembly.
    Init,
    /// None, or one that only makes another instance.
    Other,
}

impl Query {
    fn of(query: &str) -> Self {
        let has = |name: &str| query.split('&').any(|part| part == name);
        match () {
            _ if has("raw") => Self::Raw,
            _ if has("bytes") => Self::Bytes,
            _ if has("worker") => Self::Worker { class: "Worker", address: has("url") },
            _ if has("sharedworker") => Self::Worker { class: "SharedWorker", address: has("url") },
            _ if has("init") => Self::Init,
            _ if has("inline") => Self::Inline,
            _ if has("url") || has("no-inline") => Self::Url,
            _ => Self::Other,
        }
    }
}

/// Whether a module stands for the sheet of a `<link>`: its definition is the sheet itself.
pub fn is_linked(url: &ModuleUrl) -> bool {
    url.query().split('&').any(|part| part == "direct")
}

/// Whether a module's file is an asset: its definition is an address.
pub fn is_asset(url: &ModuleUrl) -> bool {
    let extension = extension(url.path());
    match Query::of(url.query()) {
        Query::Url => true,
        Query::Other => {
            !SCRIPTS.contains(&extension.as_str())
                && !matches!(extension.as_str(), "json" | "wasm")
                && !is_style(url.path())
        }
        _ => false,
    }
}

/// Whether a module is JavaScript or TypeScript.
pub fn is_script(url: &ModuleUrl) -> bool {
    Query::of(url.query()) == Query::Other && SCRIPTS.contains(&extension(url.path()).as_str())
}

fn extension(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StyleUse {
    /// `import './a.css'`: a style element.
    Page,
    /// `?inline`: the text.
    Text,
    /// `with { type: 'css' }`: a constructed sheet.
    Sheet,
    /// The text itself, for a `<link>`; placeholders of addresses stay in it.
    Link,
}

/// ```js
/// {deps:["./dot.svg"],names:[],shape:"…"},(function*($x,$r){$x({default:()=>$d,title:()=>$d["title"]});yield;
/// var $d={"title":"box_title_1a2b"};$r.style("…url("+$r.asset(0)+")…",true);
/// })
/// ```
fn style_definition(output: &StyleOutput, kind: StyleUse) -> Definition {
    let deps: Vec<Dep> = output
        .urls
        .iter()
        .map(|url| Dep {
            specifier: without_suffix(&url.specifier).0.to_owned(),
            kind: DepKind::Asset,
            span: (0, 0),
            attribute: inline_wish(without_suffix(&url.specifier).1).map(str::to_owned),
            names: Vec::new(),
        })
        .collect();
    // The address is filled in when the sheet is sent; what follows it in the source stays.
    let with_placeholders = || {
        output.urls.iter().fold(output.css.clone(), |css, url| {
            css.replace(&url.placeholder, &format!("{}{}", url.placeholder, without_suffix(&url.specifier).1))
        })
    };
    if kind == StyleUse::Link {
        let css = with_placeholders();
        let mut definition = plain(css.clone(), Vec::new(), &css);
        definition.deps = deps;
        return definition;
    }
    let text = css_expression(output);
    let specifiers: Vec<&str> = deps.iter().map(|dep| dep.specifier.as_str()).collect();
    let deps_text = serde_json::to_string(&specifiers).unwrap_or_default();
    let mut exports = Vec::new();
    let mut shape = String::new();
    let body = match (kind, &output.class_map) {
        (StyleUse::Text, _) => {
            exports.push(("default".to_owned(), "$d".to_owned()));
            format!("var $d={text};")
        }
        (StyleUse::Sheet, _) => {
            exports.push(("default".to_owned(), "$d".to_owned()));
            format!("var $d=new CSSStyleSheet();$d.replaceSync({text});")
        }
        (_, None) => format!("$r.style({text},true);"),
        (_, Some(classes)) => {
            let entries = classes.iter().map(|(name, scoped)| (name.clone(), serde_json::Value::from(scoped.as_str())));
            let map = serde_json::Value::Object(entries.collect()).to_string();
            shape = format!(",shape:\"{}\"", digest(&[map.as_bytes()]));
            exports.push(("default".to_owned(), "$d".to_owned()));
            for (name, _) in classes {
                if is_class_export(name) {
                    exports.push((name.clone(), format!("$d[{}]", quoted(name))));
                }
            }
            format!("var $d={map};$r.style({text},false);")
        }
    };
    let getters: Vec<String> = exports.iter().map(|(name, read)| format!("{name}:()=>{read}")).collect();
    let code = format!(
        "{{deps:{deps_text},names:[]{shape}}},(function*($x,$r){{$x({{{}}});yield;\n{body}\n}})",
        getters.join(",")
    );
    let mut definition = plain(code.clone(), exports.into_iter().map(|(name, _)| name).collect(), &code);
    definition.deps = deps;
    definition.sheet = (kind == StyleUse::Page).then(|| with_placeholders().into());
    definition
}

/// Whether a class has an export of its own: `import * as styles` reads also `styles.delete`.
pub fn is_class_export(name: &str) -> bool {
    name != "default" && name != "__proto__" && is_identifier_name(name)
}

/// What stands behind an address in a style says whether it may become part of it. A part of an SVG is shown as a file.
fn inline_wish(suffix: &str) -> Option<&'static str> {
    let has = |name: &str| suffix.trim_start_matches('?').split(['&', '#']).any(|part| part == name);
    match () {
        _ if has(INLINE) => Some(INLINE),
        _ if has(KEEPS_FILE) || suffix.contains('#') => Some(KEEPS_FILE),
        _ => None,
    }
}

/// The sheet as an expression in which addresses are filled in when it runs.
fn css_expression(output: &StyleOutput) -> String {
    let mut pieces = Vec::new();
    let mut rest = output.css.as_str();
    while let Some((at, number)) =
        output.urls.iter().enumerate().filter_map(|(number, url)| Some((rest.find(&url.placeholder)?, number))).min()
    {
        let url = &output.urls[number];
        let suffix = without_suffix(&url.specifier).1;
        pieces.push(quoted(&rest[..at]));
        pieces.push(match suffix {
            "" => format!("$r.asset({number})"),
            suffix => format!("$r.asset({number},{})", quoted(suffix)),
        });
        rest = &rest[at + url.placeholder.len()..];
    }
    pieces.push(quoted(rest));
    pieces.join("+")
}

/// The text of a linked sheet, or of one that goes into a style element, with its addresses filled in.
pub fn sheet_text(definition: &Definition, links: &[Link]) -> String {
    let mut css = definition.sheet.as_ref().unwrap_or(&definition.code).to_string();
    for (number, (dep, link)) in definition.deps.iter().zip(links).enumerate() {
        let address = match link {
            Link::Address(address) => address,
            _ => &dep.specifier,
        };
        let placeholder = placeholder(number);
        if address.starts_with("data:") {
            css = without_suffix_behind(&css, &placeholder);
        }
        if address.contains('?') {
            css = css.replace(&format!("{placeholder}?"), &format!("{address}&"));
        }
        css = css.replace(&placeholder, address);
    }
    css
}

/// An address that holds its content has nothing behind it: `__rekindle_url_0__?inline"` → `__rekindle_url_0__"`
fn without_suffix_behind(css: &str, placeholder: &str) -> String {
    let mut pieces = css.split(placeholder);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.push_str(placeholder);
        out.push_str(if piece.starts_with('?') { piece.trim_start_matches(|c| c != '"' && c != ')') } else { piece });
    }
    out
}

/// `dot.svg#a` → (`dot.svg`, `#a`)
pub fn without_suffix(specifier: &str) -> (&str, &str) {
    specifier.find(['#', '?']).map_or((specifier, ""), |at| specifier.split_at(at))
}

fn default_export(value: &str) -> String {
    format!("{{deps:[],names:[]}},(function*($x){{$x({{default:()=>$d}});yield;\nvar $d={value};\n}})")
}

fn plain(code: String, exports: Vec<String>, content: &str) -> Definition {
    Definition {
        hash: digest(&[content.as_bytes()]),
        code: code.into(),
        deps: Vec::new(),
        globs: Vec::new(),
        exports,
        stars: Vec::new(),
        env: EnvReads::None,
        files: Vec::new(),
        imports_by_name: false,
        sheet: None,
    }
}

fn wasm_definition(module: wasm::WasmModule, content: &str) -> Definition {
    let wasm::WasmModule { code, deps, exports } = module;
    let mut definition = plain(code, exports, content);
    definition.deps = deps;
    definition
}

pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string always serialises")
}

/// 16 hexadecimal digits of BLAKE3 over the parts.
pub fn digest(parts: &[&[u8]]) -> Arc<str> {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().to_hex()[..16].into()
}

/// Percent-encodes what may not stand in an address's path.
pub fn encode_path(path: &str) -> String {
    const KEEP: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'\\')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'|')
        .add(b'}');
    percent_encoding::utf8_percent_encode(path, KEEP).to_string()
}
