//! One source file → one definition.

pub mod bundle;
mod calls;
mod commonjs;
pub mod nesting;
pub mod script;
pub mod tsconfig;
mod wrap;
