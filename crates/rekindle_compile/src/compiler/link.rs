//! What the specifiers of a definition mean now.

use std::path::{Path, PathBuf};

use rekindle_graph::paths::is_in_package;
use rekindle_graph::{Definition, Dep, DepKind, Diagnostic, FilePath, GlobCall, Link, ModuleUrl};

use super::Compiler;
use crate::compiled::{GlobExpansion, Links};
use crate::data::inline;
use crate::files::{glob, secrets};
use crate::kind::{INLINE, KEEPS_FILE, LINKED, is_script, is_style, node_module, split_query};
use crate::resolve::glob_alias::AliasedGlob;
use crate::resolve::resolver::{Resolved, Unresolved};
use crate::resolve::{barrel, resolver};
use crate::script::builtin::NODE_URL;
use crate::source::Source;

impl Compiler {
    /// What the specifiers of a definition mean now.
    pub fn link(&self, definition: &Definition, file: &FilePath, source: &Source) -> Links {
        let mut links = Links::default();
        for dep in &definition.deps {
            let link = self.link_dep(dep, file, source, &mut links);
            links.links.push(link);
        }
        for call in &definition.globs {
            let found = self.glob_matches(call, source.seen_from(file));
            links.folders.extend(found.folders);
            let entries = found.entries.into_iter().map(|(key, path, url)| {
                links.files.push((url.clone(), path));
                (key, url)
            });
            let entries = entries.collect();
            links.globs.push(entries);
            if let Some(message) = found.mistake {
                links.errors.push(self.at(Diagnostic::error(message), file, source, call.span));
            }
        }
        links
    }

    /// What a glob in `importer` matches now.
    pub(crate) fn glob_matches(&self, call: &GlobCall, importer: &FilePath) -> GlobExpansion {
        let aliased = AliasedGlob::of(call, importer.as_path(), &self.resolver);
        let found = glob::expand(&aliased.call, importer.as_path(), &self.root);
        for path in &found.left_out {
            self.left_out().note_match(path);
        }
        let query = Some(call.query.as_str()).filter(|query| !query.is_empty());
        let entries = found.entries.into_iter().filter(|(_, path)| !secrets::holds_secrets(path, &self.root));
        let entries = entries.map(|(key, path)| {
            let path = path.canonicalize().unwrap_or(path);
            let url = self.resolver.url_of(&path, query);
            (aliased.key(key), FilePath::new(path), url)
        });
        // A computed import may mean anything until it runs.
        let mistake = glob::check(&aliased.call).err().filter(|_| !call.of_import);
        GlobExpansion { entries: entries.collect(), folders: found.folders, mistake }
    }

    /// Whether a file of this name would be among the matches of a glob in `importer`.
    pub fn could_match(&self, call: &GlobCall, importer: &FilePath, path: &Path) -> bool {
        let aliased = AliasedGlob::of(call, importer.as_path(), &self.resolver);
        glob::could_match(&aliased.call, importer.as_path(), &self.root, path)
    }

