//! Joins the client's TypeScript files into one script, so that a build of rekindle needs no Node and a page needs
//! one request.
//!
//! ```text
//! registry.ts: export class Registry {}            class Registry {}
//! client.ts:   import { Registry } from './registry'
//!              export function boot() {}       →   export function boot() {}
//! ```
//!
//! The files share one scope, so a name may be declared at the top of one file only.

use oxc_allocator::{Allocator, ArenaVec, TakeIn};
use oxc_ast::ast::{Program, Statement};
use oxc_ast::builder::AstBuilder;
use oxc_codegen::{Codegen, CodegenOptions, CommentOptions};
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;
use oxc_transformer::{TransformOptions, Transformer};
use rekindle_graph::Diagnostic;

/// Which files' exports the joined script has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exports {
    Last,
    /// Those of all files: for tests of the parts.
    All,
}

/// Joins `files` (name and source), dependencies first.
///
/// # Errors
/// What does not parse, with the file's name.
pub fn join_modules(files: &[(&str, &str)], exports: Exports) -> Result<String, Vec<Diagnostic>> {
    let mut script = String::new();
    for (at, (name, source)) in files.iter().enumerate() {
        let is_last = at + 1 == files.len();
        script.push_str(&strip(name, source, is_last || exports == Exports::All)?);
    }
    Ok(script)
}

fn strip(name: &str, source: &str, keep_exports: bool) -> Result<String, Vec<Diagnostic>> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, source, SourceType::ts()).parse();
    let mut program = parsed.program;
    let mut errors: Vec<Diagnostic> =
        parsed.diagnostics.errors().map(|error| Diagnostic::error(error.message.to_string()).in_file(name)).collect();
    let scoping = SemanticBuilder::new().with_enum_eval(true).build(&program).semantic.into_scoping();
    let lowered = Transformer::new(&allocator, name.as_ref(), &TransformOptions::default())
        .build_with_scoping(scoping, &mut program);
    errors.extend(lowered.diagnostics.errors().map(|error| Diagnostic::error(error.message.to_string()).in_file(name)));
    if !errors.is_empty() {
        return Err(errors);
    }
    join_scope(&allocator, &mut program, keep_exports);
    let options = CodegenOptions {
        comments: CommentOptions { normal: false, jsdoc: false, ..CommentOptions::default() },
        ..CodegenOptions::default()
    };
    Ok(Codegen::new().with_options(options).build(&program).code)
}

fn join_scope<'a>(allocator: &'a Allocator, program: &mut Program<'a>, keep_exports: bool) {
    let ast = AstBuilder::new(allocator);
    let mut body = ArenaVec::with_capacity_in(program.body.len(), &ast);
    for statement in program.body.take_in(&ast) {
        match statement {
            Statement::ImportDeclaration(_) => {}
            Statement::ExportDeclaration(export) if !keep_exports => {
                body.push(Statement::from(export.unbox().declaration))
            }
            Statement::ExportNamedDeclaration(_) if !keep_exports => {}
            other => body.push(other),
        }
    }
    program.body = body;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_share_one_scope_and_the_last_one_exports() {
        let files = [
            ("a.ts", "export const one: number = 1\nexport type T = string"),
            ("b.ts", "import { one, type T } from './a'\nexport const two: T = `${one}`"),
        ];
        assert_eq!(
            join_modules(&files, Exports::Last).expect("both parse"),
            "const one = 1;\nexport const two = `${one}`;\n"
        );
    }
}
