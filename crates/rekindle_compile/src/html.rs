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

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use lol_html::html_content::{Element, EndTag};
use lol_html::{HtmlRewriter, Settings, element, end_tag};
use rekindle_graph::Place;

use crate::page_imports::imported_addresses;

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
    /// `NAME` of each `%NAME%` that is not known.
    pub unknown_env: Vec<String>,
    pub unfilled: Option<Unfilled>,
    /// `<base href>`: the first counts, for the whole page.
    base: Option<String>,
}

/// Why a page is not what its author meant: a plugin of another tool would have filled it in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfilled {
    /// `<% … %>`, on this line.
    Template { line: u32 },
    /// It has neither a script nor anything to see.
    Blank,
}

impl Unfilled {
    /// A sentence about the page; `plugins` are those of the project's configuration that do not run.
    pub fn sentence(self, page: &str, plugins: &[String]) -> String {
        let what = match self {
            Self::Template { line } => {
                format!("{page}:{line}: `<% … %>` stays as it is, since nothing here fills in templates")
            }
            Self::Blank => format!("{page} has neither a script nor anything to see"),
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
    /// Content cannot take the place of the address: what reads a `<link>` or a `<meta>` wants a file.
    pub wants_file: bool,
    /// A script that is no module.
    pub is_script: bool,
}

/// Reads a page; `env` gives the value of a `%NAME%`, if the name is known.
pub fn parse_page(source: &str, env: &dyn Fn(&str) -> Option<String>) -> PageTemplate {
    parse(source, env, None)
}

/// The same for a build, in which modules have other addresses: elements that begin to fetch one go, where `is_module` says
/// so of what they name.
pub fn parse_page_for_build(
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
    let (path, query) = specifier.split_at(specifier.find('?').unwrap_or(specifier.len()));
    let path = percent_encoding::percent_decode_str(path).decode_utf8().unwrap_or(path.into());
    let beside = if path.starts_with(['.', '/']) { "" } else { "./" };
    format!("{beside}{path}{query}")
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
    let (path, query) = address.split_at(address.find(['?', '#']).unwrap_or(address.len()));
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
pub fn where_it_stands(page: &str, offset: usize, code: &str) -> String {
    let place = Place::of_offset(page, offset);
    let lines = "\n".repeat(place.line as usize - 1);
    format!("{lines}{}{code}", " ".repeat(place.column as usize - 1))
}

/// Escapes a text for an attribute value in either kind of quotes.
pub fn escape_attribute(text: &str) -> Cow<'_, str> {
    escape(text, &['&', '<', '>', '"', '\''])
}

/// Escapes a text that stands between tags.
pub fn escape_text(text: &str) -> Cow<'_, str> {
    escape(text, &['&', '<', '>'])
}

fn escape<'a>(text: &'a str, special: &[char]) -> Cow<'a, str> {
    if !text.contains(special) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' if special.contains(&'"') => escaped.push_str("&quot;"),
            '\'' if special.contains(&'\'') => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    Cow::Owned(escaped)
}

/// A start tag and where its element ends.
#[derive(Debug)]
struct Tag {
    name: String,
    range: Range<usize>,
    attributes: Vec<Attribute>,
    /// The end tag, where the page has one; only looked for on the elements in [`ENDS_MATTER`].
    end: Option<Range<usize>>,
    /// Inside a `<template>` or `<noscript>`, whose scripts do not run.
    inert: bool,
}

#[derive(Debug)]
struct Attribute {
    name: String,
    /// As written, entities and all.
    value: String,
    name_start: usize,
    value_range: Option<Range<usize>>,
}

impl Tag {
    fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    fn has_word(&self, name: &str, words: &[&str]) -> bool {
        self.attribute(name).is_some_and(|attribute| {
            attribute.value.split_ascii_whitespace().any(|word| words.contains(&word.to_ascii_lowercase().as_str()))
        })
    }

    /// The whole element, to the end of the page when it is never closed.
    fn element_range(&self, source: &str) -> Range<usize> {
        self.range.start..self.end.as_ref().map_or(source.len(), |end| end.end)
    }

