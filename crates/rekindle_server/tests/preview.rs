//! A preview on a real port: what a static host sends.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::io::Read;
use std::path::Path;

use rekindle_server::config::Config;
use rekindle_server::report::Report;
use rekindle_server::{PreviewError, PreviewServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

struct Preview {
    server: PreviewServer,
    root: tempfile::TempDir,
}

async fn preview(change: impl FnOnce(&mut Config)) -> Preview {
    let root = tempfile::tempdir().unwrap();
    let dist = root.path().join("dist");
    fs::create_dir_all(dist.join("assets")).unwrap();
    fs::write(dist.join("index.html"), "<p>home</p>").unwrap();
    fs::write(dist.join("assets/app.js"), script()).unwrap();
    fs::write(dist.join("assets/dot.png"), vec![7; 4000]).unwrap();
    fs::write(dist.join("assets/add.wasm"), b"\0asm").unwrap();
    let mut config = Config::new(root.path());
    config.preview.port = 0;
    change(&mut config);
    let server = PreviewServer::start(config, Report::plain(std::io::sink())).await.unwrap();
    Preview { server, root }
}

fn script() -> String {
    "export const answer = 42\n".repeat(200)
}

impl Preview {
    fn dist(&self) -> &Path {
        self.root.path()
    }

    /// Head in lower case, and body.
    async fn get(&self, target: &str, headers: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.server.port())).await.unwrap();
        let request = format!("GET {target} HTTP/1.1\nHost: localhost\nConnection: close\n{headers}\n");
        stream.write_all(request.replace('\n', "\r\n").as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().replace("\r\n", "\n");
        (head, bytes[end + 4..].to_vec())
    }
}

fn header<'h>(head: &'h str, name: &str) -> &'h str {
    head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap_or("")
}

#[tokio::test]
async fn text_is_compressed_as_the_client_likes_it() {
    let preview = preview(|_| {}).await;
    let (head, body) = preview.get("/assets/app.js", "Accept-Encoding: gzip, br\n").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(header(&head, "content-encoding"), "br");
    assert_eq!(header(&head, "content-type"), "text/javascript; charset=utf-8");
    assert_eq!(header(&head, "vary"), "Accept-Encoding");
    assert_eq!(header(&head, "content-length"), body.len().to_string());
    assert!(body.len() < 200);
    let (head, body) = preview.get("/assets/app.js", "Accept-Encoding: gzip\n").await;
    assert_eq!(header(&head, "content-encoding"), "gzip");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*body).read_to_string(&mut text).unwrap();
    assert_eq!(text, script());
    let (head, body) = preview.get("/assets/app.js", "").await;
    assert_eq!((header(&head, "content-encoding"), header(&head, "vary")), ("", "Accept-Encoding"));
    assert_eq!(body, script().as_bytes());
    // Small, or compressed by its kind.
    for target in ["/", "/assets/dot.png", "/assets/add.wasm"] {
        let (head, _) = preview.get(target, "Accept-Encoding: br, gzip\n").await;
        assert_eq!(header(&head, "content-encoding"), "", "{target}");
    }
    assert_eq!(header(&preview.get("/assets/add.wasm", "").await.0, "content-type"), "application/wasm");
}

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let preview = preview(|_| {}).await;
    let (head, _) = preview.get("/assets/app.js", "").await;
    let tag = header(&head, "etag").to_owned();
    assert!(tag.starts_with('"'), "{head}");
    assert_eq!(header(&head, "cache-control"), "no-cache");
    let (packed, _) = preview.get("/assets/app.js", "Accept-Encoding: br\n").await;
    let weak = header(&packed, "etag").to_owned();
    assert_eq!(weak, format!("W/{tag}"));
    for (known, encoding) in [(&tag, ""), (&weak, "Accept-Encoding: br\n"), (&weak, "")] {
        let (head, body) = preview.get("/assets/app.js", &format!("If-None-Match: {known}\n{encoding}")).await;
        assert!(head.starts_with("HTTP/1.1 304") && body.is_empty(), "{head}");
        assert_eq!(header(&head, "vary"), "Accept-Encoding");
    }
    // The same length at the same moment, and yet another file.
    fs::write(preview.dist().join("dist/assets/app.js"), script().replace("42", "43")).unwrap();
    let (head, _) = preview.get("/assets/app.js", &format!("If-None-Match: {tag}\n")).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
}

#[tokio::test]
async fn a_part_is_sent_as_it_is() {
    let preview = preview(|_| {}).await;
    let (head, body) = preview.get("/assets/app.js", "Range: bytes=0-5\nAccept-Encoding: br\n").await;
    assert!(head.starts_with("HTTP/1.1 206"), "{head}");
    assert_eq!((header(&head, "content-range"), header(&head, "content-encoding")), ("bytes 0-5/5000", ""));
    assert_eq!(body, b"export");
    let tag = header(&head, "etag").to_owned();
    let (head, _) = preview.get("/assets/app.js", &format!("Range: bytes=7-11\nIf-Range: {tag}\n")).await;
    assert!(head.starts_with("HTTP/1.1 206"), "{head}");
    for stale in ["\"other\"".to_owned(), format!("W/{tag}")] {
        let (head, body) = preview.get("/assets/app.js", &format!("Range: bytes=7-11\nIf-Range: {stale}\n")).await;
        assert!(head.starts_with("HTTP/1.1 200") && body.len() == 5000, "{head}");
    }
    let (head, _) = preview.get("/assets/app.js", "Range: bytes=9999-\n").await;
    assert!(head.starts_with("HTTP/1.1 416") && header(&head, "content-range") == "bytes */5000", "{head}");
}

#[tokio::test]
async fn the_checks_are_those_of_the_development_server() {
    let preview = preview(|config| {
        config.base = "/app/".into();
        fs::write(config.root.join("dist/.env"), "SECRET").unwrap();
        fs::write(config.root.join("outside.txt"), "SECRET").unwrap();
    })
    .await;
    assert!(preview.get("/app/", "").await.0.starts_with("HTTP/1.1 200"));
    for target in
        ["/app/.env", "/app/../outside.txt", "/app/..%2foutside.txt", "/app/%2e%2e/outside.txt", "/outside.txt"]
    {
        let (head, body) = preview.get(target, "").await;
        assert!(
            head.starts_with("HTTP/1.1 4") && !body.windows(6).any(|window| window == b"SECRET"),
            "{target} {head}"
        );
    }
    let (head, _) = preview.get("/app/", "Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: no-cors\n").await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    let (head, _) = preview.get("/app/", "Origin: https://evil.example\n").await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    // Routes of the development server are none here: they are addresses like any other, which the application's page is for.
    let (_, page) = preview.get("/app/", "").await;
    for target in ["/app/@rekindle/client", "/app/@rekindle/open-in-editor?file=x", "/app/@vite/client"] {
        let (head, body) = preview.get(target, "").await;
        assert!(head.starts_with("HTTP/1.1 200") && body == page, "{target} {head}");
    }
    preview.server.stop().await;
}

#[tokio::test]
async fn without_a_build_there_is_nothing_to_serve() {
    let root = tempfile::tempdir().unwrap();
    let start = || PreviewServer::start(Config::new(root.path()), Report::plain(std::io::sink()));
    assert!(matches!(start().await, Err(PreviewError::NoBuild { .. })));
    fs::create_dir(root.path().join("dist")).unwrap();
    assert!(matches!(start().await, Err(PreviewError::NoBuild { .. })));
}
