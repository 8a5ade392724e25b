//! `DevServer` in a program of one's own: events both ways, updates over the socket, start and stop.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::io;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use rekindle::{Config, DevServer};
use rekindle_server::report::Report;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

const PATIENCE: Duration = Duration::from_secs(10);

struct Project {
    server: DevServer,
    folder: TempDir,
}

/// A page with one module, and a server on it that answers `question`.
async fn project() -> Project {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    std::fs::write(root.join("index.html"), "<!doctype html><script type=module src=/main.ts></script>").unwrap();
    std::fs::write(root.join("main.ts"), "export const text: string = 'one'").unwrap();
    let mut config = Config::new(root);
    config.server.port = 0;
    let server = DevServer::builder(config)
        .report(Report::plain(io::sink()))
        .on("question", |data, client| client.send("answer", Some(json!({ "to": data }))))
        .start()
        .await
        .unwrap();
    Project { server, folder }
}

impl Project {
    fn host(&self) -> &str {
        self.server.url().trim_start_matches("http://").trim_end_matches('/')
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    async fn get(&self, target: &str) -> String {
        let mut stream = TcpStream::connect(self.host()).await.unwrap();
        let head = format!("GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.host());
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// What a browser loads before it runs the page; gives session and number of the page's definitions.
    async fn load_page(&self) -> Value {
        assert!(self.get("/").await.contains("/@rekindle/page.js?path=/index.html"));
        let script = self.get("/@rekindle/page.js?path=/index.html").await;
        let seq = between(&script, "\"seq\":", ",").parse::<u64>().unwrap();
        json!({ "session": between(&script, "\"session\":\"", "\""), "seq": seq })
    }

    async fn tab(&self) -> Tab {
        let script = self.get("/@rekindle/client.js").await;
        let token = between(&script, "token = \"", "\"");
        let mut request = format!("ws://{}/@rekindle/socket?token={token}", self.host()).into_client_request().unwrap();
        let origin = format!("http://{}", self.host());
        request.headers_mut().insert("origin", origin.parse().unwrap());
        request.headers_mut().insert("sec-websocket-protocol", "rekindle".parse().unwrap());
        let stream = TcpStream::connect(self.host()).await.unwrap();
        let (socket, _) = client_async(request, stream).await.unwrap();
        let mut tab = Tab { socket };
        assert_eq!(tab.hears().await, json!({ "type": "connected" }));
        tab
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap().0
}

struct Tab {
    socket: WebSocketStream<TcpStream>,
}

impl Tab {
    async fn says(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    async fn hears(&mut self) -> Value {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("the server says nothing");
            if let Message::Text(text) = message.unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// The next message is an answer to a ping: nothing else was said before it.
    async fn heard_nothing(&mut self) {
        self.says(json!({ "type": "ping" })).await;
        assert_eq!(self.hears().await, json!({ "type": "pong" }));
    }

    async fn hears_definition(&mut self, id: &str, text: &str) -> Value {
        let batch = self.hears().await;
        assert_eq!(batch["type"], "batch", "{batch}");
        assert_eq!(batch["definitions"][0]["id"], id);
        let code = batch["definitions"][0]["code"].as_str().unwrap();
        assert!(code.contains(text), "{code}");
        batch
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_goes_to_the_tab_that_asked_and_news_to_all() {
    let project = project().await;
    let (mut one, mut two) = (project.tab().await, project.tab().await);
    one.says(json!({ "type": "custom", "event": "question", "data": [1, "ü"] })).await;
    assert_eq!(one.hears().await, json!({ "type": "custom", "event": "answer", "data": { "to": [1, "ü"] } }));
    two.heard_nothing().await;
    project.server.send("news", Some(json!("everybody")));
    project.server.send("bare", None);
    for tab in [&mut one, &mut two] {
        assert_eq!(tab.hears().await, json!({ "type": "custom", "event": "news", "data": "everybody" }));
        assert_eq!(tab.hears().await, json!({ "type": "custom", "event": "bare" }));
    }
    project.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_one_batch_and_a_tab_that_missed_it_gets_it_later() {
    let project = project().await;
    let before = project.load_page().await;
    let hello = |state: &Value| json!({ "type": "hello", "page": "/index.html", "session": state["session"], "seq": state["seq"] });
    let (mut tab, mut silent) = (project.tab().await, project.tab().await);
    tab.says(hello(&before)).await;
    assert_eq!(tab.hears().await["type"], "welcome");
    project.write("main.ts", "export const text: string = 'two'");
    let batch = tab.hears_definition("/main.ts", "two").await;
    assert_eq!(batch["seq"], before["seq"].as_u64().unwrap() + 1);
    assert_eq!(batch["since"], before["seq"]);
    assert_eq!(batch["session"], before["session"]);
    silent.hears_definition("/main.ts", "two").await;

    let mut late = project.tab().await;
    late.says(hello(&before)).await;
    assert_eq!(late.hears_definition("/main.ts", "two").await["seq"], batch["seq"]);
    late.says(hello(&batch)).await;
    assert_eq!(late.hears().await, json!({ "type": "welcome", "session": batch["session"], "seq": batch["seq"] }));
    late.says(json!({ "type": "hello", "page": "/index.html", "session": "another start", "seq": 7 })).await;
    assert_eq!(late.hears().await, json!({ "type": "compare" }));
    project.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_within_a_second_and_frees_its_port() {
    let project = project().await;
    let host = project.host().to_owned();
    let mut tab = project.tab().await;
    let began = Instant::now();
    project.server.stop().await;
    assert!(began.elapsed() < Duration::from_secs(1), "it took {:?}", began.elapsed());
    let farewell = timeout(PATIENCE, tab.socket.next()).await.unwrap();
    assert!(!matches!(farewell, Some(Ok(Message::Text(_)))), "{farewell:?}");
    assert!(TcpStream::connect(host).await.is_err());
}
