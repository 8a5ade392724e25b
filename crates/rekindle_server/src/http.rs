//! Requests: every check in one order, then a question to the loop, then bytes.
//!
//! ```text
//! wire ─► gate ─► Host ─► method ─► other sites ─► decode ─► key ─► base ─► Event::Request ─► Answer ─► wire
//!         400     403     405       403            400       403    404
//! ```

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::address;
use crate::config::Config;
use crate::control;
use crate::cors::Cors;
use crate::editor::Editor;
use crate::event::{ClientId, Event, Inbox, Request, Wants};
use crate::gate::{Arrival, Gate, Head, Method};
use crate::hosts::{Hosts, Origin};
use crate::http2;
use crate::leases::EditRequest;
use crate::listen::Bound;
use crate::proxy::{From, Proxy};
use crate::relay::{self, After, OwnHeaders, relay, relay_upgrade};
use crate::reply::{self, Reply};
use crate::room::{Doing, Place, Room};
use crate::socket::{self, Grown, Handshake};
use crate::token::Token;

const CONNECTIONS: usize = 1000;
/// How long answers that are being written may take once the server stops.
pub(crate) const LAST_WORDS: Duration = Duration::from_millis(800);
/// How long a connection stays open for reading after its last answer, see [`linger`].
const LINGER: Duration = Duration::from_secs(1);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a connection may take until it speaks TLS.
const TLS_TIME: Duration = Duration::from_secs(10);
/// The first byte of a TLS greeting.
const TLS_GREETING: u8 = 0x16;

/// The answer to a connection too many. Written without waiting, or not at all.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nx-content-type-options: nosniff\r\ncross-origin-resource-policy: same-origin\r\nconnection: close\r\n\r\n";

const SOCKET: &str = "/@rekindle/socket";
const EDITOR: &str = "/@rekindle/open-in-editor";
/// How long the loop may take to publish what a command has changed.
const EDIT_TIME: Duration = Duration::from_secs(60);

/// What the HTTP side knows about the server: facts of this start, nothing that changes while it runs.
#[derive(Debug)]
pub struct Site {
    pub inbox: Inbox,
    /// Begins and ends with a slash.
    pub base: String,
    pub hosts: Hosts,
    pub allowed_origins: Vec<String>,
    pub cors: Cors,
    /// Headers of the settings, for every answer of ours.
    headers: Vec<(String, String)>,
    pub proxy: Proxy,
    /// Set when TLS is spoken.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// Another path for the socket, below the base.
    socket_path: Option<String>,
    /// Opens the socket and the editor; only the page's own client is told.
    pub token: Token,
    /// Lets a command announce edits; only the file for commands holds it.
    pub control: Token,
    /// Set when the server is reachable from other machines: what a visitor from there must have.
    pub key: Option<Key>,
    /// `None`: the route does not exist.
    pub editor: Option<Editor>,
    /// `false`: neither socket nor editor, and no address of ours before those of the proxy.
    pub has_dev_routes: bool,
    /// How many may be connected at a time.
    pub connections: usize,
    clients: AtomicU64,
    grown: Grown,
    stopping: watch::Sender<bool>,
}

/// Admits visitors from other machines: once in the address, from then on in a cookie.
#[derive(Debug)]
pub struct Key {
    pub token: Token,
    /// Cookies do not know ports, so the name does.
    cookie: String,
    /// Where the browser sends it: below the base, or everywhere when other paths lead to other servers.
    cookie_path: String,
}

impl Site {
    pub fn new(config: &Config, bound: &Bound, inbox: Inbox) -> Self {
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
            grown: Grown::default(),
            stopping: watch::Sender::new(false),
        }
    }

    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Ends [`serve`]: sockets are closed with 1001, answers that are being written get a moment.
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
}

/// Serves until [`Site::stop`]. Nothing a client sends ends it.
pub async fn serve(listeners: Vec<TcpListener>, site: Arc<Site>) {
    let room = Room::new(site.connections);
    let mut doors = JoinSet::new();
    for listener in listeners {
        doors.spawn(accept(listener, site.clone(), room.clone()));
    }
    doors.join_all().await;
}

