//! All modules of a project: their graph, the compiler, the segments, and the steps that change them.
//!
//! ```text
//! crawl(roots)            compiles what they reach statically, wave by wave, on all cores          crawl.rs
//! edited(files) ─► Delta  compiles what the files went into, and what that newly imports           edits.rs
//! ```
//!
//! This file has the state, and how the result of compiling is taken in; the other steps are in a file each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rayon::prelude::*;
use rekindle_compile::compiled::{Compiled, Links};
use rekindle_compile::compiler::Compiler;
use rekindle_compile::files::file;
use rekindle_compile::files::secrets::holds_secrets;
use rekindle_compile::kind::is_linked;
use rekindle_compile::project::defines::Defines;
use rekindle_compile::project::framework::Framework;
use rekindle_compile::script::nesting::COMPILE_STACK;
use rekindle_compile::source::Source;
use rekindle_compile::store::asset_versions::AssetVersions;
use rekindle_graph::paths::is_in_package;
use rekindle_graph::wire::Errors;
use rekindle_graph::{
    Delta, Diagnostic, EnvReads, FilePath, Link, ModuleGraph, ModuleId, ModuleState, ModuleUrl, Published, digest,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::files::servable::Servable;
use crate::project::env::EnvValues;
use crate::project::segments::Segments;
use crate::report::Report;
use crate::watch::{Snapshot, Watcher, look_at};
use rekindle_config::Config;

pub(crate) mod crawl;
mod edits;
mod framework;
mod warnings;
mod watching;

/// Graph, compiler, segments, and the files behind addresses.
pub struct Modules {
    pub graph: ModuleGraph,
    pub compiler: Arc<Compiler>,
    pub segments: Segments,
    pub env: EnvValues,
    /// Some module of the project, not of a package, has an `import()` whose specifier is only known when it runs.
    pub imports_by_name: bool,
    root: PathBuf,
    pool: rayon::ThreadPool,
    report: Report,
    /// Folders in which a missing file may appear.
    missing_in: FxHashSet<PathBuf>,
    /// Those among them that a page waits for and nobody watches yet.
    awaited: Vec<PathBuf>,
    /// Every page is sent with a content security policy.
    pub has_policy: bool,
    /// Components are refreshed, which makes sense only where updates are sent (`hmr.enabled`).
    refreshes: bool,
    has_new_framework: bool,
    /// Modules with `import.meta.glob`.
    globbing: FxHashSet<ModuleId>,
    /// Folders whose listing was asked for.
    listed: FxHashSet<PathBuf>,
    /// Folders in which the resolver looked in vain before it found a file elsewhere: what appears there would come first.
    looked_into: FxHashSet<PathBuf>,
    /// Modules that are no files: scripts written into pages.
    inline: FxHashMap<ModuleUrl, Source>,
    /// Files that modules and pages refer to by address, by that address (decoded, from the root).
    assets: FxHashMap<String, Asset>,
    /// Which modules carry the address of an asset.
    asset_users: FxHashMap<PathBuf, FxHashSet<ModuleId>>,
    asset_digests: FxHashMap<PathBuf, String>,
    /// How the files of modules looked when compiling these modules failed. While a file looks the same, nobody has saved it,
    /// even if the watcher reports a change.
    failed_with: FxHashMap<PathBuf, Option<Snapshot>>,
    /// Modules of Node that were imported, and by whom; and those of them that the user was told of.
    of_node: Vec<(String, String)>,
    told_of_node: FxHashSet<(String, String)>,
    /// Warnings about pages: the page, a sentence, and whether the user was told.
    page_warnings: BTreeMap<(String, String), bool>,
    /// Scripts that pages name and that are not there, as the terminal has said it last.
    missing_scripts: BTreeMap<String, MissingScripts>,
    /// Plugins of the configuration that do not run.
    missing_plugins: Vec<String>,
}

#[derive(Clone, Debug)]
struct Asset {
    servable: Servable,
}

/// At most so many broken modules reach a tab with their reasons at a time; further ones are only named.
pub const MOST_REASONS: usize = 200;
/// At most so many broken modules reach a tab with one and the same message.
pub const MOST_ALIKE: usize = 20;

/// Errors about scripts of a page that are not there: as they are now, and as the terminal last showed them.
#[derive(Debug, Default)]
struct MissingScripts {
    now: Vec<Diagnostic>,
    told: Vec<Diagnostic>,
}

/// Files and folders to watch for the modules that were just compiled.
#[derive(Debug, Default)]
struct Watchlist {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Modules {
    pub fn new(config: &Config, secret: [u8; 32], report: &Report) -> std::io::Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .stack_size(COMPILE_STACK)
            .thread_name(|at| format!("compile-{at}"))
            .build()
            .map_err(std::io::Error::other)?;
        let compiler = config
            .compiler(Defines::new(&config.define))
            .map_err(std::io::Error::other)?
            .with_asset_versions(AssetVersions::kept_in(&config.cache_dir));
        compiler.set_framework(find_framework(&config.root, &compiler, config.hmr.enabled));
        Ok(Self {
            has_policy: config.server.headers.iter().any(|(name, _)| name == "content-security-policy"),
            refreshes: config.hmr.enabled,
            graph: ModuleGraph::default(),
            compiler: Arc::new(compiler),
            segments: Segments::new(secret),
            env: EnvValues::load(config),
            imports_by_name: false,
            root: config.root.clone(),
            pool,
            report: report.clone(),
            missing_in: FxHashSet::default(),
            awaited: Vec::new(),
            has_new_framework: false,
            globbing: FxHashSet::default(),
            listed: FxHashSet::default(),
            looked_into: FxHashSet::default(),
            inline: FxHashMap::default(),
            assets: FxHashMap::default(),
            asset_users: FxHashMap::default(),
            asset_digests: FxHashMap::default(),
            failed_with: FxHashMap::default(),
            of_node: Vec::new(),
            told_of_node: FxHashSet::default(),
            page_warnings: BTreeMap::new(),
            missing_scripts: BTreeMap::new(),
            missing_plugins: config.missing_plugins.clone(),
        })
    }

    pub fn source_of(&self, url: &ModuleUrl) -> Source {
        self.inline.get(url).cloned().unwrap_or(Source::File)
    }

    /// A script written into a page becomes a module of the page's file. It is compiled anew if it is another one.
    pub fn insert_inline(&mut self, url: &ModuleUrl, file: &FilePath, source: Source) -> ModuleId {
        let id = self.graph.insert(url, file);
        if self.inline.get(url) != Some(&source) {
            self.graph.forget(id);
            self.inline.insert(url.clone(), source);
        }
        id
    }

    /// Modules that `id` imports statically. A module that never compiled imports none.
    fn static_deps(&self, id: ModuleId) -> Vec<ModuleId> {
        let Some(published) = &self.graph[id].published else { return Vec::new() };
        self.graph.static_deps(published).filter_map(|url| self.graph.get(url.as_str())).collect()
    }

    /// Modules that `id` imports in any way: statically, by `import()`, by a glob.
    pub fn all_deps(&self, id: ModuleId) -> Vec<ModuleId> {
        let Some(published) = &self.graph[id].published else { return Vec::new() };
        let linked = published.links.iter().flat_map(Link::modules);
        let globbed = published.globs.iter().flatten().map(|(_, url)| url);
        linked.chain(globbed).filter_map(|url| self.graph.get(url.as_str())).collect()
    }

    /// Compiles `ids` side by side and takes the results in, one after the other.
    fn compile(&mut self, ids: &[ModuleId], watcher: &Watcher, delta: &mut Delta) {
        let compile = |&id: &ModuleId| {
            let module = &self.graph[id];
            compile_one(&self.compiler, &module.url, &module.file, &self.source_of(&module.url))
        };
        let began = SystemTime::now();
        let compiled: Vec<Compiled> = self.pool.install(|| match ids {
            [id] => vec![compile(id)],
            _ => ids.par_iter().map(compile).collect(),
        });
        let mut watchlist = Watchlist::default();
        for (&id, compiled) in ids.iter().zip(compiled) {
            self.take_in(id, compiled, delta, &mut watchlist);
        }
        self.watch(watchlist, watcher, began);
    }

    fn take_in(&mut self, id: ModuleId, compiled: Compiled, delta: &mut Delta, watchlist: &mut Watchlist) {
        let Compiled { result, links, files } = &compiled;
        if result.is_err() || !links.errors.is_empty() {
            let of_module = [&self.graph[id].file].into_iter().chain(files).map(|file| file.as_path().to_owned());
            self.failed_with.extend(of_module.map(|path| (path.clone(), look_at(&path))));
        }
        let assets = links.assets.iter().map(|(_, file)| file);
        let of_module = [&self.graph[id].file].into_iter().chain(files).chain(assets);
        watchlist.files.extend(of_module.map(|file| file.as_path().to_owned()));
        watchlist.folders.extend(links.folders.iter().cloned());
        self.of_node.extend(links.of_node.iter().cloned());
        self.absorb(id, compiled, delta);
    }

    fn absorb(&mut self, id: ModuleId, compiled: Compiled, delta: &mut Delta) {
        let Compiled { result, links, files } = compiled;
        self.admit(id, &links);
        if result.is_err() || links.links.contains(&Link::Missing) {
            self.missing_in.extend(links.folders.iter().cloned());
        }
        if !links.globs.is_empty() {
            self.globbing.insert(id);
        }
        let result = match result {
            Err(diagnostics) => Err(diagnostics),
            Ok(_) if !links.errors.is_empty() => Err(links.errors),
            Ok(definition) => {
                let is_own = !is_in_package(self.graph[id].file.as_path());
                self.imports_by_name |= is_own && definition.imports_by_name;
                let hash = self.published_hash(&definition, &links);
                Ok(Published { definition, links: links.links, globs: links.globs, hash })
            }
        };
        let change = self.graph.set(id, result, files);
        delta.note(id, change);
        self.segments.touch([id]);
    }

    /// Equal digests are equal modules for a tab: source, options, links, and the env values it reads.
    fn published_hash(&self, definition: &rekindle_graph::Definition, links: &Links) -> Arc<str> {
        let env = match &definition.env {
            EnvReads::None => String::new(),
            reads => self.env.digest_of(reads),
        };
        let links = format!("{:?}{:?}", links.links, links.globs);
        digest(&[definition.hash.as_bytes(), links.as_bytes(), env.as_bytes()])
    }

    /// Modules and assets that a compiled module names may be asked for from now on.
    fn admit(&mut self, id: ModuleId, links: &Links) {
        for (url, file) in &links.files {
            self.graph.insert(url, file);
        }
        for (address, file) in &links.assets {
            self.admit_asset(address, file);
            self.asset_users.entry(file.as_path().to_owned()).or_default().insert(id);
        }
    }

    /// Lets a file be fetched by its address. Files with secrets never are.
    pub fn admit_asset(&mut self, address: &str, file: &FilePath) {
        if holds_secrets(file.as_path(), &self.root) || self.assets.contains_key(address) {
            return;
        }
        let servable = Servable::admit(file.as_path().to_owned());
        self.assets.insert(address.to_owned(), Asset { servable });
        if let Ok(digest) = self.compiler.asset_digest(file) {
            self.compiler.note_asset(file.as_path(), &digest);
            self.asset_digests.insert(file.as_path().to_owned(), digest);
        }
    }

    /// The same for a file whose address stands in a page. An edit of the file changes that address.
    pub fn admit_page_asset(&mut self, address: &str, file: &FilePath) {
        self.admit_asset(address, file);
        self.asset_users.entry(file.as_path().to_owned()).or_default();
    }

    pub fn asset(&self, path: &str) -> Option<&Servable> {
        self.assets.get(path).map(|asset| &asset.servable)
    }

    /// The reasons why these modules cannot run, where they cannot. Where very many cannot, most are named without a reason.
    pub fn errors(&self, ids: impl IntoIterator<Item = ModuleId>) -> Errors {
        let mut errors = Errors::new();
        let mut said: FxHashMap<String, usize> = FxHashMap::default();
        for id in ids {
            let module = &self.graph[id];
            let mut diagnostics = match &module.state {
                ModuleState::Broken(diagnostics) => diagnostics.clone(),
                ModuleState::Deleted => vec![Diagnostic::gone(self.compiler.display(module.file.as_path()))],
                _ => continue,
            };
            let is_full = errors.len() >= MOST_REASONS;
            diagnostics.retain(|diagnostic| {
                let times = said.entry(diagnostic.message.clone()).or_default();
                *times += 1;
                !is_full && *times <= MOST_ALIKE
            });
            errors.insert(module.url.to_string(), diagnostics);
        }
        errors
    }

    /// The text of a linked sheet, with its addresses filled in.
    pub fn linked_sheet(&self, id: ModuleId) -> Option<String> {
        let published = self.graph[id].published.as_ref()?;
        is_linked(&self.graph[id].url)
            .then(|| rekindle_compile::style::definition::sheet_text(&published.definition, &published.links))
    }

    /// Text of a file that the graph knows; nothing else is read.
    pub fn read_known(&self, file: &Path) -> Option<String> {
        let known = !self.graph.of_file(file).is_empty();
        known.then(|| file::read_text(file).ok())?
    }
}

/// The project's component framework, and what refreshes it if anything is refreshed.
fn find_framework(root: &Path, compiler: &Compiler, refreshes: bool) -> Framework {
    match Framework::detect(root, &compiler.resolver) {
        Framework::React if !refreshes => Framework::None,
        Framework::Preact(..) if !refreshes => Framework::PreactAlone,
        found => found,
    }
}

/// Compiles a module. A panic of the compiler is reported as an error of that module.
fn compile_one(compiler: &Compiler, url: &ModuleUrl, file: &FilePath, source: &Source) -> Compiled {
    let compile = std::panic::AssertUnwindSafe(|| compiler.compile(url, file, source));
    std::panic::catch_unwind(compile).unwrap_or_else(|_| crashed(&compiler.display(file.as_path())))
}

/// A panic of ours in one module is that module's error; the server goes on.
fn crashed(file: &str) -> Compiled {
    let diagnostic = Diagnostic::error("rekindle failed to compile this file")
        .in_file(file)
        .with_help("this is a bug in rekindle, not in your source: please report it together with the file");
    Compiled { result: Err(vec![diagnostic]), links: Links::default(), files: Vec::new() }
}
