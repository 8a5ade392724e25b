//! Turns an HTML page into a template: its own text, with places where the server puts scripts and addresses.
//!
//! ```html
//! <head><link rel="stylesheet" href="./a.css"></head><body><img src="./b.png"><script type="module" src="./c.js"></script>
//! ```
//! becomes
//! ```text
//! Text(<head>) Head Text(<link rel="stylesheet" href=") Link(0) Text("></head><body><img src=") Asset(0) Text(">) Boot
//! scripts: ./c.js    links: ./a.css    assets: ./b.png
//! ```
//!
//! lol_html only tells where things are; every byte that is not replaced stays as it was written.

use std::ops::Range;

use rekindle_graph::Place;

use crate::kind::{join_query, split_query, without_suffix};
use crate::page::entities::decode_entities;
pub use crate::page::entities::{escape_attribute, escape_text};
use crate::page::imports::imported_addresses;
use crate::page::tags::{Tag, scan};
use crate::page::variables::{env_references, references, with_env};

/// A page, ready to be filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageTemplate {
    pub pieces: Vec<Piece>,
    /// The module scripts in document order; their tags are not in the pieces.
    pub scripts: Vec<PageScript>,
    pub links: Vec<PageLink>,
    pub assets: Vec<PageAsset>,
    /// Modules that plain scripts of the page import when they run, as seen from the page: `./a.js`, `/b.js`.
    pub imports: Vec<String>,
    /// Local addresses in inline styles, which stay as they are written.
    pub style_urls: Vec<String>,
    /// What `<link>` elements would have begun to fetch that a build leaves out.
    pub left_out_preloads: Vec<String>,
    /// `NAME` of each `%NAME%` that is not known.
    pub unknown_env: Vec<String>,
    pub unfilled: Option<UnfilledTemplate>,
    /// `<base href>`: the first counts, for the whole page.
    base: Option<String>,
}

/// Signs that a page was written for a plugin of another tool, which would have filled it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnfilledTemplate {
    /// `<% … %>`, on this line.
    Template { line: u32 },
    /// It has neither a script nor any content.
    Blank,
}

impl UnfilledTemplate {
    /// A sentence about the page; `plugins` are those of the project's configuration that do not run.
    pub fn sentence(self, page: &str, plugins: &[String]) -> String {
        let what = match self {
            Self::Template { line } => {
                format!("{page}:{line}: `<% … %>` stays as it is, since nothing here fills in templates")
            }
            Self::Blank => format!("{page} has neither a script nor any content"),
        };
        match plugins {
            [] => what,
            [one] => format!("{what}; `{one}` of the configuration may do that in Vite, and does not run here"),
            [others @ .., last] => {
                let others = others.join("`, `");
                format!("{what}; `{others}` or `{last}` of the configuration may do that in Vite, and do not run here")
            }
        }
    }
}

impl PageTemplate {
    /// Where the page at `url` would be for what its scripts name to be beside it, if a `<base>` says so.
    ///
    /// ```text
    /// <base href="/lib/"> in /sub/page.html  →  /lib/page.html
    /// ```
    pub fn as_if(&self, url: &str) -> Option<String> {
        let name = &url[url.rfind('/').map_or(0, |slash| slash + 1)..];
        let seen = below_base(self.base.as_ref()?, name);
        is_local(&seen).then(|| below_base(url, &seen))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    /// Where the client script goes: before anything else of the page can run. There is exactly one.
    Head,
    /// The end of the head: where sheets go that scripts import. There is exactly one.
    HeadEnd,
    /// The place of the first module script, or the end of the body. There is exactly one.
    Boot,
    /// The address of `links[i]`, as the value of an attribute: to be escaped with [`escape_attribute`].
    Link(usize),
    /// The address of `assets[i]`, as the value of an attribute: to be escaped with [`escape_attribute`].
    Asset(usize),
    /// The address of `imports[i]`, in a string of a script.
    Import(usize),
}

/// A module script of the page. `offset` is the byte in the page's source where the specifier or the code starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageScript {
    External { specifier: String, offset: usize },
    Inline { code: String, offset: usize },
}

