//! `:global` and `:local` without parentheses, in CSS modules: what follows them is meant.
//!
//! ```css
//! .a :global .b, .c { … }              →   .a :global(.b), .c { … }
//! :global { .b { … } }                 →     :global(.b) { … }
//! .a { :global .b:hover & { … } }      →   .a { :global(.b:hover) & { … } }
//! ```
//!
//! The parser of styles knows the other form only. Lines stay where they were.

/// The keywords that change what names mean.
const GLOBAL: &str = ":global";
const LOCAL: &str = ":local";

/// Whether a sheet may have something for [`in_parentheses`].
pub(super) fn has_some(text: &str) -> bool {
    [GLOBAL, LOCAL]
        .iter()
        .any(|keyword| text.match_indices(keyword).any(|(at, _)| is_bare(&text[at + keyword.len()..])))
}

/// Not followed by its parenthesis, nor the beginning of a longer name.
fn is_bare(rest: &str) -> bool {
    !rest.starts_with(|c: char| c == '(' || c == '-' || c == '_' || c.is_alphanumeric())
}

/// An open block.
struct Block {
    is_global: bool,
    /// Its braces are left out: it was there for its keyword.
    is_wrapper: bool,
}

/// The text with what the keywords mean in parentheses.
pub(super) fn in_parentheses(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len() + 64);
    let mut blocks: Vec<Block> = Vec::new();
    // What stands before `at` and behind `begin` is not written yet.
    let (mut begin, mut at) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = text[at + 2..].find("*/").map_or(bytes.len() - 1, |length| at + 2 + length + 1);
            }
            quote @ (b'"' | b'\'') => at = super::recover::string_end(bytes, at, quote),
            b';' => {
                out.push_str(&text[begin..=at]);
                begin = at + 1;
            }
            b'{' => {
                let around = blocks.last().is_some_and(|block| block.is_global);
                let block = open(&text[begin..at], around, &mut out);
                if !block.is_wrapper {
                    out.push('{');
                }
                blocks.push(block);
                begin = at + 1;
            }
            b'}' => {
                out.push_str(&text[begin..at]);
                if !blocks.pop().is_some_and(|block| block.is_wrapper) {
                    out.push('}');
                }
                begin = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    out.push_str(text.get(begin..).unwrap_or_default());
    out
}

/// Writes what stands before a brace, and says what that means for the block.
fn open(prelude: &str, around: bool, out: &mut String) -> Block {
    let selector = prelude.trim_start();
    if selector.starts_with('@') || (!around && !has_some(selector)) {
        out.push_str(prelude);
        return Block { is_global: around && !selector.starts_with("@keyframes"), is_wrapper: false };
    }
    // Comments before it stay out of it.
    let start = prelude.rfind("*/").map_or(prelude.len() - selector.len(), |end| end + 2);
    out.push_str(&prelude[..start]);
    let items: Vec<(String, bool)> = split(&prelude[start..], ',').iter().map(|item| mark(item, around)).collect();
    let is_wrapper = items.iter().all(|(text, _)| text.trim().is_empty());
    let texts: Vec<&str> = items.iter().map(|(text, _)| text.as_str()).collect();
    if is_wrapper {
        out.extend(prelude[start..].chars().map(|c| if c == '\n' { '\n' } else { ' ' }))
    } else {
        out.push_str(&texts.join(","))
    }
    Block { is_global: items.iter().all(|(_, is_global)| *is_global), is_wrapper }
}

/// One selector of a list with what is global in parentheses, and whether it ends in a global place.
fn mark(item: &str, around: bool) -> (String, bool) {
    let mut out = String::new();
    let mut is_global = around;
    let mut rest = item;
    loop {
        let next = [GLOBAL, LOCAL].iter().filter_map(|keyword| Some((find_bare(rest, keyword)?, *keyword))).min();
        let (part, keyword) = match next {
            Some((at, keyword)) => (&rest[..at], Some(keyword)),
            None => (rest, None),
        };
        out.push_str(&if is_global { wrap(part) } else { part.to_owned() });
        let Some(keyword) = keyword else { return (out, is_global) };
        is_global = keyword == GLOBAL;
        rest = &rest[part.len() + keyword.len()..];
    }
}

