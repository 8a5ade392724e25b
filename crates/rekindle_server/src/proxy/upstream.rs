//! `server.proxy`: requests below some addresses are answered by another server.
//!
//! ```text
//! "/api" = { target = "http://localhost:3000", rewrite = [{ from = "^/api", to = "" }] }
//!
//! POST /api/users?x=1  ─►  POST /users?x=1 at localhost:3000  ─►  its answer, as it arrives
//! GET  /api/live, Upgrade: websocket  ─►  the same, and then bytes both ways
//! ```
//!
//! A request comes here only after every check that others pass. What is passed on is written anew from what was read, so
//! the other server reads the same request.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Request, Response, header};
use hyper::body::Incoming;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::event::{Event, Inbox};
use crate::http::address;
use crate::http::boxed_body::BoxedBody;
use crate::http::gate::Head;
use rekindle_config::proxy::ProxyRule;

/// Path and query at the other server behind a rule.
fn address(rule: &ProxyRule, target: &str) -> String {
    let rewritten = rule.rewrite.iter().fold(target.to_owned(), |target, rule| rule.from.replace(&target, &rule.to));
    let slash = if rewritten.starts_with('/') { "" } else { "/" };
    format!("{}{slash}{}", rule.target.path, escaped(&rewritten))
}

/// Escapes what may not stand in a request line. Browsers send some of these characters as they are.
fn escaped(target: &str) -> String {
    const ESCAPE: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'<')
        .add(b'>')
        .add(b'`')
        .add(b'{')
        .add(b'}')
        .add(b'\\')
        .add(b'^')
        .add(b'|');
    percent_encoding::utf8_percent_encode(target, ESCAPE).to_string()
}

type Upstream = Client<HttpsConnector<HttpConnector>, BoxedBody>;

/// The rules of a server, and the connections to the others.
#[derive(Debug)]
pub struct Proxy {
    rules: Vec<ProxyRule>,
    /// For each rule whether the terminal was told that it fails; it is told once, until the rule works again.
    told: Vec<AtomicBool>,
    inbox: Inbox,
    strict: OnceLock<Result<Upstream, String>>,
    lax: OnceLock<Result<Upstream, String>>,
}

/// A request that is passed on, and what is known of its sender.
#[derive(Clone, Copy, Debug)]
pub struct ClientRequest<'a> {
    pub head: &'a Head,
    pub peer: std::net::IpAddr,
    /// It came over TLS.
    pub https: bool,
    /// Name of the cookie that admits to this server; it is not passed on.
    pub own_cookie: Option<&'a str>,
}

impl Proxy {
    pub fn new(rules: Vec<ProxyRule>, inbox: Inbox) -> Self {
        let told = rules.iter().map(|_| AtomicBool::new(false)).collect();
        Self { rules, told, inbox, strict: OnceLock::new(), lax: OnceLock::new() }
    }

