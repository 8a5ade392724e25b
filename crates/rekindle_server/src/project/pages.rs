//! HTML pages: what they load, and their text with our scripts in it.
//!
//! ```html
//! <script type="module" src="/src/main.ts"></script>
//!   ↓
//! <script type="module" src="/@rekindle/client.js"></script>                          (in the head)
//! <style type="text/css" data-vite-dev-id="/src/main.css">…</style>                (where the head ends)
//! <script type="module" src="/@rekindle/page.js?path=/index.html"></script>           (where the first script stood)
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rekindle_compile::files::file;
use rekindle_compile::kind::{linked_sheet, with_suffix, without_suffix};
use rekindle_compile::page::contents::{AssetTarget, ImportTarget, LinkTarget, PageContents, ScriptTarget, absolute};
use rekindle_compile::page::template::{PageScript, PageTemplate, Piece, escape_attribute};
use rekindle_graph::wire::EditedPage;
use rekindle_graph::{Diagnostic, FilePath, ModuleGraph, ModuleId, ModuleUrl, digest};

use crate::project::head_styles::head_styles;
use crate::project::modules::Modules;
use crate::project::page_texts::{Load, Loads, PageText, PageTexts};
use crate::project::segments::{BatchRef, preload_links};
use crate::tabs::client_script::Runtime;

/// One page, parsed.
#[derive(Debug)]
pub struct Page {
    pub file: FilePath,
    /// Digest of its text, and of what its scripts lead to.
    pub hash: Arc<str>,
    /// Its module scripts, in document order.
    pub entries: Vec<Entry>,
    /// What its scripts and links lead to. While the page is gone it is what they led to last, for that is what tabs run.
    loads: Arc<Loads>,
    /// Sheets of its `<link>` elements.
    pub sheets: Vec<ModuleId>,
    /// Number of the batch in which its text last changed.
    pub changed_at: u64,
    /// Why its file cannot be had now. Tabs that show it go on with what it was.
    pub gone: Option<Diagnostic>,
    /// Number of the batch in which it last went or came back.
    pub stood_at: u64,
    /// Files whose addresses are in its text.
    pub asset_files: Vec<PathBuf>,
    /// It forbids what stands in style elements, or asks for a nonce in them.
    pub has_policy: bool,
    /// What tabs were sent of it, newest last.
    versions: VecDeque<Version>,
    template: PageTemplate,
    /// Values of `Piece::Link` and `Piece::Asset`.
    links: Vec<String>,
    assets: Vec<String>,
    /// Values of `Piece::Import`.
    imports: Vec<String>,
}

/// A page's text at some time, without what is only there to load it faster.
#[derive(Clone, Debug)]
struct Version {
    /// Number of the batch that brought it.
    since: u64,
    /// `Page::hash` of that time.
    hash: Arc<str>,
    text: Arc<str>,
    loads: Arc<Loads>,
}

/// An attribute of the client's script: the server went away before it was sent, so the page starts anew when the server is back,
/// a few times at most. A page with a policy would forbid it.
const WITHOUT_CLIENT: &str = " onerror=\"(function again(){var key='rekindle:again',times=+sessionStorage.getItem(key);\
     if(times<9)setTimeout(function(){fetch(location.href,{method:'HEAD'}).then(function(){sessionStorage.setItem(key,times+1);\
     location.reload()},again)},300)})()\"";

/// Earlier texts of a page that are kept, for tabs that were away: at least so many, and more up to a number and to bytes.
const VERSIONS: usize = 8;
const MOST_VERSIONS: usize = 256;
const VERSIONS_IN_BYTES: usize = 1 << 20;

/// A module script of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Module(ModuleId),
    /// The browser loads it by itself: another host's, or one of `public/`.
    Address(String),
    /// The script is not there: the name that it would have, and the error.
    Missing(ModuleUrl, Box<Diagnostic>),
}

