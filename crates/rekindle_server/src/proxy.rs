//! `server.proxy`: requests below some addresses are answered by another server. The rules are settings (`config/proxy.rs`);
//! here is the way out (`upstream.rs`) and back (`relay.rs`), and the bodies that go along (`body.rs`).

pub(crate) mod body;
pub(crate) mod relay;
pub(crate) mod upstream;

pub use rekindle_config::proxy::{Context, ProxyRule, Rewrite, Target};
