//! The rules that comments cite: `rule R143`, `rules S1, S4`.
//!
//! R is a rule of Hot Module Replacement and S one of security. Each has a heading in a page of `docs/internals`:
//!
//! ```text
//! ## S4 Links and secrets
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{files_below, read, shown};

/// The first letter of a rule's name, and the page that has such rules.
const PAGES: [(char, &str); 2] = [('R', "docs/internals/hmr-rules.md"), ('S', "docs/internals/security-rules.md")];
const FOLDERS: [&str; 4] = ["crates", "client", "e2e", "packages"];
const ENDINGS: [&str; 3] = ["rs", "ts", "mjs"];

/// One sentence for each rule that is cited and stands in no page.
///
/// # Errors
/// A page or a source file cannot be read.
pub fn missing_rules(root: &Path) -> Result<Vec<String>, String> {
    let mut known = BTreeSet::new();
    for (_, page) in PAGES {
        known.extend(headings(&read(&root.join(page))?));
    }
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in FOLDERS {
        files.extend(files_below(&root.join(folder), &ENDINGS)?);
    }
    let mut findings = Vec::new();
    for file in files {
        let text = read(&file)?;
        findings.extend(missing(&text, &known).into_iter().map(|(line, rule, page)| {
            format!(
                "{}:{line} cites rule {rule}, which {page} does not have: add `## {rule} …` there, or give the reason in the comment",
                shown(&file, root)
            )
        }));
    }
    Ok(findings)
}

/// `S4` for each `## S4 Links and secrets`.
fn headings(page: &str) -> impl Iterator<Item = String> {
    page.lines().filter_map(|line| line.strip_prefix("## ")?.split(' ').next().map(str::to_owned))
}

/// Line, name and page of each cited rule that is not in `known`.
fn missing(text: &str, known: &BTreeSet<String>) -> Vec<(usize, String, &'static str)> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for rule in cited(line).filter(|rule| !known.contains(*rule)) {
            let page = PAGES.iter().find(|(letter, _)| rule.starts_with(*letter));
            found.extend(page.map(|(_, page)| (number, rule.to_owned(), *page)));
        }
    }
    found
}

/// The rules that a line names after the word `rule` or `rules`; what else looks like one (`S3`, a storage) is none.
fn cited(line: &str) -> impl Iterator<Item = &str> {
    let after = line.find("rule").map_or("", |at| &line[at..]);
    let is_comment = line.contains("//") || line.trim_start().starts_with('*');
    let words = after.split(|c: char| !c.is_ascii_alphanumeric()).filter(move |_| is_comment);
    words.filter(|word| {
        let mut letters = word.chars();
        letters.next().is_some_and(|first| PAGES.iter().any(|(letter, _)| first == *letter))
            && word.len() > 1
            && letters.all(|letter| letter.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_without_a_heading_is_told_with_its_line() {
        let known = headings("# Rules\n\n## S1 One\ntext S2\n## R143 Sheets\n").collect();
        let text = "//! A table (rules S1, S3).\nlet s3 = \"S3\"; // the storage S4\n * as Vite does (rule R143, R9)\n";
        let found: Vec<String> =
            missing(text, &known).into_iter().map(|(line, rule, _)| format!("{line} {rule}")).collect();
        assert_eq!(found, ["1 S3", "3 R9"]);
    }
}
