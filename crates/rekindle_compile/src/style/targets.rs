//! The browsers a project names in its browserslist, as lightningcss counts them.
//!
//! ```text
//! package.json: "browserslist": ["safari 13", "chrome 90"]  →  safari 13.0, chrome 90.0
//! .browserslistrc: [development] last 1 chrome version      →  only that, while the mode is `development`
//! ```
//!
//! Without one nothing is lowered: a development server is looked at with a current browser.

use std::path::{Path, PathBuf};

use browserslist::{Opts, resolve};
use lightningcss::targets::Browsers;
use rekindle_graph::Diagnostic;
use serde_json::Value;

use crate::files::file;
use crate::files::left_out::SkippedPaths;

/// The queries of the nearest of `folders` (nearest first) that has any, and the file they stand in.
pub(super) fn queries(folders: &[PathBuf], mode: &str, left_out: &SkippedPaths) -> Option<(PathBuf, Vec<String>)> {
    folders.iter().find_map(|folder| {
        let lists = [folder.join(".browserslistrc"), folder.join("browserslist")];
        let written = lists.into_iter().find_map(|path| {
            left_out.note(&path);
            let text = path.is_file().then(|| file::read_text(&path).ok())??;
            Some((path, in_file(&text, mode)))
        });
        written.or_else(|| {
            let path = folder.join("package.json");
            let package: Value = serde_json::from_str(&file::read_text(&path).ok()?).ok()?;
            Some((path, in_package(package.get("browserslist")?, mode)))
        })
    })
}

fn in_package(value: &Value, mode: &str) -> Vec<String> {
    let list = |value: &Value| match value {
        Value::String(query) => vec![query.clone()],
        Value::Array(queries) => queries.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    match value {
        Value::Object(environments) => {
            environments.get(mode).or_else(|| environments.get("defaults")).map(list).unwrap_or_default()
        }
        other => list(other),
    }
}

/// Lines, in sections such as `[production]`; those before the first section are for every mode without its own.
fn in_file(text: &str, mode: &str) -> Vec<String> {
    let (mut defaults, mut own, mut section) = (Vec::new(), Vec::new(), None);
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(names) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = Some(names.split_whitespace().any(|name| name == mode));
        } else if !line.is_empty() {
            match section {
                None => defaults.push(line.to_owned()),
                Some(true) => own.push(line.to_owned()),
                Some(false) => {}
            }
        }
    }
    if own.is_empty() { defaults } else { own }
}

/// The oldest version of each browser that the queries name; `None` if they name none.
pub(super) fn browsers(queries: &[String], file: &Path) -> Result<Option<Browsers>, Diagnostic> {
    if queries.is_empty() {
        return Ok(None);
    }
    let options = Opts { mobile_to_desktop: false, ignore_unknown_versions: true };
    let named = resolve(queries, &options).map_err(|error| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Diagnostic::error(format!("the browserslist cannot be read: {error}"))
            .in_file(name)
            .with_help("until it can be read, nothing is compiled for older browsers")
    })?;
    let mut browsers = Browsers::default();
    for browser in named {
        let (Some(version), Some(slot)) = (version(browser.version()), slot(&mut browsers, browser.name())) else {
            continue;
        };
        *slot = Some(slot.map_or(version, |known| known.min(version)));
    }
    Ok((browsers != Browsers::default()).then_some(browsers))
}

fn slot<'b>(browsers: &'b mut Browsers, name: &str) -> Option<&'b mut Option<u32>> {
    Some(match name {
        "android" => &mut browsers.android,
        "chrome" | "and_chr" => &mut browsers.chrome,
        "edge" => &mut browsers.edge,
        "firefox" | "and_ff" => &mut browsers.firefox,
        "ie" => &mut browsers.ie,
        "ios_saf" => &mut browsers.ios_saf,
        "opera" | "op_mob" => &mut browsers.opera,
        "safari" => &mut browsers.safari,
        "samsung" => &mut browsers.samsung,
        _ => return None,
    })
}

/// `13.1` and `13.0-13.1` → one byte each for major, minor and patch.
fn version(text: &str) -> Option<u32> {
    let mut numbers = text.split('-').next()?.split('.').map(|part| part.parse::<u32>().ok());
    let major = numbers.next()??;
    let mut next = || numbers.next().flatten().unwrap_or(0).min(255);
    Some((major.min(255) << 16) | (next() << 8) | next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_version_of_each_browser_counts() {
        let queries = ["safari 13-15".to_owned(), "chrome 90".to_owned()];
        let found = browsers(&queries, Path::new("package.json")).unwrap().unwrap();
        assert_eq!(found, Browsers { safari: Some(13 << 16), chrome: Some(90 << 16), ..Browsers::default() });
        assert!(browsers(&["nonsense 7 x".to_owned()], Path::new("package.json")).is_err());
    }

    #[test]
    fn sections_are_for_their_mode() {
        let text = "chrome 80 # old\n[development staging]\nchrome 120\n[production]\nie 11\n";
        assert_eq!(in_file(text, "development"), ["chrome 120"]);
        assert_eq!(in_file(text, "test"), ["chrome 80"]);
        let package = serde_json::json!({ "production": ["ie 11"], "defaults": "chrome 100" });
        assert_eq!(in_package(&package, "development"), ["chrome 100"]);
    }
}
