//! Connections: where the server listens, who may be connected, TLS, and both versions of HTTP read request by request.

pub(crate) mod certificate;
pub(crate) mod http2;
pub(crate) mod linger;
pub mod listen;
pub(crate) mod room;
pub mod serve;