impl Entry {
    fn module(&self) -> Option<ModuleId> {
        match self {
            Self::Module(id) => Some(*id),
            _ => None,
        }
    }
}

/// What an edit of its file did to a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageFate {
    Same,
    Edited,
    /// It cannot be read any more.
    Gone,
    /// It could not be read before, and cannot now for another reason.
    GoneOtherwise,
    Back {
        is_edited: bool,
    },
}

/// Pages that were asked for, by address (`/index.html`).
#[derive(Debug)]
pub struct Pages {
    pages: BTreeMap<String, Page>,
    /// What tabs of earlier sessions may show.
    texts: PageTexts,
}

impl Pages {
    /// None yet.
    pub fn new(texts: PageTexts) -> Self {
        Self { pages: BTreeMap::new(), texts }
    }

    pub fn get(&self, url: &str) -> Option<&Page> {
        self.pages.get(url)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&String, &Page)> {
        self.pages.iter()
    }

    /// The pages whose file is one of `paths` or below one of `folders`, with it.
    pub fn changed_by(&self, paths: &[PathBuf], folders: &[PathBuf]) -> Vec<(String, FilePath)> {
        let is_concerned = |file: &Path| {
            paths.iter().any(|path| path == file) || folders.iter().any(|folder| file.starts_with(folder))
        };
        let concerned = self.pages.iter().filter(|(_, page)| is_concerned(page.file.as_path()));
        concerned.map(|(url, page)| (url.clone(), page.file.clone())).collect()
    }

    /// Finds the files of pages among those that are `listed` now. Gives the pages that are in another one than before.
    pub fn settle(&mut self, listed: &BTreeMap<String, FilePath>) -> Vec<String> {
        let mut moved = Vec::new();
        for (url, page) in &mut self.pages {
            match file_of(url, listed).filter(|file| **file != page.file) {
                Some(file) => page.file = file.clone(),
                None => continue,
            }
            moved.push(url.clone());
        }
        moved
    }

    /// The page at `url`, read and parsed if it was not before. Errors only when the file cannot be read.
    pub fn load(&mut self, url: &str, file: &FilePath, modules: &mut Modules) -> std::io::Result<&Page> {
        if !self.pages.contains_key(url) {
            let page = read_page(url, file, modules, 0, None)?;
            page.keep(url, &self.texts);
            self.pages.insert(url.to_owned(), page);
        }
        Ok(&self.pages[url])
    }

    /// A page that a tab of an earlier session shows and that is not there.
    pub fn miss(&mut self, url: &str, file: FilePath, modules: &Modules, seq: u64) {
        let mut page = Page::of(file);
        page.go(&std::io::ErrorKind::NotFound.into(), modules, seq);
        self.pages.insert(url.to_owned(), page);
    }

    /// Reads the page anew: what has become of it.
    pub fn reload(&mut self, url: &str, modules: &mut Modules, seq: u64) -> PageFate {
        let Some(page) = self.pages.get_mut(url) else { return PageFate::Same };
        let was_gone = page.gone.is_some();
        match read_page(url, &page.file, modules, seq, Some(page)) {
            Ok(mut fresh) => {
                let is_edited = fresh.hash != page.hash;
                if is_edited {
                    fresh.follow(page);
                    fresh.keep(url, &self.texts);
                    *page = fresh;
                }
                if was_gone {
                    page.gone = None;
                    page.stood_at = seq;
                }
                match (was_gone, is_edited) {
                    (true, is_edited) => PageFate::Back { is_edited },
                    (false, true) => PageFate::Edited,
                    (false, false) => PageFate::Same,
                }
            }
            Err(error) => match (page.go(&error, modules, seq), was_gone) {
                (true, false) => PageFate::Gone,
                (true, true) => PageFate::GoneOtherwise,
                (false, _) => PageFate::Same,
            },
        }
    }

