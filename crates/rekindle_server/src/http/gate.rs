//! The gate: reads request heads off the wire and lets only those pass that have exactly one reading (rules S2, S12).
//!
//! It is the only parser of HTTP/1.1 in the server. Two parsers in a row can disagree about where a request ends or what
//! its target is, and every request smuggled past a check lives from such a disagreement. So there is no second one:
//! only routes of `server.proxy` take a body, which `body.rs` reads; elsewhere a connection whose request announced one
//! ends with the answer. HTTP/2, which has lengths of its own, comes through [`Head::of_http2`] to the same checks.
//!
//! ```text
//! GET /src/main.js HTTP/1.1⏎ Host: localhost:5173⏎ ⏎     →  Head { method: Get, target: "/src/main.js", … }
//! GET /x#/../.env HTTP/1.1⏎ …                            →  400, close
//! POST / HTTP/1.1⏎ Content-Length: 6⏎ Transfer-Encoding… →  400, close
//! ```

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout_at};

const HEAD_LIMIT: usize = 32 * 1024;
const TARGET_LIMIT: usize = 16 * 1024;
const HEADERS_LIMIT: usize = 100;
const BODY_LIMIT: u64 = 1024 * 1024;
/// A head must be complete this long after its first byte, the first of a connection this long after the connect.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a connection may rest between two requests.
pub(crate) const IDLE_TIME: Duration = Duration::from_secs(60);

/// Headers that decide something; a second one would leave open which of the two decides.
const SINGLE_HEADERS: [&str; 12] = [
    "host",
    "content-length",
    "origin",
    "sec-fetch-site",
    "sec-fetch-mode",
    "sec-fetch-dest",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "range",
    "x-rekindle-token",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Post,
    Options,
    Other,
}

/// How long the body of a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Empty,
    Length(u64),
    Chunked,
}

impl Framing {
    /// What to announce to another server; `None` where there is nothing to announce, or nothing known.
    pub fn length(self) -> Option<u64> {
        match self {
            Self::Length(length) => Some(length),
            Self::Empty | Self::Chunked => None,
        }
    }
}

/// A request head with one reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub method: Method,
    /// The method as it was sent.
    pub verb: String,
    /// Origin form, as it was sent: begins with a slash, no `#`, no control bytes.
    pub target: String,
    /// The client is willing to send further requests on this connection.
    pub persistent: bool,
    /// It is, and can: nothing of this one is unread.
    pub keep_alive: bool,
    pub body: Framing,
    /// Names in lower case.
    headers: Vec<(String, String)>,
}

impl Head {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The Host header. The gate lets no head pass without one.
    pub fn host(&self) -> &str {
        self.header("host").unwrap_or_default()
    }

    /// All headers, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The items of a header that is a comma-separated list.
    pub fn words(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers.iter().filter(move |(key, _)| key == name).flat_map(|(_, value)| value.split(','))
    }

    /// Whether a header that is a comma-separated list holds a word.
    pub fn lists(&self, name: &str, word: &str) -> bool {
        self.words(name).any(|item| item.trim().eq_ignore_ascii_case(word))
    }

    /// For routes that take no body: one that is announced is not read, so it must be one that can be left unread.
    pub fn without_body(&self) -> Result<(), Refusal> {
        if self.header("expect").is_some() {
            return refuse(417, "the header Expect is not supported here");
        }
        match self.body {
            Framing::Empty | Framing::Length(0..=BODY_LIMIT) => Ok(()),
            Framing::Length(_) => refuse(413, "the body is too long"),
            Framing::Chunked => refuse(501, "transfer codings are not supported here"),
        }
    }

