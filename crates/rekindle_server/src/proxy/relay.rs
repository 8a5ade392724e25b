//! A request of one connection, passed on to the server behind a rule of `server.proxy`, and its answer, passed back: both
//! as they arrive, neither ever held as a whole.
//!
//! ```text
//! client ── head, body ──► gate, BodyReader ──► 4 parts at most ──► the other server
//! client ◄── head, chunks ─────────────────────────────────────────── its answer
//! ```

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::stream;
use http::Response;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadHalf, copy_bidirectional, split};
use tokio::sync::mpsc;

use crate::http::boxed_body::{BodyError, BoxedBody, empty};
use crate::http::gate::{Framing, Gate, Head, Method};
use crate::http::reply::{OwnHeaders, Reply, reason, write_all};
use crate::proxy::body::{BodyFault, BodyReader};
use crate::proxy::upstream::{ClientRequest, Proxy, answer_headers};

/// Parts of a body that are read ahead of the other server.
const READ_AHEAD: usize = 4;

/// What becomes of the connection.
#[derive(Debug)]
pub enum ConnectionFate {
    /// The next request can be read.
    Next,
    /// It ends.
    End,
    /// It ends after this answer.
    Reply(Reply),
    /// Both sides speak another protocol from now on.
    Tunnel(Box<Upgraded>),
}

/// Passes one request on and its answer back.
pub async fn relay(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    gate: &mut Gate,
    proxy: &Proxy,
    rule: usize,
    from: ClientRequest<'_>,
    own: OwnHeaders,
) -> ConnectionFate {
    let head = from.head;
    if head.header("expect").is_some()
        && write_all(stream, vec![Bytes::from_static(b"HTTP/1.1 100 Continue\r\n\r\n")]).await.is_err()
    {
        return ConnectionFate::End;
    }
    let (mut reader, mut writer) = split(stream);
    let (sender, body) = channel_body(head.body);
    let is_read = AtomicBool::new(false);
    let mut pump = pin!(pump(&mut reader, gate, head.body, sender, &is_read));
    let response = tokio::select! {
        response = proxy.send(rule, from, body, false) => response,
        broken = &mut pump => return broken_off(broken),
    };
    let response = match response {
        Ok(response) => response,
        Err(sentence) => return ConnectionFate::Reply(Reply::text(502, sentence)),
    };
    let written = tokio::select! {
        written = write_response(&mut writer, head, response, own) => written,
        _ = &mut pump => return ConnectionFate::End,
    };
    match written {
        Ok(()) if head.persistent && is_read.load(Ordering::Relaxed) => ConnectionFate::Next,
        _ => ConnectionFate::End,
    }
}

fn broken_off(broken: BodyFault) -> ConnectionFate {
    match broken {
        BodyFault::Malformed(reason) => ConnectionFate::Reply(Reply::text(400, reason)),
        BodyFault::Gone => ConnectionFate::End,
    }
}

/// Asks the other server for a socket. Where it answers with anything else, that answer is passed back.
pub async fn relay_upgrade(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    proxy: &Proxy,
    rule: usize,
    from: ClientRequest<'_>,
    own: OwnHeaders,
) -> ConnectionFate {
    let mut response = match proxy.send(rule, from, empty(), true).await {
        Ok(response) => response,
        Err(sentence) => return ConnectionFate::Reply(Reply::text(502, sentence)),
    };
    if response.status() != http::StatusCode::SWITCHING_PROTOCOLS {
        let written = write_response(stream, from.head, response, own).await;
        return if written.is_ok() { ConnectionFate::Next } else { ConnectionFate::End };
    }
    let upgraded = hyper::upgrade::on(&mut response);
    let mut head = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n".to_vec();
    push_headers(&mut head, &response, false);
    head.extend_from_slice(b"\r\n");
    let Ok(upgraded) = upgraded.await else { return ConnectionFate::End };
    match write_all(stream, vec![head.into()]).await {
        Ok(()) => ConnectionFate::Tunnel(Box::new(upgraded)),
        Err(_) => ConnectionFate::End,
    }
}

