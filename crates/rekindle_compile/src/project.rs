//! What the project says about compiling: framework, tsconfig.json, `.env` files, constants, configurations that are read; and
//! the keeper of the programs that run for it.

pub mod child_process;
pub mod defines;
pub mod env;
pub mod framework;
pub mod tsconfig;

/// Configurations of Vite, in the order in which Vite looks for them.
pub const VITE_CONFIGS: [&str; 6] =
    ["vite.config.js", "vite.config.mjs", "vite.config.ts", "vite.config.cjs", "vite.config.mts", "vite.config.cts"];
