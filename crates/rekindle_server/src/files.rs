//! Files that are sent: only what a walk of our own has found becomes a `Servable`, and only a `Servable` is read.

pub(crate) mod compressed;
pub(crate) mod compression;
pub(crate) mod content_type;
pub(crate) mod listing;
pub mod public;
pub(crate) mod secret;
pub(crate) mod servable;
