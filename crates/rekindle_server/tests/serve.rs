//! The HTTP side on a real port, with a loop that knows a few addresses: bytes in, bytes out.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rekindle_server::answer::{Answer, Body, Cache};
use rekindle_server::config::Config;
use rekindle_server::event::{Event, Request};
use rekindle_server::http::{Site, serve};
use rekindle_server::listen::listen;
use rekindle_server::public::PublicFiles;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

struct Server {
    site: Arc<Site>,
    port: u16,
    serving: JoinHandle<()>,
    said: mpsc::UnboundedReceiver<Value>,
    root: tempfile::TempDir,
}

async fn server() -> Server {
    server_with(|_| {}).await
}

async fn server_with(change: impl FnOnce(&mut Site)) -> Server {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("public")).unwrap();
    std::fs::write(root.path().join("public/digits.txt"), "0123456789").unwrap();
    std::fs::write(root.path().join("public/gone.txt"), "gone").unwrap();
    std::fs::write(root.path().join("public/large.bin"), vec![7; 1_000_000]).unwrap();
    let mut config = Config::new(root.path());
    config.server.port = 0;
    let (inbox, events) = mpsc::unbounded_channel();
    let bound = listen(&config.server).await.unwrap();
    let mut site = Site::new(&config, &bound, inbox);
    change(&mut site);
    let (port, site) = (bound.port, Arc::new(site));
    let (sayings, said) = mpsc::unbounded_channel();
    tokio::spawn(fake_loop(events, PublicFiles::list(root.path().join("public")), sayings));
    let serving = tokio::spawn(serve(bound.listeners, site.clone()));
    Server { site, port, serving, said, root }
}

