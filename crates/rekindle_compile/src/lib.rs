//! One source file → one definition: the compilers of rekindle.

pub mod env;
pub mod glob;
pub mod html;
pub mod json;
pub mod style;
pub mod tsconfig;
