//! The checks that a request passes before anything is looked up, in one order.
//!
//! ```text
//! gate ─► Host ─► method ─► other sites ─► decode ─► key ─► base ─► a path below the base
//! 400     403     405       403            400       403    404
//! ```

use std::net::IpAddr;

use crate::http::gate::{Head, Method};
use crate::http::hosts::Origin;
use crate::http::reply::Reply;
use crate::http::site::Site;
use crate::http::{address, cross_origin};
use crate::tabs::socket::Handshake;

/// An answer that ends the checks.
type Refused = Reply;

impl Site {
    /// Every check that does not depend on the route. What passes is a decoded path below the base, and a query.
    pub(crate) fn check(&self, head: &Head, origin: Origin, peer: IpAddr) -> Result<(String, String), Refused> {
        self.check_host(head)?;
        match head.method {
            Method::Get | Method::Head | Method::Post => {}
            Method::Options if matches!(origin, Origin::Allowed | Origin::Reader) => {
                return Err(cross_origin::preflight(&self.cors, head, false));
            }
            Method::Options => {
                return Err(Reply::text(403, "other origins may not read from here").with("allow", "GET, HEAD"));
            }
            Method::Other => return Err(not_allowed("GET, HEAD")),
        }
        self.check_site(head, origin)?;
        let (raw_path, query) = address::split(&head.target);
        let decode = if self.has_dev_routes { address::decode_path } else { address::decode_name };
        let path = decode(raw_path).map_err(|reason| Reply::text(400, reason))?;
        self.check_key(head, peer, &path, query)?;
        let below = self.below_base(head, &path)?;
        Ok((below, address::without_cache_parameter(query)))
    }

    /// The same for what another server answers. The path is not decoded, for that is the other server's business, but it
    /// must not climb. What passes is whether it becomes a socket.
    pub(crate) fn check_proxied(
        &self,
        head: &Head,
        origin: Origin,
        peer: IpAddr,
        rule: usize,
    ) -> Result<bool, Refused> {
        self.check_host(head)?;
        let is_admitted = matches!(origin, Origin::Allowed | Origin::Reader);
        if head.method == Method::Options && is_admitted && head.header("access-control-request-method").is_some() {
            return Err(cross_origin::preflight(&self.cors, head, true));
        }
        if matches!(head.verb.as_str(), "CONNECT" | "TRACE") {
            return Err(not_allowed("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"));
        }
        self.check_site(head, origin)?;
        let (path, query) = address::split(&head.target);
        address::check_climb(path).map_err(|reason| Reply::text(400, reason))?;
        if self.key.is_some() {
            let path = address::decode_path(path).unwrap_or_else(|_| path.to_owned());
            self.check_key(head, peer, &path, query)?;
        }
        if !Handshake::is_wanted(head) {
            return Ok(false);
        }
        match (self.proxy.passes_sockets(rule), Handshake::is_well_formed(head)) {
            (true, true) => Ok(true),
            (true, false) => Err(Reply::text(400, "the handshake of the socket is malformed")),
            (false, _) => Err(Reply::text(400, "the proxy passes sockets on only where its entry says `ws = true`")),
        }
    }

    pub(crate) fn check_host(&self, head: &Head) -> Result<(), Refused> {
        if self.hosts.admit(head.host()) { Ok(()) } else { Err(Reply::text(403, self.hosts.refusal(head.host()))) }
    }

    fn check_site(&self, head: &Head, origin: Origin) -> Result<(), Refused> {
        let is_read_by_all = origin == Origin::Absent && self.cors.is_open_to_all();
        if !is_another_site(head, origin) || is_read_by_all {
            return Ok(());
        }
        Err(Reply::text(
            403,
            "other sites may not read from here; if this one is yours, add its origin to `server.allowed_origins`",
        ))
    }

    /// Visitors from other machines need the key: in the address the first time, in a cookie from then on.
    fn check_key(&self, head: &Head, peer: IpAddr, path: &str, query: &str) -> Result<(), Refused> {
        let Some(key) = &self.key else { return Ok(()) };
        if peer.to_canonical().is_loopback() || key.is_in_cookie(head) {
            return Ok(());
        }
        let is_key = |part: &str| part.strip_prefix("key=").is_some_and(|offered| key.token.matches(offered));
        let rest = address::without_first(query, is_key).filter(|_| head.method == Method::Get);
        let Some(rest) = rest else {
            return Err(Reply::text(403, "open the address with the key that the server's terminal shows"));
        };
        let mark = if rest.is_empty() { "" } else { "?" };
        let secure = if self.tls.is_some() { "; Secure" } else { "" };
        let (name, token, below) = (&key.cookie, key.token.as_str(), &key.cookie_path);
        let cookie = format!("{name}={token}; Path={below}; HttpOnly; SameSite=Strict{secure}");
        Err(Reply::redirect(format!("{}{mark}{rest}", address::encode_path(path))).with("set-cookie", cookie))
    }

