//! `@value` of CSS modules: names for values, put in their places before the sheet is parsed.
//!
//! ```css
//! @value small: (max-width: 40em); @value red from './colors.css';
//! @media small { .a { color: red } }          →   @media (max-width: 40em) { .a { color: #e00 } }
//! ```
//!
//! The module exports them beside its classes: `styles.red`. So it does what stands in `:export`, the older way to hand
//! values to scripts, mostly those of Sass: `:export { primary: $primary }`. Lines stay where they were.

use std::ops::Range;
use std::path::{Path, PathBuf};

/// Files that may import values from each other, one behind the other.
const DEEPEST: usize = 20;

/// Names and values, in the order of the source.
pub(super) type Values = Vec<(String, String)>;

/// How values of other files are reached.
pub(super) struct Sources<'a> {
    pub resolve: &'a dyn Fn(&str, &Path) -> Option<PathBuf>,
    pub read: &'a dyn Fn(&Path) -> Option<String>,
}

/// Whether a sheet may have something for [`fill_in`].
pub(super) fn has_some(text: &str) -> bool {
    text.contains("@value") || text.contains(":export")
}

/// The text with its values filled in, and what it exports. A statement that cannot be understood stays.
pub(super) fn fill_in(text: &str, file: &Path, sources: &Sources) -> (String, Values) {
    let (values, understood) = values_of(text, file, sources, DEEPEST);
    let filled = fill(&without(text, understood), &values);
    let blocks = export_blocks(&filled);
    let declared: Values = blocks.iter().flat_map(|block| declarations(&filled[block.clone()])).collect();
    let mut exports = values;
    for (name, value) in declared {
        exports.retain(|(known, _)| *known != name);
        exports.push((name, value));
    }
    (without(&filled, blocks), exports)
}

/// The text with blanks in these places.
fn without(text: &str, places: Vec<Range<usize>>) -> String {
    let mut rest = String::with_capacity(text.len());
    let mut at = 0;
    for place in places {
        rest.push_str(&text[at..place.start]);
        rest.extend(text[place.clone()].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        at = place.end;
    }
    rest.push_str(&text[at..]);
    rest
}

/// The places of `:export { … }`.
fn export_blocks(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let end = end_of(text, at, &['{', ';', '}']);
        let selector = at + skipped_blanks(&text[at..end]);
        if text[selector..end].trim_end() == ":export" && text[end..].starts_with('{') {
            let close = (end_of(text, end + 1, &['}']) + 1).min(text.len());
            found.push(selector..close);
            at = close;
        } else {
            at = (end + 1).min(text.len());
        }
    }
    found
}

/// How much of the text is blanks and comments at its beginning.
fn skipped_blanks(text: &str) -> usize {
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        match c {
            c if c.is_whitespace() => at += c.len_utf8(),
            '/' if text[at..].starts_with("/*") => at = skipped(text, at),
            _ => break,
        }
    }
    at
}

/// `:export { a: 1; b: 2 }` → (`a`, `1`), (`b`, `2`)
fn declarations(block: &str) -> Values {
    let body = block.split_once('{').map_or("", |(_, body)| body).trim_end_matches('}');
    let (mut found, mut at) = (Values::new(), 0);
    while at < body.len() {
        let end = end_of(body, at, &[';']);
        let declaration = &body[at + skipped_blanks(&body[at..end])..end];
        if let Some((name, value)) = declaration.split_once(':') {
            found.push((name.trim().to_owned(), value.trim().to_owned()));
        }
        at = end + 1;
    }
    found
}

fn values_of(text: &str, file: &Path, sources: &Sources, depth: usize) -> (Values, Vec<Range<usize>>) {
    let mut values = Values::new();
    let mut understood = Vec::new();
    for statement in statements(text) {
        let body = text[statement.clone()].trim_start_matches("@value").trim_end_matches(';').trim();
        let found = match split_from(body) {
            Some((names, from)) => imported(names, from, file, sources, depth, &values),
            None => local(body, &values).map(|value| vec![value]),
        };
        if let Some(found) = found {
            for (name, value) in found {
                values.retain(|(known, _)| *known != name);
                values.push((name, value));
            }
            understood.push(statement);
        }
    }
    (values, understood)
}

/// `name: value`; the colon may be missing.
fn local(body: &str, values: &Values) -> Option<(String, String)> {
    let end = body.find(|c: char| !is_name(c)).unwrap_or(body.len());
    let (name, rest) = body.split_at(end);
    let value = rest.trim_start().strip_prefix(':').unwrap_or(rest).trim();
    (!name.is_empty() && !value.is_empty()).then(|| (name.to_owned(), substitute(value, values)))
}

/// `a, b as c from './x.css'` → (`a, b as c`, `'./x.css'`)
fn split_from(body: &str) -> Option<(&str, &str)> {
    let at = body.rfind(" from ")?;
    let (names, from) = (body[..at].trim(), body[at + " from ".len()..].trim());
    let is_list = !names.contains([':', '"', '\'']);
    is_list.then(|| (names.trim_start_matches('(').trim_end_matches(')'), from))
}

fn imported(names: &str, from: &str, file: &Path, sources: &Sources, depth: usize, values: &Values) -> Option<Values> {
    let from = substitute(from, values);
    let specifier = from.trim().trim_matches(['"', '\'']);
    let target = (sources.resolve)(specifier, file)?;
    let text = (sources.read)(&target)?;
    let (there, _) = values_of(&text, &target, sources, depth.checked_sub(1)?);
    let entry = |item: &str| {
        let (name, local) = item.split_once(" as ").map_or((item, item), |(name, local)| (name.trim(), local.trim()));
        let (_, value) = there.iter().find(|(known, _)| known == name.trim())?;
        Some((local.trim().to_owned(), value.clone()))
    };
    names.split(',').map(|item| entry(item.trim())).collect()
}

