//! One source file → one definition.

mod barrel;
pub mod builtin;
pub mod bundle;
mod cache;
mod calls;
mod commonjs;
pub mod compile;
pub mod defines;
pub mod env;
pub mod framework;
pub mod glob;
pub mod html;
pub mod json;
mod namespaces;
pub mod nesting;
pub mod packages;
pub mod pattern;
mod refresh;
pub mod resolve;
pub mod resolve_settings;
pub mod script;
pub mod secrets;
pub mod static_config;
pub mod style;
pub mod tsconfig;
mod wasm;
mod wrap;
