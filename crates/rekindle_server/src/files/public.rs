//! The files of `public/`, served as they are: a table filled by listing the folder (rules S1, S4).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::files::listing::Walk;
pub use crate::files::listing::is_secret_name;
use crate::files::servable::Servable;

/// Everything in the public folder that may be sent.
#[derive(Clone, Debug, Default)]
pub struct PublicFiles {
    folder: PathBuf,
    files: HashMap<String, Servable>,
    /// A sentence for each link that was left out because it leads out of the folder.
    pub warnings: Vec<String>,
}

impl PublicFiles {
    /// Lists the folder; one that does not exist has no files.
    pub fn list(folder: impl Into<PathBuf>) -> Self {
        let mut listed = Self { folder: folder.into(), ..Self::default() };
        listed.refresh();
        listed
    }

    /// Lists the folder again; true if a name came or went.
    pub fn refresh(&mut self) -> bool {
        let walk = Walk::of(&self.folder, |_| true);
        let before = std::mem::take(&mut self.files);
        self.files = walk.files.into_iter().map(|(path, real)| (format!("/{path}"), Servable::admit(real))).collect();
        let odd = walk.odd.into_iter().map(|(path, name)| format!("{path} is {name}, not a file, so it is not served"));
        self.warnings = walk.left_out.into_iter().chain(odd).collect();
        before.len() != self.files.len() || before.keys().any(|name| !self.files.contains_key(name))
    }

    /// The file of a decoded path that begins with a slash.
    pub fn get(&self, path: &str) -> Option<&Servable> {
        self.files.get(path)
    }

    /// The folder and every one below it that holds a file.
    pub fn folders(&self) -> Vec<PathBuf> {
        let below = self.files.keys().filter_map(|path| Some(self.folder.join(Path::new(&path[1..]).parent()?)));
        let mut folders: Vec<PathBuf> = below.chain([self.folder.clone()]).collect();
        folders.sort();
        folders.dedup();
        folders
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn files_are_found_and_links_that_leave_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let public = folder.path().join("public");
        fs::create_dir_all(public.join("icons")).unwrap();
        fs::write(folder.path().join("outside.txt"), "").unwrap();
        fs::write(public.join("icons/a b.svg"), "").unwrap();
        fs::write(public.join(".env"), "").unwrap();
        fs::write(public.join("server.pem"), "").unwrap();
        symlink(folder.path().join("outside.txt"), public.join("out.txt")).unwrap();
        symlink(folder.path(), public.join("outdir")).unwrap();
        symlink(public.join(".env"), public.join("env.txt")).unwrap();
        symlink("icons/a b.svg", public.join("inside.svg")).unwrap();
        symlink(".", public.join("icons/loop")).unwrap();

        let mut files = PublicFiles::list(&public);
        assert!(files.get("/icons/a b.svg").is_some());
        assert!(files.get("/inside.svg").is_some());
        assert_eq!(files.len(), 2, "{files:?}");
        assert_eq!(files.warnings.len(), 2, "{:?}", files.warnings);

        fs::write(public.join("new.txt"), "").unwrap();
        assert!(files.get("/new.txt").is_none());
        files.refresh();
        assert!(files.get("/new.txt").is_some());
    }

    #[tokio::test]
    async fn a_file_that_became_a_link_counts_as_gone() {
        let folder = tempfile::tempdir().unwrap();
        let public = folder.path().join("public");
        fs::create_dir(&public).unwrap();
        fs::write(public.join("a.txt"), "a").unwrap();
        fs::write(folder.path().join("secret"), "s").unwrap();
        let files = PublicFiles::list(&public);
        let servable = files.get("/a.txt").unwrap();
        assert_eq!(servable.open().await.unwrap().length, 1);
        fs::remove_file(public.join("a.txt")).unwrap();
        symlink(folder.path().join("secret"), public.join("a.txt")).unwrap();
        assert!(servable.open().await.is_err());
    }
}
