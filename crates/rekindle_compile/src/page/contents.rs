//! What a page means: whatever it loads or names, found and resolved once for the server and for builds.
//!
//! ```html
//! <link rel="stylesheet" href="./a.css">       → LinkTarget::Sheet     /a.css?direct
//! <img src="/logo.png">                        → AssetTarget::Public   public/logo.png
//! <script type="module" src="/src/main.js">    → ScriptTarget::Module  /src/main.ts
//! ```
//!
//! What becomes of it is theirs: the server gives out addresses of files as they are, a build writes new ones.

use std::path::PathBuf;

use rekindle_graph::paths::normal;
use rekindle_graph::{DepKind, Diagnostic, FilePath, ModuleUrl};

use crate::compiler::Compiler;
use crate::kind::{inline_script, is_style, linked_sheet, without_suffix};
use crate::page::template::{
    PageScript, PageTemplate, is_local, parse_page, parse_page_for_build, relative_specifier, where_it_stands,
};
use crate::resolve::resolver::{Resolved, Unresolved};
use crate::source::Source;

/// A page with the meaning of everything in it. The lists are as long as those of the template.
#[derive(Clone, Debug, Default)]
pub struct PageContents {
    pub template: PageTemplate,
    pub scripts: Vec<ScriptTarget>,
    pub links: Vec<LinkTarget>,
    pub assets: Vec<AssetTarget>,
    pub imports: Vec<ImportTarget>,
    /// Folders in which a file may appear that would change the meaning of the page.
    pub folders: Vec<PathBuf>,
}

/// A module script of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptTarget {
    Module {
        url: ModuleUrl,
        file: FilePath,
    },
    /// A module from the binary.
    Helper(ModuleUrl),
    /// It is written into the page.
    Inline {
        url: ModuleUrl,
        source: Source,
    },
    /// The browser loads it by itself: another host's, or one of the public folder.
    Address(String),
    /// It is not there: the name that it would have, and the mistake with its place in the page.
    Missing {
        url: ModuleUrl,
        diagnostic: Box<Diagnostic>,
    },
}

/// What a `<link rel="stylesheet">` leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkTarget {
    /// A style of the project. `url` is the module that stands for its sheet, `suffix` the query and the fragment of the link.
    Sheet { url: ModuleUrl, file: FilePath, suffix: String },
    /// A style that is not there: the module that it would be. The mistake has no place.
    MissingSheet { url: ModuleUrl, file: FilePath, diagnostic: Box<Diagnostic> },
    /// Anything else.
    Other(AssetTarget),
}

/// What an address in a page leads to. `suffix` is its query and its fragment: `?x#top`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssetTarget {
    File {
        file: FilePath,
        url: ModuleUrl,
        suffix: String,
    },
    /// A file of the public folder, and its address without the suffix.
    Public {
        file: PathBuf,
        address: String,
        suffix: String,
    },
    /// The whole address of something that is no part of the project.
    Elsewhere(String),
    /// Nothing is there; the address as it is written.
    Missing(String),
}

/// What a script of a page that is no module imports when it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportTarget {
    Module { url: ModuleUrl, file: FilePath },
    Other(AssetTarget),
}

impl PageContents {
    /// What is odd about the page at `name`, one sentence each. `misses` says which names of the environment should have a
    /// value; `plugins` are those of the project's configuration that do not run.
    pub fn warnings(&self, name: &str, misses: &dyn Fn(&str) -> bool, plugins: &[String]) -> Vec<String> {
        let unknown = self.template.unknown_env.iter().filter(|variable| misses(variable));
        let unknown =
            unknown.map(|variable| format!("{name}: no env file has {variable}, so %{variable}% stays as it is"));
        let unfilled = self.template.unfilled.map(|unfilled| unfilled.sentence(name, plugins));
        let left_out = self.template.left_out_preloads.iter().map(|specifier| {
            format!(
                "{name}: the <link> that fetches {specifier} in advance is left out; what modules import has such links anyway"
            )
        });
        unknown.chain(unfilled).chain(left_out).collect()
    }
}

/// The address of what a page names, seen from the root: `./x.png` in `/docs/a.html` → `/docs/x.png`.
pub fn absolute(compiler: &Compiler, page: &FilePath, specifier: &str) -> String {
    if specifier.starts_with('/') {
        return specifier.to_owned();
    }
    let file = normal(&page.as_path().with_file_name("").join(specifier));
    compiler.resolver.url_of(&file, None).as_str().to_owned()
}

