//! Which files of the project may be fetched, and which pages it has (rules S1, S4): what a walk over it finds.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
pub use rekindle_compile::files::secrets::is_secret_name;
pub(crate) use rekindle_compile::files::walk::Walk;
use rekindle_compile::kind::{is_script, is_style};
use rekindle_graph::{FilePath, ModuleUrl};

use crate::files::servable::Servable;
use rekindle_config::{Config, ServeMode};

/// The project's own files.
fn of_project(config: &Config) -> Walk {
    Walk::of_project(&config.root, config.public_dir.as_deref(), &[&config.cache_dir])
}

/// What the project's root holds for the browser, besides modules and `public/`.
#[derive(Clone, Debug, Default)]
pub struct RootFiles {
    files: HashMap<String, Servable>,
    /// Pages by address: `/index.html`, `/docs/intro.html`.
    pub pages: BTreeMap<String, FilePath>,
    /// A sentence for each link that was left out and each glob that cannot be read.
    pub warnings: Vec<String>,
}

impl RootFiles {
    /// Lists the root: pages always, other files as `[serve]` says.
    pub fn list(config: &Config) -> Self {
        let mut listed = Self::default();
        let included = listed.globs(&config.serve.include);
        let is_served = |path: &str| config.serve.mode == ServeMode::Root || included.is_match(path);
        let walk = of_project(config);
        let warns = config.serve.mode == ServeMode::Root || !config.serve.include.is_empty();
        listed.warnings.extend(walk.left_out.into_iter().filter(|_| warns));
        for (path, name) in walk.odd {
            if path.ends_with(".html") || is_served(&path) {
                listed.warnings.push(format!("{path} is {name}, not a file, so it is not served"));
            }
        }
        for (path, real) in walk.files {
            if path.ends_with(".html") {
                listed.pages.insert(format!("/{path}"), FilePath::new(real.clone()));
            }
            if is_served(&path) {
                listed.files.insert(format!("/{path}"), Servable::admit(real));
            }
        }
        listed
    }

    /// What a computed `import()` may ask for, by address. Only what a walk of ours finds.
    pub fn importable(config: &Config) -> HashMap<String, FilePath> {
        let can_be_module = |path: &str| is_script(&ModuleUrl::new(path)) || is_style(path) || path.ends_with(".json");
        let files = of_project(config).files.into_iter().filter(|(path, _)| can_be_module(path));
        files.map(|(path, real)| (format!("/{path}"), FilePath::new(real))).collect()
    }

    /// Folders in which a page or a listed file may appear: the root and those that hold some.
    pub fn folders(&self, root: &Path) -> Vec<PathBuf> {
        let names = self.pages.keys().chain(self.files.keys());
        let below = names.filter_map(|path| Some(root.join(Path::new(&path[1..]).parent()?)));
        let mut folders: Vec<PathBuf> = below.chain([root.to_owned()]).collect();
        folders.sort();
        folders.dedup();
        folders
    }

    /// The file of a decoded path that begins with a slash.
    pub fn get(&self, path: &str) -> Option<&Servable> {
        self.files.get(path)
    }

    fn globs(&mut self, globs: &[String]) -> GlobSet {
        let mut set = GlobSetBuilder::new();
        for glob in globs {
            match GlobBuilder::new(glob.trim_start_matches("./").trim_start_matches('/'))
                .literal_separator(true)
                .build()
            {
                Ok(glob) => {
                    set.add(glob);
                }
                Err(error) => self.warnings.push(format!("`serve.include`: {error}")),
            }
        }
        set.build().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn secrets_are_known_by_name() {
        for name in [
            ".env",
            ".ENV.local",
            "a/.env.production/x",
            "server.pem",
            "tls/Server.KEY",
            ".git/config",
            "id_rsa",
            ".npmrc",
            "deep/.ssh/known_hosts",
            "cert.crt",
            ".env~",
            "a.pem.bak",
            ".htpasswd",
        ] {
            assert!(is_secret_name(Path::new(name)), "{name}");
        }
        for name in [
            "env.js",
            "logo.svg",
            "key.ts",
            "pem",
            ".well-known/x",
            "git/config",
            "keyboard.keys",
            "id_rsa.pub",
            ".gitignore",
        ] {
            assert!(!is_secret_name(Path::new(name)), "{name}");
        }
    }

    fn project(files: &[&str]) -> (tempfile::TempDir, Config) {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let config = Config::new(folder.path());
        (folder, config)
    }

    #[test]
    fn pages_are_found_and_nothing_else_is_served() {
        let (_folder, config) = project(&[
            "index.html",
            "docs/intro.html",
            "a.js",
            "public/p.html",
            "node_modules/x/demo.html",
            "docs/node_modules/y.html",
            ".cache/z.html",
            ".env",
        ]);
        let listed = RootFiles::list(&config);
        assert_eq!(listed.pages.keys().collect::<Vec<_>>(), ["/docs/intro.html", "/index.html"]);
        assert!(listed.get("/a.js").is_none());
    }

    #[test]
    fn what_is_included_is_served() {
        let (_folder, mut config) = project(&["assets/a/b.png", "assets/c.pem", "assets/.hidden/d.png", "src/e.ts"]);
        config.serve.include = vec!["assets/**".into(), "[".into()];
        let listed = RootFiles::list(&config);
        assert!(listed.get("/assets/a/b.png").is_some());
        for path in ["/assets/c.pem", "/assets/.hidden/d.png", "/src/e.ts", "assets/a/b.png"] {
            assert!(listed.get(path).is_none(), "{path}");
        }
        assert_eq!(listed.warnings.len(), 1);
    }

    #[test]
    fn root_mode_serves_all_but_secrets_and_hidden_folders() {
        let (_folder, mut config) = project(&["src/e.ts", ".git/config", "deep/.env", "id_rsa", ".idea/x"]);
        config.serve.mode = ServeMode::Root;
        let listed = RootFiles::list(&config);
        assert!(listed.get("/src/e.ts").is_some());
        for path in ["/.git/config", "/deep/.env", "/id_rsa", "/.idea/x"] {
            assert!(listed.get(path).is_none(), "{path}");
        }
    }
}
