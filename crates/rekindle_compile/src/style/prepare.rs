//! What happens to a style before lightningcss sees it: its language is compiled, and the project's own tools run.
//!
//! ```text
//! .scss .sass   → grass, or the project's sass where that does not suffice        ┐   Tailwind CSS 4      PostCSS
//! .less .styl   → the project's less and stylus                                   ├─► if the project   ─► if there is
//! .css .pcss    → as they are                                                     ┘   uses its plugin     a configuration
//! ```
//!
//! Plain CSS in a project without such tools passes untouched.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use globset::{GlobBuilder, GlobMatcher};
use lightningcss::targets::Browsers;
use rekindle_graph::diagnostic::code_frame;
use rekindle_graph::{Diagnostic, FilePath, Place};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json};

use super::settings::{PostcssSetting, PreprocessorOptions, StyleOptions, StyleSettings};
use super::sheet::StyleError;
use super::targets;
use worker::{JobResult, ResolveStyle, ToolError, Worker, WorkerError};

mod sass;
mod worker;
use crate::files::file;
use crate::files::left_out::SkippedPaths;
use crate::project::VITE_CONFIGS;

const POSTCSS_CONFIGS: [&str; 15] = [
    ".postcssrc",
    ".postcssrc.json",
    ".postcssrc.yaml",
    ".postcssrc.yml",
    ".postcssrc.js",
    ".postcssrc.mjs",
    ".postcssrc.cjs",
    ".postcssrc.ts",
    "postcss.config.js",
    "postcss.config.mjs",
    "postcss.config.cjs",
    "postcss.config.ts",
    "postcss.config.mts",
    "postcss.config.cts",
    "postcss.config.json",
];

/// Whether a file decides how styles are compiled, besides package.json.
pub fn is_style_setup(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    POSTCSS_CONFIGS.contains(&&*name) || name == ".browserslistrc" || name == "browserslist"
}

/// Settings and tools of a project's styles. Shared by all compiling threads.
pub struct StyleTools {
    root: PathBuf,
    mode: String,
    settings: StyleSettings,
    /// What was found on the disk; looked for again after it may have changed.
    found: RwLock<Option<Arc<ProjectTools>>>,
    worker: Worker,
    /// For each stylesheet the folders whose files go into it.
    scans: RwLock<FxHashMap<PathBuf, Vec<Scan>>>,
    warnings: Mutex<Warnings>,
}

/// The tools that a project has.
#[derive(Debug, Default)]
struct ProjectTools {
    postcss: Option<PathBuf>,
    tailwind: bool,
    /// The project depends on Sass itself.
    sass: bool,
    targets: Option<Browsers>,
    problem: Option<Diagnostic>,
    /// Files that say all this.
    files: Vec<PathBuf>,
}

#[derive(Debug)]
struct Scan {
    base: PathBuf,
    /// The base, and folders below it with files that were looked at: their listing matters.
    folders: Vec<PathBuf>,
    matcher: Option<GlobMatcher>,
}

/// Warnings by the stylesheet that had them, and those that nobody has read yet.
#[derive(Debug, Default)]
struct Warnings {
    by_file: FxHashMap<PathBuf, Vec<Diagnostic>>,
    unread: Vec<Diagnostic>,
}

/// How styles resolve what they import.
pub(crate) struct StyleContext<'a> {
    /// Where odd things are noted that stand where files of the tools are looked for.
    pub left_out: &'a SkippedPaths,
    pub display: &'a dyn Fn(&Path) -> String,
    pub resolve: &'a ResolveStyle<'a>,
}

/// A style as CSS.
#[derive(Debug, Default)]
pub(crate) struct PreparedSheet {
    pub css: String,
    /// Other files that went into it.
    pub files: Vec<PathBuf>,
    /// It is not what the user wrote: positions in it mean nothing to them.
    pub is_generated: bool,
    pub warnings: Vec<Diagnostic>,
    scans: Vec<Scan>,
}