    fn content_range(&self, source: &str) -> Range<usize> {
        self.range.end..self.end.as_ref().map_or(source.len(), |end| end.start)
    }

    fn move_by(&mut self, offset: usize) {
        let moved = |range: &mut Range<usize>| *range = range.start + offset..range.end + offset;
        moved(&mut self.range);
        self.end.iter_mut().for_each(moved);
        for attribute in &mut self.attributes {
            attribute.name_start += offset;
            attribute.value_range.iter_mut().for_each(moved);
        }
    }

    fn is_module_script(&self) -> bool {
        let is_module = |attribute: &Attribute| attribute.value.trim().eq_ignore_ascii_case("module");
        self.name == "script" && self.attribute("type").is_some_and(is_module)
    }
}

const ENDS_MATTER: [&str; 6] = ["script", "style", "template", "head", "body", "noscript"];

/// The start tags of a page in document order; those inside `<noscript>`, which is text where scripts run, come last.
fn scan(source: &str) -> Vec<Tag> {
    let mut tags = scan_text(source);
    let contents: Vec<Range<usize>> =
        tags.iter().filter(|tag| tag.name == "noscript").map(|tag| tag.content_range(source)).collect();
    for content in contents {
        for mut tag in scan_text(&source[content.clone()]) {
            tag.move_by(content.start);
            tag.inert = true;
            tags.push(tag);
        }
    }
    tags
}

fn scan_text(source: &str) -> Vec<Tag> {
    let tags = Rc::new(RefCell::new(Vec::new()));
    let found = Rc::clone(&tags);
    let settings = Settings {
        element_content_handlers: vec![element!("*", move |element: &mut Element<'_, '_>| {
            scan_element(element, &found);
            Ok(())
        })],
        strict: false,
        ..Settings::new()
    };
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    // Without a memory limit and in lenient mode there is nothing it refuses; what was found until then still counts.
    let _ = rewriter.write(source.as_bytes()).and_then(|()| rewriter.end());
    let mut tags = std::mem::take(&mut *tags.borrow_mut());
    let templates: Vec<Range<usize>> =
        tags.iter().filter(|tag| tag.name == "template").map(|tag| tag.content_range(source)).collect();
    for tag in &mut tags {
        tag.inert = templates.iter().any(|template| template.contains(&tag.range.start));
    }
    tags
}

fn scan_element(element: &mut Element<'_, '_>, tags: &Rc<RefCell<Vec<Tag>>>) {
    let attributes = element
        .attributes()
        .iter()
        .map(|attribute| Attribute {
            name: attribute.name(),
            value: attribute.value(),
            name_start: attribute.name_source_location().map_or(0, |location| location.bytes().start),
            value_range: attribute.value_source_location().map(|location| location.bytes()),
        })
        .collect();
    let name = element.tag_name();
    let index = tags.borrow().len();
    if ENDS_MATTER.contains(&name.as_str()) && element.can_have_content() {
        let (tags, name) = (Rc::clone(tags), name.clone());
        // The handler is refused only for elements that cannot have content.
        let _ = element.on_end_tag(end_tag!(move |end: &mut EndTag<'_>| {
            // An element that was never closed ends with its parent, whose end tag is not its own.
            if end.name() == name {
                tags.borrow_mut()[index].end = Some(end.source_location().bytes());
            }
            Ok(())
        }));
    }
    let range = element.source_location().bytes();
    let end = (!element.can_have_content()).then_some(range.end..range.end);
    tags.borrow_mut().push(Tag { name, range, attributes, end, inert: false });
}

/// Elements that show something, or lead to where something is, without a text in them.
const SEEN: [&str; 18] = [
    "audio", "button", "canvas", "embed", "frameset", "hr", "iframe", "img", "input", "link", "math", "meter",
    "object", "progress", "style", "svg", "textarea", "video",
];