/// The places of `@value …;`.
fn statements(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let after = skipped(text, at);
        if after > at {
            at = after;
        } else if text[at..].starts_with("@value") && text[at + 6..].starts_with(char::is_whitespace) {
            let end = end_of(text, at, &[';']);
            let end = (end + 1).min(text.len());
            found.push(at..end);
            at = end;
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    found
}

/// Values stand behind the colon of a declaration and in the conditions of an at-rule.
fn fill(text: &str, values: &Values) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let end = end_of(text, at, &['{', ';', '}']);
        let chunk = &text[at..end];
        let is_block = text[end..].starts_with('{');
        let colon = end_of(chunk, 0, &[':']);
        if chunk.trim_start().starts_with('@') {
            out.push_str(&substitute(chunk, values));
        } else if is_block || colon == chunk.len() {
            out.push_str(chunk);
        } else {
            out.push_str(&chunk[..=colon]);
            out.push_str(&substitute(&chunk[colon + 1..], values));
        }
        let next = (end + 1).min(text.len());
        out.push_str(&text[end..next]);
        at = next;
    }
    out
}

/// Names become what they stand for.
fn substitute(text: &str, values: &Values) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let after = skipped(text, at);
        if after > at {
            out.push_str(&text[at..after]);
            at = after;
            continue;
        }
        let begins = is_name(c) && !out.ends_with(|before: char| is_name(before) || matches!(before, '.' | '#' | '@'));
        let length = text[at..].find(|c: char| !is_name(c)).unwrap_or(text.len() - at);
        let name = &text[at..at + if begins { length } else { 0 }];
        let is_call = text[at + name.len()..].starts_with('(');
        match values.iter().find(|(known, _)| known == name).filter(|_| begins && !is_call) {
            Some((_, value)) => out.push_str(value),
            None if begins => out.push_str(name),
            None => out.push(c),
        }
        at += if begins { length } else { c.len_utf8() };
    }
    out
}

/// The first of `signs` from `at` on, outside of comments, strings, and brackets.
fn end_of(text: &str, at: usize, signs: &[char]) -> usize {
    let mut at = at;
    let mut depth = 0_usize;
    while let Some(c) = text[at..].chars().next() {
        let after = skipped(text, at);
        if after > at {
            at = after;
            continue;
        }
        match c {
            c if depth == 0 && signs.contains(&c) => return at,
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += c.len_utf8();
    }
    text.len()
}

/// Where a comment, a string or an address that begins at `at` ends; `at` where none does.
fn skipped(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    let ends = |from: usize, sign: &str| rest[from..].find(sign).map_or(text.len(), |end| at + from + end + sign.len());
    match rest.chars().next() {
        Some('/') if rest.starts_with("/*") => ends(2, "*/"),
        Some(quote @ ('"' | '\'')) => {
            let mut escaped = false;
            for (offset, c) in rest.char_indices().skip(1) {
                match c {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    c if c == quote => return at + offset + 1,
                    '\n' => return at + offset,
                    _ => {}
                }
            }
            text.len()
        }
        Some('u') if rest.starts_with("url(") && !rest[4..].trim_start().starts_with(['"', '\'']) => ends(4, ")"),
        _ => at,
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exported_leaves_the_sheet() {
        let sources = Sources { resolve: &|_, _| None, read: &|_| None };
        let text = "@value red: #e00;\n.a{}/* x */ :export {\n  primary: red; /* y */ big-gap: calc(1px + 2px); list: a, b\n}\n:export{c:\";\"}\n.b:export-like { d: e }";
        let (filled, exports) = fill_in(text, Path::new("main.css"), &sources);
        assert_eq!(filled.split_whitespace().collect::<Vec<_>>().join(" "), ".a{}/* x */ .b:export-like { d: e }");
        assert_eq!(filled.lines().count(), text.lines().count());
        let exports: Vec<String> = exports.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(exports, ["red=#e00", "primary=#e00", "big-gap=calc(1px + 2px)", "list=a, b", "c=\";\""]);
    }

    #[test]
    fn values_stand_where_values_do() {
        let read = |path: &Path| {
            (path.ends_with("other.css"))
                .then(|| "@value base: 4px;\n@value big: calc(base * 2), wide: 9px;".to_owned())
        };
        let resolve = |specifier: &str, _: &Path| Some(PathBuf::from(specifier.trim_start_matches("./")));
        let sources = Sources { resolve: &resolve, read: &read };
        let text = "@value red: #e00; /* @value no: 1 */\n@value path: './other.css';\n@value base, big as huge from path;\n@value small: (max-width: 40em);\n@value gone from './none.css';\n@media small { .red:hover { color: red; margin: base huge; content: \"red\"; background: url(red) var(--red) } }";
        let (filled, values) = fill_in(text, Path::new("main.css"), &sources);
        let lines: Vec<&str> = filled.lines().map(str::trim).collect();
        assert_eq!(
            lines,
            [
                "/* @value no: 1 */",
                "",
                "",
                "",
                "@value gone from './none.css';",
                "@media (max-width: 40em) { .red:hover { color: #e00; margin: 4px calc(4px * 2), wide: 9px; content: \"red\"; background: url(red) var(--red) } }",
            ]
        );
        let names: Vec<&str> = values.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["red", "path", "base", "huge", "small"]);
    }
}
