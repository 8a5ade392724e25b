//! HTTP: what a request is, the checks it passes, and how its answer is written.
//!
//! ```text
//! bytes ─► gate ─► checks ─► turn ─► Event::Request ─► the loop ─► answer ─► negotiate ─► reply ─► bytes
//! ```
//!
//! `gate.rs` is the one parser of HTTP/1.1, `address.rs` the one decoder of addresses; connections have a room of their own.

pub(crate) mod address;
pub mod answer;
pub(crate) mod bodies;
pub(crate) mod boxed_body;
pub(crate) mod checks;
pub mod connections;
pub(crate) mod cross_origin;
pub(crate) mod gate;
pub(crate) mod hosts;
pub(crate) mod negotiate;
pub(crate) mod reply;
pub mod site;
pub mod token;
pub(crate) mod turn;

pub use connections::serve::serve;
pub use site::Site;
