//! Regular expressions of settings, written as in JavaScript: keys of `server.proxy`, its rewrites, `resolve.alias`.
//!
//! ```text
//! ^/api(?!/local)   on /api/users, replaced by ""     →  /users
//! ^@(ui|icons)/     on @ui/button, replaced by /src/$1/ →  /src/ui/button
//! ```
//!
//! They are applied to addresses that a client may choose, so the engine is one whose backtracking is bounded; what
//! would take longer does not match.

use std::fmt;

use fancy_regex::{Captures, Regex, RegexBuilder};

/// Steps of backtracking until a match is given up.
const LARGEST_EFFORT: usize = 100_000;

/// A compiled pattern. Two are equal when they are written the same.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    flags: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles `source` with flags such as `i`; `g`, `u`, `v`, `y` and `d` change nothing here.
    pub fn new(source: &str, flags: &str) -> Result<Self, String> {
        let inline: String = flags.chars().filter(|flag| matches!(flag, 'i' | 'm' | 's')).collect();
        let text =
            if inline.is_empty() { in_our_spelling(source) } else { format!("(?{inline}){}", in_our_spelling(source)) };
        let regex = RegexBuilder::new(&text)
            .backtrack_limit(LARGEST_EFFORT)
            .build()
            .map_err(|error| format!("`{source}` is not a regular expression that rekindle understands: {error}"))?;
        Ok(Self { source: source.to_owned(), flags: flags.to_owned(), regex })
    }

    /// A pattern that matches exactly this text, wherever it stands.
    pub fn of_text(text: &str) -> Result<Self, String> {
        Self::new(&fancy_regex::escape(text), "")
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text).unwrap_or(false)
    }

    /// What `text.replace(/pattern/, replacement)` gives in JavaScript: the first match, or all with the flag `g`.
    pub fn replace(&self, text: &str, replacement: &str) -> String {
        let mut out = String::new();
        let mut end = 0;
        for captures in self.regex.captures_iter(text) {
            let Ok(captures) = captures else { break };
            let Some(whole) = captures.get(0) else { break };
            out.push_str(&text[end..whole.start()]);
            expand(&mut out, replacement, &captures, text);
            end = whole.end();
            if !self.flags.contains('g') {
                break;
            }
        }
        out.push_str(&text[end..]);
        out
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/{}", self.source, self.flags)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.flags == other.flags
    }
}

/// JavaScript escapes the slash and writes `[^]` for any character; both mean something else here, or nothing.
fn in_our_spelling(source: &str) -> String {
    let mut out = String::new();
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('/')) => {}
            ('\\', Some(_)) => {
                out.push(c);
                out.extend(chars.next());
            }
            _ => out.push(c),
        }
    }
    out.replace("[^]", "[\\s\\S]")
}

/// `$1`, `$<name>`, `$&`, `` $` ``, `$'` and `$$` of a replacement.
fn expand(out: &mut String, replacement: &str, captures: &Captures<str>, text: &str) {
    let whole = captures.get(0).map_or(0..0, |whole| whole.range());
    let mut rest = replacement;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
        let group = (1..=digits)
            .rev()
            .filter_map(|length| Some((length, rest[..length].parse::<usize>().ok()?)))
            .find(|(_, number)| (1..captures.len()).contains(number));
        let name = rest.strip_prefix('<').and_then(|named| named.split_once('>'));
        match (group, name, rest.chars().next()) {
            (Some((length, number)), ..) => {
                out.push_str(captures.get(number).map_or("", |group| group.as_str()));
                rest = &rest[length..];
            }
            (_, Some((name, after)), _) if captures.name(name).is_some() => {
                out.push_str(captures.name(name).map_or("", |group| group.as_str()));
                rest = after;
            }
            (.., Some('&')) => {
                out.push_str(&text[whole.clone()]);
                rest = &rest[1..];
            }
            (.., Some('`')) => {
                out.push_str(&text[..whole.start]);
                rest = &rest[1..];
            }
            (.., Some('\'')) => {
                out.push_str(&text[whole.end..]);
                rest = &rest[1..];
            }
            (.., Some('$')) => {
                out.push('$');
                rest = &rest[1..];
            }
            _ => out.push('$'),
        }
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_mean_what_they_mean_in_javascript() {
        let replace =
            |pattern: &str, flags: &str, text: &str, to: &str| Pattern::new(pattern, flags).unwrap().replace(text, to);
        assert_eq!(replace("^\\/api", "", "/api/api/x", ""), "/api/x");
        assert_eq!(replace("^/v(\\d+)/(.*)", "", "/v2/users", "/$2?v=$1"), "/users?v=2");
        assert_eq!(replace("a", "g", "banana", "$&$&$$"), "baa$naa$naa$");
        assert_eq!(replace("(?<kind>ui|icons)/", "", "@ui/x", "$<kind>-$1x$9"), "@ui-uix$9x");
        assert_eq!(replace("B", "i", "abc", "[$`|$']"), "a[a|c]c");
        assert_eq!(replace("^/(?!static)", "", "/static", "/x/"), "/static");
    }

    #[test]
    fn effort_is_bounded() {
        let pattern = Pattern::new("^(a|aa)+(?=b)$", "").unwrap();
        assert!(!pattern.is_match(&"a".repeat(10_000)));
    }

    #[test]
    fn what_is_no_pattern_says_so() {
        assert!(Pattern::new("^(", "").unwrap_err().starts_with("`^(` is not a regular expression"));
    }
}
