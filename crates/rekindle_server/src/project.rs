//! The project as the loop sees it: its modules, its pages, and the files that are served as they are.
//!
//! ```text
//! take(batch) ─► Edit     what a save did to all of them                                           take.rs
//! modules                 graph, compiler, segments                                                modules.rs
//! pages                   what the pages load, and their texts                                     pages.rs
//! ```

use rekindle_config::Config;

use crate::files::listing::RootFiles;
use crate::files::public::PublicFiles;
use crate::project::env::EnvValues;
use crate::project::modules::Modules;
use crate::project::page_texts::PageTexts;
use crate::project::pages::Pages;
use crate::report::Report;
use crate::watch::Watcher;

pub(crate) mod edit;
pub(crate) mod env;
pub(crate) mod gaps;
pub(crate) mod head_styles;
pub(crate) mod modules;
pub(crate) mod page_texts;
pub(crate) mod pages;
pub(crate) mod segments;
pub(crate) mod standalone;
mod take;

/// All that is served of a project.
pub struct Project {
    pub modules: Modules,
    pub pages: Pages,
    /// Pages that there are, whether they were asked for or not, and files of the root that may be fetched.
    pub listing: RootFiles,
    pub public: Option<PublicFiles>,
    config: Config,
    report: Report,
}

impl Project {
    /// Lists what there is to serve, and watches it; nothing is compiled yet. Errors when the system gives no threads, or a setting
    /// cannot be used.
    pub fn open(config: &Config, secret: [u8; 32], watcher: &Watcher, report: &Report) -> std::io::Result<Self> {
        let mut modules = Modules::new(config, secret, report)?;
        let public = config.public_dir.as_ref().map(PublicFiles::list);
        let listing = RootFiles::list(config);
        let warnings = listing.warnings.iter().chain(public.iter().flat_map(|public| &public.warnings));
        for warning in warnings {
            report.warn(warning);
        }
        modules.await_refresh_runtime(watcher);
        modules.advice().iter().for_each(|advice| report.note(advice));
        watcher.watch_files(EnvValues::files(config));
        EnvValues::files(config).iter().for_each(|file| _ = modules.compiler.left_out().note(file));
        watcher.watch_folders(public.iter().flat_map(PublicFiles::folders));
        watcher.watch_folders(listing.folders(&config.root));
        let texts = if config.hmr.enabled { PageTexts::new(&config.cache_dir) } else { PageTexts::default() };
        Ok(Self { modules, pages: Pages::new(texts), listing, public, config: config.clone(), report: report.clone() })
    }
}
