//! HTTP/2, which browsers speak over TLS: hyper frames it, and each request goes through the same checks as one that came
//! through the gate.
//!
//! ```text
//! TLS, h2 ─► hyper ─► Head::of_http2 ─► Site::turn ─► Reply, or an answer of `server.proxy`
//! ```

use std::convert::Infallible;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use crate::http::boxed_body::{BoxedBody, empty};
use crate::http::connections::room::ConnectionSlot;
use crate::http::gate::{Head, Method, Refusal};
use crate::http::hosts::Origin;
use crate::http::reply::{OwnHeaders, Reply};
use crate::http::site::{LAST_WORDS, Site};
use crate::http::turn::Dispatch;
use crate::proxy::relay::is_ours;
use crate::proxy::upstream::answer_headers;

/// Requests of one connection at a time.
const STREAMS: u32 = 200;
const HEAD_LIMIT: u32 = 32 * 1024;
/// Bytes of an answer that wait for the client to take them.
const SEND_BUFFER: usize = 64 * 1024;
/// A connection on which nobody answers a ping is over.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_PATIENCE: Duration = Duration::from_secs(20);

/// Serves one connection until it ends or the server stops.
pub async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: IpAddr,
    site: Arc<Site>,
    place: ConnectionSlot,
) {
    let mut stopping = site.stopping();
    let place = Arc::new(place);
    let service = service_fn(move |request| {
        let (site, place) = (site.clone(), place.clone());
        async move {
            let _asked = place.asked();
            let answered = AssertUnwindSafe(answer(request, peer, &site)).catch_unwind().await;
            Ok::<_, Infallible>(answered.unwrap_or_else(|_| {
                Reply::text(500, "rekindle ran into a bug of its own; its terminal says more")
                    .into_response(Method::Get)
            }))
        }
    });
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD_LIMIT)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_PATIENCE);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(LAST_WORDS, connection).await;
}

async fn answer(request: Request<Incoming>, peer: IpAddr, site: &Site) -> Response<BoxedBody> {
    let head = match head_of(&request) {
        Ok(head) => head,
        Err(refusal) => return refused(site, refusal),
    };
    let origin = site.origin_of(&head);
    let rule = site.proxied(&head);
    if rule.is_none()
        && let Err(refusal) = head.without_body()
    {
        return refused(site, refusal);
    }
    let named = head.header("origin");
    match site.turn(&head, origin, peer, rule).await {
        Dispatch::Reply(reply) => site.dress(reply, origin, named).into_response(head.method),
        // A socket needs HTTP/1.1, for which browsers open a connection of its own.
        Dispatch::Socket(_) => {
            site.dress(Reply::text(426, "this address is a WebSocket"), origin, named).into_response(head.method)
        }
        Dispatch::Proxied { rule, .. } => {
            let body = if request.body().is_end_stream() {
                empty()
            } else {
                request.into_body().map_err(Into::into).boxed_unsync()
            };
            match site.proxy.send(rule, site.client_request(&head, peer), body, false).await {
                Ok(response) => passed_on(response, site.own_headers(origin, named)),
                Err(sentence) => site.dress(Reply::text(502, sentence), origin, named).into_response(head.method),
            }
        }
    }
}

fn refused(site: &Site, refusal: Refusal) -> Response<BoxedBody> {
    site.dress(Reply::text(refusal.status, refusal.reason), Origin::Absent, None).into_response(Method::Get)
}

fn head_of(request: &Request<Incoming>) -> Result<Head, Refusal> {
    let uri = request.uri();
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let target = uri.path_and_query().map_or("", |target| target.as_str());
    let authority = uri.authority().map(|authority| authority.as_str());
    Head::of_http2(request.method().as_str(), target, authority, &headers, !request.body().is_end_stream())
}

fn passed_on(response: Response<Incoming>, own: OwnHeaders) -> Response<BoxedBody> {
    let mut builder = Response::builder().status(response.status());
    for (name, value) in answer_headers(response.headers()).filter(|(name, _)| !is_ours(name.as_str())) {
        builder = builder.header(name, value);
    }
    for (name, value) in own {
        builder = builder.header(name, value);
    }
    let body = response.into_body().map_err(Into::into).boxed_unsync();
    builder.body(body).unwrap_or_else(|_| Reply::text(502, "the answer cannot be passed on").into_response(Method::Get))
}
