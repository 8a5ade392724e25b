//! The development server: watch, HTTP, sockets, and the one loop that owns the graph.

pub mod address;
pub mod answer;
pub mod client;
pub mod client_script;
pub mod config;
mod dev;
pub mod editor;
mod env;
pub mod event;
pub mod events_process;
mod gate;
pub mod hosts;
pub mod http;
pub mod listen;
pub mod listing;
mod pages;
mod project;
pub mod public;
mod reply;
pub mod report;
mod rounds;
mod secret;
mod segments;
pub mod servable;
pub mod server;
pub mod socket;
pub mod token;
mod trace;
pub mod watch;

pub use client::Client;
pub use server::{Builder, DevServer, ServeError};
