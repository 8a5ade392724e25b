//! The pages of a project: what they load is bundled, then their own text gets the names of it.
//!
//! ```html
//! <script type="module" src="/src/main.ts"></script>
//!   ↓
//! <script type="module" crossorigin src="/assets/index-Bq3x_0aZ.js"></script>
//! <link rel="stylesheet" crossorigin href="/assets/index-d3Xk1_0q.css">
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rekindle_compile::files::file;
use rekindle_compile::files::secrets::{self, holds_secrets};
use rekindle_compile::files::walk::Walk;
use rekindle_compile::kind::{LINKED, is_style};
use rekindle_compile::page::contents::{AssetTarget, ImportTarget, LinkTarget, PageContents, ScriptTarget};
use rekindle_compile::page::imports::imported_addresses;
use rekindle_compile::page::template::{PageAsset, PageTemplate, Piece, escape_attribute, relative_specifier};
use rekindle_compile::plain::build_settings::Input;
use rekindle_compile::plain::module::Inlining;
use rekindle_compile::resolve::resolver::Resolved;
use rekindle_graph::{DepKind, Diagnostic, FilePath};
use rolldown::InputItem;

use crate::bundle::bundler;
use crate::bundle::context::BundleContext;
use crate::bundle::ids::{PAGE, file_id, page_id};
use crate::bundle::modules::Bundle;
use crate::bundle::page_modules::{InlineScript, PageModules};
use crate::bundle::problems;
use crate::bundle::role::Role;
use crate::output::addresses::{Referrer, Target, json};
use crate::output::chunks::Chunk;
use crate::output::place::{below_root, real_place, target_of_file};
use crate::output::{chunks, sheets};
use crate::pages::ignored::Ignored;
use crate::pages::manifest;
use crate::pages::manifest::{Entry, PageReferences, SheetInput};
use crate::report::{FileKind, ProgressMeter};
use crate::session::Session;

/// The page that a project usually has.
const MAIN_PAGE: &str = "index.html";

/// All files of the output but the public ones.
#[derive(Debug, Default)]
pub(crate) struct OutputFiles {
    pub files: BTreeMap<String, (FileKind, Arc<[u8]>)>,
    /// Files that went into them.
    pub sources: BTreeSet<PathBuf>,
}

/// One page.
struct Page {
    /// Path below the root, which is that below the output folder.
    path: String,
    file: FilePath,
    /// What its chunk is called.
    name: String,
    contents: PageContents,
    /// Id of the module that imports its scripts, and its text; `None`: it has none.
    entry: Option<(String, String)>,
    /// Scripts written into it, by their ids.
    inline: Vec<(String, InlineScript)>,
    /// Addresses of scripts that the browser loads itself.
    scripts: Vec<String>,
    links: Vec<String>,
    /// The sheets among its links, by their names in the output.
    sheets: Vec<String>,
    assets: Vec<String>,
    /// Values of `Piece::Import`.
    imports: Vec<String>,
    /// Files whose content went into the output because the page names them, and the page itself.
    sources: BTreeSet<PathBuf>,
}

impl Page {
    fn entry_id(&self) -> Option<&str> {
        self.entry.as_ref().map(|(id, _)| id.as_str())
    }
}

/// Builds every page and all it leads to.
pub(crate) async fn build(
    session: &Arc<Session>,
    progress: &Arc<ProgressMeter>,
) -> Result<OutputFiles, Vec<Diagnostic>> {
    let context = Arc::new(BundleContext::new(session.clone(), progress.clone()));
    build_all(&context).await.map_err(|problems| with_way_out(session, problems))
}

/// Says of mistakes in pages that may not be meant for the output how to leave them out.
fn with_way_out(session: &Session, mut problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    if !session.config.build.input.is_empty() {
        return problems;
    }
    for problem in &mut problems {
        let Some(page) = problem.file.as_deref().filter(|file| file.ends_with(".html") && *file != MAIN_PAGE) else {
            continue;
        };
        let way = format!(
            "if {page} is no page of the application, name those that are: `input = [\"index.html\"]` in [build]"
        );
        problem.help = Some(match problem.help.take() {
            Some(help) => format!("{help}; {way}"),
            None => way,
        });
    }
    problems
}

