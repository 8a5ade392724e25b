//! Takes what a browser skips out of a stylesheet's text.
//!
//! ```css
//! .a { color: red; *zoom: 1; top: 0 }
//! .a { color: red;           top: 0 }
//! ```
//!
//! lightningcss skips a bad declaration too, but drops the good ones before it in the same block. So the sheet is
//! parsed once more without it; spaces in its place keep all offsets.

/// Blanks the declaration or nested rule around each of `errors` (byte offsets); `None` if there is nothing to blank.
/// A mistake outside of blocks costs no neighbour and stays.
pub(super) fn without_bad_items(text: &str, errors: &[usize]) -> Option<String> {
    let items = items(text);
    let mut blank = text.to_owned();
    for &error in errors {
        let around = |item: &&Item| item.start <= error && error <= item.end;
        let Some(item) = items.iter().filter(around).max_by_key(|item| item.start) else { continue };
        let end = if text[item.end..].starts_with([';', '}']) && item.takes_end { item.end + 1 } else { item.end };
        let spaces: String = text[item.start..end]
            .chars()
            .flat_map(|c| std::iter::repeat_n(if matches!(c, '\n' | '\r') { c } else { ' ' }, c.len_utf8()))
            .collect();
        blank.replace_range(item.start..end, &spaces);
    }
    (blank != text).then_some(blank)
}

/// A declaration or a rule inside a block. `end` is where the sign stands that ends it.
struct Item {
    start: usize,
    end: usize,
    /// The sign belongs to the item: `;`, or the `}` of its own block.
    takes_end: bool,
}

fn items(text: &str) -> Vec<Item> {
    let bytes = text.as_bytes();
    let mut items = Vec::new();
    // For each open block: where the item began that the block belongs to.
    let mut owners: Vec<usize> = Vec::new();
    let (mut start, mut parentheses, mut at) = (0, 0usize, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 1,
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at = text[at + 2..].find("*/").map_or(bytes.len(), |length| at + 2 + length + 1);
            }
            quote @ (b'"' | b'\'') => at = string_end(bytes, at, quote),
            b'(' if is_bare_address(text, at) => at = text[at..].find(')').map_or(bytes.len(), |length| at + length),
            b'(' => parentheses += 1,
            b')' => parentheses = parentheses.saturating_sub(1),
            b';' if parentheses == 0 => {
                if !owners.is_empty() {
                    items.push(Item { start, end: at, takes_end: true });
                }
                start = at + 1;
            }
            b'{' => {
                owners.push(start);
                (start, parentheses) = (at + 1, 0);
            }
            b'}' => {
                let owner = owners.pop();
                if owner.is_some() {
                    items.push(Item { start, end: at, takes_end: false });
                }
                if let (Some(owner), false) = (owner, owners.is_empty()) {
                    items.push(Item { start: owner, end: at, takes_end: true });
                }
                (start, parentheses) = (at + 1, 0);
            }
            _ => {}
        }
        at += 1;
    }
    if !owners.is_empty() {
        items.push(Item { start, end: text.len(), takes_end: false });
    }
    items
}

/// Whether the parenthesis at `open` begins an address without quotes, in which they mean nothing: `url(data:…,<a b='c'>)`.
fn is_bare_address(text: &str, open: usize) -> bool {
    let is_url = open >= 3 && text.as_bytes()[open - 3..open].eq_ignore_ascii_case(b"url");
    is_url && !text[open + 1..].trim_start().starts_with(['"', '\''])
}

/// The closing quote, or the end of the line on which it is missing.
pub(super) fn string_end(bytes: &[u8], open: usize, quote: u8) -> usize {
    let mut at = open + 1;
    while at < bytes.len() && bytes[at] != quote && bytes[at] != b'\n' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bad_item_is_blanked() {
        let text = ".a { b: ';}'; /* } */ bad ü(;) x; c: d } .e { .f { g: h } i }";
        let blank = |error: &str| {
            let text = without_bad_items(text, &[text.find(error).unwrap()]).unwrap();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(blank("bad"), ".a { b: ';}'; c: d } .e { .f { g: h } i }");
        assert_eq!(blank("d }"), ".a { b: ';}'; /* } */ bad ü(;) x; } .e { .f { g: h } i }");
        assert_eq!(blank(".f"), ".a { b: ';}'; /* } */ bad ü(;) x; c: d } .e { i }");
        assert_eq!(blank("i }"), ".a { b: ';}'; /* } */ bad ü(;) x; c: d } .e { .f { g: h } }");
        assert_eq!(without_bad_items(text, &[0]), None);
        let text = ".a { b: c; d: url(e f='g) ; h: i } .j { k: l }";
        assert_eq!(
            without_bad_items(text, &[text.find("d:").unwrap()]).unwrap(),
            ".a { b: c;                  h: i } .j { k: l }"
        );
    }
}
