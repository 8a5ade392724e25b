//! What the HTTP side knows about the server: who it is, whom it admits, and what every answer carries.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::sync::watch;

use crate::event::Inbox;
use crate::http::connections::listen::BoundListeners;
use crate::http::gate::Head;
use crate::http::hosts::{Hosts, Origin};
use crate::http::reply::{OwnHeaders, Reply};
use crate::http::token::Token;
use crate::http::{address, cross_origin};
use crate::programs::editor::Editor;
use crate::proxy::upstream::Proxy;
use crate::tabs::socket::LargeReaders;
use rekindle_config::Config;
use rekindle_config::cors::Cors;

const CONNECTIONS: usize = 1000;
/// How long answers that are being written may take once the server stops.
pub(crate) const LAST_WORDS: Duration = Duration::from_millis(800);

/// What the HTTP side knows about the server: what was settled at its start. Nothing here changes while it runs.
#[derive(Debug)]
pub struct Site {
    pub inbox: Inbox,
    /// Begins and ends with a slash.
    pub base: String,
    pub hosts: Hosts,
    pub allowed_origins: Vec<String>,
    pub cors: Cors,
    /// Headers of the settings, for every answer of ours.
    pub(crate) headers: Vec<(String, String)>,
    pub proxy: Proxy,
    /// Set when TLS is spoken.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Another path for the socket, below the base.
    pub(crate) socket_path: Option<String>,
    /// Opens the socket and the editor. Only the client script of our own pages holds it.
    pub token: Token,
    /// Lets a command announce edits. Only the note that commands read holds it.
    pub control: Token,
    /// Set when the server is reachable from other machines: what a visitor from there must have.
    pub key: Option<Key>,
    /// `None`: no editor is opened, because other machines can reach the server.
    pub editor: Option<Editor>,
    /// `false` for a preview: it has neither socket nor editor, and rules of the proxy count for every address.
    pub has_dev_routes: bool,
    /// How many may be connected at a time.
    pub connections: usize,
    pub(crate) clients: AtomicU64,
    pub(crate) grown: LargeReaders,
    pub(crate) stopping: watch::Sender<bool>,
}

/// Admits visitors from other machines: once in the address, from then on in a cookie.
#[derive(Debug)]
pub struct Key {
    pub token: Token,
    /// The name has the port in it, since cookies are sent to all ports of a host.
    pub(crate) cookie: String,
    /// Where the browser sends it: below the base, or everywhere when other paths lead to other servers.
    pub(crate) cookie_path: String,
}

impl Site {
    pub fn new(config: &Config, bound: &BoundListeners, inbox: Inbox) -> Self {
        let names = config.server.allowed_hosts.iter().cloned().chain(bound.name.clone());
        let cookie_path = if config.server.proxy.is_empty() { config.base.clone() } else { "/".to_owned() };
        let key = || Key { token: Token::fresh(), cookie: format!("rekindle-{}", bound.port), cookie_path };
        let socket_path = config.hmr.socket.path.as_ref().map(|path| format!("/{}", path.trim_start_matches('/')));
        Self {
            cors: config.server.cors.clone(),
            headers: config.server.headers.clone(),
            proxy: Proxy::new(config.server.proxy.clone(), inbox.clone()),
            tls: None,
            socket_path,
            inbox,
            base: address::decode_base(&config.base),
            hosts: Hosts::new(bound.port, names),
            allowed_origins: config.server.allowed_origins.clone(),
            token: Token::fresh(),
            control: Token::fresh(),
            key: bound.exposed.then(key),
            editor: (!bound.exposed).then(|| Editor::new(&config.root)),
            has_dev_routes: true,
            connections: CONNECTIONS,
            clients: AtomicU64::new(1),
            grown: LargeReaders::default(),
            stopping: watch::Sender::new(false),
        }
    }

    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Ends the serving: sockets are closed with 1001, answers that are being written get a moment.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// An address with the key in it, for visitors from other machines; the same address when none is needed.
    pub fn with_key(&self, url: &str) -> String {
        match &self.key {
            Some(key) => format!("{url}?key={}", key.token.as_str()),
            None => url.to_owned(),
        }
    }

    /// Adds what every answer carries.
    pub(crate) fn dress(&self, reply: Reply, origin: Origin, named: Option<&str>) -> Reply {
        let is_private = self.allowed_origins.is_empty() || reply.is_script_or_page();
        let mut reply = reply.with("x-content-type-options", "nosniff");
        for (name, value) in self.origin_headers(origin, named, is_private) {
            reply = reply.with(name, value);
        }
        for (name, value) in &self.headers {
            reply = reply.with_instead(name, value);
        }
        reply
    }

    /// What an answer of another server gets from us.
    pub(crate) fn own_headers(&self, origin: Origin, named: Option<&str>) -> OwnHeaders {
        self.origin_headers(origin, named, true)
    }

    /// Which other origins may read an answer.
    fn origin_headers(&self, origin: Origin, named: Option<&str>, is_private: bool) -> OwnHeaders {
        // A page of a listed origin may show our images and fonts, which browsers fetch without CORS.
        let policy = if self.cors.is_open_to_all() {
            "cross-origin"
        } else if is_private {
            "same-origin"
        } else {
            "same-site"
        };
        let mut headers = vec![("cross-origin-resource-policy", policy.to_owned())];
        if !self.allowed_origins.is_empty() || self.cors != Cors::default() {
            headers.push(("vary", "Origin".to_owned()));
        }
        if let (Origin::Allowed | Origin::Reader, Some(named)) = (origin, named) {
            headers.extend(cross_origin::headers(&self.cors, named));
        }
        headers
    }
}

impl Key {
    /// Whether a request carries the key in its cookie.
    pub(crate) fn is_in_cookie(&self, head: &Head) -> bool {
        let cookies = head.header("cookie").unwrap_or_default().split(';');
        cookies
            .filter_map(|cookie| cookie.trim().split_once('='))
            .any(|(name, value)| name == self.cookie && self.token.matches(value))
    }
}
