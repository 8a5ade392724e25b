//! What goes into the compiler of scripts and comes out of it.

use std::sync::Arc;

use oxc_ast::ast::Program;
use oxc_semantic::Scoping;
use rekindle_graph::{Definition, Dep, EnvReads, FilePath, GlobCall};

use crate::project::defines::Defines;
use crate::project::tsconfig::TsOptions;

/// One script to compile.
pub struct ScriptInput<'a> {
    pub source: &'a str,
    /// Its name in the browser; the extension decides about types and JSX.
    pub url: &'a str,
    /// How the user knows the file, for diagnostics and source maps.
    pub display: &'a str,
    pub options: &'a TsOptions,
    pub defines: &'a Defines,
    pub format: Format,
    /// How its imports see CommonJS modules.
    pub interop: Interop,
    pub source_map: bool,
    /// Components and hooks are registered for a refresh runtime.
    pub refresh: bool,
    /// JSX calls the functions of production.
    pub production: bool,
}

/// What a script without module syntax is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Module,
    /// In a package of ES modules: CommonJS if it uses `module`, `exports` or `require` all the same.
    Open,
    CommonJs,
}

/// The parts of a [`rekindle_graph::Definition`] that come from a script.
pub struct ScriptOutput {
    pub code: String,
    pub deps: Vec<Dep>,
    pub globs: Vec<GlobCall>,
    pub exports: Vec<String>,
    pub stars: Vec<usize>,
    pub env: EnvReads,
    /// There is an `import()` whose specifier is only known when it runs.
    pub imports_by_name: bool,
    /// Source map (JSON) of `code`, if it was asked for.
    pub map: Option<String>,
}

impl ScriptOutput {
    /// The definition with this digest, made with the help of `files`.
    pub(crate) fn into_definition(self, hash: Arc<str>, files: Vec<FilePath>) -> Definition {
        let Self { code, deps, globs, exports, stars, env, imports_by_name, map: _ } = self;
        Definition { code: code.into(), hash, deps, globs, exports, stars, env, files, imports_by_name, sheet: None }
    }
}

/// What an importer gets as `default` of a CommonJS module. An importer that says it is an ES module for Node (`.mjs`,
/// `"type": "module"`) gets `module.exports`; others get `exports.default` if the module was compiled from an ES module. As in Vite 8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interop {
    #[default]
    Node,
    Babel,
    /// For files that say they are CommonJS: `Node` for their `import()`s, `Babel` for the rest.
    BabelIfStatic,
}

/// How a script is to be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Module,
    /// `sloppy`: strict mode refuses it.
    CommonJs {
        sloppy: bool,
    },
}

/// A parsed file with its symbols.
pub(crate) struct ParsedScript<'a> {
    pub program: Program<'a>,
    pub scoping: Scoping,
    pub has_module_syntax: bool,
}
