//! Scripts: what a file, its package.json and its tsconfig.json say goes into one definition.

use std::sync::Arc;

use rekindle_graph::paths::is_in_package;
use rekindle_graph::{Definition, Diagnostic, FilePath, ModuleUrl, digest};

use super::Compiler;
use crate::kind::{extension, is_compiled_as_script};
use crate::project::tsconfig::TsOptions;
use crate::resolve::packages::PackageKind;
use crate::script::builtin;
use crate::script::builtin::{EMPTY_URL, HELPER_URL, NODE_URL};
use crate::script::compile::compile_script;
use crate::script::input::{Format, Interop, ScriptInput};
use crate::source::Source;

/// A script with all that decides what it is compiled to.
pub(crate) struct LoadedScript {
    pub text: String,
    options: TsOptions,
    context: ScriptContext,
}

/// What a script is compiled with besides its text and its tsconfig.json.
#[derive(Clone, Copy, Debug, Default)]
struct ScriptContext {
    format: Format,
    interop: Interop,
    /// Its components are registered for a refresh.
    refresh: bool,
}

impl Compiler {
    pub(super) fn script(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        source: &Source,
        files: &mut Vec<FilePath>,
    ) -> Result<Definition, Vec<Diagnostic>> {
        let script = self.load_script(url, file, source, files)?;
        let hash = self.script_digest(&script, url);
        if let Some(mut known) = self.cache.get(&hash) {
            known.files.clone_from(files);
            return Ok(known);
        }
        let display = self.display(file.as_path());
        let output = compile_script(&self.script_input(&script, url, &display))?;
        let definition = output.into_definition(hash, files.clone());
        self.cache.keep(url, &definition);
        Ok(definition)
    }

    /// Reads a script and what is said of it elsewhere. The files that were read for that go to `files`.
    pub(crate) fn load_script(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        source: &Source,
        files: &mut Vec<FilePath>,
    ) -> Result<LoadedScript, Vec<Diagnostic>> {
        let text = self.script_text(url, file, source)?;
        let options = self.script_options(url, file, files)?;
        Ok(LoadedScript { text, options, context: self.script_context(url, file, source) })
    }

    /// What is known of a script without its text: from its name and the package.json above it.
    fn script_context(&self, url: &ModuleUrl, file: &FilePath, source: &Source) -> ScriptContext {
        let path = match url.path() {
            NODE_URL | EMPTY_URL => {
                return ScriptContext { format: Format::CommonJs, interop: Interop::Node, refresh: false };
            }
            helper if helper.starts_with(HELPER_URL) => return ScriptContext::default(),
            _ => file.as_path(),
        };
        let package = self.resolver.packages.nearest(path);
        let kind = package.as_ref().map(|package| package.kind).unwrap_or_default();
        let extension = if matches!(source, Source::Inline { .. }) { String::new() } else { extension(url.path()) };
        let interop = match (extension.as_str(), kind) {
            ("mjs" | "mts", _) => Interop::Node,
            ("cjs" | "cts", _) => Interop::BabelIfStatic,
            (_, PackageKind::Module) => Interop::Node,
            (_, PackageKind::CommonJs) => Interop::BabelIfStatic,
            (_, PackageKind::Unstated) => Interop::Babel,
        };
        // Files of the project are CommonJS only if their extension says so; the others are modules, as for a browser.
        let is_of_project = || package.as_ref().is_none_or(|package| self.root.starts_with(&package.folder));
        let format = match extension.as_str() {
            "cjs" | "cts" => Format::CommonJs,
            "js" if !is_in_package(path) && is_of_project() => Format::Module,
            "js" if kind == PackageKind::Module => Format::Open,
            "js" => Format::CommonJs,
            _ => Format::Module,
        };
        ScriptContext { format, interop, refresh: self.refreshes(file, source) }
    }

    pub(crate) fn script_text(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        source: &Source,
    ) -> Result<String, Vec<Diagnostic>> {
        match (builtin::source(url), source) {
            (Some(helper), _) => Ok(helper.into_owned()),
            (None, Source::Inline { text, .. }) => Ok(text.clone()),
            (None, Source::File) => self.read_text(file),
        }
    }

    /// What tsconfig.json says about a script. The files that say it, or are wrong, go to `files`.
    fn script_options(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        files: &mut Vec<FilePath>,
    ) -> Result<TsOptions, Vec<Diagnostic>> {
        let has_types = matches!(extension(url.path()).as_str(), "ts" | "mts" | "cts" | "tsx" | "jsx");
        let mut options = TsOptions::default();
        if has_types {
            match self.tsconfigs.nearest(file.as_path(), self.left_out()) {
                Ok((found, read)) => {
                    options = found;
                    files.extend(read);
                }
                Err(bad) => {
                    files.extend(bad.files.into_iter().map(FilePath::new));
                    return Err(vec![*bad.diagnostic]);
                }
            }
        }
        if options.jsx_import_source.is_none() {
            let of_framework = || self.framework().jsx_import_source().map(str::to_owned);
            options.jsx_import_source = self.jsx_import_source.clone().or_else(of_framework);
        }
        Ok(options)
    }

    /// Whether a script's components are registered: those of the project, and of packages linked into it.
    pub(super) fn refreshes(&self, file: &FilePath, source: &Source) -> bool {
        let is_own = matches!(source, Source::File) && file.as_path().is_absolute() && !is_in_package(file.as_path());
        self.framework().refreshes() && is_own && !self.production
    }

    /// The input of the script compiler. `display` names the script in diagnostics and source maps.
    pub(crate) fn script_input<'a>(
        &'a self,
        script: &'a LoadedScript,
        url: &'a ModuleUrl,
        display: &'a str,
    ) -> ScriptInput<'a> {
        let ScriptContext { format, interop, refresh } = script.context;
        ScriptInput {
            source: &script.text,
            url: url.as_str(),
            display,
            options: &script.options,
            defines: &self.defines,
            format,
            interop,
            source_map: false,
            refresh,
            production: self.production,
        }
    }

    /// Equal digests compile to the same text.
    fn script_digest(&self, script: &LoadedScript, url: &ModuleUrl) -> Arc<str> {
        let LoadedScript { text, options, context } = script;
        let options = format!("{options:?}{context:?}{}", self.defines.digest_of(text));
        digest(&[text.as_bytes(), url.as_str().as_bytes(), options.as_bytes()])
    }

    /// The source map of a definition's text: a script's, if the file still is what it was made from; of any other kind
    /// one that leads to the beginning of the file, since its text is a value and not code of the user's.
    pub fn source_map(&self, url: &ModuleUrl, file: &FilePath, source: &Source, hash: &str) -> Option<String> {
        if !is_compiled_as_script(url, source) {
            let text = self.read_text(file).ok();
            let map = serde_json::json!({
                "version": 3,
                "sources": [url],
                "sourcesContent": [text],
                "names": [],
                "mappings": ";AAAA",
            });
            return Some(map.to_string());
        }
        let script = self.load_script(url, file, source, &mut Vec::new()).ok()?;
        if *self.script_digest(&script, url) != *hash {
            return None;
        }
        let input = self.script_input(&script, url, url.as_str());
        compile_script(&ScriptInput { source_map: true, ..input }).ok()?.map
    }
}