async fn accept(listener: TcpListener, site: Arc<Site>, room: Arc<Room>) {
    let mut stopping = site.stopping.subscribe();
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {
                continue;
            }
            Err(error) => {
                // Out of file handles, most likely. The client waits in the system's queue until one is free.
                tracing::warn!(%error, "accepting pauses");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let Some(place) = room.enter() else {
            let _ = stream.try_write(FULL);
            continue;
        };
        let (site, number) = (site.clone(), place.number());
        let task = connections.spawn(async move {
            match site.tls.clone() {
                Some(tls) => secure(stream, peer, tls.into(), site, place).await,
                None => converse(stream, peer, &site, &place).await,
            }
        });
        room.note_task(number, task);
    }
    drop(listener);
    let _ = timeout(LAST_WORDS, async { while connections.join_next().await.is_some() {} }).await;
}

/// A connection to a server that speaks TLS. One that begins in plain HTTP, because somebody typed the address without
/// its `s`, is sent to the right one.
async fn secure(stream: TcpStream, peer: SocketAddr, tls: TlsAcceptor, site: Arc<Site>, place: Place) {
    let mut first = [0];
    match timeout(TLS_TIME, stream.peek(&mut first)).await {
        Ok(Ok(1)) if first[0] == TLS_GREETING => {}
        Ok(Ok(1)) => return send_to_https(stream, peer, &site).await,
        _ => return,
    }
    let Ok(Ok(stream)) = timeout(TLS_TIME, tls.accept(stream)).await else { return };
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => http2::serve(stream, peer.ip(), site, place).await,
        _ => converse(stream, peer, &site, &place).await,
    }
}

/// A command of this machine has the token for edits and no browser's way to trust the certificate: it may speak plainly.
async fn send_to_https(mut stream: TcpStream, peer: SocketAddr, site: &Site) {
    let is_this_machine = stream.local_addr().is_ok_and(|local| local.ip() == peer.ip());
    let reply = match Gate::default().next(&mut stream).await {
        Arrival::Head(head) if is_this_machine && site.is_edit(&head) => match head.without_body() {
            Ok(()) => site.edit(&head).await,
            Err(refusal) => Reply::text(refusal.status, refusal.reason),
        },
        Arrival::Head(head) if site.hosts.admit(head.host()) => Reply::text(307, "this server speaks https")
            .with("location", format!("https://{}{}", head.host(), head.target)),
        Arrival::Head(_) => Reply::text(403, "this host is not allowed"),
        Arrival::Refused(refusal) => Reply::text(refusal.status, refusal.reason),
        Arrival::Over => return,
    };
    part(stream, site.dress(reply, Origin::Absent, None), Method::Other).await;
}

/// What a request leads to.
#[derive(Debug)]
pub(crate) enum Turn {
    Reply(Reply),
    Socket(Handshake),
    /// The other server behind a rule answers.
    Proxied {
        rule: usize,
        upgrade: bool,
    },
}

