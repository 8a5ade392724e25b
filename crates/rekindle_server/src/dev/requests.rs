//! How a request is answered: its route selects from the loop's tables. It never names a file on disk.

use bytes::Bytes;
use rekindle_compile::kind::{is_worker_file, join_query};
use rekindle_compile::page::template::escape_text;
use rekindle_graph::{FilePath, ModuleId};
use tokio::sync::oneshot;

use super::json::quoted;
use super::route::{PageScript, Route};
use super::{Loop, waiting};
use crate::event::{Event, FileBatch, Request};
use crate::files::content_type::{HTML, SCRIPT};
use crate::http::answer::{Answer, Body, Cache};
use crate::project::segments::{BatchRef, preload_links};
use crate::tabs::client_script::Runtime;
use crate::tabs::trace::position::MappedModule;

/// A source map that somebody asks for: of a module, or of a segment with the lines of its definitions.
enum Map {
    Module(MappedModule),
    Segment(Vec<(usize, MappedModule)>),
}

impl Loop {
    pub(super) fn on_request(&mut self, request: &Request, asker: oneshot::Sender<Answer>) {
        let route = Route::of(request);
        self.publish_before(request, &route);
        let page = self.page_of(request);
        if let Some((url, file)) = &page
            && self.project.pages.is_gone(url)
        {
            // The file is there again, and the watcher has not said so yet.
            self.on_batch(FileBatch { paths: vec![file.as_path().to_owned()], ..FileBatch::default() });
            self.publish_waiting();
        }
        if let Some((url, file)) = page
            && self.project.pages.get(&url).is_none()
        {
            // A page that nobody has asked for: its text goes out while its modules are compiled.
            if self.project.pages.load(&url, &file, &mut self.project.modules).is_ok() {
                self.stream_page(&url, asker);
                let _ = self.page_modules(&url, &file);
                return;
            }
        }
        self.reply(request, &route, asker);
    }

    /// An answer about modules holds what the last edit did to them. So an edit that waits is published first; otherwise the
    /// tab would get it as news of what it has already.
    fn publish_before(&mut self, request: &Request, route: &Route) {
        let is_public = self.project.public.as_ref().is_some_and(|public| public.get(&request.path).is_some());
        let is_file = is_public || self.project.modules.asset(&request.path).is_some();
        if !is_file && !route.is_independent() {
            self.publish_waiting();
        }
    }

    /// Answers a request. Source maps are made on another thread, which then answers.
    fn reply(&mut self, request: &Request, route: &Route, asker: oneshot::Sender<Answer>) {
        if asker.is_closed() {
            return; // Who asked has hung up.
        }
        match self.wanted_map(route) {
            Some(Map::Module(module)) => return self.tracer.map(module, asker),
            Some(Map::Segment(modules)) => return self.tracer.segment_map(modules, asker),
            None => {}
        }
        let mut answer = self.answer(request, route);
        if let Body::Bytes(bytes) = &mut answer.body {
            *bytes = self.bodies.shared(std::mem::take(bytes));
        }
        let _ = asker.send(answer);
    }

    /// The source map that a route asks for, if there is such a module or segment.
    fn wanted_map(&mut self, route: &Route) -> Option<Map> {
        match route {
            Route::ModuleMap { id } => {
                let id = self.project.modules.graph.get(id.as_ref()?)?;
                MappedModule::of(&self.project.modules, id).map(Map::Module)
            }
            Route::SegmentMap { address } => {
                let lines = self.project.modules.segments.lines(&self.project.modules.graph, address)?;
                let module =
                    |&(id, line): &(ModuleId, usize)| Some((line, MappedModule::of(&self.project.modules, id)?));
                Some(Map::Segment(lines.iter().filter_map(module).collect()))
            }
            _ => None,
        }
    }

    /// The page that a request shows, if it shows one.
    fn page_of(&self, request: &Request) -> Option<(String, FilePath)> {
        let path = request.path.as_str();
        if path.starts_with("/@") {
            return None;
        }
        self.page_file(path)
    }

    /// While a page is compiled: the client, segments that are done, and the page itself can be had.
    pub(super) fn between_steps(&mut self, event: Event, page: Option<&str>, announced: &[String]) {
        let Event::Request(request, asker) = event else { return self.backlog.push_back(event) };
        let route = Route::of(&request);
        if route.is_independent() {
            self.reply(&request, &route, asker);
        } else if let Some(url) = page
            && self.page_of(&request).is_some_and(|(asked, _)| asked == url)
        {
            self.stream_page(url, asker);
            let links = Bytes::from(preload_links(&self.config.base, announced));
            if let Some(stream) = self.streams.last() {
                let _ = stream.sender.send(links);
            }
        } else {
            self.backlog.push_back(Event::Request(request, asker));
        }
    }

