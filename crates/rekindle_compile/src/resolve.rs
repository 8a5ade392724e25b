//! What a specifier means.

pub(crate) mod barrel;
pub(crate) mod glob_alias;
pub(crate) mod missing_package;
pub mod packages;
pub mod pattern;
pub mod resolver;
pub mod settings;
pub(crate) mod styles;
