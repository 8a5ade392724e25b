//! What is made of a module: by its query, its extension, and what holds its source.
//!
//! ```text
//! /a.ts         a script           /a.css          a style         /a.svg          an asset: its address
//! /a.ts?raw     its text           /a.css?inline   the text        /a.svg?inline   its content in the address
//! /a.ts?worker  a constructor      /a.css?direct   the sheet of a <link>
//! /index.html?html-proxy&index=0.js                a script that is written into a page
//! ```
//!
//! Whatever a query of a module can say is said here and nowhere else, also where one file gives several modules, as a page
//! does with its scripts, and where a specifier ends and its query begins. The client's `core/query.ts` has the words that a tab
//! needs. What a request asks of the server itself (`/@rekindle/load.js?id=…`) is read in the server's `http/address.rs`.

use rekindle_graph::ModuleUrl;

use crate::source::Source;

/// The address of an asset leads to its file, however small that is.
pub(crate) const KEEPS_FILE: &str = "no-inline";
/// The content takes the place of the address: that of a sheet, an asset, or a worker's script.
pub(crate) const INLINE: &str = "inline";
/// The text of a file.
pub(crate) const RAW: &str = "raw";
/// The address of a file.
pub(crate) const URL: &str = "url";
/// The content of a file, as numbers.
const BYTES: &str = "bytes";
/// A constructed sheet, which an import with `type: 'css'` gives.
const SHEET: &str = "sheet";
/// The sheet that a `<link>` leads to.
pub const LINKED: &str = "direct";
/// A worker is started as a classic script.
const CLASSIC: &str = "classic";
/// What a module of Node is called, and the module that imports it: parts of the query of its stand-in.
const NODE_NAME: &str = "id";
const NODE_IMPORTER: &str = "by";
/// In a build: the sheet of a CSS module alone, which is there whoever uses its names.
pub const SHEET_OF_MODULE: &str = "rekindle-sheet";

const SCRIPTS: [&str; 8] = ["js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx"];
/// Kinds of files that need a tool which is not there (yet).
const UNSUPPORTED: [(&str, &str); 3] = [("vue", "Vue"), ("svelte", "Svelte"), ("astro", "Astro")];
/// Extensions of files that are styles.
const STYLES: [&str; 9] = ["css", "scss", "sass", "less", "styl", "stylus", "pcss", "postcss", "sss"];

/// Whether a path names a stylesheet, in whatever language.
pub fn is_style(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').is_some_and(|(_, extension)| STYLES.contains(&extension.to_ascii_lowercase().as_str()))
}

/// Whether a path names a CSS module: `box.module.css`, `box.module.scss`.
pub fn is_style_module(path: &str) -> bool {
    is_style(path) && path.rsplit_once('.').is_some_and(|(stem, _)| stem.ends_with(".module"))
}

/// Advice for a file in a language that nothing here compiles.
pub(crate) const UNSUPPORTED_HELP: &str = "compile it to JavaScript beforehand, or import it with `?raw` or `?url`";

/// What a module is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Script,
    Style,
    Json,
    Raw,
    Bytes,
    DataUrl,
    Asset,
    Worker {
        class: &'static str,
        address: bool,
    },
    WasmInit,
    Wasm,
    /// In the language of this tool.
    Unsupported(&'static str),
    /// With a query that means something to this plugin.
    OfPlugin(&'static str),
}

impl Kind {
    /// What is made of the module at `url`. `is_own_script` says which extensions the settings name among scripts.
    pub fn of(url: &ModuleUrl, source: &Source, is_own_script: &dyn Fn(&str) -> bool) -> Self {
        if is_compiled_as_script(url, source) {
            return Self::Script;
        }
        let is_style = is_style(url.path());
        match (Query::of(url), extension(url.path()).as_str()) {
            (Query::Worker { class, address }, _) => Self::Worker { class, address },
            (Query::Init, _) => Self::WasmInit,
            (Query::Raw, _) => Self::Raw,
            (Query::Bytes, _) => Self::Bytes,
            (Query::Url, _) => Self::Asset,
            (Query::Inline | Query::Other, _) if is_style => Self::Style,
            (Query::Inline, _) => Self::DataUrl,
            (Query::Other, "json") => Self::Json,
            (Query::Other, "wasm") => Self::Wasm,
            (Query::Other, extension) => match UNSUPPORTED.iter().find(|(known, _)| *known == extension) {
                Some((_, tool)) => Self::Unsupported(tool),
                // The settings list its extension among those that imports may leave out.
                None if is_own_script(extension) => Self::Script,
                None => plugin_of(url.query(), extension).map_or(Self::Asset, Self::OfPlugin),
            },
        }
    }
}

/// Extensions of pictures that image plugins of Vite transform by a query.
const PICTURES: [&str; 8] = ["png", "jpg", "jpeg", "webp", "avif", "gif", "tiff", "svg"];

/// The plugin that a query of a picture belongs to; any other query only makes another instance.
fn plugin_of(query: &str, extension: &str) -> Option<&'static str> {
    if !PICTURES.contains(&extension) {
        return None;
    }
    query.split('&').find_map(|part| match part.split_once('=') {
        None if extension == "svg" && matches!(part, "react" | "jsx") => Some("vite-plugin-svgr"),
        None if extension == "svg" && matches!(part, "component" | "skipsvgo") => Some("vite-svg-loader"),
        None if part == "enhanced" => Some("@sveltejs/enhanced-img"),
        Some(("w" | "h" | "width" | "height" | "format" | "quality" | "aspect" | "as" | "preset", _)) => {
            Some("vite-imagetools")
        }
        _ => None,
    })
}

