//! `[build]` of `rekindle.toml`, and the flags of `rekindle build`.
//!
//! ```toml
//! [build]
//! out_dir = "../public/app"
//! empty_out_dir = true
//! target = ["chrome111", "safari16.4"]
//! sourcemap = "hidden"
//! ```

use rekindle_compile::plain::build_settings::Input;
use rekindle_graph::Diagnostic;
use rekindle_server::config::{BuildSettings, Config, LegalComments, SourceMaps};

use super::{DeValue, Path, PathBuf, Reader, Table, folder_name, join};
use crate::flags::BuildFlags;

pub(super) const BUILD: &[&str] = &[
    "out_dir",
    "assets_dir",
    "assets_inline_limit",
    "target",
    "css_target",
    "minify",
    "css_minify",
    "sourcemap",
    "manifest",
    "empty_out_dir",
    "css_code_split",
    "copy_public_dir",
    "report_compressed_size",
    "chunk_size_warning_limit",
    "module_preload",
    "legal_comments",
    "input",
];

/// Where `manifest = true` puts it.
pub(crate) const MANIFEST: &str = ".vite/manifest.json";

impl Reader<'_> {
    pub(super) fn build(&mut self, top: &Table<'_, '_>, root: &Path, to: &mut BuildSettings) {
        let Some(build) = self.table(top, "build", BUILD) else { return };
        if let Some(folder) = self.checked(&build, "out_dir", folder_name) {
            to.out_dir = join(root, &folder);
        }
        if let Some(folder) = self.checked(&build, "assets_dir", below_output) {
            to.assets_dir = folder;
        }
        if let Some(limit) = self.number(&build, "assets_inline_limit", 0..=1 << 30, "a number of bytes") {
            to.assets_inline_limit = limit as u64;
        }
        if let Some(target) = self.target(&build, "target") {
            to.target = target;
        }
        to.css_target = self.target(&build, "css_target").or(to.css_target.take());
        for (key, flag) in [
            ("minify", &mut to.minify),
            ("css_code_split", &mut to.css_code_split),
            ("copy_public_dir", &mut to.copy_public_dir),
            ("report_compressed_size", &mut to.report_compressed_size),
            ("module_preload", &mut to.module_preload),
        ] {
            if let Some(wanted) = self.boolean(&build, key) {
                *flag = wanted;
            }
        }
        to.css_minify = self.boolean(&build, "css_minify").or(to.css_minify);
        to.empty_out_dir = self.boolean(&build, "empty_out_dir").or(to.empty_out_dir);
        if let Some(manifest) =
            self.text_or_switch(&build, "manifest", "a file name, or true for the usual one", MANIFEST)
        {
            to.manifest = manifest;
        }
        if let Some(maps) = self.text_or_switch(&build, "sourcemap", SOURCEMAP, "file") {
            match maps.as_deref().map_or(Some(SourceMaps::None), source_maps) {
                Some(maps) => to.sourcemap = maps,
                None => self.wrong(&build, "sourcemap", &format!("`build.sourcemap` is {SOURCEMAP}")),
            }
        }
        if let Some(limit) = self.number(&build, "chunk_size_warning_limit", 0..=1 << 30, "a number of kB") {
            to.chunk_size_warning_limit = limit as u64;
        }
        let comments = [("inline", LegalComments::Inline), ("none", LegalComments::None)];
        if let Some(comments) = self.choice(&build, "legal_comments", &comments) {
            to.legal_comments = comments;
        }
        if let Some(inputs) = self.inputs(&build) {
            to.input = inputs;
        }
    }

    /// A list of files, or a table of them by the names of their chunks.
    fn inputs(&mut self, build: &Table<'_, '_>) -> Option<Vec<Input>> {
        let Some(named) = build.get("input")?.get_ref().as_table() else {
            let files = self.each_text(build, "input", below_output)?;
            return Some(files.into_iter().map(|file| PathBuf::from(file).into()).collect());
        };
        let table = Table { name: "build.input".to_owned(), table: named };
        let names: Vec<String> = named.iter().map(|(name, _)| name.get_ref().to_string()).collect();
        let input = |name: String| {
            let path = self.checked(&table, &name, below_output)?;
            Some(Input { name: Some(name), path: path.into() })
        };
        Some(names.into_iter().filter_map(input).collect())
    }

    /// One target, or a list of them.
    fn target(&mut self, build: &Table<'_, '_>, key: &str) -> Option<Vec<String>> {
        let is_text = matches!(build.get(key)?.get_ref(), DeValue::String(_));
        let names = if is_text {
            vec![self.checked(build, key, target_name)?]
        } else {
            self.each_text(build, key, target_name)?
        };
        Some(names.iter().flat_map(|name| of_name(name)).collect())
    }

    fn wrong(&mut self, table: &Table<'_, '_>, key: &str, message: &str) {
        if let Some(value) = table.get(key) {
            self.problem(value.span(), message, None);
        }
    }
}