async fn build_all(context: &Arc<BundleContext>) -> Result<OutputFiles, Vec<Diagnostic>> {
    let session = &context.session;
    let Inputs { pages, scripts, sheets } = inputs(session)?;
    let mut read = Vec::new();
    for (path, file, name) in pages {
        let mut page = read_page(session, path, FilePath::new(file), name)?;
        add_classic_scripts(context, &mut page).await;
        read.push(page);
    }
    let mut sources = BTreeSet::new();
    let sheets: Vec<SheetInput> =
        sheets.iter().filter_map(|(file, name)| sheet_input(session, file, name, &mut sources)).collect();
    let problems = session.take_problems();
    if !problems.is_empty() {
        return Err(problems);
    }
    let entries = read.iter().filter_map(|page| Some((page.name.clone(), page.entry.as_ref()?.0.clone())));
    let scripts = scripts.into_iter().map(|(file, name)| (name, file.display().to_string()));
    let items = entries.chain(scripts).map(|(name, import)| InputItem { name: Some(name), import });
    let items: Vec<InputItem> = items.collect();
    let bundle = if items.is_empty() {
        Bundle::default()
    } else {
        let entries = read.iter().filter_map(|page| page.entry.clone()).collect();
        let inline = read.iter_mut().flat_map(|page| std::mem::take(&mut page.inline)).collect();
        let modules = PageModules::new(entries, inline, &session.compiler);
        bundler::bundle(context, items, &Arc::new(modules), Role::Pages).await?
    };
    sources.extend(bundle.modules.sources.iter().cloned());
    sources.extend(read.iter().flat_map(|page| page.sources.iter().cloned()));
    let (chunks, style) = chunks::with_sheets(session, bundle);
    Ok(OutputFiles { sources, ..assemble(session, &read, &sheets, &chunks, style.as_deref()) })
}

/// Builds what the page's scripts that are no modules import when they run.
async fn add_classic_scripts(context: &Arc<BundleContext>, page: &mut Page) {
    for at in 0..page.contents.imports.len() {
        let address = import_address(context, page, at).await;
        page.imports.push(address);
    }
    for at in 0..page.assets.len() {
        if page.contents.template.assets[at].is_script {
            page.assets[at] = match plain_script(context, page, at).await {
                Some(address) => address,
                None => {
                    let target = page.contents.assets[at].clone();
                    asset_of(&context.session, page, &target, Inlining::Small)
                }
            };
        }
    }
}

/// What is built, with the names of the chunks. Pages by their path below the root.
#[derive(Default)]
struct Inputs {
    pages: Vec<(String, PathBuf, String)>,
    scripts: Vec<(PathBuf, String)>,
    sheets: Vec<(PathBuf, String)>,
}

/// A sheet that is to be built for itself.
fn sheet_input(session: &Session, file: &Path, name: &str, sources: &mut BTreeSet<PathBuf>) -> Option<SheetInput> {
    let url = session.compiler.resolver.url_of(file, Some(LINKED));
    let stem = name.rsplit('/').next().unwrap_or(name);
    match sheets::emit_as(session, &url, &FilePath::new(file), stem, sources) {
        Ok(made) => Some(SheetInput { name: name.to_owned(), source: below_root(session, file), file: made }),
        Err(problems) => {
            session.problem(problems);
            None
        }
    }
}

