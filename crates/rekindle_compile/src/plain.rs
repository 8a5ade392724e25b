//! Modules for a bundler: the same meaning as a definition, without the wrapping.

pub mod build_settings;
pub(crate) mod commonjs;
pub(crate) mod lazy;
pub(crate) mod meta;
pub mod module;
pub mod options;
pub mod script;
