//! How commands and running servers find each other, whatever the servers' settings are: notes in a folder of this machine
//! that only their user can read.
//!
//! ```text
//! /run/user/1000/rekindle/server-2f….json    {"root":"/home/me/app","address":"127.0.0.1:5173","path":"/@rekindle/edit","token":"…"}
//! /run/user/1000/rekindle/edit-9c….json      {"scope":{"here":"/home/me/app/src","area":"/home/me/app"},"id":"9c…","lease":30000}
//! ```
//!
//! Who begins an edit writes its note and then looks for servers; a server that starts writes its note and then looks for
//! edits. So one of the two always sees the other.
//!
//! The token opens [`PATH`] and nothing else, and no page knows it. A server that was killed leaves its note behind; a command
//! that finds nobody there removes it. Servers renew their notes, so one of [`OLDEST`] age is of the dead.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::files::secret::write_private;
use crate::http::token::Token;

/// Where a server listens to commands, below its base.
pub const PATH: &str = "/@rekindle/edit";
/// The header that holds the token.
pub const HEADER: &str = "x-rekindle-token";
/// How often a server renews its note. Systems clear such folders of what is old, or when the user logs out.
pub(crate) const RENEWAL: Duration = Duration::from_secs(30);

const OLDEST: Duration = Duration::from_secs(24 * 60 * 60);
const END: &str = ".json";

/// A running server as a command sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// Its project folder.
    pub root: String,
    pub address: SocketAddr,
    /// [`PATH`] with the base before it.
    pub path: String,
    pub token: String,
}

/// Which servers an edit concerns: those whose project is in `area`, or around `here`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    here: String,
    area: String,
}

impl Scope {
    /// The scope of work in a folder: its git repository, since a project may use files of another one in it, or the folder alone.
    pub fn around(here: &Path) -> Self {
        let here = real(here);
        let area = here.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&here);
        Self { area: text_of(area), here: text_of(&here) }
    }

    /// The scope of work on a project that was named.
    pub fn of_project(root: &Path) -> Self {
        let root = text_of(&real(root));
        Self { here: root.clone(), area: root }
    }

    pub fn concerns(&self, root: &str) -> bool {
        Path::new(root).starts_with(&self.area) || Path::new(&self.here).starts_with(root)
    }
}

/// An edit that is under way, for servers that start meanwhile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenEdit {
    pub scope: Scope,
    pub id: String,
    /// Milliseconds; they count from the time at which the note was written or renewed.
    pub lease: u64,
}

/// As notes hold paths: the same for all who write and read them.
pub fn text_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A path without links, where there is one.
pub fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// A note that somebody wrote. Dropping it removes it.
#[derive(Debug)]
pub struct ControlFile {
    path: PathBuf,
    text: String,
}

impl ControlFile {
    /// Says that a server runs. Without a note no command finds it, and that is no reason not to serve.
    pub fn of_server(control: &Control) -> Option<Self> {
        Self::write(&format!("server-{}{END}", Token::fresh().as_str()), control)
    }

    /// Says that an edit is under way.
    pub fn of_edit(edit: &OpenEdit) -> Option<Self> {
        Self::write(&format!("edit-{}{END}", edit.id), edit)
    }

    fn write(name: &str, content: &impl Serialize) -> Option<Self> {
        let text = serde_json::to_string(content).ok()?;
        let path = write_note(name, &text)?;
        Some(Self { path, text })
    }

    /// Makes the note count as new, and writes it again if something has cleared it away.
    pub fn renew(&mut self) {
        let touched =
            File::options().append(true).open(&self.path).and_then(|file| file.set_modified(SystemTime::now()));
        if touched.is_err()
            && let Some(name) = self.path.file_name().and_then(|name| name.to_str())
            && let Some(path) = write_note(name, &self.text)
        {
            self.path = path;
        }
    }

    /// Leaves the note there when this process ends.
    pub fn leave(self) {
        std::mem::forget(self);
    }
}

impl Drop for ControlFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Writes a note to the first folder that takes it. Nobody sees half of it.
fn write_note(name: &str, text: &str) -> Option<PathBuf> {
    let write = |folder: &PathBuf| {
        make_private(folder)?;
        let (path, draft) = (folder.join(name), folder.join(format!("{name}.{}", Token::fresh().as_str())));
        write_private(&draft, text.as_bytes())?;
        fs::rename(&draft, &path)?;
        io::Result::Ok(path)
    };
    folders().iter().find_map(|folder| {
        write(folder)
            .inspect_err(|error| tracing::debug!(%error, folder = %folder.display(), "no note for commands"))
            .ok()
    })
}

/// The servers that an edit concerns, each with its note.
pub fn servers(scope: &Scope) -> Vec<(PathBuf, Control)> {
    let all = notes::<Control>("server-").into_iter();
    let mut found: Vec<_> =
        all.map(|(path, _, control)| (path, control)).filter(|(_, control)| scope.concerns(&control.root)).collect();
    found.sort_by_key(|(_, control)| control.address.port());
    found
}

/// The edits under way that concern the project at `root`, and how long each may still last.
pub(crate) fn edits_of(root: &str) -> Vec<(OpenEdit, Duration)> {
    let concerning = notes::<OpenEdit>("edit-").into_iter().filter(|(_, _, edit)| edit.scope.concerns(root));
    concerning
        .filter_map(|(_, age, edit)| {
            let rest = Duration::from_millis(edit.lease).checked_sub(age)?;
            (!rest.is_zero()).then_some((edit, rest))
        })
        .collect()
}

/// Takes the note of an edit that is over: whether its lease had still lasted, or `None` if there is no note.
pub fn end_edit(id: &str) -> Option<bool> {
    let (path, age, edit) = notes::<OpenEdit>("edit-").into_iter().find(|(_, _, edit)| edit.id == id)?;
    let _ = fs::remove_file(path);
    Some(age < Duration::from_millis(edit.lease))
}