/// One connection, one request at a time: the next is not read before the answer to this one is taken.
async fn converse(mut stream: impl AsyncRead + AsyncWrite + Unpin, peer: SocketAddr, site: &Site, place: &Place) {
    let mut stopping = site.stopping.subscribe();
    let mut gate = Gate::default();
    loop {
        let arrival = tokio::select! {
            arrival = gate.next(&mut stream) => arrival,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        place.is(Doing::Working);
        let arrival = match arrival {
            Arrival::Head(head) => site.admit_body(head),
            other => other,
        };
        let head = match arrival {
            Arrival::Head(head) => head,
            Arrival::Over => return,
            Arrival::Refused(refusal) => {
                let reply = site.dress(Reply::text(refusal.status, refusal.reason), Origin::Absent, None);
                return part(stream, reply, Method::Other).await;
            }
        };
        let origin = site.origin_of(&head);
        let named = head.header("origin");
        let turn = AssertUnwindSafe(site.turn(&head, origin, peer.ip(), site.proxied(&head))).catch_unwind().await;
        let reply = match turn
            .unwrap_or_else(|_| Turn::Reply(Reply::text(500, "rekindle made a mistake; its terminal says more")))
        {
            Turn::Socket(handshake) => return upgrade(stream, gate, handshake, site).await,
            Turn::Reply(reply) => site.dress(reply, origin, named),
            Turn::Proxied { rule, upgrade } => {
                let (from, own) = (site.from(&head, peer.ip()), site.own_headers(origin, named));
                let after = match upgrade {
                    true => relay_upgrade(&mut stream, &site.proxy, rule, from, own).await,
                    false => relay(&mut stream, &mut gate, &site.proxy, rule, from, own).await,
                };
                match after {
                    After::Next => {
                        place.is(Doing::Resting);
                        continue;
                    }
                    After::End => return linger(stream).await,
                    After::Reply(reply) => return part(stream, site.dress(reply, origin, named), head.method).await,
                    After::Tunnel(other) => {
                        tokio::select! {
                            () = relay::tunnel(stream, gate.into_rest(), *other) => {}
                            _ = stopping.wait_for(|stopping| *stopping) => {}
                        }
                        return;
                    }
                }
            }
        };
        place.is(Doing::Taking);
        if !head.keep_alive {
            return part(stream, reply, head.method).await;
        }
        if reply.write(&mut stream, head.method, true).await.is_err() {
            return;
        }
        place.is(Doing::Resting);
    }
}

async fn part(mut stream: impl AsyncRead + AsyncWrite + Unpin, reply: Reply, method: Method) {
    if reply.write(&mut stream, method, false).await.is_ok() {
        linger(stream).await;
    }
}

/// Ends a connection so that its last answer arrives: closing while the client still sends would make the system
/// throw away what the client has not read.
pub(crate) async fn linger(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut scrap = [0; 4096];
    let _ = timeout(LINGER, async {
        stream.shutdown().await.ok()?;
        while stream.read(&mut scrap).await.ok()? > 0 {}
        Some(())
    })
    .await;
}

async fn upgrade(mut stream: impl AsyncRead + AsyncWrite + Unpin, gate: Gate, handshake: Handshake, site: &Site) {
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: {}\r\nsec-websocket-protocol: {}\r\n\r\n",
        handshake.accept, handshake.protocol
    );
    if reply::write_all(&mut stream, vec![Bytes::from(head)]).await.is_err() {
        return;
    }
    let read_ahead = gate.into_rest();
    if handshake.protocol == socket::PING_PROTOCOL {
        return socket::run_ping(stream, read_ahead).await;
    }
    let id = ClientId(site.clients.fetch_add(1, Ordering::Relaxed));
    socket::run(stream, read_ahead, id, site.inbox.clone(), &site.grown, site.stopping.subscribe()).await;
}

/// An answer that ends the checks.
type Refused = Reply;

impl Site {
    /// The rule of `server.proxy` for a request. Our own addresses are never passed on.
    pub(crate) fn proxied(&self, head: &Head) -> Option<usize> {
        if self.proxy.is_empty() {
            return None;
        }
        let below = head.target.strip_prefix(address::encode_path(&self.base).as_str());
        let is_ours = self.has_dev_routes
            && below.is_some_and(|below| below.starts_with("@rekindle/") || below.starts_with("@vite/client"));
        (!is_ours).then(|| self.proxy.rule(&head.target)).flatten()
    }

    /// Only what is passed on may have a body of any length.
    fn admit_body(&self, head: Head) -> Arrival {
        match self.proxied(&head) {
            Some(_) => Arrival::Head(head),
            None => head.without_body().map_or_else(Arrival::Refused, |()| Arrival::Head(head)),
        }
    }

