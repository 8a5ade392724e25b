//! What a specifier means: `./store` in `/src/app.tsx` → `/src/store.ts`.

use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use oxc_resolver::{ResolveError, ResolveOptions, TsconfigDiscovery};
use rekindle_graph::paths::{encode_path, is_in_package, normal, relative_path, slashed};
use rekindle_graph::{Dep, DepKind, FilePath, ModuleUrl};
use rustc_hash::FxHashMap;

use crate::files::disk::{Disk, DiskResolver};
use crate::files::file;
use crate::files::lookups::Lookups;
use crate::kind::{self, join_query, node_stand_in, split_query};
use crate::resolve::missing_package;
use crate::resolve::packages::{Packages, package_name};
use crate::resolve::settings::ResolveSettings;
use crate::resolve::styles::StyleResolvers;
use crate::script::builtin::{EMPTY_URL, HELPER_URL, HELPERS, NODE_URL};

/// Addresses of the server that code written for Vite imports.
const VITE_ADDRESSES: [&str; 2] = ["/@vite/client", "/@react-refresh"];
/// Prefix of modules outside the root.
pub const FS_PREFIX: &str = "/@fs/";

/// Folders of a package that is being installed are watched up to this many.
const MOST_FOLDERS: usize = 200;

/// Resolves specifiers as browsers' bundlers do. Shared by all compiling threads.
pub struct Resolver {
    ways: ResolverSet,
    styles: StyleResolvers,
    /// What package.json files say.
    pub packages: Packages,
    /// What was seen on the ways to what was found.
    pub lookups: Lookups,
    root: PathBuf,
    public_dir: Option<PathBuf>,
    base: String,
    pub(crate) settings: ResolveSettings,
    suggestions: Mutex<Suggestions>,
}

/// The files that missing ones may have meant. When a file goes, all its importers miss the same one; when a folder of very
/// many goes, nobody reads what each of them may have meant.
struct Suggestions {
    since: Instant,
    of: FxHashMap<PathBuf, Option<String>>,
}

impl Suggestions {
    /// How long answers are kept; then folders are searched again.
    const LAST: Duration = Duration::from_secs(1);
    /// For how many missing files a folder is searched within that time.
    const MOST: usize = 100;

    fn get(&mut self, missing: PathBuf) -> Option<String> {
        if self.since.elapsed() > Self::LAST {
            *self = Self::default();
        }
        if let Some(known) = self.of.get(&missing) {
            return known.clone();
        }
        let best = if self.of.len() < Self::MOST { nearest_name(&missing) } else { None };
        self.of.insert(missing, best.clone());
        best
    }
}

impl Default for Suggestions {
    fn default() -> Self {
        Self { since: Instant::now(), of: FxHashMap::default() }
    }
}

/// A resolver for each way of asking. They share what they have seen of the disk.
struct ResolverSet {
    import: DiskResolver,
    require: DiskResolver,
    /// The same in `node_modules`: a tsconfig.json that was published with a package means nothing here.
    package_import: DiskResolver,
    package_require: DiskResolver,
}

impl ResolverSet {
    fn new(import: ResolveOptions, lookups: Lookups) -> Self {
        let require = ResolveOptions { condition_names: for_require(&import.condition_names), ..import.clone() };
        let package_import = ResolveOptions { tsconfig: None, ..import.clone() };
        let package_require = ResolveOptions { tsconfig: None, ..require.clone() };
        let first = DiskResolver::new_with_file_system(Disk { lookups }, import);
        Self {
            require: first.clone_with_options(require),
            package_import: first.clone_with_options(package_import),
            package_require: first.clone_with_options(package_require),
            import: first,
        }
    }

    fn of(&self, importer: &Path, kind: DepKind) -> &DiskResolver {
        match kind {
            _ if is_in_package(importer) => self.without_tsconfig(kind),
            DepKind::Require => &self.require,
            _ => &self.import,
        }
    }

    fn without_tsconfig(&self, kind: DepKind) -> &DiskResolver {
        if kind == DepKind::Require { &self.package_require } else { &self.package_import }
    }
}

fn is_about_tsconfig(error: &ResolveError) -> bool {
    matches!(
        error,
        ResolveError::TsconfigNotFound(_)
            | ResolveError::TsconfigSelfReference(_)
            | ResolveError::TsconfigCircularExtend(_)
            | ResolveError::TsconfigLoadFailed { .. }
    )
}

