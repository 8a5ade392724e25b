//! Reads the default export of a configuration file without running it.
//!
//! ```text
//! const port = 3000                                   { base: "/app/",
//! export default defineConfig(({ mode }) => ({    →     server: { port: 3000 },
//!   base: `/${'app'}/`,                                 plugins: [call of react of "@vitejs/plugin-react"],
//!   server: { port },                                   define: unknown, line 6 }
//!   plugins: [react()],
//!   define: compute(),
//! }))
//! ```
//!
//! What depends on more than the file and what it plainly names (JSON files, `.env` files, variables of the environment) is
//! [`Value::Unknown`], never a guess. `script/evaluator.rs` holds what is known while a file is read; the files beside it say
//! what expressions give, what calls give, where statements lead, and what writes change.

mod calls;
mod config_env;
mod evaluator;
mod expressions;
mod functions;
mod operators;
mod patterns;
mod statements;
mod writes;

use std::path::{Path, PathBuf};

use oxc_allocator::Allocator;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::SourceType;
use rekindle_compile::files::file;
use rekindle_compile::script::compile::diagnostic;
use rekindle_compile::script::nesting::{COMPILE_STACK, too_deep};
use rekindle_graph::Diagnostic;

#[cfg(doc)]
use crate::value::Value;
use crate::value::{Item, Place};
use evaluator::Evaluator;

pub use config_env::ConfigEnv;

/// The default export, and the files that had a part in it.
#[derive(Clone, Debug, PartialEq)]
pub struct StaticConfig {
    /// The default export.
    pub value: Item,
    /// Files that were read for it.
    pub files: Vec<PathBuf>,
    /// What the file changes later on in a way that is not known: its code, and the place.
    pub lost: Vec<(String, Place)>,
}

/// Why nothing is known of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum ReadFailure {
    /// It has a mistake: nobody can run it.
    Broken(Diagnostic),
    /// It is beyond us, in a sentence.
    Unclear(String),
}

impl From<&str> for ReadFailure {
    fn from(reason: &str) -> Self {
        Self::Unclear(reason.to_owned())
    }
}

/// Evaluates a file.
///
/// # Errors
/// It cannot be read or parsed, exports nothing by default, or computes more than can be followed.
pub fn evaluate(file: &Path, config_env: ConfigEnv<'_>) -> Result<StaticConfig, ReadFailure> {
    // The parser is recursive, and a stack overflow cannot be caught.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(COMPILE_STACK);
        let started = thread.spawn_scoped(scope, || evaluate_here(file, config_env));
        let evaluated = started.map_err(|error| ReadFailure::Unclear(format!("it cannot be read: {error}")))?.join();
        evaluated.unwrap_or_else(|_| Err("rekindle ran into a bug of its own with it".into()))
    })
}

fn evaluate_here(file: &Path, config_env: ConfigEnv<'_>) -> Result<StaticConfig, ReadFailure> {
    let shown = file.strip_prefix(config_env.folder).unwrap_or(file).display().to_string();
    let unreadable = |error| Diagnostic::error(format!("it cannot be read: {error}")).in_file(&shown);
    let source = file::read_text(file).map_err(|error| ReadFailure::Broken(unreadable(error)))?;
    if too_deep(&source).is_some() {
        return Err("it is nested too deeply".into());
    }
    let allocator = Allocator::default();
    let source_type = SourceType::from_path(file).unwrap_or_else(|_| SourceType::mjs()).with_module(true);
    let options =
        ParseOptions { preserve_parens: false, allow_return_outside_function: true, ..ParseOptions::default() };
    let parsed = Parser::new(&allocator, &source, source_type).with_options(options).parse();
    if let Some(error) = parsed.diagnostics.errors().next() {
        return Err(ReadFailure::Broken(diagnostic(error, &shown, &source)));
    }
    let mut evaluator = Evaluator::new(&source, file, config_env);
    let finished = evaluator.program(&parsed.program).map(|export| {
        let answer = evaluator.answer(export);
        evaluator.finish(answer)
    });
    if !evaluator.has_steps(1) {
        return Err("it computes more than can be followed".into());
    }
    let (value, lost) = finished.ok_or(ReadFailure::from("it has no default export"))?;
    Ok(StaticConfig { value, files: evaluator.files, lost })
}
