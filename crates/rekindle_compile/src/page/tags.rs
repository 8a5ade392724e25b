//! The tags of a page and where they stand. lol_html only tells where things are.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use lol_html::html_content::{Element, EndTag};
use lol_html::{HtmlRewriter, Settings, element, end_tag};

/// A start tag and where its element ends.
#[derive(Debug)]
pub(crate) struct Tag {
    pub name: String,
    pub range: Range<usize>,
    pub attributes: Vec<Attribute>,
    /// The end tag, where the page has one; only looked for on the elements in [`ELEMENTS_WITH_END_TAG`].
    pub end: Option<Range<usize>>,
    /// Inside a `<template>` or `<noscript>`, whose scripts do not run.
    pub inert: bool,
}

#[derive(Debug)]
pub(crate) struct Attribute {
    pub name: String,
    /// As written, entities and all.
    pub value: String,
    pub name_start: usize,
    pub value_range: Option<Range<usize>>,
}

impl Tag {
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    pub fn has_word(&self, name: &str, words: &[&str]) -> bool {
        self.attribute(name).is_some_and(|attribute| {
            attribute.value.split_ascii_whitespace().any(|word| words.contains(&word.to_ascii_lowercase().as_str()))
        })
    }

    /// The whole element, to the end of the page when it is never closed.
    pub fn element_range(&self, source: &str) -> Range<usize> {
        self.range.start..self.end.as_ref().map_or(source.len(), |end| end.end)
    }

    pub fn content_range(&self, source: &str) -> Range<usize> {
        self.range.end..self.end.as_ref().map_or(source.len(), |end| end.start)
    }

    pub fn move_by(&mut self, offset: usize) {
        let moved = |range: &mut Range<usize>| *range = range.start + offset..range.end + offset;
        moved(&mut self.range);
        self.end.iter_mut().for_each(moved);
        for attribute in &mut self.attributes {
            attribute.name_start += offset;
            attribute.value_range.iter_mut().for_each(moved);
        }
    }

    pub fn is_module_script(&self) -> bool {
        let is_module = |attribute: &Attribute| attribute.value.trim().eq_ignore_ascii_case("module");
        self.name == "script" && self.attribute("type").is_some_and(is_module)
    }
}

pub(crate) const ELEMENTS_WITH_END_TAG: [&str; 6] = ["script", "style", "template", "head", "body", "noscript"];

/// The start tags of a page in document order; those inside `<noscript>`, which is text where scripts run, come last.
pub(crate) fn scan(source: &str) -> Vec<Tag> {
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

pub(crate) fn scan_text(source: &str) -> Vec<Tag> {
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

pub(crate) fn scan_element(element: &mut Element<'_, '_>, tags: &Rc<RefCell<Vec<Tag>>>) {
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
    if ELEMENTS_WITH_END_TAG.contains(&name.as_str()) && element.can_have_content() {
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