    /// Pages that went or came back after the batch `since`; without, all that are gone.
    pub fn stood_after(&self, since: Option<u64>) -> impl Iterator<Item = (&String, &Page)> {
        self.pages.iter().filter(move |(_, page)| match since {
            Some(since) => page.stood_at > since,
            None => page.gone.is_some(),
        })
    }

    /// Whether tabs are shown a page whose file is not there.
    pub fn is_gone(&self, url: &str) -> bool {
        self.get(url).is_some_and(|page| page.gone.is_some())
    }

    /// Parses every page again, because what their specifiers or `%NAME%`s mean may have changed. Gives those whose text
    /// has changed.
    pub fn refresh(&mut self, modules: &mut Modules, seq: u64) -> Vec<String> {
        let mut edited = Vec::new();
        for (url, page) in &mut self.pages {
            let Ok(mut fresh) = read_page(url, &page.file, modules, seq, Some(page)) else { continue };
            (fresh.gone, fresh.stood_at) = (page.gone.take(), page.stood_at);
            if fresh.hash == page.hash {
                fresh.changed_at = page.changed_at;
                fresh.versions = std::mem::take(&mut page.versions);
            } else {
                fresh.follow(page);
                fresh.keep(url, &self.texts);
                edited.push(url.clone());
            }
            *page = fresh;
        }
        edited
    }

    /// What a tab is told that shows the page at `url` with the digest `hash`, which may be of an earlier session. None if
    /// it shows what the page is now.
    pub fn edited_from_hash(&self, url: &str, hash: &str, file: String) -> Option<EditedPage> {
        let page = self.pages.get(url).filter(|page| *page.hash != *hash)?;
        let known = page.versions.iter().rev().find(|version| *version.hash == *hash).cloned();
        let before = known.or_else(|| {
            let PageText { text, loads } = self.texts.find(url, hash)?;
            Some(Version { since: 0, hash: hash.into(), text: text.into(), loads: loads.into() })
        });
        page.edited_from(before.as_ref(), url, file)
    }

    /// Sheets that pages link.
    pub fn sheets(&self) -> impl Iterator<Item = ModuleId> {
        self.iter().flat_map(|(_, page)| page.sheets.iter().copied())
    }

    /// Entries of all pages: modules that have to be there.
    pub fn entries(&self) -> impl Iterator<Item = ModuleId> {
        self.pages.values().flat_map(|page| page.entries.iter().filter_map(Entry::module))
    }

    /// Whether some page has the address of `path` in its text.
    pub fn refer_to(&self, path: &Path) -> bool {
        self.pages.values().any(|page| page.asset_files.iter().any(|file| file == path))
    }

    /// Files that pages have the addresses of.
    pub fn watched(&self) -> Vec<PathBuf> {
        self.pages.values().flat_map(Page::watched).collect()
    }
}

