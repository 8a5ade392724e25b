//! One file → one definition, whatever its kind: script, stylesheet, JSON, asset.
//!
//! ```text
//! /src/app.tsx          → the module, wrapped          /data.json         → default and named exports
//! /app.css              → puts its text on the page    /logo.svg          → its address
//! /box.module.css       → class names                  /note.txt?raw      → its text
//! ```

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::RwLock;
use std::time::Duration;

use rekindle_graph::{Definition, Dep, DepKind, Diagnostic, EnvReads, FilePath, Link, ModuleUrl};

use crate::cache::DefinitionCache;
use crate::defines::Defines;
use crate::resolve::{self, Resolved, Resolver, Unresolved};
use crate::resolve_settings::ResolveSettings;
use crate::script::{ScriptInput, compile_script};
use crate::style::{StyleInput, StyleOutput, compile_style, placeholder};
use crate::tsconfig::{TsConfigs, TsOptions};
use crate::{glob, helpers, json, secrets};

/// Everything that compiling needs besides a file: the project's facts, shared by all threads.
pub struct Compiler {
    root: PathBuf,
    base: String,
    pub resolver: Resolver,
    defines: Defines,
    /// Where JSX functions come from if no tsconfig says so.
    jsx_import_source: Option<String>,
    tsconfigs: TsConfigs,
    cache: DefinitionCache,
    /// How often an asset's content was seen to change: its address carries that, so that browsers fetch it anew.
    asset_versions: RwLock<HashMap<PathBuf, u32>>,
}

/// Where the source of a module comes from.
#[derive(Clone, Debug)]
pub enum Source {
    File,
    /// A script written into a page: its text at the line and column where it stands there.
    Inline(String),
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
}

const SCRIPTS: [&str; 8] = ["js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx"];
/// Kinds of files that need a tool which is not there (yet).
const UNSUPPORTED: [(&str, &str); 10] = [
    ("pcss", "PostCSS"),
    ("sss", "SugarSS"),
    ("wasm", "WebAssembly"),
    ("scss", "Sass"),
    ("sass", "Sass"),
    ("less", "Less"),
    ("styl", "Stylus"),
    ("vue", "Vue"),
    ("svelte", "Svelte"),
    ("astro", "Astro"),
];
/// How often, and how far apart, a file that is being written is read again; and how long ago a save counts as new.
const READS: u32 = 20;
const BETWEEN_READS: Duration = Duration::from_millis(4);
const FRESH: Duration = Duration::from_millis(100);
/// Assets up to this size are hashed by content, larger ones by size and time.
const LARGEST_HASHED: u64 = 16 << 20;

impl Compiler {
    pub fn new(root: &Path, public_dir: Option<&Path>, base: &str) -> Self {
        Self {
            root: root.to_owned(),
            base: base.to_owned(),
            resolver: Resolver::new(root, public_dir, base, &ResolveSettings::default()),
            defines: Defines::default(),
            jsx_import_source: None,
            tsconfigs: TsConfigs::new(),
            cache: DefinitionCache::default(),
            asset_versions: RwLock::default(),
        }
    }

    /// What the settings say about specifiers.
    pub fn with_resolve(mut self, public_dir: Option<&Path>, settings: &ResolveSettings) -> Self {
        self.resolver = Resolver::new(&self.root, public_dir, &self.base, settings);
        self
    }

    /// Constants of the settings, and where JSX functions come from where no tsconfig says so.
    pub fn with_constants(mut self, defines: Defines, jsx_import_source: Option<String>) -> Self {
        self.defines = defines;
        self.jsx_import_source = jsx_import_source;
        self
    }

