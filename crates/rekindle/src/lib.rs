//! rekindle as a library: what a program needs to start a development server of its own, or to build a project.

pub use build::{BuildReport, build};
pub use rekindle_server::config::*;
pub use rekindle_server::report::Report;
pub use rekindle_server::{Builder, Client, DevServer, PreviewError, PreviewServer, ServeError};

pub mod build;
pub mod flags;
pub mod init;
pub mod settings;
pub mod vite_config;
pub mod vite_flags;