fn inputs(session: &Session) -> Result<Inputs, Vec<Diagnostic>> {
    let config = &session.config;
    if config.build.input.is_empty() {
        // Also what another build left where outputs usually are.
        let usual = config.root.join("dist");
        let real = real_place(&config.build.out_dir);
        let left_out = [config.cache_dir.as_path(), config.build.out_dir.as_path(), real.as_path(), usual.as_path()];
        let walk = Walk::of_project(&config.root, config.public_dir.as_deref(), &left_out);
        let mut pages: Vec<_> = walk.files.into_iter().filter(|(path, _)| path.ends_with(".html")).collect();
        pages.sort();
        let count = pages.len();
        let mut ignored = Ignored::of(&config.root);
        pages.retain(|(path, _)| path == MAIN_PAGE || !ignored.holds(&config.root.join(path)));
        if pages.is_empty() {
            let none = Diagnostic::error(format!("there is no page in {}", config.root.display()));
            return Err(vec![match count {
                0 => none.with_help(
                    "give the project folder, the one with index.html, or name what to build in `build.input`",
                ),
                _ => none.with_help("git ignores those there are; name what to build in `build.input`"),
            }]);
        }
        let named = pages.into_iter().map(|(path, file)| {
            let name = entry_name(&path);
            (path, file, name)
        });
        return Ok(Inputs { pages: named.collect(), ..Inputs::default() });
    }
    let (mut inputs, mut problems) = (Inputs::default(), Vec::new());
    for Input { name: chunk, path } in &config.build.input {
        let file = config.root.join(path);
        let name = path.display().to_string().trim_start_matches("./").replace('\\', "/");
        let chunk = chunk.as_deref().map(|chunk| chunk_name(session, chunk));
        let stem = || file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match file.canonicalize() {
            Ok(file) if name.ends_with(".html") => {
                let chunk = chunk.unwrap_or_else(|| entry_name(&name));
                inputs.pages.push((name, file, chunk));
            }
            Ok(real) if is_style(&name) => inputs.sheets.push((real, chunk.unwrap_or_else(stem))),
            Ok(real) => inputs.scripts.push((real, chunk.unwrap_or_else(stem))),
            Err(_) => problems.push(
                Diagnostic::error(format!("there is no file `{name}` to build"))
                    .with_help("`build.input` names pages or scripts by their path below the project folder"),
            ),
        }
    }
    if problems.is_empty() { Ok(inputs) } else { Err(problems) }
}

/// `app/main` stands for a folder. Where addresses are relative, all files of the output are in one.
fn chunk_name(session: &Session, name: &str) -> String {
    let parts: Vec<String> = name
        .split('/')
        .filter(|part| !matches!(*part, "" | "." | ".."))
        .map(crate::output::addresses::sanitized)
        .collect();
    if parts.is_empty() {
        "index".to_owned()
    } else {
        parts.join(if session.config.build.relative_base { "-" } else { "/" })
    }
}

/// `docs/guide/index.html` → `docs-guide`
fn entry_name(path: &str) -> String {
    let path = path.trim_end_matches(".html");
    let path = path.strip_suffix("/index").unwrap_or(path);
    crate::output::addresses::sanitized(&path.replace('/', "-"))
}

fn read_page(session: &Arc<Session>, path: String, file: FilePath, name: String) -> Result<Page, Vec<Diagnostic>> {
    let unreadable = |error: std::io::Error| {
        vec![Diagnostic::error(format!("the page cannot be read: {error}")).in_file(path.clone())]
    };
    let bytes = file::read(file.as_path()).map_err(unreadable)?;
    let source = String::from_utf8_lossy(&bytes).into_owned();
    let url = format!("/{path}");
    let contents = session.compiler.read_page(&url, &file, &source, &|name| session.env_text(name));
    tell_what_stays(session, &path, &contents);
    let mut page = Page {
        path,
        sources: BTreeSet::from([file.as_path().to_owned()]),
        file,
        name,
        contents,
        entry: None,
        inline: Vec::new(),
        scripts: Vec::new(),
        links: Vec::new(),
        sheets: Vec::new(),
        assets: Vec::new(),
        imports: Vec::new(),
    };
    add_scripts(session, &mut page);
    for at in 0..page.contents.links.len() {
        let (address, sheet) = link_of(session, &mut page, at);
        page.links.push(address);
        page.sheets.extend(sheet);
    }
    for (at, target) in page.contents.assets.clone().iter().enumerate() {
        let PageAsset { wants_file, is_script, .. } = page.contents.template.assets[at];
        let inlining = if wants_file { Inlining::Never } else { Inlining::Small };
        // What a script imports is built first.
        let address = if is_script { String::new() } else { asset_of(session, &mut page, target, inlining) };
        page.assets.push(address);
    }
    Ok(page)
}

