//! `[build]` of `rekindle.toml`: what a production build is told, with Vite's defaults.
//!
//! ```toml
//! [build]
//! out_dir = "dist"
//! target = ["chrome111", "safari16.4"]
//! assets_inline_limit = 4096
//! ```

use std::path::PathBuf;

/// `[build]`. Paths are absolute.
#[derive(Clone, Debug, PartialEq)]
pub struct BuildSettings {
    pub out_dir: PathBuf,
    /// Folder of hashed files below `out_dir`; empty: `out_dir` itself.
    pub assets_dir: String,
    /// Assets below this size, in bytes, stand in the code or the sheet that names them.
    pub assets_inline_limit: u64,
    /// Browsers, or years of the language: syntax that they lack is lowered. `esnext` alone: nothing is.
    pub target: Vec<String>,
    /// The same for sheets; `None`: as `target`.
    pub css_target: Option<Vec<String>>,
    pub minify: bool,
    /// Whether sheets are minified; `None`: as `minify`.
    pub css_minify: Option<bool>,
    pub sourcemap: SourceMaps,
    /// Where `.vite/manifest.json` goes, below `out_dir`.
    pub manifest: Option<String>,
    /// Whether `out_dir` is emptied; `None`: if it lies in the project.
    pub empty_out_dir: Option<bool>,
    /// A sheet for each chunk that has some, loaded with it; else one for all.
    pub css_code_split: bool,
    /// Whether public files are copied.
    pub copy_public_dir: bool,
    /// Whether gzip sizes are told.
    pub report_compressed_size: bool,
    /// Scripts above this size, in kB, are worth a warning.
    pub chunk_size_warning_limit: u64,
    /// Links that begin to fetch what scripts import.
    pub module_preload: bool,
    pub legal_comments: LegalComments,
    /// What to build; empty: every page of the project that git does not ignore.
    pub input: Vec<Input>,
    /// Addresses are relative to the file that names them: `base = "./"`.
    pub relative_base: bool,
    /// Address of the output on another host, with a slash at its end: `base = "https://cdn.example.com/x/"`.
    pub base_address: Option<String>,
}

/// A page, a script or a sheet to build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What its chunk is called; `None`: after the file.
    pub name: Option<String>,
    /// Below the root, or absolute.
    pub path: PathBuf,
}

impl From<PathBuf> for Input {
    fn from(path: PathBuf) -> Self {
        Self { name: None, path }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SourceMaps {
    #[default]
    None,
    /// Beside each script, which names it.
    File,
    Inline,
    /// Beside each script, which does not name it.
    Hidden,
}

/// What becomes of `/*! … */` and comments with `@license` or `@preserve`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LegalComments {
    #[default]
    Inline,
    None,
}

/// What Vite calls `baseline-widely-available`.
pub const BASELINE: [&str; 5] = ["chrome111", "edge111", "firefox114", "safari16.4", "ios16.4"];

impl BuildSettings {
    /// The defaults for a project folder.
    pub fn new(root: &std::path::Path) -> Self {
        Self {
            out_dir: root.join("dist"),
            assets_dir: "assets".into(),
            assets_inline_limit: crate::data::inline::DEFAULT_LIMIT,
            target: BASELINE.map(str::to_owned).to_vec(),
            css_target: None,
            minify: true,
            css_minify: None,
            sourcemap: SourceMaps::None,
            manifest: None,
            empty_out_dir: None,
            css_code_split: true,
            copy_public_dir: true,
            report_compressed_size: true,
            chunk_size_warning_limit: 500,
            module_preload: true,
            legal_comments: LegalComments::Inline,
            input: Vec::new(),
            relative_base: false,
            base_address: None,
        }
    }
}

/// Whether a name is one that the lowering knows.
///
/// # Errors
/// What such a name looks like.
pub fn check_target(name: &str) -> Result<String, String> {
    let is_year = name == "esnext"
        || name.strip_prefix("es").is_some_and(|year| matches!(year.parse(), Ok(5..=6 | 2015..=2026u32)));
    let known = ["chrome", "edge", "firefox", "safari", "ios", "opera", "node", "deno", "hermes", "rhino", "ie"];
    let is_browser = parts_of_target(name).is_some_and(|(name, _)| known.contains(&name));
    if is_year || is_browser {
        Ok(name.to_owned())
    } else {
        Err(format!("`{name}` is not a target; name browsers (\"chrome111\", \"safari16.4\") or a year (\"es2020\")"))
    }
}

/// `safari16.4` → the name, and one byte each for major, minor and patch.
pub fn parts_of_target(browser: &str) -> Option<(&str, u32)> {
    let at = browser.find(|c: char| c.is_ascii_digit())?;
    let (name, version) = browser.split_at(at);
    let mut numbers = version.split('.').map(str::parse::<u32>);
    let major = numbers.next()?.ok()?;
    let mut next = || numbers.next().map_or(Ok(0), |number| number).ok().filter(|number| *number < 256);
    Some((name, (major.min(255) << 16) | (next()? << 8) | next()?))
}