/// A local `<link rel="stylesheet">`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageLink {
    pub specifier: String,
}

/// A local address in any other attribute that the browser fetches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageAsset {
    pub specifier: String,
    /// The address must not become a `data:` address: programs that read a `<link>` or a `<meta>` expect a file.
    pub wants_file: bool,
    /// A script that is no module.
    pub is_script: bool,
}

/// Reads a page; `env` gives the value of a `%NAME%`, if the name is known.
pub(crate) fn parse_page(source: &str, env: &dyn Fn(&str) -> Option<String>) -> PageTemplate {
    parse(source, env, None)
}

/// The same for a build, in which modules have other addresses: elements that begin to fetch one go, where `is_module` says
/// so of what they name.
pub(crate) fn parse_page_for_build(
    source: &str,
    env: &dyn Fn(&str) -> Option<String>,
    is_module: &dyn Fn(&str) -> bool,
) -> PageTemplate {
    parse(source, env, Some(is_module))
}

fn parse(source: &str, env: &dyn Fn(&str) -> Option<String>, is_module: Option<&dyn Fn(&str) -> bool>) -> PageTemplate {
    let tags = scan(source);
    let mut plan = Plan { source, env, is_module, template: PageTemplate::default(), edits: Vec::new() };
    let mut bases = tags.iter().filter(|tag| tag.name == "base" && !tag.inert);
    plan.template.base = bases.find_map(|tag| Some(plan.decode(&tag.attribute("href")?.value)));
    plan.place_head(&tags);
    for tag in &tags {
        plan.read_tag(tag);
    }
    plan.place_boot(&tags);
    plan.read_env(&tags);
    plan.read_inline_styles(&tags);
    plan.read_plain_scripts(&tags);
    plan.template.unfilled = unfilled(source, &tags);
    plan.finish()
}

/// In a page `main.js` means `./main.js`, and `m%20a.js` the file `m a.js`.
pub fn relative_specifier(specifier: &str) -> String {
    if specifier.contains("://") || specifier.starts_with("//") {
        return specifier.to_owned();
    }
    let (path, query) = split_query(specifier);
    let path = percent_encoding::percent_decode_str(path).decode_utf8().unwrap_or(path.into());
    let beside = if path.starts_with(['.', '/']) { "" } else { "./" };
    join_query(&format!("{beside}{path}"), query)
}

/// Where the text of a page without tags ends: at a comment that has no end, if there is one.
fn end_of_text(source: &str) -> usize {
    let mut from = 0;
    while let Some(start) = source[from..].find("<!--").map(|at| from + at) {
        match source[start..].find("-->") {
            Some(length) => from = start + length,
            None => return start,
        }
    }
    source.len()
}

/// What a relative address means in a page with a `<base href>`.
fn below_base(base: &str, address: &str) -> String {
    let folder = &base[..base.rfind('/').map_or(0, |slash| slash + 1)];
    if address.starts_with('/') || folder.is_empty() {
        return address.to_owned();
    }
    if !folder.starts_with('/') || folder.starts_with("//") {
        return format!("{folder}{}", address.strip_prefix("./").unwrap_or(address));
    }
    let (path, query) = without_suffix(address);
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}{query}", parts.join("/"))
}

/// `code` below as many lines, and behind as many columns, as in the page: its positions are the page's.
pub(crate) fn where_it_stands(page: &str, offset: usize, code: &str) -> String {
    let place = Place::of_offset(page, offset);
    let lines = "\n".repeat(place.line as usize - 1);
    format!("{lines}{}{code}", " ".repeat(place.column as usize - 1))
}

/// Elements that show something, or lead to where something is, without a text in them.
const VISIBLE_ELEMENTS: [&str; 18] = [
    "audio", "button", "canvas", "embed", "frameset", "hr", "iframe", "img", "input", "link", "math", "meter",
    "object", "progress", "style", "svg", "textarea", "video",
];

