//! Which component framework a project uses, and where the runtime is that refreshes its components.
//!
//! ```text
//! node_modules/react + node_modules/react-refresh    → React, /node_modules/react-refresh/runtime.js
//! node_modules/preact + node_modules/@prefresh/core  → Preact, …
//! node_modules/react alone                           → the runtime is missing
//! ```

use std::path::{Path, PathBuf};

use rekindle_graph::{DepKind, FilePath, ModuleUrl};
use serde_json::Value;

use crate::file;
use crate::resolve::{Resolved, Resolver};

/// A module of the project or of our own npm package.
pub type RuntimeModule = (ModuleUrl, FilePath);

/// How the components of a project take updates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Framework {
    #[default]
    None,
    /// React with `react-refresh/runtime`.
    React(RuntimeModule),
    /// Preact with `@prefresh/core` and `@prefresh/utils`.
    Preact(RuntimeModule, RuntimeModule),
    /// The framework is there and its refresh runtime is not: an edit of a component goes to who accepts it, or reloads.
    WithoutRuntime { framework: &'static str, package: &'static str },
}

impl Framework {
    /// Looks from the project folder upwards; `own` are folders of packages that came with us.
    pub fn detect(root: &Path, resolver: &Resolver, own: &[PathBuf]) -> Self {
        let search = Search { root, resolver, own };
        let react = package_above(root, "react");
        let preact = package_above(root, "preact");
        let wants_preact = preact.is_some() && (react.is_none() || (names(root, "preact") && !names(root, "react")));
        match (wants_preact, react) {
            (true, _) => search.preact(),
            (false, Some(_)) => search.react(),
            (false, None) => Self::None,
        }
    }

    /// Whether components and hooks are registered.
    pub fn refreshes(&self) -> bool {
        matches!(self, Self::React(_) | Self::Preact(..))
    }

    /// What JSX imports its functions from when no tsconfig says so.
    pub fn jsx_import_source(&self) -> Option<&'static str> {
        let is_preact = matches!(self, Self::Preact(..) | Self::WithoutRuntime { framework: "preact", .. });
        is_preact.then_some("preact")
    }

    /// The modules that run before anything else of a page.
    pub fn modules(&self) -> Vec<RuntimeModule> {
        match self {
            Self::React(runtime) => vec![runtime.clone()],
            Self::Preact(core, utils) => vec![core.clone(), utils.clone()],
            Self::None | Self::WithoutRuntime { .. } => Vec::new(),
        }
    }

    /// One line for the terminal, when something has to be installed.
    pub fn advice(&self) -> Option<String> {
        let Self::WithoutRuntime { framework, package } = self else { return None };
        Some(format!(
            "{framework} is here but {package} is not, so that edits of components reload the page: npm install -D {package}"
        ))
    }

    /// The packages it lacks.
    pub fn lacks(&self) -> impl Iterator<Item = &'static str> + use<> {
        let packages = if let Self::WithoutRuntime { package, .. } = self { package } else { "" };
        packages.split_whitespace()
    }
}

struct Search<'s> {
    root: &'s Path,
    resolver: &'s Resolver,
    own: &'s [PathBuf],
}

impl Search<'_> {
    fn react(&self) -> Framework {
        // Ours may be installed in the place of Vite.
        let found = self.find("react-refresh/runtime", &["@vitejs/plugin-react", "rekindle", "vite"]);
        match found.or_else(|| self.own.iter().find_map(|folder| self.seen_from(folder, "react-refresh/runtime"))) {
            Some(runtime) => Framework::React(runtime),
            None => Framework::WithoutRuntime { framework: "react", package: "react-refresh" },
        }
    }

    /// Only the project's own: the refresh runtime of Preact imports the very copy of Preact that it works on.
    fn preact(&self) -> Framework {
        let through = ["@preact/preset-vite", "@prefresh/vite"];
        match self.find("@prefresh/core", &through).zip(self.find("@prefresh/utils", &through)) {
            Some((core, utils)) => Framework::Preact(core, utils),
            None => Framework::WithoutRuntime { framework: "preact", package: "@prefresh/core @prefresh/utils" },
        }
    }

    /// `specifier` as the project sees it, then as packages see it that bring it along, one through the other.
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

    fn detect(root: &Path, own: &[PathBuf]) -> Framework {
        let root = root.canonicalize().unwrap();
        Framework::detect(
            &root,
            &Resolver::new(&root, None, "/", &crate::resolve_settings::ResolveSettings::default()),
            own,
        )
    }

    #[test]
    fn react_needs_its_runtime_from_the_project_or_from_us() {
        let project = tempfile::tempdir().unwrap();
        assert_eq!(detect(project.path(), &[]), Framework::None);
        package(project.path(), "react", "index.js");
        let missing = detect(project.path(), &[]);
        assert!(missing.advice().unwrap().ends_with("npm install -D react-refresh"));
        let ours = tempfile::tempdir().unwrap();
        package(ours.path(), "react-refresh", "runtime.js");
        let own = [ours.path().canonicalize().unwrap()];
        assert!(
            matches!(detect(project.path(), &own), Framework::React((url, _)) if url.as_str().starts_with("/@fs/"))
        );
        package(project.path(), "react-refresh", "runtime.js");
        let found = detect(project.path(), &own);
        assert_eq!(found.modules()[0].0.as_str(), "/node_modules/react-refresh/runtime.js");
    }

    #[cfg(unix)]
    #[test]
    fn our_own_package_brings_the_runtime_where_each_package_sees_only_its_own() {
        let project = tempfile::tempdir().unwrap();
        package(project.path(), "react", "index.js");
        let store = project.path().join("node_modules/.pnpm/rekindle@0.1.0");
        package(&store, "rekindle", "index.js");
        package(&store, "react-refresh", "runtime.js");
        for name in ["rekindle", "vite"] {
            let link = project.path().join("node_modules").join(name);
            std::os::unix::fs::symlink(store.join("node_modules/rekindle"), &link).unwrap();
            assert!(matches!(detect(project.path(), &[]), Framework::React(_)), "{name}");
            std::fs::remove_file(link).unwrap();
        }
    }

    #[test]
    fn who_depends_on_preact_alone_gets_preact_although_react_lies_there_too() {
        let project = tempfile::tempdir().unwrap();
        for name in ["react", "preact", "@prefresh/core", "@prefresh/utils"] {
            package(project.path(), name, "index.js");
        }
        std::fs::write(project.path().join("package.json"), r#"{"dependencies":{"preact":"*"}}"#).unwrap();
        let found = detect(project.path(), &[]);
        assert!(matches!(found, Framework::Preact(..)));
        assert_eq!(found.jsx_import_source(), Some("preact"));
    }
}
