//! Ids of modules as rolldown knows them: a path with its query.

use std::path::Path;

use rekindle_compile::kind::join_query;
use rekindle_graph::ModuleUrl;

/// Marks the module that imports a page's scripts.
pub(crate) const PAGE: &str = "rekindle-page";
/// Marks a JSON file that `require` asks for: its value, where an import gives a module.
const REQUIRED: &str = "rekindle-required";
/// Keeps the bundler from taking a `.cts` file for CommonJS, since in TypeScript that may be written as a module.
const MODULE: &str = "module";

/// The id of a module of the project, of which `url` has the query.
pub(crate) fn file_id(path: &Path, url: &ModuleUrl) -> String {
    join_query(&path.display().to_string(), Some(url.query()).filter(|query| !query.is_empty()))
}

/// The id of a JSON file that `require` asks for.
pub(crate) fn required_id(file: &Path) -> String {
    join_query(&file.display().to_string(), Some(REQUIRED))
}

/// The path of a JSON file that `require` asks for, if this is the id of one.
pub(crate) fn required_file(id: &str) -> Option<&str> {
    id.strip_suffix(REQUIRED)?.strip_suffix('?')
}

/// The id of a file of which no query says what is made of it.
pub(crate) fn plain_id(file: &Path) -> String {
    let is_cts = file.extension().is_some_and(|extension| extension == "cts");
    join_query(&file.display().to_string(), is_cts.then_some(MODULE))
}

/// Where a page's entry or inline script has its id.
pub(crate) fn page_id(file: &Path, query: &str) -> String {
    join_query(&file.display().to_string(), Some(query))
}