/// `before` is what the page was, if it was read before.
fn read_page(
    url: &str,
    file: &FilePath,
    modules: &mut Modules,
    seq: u64,
    before: Option<&Page>,
) -> std::io::Result<Page> {
    let source = String::from_utf8_lossy(&file::read(file.as_path())?).into_owned();
    let env = modules.env.clone();
    let contents = modules.compiler.read_page(url, file, &source, &|name| env.text(name));
    modules.note_page(url, &contents);
    let PageContents { template, scripts, links, assets, imports, folders } = contents;
    modules.await_in(folders);
    let mut page = Page {
        changed_at: seq,
        has_policy: modules.has_policy || has_policy(&source),
        template,
        ..Page::of(file.clone())
    };
    let mut loads = Loads::default();
    let earlier = before.map(|before| &*before.loads);
    for (script, target) in page.template.scripts.iter().zip(scripts) {
        let entry = entry_of(target, file, modules);
        let (written, leads_to) = match script {
            PageScript::External { specifier, .. } => {
                let known = earlier.and_then(|earlier| Load::of(&earlier.scripts, specifier));
                (specifier, leads_to(&entry, modules, known))
            }
            PageScript::Inline { code, .. } => (code, String::new()),
        };
        loads.scripts.push(Load { written: written.clone(), leads_to });
        page.entries.push(entry);
    }
    let missing = page.entries.iter().filter_map(|entry| match entry {
        Entry::Missing(_, diagnostic) => Some((**diagnostic).clone()),
        Entry::Module(_) | Entry::Address(_) => None,
    });
    modules.note_missing_scripts(url, missing.collect());
    for (link, target) in page.template.links.iter().zip(links) {
        let known = page.sheets.len();
        let address = sheet_address(target, modules, &mut page.sheets);
        let leads_to = match page.sheets.get(known) {
            Some(id) => format!("module {}", modules.graph[*id].url.as_str()),
            None => {
                let known = earlier.and_then(|earlier| Load::of(&earlier.links, &link.specifier));
                link_leads_to(file, &link.specifier, modules, known)
            }
        };
        loads.links.push(Load { written: link.specifier.clone(), leads_to });
        page.links.push(address);
    }
    for target in assets {
        page.assets.push(asset_address(target, modules, &mut page.asset_files));
    }
    for (specifier, target) in page.template.imports.iter().zip(imports) {
        page.imports.push(import_address(specifier, target, modules));
    }
    let text: Arc<str> = page.text(url, modules.compiler.base(), "", &[]).0.into();
    page.hash = digest(&[source.as_bytes(), text.as_bytes(), loads.leads_to().as_bytes()]);
    page.loads = loads.into();
    page.versions.push_back(Version { since: seq, hash: page.hash.clone(), text, loads: page.loads.clone() });
    Ok(page)
}

/// The file of a page among those that are `listed`: its own, or that of the page which its address without an ending
/// means as well.
///
/// ```text
/// /about/index.html  →  about/index.html, or about.html
/// ```
pub fn file_of<'l>(url: &str, listed: &'l BTreeMap<String, FilePath>) -> Option<&'l FilePath> {
    let other = || match url.strip_suffix("/index.html") {
        Some(folder) => listed.get(&format!("{folder}.html")),
        None => listed.get(&format!("{}/index.html", url.strip_suffix(".html")?)),
    };
    listed.get(url).or_else(other)
}

/// Whether a content security policy concerns the page's styles.
fn has_policy(source: &str) -> bool {
    let source = source.to_ascii_lowercase();
    source.contains("content-security-policy") || source.contains("csp-nonce")
}

/// What a link leads to that leads to no sheet of the project: a file of `public/`, or what is `known` of it from before while
/// that is not there.
fn link_leads_to(page: &FilePath, specifier: &str, modules: &Modules, known: Option<&str>) -> String {
    let url = absolute(&modules.compiler, page, without_suffix(specifier).0);
    if modules.compiler.resolver.public_address(&url).is_some() {
        return format!("address {url}");
    }
    known.map_or_else(|| format!("module {}", linked_sheet(&url).as_str()), str::to_owned)
}

/// What a script of a page leads to. While its file is not there it is what is `known` of it from before.
fn leads_to(entry: &Entry, modules: &Modules, known: Option<&str>) -> String {
    match (entry, known) {
        (Entry::Module(id), _) => format!("module {}", modules.graph[*id].url.as_str()),
        (Entry::Address(address), _) => format!("address {address}"),
        (Entry::Missing(..), Some(known)) => known.to_owned(),
        (Entry::Missing(url, _), None) => format!("module {}", url.as_str()),
    }
}

/// A script of `page`. Its module is in the graph from now on.
fn entry_of(target: ScriptTarget, page: &FilePath, modules: &mut Modules) -> Entry {
    match target {
        ScriptTarget::Module { url, file } => Entry::Module(modules.graph.insert(&url, &file)),
        ScriptTarget::Helper(url) => Entry::Module(modules.graph.insert(&url, &FilePath::new(url.as_str()))),
        ScriptTarget::Inline { url, source } => Entry::Module(modules.insert_inline(&url, page, source)),
        ScriptTarget::Address(address) => Entry::Address(address),
        ScriptTarget::Missing { url, diagnostic } => Entry::Missing(url, diagnostic),
    }
}

