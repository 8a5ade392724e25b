//! Sockets: the handshake that admits a tab (rule S6), and what it may say (S8, S12). The queue to it is in `outbox.rs`.
//!
//! ```text
//! GET /@rekindle/socket?token=…      Host ✓  Origin ✓  token ✓   →  101, Event::Connected
//!   tab ── {"type":"custom",…} ──►   Event::Message, a few at a time
//!   tab ◄── Outbox::send ──          at most 8 MiB waiting, then the connection is closed and the tab comes back
//! ```

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, interval_at, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
pub use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::event::{Event, Inbox, SocketTurn};
use crate::http::connections::linger::linger;
use crate::http::gate::{Head, Method};
use crate::tabs::client::ClientId;
use crate::tabs::outbox::{Outbox, Outgoing, Queue, cost, large_cost};

/// What the tabs' sockets speak.
pub const PROTOCOL: &str = "rekindle";
/// Answered with an immediate close: "the server is up again", for a tab that waits for it. Needs no token.
pub const PING_PROTOCOL: &str = "rekindle-ping";

const MESSAGE_LIMIT: usize = 1024 * 1024;
/// What a tab may say within a second, in messages and in bytes.
const MESSAGES_PER_SECOND: usize = 1000;
const BYTES_PER_SECOND: usize = 8 * 1024 * 1024;
/// Messages of a socket that may wait for the loop. What follows waits in the socket, and then at the sender.
const TURNS: usize = 4;
const SECOND: Duration = Duration::from_secs(1);
const DEPTH_LIMIT: usize = 64;
const PING_EVERY: Duration = Duration::from_secs(30);
/// Pings in a row that may stay unanswered before the tab counts as gone.
const MAX_MISSED_PINGS: usize = 2;
/// How long a tab may take to accept the close of its connection.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Reading a message of this size makes room that stays as long as the connection does.
const LARGE_MESSAGE: usize = 64 * 1024;
/// Connections that may have such room at a time; then the one that needed it longest ago is closed, and may come back.
const MAX_LARGE_READERS: usize = 32;
/// A handshake in good form. Whether its sender is admitted is decided by `http/turn.rs`.
#[derive(Clone, Debug)]
pub(crate) struct Handshake {
    pub accept: String,
    pub protocol: &'static str,
}

impl Handshake {
    /// Whether a request wants to become a socket at all.
    pub fn is_wanted(head: &Head) -> bool {
        head.header("upgrade").is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket"))
    }

    /// A request that announced a body or the end of its connection cannot become a socket.
    pub fn is_well_formed(head: &Head) -> bool {
        Self::is_wanted(head) && head.method == Method::Get && head.keep_alive && head.lists("connection", "upgrade")
    }

    /// Reads the handshake of RFC 6455, section 4.2.1.
    pub fn read(head: &Head) -> Result<Self, &'static str> {
        if !Self::is_well_formed(head) {
            return Err("this address is a WebSocket");
        }
        if head.header("sec-websocket-version") != Some("13") {
            return Err("only version 13 of the WebSocket protocol is supported");
        }
        let protocol = match head.header("sec-websocket-protocol") {
            Some(PROTOCOL) => PROTOCOL,
            Some(PING_PROTOCOL) => PING_PROTOCOL,
            _ => return Err("the subprotocol is not known"),
        };
        match head.header("sec-websocket-key").filter(|key| is_key(key)) {
            Some(key) => Ok(Self { accept: derive_accept_key(key.as_bytes()), protocol }),
            None => Err("the key of the handshake is malformed"),
        }
    }
}

/// Base64 of 16 bytes.
fn is_key(key: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    key.len() == 24 && key.strip_suffix("==").is_some_and(|digits| digits.bytes().all(is_digit))
}

/// How a connection ends: with a code that is sent to the tab, or with nothing where the tab is gone already.
type End = Option<u16>;

/// The connections that have read a large message, the last one last.
#[derive(Debug, Default)]
pub(crate) struct LargeReaders(Mutex<VecDeque<Arc<Queue>>>);

impl LargeReaders {
    fn note(&self, queue: &Arc<Queue>) {
        let mut grown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        grown.retain(|one| !Arc::ptr_eq(one, queue));
        grown.push_back(queue.clone());
        if grown.len() > MAX_LARGE_READERS
            && let Some(oldest) = grown.pop_front()
        {
            oldest.send_away();
        }
    }

