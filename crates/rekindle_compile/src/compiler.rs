//! One file → one definition, whatever its kind: script, stylesheet, JSON, asset.
//!
//! ```text
//! /src/app.tsx          → the module, wrapped          /data.json         → default and named exports
//! /app.css              → puts its text on the page    /logo.svg          → its address
//! /box.module.css       → class names                  /note.txt?raw      → its text
//! ```

mod data;
mod link;
mod reading;
mod script;
mod style;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use rekindle_graph::paths::encode_path;
use rekindle_graph::{Definition, Diagnostic, FilePath, ModuleUrl};

use crate::compiled::{Compiled, Links};
use crate::kind::{Kind, UNSUPPORTED_HELP, asks_for_nothing, keeps_file};
use crate::source::Source;

use crate::data::inline;
use crate::files::left_out::SkippedPaths;
use crate::project::defines::Defines;
use crate::project::framework::Framework;
use crate::project::tsconfig::TsConfigs;
use crate::resolve::barrel::Barrels;
use crate::resolve::resolver::Resolver;
use crate::resolve::settings::ResolveSettings;
use crate::store::asset_versions::AssetVersions;
use crate::store::cache::DefinitionCache;
use crate::style::prepare::StyleTools;
use crate::style::prepare::is_style_setup;
use crate::style::settings::StyleSettings;

/// Everything that compiling needs besides a file: the project's facts, shared by all threads.
pub struct Compiler {
    root: PathBuf,
    base: String,
    pub resolver: Resolver,
    /// Decides whether components are registered for a refresh, and what JSX means by default. It may be installed later.
    framework: RwLock<Arc<Framework>>,
    pub styles: StyleTools,
    defines: Defines,
    /// For a build: no components are registered for a refresh, and JSX calls the production functions.
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
            && asks_for_nothing(url)
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

    /// Whether what is compiled is for a build.
    pub(crate) fn is_for_production(&self) -> bool {
        self.production
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
        files.extend(self.resolver.lookups.take_links());
        files
    }

    /// Where a file was expected and something odd was found, which was left out.
    pub fn left_out(&self) -> &SkippedPaths {
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
            Kind::Asset => self.asset(file, keeps_file(url)),
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
        Kind::of(url, source, &|extension| self.resolver.settings.is_own_script(extension))
    }

    pub(crate) fn unsupported(&self, tool: &str, file: &FilePath) -> Diagnostic {
        Diagnostic::error(format!("{tool} files are not supported yet"))
            .in_file(self.display(file.as_path()))
            .with_help(UNSUPPORTED_HELP)
    }

    /// Files that only a plugin can turn into a module. An address would be the wrong thing: the importer expects a component, or a
    /// list of picture sizes.
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

    /// The place of the file that a page's address would lead to, there or not: `/lib/page.html`, with or without the base.
    pub fn file_at(&self, url: &str) -> FilePath {
        let below = url.strip_prefix(self.base()).unwrap_or_else(|| url.trim_start_matches('/'));
        FilePath::new(self.root.join(below))
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

    /// Notes that an asset was edited: from now on it has another address.
    pub fn asset_edited(&self, file: &Path) {
        self.asset_versions.edited(file);
    }

    /// Remembers an asset for the next server, by what it is now.
    pub fn note_asset(&self, file: &Path, digest: &str) {
        self.asset_versions.note(file, digest);
    }
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
        set.add(built.map_err(|error| format!("`{glob}` is not a valid glob: {}", error.kind()))?);
    }
    set.build().map_err(|error| error.to_string())
}
