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

mod bundle;
mod lock;
mod output;
mod pages;
mod report;
mod session;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
pub use rekindle_compile::plain::build_settings;
use rekindle_config::Config;
use rekindle_graph::Diagnostic;

use crate::output::folder;
use crate::pages::page;
use crate::report::ProgressMeter;
pub use crate::report::{BuildReport, FileKind, OutputFile, Progress};
use crate::session::Session;

/// How often progress is told.
const TICK: Duration = Duration::from_millis(100);

/// Builds the project.
///
/// # Errors
/// Every mistake found. The output folder is as it was before then.
pub async fn build(config: Config, progress: &(dyn Fn(Progress) + Sync)) -> Result<BuildReport, Vec<Diagnostic>> {
    let start = Instant::now();
    let session = Arc::new(Session::new(config)?);
    folder::check(&session.config)?;
    let meter = Arc::new(ProgressMeter::default());
    // The bundler's futures are nested so deeply that a crate which sees all of their types exceeds the compiler's limits.
    let mut bundling: BoxFuture<'_, _> = Box::pin(page::build(&session, &meter));
    let bundled = loop {
        tokio::select! {
            bundled = &mut bundling => break bundled?,
            () = tokio::time::sleep(TICK) => progress(meter.progress()),
        }
    };
    progress(Progress::Transforming(meter.modules()));
    progress(Progress::Writing);
    folder::check_sources(&session, &bundled.sources)?;
    let config = &session.config;
    let public_files = folder::write(config, &bundled).map_err(|problem| vec![problem])?;
    let mut warnings = session.take_warnings();
    warnings.extend(folder::large_chunks(config, &bundled));
    Ok(BuildReport {
        out_dir: config.build.out_dir.clone(),
        files: folder::report(config, &bundled),
        public_files,
        modules: meter.modules(),
        warnings,
        time: start.elapsed().as_millis() as u64,
    })
}