/// What a query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Query {
    Raw,
    Url,
    Inline,
    Bytes,
    /// `?worker`, `?sharedworker`: a constructor, or with `&url` an address.
    Worker {
        class: &'static str,
        address: bool,
    },
    /// `?init`: a function that instantiates WebAssembly.
    Init,
    /// None, or one that only makes another instance.
    Other,
}

impl Query {
    fn of(url: &ModuleUrl) -> Self {
        let has = |name: &str| url.asks_for(name);
        // The first that the query has counts.
        let words = [
            (RAW, Self::Raw),
            (BYTES, Self::Bytes),
            ("worker", Self::Worker { class: "Worker", address: has(URL) }),
            ("sharedworker", Self::Worker { class: "SharedWorker", address: has(URL) }),
            ("init", Self::Init),
            (INLINE, Self::Inline),
            (URL, Self::Url),
            (KEEPS_FILE, Self::Url),
        ];
        words.into_iter().find(|(word, _)| has(word)).map_or(Self::Other, |(_, query)| query)
    }
}

/// What is done with the sheet of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StyleUse {
    /// `import './a.css'`: a style element.
    Page,
    /// `?inline`: the text.
    Text,
    /// `with { type: 'css' }`: a constructed sheet.
    Sheet,
    /// The text itself, for a `<link>`; placeholders of addresses stay in it.
    Link,
}

impl StyleUse {
    pub(crate) fn of(url: &ModuleUrl) -> Self {
        if is_linked(url) {
            Self::Link
        } else if Query::of(url) == Query::Inline {
            Self::Text
        } else if url.asks_for(SHEET) {
            Self::Sheet
        } else {
            Self::Page
        }
    }
}

/// Whether a module's address asks for nothing but the file.
pub(crate) fn asks_for_nothing(url: &ModuleUrl) -> bool {
    Query::of(url) == Query::Other
}

/// Whether the address of an asset must not be its content.
pub(crate) fn keeps_file(url: &ModuleUrl) -> bool {
    url.asks_for(KEEPS_FILE)
}

/// Whether the content of a file takes the place of its address.
pub fn asks_for_content(url: &ModuleUrl) -> bool {
    url.asks_for(INLINE)
}

/// Whether a worker is started as a classic script.
pub fn is_classic_worker(url: &ModuleUrl) -> bool {
    url.asks_for(CLASSIC)
}

/// Whether the query of a request asks for the script that a worker starts with.
pub fn is_worker_file(query: &str) -> bool {
    query.split('&').any(|part| part.trim_end_matches('=') == "worker_file")
}

/// Whether a module stands for the sheet of a `<link>`: its definition is the sheet itself.
pub fn is_linked(url: &ModuleUrl) -> bool {
    url.asks_for(LINKED)
}

/// The module that stands for the sheet of a `<link>` to the style at `path`.
pub fn linked_sheet(path: &str) -> ModuleUrl {
    ModuleUrl::new(join_query(path, Some(LINKED)))
}