fn unfilled(source: &str, tags: &[Tag]) -> Option<UnfilledTemplate> {
    let raw = |tag: &&Tag| matches!(tag.name.as_str(), "script" | "style" | "head" | "template");
    let raws: Vec<(&str, Range<usize>)> =
        tags.iter().filter(raw).map(|tag| (tag.name.as_str(), tag.content_range(source))).collect();
    let is_code =
        |at: usize| raws.iter().any(|(name, range)| matches!(*name, "script" | "style") && range.contains(&at));
    let comments = comments(source);
    let is_comment = |at: usize| comments.iter().any(|range| range.contains(&at));
    let mut openings = source.match_indices("<%").map(|(at, _)| at);
    if let Some(at) = openings.find(|at| source[*at..].contains("%>") && !is_code(*at) && !is_comment(*at)) {
        return Some(UnfilledTemplate::Template { line: Place::of_offset(source, at).line });
    }
    let shows = |tag: &Tag| match tag.name.as_str() {
        "script" => true,
        "link" => tag.has_word("rel", &["stylesheet"]),
        "meta" => tag.attribute("http-equiv").is_some_and(|it| it.value.eq_ignore_ascii_case("refresh")),
        name => VISIBLE_ELEMENTS.contains(&name),
    };
    if tags.iter().any(|tag| !tag.inert && shows(tag)) {
        return None;
    }
    let is_hidden = |at: usize| is_comment(at) || raws.iter().any(|(_, range)| range.contains(&at));
    let mut in_tag = false;
    let has_text = source.char_indices().any(|(at, c)| {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => in_tag = false,
            _ => return !in_tag && !c.is_whitespace() && !is_hidden(at),
        }
        false
    });
    (!has_text).then_some(UnfilledTemplate::Blank)
}

fn comments(source: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while let Some(start) = source[at..].find("<!--").map(|gap| at + gap) {
        let end = source[start..].find("-->").map_or(source.len(), |gap| start + gap + 3);
        found.push(start..end);
        at = end;
    }
    found
}

/// What is to be replaced in the page.
struct Plan<'a> {
    source: &'a str,
    env: &'a dyn Fn(&str) -> Option<String>,
    is_module: Option<&'a dyn Fn(&str) -> bool>,
    template: PageTemplate,
    edits: Vec<Edit>,
}

struct Edit {
    range: Range<usize>,
    piece: Option<Piece>,
}

