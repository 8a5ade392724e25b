//! Placeholder until the socket arrives.

#[derive(Clone, Debug)]
pub struct Outbox;