/// Answers requests, echoes what tabs say, and floods a tab that asks for it.
async fn fake_loop(
    mut events: mpsc::UnboundedReceiver<Event>,
    public: PublicFiles,
    sayings: mpsc::UnboundedSender<Value>,
) {
    let mut outboxes = Vec::new();
    while let Some(event) = events.recv().await {
        match event {
            Event::Request(request, asker) if request.path == "/mistake" => drop(asker),
            Event::Request(request, asker) => drop(asker.send(answer(&request, &public))),
            Event::Connected(id, outbox) => {
                outbox.send(r#"{"type":"connected"}"#);
                outboxes.push((id, outbox));
            }
            Event::Gone(gone) => outboxes.retain(|(id, _)| *id != gone),
            Event::Message(id, value, _turn) => {
                let outbox = &outboxes.iter().find(|(other, _)| *other == id).unwrap().1;
                match value.as_str() {
                    Some("flood") => (0..100).for_each(|_| outbox.send("x".repeat(1 << 20))),
                    Some("close") => outbox.close(4000),
                    _ => outbox.send(value.to_string()),
                }
                let _ = sayings.send(value);
            }
            _ => {}
        }
    }
}

fn answer(request: &Request, public: &PublicFiles) -> Answer {
    let text = "text/plain; charset=utf-8";
    match (request.path.as_str(), public.get(&request.path)) {
        (_, Some(file)) => {
            Answer { status: 200, content_type: text, body: Body::File(file.clone()), cache: Cache::Revalidate }
        }
        ("/pieces", _) => {
            let pieces = ["abc", "def"].map(|piece| piece.as_bytes().into()).to_vec();
            Answer { status: 200, content_type: text, body: Body::Pieces(pieces), cache: Cache::Revalidate }
        }
        ("/large", _) => Answer::ok(text, vec![b'x'; 1 << 20], Cache::Forever),
        (path, _) => Answer::text(404, format!("{path}?{}", request.query)),
    }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }

    /// Sends lines, closes the sending side and reads to the end.
    async fn exchange(&self, lines: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(lines.replace('\n', "\r\n").as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut bytes = Vec::new();
        timeout(Duration::from_secs(5), stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
        String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
    }

    async fn get(&self, target: &str, headers: &str) -> String {
        self.exchange(&format!("GET {target} HTTP/1.1\nHost: localhost\n{headers}\n")).await
    }

    /// A socket whose handshake is written by hand; what the server says to it comes back with it.
    async fn socket(&self, query: &str, protocol: &str) -> (TcpStream, String) {
        let mut stream = self.connect().await;
        let request = format!(
            "GET /@rekindle/socket{query} HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://localhost:{port}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: {protocol}\r\n\r\n",
            port = self.port,
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(timeout(Duration::from_secs(5), stream.read_u8()).await.unwrap().unwrap());
        }
        (stream, String::from_utf8(head).unwrap())
    }

    async fn tab(&self) -> TcpStream {
        let (mut stream, head) = self.socket(&format!("?token={}", self.site.token.as_str()), "rekindle").await;
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        assert_eq!(hear(&mut stream).await, (1, br#"{"type":"connected"}"#.to_vec()));
        stream
    }
}

/// Reads one small frame: opcode and payload.
async fn hear(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let hear = async {
        let (first, length) = (stream.read_u8().await?, stream.read_u8().await?);
        let mut payload = vec![0; usize::from(length)];
        stream.read_exact(&mut payload).await?;
        std::io::Result::Ok((first & 15, payload))
    };
    timeout(Duration::from_secs(5), hear).await.unwrap().unwrap()
}

/// Sends one small masked frame.
async fn say(stream: &mut TcpStream, opcode: u8, payload: &[u8]) {
    let mut frame = vec![0x80 | opcode, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    frame.extend(payload);
    stream.write_all(&frame).await.unwrap();
}

fn close(code: u16) -> (u8, Vec<u8>) {
    (8, code.to_be_bytes().to_vec())
}

fn statuses(answers: &str) -> Vec<&str> {
    answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect()
}

fn age(file: &Path) {
    let file = std::fs::File::options().write(true).open(file).unwrap();
    file.set_modified(std::time::SystemTime::now() - Duration::from_secs(60)).unwrap();
}

#[tokio::test]
async fn files_are_sent_whole_in_part_and_not_again() {
    let server = server().await;
    age(&server.root.path().join("public/digits.txt"));
    let whole = server.get("/digits.txt", "").await;
    assert!(whole.starts_with("HTTP/1.1 200 OK\n") && whole.ends_with("\n\n0123456789"), "{whole}");
    for header in [
        "x-content-type-options: nosniff\n",
        "cross-origin-resource-policy: same-origin\n",
        "cache-control: no-cache\n",
        "content-length: 10\n",
    ] {
        assert!(whole.contains(header), "{whole}");
    }
    assert!(!whole.contains("access-control"), "{whole}");
    let part = server.get("/digits.txt", "Range: bytes=2-4\n").await;
    assert!(
        part.starts_with("HTTP/1.1 206") && part.contains("content-range: bytes 2-4/10\n") && part.ends_with("\n\n234"),
        "{part}"
    );
    let outside = server.get("/digits.txt", "Range: bytes=10-\n").await;
    assert!(outside.starts_with("HTTP/1.1 416") && outside.contains("content-range: bytes */10\n"), "{outside}");
    let tag = whole.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let again = server.get("/digits.txt", &format!("If-None-Match: {tag}\n")).await;
    assert!(
        again.starts_with("HTTP/1.1 304") && again.ends_with("\n\n") && !again.contains("content-length"),
        "{again}"
    );
    let head = server.exchange("HEAD /digits.txt HTTP/1.1\nHost: localhost\n\n").await;
    assert!(head.contains("content-length: 10\n") && head.ends_with("\n\n"), "{head}");
    assert_eq!(server.get("/large.bin", "").await.split_once("\n\n").unwrap().1.len(), 1_000_000);
}

#[tokio::test]
async fn a_file_that_just_changed_has_no_tag_and_one_that_vanished_is_not_found() {
    let server = server().await;
    assert!(!server.get("/digits.txt", "").await.contains("etag"));
    std::fs::remove_file(server.root.path().join("public/gone.txt")).unwrap();
    assert!(server.get("/gone.txt", "").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn pieces_are_one_body() {
    let server = server().await;
    let whole = server.get("/pieces", "").await;
    assert!(whole.ends_with("\n\nabcdef") && whole.contains("etag: W/\""), "{whole}");
    assert!(server.get("/pieces", "Range: bytes=-4\n").await.ends_with("\n\ncdef"));
}

#[tokio::test]
async fn requests_on_one_connection_are_answered_in_order() {
    let server = server().await;
    let get = |target: &str| format!("GET {target} HTTP/1.1\nHost: localhost\n\n");
    let answers = server.exchange(&[get("/a"), get("/digits.txt"), get("/mistake"), get("/b?c&t=1")].concat()).await;
    assert_eq!(statuses(&answers), ["404", "200", "500", "404"]);
    assert!(answers.ends_with("/b?c"), "{answers}");
}

#[tokio::test]
async fn nothing_after_a_bad_request_or_a_body_is_answered() {
    let server = server().await;
    let hidden = "GET /digits.txt HTTP/1.1\nHost: localhost\n\n";
    for (request, status) in [
        ("GET /#x HTTP/1.1\nHost: localhost\n\n", "400"),
        ("POST / HTTP/1.1\nHost: localhost\nContent-Length: 3\n\n", "405"),
        ("GET / HTTP/1.1\nHost: localhost\nContent-Length: 0\nTransfer-Encoding: chunked\n\n0\n\n", "400"),
        ("GET / HTTP/1.0\nHost: localhost\nConnection: keep-alive\n\n", "404"),
        ("GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n", "404"),
    ] {
        assert_eq!(statuses(&server.exchange(&format!("{request}{hidden}")).await), [status], "{request}");
    }
}

#[tokio::test]
async fn a_client_that_never_reads_does_not_hold_up_others() {
    let server = server().await;
    let mut greedy = server.connect().await;
    greedy.write_all("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(200).as_bytes()).await.unwrap();
    assert!(server.get("/digits.txt", "").await.ends_with("0123456789"));
}

#[tokio::test]
async fn heads_that_do_not_arrive_keep_nobody_out() {
    let server = server_with(|site| site.connections = 8).await;
    let mut tab = server.tab().await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut stream = server.connect().await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").await.unwrap();
        slow.push(stream);
    }
    assert!(server.get("/digits.txt", "").await.ends_with("0123456789"));
    // The tab has something to do with its place.
    say(&mut tab, 1, b"1").await;
    assert_eq!(hear(&mut tab).await, (1, b"1".to_vec()));
    // Those that came first made room for the others.
    for stream in slow.iter_mut().take(13) {
        let end = timeout(Duration::from_secs(30), stream.read(&mut [0])).await.unwrap();
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    }
}

#[tokio::test]
async fn whoever_works_is_not_sent_away() {
    let server = server_with(|site| site.connections = 2).await;
    let (mut one, mut two) = (server.tab().await, server.tab().await);
    let mut third = Vec::new();
    timeout(Duration::from_secs(5), server.connect().await.read_to_end(&mut third)).await.unwrap().unwrap();
    assert!(third.starts_with(b"HTTP/1.1 503"), "{third:?}");
    for tab in [&mut one, &mut two] {
        say(tab, 1, b"1").await;
        assert_eq!(hear(tab).await, (1, b"1".to_vec()));
    }
}

#[tokio::test]
async fn a_few_messages_of_a_tab_wait_for_the_loop_and_the_others_in_the_socket() {
    let (inbox, mut events) = mpsc::unbounded_channel();
    let server = server_with(|site| site.inbox = inbox).await;
    let token = server.site.token.as_str();
    let (mut tab, _) = server.socket(&format!("?token={token}"), "rekindle").await;
    let Some(Event::Connected(_, _outbox)) = events.recv().await else { panic!("something else") };
    for at in 0..20 {
        say(&mut tab, 1, at.to_string().as_bytes()).await;
    }
    let mut waiting = std::collections::VecDeque::new();
    for at in 0..20 {
        while waiting.len() < 4.min(20 - at) {
            waiting.push_back(timeout(Duration::from_secs(5), events.recv()).await.unwrap().unwrap());
        }
        sleep(Duration::from_millis(if at == 0 { 200 } else { 0 })).await;
        assert!(events.is_empty(), "no fifth one before one is dealt with");
        let Some(Event::Message(_, value, _turn)) = waiting.pop_front() else { panic!("something else") };
        assert_eq!(value, json!(at));
    }
}

#[tokio::test]
async fn a_tab_with_the_token_is_heard_and_answered() {
    let mut server = server().await;
    let mut tab = server.tab().await;
    say(&mut tab, 1, b"not JSON").await;
    say(&mut tab, 1, br#"{"a":[1]}"#).await;
    assert_eq!(server.said.recv().await, Some(json!({ "a": [1] })));
    assert_eq!(hear(&mut tab).await, (1, br#"{"a":[1]}"#.to_vec()));
    say(&mut tab, 1, b"\"close\"").await;
    assert_eq!(hear(&mut tab).await, close(4000));
}

#[tokio::test]
async fn a_socket_needs_the_whole_token_and_a_ping_needs_none() {
    let server = server().await;
    let token = server.site.token.as_str();
    for query in [
        "",
        "?token=",
        &format!("?token={token}x"),
        &format!("?token=x&token={token}"),
        &format!("?token={token}&a"),
        &format!("?Token={token}"),
    ] {
        let (_, head) = server.socket(query, "rekindle").await;
        assert!(head.starts_with("HTTP/1.1 403"), "{query}: {head}");
    }
    let (_, head) = server.socket(&format!("?token={token}"), "rekindle, other").await;
    assert!(head.starts_with("HTTP/1.1 400"), "{head}");
    let (mut ping, head) = server.socket("", "rekindle-ping").await;
    assert!(head.starts_with("HTTP/1.1 101") && head.contains("sec-websocket-protocol: rekindle-ping\r\n"), "{head}");
    assert_eq!(hear(&mut ping).await, close(1000));
}

#[tokio::test]
async fn a_tab_that_breaks_the_rules_is_closed_with_the_reason() {
    let server = server().await;
    let mut binary = server.tab().await;
    say(&mut binary, 2, b"x").await;
    assert_eq!(hear(&mut binary).await, close(1003));
    let mut talkative = server.tab().await;
    let flood: Vec<u8> = [0x81, 0x81, 0, 0, 0, 0, b'{'].repeat(1001);
    talkative.write_all(&flood).await.unwrap();
    assert_eq!(hear(&mut talkative).await, close(1008));
    let mut long = server.tab().await;
    long.write_all(&[0x81, 0xff, 0, 0, 0, 0, 0, 0x10, 0, 1, 0, 0, 0, 0]).await.unwrap();
    assert_eq!(hear(&mut long).await, close(1009));
}

#[tokio::test]
async fn a_tab_that_does_not_read_is_closed_and_forgotten() {
    let mut server = server().await;
    let mut lazy = server.tab().await;
    say(&mut lazy, 1, b"\"flood\"").await;
    server.said.recv().await.unwrap();
    // It takes what the system buffered, and then the connection is over long before the 100 MiB it was sent.
    sleep(Duration::from_secs(3)).await;
    let mut taken = 0;
    let mut scrap = vec![0; 1 << 16];
    while let Ok(Ok(count @ 1..)) = timeout(Duration::from_secs(5), lazy.read(&mut scrap)).await {
        taken += count;
    }
    assert!(taken < 20 << 20, "{taken}");
}

#[tokio::test]
async fn stopping_says_goodbye() {
    let server = server().await;
    let mut tab = server.tab().await;
    let mut half_sent = server.connect().await;
    half_sent.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    server.site.stop();
    assert_eq!(hear(&mut tab).await, close(1001));
    drop(tab);
    timeout(Duration::from_secs(1), server.serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", server.port)).await.is_err());
}
