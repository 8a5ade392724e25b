//! Finds what `tsconfig.json` says about compiling a file.
//!
//! ```text
//! /app/tsconfig.json        { "files": [], "references": [{ "path": "./tsconfig.app.json" }] }
//! /app/tsconfig.app.json    { "extends": "@tsconfig/strictest", "compilerOptions": { "jsx": "preserve" }, "include": ["src"] }
//! /app/src/main.tsx         → jsx: preserve, and the three files it depends on
//! ```
//!
//! `oxc_resolver` reads these files too, for `paths`, and gives most of the options. Four things that are needed here it does not
//! give: which files an answer was read from, those behind `extends` included, whose edits change it; the place of a mistake in
//! one of them; `jsconfig.json`; and `isolatedModules`. So options are read here.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use globset::GlobBuilder;
use rekindle_graph::paths::normal;
use rekindle_graph::{Diagnostic, FilePath};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use crate::files::file;
use crate::files::left_out::SkippedPaths;

/// The options of a tsconfig that change what a file compiles to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TsOptions {
    pub experimental_decorators: Option<bool>,
    pub emit_decorator_metadata: Option<bool>,
    /// As written; [`TsOptions::defines_class_fields`] knows the default.
    pub use_define_for_class_fields: Option<bool>,
    /// Lowercase: `es2022`, `esnext`.
    pub target: Option<String>,
    /// Lowercase: `preserve`, `react`, `react-jsx`, `react-jsxdev`, `react-native`.
    pub jsx: Option<String>,
    pub jsx_factory: Option<String>,
    pub jsx_fragment_factory: Option<String>,
    pub jsx_import_source: Option<String>,
    pub verbatim_module_syntax: bool,
    pub isolated_modules: bool,
    pub preserve_value_imports: bool,
    /// Lowercase: `remove`, `preserve`, `error`.
    pub imports_not_used_as_values: Option<String>,
}

impl TsOptions {
    /// Whether class fields are defined, as the standard says, rather than assigned. Without a word it follows the target,
    /// and without a target it is so.
    pub fn defines_class_fields(&self) -> bool {
        self.use_define_for_class_fields.unwrap_or_else(|| match self.target.as_deref() {
            Some("es3" | "es5" | "es6") => false,
            Some(target) => {
                target.strip_prefix("es20").is_none_or(|year| year.parse::<u32>().is_ok_and(|year| year >= 22))
            }
            None => true,
        })
    }

    fn from_map(options: &Map<String, Value>) -> Self {
        let flag = |name: &str| options.get(name).and_then(Value::as_bool);
        let text = |name: &str| options.get(name).and_then(Value::as_str).map(str::to_owned);
        let word = |name: &str| text(name).map(|text| text.to_ascii_lowercase());
        Self {
            experimental_decorators: flag("experimentalDecorators"),
            emit_decorator_metadata: flag("emitDecoratorMetadata"),
            use_define_for_class_fields: flag("useDefineForClassFields"),
            target: word("target"),
            jsx: word("jsx"),
            jsx_factory: text("jsxFactory"),
            jsx_fragment_factory: text("jsxFragmentFactory"),
            jsx_import_source: text("jsxImportSource"),
            verbatim_module_syntax: flag("verbatimModuleSyntax").unwrap_or(false),
            isolated_modules: flag("isolatedModules").unwrap_or(false),
            preserve_value_imports: flag("preserveValueImports").unwrap_or(false),
            imports_not_used_as_values: word("importsNotUsedAsValues"),
        }
    }
}

/// The tsconfig files of a project; what was read is kept until [`TsConfigs::clear`].
#[derive(Default)]
pub struct TsConfigs {
    by_folder: Mutex<FxHashMap<PathBuf, Option<PathBuf>>>,
    loaded: Mutex<FxHashMap<PathBuf, Result<Arc<Config>, BadConfig>>>,
}

