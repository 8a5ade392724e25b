//! Files as part of what refers to them: `data:` addresses, spelled as Vite spells them.
//!
//! ```text
//! <svg xmlns="http://www.w3.org/2000/svg"/>   →   data:image/svg+xml,%3csvg%20xmlns='http://www.w3.org/2000/svg'/%3e
//! a.png?inline                                →   data:image/png;base64,iVBORw0…
//! ```

use std::path::Path;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fancy_regex::Regex;

/// `build.assets_inline_limit` where nobody sets it.
pub const DEFAULT_LIMIT: u64 = 4096;

/// What stands for a file that Git keeps elsewhere.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com";

/// The file as an address.
pub fn data_url(file: &Path, content: &[u8]) -> String {
    if is_svg(file) {
        return svg(content);
    }
    let mime = mime_guess::from_path(file).first_or_octet_stream();
    format!("data:{mime};base64,{}", STANDARD.encode(content))
}

pub fn is_svg(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "svg")
}

/// Whether a file is small enough, and a file.
pub fn fits(content: &[u8], limit: u64) -> bool {
    (content.len() as u64) < limit && !content.starts_with(LFS_POINTER)
}

fn svg(content: &[u8]) -> String {
    static NESTED_QUOTES: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#""[^"']*'[^"]*"|'[^'"]*"[^']*'"#).ok());
    let text = String::from_utf8_lossy(content);
    let has_nested_quotes = NESTED_QUOTES.as_ref().is_none_or(|quotes| quotes.is_match(&*text).unwrap_or(true));
    if text.contains("<text") || text.contains("<foreignObject") || has_nested_quotes {
        return format!("data:image/svg+xml;base64,{}", STANDARD.encode(content));
    }
    let mut out = String::from("data:image/svg+xml,");
    let is_space = |c: char| c.is_whitespace() || c == '\u{feff}';
    let mut rest = text.trim_matches(is_space);
    while let Some(c) = rest.chars().next() {
        if is_space(c) {
            let after = rest.trim_start_matches(is_space);
            // White space between two tags has no meaning.
            if !(out.ends_with("%3e") && after.starts_with('<')) {
                out.push_str("%20");
            }
            rest = after;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '"' => out.push('\''),
            '%' => out.push_str("%25"),
            '#' => out.push_str("%23"),
            '<' => out.push_str("%3c"),
            '>' => out.push_str("%3e"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_svg_is_text_unless_its_quotes_or_texts_forbid() {
        let url = |text: &str| data_url(Path::new("a.svg"), text.as_bytes());
        assert_eq!(
            url("<svg xmlns=\"http://www.w3.org/2000/svg\">\n  <rect fill=\"#f00\"  width=\"50%\"/>\n</svg>\n"),
            "data:image/svg+xml,%3csvg%20xmlns='http://www.w3.org/2000/svg'%3e%3crect%20fill='%23f00'%20width='50%25'/%3e%3c/svg%3e"
        );
        assert_eq!(url("<svg><text/></svg>"), "data:image/svg+xml;base64,PHN2Zz48dGV4dC8+PC9zdmc+");
        assert_eq!(url("<a b=\"it's\"/>"), "data:image/svg+xml;base64,PGEgYj0iaXQncyIvPg==");
        assert_eq!(data_url(Path::new("a.png"), b"x"), "data:image/png;base64,eA==");
    }

    #[test]
    fn only_what_is_below_the_limit_fits() {
        assert!(fits(b"123", 4) && !fits(b"1234", 4) && !fits(b"", 0));
        assert!(!fits(b"version https://git-lfs.github.com/spec/v1", 4096));
    }
}
