//! Tabs: the script that runs in them, the socket and the queue to each, and positions in what they run traced back to sources.

pub mod client;
pub mod client_script;
pub(crate) mod outbox;
pub(crate) mod socket;
pub(crate) mod trace;