/// What is wrong with a config, and the files that were read to find out: an edit of one may mend it.
#[derive(Clone, Debug)]
pub struct BadConfig {
    pub diagnostic: Box<Diagnostic>,
    pub files: Vec<PathBuf>,
}

impl TsConfigs {
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all, after any tsconfig appeared, changed or went away.
    pub fn clear(&self) {
        self.by_folder.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether a config that was read, or one that it extends, is this file.
    pub fn hold(&self, file: &Path) -> bool {
        let loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        loaded.values().any(|config| match config {
            Ok(config) => config.files.iter().any(|known| known == file),
            Err(bad) => bad.files.iter().any(|known| known == file),
        })
    }

    /// The options for a file, from the nearest `tsconfig.json` or `jsconfig.json` above it, and every config that was read
    /// for the answer. A package's own config means nothing outside of it.
    pub fn nearest(&self, file: &Path, left_out: &SkippedPaths) -> Result<(TsOptions, Vec<FilePath>), BadConfig> {
        let in_package = file.components().any(|component| component.as_os_str() == "node_modules");
        let found =
            if in_package { None } else { file.parent().and_then(|folder| self.config_above(folder, left_out)) };
        let Some(path) = found else { return Ok((TsOptions::default(), Vec::new())) };
        let nearest = self.load(&path)?;
        let mut files = nearest.files.clone();
        let config = self.covering(&nearest, file, &mut files)?.unwrap_or(nearest);
        Ok((TsOptions::from_map(&config.options), files.into_iter().map(FilePath::new).collect()))
    }

    fn config_above(&self, folder: &Path, left_out: &SkippedPaths) -> Option<PathBuf> {
        let mut by_folder = self.by_folder.lock().unwrap_or_else(PoisonError::into_inner);
        let mut passed = Vec::new();
        let mut found = None;
        for folder in folder.ancestors() {
            if let Some(known) = by_folder.get(folder) {
                found = known.clone();
                break;
            }
            passed.push(folder.to_owned());
            let names = ["tsconfig.json", "jsconfig.json"].iter().map(|name| folder.join(name));
            found = names.into_iter().find(|path| !left_out.note(path) && path.is_file());
            if found.is_some() {
                break;
            }
        }
        by_folder.extend(passed.into_iter().map(|folder| (folder, found.clone())));
        found
    }

    /// The config itself if it includes the file, else the first project it refers to that does.
    fn covering(
        &self,
        config: &Arc<Config>,
        file: &Path,
        files: &mut Vec<PathBuf>,
    ) -> Result<Option<Arc<Config>>, BadConfig> {
        let mut open = vec![Arc::clone(config)];
        let mut seen = vec![config.path.clone()];
        while let Some(config) = open.pop() {
            if config.covers(file) {
                return Ok(Some(config));
            }
            for reference in config.references.iter().rev() {
                let path = if reference.is_dir() { reference.join("tsconfig.json") } else { reference.clone() };
                if seen.contains(&path) || !path.is_file() {
                    continue;
                }
                seen.push(path.clone());
                let referenced = self.load(&path).map_err(|mut bad| {
                    bad.files.append(files);
                    bad
                })?;
                files.extend(referenced.files.iter().filter(|file| !files.contains(file)).cloned().collect::<Vec<_>>());
                open.push(referenced);
            }
        }
        Ok(None)
    }

    fn load(&self, path: &Path) -> Result<Arc<Config>, BadConfig> {
        let known = self.loaded.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        known.unwrap_or_else(|| {
            let mut files = Vec::new();
            let config = Config::load(path, &mut files).map(Arc::new);
            let config = config.map_err(|diagnostic| BadConfig { diagnostic: Box::new(diagnostic), files });
            self.loaded.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), config.clone());
            config
        })
    }
}

/// One config with all it extends.
#[derive(Clone, Debug, Default)]
struct Config {
    path: PathBuf,
    options: Map<String, Value>,
    references: Vec<PathBuf>,
    files_list: Option<Vec<Pattern>>,
    include: Option<Vec<Pattern>>,
    exclude: Option<Vec<Pattern>>,
    /// Itself and its bases.
    files: Vec<PathBuf>,
}

