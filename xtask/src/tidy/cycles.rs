//! Import cycles: files that import each other, directly or through others.
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

/// Gives one finding for each import cycle: the shortest cycle through each file that is not part of a cycle reported
/// before.
pub fn find(imports: &Imports, root: &Path) -> Vec<String> {
    let mut next: BTreeMap<&Path, BTreeMap<&Path, usize>> = BTreeMap::new();
    for import in imports.iter().filter(|import| import.from != import.to) {
        next.entry(&import.from).or_default().entry(&import.to).or_insert(import.line);
    }
    let mut reported: BTreeSet<&Path> = BTreeSet::new();
    let mut findings = Vec::new();
    for &start in next.keys() {
        if reported.contains(start) {
            continue;
        }
        let Some(cycle) = shortest_cycle(start, &next) else { continue };
        reported.extend(&cycle);
        let step = |(at, from): (usize, &&Path)| {
            let to = cycle[(at + 1) % cycle.len()];
            format!("{}:{} uses {}", shown(from, root), next[*from][to], shown(to, root))
        };
        let steps: Vec<String> = cycle.iter().enumerate().map(step).collect();
        findings.push(format!("an import cycle: {}; move what both sides need to a file below them", steps.join(", ")));
    }
    findings
}

/// The shortest import cycle through a file, if there is one: its files in order.
fn shortest_cycle<'p>(start: &'p Path, next: &BTreeMap<&'p Path, BTreeMap<&'p Path, usize>>) -> Option<Vec<&'p Path>> {
    let mut came_from: BTreeMap<&Path, &Path> = BTreeMap::new();
    let mut waiting = VecDeque::from([start]);
    while let Some(file) = waiting.pop_front() {
        for &to in next.get(file).into_iter().flat_map(BTreeMap::keys) {
            if to == start {
                let mut cycle = vec![file];
                while let Some(&before) = cycle.last().and_then(|last| came_from.get(last)) {
                    cycle.push(before);
                }
                cycle.reverse();
                return Some(cycle);
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
    fn a_line_of_imports_is_no_cycle() {
        assert_eq!(findings(&[("a", "b"), ("a", "c"), ("b", "c"), ("c", "d"), ("a", "a")]), Vec::<String>::new());
    }

    #[test]
    fn a_cycle_is_reported_once_with_its_lines() {
        let found = findings(&[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")]);
        assert_eq!(
            found,
            ["an import cycle: a:1 uses b, b:2 uses c, c:3 uses a; move what both sides need to a file below them"]
        );
    }

    #[test]
    fn two_cycles_are_two_findings() {
        assert_eq!(findings(&[("a", "b"), ("b", "a"), ("c", "d"), ("d", "c"), ("a", "c")]).len(), 2);
    }
}