    /// A head that came over HTTP/2, under the same rules. `authority` is what stands for the Host header there.
    pub fn of_http2(
        verb: &str,
        target: &str,
        authority: Option<&str>,
        headers: &[(String, String)],
        has_body: bool,
    ) -> Result<Self, Refusal> {
        if headers.len() > HEADERS_LIMIT {
            return refuse(431, "the request has too many headers");
        }
        check_target(target)?;
        let mut all: Vec<(String, String)> = Vec::with_capacity(headers.len() + 1);
        for (name, value) in headers {
            match all.iter_mut().find(|(known, _)| known == "cookie" && name == "cookie") {
                // A browser may send each cookie in a header of its own (RFC 9113, section 8.2.3).
                Some((_, cookies)) => cookies.push_str(&format!("; {value}")),
                None => all.push((name.clone(), value.clone())),
            }
        }
        let host = all.iter().find(|(name, _)| name == "host").map(|(_, host)| host.clone());
        match (authority, host) {
            (Some(authority), Some(host)) if !host.eq_ignore_ascii_case(authority) => {
                return refuse(400, "the request names two hosts");
            }
            (Some(authority), None) => all.push(("host".to_owned(), authority.to_owned())),
            _ => {}
        }
        if ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]
            .iter()
            .any(|name| all.iter().any(|(key, _)| key == name))
        {
            return refuse(400, "a header of HTTP/1.1 is not allowed in HTTP/2");
        }
        check_headers(&all)?;
        let body = match (body_length(&all)?, has_body) {
            (_, false) => Framing::Empty,
            (Framing::Empty, true) => Framing::Chunked,
            (length, true) => length,
        };
        Ok(Self {
            method: method_of(verb),
            verb: verb.to_owned(),
            target: target.to_owned(),
            persistent: true,
            keep_alive: true,
            body,
            headers: all,
        })
    }
}

/// Why the gate does not let a request pass. The connection ends with the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: u16,
    pub reason: &'static str,
}

const fn refuse<T>(status: u16, reason: &'static str) -> Result<T, Refusal> {
    Err(Refusal { status, reason })
}

/// What came next on the wire.
#[derive(Debug)]
pub enum GateEvent {
    Head(Head),
    Refused(Refusal),
    /// Closed, broken or idle for too long: nothing to answer.
    Over,
}

/// Buffer of one connection, at most one head long. Invariant: `buffer[..scanned]` was seen by [`scan`].
#[derive(Debug, Default)]
pub struct Gate {
    buffer: BytesMut,
    scanned: usize,
    used: bool,
}

