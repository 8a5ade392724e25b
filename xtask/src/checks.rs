//! What can be said of the sources without running them: formatting, lints, types, licences. The fastest come first.

use std::fmt;
use std::process::Command;

use crate::parts::{cargo, root, run, succeeds};
use crate::tally::Tally;
use crate::{kit, tidy};

/// One check, and the name under which its result is printed.
struct Check {
    name: &'static str,
    run: fn() -> Result<Outcome, String>,
}

enum Outcome {
    Good,
    /// A program that it needs is not on this machine.
    Skipped(String),
}

const CHECKS: [Check; 6] = [
    Check { name: "layout of the Rust sources (cargo fmt)", run: rust_layout },
    Check { name: "order of the repository (tidy)", run: tidiness },
    Check { name: "layout of the scripts (dprint)", run: script_layout },
    Check { name: "types of the scripts (tsc)", run: types },
    Check { name: "licences, sources and versions of crates (cargo deny)", run: crates },
    Check { name: "lints (cargo clippy)", run: lints },
];

/// Runs all of them, whether or not one fails, and counts each as a test.
pub fn run_all() -> Tally {
    let mut tally = Tally::default();
    for check in &CHECKS {
        let result = (check.run)();
        println!("{}: {}", check.name, Verdict(&result));
        match result {
            Ok(Outcome::Good) => tally.passed += 1,
            Ok(Outcome::Skipped(_)) => {}
            Err(_) => tally.failed += 1,
        }
    }
    tally
}

struct Verdict<'a>(&'a Result<Outcome, String>);

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Ok(Outcome::Good) => write!(f, "ok"),
            Ok(Outcome::Skipped(why)) => write!(f, "skipped, {why}"),
            Err(why) => write!(f, "FAILED, {why}"),
        }
    }
}

/// Formats all sources.
pub fn format() -> Result<(), String> {
    run(cargo().args(["fmt", "--all"]))?;
    kit::npm_packages(&root().join("e2e"))?;
    run(kit::npm_program("dprint").arg("fmt").current_dir(root()))
}

fn rust_layout() -> Result<Outcome, String> {
    run(cargo().args(["fmt", "--all", "--check"])).map_err(|why| format!("{why}; `cargo fmt` lays them out"))?;
    Ok(Outcome::Good)
}

fn tidiness() -> Result<Outcome, String> {
    let findings = tidy::check(&root())?;
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() { Ok(Outcome::Good) } else { Err(format!("{} to mend", findings.len())) }
}

fn script_layout() -> Result<Outcome, String> {
    kit::npm_packages(&root().join("e2e"))?;
    run(kit::npm_program("dprint").args(["check", "--list-different"]).current_dir(root()))
        .map_err(|why| format!("{why}; `cargo xtask format` lays them out"))?;
    Ok(Outcome::Good)
}

/// Type-checks the scripts of `client`, `e2e` and `packages`. What the declarations of the package promise is checked
/// by `packages/rekindle/test`.
fn types() -> Result<Outcome, String> {
    kit::npm_packages(&root().join("e2e"))?;
    for folder in ["client", "e2e", "packages"] {
        run(kit::npm_program("tsc").args(["--project", folder]).current_dir(root()))?;
    }
    Ok(Outcome::Good)
}

/// Checks the crates by `deny.toml`. The advisory database comes from the network; without it only advisories are left
/// unchecked.
fn crates() -> Result<Outcome, String> {
    let Some(deny) = kit::cargo_deny() else {
        let why = "cargo-deny is not installed: `cargo install cargo-deny --locked` brings it".to_owned();
        return Ok(Outcome::Skipped(why));
    };
    let deny = || {
        let mut command = Command::new(&deny);
        command.current_dir(root());
        command
    };
    let mut check = deny();
    check.args(["--log-level", "error", "check", "licenses", "bans", "sources"]);
    if succeeds(deny().args(["fetch", "db"])) {
        check.arg("advisories");
    } else {
        println!("the database of advisories cannot be reached: they are not checked");
    }
    run(&mut check)?;
    Ok(Outcome::Good)
}

fn lints() -> Result<Outcome, String> {
    // The profile of the tests, so that build scripts and macros compiled for them are reused.
    let arguments = ["clippy", "--quiet", "--release", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    run(cargo().args(arguments))?;
    Ok(Outcome::Good)
}