    pub(crate) fn origin_of(&self, head: &Head) -> Origin {
        let named = head.header("origin");
        match Origin::of(named, head.host(), &self.allowed_origins) {
            Origin::Foreign if named.is_some_and(|origin| self.cors.admits(origin)) => Origin::Reader,
            origin => origin,
        }
    }

    pub(crate) fn from<'a>(&'a self, head: &'a Head, peer: IpAddr) -> From<'a> {
        From { head, peer, https: self.tls.is_some(), own_cookie: self.key.as_ref().map(|key| key.cookie.as_str()) }
    }

    /// `rule`: what [`Site::proxied`] says.
    pub(crate) async fn turn(&self, head: &Head, origin: Origin, peer: IpAddr, rule: Option<usize>) -> Turn {
        if let Some(rule) = rule {
            let checked = self.check_proxied(head, origin, peer, rule);
            return checked.map_or_else(Turn::Reply, |upgrade| Turn::Proxied { rule, upgrade });
        }
        if self.is_edit(head) {
            return Turn::Reply(self.edit(head).await);
        }
        match self.check(head, origin, peer) {
            Err(reply) => Turn::Reply(reply),
            Ok((path, query)) if !self.has_dev_routes => Turn::Reply(self.ask(head, path, query, origin).await),
            Ok((path, query)) => match path.as_str() {
                SOCKET => self.socket(head, origin, &query).map_or_else(Turn::Reply, Turn::Socket),
                EDITOR => Turn::Reply(self.open_in_editor(head, origin, &query).await),
                path if self.socket_path.as_deref() == Some(path) && Handshake::is_wanted(head) => {
                    self.socket(head, origin, &query).map_or_else(Turn::Reply, Turn::Socket)
                }
                _ => Turn::Reply(self.ask(head, path, query, origin).await),
            },
        }
    }

    /// Every check that does not depend on the route. What passes is a decoded path below the base, and a query.
    fn check(&self, head: &Head, origin: Origin, peer: IpAddr) -> Result<(String, String), Refused> {
        self.check_host(head)?;
        match head.method {
            Method::Get | Method::Head | Method::Post => {}
            Method::Options if matches!(origin, Origin::Allowed | Origin::Reader) => {
                return Err(self.cors.preflight(head, false));
            }
            Method::Options => {
                return Err(Reply::text(403, "no other origin may read from here").with("allow", "GET, HEAD"));
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
    fn check_proxied(&self, head: &Head, origin: Origin, peer: IpAddr, rule: usize) -> Result<bool, Refused> {
        self.check_host(head)?;
        let is_admitted = matches!(origin, Origin::Allowed | Origin::Reader);
        if head.method == Method::Options && is_admitted && head.header("access-control-request-method").is_some() {
            return Err(self.cors.preflight(head, true));
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
            (false, _) => Err(Reply::text(400, "sockets are passed on where the proxy's entry says `ws = true`")),
        }
    }

    fn check_host(&self, head: &Head) -> Result<(), Refused> {
        match self.hosts.admit(head.host()) {
            true => Ok(()),
            false => Err(Reply::text(403, self.hosts.refusal(head.host()))),
        }
    }

    fn check_site(&self, head: &Head, origin: Origin) -> Result<(), Refused> {
        let is_read_by_all = origin == Origin::Absent && self.cors.is_open_to_all();
        match is_another_site(head, origin) && !is_read_by_all {
            false => Ok(()),
            true => Err(Reply::text(
                403,
                "other sites may not read from here; if this one is yours, add its origin to `server.allowed_origins`",
            )),
        }
    }

    /// Visitors from other machines need the key: in the address the first time, in a cookie from then on.
    fn check_key(&self, head: &Head, peer: IpAddr, path: &str, query: &str) -> Result<(), Refused> {
        let Some(key) = &self.key else { return Ok(()) };
        if peer.to_canonical().is_loopback() || key.is_in_cookie(head) {
            return Ok(());
        }
        let is_key = |part: &str| part.strip_prefix("key=").is_some_and(|offered| key.token.matches(offered));
        if head.method != Method::Get || !query.split('&').any(is_key) {
            return Err(Reply::text(403, "open the address with the key that the server's terminal shows"));
        }
        let rest = address::without_first(query, is_key);
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
                "everything is served below {}; did you mean {}{}?",
                self.base,
                self.base,
                path.trim_start_matches('/')
            ),
        ))
    }

