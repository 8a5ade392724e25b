//! What a build is told.

use std::path::PathBuf;

use rekindle_compile::plain::build_settings::BuildSettings;
use rekindle_compile::project::env::Variables;
use rekindle_compile::resolve::settings::ResolveSettings;
use rekindle_compile::style::settings::StyleSettings;

/// Everything a build is told. Paths are absolute.
#[derive(Clone, Debug)]
pub struct BuildConfig {
    /// Project folder, the one with `index.html`.
    pub root: PathBuf,
    /// Path under which the output will be served, or its whole address; ends with a slash.
    pub base: String,
    pub mode: String,
    pub public_dir: Option<PathBuf>,
    pub env_dir: PathBuf,
    pub env_prefix: Vec<String>,
    /// What wins over the `.env` files.
    pub variables: Variables,
    pub assets_include: Vec<String>,
    pub cache_dir: PathBuf,
    pub define: Vec<(String, String)>,
    pub jsx_import_source: Option<String>,
    /// Plugins of a configuration of Vite that do not run here: what they would have done is missing.
    pub missing_plugins: Vec<String>,
    pub resolve: ResolveSettings,
    pub css: StyleSettings,
    pub build: BuildSettings,
}