impl Gate {
    /// Reads the next head. Not cancel safe with respect to time limits, but no byte is lost when dropped.
    pub async fn next(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> GateEvent {
        let patience = if self.used { IDLE_TIME } else { HEAD_TIME };
        self.used = true;
        if self.buffer.is_empty() {
            match timeout_at(Instant::now() + patience, self.read(stream)).await {
                Ok(Ok(1..)) => {}
                _ => return GateEvent::Over,
            }
        }
        let deadline = Instant::now() + HEAD_TIME;
        loop {
            match self.take_head() {
                Ok(Some(head)) => return GateEvent::Head(head),
                Ok(None) => {}
                Err(refusal) => return GateEvent::Refused(refusal),
            }
            match timeout_at(deadline, self.read(stream)).await {
                Ok(Ok(1..)) => {}
                Ok(_) => return GateEvent::Over,
                Err(_) => {
                    return GateEvent::Refused(Refusal { status: 408, reason: "the request took too long to arrive" });
                }
            }
        }
    }

    /// What was read past the last head, for the protocol that takes the connection over.
    pub fn into_rest(self) -> Vec<u8> {
        self.buffer.into()
    }

    /// What was read and not yet taken.
    pub(crate) fn waiting(&self) -> &[u8] {
        &self.buffer
    }

    /// Takes the next `count` bytes as part of a body.
    pub(crate) fn take(&mut self, count: usize) -> Bytes {
        self.buffer.split_to(count).freeze()
    }

    /// Waits until the client closes; what it sends meanwhile waits here. With a full buffer nothing more is read.
    pub(crate) async fn closed(&mut self, stream: &mut (impl AsyncRead + Unpin)) {
        while self.buffer.len() < HEAD_LIMIT {
            match self.read(stream).await {
                Ok(1..) => {}
                _ => return,
            }
        }
        std::future::pending().await
    }

    pub(crate) async fn read(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<usize> {
        let room = HEAD_LIMIT - self.buffer.len();
        self.buffer.reserve(room.min(4096));
        stream.take(room as u64).read_buf(&mut self.buffer).await
    }

    fn take_head(&mut self) -> Result<Option<Head>, Refusal> {
        let Some(end) = scan(&self.buffer, &mut self.scanned)? else {
            return if self.buffer.len() < HEAD_LIMIT {
                Ok(None)
            } else if self.buffer.contains(&b'\n') {
                refuse(431, "the request's head is too long")
            } else {
                refuse(414, "the address is too long")
            };
        };
        let head = parse(&self.buffer[..end])?;
        self.buffer.advance(end);
        self.scanned = 0;
        Ok(Some(head))
    }
}

/// Looks at each byte of a head once and finds its end. Lines end with CR LF and nothing else; other control bytes have
/// no business in a head. What cannot become a request is refused as soon as it arrives, so that somebody who speaks
/// another language, a TLS greeting for instance, is not kept waiting.
fn scan(buffer: &[u8], scanned: &mut usize) -> Result<Option<usize>, Refusal> {
    while let Some(&byte) = buffer.get(*scanned) {
        let before = scanned.checked_sub(1).map(|at| buffer[at]);
        match byte {
            b'\n' if before != Some(b'\r') => return refuse(400, "lines must end with CR LF"),
            _ if before == Some(b'\r') && byte != b'\n' => {
                return refuse(400, "lines must end with CR LF");
            }
            0..=8 | 11 | 12 | 14..=31 | 127 => return refuse(400, "control bytes are not allowed"),
            _ => {}
        }
        *scanned += 1;
        if buffer[..*scanned].ends_with(b"\r\n\r\n") {
            return Ok(Some(*scanned));
        }
        if byte == b'\n' {
            check_line(&buffer[..*scanned - 2])?;
        }
    }
    Ok(None)
}

/// Whether the last of some lines has the shape of a request line, if it is the first, or of a header.
fn check_line(lines: &[u8]) -> Result<(), Refusal> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let Some(start) = lines.iter().rposition(|byte| *byte == b'\n') else {
        return match lines.split(|byte| *byte == b' ').count() {
            3 => Ok(()),
            _ => refuse(400, "the request line is malformed"),
        };
    };
    let line = &lines[start + 1..];
    match line.iter().position(|byte| *byte == b':') {
        Some(colon @ 1..) if line[..colon].iter().all(is_name) => Ok(()),
        _ => refuse(400, "a header is malformed"),
    }
}

fn parse(bytes: &[u8]) -> Result<Head, Refusal> {
    if !bytes.first().is_some_and(u8::is_ascii_uppercase) {
        return refuse(400, "the request does not begin with a method");
    }
    let mut slots = [httparse::EMPTY_HEADER; HEADERS_LIMIT];
    let mut request = httparse::Request::new(&mut slots);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
        Err(httparse::Error::Version) => return refuse(505, "only HTTP/1.1 is supported here"),
        Err(httparse::Error::TooManyHeaders) => {
            return refuse(431, "the request has too many headers");
        }
        _ => return refuse(400, "the request is malformed"),
    }
    let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
        return refuse(400, "the request is malformed");
    };
    let headers: Vec<_> = request
        .headers
        .iter()
        .map(|header| (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).into_owned()))
        .collect();
    check_target(target)?;
    check_headers(&headers)?;
    let body = body_length(&headers)?;
    let mut head = Head {
        method: method_of(method),
        verb: method.to_owned(),
        target: target.to_owned(),
        persistent: false,
        keep_alive: false,
        body,
        headers,
    };
    head.persistent = version == 1 && !head.lists("connection", "close");
    head.keep_alive = head.persistent && matches!(body, Framing::Empty | Framing::Length(0));
    Ok(head)
}

fn method_of(method: &str) -> Method {
    match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "OPTIONS" => Method::Options,
        _ => Method::Other,
    }
}

fn check_target(target: &str) -> Result<(), Refusal> {
    if target.len() > TARGET_LIMIT {
        return refuse(414, "the address is too long");
    }
    if !target.starts_with('/') {
        return refuse(400, "the address must begin with a slash");
    }
    if target.contains('#') || target.chars().any(|c| c.is_control() || c == ' ') {
        refuse(400, "the address holds a character that must be escaped")
    } else {
        Ok(())
    }
}

fn check_headers(headers: &[(String, String)]) -> Result<(), Refusal> {
    let count = |name: &str| headers.iter().filter(|(key, _)| key == name).count();
    if count("host") != 1 {
        return refuse(400, "exactly one Host header is needed");
    }
    if SINGLE_HEADERS.iter().any(|name| count(name) > 1) {
        return refuse(400, "a header that may occur only once is repeated");
    }
    let mut expectations = headers.iter().filter(|(key, _)| key == "expect");
    if expectations.all(|(_, value)| value.eq_ignore_ascii_case("100-continue")) {
        Ok(())
    } else {
        refuse(417, "the header Expect is not supported here")
    }
}