/// Makes one entry of the page's scripts, but for those that the browser loads itself.
fn add_scripts(session: &Session, page: &mut Page) {
    let mut imports = String::new();
    for script in &page.contents.scripts {
        let id = match script {
            ScriptTarget::Module { url, file } => file_id(file.as_path(), url),
            ScriptTarget::Helper(url) => url.as_str().to_owned(),
            ScriptTarget::Inline { url, source } => {
                let id = page_id(page.file.as_path(), url.query());
                let (url, file, source) = (url.clone(), page.file.clone(), source.clone());
                page.inline.push((id.clone(), InlineScript { url, file, source }));
                id
            }
            ScriptTarget::Address(address) => {
                page.scripts.push(address.clone());
                continue;
            }
            ScriptTarget::Missing { diagnostic, .. } => {
                session.problem([(**diagnostic).clone()]);
                continue;
            }
        };
        imports.push_str(&format!("import {};\n", json(&id)));
    }
    if !imports.is_empty() {
        page.entry = Some((page_id(page.file.as_path(), PAGE), imports));
    }
}

/// What the server's page has and an output would miss.
fn tell_what_stays(session: &Session, page: &str, contents: &PageContents) {
    for url in &contents.template.style_urls {
        let is_public = url.starts_with('/') && session.compiler.resolver.public_file(url).is_some();
        if !is_public || session.config.base != "/" {
            session.warn(format!(
                "{page}: url({url}) in an inline style stays as it is; a sheet that the page links gets the file's new address"
            ));
        }
    }
    let prefixes = &session.config.env_prefix;
    let misses = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
    for sentence in contents.warnings(page, &misses, &session.config.missing_plugins) {
        session.warn(sentence);
    }
}

/// The address of a sheet that the page links itself, and its name in the output.
fn link_of(session: &Session, page: &mut Page, at: usize) -> (String, Option<String>) {
    let specifier = page.contents.template.links[at].specifier.clone();
    match page.contents.links[at].clone() {
        LinkTarget::Sheet { url, file, .. } => match sheets::emit(session, &url, &file, &mut page.sources) {
            Ok(name) => {
                let target = Target::Output(name.clone());
                (session.addresses.written(&target, Referrer::Page(&page.path)), Some(name))
            }
            Err(problems) => {
                session.problem(problems);
                (specifier, None)
            }
        },
        LinkTarget::MissingSheet { diagnostic, .. } => {
            session.problem([problems::at_specifier(session, page.file.as_path(), &specifier, *diagnostic)]);
            (specifier, None)
        }
        LinkTarget::Other(target) => (asset_of(session, page, &target, Inlining::Never), None),
    }
}

/// The address of what an attribute of the page names, as it is written in the output.
fn asset_of(session: &Session, page: &mut Page, target: &AssetTarget, inlining: Inlining) -> String {
    let (file, suffix) = match target {
        AssetTarget::File { file, .. } if holds_secrets(file.as_path(), &session.config.root) => {
            let name = session.compiler.display(file.as_path());
            let message = format!("`{name}` looks like a file with secrets, so it is never part of a page");
            session.problem([Diagnostic::error(message).in_file(page.path.clone()).with_help(secrets::ADVICE)]);
            return name;
        }
        AssetTarget::File { file, suffix, .. } => (file.as_path(), suffix),
        AssetTarget::Public { file, suffix, .. } => (file.as_path(), suffix),
        AssetTarget::Elsewhere(address) => return address.clone(),
        AssetTarget::Missing(specifier) => {
            let page = &page.path;
            session.warn(format!("{specifier}, which {page} refers to, is not there: its address stays as it is"));
            return specifier.clone();
        }
    };
    match target_of_file(session, file, suffix, inlining, &mut page.sources) {
        Some((target, suffix)) => format!("{}{suffix}", session.addresses.written(&target, Referrer::Page(&page.path))),
        None => {
            let name = session.compiler.display(file);
            session.problem([Diagnostic::error(format!("{name} cannot be read")).in_file(page.path.clone())]);
            name
        }
    }
}

/// The address of a module that the page imports when it runs: a script of its own, with a copy of all it imports.
async fn import_address(context: &Arc<BundleContext>, page: &mut Page, at: usize) -> String {
    match page.contents.imports[at].clone() {
        ImportTarget::Module { file, .. } => {
            let (specifier, from) = (&page.contents.template.imports[at], Referrer::Page(&page.path));
            imported(context, file.as_path(), specifier, from, &mut page.sources).await
        }
        ImportTarget::Other(target) => with_dot(asset_of(&context.session, page, &target, Inlining::Never)),
    }
}

