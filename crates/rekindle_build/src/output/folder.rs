//! The output folder: what may be emptied, and how it is replaced at once.
//!
//! Everything is written into a folder beside it; only when that is complete it takes the place of the old one. A build
//! that fails, or is ended, leaves the old output as it was.
//!
//! ```text
//! dist                  →  the new folder gets its name
//! dist → ../public      →  the same with ../public: a link is followed, and stays
//! dist (a mount point)  →  is emptied and filled, for it cannot be renamed
//! ```

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use rekindle_compile::files::walk::Walk;
use rekindle_config::Config;
use rekindle_graph::Diagnostic;

use crate::output::place::real_place;
use crate::pages::page::OutputFiles;
use crate::report::{FileKind, OutputFile};
use crate::session::Session;

/// Whether the output folder may be emptied, as far as that is known before anything is built.
pub(crate) fn check(config: &Config) -> Result<(), Vec<Diagnostic>> {
    let out = &real_place(&config.build.out_dir);
    let root = &real_place(&config.root);
    let refuse = |message: String, help: &str| Err(vec![Diagnostic::error(message).with_help(help)]);
    let shown = out.display();
    // A link is shown with what it leads to.
    let shown = if *out == config.build.out_dir {
        shown.to_string()
    } else {
        format!("{} ({shown})", config.build.out_dir.display())
    };
    if let Some(name) = foreign_folder(root, out) {
        return refuse(
            format!("the output folder {shown} is in a `{name}` folder, which belongs to other tools"),
            "choose a folder that holds nothing but the output, such as `dist`",
        );
    }
    if root.starts_with(out) {
        return refuse(
            format!("the output folder {shown} holds the project itself"),
            "choose a folder that holds nothing but the output, such as `dist`",
        );
    }
    let public = config.public_dir.as_deref().map(real_place);
    if let Some(public) = public.filter(|public| public.starts_with(out) && public.exists()) {
        return refuse(
            format!("the output folder {shown} holds the public folder {}", public.display()),
            "choose a folder that holds nothing but the output, such as `dist`",
        );
    }
    if out.exists() && !out.is_dir() {
        return refuse(format!("{shown} is a file, not a folder"), "choose another output folder");
    }
    let is_outside = !out.starts_with(root);
    if is_outside && config.build.empty_out_dir.is_none() && !is_empty(out) {
        return refuse(
            format!("the output folder {shown} is outside the project and not empty"),
            "--empty-out-dir empties it anyway; `empty_out_dir = false` in [build] leaves what is there",
        );
    }
    Ok(())
}

/// `node_modules` or `.git` on the way from the project to the output.
fn foreign_folder<'o>(root: &Path, out: &'o Path) -> Option<&'o str> {
    let common = root.components().zip(out.components()).take_while(|(a, b)| a == b).count();
    let names = out.components().skip(common).filter_map(|part| part.as_os_str().to_str());
    names.into_iter().find(|name| matches!(*name, "node_modules" | ".git"))
}

/// Whether sources were read from the folder that is to be emptied.
pub(crate) fn check_sources(session: &Session, sources: &BTreeSet<PathBuf>) -> Result<(), Vec<Diagnostic>> {
    let build = &session.config.build;
    let out = real_place(&build.out_dir);
    if build.empty_out_dir.is_some() || is_empty(&out) {
        return Ok(());
    }
    let inside = sources.iter().find(|source| source.starts_with(&out));
    match inside {
        None => Ok(()),
        Some(source) => Err(vec![
            Diagnostic::error(format!("the output folder {} holds sources of the project", build.out_dir.display()))
                .in_file(session.compiler.display(source))
                .with_help("choose a folder that holds nothing but the output; --empty-out-dir empties it anyway"),
        ]),
    }
}

fn is_empty(folder: &Path) -> bool {
    let entries =
        fs::read_dir(folder).map(|entries| entries.flatten().filter(|entry| entry.file_name() != ".git").count());
    entries.unwrap_or(0) == 0
}

/// Writes the output and puts it in its place. Gives the number of public files.
pub(crate) fn write(config: &Config, bundled: &OutputFiles) -> Result<usize, Diagnostic> {
    let out = &real_place(&config.build.out_dir);
    let failed = |error: std::io::Error| Diagnostic::error(format!("{} cannot be written: {error}", out.display()));
    let parent = out.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(parent).map_err(failed)?;
    let beside = beside(out, parent).map_err(failed)?;
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
        _ => swap(beside, out, parent).map_err(failed)?,
    }
    Ok(public_files)
}