impl StyleTools {
    pub fn new(root: &Path, mode: &str, settings: StyleSettings) -> Self {
        Self {
            root: root.to_owned(),
            mode: mode.to_owned(),
            settings,
            found: RwLock::default(),
            worker: Worker::new(root),
            scans: RwLock::default(),
            warnings: Mutex::default(),
        }
    }

    /// Forgets what was found on the disk.
    pub fn clear(&self) {
        *self.found.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// How CSS is to be printed.
    pub(crate) fn options(&self, left_out: &SkippedPaths) -> StyleOptions {
        StyleOptions {
            modules: self.settings.modules.clone(),
            targets: self.found(left_out).targets,
            source_map: self.settings.dev_sourcemap,
        }
    }

    /// Stylesheets into which a file goes that is not known to yet: a new component with new classes.
    pub fn scanning(&self, file: &Path) -> Vec<PathBuf> {
        let scans = self.scans.read().unwrap_or_else(PoisonError::into_inner);
        let concerns = |scan: &Scan| {
            let below = file.strip_prefix(&scan.base);
            below.is_ok_and(|below| scan.matcher.as_ref().is_none_or(|matcher| matcher.is_match(below)))
        };
        scans.iter().filter(|(_, scans)| scans.iter().any(concerns)).map(|(sheet, _)| sheet.clone()).collect()
    }

    /// Whether some stylesheet looks for class names in this folder.
    pub fn scans(&self, folder: &Path) -> bool {
        let scans = self.scans.read().unwrap_or_else(PoisonError::into_inner);
        scans.values().flatten().any(|scan| folder.starts_with(&scan.base))
    }

    /// Folders whose listing matters to a stylesheet.
    pub(crate) fn scanned_folders(&self, sheet: &Path) -> Vec<PathBuf> {
        let scans = self.scans.read().unwrap_or_else(PoisonError::into_inner);
        scans.get(sheet).into_iter().flatten().flat_map(|scan| scan.folders.iter().cloned()).collect()
    }

    /// Notes what a stylesheet is warned of now; what was said of it before is not said again.
    pub(crate) fn warn(&self, file: &Path, warnings: Vec<Diagnostic>) {
        let mut known = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.is_empty() && known.by_file.is_empty() {
            return;
        }
        let before = known.by_file.insert(file.to_owned(), warnings.clone()).unwrap_or_default();
        for warning in warnings {
            // An edit elsewhere in the file moves it.
            let is_same = |other: &Diagnostic| other.message == warning.message && other.file == warning.file;
            if !before.iter().any(is_same) && !known.unread.contains(&warning) {
                known.unread.push(warning);
            }
        }
    }

    /// Warnings that were not taken before, and lines that tools printed.
    pub fn take_warnings(&self) -> (Vec<Diagnostic>, Vec<String>) {
        let warnings = std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner).unread);
        (warnings, self.worker.take_notes())
    }

    /// The CSS of a style.
    pub(crate) fn prepare(
        &self,
        file: &Path,
        source: &str,
        cx: &StyleContext<'_>,
    ) -> Result<PreparedSheet, StyleError> {
        let found = self.found(cx.left_out);
        let language = extension(file);
        let mut style = Preparation { tools: self, file, source, cx, prepared: PreparedSheet::default() };
        style.prepared.warnings.extend(found.problem.clone());
        style.prepared.files.extend(found.files.iter().cloned());
        let result = match language.as_str() {
            "scss" | "sass" => style.sass(&language, found.sass),
            "less" => style.external("less", "Less", &language),
            "styl" | "stylus" => style.external("stylus", "Stylus", &language),
            _ => {
                style.prepared.css = source.to_owned();
                Ok(())
            }
        };
        if !found.tailwind && found.postcss.is_none() && wants_tailwind(source) {
            let warning = Diagnostic::error("this is written for Tailwind CSS, and nothing in the project compiles it")
                .in_file((cx.display)(file))
                .with_help("npm install -D @tailwindcss/vite, or a PostCSS configuration with @tailwindcss/postcss");
            style.prepared.warnings.push(warning);
        }
        let result = result.and_then(|()| {
            if found.tailwind && mentions_tailwind(&style.prepared.css) { style.tailwind() } else { Ok(()) }
        });
        let result = result.and_then(|()| match (&found.postcss, language.as_str()) {
            (Some(config), _) => style.postcss(Some(config)),
            (None, "sss") => style.postcss(None),
            _ => Ok(()),
        });
        let mut prepared = style.prepared;
        let mut scans = self.scans.write().unwrap_or_else(PoisonError::into_inner);
        if !prepared.scans.is_empty() {
            scans.insert(file.to_owned(), std::mem::take(&mut prepared.scans));
        } else if result.is_ok() {
            scans.remove(file);
        }
        let files = |files: Vec<PathBuf>| files.into_iter().map(FilePath::new).collect();
        match result {
            Ok(()) => Ok(prepared),
            Err(diagnostic) => Err(StyleError { diagnostics: vec![*diagnostic], files: files(prepared.files) }),
        }
    }

    fn found(&self, left_out: &SkippedPaths) -> Arc<ProjectTools> {
        if let Some(found) = &*self.found.read().unwrap_or_else(PoisonError::into_inner) {
            return Arc::clone(found);
        }
        let found = Arc::new(self.look(left_out));
        *self.found.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&found));
        found
    }

    fn look(&self, left_out: &SkippedPaths) -> ProjectTools {
        let folders = folders_of(&self.root);
        let postcss = match &self.settings.postcss {
            PostcssSetting::Search => folders.iter().find_map(|folder| postcss_config(folder, left_out)),
            PostcssSetting::Folder(folder) => postcss_config(folder, left_out),
            PostcssSetting::Off => None,
        };
        let depends = |name: &str| folders.iter().any(|folder| depends_on(folder, name));
        let mut files: Vec<PathBuf> =
            folders.iter().map(|folder| folder.join("package.json")).filter(|path| path.is_file()).collect();
        files.extend(postcss.clone());
        let (targets, problem) = match targets::queries(&folders, &self.mode, left_out) {
            Some((file, queries)) => {
                let browsers = targets::browsers(&queries, &file);
                files.push(file);
                match browsers {
                    Ok(targets) => (targets, None),
                    Err(problem) => (None, Some(problem)),
                }
            }
            None => (None, None),
        };
        let config = vite_config(&self.root).filter(|(_, text)| text.contains("@tailwindcss/vite"));
        let tailwind = depends("@tailwindcss/vite") || config.is_some();
        files.extend(config.map(|(file, _)| file));
        ProjectTools { postcss, tailwind, sass: depends("sass-embedded") || depends("sass"), targets, problem, files }
    }
}