fn body_length(headers: &[(String, String)]) -> Result<Framing, Refusal> {
    let value = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let codings = headers.iter().filter(|(key, _)| key == "transfer-encoding").count();
    let Some(length) = value("content-length") else {
        return match value("transfer-encoding") {
            None => Ok(Framing::Empty),
            Some(coding) if codings == 1 && coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
            Some(_) => refuse(501, "transfer codings are not supported here"),
        };
    };
    if codings > 0 {
        return refuse(400, "a request cannot have both a length and a transfer coding");
    }
    if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return refuse(400, "the length is not a number");
    }
    match length.parse() {
        Ok(length) => Ok(Framing::Length(length)),
        Err(_) => refuse(413, "the body is too long"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the gate makes of some bytes after which the client closes: targets that pass, statuses of refusals.
    async fn pass(bytes: &[u8]) -> String {
        let (mut gate, mut stream, mut said) = (Gate::default(), bytes, Vec::new());
        loop {
            match gate.next(&mut stream).await {
                GateEvent::Head(head) => match head.without_body() {
                    Ok(()) => said.push(head.target),
                    Err(refusal) => return refusal.status.to_string(),
                },
                GateEvent::Refused(refusal) => {
                    return said.into_iter().chain([refusal.status.to_string()]).collect::<Vec<_>>().join(" ");
                }
                GateEvent::Over => return said.join(" "),
            }
        }
    }

    async fn request(line: &str, headers: &str) -> String {
        pass(format!("{line}\r\nHost: localhost\r\n{headers}\r\n").as_bytes()).await
    }

    #[tokio::test]
    async fn pipelined_requests_pass_one_after_the_other() {
        assert_eq!(pass(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nHEAD /b?c HTTP/1.1\r\nhost: x\r\n\r\n").await, "/a /b?c");
    }

    #[tokio::test]
    async fn a_head_may_arrive_byte_by_byte() {
        let (mut client, mut server) = tokio::io::duplex(1);
        let sender = tokio::spawn(async move {
            tokio::io::AsyncWriteExt::write_all(&mut client, b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n").await
        });
        assert!(matches!(Gate::default().next(&mut server).await, GateEvent::Head(head) if head.target == "/a"));
        sender.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn targets_have_one_form() {
        for target in ["/", "/a?b=\"<x>", "/%23", "/naïve", "/[x]|{y}"] {
            assert_eq!(request(&format!("GET {target} HTTP/1.1"), "").await, target);
        }
        for target in ["x", "*", "http://localhost/", "//x#y", "/#", "/?#", "localhost:80", "/\t", "/\u{85}"] {
            assert_eq!(request(&format!("GET {target} HTTP/1.1"), "").await, "400", "{target:?}");
        }
        assert_eq!(pass(b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n").await, "400");
        assert_eq!(request(&format!("GET /{} HTTP/1.1", "a".repeat(16_384)), "").await, "414");
        assert_eq!(request(&format!("GET /{} HTTP/1.1", "a".repeat(100_000)), "").await, "414");
    }

    #[tokio::test]
    async fn malformed_heads_are_refused_with_what_follows_them() {
        for bytes in [
            &b"GARBAGE\r\n\r\n"[..],
            b"GET\r\n\r\n",
            b"\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"get / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\nHost: x\n\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nX: a\rGET /b HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
            b"GET / HTTP/1.1\r\n Host: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nX\0: y\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nX: \x0by\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\nOrigin: a\r\nOrigin: b\r\n\r\n",
            b"\x16\x03\x01\x00\xa5",
        ] {
            assert_eq!(pass(bytes).await, "400", "{}", bytes.escape_ascii());
        }
        assert_eq!(request("GET / HTTP/9.9", "").await, "505");
        assert_eq!(pass(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await, "505");
    }

    #[tokio::test]
    async fn malformed_lines_are_refused_before_the_head_is_complete() {
        for bytes in [
            &b"GARBAGE\r\n"[..],
            b"GET / HTTP/1.1\r\nno colon\r\n",
            b"GET / HTTP/1.1\r\n: empty\r\n",
            b"GET / HTTP/1.1\r\n folded: x\r\n",
        ] {
            assert_eq!(pass(bytes).await, "400", "{}", bytes.escape_ascii());
        }
    }

    #[tokio::test]
    async fn a_request_has_one_length() {
        for (headers, status) in [
            ("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", "400"),
            ("Transfer-Encoding: chunked\r\n", "501"),
            ("Transfer-Encoding: identity\r\n", "501"),
            ("Content-Length: 5\r\nContent-Length: 5\r\n", "400"),
            ("Content-Length: 5, 5\r\n", "400"),
            ("Content-Length: +5\r\n", "400"),
            ("Content-Length: -1\r\n", "400"),
            ("Content-Length: 0x5\r\n", "400"),
            ("Content-Length: 5 5\r\n", "400"),
            ("Content-Length:\r\n", "400"),
            ("Content-Length: 99999999999999999999\r\n", "413"),
            ("Content-Length: 1048577\r\n", "413"),
            ("Expect: 100-continue\r\n", "417"),
        ] {
            assert_eq!(request("POST / HTTP/1.1", headers).await, status, "{headers}");
        }
    }

    #[test]
    fn a_connection_ends_with_a_request_that_announces_a_body() {
        let keeps = |version: &str, header: &str| {
            parse(format!("POST / HTTP/{version}\r\nHost: x\r\n{header}\r\n").as_bytes()).unwrap().keep_alive
        };
        assert!(keeps("1.1", ""));
        assert!(keeps("1.1", "Content-Length: 0\r\n"));
        assert!(!keeps("1.1", "Content-Length: 1\r\n"));
        assert!(!keeps("1.1", "Connection: x, Close\r\n"));
        assert!(!keeps("1.0", "Connection: keep-alive\r\n"));
    }

    #[test]
    fn routes_of_the_proxy_take_bodies_of_one_framing() {
        let framing = |header: &str| {
            parse(format!("POST / HTTP/1.1\r\nHost: x\r\n{header}\r\n").as_bytes()).map(|head| head.body)
        };
        assert_eq!(framing("Transfer-Encoding: chunked\r\n"), Ok(Framing::Chunked));
        assert_eq!(framing("Content-Length: 99999999\r\n"), Ok(Framing::Length(99_999_999)));
        for refused in [
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Transfer-Encoding:\x0bchunked\r\n",
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Expect: x\r\n",
        ] {
            assert!(framing(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_request_over_http_2_is_under_the_same_rules() {
        let read = |target: &str, authority: Option<&str>, headers: &[(&str, &str)]| {
            let headers: Vec<(String, String)> = headers.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect();
            Head::of_http2("GET", target, authority, &headers, false).map_err(|refusal| refusal.status)
        };
        let head =
            read("/a?b", Some("localhost"), &[("cookie", "a=1"), ("cookie", "b=2"), ("host", "LOCALHOST")]).unwrap();
        assert_eq!((head.target.as_str(), head.host(), head.header("cookie")), ("/a?b", "LOCALHOST", Some("a=1; b=2")));
        for refused in [
            read("*", Some("localhost"), &[]),
            read("/", None, &[]),
            read("/", Some("localhost"), &[("host", "evil.example")]),
            read("/", Some("localhost"), &[("host", "localhost"), ("host", "localhost")]),
            read("/", Some("localhost"), &[("origin", "http://a"), ("origin", "http://b")]),
            read("/", Some("localhost"), &[("transfer-encoding", "chunked")]),
            read("/", Some("localhost"), &[("upgrade", "websocket")]),
            read("/a b", Some("localhost"), &[]),
            read("/#", Some("localhost"), &[]),
        ] {
            assert_eq!(refused, Err(400));
        }
    }

    #[tokio::test]
    async fn heads_are_bounded() {
        assert_eq!(request("GET / HTTP/1.1", &"A: b\r\n".repeat(99)).await, "/");
        assert_eq!(request("GET / HTTP/1.1", &"A: b\r\n".repeat(100)).await, "431");
        assert_eq!(request("GET / HTTP/1.1", &format!("A: {}\r\n", "b".repeat(200_000))).await, "431");
    }

    #[tokio::test(start_paused = true)]
    async fn a_half_sent_head_is_answered_after_ten_seconds() {
        let (mut client, mut server) = tokio::io::duplex(64);
        tokio::io::AsyncWriteExt::write_all(&mut client, b"GET / HTTP/1.1\r\n").await.unwrap();
        let start = Instant::now();
        assert!(
            matches!(Gate::default().next(&mut server).await, GateEvent::Refused(refusal) if refusal.status == 408)
        );
        assert_eq!(start.elapsed().as_secs(), 10);
    }
}
