//! `server.cors`: which other origins may read answers. Reading is all they may: neither the token nor the socket is theirs,
//! for that there is `server.allowed_origins`.
//!
//! ```text
//! cors = true, Origin: https://a.test   →  access-control-allow-origin: https://a.test
//! cors = false (the default)            →  403
//! ```

use rekindle_compile::pattern::Pattern;

use crate::gate::Head;
use crate::relay::OwnHeaders;
use crate::reply::Reply;

/// `server.cors`. The default admits nobody.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Cors {
    pub origin: CorsOrigin,
    /// Methods a preflight allows; empty: those that the route takes.
    pub methods: Vec<String>,
    /// Headers a preflight allows; empty: those that it asks for.
    pub allowed_headers: Vec<String>,
    pub exposed_headers: Vec<String>,
    pub credentials: bool,
    /// Seconds for which a browser may keep the answer of a preflight.
    pub max_age: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub enum CorsOrigin {
    #[default]
    None,
    Any,
    Listed(Vec<OriginRule>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum OriginRule {
    Exact(String),
    Pattern(Pattern),
}

impl Cors {
    pub fn admits(&self, origin: &str) -> bool {
        match &self.origin {
            CorsOrigin::None => false,
            CorsOrigin::Any => true,
            CorsOrigin::Listed(rules) => rules.iter().any(|rule| match rule {
                OriginRule::Exact(listed) => listed == origin && origin != "null",
                OriginRule::Pattern(pattern) => pattern.is_match(origin),
            }),
        }
    }

    pub fn is_open_to_all(&self) -> bool {
        self.origin == CorsOrigin::Any
    }

    /// The answer to the question a browser asks before it sends something unusual.
    pub fn preflight(&self, head: &Head, is_proxied: bool) -> Reply {
        let methods = match (self.methods.as_slice(), is_proxied) {
            ([], true) => "GET, HEAD, PUT, PATCH, POST, DELETE".to_owned(),
            ([], false) => "GET, HEAD".to_owned(),
            (methods, _) => methods.join(", "),
        };
        let headers = match self.allowed_headers.as_slice() {
            [] => head.header("access-control-request-headers").unwrap_or_default().to_owned(),
            headers => headers.join(", "),
        };
        let reply = Reply::text(204, "")
            .with("access-control-allow-methods", methods)
            .with("access-control-max-age", self.max_age.unwrap_or(600).to_string());
        if headers.is_empty() { reply } else { reply.with("access-control-allow-headers", headers) }
    }

    /// What an answer to an admitted origin says.
    pub fn headers(&self, origin: &str) -> OwnHeaders {
        let mut headers = vec![("access-control-allow-origin", origin.to_owned())];
        if self.credentials {
            headers.push(("access-control-allow-credentials", "true".to_owned()));
        }
        if !self.exposed_headers.is_empty() {
            headers.push(("access-control-expose-headers", self.exposed_headers.join(", ")));
        }
        headers
    }
}