/// Whether importing the module puts a sheet on the page, or would if it is a CSS module.
pub fn is_sheet_of_page(url: &ModuleUrl) -> bool {
    is_style(url.path()) && Query::of(url) == Query::Other
}

/// Script number `index` that is written into the page at `page`: one file gives several modules.
pub fn inline_script(page: &str, index: usize) -> ModuleUrl {
    ModuleUrl::new(join_query(page, Some(&format!("html-proxy&index={index}.js"))))
}

/// The query of a worker's address, as code asks for it that names the worker with `new URL()`.
pub(crate) fn worker_address_query(is_shared: bool, is_module: bool) -> String {
    let class = if is_shared { "sharedworker" } else { "worker" };
    format!("{class}&{URL}&{}", if is_module { "module" } else { CLASSIC })
}

/// The query of the address of a file that code names with `new URL()`. With `needs_file` it never is the content of the file: text
/// behind it would break that.
pub(crate) fn file_address_query(needs_file: bool) -> String {
    if needs_file { format!("{URL}&{KEEPS_FILE}") } else { URL.to_owned() }
}

/// The module below `path` that stands for the module of Node `name` in `importer`.
pub(crate) fn node_stand_in(path: &str, name: &str, importer: &str) -> ModuleUrl {
    let encode = |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
    let query = format!("{NODE_NAME}={}&{NODE_IMPORTER}={}", encode(name), encode(importer));
    ModuleUrl::new(join_query(path, Some(&query)))
}

/// The module of Node and its importer that such a stand-in is for.
pub fn node_module(stand_in: &ModuleUrl) -> (String, String) {
    let value = |name: &str| {
        let found = stand_in.query().split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        percent_encoding::percent_decode_str(found.unwrap_or_default()).decode_utf8_lossy().into_owned()
    };
    (value(NODE_NAME), value(NODE_IMPORTER))
}

/// In a build: the id of the sheet alone of the CSS module with this id, or specifier.
pub fn sheet_of_module(module: &str) -> String {
    with_suffix(module, &format!("?{SHEET_OF_MODULE}"))
}

/// The CSS module whose sheet this is the id of.
pub fn module_of_sheet(sheet: &str) -> Option<&str> {
    sheet.strip_suffix(SHEET_OF_MODULE)?.strip_suffix(['?', '&'])
}

/// What an import says with an attribute, as a query: `with { type: 'text' }` → `raw`.
pub(crate) fn query_of_attribute(attribute: &str) -> Option<&'static str> {
    match attribute {
        "text" => Some(RAW),
        "css" => Some(SHEET),
        "bytes" => Some(BYTES),
        _ => None,
    }
}

/// Whether a module is JavaScript or TypeScript.
pub fn is_script(url: &ModuleUrl) -> bool {
    Query::of(url) == Query::Other && SCRIPTS.contains(&extension(url.path()).as_str())
}

pub(crate) fn extension(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default()
}

/// Whether an address in a style may become part of the style, judged by what follows the path. An SVG with a fragment (`#a`)
/// stays a file.
pub(crate) fn inline_wish(suffix: &str) -> Option<&'static str> {
    let has = |name: &str| suffix.trim_start_matches('?').split(['&', '#']).any(|part| part == name);
    if has(INLINE) {
        Some(INLINE)
    } else if has(KEEPS_FILE) || suffix.contains('#') {
        Some(KEEPS_FILE)
    } else {
        None
    }
}

/// The specifier with what an attribute of its import says: (`./a.txt`, `text`) → `./a.txt?raw`. None if the attribute says
/// nothing here.
pub(crate) fn with_attribute(specifier: &str, attribute: &str) -> Option<String> {
    let query = query_of_attribute(attribute)?;
    Some(join_query(path_of(specifier), Some(query)))
}

/// `dot.svg#a` → (`dot.svg`, `#a`)
pub fn without_suffix(specifier: &str) -> (&str, &str) {
    specifier.find(['#', '?']).map_or((specifier, ""), |at| specifier.split_at(at))
}

/// The same of a `url(…)` in a style, where a `#` at the start is a subpath import of a package:
/// `#icon.svg?x#y` → (`#icon.svg`, `?x#y`)
pub(crate) fn without_suffix_in_style(url: &str) -> (&str, &str) {
    let end = url.char_indices().skip(1).find(|(_, c)| matches!(c, '?' | '#')).map_or(url.len(), |(at, _)| at);
    url.split_at(end)
}

