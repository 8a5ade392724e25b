//! Runs rolldown: once for all pages, and once for each worker, which is a program of its own.

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use rekindle_compile::plain::build_settings::{LegalComments, SourceMaps};
use rekindle_graph::Diagnostic;
use rolldown::{Bundler, BundlerOptions, InputItem, OutputFormat, Platform, RawMinifyOptions, SourceMapType, TsConfig};
use rolldown_common::Output;
use rolldown_common::bundler_options::{
    BundlerTransformOptions, CodeSplittingMode, CommentsOptions, Either, InlineConstConfig, InlineConstMode,
    InlineConstOption, OptimizationOption, PreserveEntrySignatures,
};

use crate::bundle::context::BundleContext;
use crate::bundle::modules::{Bundle, BundledModules};
use crate::bundle::page_modules::PageModules;
use crate::bundle::plugin::{BundlerPlugin, WorkerBuild};
use crate::bundle::role::{Role, WorkerScript};
use crate::bundle::{order, problems};
use crate::lock::lock;
use crate::output::{addresses, chunks};
use crate::session::Session;

/// [`worker`], for the plugin, which is below this file.
fn build_worker<'a>(context: &'a Arc<BundleContext>, file: &'a Path, classic: bool, by: &'a Role) -> WorkerBuild<'a> {
    Box::pin(worker(context, file, classic, by))
}

/// Builds the worker that `file` is the script of.
pub(crate) async fn worker(
    context: &Arc<BundleContext>,
    file: &Path,
    classic: bool,
    by: &Role,
) -> Result<WorkerScript, Vec<Diagnostic>> {
    let session = &context.session;
    if by.around().iter().any(|around| around == file) {
        let name = session.compiler.display(file);
        return Err(vec![
            Diagnostic::error("workers start each other in a cycle")
                .in_file(name)
                .with_help("start both in the page, and pass one of them a port of the other"),
        ]);
    }
    let mut around = by.around().to_vec();
    around.push(file.to_owned());
    let role = Role::Worker { classic, around };
    if *by != Role::Pages {
        return build_one(context, file, role).await;
    }
    let cell = lock(&context.workers).entry((file.to_owned(), classic)).or_default().clone();
    let built = cell
        .get_or_init(|| async {
            build_one(context, file, role).await.map_err(|problems| session.problem(problems)).ok()
        })
        .await;
    built.clone().ok_or_else(Vec::new)
}

async fn build_one(context: &Arc<BundleContext>, file: &Path, role: Role) -> Result<WorkerScript, Vec<Diagnostic>> {
    let session = &context.session;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let stem = stem.split('.').next().unwrap_or_default();
    let input = InputItem { name: Some(addresses::sanitized(stem)), import: file.display().to_string() };
    let Bundle { chunks, modules } = bundle(context, vec![input], &Arc::default(), role).await?;
    let mut script = None;
    for chunk in chunks {
        let name = chunk.filename.to_string();
        let text = chunks::text(&chunk, &[], session);
        if chunk.is_entry {
            script = Some((name.clone(), text.code.clone()));
        }
        session.addresses.put(&name, text.code.into_bytes().into());
        if let Some(map) = text.map {
            session.addresses.put(&format!("{name}.map"), map.into_bytes().into());
        }
    }
    match script {
        Some((name, code)) => Ok(WorkerScript { name, code, sources: modules.sources }),
        None => {
            Err(vec![Diagnostic::error("the bundle of the worker is empty").in_file(session.compiler.display(file))])
        }
    }
}

/// Bundles the inputs so that modules run in the order of their imports. `pages` holds what inputs and their imports name
/// that is in no file.
pub(crate) async fn bundle(
    context: &Arc<BundleContext>,
    inputs: Vec<InputItem>,
    pages: &Arc<PageModules>,
    role: Role,
) -> Result<Bundle, Vec<Diagnostic>> {
    let count = context.progress.modules();
    let bundle = bundle_once(context, inputs.clone(), pages, role.clone(), false).await?;
    let BundledModules { imports, effects, sheets, .. } = &bundle.modules;
    let counts = |id: &str| effects.contains(id) && !sheets.contains_key(id);
    if bundle.chunks.len() < 2 || !order::is_changed(&bundle.chunks, &order::Modules { imports, counts: &counts }) {
        return Ok(bundle);
    }
    context.progress.begin_again(count);
    bundle_once(context, inputs, pages, role, true).await
}

/// Mistakes that the plugin has noted come first: rolldown then only says that the plugin failed.
async fn bundle_once(
    context: &Arc<BundleContext>,
    inputs: Vec<InputItem>,
    pages: &Arc<PageModules>,
    role: Role,
    strict: bool,
) -> Result<Bundle, Vec<Diagnostic>> {
    let session = &context.session;
    let options = options(session, inputs, &role, strict);
    let (context, pages) = (context.clone(), pages.clone());
    let plugin =
        Arc::new(BundlerPlugin { context, pages: pages.clone(), role, build_worker, modules: Mutex::default() });
    let mut bundler = Bundler::with_plugins(options, vec![plugin.clone()])
        .map_err(|errors| problems::of_rolldown(session, &pages, errors))?;
    let result = AssertUnwindSafe(bundler.generate()).catch_unwind().await;
    let result = result.map_err(|panic| vec![problems::of_panic(panic.as_ref())])?;
    let output = match result {
        Ok(output) => output,
        Err(errors) => {
            let own = session.take_problems();
            return Err(if own.is_empty() { problems::of_rolldown(session, &pages, errors) } else { own });
        }
    };
    let own = session.take_problems();
    if !own.is_empty() {
        return Err(own);
    }
    problems::warn(session, &output.warnings);
    // A task left running in the background would keep the process alive.
    let _ = bundler.close().await;
    let chunks = output.assets.into_iter().filter_map(|output| match output {
        Output::Chunk(chunk) => Some(chunk),
        Output::Asset(_) => None,
    });
    Ok(Bundle { chunks: chunks.collect(), modules: std::mem::take(&mut *lock(&plugin.modules)) })
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
        // Files that have an address of their own may be imported by that address.
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
