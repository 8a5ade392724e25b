//! Styles: what the project's tools make of a file, and where its imports are found.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rekindle_graph::paths::{is_in_package, normal};
use rekindle_graph::{Definition, DepKind, Diagnostic, FilePath, ModuleUrl};

use super::Compiler;
use crate::files::{file, lookups};
use crate::kind::{StyleUse, is_style_module};
use crate::resolve::resolver::Resolved;
use crate::style;
use crate::style::compile_style;
use crate::style::definition::style_definition;
use crate::style::sheet::{StyleError, StyleInput, StyleOutput};

impl Compiler {
    pub(super) fn style(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        files: &mut Vec<FilePath>,
    ) -> Result<Definition, Vec<Diagnostic>> {
        let (output, kind) = self.style_output(url, file, files)?;
        let mut definition = style_definition(&output, kind);
        definition.files = files.clone();
        Ok(definition)
    }

    /// The sheet that a module stands for, and what is done with it.
    pub(crate) fn style_output(
        &self,
        url: &ModuleUrl,
        file: &FilePath,
        files: &mut Vec<FilePath>,
    ) -> Result<(StyleOutput, StyleUse), Vec<Diagnostic>> {
        let source = self.read_text(file)?;
        let output = self.compile_css(file, &source, is_style_module(url.path()), files)?;
        Ok((output, StyleUse::of(url)))
    }

    pub(super) fn compile_css(
        &self,
        file: &FilePath,
        source: &str,
        modules: bool,
        files: &mut Vec<FilePath>,
    ) -> Result<StyleOutput, Vec<Diagnostic>> {
        let display = |path: &Path| self.display(path);
        let resolve_import =
            |language: &str, specifier: &str, from: &Path| self.resolve_style(specifier, from, language);
        let left_out = self.left_out();
        let context = style::prepare::StyleContext { left_out, display: &display, resolve: &resolve_import };
        let failed = |error: StyleError, files: &mut Vec<FilePath>| {
            files.extend(error.files);
            error.diagnostics
        };
        let prepared = self.styles.prepare(file.as_path(), source, &context).map_err(|error| failed(error, files))?;
        files.extend(prepared.files.iter().cloned().map(FilePath::new));
        // Imported and composed files may be in another language as well.
        let inner_files = Mutex::new(Vec::new());
        let note = |files: Vec<FilePath>| {
            inner_files.lock().unwrap_or_else(PoisonError::into_inner).extend(files);
        };
        let resolve = |specifier: &str, from: &Path| {
            let found = self.resolve_css(specifier, from)?;
            note(way_to_import(specifier, from, &found));
            Some(found)
        };
        let read = |path: &Path| {
            let (css, files) = self.prepare_import(path)?;
            note(files);
            css
        };
        let options = self.styles.options(left_out);
        let input = StyleInput {
            file: file.as_path(),
            source: &prepared.css,
            modules,
            options: &options,
            display: &display,
            resolve: &resolve,
            read: &read,
        };
        let own = self.display(file.as_path());
        let in_generated = |diagnostic: &Diagnostic| prepared.is_generated && diagnostic.file.as_ref() == Some(&own);
        let compiled = compile_style(&input);
        files.extend(inner_files.into_inner().unwrap_or_else(PoisonError::into_inner));
        match compiled {
            Ok(output) => {
                files.extend(output.files.iter().cloned());
                let is_foreign = |warning: &Diagnostic| {
                    in_generated(warning) || warning.file.as_ref().is_some_and(|file| file.contains("node_modules"))
                };
                let warnings = output.warnings.iter().filter(|warning| !is_foreign(warning)).cloned();
                self.styles.warn(file.as_path(), prepared.warnings.iter().cloned().chain(warnings).collect());
                Ok(output)
            }
            Err(mut error) => {
                for diagnostic in error.diagnostics.iter_mut().filter(|diagnostic| in_generated(diagnostic)) {
                    diagnostic.message.push_str(", in the CSS that this file compiles to");
                    diagnostic.place = None;
                }
                Err(failed(error, files))
            }
        }
    }

    /// The CSS of a file that a sheet imports or composes from, which may be in another language, and the files that went into it.
    fn prepare_import(&self, path: &Path) -> io::Result<(io::Result<String>, Vec<FilePath>)> {
        let text = file::read_text(path)?;
        let display = |path: &Path| self.display(path);
        let resolve = |language: &str, specifier: &str, from: &Path| self.resolve_style(specifier, from, language);
        let context = style::prepare::StyleContext { left_out: self.left_out(), display: &display, resolve: &resolve };
        Ok(match self.styles.prepare(path, &text, &context) {
            Ok(prepared) => (Ok(prepared.css), prepared.files.into_iter().map(FilePath::new).collect()),
            Err(error) => {
                let message = error.diagnostics.first().map(|diagnostic| diagnostic.message.clone());
                (Err(io::Error::other(message.unwrap_or_default())), error.files)
            }
        })
    }

    /// What a style in any language imports.
    pub(super) fn resolve_style(&self, specifier: &str, from: &Path, language: &str) -> Option<PathBuf> {
        if language == "css" {
            let bare = specifier.strip_prefix('~').map(|name| name.trim_start_matches('/'));
            return self.resolve_css(specifier, from).or_else(|| self.resolve_css(bare?, from));
        }
        let relative = from.parent()?.join(specifier);
        let found = if !specifier.starts_with('/') && relative.is_file() {
            relative.canonicalize().ok()
        } else {
            self.resolver.resolve_style(from, specifier, language)
        };
        found.or_else(|| {
            let package = specifier.strip_prefix('~').filter(|_| language == "less")?;
            self.resolver.resolve_style(from, package.trim_start_matches('/'), language)
        })
    }

    /// What a sheet names; in addresses there `a%20b.css` is the file `a b.css`.
    pub(super) fn resolve_css(&self, specifier: &str, from: &Path) -> Option<PathBuf> {
        self.resolve_css_as_written(specifier, from).or_else(|| {
            let decoded = percent_encoding::percent_decode_str(specifier).decode_utf8().ok()?;
            self.resolve_css_as_written(&decoded, from).filter(|_| decoded != specifier)
        })
    }

    pub(super) fn resolve_css_as_written(&self, specifier: &str, from: &Path) -> Option<PathBuf> {
        let relative = from.parent()?.join(specifier);
        if !specifier.starts_with('/') && relative.is_file() {
            return relative.canonicalize().ok();
        }
        if let Some(found) = self.resolver.resolve_style(from, specifier, "css") {
            return Some(found);
        }
        match self.resolver.resolve(from, specifier, DepKind::Static).ok()? {
            Resolved::File { path, .. } => Some(path.as_path().to_owned()),
            Resolved::Address(_) => self.resolver.public_file(specifier),
            Resolved::Helper(_) => None,
        }
    }
}

/// What an import that leads to the file `found` depends on besides: links that are followed, and where a file would come
/// before that one.
fn way_to_import(specifier: &str, from: &Path, found: &Path) -> Vec<FilePath> {
    let beside = normal(&from.with_file_name("").join(specifier));
    let mut way = if is_in_package(found) { Vec::new() } else { lookups::links_on_the_way(&beside, found) };
    if !specifier.starts_with(['.', '/']) && !is_in_package(from) && !beside.exists() {
        way.push(beside);
    }
    way.into_iter().map(FilePath::new).collect()
}
