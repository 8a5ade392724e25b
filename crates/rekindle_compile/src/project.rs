//! What the project says about compiling: framework, tsconfig.json, `.env` files, constants, configurations that are read.

pub mod defines;
pub mod env;
pub mod framework;
pub mod static_config;
pub mod tsconfig;