/// What `require` asks `exports` and `imports` maps for, where an import asks for these.
fn for_require(conditions: &[String]) -> Vec<String> {
    let named = |name: &String| if name == "import" { "require".to_owned() } else { name.clone() };
    conditions.iter().map(named).collect()
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
            symlinks: !settings.preserve_symlinks,
            ..ResolveOptions::default()
        };
        let lookups = Lookups::of(root);
        let ways = ResolverSet::new(options, lookups.clone());
        Self {
            styles: StyleResolvers::new(&ways.import),
            ways,
            packages: Packages::new(lookups.clone()),
            lookups,
            root: root.to_owned(),
            public_dir: public_dir.map(Path::to_owned),
            base: base.to_owned(),
            settings: settings.below(root),
            suggestions: Mutex::default(),
        }
    }

    /// Forgets what was seen on the disk: after files appeared, vanished or a package.json changed.
    pub fn clear(&self) {
        self.ways.import.clear_cache();
        self.packages.clear();
    }

    /// Resolves one specifier of `importer`, a file or an HTML page.
    pub fn resolve(&self, importer: &Path, specifier: &str, kind: DepKind) -> Result<Resolved, Unresolved> {
        let behind = self.settings.behind_alias(specifier);
        let specifier = behind.as_deref().unwrap_or(specifier);
        let on_disk = specifier.strip_prefix("file://").and_then(path_of_address);
        let specifier = on_disk.as_deref().unwrap_or(specifier);
        if is_external(specifier) {
            return Ok(Resolved::Address(specifier.to_owned()));
        }
        if VITE_ADDRESSES.contains(&specifier) {
            return Ok(Resolved::Address(format!("{}{}", self.base, &specifier[1..])));
        }
        if let Some(helper) = specifier.strip_prefix(HELPERS) {
            return Ok(Resolved::Helper(ModuleUrl::new(format!("{HELPER_URL}{helper}.js"))));
        }
        if specifier.starts_with(HELPER_URL) {
            return Ok(Resolved::Helper(ModuleUrl::new(specifier)));
        }
        let (path, query) = split_query(specifier);
        // What stands in an address is percent-encoded: `a%20b.svg` is the file `a b.svg`.
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8().ok();
        let decoded = decoded.filter(|decoded| is_address(kind) && *decoded != path);
        let found = decoded.and_then(|path| self.find(importer, &path, kind).ok());
        match found.map_or_else(|| self.find(importer, path, kind), Ok) {
            Ok(file) => Ok(self.file(file, query)),
            Err(ResolveError::Ignored(_)) => Ok(Resolved::Helper(ModuleUrl::new(EMPTY_URL))),
            Err(error) => match self.public_address(path) {
                Some(address) => Ok(Resolved::Address(address)),
                None if is_of_node(path) => Ok(Resolved::Helper(self.node_url(importer, path))),
                None if is_address(kind) && !path.starts_with(['.', '/']) => {
                    let mut unresolved = self.explain(importer, &format!("./{path}"), &error);
                    unresolved.message = unresolved.message.replace(&format!("`./{path}`"), &format!("`{path}`"));
                    unresolved.folders.extend(self.folders_of(importer, path));
                    Err(unresolved)
                }
                None => Err(self.explain(importer, path, &error)),
            },
        }
    }

    /// What a style imports: an alias or a package, by the fields and conditions of its language.
    pub fn resolve_style(&self, importer: &Path, specifier: &str, language: &str) -> Option<PathBuf> {
        let behind = self.settings.behind_alias(specifier);
        let specifier = behind.as_deref().unwrap_or(specifier);
        if is_external(specifier) {
            return None;
        }
        let resolver = self.styles.of(language);
        let found = match specifier.strip_prefix('/') {
            Some(_) if self.settings.names_folder(&self.root, specifier) => resolver.resolve_file(importer, specifier),
            Some(from_root) => resolver.resolve(&self.root, &format!("./{from_root}")),
            None => resolver.resolve_file(importer, specifier),
        };
        Some(found.ok()?.into_path_buf())
    }

    /// Where a tsconfig.json cannot be read its `paths` are not known; what means a file without them is found all the same.
    fn find(&self, importer: &Path, path: &str, kind: DepKind) -> Result<PathBuf, ResolveError> {
        match self.find_by(self.ways.of(importer, kind), importer, path, kind) {
            Err(error) if is_about_tsconfig(&error) => {
                self.find_by(self.ways.without_tsconfig(kind), importer, path, kind).map_err(|_| error)
            }
            found => found,
        }
    }

    fn find_by(&self, way: &DiskResolver, importer: &Path, path: &str, kind: DepKind) -> Result<PathBuf, ResolveError> {
        if let Some(absolute) = path.strip_prefix(FS_PREFIX) {
            return way.resolve_file(importer, &format!("/{absolute}")).map(|found| found.into_path_buf());
        }
        if let Some(from_root) = path.strip_prefix('/') {
            let below_root = way.resolve(&self.root, &format!("./{from_root}"));
            // An alias may name a path on the disk, and so may an import of a file of the project.
            let is_on_disk = || Path::new(path).starts_with(&self.root) || self.settings.names_folder(&self.root, path);
            let found = match below_root {
                Err(_) if is_on_disk() => way.resolve_file(importer, path),
                found => found,
            };
            return found.map(|found| found.into_path_buf());
        }
        if self.settings.is_deduped(package_name(path).as_str()) {
            return way.resolve(&self.root, path).map(|found| found.into_path_buf());
        }
        // Addresses and dependencies of pages need no `./`. What is no file there may be one of a package.
        if is_address(kind) && !path.starts_with('.') {
            let beside = way.resolve_file(importer, &format!("./{path}"));
            let found = beside.or_else(|error| way.resolve_file(importer, path).map_err(|_| error));
            return found.map(|found| found.into_path_buf());
        }
        let found = way.resolve_file(importer, path)?.into_path_buf();
        if kind != DepKind::Require && is_bare(path) && package_name(path) == path {
            return Ok(self.module_instead_of_browser(&found).unwrap_or(found));
        }
        Ok(found)
    }

    /// A package whose `browser` is no ES module (UMD, mostly) and that has a `module` as well: that one, as in Vite.
    fn module_instead_of_browser(&self, found: &Path) -> Option<PathBuf> {
        let package = self.packages.nearest(found)?;
        let (browser, module) = (package.browser.as_ref()?, package.module.as_ref()?);
        let is_browser =
            found.strip_prefix(&package.folder).is_ok_and(|file| file.starts_with(normal(browser.as_ref())));
        if browser == module || !is_browser {
            return None;
        }
        let text = file::read_text(found).ok()?;
        let has_module_syntax = text.lines().any(|line| line.starts_with("export ") || line.starts_with("import "));
        if has_module_syntax || text.contains("export{") {
            return None;
        }
        let way = &self.ways.package_import;
        way.resolve(&package.folder, &format!("./{module}")).ok().map(|found| found.into_path_buf())
    }

    /// The empty module that stands for one of Node; the importer is in it for what it says when it is used.
    fn node_url(&self, importer: &Path, name: &str) -> ModuleUrl {
        let by = self.url_of(importer, None);
        node_stand_in(NODE_URL, name.trim_start_matches("node:"), by.path())
    }

    fn file(&self, path: PathBuf, query: Option<&str>) -> Resolved {
        let url = self.url_of(&path, query);
        Resolved::File { path: FilePath::new(path), url }
    }

    /// The browser's name of a file: below the root its path, elsewhere `/@fs/…`.
    pub fn url_of(&self, path: &Path, query: Option<&str>) -> ModuleUrl {
        let name = match path.strip_prefix(&self.root) {
            Ok(relative) => format!("/{}", slashed(relative)),
            Err(_) => format!("{FS_PREFIX}{}", slashed(path).trim_start_matches('/')),
        };
        ModuleUrl::new(join_query(&name, query))
    }

    /// `/logo.svg` where that lies in the folder of public files.
    pub fn public_file(&self, path: &str) -> Option<PathBuf> {
        let relative = path.strip_prefix('/')?;
        let inside = Path::new(relative).components().all(|part| matches!(part, Component::Normal(_)));
        let file = self.public_dir.as_ref()?.join(relative);
        (inside && file.is_file()).then_some(file)
    }

    /// The address of a public file, which begins at the base.
    pub fn address_of_public(&self, file: &Path) -> Option<String> {
        let relative = file.strip_prefix(self.public_dir.as_ref()?).ok()?;
        Some(format!("{}{}", self.base, encode_path(&slashed(relative))))
    }

    pub fn public_address(&self, path: &str) -> Option<String> {
        self.address_of_public(&self.public_file(path)?)
    }

    /// What a glob means that begins with an alias or a path of tsconfig.json, seen from the root: `@/*.js` → `/src/*.js`.
    pub fn globs_behind(&self, importer: &Path, pattern: &str) -> Vec<String> {
        let from_root = |path: &Path| format!("/{}", relative_path(&self.root, path));
        if let Some(behind) = self.settings.behind_alias(pattern) {
            let is_on_disk = self.settings.names_folder(&self.root, &behind);
            let behind = if is_on_disk { from_root(Path::new(&behind)) } else { behind };
            return vec![with_literal_head(&behind, pattern)];
        }
        if pattern.starts_with('#') {
            let package = self.packages.nearest(importer);
            let target = package.and_then(|package| package.import_target(pattern, &self.settings.condition_names()));
            return target.map(|target| from_root(&target)).into_iter().collect();
        }
        if is_in_package(importer) {
            return Vec::new();
        }
        let options = self.ways.import.find_tsconfig(importer).ok().flatten();
        let paths = options.map(|options| options.resolve_path_alias_or_base_url(pattern)).unwrap_or_default();
        paths.iter().map(|path| from_root(path)).collect()
    }

    fn explain(&self, importer: &Path, path: &str, error: &ResolveError) -> Unresolved {
        let folders = self.folders_of(importer, path);
        if let Some(name) = self.oddity_behind(importer, path).and_then(|path| file::oddity(&path)) {
            return Unresolved { message: format!("`{path}` is {name}, not a file"), help: None, folders };
        }
        if let ResolveError::Json(mistake) = error {
            self.packages.note_read(mistake.path.clone());
            let file = mistake.path.strip_prefix(&self.root).unwrap_or(&mistake.path).display();
            let (line, column) = (mistake.line, mistake.column);
            let reason = mistake.message.split(" at line ").next().unwrap_or_default();
            let message = format!("cannot find `{path}`, since {file}:{line}:{column} is not valid JSON: {reason}");
            return Unresolved { message, help: None, folders };
        }
        let help = match self.nearest_file(importer, path) {
            Some(near) => Some(format!("did you mean `{near}`?")),
            None if is_bare(path) => {
                let (message, help) = missing_package::explain(importer, path);
                return Unresolved { message, help: Some(help), folders };
            }
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

    /// What a path names, if that is neither a file nor a folder nor nothing.
    pub fn oddity_behind(&self, importer: &Path, path: &str) -> Option<PathBuf> {
        let target = (!is_bare(path)).then(|| self.target(importer, path))?;
        file::oddity(&target).map(|_| target)
    }

    /// Folders whose listing decides whether `path` exists: the file's own, and that of an `index` file.
    fn folders_of(&self, importer: &Path, path: &str) -> Vec<PathBuf> {
        if is_bare(path) {
            return self.folders_of_package(importer, &package_name(path));
        }
        let target = self.target(importer, path);
        let mut folders: Vec<PathBuf> = target.parent().map(Path::to_owned).into_iter().collect();
        if target.is_dir() {
            folders.push(target);
        }
        folders
    }

    /// Where a package that is not there, or only in parts so far, is installed: every `node_modules` above the importer,
    /// those that may be made, and what is there of the package itself.
    pub fn folders_of_package(&self, importer: &Path, name: &str) -> Vec<PathBuf> {
        let mut folders = vec![self.root.clone()];
        for above in importer.ancestors().skip(1) {
            let modules = above.join("node_modules");
            if !modules.is_dir() {
                if above.join("package.json").is_file() {
                    folders.push(above.to_owned());
                }
                continue;
            }
            let package = modules.join(name);
            let scope = package.parent().filter(|scope| scope.is_dir()).map(Path::to_owned);
            folders.extend(scope.filter(|scope| *scope != modules));
            folders.push(modules);
            if package.is_dir() {
                folders.extend(folders_below(&package));
            }
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
        let (folder, _) = path.rsplit_once('/')?;
        // Other importers of the same missing file wait for this answer instead of searching too.
        let mut suggestions = self.suggestions.lock().unwrap_or_else(PoisonError::into_inner);
        let best = suggestions.get(self.target(importer, path))?;
        Some(format!("{folder}/{best}"))
    }
}

/// The name beside a missing file that is most like its own, if one is like it at all.
fn nearest_name(missing: &Path) -> Option<String> {
    let wanted = missing.file_name()?.to_string_lossy();
    let names =
        missing.parent()?.read_dir().ok()?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let names = names.filter(|name| !name.starts_with('.') && **name != *wanted);
    let stem = |name: &str| name.split('.').next().unwrap_or_default().to_lowercase();
    let (distance, best) = names.map(|name| (strsim::osa_distance(&stem(&name), &stem(&wanted)), name)).min()?;
    (distance <= 1 + wanted.len() / 5).then_some(best)
}

/// Turns the resolved dependency of a kind into a module name: attributes become queries.
pub fn with_attribute(url: &ModuleUrl, dep: &Dep) -> ModuleUrl {
    let asked = dep.attribute.as_deref().and_then(|attribute| kind::with_attribute(url.as_str(), attribute));
    asked.map_or_else(|| url.clone(), ModuleUrl::new)
}

fn is_external(specifier: &str) -> bool {
    specifier.starts_with("//")
        || ["http:", "https:", "data:", "blob:"].iter().any(|scheme| specifier.starts_with(scheme))
}

/// The path in a `file:` address, which begins behind its host.
fn path_of_address(address: &str) -> Option<String> {
    let path = &address[address.find('/')?..];
    let path = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
    // `/C:/app/a.js`
    let has_drive = cfg!(windows) && path.as_bytes().get(2) == Some(&b':');
    Some(if has_drive { path[1..].to_owned() } else { path.into_owned() })
}

/// Whether a specifier names a module that Node brings along.
fn is_of_node(specifier: &str) -> bool {
    specifier.starts_with("node:") || nodejs_built_in_modules::BUILTINS.contains(&specifier)
}

/// `folder` and all below it, but not what is installed there.
fn folders_below(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    let mut at = 0;
    while at < folders.len() && folders.len() < MOST_FOLDERS {
        let entries = folders[at].read_dir().into_iter().flatten().flatten();
        let inner = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let inner: Vec<PathBuf> =
            inner.filter(|entry| entry.file_name() != "node_modules").map(|entry| entry.path()).collect();
        folders.extend(inner);
        at += 1;
    }
    folders
}

/// Whether the specifier is an address, as in `new URL()`, rather than the name in an import.
fn is_address(kind: DepKind) -> bool {
    matches!(kind, DepKind::Asset | DepKind::Worker)
}

/// A pattern behind an alias: what the alias stands for is a path, in which brackets and stars mean themselves.
fn with_literal_head(behind: &str, pattern: &str) -> String {
    let same = behind.bytes().rev().zip(pattern.bytes().rev()).take_while(|(a, b)| a == b).count();
    let mut at = behind.len() - same;
    while !behind.is_char_boundary(at) {
        at += 1;
    }
    let (head, rest) = behind.split_at(at);
    let mut text = String::with_capacity(behind.len());
    for c in head.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '!' | '(' | ')') {
            text.push('\\');
        }
        text.push(c);
    }
    text + rest
}

fn is_bare(path: &str) -> bool {
    !path.starts_with('.') && !path.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_very_many_missing_files_may_have_meant_is_not_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("button.js"), "").unwrap();
        let mut suggestions =
            Suggestions { since: Instant::now() + Duration::from_secs(3600), ..Suggestions::default() };
        let mut ask = |name: &str| suggestions.get(folder.path().join(name));
        assert_eq!(ask("buton.js").as_deref(), Some("button.js"));
        assert_eq!(ask("unlike-it.js"), None);
        for at in 2..Suggestions::MOST {
            ask(&format!("unlike-{at}.js"));
        }
        assert_eq!(ask("buttn.js"), None);
        assert_eq!(ask("buton.js").as_deref(), Some("button.js"));
    }
}
