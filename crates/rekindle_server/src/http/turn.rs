//! Whose turn a request is: the other server's behind a rule of the proxy, a socket's, the editor's, a command's, or the
//! loop's, which knows all other addresses.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::event::{Event, Request, RequestPurpose};
use crate::http::address;
use crate::http::checks::{is_navigation, not_allowed};
use crate::http::gate::{GateEvent, Head, Method};
use crate::http::hosts::Origin;
use crate::http::negotiate::reply_to;
use crate::http::reply::Reply;
use crate::http::site::Site;
use crate::programs::control;
use crate::programs::leases::EditRequest;
use crate::proxy::upstream::ClientRequest;
use crate::tabs::socket;
use crate::tabs::socket::Handshake;

const SOCKET: &str = "/@rekindle/socket";
const EDITOR: &str = "/@rekindle/open-in-editor";
/// How long the loop may take to publish what a command has changed.
const EDIT_TIME: Duration = Duration::from_secs(60);

/// What a request leads to.
#[derive(Debug)]
pub(crate) enum Dispatch {
    Reply(Reply),
    Socket(Handshake),
    /// The other server behind a rule answers.
    Proxied {
        rule: usize,
        upgrade: bool,
    },
}

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
    pub(crate) fn admit_body(&self, head: Head) -> GateEvent {
        match self.proxied(&head) {
            Some(_) => GateEvent::Head(head),
            None => head.without_body().map_or_else(GateEvent::Refused, |()| GateEvent::Head(head)),
        }
    }

    pub(crate) fn origin_of(&self, head: &Head) -> Origin {
        let named = head.header("origin");
        match Origin::of(named, head.host(), &self.allowed_origins) {
            Origin::Foreign if named.is_some_and(|origin| self.cors.admits(origin)) => Origin::Reader,
            origin => origin,
        }
    }

    /// A request as it is passed on to another server.
    pub(crate) fn client_request<'a>(&'a self, head: &'a Head, peer: IpAddr) -> ClientRequest<'a> {
        ClientRequest {
            head,
            peer,
            https: self.tls.is_some(),
            own_cookie: self.key.as_ref().map(|key| key.cookie.as_str()),
        }
    }

    /// `rule`: what [`Site::proxied`] says.
    pub(crate) async fn turn(&self, head: &Head, origin: Origin, peer: IpAddr, rule: Option<usize>) -> Dispatch {
        if let Some(rule) = rule {
            let checked = self.check_proxied(head, origin, peer, rule);
            return checked.map_or_else(Dispatch::Reply, |upgrade| Dispatch::Proxied { rule, upgrade });
        }
        if self.is_edit(head) {
            return Dispatch::Reply(self.edit(head).await);
        }
        match self.check(head, origin, peer) {
            Err(reply) => Dispatch::Reply(reply),
            Ok((path, query)) if !self.has_dev_routes => Dispatch::Reply(self.ask(head, path, query, origin).await),
            Ok((path, query)) => match path.as_str() {
                SOCKET => self.socket(head, origin, &query).map_or_else(Dispatch::Reply, Dispatch::Socket),
                EDITOR => Dispatch::Reply(self.open_in_editor(head, origin, &query).await),
                path if self.socket_path.as_deref() == Some(path) && Handshake::is_wanted(head) => {
                    self.socket(head, origin, &query).map_or_else(Dispatch::Reply, Dispatch::Socket)
                }
                _ => Dispatch::Reply(self.ask(head, path, query, origin).await),
            },
        }
    }

    /// All of it before the 101: same origin (or a listed one), a handshake in good form, and the token.
    fn socket(&self, head: &Head, origin: Origin, query: &str) -> Result<Handshake, Reply> {
        if !Handshake::is_wanted(head) {
            return Err(Reply::text(426, "this address is a WebSocket").with("upgrade", "websocket"));
        }
        if !origin.is_trusted() {
            return Err(Reply::text(403, "the socket is for the server's own page"));
        }
        let handshake =
            Handshake::read(head).map_err(|reason| Reply::text(400, reason).with("sec-websocket-version", "13"))?;
        let has_token = query.strip_prefix("token=").is_some_and(|token| self.token.matches(token));
        if has_token || handshake.protocol == socket::PING_PROTOCOL {
            Ok(handshake)
        } else {
            Err(Reply::text(403, "the token is from another start of the server; reload the page"))
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
    pub(crate) async fn edit(&self, head: &Head) -> Reply {
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
            _ => Reply::text(500, "the server did not take in the edit; its terminal says more"),
        }
    }

    /// Puts the question to the loop.
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
            Ok(answer) => reply_to(head, answer).await,
            Err(_) => Reply::text(500, "rekindle ran into a bug of its own; its terminal says more"),
        }
    }
}

/// A tool that takes anything (curl, wait-on) asks for an address that can only be one of a route: as in Vite, it gets the page.
/// Browsers say what they want it for.
fn may_ask_for_route(head: &Head, path: &str) -> bool {
    let takes_all = head.header("accept").is_none_or(|accept| accept.contains("*/*"));
    let is_plain = path.chars().all(|c| c.is_alphanumeric() || matches!(c, '/' | '-' | '_' | '~'));
    head.header("sec-fetch-mode").is_none() && takes_all && is_plain
}

fn wants(head: &Head) -> RequestPurpose {
    match (head.header("sec-fetch-dest"), head.header("sec-fetch-mode")) {
        (None, _) => RequestPurpose::Unsaid,
        (Some("script"), Some("no-cors")) => RequestPurpose::Script,
        (Some("script"), _) => RequestPurpose::Module,
        (Some("worker" | "sharedworker" | "audioworklet" | "paintworklet" | "serviceworker"), _) => {
            RequestPurpose::Script
        }
        _ => RequestPurpose::Content,
    }
}
