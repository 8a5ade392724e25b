//! Modules and files by their addresses: parts of the graph for `import()` and workers, scripts, sheets and assets.

use std::collections::BTreeSet;
use std::time::Instant;

use bytes::Bytes;
use rekindle_compile::kind::{is_script, is_style, linked_sheet};
use rekindle_graph::wire::Manifest;
use rekindle_graph::{Delta, FilePath, ModuleId, ModuleState, ModuleUrl};

use super::Loop;
use super::json::{json, quoted};
use crate::event::RequestPurpose;
use crate::files::content_type::{SCRIPT, content_type};
use crate::files::listing::RootFiles;
use crate::files::servable::Servable;
use crate::http::address::{parameter, parameters};
use crate::http::answer::{Answer, Body, Cache, LazyBody};
use crate::project::edit::PageChanges;
use crate::project::segments::{Delivery, definition_parts, write_definition, write_head};
use crate::project::standalone;

impl Loop {
    pub(super) fn manifest(&mut self, modules: &[ModuleId]) -> Manifest {
        Manifest {
            session: self.session.clone(),
            seq: self.seq,
            since: None,
            segments: self.project.modules.segments.addresses_of(&self.project.modules.graph, modules),
            env: self.project.modules.env.object(),
            errors: self.project.modules.errors(modules.iter().copied()),
            page: None,
            page_hash: None,
            entries: None,
            sheets: Vec::new(),
            refresh: None,
        }
    }

    pub(super) fn imports(&self, segments: &[String]) -> String {
        segments.iter().map(|address| format!("import\"{}@rekindle/s/{address}.js\";\n", self.config.base)).collect()
    }

    /// `/@rekindle/load.js?id=…&id=…`: the segments with these modules and all they reach. With `value` the definitions
    /// themselves, for a tab that lacks some although their segments have come.
    pub(super) fn load(&mut self, query: &str) -> Answer {
        let mut urls: Vec<ModuleUrl> = parameters(query, "id").map(ModuleUrl::new).collect();
        // Whoever asks for the same modules gets the same text, in whatever order they are named.
        urls.sort_unstable();
        urls.dedup();
        let roots = self.importable(urls);
        let known_broken = self.broken_count();
        let modules = self.project.modules.crawl(&roots, &self.watcher);
        if self.broken_count() > known_broken {
            self.report_broken(&modules);
        }
        self.project.modules.tell_of_node();
        let by_value = parameter(query, "value").is_some();
        let mut manifest = self.manifest(&modules);
        if by_value {
            manifest.segments.clear();
        }
        let end = format!("{}export const manifest={};\n", self.imports(&manifest.segments), json(&manifest));
        if by_value {
            Answer { status: 200, content_type: SCRIPT, body: self.by_value(&modules, end), cache: Cache::No }
        } else {
            Answer::ok(SCRIPT, end, Cache::No)
        }
    }

    /// Definitions by value, true as of now, and then `end`. They are written when the reader takes them: everyone may ask for
    /// other ones, and not read.
    fn by_value(&self, modules: &[ModuleId], end: String) -> Body {
        let mut head = String::new();
        write_head(&mut head, &self.config.base, Delivery::Value(self.as_of()));
        let graph = &self.project.modules.graph;
        let definitions: Vec<_> = graph.ready(modules).map(|(id, it)| (graph[id].url.clone(), it.clone())).collect();
        let (head, end) = (Bytes::from(head), Bytes::from(end));
        Body::Lazy(LazyBody::new(move |at| match at.checked_sub(1) {
            None => Some(vec![head.clone()]),
            Some(at) if at == definitions.len() => Some(vec![end.clone()]),
            Some(at) => definitions.get(at).map(|(url, published)| definition_parts(url.as_str(), published)),
        }))
    }

    /// Definitions by value, true as of now.
    fn write_definitions(&self, script: &mut String, modules: &[ModuleId]) {
        write_head(script, &self.config.base, Delivery::Value(self.as_of()));
        for (id, published) in self.project.modules.graph.ready(modules) {
            write_definition(script, self.project.modules.graph[id].url.as_str(), published);
            script.push('\n');
        }
    }

