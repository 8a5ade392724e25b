//! Lists a folder and what is below it: pages, public files, what may be imported by name.
//!
//! A walk follows links, but only to where the listed folder really is; what leads elsewhere is left out with a
//! warning. Names that look like secrets are left out without one: leaving them out is what everyone expects.

use std::fs;
use std::path::{Path, PathBuf};

use crate::files::file;
use crate::files::secrets::is_secret_name;

/// How many folders deep a walk goes, so that links inside links come to an end.
const DEPTH_LIMIT: usize = 64;

/// One look at a folder and everything below it.
#[derive(Debug)]
pub struct Walk {
    /// Path below the folder with forward slashes, and where the file really is.
    pub files: Vec<(String, PathBuf)>,
    /// A sentence for each link that leads out.
    pub left_out: Vec<String>,
    /// Paths below the folder of what is neither file nor folder, and what it is.
    pub odd: Vec<(String, &'static str)>,
}

impl Walk {
    /// The project's own files: not its packages, what is hidden, the public files, or what is in `left_out`.
    pub fn of_project(root: &Path, public_dir: Option<&Path>, left_out: &[&Path]) -> Self {
        Self::of(root, |path| {
            let is_hidden =
                path.file_name().is_none_or(|name| name == "node_modules" || name.as_encoded_bytes().starts_with(b"."));
            let folder = root.join(path);
            !is_hidden && Some(folder.as_path()) != public_dir && !left_out.contains(&folder.as_path())
        })
    }

    /// Everything below `top`; `enters` decides about each folder, by its path below it.
    pub fn of(top: &Path, enters: impl Fn(&Path) -> bool) -> Self {
        let mut walk = Self { files: Vec::new(), left_out: Vec::new(), odd: Vec::new() };
        // A folder that does not exist has no files. The watcher reports it once it appears.
        if let Ok(real_top) = fs::canonicalize(top) {
            walk.folder(&real_top, &real_top, &mut PathBuf::new(), &enters);
        }
        walk
    }

    fn folder(&mut self, real_top: &Path, real: &Path, below: &mut PathBuf, enters: &impl Fn(&Path) -> bool) {
        let Ok(entries) = fs::read_dir(real) else {
            return;
        };
        for entry in entries.flatten() {
            below.push(entry.file_name());
            if !is_secret_name(Path::new(&entry.file_name())) {
                self.entry(real_top, &entry, below, enters);
            }
            below.pop();
        }
    }

    fn entry(&mut self, real_top: &Path, entry: &fs::DirEntry, below: &mut PathBuf, enters: &impl Fn(&Path) -> bool) {
        let Ok(mut kind) = entry.file_type() else {
            return;
        };
        let mut real = entry.path();
        if kind.is_symlink() {
            // A link whose target does not exist counts as absent.
            let Some((target, facts)) =
                fs::canonicalize(&real).and_then(|target| fs::metadata(&target).map(|facts| (target, facts))).ok()
            else {
                return;
            };
            let Ok(inside) = target.strip_prefix(real_top) else {
                return self.left_out.push(format!(
                    "{} is a link that leads out of {}, so it is not served",
                    below.display(),
                    real_top.display()
                ));
            };
            // Without this check a link to a folder above it would be followed for ever.
            if is_secret_name(inside) || (facts.is_dir() && real.starts_with(&target)) {
                return;
            }
            (real, kind) = (target, facts.file_type());
        }
        if kind.is_dir() && below.components().count() < DEPTH_LIMIT && enters(below) {
            self.folder(real_top, &real, below, enters);
        } else if !kind.is_dir()
            && let Some(path) = address_of(below)
        {
            match file::name_of(kind) {
                Some(name) => self.odd.push((path, name)),
                None => self.files.push((path, real)),
            }
        }
    }
}

/// A path below a folder with forward slashes; `None` when it is not Unicode and so has no address.
fn address_of(below: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
    parts.map(|parts| parts.join("/"))
}
