//! Sheets that a page's scripts import stand in its text already, in the order in which they will run: nothing of the
//! page is shown without them, also what is there before a script runs (rule R143; Vite shows it unstyled at first).
//!
//! ```html
//! <style type="text/css" data-vite-dev-id="/src/main.css">body { background: #111 }</style></head>
//! ```
//!
//! The runtime takes these elements over as if it had made them.

use rekindle_compile::page::template::escape_attribute;
use rekindle_compile::style::definition::sheet_text;
use rekindle_graph::{DepKind, ModuleGraph, ModuleId, ModuleState, Published};
use rustc_hash::FxHashSet;

/// Style elements for what `entries` import statically. Broken modules are left out with all that only they import.
pub fn head_styles(graph: &ModuleGraph, entries: &[ModuleId]) -> String {
    let mut text = String::new();
    let mut seen = FxHashSet::default();
    let mut stack: Vec<(ModuleId, bool)> = entries.iter().rev().map(|&id| (id, false)).collect();
    while let Some((id, is_done)) = stack.pop() {
        let Some(published) = graph[id].published.as_ref().filter(|_| graph[id].state == ModuleState::Ready) else {
            continue;
        };
        if is_done {
            if published.definition.sheet.is_some() {
                write_style(&mut text, graph[id].url.as_str(), published);
            }
        } else if seen.insert(id) {
            stack.push((id, true));
            let first = stack.len();
            stack.extend(imports(graph, published).filter(|id| !seen.contains(id)).map(|id| (id, false)));
            stack[first..].reverse();
        }
    }
    text
}

/// What is imported for certain, in its order: a `require` may stand in a function that nobody calls.
fn imports<'g>(graph: &'g ModuleGraph, published: &'g Published) -> impl Iterator<Item = ModuleId> + 'g {
    published.deps_of(|kind| kind == DepKind::Static).filter_map(|url| graph.get(url.as_str()))
}

fn write_style(text: &mut String, url: &str, published: &Published) {
    let css = sheet_text(&published.definition, &published.links);
    text.push_str("<style type=\"text/css\" data-vite-dev-id=\"");
    text.push_str(&escape_attribute(url));
    text.push_str("\">");
    text.push_str(&without_end_tags(css));
    text.push_str("</style>");
}

/// `</style` would end the element: a backslash before the slash means the same in CSS and nothing in HTML.
fn without_end_tags(css: String) -> String {
    if !css.contains("</") {
        return css;
    }
    css.replace("</", "<\\/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sheet_ends_its_element() {
        assert_eq!(without_end_tags("a::after{content:\"</STYLE>\"}".into()), "a::after{content:\"<\\/STYLE>\"}");
    }
}