    pub(super) fn link_dep(&self, dep: &Dep, file: &FilePath, source: &Source, links: &mut Links) -> Link {
        if dep.kind == DepKind::Asset && dep.specifier.is_empty() {
            if is_style(&file.as_path().to_string_lossy()) && self.resolver.address_of_public(file.as_path()).is_none()
            {
                // `?url` of a style: the address leads to the sheet it compiles to. An edit swaps the links to it.
                let url = self.resolver.url_of(file.as_path(), Some(LINKED));
                let address = self.address_of(url.path());
                links.files.push((url, file.clone()));
                return Link::Address(address);
            }
            let inlined = self.inlined(file, dep);
            let address = self.asset_link(file.clone(), links);
            return inlined.unwrap_or(address);
        }
        if dep.kind == DepKind::Worker && dep.specifier.is_empty() {
            return self.worker_link(file.clone(), links);
        }
        match self.resolver.resolve(source.seen_from(file).as_path(), &dep.specifier, dep.kind) {
            Ok(Resolved::Address(address)) => match self.public_module(dep) {
                Some((url, file)) => {
                    links.files.push((url.clone(), file));
                    Link::Module(url)
                }
                None => Link::Address(address),
            },
            Ok(Resolved::Helper(url)) => {
                if url.path() == NODE_URL {
                    links.of_node.push(node_module(&url));
                }
                links.files.push((url.clone(), FilePath::new(url.path())));
                Link::Module(url)
            }
            Ok(Resolved::File { path, .. }) if secrets::holds_secrets(path.as_path(), &self.root) => {
                let message = format!("`{}` looks like a file with secrets, so it is never served", dep.specifier);
                let help = secrets::ADVICE.to_owned();
                let unresolved = Unresolved { message, help: Some(help), folders: Vec::new() };
                self.note_missing(dep, file, source, unresolved, links);
                Link::Missing
            }
            Ok(Resolved::File { path, .. }) if dep.kind == DepKind::Asset => {
                let is_of_style = is_style(&file.as_path().to_string_lossy());
                let inlined = is_of_style.then(|| self.inlined(&path, dep)).flatten();
                let address = self.asset_link(path, links);
                inlined.unwrap_or(address)
            }
            Ok(Resolved::File { path, .. }) if dep.kind == DepKind::Worker => self.worker_link(path, links),
            Ok(Resolved::File { path, url }) => {
                if let Some(picked) = self.pick(dep, &path, &url, links) {
                    return picked;
                }
                let url = resolver::with_attribute(&url, dep);
                if dep.kind == DepKind::Static
                    && let Some(diagnostic) = self.plugin_lacks(&url, &path)
                {
                    links.errors.push(self.at(diagnostic, file, source, dep.span));
                    return Link::Missing;
                }
                links.files.push((url.clone(), path));
                Link::Module(url)
            }
            Err(unresolved) => {
                self.note_missing(dep, file, source, unresolved, links);
                Link::Missing
            }
        }
    }

    fn public_module(&self, dep: &Dep) -> Option<(ModuleUrl, FilePath)> {
        let (file, query) = self.public_asset(&dep.specifier, dep.kind)?;
        let url = self.resolver.url_of(&file, query);
        Some((resolver::with_attribute(&url, dep), FilePath::new(file)))
    }