    fn forget(&self, queue: &Arc<Queue>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|one| !Arc::ptr_eq(one, queue));
    }
}

/// Runs one admitted socket until it ends.
pub(crate) async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    read_ahead: Vec<u8>,
    id: ClientId,
    inbox: Inbox,
    grown: &LargeReaders,
    mut stopping: watch::Receiver<bool>,
) {
    let socket = websocket(stream, read_ahead).await;
    let (outbox, lines) = Outbox::new();
    let queue = outbox.queue.clone();
    if inbox.send(Event::Connected(id, outbox)).is_err() {
        return farewell(socket, Some(1001)).await;
    }
    let (mut sink, mut stream) = socket.split();
    let heard = AtomicBool::new(true);
    let end = tokio::select! {
        end = listen(&mut stream, id, &inbox, &heard, || grown.note(&queue)) => end,
        end = speak(&mut sink, lines, &queue, &heard) => end,
        () = queue.overflow.notified() => Some(1013),
        _ = stopping.wait_for(|stopping| *stopping) => Some(1001),
    };
    grown.forget(&queue);
    let _ = inbox.send(Event::Gone(id));
    if let Ok(socket) = sink.reunite(stream) {
        farewell(socket, end).await;
    }
}

/// Accepts a ping and closes it at once.
pub(crate) async fn run_ping(stream: impl AsyncRead + AsyncWrite + Unpin, read_ahead: Vec<u8>) {
    farewell(websocket(stream, read_ahead).await, Some(1000)).await;
}

async fn websocket<S: AsyncRead + AsyncWrite + Unpin>(stream: S, read_ahead: Vec<u8>) -> WebSocketStream<S> {
    let config = WebSocketConfig::default()
        .read_buffer_size(8 * 1024)
        .max_message_size(Some(MESSAGE_LIMIT))
        .max_frame_size(Some(MESSAGE_LIMIT))
        .accept_unmasked_frames(false);
    WebSocketStream::from_partially_read(stream, read_ahead, Role::Server, Some(config)).await
}