fn unfilled(source: &str, tags: &[Tag]) -> Option<Unfilled> {
    let raw = |tag: &&Tag| matches!(tag.name.as_str(), "script" | "style" | "head" | "template");
    let raws: Vec<(&str, Range<usize>)> =
        tags.iter().filter(raw).map(|tag| (tag.name.as_str(), tag.content_range(source))).collect();
    let is_code =
        |at: usize| raws.iter().any(|(name, range)| matches!(*name, "script" | "style") && range.contains(&at));
    let comments = comments(source);
    let is_comment = |at: usize| comments.iter().any(|range| range.contains(&at));
    let mut openings = source.match_indices("<%").map(|(at, _)| at);
    if let Some(at) = openings.find(|at| source[*at..].contains("%>") && !is_code(*at) && !is_comment(*at)) {
        return Some(Unfilled::Template { line: Place::of_offset(source, at).line });
    }
    let shows = |tag: &Tag| match tag.name.as_str() {
        "script" => true,
        "link" => tag.has_word("rel", &["stylesheet"]),
        "meta" => tag.attribute("http-equiv").is_some_and(|it| it.value.eq_ignore_ascii_case("refresh")),
        name => SEEN.contains(&name),
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
    (!has_text).then_some(Unfilled::Blank)
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

    /// On the server modules have no addresses of their own, and others keep theirs.
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
fn is_local(address: &str) -> bool {
    if address.is_empty() || address.starts_with(['#', '?']) || address.starts_with("//") {
        return false;
    }
    let scheme_end = address.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')));
    let has_scheme = scheme_end.is_some_and(|end| end > 0 && address[end..].starts_with(':'));
    !has_scheme
}

/// A text with the values of `%NAME%` in it.
fn with_env(source: &str, env: &dyn Fn(&str) -> Option<String>) -> String {
    let mut text = String::with_capacity(source.len());
    let mut done = 0;
    for (range, value) in env_references(source, env) {
        text.push_str(&source[done..range.start]);
        text.push_str(&value);
        done = range.end;
    }
    text.push_str(&source[done..]);
    text
}

/// Each `%NAME%` that `env` knows: its byte range and its value.
fn env_references(text: &str, env: &dyn Fn(&str) -> Option<String>) -> Vec<(Range<usize>, String)> {
    let mut found: Vec<(Range<usize>, String)> = Vec::new();
    for (range, name) in references(text) {
        // The end of one may look like the beginning of another.
        let is_free = found.last().is_none_or(|(last, _)| last.end <= range.start);
        if let Some(value) = env(name).filter(|_| is_free) {
            found.push((range, value));
        }
    }
    found
}

/// Each `%NAME%` with its byte range; two may share a `%`.
fn references(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    text.match_indices('%').filter_map(|(start, _)| {
        let rest = &text[start + 1..];
        let length = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '$')))
            .unwrap_or(rest.len());
        (length > 0 && rest[length..].starts_with('%')).then(|| (start..start + length + 2, &rest[..length]))
    })
}

/// The entities that occur in addresses; others stay as they are.
fn decode_entities(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(start) = rest.find('&') {
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        let entity = rest.find(';').map(|end| &rest[1..end]);
        match entity.and_then(|name| Some((entity_char(name)?, name.len() + 2))) {
            Some((c, length)) => {
                text.push(c);
                rest = &rest[length..];
            }
            None => {
                text.push('&');
                rest = &rest[1..];
            }
        }
    }
    text.push_str(rest);
    text
}