/// One style on its way.
struct Preparation<'a> {
    tools: &'a StyleTools,
    file: &'a Path,
    source: &'a str,
    cx: &'a StyleContext<'a>,
    prepared: PreparedSheet,
}

type Step = Result<(), Box<Diagnostic>>;

impl Preparation<'_> {
    fn options(&self, language: &str) -> PreprocessorOptions {
        let all = &self.tools.settings.preprocessor_options;
        let also = if language == "styl" { "stylus" } else { "styl" };
        let found = all.get(language).or_else(|| language.starts_with("styl").then(|| all.get(also))?);
        found.cloned().unwrap_or_default()
    }

    fn sass(&mut self, language: &str, has_package: bool) -> Step {
        let options = self.options(language);
        let resolve = |specifier: &str, from: &Path| (self.cx.resolve)("sass", specifier, from);
        let input = sass::SassInput {
            file: self.file,
            source: self.source,
            additional_data: &options.additional_data,
            places: sass::SassPlaces { load_paths: &options.load_paths, resolve: &resolve },
            display: self.cx.display,
        };
        self.prepared.is_generated = true;
        match sass::compile_sass(&input) {
            Ok(output) => {
                self.prepared.css = output.css;
                self.prepared.files.extend(output.files);
                self.prepared.warnings.extend(output.warnings);
                Ok(())
            }
            Err(failure) if has_package => {
                self.prepared.files.extend(failure.files);
                self.compile_with("sass", &options)
            }
            Err(failure) => {
                self.prepared.files.extend(failure.files);
                Err(failure.diagnostic)
            }
        }
    }

    /// A language whose compiler is an npm package of the project.
    fn external(&mut self, package: &str, name: &str, language: &str) -> Step {
        let options = self.options(language);
        self.prepared.is_generated = true;
        self.compile_with(package, &options).map_err(|mut diagnostic| {
            if diagnostic.message.starts_with("the package") {
                diagnostic.message = format!("{name} files need the package `{package}`, which is not installed");
                let help = format!("npm install -D {package}, or compile the file to CSS beforehand");
                diagnostic.help = Some(help);
            }
            diagnostic
        })
    }

    fn compile_with(&mut self, tool: &str, options: &PreprocessorOptions) -> Step {
        let job = json!({
            "css": format!("{}{}", options.additional_data, self.source),
            "loadPaths": options.load_paths,
            "options": options.others,
        });
        let cx = self.cx;
        let in_sass = |specifier: &str, from: &Path| (cx.resolve)("sass", specifier, from);
        let places = sass::SassPlaces { load_paths: &options.load_paths, resolve: &in_sass };
        let earlier = RefCell::new(Vec::new());
        let find = |specifier: &str, is_import: bool, from: &Path| {
            let found = sass::find(specifier, is_import, from, &places)?;
            earlier.borrow_mut().extend(sass::earlier(specifier, is_import, from, &places, &found));
            Some(found)
        };
        let resolve = |language: &str, specifier: &str, from: &Path| match language {
            "sass" => find(specifier, false, from),
            "sass-import" => find(specifier, true, from),
            _ => (cx.resolve)(language, specifier, from),
        };
        let done = self.ask(tool, job, &resolve)?;
        self.prepared.files.extend(earlier.take());
        let css = self.take(done, &options.additional_data, &options.load_paths)?;
        self.prepared.css = css.unwrap_or_default();
        Ok(())
    }

    fn tailwind(&mut self) -> Step {
        let job = json!({ "css": self.prepared.css });
        if let Some(css) = self.run("tailwind", job)? {
            self.prepared.css = css;
            self.prepared.is_generated = true;
        }
        Ok(())
    }

    fn postcss(&mut self, config: Option<&Path>) -> Step {
        let job = json!({ "css": self.prepared.css, "config": config, "mode": self.tools.mode });
        if let Some(css) = self.run("postcss", job)? {
            self.prepared.css = css;
            self.prepared.is_generated = true;
        }
        Ok(())
    }

    fn run(&mut self, tool: &str, job: Value) -> Result<Option<String>, Box<Diagnostic>> {
        let done = self.ask(tool, job, self.cx.resolve)?;
        self.take(done, "", &[])
    }

    fn ask(&self, tool: &str, mut job: Value, resolve: &ResolveStyle<'_>) -> Result<JobResult, Box<Diagnostic>> {
        job["tool"] = tool.into();
        job["file"] = self.file.to_string_lossy().into();
        self.tools.worker.ask(job, resolve).map_err(|error| Box::new(self.no_answer(tool, &error)))
    }

    /// Takes what a tool has found; its CSS, if it gives any. `hidden` stood before the source.
    fn take(
        &mut self,
        done: JobResult,
        hidden: &str,
        load_paths: &[PathBuf],
    ) -> Result<Option<String>, Box<Diagnostic>> {
        let JobResult { css, error, files, scans, warnings } = done;
        let warnings: Vec<Diagnostic> = warnings.iter().map(|warning| self.explain(warning, hidden)).collect();
        self.prepared.warnings.extend(warnings);
        self.prepared.scans.extend(scans.into_iter().map(|scan| {
            let glob = GlobBuilder::new(&scan.pattern).literal_separator(true).build();
            let matcher = glob.ok().map(|glob| glob.compile_matcher());
            Scan { folders: folders_with(&files, &scan.base), base: scan.base, matcher }
        }));
        self.prepared.files.extend(files);
        let Some(error) = error else { return Ok(css) };
        let mut diagnostic = self.explain(&error, hidden);
        if let Some(rule) = &error.rule {
            let file = diagnostic.file.clone().unwrap_or_default();
            let sass::NotFound { message, help } = sass::not_found(rule, &file, load_paths, self.cx.display);
            diagnostic.message = message;
            diagnostic.help = Some(help);
            diagnostic.is_missing = true;
        }
        Err(Box::new(diagnostic))
    }

    /// A tool's error as a diagnostic, with the frame of the file it names.
    fn explain(&self, error: &ToolError, hidden: &str) -> Diagnostic {
        let message = error.message.trim().lines().next().unwrap_or_default().trim_end_matches('.');
        let message = match &error.plugin {
            Some(plugin) if !message.starts_with(plugin.as_str()) => format!("{plugin}: {message}"),
            _ => message.to_owned(),
        };
        let mut diagnostic = Diagnostic::error(message);
        // In these words Sass, Less and Stylus say that an imported file is not there.
        let is_missing = ["find stylesheet", "wasn't found", "failed to locate"];
        diagnostic.is_missing = is_missing.iter().any(|words| error.message.contains(words));
        if let Some(package) = &error.missing {
            // That one comes with the integration, which package.json names.
            let is_promised = package.starts_with("@tailwindcss/");
            let what = if is_promised { "npm install".to_owned() } else { format!("npm install -D {package}") };
            diagnostic = diagnostic.with_help(what);
        }
        let file = error.file.as_deref().filter(|file| file.is_absolute()).unwrap_or(self.file);
        diagnostic = diagnostic.in_file((self.cx.display)(file));
        let Some(line) = error.line.filter(|line| *line > 0) else { return diagnostic };
        let own = file == self.file;
        let text = if own { self.source.to_owned() } else { file::read_text(file).unwrap_or_default() };
        let hidden = if own { hidden.matches('\n').count() as u32 } else { 0 };
        // What came out of a language's compiler has no lines that the user knows.
        let is_foreign = own && self.prepared.is_generated && error.plugin.is_some();
        let Some(line) = line.checked_sub(hidden).filter(|line| *line > 0 && !is_foreign) else { return diagnostic };
        let place = Place { line, column: error.column.unwrap_or(1).max(1) };
        diagnostic.frame = Some(code_frame(&text, place, "")).filter(|frame| !frame.is_empty());
        diagnostic.place = Some(place);
        diagnostic
    }

    fn no_answer(&self, tool: &str, error: &WorkerError) -> Diagnostic {
        let name = match tool {
            "postcss" => "PostCSS",
            "tailwind" => "Tailwind CSS",
            "less" => "Less",
            "stylus" => "Stylus",
            _ => "Sass",
        };
        let diagnostic = match error {
            WorkerError::NoNode(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Diagnostic::error(format!("{name} needs Node, but there is no program `node`"))
                    .with_help("install Node 20 or newer, or compile the styles to CSS beforehand")
            }
            WorkerError::NoNode(error) => {
                Diagnostic::error(format!("{name} needs Node, which cannot be started: {error}"))
            }
            WorkerError::Ended => Diagnostic::error(format!("the process that runs {name} has ended twice"))
                .with_help("its output is in the terminal; the next save tries again"),
            WorkerError::TooSlow => Diagnostic::error(format!("{name} did not finish within a minute"))
                .with_help("a plugin may hang; the next save tries again"),
        };
        diagnostic.in_file((self.cx.display)(self.file))
    }
}