async fn listen<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut SplitStream<WebSocketStream<S>>,
    id: ClientId,
    inbox: &Inbox,
    heard: &AtomicBool,
    grows: impl Fn(),
) -> End {
    let mut allowance = RateLimit::new();
    let turns = Arc::new(Semaphore::new(TURNS));
    while let Some(message) = stream.next().await {
        heard.store(true, Ordering::Relaxed);
        let message = match message {
            Ok(message) => message,
            Err(error) => return code_of(&error),
        };
        if !allowance.admits(message.len()).await {
            return Some(1008);
        }
        if message.len() >= LARGE_MESSAGE {
            grows();
        }
        match message {
            Message::Text(text) => {
                // What is not JSON is ignored: nobody who speaks our protocol sends it.
                if let Some(value) = parse_shallow(&text) {
                    let turn = turn(&turns, heard).await?;
                    inbox.send(Event::Message(id, value, turn)).ok()?;
                }
            }
            Message::Binary(_) => return Some(1003),
            Message::Close(_) => return Some(1000),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    }
    None
}

/// Waits until the loop has dealt with earlier messages. Meanwhile the socket is not read, so the tab must not count as gone
/// because nothing was heard of it.
async fn turn(turns: &Arc<Semaphore>, heard: &AtomicBool) -> Option<SocketTurn> {
    loop {
        let free = timeout(PING_EVERY / 2, turns.clone().acquire_owned()).await;
        heard.store(true, Ordering::Relaxed);
        if let Ok(turn) = free {
            return turn.ok().map(SocketTurn::one_of);
        }
    }
}

fn code_of(error: &Error) -> End {
    match error {
        Error::Capacity(_) => Some(1009),
        Error::Utf8(_) => Some(1007),
        Error::Protocol(_) => Some(1002),
        _ => None,
    }
}

async fn speak<S: AsyncRead + AsyncWrite + Unpin>(
    sink: &mut SplitSink<WebSocketStream<S>, Message>,
    mut lines: mpsc::UnboundedReceiver<Outgoing>,
    queue: &Queue,
    heard: &AtomicBool,
) -> End {
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    let mut misses = 0;
    loop {
        tokio::select! {
            first = lines.recv() => {
                let mut next = first;
                if next.is_none() {
                    // The loop dropped the outbox: it has nothing to say to this tab any more.
                    return Some(1001);
                }
                // Everything that waits goes out together; the system is asked once.
                let mut large = 0;
                while let Some(outgoing) = next {
                    match outgoing {
                        Outgoing::Text(text) => {
                            let cost = cost(&text);
                            large += large_cost(&text);
                            sink.feed(Message::Text(text)).await.ok()?;
                            queue.bytes.fetch_sub(cost, Ordering::Relaxed);
                        }
                        Outgoing::Close(code) => return Some(code),
                    }
                    next = lines.try_recv().ok();
                }
                sink.flush().await.ok()?;
                queue.forget_large(large);
            }
            _ = pings.tick() => {
                misses = if heard.swap(false, Ordering::Relaxed) { 0 } else { misses + 1 };
                if misses >= MAX_MISSED_PINGS {
                    return None;
                }
                sink.send(Message::Ping(bytes::Bytes::new())).await.ok()?;
            }
        }
    }
}

/// Says goodbye and waits a moment for the tab to have read it, whatever it is still sending.
async fn farewell<S: AsyncRead + AsyncWrite + Unpin>(mut socket: WebSocketStream<S>, end: End) {
    if let Some(code) = end {
        let frame = CloseFrame { code: CloseCode::from(code), reason: Utf8Bytes::default() };
        let _ = timeout(CLOSE_TIMEOUT, socket.close(Some(frame))).await;
    }
    linger(socket.into_inner()).await;
}

/// What a tab may still say within this second. Too many messages are against the rules; a long list in parts, such as the
/// digests of a page with very many modules, is read as fast as it may come.
struct RateLimit {
    since: Instant,
    messages: usize,
    bytes: usize,
}

impl RateLimit {
    fn new() -> Self {
        Self { since: Instant::now(), messages: 0, bytes: 0 }
    }

    async fn admits(&mut self, bytes: usize) -> bool {
        if self.bytes + bytes > BYTES_PER_SECOND {
            tokio::time::sleep_until(self.since + SECOND).await;
        }
        if self.since.elapsed() >= SECOND {
            *self = Self::new();
        }
        self.messages += 1;
        self.bytes += bytes;
        self.messages <= MESSAGES_PER_SECOND
    }
}

/// Parses JSON whose nesting is bounded before a recursive parser sees it.
fn parse_shallow(text: &str) -> Option<Value> {
    (depth(text.as_bytes()) <= DEPTH_LIMIT).then(|| serde_json::from_str(text).ok()).flatten()
}

fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => depth += 1,
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_bounded_before_parsing() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse_shallow(&nested(64)).is_some());
        assert!(parse_shallow(&nested(65)).is_none());
        assert!(parse_shallow(&"[".repeat(1_000_000)).is_none());
        assert!(parse_shallow(&format!(r#"{{"a":"\"{}"}}"#, "[".repeat(100))).is_some());
        assert!(parse_shallow("").is_none());
        assert!(parse_shallow("{").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_tab_may_say_a_thousand_things_a_second() {
        let mut allowance = RateLimit::new();
        for _ in 0..1000 {
            assert!(allowance.admits(10).await);
        }
        assert!(!allowance.admits(10).await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_more_than_eight_mebibytes_is_read_in_the_next_second() {
        let (mut allowance, began) = (RateLimit::new(), Instant::now());
        for _ in 0..8 {
            assert!(allowance.admits(1024 * 1024).await);
        }
        assert!(began.elapsed() < SECOND);
        assert!(allowance.admits(1024 * 1024).await);
        assert!(began.elapsed() >= SECOND && allowance.bytes == 1024 * 1024);
    }

    #[test]
    fn a_key_is_sixteen_bytes() {
        assert!(is_key("dGhlIHNhbXBsZSBub25jZQ=="));
        for key in ["", "short", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZ===", "dGhlIHNhbXBsZSBub25j!Q=="] {
            assert!(!is_key(key), "{key}");
        }
    }
}
