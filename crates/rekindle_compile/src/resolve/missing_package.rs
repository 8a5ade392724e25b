//! Why a specifier without a path leads nowhere, and what to do.
//!
//! ```text
//! lodahs                not installed            → install it: npm install lodahs
//! badexp/hidden.js      installed, not exported  → its package.json exports `.`, `./button`
//! built                 its entry is not there   → its `./dist/index.js` does not exist: build it
//! virtual:pwa-register  a plugin's              → no package: in other tools a plugin provides this module
//! ```

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files::file;
use crate::resolve::packages::package_name;

/// Exports that are listed; more are counted.
const MOST_LISTED: usize = 8;

/// What is wrong, and advice.
pub fn explain(importer: &Path, specifier: &str) -> (String, String) {
    let plain = format!("cannot find `{specifier}`");
    let name = package_name(specifier);
    if specifier.split('/').next().is_some_and(|first| first.contains(':')) {
        let help = "it is not a package: in other tools a plugin provides this module, and rekindle runs no plugins";
        return (plain, help.to_owned());
    }
    if specifier.starts_with('#') {
        return (
            plain,
            "`imports` of the nearest package.json has no such entry, or the file that it names does not exist"
                .to_owned(),
        );
    }
    if name.starts_with("@/") || name.starts_with('~') {
        let alias = &name[..1];
        let help = format!("`{alias}` is not an alias here: set it in `resolve.alias`, or in `paths` of tsconfig.json");
        return (plain, help);
    }
    let Some(folder) = folder_of(importer, &name) else {
        return (plain, format!("install it: npm install {name}"));
    };
    let subpath = specifier.strip_prefix(name.as_str()).unwrap_or_default().trim_start_matches('/');
    if let Some(kind) = file::oddity(&folder.join("package.json")) {
        return (plain, format!("package.json of the package `{name}` is {kind}, not a file"));
    }
    let json = file::read_text(&folder.join("package.json")).unwrap_or_default();
    let json: Value = serde_json::from_str(json.trim_start_matches('\u{feff}')).unwrap_or_default();
    match json.get("exports") {
        Some(exports) => of_exports(&plain, &name, subpath, exports, &folder),
        None if subpath.is_empty() => {
            let entry = ["module", "main"].iter().find_map(|field| json.get(field)?.as_str());
            (plain, not_there(&name, entry.unwrap_or("index.js"), &folder))
        }
        None => match file::oddity(&folder.join(subpath)) {
            Some(_) => (plain, not_there(&name, subpath, &folder)),
            None => (plain, format!("the package `{name}` is installed, but has no file `{subpath}`")),
        },
    }
}

/// Where a package is installed, seen from a file.
fn folder_of(importer: &Path, name: &str) -> Option<PathBuf> {
    let folders = importer.ancestors().skip(1).map(|above| above.join("node_modules").join(name));
    folders.into_iter().find(|folder| folder.is_dir())
}

fn of_exports(plain: &str, name: &str, subpath: &str, exports: &Value, folder: &Path) -> (String, String) {
    let wanted = if subpath.is_empty() { ".".to_owned() } else { format!("./{subpath}") };
    let entries: Vec<(&str, &Value)> = match exports {
        Value::Object(map) if map.keys().any(|key| key.starts_with('.')) => {
            map.iter().map(|(key, value)| (key.as_str(), value)).collect()
        }
        value => vec![(".", value)],
    };
    let fits = |key: &str| match key.split_once('*') {
        Some((before, after)) => {
            wanted.len() >= before.len() + after.len() && wanted.starts_with(before) && wanted.ends_with(after)
        }
        None => key == wanted,
    };
    if let Some((key, value)) = entries.iter().find(|(key, value)| fits(key) && !value.is_null()) {
        let rest = key.split_once('*').map_or("", |(before, after)| &wanted[before.len()..wanted.len() - after.len()]);
        return match target(value) {
            Some(target) => (plain.to_owned(), not_there(name, &target.replace('*', rest), folder)),
            None => (plain.to_owned(), format!("`exports` of the package `{name}` has nothing for browsers there")),
        };
    }
    let exported: Vec<&str> = entries.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| *key).collect();
    let shown: Vec<String> = exported.iter().take(MOST_LISTED).map(|key| format!("`{key}`")).collect();
    let more = match exported.len().saturating_sub(MOST_LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!("the package `{name}` does not export `{wanted}`");
    (message, format!("its package.json exports {}{more}", shown.join(", ")))
}

/// The file that an entry of `exports` leads an import to.
fn target(value: &Value) -> Option<&str> {
    match value {
        Value::String(target) => Some(target),
        Value::Array(list) => list.iter().find_map(target),
        Value::Object(map) => {
            let holds = |key: &str| matches!(key, "development" | "browser" | "module" | "import" | "default");
            map.iter().filter(|(key, _)| holds(key)).find_map(|(_, value)| target(value))
        }
        _ => None,
    }
}

fn not_there(name: &str, entry: &str, folder: &Path) -> String {
    let entry = entry.trim_start_matches("./");
    if let Some(kind) = file::oddity(&folder.join(entry)) {
        return format!("`{entry}` of the package `{name}` is {kind}, not a file");
    }
    if folder.join(entry).is_file() {
        format!("`{entry}` of the package `{name}` cannot be used in a browser")
    } else {
        format!("the package `{name}` is installed, but its `{entry}` does not exist: build it, or install it again")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_not_installed_is_to_be_installed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let exports =
            r#"{ "exports": { ".": "./i.js", "./sub/*": { "types": "./t/*.d.ts", "import": "./lib/*.js" } } }"#;
        for (name, text) in [("exp", exports), ("plain", r#"{ "main": "dist/main.js" }"#)] {
            let package = folder.path().join("node_modules").join(name);
            std::fs::create_dir_all(&package).expect("the folder is made");
            std::fs::write(package.join("package.json"), text).expect("the file is written");
        }
        let check = |specifier: &str, message: &str, help: &str| {
            let (said, advice) = explain(&folder.path().join("src/main.js"), specifier);
            assert_eq!((said.as_str(), advice.as_str()), (message, help));
        };
        check(
            "@/store",
            "cannot find `@/store`",
            "`@` is not an alias here: set it in `resolve.alias`, or in `paths` of tsconfig.json",
        );
        check("nope", "cannot find `nope`", "install it: npm install nope");
        check(
            "exp/hidden.js",
            "the package `exp` does not export `./hidden.js`",
            "its package.json exports `.`, `./sub/*`",
        );
        let built = ": build it, or install it again";
        check(
            "exp/sub/a",
            "cannot find `exp/sub/a`",
            &format!("the package `exp` is installed, but its `lib/a.js` does not exist{built}"),
        );
        check(
            "plain",
            "cannot find `plain`",
            &format!("the package `plain` is installed, but its `dist/main.js` does not exist{built}"),
        );
        check("plain/x", "cannot find `plain/x`", "the package `plain` is installed, but has no file `x`");
        check(
            "virtual:pwa",
            "cannot find `virtual:pwa`",
            "it is not a package: in other tools a plugin provides this module, and rekindle runs no plugins",
        );
    }
}