    /// All of it before the 101: same origin (or a listed one), a handshake in good form, and the token.
    fn socket(&self, head: &Head, origin: Origin, query: &str) -> Result<Handshake, Refused> {
        if !Handshake::is_wanted(head) {
            return Err(Reply::text(426, "this address is a WebSocket").with("upgrade", "websocket"));
        }
        if !origin.is_trusted() {
            return Err(Reply::text(403, "the socket is for the server's own page"));
        }
        let handshake =
            Handshake::read(head).map_err(|reason| Reply::text(400, reason).with("sec-websocket-version", "13"))?;
        let has_token = query.strip_prefix("token=").is_some_and(|token| self.token.matches(token));
        match has_token || handshake.protocol == socket::PING_PROTOCOL {
            true => Ok(handshake),
            false => Err(Reply::text(403, "the token is not that of this start; reload the page")),
        }
    }

    async fn open_in_editor(&self, head: &Head, origin: Origin, query: &str) -> Reply {
        if head.method != Method::Post {
            return not_allowed("POST");
        }
        let Some(editor) = &self.editor else {
            return Reply::text(403, "the editor is not opened while the server is exposed");
        };
        let has_token = head.header("x-rekindle-token").is_some_and(|token| self.token.matches(token));
        if origin != Origin::Same || !has_token || !matches!(head.header("sec-fetch-site"), None | Some("same-origin"))
        {
            return Reply::text(403, "only the server's own page may open the editor");
        }
        match address::parameter(query, "file") {
            None => Reply::text(400, "the parameter `file` is missing"),
            Some(file) => match editor.open(&file).await {
                Ok(()) => Reply::text(200, "opened"),
                Err(problem) => Reply::text(problem.status(), problem.to_string()),
            },
        }
    }

    pub(crate) fn is_edit(&self, head: &Head) -> bool {
        self.has_dev_routes && address::split(&head.target).0 == self.edit_path()
    }

    /// Where commands announce edits.
    pub fn edit_path(&self) -> String {
        address::encode_path(&self.base) + control::PATH.trim_start_matches('/')
    }

    /// A command says where an edit of many files begins and ends. Its token is in no page, and browsers are refused whatever
    /// they have: they name the origin of a POST.
    async fn edit(&self, head: &Head) -> Reply {
        if let Err(refused) = self.check_host(head) {
            return refused;
        }
        if head.method != Method::Post {
            return not_allowed("POST");
        }
        let is_browser = head.headers().any(|(name, _)| name == "origin" || name.starts_with("sec-fetch-"));
        if is_browser || !head.header(control::HEADER).is_some_and(|token| self.control.matches(token)) {
            return Reply::text(403, "only `rekindle edit` may announce edits");
        }
        let (_, query) = address::split(&head.target);
        let request = match EditRequest::parse(|name| address::parameter(query, name)) {
            Ok(request) => request,
            Err(reason) => return Reply::text(400, reason),
        };
        let (asker, answer) = oneshot::channel();
        if self.inbox.send(Event::Edit(request, asker)).is_err() {
            return Reply::text(503, "the server is stopping");
        }
        match timeout(EDIT_TIME, answer).await {
            Ok(Ok(answer)) => Reply::text(answer.status(), serde_json::json!(answer).to_string())
                .with_instead("content-type", "application/json"),
            _ => Reply::text(500, "the server has not taken the edit in; its terminal says more"),
        }
    }

