//! Connections: accepted, spoken to in TLS where that is set, and read request by request until they end.
//!
//! ```text
//! accept ─► a place in the room ─► TLS? ─► HTTP/1.1: gate, `Site::turn`, reply, and again
//!                                       └► HTTP/2: `http2.rs`
//! ```

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use crate::http::connections::http2;
use crate::http::connections::linger::linger;
use crate::http::connections::room::{Activity, ConnectionLimit, ConnectionSlot};
use crate::http::gate::{Gate, GateEvent, Method};
use crate::http::hosts::Origin;
use crate::http::reply;
use crate::http::reply::Reply;
use crate::http::site::{LAST_WORDS, Site};
use crate::http::turn::Dispatch;
use crate::proxy::relay;
use crate::proxy::relay::{ConnectionFate, relay, relay_upgrade};
use crate::tabs::client::ClientId;
use crate::tabs::socket;
use crate::tabs::socket::Handshake;

const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a connection may take until it speaks TLS.
const TLS_TIME: Duration = Duration::from_secs(10);
/// The first byte of a TLS greeting.
const TLS_GREETING: u8 = 0x16;

/// The answer to a connection too many. Written without waiting, or not at all.
const OVERLOADED_RESPONSE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nx-content-type-options: nosniff\r\ncross-origin-resource-policy: same-origin\r\nconnection: close\r\n\r\n";

/// Serves until [`Site::stop`]. Nothing a client sends ends it.
pub async fn serve(listeners: Vec<TcpListener>, site: Arc<Site>) {
    let room = ConnectionLimit::new(site.connections);
    let mut doors = JoinSet::new();
    for listener in listeners {
        doors.spawn(accept(listener, site.clone(), room.clone()));
    }
    doors.join_all().await;
}

async fn accept(listener: TcpListener, site: Arc<Site>, room: Arc<ConnectionLimit>) {
    let mut stopping = site.stopping.subscribe();
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {
                continue;
            }
            Err(error) => {
                // Out of file handles, most likely. The client waits in the system's queue until one is free.
                tracing::warn!(%error, "accepting pauses");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let _ = stream.set_nodelay(true);
        let Some(place) = room.enter() else {
            let _ = stream.try_write(OVERLOADED_RESPONSE);
            continue;
        };
        let (site, number) = (site.clone(), place.number());
        let task = connections.spawn(async move {
            match site.tls.clone() {
                Some(tls) => secure(stream, peer, tls.into(), site, place).await,
                None => converse(stream, peer, &site, &place).await,
            }
        });
        room.note_task(number, task);
    }
    drop(listener);
    let _ = timeout(LAST_WORDS, async { while connections.join_next().await.is_some() {} }).await;
}

/// A connection to a server that speaks TLS. One that begins in plain HTTP, because somebody typed the address without
/// its `s`, is sent to the right one.
async fn secure(stream: TcpStream, peer: SocketAddr, tls: TlsAcceptor, site: Arc<Site>, place: ConnectionSlot) {
    let mut first = [0];
    match timeout(TLS_TIME, stream.peek(&mut first)).await {
        Ok(Ok(1)) if first[0] == TLS_GREETING => {}
        Ok(Ok(1)) => return send_to_https(stream, peer, &site).await,
        _ => return,
    }
    let Ok(Ok(stream)) = timeout(TLS_TIME, tls.accept(stream)).await else { return };
    match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => http2::serve(stream, peer.ip(), site, place).await,
        _ => converse(stream, peer, &site, &place).await,
    }
}

/// Answers plain HTTP on a port that speaks TLS. A command of this machine may announce edits that way: it has the token for that, and
/// cannot trust the certificate as a browser does.
async fn send_to_https(mut stream: TcpStream, peer: SocketAddr, site: &Site) {
    let is_this_machine = stream.local_addr().is_ok_and(|local| local.ip() == peer.ip());
    let reply = match Gate::default().next(&mut stream).await {
        GateEvent::Head(head) if is_this_machine && site.is_edit(&head) => match head.without_body() {
            Ok(()) => site.edit(&head).await,
            Err(refusal) => Reply::text(refusal.status, refusal.reason),
        },
        GateEvent::Head(head) if site.hosts.admit(head.host()) => Reply::text(307, "this server speaks https")
            .with("location", format!("https://{}{}", head.host(), head.target)),
        GateEvent::Head(_) => Reply::text(403, "this host is not allowed"),
        GateEvent::Refused(refusal) => Reply::text(refusal.status, refusal.reason),
        GateEvent::Over => return,
    };
    part(stream, site.dress(reply, Origin::Absent, None), Method::Other).await;
}

