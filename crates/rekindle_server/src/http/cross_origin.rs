//! What `server.cors` makes of requests from other origins: the answer to a preflight, and the headers that let a page read
//! an answer.
//!
//! ```text
//! cors = true, Origin: https://a.test   →  access-control-allow-origin: https://a.test
//! cors = false (the default)            →  403
//! ```

use crate::http::gate::Head;
use crate::http::reply::{OwnHeaders, Reply};
use rekindle_config::cors::Cors;

/// The answer to the question a browser asks before it sends something unusual.
pub fn preflight(cors: &Cors, head: &Head, is_proxied: bool) -> Reply {
    let methods = match (cors.methods.as_slice(), is_proxied) {
        ([], true) => "GET, HEAD, PUT, PATCH, POST, DELETE".to_owned(),
        ([], false) => "GET, HEAD".to_owned(),
        (methods, _) => methods.join(", "),
    };
    let headers = match cors.allowed_headers.as_slice() {
        [] => head.header("access-control-request-headers").unwrap_or_default().to_owned(),
        headers => headers.join(", "),
    };
    let reply = Reply::text(204, "")
        .with("access-control-allow-methods", methods)
        .with("access-control-max-age", cors.max_age.unwrap_or(600).to_string());
    if headers.is_empty() { reply } else { reply.with("access-control-allow-headers", headers) }
}

/// The headers of an answer to an admitted origin.
pub fn headers(cors: &Cors, origin: &str) -> OwnHeaders {
    let mut headers = vec![("access-control-allow-origin", origin.to_owned())];
    if cors.credentials {
        headers.push(("access-control-allow-credentials", "true".to_owned()));
    }
    if !cors.exposed_headers.is_empty() {
        headers.push(("access-control-expose-headers", cors.exposed_headers.join(", ")));
    }
    headers
}
