//! The development server: watch, HTTP, sockets, and the one loop that owns the graph.

pub mod address;
pub mod answer;
mod body;
mod certificate;
pub mod client;
pub mod client_script;
mod compression;
pub mod config;
pub mod cors;
mod dev;
#[doc(hidden)]
pub mod driven;
pub mod editor;
mod env;
pub mod event;
pub mod events_process;
mod gate;
pub mod head_styles;
mod hosted;
pub mod hosts;
pub mod http;
mod http2;
pub mod listen;
pub mod listing;
mod page_texts;
mod pages;
pub mod preview;
mod project;
pub mod proxy;
pub mod public;
mod relay;
mod reply;
pub mod report;
mod rounds;
mod secret;
mod segments;
pub mod servable;
pub mod server;
pub mod socket;
mod standalone;
pub mod token;
mod trace;
pub mod watch;

pub use client::Client;
pub use preview::{PreviewError, PreviewServer};
pub use server::{Builder, DevServer, ServeError};
