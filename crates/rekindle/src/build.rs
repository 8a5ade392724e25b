//! Building a project as a library call: settings in, report out.
//!
//! ```no_run
//! let config = rekindle::Config::new("/projects/shop");
//! let report = rekindle::build(config).expect("the project has no mistakes");
//! println!("{} files in {}", report.files.len(), report.out_dir.display());
//! ```

use rekindle_compile::script::nesting::COMPILE_STACK;
use rekindle_graph::Diagnostic;
use rekindle_server::config::Config;

pub use rekindle_build::{BuildReport, FileKind, OutputFile, Progress};

/// Builds the project as `config` says, into `config.build.out_dir`. The mode `development`, which is a server's default, becomes
/// `production`. It blocks the thread until the build is done.
///
/// # Errors
/// Every mistake found; the output folder is as it was before then.
pub fn build(mut config: Config) -> Result<BuildReport, Vec<Diagnostic>> {
    if config.mode == Config::new(&config.root).mode {
        config.mode = "production".into();
    }
    build_with(config, &|_| {})
}

/// The same as [`build()`], in the mode that `config` has. `progress` is told how far it is, ten times a second.
///
/// # Errors
/// Every mistake found; the output folder is as it was before then.
pub fn build_with(config: Config, progress: &(dyn Fn(Progress) + Sync)) -> Result<BuildReport, Vec<Diagnostic>> {
    let plain = |error: std::io::Error| vec![Diagnostic::error(format!("cannot start: {error}"))];
    // Parsing is recursive. Whoever made the pool before decides about its stacks.
    let _ = rayon::ThreadPoolBuilder::new().stack_size(COMPILE_STACK).build_global();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_stack_size(COMPILE_STACK)
        .enable_all()
        .build()
        .map_err(plain)?;
    let config = for_production(config);
    // `block_on` runs on this thread, whose stack is whatever it is.
    let result = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(COMPILE_STACK);
        let work = || runtime.block_on(rekindle_build::build(config, progress));
        thread.spawn_scoped(scope, work).map(|thread| thread.join())
    });
    runtime.shutdown_background();
    match result.map_err(plain)? {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// The same settings with what production differs in: the conditions of packages, and where the files will be.
fn for_production(mut config: Config) -> Config {
    for condition in &mut config.resolve.conditions {
        if matches!(condition.as_str(), "development" | "development|production") {
            *condition = "production".to_owned();
        }
    }
    config.css.dev_sourcemap = false;
    if let Some(address) = &config.build.base_address {
        config.base = address.clone();
    }
    config
}
