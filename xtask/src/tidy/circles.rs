//! Files that import each other.
//!
//! ```text
//! a.rs:3 uses b.rs, b.rs:7 uses c.rs, c.rs:1 uses a.rs   →   one finding with these three lines
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use super::shown;

/// One file uses something of another one, at a line (counted from 1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    pub from: PathBuf,
    pub to: PathBuf,
    pub line: usize,
}

pub type Imports = BTreeSet<Import>;

/// The circles among `imports`, the shortest one of each group of files that reach each other.
pub fn find(imports: &Imports, root: &Path) -> Vec<String> {
    let mut next: BTreeMap<&Path, BTreeMap<&Path, usize>> = BTreeMap::new();
    for import in imports.iter().filter(|import| import.from != import.to) {
        next.entry(&import.from).or_default().entry(&import.to).or_insert(import.line);
    }
    let mut told: BTreeSet<&Path> = BTreeSet::new();
    let mut findings = Vec::new();
    for &start in next.keys() {
        if told.contains(start) {
            continue;
        }
        let Some(circle) = shortest_circle(start, &next) else { continue };
        told.extend(&circle);
        let step = |(at, from): (usize, &&Path)| {
            let to = circle[(at + 1) % circle.len()];
            format!("{}:{} uses {}", shown(from, root), next[*from][to], shown(to, root))
        };
        let steps: Vec<String> = circle.iter().enumerate().map(step).collect();
        findings
            .push(format!("a circle of imports: {}; move what both sides need to a file below them", steps.join(", ")));
    }
    findings
}

/// The shortest way from a file back to itself, if there is one: the files on it, in order.
fn shortest_circle<'p>(start: &'p Path, next: &BTreeMap<&'p Path, BTreeMap<&'p Path, usize>>) -> Option<Vec<&'p Path>> {
    let mut came_from: BTreeMap<&Path, &Path> = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(file) = waiting.pop_front() {
        for &to in next.get(file).into_iter().flat_map(BTreeMap::keys) {
            if to == start {
                let mut circle = vec![file];
                while let Some(&before) = circle.last().and_then(|last| came_from.get(last)) {
                    circle.push(before);
                }
                circle.reverse();
                return Some(circle);
            }
            if !came_from.contains_key(to) {
                came_from.insert(to, file);
                waiting.push_back(to);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(imports: &[(&str, &str)]) -> Vec<String> {
        let import =
            |(line, (from, to)): (usize, &(&str, &str))| Import { from: from.into(), to: to.into(), line: line + 1 };
        find(&imports.iter().enumerate().map(import).collect(), Path::new(""))
    }

    #[test]
    fn a_line_of_imports_is_no_circle() {
        assert_eq!(findings(&[("a", "b"), ("a", "c"), ("b", "c"), ("c", "d"), ("a", "a")]), Vec::<String>::new());
    }

    #[test]
    fn a_circle_is_told_once_with_its_lines() {
        let found = findings(&[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]);
        assert_eq!(
            found,
            ["a circle of imports: a:1 uses b, b:2 uses c, c:3 uses a; move what both sides need to a file below them"]
        );
    }

    #[test]
    fn two_circles_are_two_findings() {
        assert_eq!(findings(&[("a", "b"), ("b", "a"), ("c", "d"), ("d", "c"), ("a", "c")]).len(), 2);
    }
}
