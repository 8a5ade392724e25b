//! What the package.json above a file says about it.
//!
//! ```text
//! /app/node_modules/ui/package.json        { "name": "ui", "sideEffects": ["*.css"], "type": "module" }
//! /app/node_modules/ui/dist/button.js      → in the package `ui`, an ES module for Node, free of side effects
//! ```

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use globset::{GlobBuilder, GlobMatcher};
use rekindle_graph::paths::normal;
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use crate::files::file;
use crate::files::left_out::SkippedPaths;
use crate::files::lookups::Lookups;

/// One package.json, as far as it matters here.
#[derive(Debug, Default)]
pub struct Package {
    pub folder: PathBuf,
    pub name: Option<String>,
    /// `type`
    pub kind: PackageKind,
    side_effects: SideEffects,
    /// `browser`, where it is a path; `module`.
    pub browser: Option<String>,
    pub module: Option<String>,
    imports: Map<String, Value>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PackageKind {
    Module,
    CommonJs,
    #[default]
    Unstated,
}

/// `sideEffects`
#[derive(Debug, Default)]
enum SideEffects {
    #[default]
    Unstated,
    All,
    None,
    /// Only these files have any.
    In(Vec<GlobMatcher>),
}

/// Every package.json that was looked at. Shared by all compiling threads.
#[derive(Debug, Default)]
pub struct Packages {
    /// By folder; `None` where there is none in that folder.
    known: RwLock<FxHashMap<PathBuf, Option<Arc<Package>>>>,
    /// Files read since the last `take_read`.
    read: Mutex<Vec<PathBuf>>,
    /// Paths where a folder, pipe or device stands instead of a file.
    pub left_out: SkippedPaths,
    pub(crate) lookups: Lookups,
}

impl Packages {
    pub(crate) fn new(lookups: Lookups) -> Self {
        Self { lookups, ..Self::default() }
    }

    /// The nearest package.json above a file; that of another package does not count.
    pub fn nearest(&self, file: &Path) -> Option<Arc<Package>> {
        self.above(file).next()
    }

    /// Whether a module may be left out if nothing is taken of it. Folders that only state a type say nothing of this.
    pub fn is_free_of_side_effects(&self, file: &Path) -> bool {
        self.stating(file).is_some_and(|package| package.is_free_of_side_effects(file))
    }

    /// Whether the package of a file declares `sideEffects: false`.
    pub fn is_without_side_effects(&self, file: &Path) -> bool {
        self.stating(file).is_some_and(|package| matches!(package.side_effects, SideEffects::None))
    }

    /// The package.json that says which side effects a file has.
    fn stating(&self, file: &Path) -> Option<Arc<Package>> {
        self.above(file)
            .find(|package| package.name.is_some() || !matches!(package.side_effects, SideEffects::Unstated))
    }

    fn above<'p>(&'p self, file: &'p Path) -> impl Iterator<Item = Arc<Package>> + 'p {
        let folders = file.ancestors().skip(1);
        let own = folders.take_while(|folder| folder.file_name().is_none_or(|name| name != "node_modules"));
        own.filter_map(|folder| self.of_folder(folder))
    }

    fn of_folder(&self, folder: &Path) -> Option<Arc<Package>> {
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(folder) {
            return known.clone();
        }
        let package = Package::read(folder).map(Arc::new);
        let path = folder.join("package.json");
        if package.is_some() || self.left_out.note(&path) {
            self.read.lock().unwrap_or_else(PoisonError::into_inner).push(path);
        } else {
            self.lookups.note_absent(&path);
        }
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(folder.to_owned(), package.clone());
        package
    }

    /// Files that were read since the last call: an edit of one may change what its package's modules compile to.
    pub fn take_read(&self) -> Vec<PathBuf> {
        std::mem::take(&mut self.read.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A package.json that could not be understood: an edit of it may mend that.
    pub fn note_read(&self, path: PathBuf) {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).push(path);
    }

    /// Forgets everything; what is asked for again is read again.
    pub fn clear(&self) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether an edited package.json states another type than it did: its modules compile to something else.
    pub fn changed_kind(&self, path: &Path) -> bool {
        let Some(folder) = path.parent() else { return false };
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner).get(folder).cloned().flatten();
        known.is_some_and(|known| Package::read(folder).is_none_or(|now| now.kind != known.kind))
    }
}

impl Package {
    fn read(folder: &Path) -> Option<Self> {
        let text = file::read_text(&folder.join("package.json")).ok()?;
        let json: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
        let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
        let kind = match text("type").as_deref() {
            Some("module") => PackageKind::Module,
            Some("commonjs") => PackageKind::CommonJs,
            _ => PackageKind::Unstated,
        };
        let side_effects = SideEffects::of(json.get("sideEffects"));
        let has_exports = json.get("exports").is_some();
        let browser = text("browser").filter(|_| !has_exports);
        Some(Self {
            folder: folder.to_owned(),
            name: text("name"),
            kind,
            side_effects,
            browser,
            module: text("module"),
            imports: json.get("imports").and_then(Value::as_object).cloned().unwrap_or_default(),
        })
    }