fn find_bare(text: &str, keyword: &str) -> Option<usize> {
    text.match_indices(keyword).map(|(at, _)| at).find(|at| is_bare(&text[at + keyword.len()..]))
}

/// `:global(…)` around a selector, without what may not stand in it: combinators at its ends, `&`, and what has its own.
fn wrap(part: &str) -> String {
    if let Some((start, end)) = own_parentheses(part) {
        return format!("{}{}{}", wrap(&part[..start]), &part[start..end], wrap(&part[end..]));
    }
    let is_end = |c: char| c.is_whitespace() || matches!(c, '>' | '+' | '~' | '&');
    let inner = part.trim_matches(is_end);
    if inner.is_empty() {
        return part.to_owned();
    }
    let start = part.find(inner).unwrap_or_default();
    format!("{}{GLOBAL}({inner}){}", &part[..start], &part[start + inner.len()..])
}

/// Where the first `:global(…)` or `:local(…)` of a selector is that stands in no other parentheses.
fn own_parentheses(part: &str) -> Option<(usize, usize)> {
    let mut depth = 0usize;
    let mut begin = None;
    for (at, c) in part.char_indices() {
        match c {
            '(' => {
                let keyword = [GLOBAL, LOCAL].into_iter().find(|keyword| depth == 0 && part[..at].ends_with(keyword));
                begin = begin.or_else(|| keyword.map(|keyword| at - keyword.len()));
                depth += 1;
            }
            ')' => {
                depth = depth.saturating_sub(1);
                if depth == 0
                    && let Some(begin) = begin
                {
                    return Some((begin, at + 1));
                }
            }
            _ => {}
        }
    }
    None
}

/// The parts between signs that stand outside of brackets and strings.
fn split(text: &str, sign: char) -> Vec<&str> {
    let (mut parts, mut depth, mut begin) = (Vec::new(), 0usize, 0);
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth = depth.saturating_sub(1),
            (None, c) if c == sign && depth == 0 => {
                parts.push(&text[begin..at]);
                begin = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_is_in_parentheses() {
        let pairs = [
            (":global .a { top: 0 }", " :global(.a) { top: 0 }"),
            (".x :global .a .b, .y {}", ".x  :global(.a .b), .y {}"),
            (".x :global .a :local .b {}", ".x  :global(.a)  .b {}"),
            (":global(.a) .b {}", ":global(.a) .b {}"),
            (".x { :global .a & { top: 0 } }", ".x {  :global(.a) & { top: 0 } }"),
            (".x:global.a {}", ".x:global(.a) {}"),
            (":global .a :local(.b) .c {}", " :global(.a) :local(.b) :global(.c) {}"),
            (
                ":global .a:not(.b):local(.c:is(.d)).e > :global(.f) {}",
                " :global(.a:not(.b)):local(.c:is(.d)):global(.e) > :global(.f) {}",
            ),
            (":global { .a :local(.b) {} }", "         :global(.a) :local(.b) {} "),
        ];
        for (text, expected) in pairs {
            let made = if has_some(text) { in_parentheses(text) } else { text.to_owned() };
            assert_eq!(made, expected, "{text}");
        }
    }

    #[test]
    fn a_block_makes_all_in_it_global() {
        let text = ":global {\n  .a { top: 0 }\n  @media print { .b, > .c {} }\n}\n.x { top: 0 }";
        let expected =
            "        \n  :global(.a) { top: 0 }\n  @media print { :global(.b), > :global(.c) {} }\n\n.x { top: 0 }";
        assert_eq!(in_parentheses(text), expected);
        assert_eq!(
            in_parentheses(".x :global { .a { &.b {} } }"),
            ".x { :global(.a) { &:global(.b) {} } }".replace(".x {", ".x  {")
        );
        assert_eq!(
            in_parentheses(":global { @keyframes k { from { top: 0 } } }"),
            "         @keyframes k { from { top: 0 } } "
        );
    }

    #[test]
    fn comments_and_strings_are_no_selectors() {
        let text = "/* :global { */ .a { content: ':global {' }";
        assert_eq!(in_parentheses(text), text);
    }
}