    fn below_base(&self, head: &Head, path: &str) -> Result<String, Refused> {
        if let Some(below) = path.strip_prefix(&self.base) {
            return Ok(format!("/{below}"));
        }
        // A reverse proxy that serves us below a path and takes that off says so; it selects among the same addresses.
        let prefix = head.header("x-forwarded-prefix").unwrap_or_default().trim_end_matches('/');
        if !prefix.is_empty() && self.base.strip_suffix('/') == Some(prefix) {
            return Ok(path.to_owned());
        }
        let is_entry = path == "/" || path.strip_prefix('/') == Some(self.base.trim_matches('/'));
        if is_entry && is_navigation(head) {
            return Err(Reply::redirect(address::encode_path(&self.base)));
        }
        Err(Reply::text(
            404,
            format!(
                "everything is served under {}; did you mean {}{}?",
                self.base,
                self.base,
                path.trim_start_matches('/')
            ),
        ))
    }
}

/// The answer to a method that an address does not take.
pub(crate) fn not_allowed(allow: &'static str) -> Reply {
    Reply::text(405, "this method is not allowed here").with("allow", allow)
}

/// The browser asks for a page, to show it in a tab or a frame.
pub(crate) fn is_navigation(head: &Head) -> bool {
    match head.header("sec-fetch-mode") {
        Some(mode) => {
            mode == "navigate" && matches!(head.header("sec-fetch-dest"), None | Some("document" | "iframe" | "frame"))
        }
        None => head.header("accept").is_some_and(|accept| accept.contains("text/html")),
    }
}

