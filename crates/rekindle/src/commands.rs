//! What the program does, a file for each command. `rekindle init` is part of the library.

pub(crate) mod build;
pub(crate) mod dev;
pub(crate) mod edit;
pub(crate) mod preview;