    /// What a specifier or a pattern with `#` stands for by `imports`: `#parts/*.js` → `/app/src/parts/*.js`. Nothing if that
    /// is no path.
    pub fn import_target(&self, specifier: &str, conditions: &[String]) -> Option<PathBuf> {
        let matching = |key: &str| match key.split_once('*') {
            Some((before, after)) => {
                let star = specifier.strip_prefix(before)?.strip_suffix(after)?;
                Some((before.len(), star.to_owned()))
            }
            None => (specifier == key).then(|| (key.len(), String::new())),
        };
        let found = self.imports.iter().filter_map(|(key, target)| Some((matching(key)?, target)));
        let ((_, star), target) = found.max_by_key(|((length, _), _)| *length)?;
        let path = target_of(target, conditions)?;
        path.starts_with("./").then(|| normal(&self.folder.join(path.replace('*', &star))))
    }

    fn is_free_of_side_effects(&self, file: &Path) -> bool {
        match &self.side_effects {
            SideEffects::Unstated | SideEffects::All => false,
            SideEffects::None => true,
            SideEffects::In(globs) => {
                let relative = file.strip_prefix(&self.folder).unwrap_or(file);
                !globs.iter().any(|glob| glob.is_match(relative))
            }
        }
    }
}

/// The first target whose conditions hold.
fn target_of<'v>(target: &'v Value, conditions: &[String]) -> Option<&'v str> {
    match target {
        Value::String(path) => Some(path),
        Value::Array(targets) => targets.iter().find_map(|target| target_of(target, conditions)),
        Value::Object(cases) => {
            let mut holding = cases.iter().filter(|(name, _)| conditions.iter().any(|condition| condition == *name));
            holding.find_map(|(_, target)| target_of(target, conditions))
        }
        _ => None,
    }
}

impl SideEffects {
    fn of(value: Option<&Value>) -> Self {
        let one = |text: &str| Self::glob(text).map_or(Self::All, |glob| Self::In(vec![glob]));
        match value {
            None => Self::Unstated,
            Some(Value::Bool(false)) => Self::None,
            Some(Value::String(text)) => one(text),
            Some(Value::Array(list)) => {
                let globs: Option<Vec<GlobMatcher>> =
                    list.iter().map(|item| item.as_str().and_then(Self::glob)).collect();
                // A list with an entry that cannot be understood is taken to name every file.
                globs.map_or(Self::All, Self::In)
            }
            Some(_) => Self::All,
        }
    }

    /// `*.css` matches in every folder, `./src/x.js` only that file.
    fn glob(text: &str) -> Option<GlobMatcher> {
        let pattern = text.trim_start_matches("./").trim_start_matches('/');
        let pattern = if text.contains('/') { pattern.to_owned() } else { format!("**/{pattern}") };
        Some(GlobBuilder::new(&pattern).literal_separator(true).build().ok()?.compile_matcher())
    }
}

/// `@mui/material/Button.js` → `@mui/material`
pub fn package_name(path: &str) -> String {
    let parts = if path.starts_with('@') { 2 } else { 1 };
    path.split('/').take(parts).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packages(files: &[(&str, &str)]) -> (tempfile::TempDir, Packages) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder is made");
            std::fs::write(path, text).expect("the file is written");
        }
        (folder, Packages::default())
    }

    #[test]
    fn side_effects_are_those_of_the_list() {
        let (folder, packages) = packages(&[(
            "node_modules/ui/package.json",
            r#"{ "name": "ui", "sideEffects": ["*.css", "./src/setup.js", "dist/*/auto.js"] }"#,
        )]);
        let is_free = |file: &str| packages.is_free_of_side_effects(&folder.path().join("node_modules/ui").join(file));
        assert!(is_free("index.js"));
        assert!(!is_free("deep/down/a.css"));
        assert!(!is_free("src/setup.js"));
        assert!(is_free("lib/src/setup.js"));
        assert!(!is_free("dist/esm/auto.js"));
    }

    #[test]
    fn a_folder_that_only_states_a_type_says_nothing_of_side_effects() {
        let (folder, packages) = packages(&[
            ("node_modules/ui/package.json", r#"{ "name": "ui", "sideEffects": false, "type": "commonjs" }"#),
            ("node_modules/ui/esm/package.json", r#"{ "type": "module" }"#),
        ]);
        let file = folder.path().join("node_modules/ui/esm/index.js");
        assert!(packages.is_free_of_side_effects(&file));
        assert_eq!(packages.nearest(&file).map(|package| package.kind), Some(PackageKind::Module));
    }

    #[test]
    fn without_a_word_there_may_be_side_effects_and_nothing_above_node_modules_counts() {
        let (folder, packages) = packages(&[
            ("package.json", r#"{ "name": "app", "sideEffects": false }"#),
            ("node_modules/ui/package.json", r#"{ "name": "ui" }"#),
            ("node_modules/bare.js", ""),
        ]);
        assert!(!packages.is_free_of_side_effects(&folder.path().join("node_modules/ui/index.js")));
        assert!(packages.nearest(&folder.path().join("node_modules/bare.js")).is_none());
        assert!(packages.is_free_of_side_effects(&folder.path().join("src/main.js")));
    }
}