    /// The first rule for an address.
    pub fn rule(&self, target: &str) -> Option<usize> {
        self.rules.iter().position(|rule| rule.context.fits(target))
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub fn passes_sockets(&self, rule: usize) -> bool {
        self.rules[rule].ws
    }

    /// Passes a request on. The answer comes as soon as its head is there; an error is a sentence for the page.
    pub async fn send(
        &self,
        rule: usize,
        from: ClientRequest<'_>,
        body: BoxedBody,
        upgrade: bool,
    ) -> Result<Response<Incoming>, String> {
        let answer = self.try_send(&self.rules[rule], from, body, upgrade).await;
        match answer {
            Ok(response) => {
                self.told[rule].store(false, Ordering::Relaxed);
                Ok(response)
            }
            Err(reason) => Err(self.fails(rule, from.head, &reason)),
        }
    }

    /// Tells the terminal, once until it works again.
    fn fails(&self, rule: usize, head: &Head, reason: &str) -> String {
        let ProxyRule { key, target, .. } = &self.rules[rule];
        if !self.told[rule].swap(true, Ordering::Relaxed) {
            let (path, _) = address::split(&head.target);
            let text = format!("proxy \"{key}\": {} {path} got no answer from {target}: {reason}", head.verb);
            let _ = self.inbox.send(Event::Warning(text));
        }
        format!("no answer from {target}, to which server.proxy[\"{key}\"] sends this: {reason}")
    }

    async fn try_send(
        &self,
        rule: &ProxyRule,
        from: ClientRequest<'_>,
        body: BoxedBody,
        upgrade: bool,
    ) -> Result<Response<Incoming>, String> {
        let scheme = if rule.target.https { "https" } else { "http" };
        let address = format!("{scheme}://{}{}", rule.target.authority, address(rule, &from.head.target));
        let mut request = Request::builder()
            .method(from.head.verb.as_str())
            .uri(address)
            .body(body)
            .map_err(|error| format!("the rewritten address cannot be sent: {error}"))?;
        *request.headers_mut() = headers(rule, from, upgrade)?;
        let client = if rule.secure { &self.strict } else { &self.lax };
        let client = client.get_or_init(|| upstream(rule.secure)).as_ref().map_err(Clone::clone)?;
        client.request(request).await.map_err(|error| deepest(&error))
    }
}

/// The innermost reason is the one that says something: "Connection refused".
fn deepest(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// Headers that are about one connection and not about the request.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

fn headers(rule: &ProxyRule, from: ClientRequest<'_>, upgrade: bool) -> Result<HeaderMap, String> {
    let head = from.head;
    let named: Vec<String> = head.words("connection").map(|word| word.trim().to_ascii_lowercase()).collect();
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &str| -> Result<(), String> {
        let wrong = |_| format!("the header `{name}` cannot be passed on");
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is not a valid name of a header"))?;
        headers.append(name.clone(), HeaderValue::from_bytes(value.as_bytes()).map_err(wrong)?);
        Ok(())
    };
    for (name, value) in head.headers() {
        let is_hop = HOP_BY_HOP.contains(&name) || named.iter().any(|named| named == name);
        match name {
            "host" | "content-length" | "expect" => {}
            "cookie" => {
                if let Some(value) = without_own(value, from.own_cookie) {
                    add(name, &value)?;
                }
            }
            "origin" if upgrade && rule.rewrite_ws_origin => {}
            _ if is_hop => {}
            _ => add(name, value)?,
        }
    }
    add("host", if rule.change_origin { &rule.target.authority } else { head.host() })?;
    if let Some(length) = head.body.length() {
        add("content-length", &length.to_string())?;
    }
    if upgrade {
        add("connection", "upgrade")?;
        add("upgrade", "websocket")?;
        if rule.rewrite_ws_origin {
            let scheme = if rule.target.https { "https" } else { "http" };
            add("origin", &format!("{scheme}://{}", rule.target.authority))?;
        }
    }
    if rule.xfwd {
        forwarded(&mut headers, from);
    }
    for (name, value) in &rule.headers {
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is not a valid name of a header"))?;
        headers.insert(name, HeaderValue::from_str(value).map_err(|_| "a header in the settings is malformed")?);
    }
    Ok(headers)
}

/// Sets the headers by what is known here. What the client sent of them is dropped, since it may claim anything.
fn forwarded(headers: &mut HeaderMap, from: ClientRequest<'_>) {
    let host = from.head.host();
    let proto = if from.https { "https" } else { "http" };
    let port = host.rsplit_once(':').map(|(_, port)| port).filter(|port| port.bytes().all(|b| b.is_ascii_digit()));
    let port = port.unwrap_or(if from.https { "443" } else { "80" });
    let values = [
        ("x-forwarded-for", from.peer.to_canonical().to_string()),
        ("x-forwarded-host", host.to_owned()),
        ("x-forwarded-port", port.to_owned()),
        ("x-forwarded-proto", proto.to_owned()),
    ];
    for (name, value) in values {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
}

/// The cookies without the one that admits to this server.
fn without_own(cookies: &str, own: Option<&str>) -> Option<String> {
    let Some(own) = own else { return Some(cookies.to_owned()) };
    let is_own = |cookie: &str| cookie.trim().split_once('=').is_some_and(|(name, _)| name == own);
    let rest: Vec<&str> = cookies.split(';').filter(|cookie| !is_own(cookie)).map(str::trim).collect();
    (!rest.is_empty()).then(|| rest.join("; "))
}

/// The headers of an answer that are about the answer. What decides who may read it is ours to say.
pub fn answer_headers(headers: &HeaderMap) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
    let connection = headers.get_all(header::CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<String> =
        connection.flat_map(|value| value.split(',')).map(|word| word.trim().to_ascii_lowercase()).collect();
    headers.iter().filter(move |(name, _)| {
        !HOP_BY_HOP.contains(&name.as_str()) && !named.iter().any(|named| named == name.as_str())
    })
}

fn upstream(secure: bool) -> Result<Upstream, String> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let config = if secure {
        match builder.clone().with_native_roots() {
            Ok(builder) => builder.with_no_client_auth(),
            // Without any root every https target fails with a message about its certificate; http targets work.
            Err(_) => builder.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth(),
        }
    } else {
        builder
            .dangerous()
            .with_custom_certificate_verifier(std::sync::Arc::new(AcceptAnyCertificate { provider }))
            .with_no_client_auth()
    };
    let connector = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1().build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

/// Believes any certificate: the user has said `secure = false` for this target.
#[derive(Debug)]
struct AcceptAnyCertificate {
    provider: std::sync::Arc<rustls::crypto::CryptoProvider>,
}

mod trusting {
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{DigitallySignedStruct, Error, SignatureScheme};

    impl ServerCertVerifier for super::AcceptAnyCertificate {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.provider.signature_verification_algorithms.supported_schemes()
        }
    }
}

#[cfg(test)]
mod tests {
    use rekindle_compile::resolve::pattern::Pattern;

    use super::*;
    use rekindle_config::proxy::Rewrite;

    #[test]
    fn the_first_rule_that_fits_is_taken() {
        let rules = ["/api/v2", "^/(?!static).*/live", "/api"].map(|key| ProxyRule::new(key, "http://x").unwrap());
        let proxy = Proxy::new(rules.to_vec(), tokio::sync::mpsc::unbounded_channel().0);
        assert_eq!(proxy.rule("/api/v2/users"), Some(0));
        assert_eq!(proxy.rule("/api/users?x"), Some(2));
        assert_eq!(proxy.rule("/chat/live"), Some(1));
        assert_eq!(proxy.rule("/static/live"), None);
        assert_eq!(proxy.rule("/src/main.ts"), None);
    }

    #[test]
    fn addresses_are_rewritten_below_the_targets_path() {
        let mut rule = ProxyRule::new("/api", "http://x:3000/base/").unwrap();
        assert_eq!(address(&rule, "/api/a?b=c"), "/base/api/a?b=c");
        rule.rewrite.push(Rewrite { from: Pattern::new("^/api", "").unwrap(), to: String::new() });
        assert_eq!(address(&rule, "/api/a?b=\"c\""), "/base/a?b=%22c%22");
        assert_eq!(address(&rule, "/api"), "/base/");
        assert_eq!(address(&rule, "/api?x"), "/base/?x");
    }

    #[test]
    fn our_own_cookie_stays_here() {
        assert_eq!(without_own("a=1; rekindle-1=key; b=2", Some("rekindle-1")).as_deref(), Some("a=1; b=2"));
        assert_eq!(without_own("rekindle-1=key", Some("rekindle-1")), None);
    }
}
