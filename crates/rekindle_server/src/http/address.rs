//! From a request target to a key: one strict decode, nothing is cleaned up (rule S2).
//!
//! ```text
//! /na%C3%AFve.txt?raw&t=17   →  path "/naïve.txt", query "raw"
//! /src/../.env               →  refused
//! /.git%2fconfig             →  refused
//! ```

/// Splits a target into path and query, both as they were sent.
pub fn split(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

/// Decodes a path once. The error is the reason, for the 400 answer.
pub fn decode_path(raw: &str) -> Result<String, &'static str> {
    let path = decode_name(raw)?;
    if path.contains('?') {
        // It would be the query of a module.
        return Err("question marks are not allowed in the path");
    }
    Ok(path)
}

/// The same where no address has a query of meaning: a question mark is part of a file's name.
pub fn decode_name(raw: &str) -> Result<String, &'static str> {
    let path = decode_once(raw)?;
    let Some(rest) = path.strip_prefix('/') else {
        return Err("the path must begin with a slash");
    };
    if path.chars().any(char::is_control) {
        return Err("control characters are not allowed in the path");
    }
    if path.contains('\\') {
        return Err("backslashes are not allowed in the path");
    }
    // One slash at the end is a folder's address; every other empty segment is a second spelling of another address.
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if path.len() > 1 && rest.split('/').any(|segment| !is_plain(segment)) {
        return Err(
            "empty, dot and dot-dot segments, and segments ending in a dot or a space, are not allowed in the path",
        );
    }
    Ok(path)
}

/// `/my app/` from `/my%20app/`: what paths of requests begin with, once they are decoded.
pub(crate) fn decode_base(base: &str) -> String {
    percent_encoding::percent_decode_str(base).decode_utf8_lossy().into_owned()
}

fn is_plain(segment: &str) -> bool {
    // "." and ".." end in a dot as well. Windows drops both endings and reads "name:stream".
    let is_stream = cfg!(windows) && segment.contains(':');
    !segment.is_empty() && !segment.ends_with(['.', ' ']) && !is_stream
}

fn decode_once(raw: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = rest.next().and_then(hex_digit).zip(rest.next().and_then(hex_digit));
        let Some((high, low)) = digits else {
            return Err("the path has a broken percent escape");
        };
        match high * 16 + low {
            b'/' | b'\\' => return Err("slashes may not be escaped in the path"),
            decoded => bytes.push(decoded),
        }
    }
    String::from_utf8(bytes).map_err(|_| "the path is not UTF-8")
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// For a path that another server decodes: whatever it takes for a slash, no segment may lead upwards, and no control byte
/// may hide in an escape.
pub(crate) fn check_climb(raw: &str) -> Result<(), &'static str> {
    let decoded = percent_encoding::percent_decode_str(raw).collect::<Vec<u8>>();
    let is_dots = |segment: &[u8]| matches!(segment, b"." | b"..");
    if decoded.split(|byte| matches!(byte, b'/' | b'\\')).any(is_dots) {
        return Err("dot and dot-dot segments are not allowed in the path");
    }
    if decoded.iter().any(|byte| byte.is_ascii_control()) {
        Err("control characters are not allowed in the path")
    } else {
        Ok(())
    }
}

/// The value of a percent-encoded query parameter; `None` unless it is given exactly once and decodes cleanly.
pub fn parameter(query: &str, name: &str) -> Option<String> {
    let mut values = raw_values(query, name);
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    decode_value(value)
}

/// All values of a parameter that may be given several times. Those that do not decode cleanly are left out.
pub(crate) fn parameters(query: &str, name: &str) -> impl Iterator<Item = String> {
    raw_values(query, name).filter_map(decode_value)
}

fn raw_values<'q>(query: &'q str, name: &str) -> impl Iterator<Item = &'q str> {
    query
        .split('&')
        .filter_map(move |pair| pair.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
}

fn decode_value(value: &str) -> Option<String> {
    percent_encoding::percent_decode_str(value).decode_utf8().ok().map(Into::into)
}