/// `base` and all folders between it and those of `files` that lie below.
fn folders_with(files: &[PathBuf], base: &Path) -> Vec<PathBuf> {
    let mut folders = vec![base];
    for file in files.iter().filter(|file| file.starts_with(base)) {
        folders.extend(file.ancestors().skip(1).take_while(|folder| folder.starts_with(base)));
    }
    folders.sort_unstable();
    folders.dedup();
    folders.into_iter().map(Path::to_owned).collect()
}

fn extension(file: &Path) -> String {
    file.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase()
}

/// Words that mean something to Tailwind. A sheet without any is left alone.
fn mentions_tailwind(css: &str) -> bool {
    const RULES: [&str; 11] = [
        "@import",
        "@tailwind",
        "@apply",
        "@theme",
        "@utility",
        "@variant",
        "@custom-variant",
        "@plugin",
        "@config",
        "@reference",
        "@source",
    ];
    let has_rule = || css.match_indices('@').any(|(at, _)| RULES.iter().any(|rule| css[at..].starts_with(rule)));
    has_rule() || ["theme(", "--spacing(", "--alpha("].iter().any(|name| css.contains(name))
}

fn wants_tailwind(css: &str) -> bool {
    css.contains("@tailwind ") || css.contains("@import \"tailwindcss") || css.contains("@import 'tailwindcss")
}

