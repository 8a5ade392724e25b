//! What a bundler is told apart from the modules themselves.

/// What a bundler is asked for in addition to the module itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainOptions {
    pub source_map: bool,
    /// Licence comments stay.
    pub legal_comments: bool,
    /// A worker runs it: its own script is a module of that thread, and nothing is preloaded.
    pub in_worker: bool,
}

/// Where generated code finds the functions of `script::RUNTIME`.
pub const RUNTIME_URL: &str = "/@rekindle/build/runtime.js";
