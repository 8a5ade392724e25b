//! Keys whose values have a shape of their own, a file for each.
//!
//! ```toml
//! [define]
//! __VERSION__ = '"1.2"'              # an expression
//! [resolve]
//! alias = { "@" = "/src" }           # or [[resolve.alias]] find = "^~(.*)", replacement = "/src/$1"
//! [server.proxy]
//! "/api" = { target = "http://localhost:3000", rewrite = [{ from = "^/api", to = "" }] }
//! ```

pub(crate) mod alias;
pub(crate) mod cors;
pub(crate) mod define;
pub(crate) mod headers;
pub(crate) mod https;
pub(crate) mod input;
pub(crate) mod preprocessors;
pub(crate) mod proxy;
pub(crate) mod root;
