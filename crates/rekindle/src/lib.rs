//! rekindle as a library: what a program needs to start a development server of its own, to build a project, and to serve a
//! finished build.
//!
//! [`Config`] has all settings. A program sets its fields itself: the file `rekindle.toml` belongs to the command. Paths in it are
//! absolute.
//!
//! A development server that answers custom events of the page (`import.meta.hot.send`) and sends some to all tabs:
//!
//! ```no_run
//! use rekindle::{Config, DevServer};
//! use serde_json::json;
//!
//! # async fn serve() -> Result<(), Box<dyn std::error::Error>> {
//! let root = std::fs::canonicalize("app")?; // Paths in a Config are absolute.
//! let server = DevServer::builder(Config::new(root))
//!     .on("todo:add", |data, client| client.send("todo:ok", data))
//!     .start()
//!     .await?;
//! println!("{}", server.url());
//! server.send("todo:list", Some(json!(["milk"]))); // to every tab
//! server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! [`build()`] makes the folder for production, [`PreviewServer`] serves it.

#![warn(missing_docs)]

pub use build::{BuildReport, build};
pub use rekindle_graph::Diagnostic;
pub use rekindle_server::config::*;
pub use rekindle_server::report::Report;
pub use rekindle_server::{Builder, Client, ClientId, DevServer, PreviewError, PreviewServer, ServeError};

pub mod build;

// Parts of the command, which is a program of its own in this package. They are no interface.
#[doc(hidden)]
pub mod flags;
#[doc(hidden)]
pub mod init;
#[doc(hidden)]
pub mod settings;
#[doc(hidden)]
pub mod vite_flags;