    async fn ask(&self, head: &Head, path: String, query: String, origin: Origin) -> Reply {
        if head.method == Method::Post {
            return not_allowed("GET, HEAD");
        }
        // With `cors = true` what a site fetches without CORS is answered too, and must not hold the token.
        let is_ours = matches!(head.header("sec-fetch-site"), None | Some("same-origin" | "none"));
        let guest = origin == Origin::Reader || (origin == Origin::Absent && !is_ours);
        let navigation = is_navigation(head) || may_ask_for_route(head, &path);
        let request = Request { path, query, navigation, wants: wants(head), guest };
        let (asker, answer) = oneshot::channel();
        if self.inbox.send(Event::Request(request, asker)).is_err() {
            return Reply::text(503, "the server is stopping");
        }
        match answer.await {
            Ok(answer) => Reply::of(answer, head).await,
            Err(_) => Reply::text(500, "rekindle made a mistake; its terminal says more"),
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
        let policy = match is_private {
            _ if self.cors.is_open_to_all() => "cross-origin",
            true => "same-origin",
            false => "same-site",
        };
        let mut headers = vec![("cross-origin-resource-policy", policy.to_owned())];
        if !self.allowed_origins.is_empty() || self.cors != Cors::default() {
            headers.push(("vary", "Origin".to_owned()));
        }
        if let (Origin::Allowed | Origin::Reader, Some(named)) = (origin, named) {
            headers.extend(self.cors.headers(named));
        }
        headers
    }
}

impl Key {
    fn is_in_cookie(&self, head: &Head) -> bool {
        let cookies = head.header("cookie").unwrap_or_default().split(';');
        cookies
            .filter_map(|cookie| cookie.trim().split_once('='))
            .any(|(name, value)| name == self.cookie && self.token.matches(value))
    }
}

fn not_allowed(allow: &'static str) -> Reply {
    Reply::text(405, "this method is not allowed here").with("allow", allow)
}

/// The browser asks for a page, to show it in a tab or a frame.
fn is_navigation(head: &Head) -> bool {
    match head.header("sec-fetch-mode") {
        Some(mode) => {
            mode == "navigate" && matches!(head.header("sec-fetch-dest"), None | Some("document" | "iframe" | "frame"))
        }
        None => head.header("accept").is_some_and(|accept| accept.contains("text/html")),
    }
}

/// A tool that takes anything (curl, wait-on) asks for an address that can only be one of a route: as in Vite, it gets the page.
/// Browsers say what they want it for.
fn may_ask_for_route(head: &Head, path: &str) -> bool {
    let takes_all = head.header("accept").is_none_or(|accept| accept.contains("*/*"));
    let is_plain = path.chars().all(|c| c.is_alphanumeric() || matches!(c, '/' | '-' | '_' | '~'));
    head.header("sec-fetch-mode").is_none() && takes_all && is_plain
}

fn wants(head: &Head) -> Wants {
    match (head.header("sec-fetch-dest"), head.header("sec-fetch-mode")) {
        (None, _) => Wants::Unsaid,
        (Some("script"), Some("no-cors")) => Wants::Script,
        (Some("script"), _) => Wants::Module,
        (Some("worker" | "sharedworker" | "audioworklet" | "paintworklet" | "serviceworker"), _) => Wants::Script,
        _ => Wants::Content,
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

    fn site(change: impl FnOnce(&mut Config), exposed: bool) -> Site {
        let mut config = Config::new("/project");
        change(&mut config);
        let bound =
            Bound { listeners: Vec::new(), port: 5173, exposed, name: None, local: Vec::new(), network: Vec::new() };
        Site::new(&config, &bound, mpsc::unbounded_channel().0)
    }

    /// What the checks say to a request from an address: the path that passes, or the head of the refusal.
    async fn check(site: &Site, peer: &str, request: &str) -> String {
        let bytes = format!("{}\r\n\r\n", request.replace('\n', "\r\n"));
        let Arrival::Head(head) = Gate::default().next(&mut bytes.as_bytes()).await else {
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
        let site = site(|config| config.server.cors.origin = crate::cors::CorsOrigin::Any, false);
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