const SOURCEMAP: &str = "true, false, \"inline\" or \"hidden\"";

fn source_maps(name: &str) -> Option<SourceMaps> {
    Some(match name {
        "file" => SourceMaps::File,
        "inline" => SourceMaps::Inline,
        "hidden" => SourceMaps::Hidden,
        _ => return None,
    })
}

pub(crate) fn target_name(name: &str) -> Result<String, String> {
    match name {
        WIDELY_AVAILABLE => Ok(name.to_owned()),
        name => rekindle_build::check_target(name),
    }
}

const WIDELY_AVAILABLE: &str = "baseline-widely-available";

/// The browsers that a target stands for.
pub(crate) fn of_name(name: &str) -> Vec<String> {
    match name {
        WIDELY_AVAILABLE => rekindle_compile::plain::build_settings::BASELINE.map(str::to_owned).to_vec(),
        name => vec![name.to_owned()],
    }
}

/// A path that stays below the folder it is joined to.
pub(crate) fn below_output(path: &str) -> Result<String, String> {
    let path = path.trim_start_matches("./").trim_matches('/');
    if path.split(['/', '\\']).any(|part| part == "..") {
        Err("the path leads out of the folder".to_owned())
    } else {
        Ok(path.to_owned())
    }
}

/// What the command line says wins.
pub(super) fn apply_flags(flags: &BuildFlags, config: &mut Config) -> Result<(), Diagnostic> {
    let root = config.root.clone();
    let build = &mut config.build;
    if let Some(folder) = &flags.out_dir {
        build.out_dir = rekindle_graph::paths::normal(&join(&root, folder));
    }
    if let Some(minify) = flags.minify() {
        build.minify = minify;
    }
    if let Some(maps) = &flags.sourcemap {
        build.sourcemap = match maps.as_str() {
            "true" => SourceMaps::File,
            "false" => SourceMaps::None,
            name => source_maps(name)
                .filter(|_| name != "file")
                .ok_or_else(|| Diagnostic::error(format!("--sourcemap: `{name}` is none of {SOURCEMAP}")))?,
        };
    }
    if flags.no_sourcemap {
        build.sourcemap = SourceMaps::None;
    }
    let said = |flag: &str, message: String| Diagnostic::error(format!("--{flag}: {message}"));
    if let Some(name) = &flags.target {
        build.target = of_name(&target_name(name).map_err(|message| said("target", message))?);
    }
    if let Some(folder) = &flags.assets_dir {
        build.assets_dir = below_output(folder).map_err(|message| said("assets-dir", message))?;
    }
    if let Some(limit) = flags.assets_inline_limit {
        build.assets_inline_limit = limit;
    }
    if flags.empty_out_dir {
        build.empty_out_dir = Some(true);
    }
    if flags.no_empty_out_dir {
        build.empty_out_dir = Some(false);
    }
    match flags.manifest.as_deref() {
        None if flags.no_manifest => build.manifest = None,
        None | Some("false") => {}
        Some("true") => build.manifest = Some(MANIFEST.to_owned()),
        Some(name) => build.manifest = Some(below_output(name).map_err(|message| said("manifest", message))?),
    }
    Ok(())
}
