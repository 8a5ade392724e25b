//! What is written: chunks, sheets, assets and their addresses, the folder.

pub(crate) mod addresses;
mod cascade;
pub(crate) mod chunks;
pub(crate) mod folder;
pub(crate) mod place;
pub(crate) mod sheets;
pub(crate) mod targets;
