//! rolldown: what it is told of modules, and what comes of it.

pub(crate) mod bundler;
pub(crate) mod context;
pub(crate) mod ids;
pub(crate) mod modules;
pub(crate) mod order;
pub(crate) mod page_modules;
mod plugin;
pub(crate) mod problems;
pub(crate) mod role;