impl Compiler {
    /// Reads the page in `file`, whose text is `text`, and which is at `url` (`/docs/index.html`). `env` gives the value of a
    /// `%NAME%`, if the name is known.
    pub fn read_page(
        &self,
        url: &str,
        file: &FilePath,
        text: &str,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> PageContents {
        let resolves = |specifier: &str| {
            let resolved = self.resolver.resolve(file.as_path(), &relative_specifier(specifier), DepKind::Static);
            matches!(resolved, Ok(Resolved::File { .. }))
        };
        let template =
            if self.is_for_production() { parse_page_for_build(text, env, &resolves) } else { parse_page(text, env) };
        let mut reader = Reader { compiler: self, url, file, text, folders: Vec::new() };
        let scripts = template.scripts.iter().enumerate();
        let scripts = scripts.map(|(at, script)| reader.script(script, at, &template)).collect();
        let links = template.links.iter().map(|link| reader.link(&link.specifier)).collect();
        let assets = template.assets.iter().map(|asset| reader.asset(&asset.specifier)).collect();
        let imports = template.imports.iter().map(|specifier| reader.import(specifier)).collect();
        let folders = reader.folders;
        PageContents { template, scripts, links, assets, imports, folders }
    }
}

/// Resolves what one page names.
struct Reader<'a> {
    compiler: &'a Compiler,
    url: &'a str,
    file: &'a FilePath,
    text: &'a str,
    folders: Vec<PathBuf>,
}

impl Reader<'_> {
    fn resolve(&self, specifier: &str, kind: DepKind) -> Result<Resolved, Unresolved> {
        self.compiler.resolver.resolve(self.file.as_path(), specifier, kind)
    }

    fn absolute(&self, specifier: &str) -> String {
        absolute(self.compiler, self.file, specifier)
    }

    fn script(&mut self, script: &PageScript, at: usize, template: &PageTemplate) -> ScriptTarget {
        match script {
            PageScript::External { specifier, offset } => self.external_script(specifier, *offset),
            PageScript::Inline { code, offset } => {
                let url = inline_script(self.url, at);
                let as_if = template.as_if(self.url).map(|url| self.compiler.file_at(&url));
                ScriptTarget::Inline {
                    url,
                    source: Source::Inline { text: where_it_stands(self.text, *offset, code), as_if },
                }
            }
        }
    }

    fn external_script(&mut self, specifier: &str, offset: usize) -> ScriptTarget {
        let unresolved = match self.resolve(&relative_specifier(specifier), DepKind::Static) {
            Ok(Resolved::File { path: file, url }) => return ScriptTarget::Module { url, file },
            Ok(Resolved::Helper(url)) => return ScriptTarget::Helper(url),
            Ok(Resolved::Address(address)) => return ScriptTarget::Address(address),
            Err(unresolved) => unresolved,
        };
        let absolute = self.absolute(specifier);
        if let Some(public) = self.compiler.resolver.public_address(&absolute) {
            return ScriptTarget::Address(public);
        }
        self.folders.extend(unresolved.folders);
        let mut diagnostic = Diagnostic::error(unresolved.message)
            .in_file(self.compiler.display(self.file.as_path()))
            .at(self.text, offset, specifier.len());
        diagnostic.help =
            unresolved.help.or_else(|| Some("the page's module script has to be a file of the project".into()));
        ScriptTarget::Missing { url: ModuleUrl::new(absolute), diagnostic: Box::new(diagnostic) }
    }

    fn link(&mut self, specifier: &str) -> LinkTarget {
        let (path, suffix) = without_suffix(specifier);
        match self.resolve(path, DepKind::Asset) {
            Ok(Resolved::File { path: file, url }) if is_style(url.path()) => {
                LinkTarget::Sheet { url: linked_sheet(url.path()), file, suffix: suffix.to_owned() }
            }
            Err(unresolved) if is_style(path) => {
                let absolute = self.absolute(&decoded(path));
                if self.compiler.resolver.public_file(&absolute).is_some() {
                    return LinkTarget::Other(self.asset(specifier));
                }
                let file = normal(&self.compiler.root().join(absolute.trim_start_matches('/')));
                let mut diagnostic = Diagnostic::error(unresolved.message);
                diagnostic.help = unresolved.help;
                LinkTarget::MissingSheet {
                    url: linked_sheet(&absolute),
                    file: FilePath::new(file),
                    diagnostic: Box::new(diagnostic),
                }
            }
            _ => LinkTarget::Other(self.asset(specifier)),
        }
    }

    fn asset(&mut self, specifier: &str) -> AssetTarget {
        let (path, suffix) = without_suffix(specifier);
        let (decoded, suffix) = (decoded(path), suffix.to_owned());
        match self.resolve(&decoded, DepKind::Asset) {
            Ok(Resolved::File { path: file, url }) => AssetTarget::File { file, url, suffix },
            Ok(Resolved::Address(address)) => match self.public(&decoded, &suffix) {
                Some(public) => public,
                None if address == decoded => AssetTarget::Elsewhere(specifier.to_owned()),
                // An alias leads there.
                None => AssetTarget::Elsewhere(format!("{address}{suffix}")),
            },
            Ok(Resolved::Helper(_)) => AssetTarget::Missing(specifier.to_owned()),
            Err(unresolved) => self.unresolved_asset(specifier, &decoded, &suffix, unresolved),
        }
    }

    /// A public file that is named relative to the page, or nothing. A `<base>` may put it elsewhere altogether.
    fn unresolved_asset(
        &mut self,
        specifier: &str,
        decoded: &str,
        suffix: &str,
        unresolved: Unresolved,
    ) -> AssetTarget {
        if !is_local(specifier) {
            return AssetTarget::Elsewhere(specifier.to_owned());
        }
        self.folders.extend(unresolved.folders);
        if let Some(public) = self.public(&self.absolute(decoded), suffix) {
            return public;
        }
        let compiler = self.compiler;
        if let Some(odd) = compiler.resolver.oddity_behind(self.file.as_path(), &relative_specifier(decoded)) {
            compiler.left_out().note(&odd);
        }
        AssetTarget::Missing(specifier.to_owned())
    }

    fn public(&self, path: &str, suffix: &str) -> Option<AssetTarget> {
        let file = self.compiler.resolver.public_file(path)?;
        let address = self.compiler.resolver.address_of_public(&file)?;
        Some(AssetTarget::Public { file, address, suffix: suffix.to_owned() })
    }

    fn import(&mut self, specifier: &str) -> ImportTarget {
        match self.resolve(&relative_specifier(specifier), DepKind::Dynamic) {
            Ok(Resolved::File { path: file, url }) => ImportTarget::Module { url, file },
            Ok(_) => ImportTarget::Other(self.asset(specifier)),
            Err(unresolved) => {
                self.folders.extend(unresolved.folders);
                ImportTarget::Other(self.asset(specifier))
            }
        }
    }
}

