//! What can be set, and where it was said.
//!
//! ```text
//! defaults → vite.config → rekindle.toml → flags  →  Config  →  server, build, compiler
//! ```
//!
//! `keys.rs` is the table of all settings, `config.rs` the fields they set, `read.rs` lays the sources over each other. Nothing
//! here opens a socket or bundles anything.

#![warn(missing_docs)]

mod checks;
mod compiler;
pub mod config;
pub mod generate;
mod key;
mod keys;
mod names;
mod parts;
mod preview_keys;
mod read;
mod reader;
pub mod script;
pub mod value;
pub mod vite;

pub use checks::join;
pub use config::*;
pub use key::{DefaultValue, Key};
pub use keys::{key, keys};
pub use names::snake_case;
pub use read::flags::Flag;
pub use read::toml_file::apply_text;
pub use read::{Command, Request, Settings, read, read_with_files};
pub use vite::notes::Block;
