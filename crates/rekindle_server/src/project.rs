//! The project as the loop sees it: graph, compiler and segments, and the steps that change them.
//!
//! ```text
//! crawl(roots)            compiles what they reach statically, wave by wave, on all cores
//! edited(files) ─► Delta  compiles what the files went into, and what that newly imports
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use rayon::prelude::*;
use rekindle_compile::asset_versions::AssetVersions;
use rekindle_compile::compile::{Compiled, Compiler, Links, Source, digest, is_linked};
use rekindle_compile::defines::Defines;
use rekindle_compile::file;
use rekindle_compile::framework::Framework;
use rekindle_compile::html::PageTemplate;
use rekindle_compile::nesting::COMPILE_STACK;
use rekindle_compile::resolve::{is_in_package, package_name};
use rekindle_compile::secrets::holds_secrets;
use rekindle_compile::style::prepare::{is_style, is_style_setup};
use rekindle_graph::diagnostic::code_frame;
use rekindle_graph::wire::{Errors, RefreshModules, TracedFrame};
use rekindle_graph::{
    Delta, Diagnostic, EnvReads, FilePath, Link, ModuleGraph, ModuleId, ModuleState, ModuleUrl, Place, Published,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::config::Config;
use crate::files::servable::Servable;
use crate::project::env::EnvValues;
use crate::project::segments::Segments;
use crate::report::Report;
use crate::watch::Watcher;

pub(crate) mod env;
pub(crate) mod gaps;
pub(crate) mod head_styles;
pub(crate) mod page_texts;
pub(crate) mod pages;
pub(crate) mod segments;
pub(crate) mod standalone;

/// Graph, compiler, segments, and the files behind addresses.
pub struct Project {
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
    /// Components are refreshed: not where nothing is hot.
    refreshes: bool,
    has_new_framework: bool,
    /// Modules with `import.meta.glob`.
    globbing: FxHashSet<ModuleId>,
    /// Folders whose listing was asked for.
    listed: FxHashSet<PathBuf>,
    /// Folders in which something was not there that would have come before what was found.
    looked_into: FxHashSet<PathBuf>,
    /// Modules that are no files: scripts written into pages.
    inline: FxHashMap<ModuleUrl, Source>,
    /// Files that modules and pages refer to by address, by that address (decoded, from the root).
    assets: FxHashMap<String, Asset>,
    /// Which modules carry the address of an asset.
    asset_users: FxHashMap<PathBuf, FxHashSet<ModuleId>>,
    asset_digests: FxHashMap<PathBuf, String>,
    /// Modules of Node that were imported, and by whom; and those that the user was told of.
    of_node: Vec<(String, String)>,
    told_of_node: FxHashSet<(String, String)>,
    /// What is odd about pages: the page and a sentence, and whether the user was told.
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

/// Characters of what a browser says.
const LONGEST_REFUSAL: usize = 300;

/// A tab is told why a module cannot run for so many of them at a time, and for so many of which the same is to be said.
pub const MOST_REASONS: usize = 200;
pub const MOST_ALIKE: usize = 20;

/// Modules that a crawl takes in before it lets others have a turn.
const STEP: usize = 256;
/// How long it waits for one of them at a time.
const STEP_PATIENCE: Duration = Duration::from_millis(100);

/// A walk over static imports, breadth first, that can be paused. What it meets is compiled ahead of it, on all cores;
/// it takes the results in in its own order, so that the same project always gives the same graph and segments.
#[derive(Debug)]
pub struct Crawl {
    queue: VecDeque<Met>,
    seen: FxHashSet<ModuleId>,
    pub reached: Vec<ModuleId>,
    pub began: Instant,
    /// The file that it has waited for long.
    slow: Option<String>,
}

/// A module on the walk.
#[derive(Debug)]
struct Met {
    id: ModuleId,
    /// What is made of it, if somebody is at it.
    compiled: Option<Receiver<Compiled>>,
}

impl Crawl {
    pub fn from(roots: &[ModuleId]) -> Self {
        let mut seen = FxHashSet::default();
        let first = roots.iter().copied().filter(|&id| seen.insert(id));
        let queue = first.map(|id| Met { id, compiled: None }).collect();
        Self { queue, seen, reached: Vec::new(), began: Instant::now(), slow: None }
    }

    /// How far it is: `compiling, 12 of 40 modules (src/app.scss)`.
    pub fn progress(&self) -> String {
        let slow = self.slow.as_ref().map(|file| format!(" ({file})")).unwrap_or_default();
        format!("compiling, {} of {} modules{slow}", self.reached.len(), self.seen.len())
    }
}

/// Which scripts of a page are not there, and which of them the terminal has said so of.
#[derive(Debug, Default)]
struct MissingScripts {
    now: Vec<Diagnostic>,
    told: Vec<Diagnostic>,
}

/// Where compiled modules can change from now on.
#[derive(Debug, Default)]
struct Watchlist {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Project {
    pub fn new(config: &Config, secret: [u8; 32], report: &Report) -> std::io::Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new()
            .stack_size(COMPILE_STACK)
            .thread_name(|at| format!("compile-{at}"))
            .build()
            .map_err(std::io::Error::other)?;
        let compiler = Compiler::new(&config.root, config.public_dir.as_deref(), &config.base)
            .with_resolve(config.public_dir.as_deref(), &config.resolve)
            .with_constants(Defines::new(&config.define), config.jsx_import_source.clone())
            .with_styles(&config.mode, &config.css)
            .with_inline_limit(config.build.assets_inline_limit)
            .with_asset_versions(AssetVersions::kept_in(&config.cache_dir))
            .with_assets(&config.assets_include)
            .map_err(std::io::Error::other)?;
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
            of_node: Vec::new(),
            told_of_node: FxHashSet::default(),
            page_warnings: BTreeMap::new(),
            missing_scripts: BTreeMap::new(),
            missing_plugins: config.missing_plugins.clone(),
        })
    }

    // ---- crawl

    /// Everything that running `roots` needs, compiled; in the order it was met. What cannot run is in it too.
    pub fn crawl(&mut self, roots: &[ModuleId], watcher: &Watcher) -> Vec<ModuleId> {
        let mut crawl = Crawl::from(roots);
        while self.step(&mut crawl, watcher) {}
        crawl.reached
    }

    /// Takes the next modules of a crawl in; false when there are none left.
    pub fn step(&mut self, crawl: &mut Crawl, watcher: &Watcher) -> bool {
        for met in &mut crawl.queue {
            if met.compiled.is_none() {
                met.compiled = self.begin(met.id);
            }
        }
        let mut watchlist = Watchlist::default();
        for _ in 0..STEP {
            let Some(Met { id, compiled }) = crawl.queue.pop_front() else { break };
            if let Some(receiver) = compiled {
                let file = &self.graph[id].file;
                let compiled = match receiver.recv_timeout(STEP_PATIENCE) {
                    Ok(compiled) => compiled,
                    Err(RecvTimeoutError::Disconnected) => crashed(&self.compiler.display(file.as_path())),
                    Err(RecvTimeoutError::Timeout) => {
                        crawl.slow = Some(self.compiler.display(file.as_path()));
                        crawl.queue.push_front(Met { id, compiled: Some(receiver) });
                        break;
                    }
                };
                crawl.slow = None;
                self.take_in(id, compiled, &mut Delta::default(), &mut watchlist);
                self.segments.assign(&self.graph, &[id]);
            }
            crawl.reached.push(id);
            for dep in self.static_deps(id) {
                if crawl.seen.insert(dep) {
                    crawl.queue.push_back(Met { id: dep, compiled: self.begin(dep) });
                }
            }
        }
        self.watch(watchlist, watcher, SystemTime::now() - crawl.began.elapsed());
        if crawl.queue.is_empty() {
            self.segments.seal();
            self.report.at_rest();
        } else {
            self.report.working(crawl.began, || crawl.progress());
        }
        !crawl.queue.is_empty()
    }

    /// Lets a module that is new be compiled by whoever has time.
    fn begin(&self, id: ModuleId) -> Option<Receiver<Compiled>> {
        let module = &self.graph[id];
        if module.state != ModuleState::New {
            return None;
        }
        let (url, file, source) = (module.url.clone(), module.file.clone(), self.source_of(&module.url));
        let compiler = self.compiler.clone();
        let (sender, receiver) = sync_channel(1);
        // Nobody waits for it any more when the crawl was given up.
        self.pool.spawn(move || drop(sender.send(compile_one(&compiler, &url, &file, &source))));
        Some(receiver)
    }

    /// Modules that `id` imports statically, as far as it can run at all.
    fn static_deps(&self, id: ModuleId) -> Vec<ModuleId> {
        let Some(published) = &self.graph[id].published else { return Vec::new() };
        self.graph.static_deps(published).filter_map(|url| self.graph.get(url.as_str())).collect()
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
        let Compiled { links, files, .. } = &compiled;
        let assets = links.assets.iter().map(|(_, file)| file);
        let of_module = [&self.graph[id].file].into_iter().chain(files).chain(assets);
        watchlist.files.extend(of_module.map(|file| file.as_path().to_owned()));
        watchlist.folders.extend(links.folders.iter().cloned());
        self.of_node.extend(links.of_node.iter().cloned());
        self.absorb(id, compiled, delta);
    }

    /// `since`: when the files were read at the earliest.
    fn watch(&mut self, Watchlist { mut files, folders }: Watchlist, watcher: &Watcher, since: SystemTime) {
        files.extend(self.compiler.take_read());
        watcher.watch_files_read_since(files, since);
        self.watch_folders(folders, watcher);
        self.watch_looked_into(watcher);
    }

    /// Watches folders that appeared where styles look for class names; gives back the files in them.
    pub fn watch_scanned(&mut self, folders: &[PathBuf], watcher: &Watcher) -> Vec<PathBuf> {
        let mut queue: Vec<PathBuf> =
            folders.iter().filter(|folder| self.compiler.styles.scans(folder)).cloned().collect();
        let (mut found, mut fresh) = (Vec::new(), Vec::new());
        while let Some(folder) = queue.pop() {
            let is_fresh = !self.listed.contains(&folder);
            for entry in folder.read_dir().into_iter().flatten().flatten() {
                let (path, name) = (entry.path(), entry.file_name());
                let is_left_out = name == "node_modules" || name.to_string_lossy().starts_with('.');
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() && !is_left_out && !self.listed.contains(&path) => queue.push(path),
                    Ok(kind) if kind.is_file() && is_fresh => found.push(path),
                    _ => {}
                }
            }
            if is_fresh {
                fresh.push(folder);
            }
        }
        self.watch_folders(fresh, watcher);
        found
    }

    /// Modules of Node that were imported since the last call, each once for a package: the module and its importer.
    pub fn take_of_node(&mut self) -> Vec<(String, String)> {
        let met = std::mem::take(&mut self.of_node);
        let package = |importer: &str| match importer.rsplit_once("/node_modules/") {
            Some((_, inside)) => package_name(inside),
            None => importer.to_owned(),
        };
        met.into_iter().filter(|(name, by)| self.told_of_node.insert((name.clone(), package(by)))).collect()
    }

    /// Takes over what the user is to be told of a page: `%NAME%`s that nothing stands for, and what nobody fills in.
    pub fn note_page(&mut self, page: &str, template: &PageTemplate) {
        let names = template.unknown_env.iter().filter(|name| self.env.misses(name));
        let unknown = names.map(|name| format!("{page}: no env file has {name}, so %{name}% stays as it is"));
        let unfilled = template.unfilled.map(|unfilled| unfilled.sentence(page, &self.missing_plugins));
        let sentences: BTreeSet<String> = unknown.chain(unfilled).collect();
        self.page_warnings.retain(|(of, sentence), _| of != page || sentences.contains(sentence));
        for sentence in sentences {
            self.page_warnings.entry((page.to_owned(), sentence)).or_insert(false);
        }
    }

    /// Which scripts of a page are not there.
    pub fn note_missing_scripts(&mut self, page: &str, missing: Vec<Diagnostic>) {
        self.missing_scripts.entry(page.to_owned()).or_default().now = missing;
    }

    /// Says so in the terminal, where that is news.
    pub fn tell_missing_scripts(&mut self) {
        for (page, missing) in self.missing_scripts.iter_mut().filter(|(_, missing)| missing.now != missing.told) {
            match missing.now.is_empty() {
                true => self.report.fixed(std::slice::from_ref(page)),
                false => self.report.diagnostics(&missing.now),
            }
            missing.told = missing.now.clone();
        }
    }

    /// The sentences that the user was not told.
    pub fn take_page_warnings(&mut self) -> Vec<String> {
        let untold = self.page_warnings.iter_mut().filter(|(_, told)| !**told);
        untold
            .map(|((_, sentence), told)| {
                *told = true;
                sentence.clone()
            })
            .collect()
    }

    fn watch_folders(&mut self, folders: Vec<PathBuf>, watcher: &Watcher) {
        self.listed.extend(folders.iter().cloned());
        watcher.watch_folders(folders);
    }

    /// Watches the folders in which what comes before a file may appear.
    fn watch_looked_into(&mut self, watcher: &Watcher) {
        let folders = self.compiler.resolver.sights.take_folders();
        if !folders.is_empty() {
            self.looked_into.extend(folders.iter().cloned());
            watcher.watch_folders(folders);
        }
    }

    /// Whether a file or folder that appeared or vanished can change what some specifier or glob means.
    pub fn cares_about(&self, path: &Path) -> bool {
        let is_missing = path.ancestors().take(3).skip(1).any(|folder| self.missing_in.contains(folder));
        is_missing || self.globbing.iter().any(|&id| self.globs_match(id, path))
    }

    /// Whether a folder appeared or vanished where one is listed.
    pub fn is_new_folder(&self, folder: &Path) -> bool {
        !(self.listed.contains(folder) || self.looked_into.contains(folder)) || !folder.exists()
    }

    /// Whether what happens in a folder matters only where a name would mean what appears there.
    pub fn is_only_looked_into(&self, folder: &Path) -> bool {
        self.looked_into.contains(folder) && !self.listed.contains(folder) && folder.exists()
    }

    fn globs_match(&self, id: ModuleId, path: &Path) -> bool {
        let module = &self.graph[id];
        let calls = module.published.iter().flat_map(|published| &published.definition.globs);
        let source = self.inline.get(&module.url).unwrap_or(&Source::File);
        calls.into_iter().any(|call| self.compiler.could_match(call, source.seen_from(&module.file), path))
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

    /// The same for a file whose address stands in a page: an edit gives it another one.
    pub fn admit_page_asset(&mut self, address: &str, file: &FilePath) {
        self.admit_asset(address, file);
        self.asset_users.entry(file.as_path().to_owned()).or_default();
    }

    pub fn asset(&self, path: &str) -> Option<&Servable> {
        self.assets.get(path).map(|asset| &asset.servable)
    }

    /// What refreshes components in every page, if the project has a framework that can.
    pub fn refresh_modules(&self) -> Option<RefreshModules> {
        let found = self.compiler.framework();
        let framework = match &*found {
            Framework::React => "react",
            Framework::Preact(..) => "preact",
            Framework::None | Framework::PreactAlone => return None,
        };
        let modules = found.modules().into_iter().map(|(url, _)| url).collect();
        Some(RefreshModules { framework, modules })
    }

    /// Those modules in the graph.
    pub fn insert_refresh_modules(&mut self) -> Vec<ModuleId> {
        self.compiler.framework().modules().iter().map(|(url, file)| self.graph.insert(url, file)).collect()
    }

    /// The project folder.
    pub fn root(&self) -> &Path {
        &self.root
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

    pub fn source_of(&self, url: &ModuleUrl) -> Source {
        self.inline.get(url).cloned().unwrap_or(Source::File)
    }

    /// A page names something that is not there; it may appear in one of these folders.
    pub fn await_in(&mut self, folders: Vec<PathBuf>) {
        self.awaited.extend(folders.iter().filter(|folder| !self.missing_in.contains(*folder)).cloned());
        self.missing_in.extend(folders);
    }

    /// Looks out for what pages wait for.
    pub fn watch_awaited(&mut self, watcher: &Watcher) {
        let folders = std::mem::take(&mut self.awaited);
        if !folders.is_empty() {
            self.watch_folders(folders, watcher);
        }
        self.watch_looked_into(watcher);
    }

    // ---- edits

    /// Brings the graph up to date with what happened to `paths`. `listing_changed`: files may have appeared or
    /// vanished anywhere, so that specifiers and globs may mean something else; the result says whether that was so in the end.
    pub fn edited(&mut self, paths: &[PathBuf], listing_changed: bool, watcher: &Watcher) -> (Delta, bool) {
        let mut delta = Delta::default();
        let mut touched: Vec<ModuleId> = Vec::new();
        let mut saved: Vec<ModuleId> = Vec::new();
        let mut listing_changed = listing_changed;
        for path in paths {
            touched.extend(self.asset_edit(path));
            touched.extend(self.styles_with(path));
            for id in self.graph.of_file(path) {
                let is_own = self.graph[id].file.as_path() == path;
                if is_own && !path.exists() && !self.inline.contains_key(&self.graph[id].url) {
                    if self.graph[id].state != ModuleState::New && self.graph.delete(id) {
                        delta.deleted.push(id);
                        self.segments.touch([id]);
                    }
                    listing_changed = true;
                } else if self.graph[id].state != ModuleState::New {
                    listing_changed |= match self.graph[id].state {
                        ModuleState::Deleted => true,
                        // It may have been what others did not find, while it was something else than a file.
                        ModuleState::Broken(_) => path.parent().is_some_and(|folder| self.missing_in.contains(folder)),
                        _ => false,
                    };
                    touched.push(id);
                    saved.push(id);
                }
            }
        }
        for path in paths.iter().filter(|path| path.ends_with("package.json")) {
            touched.extend(self.modules_of_another_kind(path));
        }
        // What specifiers mean may be something else then, also in modules that no option of it concerns.
        listing_changed |= paths.iter().any(|path| self.compiler.is_config(path) || self.compiler.is_barrel(path));
        if listing_changed {
            self.compiler.clear();
            touched.extend(self.framework_edit());
            self.await_refresh_runtime(watcher);
        }
        touched.sort_unstable();
        touched.dedup();
        self.compile(&touched, watcher, &mut delta);
        if listing_changed {
            self.relink(watcher, &mut delta);
        }
        self.compile_new_imports(watcher, &mut delta);
        // It went away and came back within the same batch.
        delta.deleted.retain(|&id| self.graph[id].state == ModuleState::Deleted);
        let broke: FxHashSet<ModuleId> = delta.broken.iter().copied().collect();
        saved.retain(|id| matches!(self.graph[*id].state, ModuleState::Broken(_)) && !broke.contains(id));
        saved.sort_unstable();
        saved.dedup();
        delta.still_broken = saved;
        delta.changed.sort_unstable();
        delta.changed.dedup();
        let changed = delta.changed.clone();
        self.segments.assign(&self.graph, &changed);
        (delta, listing_changed)
    }

    /// Compiles those of `ids` that are new, and what they import: modules that pages wait for.
    pub fn bring_in(&mut self, ids: &[ModuleId], watcher: &Watcher, delta: &mut Delta) {
        let mut fresh: Vec<ModuleId> = ids.to_vec();
        fresh.retain(|&id| self.graph[id].state == ModuleState::New);
        if fresh.is_empty() {
            return;
        }
        fresh.sort_unstable();
        fresh.dedup();
        let known = delta.changed.len();
        self.compile(&fresh, watcher, delta);
        self.compile_new_imports(watcher, delta);
        let brought = delta.changed[known..].to_vec();
        self.segments.assign(&self.graph, &brought);
    }

    /// A framework or its refresh runtime was installed or removed: its own scripts mean something else.
    fn framework_edit(&mut self) -> Vec<ModuleId> {
        let found = find_framework(&self.root, &self.compiler, self.refreshes);
        if found == *self.compiler.framework() {
            return Vec::new();
        }
        self.compiler.set_framework(found);
        self.has_new_framework = true;
        let is_own = |&id: &ModuleId| !is_in_package(self.graph[id].file.as_path());
        self.graph.ids().filter(is_own).filter(|&id| self.graph[id].state != ModuleState::New).collect()
    }

    /// Whether the framework is another one since the last call.
    pub fn take_new_framework(&mut self) -> bool {
        std::mem::take(&mut self.has_new_framework)
    }

    /// Looks out for what the framework lacks, where it would be installed.
    pub fn await_refresh_runtime(&mut self, watcher: &Watcher) {
        let lacks = if self.refreshes { self.compiler.framework().lacks() } else { &[] };
        let importer = self.root.join("index.js");
        let folders: Vec<PathBuf> =
            lacks.iter().flat_map(|name| self.compiler.resolver.folders_of_package(&importer, name)).collect();
        if !folders.is_empty() {
            self.missing_in.extend(folders.iter().cloned());
            self.watch_folders(folders, watcher);
        }
    }

    /// One line, when something has to be installed so that components keep their state.
    pub fn advice(&self) -> Option<String> {
        self.compiler.framework().advice().filter(|_| self.refreshes)
    }

    /// Modules of a package whose package.json now states another type.
    fn modules_of_another_kind(&self, path: &Path) -> Vec<ModuleId> {
        let Some(folder) = path.parent().filter(|_| self.compiler.resolver.packages.changed_kind(path)) else {
            return Vec::new();
        };
        let is_below = |&id: &ModuleId| self.graph[id].file.as_path().starts_with(folder);
        let is_compiled = |&id: &ModuleId| self.graph[id].state != ModuleState::New;
        // Another version may not have it.
        let is_there = |&id: &ModuleId| self.graph[id].file.as_path().is_file();
        self.graph.ids().filter(is_below).filter(is_compiled).filter(is_there).collect()
    }

    /// Modules that carry the address of the asset at `path`, if its content is not what it was.
    fn asset_edit(&mut self, path: &Path) -> Vec<ModuleId> {
        let Some(users) = self.asset_users.get(path) else { return Vec::new() };
        let Ok(digest) = self.compiler.asset_digest(&FilePath::new(path)) else { return Vec::new() };
        if self.asset_digests.get(path) == Some(&digest) {
            return Vec::new();
        }
        self.compiler.asset_edited(path);
        self.compiler.note_asset(path, &digest);
        self.asset_digests.insert(path.to_owned(), digest);
        users.iter().copied().collect()
    }

    /// Styles that a file may concern without being one of their files yet: they scan its folder for class names, or it
    /// is the configuration of a tool of theirs.
    fn styles_with(&self, path: &Path) -> Vec<ModuleId> {
        let is_compiled = |id: &ModuleId| self.graph[*id].state != ModuleState::New;
        if is_style_setup(path) {
            return self.graph.ids().filter(|id| is_style(self.graph[*id].url.path()) && is_compiled(id)).collect();
        }
        let sheets = self.compiler.styles.scanning(path);
        sheets.iter().flat_map(|sheet| self.graph.of_file(sheet)).filter(is_compiled).collect()
    }

    /// Resolves everything anew; compiles what had an import that was not there.
    fn relink(&mut self, watcher: &Watcher, delta: &mut Delta) {
        let waiting: Vec<ModuleId> = self.graph.ids().filter(|id| self.is_waiting(*id)).collect();
        self.compile(&waiting, watcher, delta);
        let ready: Vec<ModuleId> = self.graph.ids().filter(|&id| self.graph[id].state == ModuleState::Ready).collect();
        let relink = |&id: &ModuleId| {
            let module = &self.graph[id];
            let published = module.published.as_ref()?;
            let source = self.source_of(&module.url);
            let links = self.compiler.link(&published.definition, &module.file, &source);
            let same = links.links == published.links && links.globs == published.globs && links.errors.is_empty();
            let keeps = same && links.folders.is_empty();
            (!keeps).then(|| (id, (!same).then(|| published.definition.clone()), links))
        };
        let relinked: Vec<_> = self.pool.install(|| ready.par_iter().filter_map(relink).collect());
        watcher.watch_files(self.compiler.take_read());
        self.watch_looked_into(watcher);
        for (id, definition, links) in relinked {
            // Also where nothing changed: a folder that appeared is one in which a match may appear next.
            self.watch_folders(links.folders.clone(), watcher);
            if links.links.contains(&Link::Missing) {
                self.missing_in.extend(links.folders.iter().cloned());
            }
            if let Some(definition) = definition {
                let files = definition.files.clone();
                self.absorb(id, Compiled { result: Ok(definition), links, files }, delta);
            }
        }
    }

    fn is_waiting(&self, id: ModuleId) -> bool {
        match &self.graph[id].state {
            ModuleState::Broken(_) => true,
            ModuleState::Deleted => self.graph[id].file.as_path().exists(),
            _ => false,
        }
    }

    /// What a tab that takes the changes will import for the first time comes along.
    fn compile_new_imports(&mut self, watcher: &Watcher, delta: &mut Delta) {
        let mut queue = delta.changed.clone();
        while !queue.is_empty() {
            let mut fresh: Vec<ModuleId> = queue.iter().flat_map(|&id| self.static_deps(id)).collect();
            fresh.retain(|&id| self.graph[id].state == ModuleState::New);
            fresh.sort_unstable();
            fresh.dedup();
            if fresh.is_empty() {
                return;
            }
            self.compile(&fresh, watcher, delta);
            queue = fresh;
        }
    }

    /// Adds what `ids` import and a tab has not got: `holds` says which modules it holds.
    pub fn add_new_imports(&self, ids: &mut Vec<ModuleId>, holds: impl Fn(&str) -> bool) {
        let mut seen: FxHashSet<ModuleId> = ids.iter().copied().collect();
        let mut at = 0;
        while at < ids.len() {
            for dep in self.static_deps(ids[at]) {
                let module = &self.graph[dep];
                if module.published.is_some() && !holds(module.url.as_str()) && seen.insert(dep) {
                    ids.push(dep);
                }
            }
            at += 1;
        }
    }

    /// A browser cannot parse what this module was compiled to.
    pub fn refused(&mut self, id: ModuleId, place: Option<&TracedFrame>, message: &str) -> Delta {
        let module = &self.graph[id];
        let message: String = message.chars().take(LONGEST_REFUSAL).collect();
        let mut diagnostic = Diagnostic::error(format!("the browser cannot read this file: {message}"))
            .in_file(self.compiler.display(module.file.as_path()))
            .with_help("it does not know this syntax yet: write it another way, or take a newer browser");
        if let (Some(place), Source::File) = (place, self.source_of(&module.url)) {
            let text = self.read_known(module.file.as_path()).unwrap_or_default();
            let place = Place { line: place.line, column: place.column };
            diagnostic.frame = Some(code_frame(&text, place, ""));
            diagnostic.place = Some(place);
        }
        let files = module.published.as_ref().map(|published| published.definition.files.clone()).unwrap_or_default();
        let mut delta = Delta::default();
        let change = self.graph.set(id, Err(vec![diagnostic]), files);
        delta.note(id, change);
        self.segments.touch([id]);
        delta
    }

    /// The values of env keys changed: the modules that read them are not what they were.
    pub fn env_edited(&mut self, changed: &[String]) -> Delta {
        let mut delta = Delta::default();
        let readers: Vec<ModuleId> = self.graph.ids().collect();
        for id in readers {
            let Some(published) = self.graph[id].published.clone() else { continue };
            if !published.definition.env.meets(changed) || self.graph[id].state != ModuleState::Ready {
                continue;
            }
            let Published { definition, links, globs, .. } = Arc::unwrap_or_clone(published);
            let links = Links { links, globs, ..Links::default() };
            let files = definition.files.clone();
            self.absorb(id, Compiled { result: Ok(definition), links, files }, &mut delta);
        }
        delta
    }

    // ---- what tabs are told

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
            .then(|| rekindle_compile::compile::sheet_text(&published.definition, &published.links))
    }

    /// Text of a file that the graph knows; nothing else is read.
    pub fn read_known(&self, file: &Path) -> Option<String> {
        let known = !self.graph.of_file(file).is_empty();
        known.then(|| file::read_text(file).ok())?
    }

    /// Modules that `id` imports in any way: statically, by `import()`, by a glob.
    pub fn all_deps(&self, id: ModuleId) -> Vec<ModuleId> {
        let Some(published) = &self.graph[id].published else { return Vec::new() };
        let linked = published.links.iter().flat_map(Link::modules);
        let globbed = published.globs.iter().flatten().map(|(_, url)| url);
        linked.chain(globbed).filter_map(|url| self.graph.get(url.as_str())).collect()
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

/// Compiles a module; a crash is a mistake of ours that is said like one of the user's.
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
