//! The development server: watch, HTTP, sockets, and the one loop that owns the graph.

pub mod answer;
pub mod config;
pub mod event;
pub mod report;
pub mod servable;
pub mod socket;
pub mod watch;

/// Placeholder until the loop arrives.
#[derive(Clone, Debug)]
pub struct Client;