/// The project folder, and those above it up to the workspace's: nearest first.
fn folders_of(root: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    let walk = root.ancestors().try_for_each(|folder| {
        folders.push(folder.to_owned());
        let is_top = ["pnpm-workspace.yaml", "lerna.json", ".git"].iter().any(|name| folder.join(name).exists())
            || package(folder).is_some_and(|package| package.contains_key("workspaces"));
        if is_top { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    if walk.is_continue() {
        // No workspace: up to the nearest package.
        let nearest = folders.iter().position(|folder| folder.join("package.json").is_file()).unwrap_or(0);
        folders.truncate(nearest + 1);
    }
    folders
}

fn package(folder: &Path) -> Option<Map<String, Value>> {
    serde_json::from_str(&file::read_text(&folder.join("package.json")).ok()?).ok()
}

fn depends_on(folder: &Path, name: &str) -> bool {
    let Some(package) = package(folder) else { return false };
    ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"]
        .iter()
        .any(|list| package.get(*list).and_then(|list| list.get(name)).is_some())
}

fn vite_config(root: &Path) -> Option<(PathBuf, String)> {
    let files = VITE_CONFIGS.iter().map(|name| root.join(name));
    files.into_iter().find_map(|file| file::read_text(&file).ok().map(|text| (file, text)))
}

fn postcss_config(folder: &Path, left_out: &SkippedPaths) -> Option<PathBuf> {
    let mut files = POSTCSS_CONFIGS.iter().map(|name| folder.join(name));
    let file = files.find(|path| !left_out.note(path) && path.is_file());
    file.or_else(|| package(folder)?.contains_key("postcss").then(|| folder.join("package.json")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sheets_with_words_of_tailwind_are_given_to_it() {
        assert!(mentions_tailwind("a { @apply p-3 }") && mentions_tailwind("a { b: --spacing(2) }"));
        assert!(!mentions_tailwind("@media print { a { b: c } } @font-face { src: url(x) }"));
    }

    #[test]
    fn tools_are_looked_for_up_to_the_workspace() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let app = root.join("packages/app");
        std::fs::create_dir_all(&app).unwrap();
        std::fs::write(app.join("package.json"), "{}").unwrap();
        assert_eq!(folders_of(&app), std::slice::from_ref(&app));
        std::fs::write(root.join("package.json"), r#"{"workspaces":["packages/*"],"postcss":{}}"#).unwrap();
        assert_eq!(folders_of(&app), [app.clone(), root.join("packages"), root.clone()]);
        let tools = StyleTools::new(&app, "development", StyleSettings::default());
        assert_eq!(tools.look(&SkippedPaths::default()).postcss, Some(root.join("package.json")));
        let off = StyleSettings { postcss: PostcssSetting::Off, ..StyleSettings::default() };
        assert_eq!(StyleTools::new(&app, "development", off).look(&SkippedPaths::default()).postcss, None);
    }

    #[test]
    fn a_warning_is_new_once() {
        let tools = StyleTools::new(Path::new("/"), "development", StyleSettings::default());
        let warn = |messages: &[&str]| {
            tools.warn(Path::new("/a.css"), messages.iter().map(|message| Diagnostic::error(*message)).collect());
            tools.take_warnings().0.len()
        };
        assert_eq!([warn(&["x"]), warn(&["x"]), warn(&["x", "y"]), warn(&[]), warn(&["x"])], [1, 0, 1, 0, 1]);
    }
}
