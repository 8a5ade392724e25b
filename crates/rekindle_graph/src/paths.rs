//! Paths as text: nothing here looks at a disk.

use std::path::{Component, MAIN_SEPARATOR, Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// Resolves `.` and `..` by the text alone: `/a/b/../c` → `/a/c`.
pub fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// The text of a path, with `/` between its parts on every system.
pub fn slashed(path: &Path) -> String {
    let text = path.to_string_lossy();
    if MAIN_SEPARATOR == '/' { text.into_owned() } else { text.replace(MAIN_SEPARATOR, "/") }
}

/// The way from a folder to a file, with slashes: `pages/one.js`, `../shared/x.js`.
pub fn relative_path(folder: &Path, file: &Path) -> String {
    let (from, to): (Vec<_>, Vec<_>) = (names_of(folder).collect(), names_of(file).collect());
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..", from.len() - common);
    up.chain(to[common..].iter().map(String::as_str)).collect::<Vec<_>>().join("/")
}

/// The names of the folders on the way to a path, and its own.
pub fn names_of(path: &Path) -> impl Iterator<Item = String> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
        _ => None,
    })
}

/// Percent-encodes what may not stand in an address's path: `/a b.css` → `/a%20b.css`.
pub fn encode_path(path: &str) -> String {
    const ENCODED: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'\\')
        .add(b'^')
        .add(b'`')
        .add(b'{')
        .add(b'|')
        .add(b'}');
    utf8_percent_encode(path, ENCODED).to_string()
}

/// Whether a file belongs to an installed package.
pub fn is_in_package(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "node_modules")
}
