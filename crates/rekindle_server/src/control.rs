//! How a command finds the running servers of a project: a file for each in the cache folder, for its owner's eyes only.
//!
//! ```text
//! node_modules/.rekindle/server-5173.json     {"address":"127.0.0.1:5173","path":"/@rekindle/edit","token":"…"}
//! ```
//!
//! The token opens [`PATH`] and nothing else, and no page knows it. A server that was killed leaves its file behind; the next
//! on that port replaces it, and a command that finds nobody there removes it.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::secret::write_private;

/// Where a server listens to commands, below its base.
pub const PATH: &str = "/@rekindle/edit";
/// The header that holds the token.
pub const HEADER: &str = "x-rekindle-token";

const BEGIN: &str = "server-";
const END: &str = ".json";

/// A running server as a command sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    pub address: SocketAddr,
    /// [`PATH`] with the base before it.
    pub path: String,
    pub token: String,
}

/// The file of a running server; dropping it removes the file.
#[derive(Debug)]
pub struct ControlFile {
    path: PathBuf,
    text: String,
}

impl ControlFile {
    /// Writes it. Without one no command finds the server, and that is no reason not to serve.
    pub fn write(cache_dir: &Path, control: &Control) -> Option<Self> {
        let path = cache_dir.join(format!("{BEGIN}{}{END}", control.address.port()));
        let text = serde_json::to_string(control).ok()?;
        match write_private(&path, text.as_bytes()) {
            Ok(()) => Some(Self { path, text }),
            Err(error) => {
                tracing::debug!(%error, path = %path.display(), "no file for commands");
                None
            }
        }
    }
}

impl Drop for ControlFile {
    fn drop(&mut self) {
        // Another server may have the port by now, and the file.
        if std::fs::read_to_string(&self.path).is_ok_and(|text| text == self.text) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The servers that say in `cache_dir` that they run, each with its file.
pub fn find(cache_dir: &Path) -> io::Result<Vec<(PathBuf, Control)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(cache_dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(|name| name.starts_with(BEGIN) && name.ends_with(END));
        if !is_ours || !entry.file_type()?.is_file() {
            continue;
        }
        let control = std::fs::read(entry.path()).ok().and_then(|text| serde_json::from_slice::<Control>(&text).ok());
        found.extend(control.map(|control| (entry.path(), control)));
    }
    found.sort_by_key(|(_, control)| control.address.port());
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(port: u16, token: &str) -> Control {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Control { address, path: PATH.into(), token: token.into() }
    }

    #[test]
    fn a_server_is_found_while_it_runs() {
        let folder = tempfile::tempdir().unwrap();
        let (second, first) = (control(5174, "b"), control(5173, "a"));
        let files = [&second, &first].map(|control| ControlFile::write(folder.path(), control).unwrap());
        std::fs::write(folder.path().join("server-x.json"), "no JSON").unwrap();
        std::fs::write(folder.path().join("secret"), "").unwrap();
        let controls: Vec<Control> = find(folder.path()).unwrap().into_iter().map(|(_, control)| control).collect();
        assert_eq!(controls, [first, second]);
        drop(files);
        assert_eq!(find(folder.path()).unwrap(), []);
    }

    #[test]
    fn a_server_leaves_the_file_of_its_successor_alone() {
        let folder = tempfile::tempdir().unwrap();
        let before = ControlFile::write(folder.path(), &control(5173, "a")).unwrap();
        let _after = ControlFile::write(folder.path(), &control(5173, "b")).unwrap();
        drop(before);
        assert_eq!(find(folder.path()).unwrap()[0].1, control(5173, "b"));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("server-5173.json"), "open to all").unwrap();
        let file = ControlFile::write(folder.path(), &control(5173, "a")).unwrap();
        assert_eq!(std::fs::metadata(&file.path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
