//! One source file → one definition.

pub mod compiled;
pub mod compiler;
pub mod data;
pub mod files;
pub mod import_place;
pub mod kind;
pub mod page;
pub mod plain;
pub mod project;
pub mod resolve;
pub mod script;
pub mod source;
pub mod store;
pub mod style;
