//! `server.proxy` on real ports: what a client sends, what the other server reads, and what comes back.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;
use std::time::Duration;

use rekindle_server::config::Config;
use rekindle_server::cors::{Cors, CorsOrigin};
use rekindle_server::event::Event;
use rekindle_server::http::{Site, serve};
use rekindle_server::listen::listen;
use rekindle_server::proxy::ProxyRule;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(5);

struct Proxied {
    port: u16,
    /// What the other server has read, one text for each of its connections.
    read: mpsc::UnboundedReceiver<String>,
    warnings: mpsc::UnboundedReceiver<String>,
    _site: Arc<Site>,
}

/// The other server: answers each connection with a text once it has read `until`, and tells what it read.
async fn other_server(until: &'static str, answer: &'static str) -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, read) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let (mut text, mut part) = (String::new(), vec![0; 4096]);
                while !text.contains(until) {
                    match stream.read(&mut part).await {
                        Ok(count @ 1..) => text.push_str(&String::from_utf8_lossy(&part[..count])),
                        _ => break,
                    }
                }
                let _ = sender.send(text.replace("\r\n", "\n"));
                stream.write_all(answer.replace('\n', "\r\n").as_bytes()).await.unwrap();
                // An echo, for those who speak another protocol from now on.
                while let Ok(count @ 1..) = stream.read(&mut part).await {
                    if stream.write_all(&part[..count]).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    (port, read)
}

async fn proxied(
    until: &'static str,
    answer: &'static str,
    change: impl FnOnce(&mut Config, &mut ProxyRule),
) -> Proxied {
    let (target, read) = other_server(until, answer).await;
    let mut config = Config::new("/nowhere");
    config.server.port = 0;
    let mut rule = ProxyRule::new("/api", &format!("http://127.0.0.1:{target}")).unwrap();
    change(&mut config, &mut rule);
    config.server.proxy.push(rule);
    let (inbox, mut events) = mpsc::unbounded_channel();
    let bound = listen(&config.server).await.unwrap();
    let (port, site) = (bound.port, Arc::new(Site::new(&config, &bound, inbox)));
    let (sender, warnings) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            match event {
                Event::Warning(text) => drop(sender.send(text)),
                Event::Request(request, asker) => {
                    drop(asker.send(rekindle_server::answer::Answer::text(404, format!("own {}", request.path))));
                }
                _ => {}
            }
        }
    });
    tokio::spawn(serve(bound.listeners, site.clone()));
    Proxied { port, read, warnings, _site: site }
}

const OK: &str = "HTTP/1.1 200 OK\nContent-Length: 5\nX-Answer: yes\n\nhello";

impl Proxied {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }

    /// Sends lines and reads until `end` or the end.
    async fn exchange(&self, lines: &str, end: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(lines.replace('\n', "\r\n").as_bytes()).await.unwrap();
        read_until(&mut stream, end).await
    }

    fn reached(&mut self) -> bool {
        self.read.try_recv().is_ok()
    }
}

async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let (mut text, mut part) = (String::new(), vec![0; 4096]);
    while end.is_empty() || !text.contains(end) {
        match timeout(PATIENCE, stream.read(&mut part)).await.unwrap() {
            Ok(count @ 1..) => text.push_str(&String::from_utf8_lossy(&part[..count]).replace("\r\n", "\n")),
            _ => break,
        }
    }
    text
}

#[tokio::test]
async fn a_request_with_its_body_reaches_the_other_server() {
    let mut proxied = proxied("{\"a\":1}", OK, |_, rule| {
        rule.change_origin = true;
        rule.headers.push(("x-added".into(), "1".into()));
    })
    .await;
    let request = "PUT /api/users?x=1 HTTP/1.1\nHost: localhost\nContent-Type: application/json\nContent-Length: 7\n\
                   Connection: keep-alive, X-Hop\nX-Hop: 1\nCookie: a=b\n\n{\"a\":1}";
    let answer = proxied.exchange(request, "hello").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\n") && answer.contains("x-answer: yes\n"), "{answer}");
    assert!(answer.contains("cross-origin-resource-policy: same-origin\n"), "{answer}");
    assert_eq!(answer.matches("content-length").count(), 1, "{answer}");
    let read = proxied.read.recv().await.unwrap().to_lowercase();
    assert!(read.starts_with("put /api/users?x=1 http/1.1\n") && read.ends_with("\n\n{\"a\":1}"), "{read}");
    for line in ["content-length: 7\n", "content-type: application/json\n", "cookie: a=b\n", "x-added: 1\n"] {
        assert!(read.contains(line), "{line} {read}");
    }
    assert!(read.contains("host: 127.0.0.1:") && !read.contains("x-hop"), "{read}");
}

