//! The production build: what `rekindle dev` serves becomes a folder that can be deployed.
//!
//! ```text
//! pages ─► entries ─► rolldown ─► chunks ─► sheets, preloads, addresses ─► folder beside `dist` ─► `dist`
//!            ▲           │ resolve, load
//!            │           ▼
//!            └── rekindle_compile: the same meaning of every file as in development (`Compiler::plain`)
//! ```
//!
//! Nothing else links rolldown.

mod addresses;
mod bundle;
mod cascade;
mod chunks;
mod folder;
mod ignored;
mod manifest;
mod order;
mod pages;
mod plugin;
mod problems;
mod scripts;
mod session;
mod sheets;
mod targets;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rekindle_compile::build_settings::BuildSettings;
use rekindle_compile::env::Variables;
use rekindle_compile::resolve_settings::ResolveSettings;
use rekindle_compile::style::settings::StyleSettings;
use rekindle_graph::Diagnostic;

pub use rekindle_compile::build_settings;
pub use targets::check as check_target;

use crate::session::Session;

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

/// What a build made.
#[derive(Clone, Debug, serde::Serialize)]
pub struct BuildReport {
    pub out_dir: PathBuf,
    /// Files of the output but not those of the public folder; pages first, scripts last.
    pub files: Vec<OutputFile>,
    /// How many public files were copied.
    pub public_files: usize,
    /// How many modules went into it.
    pub modules: usize,
    pub warnings: Vec<String>,
    /// Milliseconds.
    pub time: u64,
}

/// One file of the output.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct OutputFile {
    /// Below the output folder, with forward slashes.
    pub name: String,
    pub kind: FileKind,
    pub size: u64,
    /// `None` for what is compressed already, and if it is not to be told.
    pub gzip: Option<u64>,
    /// Size of its source map.
    pub map: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    Page,
    Asset,
    Style,
    Script,
}

/// How far a build is, for who shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many modules were transformed.
    Transforming(usize),
    Rendering,
    Writing,
}

/// How often progress is told.
const TICK: Duration = Duration::from_millis(100);

/// Builds the project.
///
/// # Errors
/// Every mistake found. The output folder is as it was before then.
pub async fn build(config: BuildConfig, progress: &(dyn Fn(Progress) + Sync)) -> Result<BuildReport, Vec<Diagnostic>> {
    let start = Instant::now();
    let session = Arc::new(Session::new(config)?);
    folder::check(&session.config)?;
    let bundling = pages::build(&session);
    let mut bundling = std::pin::pin!(bundling);
    let bundled = loop {
        tokio::select! {
            bundled = &mut bundling => break bundled?,
            () = tokio::time::sleep(TICK) => progress(Progress::Transforming(session.modules.load(Ordering::Relaxed))),
        }
    };
    progress(Progress::Transforming(session.modules.load(Ordering::Relaxed)));
    progress(Progress::Writing);
    folder::check_sources(&session)?;
    let config = &session.config;
    let public_files = folder::write(config, &bundled).map_err(|problem| vec![problem])?;
    let mut warnings = session.take_warnings();
    warnings.extend(folder::large_chunks(config, &bundled));
    Ok(BuildReport {
        out_dir: config.build.out_dir.clone(),
        files: folder::report(config, &bundled),
        public_files,
        modules: session.modules.load(Ordering::Relaxed),
        warnings,
        time: start.elapsed().as_millis() as u64,
    })
}
