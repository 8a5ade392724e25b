//! rolldown: what it is told of modules, and what comes of it.

pub(crate) mod bundler;
pub(crate) mod ids;
pub(crate) mod order;
mod plugin;
pub(crate) mod problems;
pub(crate) mod role;
mod scripts;