#[tokio::test]
async fn a_chunked_body_is_framed_anew_and_the_connection_goes_on() {
    let mut proxied = proxied("0\r\n\r\n", OK, |_, _| {}).await;
    let mut stream = proxied.connect().await;
    let post = "POST /api HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\n!!!\r\n0\r\n\r\n";
    let get = "GET /own HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(format!("{post}{get}").as_bytes()).await.unwrap();
    let answers = read_until(&mut stream, "own /own").await;
    assert!(answers.contains("hello") && answers.contains("HTTP/1.1 404"), "{answers}");
    let read = proxied.read.recv().await.unwrap();
    assert!(read.to_lowercase().contains("transfer-encoding: chunked") && !read.contains("GET /own"), "{read}");
    assert!(read.contains("hello") && read.contains("!!!"), "{read}");
}

#[tokio::test]
async fn an_answer_of_unknown_length_is_streamed() {
    let events = "HTTP/1.1 200 OK\nContent-Type: text/event-stream\nTransfer-Encoding: chunked\n\n8\ndata: 1\n\n";
    let proxied = proxied("\r\n\r\n", events, |_, _| {}).await;
    // The other server has not ended its answer, and what there is of it is here.
    let answer = proxied.exchange("GET /api/live HTTP/1.1\nHost: localhost\n\n", "data: 1").await;
    assert!(answer.contains("transfer-encoding: chunked\n") && answer.contains("data: 1"), "{answer}");
}

#[tokio::test]
async fn what_has_two_readings_reaches_nobody() {
    let mut proxied = proxied("\r\n\r\n", OK, |_, _| {}).await;
    let hidden = "GET /api/hidden HTTP/1.1\nHost: localhost\n\n";
    for (lines, status) in [
        ("Content-Length: 6\nTransfer-Encoding: chunked\n\n0\n\n", "400"),
        ("Content-Length: 6\nContent-Length: 6\n\nhidden", "400"),
        ("Content-Length: +6\n\nhidden", "400"),
        ("Transfer-Encoding: chunked\nTransfer-Encoding: identity\n\n0\n\n", "501"),
        ("Transfer-Encoding: gzip, chunked\n\n0\n\n", "501"),
        ("Transfer-Encoding: xchunked\n\n0\n\n", "501"),
        ("Expect: 200-maybe\n\n", "417"),
        ("Host: evil.example\n\n", "400"),
    ] {
        let request = format!("POST /api HTTP/1.1\nHost: localhost\n{lines}{hidden}");
        let answer = proxied.exchange(&request, "").await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{lines}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{lines}: {answer}");
        assert!(!proxied.reached(), "{lines}");
    }
}

#[tokio::test]
async fn a_malformed_chunk_ends_the_connection() {
    for chunk in ["5;a=b\nhello\n0\n\n", "+5\nhello\n0\n\n", "5\nhelloX\n0\n\n", "0\nTrailer: x\n\n"] {
        let proxied = proxied("never", OK, |_, _| {}).await;
        let hidden = "GET /own HTTP/1.1\nHost: localhost\n\n";
        let request = format!("POST /api HTTP/1.1\nHost: localhost\nTransfer-Encoding: chunked\n\n{chunk}{hidden}");
        let answer = proxied.exchange(&request, "").await;
        assert!(answer.starts_with("HTTP/1.1 400") && !answer.contains("own"), "{chunk}: {answer}");
    }
}

#[tokio::test]
async fn every_check_comes_before_the_other_server() {
    let mut proxied = proxied("\r\n\r\n", OK, |_, _| {}).await;
    for (request, status) in [
        ("GET /api HTTP/1.1\nHost: evil.example\n", "403"),
        ("POST /api HTTP/1.1\nHost: localhost\nOrigin: http://evil.example\nContent-Length: 0\n", "403"),
        ("POST /api HTTP/1.1\nHost: localhost\nOrigin: null\nContent-Length: 0\n", "403"),
        ("GET /api HTTP/1.1\nHost: localhost\nSec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors\n", "403"),
        ("OPTIONS /api HTTP/1.1\nHost: localhost\nOrigin: http://evil.example\n", "403"),
        (
            "GET /api/live HTTP/1.1\nHost: localhost\nOrigin: http://evil.example\nConnection: Upgrade\nUpgrade: websocket\n",
            "403",
        ),
        ("GET /api/live HTTP/1.1\nHost: localhost\nConnection: Upgrade\nUpgrade: websocket\n", "400"),
        ("TRACE /api HTTP/1.1\nHost: localhost\n", "405"),
        ("GET /api/../x HTTP/1.1\nHost: localhost\n", "400"),
        ("GET /api/%2e%2e/x HTTP/1.1\nHost: localhost\n", "400"),
        ("GET /api/..%2fx HTTP/1.1\nHost: localhost\n", "400"),
        ("GET /api/%0d%0aX:y HTTP/1.1\nHost: localhost\n", "400"),
        ("GET /api#x HTTP/1.1\nHost: localhost\n", "400"),
    ] {
        let answer = proxied
            .exchange(
                &format!("{request}Connection: close\n\n")
                    .replace("Upgrade: websocket\nConnection: close\n", "Upgrade: websocket\n"),
                "\n\n",
            )
            .await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {answer}");
        assert!(!proxied.reached(), "{request}");
    }
}