    /// The modules among `urls` that may be asked for: those that are in the graph because something names them. Where an
    /// `import()` has a specifier that is only known when it runs, any script, sheet or JSON file of the project may be.
    pub(super) fn importable(&mut self, urls: Vec<ModuleUrl>) -> Vec<ModuleId> {
        let graph = &mut self.project.modules.graph;
        if self.project.modules.imports_by_name && urls.iter().any(|url| graph.get(url.as_str()).is_none()) {
            let files = RootFiles::importable(&self.config);
            for url in &urls {
                if let Some(file) = files.get(url.path()) {
                    graph.insert(url, file);
                }
            }
        }
        urls.iter().filter_map(|url| graph.get(url.as_str())).collect()
    }

    /// `/src/count.ts?worker_file`: the same for a worker, whose only entry is the module itself.
    pub(super) fn worker_script(&mut self, path: &str) -> Option<Answer> {
        let id = self.project.modules.graph.get(path)?;
        let known_broken = self.broken_count();
        let modules = self.project.modules.crawl(&[id], &self.watcher);
        if self.broken_count() > known_broken {
            self.report_broken(&modules);
        }
        let mut manifest = self.manifest(&modules);
        manifest.entries = Some(vec![self.project.modules.graph[id].url.clone()]);
        manifest.since = Some(self.seq);
        let imports = self.imports(&manifest.segments);
        let base = &self.config.base;
        let start = format!("import{{boot}}from\"{base}@rekindle/client.js\";\nboot({});\n", json(&manifest));
        // The client comes first: its listener has to be the worker's first one.
        let script = format!("import\"{base}@rekindle/client.js\";\n{imports}{start}");
        Some(Answer::ok(SCRIPT, script, Cache::No))
    }

    /// The sheet of a `<link>`.
    pub(super) fn sheet(&mut self, path: &str) -> Option<Answer> {
        let id = self.project.modules.graph.get(linked_sheet(path).as_str())?;
        let is_public = self.project.public.as_ref().is_some_and(|public| public.get(path).is_some());
        if is_public && !self.project.modules.graph[id].file.as_path().exists() {
            return None;
        }
        let known_broken = self.broken_count();
        self.project.modules.crawl(&[id], &self.watcher);
        if self.broken_count() > known_broken {
            // A link that a script has put into the page: the manifest of the page knew nothing of it.
            let delta = Delta { broken: vec![id], ..Delta::default() };
            self.publish(&delta, PageChanges::default(), Instant::now());
        }
        let css = self
            .project
            .modules
            .linked_sheet(id)
            .unwrap_or_else(|| "/* this sheet has an error, see the page */".into());
        Some(Answer::ok("text/css; charset=utf-8", css, Cache::Revalidate))
    }

    /// A script whose address was taken (`?url`, `new URL()`), as something that runs: a module for who imports it, a script
    /// that needs nothing else for workers and worklets.
    pub(super) fn script_asset(&mut self, path: &str, wants: RequestPurpose) -> Option<Answer> {
        let is_public = self.project.public.as_ref().is_some_and(|public| public.get(path).is_some());
        if is_public || !is_script(&ModuleUrl::new(path)) {
            return None;
        }
        let file = FilePath::new(self.project.modules.asset(path)?.path());
        let is_plain = matches!(path.rsplit('.').next(), Some("js" | "mjs" | "cjs"));
        match wants {
            RequestPurpose::Content => return None,
            RequestPurpose::Unsaid if is_plain => return None,
            _ => {}
        }
        let id = self.project.modules.graph.insert(&ModuleUrl::new(path), &file);
        if wants != RequestPurpose::Script {
            return self.module(path);
        }
        let known_broken = self.broken_count();
        let modules = self.project.modules.crawl(&[id], &self.watcher);
        if self.broken_count() > known_broken {
            self.report_broken(&modules);
        }
        // A plain script that uses no modules is sent as it is, so that its globals stay global.
        let is_alone = is_plain && modules.len() == 1 && !standalone::is_module(&self.project.modules, id);
        let script = (!is_alone).then(|| standalone::script(&self.project.modules, &self.config.base, id, &modules))?;
        Some(Answer::ok(SCRIPT, script, Cache::Revalidate))
    }

