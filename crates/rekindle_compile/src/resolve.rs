//! What a specifier means: `./store` in `/src/app.tsx` → `/src/store.ts`. The only part of the compiler besides
//! `compile.rs` that looks at the disk.

use std::path::{Component, Path, PathBuf};

use oxc_resolver::{ResolveError, ResolveOptions, Resolver as OxcResolver, TsconfigDiscovery};
use rekindle_graph::{Dep, DepKind, FilePath, ModuleUrl};

use crate::resolve_settings::ResolveSettings;

/// Prefix of helper modules that compiled TypeScript imports; their sources are in the binary.
const HELPERS: &str = "@oxc-project/runtime/helpers/";
/// Where those helpers are found in the browser.
pub const HELPER_URL: &str = "/@rekindle/helpers/";
/// What a package's `"browser": {"x": false}` stands for.
pub const EMPTY_URL: &str = "/@rekindle/helpers/empty.js";
/// Prefix of modules outside the root.
pub const FS_PREFIX: &str = "/@fs/";

/// Resolves specifiers as browsers' bundlers do. Shared by all compiling threads.
pub struct Resolver {
    inner: OxcResolver,
    root: PathBuf,
    public_dir: Option<PathBuf>,
    base: String,
    settings: ResolveSettings,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// A file, with the query the specifier carried.
    File { path: FilePath, url: ModuleUrl },
    /// A module from the binary.
    Helper(ModuleUrl),
    /// The browser loads it by itself.
    Address(String),
}

/// Why nothing was found: a sentence, advice, and the folders in which it could appear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    pub message: String,
    pub help: Option<String>,
    pub folders: Vec<PathBuf>,
}

impl Resolver {
    /// `root` is the project folder, `base` the path it is served under.
    pub fn new(root: &Path, public_dir: Option<&Path>, base: &str, settings: &ResolveSettings) -> Self {
        let strings = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let options = ResolveOptions {
            cwd: Some(root.to_owned()),
            tsconfig: Some(TsconfigDiscovery::Auto),
            alias_fields: if settings.reads_browser_maps() { vec![strings(&["browser"])] } else { Vec::new() },
            condition_names: settings.condition_names(),
            extensions: settings.extensions.clone(),
            extension_alias: vec![
                (".js".into(), strings(&[".js", ".ts", ".tsx", ".jsx"])),
                (".jsx".into(), strings(&[".jsx", ".tsx"])),
                (".mjs".into(), strings(&[".mjs", ".mts"])),
                (".cjs".into(), strings(&[".cjs", ".cts"])),
            ],
            main_fields: settings.entry_fields(),
            builtin_modules: true,
            symlinks: !settings.preserve_symlinks,
            ..ResolveOptions::default()
        };
        Self {
            inner: OxcResolver::new(options),
            root: root.to_owned(),
            public_dir: public_dir.map(Path::to_owned),
            base: base.to_owned(),
            settings: settings.below(root),
        }
    }

    /// Forgets what was seen on the disk: after files appeared, vanished or a package.json changed.
    pub fn clear(&self) {
        self.inner.clear_cache();
    }

    /// Resolves one specifier of `importer`, a file or an HTML page.
    pub fn resolve(&self, importer: &Path, specifier: &str, kind: DepKind) -> Result<Resolved, Unresolved> {
        let behind = self.settings.behind_alias(specifier);
        let specifier = behind.as_deref().unwrap_or(specifier);
        if is_external(specifier) {
            return Ok(Resolved::Address(specifier.to_owned()));
        }
        if let Some(helper) = specifier.strip_prefix(HELPERS) {
            return Ok(Resolved::Helper(ModuleUrl::new(format!("{HELPER_URL}{helper}.js"))));
        }
        if specifier.starts_with(HELPER_URL) {
            return Ok(Resolved::Helper(ModuleUrl::new(specifier)));
        }
        let (path, query) = specifier.split_once('?').map_or((specifier, None), |(path, query)| (path, Some(query)));
        match self.find(importer, path, kind) {
            Ok(file) => Ok(self.file(file, query)),
            Err(ResolveError::Ignored(_)) => Ok(Resolved::Helper(ModuleUrl::new(EMPTY_URL))),
            Err(error) => match self.public_address(path) {
                Some(address) => Ok(Resolved::Address(address)),
                None => Err(self.explain(importer, path, &error)),
            },
        }
    }

    fn find(&self, importer: &Path, path: &str, kind: DepKind) -> Result<PathBuf, ResolveError> {
        if let Some(absolute) = path.strip_prefix(FS_PREFIX) {
            return self.inner.resolve_file(importer, &format!("/{absolute}")).map(|found| found.into_path_buf());
        }
        if let Some(from_root) = path.strip_prefix('/') {
            let below_root = self.inner.resolve(&self.root, &format!("./{from_root}"));
            // An alias may name a path on the disk.
            let found = match below_root {
                Err(_) if self.settings.names_folder(&self.root, path) => self.inner.resolve_file(importer, path),
                found => found,
            };
            return found.map(|found| found.into_path_buf());
        }
        if self.settings.is_deduped(package_name(path).as_str()) {
            return self.inner.resolve(&self.root, path).map(|found| found.into_path_buf());
        }
        // Addresses and dependencies of pages need no `./`.
        if matches!(kind, DepKind::Asset) && !path.starts_with('.') {
            return self.inner.resolve_file(importer, &format!("./{path}")).map(|found| found.into_path_buf());
        }
        self.inner.resolve_file(importer, path).map(|found| found.into_path_buf())
    }

