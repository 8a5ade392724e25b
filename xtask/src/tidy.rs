//! `cargo xtask tidy`: checks what keeps the repository easy for newcomers, as far as a program can.
//!
//! - There is no import cycle among the files of a crate, or of `client/src`.
//! - `client/src/core` imports nothing of `client/src/page`: it knows neither DOM nor socket.
//! - Every path that ARCHITECTURE.md names exists.
//! - Every rule that a source file cites by its number stands in `docs/internals`.
//! - Every source file opens by saying what it is for.
//! - No folder of `crates/*/src`, `xtask/src` or `client/src` has more than 15 files, and no file more than 700 lines,
//!   tests included. Tests outside of these folders are not limited.
//!
//! Each finding says what to do.

mod cycles;
mod map;
mod rules;
mod rust_imports;
mod script_imports;

use std::fs;
use std::path::{Path, PathBuf};

use cycles::Imports;

/// The most files of a folder, and lines of a file, that a reader can keep in mind.
const MOST_FILES: usize = 15;
const MOST_LINES: usize = 700;

/// Looks through the repository in `root`; gives one sentence for each finding.
///
/// # Errors
/// A file that cannot be read, or a Rust file that cannot be parsed.
pub fn check(root: &Path) -> Result<Vec<String>, String> {
    let mut findings = Vec::new();
    let mut sources = Vec::new();
    for package in folders_in(&root.join("crates"))? {
        let src = package.join("src");
        let files = files_below(&src, &["rs", "mjs"])?;
        findings.extend(cycles::find(&rust_imports::of_package(&src)?, root));
        sources.extend(files);
    }
    sources.extend(files_below(&root.join("xtask/src"), &["rs"])?);
    let client = root.join("client/src");
    let scripts = files_below(&client, &["ts"])?;
    let imports = script_imports::of_files(&scripts)?;
    findings.extend(cycles::find(&imports, root));
    findings.extend(core_imports_page(&imports, &client, root));
    sources.extend(scripts);
    findings.extend(map::missing_paths(root)?);
    findings.extend(rules::missing_rules(root)?);
    for file in &sources {
        findings.extend(about_file(file, root)?);
    }
    findings.extend(crowded_folders(&sources, root));
    Ok(findings)
}

/// Imports of `page/` in `core/`, which must be testable without a page.
fn core_imports_page(imports: &Imports, client: &Path, root: &Path) -> Vec<String> {
    let (core, page) = (client.join("core"), client.join("page"));
    let wrong = imports.iter().filter(|import| import.from.starts_with(&core) && import.to.starts_with(&page));
    let sentence = |import: &cycles::Import| {
        let (from, to) = (shown(&import.from, root), shown(&import.to, root));
        format!(
            "{from}:{} imports {to}: core/ must do without a page; hand in what it needs as an argument",
            import.line
        )
    };
    wrong.map(sentence).collect()
}

fn about_file(file: &Path, root: &Path) -> Result<Vec<String>, String> {
    Ok(about_text(&shown(file, root), &read(file)?))
}

/// Whether the text of a file begins with its purpose, and is not too long.
fn about_text(name: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let opening = if name.ends_with(".rs") { "//!" } else { "/**" };
    if !text.starts_with(opening) {
        findings.push(format!("{name}:1 does not say what the file is for: begin it with `{opening}` and a sentence"));
    }
    let lines = text.lines().count();
    if lines > MOST_LINES {
        findings.push(format!(
            "{name} has {lines} lines: move a part that has a name of its own to another file ({MOST_LINES} at most)"
        ));
    }
    findings
}

fn crowded_folders(sources: &[PathBuf], root: &Path) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::<&Path, usize>::new();
    for folder in sources.iter().filter_map(|file| file.parent()) {
        *counts.entry(folder).or_default() += 1;
    }
    let crowded = counts.into_iter().filter(|(_, count)| *count > MOST_FILES);
    let sentence = |(folder, count): (&Path, usize)| {
        format!(
            "{}/ has {count} source files: give those of one subject a folder ({MOST_FILES} at most)",
            shown(folder, root)
        )
    };
    crowded.map(sentence).collect()
}

/// A path from the root of the repository, with forward slashes.
fn shown(path: &Path, root: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).display().to_string().replace('\\', "/")
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The folders in a folder, in alphabetical order.
fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, String> {
    Ok(entries_of(folder)?.into_iter().filter(|path| path.is_dir()).collect())
}

/// The files below a folder that have one of the `extensions`, in alphabetical order; without installed packages.
fn files_below(folder: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for path in entries_of(folder)? {
        if path.ends_with("node_modules") {
            continue;
        }
        if path.is_dir() {
            files.extend(files_below(&path, extensions)?);
        } else if path.extension().is_some_and(|extension| extensions.iter().any(|one| extension == *one)) {
            files.push(path);
        }
    }
    Ok(files)
}

fn entries_of(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let cannot = |error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(cannot)?;
    let mut paths = entries.map(|entry| Ok(entry.map_err(cannot)?.path())).collect::<Result<Vec<_>, String>>()?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn core_must_not_import_the_page() {
        let import = |from: &str, to: &str| cycles::Import { from: from.into(), to: to.into(), line: 3 };
        let imports =
            Imports::from([import("src/core/hot.ts", "src/page/state.ts"), import("src/page/a.ts", "src/core/b.ts")]);
        let found = core_imports_page(&imports, Path::new("src"), Path::new(""));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("src/core/hot.ts:3 imports src/page/state.ts"), "{found:?}");
    }

    #[test]
    fn a_crowded_folder_is_named() {
        let files = |count: usize| (0..count).map(|at| format!("src/room/{at}.rs").into()).collect::<Vec<PathBuf>>();
        assert_eq!(crowded_folders(&files(MOST_FILES), Path::new("")), Vec::<String>::new());
        assert!(crowded_folders(&files(MOST_FILES + 1), Path::new(""))[0].starts_with("src/room/ has 16 source files"));
    }

    #[test]
    fn a_file_without_a_purpose_and_a_long_one_are_named() {
        assert_eq!(about_text("a.rs", "//! Purpose.\n"), Vec::<String>::new());
        assert_eq!(about_text("a.mjs", "/** Purpose. */\n"), Vec::<String>::new());
        assert!(about_text("a.rs", "fn a() {}\n")[0].starts_with("a.rs:1 does not say what the file is for"));
        let long = format!("//! Purpose.\n{}", "\n".repeat(MOST_LINES));
        assert!(about_text("a.rs", &long)[0].starts_with("a.rs has 701 lines"));
    }
}
