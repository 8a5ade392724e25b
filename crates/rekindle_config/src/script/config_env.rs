//! What Vite passes to a configuration that is a function, and what else such a file can ask for.

use std::path::Path;

use rekindle_compile::project::env::Variables;

/// What the file is told when its export is a function.
#[derive(Clone, Copy, Debug)]
pub struct ConfigEnv<'a> {
    /// The mode.
    pub mode: &'a str,
    /// `serve` or `build`.
    pub command: &'a str,
    /// The folder the command was started for.
    pub folder: &'a Path,
    /// The environment.
    pub variables: &'a Variables,
}
