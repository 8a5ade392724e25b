//! What a configuration file is told, and what is around it.

use std::path::Path;

use rekindle_compile::project::env::Variables;

/// What the file is told when its export is a function.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// The mode.
    pub mode: &'a str,
    /// `serve` or `build`.
    pub command: &'a str,
    /// The folder the command was started for.
    pub folder: &'a Path,
    /// The environment.
    pub variables: &'a Variables,
}