/// A path or pattern, relative to the folder of the config that wrote it.
#[derive(Clone, Debug)]
struct Pattern {
    folder: PathBuf,
    text: String,
}

impl Config {
    /// `chain` holds the configs being loaded, to notice one that extends itself.
    fn load(path: &Path, chain: &mut Vec<PathBuf>) -> Result<Self, Diagnostic> {
        chain.push(path.to_owned());
        let display = path.display().to_string();
        let source = file::read_text(path).map_err(|error| {
            Diagnostic::error(format!("cannot read `{display}`")).in_file(&display).with_help(error.to_string())
        })?;
        let json = parse(&source, &display)?;
        let folder = path.parent().unwrap_or(path);
        let mut config = Self { path: path.to_owned(), files: vec![path.to_owned()], ..Self::default() };
        for specifier in strings(json.get("extends")) {
            let misplaced = |message: String| {
                let offset = source.find(&format!("\"{specifier}\"")).unwrap_or(0);
                Diagnostic::error(message).in_file(&display).at(&source, offset, specifier.len() + 2)
            };
            let Some(base) = resolve_extends(&specifier, folder) else {
                if let Some(name) = oddity_behind(&specifier, folder) {
                    return Err(misplaced(format!("the base config `{specifier}` is {name}, not a file")));
                }
                return Err(misplaced(format!("cannot find the base config `{specifier}`"))
                    .with_help("install the package it comes from, or correct the path"));
            };
            if chain.contains(&base) {
                return Err(misplaced(format!("the config extends itself through `{specifier}`")));
            }
            config.inherit(Self::load(&base, chain)?);
        }
        chain.pop();
        config.apply(&json, folder);
        Ok(config)
    }

    /// Takes over a base; a later base wins over an earlier one.
    fn inherit(&mut self, base: Self) {
        self.options.extend(base.options);
        self.files_list = base.files_list.or(self.files_list.take());
        self.include = base.include.or(self.include.take());
        self.exclude = base.exclude.or(self.exclude.take());
        self.files.extend(base.files);
    }

    fn apply(&mut self, json: &Map<String, Value>, folder: &Path) {
        if let Some(Value::Object(options)) = json.get("compilerOptions") {
            for (name, value) in options {
                // `null` takes an inherited option back.
                match value {
                    Value::Null => drop(self.options.remove(name)),
                    _ => drop(self.options.insert(name.clone(), value.clone())),
                }
            }
        }
        let patterns = |name: &str| {
            let list = json.get(name)?.as_array()?;
            let texts = list.iter().filter_map(Value::as_str);
            Some(texts.map(|text| Pattern { folder: folder.to_owned(), text: text.to_owned() }).collect())
        };
        self.files_list = patterns("files").or(self.files_list.take());
        self.include = patterns("include").or(self.include.take());
        self.exclude = patterns("exclude").or(self.exclude.take());
        let references = json.get("references").and_then(Value::as_array).into_iter().flatten();
        self.references = references
            .filter_map(|reference| reference.get("path").and_then(Value::as_str))
            .map(|path| normal(&folder.join(path)))
            .collect();
    }

    /// Whether the file belongs to this project.
    fn covers(&self, file: &Path) -> bool {
        let folder = self.path.parent().unwrap_or(&self.path);
        if self.files_list.iter().flatten().any(|pattern| pattern.path(folder) == file) {
            return true;
        }
        let everything = vec![Pattern { folder: folder.to_owned(), text: "**/*".to_owned() }];
        let include = match (&self.include, &self.files_list) {
            (Some(include), _) => include,
            (None, Some(_)) => return false,
            (None, None) => &everything,
        };
        let out_dir = self.options.get("outDir").and_then(Value::as_str).map(|text| normal(&folder.join(text)));
        let excluded = match &self.exclude {
            Some(exclude) => exclude.iter().any(|pattern| pattern.matches(file, folder)),
            None => out_dir.is_some_and(|out_dir| out_dir != folder && file.starts_with(out_dir)),
        };
        !excluded && include.iter().any(|pattern| pattern.matches(file, folder))
    }
}