/// Bytes both ways until one side ends.
pub async fn tunnel(mut stream: impl AsyncRead + AsyncWrite + Unpin, read_ahead: Vec<u8>, upgraded: Upgraded) {
    let mut other = TokioIo::new(upgraded);
    if other.write_all(&read_ahead).await.is_ok() {
        let _ = copy_bidirectional(&mut stream, &mut other).await;
    }
}

type Part = Result<Frame<Bytes>, BodyError>;

fn channel_body(framing: Framing) -> (Option<mpsc::Sender<Part>>, BoxedBody) {
    if matches!(framing, Framing::Empty | Framing::Length(0)) {
        return (None, empty());
    }
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    let parts = stream::unfold(receiver, |mut receiver: mpsc::Receiver<Part>| async {
        Some((receiver.recv().await?, receiver))
    });
    (Some(sender), StreamBody::new(parts).boxed_unsync())
}

/// Reads the body for the other server, and then watches whether the client is still there. Returns only when the body is
/// malformed or the client is gone.
async fn pump<S: AsyncRead + AsyncWrite>(
    reader: &mut ReadHalf<S>,
    gate: &mut Gate,
    framing: Framing,
    sender: Option<mpsc::Sender<Part>>,
    is_read: &AtomicBool,
) -> BodyFault {
    let mut body = BodyReader::new(framing);
    if let Some(sender) = sender {
        loop {
            match body.next(gate, reader).await {
                None => break,
                Some(Ok(part)) => {
                    if sender.send(Ok(Frame::data(part))).await.is_err() {
                        // The other server has answered without reading all of it: the connection ends with that.
                        return std::future::pending().await;
                    }
                }
                Some(Err(broken)) => {
                    let _ = sender.send(Err("the body ended early".into())).await;
                    return broken;
                }
            }
        }
    }
    is_read.store(true, Ordering::Relaxed);
    gate.closed(reader).await;
    BodyFault::Gone
}

/// The answer of the other server, in our framing.
async fn write_response(
    writer: &mut (impl AsyncWrite + Unpin),
    head: &Head,
    response: Response<Incoming>,
    own: OwnHeaders,
) -> Result<(), BodyError> {
    let status = response.status().as_u16();
    let is_bare = head.method == Method::Head || matches!(status, 204 | 304);
    let length = response.body().size_hint().exact().filter(|_| !is_bare);
    let phrase = response.extensions().get::<hyper::ext::ReasonPhrase>();
    let mut bytes = format!("HTTP/1.1 {status} ").into_bytes();
    match phrase {
        Some(phrase) => bytes.extend_from_slice(phrase.as_bytes()),
        None => bytes.extend_from_slice(response.status().canonical_reason().unwrap_or(reason(status)).as_bytes()),
    }
    bytes.extend_from_slice(b"\r\n");
    // In the answer to a HEAD the length says something about the resource. Otherwise it frames the body, which is ours to do.
    push_headers(&mut bytes, &response, is_bare && status != 204);
    for (name, value) in own {
        bytes.extend(format!("{name}: {value}\r\n").bytes());
    }
    match length {
        Some(length) => bytes.extend(format!("content-length: {length}\r\n").bytes()),
        None if is_bare => {}
        None => bytes.extend_from_slice(b"transfer-encoding: chunked\r\n"),
    }
    if !head.persistent {
        bytes.extend_from_slice(b"connection: close\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    write_all(writer, vec![bytes.into()]).await?;
    if is_bare {
        return Ok(());
    }
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        if data.is_empty() {
            continue;
        }
        match length {
            Some(_) => write_all(writer, vec![data]).await?,
            None => {
                let size = Bytes::from(format!("{:x}\r\n", data.len()));
                write_all(writer, vec![size, data, Bytes::from_static(b"\r\n")]).await?;
            }
        }
    }
    if length.is_none() {
        write_all(writer, vec![Bytes::from_static(b"0\r\n\r\n")]).await?;
    }
    Ok(())
}

fn push_headers(bytes: &mut Vec<u8>, response: &Response<Incoming>, with_length: bool) {
    for (name, value) in answer_headers(response.headers()) {
        if (name == http::header::CONTENT_LENGTH && !with_length) || is_ours(name.as_str()) {
            continue;
        }
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
}

/// Who may read an answer from another origin is decided here, for all routes alike.
pub fn is_ours(name: &str) -> bool {
    name.starts_with("access-control-") || name == "cross-origin-resource-policy"
}