/// The query without our cache parameter: the first `t=<digits>`.
pub fn without_cache_parameter(query: &str) -> String {
    let ours =
        |part: &str| part.strip_prefix("t=").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    without_first(query, ours).unwrap_or_else(|| query.to_owned())
}

/// The query without its first part of which `unwanted` holds, if there is one; the others keep their spelling and order.
pub(crate) fn without_first(query: &str, unwanted: impl Fn(&str) -> bool) -> Option<String> {
    let mut parts: Vec<&str> = query.split('&').collect();
    let at = parts.iter().position(|part| unwanted(part))?;
    parts.remove(at);
    Some(parts.join("&"))
}

/// A decoded path as it may stand in a `Location` header.
pub(crate) use rekindle_graph::paths::encode_path;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_once() {
        assert_eq!(decode_path("/").as_deref(), Ok("/"));
        assert_eq!(decode_path("/na%C3%AFve.txt").as_deref(), Ok("/naïve.txt"));
        assert_eq!(decode_path("/naïve.txt").as_deref(), Ok("/naïve.txt"));
        assert_eq!(decode_path("/sp%20ace.txt").as_deref(), Ok("/sp ace.txt"));
        assert_eq!(decode_path("/100%25.txt").as_deref(), Ok("/100%.txt"));
        assert_eq!(decode_path("/%252e%252e/x").as_deref(), Ok("/%2e%2e/x"));
        assert_eq!(decode_path("/c%23.svg").as_deref(), Ok("/c#.svg"));
        assert_eq!(decode_path("/some/folder/").as_deref(), Ok("/some/folder/"));
        assert_eq!(decode_path("/@fs/home/x.js").as_deref(), Ok("/@fs/home/x.js"));
        assert_eq!(decode_path("/.well-known/x").as_deref(), Ok("/.well-known/x"));
    }

    #[test]
    fn a_file_may_have_a_question_mark_in_its_name() {
        assert_eq!(decode_name("/a%3Fb.txt").as_deref(), Ok("/a?b.txt"));
        assert!(decode_name("/x%5cy").is_err() && decode_name("/%2e%2e/x").is_err());
    }

    #[test]
    fn a_path_with_two_readings_is_refused() {
        for raw in [
            "",
            "x",
            "//",
            "//x",
            "/x//",
            "/x//y",
            "/.",
            "/..",
            "/./x",
            "/../x",
            "/x/..",
            "/x/../y",
            "/%2e%2e/x",
            "/.%2E/x",
            "/x/.",
            "/x/./",
            "/x%2fy",
            "/x%5cy",
            "/x\\y",
            "/x%00",
            "/x%0a",
            "/x%7f",
            "/x%C2%85",
            "/%",
            "/%4",
            "/%zz",
            "/%u002e",
            "/%+1",
            "/%ff",
            "/%c0%ae",
            "/x%20",
            "/x%2e",
            "/.env.",
            "/x /y",
            "/x%3fraw",
            "/....//x",
        ] {
            assert!(decode_path(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn one_cache_parameter_leaves_the_query() {
        assert_eq!(without_cache_parameter(""), "");
        assert_eq!(without_cache_parameter("t=1"), "");
        assert_eq!(without_cache_parameter("raw&t=1"), "raw");
        assert_eq!(without_cache_parameter("t=1&import&raw"), "import&raw");
        assert_eq!(without_cache_parameter("t=1&t=2"), "t=2");
        for kept in ["t=", "t=1x", "tt=1", "T=1", "raw&", "raw??", "%74=1", "t"] {
            assert_eq!(without_cache_parameter(kept), kept);
        }
    }

    #[test]
    fn a_parameter_counts_when_it_is_given_once() {
        assert_eq!(parameter("file=a%20b&x=1", "file").as_deref(), Some("a b"));
        assert_eq!(parameter("file=a&file=b", "file"), None);
        assert_eq!(parameter("xfile=a", "file"), None);
        assert_eq!(parameter("file=%ff", "file"), None);
        assert_eq!(parameters("id=%2Fa&by=b&id=%ff&id=c", "id").collect::<Vec<_>>(), ["/a", "c"]);
    }
}
