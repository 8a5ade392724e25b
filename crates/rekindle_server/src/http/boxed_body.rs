//! A body of any origin, boxed: of our own answers over HTTP/2, and of what is passed on to and from the servers behind
//! `server.proxy`.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty};

/// Why a body ends before its end.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;
/// Parts of a body as they come.
pub type BoxedBody = UnsyncBoxBody<Bytes, BodyError>;

/// A body without a byte.
pub fn empty() -> BoxedBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}
