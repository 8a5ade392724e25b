//! What is kept: definitions while the server runs, versions of assets for the next one.

pub mod asset_versions;
pub(crate) mod cache;