    fn answer(&mut self, request: &Request, route: &Route) -> Answer {
        let found = match route {
            Route::Client => {
                let script = if request.guest { &self.guest_script } else { &self.client_script };
                Some(Answer::ok(SCRIPT, script.clone(), Cache::Revalidate))
            }
            Route::OtherClient | Route::ViteClient => Some(self.other_client()),
            Route::ReactPreamble => Some(Answer::ok(SCRIPT, REACT_PREAMBLE, Cache::Revalidate)),
            Route::Runtime { name } => (*name == Runtime::get().address)
                .then(|| Answer::ok(SCRIPT, Runtime::get().script.clone(), Cache::Forever)),
            Route::PageScript(page) => self.script_of_page(page),
            Route::Load => Some(self.load(&request.query)),
            Route::Waiting => {
                Some(Answer::ok(SCRIPT, waiting::script(&self.config.base, &request.query), Cache::Revalidate))
            }
            Route::Progress => Some(Answer::ok("text/plain; charset=utf-8", self.work.clone(), Cache::No)),
            Route::Segment { name } => self.segment(name),
            Route::ModuleMap { .. } | Route::SegmentMap { .. } | Route::Nothing => None,
            Route::Address => return self.answer_address(request),
        };
        found.unwrap_or_else(|| not_found(&request.path))
    }

    /// An address that is none of ours: a page, a worker, a file or a module of the project.
    fn answer_address(&mut self, request: &Request) -> Answer {
        let path = request.path.as_str();
        if let Some((url, file)) = self.page_file(path) {
            return self.page(&url, &file);
        }
        if is_worker_file(&request.query) {
            return self.worker_script(path).unwrap_or_else(|| not_found(path));
        }
        let query = Some(request.query.as_str()).filter(|query| !query.is_empty());
        let key = join_query(path, query);
        if let Some(answer) = self.script_asset(path, request.wants) {
            return answer;
        }
        if let Some(answer) =
            self.sheet(path).or_else(|| self.file(path)).or_else(|| self.plain(&key)).or_else(|| self.module(&key))
        {
            return answer;
        }
        match self.page_file("/") {
            Some((url, file)) if request.navigation => self.page(&url, &file),
            None if request.navigation => self.no_page(path),
            _ => not_found(path),
        }
    }

    /// The script that starts a page; none where the page is not known.
    fn script_of_page(&mut self, asked: &PageScript) -> Option<Answer> {
        let (url, file) = self.page_file(asked.path.as_ref()?)?;
        let is_of_session = asked.session.as_ref().is_some_and(|session| *session == self.session);
        let since = asked.seq.filter(|since| is_of_session && *since <= self.seq);
        Some(self.page_script(&url, &file, since, asked.text.clone()))
    }

    fn segment(&mut self, name: &str) -> Option<Answer> {
        let Self { project, session, seq, config, .. } = self;
        let as_of = BatchRef { session, seq: *seq };
        let (script, is_current) =
            project.modules.segments.script(&project.modules.graph, name.strip_suffix(".js")?, &config.base, as_of)?;
        // A page that began to load before an edit gets newer text than the address names, so no browser may keep it.
        let cache = if is_current { Cache::Forever } else { Cache::No };
        Some(Answer { status: 200, content_type: SCRIPT, body: Body::Pieces(script), cache })
    }

    /// The client by another name. It passes on the exports of the one client, since a page must have only one.
    fn other_client(&self) -> Answer {
        let script = format!("export * from \"{}@rekindle/client.js\";\n", self.config.base);
        Answer::ok(SCRIPT, script, Cache::Revalidate)
    }

    /// The answer to a browser that shows an address without a page: it loads the page by itself once there is one.
    fn no_page(&self, path: &str) -> Answer {
        let text = not_found_text(path);
        let script = NO_PAGE_SCRIPT.replace("BASE", &quoted(&self.config.base));
        let html = format!(
            "<!doctype html>\n<meta charset=\"utf-8\">\n<title>404</title>\n\
             <pre style=\"white-space: pre-wrap\">{}</pre>\n<script>{script}</script>\n",
            escape_text(&text)
        );
        Answer { status: 404, ..Answer::ok(HTML, html, Cache::No) }
    }
}

pub(super) fn not_found(path: &str) -> Answer {
    Answer::text(404, not_found_text(path))
}

fn not_found_text(path: &str) -> String {
    if path.starts_with("/@rekindle/") {
        return format!("{path} was not found\n");
    }
    format!(
        "{path} was not found\n\nThis server serves modules and assets that the page imports, pages, and files in public/.\n\
         To have a file served that no module names: import it with `?url`, move it to public/, or list it in rekindle.toml:\n\n\
         [serve]\ninclude = [\"path/**\"]\n"
    )
}

/// What pages of other servers do before React runs: the client does it all by itself.
const REACT_PREAMBLE: &str = "\
export const injectIntoGlobalHook = () => {}
export const register = () => {}
export const createSignatureFunctionForTransform = () => (type) => type
export default { injectIntoGlobalHook, register, createSignatureFunctionForTransform }
";

/// Looks twice a second whether the address, or the page that answers all addresses, exists by now.
const NO_PAGE_SCRIPT: &str = "\
const isThere = (address) => fetch(address, { method: 'HEAD', cache: 'no-store' }).then(({ ok }) => ok, () => false)
const look = async () => {
  if ((await isThere(location.href)) || (await isThere(BASE))) location.reload()
  else setTimeout(look, 500)
}
setTimeout(look, 500)
";