/// `./a.ts?worker&url` → (`./a.ts`, `worker&url`)
pub fn split_query(specifier: &str) -> (&str, Option<&str>) {
    specifier.split_once('?').map_or((specifier, None), |(path, query)| (path, Some(query)))
}

/// (`./a.ts`, `worker&url`) → `./a.ts?worker&url`
pub fn join_query(path: &str, query: Option<&str>) -> String {
    query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
}

/// `?raw` and `raw` → `raw`: options may be written in both ways.
pub(crate) fn without_mark(query: &str) -> &str {
    query.trim_start_matches('?')
}

/// `./a.ts?raw` → `./a.ts`
pub fn path_of(specifier: &str) -> &str {
    split_query(specifier).0
}

/// An address with what follows it where it is written: (`/a.svg?v=1`, `?x#top`) → `/a.svg?v=1&x#top`
pub fn with_suffix(address: &str, suffix: &str) -> String {
    match suffix.strip_prefix('?') {
        // The address is the content of the file, so a query would be part of that.
        Some(_) if address.starts_with("data:") => address.to_owned(),
        Some(rest) if split_query(address).1.is_some() => format!("{address}&{rest}"),
        _ => format!("{address}{suffix}"),
    }
}

/// Whether a module goes through the script compiler: by its kind, or because a page or the binary holds it as one.
pub(crate) fn is_compiled_as_script(url: &ModuleUrl, source: &Source) -> bool {
    matches!(source, Source::Inline { .. }) || is_script(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_specifier_ends_where_its_query_or_fragment_begins() {
        assert_eq!(split_query("./a.ts?worker&url"), ("./a.ts", Some("worker&url")));
        assert_eq!(split_query("./a.ts?"), ("./a.ts", Some("")));
        assert_eq!(split_query("./a.ts"), ("./a.ts", None));
        assert_eq!(join_query("./a.ts", Some("worker&url")), "./a.ts?worker&url");
        assert_eq!(without_suffix("./a.svg#x?y"), ("./a.svg", "#x?y"));
        assert_eq!(without_suffix_in_style("#icon.svg?x#y"), ("#icon.svg", "?x#y"));
        assert_eq!(with_suffix("/a.svg?v=1", "?x#top"), "/a.svg?v=1&x#top");
        assert_eq!(with_suffix("/a.svg", "?x#top"), "/a.svg?x#top");
        assert_eq!(with_suffix("/a.svg?v=1", "#top"), "/a.svg?v=1#top");
        assert_eq!(with_suffix("data:,a", "?inline"), "data:,a");
    }

    #[test]
    fn queries_that_are_made_here_are_understood_here() {
        let of = |path: &str, query: &str| Query::of(&ModuleUrl::new(format!("{path}?{query}")));
        let shared = Query::Worker { class: "SharedWorker", address: true };
        assert_eq!(of("/w.ts", &worker_address_query(true, true)), shared);
        assert!(is_classic_worker(&ModuleUrl::new(format!("/w.ts?{}", worker_address_query(false, false)))));
        assert_eq!(of("/a.svg", &file_address_query(true)), Query::Url);
        assert_eq!(module_of_sheet(&sheet_of_module("/a.module.css?v=1")), Some("/a.module.css?v=1"));
        assert_eq!(of("/a.txt", query_of_attribute("text").unwrap()), Query::Raw);
        assert_eq!(with_attribute("./a.txt?url", "text").as_deref(), Some("./a.txt?raw"));
        assert_eq!(node_module(&node_stand_in("/node.cjs", "fs", "/a b.js")), ("fs".to_owned(), "/a b.js".to_owned()));
        assert_eq!(StyleUse::of(&linked_sheet("/a.css")), StyleUse::Link);
        assert!(is_sheet_of_page(&ModuleUrl::new("/a.css?v=1")) && !is_sheet_of_page(&ModuleUrl::new("/a.css?bytes")));
        assert!(is_worker_file("worker_file=&type=module") && !is_worker_file("worker"));
    }

    #[test]
    fn styles_and_modules_are_known_by_their_names() {
        assert!(is_style("/a/b.SCSS") && is_style("x.css") && !is_style("/a.css/b") && !is_style("/css"));
        assert!(
            is_style_module("/box.module.less") && !is_style_module("/module.css") && !is_style_module("/a.module.js")
        );
    }
}
