//! Barrels: modules of a package that only pass names on. Who takes a few names of one is linked to the modules that
//! declare them, and the rest of the package is neither compiled nor sent.
//!
//! ```text
//! import { Add, Menu as Lines } from '@mui/icons-material'        index.js: export { default as Add } from './Add' …
//!     → Add is `default` of esm/Add.js, Menu is `default` of esm/Menu.js; index.js and 10,000 others stay away
//! ```
//!
//! A module is passed over only if its package.json says that it has no side effects and its text consists of imports
//! and exports alone. Anything else (a namespace that is taken, `export *` of the importer, a name that two modules
//! export, CommonJS) makes the import one of the barrel itself. So what a name means is what ECMA-262 section
//! 16.2.1.7.2.2 says, and what does not run is what a production build leaves out as well.
//!
//! What a module that is passed over imports still runs, in its order, where that has side effects: the sheet or the
//! polyfill that the package lists in `sideEffects`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use oxc_allocator::Allocator;
use oxc_ast::ast::*;
use oxc_ecmascript::BoundNames;
use oxc_parser::Parser;
use oxc_span::SourceType;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::files::file;
use crate::resolve::packages::Packages;
use crate::script::nesting;

/// What a name of a barrel stands for: the module that has it, and the name there (`*`: its namespace).
#[derive(Clone, Debug)]
pub struct BarrelExport {
    pub file: PathBuf,
    pub name: String,
    /// Modules on the way there that are passed over, the last one first.
    passed: Vec<PathBuf>,
}

/// What the names of a barrel stand for.
#[derive(Clone, Debug)]
pub struct Picked {
    /// One for each name.
    pub picks: Vec<BarrelExport>,
    /// Where modules with side effects belong to them: the files of all, in the order in which they run.
    pub order: Vec<PathBuf>,
}

/// All modules that were looked into. Shared by all compiling threads.
#[derive(Debug, Default)]
pub struct Barrels {
    known: RwLock<FxHashMap<PathBuf, Option<Arc<Scan>>>>,
    found: RwLock<FxHashMap<(PathBuf, String), ExportTarget>>,
    /// Those that were looked into since this list was last taken.
    read: Mutex<Vec<PathBuf>>,
}

/// The exports of one module.
#[derive(Debug, Default)]
struct Scan {
    names: FxHashMap<String, Source>,
    /// Every specifier once, in source order; and whether one of them means a module with side effects.
    specifiers: Vec<String>,
    is_loud: OnceLock<bool>,
    /// Specifiers behind `export *`, and the files they mean.
    stars: Vec<String>,
    star_files: OnceLock<Vec<Option<PathBuf>>>,
    /// It may be passed over.
    only_passes_on: bool,
}

#[derive(Clone, Debug)]
enum Source {
    Here,
    From { specifier: String, name: String },
}

#[derive(Clone, Debug)]
enum ExportTarget {
    Found(BarrelExport),
    /// There is no such name.
    None,
    /// It depends on what is only known when it runs, or two modules export it.
    Unclear,
}

impl ExportTarget {
    /// Found by passing over the module at `file`.
    fn past(mut self, file: &Path) -> Self {
        if let Self::Found(pick) = &mut self {
            pick.passed.push(file.to_owned());
        }
        self
    }

    /// Both are the same name of the same module.
    fn is_that(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Found(one), Self::Found(two)) if one.file == two.file && one.name == two.name)
    }
}

/// What a walk needs to know of the rest of the project.
pub struct BarrelLookup<'a> {
    pub packages: &'a Packages,
    /// Specifier and importer → a script.
    pub resolve: &'a dyn Fn(&str, &Path) -> Option<PathBuf>,
}

impl Barrels {
    /// The modules behind `names` of the module at `file`, or `None` if that module itself is to be imported.
    pub fn pick(&self, file: &Path, names: &[String], around: &BarrelLookup) -> Option<Picked> {
        if names.is_empty() || names.iter().any(|name| name == "*") || !self.scan(file, around)?.only_passes_on {
            return None;
        }
        let picks: Option<Vec<BarrelExport>> = names.iter().map(|name| self.pick_one(file, name, around)).collect();
        let picks = picks.filter(|picks| picks.iter().all(|pick| pick.file != file))?;
        let passed: FxHashSet<&Path> = picks.iter().flat_map(|pick| &pick.passed).map(PathBuf::as_path).collect();
        let is_loud = passed.iter().any(|file| self.is_loud(file, around));
        let order = if is_loud { self.order(file, &passed, &picks, around) } else { Vec::new() };
        Some(Picked { picks, order })
    }

