//! A package manager at work: what it does in `node_modules` is told when it has finished, and nothing else waits for it.
//!
//! ```text
//! npm install react@19   react → .react-x1Y2z3, …seconds…, react, .react-x1Y2z3 removed   ──►  one batch at its end
//! an edit of src/app.ts meanwhile                                                          ──►  told at once
//! an edit of node_modules/react/index.js by hand                                           ──►  told at once
//! ```
//!
//! It begins when something in `node_modules` goes, or a folder comes. Its end shows nowhere: it is taken to be there when for a
//! while nothing has happened, the packages that came have not grown, and none is left aside that is to be replaced.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// An installation is over when nothing has happened for so long.
const QUIET: Duration = Duration::from_secs(1);
const LOOK_PACE: Duration = Duration::from_millis(300);
/// What an installation did is told after this long in any case.
const LONGEST: Duration = Duration::from_secs(60);
/// Entries that are counted of packages that came.
const MOST_COUNTED: usize = 20_000;
/// Clocks of disks differ a little from ours.
const CLOCK_DOUBT: Duration = Duration::from_secs(2);

/// The installation that is under way, if one is.
#[derive(Debug)]
pub struct Install {
    /// The project's folder. It may lie in a `node_modules` itself.
    root: PathBuf,
    run: Option<Run>,
}

#[derive(Debug)]
struct Run {
    first: Instant,
    since: SystemTime,
    /// When something last happened.
    last: Instant,
    look_at: Instant,
    /// Folders of packages that went or came.
    packages: BTreeSet<PathBuf>,
    /// Entries of packages that came, when they were last looked at.
    entries: usize,
}

/// What package managers write beside `node_modules`.
const FILES: [&str; 6] = ["package.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb"];

impl Install {
    pub fn new(root: PathBuf) -> Self {
        Self { root, run: None }
    }

    /// Whether packages are installed here.
    pub fn is_in_packages(&self, path: &Path) -> bool {
        path.strip_prefix(&self.root).unwrap_or(path).components().any(is_modules)
    }

    pub fn is_on(&self) -> bool {
        self.run.is_some()
    }

    /// Whether what happens to `path` belongs to it.
    pub fn takes(&self, path: &Path) -> bool {
        let is_file_of_it = || path.file_name().is_some_and(|name| FILES.iter().any(|file| name == *file));
        self.is_on() && (self.is_in_packages(path) || is_file_of_it())
    }

    /// Something happened to `path`, which belongs to it or begins it.
    pub fn note(&mut self, path: &Path, now: Instant) {
        let package = package_of(path).filter(|package| self.is_in_packages(package));
        let run = self.run.get_or_insert_with(|| Run {
            first: now,
            since: SystemTime::now() - CLOCK_DOUBT,
            last: now,
            look_at: now + LOOK_PACE,
            packages: BTreeSet::new(),
            entries: 0,
        });
        run.last = now;
        run.packages.extend(package);
    }

    /// When to ask whether it is over.
    pub fn due(&self) -> Option<Instant> {
        self.run.as_ref().map(|run| run.look_at.min(run.first + LONGEST))
    }

    pub fn is_over(&mut self, now: Instant) -> bool {
        let Some(run) = &mut self.run else { return false };
        if now >= run.first + LONGEST {
            return true;
        }
        let entries = run.count_entries();
        let is_set_aside = |package: &PathBuf| !package.exists() && has_substitute(package);
        if std::mem::replace(&mut run.entries, entries) != entries || run.packages.iter().any(is_set_aside) {
            run.last = now;
        }
        run.look_at = now + LOOK_PACE;
        now >= run.last + QUIET
    }

    pub fn end(&mut self) {
        self.run = None;
    }
}

fn is_modules(part: Component) -> bool {
    part == Component::Normal("node_modules".as_ref())
}

/// `…/node_modules/@scope/name/lib/index.js` → `…/node_modules/@scope/name`
fn package_of(path: &Path) -> Option<PathBuf> {
    let parts: Vec<Component> = path.components().collect();
    let at = parts.iter().rposition(|part| is_modules(*part))?;
    let is_scope = parts.get(at + 1)?.as_os_str().as_encoded_bytes().starts_with(b"@");
    let end = at + if is_scope { 3 } else { 2 };
    Some(parts.get(..end)?.iter().collect())
}

