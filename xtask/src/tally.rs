//! How many tests passed and failed, read from what the runners print.
//!
//!     test result: ok. 12 passed; 0 failed; …                       cargo test
//!     Summary [ 1.2s] 30 tests run: 29 passed, 1 failed, 2 skipped  cargo nextest
//!     ℹ pass 7                                                      node --test

use std::fmt;
use std::ops::AddAssign;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: usize,
    pub failed: usize,
}

impl Tally {
    /// Of a part that could not run, or ended with an error and no failed test.
    pub fn broken() -> Self {
        Self { passed: 0, failed: 1 }
    }

    /// Something ran and nothing failed.
    pub fn is_good(self) -> bool {
        self.failed == 0 && self.passed > 0
    }

    /// Adds the counts in a line of a runner's output; most lines have none.
    pub fn read(&mut self, line: &str) {
        let line = line.trim();
        if let Some(counts) = line.strip_prefix("ℹ ").or_else(|| line.strip_prefix("# ")) {
            match counts.split_once(' ') {
                Some(("pass", number)) => self.passed += number.parse().unwrap_or(0),
                Some(("fail" | "cancelled", number)) => self.failed += number.parse().unwrap_or(0),
                _ => {}
            }
        } else if line.starts_with("test result: ") || (line.starts_with("Summary [") && line.contains(" run: ")) {
            self.passed += number_before(line, "passed");
            self.failed += number_before(line, "failed") + number_before(line, "timed out");
        }
    }
}

/// `3` for `3 failed`.
fn number_before(line: &str, word: &str) -> usize {
    let Some((before, _)) = line.split_once(&format!(" {word}")) else { return 0 };
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(printed: &str, expected: &str) {
        let mut tally = Tally::default();
        printed.lines().for_each(|line| tally.read(line));
        assert_eq!(tally.to_string(), expected);
    }

    #[test]
    fn cargo_test_counts_each_crate() {
        check(
            "running 2 tests\ntest a ... ok\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
             test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s",
            "5 passed, 1 failed",
        );
    }

    #[test]
    fn nextest_has_one_summary() {
        check("     Summary [   0.012s] 4 tests run: 4 passed, 0 skipped", "4 passed, 0 failed");
        check(
            "     Summary [   1.5s] 5 tests run: 3 passed (1 slow), 1 failed, 1 timed out, 2 skipped",
            "3 passed, 2 failed",
        );
        check("     Summary [   0.1s] 1 test run: 1 passed, 0 skipped", "1 passed, 0 failed");
    }

    #[test]
    fn node_counts_cancelled_tests_as_failed() {
        check("ℹ tests 4\nℹ pass 2\nℹ fail 1\nℹ cancelled 1\nℹ skipped 0", "2 passed, 2 failed");
        check("# tests 1\n# pass 1\n# fail 0", "1 passed, 0 failed");
    }

    #[test]
    fn other_lines_say_nothing() {
        check("the tab says: 3 passed, 4 failed\n✔ 5 pass 6", "0 passed, 0 failed");
    }
}