    /// Whether something runs where a module that may be passed over is imported, though nothing of it is taken: what it,
    /// or a module whose names it passes on in the same way, imports has side effects.
    pub fn leads_to_effects(&self, file: &Path, around: &BarrelLookup) -> bool {
        let mut seen = FxHashSet::default();
        let mut queue = vec![file.to_owned()];
        while let Some(file) = queue.pop() {
            let Some(scan) = self.scan(&file, around).filter(|scan| scan.only_passes_on) else { continue };
            if self.is_loud(&file, around) {
                return true;
            }
            if seen.insert(file.clone()) && !around.packages.is_without_side_effects(&file) {
                queue.extend(scan.specifiers.iter().filter_map(|specifier| (around.resolve)(specifier, &file)));
            }
        }
        false
    }

    /// Whether a module that may be passed over imports one with side effects. In a package that has none anywhere only
    /// other packages may.
    fn is_loud(&self, file: &Path, around: &BarrelLookup) -> bool {
        let Some(scan) = self.scan(file, around) else { return false };
        *scan.is_loud.get_or_init(|| {
            let all_quiet = around.packages.is_without_side_effects(file);
            let mut asked = scan.specifiers.iter().filter(|specifier| !all_quiet || !specifier.starts_with('.'));
            asked.any(|specifier| {
                let target = (around.resolve)(specifier, file);
                target.is_some_and(|target| !around.packages.is_free_of_side_effects(&target))
            })
        })
    }

    /// What runs of the modules that are passed over: what was picked, and what has side effects; depth first, as if they ran.
    fn order(
        &self,
        file: &Path,
        passed: &FxHashSet<&Path>,
        picks: &[BarrelExport],
        around: &BarrelLookup,
    ) -> Vec<PathBuf> {
        let picked: FxHashSet<&Path> = picks.iter().map(|pick| pick.file.as_path()).collect();
        let mut order = Vec::new();
        let mut seen = FxHashSet::default();
        // Files still to be looked at, the next one last.
        let mut queue = vec![file.to_owned()];
        while let Some(file) = queue.pop() {
            if !seen.insert(file.clone()) {
                continue;
            }
            if !passed.contains(file.as_path()) {
                order.push(file);
                continue;
            }
            let Some(scan) = self.scan(&file, around) else { continue };
            let targets = scan.specifiers.iter().filter_map(|specifier| (around.resolve)(specifier, &file));
            let runs = |target: &PathBuf| {
                let is_known = passed.contains(target.as_path()) || picked.contains(target.as_path());
                is_known || !around.packages.is_free_of_side_effects(target)
            };
            let inner: Vec<PathBuf> = targets.filter(runs).collect();
            queue.extend(inner.into_iter().rev());
        }
        order
    }

    fn pick_one(&self, file: &Path, name: &str, around: &BarrelLookup) -> Option<BarrelExport> {
        let key = (file.to_owned(), name.to_owned());
        let known = self.found.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let target = known.unwrap_or_else(|| {
            let target = self.follow(file, name, around, &mut FxHashSet::default());
            self.found.write().unwrap_or_else(PoisonError::into_inner).insert(key, target.clone());
            target
        });
        match target {
            ExportTarget::Found(pick) => Some(pick),
            ExportTarget::None | ExportTarget::Unclear => None,
        }
    }

    fn follow(
        &self,
        file: &Path,
        name: &str,
        around: &BarrelLookup,
        seen: &mut FxHashSet<(PathBuf, String)>,
    ) -> ExportTarget {
        if !seen.insert((file.to_owned(), name.to_owned())) {
            return ExportTarget::None;
        }
        let Some(scan) = self.scan(file, around) else { return ExportTarget::Unclear };
        let here =
            || ExportTarget::Found(BarrelExport { file: file.to_owned(), name: name.to_owned(), passed: Vec::new() });
        match scan.names.get(name) {
            Some(Source::From { specifier, name: there }) if scan.only_passes_on => {
                let Some(target) = (around.resolve)(specifier, file) else { return here() };
                if there == "*" {
                    let is_module = self.scan(&target, around).is_some();
                    let passed = vec![file.to_owned()];
                    let pick = BarrelExport { file: target, name: "*".into(), passed };
                    return if is_module { ExportTarget::Found(pick) } else { here() };
                }
                match self.follow(&target, there, around, seen) {
                    ExportTarget::Unclear => here(),
                    found => found.past(file),
                }
            }
            Some(_) => here(),
            None if name == "default" => ExportTarget::None,
            None if scan.stars.is_empty() => ExportTarget::None,
            None if scan.only_passes_on => self.follow_stars(&scan, file, name, around, seen).past(file),
            None => ExportTarget::Unclear,
        }
    }

