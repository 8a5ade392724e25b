//! Files that are values: JSON, WebAssembly, small pictures.

pub mod inline;
pub mod json;
pub(crate) mod wasm;