/// The address of a module that a script imports as `specifier` when it runs, and that is no module itself; as it is written
/// where `from` says.
async fn imported(
    context: &Arc<BundleContext>,
    module: &Path,
    specifier: &str,
    from: Referrer<'_>,
    sources: &mut BTreeSet<PathBuf>,
) -> String {
    let session = &context.session;
    match bundler::worker(context, module, false, &Role::Pages).await {
        Ok(built) => {
            sources.extend(built.sources);
            with_dot(session.addresses.written(&Target::Output(built.name), from))
        }
        Err(problems) => {
            session.problem(problems);
            specifier.to_owned()
        }
    }
}

/// `assets/a.js` → `./assets/a.js`: in scripts a bare name is that of a package.
fn with_dot(address: String) -> String {
    let is_bare = !address.starts_with(['/', '.']) && !address.contains(':');
    if is_bare { format!("./{address}") } else { address }
}

/// The address of a script that is no module and imports some when it runs: a file with their new addresses.
async fn plain_script(context: &Arc<BundleContext>, page: &mut Page, at: usize) -> Option<String> {
    let session = &context.session;
    let AssetTarget::File { file: path, .. } = page.contents.assets[at].clone() else { return None };
    if session.compiler.resolver.address_of_public(path.as_path()).is_some() {
        return None;
    }
    let text = file::read_text(path.as_path()).ok()?;
    let mut written = String::new();
    let mut end = 0;
    for range in imported_addresses(&text) {
        let specifier = &text[range.clone()];
        if !specifier.starts_with(['/', '.']) {
            continue;
        }
        match module_behind(session, path.as_path(), specifier) {
            Some(module) => {
                let address = imported(context, module.as_path(), specifier, Referrer::Sheet, &mut page.sources).await;
                written.push_str(&text[end..range.start]);
                written.push_str(&address);
                end = range.end;
            }
            None => {
                let name = session.compiler.display(path.as_path());
                session.warn(format!("{specifier}, which {name} imports, is not there: its address stays as it is"));
            }
        }
    }
    if end == 0 {
        return None;
    }
    written.push_str(&text[end..]);
    page.sources.insert(path.as_path().to_owned());
    let name = path.as_path().file_name().unwrap_or_default().to_string_lossy();
    let name = session.addresses.emit(&name, written.into_bytes().into());
    Some(session.addresses.written(&Target::Output(name), Referrer::Page(&page.path)))
}

/// The module that a script which is none names in an `import()`.
fn module_behind(session: &Session, importer: &Path, specifier: &str) -> Option<FilePath> {
    match session.compiler.resolver.resolve(importer, &relative_specifier(specifier), DepKind::Dynamic) {
        Ok(Resolved::File { path, .. }) => Some(path),
        _ => None,
    }
}

/// Everything that goes into the output folder.
fn assemble(
    session: &Session,
    pages: &[Page],
    sheets: &[SheetInput],
    chunks: &[Chunk],
    style: Option<&str>,
) -> OutputFiles {
    let mut bundled = OutputFiles::default();
    let by_name: BTreeMap<&str, &Chunk> = chunks.iter().map(|chunk| (chunk.chunk.filename.as_str(), chunk)).collect();
    let mut listed = Vec::new();
    for chunk in chunks {
        let name = chunk.chunk.filename.as_str();
        let is_page = chunk.chunk.facade_module_id.as_ref().is_some_and(|id| id.as_str().ends_with(PAGE));
        // A page that only imports sheets has no script.
        if is_page && chunk.chunk.code.trim().is_empty() && chunk.chunk.imports.is_empty() {
            continue;
        }
        let text = chunks::text(&chunk.chunk, chunks, session);
        bundled.files.insert(name.to_owned(), (FileKind::Script, text.code.into_bytes().into()));
        if let Some(map) = text.map {
            bundled.files.insert(format!("{name}.map"), (FileKind::Asset, map.into_bytes().into()));
        }
        listed.push(chunk);
    }
    for page in pages {
        let text = render(session, page, chunks, &by_name, &bundled, style);
        bundled.files.insert(page.path.clone(), (FileKind::Page, text.into_bytes().into()));
    }
    for (name, bytes) in session.addresses.take_files() {
        let kind = match name.rsplit('.').next() {
            Some("css") => FileKind::Style,
            Some("js") => FileKind::Script,
            _ => FileKind::Asset,
        };
        bundled.files.insert(name, (kind, bytes));
    }
    if let Some(name) = &session.config.build.manifest {
        let known = manifest::assets(session);
        let sheet = |name: &str| {
            bundled.files.get(name).map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
        };
        let entry = |chunk: &Chunk| {
            let facade = chunk.chunk.facade_module_id.as_ref().map(|id| id.as_str());
            let page = pages.iter().find(|page| page.entry_id().is_some() && page.entry_id() == facade);
            let named =
                page.map(|page| PageReferences { sheets: &page.sheets, addresses: &page.assets }).unwrap_or_default();
            Entry::of(session, chunk, style, &named, &known, &sheet)
        };
        let entries = listed.into_iter().map(entry).collect();
        let text = manifest::text(session, entries, sheets, style, &known, &sheet);
        bundled.files.insert(name.clone(), (FileKind::Asset, text.into_bytes().into()));
    }
    bundled
}

