//! The words of rekindle and its module graph: what a module, a definition, a diagnostic and a message are.
//!
//! Nothing here touches a disk, a clock, a thread or a runtime. Every other crate speaks in these types.

#![warn(missing_docs)]

pub mod definition;
pub mod diagnostic;
pub mod digest;
pub mod graph;
pub mod names;
pub mod paths;
pub mod wire;

pub use definition::{Definition, Dep, DepKind, EnvReads, GlobCall, Link, quoted};
pub use diagnostic::{Diagnostic, Place};
pub use digest::digest;
pub use graph::{Change, Delta, Module, ModuleGraph, ModuleId, ModuleState, Published};
pub use names::{FilePath, ModuleUrl};
