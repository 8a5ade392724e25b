//! A project of a test with its server, the tabs that speak the server's protocol, and the terminal.

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, io};

use futures_util::{SinkExt, StreamExt};
use rekindle_server::DevServer;
use rekindle_server::config::{Config, Variables};
use rekindle_server::report::Report;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{RwLock, RwLockReadGuard};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

/// Nothing here is a matter of speed; what waits for ever fails.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// What is asked for while others do not read has to come at once, on this machine or on a much slower one.
pub const ANSWER: Duration = Duration::from_secs(10);

pub const PAGE: &str = "<!doctype html><p>hello</p><script type=module src=/main.js></script>";

/// What the terminal shows.
#[derive(Clone, Default)]
pub struct Screen(Arc<Mutex<Vec<u8>>>);

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Screen {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    pub async fn shows(&self, words: &str) {
        let shown = async {
            while !self.text().contains(words) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, shown).await.unwrap_or_else(|_| panic!("no `{words}` in\n{}", self.text()));
    }
}

/// What measures the memory of the process runs alone in it; each other project has a share.
pub static PROCESS: RwLock<()> = RwLock::const_new(());

pub struct Project {
    pub server: DevServer,
    pub screen: Screen,
    pub folder: TempDir,
    _share: Option<RwLockReadGuard<'static, ()>>,
}

pub fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("index.html", PAGE)].iter().chain(files) {
        write(folder.path(), name, text);
    }
    folder
}

pub fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub fn make_pipe(path: &Path) {
    let _ = fs::remove_file(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

pub async fn start(folder: TempDir) -> Project {
    start_with(folder, |_| {}).await
}

pub async fn start_with(folder: TempDir, change: impl FnOnce(&mut Config)) -> Project {
    let share = PROCESS.read().await;
    Project { _share: Some(share), ..start_alone(folder, change).await }
}

/// For who has the whole process, or a share of it.
pub async fn start_alone(folder: TempDir, change: impl FnOnce(&mut Config)) -> Project {
    let root = folder.path().canonicalize().unwrap();
    let mut config = Config::new(&root);
    config.server.port = 0;
    config.public_dir = Some(root.join("public"));
    // Whatever the shell has.
    config.variables = Variables::default();
    change(&mut config);
    let screen = Screen::default();
    let start = DevServer::builder(config).report(Report::plain(screen.clone())).start();
    let server = timeout(PATIENCE, start).await.expect("the server does not start").unwrap();
    Project { server, screen, folder, _share: None }
}

impl Project {
    pub fn host(&self) -> &str {
        self.server.url().trim_start_matches("http://").trim_end_matches('/')
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub async fn ask(&self, target: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.host()).await.unwrap();
        let head = format!("GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.host());
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    }

    pub async fn get(&self, target: &str) -> String {
        let mut stream = self.ask(target).await;
        let mut answer = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut answer)).await;
        read.unwrap_or_else(|_| panic!("no answer for {target}")).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// What a browser loads before it runs the page.
    pub async fn load_page(&self) -> String {
        let page = self.get("/").await;
        assert!(page.contains("<p>hello</p>"), "{page}");
        self.get("/@rekindle/page.js?path=/index.html").await
    }

    pub async fn tab(&self) -> Tab {
        let script = self.get("/@rekindle/client.js").await;
        let token = between(&script, "token = \"", "\"");
        let mut request = format!("ws://{}/@rekindle/socket?token={token}", self.host()).into_client_request().unwrap();
        let origin = format!("http://{}", self.host());
        request.headers_mut().insert("origin", origin.parse().unwrap());
        request.headers_mut().insert("sec-websocket-protocol", "rekindle".parse().unwrap());
        let stream = TcpStream::connect(self.host()).await.unwrap();
        let (socket, _) = client_async(request, stream).await.unwrap();
        Tab { socket }
    }

    /// A tab that has said hello.
    pub async fn loaded_tab(&self) -> Tab {
        let script = self.load_page().await;
        let mut tab = self.tab().await;
        let session = between(&script, "\"session\":\"", "\"");
        let seq: u64 = between(&script, "\"seq\":", ",").parse().unwrap();
        tab.says(
            json!({ "type": "hello", "page": "/index.html", "session": session, "seq": seq, "entries": ["/main.js"] }),
        )
        .await;
        tab.hears("welcome").await;
        tab
    }
}

pub fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap().0
}

pub struct Tab {
    pub socket: WebSocketStream<TcpStream>,
}

impl Tab {
    pub async fn says(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next message of a kind.
    pub async fn hears(&mut self, kind: &str) -> Value {
        self.ends_with(kind).await.unwrap_or_else(|| panic!("the connection is closed, without {kind}"))
    }

    /// The next message of a kind, or `None` if the server closes the connection.
    pub async fn ends_with(&mut self, kind: &str) -> Option<Value> {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await;
            match message.unwrap_or_else(|_| panic!("the server does not say {kind}")) {
                Some(Ok(Message::Text(text))) => {
                    let said: Value = serde_json::from_str(&text).unwrap();
                    if said["type"] == kind {
                        return Some(said);
                    }
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    pub async fn is_closed(&mut self) {
        while self.ends_with("nothing of this kind").await.is_some() {}
    }
}
