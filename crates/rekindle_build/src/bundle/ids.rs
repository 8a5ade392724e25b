//! Ids of modules as rolldown knows them: a path with its query.

use std::path::Path;

/// Marks the module that imports a page's scripts.
pub(crate) const PAGE: &str = "rekindle-page";

/// A module's id as its path and query.
pub(crate) fn without_query(id: &str) -> (&str, Option<&str>) {
    id.split_once('?').map_or((id, None), |(path, query)| (path, Some(query)))
}

/// Where a page's entry or inline script has its id.
pub(crate) fn page_id(file: &Path, query: &str) -> String {
    format!("{}?{query}", file.display())
}