/// Another site asks, and not for a page to go to. Browsers leave `Sec-Fetch-*` out towards plain-http addresses of a
/// network, so a foreign `Origin` says the same.
fn is_another_site(head: &Head, origin: Origin) -> bool {
    let is_link =
        head.header("sec-fetch-mode") == Some("navigate") && is_navigation(head) && head.method != Method::Post;
    let is_cross = origin == Origin::Foreign || head.header("sec-fetch-site") == Some("cross-site");
    is_cross && !matches!(origin, Origin::Allowed | Origin::Reader) && !is_link
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::http::connections::listen::BoundListeners;
    use crate::http::gate::{Gate, GateEvent};
    use rekindle_config::Config;

    fn site(change: impl FnOnce(&mut Config), exposed: bool) -> Site {
        let mut config = Config::new("/project");
        change(&mut config);
        let bound = BoundListeners {
            listeners: Vec::new(),
            port: 5173,
            exposed,
            name: None,
            local: Vec::new(),
            network: Vec::new(),
        };
        Site::new(&config, &bound, mpsc::unbounded_channel().0)
    }

    /// What the checks say to a request from an address: the path that passes, or the head of the refusal.
    async fn check(site: &Site, peer: &str, request: &str) -> String {
        let bytes = format!("{}\r\n\r\n", request.replace('\n', "\r\n"));
        let GateEvent::Head(head) = Gate::default().next(&mut bytes.as_bytes()).await else {
            panic!("the gate refuses {request}")
        };
        let origin = site.origin_of(&head);
        match site.check(&head, origin, peer.parse().unwrap()) {
            Ok((path, query)) => format!("{path}?{query}"),
            Err(reply) => reply.show(),
        }
    }

    #[tokio::test]
    async fn other_sites_may_link_to_us_and_nothing_else() {
        let site = site(|_| {}, false);
        let from = async |headers: &str| {
            check(&site, "127.0.0.1", &format!("GET /a HTTP/1.1\nHost: localhost:5173\n{headers}")).await
        };
        assert_eq!(from("Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: document").await, "/a?");
        assert_eq!(from("Sec-Fetch-Site: same-origin\nOrigin: http://localhost:5173").await, "/a?");
        assert_eq!(from("Sec-Fetch-Site: none").await, "/a?");
        for refused in [
            "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors",
            "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: object",
            "Sec-Fetch-Site: cross-site\nAccept: text/html",
            "Origin: http://evil.example",
            "Origin: null",
        ] {
            assert!(from(refused).await.starts_with("403"), "{refused}");
        }
    }

    #[tokio::test]
    async fn a_listed_origin_is_admitted_letter_by_letter() {
        let site = site(|config| config.server.allowed_origins = vec!["http://backend.test".into()], false);
        let from = async |method: &str, origin: &str| {
            check(
                &site,
                "::1",
                &format!("{method} /a HTTP/1.1\nHost: localhost:5173\nSec-Fetch-Site: cross-site\nOrigin: {origin}"),
            )
            .await
        };
        assert_eq!(from("GET", "http://backend.test").await, "/a?");
        assert!(from("OPTIONS", "http://backend.test").await.starts_with("204"));
        assert!(from("GET", "http://backend.test:80").await.starts_with("403"));
        assert!(from("OPTIONS", "http://evil.example").await.starts_with("403"));
    }

    #[tokio::test]
    async fn the_host_comes_before_everything() {
        let site = site(|_| {}, false);
        for method in ["GET", "OPTIONS", "PUT"] {
            assert!(
                check(&site, "127.0.0.1", &format!("{method} /../x HTTP/1.1\nHost: evil.example"))
                    .await
                    .starts_with("403")
            );
        }
        assert!(check(&site, "127.0.0.1", "PUT / HTTP/1.1\nHost: localhost").await.starts_with("405"));
    }

    #[tokio::test]
    async fn everything_is_below_the_base() {
        let site = site(|config| config.base = "/app/".into(), false);
        let ask = async |target: &str, accept: &str| {
            check(&site, "127.0.0.1", &format!("GET {target} HTTP/1.1\nHost: localhost\nAccept: {accept}")).await
        };
        assert_eq!(ask("/app/", "*/*").await, "/?");
        assert_eq!(ask("/app/a.js?raw&t=12", "*/*").await, "/a.js?raw");
        assert_eq!(ask("/", "text/html").await, "302 /app/");
        assert_eq!(ask("/app", "text/html").await, "302 /app/");
        assert!(ask("/", "*/*").await.starts_with("404"));
        assert!(ask("/apple/a.js", "text/html").await.starts_with("404"));
    }

    #[tokio::test]
    async fn a_reverse_proxy_may_take_the_base_off_if_it_says_so() {
        let site = site(|config| config.base = "/tools/app/".into(), false);
        let ask = async |prefix: &str| {
            let request = format!("GET /a.js HTTP/1.1\nHost: localhost\nX-Forwarded-Prefix: {prefix}");
            check(&site, "127.0.0.1", &request).await
        };
        assert_eq!(ask("/tools/app").await, "/a.js?");
        assert_eq!(ask("/tools/app/").await, "/a.js?");
        for prefix in ["/tools", "/", "/tools/app/x", "//tools/app", "/tools/app, /x"] {
            assert!(ask(prefix).await.starts_with("404"), "{prefix}");
        }
    }

    #[tokio::test]
    async fn a_reader_is_no_listed_origin() {
        let site = site(|config| config.server.cors.origin = rekindle_config::cors::CorsOrigin::Any, false);
        let ask = async |headers: &str| {
            check(&site, "127.0.0.1", &format!("GET /a HTTP/1.1\nHost: localhost:5173\n{headers}")).await
        };
        assert_eq!(ask("Origin: https://other.example\nSec-Fetch-Site: cross-site").await, "/a?");
        assert_eq!(ask("Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors").await, "/a?");
        let origin = |text: &str| Origin::of(Some(text), "localhost:5173", &[]);
        assert!(!origin("https://other.example").is_trusted() && !Origin::Reader.is_trusted());
    }

    #[tokio::test]
    async fn visitors_from_other_machines_need_the_key() {
        let site = site(|_| {}, true);
        let key = site.key.as_ref().unwrap().token.as_str().to_owned();
        let ask = async |peer: &str, target: &str, headers: &str| {
            check(&site, peer, &format!("GET {target} HTTP/1.1\nHost: 192.168.1.10:5173\n{headers}")).await
        };
        assert_eq!(ask("127.0.0.1", "/a", "X: y").await, "/a?");
        assert_eq!(ask("::ffff:127.0.0.1", "/a", "X: y").await, "/a?");
        assert!(ask("192.168.1.20", "/a", "X: y").await.starts_with("403"));
        assert!(ask("192.168.1.20", "/a?key=x", "X: y").await.starts_with("403"));
        assert_eq!(ask("192.168.1.20", &format!("/a%20b?x&key={key}"), "X: y").await, "302 /a%20b?x");
        assert_eq!(ask("192.168.1.20", "/a", &format!("Cookie: z=1; rekindle-5173={key}")).await, "/a?");
        assert!(ask("192.168.1.20", "/a", &format!("Cookie: rekindle-5174={key}")).await.starts_with("403"));
        assert!(site.editor.is_none());
    }
}