/// npm renames a package that it replaces: `name` → `.name-x1Y2z3`.
fn has_substitute(package: &Path) -> bool {
    let (Some(folder), Some(name)) = (package.parent(), package.file_name()) else { return false };
    let prefix = [b".", name.as_encoded_bytes(), b"-"].concat();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name()).any(|name| name.as_encoded_bytes().starts_with(&prefix))
}

impl Run {
    /// Files and folders of the packages that came, wherever others went or came; up to a limit.
    fn count_entries(&self) -> usize {
        let is_of_modules = |folder: &&Path| folder.ends_with("node_modules");
        let modules: BTreeSet<&Path> =
            self.packages.iter().filter_map(|package| package.ancestors().find(is_of_modules)).collect();
        let is_new = |path: &Path| fs::metadata(path).is_ok_and(|metadata| changed(&metadata) >= self.since);
        let mut queue: Vec<PathBuf> = Vec::new();
        for folder in modules {
            for package in folders_in(folder) {
                let is_scope = package.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"@"));
                queue.extend(if is_scope { folders_in(&package) } else { vec![package] });
            }
        }
        queue.retain(|package| is_new(package));
        let mut count = 0;
        while let Some(folder) = queue.pop().filter(|_| count < MOST_COUNTED) {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                count += 1;
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    queue.push(entry.path());
                }
            }
        }
        count
    }
}

fn folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()).collect()
}

/// When the folder was made, renamed, or got other entries.
#[cfg(unix)]
fn changed(metadata: &fs::Metadata) -> SystemTime {
    use std::os::unix::fs::MetadataExt;
    SystemTime::UNIX_EPOCH + Duration::from_secs(metadata.ctime().max(0) as u64)
}

#[cfg(not(unix))]
fn changed(metadata: &fs::Metadata) -> SystemTime {
    metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_found_by_any_of_its_files() {
        let package = |path: &str| package_of(Path::new(path)).map(|path| path.display().to_string());
        assert_eq!(package("/a/node_modules/b/lib/c.js").as_deref(), Some("/a/node_modules/b"));
        assert_eq!(package("/a/node_modules/@s/b").as_deref(), Some("/a/node_modules/@s/b"));
        assert_eq!(
            package("/a/node_modules/b/node_modules/c/d.js").as_deref(),
            Some("/a/node_modules/b/node_modules/c")
        );
        assert_eq!(package("/a/node_modules/@s"), None);
        assert_eq!(package("/a/node_modules"), None);
    }

    #[test]
    fn a_project_may_lie_below_a_folder_of_that_name() {
        let is_package = |root: &str, path: &str| Install::new(root.into()).is_in_packages(Path::new(path));
        assert!(is_package("/a", "/a/node_modules/b/c.js") && !is_package("/a", "/a/my_node_modules/b"));
        assert!(is_package("/a/b", "/a/node_modules/c"), "packages of a workspace");
        assert!(!is_package("/a/node_modules/b/demo", "/a/node_modules/b/demo/src/c.js"));
        assert!(is_package("/a/node_modules/b/demo", "/a/node_modules/b/demo/node_modules/c"));
    }

    /// Looks until it has been quiet for long enough, the last of which finds that.
    const IN_QUIET: usize = 3;

    /// How often it is not over yet, up to twenty times.
    fn looks(install: &mut Install) -> usize {
        (0..20).take_while(|_| !install.is_over(install.due().unwrap())).count()
    }

    #[test]
    fn it_is_over_when_it_is_quiet_and_nothing_grows_or_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        let modules = folder.path().join("node_modules");
        let (package, aside) = (modules.join("react"), modules.join(".react-x1Y2z3"));
        fs::create_dir_all(&aside).unwrap();
        let (start, mut install) = (Instant::now(), Install::new(folder.path().into()));
        install.note(&package.join("index.js"), start);
        assert_eq!(install.due(), Some(start + LOOK_PACE));
        assert_eq!(looks(&mut install), 20, "the other one is not there");
        fs::create_dir(&package).unwrap();
        fs::write(package.join("index.js"), "").unwrap();
        assert_eq!(looks(&mut install), IN_QUIET + 1, "it has grown, and then no more");
        fs::remove_dir_all(&package).unwrap();
        install.note(&package, start);
        assert!(!install.is_over(start + QUIET) && install.is_over(start + LONGEST));
        install.end();
        assert!(install.due().is_none() && !install.is_on());
    }

    #[test]
    fn a_package_that_is_removed_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let mut install = Install::new(folder.path().into());
        install.note(&folder.path().join("node_modules/react"), Instant::now());
        assert_eq!(looks(&mut install), IN_QUIET);
    }
}