/// A local sheet becomes a module of its own, so that an edit swaps the link. One that is not there is a broken module: the page
/// shows why, and takes the sheet when it appears.
fn sheet_address(target: LinkTarget, modules: &mut Modules, sheets: &mut Vec<ModuleId>) -> String {
    match target {
        LinkTarget::Sheet { url, file, suffix } => {
            sheets.push(modules.graph.insert(&url, &file));
            format!("{}{suffix}", modules.compiler.address_of(url.path()))
        }
        LinkTarget::MissingSheet { url, file, .. } => {
            sheets.push(modules.graph.insert(&url, &file));
            modules.compiler.address_of(url.path())
        }
        LinkTarget::Other(target) => asset_address(target, modules, &mut Vec::new()),
    }
}

fn asset_address(target: AssetTarget, modules: &mut Modules, files: &mut Vec<PathBuf>) -> String {
    match target {
        AssetTarget::File { file, url, suffix } => {
            modules.admit_page_asset(url.path(), &file);
            files.push(file.as_path().to_owned());
            with_suffix(&modules.compiler.asset_address(&file), &suffix)
        }
        AssetTarget::Public { address, suffix, .. } => format!("{address}{suffix}"),
        AssetTarget::Elsewhere(address) | AssetTarget::Missing(address) => address,
    }
}

/// The address of what a plain script of the page imports when it runs. From then on a module may be asked for.
fn import_address(specifier: &str, target: ImportTarget, modules: &mut Modules) -> String {
    match target {
        ImportTarget::Module { url, file } => _ = modules.graph.insert(&url, &file),
        ImportTarget::Other(AssetTarget::Public { address, suffix, .. }) => return format!("{address}{suffix}"),
        ImportTarget::Other(AssetTarget::Elsewhere(address)) => return address,
        ImportTarget::Other(AssetTarget::File { .. } | AssetTarget::Missing(_)) => {}
    }
    match specifier.strip_prefix('/') {
        Some(below) => format!("{}{below}", modules.compiler.base()),
        None => specifier.to_owned(),
    }
}

impl Page {
    /// Nothing is known of it yet.
    fn of(file: FilePath) -> Self {
        Self {
            file,
            hash: Arc::default(),
            entries: Vec::new(),
            loads: Arc::default(),
            sheets: Vec::new(),
            changed_at: 0,
            gone: None,
            stood_at: 0,
            asset_files: Vec::new(),
            has_policy: false,
            versions: VecDeque::new(),
            template: PageTemplate::default(),
            links: Vec::new(),
            assets: Vec::new(),
            imports: Vec::new(),
        }
    }

    /// Notes why it cannot be had; false if that is known.
    fn go(&mut self, error: &std::io::Error, modules: &Modules, seq: u64) -> bool {
        let name = modules.compiler.display(self.file.as_path());
        let message = match error.kind() {
            std::io::ErrorKind::NotFound => format!("the page {name} is gone"),
            _ => format!("the page {name} cannot be read: {error}"),
        };
        let help = "open pages keep working and take updates; this message goes away when the file is back";
        if self.gone.as_ref().is_some_and(|known| known.message == message) {
            return false;
        }
        self.gone = Some(Diagnostic::error(message).in_file(name).with_help(help));
        self.stood_at = seq;
        true
    }

    /// Modules among its scripts and sheets.
    pub fn modules(&self) -> Vec<ModuleId> {
        self.entries.iter().filter_map(Entry::module).chain(self.sheets.iter().copied()).collect()
    }