fn entity_char(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?);
    }
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Text(last)) => last.push_str(text),
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "VITE_TITLE" => Some("A <b> & \"c\"".to_owned()),
            "BASE_URL" => Some("/".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn a_page_says_where_its_addresses_begin() {
        let seen = |base: &str, address: &str| below_base(base, address);
        assert_eq!(seen("/", "./a.js?x"), "/a.js?x");
        assert_eq!(seen("/sub/page.html", "../a.js"), "/a.js");
        assert_eq!(seen("/sub/", "/a.js"), "/a.js");
        assert_eq!(seen("../lib/", "./a.js"), "../lib/a.js");
        assert_eq!(seen("#top", "./a.js"), "./a.js");
        assert_eq!(seen("https://cdn.test/x/y", "a.js"), "https://cdn.test/x/a.js");
        let page = parse_page(
            "<base target=_top><base href=/lib/><base href=/no/><script type=module src=a.js></script><img src=b.png><img src=/c.png>",
            &env,
        );
        assert!(matches!(&page.scripts[0], PageScript::External { specifier, .. } if specifier == "/lib/a.js"));
        let assets: Vec<&str> = page.assets.iter().map(|asset| asset.specifier.as_str()).collect();
        assert_eq!(assets, ["/lib/b.png", "/c.png"]);
    }

    #[test]
    fn what_nobody_fills_in_is_noticed() {
        let of = |page: &str| parse_page(page, &env).unfilled;
        assert_eq!(of("<p>\n<%= title %></p>"), Some(Unfilled::Template { line: 2 }));
        assert_eq!(of("<script>const t = '<%= x %>'</script><!-- <% x %> -->"), None);
        assert_eq!(of("<head><title>x</title></head><body>\n<div id=root></div></body>"), Some(Unfilled::Blank));
        assert_eq!(of("<body><div></div><template><p>x</p></template></body>"), Some(Unfilled::Blank));
        for shown in ["text", "<img src=a.png>", "<script src=a.js></script>", "<meta http-equiv=refresh content=0>"] {
            assert_eq!(of(&format!("<head><title>x</title></head><body>{shown}</body>")), None, "{shown}");
        }
    }

    /// The page with its places in double brackets, then what was taken out.
    fn check(source: &str, expected: Expect) {
        let page = parse_page(source, &env);
        let mut text = String::new();
        for piece in &page.pieces {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Head => text.push_str("[[head]]"),
                Piece::HeadEnd => {}
                Piece::Boot => text.push_str("[[boot]]"),
                Piece::Link(index) => text.push_str(&format!("[[link {}]]", page.links[*index].specifier)),
                Piece::Asset(index) => text.push_str(&format!("[[asset {}]]", page.assets[*index].specifier)),
                Piece::Import(index) => text.push_str(&format!("[[import {}]]", page.imports[*index])),
            }
        }
        for script in &page.scripts {
            match script {
                PageScript::External { specifier, offset } => {
                    assert!(source[*offset..].starts_with(specifier.as_str()), "{offset}");
                    text.push_str(&format!("\nscript {specifier}"));
                }
                PageScript::Inline { code, offset } => {
                    assert!(source[*offset..].starts_with(code.as_str()), "{offset}");
                    text.push_str(&format!("\ncode {code:?}"));
                }
            }
        }
        expected.assert_eq(&text);
    }

    #[test]
    fn a_whole_page_keeps_all_but_its_module_scripts() {
        check(
            "<!doctype html>\n<html>\n<head>\n<meta charset=utf-8>\n<link rel=\"stylesheet\" href=\"./a.css?x=1&amp;y\">\n</head>\n\
             <body>\n<div  id='app' ></div>\n<script type=\"module\" src=\"/src/main.tsx\"></script>\n\
             <script type='Module' async>\nconst a = '%OTHER%' < 1 && \"</div>\"\n</script>\n<p>end</body></html>\n",
            expect![[r#"
                <!doctype html>
                <html>
                <head>[[head]]
                <meta charset=utf-8>
                <link rel="stylesheet" href="[[link ./a.css?x=1&y]]">
                </head>
                <body>
                <div  id='app' ></div>
                [[boot]]

                <p>end</body></html>

                script /src/main.tsx
                code "\nconst a = '%OTHER%' < 1 && \"</div>\"\n""#]],
        );
    }

    #[test]
    fn pages_without_head_or_html_work() {
        check(
            "<!doctype html><script type=module src=./main.js></script>",
            expect![[r#"
                <!doctype html>[[head]][[boot]]
                script ./main.js"#]],
        );
        check("<p>one</p>", expect!["[[head]]<p>one</p>[[boot]]"]);
        check("", expect!["[[head]][[boot]]"]);
        check("just text", expect!["just text[[head]][[boot]]"]);
        check("<html lang=en><body>x</body></html>", expect!["<html lang=en>[[head]]<body>x[[boot]]</body></html>"]);
        check("<html><body>x</html>", expect!["<html>[[head]]<body>x</html>[[boot]]"]);
        check("<!-- <head> --><title>x</title>", expect!["<!-- <head> -->[[head]]<title>x</title>[[boot]]"]);
    }

    #[test]
    fn an_unclosed_script_reaches_to_the_end() {
        check(
            "<p>x</p><script type=module>let a = 1",
            expect![[r#"
                [[head]]<p>x</p>[[boot]]
                code "let a = 1""#]],
        );
    }

    #[test]
    fn local_addresses_become_assets() {
        check(
            "<img src=./a.png srcset=\"./a.png 1x, ./b.png 2x\"><img srcset=\"./c.png,./d.png 2x\">\n\
             <link rel=\"shortcut icon\" href=\"%BASE_URL%favicon.ico\"><video poster='p.jpg' src=\"v.mp4\"></video>\n\
             <svg><use href=\"./s.svg#one\"/><use href=\"#two\"/></svg><object data=\"o.pdf\"></object>\n\
             <script src=\"/old.js\"></script><meta property=\"og:image\" content=\"./og.png\">",
            expect![[r##"
                [[head]]<img src="[[asset ./a.png]]" srcset="[[asset ./a.png]] 1x, [[asset ./b.png]] 2x"><img srcset="[[asset ./c.png,./d.png]] 2x">
                <link rel="shortcut icon" href="[[asset /favicon.ico]]"><video poster='[[asset p.jpg]]' src="[[asset v.mp4]]"></video>
                <svg><use href="[[asset ./s.svg#one]]"/><use href="#two"/></svg><object data="[[asset o.pdf]]"></object>
                <script src="[[asset /old.js]]"></script><meta property="og:image" content="[[asset ./og.png]]">[[boot]]"##]],
        );
    }

    #[test]
    fn addresses_elsewhere_are_left_alone() {
        let page = "<img src=\"https://x.y/a.png\"><img src=\"//x.y/a.png\"><img src=\"data:image/png;base64,AA==\"><img src=\"\">\
             <a href=\"./page.html\">x</a><script type=module src=\"https://cdn/x.js\"></script><script src=\"HTTP://x/y.js\"></script>\
             <link rel=canonical href=\"/x\"><script type=importmap>{\"imports\":{}}</script><img srcset=\"https://x/a 1x\">\
             <link rel=stylesheet href=\"https://fonts/x.css\"><link rel=preload as=script href=\"/a.js\">";
        let template = parse_page(page, &env);
        assert_eq!(template.pieces, [Piece::Head, Piece::HeadEnd, Piece::Text(page.to_owned()), Piece::Boot]);
    }

    #[test]
    fn modules_that_plain_scripts_and_handlers_import_have_their_places() {
        check(
            "<script>import('./a.js')</script><button onclick=\"import('/b.js').then(m => m.run())\"></button>\
             <script src=x>import('./no.js')</script><script type=text/x>import('./no.js')</script>\
             <template><script>import('./no.js')</script></template><script>import('bare'); import('https://x/y.js')</script>",
            expect![[
                r#"[[head]]<script>import('[[import ./a.js]]')</script><button onclick="import('[[import /b.js]]').then(m => m.run())"></button><script src="[[asset x]]">import('./no.js')</script><script type=text/x>import('./no.js')</script><template><script>import('./no.js')</script></template><script>import('bare'); import('https://x/y.js')</script>[[boot]]"#
            ]],
        );
        check(
            "<base href=/sub/><script>import('./a.js')</script>",
            expect!["[[head]]<base href=/sub/><script>import('[[import /sub/a.js]]')</script>[[boot]]"],
        );
    }

    #[test]
    fn known_names_are_replaced_and_escaped() {
        check(
            "<title>%VITE_TITLE% at 100% %UNKNOWN% 5%%BASE_URL%</title><p title=\"%VITE_TITLE%\"></p><script>x = '%BASE_URL%'</script>",
            expect![[
                r#"[[head]]<title>A &lt;b&gt; &amp; &quot;c&quot; at 100% %UNKNOWN% 5%/</title><p title="A &lt;b&gt; &amp; &quot;c&quot;"></p><script>x = '/'</script>[[boot]]"#
            ]],
        );
    }

    #[test]
    fn vite_ignore_keeps_an_element_as_it_is() {
        check(
            "<script type=module vite-ignore src=\"./x.js\"></script><img src=\"./a.png\" vite-ignore=\"yes\">",
            expect![[r#"[[head]]<script type=module src="./x.js"></script><img src="./a.png">[[boot]]"#]],
        );
    }

    #[test]
    fn addresses_in_noscript_count_and_scripts_in_it_do_not() {
        check(
            "<head><noscript><link rel=stylesheet href=./a.css></noscript></head><body><noscript>\n<img src='./a.png'>\
             <script type=module src=./no.js></script></noscript><script type=module src=./x.js></script></body>",
            expect![[r#"
                <head>[[head]]<noscript><link rel=stylesheet href="[[link ./a.css]]"></noscript></head><body><noscript>
                <img src='[[asset ./a.png]]'><script type=module src=./no.js></script></noscript>[[boot]]</body>
                script ./x.js"#]],
        );
    }

    #[test]
    fn elements_that_fetch_a_module_by_itself_go() {
        let page = "<link rel=modulepreload href=/src/x.ts><link rel=preload as=script href=/src/x.ts><link rel=modulepreload href=/lib.js>";
        let template = parse_page_for_build(page, &env, &|specifier| specifier.ends_with(".ts"));
        let assets: Vec<&str> = template.assets.iter().map(|asset| asset.specifier.as_str()).collect();
        assert_eq!(assets, ["/lib.js"]);
        assert!(!template.pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains(".ts"))));
        let served = parse_page(page, &env);
        assert_eq!(served.pieces[2], Piece::Text("<link rel=preload as=script href=/src/x.ts>".to_owned()));
    }

    #[test]
    fn what_stays_as_it_is_is_told() {
        let page = "<link rel=icon href=./i.svg><img src=./i.svg><p style=\"background: url('./a.png')\">%VITE_NOPE% 5% x</p>\
             <style>a { background: url(b.png), url(https://x/y), url(\"data:,\") }</style>";
        let template = parse_page(page, &env);
        assert_eq!(template.style_urls, ["./a.png", "b.png"]);
        assert_eq!(template.unknown_env, ["VITE_NOPE"]);
        let files: Vec<bool> = template.assets.iter().map(|asset| asset.wants_file).collect();
        assert_eq!(files, [true, false]);
    }

    #[test]
    fn attributes_without_value_do_not_disturb_others() {
        check(
            "<script async type=module crossorigin src=\"./x.js\"></script><video autoplay src=v.mp4 loop></video>",
            expect![[r#"
                [[head]][[boot]]<video autoplay src="[[asset v.mp4]]" loop></video>
                script ./x.js"#]],
        );
    }

    #[test]
    fn scripts_that_do_not_run_stay() {
        let page = "<!-- <script type=module src=a.js></script> --><template><script type=module src=\"b.js\"></script></template>\
             <textarea><script type=module src=c.js></script></textarea>";
        let template = parse_page(page, &env);
        assert_eq!(template.scripts, []);
        assert_eq!(
            template.pieces,
            [
                Piece::Text(page[..47].to_owned()),
                Piece::Head,
                Piece::HeadEnd,
                Piece::Text(page[47..].to_owned()),
                Piece::Boot
            ]
        );
    }

    #[test]
    fn text_beyond_ascii_keeps_its_place() {
        check(
            "\u{feff}<p>größe 日本</p><script type=module src=\"./ä.js\"></script>",
            expect![[r#"
                ﻿[[head]]<p>größe 日本</p>[[boot]]
                script ./ä.js"#]],
        );
    }
}
