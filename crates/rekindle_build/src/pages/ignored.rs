//! What git leaves alone is made by some tool and no page of the project.
//!
//! ```text
//! .gitignore: coverage/ and /stats.html   →   coverage/lcov-report/index.html is ignored, about.html is not
//! ```
//!
//! The rules are those of `.gitignore` files in the project and above it, up to the repository's folder, and of its
//! `.git/info/exclude`. Outside of a repository those of the project count alone. What a user's own git leaves alone does
//! not count: a build is the same on every machine.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

/// The rules for one project.
pub(crate) struct Ignored {
    root: PathBuf,
    /// The outermost folder whose rules count.
    top: PathBuf,
    exclude: Gitignore,
    by_folder: HashMap<PathBuf, Gitignore>,
}

impl Ignored {
    pub fn of(root: &Path) -> Self {
        let repository = root.ancestors().find(|folder| folder.join(".git").exists());
        let top = repository.unwrap_or(root).to_owned();
        let exclude = rules(&top, &top.join(".git/info/exclude"));
        let mut ignored = Self { root: top.clone(), top, exclude, by_folder: HashMap::new() };
        // Of a project that is ignored as a whole, only its own rules say what is.
        if ignored.holds(root) {
            ignored.top = root.to_owned();
            ignored.exclude = Gitignore::empty();
        }
        ignored.root = root.to_owned();
        ignored
    }

    /// Whether git ignores a file of the project, or a folder that it is in.
    pub fn holds(&mut self, path: &Path) -> bool {
        let Ok(below) = path.strip_prefix(&self.root) else { return false };
        let mut part = self.root.clone();
        let count = below.components().count();
        for (at, component) in below.components().enumerate() {
            part.push(component);
            let is_folder = at + 1 < count || path.is_dir();
            if self.is_named(&part, is_folder) {
                return true;
            }
        }
        false
    }

    /// Whether the rules name exactly this: the nearest ones decide.
    fn is_named(&mut self, path: &Path, is_folder: bool) -> bool {
        for folder in path.ancestors().skip(1) {
            let rules =
                self.by_folder.entry(folder.to_owned()).or_insert_with(|| rules(folder, &folder.join(".gitignore")));
            match rules.matched(path, is_folder) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => {}
            }
            if folder == self.top {
                break;
            }
        }
        self.exclude.matched(path, is_folder).is_ignore()
    }
}

/// The rules in a file, which are about `folder`. Lines that are not valid rules are left out.
fn rules(folder: &Path, file: &Path) -> Gitignore {
    let mut builder = GitignoreBuilder::new(folder);
    if file.is_file() {
        let _ = builder.add(file);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn write(root: &Path, files: &[(&str, &str)]) {
        for (name, text) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    fn ignored(root: &Path, names: &[&str]) -> Vec<String> {
        let mut rules = Ignored::of(root);
        names.iter().filter(|name| rules.holds(&root.join(name))).map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn rules_of_the_project_and_of_folders_above_it_count() {
        let top = tempfile::tempdir().unwrap();
        write(
            top.path(),
            &[
                (".git/info/exclude", "private.html\n"),
                (".gitignore", "coverage/\n*.tmp.html\n"),
                ("app/.gitignore", "/stats.html\nassets/public\n!keep.tmp.html\n"),
                ("app/docs/.gitignore", "*\n!index.html\n"),
            ],
        );
        let names = [
            "index.html",
            "coverage/lcov/index.html",
            "stats.html",
            "about/stats.html",
            "android/assets/public/index.html",
            "assets/public/index.html",
            "x.tmp.html",
            "keep.tmp.html",
            "docs/index.html",
            "docs/other.html",
            "private.html",
        ];
        assert_eq!(
            ignored(&top.path().join("app"), &names),
            [
                "coverage/lcov/index.html",
                "stats.html",
                "assets/public/index.html",
                "x.tmp.html",
                "docs/other.html",
                "private.html"
            ]
        );
    }

    #[test]
    fn without_a_repository_the_projects_own_rules_count() {
        let top = tempfile::tempdir().unwrap();
        write(top.path(), &[(".gitignore", "*.html\n"), ("app/.gitignore", "coverage\n")]);
        let app = top.path().join("app");
        assert_eq!(ignored(&app, &["index.html", "coverage/a.html"]), ["coverage/a.html"]);
    }

    #[test]
    fn a_project_that_is_ignored_itself_goes_by_its_own_rules() {
        let top = tempfile::tempdir().unwrap();
        write(
            top.path(),
            &[(".git/HEAD", ""), (".gitignore", "target/\n*.html\n"), ("target/app/.gitignore", "out\n")],
        );
        let app = top.path().join("target/app");
        assert_eq!(ignored(&app, &["index.html", "out/a.html"]), ["out/a.html"]);
    }
}