    /// A name behind `export *`. Every star target is searched: a name found in two of them is ambiguous and not exported.
    fn follow_stars(
        &self,
        scan: &Scan,
        file: &Path,
        name: &str,
        around: &BarrelLookup,
        seen: &mut FxHashSet<(PathBuf, String)>,
    ) -> ExportTarget {
        let targets = scan
            .star_files
            .get_or_init(|| scan.stars.iter().map(|specifier| (around.resolve)(specifier, file)).collect());
        let mut found = ExportTarget::None;
        for target in targets {
            let Some(target) = target else { return ExportTarget::Unclear };
            match self.follow(target, name, around, seen) {
                ExportTarget::None => {}
                target if matches!(found, ExportTarget::None) => found = target,
                target if target.is_that(&found) => {}
                _ => return ExportTarget::Unclear,
            }
        }
        found
    }

    /// The exports of an ES module; `None` for anything else.
    fn scan(&self, file: &Path, around: &BarrelLookup) -> Option<Arc<Scan>> {
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(file) {
            return known.clone();
        }
        let scan = is_script(file).then(|| file::read_text(file).ok()).flatten().and_then(|text| {
            let mut scan = scan_text(&text)?;
            scan.only_passes_on &= around.packages.is_free_of_side_effects(file);
            Some(Arc::new(scan))
        });
        self.read.lock().unwrap_or_else(PoisonError::into_inner).push(file.to_owned());
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(file.to_owned(), scan.clone());
        scan
    }

    /// Files that were looked into since the last call: an edit of one may change what names mean.
    pub fn take_read(&self) -> Vec<PathBuf> {
        std::mem::take(&mut self.read.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the file was looked into.
    pub fn knows(&self, file: &Path) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).contains_key(file)
    }

    pub fn clear(&self) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.found.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn is_script(file: &Path) -> bool {
    matches!(file.extension().and_then(|extension| extension.to_str()), Some("js" | "mjs"))
}

fn scan_text(text: &str) -> Option<Scan> {
    if !text.contains("export") || nesting::too_deep(text).is_some() {
        return None;
    }
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, SourceType::mjs()).parse();
    let is_module = !parsed.panicked && parsed.diagnostics.errors().next().is_none();
    (is_module && parsed.module_record.has_module_syntax).then(|| scan_program(&parsed.program))
}

fn scan_program(program: &Program) -> Scan {
    let mut scan = Scan { only_passes_on: true, ..Scan::default() };
    let imported = imports_of(program);
    for statement in &program.body {
        if let Some(source) = source_of(statement).filter(|source| !scan.specifiers.iter().any(|known| known == source))
        {
            scan.specifiers.push(source.to_owned());
        }
        match statement {
            Statement::ImportDeclaration(import) => scan.only_passes_on &= import.with_clause.is_none(),
            Statement::ExportAllDeclaration(export) => {
                scan.only_passes_on &= export.with_clause.is_none();
                let specifier = export.source.value.to_string();
                match &export.exported {
                    None => scan.stars.push(specifier),
                    Some(name) => {
                        scan.names.insert(name.name().to_string(), Source::From { specifier, name: "*".into() });
                    }
                }
            }
            Statement::ExportFromDeclaration(export) => {
                scan.only_passes_on &= export.with_clause.is_none();
                for it in &export.specifiers {
                    let from =
                        Source::From { specifier: export.source.value.to_string(), name: it.local.name().to_string() };
                    scan.names.insert(it.exported.name().to_string(), from);
                }
            }
            Statement::ExportNamedDeclaration(export) => {
                for it in &export.specifiers {
                    let source = imported.get(it.local.name().as_str()).cloned();
                    scan.names.insert(it.exported.name().to_string(), source.unwrap_or(Source::Here));
                }
            }
            Statement::ExportDeclaration(export) => {
                scan.only_passes_on = false;
                export.declaration.bound_names(&mut |identifier| {
                    scan.names.insert(identifier.name.to_string(), Source::Here);
                });
            }
            Statement::ExportDefaultDeclaration(_) => {
                scan.only_passes_on = false;
                scan.names.insert("default".into(), Source::Here);
            }
            Statement::EmptyStatement(_) => {}
            _ => scan.only_passes_on = false,
        }
    }
    scan
}

fn source_of<'p>(statement: &'p Statement) -> Option<&'p str> {
    Some(match statement {
        Statement::ImportDeclaration(import) => import.source.value.as_str(),
        Statement::ExportAllDeclaration(export) => export.source.value.as_str(),
        Statement::ExportFromDeclaration(export) => export.source.value.as_str(),
        _ => return None,
    })
}