    /// The file and the query of `import logo from '/logo.svg?x'` where that is a public file: a module like that of any asset.
    /// Scripts are left to the browser.
    pub fn public_asset<'s>(&self, specifier: &'s str, kind: DepKind) -> Option<(PathBuf, Option<&'s str>)> {
        let (path, query) = split_query(specifier);
        let is_import = matches!(kind, DepKind::Static | DepKind::Dynamic);
        let file = self.resolver.public_file(path).filter(|_| is_import && !is_script(&ModuleUrl::new(specifier)))?;
        Some((file, query))
    }

    /// The modules that declare the names imported from a package's index, if the index itself need not be loaded for them.
    pub(super) fn pick(&self, dep: &Dep, path: &FilePath, url: &ModuleUrl, links: &mut Links) -> Option<Link> {
        let is_plain = dep.kind == DepKind::Static && dep.attribute.is_none() && url.query().is_empty();
        if !is_plain || !is_in_package(path.as_path()) {
            return None;
        }
        let resolve = |specifier: &str, from: &Path| self.file_of_import(specifier, from);
        let around = barrel::BarrelLookup { packages: &self.resolver.packages, resolve: &resolve };
        let barrel::Picked { picks, order } = self.barrels.pick(path.as_path(), &dep.names, &around)?;
        let mut place = |name: String, file: PathBuf, there: String| {
            let url = self.resolver.url_of(&file, None);
            links.files.push((url.clone(), FilePath::new(file)));
            (name, url, there)
        };
        // A module that runs for its side effects alone is listed beside the names, under a name that no module can export.
        let order = order.into_iter().enumerate().map(|(at, file)| (format!("*{at}"), file, "*".to_owned()));
        let named = picks.into_iter().zip(&dep.names).map(|(pick, name)| (name.clone(), pick.file, pick.name));
        Some(Link::Picked(order.chain(named).map(|(name, file, there)| place(name, file, there)).collect()))
    }

    /// Whether a module of a package that has no side effects of its own runs some that it imports.
    pub fn leads_to_effects(&self, file: &Path) -> bool {
        let resolve = |specifier: &str, from: &Path| self.file_of_import(specifier, from);
        self.barrels
            .leads_to_effects(file, &barrel::BarrelLookup { packages: &self.resolver.packages, resolve: &resolve })
    }

    pub(super) fn file_of_import(&self, specifier: &str, from: &Path) -> Option<PathBuf> {
        match self.resolver.resolve(from, specifier, DepKind::Static) {
            Ok(Resolved::File { path, url }) if url.query().is_empty() => Some(path.as_path().to_owned()),
            _ => None,
        }
    }

    pub(super) fn note_missing(
        &self,
        dep: &Dep,
        file: &FilePath,
        source: &Source,
        unresolved: Unresolved,
        links: &mut Links,
    ) {
        links.folders.extend(unresolved.folders);
        // The importer may never run such an import: it fails at that moment, and only then.
        let fatal = matches!(dep.kind, DepKind::Static | DepKind::Accept | DepKind::Worker);
        if !fatal {
            if let Some(odd) = self.resolver.oddity_behind(source.seen_from(file).as_path(), &dep.specifier) {
                self.left_out().note(&odd);
            }
            return;
        }
        let mut diagnostic = Diagnostic::error(unresolved.message).of_missing();
        if let Some(help) = unresolved.help {
            diagnostic = diagnostic.with_help(help);
        }
        links.errors.push(self.at(diagnostic, file, source, dep.span));
    }

    /// The module that a worker runs, whatever query it was named with.
    pub(super) fn worker_link(&self, file: FilePath, links: &mut Links) -> Link {
        let url = self.resolver.url_of(file.as_path(), None);
        links.files.push((url.clone(), file));
        Link::Module(url)
    }

    /// A small SVG that is imported, or shown by a style, becomes part of the code instead of a request, as Vite does it (there also
    /// in builds).
    pub(super) fn inlined(&self, file: &FilePath, dep: &Dep) -> Option<Link> {
        let wish = dep.attribute.as_deref();
        if wish == Some(KEEPS_FILE) || (wish != Some(INLINE) && !inline::is_svg(file.as_path())) {
            return None;
        }
        let content = self.read(file).ok()?;
        let is_small = wish == Some(INLINE) || inline::fits(&content, self.inline_limit);
        is_small.then(|| Link::Address(inline::data_url(file.as_path(), &content)))
    }

    pub(super) fn asset_link(&self, file: FilePath, links: &mut Links) -> Link {
        if let Some(address) = self.resolver.address_of_public(file.as_path()) {
            return Link::Address(address);
        }
        let address = self.asset_address(&file);
        links.assets.push((self.resolver.url_of(file.as_path(), None).as_str().to_owned(), file));
        Link::Address(address)
    }

    pub(crate) fn at(&self, diagnostic: Diagnostic, file: &FilePath, source: &Source, span: (u32, u32)) -> Diagnostic {
        let diagnostic = diagnostic.in_file(self.display(file.as_path()));
        let text = match source {
            Source::File => self.read_text(file).unwrap_or_default(),
            Source::Inline { text, .. } => text.clone(),
        };
        let (start, end) = (span.0 as usize, span.1 as usize);
        if end > start && start < text.len() { diagnostic.at(&text, start, end - start) } else { diagnostic }
    }
}