    /// Forgets what was seen of tsconfig files and of the disk's listing.
    pub fn clear(&self) {
        self.resolver.clear();
        self.tsconfigs.clear();
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
            Ok(definition) => self.link(definition, file, source),
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
        if is_compiled_as_script(url, source) {
            return self.script(url, file, source, files);
        }
        let query = Query::of(url.query());
        let extension = extension(url.path());
        match query {
            Query::Worker => Err(vec![
                Diagnostic::error("workers are not supported yet")
                    .in_file(self.display(file.as_path()))
                    .with_help("until they are, build the worker beforehand and put it in public/"),
            ]),
            Query::Raw => self.raw(file),
            Query::Bytes => self.bytes(file),
            Query::Url => self.asset(file),
            Query::Inline if extension == "css" => self.style(url, file, files),
            Query::Inline => self.data_url(file),
            Query::Other if extension == "json" => self.json(file),
            Query::Other if extension == "css" => self.style(url, file, files),
            Query::Other => match UNSUPPORTED.iter().find(|(known, _)| *known == extension) {
                Some((_, tool)) => Err(vec![
                    Diagnostic::error(format!("{tool} files are not supported yet"))
                        .in_file(self.display(file.as_path()))
                        .with_help(unsupported_help(tool)),
                ]),
                None => self.asset(file),
            },
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
        let (options, read) = self.script_options(url, file)?;
        files.extend(read);
        let hash = self.script_digest(&text, url, &options);
        if let Some(mut known) = self.cache.get(&hash) {
            known.files.clone_from(files);
            return Ok(known);
        }
        let display = self.display(file.as_path());
        let output = compile_script(&self.script_input(&text, url, &display, &options, file))?;
        let definition = output.into_definition(hash, files.clone());
        self.cache.keep(&definition);
        Ok(definition)
    }

    fn script_text(&self, url: &ModuleUrl, file: &FilePath, source: &Source) -> Result<String, Vec<Diagnostic>> {
        match (helpers::source(url.as_str()), source) {
            (Some(helper), _) => Ok(helper.to_owned()),
            (None, Source::Inline(text)) => Ok(text.clone()),
            (None, Source::File) => self.read_text(file),
        }
    }

    /// What tsconfig.json says about a script, and the files that say it.
    fn script_options(&self, url: &ModuleUrl, file: &FilePath) -> Result<(TsOptions, Vec<FilePath>), Vec<Diagnostic>> {
        let (mut options, files) = match extension(url.path()).as_str() {
            "ts" | "mts" | "cts" | "tsx" | "jsx" => {
                self.tsconfigs.nearest(file.as_path()).map_err(|error| vec![error])?
            }
            _ => Default::default(),
        };
        if options.jsx_import_source.is_none() {
            options.jsx_import_source.clone_from(&self.jsx_import_source);
        }
        Ok((options, files))
    }

    fn script_input<'a>(
        &'a self,
        text: &'a str,
        url: &'a ModuleUrl,
        display: &'a str,
        options: &'a TsOptions,
        file: &FilePath,
    ) -> ScriptInput<'a> {
        let may_be_commonjs = may_be_commonjs(file.as_path());
        let defines = &self.defines;
        ScriptInput { source: text, url: url.as_str(), display, options, defines, may_be_commonjs, source_map: false }
    }

    /// Equal digests compile to the same text.
    fn script_digest(&self, text: &str, url: &ModuleUrl, options: &TsOptions) -> std::sync::Arc<str> {
        let options = format!("{options:?}{}", self.defines.digest_of(text));
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
        use base64::Engine;
        let bytes = self.read(file)?;
        let mime = mime_guess::from_path(file.as_path()).first_or_octet_stream();
        let url = format!("data:{mime};base64,{}", base64::engine::general_purpose::STANDARD.encode(&bytes));
        Ok(plain(default_export(&quoted(&url)), vec!["default".into()], &url))
    }

    fn asset(&self, file: &FilePath) -> Result<Definition, Vec<Diagnostic>> {
        // The content is not in the definition; its digest is, so that an edit counts as one.
        let content = self.asset_digest(file)?;
        let code = "{deps:[\"\"],names:[]},function*($x,$m,$r){$x({default:()=>$a});yield;\nvar $a=$r.asset(0);\n}";
        let dep = Dep { specifier: String::new(), kind: DepKind::Asset, span: (0, 0), attribute: None };
        let mut definition = plain(code.to_owned(), vec!["default".into()], &content);
        definition.deps = vec![dep];
        Ok(definition)
    }

    /// Digest of an asset's content.
    pub fn asset_digest(&self, file: &FilePath) -> Result<String, Vec<Diagnostic>> {
        let meta = std::fs::metadata(file).map_err(|error| vec![self.unreadable(file, &error)])?;
        if meta.len() <= LARGEST_HASHED {
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
        let source = self.read_text(file)?;
        let inline = Query::of(url.query()) == Query::Inline;
        let modules = url.path().ends_with(".module.css") && !inline;
        let output = self.compile_css(file, &source, modules, files)?;
        let kind = match () {
            _ if is_linked(url) => StyleUse::Link,
            _ if inline => StyleUse::Text,
            _ if url.query().split('&').any(|part| part == "sheet") => StyleUse::Sheet,
            _ => StyleUse::Page,
        };
        let mut definition = style_definition(&output, kind);
        definition.files = files.clone();
        Ok(definition)
    }

    fn compile_css(
        &self,
        file: &FilePath,
        source: &str,
        modules: bool,
        files: &mut Vec<FilePath>,
    ) -> Result<StyleOutput, Vec<Diagnostic>> {
        let resolve = |specifier: &str, from: &Path| self.resolve_css(specifier, from);
        let read = |path: &Path| std::fs::read_to_string(path);
        let display = |path: &Path| self.display(path);
        let input =
            StyleInput { file: file.as_path(), source, modules, display: &display, resolve: &resolve, read: &read };
        match compile_style(&input) {
            Ok(output) => {
                files.extend(output.files.iter().cloned());
                Ok(output)
            }
            Err(error) => {
                files.extend(error.files);
                Err(error.diagnostics)
            }
        }
    }

    fn resolve_css(&self, specifier: &str, from: &Path) -> Option<PathBuf> {
        let relative = from.parent()?.join(specifier);
        if !specifier.starts_with('/') && relative.is_file() {
            return relative.canonicalize().ok();
        }
        match self.resolver.resolve(from, specifier, DepKind::Static).ok()? {
            Resolved::File { path, .. } => Some(path.as_path().to_owned()),
            _ => None,
        }
    }

    // ---- links

    /// What the specifiers of a definition mean now.
    pub fn link(&self, definition: &Definition, file: &FilePath, source: &Source) -> Links {
        let mut links = Links::default();
        for dep in &definition.deps {
            let link = self.link_dep(dep, file, source, &mut links);
            links.links.push(link);
        }
        for call in &definition.globs {
            let found = glob::expand(call, file.as_path(), &self.root);
            links.folders.extend(found.folders);
            let entries = found.entries.into_iter().filter(|(_, path)| !secrets::holds_secrets(path, &self.root));
            let entries = entries.map(|(key, path)| {
                let path = path.canonicalize().unwrap_or(path);
                let url = self.resolver.url_of(
                    &path,
                    Some(&call.query).map(|query| query.trim_start_matches('?')).filter(|query| !query.is_empty()),
                );
                links.files.push((url.clone(), FilePath::new(path)));
                (key, url)
            });
            let entries = entries.collect();
            links.globs.push(entries);
            if let Err(message) = glob::check(call) {
                links.errors.push(self.at(Diagnostic::error(message), file, source, call.span));
            }
        }
        links
    }

    fn link_dep(&self, dep: &Dep, file: &FilePath, source: &Source, links: &mut Links) -> Link {
        if dep.kind == DepKind::Asset && dep.specifier.is_empty() {
            return self.asset_link(file.clone(), links);
        }
        match self.resolver.resolve(file.as_path(), &dep.specifier, dep.kind) {
            Ok(Resolved::Address(address)) => Link::Address(address),
            Ok(Resolved::Helper(url)) => {
                links.files.push((url.clone(), FilePath::new(url.as_str())));
                Link::Module(url)
            }
            Ok(Resolved::File { path, .. }) if secrets::holds_secrets(path.as_path(), &self.root) => {
                let message = format!("`{}` looks like a file with secrets, so it is never served", dep.specifier);
                let help = "give what the page needs a file of its own, or a variable with the prefix VITE_".to_owned();
                let unresolved = Unresolved { message, help: Some(help), folders: Vec::new() };
                self.note_missing(dep, file, source, unresolved, links);
                Link::Missing
            }
            Ok(Resolved::File { path, .. }) if dep.kind == DepKind::Asset => self.asset_link(path, links),
            Ok(Resolved::File { path, url }) => {
                let url = resolve::with_attribute(&url, dep);
                links.files.push((url.clone(), path));
                Link::Module(url)
            }
            Err(unresolved) => {
                self.note_missing(dep, file, source, unresolved, links);
                Link::Missing
            }
        }
    }

    fn note_missing(&self, dep: &Dep, file: &FilePath, source: &Source, unresolved: Unresolved, links: &mut Links) {
        links.folders.extend(unresolved.folders);
        // What may never be asked for fails when it is.
        let fatal = matches!(dep.kind, DepKind::Static | DepKind::Accept);
        if !fatal {
            return;
        }
        let mut diagnostic = Diagnostic::error(unresolved.message);
        if let Some(help) = unresolved.help {
            diagnostic = diagnostic.with_help(help);
        }
        links.errors.push(self.at(diagnostic, file, source, dep.span));
    }

    fn at(&self, diagnostic: Diagnostic, file: &FilePath, source: &Source, span: (u32, u32)) -> Diagnostic {
        let diagnostic = diagnostic.in_file(self.display(file.as_path()));
        let text = match source {
            Source::File => self.read_text(file).unwrap_or_default(),
            Source::Inline(text) => text.clone(),
        };
        let (start, end) = (span.0 as usize, span.1 as usize);
        match end > start && start < text.len() {
            true => diagnostic.at(&text, start, end - start),
            false => diagnostic,
        }
    }

    fn asset_link(&self, file: FilePath, links: &mut Links) -> Link {
        let address = self.asset_address(&file);
        links.assets.push((self.resolver.url_of(file.as_path(), None).as_str().to_owned(), file));
        Link::Address(address)
    }

    /// The address of an asset: its path, and once it was edited a number that changes with it.
    pub fn asset_address(&self, file: &FilePath) -> String {
        let address = self.address_of(self.resolver.url_of(file.as_path(), None).as_str());
        let versions = self.asset_versions.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        match versions.get(file.as_path()) {
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
        let mut versions = self.asset_versions.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        *versions.entry(file.to_owned()).or_default() += 1;
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
        let (options, _) = self.script_options(url, file).ok()?;
        if *self.script_digest(&text, url, &options) != *hash {
            return None;
        }
        let input = self.script_input(&text, url, url.as_str(), &options, file);
        compile_script(&ScriptInput { source_map: true, ..input }).ok()?.map
    }

    // ---- reading

    /// Reads a file until it holds still: a save that is under way must not be published half or empty.
    fn read(&self, file: &FilePath) -> Result<Vec<u8>, Vec<Diagnostic>> {
        let unreadable = |error: std::io::Error| vec![self.unreadable(file, &error)];
        for _ in 0..READS {
            let before = std::fs::metadata(file).map_err(unreadable)?;
            let bytes = std::fs::read(file).map_err(unreadable)?;
            let after = std::fs::metadata(file).map_err(unreadable)?;
            let moved = before.len() != after.len() || before.modified().ok() != after.modified().ok();
            // Editors truncate before they write.
            let is_new = after.modified().ok().and_then(|at| at.elapsed().ok()).is_some_and(|age| age < FRESH);
            let may_be_under_way = moved || (bytes.is_empty() && is_new);
            if !may_be_under_way {
                return Ok(bytes);
            }
            std::thread::sleep(BETWEEN_READS);
        }
        std::fs::read(file).map_err(unreadable)
    }

    fn read_text(&self, file: &FilePath) -> Result<String, Vec<Diagnostic>> {
        let text = self.read_text_as_is(file)?;
        Ok(match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        })
    }

    fn read_text_as_is(&self, file: &FilePath) -> Result<String, Vec<Diagnostic>> {
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
        let message = match error.kind() {
            std::io::ErrorKind::NotFound => "the file is not there any more".to_owned(),
            _ => format!("the file cannot be read: {error}"),
        };
        Diagnostic::error(message).in_file(self.display(file.as_path()))
    }
}