impl Plan<'_> {
    fn edit(&mut self, range: Range<usize>, piece: Option<Piece>) {
        self.edits.push(Edit { range, piece });
    }

    fn place_head(&mut self, tags: &[Tag]) {
        let live = || tags.iter().filter(|tag| !tag.inert);
        let at = if let Some(head) = live().find(|tag| tag.name == "head") {
            head.range.end
        } else if let Some(html) = live().find(|tag| tag.name == "html") {
            html.range.end
        } else {
            // The parser opens a head by itself before a script that comes first.
            tags.first().map_or_else(|| end_of_text(self.source), |tag| tag.range.start)
        };
        self.edit(at..at, Some(Piece::Head));
        let end_tag = live().find(|tag| tag.name == "head").and_then(|head| head.end.as_ref());
        let body = || live().find(|tag| tag.name == "body").map(|body| body.range.start);
        let end = end_tag.map(|end| end.start).or_else(body).unwrap_or(at).max(at);
        self.edit(end..end, Some(Piece::HeadEnd));
    }

    fn place_boot(&mut self, tags: &[Tag]) {
        if self.edits.iter().any(|edit| edit.piece == Some(Piece::Boot)) {
            return;
        }
        let body_end = tags.iter().find(|tag| tag.name == "body" && !tag.inert).and_then(|body| body.end.clone());
        let at = body_end.map_or(self.source.len(), |end| end.start);
        self.edit(at..at, Some(Piece::Boot));
    }

    fn read_tag(&mut self, tag: &Tag) {
        if tag.attribute("vite-ignore").is_some() {
            return self.remove_attribute(tag, "vite-ignore");
        }
        match tag.name.as_str() {
            "script" if tag.is_module_script() => self.read_module_script(tag),
            "script" if runs_as_classic_script(tag) => self.read_addresses(tag, &["src"]),
            "script" => {}
            "link" if tag.has_word("rel", &["stylesheet"]) => self.read_stylesheet(tag),
            "link" if tag.has_word("rel", &["modulepreload"]) || tag.has_word("as", &["script"]) => {
                self.read_preload(tag)
            }
            "link" if tag.has_word("rel", &ASSET_RELS) => {
                self.read_addresses(tag, &["href"]);
                self.read_srcset(tag, "imagesrcset");
            }
            "meta" if tag.has_word("property", &ASSET_PROPERTIES) || tag.has_word("name", &ASSET_NAMES) => {
                self.read_addresses(tag, &["content"]);
            }
            "img" | "source" => {
                self.read_addresses(tag, &["src"]);
                self.read_srcset(tag, "srcset");
            }
            "audio" | "embed" | "input" | "track" => self.read_addresses(tag, &["src"]),
            "video" => self.read_addresses(tag, &["src", "poster"]),
            "object" => self.read_addresses(tag, &["data"]),
            "image" | "use" => self.read_addresses(tag, &["href", "xlink:href"]),
            _ => {}
        }
    }

    /// lol_html gives no usable location for an attribute without a value, so the tag's text is searched.
    fn remove_attribute(&mut self, tag: &Tag, name: &str) {
        let text = &self.source[tag.range.clone()];
        let lowercase = text.to_ascii_lowercase();
        let is_start = |at: usize| text[..at].ends_with(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\''));
        let Some(at) = lowercase.match_indices(name).map(|(at, _)| at).find(|&at| is_start(at)) else { return };
        let start = tag.range.start + text[..at].trim_end().len();
        let value = tag.attribute(name).and_then(|attribute| attribute.value_range.clone());
        let end = match value.filter(|value| !value.is_empty()) {
            Some(value) => value.end + usize::from(self.source[value.end..].starts_with(['"', '\''])),
            None => tag.range.start + at + name.len(),
        };
        self.edit(start..end, None);
    }

    fn read_module_script(&mut self, tag: &Tag) {
        if tag.inert {
            return;
        }
        let script = match tag.attribute("src") {
            Some(src) => {
                let specifier = self.address(&src.value);
                if !is_local(&specifier) {
                    return;
                }
                let offset = src.value_range.as_ref().map_or(src.name_start, |value| value.start);
                PageScript::External { specifier, offset }
            }
            None => {
                let content = tag.content_range(self.source);
                PageScript::Inline { offset: content.start, code: with_env(&self.source[content], self.env) }
            }
        };
        let piece = self.template.scripts.is_empty().then_some(Piece::Boot);
        self.template.scripts.push(script);
        self.edit(tag.element_range(self.source), piece);
    }

    fn read_stylesheet(&mut self, tag: &Tag) {
        let Some(href) = tag.attribute("href") else { return };
        let (specifier, Some(range)) = (self.address(&href.value), href.value_range.clone()) else { return };
        if is_local(&specifier) {
            self.replace_value(range, Piece::Link(self.template.links.len()));
            self.template.links.push(PageLink { specifier });
        }
    }

    /// In development modules have no addresses of their own, and other files keep theirs.
    fn read_preload(&mut self, tag: &Tag) {
        let Some(href) = tag.attribute("href") else { return };
        let specifier = self.address(&href.value);
        let Some(is_module) = self.is_module else {
            if is_local(&specifier) && tag.has_word("rel", &["modulepreload"]) {
                self.edit(tag.range.clone(), None);
            }
            return;
        };
        if is_local(&specifier) && is_module(&specifier) {
            self.template.left_out_preloads.push(specifier);
            return self.edit(tag.range.clone(), None);
        }
        self.read_addresses(tag, &["href"]);
    }

    /// `url()` in `<style>` elements and `style` attributes.
    fn read_inline_styles(&mut self, tags: &[Tag]) {
        for tag in tags {
            let own = tag.attribute("style").map(|attribute| decode_entities(&attribute.value));
            let content = (tag.name == "style").then(|| self.source[tag.content_range(self.source)].to_owned());
            for css in own.into_iter().chain(content) {
                let urls = css.match_indices("url(").filter_map(|(at, _)| css[at + 4..].split(')').next());
                let urls = urls.map(|url| url.trim().trim_matches(['"', '\'']).to_owned());
                self.template.style_urls.extend(urls.filter(|url| is_local(url)));
            }
        }
    }

    /// `import()` in scripts of no modules and in handlers.
    fn read_plain_scripts(&mut self, tags: &[Tag]) {
        for tag in tags.iter().filter(|tag| !tag.inert) {
            let handlers = tag.attributes.iter().filter(|attribute| attribute.name.starts_with("on"));
            let is_script = tag.name == "script" && tag.attribute("src").is_none() && runs_as_classic_script(tag);
            let content = is_script.then(|| tag.content_range(self.source));
            for code in handlers.filter_map(|handler| handler.value_range.clone()).chain(content) {
                for address in imported_addresses(&self.source[code.clone()]) {
                    self.add_import(code.start + address.start..code.start + address.end);
                }
            }
        }
    }

    fn add_import(&mut self, range: Range<usize>) {
        let written = &self.source[range.clone()];
        let is_path = ["/", "./", "../"].iter().any(|start| written.starts_with(start)) && is_local(written);
        if !is_path || !env_references(written, self.env).is_empty() {
            return;
        }
        let specifier =
            self.template.base.as_ref().map_or_else(|| written.to_owned(), |base| below_base(base, written));
        let piece = Piece::Import(self.template.imports.len());
        self.template.imports.push(specifier);
        self.edit(range, Some(piece));
    }

    fn read_addresses(&mut self, tag: &Tag, names: &[&str]) {
        for attribute in names.iter().filter_map(|name| tag.attribute(name)) {
            if let Some(range) = attribute.value_range.clone() {
                self.add_asset(tag, range);
            }
        }
    }

    /// `./a.png 1x, ./b.png 2x`: several addresses in one value.
    fn read_srcset(&mut self, tag: &Tag, name: &str) {
        let Some(range) = tag.attribute(name).and_then(|attribute| attribute.value_range.clone()) else { return };
        let value = &self.source[range.clone()];
        let is_gap = |c: char| c.is_ascii_whitespace() || c == ',';
        let mut at = 0;
        while let Some(start) = value[at..].find(|c| !is_gap(c)).map(|gap| at + gap) {
            let end =
                value[start..].find(|c: char| c.is_ascii_whitespace()).map_or(value.len(), |length| start + length);
            let address = value[start..end].trim_end_matches(',');
            self.add_asset(tag, range.start + start..range.start + start + address.len());
            let has_descriptor = start + address.len() == end;
            at = if has_descriptor { value[end..].find(',').map_or(value.len(), |comma| end + comma) } else { end };
        }
    }

    fn add_asset(&mut self, tag: &Tag, range: Range<usize>) {
        let specifier = self.address(&self.source[range.clone()]);
        if is_local(&specifier) {
            let piece = Piece::Asset(self.template.assets.len());
            self.replace_value(range, piece);
            let wants_file = matches!(tag.name.as_str(), "link" | "meta");
            self.template.assets.push(PageAsset { specifier, wants_file, is_script: tag.name == "script" });
        }
    }

    /// An unquoted value gets quotes, since what comes instead may need them.
    fn replace_value(&mut self, range: Range<usize>, piece: Piece) {
        let quoted = self.source[..range.start].ends_with(['"', '\'']);
        let in_list = self.source[..range.start].ends_with([' ', ',', '\n', '\t', '\r']);
        if quoted || in_list {
            return self.edit(range, Some(piece));
        }
        self.edit(range.start..range.start, Some(Piece::Text("\"".to_owned())));
        self.edit(range.clone(), Some(piece));
        self.edit(range.end..range.end, Some(Piece::Text("\"".to_owned())));
    }

    /// The address that an attribute value means, seen from the page.
    fn address(&self, value: &str) -> String {
        let address = self.decode(value);
        match &self.template.base {
            Some(base) if is_local(&address) => below_base(base, &address),
            _ => address,
        }
    }

    /// The text that an attribute value means: entities read, `%NAME%` replaced.
    fn decode(&self, value: &str) -> String {
        let value = decode_entities(value.trim());
        with_env(&value, self.env)
    }

    /// `%NAME%` anywhere but in module scripts, which are no part of the text any more.
    fn read_env(&mut self, tags: &[Tag]) {
        let raw: Vec<Range<usize>> = tags
            .iter()
            .filter(|tag| matches!(tag.name.as_str(), "script" | "style"))
            .map(|tag| tag.content_range(self.source))
            .collect();
        self.template.unknown_env = references(self.source)
            .filter(|(_, name)| (self.env)(name).is_none())
            .map(|(_, name)| name.to_owned())
            .collect();
        for (range, value) in env_references(self.source, self.env) {
            let is_raw = raw.iter().any(|content| content.contains(&range.start));
            let text = if is_raw { value } else { escape_attribute(&value).into_owned() };
            self.edit(range, Some(Piece::Text(text)));
        }
    }

    fn finish(mut self) -> PageTemplate {
        // Stable: of two edits at one place the earlier planned comes first, so Head precedes Boot.
        self.edits.sort_by_key(|edit| edit.range.start);
        let mut done = 0;
        for edit in self.edits {
            // Inside a part that is already replaced: `%NAME%` in the address of a link.
            if edit.range.start < done {
                continue;
            }
            push_text(&mut self.template.pieces, &self.source[done..edit.range.start]);
            done = edit.range.end;
            match edit.piece {
                Some(Piece::Text(text)) => push_text(&mut self.template.pieces, &text),
                Some(piece) => self.template.pieces.push(piece),
                None => {}
            }
        }
        push_text(&mut self.template.pieces, &self.source[done..]);
        self.template
    }
}