/// Notes of a kind, each with its age; those that are too old are removed.
fn notes<T: DeserializeOwned>(begin: &str) -> Vec<(PathBuf, Duration, T)> {
    let mut found = Vec::new();
    for folder in folders().iter().filter(|folder| is_private(folder)) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let is_note = name.to_str().is_some_and(|name| name.starts_with(begin) && name.ends_with(END));
            let Ok(facts) = entry.metadata() else { continue };
            let age = facts.modified().ok().and_then(|time| time.elapsed().ok()).unwrap_or_default();
            if age > OLDEST {
                let _ = fs::remove_file(entry.path());
            } else if is_note && facts.is_file() {
                let content = fs::read(entry.path()).ok().and_then(|text| serde_json::from_slice(&text).ok());
                found.extend(content.map(|content| (entry.path(), age, content)));
            }
        }
    }
    found
}

/// The folders in which notes may be. They do not depend on variables of the shell, since server and command have to agree on them,
/// and belong to this machine alone, as the addresses in the notes do. The second is for systems and containers without the first.
#[cfg(unix)]
fn folders() -> Vec<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    vec![PathBuf::from(format!("/run/user/{user}/rekindle")), PathBuf::from(format!("/tmp/rekindle-{user}"))]
}

/// The folder of the user's programs, which other users cannot read.
#[cfg(not(unix))]
fn folders() -> Vec<PathBuf> {
    let local = std::env::var_os("LOCALAPPDATA").map(PathBuf::from);
    vec![local.unwrap_or_else(std::env::temp_dir).join("rekindle/running")]
}

/// Makes a folder, or refuses one that somebody else has made or can look into.
#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    if !is_private(folder) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is not this user's alone"));
    }
    Ok(())
}

/// Not through a link, which somebody else may have laid.
#[cfg(unix)]
fn is_private(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let user = rustix::process::geteuid().as_raw();
    fs::symlink_metadata(folder).is_ok_and(|facts| facts.is_dir() && facts.uid() == user && facts.mode() & 0o077 == 0)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(not(unix))]
fn is_private(folder: &Path) -> bool {
    folder.is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(root: &Path, port: u16) -> Control {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Control { root: text_of(&real(root)), address, path: PATH.into(), token: "t".into() }
    }

    fn ports(scope: &Scope) -> Vec<u16> {
        servers(scope).iter().map(|(_, control)| control.address.port()).collect()
    }

    #[test]
    fn servers_in_around_and_beside_a_folder_are_found_while_they_run() {
        let folder = tempfile::tempdir().unwrap();
        let below = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(&path).unwrap();
            path
        };
        let (app, inner, beside) = (below("app"), below("app/examples/one"), below("beside"));
        let notes = [(&app, 5174), (&inner, 5175), (&beside, 5173)]
            .map(|(root, port)| ControlFile::of_server(&control(root, port)).unwrap());
        assert_eq!(ports(&Scope::around(&below("app/src"))), [5174]);
        assert_eq!(ports(&Scope::around(&inner)), [5174, 5175]);
        assert_eq!(ports(&Scope::around(folder.path())), [5173, 5174, 5175]);
        assert_eq!(ports(&Scope::of_project(&beside)), [5173]);
        // In one repository the one project may import from the other.
        below(".git");
        assert_eq!(ports(&Scope::around(&below("app/src"))), [5173, 5174, 5175]);
        assert_eq!(ports(&Scope::of_project(&beside)), [5173]);
        drop(notes);
        assert_eq!(ports(&Scope::around(folder.path())), [0; 0]);
    }

    #[test]
    fn a_note_that_was_cleared_away_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut note = ControlFile::of_server(&control(folder.path(), 5173)).unwrap();
        fs::remove_file(&note.path).unwrap();
        note.renew();
        assert_eq!(ports(&Scope::of_project(folder.path())), [5173]);
        let old = SystemTime::now() - OLDEST - RENEWAL;
        File::options().append(true).open(&note.path).unwrap().set_modified(old).unwrap();
        assert_eq!(ports(&Scope::of_project(folder.path())), [0; 0], "it is of a server that was killed long ago");
    }

    #[test]
    fn an_edit_is_known_until_its_lease_ends() {
        let folder = tempfile::tempdir().unwrap();
        let root = text_of(&real(folder.path()));
        let id = Token::fresh().as_str().to_owned();
        let edit = OpenEdit { scope: Scope::of_project(folder.path()), id: id.clone(), lease: 60_000 };
        let mut note = ControlFile::of_edit(&edit).unwrap();
        let known: Vec<OpenEdit> = edits_of(&root).into_iter().map(|(edit, _)| edit).collect();
        assert_eq!(known, [edit]);
        assert_eq!(edits_of(&format!("{root}-other")).len(), 0);
        let before = SystemTime::now() - Duration::from_secs(61);
        File::options().append(true).open(&note.path).unwrap().set_modified(before).unwrap();
        assert_eq!(edits_of(&root).len(), 0);
        note.renew();
        assert_eq!(edits_of(&root).len(), 1);
        assert_eq!((end_edit(&id), end_edit(&id)), (Some(true), None));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_them_or_leave_some() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let note = ControlFile::of_server(&control(folder.path(), 5173)).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&note.path), mode(note.path.parent().unwrap())), (0o600, 0o700));
        let open = folder.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(note.path.parent().unwrap(), &link).unwrap();
        assert!(make_private(&open).is_err() && make_private(&link).is_err());
        assert!(!is_private(&open) && !is_private(&link));
        make_private(&folder.path().join("new")).unwrap();
    }
}
