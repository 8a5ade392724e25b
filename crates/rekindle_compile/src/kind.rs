//! What is made of a module: by its query, its extension, and what holds its source.
//!
//! ```text
//! /a.ts         a script           /a.css          a style         /a.svg          an asset: its address
//! /a.ts?raw     its text           /a.css?inline   the text        /a.svg?inline   its content in the address
//! /a.ts?worker  a constructor      /a.css?direct   the sheet of a <link>
//! ```

use rekindle_graph::ModuleUrl;

use crate::source::Source;

/// What queries of addresses ask for: the file itself, or its content in the address.
pub(crate) const KEEPS_FILE: &str = "no-inline";
pub(crate) const INLINE: &str = "inline";
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

/// What else can be done with a file in a language that is not known.
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
                // The settings name it among what imports may leave out.
                None if is_own_script(extension) => Self::Script,
                None => plugin_of(url.query(), extension).map_or(Self::Asset, Self::OfPlugin),
            },
        }
    }
}

/// Pictures that are made to measure.
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
        match () {
            _ if has("raw") => Self::Raw,
            _ if has("bytes") => Self::Bytes,
            _ if has("worker") => Self::Worker { class: "Worker", address: has("url") },
            _ if has("sharedworker") => Self::Worker { class: "SharedWorker", address: has("url") },
            _ if has("init") => Self::Init,
            _ if has("inline") => Self::Inline,
            _ if has("url") || has("no-inline") => Self::Url,
            _ => Self::Other,
        }
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
        } else if url.asks_for("sheet") {
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

/// Whether a module stands for the sheet of a `<link>`: its definition is the sheet itself.
pub fn is_linked(url: &ModuleUrl) -> bool {
    url.asks_for("direct")
}

/// Whether a module's file is an asset: its definition is an address.
pub fn is_asset(url: &ModuleUrl) -> bool {
    let extension = extension(url.path());
    match Query::of(url) {
        Query::Url => true,
        Query::Other => {
            !SCRIPTS.contains(&extension.as_str())
                && !matches!(extension.as_str(), "json" | "wasm")
                && !is_style(url.path())
        }
        _ => false,
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

/// What stands behind an address in a style says whether it may become part of it. A part of an SVG is shown as a file.
pub(crate) fn inline_wish(suffix: &str) -> Option<&'static str> {
    let has = |name: &str| suffix.trim_start_matches('?').split(['&', '#']).any(|part| part == name);
    match () {
        _ if has(INLINE) => Some(INLINE),
        _ if has(KEEPS_FILE) || suffix.contains('#') => Some(KEEPS_FILE),
        _ => None,
    }
}

/// `dot.svg#a` → (`dot.svg`, `#a`)
pub fn without_suffix(specifier: &str) -> (&str, &str) {
    specifier.find(['#', '?']).map_or((specifier, ""), |at| specifier.split_at(at))
}

/// Whether a module goes through the script compiler: by its kind, or because a page or the binary holds it as one.
pub(crate) fn is_compiled_as_script(url: &ModuleUrl, source: &Source) -> bool {
    matches!(source, Source::Inline { .. }) || is_script(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_and_modules_are_known_by_their_names() {
        assert!(is_style("/a/b.SCSS") && is_style("x.css") && !is_style("/a.css/b") && !is_style("/css"));
        assert!(
            is_style_module("/box.module.less") && !is_style_module("/module.css") && !is_style_module("/a.module.js")
        );
    }
}
