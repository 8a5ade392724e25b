//! HTML in and out: what pages load, and what of it the manifest tells.

mod ignored;
mod manifest;
pub(crate) mod page;