    /// Files whose edits may change its text.
    pub fn watched(&self) -> Vec<PathBuf> {
        [self.file.as_path().to_owned()].into_iter().chain(self.asset_files.iter().cloned()).collect()
    }

    /// Takes over what tabs have got of the page before.
    fn follow(&mut self, before: &Self) {
        let mut bytes = 0;
        for version in before.versions.iter().rev() {
            bytes += version.text.len() + version.loads.bytes();
            let is_full = self.versions.len() >= MOST_VERSIONS || bytes > VERSIONS_IN_BYTES;
            if is_full && self.versions.len() >= VERSIONS {
                break;
            }
            self.versions.push_front(version.clone());
        }
    }

    /// What a tab is told that has seen the batches up to `seq`.
    pub fn edited_since(&self, seq: u64, url: &str, file: String) -> Option<EditedPage> {
        self.edited_from(self.versions.iter().rev().find(|version| version.since <= seq), url, file)
    }

    /// Notes what tabs get from now on, for a later session.
    fn keep(&self, url: &str, texts: &PageTexts) {
        if let Some(Version { text, loads, .. }) = self.versions.back() {
            texts.keep(url, &self.hash, PageText { text: text.to_string(), loads: Loads::clone(loads) });
        }
    }

    fn edited_from(&self, before: Option<&Version>, url: &str, file: String) -> Option<EditedPage> {
        let now = self.versions.back()?;
        Some(EditedPage {
            page: url.to_owned(),
            file,
            hash: self.hash.to_string(),
            before: before.map(|version| version.text.to_string()),
            after: now.text.to_string(),
            scripts: before.is_none_or(|before| now.loads.differ_from(&before.loads)),
        })
    }

    /// The page's text up to the end of its head, and what follows: `url` is its address, `as_of` says what it is true of,
    /// `preload` names the segments it will need. The styles of what it imports belong between the two.
    pub fn render(&self, url: &str, base: &str, as_of: BatchRef, preload: &[String]) -> (String, String) {
        let state = format!("&amp;session={}&amp;seq={}&amp;text={}", as_of.session, as_of.seq, self.hash);
        let (mut text, head_end) = self.text(url, base, &state, preload);
        let rest = text.split_off(head_end);
        (text, rest)
    }

    /// Style elements for what its scripts import.
    pub fn styles(&self, graph: &ModuleGraph) -> String {
        let entries: Vec<ModuleId> = self.entries.iter().filter_map(Entry::module).collect();
        if self.has_policy { String::new() } else { head_styles(graph, &entries) }
    }

    /// The text, and where its head ends. `state` goes into the address of the page's script.
    fn text(&self, url: &str, base: &str, state: &str, preload: &[String]) -> (String, usize) {
        let mut text = String::new();
        let mut head_end = 0;
        let path = rekindle_graph::paths::encode_path(url).replace('&', "%26");
        for piece in &self.template.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Head => {
                    let runtime = &Runtime::get().address;
                    let otherwise = if self.has_policy { "" } else { WITHOUT_CLIENT };
                    text.push_str(&format!(
                        "<script type=\"module\" src=\"{base}@rekindle/client.js\" data-rekindle-page=\"{path}{state}\"{otherwise}></script>\
                         <link rel=\"modulepreload\" href=\"{base}@rekindle/{runtime}\">"
                    ));
                    text.push_str(&preload_links(base, preload));
                }
                Piece::HeadEnd => head_end = text.len(),
                Piece::Boot => {
                    text.push_str(&format!(
                        "<script type=\"module\" src=\"{base}@rekindle/page.js?path={path}{state}\"></script>"
                    ));
                }
                Piece::Link(at) => text.push_str(&escape_attribute(&self.links[*at])),
                Piece::Asset(at) => text.push_str(&escape_attribute(&self.assets[*at])),
                Piece::Import(at) => text.push_str(&self.imports[*at]),
            }
        }
        (text, head_end)
    }
}
