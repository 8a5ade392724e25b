//! Where things are: what sheets name, files as the manifest names them, a path whose links are followed.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rekindle_compile::kind::without_suffix;
use rekindle_compile::plain::module::Inlining;
use rekindle_compile::resolve::resolver::Resolved;
use rekindle_graph::DepKind;
use rekindle_graph::paths::normal;

use crate::output::addresses::Target;
use crate::session::Session;

/// What an asset's specifier in a sheet leads to. Its file goes to `sources`.
pub(crate) fn target_of(
    session: &Session,
    importer: &Path,
    specifier: &str,
    inlining: Inlining,
    sources: &mut BTreeSet<PathBuf>,
) -> Option<(Target, String)> {
    let (path, suffix) = without_suffix(specifier);
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let path = match session.compiler.resolver.resolve(importer, &decoded, DepKind::Asset).ok()? {
        Resolved::File { path, .. } => path.as_path().to_owned(),
        Resolved::Address(_) => session.compiler.resolver.public_file(&decoded)?,
        Resolved::Helper(_) => return None,
    };
    target_of_file(session, &path, suffix, inlining, sources)
}

/// What the address of a file leads to, and what stands behind it of `suffix`. The file goes to `sources`.
pub(crate) fn target_of_file(
    session: &Session,
    file: &Path,
    suffix: &str,
    inlining: Inlining,
    sources: &mut BTreeSet<PathBuf>,
) -> Option<(Target, String)> {
    let is_public = session.compiler.resolver.address_of_public(file).is_some();
    // A part of a file cannot be named once it is an address itself.
    let inlining = if is_public || suffix.contains('#') { Inlining::Never } else { inlining };
    let target = session.addresses.asset(file, inlining).ok()?;
    sources.insert(file.to_owned());
    let suffix = if matches!(target, Target::Content(_)) { String::new() } else { suffix.to_owned() };
    Some((target, suffix))
}

/// The path of a file below the root, as the manifest names it.
pub(crate) fn below_root(session: &Session, path: &Path) -> String {
    let url = session.compiler.resolver.url_of(path, None);
    match url.path().strip_prefix("/@fs/") {
        Some(_) => relative_to(&session.config.root, path),
        None => url.path().trim_start_matches('/').to_owned(),
    }
}

fn relative_to(root: &Path, path: &Path) -> String {
    let common = root.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), root.components().count() - common);
    let down = path.components().skip(common).map(|part| part.as_os_str().to_string_lossy().into_owned());
    up.chain(down).collect::<Vec<_>>().join("/")
}

/// Where a path leads once all links are followed. The part that does not exist yet is taken as it is written.
pub(crate) fn real_place(path: &Path) -> PathBuf {
    followed(path, 32)
}

fn followed(path: &Path, links: usize) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return path.to_owned() };
    match fs::read_link(path) {
        Ok(to) if links > 0 => followed(&normal(&parent.join(to)), links - 1),
        _ => followed(parent, links).join(name),
    }
}
