//! The development server: watch, HTTP, sockets, and the one loop that owns the graph.

pub mod address;
pub mod answer;
mod bodies;
mod body;
mod boxed_body;
mod certificate;
mod checks;
pub mod client;
pub mod client_script;
mod compressed;
mod compression;
pub mod config;
mod content_type;
pub mod control;
mod cross_origin;
mod dev;
#[doc(hidden)]
pub mod driven;
pub mod editor;
mod env;
pub mod event;
pub mod events_process;
mod gaps;
mod gate;
pub mod head_styles;
pub mod hosts;
mod http2;
pub mod leases;
mod linger;
pub mod listen;
pub mod listing;
mod negotiate;
mod outbox;
mod page_texts;
mod pages;
pub mod preview;
mod project;
pub mod proxy;
pub mod public;
mod relay;
mod reply;
pub mod report;
mod room;
mod rounds;
mod secret;
mod segments;
pub mod servable;
mod serve;
pub mod server;
mod site;
pub mod socket;
mod standalone;
pub mod token;
mod trace;
mod turn;
pub mod watch;

/// The HTTP side by itself, for a program that answers the loop's events on its own.
pub mod http {
    pub use crate::serve::serve;
    pub use crate::site::Site;
}

pub use client::Client;
pub use config::cors;
pub use preview::{PreviewError, PreviewServer};
pub use server::{Builder, DevServer, ServeError};