/// A new folder beside the output; inside of it, where that alone may be written to.
fn beside(out: &Path, parent: &Path) -> std::io::Result<tempfile::TempDir> {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let new = |folder: &Path| tempfile::Builder::new().prefix(&format!(".{name}-")).tempdir_in(folder);
    new(parent).or_else(|error| if out.is_dir() { new(out) } else { Err(error) })
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

fn copy_public(config: &Config, to: &Path) -> std::io::Result<usize> {
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
fn swap(beside: tempfile::TempDir, out: &Path, parent: &Path) -> std::io::Result<()> {
    if !out.exists() {
        return fs::rename(beside.keep(), out);
    }
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let old = tempfile::Builder::new().prefix(&format!(".{name}-old-")).tempdir_in(parent);
    let kept = old.as_ref().map(|old| old.path().join("output")).ok();
    // A mount point cannot be renamed, nor what is in a folder that may not be written to.
    let Some(kept) = kept.filter(|kept| fs::rename(out, kept).is_ok()) else { return refill(&beside, out) };
    // A `.git` folder stays: some deployments keep the output in a repository.
    let keep = |from: &Path, to: &Path| {
        if from.join(".git").exists() { fs::rename(from.join(".git"), to.join(".git")) } else { Ok(()) }
    };
    let moved = keep(&kept, beside.path()).and_then(|()| fs::rename(beside.path(), out));
    if moved.is_err() {
        let _ = keep(beside.path(), &kept);
        fs::rename(&kept, out)?;
    }
    moved
}

/// Empties a folder and moves everything of the new one into it. What takes long is done before the old files go.
fn refill(beside: &tempfile::TempDir, out: &Path) -> std::io::Result<()> {
    let inside;
    let from = if beside.path().parent() == Some(out) {
        beside.path()
    } else {
        inside = tempfile::Builder::new().prefix(".new-").tempdir_in(out)?;
        copy(beside.path(), inside.path())?;
        inside.path()
    };
    for entry in fs::read_dir(out)?.flatten() {
        let path = entry.path();
        if path == from || entry.file_name() == ".git" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(path)?;
        } else {
            fs::remove_file(path)?;
        }
    }
    merge(from, out)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Each file of the new folder takes the place of the one with its name.
fn merge(from: &Path, out: &Path) -> std::io::Result<()> {
    fs::create_dir_all(out)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (path, target) = (entry.path(), out.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            merge(&path, &target)?
        } else {
            fs::rename(&path, &target).or_else(|_| fs::copy(&path, &target).map(drop))?
        }
    }
    Ok(())
}

/// The files with their sizes: pages, assets, sheets, scripts, each by size.
pub(crate) fn report(config: &Config, bundled: &OutputFiles) -> Vec<OutputFile> {
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
pub(crate) fn large_chunks(config: &Config, bundled: &OutputFiles) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn folder_with(parent: &Path, files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir_in(parent).unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        folder
    }

    #[test]
    fn the_new_folder_takes_the_name_of_the_old_one_and_a_repository_in_it_stays() {
        let top = tempfile::tempdir().unwrap();
        let out = top.path().join("dist");
        swap(folder_with(top.path(), &["index.html", "a/b.js"]), &out, top.path()).unwrap();
        assert_eq!(names(&out), ["a", "index.html"]);
        fs::create_dir(out.join(".git")).unwrap();
        swap(folder_with(top.path(), &["index.html"]), &out, top.path()).unwrap();
        assert_eq!(names(&out), [".git", "index.html"]);
        assert_eq!(names(top.path()), ["dist"]);
    }

    #[test]
    fn a_folder_that_cannot_be_renamed_is_filled_anew() {
        let top = tempfile::tempdir().unwrap();
        let out = folder_with(top.path(), &["old.js", "a/old.js", ".git/HEAD"]);
        refill(&folder_with(top.path(), &["index.html", "a/b.js"]), out.path()).unwrap();
        assert_eq!(names(out.path()), [".git", "a", "index.html"]);
        assert_eq!(names(&out.path().join("a")), ["b.js"]);
        refill(&folder_with(out.path(), &["other.html"]), out.path()).unwrap();
        assert_eq!(names(out.path()).iter().filter(|name| !name.starts_with(".tmp")).count(), 2);
    }

    #[test]
    fn folders_of_packages_and_repositories_are_no_place_for_an_output() {
        let foreign = |root: &str, out: &str| foreign_folder(Path::new(root), Path::new(out)).map(str::to_owned);
        assert_eq!(foreign("/app", "/app/node_modules").as_deref(), Some("node_modules"));
        assert_eq!(foreign("/app", "/app/node_modules/x/dist").as_deref(), Some("node_modules"));
        assert_eq!(foreign("/app", "/app/.git/x").as_deref(), Some(".git"));
        assert_eq!(foreign("/node_modules/app", "/node_modules/app/dist"), None);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_also_to_what_is_not_there_yet() {
        let top = tempfile::tempdir().unwrap();
        let top = top.path().canonicalize().unwrap();
        fs::create_dir(top.join("app")).unwrap();
        std::os::unix::fs::symlink("../real", top.join("app/dist")).unwrap();
        assert_eq!(real_place(&top.join("app/dist")), top.join("real"));
        assert_eq!(real_place(&top.join("app/other/deep")), top.join("app/other/deep"));
    }
}
