//! The output folder: what may be emptied, and how it is replaced at once.
//!
//! Everything is written into a folder beside it; only when that is complete it takes the place of the old one. A build
//! that fails, or is ended, leaves the old output as it was.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use rekindle_compile::walk::Walk;
use rekindle_graph::Diagnostic;

use crate::pages::Bundled;
use crate::session::{Session, lock};
use crate::{BuildConfig, FileKind, OutputFile};

/// Whether the output folder may be emptied, as far as that is known before anything is built.
pub(crate) fn check(config: &BuildConfig) -> Result<(), Vec<Diagnostic>> {
    let out = &config.build.out_dir;
    let refuse = |message: String, help: &str| Err(vec![Diagnostic::error(message).with_help(help)]);
    let shown = out.display();
    if config.root.starts_with(out) {
        return refuse(
            format!("the output folder {shown} holds the project itself"),
            "name a folder for the output alone, such as `dist`",
        );
    }
    if let Some(public) = config.public_dir.as_ref().filter(|public| public.starts_with(out) && public.exists()) {
        return refuse(
            format!("the output folder {shown} holds the public folder {}", public.display()),
            "name a folder for the output alone, such as `dist`",
        );
    }
    if out.exists() && !out.is_dir() {
        return refuse(format!("{shown} is a file, not a folder"), "name another output folder");
    }
    let is_outside = !out.starts_with(&config.root);
    if is_outside && config.build.empty_out_dir.is_none() && !is_empty(out) {
        return refuse(
            format!("the output folder {shown} is outside of the project and not empty"),
            "--empty-out-dir empties it all the same; `empty_out_dir = false` in [build] leaves what is there",
        );
    }
    Ok(())
}

/// Whether sources were read from the folder that is to be emptied.
pub(crate) fn check_sources(session: &Session) -> Result<(), Vec<Diagnostic>> {
    let build = &session.config.build;
    if build.empty_out_dir.is_some() || is_empty(&build.out_dir) {
        return Ok(());
    }
    let sources = lock(&session.sources);
    let inside = sources.iter().find(|source| source.starts_with(&build.out_dir));
    match inside {
        None => Ok(()),
        Some(source) => Err(vec![
            Diagnostic::error(format!("the output folder {} holds sources of the project", build.out_dir.display()))
                .in_file(session.compiler.display(source))
                .with_help("name a folder for the output alone; --empty-out-dir empties it all the same"),
        ]),
    }
}

fn is_empty(folder: &Path) -> bool {
    let entries =
        fs::read_dir(folder).map(|entries| entries.flatten().filter(|entry| entry.file_name() != ".git").count());
    entries.unwrap_or(0) == 0
}

/// Writes the output and puts it in its place. Gives the number of public files.
pub(crate) fn write(config: &BuildConfig, bundled: &Bundled) -> Result<usize, Diagnostic> {
    let out = &config.build.out_dir;
    let failed = |error: std::io::Error| Diagnostic::error(format!("{} cannot be written: {error}", out.display()));
    let parent = out.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent).map_err(failed)?;
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let beside = tempfile::Builder::new().prefix(&format!(".{name}-")).tempdir_in(parent).map_err(failed)?;
    let public_files = copy_public(config, beside.path()).map_err(failed)?;
    for (name, (_, bytes)) in &bundled.files {
        let path = beside.path().join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        fs::write(&path, bytes).map_err(failed)?;
    }
    open_to_others(beside.path()).map_err(failed)?;
    match config.build.empty_out_dir {
        Some(false) => merge(beside.path(), out).map_err(failed)?,
        _ => swap(beside, out, parent, &name).map_err(failed)?,
    }
    Ok(public_files)
}

/// A temporary folder is for its owner alone, an output is not.
fn open_to_others(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

fn copy_public(config: &BuildConfig, to: &Path) -> std::io::Result<usize> {
    let Some(public) = config.public_dir.as_ref().filter(|_| config.build.copy_public_dir) else { return Ok(0) };
    let walk = Walk::of(public, |_| true);
    for (path, real) in &walk.files {
        let target = to.join(path);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(real, &target)?;
    }
    Ok(walk.files.len())
}

/// The new folder takes the place of the old one, which is deleted then.
fn swap(beside: tempfile::TempDir, out: &Path, parent: &Path, name: &str) -> std::io::Result<()> {
    let old = tempfile::Builder::new().prefix(&format!(".{name}-old-")).tempdir_in(parent)?;
    let kept = old.path().join("output");
    let had_one = out.exists();
    if had_one {
        // What a deployment keeps beside its files stays.
        let git = out.join(".git");
        if git.exists() {
            fs::rename(&git, beside.path().join(".git"))?;
        }
        fs::rename(out, &kept)?;
    }
    let path: PathBuf = beside.keep();
    if let Err(error) = fs::rename(&path, out) {
        if had_one {
            fs::rename(&kept, out)?;
        }
        let _ = fs::remove_dir_all(&path);
        return Err(error);
    }
    Ok(())
}

/// Each file of the new folder takes the place of the one with its name.
fn merge(from: &Path, out: &Path) -> std::io::Result<()> {
    fs::create_dir_all(out)?;
    for entry in fs::read_dir(from)?.flatten() {
        let target = out.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => merge(&entry.path(), &target)?,
            false => fs::rename(entry.path(), &target)?,
        }
    }
    Ok(())
}

/// The files with their sizes: pages, assets, sheets, scripts, each by size.
pub(crate) fn report(config: &BuildConfig, bundled: &Bundled) -> Vec<OutputFile> {
    let names: BTreeSet<&String> = bundled.files.keys().collect();
    let is_map = |name: &str| name.strip_suffix(".map").is_some_and(|of| names.contains(&of.to_owned()));
    let files = bundled.files.iter().filter(|(name, _)| !is_map(name));
    let mut files: Vec<OutputFile> = files
        .map(|(name, (kind, bytes))| OutputFile {
            name: name.clone(),
            kind: *kind,
            size: bytes.len() as u64,
            gzip: (config.build.report_compressed_size && compresses(name)).then(|| gzip_size(bytes)),
            map: bundled.files.get(&format!("{name}.map")).map(|(_, map)| map.len() as u64),
        })
        .collect();
    files.sort_by(|a, b| (a.kind, a.size, &a.name).cmp(&(b.kind, b.size, &b.name)));
    files
}

fn compresses(name: &str) -> bool {
    let extension = name.rsplit('.').next().unwrap_or_default();
    matches!(extension, "html" | "js" | "css" | "json" | "svg" | "txt" | "map" | "wasm" | "xml")
}

fn gzip_size(bytes: &[u8]) -> u64 {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    match encoder.write_all(bytes).and_then(|()| encoder.finish()) {
        Ok(compressed) => compressed.len() as u64,
        // Writing into memory does not fail.
        Err(_) => bytes.len() as u64,
    }
}

/// A sentence about scripts that are larger than most pages want them.
pub(crate) fn large_chunks(config: &BuildConfig, bundled: &Bundled) -> Option<String> {
    let limit = config.build.chunk_size_warning_limit;
    let is_large = |(name, (kind, bytes)): &(&String, &(FileKind, _))| {
        let bytes: &std::sync::Arc<[u8]> = bytes;
        *kind == FileKind::Script && name.ends_with(".js") && bytes.len() as u64 > limit * 1000
    };
    bundled.files.iter().any(|file| is_large(&file)).then(|| {
        format!(
            "some scripts are larger than {limit} kB: `import()` what is not needed at once, or raise \
             `build.chunk_size_warning_limit`"
        )
    })
}