    fn file(&self, path: PathBuf, query: Option<&str>) -> Resolved {
        let url = self.url_of(&path, query);
        Resolved::File { path: FilePath::new(path), url }
    }

    /// The browser's name of a file: below the root its path, elsewhere `/@fs/…`.
    pub fn url_of(&self, path: &Path, query: Option<&str>) -> ModuleUrl {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let text = match path.strip_prefix(&self.root) {
            Ok(relative) => format!("/{}{query}", slashed(relative)),
            Err(_) => format!("{FS_PREFIX}{}{query}", slashed(path).trim_start_matches('/')),
        };
        ModuleUrl::new(text)
    }

    fn public_address(&self, path: &str) -> Option<String> {
        let relative = path.strip_prefix('/')?;
        let inside = Path::new(relative).components().all(|part| matches!(part, Component::Normal(_)));
        let file = self.public_dir.as_ref()?.join(relative);
        (inside && file.is_file()).then(|| format!("{}{relative}", self.base))
    }

    fn explain(&self, importer: &Path, path: &str, error: &ResolveError) -> Unresolved {
        let folders = self.folders_of(importer, path);
        if let ResolveError::Builtin { resolved, .. } = error {
            return Unresolved {
                message: format!("`{path}` is a module of Node and not there in a browser"),
                help: Some(format!(
                    "remove the import of `{resolved}`, or import a package that replaces it in browsers"
                )),
                folders,
            };
        }
        let help = match self.nearest_file(importer, path) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if is_bare(path) => Some(format!("install it: npm install {}", package_name(path))),
            None => None,
        };
        let message = match error {
            ResolveError::NotFound(_) | ResolveError::ExtensionAlias(..) | ResolveError::MatchedAliasNotFound(..) => {
                format!("cannot find `{path}`")
            }
            other => format!("cannot find `{path}`: {other}"),
        };
        Unresolved { message, help, folders }
    }

    /// Folders whose listing decides whether `path` exists: the file's own, and that of an `index` file.
    fn folders_of(&self, importer: &Path, path: &str) -> Vec<PathBuf> {
        if is_bare(path) {
            return importer
                .ancestors()
                .skip(1)
                .map(|folder| folder.join("node_modules"))
                .filter(|folder| folder.is_dir())
                .chain([self.root.clone()])
                .collect();
        }
        let target = self.target(importer, path);
        let mut folders: Vec<PathBuf> = target.parent().map(Path::to_owned).into_iter().collect();
        if target.is_dir() {
            folders.push(target);
        }
        folders
    }

    fn target(&self, importer: &Path, path: &str) -> PathBuf {
        match path.strip_prefix('/') {
            Some(_) if self.settings.names_folder(&self.root, path) => PathBuf::from(path),
            Some(from_root) => self.root.join(from_root),
            None => normal(&importer.parent().unwrap_or(&self.root).join(path)),
        }
    }

    /// A file beside the missing one whose name is much like it.
    fn nearest_file(&self, importer: &Path, path: &str) -> Option<String> {
        if is_bare(path) {
            return None;
        }
        let target = self.target(importer, path);
        let wanted = target.file_name()?.to_string_lossy().into_owned();
        let (folder, _) = path.rsplit_once('/')?;
        let entries = target.parent()?.read_dir().ok()?.flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let names = names.filter(|name| !name.starts_with('.') && *name != wanted);
        let stem = |name: &str| name.split('.').next().unwrap_or_default().to_lowercase();
        let (distance, best) = names.map(|name| (strsim::osa_distance(&stem(&name), &stem(&wanted)), name)).min()?;
        (distance <= 1 + wanted.len() / 5).then(|| format!("{folder}/{best}"))
    }
}

/// Turns the resolved dependency of a kind into a module name: attributes become queries.
pub fn with_attribute(url: &ModuleUrl, dep: &Dep) -> ModuleUrl {
    match dep.attribute.as_deref() {
        Some("text") => ModuleUrl::new(format!("{}?raw", url.path())),
        Some("css") => ModuleUrl::new(format!("{}?sheet", url.path())),
        Some("bytes") => ModuleUrl::new(format!("{}?bytes", url.path())),
        _ => url.clone(),
    }
}

fn is_external(specifier: &str) -> bool {
    specifier.starts_with("//")
        || ["http:", "https:", "data:", "blob:"].iter().any(|scheme| specifier.starts_with(scheme))
}

fn is_bare(path: &str) -> bool {
    !path.starts_with('.') && !path.starts_with('/')
}

fn package_name(path: &str) -> String {
    let parts = if path.starts_with('@') { 2 } else { 1 };
    path.split('/').take(parts).collect::<Vec<_>>().join("/")
}

fn slashed(path: &Path) -> String {
    let text = path.to_string_lossy();
    if std::path::MAIN_SEPARATOR == '/' { text.into_owned() } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
}

/// Resolves `.` and `..` by the text alone.
pub fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}