impl Pattern {
    /// `${configDir}` is the folder of the config that extends, not of the base that wrote it.
    fn path(&self, config_folder: &Path) -> PathBuf {
        match self.text.strip_prefix("${configDir}") {
            Some(rest) => normal(&config_folder.join(rest.trim_start_matches('/'))),
            None => normal(&self.folder.join(&self.text)),
        }
    }

    /// A name without wildcards stands for all that is below it, too.
    fn matches(&self, file: &Path, config_folder: &Path) -> bool {
        let path = self.path(config_folder);
        if !self.text.contains(['*', '?']) {
            return file.starts_with(&path);
        }
        // TypeScript knows only `*`, `?` and `**`: brackets and braces are names of folders.
        let text: String = path
            .to_string_lossy()
            .chars()
            .flat_map(|c| if matches!(c, '[' | ']' | '{' | '}' | '!') { vec!['[', c, ']'] } else { vec![c] })
            .collect();
        let matches = |text: &str| {
            GlobBuilder::new(text)
                .literal_separator(true)
                .build()
                .is_ok_and(|glob| glob.compile_matcher().is_match(file))
        };
        matches(&text) || (text.ends_with('*') && matches(&format!("{text}/**")))
    }
}

fn parse(source: &str, display: &str) -> Result<Map<String, Value>, Diagnostic> {
    // Comments and trailing commas become spaces, so places stay.
    let mut text = source.replacen('\u{feff}', "   ", 1);
    if json_strip_comments::strip(&mut text).is_err() {
        let offset = source.rfind("/*").unwrap_or(source.len());
        return Err(Diagnostic::error(format!("{display} has a comment that is not closed"))
            .in_file(display)
            .at(source, offset, 2));
    }
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_str::<Map<String, Value>>(&text).map_err(|error| {
        let line_start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let sentence = error.to_string();
        let fact = sentence.split(" at line ").next().unwrap_or(&sentence);
        Diagnostic::error(format!("{display} is not valid: {fact}")).in_file(display).at(
            source,
            line_start + error.column().saturating_sub(1),
            1,
        )
    })
}

fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn resolve_extends(specifier: &str, folder: &Path) -> Option<PathBuf> {
    let as_file = |path: PathBuf| spellings(&path).into_iter().find(|path| path.is_file());
    if specifier.starts_with('.') || Path::new(specifier).is_absolute() {
        return as_file(folder.join(specifier));
    }
    folder.ancestors().find_map(|ancestor| {
        let path = ancestor.join("node_modules").join(specifier);
        as_file(path.clone()).or_else(|| as_package(&path)).and_then(|path| path.canonicalize().ok())
    })
}

/// The extension may be left out.
fn spellings(path: &Path) -> [PathBuf; 2] {
    let path = normal(path);
    let with_extension = PathBuf::from(format!("{}.json", path.display()));
    [path, with_extension]
}

/// What stands where a base config should be.
fn oddity_behind(specifier: &str, folder: &Path) -> Option<&'static str> {
    spellings(&folder.join(specifier)).iter().find_map(|path| file::oddity(path))
}

