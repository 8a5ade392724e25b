//! Ids of modules as rolldown knows them: a path with its query.

use std::path::Path;

use rekindle_graph::ModuleUrl;

/// Marks the module that imports a page's scripts.
pub(crate) const PAGE: &str = "rekindle-page";

/// The id of a module of the project, of which `url` has the query.
pub(crate) fn file_id(path: &Path, url: &ModuleUrl) -> String {
    if url.query().is_empty() { path.display().to_string() } else { page_id(path, url.query()) }
}

/// Where a page's entry or inline script has its id.
pub(crate) fn page_id(file: &Path, query: &str) -> String {
    format!("{}?{query}", file.display())
}