/// In an address `%20` is a space.
fn decoded(path: &str) -> String {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn write(root: &Path, files: &[&str]) {
        for file in files {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
    }

    /// What a page in `/docs/index.html` means, in a project that is served below `/app/`.
    fn read(body: &str, files: &[&str]) -> PageContents {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        write(&root, files);
        let compiler = Compiler::new(&root, Some(&root.join("public")), "/app/");
        let page = FilePath::new(root.join("docs/index.html"));
        compiler.read_page("/docs/index.html", &page, body, &|_| None)
    }

    #[test]
    fn a_sheet_is_found_whatever_stands_behind_its_address() {
        let contents = read(r#"<link rel="stylesheet" href="./a%20b.css?v=1#x">"#, &["docs/a b.css"]);
        let [LinkTarget::Sheet { url, suffix, .. }] = &contents.links[..] else { panic!("{:?}", contents.links) };
        assert_eq!((url.as_str(), suffix.as_str()), ("/docs/a b.css?direct", "?v=1#x"));
    }

    #[test]
    fn a_sheet_that_is_nowhere_is_a_mistake_and_a_public_one_is_not() {
        let page = r#"<link rel="stylesheet" href="./no.css"><link rel="stylesheet" href="./public.css?a">"#;
        let contents = read(page, &["public/docs/public.css"]);
        let [LinkTarget::MissingSheet { url, .. }, LinkTarget::Other(AssetTarget::Public { address, suffix, .. })] =
            &contents.links[..]
        else {
            panic!("{:?}", contents.links)
        };
        assert_eq!(url.as_str(), "/docs/no.css?direct");
        assert_eq!((address.as_str(), suffix.as_str()), ("/app/docs/public.css", "?a"));
    }

    #[test]
    fn what_a_base_puts_on_another_host_is_neither_missing_nor_changed() {
        let page = r#"<base href="https://cdn.test/lib/"><img src="a.png"><link rel="stylesheet" href="a.css">
<script>import('./x.js')</script>"#;
        let contents = read(page, &[]);
        assert!(contents.assets.is_empty() && contents.links.is_empty());
        let script = AssetTarget::Elsewhere("https://cdn.test/lib/x.js".into());
        assert_eq!(contents.imports, [ImportTarget::Other(script)]);
    }

    #[test]
    fn a_public_script_that_a_plain_script_imports_is_below_the_base() {
        let contents = read("<script>import('/x.js'); import('./y.js')</script>", &["public/x.js", "docs/y.ts"]);
        let [ImportTarget::Other(AssetTarget::Public { address, .. }), ImportTarget::Module { url, .. }] =
            &contents.imports[..]
        else {
            panic!("{:?}", contents.imports)
        };
        assert_eq!((address.as_str(), url.as_str()), ("/app/x.js", "/docs/y.ts"));
    }

    #[test]
    fn scripts_are_modules_mistakes_or_written_into_the_page() {
        let page = r#"<script type="module" src="main.js"></script><script type="module">run()</script>
<script type="module" src="./no.js"></script>"#;
        let contents = read(page, &["docs/main.ts"]);
        let [ScriptTarget::Module { url, .. }, ScriptTarget::Inline { url: inline, .. }, missing] =
            &contents.scripts[..]
        else {
            panic!("{:?}", contents.scripts)
        };
        assert_eq!((url.as_str(), inline.as_str()), ("/docs/main.ts", "/docs/index.html?html-proxy&index=1.js"));
        let ScriptTarget::Missing { url, diagnostic } = missing else { panic!("{missing:?}") };
        assert_eq!(url.as_str(), "/docs/no.js");
        assert_eq!(diagnostic.file.as_deref(), Some("docs/index.html"));
        assert_eq!(diagnostic.place.map(|place| (place.line, place.column)), Some((2, 28)));
    }
}
