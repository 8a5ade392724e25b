//! `server.proxy` as it is set: which addresses are answered by another server, and how they are rewritten on the way.
//!
//! ```text
//! "/api" = { target = "http://localhost:3000", rewrite = [{ from = "^/api", to = "" }] }
//! ```

use std::fmt;

use http::Uri;
use rekindle_compile::resolve::pattern::Pattern;

/// One entry of `server.proxy`.
#[derive(Clone, Debug, PartialEq)]
pub struct ProxyRule {
    /// As the user wrote it.
    pub key: String,
    /// The addresses that it is for.
    pub context: Context,
    /// Scheme, host and port of the other server, with a path that goes in front of every address.
    pub target: Target,
    /// The other server sees its own name as `Host` instead of ours.
    pub change_origin: bool,
    /// Applied to path and query, one after the other.
    pub rewrite: Vec<Rewrite>,
    /// Sockets are passed on as well.
    pub ws: bool,
    /// The certificate of an `https` target has to be valid.
    pub secure: bool,
    /// Set on every request.
    pub headers: Vec<(String, String)>,
    /// `X-Forwarded-For`, `-Host`, `-Port` and `-Proto` tell the other server about ours.
    pub xfwd: bool,
    /// Sockets carry the target as `Origin`.
    pub rewrite_ws_origin: bool,
}

/// Which addresses a rule is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Context {
    /// Those that begin so.
    Prefix(String),
    /// Those that a pattern fits.
    Pattern(Pattern),
}

/// A replacement in path and query.
#[derive(Clone, Debug, PartialEq)]
pub struct Rewrite {
    /// What is replaced.
    pub from: Pattern,
    /// What stands in its place, with `$1` and the like.
    pub to: String,
}

/// `http://localhost:3000/base`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Over TLS.
    pub https: bool,
    /// Host and port.
    pub authority: String,
    /// Without a slash at its end.
    pub path: String,
}

impl Context {
    /// The key of a rule: `^…` is a pattern, anything else the beginning of an address.
    pub fn parse(key: &str) -> Result<Self, String> {
        match key {
            _ if key.starts_with('^') => Ok(Self::Pattern(Pattern::new(key, "")?)),
            _ if key.starts_with('/') => Ok(Self::Prefix(key.to_owned())),
            _ => {
                Err("a key is the beginning of an address, such as \"/api\", or a pattern, such as \"^/v[12]/\"".into())
            }
        }
    }

    /// Whether an address, path and query, is one that the rule is for.
    pub fn fits(&self, target: &str) -> bool {
        match self {
            Self::Prefix(prefix) => target.starts_with(prefix.as_str()),
            Self::Pattern(pattern) => pattern.is_match(target),
        }
    }
}

impl Target {
    /// Whether the text names a socket (`ws://`), and the target itself.
    pub fn parse(text: &str) -> Result<(bool, Self), String> {
        let wrong = || format!("`{text}` is not a target; write it like \"http://localhost:3000\"");
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let (https, is_socket) = match uri.scheme_str() {
            Some("http") => (false, false),
            Some("https") => (true, false),
            Some("ws") => (false, true),
            Some("wss") => (true, true),
            _ => return Err(wrong()),
        };
        let authority = uri.authority().ok_or_else(wrong)?.as_str().to_owned();
        if authority.contains('@') {
            return Err("a target cannot hold a password; put it into `headers`, as `authorization`".into());
        }
        if uri.query().is_some() {
            return Err("a target cannot have a query".into());
        }
        Ok((is_socket, Self { https, authority, path: uri.path().trim_end_matches('/').to_owned() }))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.https { "https" } else { "http" }, self.authority, self.path)
    }
}

impl ProxyRule {
    /// A rule with the defaults.
    pub fn new(key: &str, target: &str) -> Result<Self, String> {
        let context = Context::parse(key)?;
        let (ws, target) = Target::parse(target)?;
        Ok(Self {
            key: key.to_owned(),
            context,
            target,
            change_origin: false,
            rewrite: Vec::new(),
            ws,
            secure: true,
            headers: Vec::new(),
            xfwd: false,
            rewrite_ws_origin: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_whole_addresses() {
        assert_eq!(Target::parse("ws://h:1/p/").unwrap().1.to_string(), "http://h:1/p");
        assert!(Target::parse("wss://h").unwrap().0);
        for wrong in ["", "localhost:3000", "ftp://x", "http://", "http://a:b@c", "http://x?y"] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }
}