/// Local names of imports, with what they stand for.
fn imports_of(program: &Program) -> FxHashMap<String, Source> {
    let mut imported = FxHashMap::default();
    for statement in &program.body {
        let Statement::ImportDeclaration(import) = statement else { continue };
        for specifier in import.specifiers.iter().flatten() {
            let (local, name) = match specifier {
                ImportDeclarationSpecifier::ImportSpecifier(it) => (&it.local, it.imported.name().to_string()),
                ImportDeclarationSpecifier::ImportDefaultSpecifier(it) => (&it.local, "default".to_owned()),
                ImportDeclarationSpecifier::ImportNamespaceSpecifier(it) => (&it.local, "*".to_owned()),
            };
            let specifier = import.source.value.to_string();
            imported.insert(local.name.to_string(), Source::From { specifier, name });
        }
    }
    imported
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `picks` lists for each name of `/ui/index.js` where it is found, or says that the barrel itself is imported.
    fn check(files: &[(&str, &str)], names: &[&str], expected: &str) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let package = ("package.json", r#"{ "name": "ui", "sideEffects": ["loud.js", "*.css"] }"#);
        for (name, text) in files.iter().chain([&package]) {
            std::fs::write(folder.path().join(name), text).expect("the file is written");
        }
        let resolve = |specifier: &str, from: &Path| {
            let path = from.parent()?.join(specifier.trim_start_matches("./"));
            path.is_file().then_some(path)
        };
        let packages = Packages::default();
        let around = BarrelLookup { packages: &packages, resolve: &resolve };
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let picks = Barrels::default().pick(&folder.path().join("index.js"), &names, &around);
        let shown = picks.map_or("the barrel".to_owned(), |Picked { picks, order }| {
            let file =
                |file: &Path| file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let mut shown: Vec<String> =
                picks.iter().map(|pick| format!("{}:{}", file(&pick.file), pick.name)).collect();
            if !order.is_empty() {
                shown.push("in".to_owned());
            }
            shown.extend(order.iter().map(|path| file(path)));
            shown.join(" ")
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn names_are_followed_to_where_they_are_declared() {
        check(
            &[
                (
                    "index.js",
                    "export { default as A } from './a.js';\nexport * from './inner.js';\nimport * as all from './a.js';\nexport { all }",
                ),
                ("a.js", "export default 1"),
                ("inner.js", "import b, { c as d } from './b.js'; export { b, d }"),
                ("b.js", "export default 2; export const c = 3"),
            ],
            &["A", "b", "d", "all"],
            "a.js:default b.js:default b.js:c a.js:*",
        );
    }

    #[test]
    fn a_module_with_code_or_side_effects_is_not_passed_over() {
        let loud = [
            ("index.js", "export { a } from './loud.js'"),
            ("loud.js", "export { a } from './a.js'"),
            ("a.js", "export const a = 1"),
        ];
        check(&loud, &["a"], "loud.js:a in loud.js");
        let code = [("index.js", "export { a } from './a.js'\nwindow.x = 1"), ("a.js", "export const a = 1")];
        check(&code, &["a"], "the barrel");
    }

    #[test]
    fn what_has_side_effects_behind_a_module_that_is_passed_over_runs_in_its_place() {
        check(
            &[
                (
                    "index.js",
                    "import './quiet.js'; export * from './inner.js'; export { b } from './b.js'; import './loud.js'",
                ),
                (
                    "inner.js",
                    "import './style.css'; import './loud.js'; export { a } from './a.js'; export { c } from './c.js'",
                ),
                ("a.js", "export const a = 1"),
                ("b.js", "export const b = 1"),
                ("c.js", "import './style.css'; export const c = 1"),
                ("quiet.js", "window.x = 1"),
                ("loud.js", "window.y = 1"),
                ("style.css", ""),
            ],
            &["b", "a"],
            "b.js:b a.js:a in style.css loud.js a.js b.js",
        );
    }

    #[test]
    fn what_is_ambiguous_missing_or_commonjs_is_left_to_the_barrel() {
        let twice = [
            ("index.js", "export * from './a.js'\nexport * from './b.js'"),
            ("a.js", "export const x = 1, y = 1"),
            ("b.js", "export const x = 2"),
        ];
        check(&twice, &["x"], "the barrel");
        check(&twice, &["y"], "a.js:y");
        check(&twice, &["z"], "the barrel");
        check(&twice, &["*"], "the barrel");
        check(&[("index.js", "export { a } from './a.js'"), ("a.js", "exports.a = 1")], &["a"], "the barrel");
    }

    #[test]
    fn a_cycle_of_barrels_ends() {
        check(
            &[
                ("index.js", "export * from './b.js'"),
                ("b.js", "export * from './index.js'\nexport { a } from './a.js'"),
                ("a.js", "export const a = 1"),
            ],
            &["a"],
            "a.js:a",
        );
    }
}
