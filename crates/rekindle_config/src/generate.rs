//! What is written from the table of settings. `cargo xtask settings` writes it, and a test compares.
//!
//! ```text
//! docs/configuration.md, packages/rekindle/config.d.ts     the parts between two marks
//! packages/rekindle/rekindle.schema.json                   the whole file
//! rekindle --help                                          the sentences of flags
//! ```

mod help;
mod markdown;
mod region;
mod schema;
mod typescript;

pub use help::help;

/// A file that is written from the table, by its path in the repository.
#[derive(Clone, Copy, Debug)]
pub struct Generated {
    /// Its path.
    pub path: &'static str,
    /// What it becomes, from what it is.
    make: fn(&str) -> Result<String, String>,
}

/// All files that are written from the table.
pub const FILES: [Generated; 3] = [
    Generated { path: "docs/configuration.md", make: markdown::fill },
    Generated { path: "packages/rekindle/config.d.ts", make: typescript::fill },
    Generated { path: "packages/rekindle/rekindle.schema.json", make: schema::write },
];

impl Generated {
    /// The text of the file, made from the text that it has.
    ///
    /// # Errors
    /// A mark is missing, between whose lines something belongs.
    pub fn text(&self, present: &str) -> Result<String, String> {
        (self.make)(present)
    }
}
