//! HTML pages.

pub mod contents;
pub mod entities;
pub mod imports;
pub(crate) mod tags;
pub mod template;
pub(crate) mod variables;
