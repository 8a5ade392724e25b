//! The development server: watch, HTTP, sockets, and the one loop that owns the graph.
//!
//! `server.rs` puts it together, `event.rs` lists all that wakes the loop, and `dev.rs` is the loop. Each folder is a room with
//! a subject of its own; the file beside it says what it is for.

mod dev;
#[doc(hidden)]
pub mod driven;
pub mod event;
mod files;
pub mod http;
pub mod preview;
mod programs;
mod project;
pub mod proxy;
pub mod report;
pub mod server;
mod tabs;
pub mod watch;

pub use files::public;
pub use http::connections::listen;
pub use http::{answer, token};
pub use preview::{PreviewError, PreviewServer};
pub use programs::{control, editor, leases};
pub use rekindle_config::config::{self, cors};
pub use server::{Builder, DevServer, ServeError};
pub use tabs::client::{Client, ClientId};
pub use tabs::client_script;
