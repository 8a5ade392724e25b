//! Runs rolldown: once for all pages, and once for each worker, which is a program of its own.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt;
use rekindle_compile::plain::build_settings::{LegalComments, SourceMaps};
use rekindle_graph::Diagnostic;
use rolldown::{Bundler, BundlerOptions, InputItem, OutputFormat, Platform, RawMinifyOptions, SourceMapType, TsConfig};
use rolldown_common::bundler_options::{
    BundlerTransformOptions, CodeSplittingMode, CommentsOptions, Either, InlineConstConfig, InlineConstMode,
    InlineConstOption, OptimizationOption, PreserveEntrySignatures,
};
use rolldown_common::{Output, OutputChunk};

use crate::bundle::plugin::{Meaning, WorkerBuild};
use crate::bundle::role::{Role, WorkerScript};
use crate::bundle::{order, problems, scripts};
use crate::lock::lock;
use crate::output::{addresses, chunks};
use crate::session::Session;

/// [`worker`], for the plugin, which is below this file.
fn build_worker<'a>(session: &'a Arc<Session>, file: &'a Path, classic: bool, by: &'a Role) -> WorkerBuild<'a> {
    Box::pin(worker(session, file, classic, by))
}

/// Builds the worker that `file` is the script of.
pub(crate) async fn worker(
    session: &Arc<Session>,
    file: &Path,
    classic: bool,
    by: &Role,
) -> Result<WorkerScript, Vec<Diagnostic>> {
    if by.around().iter().any(|around| around == file) {
        let name = session.compiler.display(file);
        return Err(vec![
            Diagnostic::error("workers start each other in a circle")
                .in_file(name)
                .with_help("let the page start them, and hand one a port of the other"),
        ]);
    }
    let mut around = by.around().to_vec();
    around.push(file.to_owned());
    let role = Role::Worker { classic, around };
    if *by != Role::Pages {
        return build_one(session, file, role).await;
    }
    let cell = lock(&session.workers.built).entry((file.to_owned(), classic)).or_default().clone();
    let built = cell
        .get_or_init(|| async {
            build_one(session, file, role).await.map_err(|problems| session.problem(problems)).ok()
        })
        .await;
    built.clone().ok_or_else(Vec::new)
}

async fn build_one(session: &Arc<Session>, file: &Path, role: Role) -> Result<WorkerScript, Vec<Diagnostic>> {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.split('.').next().unwrap_or_default();
    let input = InputItem { name: Some(addresses::sanitized(stem)), import: file.display().to_string() };
    let chunks = bundle(session, vec![input], role).await?;
    let mut script = None;
    for chunk in chunks {
        let name = chunk.filename.to_string();
        let text = chunks::text(&chunk, &[], session);
        if chunk.is_entry {
            script = Some(WorkerScript { name: name.clone(), code: text.code.clone() });
        }
        session.addresses.put(&name, text.code.into_bytes().into());
        if let Some(map) = text.map {
            session.addresses.put(&format!("{name}.map"), map.into_bytes().into());
        }
    }
    script.ok_or_else(|| vec![Diagnostic::error("the worker came out empty").in_file(session.compiler.display(file))])
}

/// Bundles the inputs so that modules run in the order of their imports.
pub(crate) async fn bundle(
    session: &Arc<Session>,
    inputs: Vec<InputItem>,
    role: Role,
) -> Result<Vec<Arc<OutputChunk>>, Vec<Diagnostic>> {
    if role == Role::Pages {
        scripts::note(session);
    }
    let modules = session.modules.load(Ordering::Relaxed);
    let chunks = bundle_once(session, inputs.clone(), role.clone(), false).await?;
    let is_changed = chunks.len() > 1 && {
        let (effects, sheets, imports) = (lock(&session.effects), lock(&session.sheets), lock(&session.imports));
        let counts = |id: &str| effects.contains(id) && !sheets.contains_key(id);
        order::is_changed(&chunks, &order::Modules { imports: &imports, counts: &counts })
    };
    if !is_changed {
        return Ok(chunks);
    }
    session.modules.store(modules, Ordering::Relaxed);
    session.is_rendering.store(false, Ordering::Relaxed);
    bundle_once(session, inputs, role, true).await
}

/// Mistakes of the plugin's come first: what rolldown says then is only that there were some.
async fn bundle_once(
    session: &Arc<Session>,
    inputs: Vec<InputItem>,
    role: Role,
    strict: bool,
) -> Result<Vec<Arc<OutputChunk>>, Vec<Diagnostic>> {
    let options = options(session, inputs, &role, strict);
    let plugin = Meaning { session: session.clone(), role, build_worker };
    let mut bundler = Bundler::with_plugins(options, vec![Arc::new(plugin)])
        .map_err(|errors| problems::of_rolldown(session, errors))?;
    let result = AssertUnwindSafe(bundler.generate()).catch_unwind().await;
    let result = result.map_err(|panic| vec![problems::of_panic(panic.as_ref())])?;
    let output = match result {
        Ok(output) => output,
        Err(errors) => {
            let own = session.take_problems();
            return Err(if own.is_empty() { problems::of_rolldown(session, errors) } else { own });
        }
    };
    let own = session.take_problems();
    if !own.is_empty() {
        return Err(own);
    }
    problems::warn(session, &output.warnings);
    // What is left in the background would hold the process.
    let _ = bundler.close().await;
    Ok(output
        .assets
        .into_iter()
        .filter_map(|output| match output {
            Output::Chunk(chunk) => Some(chunk),
            Output::Asset(_) => None,
        })
        .collect())
}

fn options(session: &Session, inputs: Vec<InputItem>, role: &Role, strict: bool) -> BundlerOptions {
    let build = &session.config.build;
    let names = session.addresses.in_assets("[name]-[hash].js");
    BundlerOptions {
        input: Some(inputs),
        cwd: Some(session.config.root.clone()),
        platform: Some(Platform::Browser),
        format: Some(if role.is_classic() { OutputFormat::Iife } else { OutputFormat::Esm }),
        code_splitting: role.is_classic().then_some(CodeSplittingMode::Bool(false)),
        entry_filenames: Some(names.clone().into()),
        chunk_filenames: Some(names.into()),
        minify: Some(if build.minify {
            RawMinifyOptions::Bool(true)
        } else {
            RawMinifyOptions::DeadCodeEliminationOnly
        }),
        sourcemap: (build.sourcemap != SourceMaps::None).then_some(SourceMapType::Hidden),
        comments: Some(CommentsOptions {
            legal: build.legal_comments == LegalComments::Inline,
            annotation: !build.minify,
            jsdoc: false,
        }),
        transform: Some(BundlerTransformOptions {
            target: Some(Either::Right(build.target.clone())),
            ..BundlerTransformOptions::default()
        }),
        tsconfig: Some(TsConfig::Auto(false)),
        // What has an address of its own may be imported by it.
        preserve_entry_signatures: Some(match role {
            Role::Pages => PreserveEntrySignatures::False,
            Role::Worker { .. } => PreserveEntrySignatures::ExportsOnly,
        }),
        optimization: Some(OptimizationOption {
            inline_const: Some(InlineConstOption::Config(InlineConstConfig {
                mode: Some(InlineConstMode::Smart),
                pass: 1,
            })),
            ..OptimizationOption::default()
        }),
        strict_execution_order: strict.then_some(true),
        ..BundlerOptions::default()
    }
}