/// One connection, one request at a time: the next is not read before the answer to this one is taken.
async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: SocketAddr,
    site: &Site,
    place: &ConnectionSlot,
) {
    let mut stopping = site.stopping.subscribe();
    let mut gate = Gate::default();
    loop {
        let arrival = tokio::select! {
            arrival = gate.next(&mut stream) => arrival,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        place.is(Activity::Working);
        let arrival = match arrival {
            GateEvent::Head(head) => site.admit_body(head),
            other => other,
        };
        let head = match arrival {
            GateEvent::Head(head) => head,
            GateEvent::Over => return,
            GateEvent::Refused(refusal) => {
                let reply = site.dress(Reply::text(refusal.status, refusal.reason), Origin::Absent, None);
                return part(stream, reply, Method::Other).await;
            }
        };
        let origin = site.origin_of(&head);
        let named = head.header("origin");
        let turn = AssertUnwindSafe(site.turn(&head, origin, peer.ip(), site.proxied(&head))).catch_unwind().await;
        let reply = match turn.unwrap_or_else(|_| {
            Dispatch::Reply(Reply::text(500, "rekindle ran into a bug of its own; its terminal says more"))
        }) {
            Dispatch::Socket(handshake) => return upgrade(stream, gate, handshake, site).await,
            Dispatch::Reply(reply) => site.dress(reply, origin, named),
            Dispatch::Proxied { rule, upgrade } => {
                let (from, own) = (site.client_request(&head, peer.ip()), site.own_headers(origin, named));
                let after = if upgrade {
                    relay_upgrade(&mut stream, &site.proxy, rule, from, own).await
                } else {
                    relay(&mut stream, &mut gate, &site.proxy, rule, from, own).await
                };
                match after {
                    ConnectionFate::Next => {
                        place.is(Activity::Resting);
                        continue;
                    }
                    ConnectionFate::End => return linger(stream).await,
                    ConnectionFate::Reply(reply) => {
                        return part(stream, site.dress(reply, origin, named), head.method).await;
                    }
                    ConnectionFate::Tunnel(other) => {
                        tokio::select! {
                            () = relay::tunnel(stream, gate.into_rest(), *other) => {}
                            _ = stopping.wait_for(|stopping| *stopping) => {}
                        }
                        return;
                    }
                }
            }
        };
        place.is(Activity::Taking);
        if !head.keep_alive {
            return part(stream, reply, head.method).await;
        }
        if reply.write(&mut stream, head.method, true).await.is_err() {
            return;
        }
        place.is(Activity::Resting);
    }
}

async fn part(mut stream: impl AsyncRead + AsyncWrite + Unpin, reply: Reply, method: Method) {
    if reply.write(&mut stream, method, false).await.is_ok() {
        linger(stream).await;
    }
}

async fn upgrade(mut stream: impl AsyncRead + AsyncWrite + Unpin, gate: Gate, handshake: Handshake, site: &Site) {
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: {}\r\nsec-websocket-protocol: {}\r\n\r\n",
        handshake.accept, handshake.protocol
    );
    if reply::write_all(&mut stream, vec![Bytes::from(head)]).await.is_err() {
        return;
    }
    let read_ahead = gate.into_rest();
    if handshake.protocol == socket::PING_PROTOCOL {
        return socket::run_ping(stream, read_ahead).await;
    }
    let id = ClientId(site.clients.fetch_add(1, Ordering::Relaxed));
    socket::run(stream, read_ahead, id, site.inbox.clone(), &site.grown, site.stopping.subscribe()).await;
}