const ASSET_RELS: [&str; 10] = [
    "icon",
    "apple-touch-icon",
    "apple-touch-icon-precomposed",
    "apple-touch-startup-image",
    "mask-icon",
    "manifest",
    "image_src",
    "preload",
    "prefetch",
    "fluid-icon",
];

const ASSET_PROPERTIES: [&str; 8] = [
    "og:image",
    "og:image:url",
    "og:image:secure_url",
    "og:audio",
    "og:audio:secure_url",
    "og:video",
    "og:video:secure_url",
    "og:logo",
];

const ASSET_NAMES: [&str; 7] = [
    "msapplication-tileimage",
    "msapplication-square70x70logo",
    "msapplication-square150x150logo",
    "msapplication-wide310x150logo",
    "msapplication-square310x310logo",
    "msapplication-config",
    "twitter:image",
];

/// Import maps, JSON and templates of other languages are not scripts the browser fetches.
fn runs_as_classic_script(tag: &Tag) -> bool {
    let kind = tag.attribute("type").map_or("", |attribute| attribute.value.trim()).to_ascii_lowercase();
    matches!(kind.as_str(), "" | "text/javascript" | "application/javascript" | "text/ecmascript")
}

/// Whether an address leads to the project rather than elsewhere.
pub(crate) fn is_local(address: &str) -> bool {
    if address.is_empty() || address.starts_with(['#', '?']) || address.starts_with("//") {
        return false;
    }
    let scheme_end = address.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')));
    let has_scheme = scheme_end.is_some_and(|end| end > 0 && address[end..].starts_with(':'));
    !has_scheme
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Text(last)) => last.push_str(text),
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests;
