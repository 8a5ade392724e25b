//! The flags of each command as a request for settings. What can be set, and how its sources are laid over each other, is in
//! `rekindle_config`.
//!
//! ```text
//! rekindle build app --out-dir public --minify=false   →   root app; build.out_dir = "public", build.minify = false
//! ```

use std::ffi::OsStr;
use std::path::PathBuf;

use rekindle_config::value::Value;
use rekindle_config::{Command, Flag, Request};
use rekindle_graph::Diagnostic;

use crate::flags::{BuildFlags, DevFlags, PreviewFlags};

pub use rekindle_config::Settings;

/// Set by the launcher of the npm package: the folder of that package.
pub const PACKAGE_VARIABLE: &str = "REKINDLE_NPM_PACKAGE";

/// The settings for these flags, or every mistake found.
pub fn read(flags: &DevFlags) -> Result<Settings, Vec<Diagnostic>> {
    rekindle_config::read(&of_dev(flags))
}

/// The same, with the files whose edit may change the settings or mend them.
pub fn read_with_files(flags: &DevFlags) -> (Result<Settings, Vec<Diagnostic>>, Vec<PathBuf>) {
    rekindle_config::read_with_files(&of_dev(flags))
}

/// The same for a preview. Its mode is that of builds.
pub fn read_preview(flags: &PreviewFlags) -> Result<Settings, Vec<Diagnostic>> {
    let mut settings = rekindle_config::read(&of_preview(flags))?;
    settings.notes.clear(); // They are about the sources.
    Ok(settings)
}

/// The settings of a build, or every mistake found.
pub fn read_for_build(flags: &BuildFlags) -> Result<Settings, Vec<Diagnostic>> {
    rekindle_config::read(&of_build(flags))
}

/// Flags that were given, as values of keys.
#[derive(Default)]
struct FlagValues(Vec<Flag>);

impl FlagValues {
    fn text(&mut self, key: &'static str, text: Option<&str>) {
        self.0.extend(text.map(|text| Flag { key, value: Value::Text(text.to_owned()) }));
    }

    /// A text, or `true` and `false` as words.
    fn word(&mut self, key: &'static str, word: Option<&str>) {
        let value = |word: &str| match word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            text => Value::Text(text.to_owned()),
        };
        self.0.extend(word.map(|word| Flag { key, value: value(word) }));
    }

    fn path(&mut self, key: &'static str, path: Option<&PathBuf>) {
        self.text(key, path.map(|path| path.as_os_str()).map(OsStr::to_string_lossy).as_deref());
    }

    fn number(&mut self, key: &'static str, number: Option<u64>) {
        self.0.extend(number.map(|number| Flag { key, value: Value::Number(number as f64) }));
    }

    fn switch(&mut self, key: &'static str, is_on: Option<bool>) {
        self.0.extend(is_on.map(|is_on| Flag { key, value: Value::Bool(is_on) }));
    }
}

/// A flag that can only be given, not denied.
fn given(flag: bool) -> Option<bool> {
    flag.then_some(true)
}

fn of_dev(flags: &DevFlags) -> Request {
    let mut sets = FlagValues::default();
    sets.number("server.port", flags.port.map(u64::from));
    sets.text("server.host", flags.host.as_deref());
    sets.switch("server.strict_port", given(flags.strict_port));
    sets.text("server.open", flags.open.as_deref());
    sets.switch("server.https", given(flags.https));
    sets.text("base", flags.base.as_deref());
    sets.text("mode", flags.mode.as_deref());
    Request {
        root: flags.root.clone(),
        config: flags.config.clone(),
        vite_config: flags.vite_config.clone(),
        mode: flags.mode.clone(),
        command: Command::Serve,
        flags: sets.0,
    }
}

fn of_preview(flags: &PreviewFlags) -> Request {
    let mode = flags.mode.clone().unwrap_or_else(|| "production".to_owned());
    let mut sets = FlagValues::default();
    sets.number("preview.port", flags.port.map(u64::from));
    sets.text("preview.host", flags.host.as_deref());
    sets.switch("preview.strict_port", given(flags.strict_port));
    sets.text("preview.open", flags.open.as_deref());
    sets.switch("preview.https", given(flags.https));
    sets.text("base", flags.base.as_deref());
    sets.text("mode", Some(&mode));
    sets.path("build.out_dir", flags.out_dir.as_ref());
    Request {
        root: flags.root.clone(),
        config: flags.config.clone(),
        vite_config: flags.vite_config.clone(),
        mode: Some(mode),
        command: Command::Serve,
        flags: sets.0,
    }
}

fn of_build(flags: &BuildFlags) -> Request {
    let mut sets = FlagValues::default();
    sets.text("base", flags.base.as_deref());
    sets.text("mode", flags.mode.as_deref());
    sets.path("build.out_dir", flags.out_dir.as_ref());
    sets.switch("build.minify", flags.minify());
    sets.word("build.sourcemap", flags.sourcemap.as_deref());
    sets.switch("build.sourcemap", flags.no_sourcemap.then_some(false));
    sets.text("build.target", flags.target.as_deref());
    sets.text("build.assets_dir", flags.assets_dir.as_deref());
    sets.number("build.assets_inline_limit", flags.assets_inline_limit);
    sets.switch("build.empty_out_dir", given(flags.empty_out_dir));
    sets.switch("build.empty_out_dir", flags.no_empty_out_dir.then_some(false));
    // `--manifest=false` leaves the matter to the settings; only `--no-manifest` denies it.
    sets.word("build.manifest", flags.manifest.as_deref().filter(|name| *name != "false"));
    sets.switch("build.manifest", flags.no_manifest.then_some(false));
    Request {
        root: flags.root.clone(),
        config: flags.config.clone(),
        vite_config: flags.vite_config.clone(),
        mode: flags.mode.clone(),
        command: Command::Build,
        flags: sets.0,
    }
}

#[cfg(test)]
mod tests;
