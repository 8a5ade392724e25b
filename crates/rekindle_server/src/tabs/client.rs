//! One tab, as the user's event handlers see it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::tabs::outbox::Outbox;

/// Number of one socket connection, never reused within one server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(pub u64);

/// Handler for custom events of the library's user: `(data, client)`.
pub type EventHandler = Arc<dyn Fn(Option<Value>, Client) + Send + Sync>;

/// The tab that sent a custom event.
#[derive(Clone, Debug)]
pub struct Client {
    /// Tells tabs apart: the same for all events of one connection.
    pub id: ClientId,
    pub(crate) outbox: Outbox,
}

impl Client {
    pub(crate) fn new(id: ClientId, outbox: Outbox) -> Self {
        Self { id, outbox }
    }

    /// Sends a custom event to this tab only.
    pub fn send(&self, event: &str, data: Option<Value>) {
        let mut message = json!({ "type": "custom", "event": event });
        if let Some(data) = data {
            message["data"] = data;
        }
        self.outbox.send(message.to_string());
    }
}
