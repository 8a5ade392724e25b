//! The paths that ARCHITECTURE.md names.
//!
//! A path may be shortened to its last parts, as long as some file of the repository ends with them: `graph.rs`,
//! `style/bundle.rs`.
//! What begins with `/` or `./` is an example of a user's file.

use std::path::Path;

use super::{files_below, read};

const MAP: &str = "ARCHITECTURE.md";
const ENDINGS: [&str; 6] = ["rs", "ts", "mjs", "md", "toml", "json"];
const FOLDERS: [&str; 6] = ["crates", "client", "docs", "e2e/model", "packages", "xtask"];

/// One sentence for each path that is not there.
///
/// # Errors
/// ARCHITECTURE.md or a folder cannot be read.
pub fn missing_paths(root: &Path) -> Result<Vec<String>, String> {
    let text = read(&root.join(MAP))?;
    let mut files = Vec::new();
    for folder in FOLDERS {
        files.extend(files_below(&root.join(folder), &ENDINGS)?);
    }
    let exists = |path: &Path| root.join(path).exists() || files.iter().any(|file| file.ends_with(path));
    Ok(missing(&text, &exists))
}

fn missing(text: &str, exists: &dyn Fn(&Path) -> bool) -> Vec<String> {
    let mut findings = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let words = text.split(|c: char| !(c.is_alphanumeric() || "/._-".contains(c)));
        for path in words.filter(|word| is_path(word) && !exists(Path::new(word))) {
            findings.push(format!("{MAP}:{line} names {path}, which is not there: write where it is now"));
        }
    }
    findings
}

/// `crates/rekindle_graph/src`, `graph.rs`; not `and/or`, `e.g.`, `/src/main.ts`.
fn is_path(word: &str) -> bool {
    let is_file = Path::new(word).extension().is_some_and(|ending| ENDINGS.iter().any(|one| ending == *one));
    let is_folder = FOLDERS.iter().any(|folder| word.starts_with(folder) && word.contains('/'));
    (is_file || is_folder) && !word.starts_with(['/', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_file_ends_with_is_told() {
        let there = ["crates/a/src/graph.rs", "docs/sync.md"].map(Path::new);
        let exists = |path: &Path| there.iter().any(|one| one.ends_with(path) || one.starts_with(path));
        let text = "crates/a/src  graph.rs, gone.rs either/or\n`src/graph.rs`, ./main.ts, docs/gone.md, crates/b/src";
        let found = missing(text, &exists);
        let names: Vec<&str> = found.iter().map(|finding| finding.split(',').next().unwrap()).collect();
        let expected = [
            "ARCHITECTURE.md:1 names gone.rs",
            "ARCHITECTURE.md:2 names docs/gone.md",
            "ARCHITECTURE.md:2 names crates/b/src",
        ];
        assert_eq!(names, expected);
    }
}