/// A package names its config in `package.json`, else it is its `tsconfig.json`.
fn as_package(folder: &Path) -> Option<PathBuf> {
    let manifest = file::read_text(&folder.join("package.json")).ok();
    let named = manifest
        .and_then(|text| serde_json::from_str::<Value>(&text).ok())
        .and_then(|manifest| Some(folder.join(manifest.get("tsconfig")?.as_str()?)));
    [named, Some(folder.join("tsconfig.json"))].into_iter().flatten().find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn project(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for (file, text) in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        (dir, root)
    }

    /// The `jsxImportSource` that a file gets, which names the config in these tests, and the configs it depends on.
    fn check(files: &[(&str, &str)], file: &str, expected: &str) {
        let (_dir, root) = project(files);
        let (options, files) = TsConfigs::new().nearest(&root.join(file), &SkippedPaths::default()).unwrap();
        let files: Vec<_> =
            files.iter().map(|file| file.as_path().strip_prefix(&root).unwrap().display().to_string()).collect();
        let source = options.jsx_import_source.unwrap_or_else(|| "none".to_owned());
        assert_eq!(format!("{source}: {}", files.join(" ")), expected);
    }

    fn named(name: &str, rest: &str) -> String {
        format!("{{ \"compilerOptions\": {{ \"jsxImportSource\": \"{name}\" }}, {rest} }}")
    }

    #[test]
    fn the_nearest_config_counts() {
        let files = [
            ("tsconfig.json", &*named("root", "")),
            ("packages/ui/tsconfig.json", "// c\n{ /* c */ \"compilerOptions\": { \"jsxImportSource\": \"ui\", }, }"),
            ("packages/js/jsconfig.json", "\u{feff}{ \"compilerOptions\": { \"jsxImportSource\": \"js\" } }"),
        ];
        let files = files.map(|(file, text)| (file, text.replace(", }", " }")));
        let files: Vec<_> = files.iter().map(|(file, text)| (*file, text.as_str())).collect();
        check(&files, "src/a.ts", "root: tsconfig.json");
        check(&files, "packages/ui/src/a.ts", "ui: packages/ui/tsconfig.json");
        check(&files, "packages/js/a.js", "js: packages/js/jsconfig.json");
        check(&files, "node_modules/p/a.ts", "none: ");
    }

    #[test]
    fn comments_and_trailing_commas_are_read() {
        let text = "// top\n{\n  /* x */ \"compilerOptions\": { \"jsxImportSource\": \"a//b\", /* y */ },\n}\n";
        check(&[("tsconfig.json", text)], "a.ts", "a//b: tsconfig.json");
        check(&[("tsconfig.json", "")], "a.ts", "none: tsconfig.json");
    }

    #[test]
    fn bases_are_merged_and_later_ones_win() {
        check(
            &[
                (
                    "tsconfig.json",
                    r#"{ "extends": ["./a", "pkg", "@scope/b/strict.json"], "compilerOptions": { "jsx": "React" } }"#,
                ),
                ("a.json", r#"{ "compilerOptions": { "jsxImportSource": "a" } }"#),
                ("node_modules/pkg/package.json", r#"{ "tsconfig": "base.json" }"#),
                ("node_modules/pkg/base.json", r#"{ "extends": "./more.json" }"#),
                ("node_modules/pkg/more.json", r#"{ "compilerOptions": { "jsxImportSource": "more" } }"#),
                ("node_modules/@scope/b/strict.json", r#"{ "compilerOptions": { "strict": true } }"#),
            ],
            "src/a.ts",
            "more: tsconfig.json a.json node_modules/pkg/base.json node_modules/pkg/more.json node_modules/@scope/b/strict.json",
        );
    }

    #[test]
    fn the_referenced_project_that_includes_the_file_counts() {
        let (app, node) =
            (named("app", r#""include": ["src"]"#), named("node", r#""include": ["vite.config.ts", "*.mts"]"#));
        let files = [
            (
                "tsconfig.json",
                r#"{ "files": [], "references": [{ "path": "./tsconfig.node.json" }, { "path": "./tsconfig.app.json" }] }"#,
            ),
            ("tsconfig.app.json", app.as_str()),
            ("tsconfig.node.json", node.as_str()),
        ];
        check(&files, "src/deep/a.tsx", "app: tsconfig.json tsconfig.app.json tsconfig.node.json");
        check(&files, "vite.config.ts", "node: tsconfig.json tsconfig.app.json tsconfig.node.json");
        check(&files, "x.mts", "node: tsconfig.json tsconfig.app.json tsconfig.node.json");
        check(&files, "elsewhere/a.ts", "none: tsconfig.json tsconfig.app.json tsconfig.node.json");
    }

    #[test]
    fn include_and_exclude_decide_who_covers() {
        let covers = |rest: &str, file: &str| {
            let (_dir, root) = project(&[("tsconfig.json", &format!("{{ {rest} }}"))]);
            Config::load(&root.join("tsconfig.json"), &mut Vec::new()).unwrap().covers(&root.join(file))
        };
        assert!(covers("", "a.ts"));
        assert!(covers(r#""include": ["src/**/*"]"#, "src/a/b.ts"));
        assert!(covers(r#""include": ["src/*"]"#, "src/a/b.ts"));
        assert!(covers(r#""include": ["src/**/*.ts", "src/**/*.tsx"]"#, "src/a.tsx"));
        assert!(!covers(r#""include": ["src/**/*.ts"]"#, "src/a.tsx"));
        assert!(!covers(r#""include": ["src"], "exclude": ["src/**/*.test.ts"]"#, "src/x/a.test.ts"));
        assert!(!covers(r#""compilerOptions": { "outDir": "dist" }"#, "dist/a.ts"));
        assert!(covers(r#""include": ["${configDir}/src"]"#, "src/a.ts"));
        assert!(covers(r#""include": ["src/[id]/**/*"]"#, "src/[id]/a.ts"));
        assert!(covers(r#""files": ["./a.ts"]"#, "a.ts"));
        assert!(!covers(r#""files": ["./a.ts"]"#, "b.ts"));
    }

    #[test]
    fn class_fields_follow_the_target() {
        let defines = |target: Option<&str>| {
            TsOptions { target: target.map(str::to_owned), ..TsOptions::default() }.defines_class_fields()
        };
        assert!(defines(None));
        assert!(defines(Some("esnext")));
        assert!(defines(Some("es2022")));
        assert!(!defines(Some("es2021")));
        assert!(!defines(Some("es6")));
        assert!(
            TsOptions {
                use_define_for_class_fields: Some(true),
                target: Some("es5".to_owned()),
                ..TsOptions::default()
            }
            .defines_class_fields()
        );
    }

    #[test]
    fn a_broken_config_is_shown_in_place_until_it_is_mended() {
        let (_dir, root) = project(&[("tsconfig.json", "{\n  // c\n  \"compilerOptions\": { \"jsx\": react }\n}")]);
        let configs = TsConfigs::new();
        let error = configs.nearest(&root.join("a.ts"), &SkippedPaths::default()).unwrap_err().diagnostic;
        assert_eq!(error.place.unwrap(), rekindle_graph::Place { line: 3, column: 31 });
        assert!(error.message.ends_with("tsconfig.json is not valid: expected value"), "{}", error.message);
        fs::write(root.join("tsconfig.json"), "{ \"compilerOptions\": { \"jsx\": \"react\" } }").unwrap();
        assert!(configs.nearest(&root.join("a.ts"), &SkippedPaths::default()).is_err());
        configs.clear();
        assert_eq!(
            configs.nearest(&root.join("a.ts"), &SkippedPaths::default()).unwrap().0.jsx.as_deref(),
            Some("react")
        );
    }

    #[test]
    fn bases_that_are_missing_or_circular_are_told() {
        let message = |text: &str| {
            let (_dir, root) = project(&[("tsconfig.json", text), ("b.json", r#"{ "extends": "./tsconfig.json" }"#)]);
            TsConfigs::new().nearest(&root.join("a.ts"), &SkippedPaths::default()).unwrap_err().diagnostic.message
        };
        assert_eq!(message(r#"{ "extends": "@no/where" }"#), "cannot find the base config `@no/where`");
        assert_eq!(message(r#"{ "extends": "./b.json" }"#), "the config extends itself through `./tsconfig.json`");
    }
}
