//! The gate: reads request heads off the wire and lets only those pass that have exactly one reading (rules R2, R12).
//!
//! It is the only HTTP parser of the server. Two parsers in a row can disagree about where a request ends or what
//! its target is, and every request smuggled past a check lives from such a disagreement. So there is no second one:
//! no route takes a body, bodies are never read, and a connection whose request announced one ends with the answer.
//!
//! ```text
//! GET /src/main.js HTTP/1.1⏎ Host: localhost:5173⏎ ⏎     →  Head { method: Get, target: "/src/main.js", … }
//! GET /x#/../.env HTTP/1.1⏎ …                            →  400, close
//! POST / HTTP/1.1⏎ Content-Length: 6⏎ Transfer-Encoding… →  400, close
//! ```

use std::io;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::{Instant, timeout_at};

const HEAD_LIMIT: usize = 32 * 1024;
const TARGET_LIMIT: usize = 16 * 1024;
const HEADERS_LIMIT: usize = 100;
const BODY_LIMIT: u64 = 1024 * 1024;
/// A head must be complete this long after its first byte, the first of a connection this long after the connect.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// How long a connection may rest between two requests.
const IDLE_TIME: Duration = Duration::from_secs(60);

/// Headers that decide something; a second one would leave open which of the two decides.
const ONCE: [&str; 12] = [
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

/// A request head with one reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub method: Method,
    /// Origin form, as it was sent: begins with a slash, no `#`, no control bytes.
    pub target: String,
    /// The client is willing to send another request on this connection, and can: nothing of this one is unread.
    pub keep_alive: bool,
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

    /// Whether a header that is a comma-separated list holds a word.
    pub fn lists(&self, name: &str, word: &str) -> bool {
        self.headers.iter().filter(|(key, _)| key == name).any(|(_, value)| list_holds(value, word))
    }
}

fn list_holds(value: &str, word: &str) -> bool {
    value.split(',').any(|item| item.trim().eq_ignore_ascii_case(word))
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
pub enum Arrival {
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
    pub async fn next(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Arrival {
        let patience = if self.used { IDLE_TIME } else { HEAD_TIME };
        self.used = true;
        if self.buffer.is_empty() {
            match timeout_at(Instant::now() + patience, self.read(stream)).await {
                Ok(Ok(1..)) => {}
                _ => return Arrival::Over,
            }
        }
        let deadline = Instant::now() + HEAD_TIME;
        loop {
            match self.take_head() {
                Ok(Some(head)) => return Arrival::Head(head),
                Ok(None) => {}
                Err(refusal) => return Arrival::Refused(refusal),
            }
            match timeout_at(deadline, self.read(stream)).await {
                Ok(Ok(1..)) => {}
                Ok(_) => return Arrival::Over,
                Err(_) => {
                    return Arrival::Refused(Refusal { status: 408, reason: "the request took too long to arrive" });
                }
            }
        }
    }

    /// What was read past the last head, for the protocol that takes the connection over.
    pub fn into_rest(self) -> Vec<u8> {
        self.buffer.into()
    }

    async fn read(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<usize> {
        let room = HEAD_LIMIT - self.buffer.len();
        self.buffer.reserve(room.min(4096));
        stream.take(room as u64).read_buf(&mut self.buffer).await
    }

    fn take_head(&mut self) -> Result<Option<Head>, Refusal> {
        let Some(end) = scan(&self.buffer, &mut self.scanned)? else {
            return match self.buffer.len() < HEAD_LIMIT {
                true => Ok(None),
                false if self.buffer.contains(&b'\n') => refuse(431, "the request's head is too long"),
                false => refuse(414, "the address is too long"),
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
        Err(httparse::Error::Version) => return refuse(505, "only HTTP/1.1 is spoken here"),
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
    let mut head = Head { method: method_of(method), target: target.to_owned(), keep_alive: false, headers };
    head.keep_alive = version == 1 && body == 0 && !head.lists("connection", "close");
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
    match target.contains('#') || target.chars().any(|c| c.is_control() || c == ' ') {
        true => refuse(400, "the address holds a character that must be escaped"),
        false => Ok(()),
    }
}

fn check_headers(headers: &[(String, String)]) -> Result<(), Refusal> {
    let count = |name: &str| headers.iter().filter(|(key, _)| key == name).count();
    if count("host") != 1 {
        return refuse(400, "exactly one Host header is needed");
    }
    if ONCE.iter().any(|name| count(name) > 1) {
        return refuse(400, "a header that may stand once is repeated");
    }
    match count("expect") {
        0 => Ok(()),
        _ => refuse(417, "nothing can be expected here"),
    }
}

fn body_length(headers: &[(String, String)]) -> Result<u64, Refusal> {
    let value = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let Some(length) = value("content-length") else {
        return match value("transfer-encoding") {
            None => Ok(0),
            Some(_) => refuse(501, "transfer codings are not understood"),
        };
    };
    if value("transfer-encoding").is_some() {
        return refuse(400, "a length and a transfer coding exclude each other");
    }
    if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
        return refuse(400, "the length is not a number");
    }
    match length.parse() {
        Ok(length @ 0..=BODY_LIMIT) => Ok(length),
        _ => refuse(413, "the body is too long"),
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
                Arrival::Head(head) => said.push(head.target),
                Arrival::Refused(refusal) => {
                    return said.into_iter().chain([refusal.status.to_string()]).collect::<Vec<_>>().join(" ");
                }
                Arrival::Over => return said.join(" "),
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
        assert!(matches!(Gate::default().next(&mut server).await, Arrival::Head(head) if head.target == "/a"));
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
        assert!(matches!(Gate::default().next(&mut server).await, Arrival::Refused(refusal) if refusal.status == 408));
        assert_eq!(start.elapsed().as_secs(), 10);
    }
}
