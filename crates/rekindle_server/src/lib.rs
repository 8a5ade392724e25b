//! The development server: watch, HTTP, sockets, and the one loop that owns the graph.

pub mod address;
pub mod answer;
pub mod client;
pub mod config;
pub mod editor;
pub mod event;
pub mod events_process;
mod gate;
pub mod hosts;
pub mod http;
pub mod listen;
pub mod listing;
pub mod public;
mod reply;
pub mod servable;
pub mod socket;
pub mod token;

pub use client::Client;
