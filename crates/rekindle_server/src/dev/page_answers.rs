//! Pages: what they run is compiled, their text is sent with our scripts in it, and the script that starts them is written.

use std::time::Instant;

use bytes::Bytes;
use rekindle_graph::{Diagnostic, FilePath, ModuleId, ModuleState};
use tokio::sync::{mpsc, oneshot};

use super::json::{json, quoted};
use super::requests::not_found;
use super::waiting::PageStream;
use super::{Loop, waiting};
use crate::files::content_type::{HTML, SCRIPT};
use crate::http::answer::{Answer, Body, BodyStream, Cache};
use crate::project::modules::crawl::Crawl;
use crate::project::pages::Entry;
use crate::project::segments::preload_links;
use crate::report::News;

impl Loop {
    /// The page that an address shows: its own file, `/docs/` → `/docs/index.html`, `/about` → `/about.html`.
    pub(super) fn page_file(&self, path: &str) -> Option<(String, FilePath)> {
        let candidates = match path {
            _ if path.ends_with('/') => vec![format!("{path}index.html")],
            _ if path.ends_with(".html") => vec![path.to_owned()],
            _ => vec![format!("{path}.html"), format!("{path}/index.html")],
        };
        candidates.into_iter().find_map(|url| self.project.listing.pages.get(&url).cloned().map(|file| (url, file)))
    }

    pub(super) fn page(&mut self, url: &str, file: &FilePath) -> Answer {
        let modules = self.page_modules(url, file);
        let preload = self.project.modules.segments.addresses_of(&self.project.modules.graph, &modules);
        match self.project.pages.get(url).filter(|page| page.gone.is_none()) {
            Some(page) => {
                let (head, rest) = page.render(url, &self.config.base, self.as_of(), &preload);
                Answer::ok(HTML, head + &self.head_styles(url) + &rest, Cache::Revalidate)
            }
            None => Answer::text(
                404,
                format!("{} can no longer be read", self.project.modules.compiler.display(file.as_path())),
            ),
        }
    }

    /// Begins to send a page: its head. The segments that its modules go into are announced as they are sealed; the
    /// rest follows when the styles of all that it imports are known.
    pub(super) fn stream_page(&mut self, url: &str, asker: oneshot::Sender<Answer>) {
        let Some(page) = self.project.pages.get(url) else { return };
        let (head, rest) = page.render(url, &self.config.base, self.as_of(), &[]);
        let (sender, receiver) = mpsc::unbounded_channel();
        let _ = sender.send(Bytes::from(head));
        let answer =
            Answer { status: 200, content_type: HTML, body: Body::Stream(BodyStream::new(receiver)), cache: Cache::No };
        let _ = asker.send(answer);
        self.streams.push(PageStream { sender, url: url.to_owned(), rest, begun: Instant::now(), waits: false });
    }

    /// Everything a page runs, compiled.
    pub(super) fn page_modules(&mut self, url: &str, file: &FilePath) -> Vec<ModuleId> {
        let Ok(page) = self.project.pages.load(url, file, &mut self.project.modules) else { return Vec::new() };
        let modules = page.modules();
        self.watcher.watch_files(page.watched());
        self.project.modules.watch_awaited(&self.watcher);
        // In front: a framework looks for its refresh runtime when it starts.
        let roots = [self.project.modules.insert_refresh_modules(), modules].concat();
        let known_broken = self.broken_count();
        let modules = self.crawl(&roots, Some(url));
        if self.broken_count() > known_broken {
            self.report_broken(&modules);
        }
        self.project.modules.tell_of_node();
        modules
    }

    /// Everything that `roots` need, compiled; requests that do not depend on it are answered meanwhile.
    pub(super) fn crawl(&mut self, roots: &[ModuleId], page: Option<&str>) -> Vec<ModuleId> {
        let mut crawl = Crawl::from(roots);
        let mut announced = Vec::new();
        while self.project.modules.step(&mut crawl, &self.watcher) {
            let sealed = self.project.modules.segments.take_sealed(&self.project.modules.graph);
            self.announce(&sealed);
            announced.extend(sealed);
            self.work = crawl.progress();
            self.show_waiting();
            while let Ok(event) = self.events.try_recv() {
                self.between_steps(event, page, &announced);
            }
        }
        self.work.clear();
        for PageStream { sender, url, rest, waits, .. } in std::mem::take(&mut self.streams) {
            let over = if waits { waiting::tag(&self.config.base, "?over") } else { String::new() };
            let text = Bytes::from(self.head_styles(&url) + &over + &rest);
            let _ = sender.send(self.bodies.shared(text));
        }
        crawl.reached
    }

    fn announce(&self, addresses: &[String]) {
        if addresses.is_empty() || self.streams.is_empty() {
            return;
        }
        let links = Bytes::from(preload_links(&self.config.base, addresses));
        for stream in &self.streams {
            let _ = stream.sender.send(links.clone());
        }
    }

    /// Pages that have waited for a while say what for.
    fn show_waiting(&mut self) {
        for stream in &mut self.streams {
            let has_policy = self.project.pages.get(&stream.url).is_none_or(|page| page.has_policy);
            stream.show_waiting(&self.config.base, has_policy);
        }
    }

    /// Style elements for what a page imports; with a policy about styles the runtime makes them, as the policy allows.
    fn head_styles(&self, url: &str) -> String {
        self.project.pages.get(url).map(|page| page.styles(&self.project.modules.graph)).unwrap_or_default()
    }

    /// `/@rekindle/page.js?path=/index.html`: imports the segments, then starts the page.
    /// `since`: the batch as of which the page's text was written, if it was in this session; `text`: that text's digest.
    pub(super) fn page_script(
        &mut self,
        url: &str,
        file: &FilePath,
        since: Option<u64>,
        text: Option<String>,
    ) -> Answer {
        let modules = self.page_modules(url, file);
        let mut manifest = self.manifest(&modules);
        let mut script = self.imports(&manifest.segments);
        let Some(page) = self.project.pages.get(url) else { return not_found(url) };
        let mut entries = Vec::new();
        for entry in &page.entries {
            match entry {
                Entry::Module(id) => entries.push(self.project.modules.graph[*id].url.clone()),
                Entry::Address(address) => script.push_str(&format!("import{};\n", quoted(address))),
                Entry::Missing(url, diagnostic) => {
                    manifest.errors.insert(url.to_string(), vec![(**diagnostic).clone()]);
                    entries.push(url.clone());
                }
            }
        }
        manifest.sheets = self.with_digests(&page.sheets);
        manifest.refresh = self.project.modules.refresh_modules();
        manifest.since = since;
        manifest.page = Some(url.to_owned());
        manifest.page_hash = Some(text.unwrap_or_else(|| page.hash.to_string()));
        manifest.entries = Some(entries);
        script.push_str(&format!(
            "import{{boot}}from\"{}@rekindle/client.js\";\nboot({});\n",
            self.config.base,
            json(&manifest)
        ));
        Answer::ok(SCRIPT, script, Cache::Revalidate)
    }

    pub(super) fn broken_count(&self) -> usize {
        self.project.modules.graph.broken
    }

    pub(super) fn report_broken(&self, modules: &[ModuleId]) {
        let diagnostics = |&id: &ModuleId| match &self.project.modules.graph[id].state {
            ModuleState::Broken(diagnostics) => diagnostics.as_slice(),
            _ => &[],
        };
        let errors: Vec<Diagnostic> = modules.iter().flat_map(diagnostics).cloned().collect();
        if !errors.is_empty() {
            self.report.tell(News::Failed { errors });
        }
    }
}