    pub(super) fn file(&self, path: &str) -> Option<Answer> {
        let public = self.project.public.as_ref().and_then(|public| public.get(path));
        let servable = public.or_else(|| self.project.modules.asset(path)).or_else(|| self.listed(path))?;
        Some(Answer {
            status: 200,
            content_type: content_type(path),
            body: Body::File(servable.clone()),
            cache: Cache::Revalidate,
        })
    }

    /// A file that `[serve]` lists. Scripts among them are answered as modules.
    fn listed(&self, path: &str) -> Option<&Servable> {
        self.project.listing.get(path).filter(|_| !is_script(&ModuleUrl::new(path)))
    }

    /// An imported JSON file or sheet, fetched by its address: as it is, not as a module.
    pub(super) fn plain(&mut self, path: &str) -> Option<Answer> {
        let id = self.project.modules.graph.get(path)?;
        let file = self.project.modules.graph[id].file.clone();
        if path.ends_with(".json") {
            self.project.modules.admit_asset(path, &file);
            return self.file(path);
        }
        if is_style(path) {
            self.project.modules.graph.insert(&linked_sheet(path), &file);
            return self.sheet(path);
        }
        None
    }

    /// A module by its own address, for native imports: its definition, what it needs, and its exports.
    pub(super) fn module(&mut self, key: &str) -> Option<Answer> {
        let id = self.module_at(key)?;
        let modules = self.project.modules.crawl(&[id], &self.watcher);
        if self.project.modules.graph[id].state == ModuleState::Deleted {
            return None;
        }
        let manifest = Manifest { refresh: self.project.modules.refresh_modules(), ..self.manifest(&modules) };
        let base = &self.config.base;
        let url = quoted(self.project.modules.graph[id].url.as_str());
        let exports = self.exports_of(id);
        let mut script = self.imports(&manifest.segments);
        self.write_definitions(&mut script, &[id]);
        script.push_str(&format!("import{{facade}}from\"{base}@rekindle/client.js\";\n"));
        script.push_str(&format!("const $m=await facade({url},{});\n", json(&manifest)));
        for (at, name) in exports.iter().enumerate() {
            script.push_str(&format!("const $e{at}=$m[{0}];export{{$e{at} as {0}}};\n", quoted(name)));
        }
        script.push_str("export{};\n");
        Some(Answer::ok(SCRIPT, script, Cache::Revalidate))
    }

    /// The module of an address: one that the graph knows, or a file that may be served as one.
    pub(super) fn module_at(&mut self, key: &str) -> Option<ModuleId> {
        if let Some(id) = self.project.modules.graph.get(key) {
            return Some(id);
        }
        let file = self.project.listing.get(key)?.path().to_owned();
        Some(self.project.modules.graph.insert(&ModuleUrl::new(key), &FilePath::new(file)))
    }

    /// Names a module exports, those behind `export *` included.
    pub(super) fn exports_of(&self, id: ModuleId) -> BTreeSet<String> {
        let graph = &self.project.modules.graph;
        let mut names = BTreeSet::new();
        let mut seen = BTreeSet::from([id]);
        let mut queue = vec![id];
        while let Some(at) = queue.pop() {
            let Some(published) = &graph[at].published else { continue };
            let own = published.definition.exports.iter().filter(|name| at == id || *name != "default");
            names.extend(own.cloned());
            for star in published.stars() {
                if let Some(dep) = graph.get(star.as_str()).filter(|dep| seen.insert(*dep)) {
                    queue.push(dep);
                }
            }
        }
        names
    }
}
