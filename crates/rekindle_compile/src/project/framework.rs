//! Which component framework a project uses, and what refreshes its components.
//!
//! ```text
//! node_modules/react                                 → React, by the client's own runtime (client/src/core/react-refresh.ts)
//! node_modules/preact + node_modules/@prefresh/core  → Preact, /node_modules/@prefresh/core/…
//! node_modules/preact alone                          → the runtime is missing
//! ```

use std::path::{Path, PathBuf};

use rekindle_graph::{DepKind, FilePath, ModuleUrl};
use serde_json::Value;

use crate::files::file;
use crate::resolve::resolver::{Resolved, Resolver};

/// A module of the project.
pub type RuntimeModule = (ModuleUrl, FilePath);

/// How the components of a project take updates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Framework {
    #[default]
    None,
    /// React, which our client refreshes.
    React,
    /// Preact with `@prefresh/core` and `@prefresh/utils`.
    Preact(RuntimeModule, RuntimeModule),
    /// Preact without them: an edit of a component goes to who accepts it, or reloads.
    PreactAlone,
}

impl Framework {
    /// Looks from the project folder upwards.
    pub fn detect(root: &Path, resolver: &Resolver) -> Self {
        let react = package_above(root, "react");
        let preact = package_above(root, "preact");
        let wants_preact = preact.is_some() && (react.is_none() || (names(root, "preact") && !names(root, "react")));
        match (wants_preact, react) {
            (true, _) => Search { root, resolver }.preact(),
            (false, Some(_)) => Self::React,
            (false, None) => Self::None,
        }
    }

    /// Whether components and hooks are registered.
    pub fn refreshes(&self) -> bool {
        matches!(self, Self::React | Self::Preact(..))
    }

    /// What JSX imports its functions from when no tsconfig says so.
    pub fn jsx_import_source(&self) -> Option<&'static str> {
        let is_preact = matches!(self, Self::Preact(..) | Self::PreactAlone);
        is_preact.then_some("preact")
    }

    /// The modules that run before anything else of a page.
    pub fn modules(&self) -> Vec<RuntimeModule> {
        match self {
            Self::Preact(core, utils) => vec![core.clone(), utils.clone()],
            Self::None | Self::React | Self::PreactAlone => Vec::new(),
        }
    }

    /// One line for the terminal, when something has to be installed.
    pub fn advice(&self) -> Option<String> {
        let packages = PREFRESH.join(" ");
        (*self == Self::PreactAlone).then(|| {
            format!(
                "preact is installed but {packages} is not, so edits of components reload the page: npm install -D {packages}"
            )
        })
    }

    /// The packages it lacks.
    pub fn lacks(&self) -> &'static [&'static str] {
        if *self == Self::PreactAlone { &PREFRESH } else { &[] }
    }
}

const PREFRESH: [&str; 2] = ["@prefresh/core", "@prefresh/utils"];

struct Search<'s> {
    root: &'s Path,
    resolver: &'s Resolver,
}

impl Search<'_> {
    /// Only the project's own: the refresh runtime of Preact imports the very copy of Preact that it works on.
    fn preact(&self) -> Framework {
        let through = ["@preact/preset-vite", "@prefresh/vite"];
        let [core, utils] = PREFRESH.map(|name| self.find(name, &through));
        core.zip(utils).map_or(Framework::PreactAlone, |(core, utils)| Framework::Preact(core, utils))
    }

    /// Finds `specifier` from the project, then from the packages of `through`, each of which is found from the one before.
    fn find(&self, specifier: &str, through: &[&str]) -> Option<RuntimeModule> {
        let mut folders = vec![self.root.to_owned()];
        for name in through {
            let found = folders.iter().rev().find_map(|folder| package_above(folder, name));
            folders.extend(found);
        }
        folders.iter().find_map(|folder| self.seen_from(folder, specifier))
    }

    fn seen_from(&self, folder: &Path, specifier: &str) -> Option<RuntimeModule> {
        match self.resolver.resolve(&folder.join("index.js"), specifier, DepKind::Require).ok()? {
            Resolved::File { path, url } => Some((url, path)),
            _ => None,
        }
    }
}

/// The real folder of a package that `folder` would import.
fn package_above(folder: &Path, name: &str) -> Option<PathBuf> {
    let candidates = folder.ancestors().map(|above| above.join("node_modules").join(name));
    candidates.into_iter().find(|folder| folder.join("package.json").is_file())?.canonicalize().ok()
}

/// Whether the nearest package.json lists a package as a dependency of any kind.
fn names(root: &Path, package: &str) -> bool {
    let nearest = root.ancestors().map(|folder| folder.join("package.json")).find(|file| file.is_file());
    let text = nearest.and_then(|file| file::read_text(&file).ok()).unwrap_or_default();
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    ["dependencies", "devDependencies", "peerDependencies", "optionalDependencies"]
        .iter()
        .any(|list| json.get(list).and_then(|list| list.get(package)).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(root: &Path, name: &str, main: &str) {
        let folder = root.join("node_modules").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("package.json"), format!(r#"{{"name":"{name}","main":"{main}"}}"#)).unwrap();
        std::fs::write(folder.join(main), "").unwrap();
    }

    fn detect(root: &Path) -> Framework {
        let root = root.canonicalize().unwrap();
        Framework::detect(
            &root,
            &Resolver::new(&root, None, "/", &crate::resolve::settings::ResolveSettings::default()),
        )
    }

    #[test]
    fn react_needs_nothing_besides_itself_and_may_lie_above_the_project() {
        let workspace = tempfile::tempdir().unwrap();
        let project = workspace.path().join("apps/web");
        std::fs::create_dir_all(&project).unwrap();
        assert_eq!(detect(&project), Framework::None);
        package(workspace.path(), "react", "index.js");
        assert_eq!(detect(&project), Framework::React);
        assert!(detect(&project).refreshes() && detect(&project).advice().is_none());
    }

    #[test]
    fn preact_needs_its_runtime_from_the_project_or_from_a_package_that_brings_it() {
        let project = tempfile::tempdir().unwrap();
        package(project.path(), "preact", "index.js");
        assert!(detect(project.path()).advice().unwrap().ends_with("npm install -D @prefresh/core @prefresh/utils"));
        package(project.path(), "@preact/preset-vite", "index.js");
        let preset = project.path().join("node_modules/@preact/preset-vite");
        PREFRESH.iter().for_each(|name| package(&preset, name, "index.js"));
        assert!(matches!(detect(project.path()), Framework::Preact(..)));
    }

    #[test]
    fn who_depends_on_preact_alone_gets_preact_although_react_lies_there_too() {
        let project = tempfile::tempdir().unwrap();
        for name in ["react", "preact", "@prefresh/core", "@prefresh/utils"] {
            package(project.path(), name, "index.js");
        }
        std::fs::write(project.path().join("package.json"), r#"{"dependencies":{"preact":"*"}}"#).unwrap();
        let found = detect(project.path());
        assert!(matches!(found, Framework::Preact(..)));
        assert_eq!(found.jsx_import_source(), Some("preact"));
    }
}
