//! One tab, as the user's event handlers see it.

use serde_json::{Value, json};

use crate::event::ClientId;
use crate::socket::Outbox;

/// The tab that sent a custom event.
#[derive(Clone, Debug)]
pub struct Client {
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