fn render(
    session: &Session,
    page: &Page,
    chunks: &[Chunk],
    by_name: &BTreeMap<&str, &Chunk>,
    bundled: &OutputFiles,
    style: Option<&str>,
) -> String {
    let is_its = |chunk: &&Chunk| {
        chunk.chunk.is_entry && chunk.chunk.facade_module_id.as_ref().map(|id| id.as_str()) == page.entry_id()
    };
    let entry =
        page.entry.as_ref().and_then(|_| chunks.iter().find(is_its)).map(|chunk| chunk.chunk.filename.to_string());
    let chunk = entry.as_deref().and_then(|entry| by_name.get(entry));
    let (scripts, mut styles) = chunk.map(|chunk| (chunk.scripts.clone(), chunk.sheets.clone())).unwrap_or_default();
    styles.extend(style.map(str::to_owned));
    let address = |name: &str| {
        let written = session.addresses.written(&Target::Output(name.to_owned()), Referrer::Page(&page.path));
        escape_attribute(&written).into_owned()
    };
    let own = entry.filter(|entry| bundled.files.contains_key(entry));
    let script =
        own.as_deref().map(|name| format!("<script type=\"module\" crossorigin src=\"{}\"></script>", address(name)));
    let mut script: String = script.unwrap_or_default();
    for public in &page.scripts {
        script.push_str(&format!("<script type=\"module\" src=\"{}\"></script>", escape_attribute(public)));
    }
    let mut head = String::new();
    let at_its_place = keeps_its_place(&page.contents.template);
    if !at_its_place && !script.is_empty() {
        head.push_str(&format!("  {script}\n"));
    }
    if session.config.build.module_preload {
        let imports = scripts.iter().filter(|name| Some(*name) != own.as_ref());
        for name in imports.filter(|name| bundled.files.contains_key(*name)) {
            head.push_str(&format!("  <link rel=\"modulepreload\" crossorigin href=\"{}\">\n", address(name)));
        }
    }
    for name in &styles {
        head.push_str(&format!("  <link rel=\"stylesheet\" crossorigin href=\"{}\">\n", address(name)));
    }
    let mut text = String::new();
    for piece in &page.contents.template.pieces {
        match piece {
            Piece::Text(piece) => text.push_str(piece),
            Piece::Head => {}
            Piece::HeadEnd => {
                let indent = text.len() - text.trim_end_matches([' ', '\t']).len();
                let tail = text.split_off(text.len() - indent);
                if !head.is_empty() && !text.is_empty() && !text.ends_with('\n') {
                    text.push('\n');
                }
                if tail.len() > 2 {
                    head = head.lines().map(|line| format!("{}{}\n", &tail, line)).collect();
                }
                text.push_str(&head);
                text.push_str(&tail);
            }
            Piece::Boot if at_its_place => text.push_str(&script),
            Piece::Boot => {}
            Piece::Link(at) => text.push_str(&escape_attribute(&page.links[*at])),
            Piece::Asset(at) => text.push_str(&escape_attribute(&page.assets[*at])),
            Piece::Import(at) => text.push_str(&page.imports[*at]),
        }
    }
    text
}

/// Whether other scripts of the page run in an order with its modules: then those cannot move into the head.
fn keeps_its_place(template: &PageTemplate) -> bool {
    let is_ordered = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.contains("<script")
            && (text.contains(" defer") || text.contains("type=\"module\"") || text.contains("type=module"))
    };
    template.pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if is_ordered(text)))
}