#[tokio::test]
async fn our_own_addresses_are_never_passed_on() {
    let mut proxied =
        proxied("\r\n\r\n", OK, |_, rule| *rule = ProxyRule::new("/", "http://127.0.0.1:9").unwrap()).await;
    for path in ["/@rekindle/client", "/@rekindle/s/x.js", "/@vite/client"] {
        let answer =
            proxied.exchange(&format!("GET {path} HTTP/1.1\nHost: localhost\nConnection: close\n\n"), "").await;
        assert!(answer.contains(&format!("own {path}")), "{answer}");
    }
    assert!(proxied.warnings.try_recv().is_err());
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told_once() {
    let mut proxied = proxied("", OK, |_, rule| *rule = ProxyRule::new("/api", "http://127.0.0.1:9").unwrap()).await;
    for _ in 0..2 {
        let answer = proxied.exchange("GET /api/x?secret HTTP/1.1\nHost: localhost\n\n", "\n\n").await;
        assert!(answer.starts_with("HTTP/1.1 502 Bad Gateway\n"), "{answer}");
    }
    let warning = proxied.warnings.recv().await.unwrap();
    assert!(warning.starts_with("proxy \"/api\": GET /api/x got no answer from http://127.0.0.1:9: "), "{warning}");
    assert!(proxied.warnings.try_recv().is_err());
}

#[tokio::test]
async fn a_socket_is_passed_on_with_bytes_both_ways() {
    let switch =
        "HTTP/1.1 101 Switching Protocols\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Accept: x\n\n";
    let mut proxied = proxied("\r\n\r\n", switch, |_, rule| rule.ws = true).await;
    let mut stream = proxied.connect().await;
    let request = "GET /api/live HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = read_until(&mut stream, "\n\n").await;
    assert!(head.starts_with("HTTP/1.1 101") && head.contains("sec-websocket-accept: x\n"), "{head}");
    stream.write_all(b"ping").await.unwrap();
    assert_eq!(read_until(&mut stream, "ping").await, "ping");
    let read = proxied.read.recv().await.unwrap().to_lowercase();
    assert!(read.contains("upgrade: websocket\n") && read.contains("sec-websocket-key: "), "{read}");
}

#[tokio::test]
async fn a_reader_may_read_and_is_no_more_than_that() {
    let proxied = proxied("\r\n\r\n", OK, |config, _| {
        config.server.cors = Cors { origin: CorsOrigin::Any, credentials: true, ..Cors::default() };
    })
    .await;
    let origin = "Host: localhost\nOrigin: https://other.example\n";
    let answer = proxied.exchange(&format!("GET /api HTTP/1.1\n{origin}\n"), "hello").await;
    assert!(answer.contains("access-control-allow-origin: https://other.example\n"), "{answer}");
    assert!(
        answer.contains("access-control-allow-credentials: true\n") && answer.contains("vary: Origin\n"),
        "{answer}"
    );
    let asked = "Access-Control-Request-Method: PUT\nAccess-Control-Request-Headers: content-type\n";
    let preflight = proxied.exchange(&format!("OPTIONS /api HTTP/1.1\n{origin}{asked}\n"), "\n\n").await;
    assert!(preflight.contains("access-control-allow-methods: GET, HEAD, PUT"), "{preflight}");
    assert!(preflight.contains("access-control-allow-headers: content-type\n"), "{preflight}");
    let socket = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n\
                  Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Protocol: rekindle\n";
    let refused = proxied.exchange(&format!("GET /@rekindle/socket HTTP/1.1\n{origin}{socket}\n"), "\n\n").await;
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
}
