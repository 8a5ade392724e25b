//! Scripts: JavaScript and TypeScript, and what compiled code needs besides.

pub(crate) mod accessors;
pub(crate) mod async_statements;
pub mod builtin;
pub mod bundle;
pub(crate) mod calls;
pub(crate) mod commonjs;
pub mod compile;
pub(crate) mod input;
pub(crate) mod namespaces;
pub mod nesting;
pub(crate) mod refresh;
pub(crate) mod snippet;
pub(crate) mod wrap;
pub(crate) mod wrapped;