/// Whether a module goes through the script compiler: by its kind, or because a page or the binary holds it as one.
fn is_compiled_as_script(url: &ModuleUrl, source: &Source) -> bool {
    matches!(source, Source::Inline(_)) || is_script(url)
}

fn unsupported_help(tool: &str) -> String {
    let what = match tool {
        "Sass" | "Less" | "Stylus" | "PostCSS" | "SugarSS" => "compile it to CSS beforehand",
        "WebAssembly" => "import its address with `?url` and instantiate it from there",
        _ => "compile it to JavaScript beforehand",
    };
    format!("{what}, or import it with `?raw` or `?url`")
}

/// What a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Query {
    Raw,
    Url,
    Inline,
    Bytes,
    /// `?worker`, `?sharedworker`
    Worker,
    /// None, or one that only makes another instance.
    Other,
}

impl Query {
    fn of(query: &str) -> Self {
        let has = |name: &str| query.split('&').any(|part| part == name);
        match () {
            _ if has("raw") => Self::Raw,
            _ if has("bytes") => Self::Bytes,
            _ if has("worker") || has("sharedworker") => Self::Worker,
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
        Query::Other => !SCRIPTS.contains(&extension.as_str()) && extension != "json" && extension != "css",
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

/// In packages, and where the extension says so.
fn may_be_commonjs(file: &Path) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    matches!(extension, "cjs" | "cts")
        || (extension == "js" && file.components().any(|part| part.as_os_str() == "node_modules"))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum StyleUse {
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
/// {deps:["./dot.svg"],names:[],shape:"…"},function*($x,$m,$r){$x({default:()=>$d,title:()=>$d["title"]});yield;
/// var $d={"title":"box_title_1a2b"};$r.style("…url("+$r.asset(0)+")…",true);
/// }
/// ```
fn style_definition(output: &StyleOutput, kind: StyleUse) -> Definition {
    let deps: Vec<Dep> = output
        .urls
        .iter()
        .map(|url| Dep {
            specifier: without_suffix(&url.specifier).0.to_owned(),
            kind: DepKind::Asset,
            span: (0, 0),
            attribute: None,
        })
        .collect();
    if kind == StyleUse::Link {
        // The address is filled in when the sheet is sent; what follows it in the source stays.
        let css = output.urls.iter().fold(output.css.clone(), |css, url| {
            css.replace(&url.placeholder, &format!("{}{}", url.placeholder, without_suffix(&url.specifier).1))
        });
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
                if json::is_exportable(name) {
                    exports.push((name.clone(), format!("$d[{}]", quoted(name))));
                }
            }
            format!("var $d={map};$r.style({text},false);")
        }
    };
    let getters: Vec<String> = exports.iter().map(|(name, read)| format!("{name}:()=>{read}")).collect();
    let code = format!(
        "{{deps:{deps_text},names:[]{shape}}},function*($x,$m,$r){{$x({{{}}});yield;\n{body}\n}}",
        getters.join(",")
    );
    let mut definition = plain(code.clone(), exports.into_iter().map(|(name, _)| name).collect(), &code);
    definition.deps = deps;
    definition
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

/// The text of a linked sheet with its addresses filled in.
pub fn linked_css(definition: &Definition, links: &[Link]) -> String {
    let mut css = definition.code.to_string();
    for (number, (dep, link)) in definition.deps.iter().zip(links).enumerate() {
        let address = match link {
            Link::Address(address) => address,
            _ => &dep.specifier,
        };
        let placeholder = placeholder(number);
        if address.contains('?') {
            css = css.replace(&format!("{placeholder}?"), &format!("{address}&"));
        }
        css = css.replace(&placeholder, address);
    }
    css
}

/// `dot.svg#a` → (`dot.svg`, `#a`)
fn without_suffix(specifier: &str) -> (&str, &str) {
    specifier.find(['#', '?']).map_or((specifier, ""), |at| specifier.split_at(at))
}

fn default_export(value: &str) -> String {
    format!("{{deps:[],names:[]}},function*($x){{$x({{default:()=>$d}});yield;\nvar $d={value};\n}}")
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
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string always serialises")
}

/// 16 hexadecimal digits of BLAKE3 over the parts.
pub fn digest(parts: &[&[u8]]) -> std::sync::Arc<str> {
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
