//! The loop: one thread owns graph, pages and tabs; everything enters it as an [`Event`].
//!
//! ```text
//! Files    ─► project.edited ─► delta ─► batch to every tab ─► one line in the terminal
//! Request  ─► a key into the tables ─► answer
//! Said     ─► hello, applied, custom event, trace
//! ```

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rekindle_compile::compile::{is_linked, is_script};
use rekindle_compile::html::escape_text;
use rekindle_compile::import_place;
use rekindle_compile::style::prepare::is_style;
use rekindle_graph::wire::{
    Applied, Batch, ClientMessage, EditedPage, Errors, Lacks, Manifest, Outcome, PushedDefinition, ServerMessage,
};
use rekindle_graph::{Delta, Diagnostic, FilePath, Module, ModuleGraph, ModuleId, ModuleState, ModuleUrl};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::address::parameter;
use crate::answer::{Answer, Arrivals, Body, Cache, Made};
use crate::bodies::Bodies;
use crate::client::Client;
use crate::client_script::{Runtime, client_script};
use crate::config::Config;
use crate::env::EnvValues;
use crate::event::{ClientId, Event, EventHandler, FileBatch, Inbox, Request, Wants};
use crate::events_process::EventsProcess;
use crate::gaps::Before;
use crate::listing::RootFiles;
use crate::page_texts::PageTexts;
use crate::pages::{Entry, Fate, Pages, file_of};
use crate::project::{Crawl, MOST_ALIKE, MOST_REASONS, Project};
use crate::public::PublicFiles;
use crate::report::Report;
use crate::rounds::{Asked, Rounds};
use crate::segments::{AsOf, Carrier, definition_parts, write_definition, write_head};
use crate::servable::Servable;
use crate::socket::{Outbox, Utf8Bytes};
use crate::standalone;
use crate::trace::{Mapped, Question, Refused, Tracer};
use crate::watch::Watcher;

mod edits;
mod turns;
mod waiting;

use edits::{Edit, Edits};

const SCRIPT: &str = "text/javascript; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

/// What the loop is started with.
pub struct Start {
    pub config: Config,
    pub token: String,
    pub secret: [u8; 32],
    pub report: Report,
    pub handlers: BTreeMap<String, Vec<EventHandler>>,
    pub events_process: Option<EventsProcess>,
    pub watcher: Watcher,
    pub inbox: Inbox,
}

/// The owner of all state.
pub struct Loop {
    config: Config,
    client_script: Bytes,
    /// The same without the token.
    guest_script: Bytes,
    /// Tells this start of the server from others.
    session: String,
    /// Number of the last batch.
    seq: u64,
    /// Modules of the graph when tabs were last told what came.
    modules: usize,
    /// Since which batch pages have to start anew that were there before, and why.
    restart: Option<(u64, String)>,
    /// Answers to `hello` as of the last batch, by the number that was said.
    answers: BTreeMap<u64, Missed>,
    project: Project,
    pages: Pages,
    listing: RootFiles,
    public: Option<PublicFiles>,
    tabs: BTreeMap<ClientId, Tab>,
    rounds: Rounds,
    edits: Edits,
    report: Report,
    watcher: Watcher,
    handlers: BTreeMap<String, Vec<EventHandler>>,
    events_process: Option<EventsProcess>,
    events: mpsc::UnboundedReceiver<Event>,
    /// Events that came while a page was being compiled and can wait until that is done.
    backlog: VecDeque<Event>,
    /// What tabs have said that waits until nothing else is to be done.
    later: VecDeque<Event>,
    compared: turns::Spent,
    /// Pages that are being sent while their modules are compiled.
    streams: Vec<Stream>,
    /// What is being compiled, and how far that is.
    work: String,
    tracer: Tracer,
    /// What tabs have thrown since the last batch, and the terminal was told of.
    thrown: BTreeSet<(String, Option<String>)>,
    bodies: Bodies,
}

/// A page whose head is on its way.
struct Stream {
    sender: mpsc::UnboundedSender<Bytes>,
    url: String,
    /// What follows the head.
    rest: String,
    begun: Instant,
    /// It shows that it waits.
    waits: bool,
}

/// A source map that somebody asks for: of a module, or of a segment with the lines of its definitions.
enum Map {
    Module(Mapped),
    Segment(Vec<(usize, Mapped)>),
}

struct Tab {
    outbox: Outbox,
    /// The page it shows, once it has said so.
    page: Option<String>,
    /// It is a worker of a page.
    is_worker: bool,
    stage: Stage,
    /// How often it has said `hello` since a moment.
    hellos: (usize, Instant),
    /// Modules of an earlier session that it runs and that this one had not come to, when it was told that they are gone.
    unmet: Vec<ModuleUrl>,
    /// The batch at which it has said that it cancelled a reload.
    stayed_at: Option<u64>,
}

impl Tab {
    fn new(outbox: Outbox) -> Self {
        let hellos = (0, Instant::now());
        Self { outbox, page: None, is_worker: false, stage: Stage::Silent, hellos, unmet: Vec::new(), stayed_at: None }
    }

    /// Counts a `hello`; false if there are more than any page says.
    fn may_ask(&mut self, now: Instant) -> bool {
        let (count, since) = &mut self.hellos;
        if now.duration_since(*since) > MINUTE {
            (*count, *since) = (0, now);
        }
        *count += 1;
        *count <= MOST_HELLOS
    }

    /// Closes its connection, with the code for what is against the rules.
    fn send_away(&mut self) {
        self.stage = Stage::Silent;
        self.outbox.close(1008);
    }
}

/// How far the conversation with a tab is (`docs/internals/sync.md`).
#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// It has not said what it holds: a page that loads, or a tool that only listens. It is sent batches all the same.
    Silent,
    /// It comes from another session, and says what it holds.
    Compared(Holdings),
    /// It holds what the last batch left, and gets the next.
    InStep,
}

/// What a tab of another session holds, as far as it has said so.
#[derive(Debug, Default, PartialEq, Eq)]
struct Holdings {
    /// Digests of its modules.
    versions: BTreeMap<String, String>,
    /// Modules that it takes for broken.
    errors: Vec<String>,
    /// What all that takes.
    bytes: usize,
}

/// What a tab is sent that has missed something.
#[derive(Clone, Debug)]
struct Missed {
    answer: Utf8Bytes,
    /// What was edited.
    files: Arc<[String]>,
}

/// What a batch tells besides the modules.
#[derive(Debug, Default)]
struct News {
    pages: Vec<EditedPage>,
    /// Pages whose files went, and those that came back.
    gone: Vec<String>,
    back: Vec<String>,
    /// Pages that were gone before, and now are for another reason.
    gone_otherwise: Vec<String>,
    env: bool,
    reload: Option<String>,
}

/// Bytes that the digests of a tab may take, and those of all tabs together.
const MOST_VERSIONS: usize = 32 << 20;
const MOST_VERSIONS_IN_ALL: usize = 64 << 20;
/// What a module costs in them besides its letters.
const VERSION: usize = 128;
/// Characters of what a page has thrown.
const MOST_SAID: usize = 4000;
/// How often a tab may say `hello` in a minute. Each connection needs one, and one more for each gap.
const MOST_HELLOS: usize = 60;
const MINUTE: Duration = Duration::from_secs(60);
/// Pages that tabs of earlier sessions show and that are not there.
const MOST_GONE: usize = 100;
/// Errors of tabs that the terminal is told of between two batches.
const MOST_THROWN: usize = 50;
/// Answers to `hello` that are kept.
const MOST_ANSWERS: usize = 16;

impl Loop {
    pub fn new(start: Start, events: mpsc::UnboundedReceiver<Event>) -> std::io::Result<Self> {
        let Start { config, token, secret, report, handlers, events_process, watcher, inbox } = start;
        let mut project = Project::new(&config, secret, &report)?;
        let public = config.public_dir.as_ref().map(PublicFiles::list);
        let listing = RootFiles::list(&config);
        let warnings = listing.warnings.iter().chain(public.iter().flat_map(|public| &public.warnings));
        for warning in warnings {
            report.warn(warning);
        }
        project.await_refresh_runtime(&watcher);
        project.advice().iter().for_each(|advice| report.note(advice));
        watcher.watch_files(EnvValues::files(&config));
        EnvValues::files(&config).iter().for_each(|file| _ = project.compiler.left_out().note(file));
        watcher.watch_folders(public.iter().flat_map(PublicFiles::folders));
        watcher.watch_folders(listing.folders(&config.root));
        let bodies = Bodies::default();
        let tracer = Tracer::start(project.compiler.clone(), bodies.clone(), inbox)?;
        Ok(Self {
            client_script: client_script(&config, &token).into(),
            guest_script: client_script(&config, "").into(),
            session: format!("{:x}", SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos())),
            seq: 0,
            restart: None,
            answers: BTreeMap::new(),
            project,
            pages: Pages::new(match config.hmr.enabled {
                true => PageTexts::new(&config.cache_dir),
                false => PageTexts::default(),
            }),
            listing,
            public,
            tabs: BTreeMap::new(),
            rounds: Rounds::default(),
            modules: 0,
            edits: Edits::default(),
            report,
            watcher,
            handlers,
            events_process,
            events,
            backlog: VecDeque::new(),
            later: VecDeque::new(),
            compared: turns::Spent::default(),
            streams: Vec::new(),
            work: String::new(),
            tracer,
            thrown: BTreeSet::new(),
            bodies,
            config,
        })
    }

    /// Handles events until [`Event::Stop`].
    pub fn run(mut self) -> Option<EventsProcess> {
        self.warm_up();
        while let Some(event) = self.next_event() {
            if matches!(event, Event::Stop) {
                break;
            }
            // A mistake of ours in one event must not end the server (rule R11).
            let handled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.on_event(event)));
            if handled.is_err() {
                self.report.warn("rekindle ran into a bug of its own and goes on; please report what you did");
            }
        }
        self.events_process.take()
    }

    /// The first page is compiled while the browser is still starting.
    fn warm_up(&mut self) {
        if let Some((url, file)) = self.page_file("/") {
            let warmed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.page_modules(&url, &file)));
            drop(warmed); // What went wrong shows again when the page is asked for.
            self.report_warnings();
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Request(request, asker) => self.on_request(&request, asker),
            Event::Connected(id, outbox) => self.on_connected(id, outbox),
            Event::Said(id, message, _turn) => self.on_said(id, message),
            Event::Refused(id, refused) => self.on_refused(id, &refused),
            Event::Thrown(thrown) => self.on_thrown(&thrown),
            Event::Gone(id) => self.on_gone(id),
            Event::Files(batch) => self.on_batch(batch),
            Event::Quiet => self.publish_waiting(),
            Event::Edit(request, asker) => self.on_edit(request, asker),
            Event::AwaitEdits(asker) => self.on_await_edits(asker),
            Event::Send { event, data, to } => self.send_custom(event, data, to),
            Event::Warning(text) => self.report.warn(&text),
            Event::RoundDue => {
                self.rounds.expire(&self.report);
                self.expire_leases();
            }
            Event::Stop => {}
        }
        self.tell_what_came();
        if !self.edits.is_waiting() {
            self.project.tell_missing_scripts();
        }
        self.report_warnings();
    }

    /// What browsers skip in silence, what tools have printed, and names in pages that no env file has.
    fn report_warnings(&mut self) {
        let (warnings, lines) = self.project.compiler.styles.take_warnings();
        self.report.warnings(&warnings);
        lines.iter().for_each(|line| self.report.note(line));
        for text in self.project.take_page_warnings() {
            self.report.warn(&text);
        }
        for (path, reason) in self.project.compiler.left_out().take() {
            let path = self.project.compiler.display(&path);
            self.report.warn(&format!("{path} {reason}"));
        }
    }

    // ---- files

    fn on_files(&mut self, batch: FileBatch) {
        let noticed = batch.noticed.unwrap_or_else(Instant::now);
        let mut listing_changed = self.listing_changed(&batch);
        for path in &batch.paths {
            listing_changed |= self.project.compiler.left_out().returned(path);
        }
        // A folder that appears in `public/` may get its files later.
        self.watcher.watch_folders(batch.folders.iter().filter(|folder| self.is_public(folder)).cloned());
        if self.public_changed(&batch)
            && let Some(public) = &mut self.public
        {
            let told = std::mem::take(&mut public.warnings);
            if public.refresh() {
                self.watcher.watch_folders(public.folders());
                listing_changed = true;
            }
            public.warnings.iter().filter(|line| !told.contains(line)).for_each(|line| self.report.warn(line));
        }
        let mut paths = batch.paths;
        // A folder that came back or went away brings or takes the files in it.
        let compiler = &self.project.compiler;
        let configured = paths.iter().filter(|path| compiler.is_unknown_tsconfig(path));
        let configured: Vec<PathBuf> = configured.filter_map(|path| path.parent()).map(Path::to_owned).collect();
        let graph = &self.project.graph;
        let is_configured = |file: &&FilePath| configured.iter().any(|folder| file.as_path().starts_with(folder));
        let configured = graph.files().filter(is_configured).map(|file| file.as_path().to_owned());
        paths.extend(configured.collect::<Vec<_>>());
        paths.extend(self.files_below(&batch.folders));
        paths.extend(self.project.watch_scanned(&batch.folders, &self.watcher));
        paths.sort();
        paths.dedup();
        let mut vanished: Vec<PathBuf> = paths.iter().filter(|path| self.vanishes(path)).cloned().collect();
        let before = Before::an_edit_of(&paths, !vanished.is_empty(), &self.project.graph);
        let env = self.env_edit(&paths);
        if env.is_some() {
            let gone = EnvValues::files(&self.config).into_iter().filter(|file| paths.contains(file) && !file.exists());
            vanished.extend(gone);
        }
        let (mut delta, listing_changed) = self.project.edited(&paths, listing_changed, &self.watcher);
        let graph = &self.project.graph;
        delta.still_broken.retain(|&id| !batch.assumed.iter().any(|path| *path == *graph[id].file.as_path()));
        paths.iter().for_each(|path| self.note_odd(path));
        if let Some(changed) = &env {
            merge(&mut delta, self.project.env_edited(changed));
        }
        let mut news = self.page_edits(&paths, &batch.folders, listing_changed || env.is_some());
        self.project.watch_awaited(&self.watcher);
        let entries: Vec<ModuleId> = self.pages.entries().collect();
        self.project.bring_in(&entries, &self.watcher, &mut delta);
        // A link that is new in a page: the browser fetches the sheet by itself, and who shows the page hears what is wrong with it.
        let sheets: Vec<ModuleId> = self.pages.sheets().collect();
        let mut of_sheets = Delta::default();
        self.project.bring_in(&sheets, &self.watcher, &mut of_sheets);
        delta.broken.extend(of_sheets.broken);
        self.report_of_node();
        news.env = env.is_some();
        news.reload = self.project.take_new_framework().then(|| self.start_pages_anew());
        self.tell(Edit { delta, news, noticed, before, vanished }, batch.released);
    }

    /// Numbers the batch, tells every tab, and the terminal.
    fn publish(&mut self, delta: &Delta, news: News, noticed: Instant) {
        self.seq += 1;
        self.answers.clear();
        self.thrown.clear();
        self.project.graph.stamp(delta, self.seq);
        let graph = &self.project.graph;
        let files = files_of(graph, delta, &news);
        let is_reload = news.reload.is_some();
        if let Some(reason) = &news.reload {
            self.restart = Some((self.seq, reason.clone()));
        }
        self.report_pages(&news);
        let batch = self.batch(Some(self.seq - 1), delta, news);
        self.report_errors(delta);
        if !self.config.hmr.enabled {
            return;
        }
        let message: Utf8Bytes = text(&ServerMessage::Batch(batch)).into();
        // Who has said nothing may be a tool that listens; a tab that has not begun yet leaves it alone.
        for tab in self.tabs.values().filter(|tab| !matches!(tab.stage, Stage::Compared(_))) {
            tab.outbox.send(message.clone());
        }
        if files.is_empty() || is_reload {
            return;
        }
        let (workers, tabs): (Vec<_>, Vec<_>) =
            self.tabs.iter().filter(|(_, tab)| tab.stage == Stage::InStep).partition(|(_, tab)| tab.is_worker);
        let ids = |list: Vec<(&ClientId, &Tab)>| list.into_iter().map(|(&id, _)| id).collect();
        self.rounds.begin(self.seq, files, noticed, Asked { tabs: ids(tabs), workers: ids(workers) }, &self.report);
    }

    /// A framework finds its refresh runtime only if that runs before it. Gives the reason why pages start anew.
    fn start_pages_anew(&self) -> String {
        let reason = "a component framework, or its refresh runtime, was installed or removed";
        self.report.note(&format!("{reason}; pages start anew"));
        self.project.advice().iter().for_each(|advice| self.report.note(advice));
        reason.to_owned()
    }

    /// What the batches after `since` did; without, all in which a tab of another session differs.
    fn batch(&self, since: Option<u64>, delta: &Delta, News { pages, env, reload, .. }: News) -> Batch {
        let graph = &self.project.graph;
        let urls = |ids: &[ModuleId]| -> Vec<ModuleUrl> { ids.iter().map(|&id| graph[id].url.clone()).collect() };
        let (links, changed): (Vec<ModuleId>, Vec<ModuleId>) =
            delta.changed.iter().copied().partition(|&id| is_linked(&graph[id].url));
        let mut told: Vec<ModuleId> = delta.broken.iter().chain(&delta.still_broken).copied().collect();
        if !delta.fixed.is_empty() && told.len() <= MOST_REASONS {
            // Of very many mistakes most were told without a reason. When some are mended, the others get theirs.
            let is_broken = |id: &ModuleId| matches!(graph[*id].state, ModuleState::Broken(_)) && !told.contains(id);
            let left: Vec<ModuleId> = graph.ids().filter(is_broken).take(MOST_REASONS + 1).collect();
            let were = left.len() + delta.fixed.len();
            if were > MOST_ALIKE && left.len() <= MOST_REASONS {
                told.extend(left);
            }
        }
        let mut errors = self.project.errors(told);
        let is_deleted = |url: &str| graph.get(url).is_some_and(|id| delta.deleted.contains(&id));
        errors.extend(self.missing_entries(|url| since.is_none() || is_deleted(url)));
        let mut fixed = urls(&delta.fixed);
        // A page's script that was not there until now: nothing is wrong with it any more.
        let entries: BTreeSet<ModuleId> = self.pages.entries().collect();
        let is_well = |id: &ModuleId| entries.contains(id) && graph[*id].state == ModuleState::Ready;
        fixed.extend(urls(&changed.iter().copied().filter(is_well).collect::<Vec<_>>()));
        for (url, page) in self.pages.stood_after(since) {
            match &page.gone {
                Some(diagnostic) => _ = errors.insert(url.clone(), vec![diagnostic.clone()]),
                None => fixed.push(ModuleUrl::new(url.as_str())),
            }
        }
        Batch {
            session: self.session.clone(),
            since,
            seq: self.seq,
            timestamp: milliseconds(),
            definitions: changed.iter().filter_map(|&id| self.pushed(id)).collect(),
            deleted: urls(&delta.deleted),
            errors,
            fixed,
            links: self.with_digests(&links),
            pages,
            env: env.then(|| self.project.env.object()),
            reload,
        }
    }

    fn as_of(&self) -> AsOf<'_> {
        AsOf { session: &self.session, seq: self.seq }
    }

    fn with_digests(&self, ids: &[ModuleId]) -> Vec<(ModuleUrl, String)> {
        let digest = |module: &Module| Some(module.published.as_ref()?.hash.to_string());
        let modules = ids.iter().map(|&id| &self.project.graph[id]);
        modules.filter_map(|module| Some((module.url.clone(), digest(module)?))).collect()
    }

    fn pushed(&self, id: ModuleId) -> Option<PushedDefinition> {
        let module = &self.project.graph[id];
        let published = module.published.as_ref()?;
        let mut code = String::with_capacity(published.definition.code.len() + 256);
        write_definition(&mut code, module.url.as_str(), published);
        Some(PushedDefinition { id: module.url.clone(), code })
    }

    /// Page scripts that are not there, of those that `concerns` is about: nothing imports them, so their absence is an error
    /// of its own.
    fn missing_entries(&self, concerns: impl Fn(&str) -> bool) -> Errors {
        let graph = &self.project.graph;
        let mut errors = Errors::new();
        for entry in self.pages.iter().flat_map(|(_, page)| &page.entries) {
            match entry {
                Entry::Module(id) if concerns(graph[*id].url.as_str()) => errors.extend(self.project.errors([*id])),
                Entry::Missing(url, diagnostic) if concerns(url.as_str()) => {
                    errors.insert(url.to_string(), vec![(**diagnostic).clone()]);
                }
                _ => {}
            }
        }
        errors
    }

    fn report_errors(&self, delta: &Delta) {
        self.report_broken(&delta.broken);
        let still: Vec<String> = self.names_of(&delta.still_broken);
        if !still.is_empty() {
            self.report.still_broken(&still);
        }
        let fixed = self.names_of(&delta.fixed);
        if !fixed.is_empty() {
            self.report.fixed(&fixed);
        }
    }

    fn names_of(&self, ids: &[ModuleId]) -> Vec<String> {
        ids.iter().map(|&id| self.project.graph[id].url.path().to_owned()).collect()
    }

    /// Whether files appeared or vanished so that specifiers or globs may mean something else.
    fn listing_changed(&self, batch: &FileBatch) -> bool {
        let project = &self.project;
        let known = |path: &PathBuf| !project.graph.of_file(path).is_empty();
        let sights = &project.compiler.resolver.sights;
        let may_mean = |path: &PathBuf| sights.may_differ(path) || project.cares_about(path);
        let appeared = |path: &PathBuf| if known(path) { !path.is_file() } else { may_mean(path) };
        let moved = |folder: &PathBuf| project.is_new_folder(folder) && !self.is_public(folder);
        batch.paths.iter().any(appeared) || batch.folders.iter().any(moved)
    }

    /// Whether the file of a module has just gone.
    fn vanishes(&self, path: &Path) -> bool {
        let graph = &self.project.graph;
        let was_there = |id: &ModuleId| !matches!(graph[*id].state, ModuleState::New | ModuleState::Deleted);
        graph.of_file(path).iter().any(was_there) && !path.exists()
    }

    /// A watched file that has become a pipe is named, unless it is a module, whose error says so.
    fn note_odd(&self, path: &Path) {
        let graph = &self.project.graph;
        let is_told = |id: &ModuleId| matches!(graph[*id].state, ModuleState::Broken(_));
        if !self.is_public(path) && !graph.of_file(path).iter().any(is_told) {
            self.project.compiler.left_out().note(path);
        }
    }

    fn is_public(&self, path: &Path) -> bool {
        self.config.public_dir.as_ref().is_some_and(|folder| path.starts_with(folder))
    }

    fn public_changed(&self, batch: &FileBatch) -> bool {
        batch.paths.iter().chain(&batch.folders).any(|path| self.is_public(path))
    }

    /// Files of the graph below folders that changed.
    fn files_below(&self, folders: &[PathBuf]) -> Vec<PathBuf> {
        if folders.is_empty() {
            return Vec::new();
        }
        // Where styles look for class names every folder is listed; a file that appears there concerns no other.
        let project = &self.project;
        let moved = |folder: &&PathBuf| {
            let is_of_all = !project.compiler.styles.scans(folder) && !project.is_only_looked_into(folder);
            project.is_new_folder(folder) || is_of_all
        };
        let folders: Vec<&PathBuf> = folders.iter().filter(moved).collect();
        let below = |file: &FilePath| folders.iter().any(|folder| file.as_path().starts_with(folder));
        self.project.graph.files().filter(|file| below(file)).map(|file| file.as_path().to_owned()).collect()
    }

    /// Keys of `import.meta.env` whose values are others now, if a file of theirs was edited.
    fn env_edit(&mut self, paths: &[PathBuf]) -> Option<Vec<String>> {
        let files = EnvValues::files(&self.config);
        if !paths.iter().any(|path| files.contains(path)) {
            return None;
        }
        let env = EnvValues::load(&self.config);
        files.iter().for_each(|file| _ = self.project.compiler.left_out().note(file));
        let changed = env.difference(&self.project.env);
        self.project.env = env;
        (!changed.is_empty()).then_some(changed)
    }

    fn page_edits(&mut self, paths: &[PathBuf], folders: &[PathBuf], refresh_all: bool) -> News {
        let seq = self.seq + 1;
        let mut news = News::default();
        let is_listed = |path: &PathBuf| {
            path.extension().is_some_and(|extension| extension == "html") || !self.config.serve.include.is_empty()
        };
        if paths.iter().any(is_listed) || folders.iter().any(|folder| self.project.is_new_folder(folder)) {
            let told = std::mem::replace(&mut self.listing, RootFiles::list(&self.config)).warnings;
            self.listing.warnings.iter().filter(|line| !told.contains(line)).for_each(|line| self.report.warn(line));
            self.watcher.watch_folders(self.listing.folders(&self.config.root));
        }
        let moved = self.pages.settle(&self.listing.pages);
        let has_moved = !moved.is_empty();
        let mut concerned = self.pages.changed_by(paths, folders);
        concerned.extend(moved.into_iter().filter_map(|url| Some((url.clone(), self.pages.get(&url)?.file.clone()))));
        // Each page with the file that changed it.
        let mut edited: BTreeMap<String, String> = BTreeMap::new();
        for (url, file) in concerned {
            match self.pages.reload(&url, &mut self.project, seq) {
                Fate::Same => {}
                Fate::Edited => _ = edited.insert(url, self.project.compiler.display(file.as_path())),
                Fate::Gone => news.gone.push(url),
                Fate::GoneOtherwise => news.gone_otherwise.push(url),
                Fate::Back { is_edited } => {
                    news.back.push(url.clone());
                    if is_edited {
                        edited.insert(url, self.project.compiler.display(file.as_path()));
                    }
                }
            }
        }
        if refresh_all || paths.iter().any(|path| self.pages.refer_to(path)) {
            for url in self.pages.refresh(&mut self.project, seq) {
                let Some(page) = self.pages.get(&url) else { continue };
                let cause = paths.first().map_or(page.file.as_path(), PathBuf::as_path);
                edited.entry(url).or_insert_with(|| self.project.compiler.display(cause));
            }
        }
        if refresh_all || has_moved || !edited.is_empty() {
            self.watcher.watch_files(self.pages.watched());
        }
        let pages =
            edited.into_iter().filter_map(|(url, cause)| self.pages.get(&url)?.edited_since(seq - 1, &url, cause));
        news.pages = pages.collect();
        news
    }

    /// Tells the terminal of pages whose files went or came back.
    fn report_pages(&self, news: &News) {
        let gone = news.gone.iter().chain(&news.gone_otherwise).filter_map(|url| self.pages.get(url)?.gone.clone());
        let gone: Vec<Diagnostic> = gone.collect();
        if !gone.is_empty() {
            self.report.diagnostics(&gone);
        }
        if !news.back.is_empty() {
            self.report.fixed(&news.back);
        }
    }

    // ---- tabs

    fn on_connected(&mut self, id: ClientId, outbox: Outbox) {
        outbox.send(r#"{"type":"connected"}"#);
        self.tabs.insert(id, Tab::new(outbox));
        self.tell_handlers("vite:client:connect", None, id);
    }

    fn on_gone(&mut self, id: ClientId) {
        self.tell_handlers("vite:client:disconnect", None, id);
        self.tabs.remove(&id);
        self.rounds.left(id, &self.report);
    }

    fn on_said(&mut self, id: ClientId, message: Value) {
        // What is none of our messages is ignored (rule R8).
        let Ok(message) = serde_json::from_value(message) else { return };
        self.publish_before_answer(&message);
        match message {
            ClientMessage::Ping => self.send(id, &ServerMessage::Pong),
            ClientMessage::Hello { page, session, seq, entries, worker } => {
                if let Some(tab) = self.tabs.get_mut(&id) {
                    tab.is_worker = worker;
                }
                self.on_hello(id, page, &session, seq, &entries);
            }
            ClientMessage::Versions { page, page_hash, entries, errors, modules, last } => {
                if self.note_versions(id, modules, errors) && last {
                    self.compare(id, page, page_hash, &entries);
                }
            }
            ClientMessage::Custom { event, data } => self.on_custom(id, &event, data),
            ClientMessage::Applied(applied) => self.on_applied(id, applied),
            ClientMessage::Unreadable { script, line, column, message } => {
                self.on_unreadable(id, &script, (line, column), &message);
            }
            ClientMessage::Trace { id: number, frames, lacks, said } => {
                self.on_trace(id, number, &frames, lacks.as_ref(), said);
            }
        }
    }

    fn on_applied(&mut self, id: ClientId, mut applied: Applied) {
        applied.chain = both_ends(applied.chain);
        applied.boundaries.truncate(MOST_NAMES);
        applied.reason = applied.reason.as_deref().map(shortened);
        applied.error = applied.error.as_deref().map(shortened);
        for name in applied.chain.iter_mut().chain(&mut applied.boundaries) {
            *name = shortened(name);
        }
        if applied.result == Outcome::Reload && applied.chain.is_empty() {
            tracing::debug!(client = id.0, reason = applied.reason, "reload");
        }
        if applied.result == Outcome::Stayed {
            let Some(tab) = self.tabs.get_mut(&id) else { return };
            if tab.stayed_at.replace(self.seq) == Some(self.seq) {
                return; // It is due, as was said.
            }
            let reason = applied.reason.unwrap_or_default();
            return self.report.warn(&format!(
                "a page cancelled its reload and may show old code: a reload is due, because {reason}"
            ));
        }
        let is_worker = self.tabs.get(&id).is_some_and(|tab| tab.is_worker);
        self.rounds.answered(id, is_worker, applied, &self.report);
    }

    /// A tab tells how far it is: it gets what it missed, or is asked for its modules if it comes from another session.
    fn on_hello(&mut self, id: ClientId, page: Option<String>, session: &str, seq: u64, entries: &[String]) {
        let is_of_session = session == self.session && seq <= self.seq;
        let Some(tab) = self.tabs.get_mut(&id) else { return };
        if !tab.may_ask(Instant::now()) {
            return tab.send_away();
        }
        tab.page = Some(page.unwrap_or_else(|| entries.first().cloned().unwrap_or_default()));
        if !is_of_session {
            tab.stage = Stage::Compared(Holdings::default());
            return self.send(id, &ServerMessage::Compare);
        }
        tab.stage = Stage::InStep;
        if seq == self.seq {
            let welcome = ServerMessage::Welcome { session: self.session.clone(), seq };
            return self.send(id, &welcome);
        }
        let missed = self.missed_since(seq);
        if let Some(tab) = self.tabs.get(&id) {
            tab.outbox.send(missed.answer);
        }
        self.rounds.catches_up(id, self.seq, missed.files);
    }

    /// The batch from `seq` to now. Many tabs miss the same when a connection is cut.
    fn missed_since(&mut self, seq: u64) -> Missed {
        if let Some(missed) = self.answers.get(&seq) {
            return missed.clone();
        }
        let delta = self.project.graph.since(seq);
        let edited = self.pages.iter().filter(|(_, page)| page.changed_at > seq);
        let pages = edited
            .filter_map(|(url, page)| page.edited_since(seq, url, self.project.compiler.display(page.file.as_path())));
        let reload = self.restart.as_ref().filter(|(since, _)| *since > seq).map(|(_, reason)| reason.clone());
        let news = News { pages: pages.collect(), env: true, reload, ..News::default() };
        let files = files_of(&self.project.graph, &delta, &news).into();
        let batch = self.batch(Some(seq), &delta, news);
        let missed = Missed { answer: text(&ServerMessage::Batch(batch)).into(), files };
        if self.answers.len() == MOST_ANSWERS {
            self.answers.pop_first();
        }
        self.answers.insert(seq, missed.clone());
        missed
    }

    /// Takes digests of a tab in that was asked for them; false if it was not, or says more than any page has.
    fn note_versions(&mut self, id: ClientId, modules: BTreeMap<String, String>, errors: Vec<String>) -> bool {
        let Some(tab) = self.tabs.get_mut(&id) else { return false };
        let Stage::Compared(holdings) = &mut tab.stage else { return false };
        holdings.bytes += modules.iter().map(|(url, hash)| url.len() + hash.len() + VERSION).sum::<usize>();
        holdings.bytes += errors.iter().map(|url| url.len() + VERSION).sum::<usize>();
        if holdings.bytes > MOST_VERSIONS {
            tab.send_away();
            return false;
        }
        holdings.versions.extend(modules);
        holdings.errors.extend(errors);
        self.bound_versions(id)
    }

    /// When all tabs together say too much, who has said most has to begin anew. False if that is this one.
    fn bound_versions(&mut self, id: ClientId) -> bool {
        let sizes = self.tabs.iter().filter_map(|(&id, tab)| match tab.stage {
            Stage::Compared(Holdings { bytes, .. }) => Some((bytes, id)),
            Stage::Silent | Stage::InStep => None,
        });
        let (sum, most) = sizes.fold((0, None), |(sum, most), one| (sum + one.0, most.max(Some(one))));
        let Some((_, largest)) = most.filter(|_| sum > MOST_VERSIONS_IN_ALL) else { return true };
        self.tabs.get_mut(&largest).into_iter().for_each(Tab::send_away);
        largest != id
    }

    /// A tab from another session: what differs is sent as one batch.
    fn compare(&mut self, id: ClientId, page: Option<String>, page_hash: Option<String>, entries: &[String]) {
        let Some(tab) = self.tabs.get_mut(&id) else { return };
        let Stage::Compared(holdings) = std::mem::replace(&mut tab.stage, Stage::InStep) else { return };
        let Holdings { versions, errors, .. } = holdings;
        let began = Instant::now();
        self.find_known(page.as_deref(), entries, &versions);
        let graph = &self.project.graph;
        let known = |url: &String| graph.get(url).filter(|&id| graph[id].state != ModuleState::New);
        let differs = |&id: &ModuleId, hash: &str| graph[id].published.as_ref().is_some_and(|now| *now.hash != *hash);
        let mut changed: Vec<ModuleId> =
            versions.iter().filter_map(|(url, hash)| known(url).filter(|id| differs(id, hash))).collect();
        self.project.add_new_imports(&mut changed, |url| versions.contains_key(url));
        let broken = graph.ids().filter(|&id| matches!(graph[id].state, ModuleState::Broken(_))).collect();
        let fixed = errors.iter().filter_map(known).filter(|&id| graph[id].state == ModuleState::Ready).collect();
        let is_deleted = |&id: &ModuleId| graph[id].state == ModuleState::Deleted;
        let deleted = versions.keys().filter_map(known).filter(is_deleted).collect();
        let delta = Delta { changed, broken, fixed, deleted, ..Delta::default() };
        let gone: Vec<ModuleUrl> =
            versions.keys().filter(|url| known(url).is_none()).map(|url| ModuleUrl::new(url.as_str())).collect();
        let file = |url: &str| self.pages.get(url).map(|page| self.project.compiler.display(page.file.as_path()));
        let edited = page.as_deref().zip(page_hash.as_deref());
        let edited = edited.and_then(|(url, hash)| self.pages.edited_from_hash(url, hash, file(url)?));
        let news = News { pages: edited.into_iter().collect(), env: true, ..News::default() };
        // A sheet of which the tab cannot say what it got is sent in any case, and may be the one it has.
        let is_doubtful = |id: &ModuleId| {
            let said = versions.get(graph[*id].url.as_str()).and_then(|said| said.strip_prefix('?'));
            said.is_some_and(|said| graph[*id].published.as_ref().is_some_and(|now| *now.hash == *said))
        };
        let edited = delta.changed.iter().copied().filter(|id| !is_doubtful(id)).collect();
        let files = files_of(graph, &Delta { changed: edited, ..Delta::default() }, &news);
        let mut batch = self.batch(None, &delta, news);
        if let Some(tab) = self.tabs.get_mut(&id) {
            tab.unmet = turns::unmet(entries, &gone);
        }
        batch.deleted.extend(gone);
        self.send(id, &ServerMessage::Batch(batch));
        self.rounds.catches_up(id, self.seq, files.into());
        self.compared.note(began);
    }

    /// Compiles what a tab of another session holds, as far as it is still there.
    fn find_known(&mut self, page: Option<&str>, entries: &[String], versions: &BTreeMap<String, String>) {
        let mut roots: Vec<ModuleId> = Vec::new();
        match page.map(|url| file_of(url, &self.listing.pages).cloned()) {
            Some(Some(file)) => roots.extend(self.page_modules(page.unwrap_or_default(), &file)),
            Some(None) => self.miss_page(page.unwrap_or_default()),
            None => self.find_entries(entries),
        }
        for url in entries {
            roots.extend(self.module_at(url));
        }
        self.crawl_known(roots, versions);
        // What the crawl did not come to, below a module that is broken now; some of that may be broken as well.
        let mut met: BTreeSet<ModuleId> = BTreeSet::new();
        loop {
            let graph = &self.project.graph;
            let is_there = |id: &ModuleId| graph[*id].state == ModuleState::New && graph[*id].file.as_path().is_file();
            let known = versions.keys().filter_map(|url| graph.get(url));
            let below: Vec<ModuleId> = known.filter(|id| is_there(id) && met.insert(*id)).collect();
            if below.is_empty() {
                break;
            }
            self.crawl_known(below, versions);
        }
        // What no import names that is known before it runs.
        let unmet =
            versions.keys().filter(|url| self.project.graph.get(url).is_none()).map(|url| ModuleUrl::new(url.as_str()));
        let roots = self.importable(unmet.collect());
        self.crawl_known(roots, versions);
    }

    /// A tab of an earlier session shows a page that is not there.
    fn miss_page(&mut self, url: &str) {
        let is_name = |part: &str| !part.is_empty() && !part.starts_with('.') && part != "node_modules";
        let is_page = url.strip_prefix('/').is_some_and(|path| path.ends_with(".html") && path.split('/').all(is_name));
        if is_page && self.pages.get(url).is_none() && self.pages.stood_after(None).count() < MOST_GONE {
            let file = FilePath::new(self.config.root.join(&url[1..]));
            self.pages.miss(url, file, &self.project, self.seq);
        }
    }

    /// A worker does not say which page made it: compiles pages until one names its module.
    fn find_entries(&mut self, entries: &[String]) {
        let pages: Vec<(String, FilePath)> =
            self.listing.pages.iter().map(|(url, file)| (url.clone(), file.clone())).collect();
        for (url, file) in pages {
            if entries.iter().all(|entry| self.project.graph.get(entry).is_some()) {
                return;
            }
            self.page_modules(&url, &file);
        }
    }

    /// Compiles what a tab has loaded, as far as it can be reached from the page: also through `import()`.
    fn crawl_known(&mut self, roots: Vec<ModuleId>, versions: &BTreeMap<String, String>) {
        let mut seen: BTreeSet<ModuleId> = BTreeSet::new();
        let mut queue = roots;
        while !queue.is_empty() {
            let reached = self.project.crawl(&queue, &self.watcher);
            queue = Vec::new();
            for id in reached {
                if !seen.insert(id) {
                    continue;
                }
                let wanted = |dep: &ModuleId| versions.contains_key(self.project.graph[*dep].url.as_str());
                queue.extend(self.project.all_deps(id).into_iter().filter(|dep| !seen.contains(dep) && wanted(dep)));
            }
        }
    }

    fn on_custom(&mut self, id: ClientId, event: &str, data: Option<Value>) {
        if event == "vite:invalidate" {
            let field = |name: &str| data.as_ref().and_then(|data| data.get(name)?.as_str());
            let Some(path) = field("path") else { return };
            let why = field("message").map(|message| format!(": {}", shortened(message))).unwrap_or_default();
            self.report.note(&format!("{} hands its update on to its importers{why}", shortened(path)));
        }
        self.tell_handlers(event, data, id);
    }

    fn tell_handlers(&mut self, event: &str, data: Option<Value>, id: ClientId) {
        if let Some(process) = &self.events_process {
            process.tell(event, data.as_ref(), id);
        }
        let Some(tab) = self.tabs.get(&id) else { return };
        for handler in self.handlers.get(event).into_iter().flatten() {
            handler(data.clone(), Client::new(id, tab.outbox.clone()));
        }
    }

    fn send_custom(&mut self, event: String, data: Option<Value>, to: Option<ClientId>) {
        let message = ServerMessage::Custom { event, data };
        match to {
            Some(id) => self.send(id, &message),
            None => self.broadcast(&message),
        }
    }

    fn on_trace(
        &mut self,
        id: ClientId,
        number: u64,
        frames: &[(String, u32, u32)],
        lacks: Option<&Lacks>,
        said: Option<String>,
    ) {
        let lacks = lacks.map(|lacks| (lacks, self.advice_about(lacks)));
        let said = said.map(|text| text.chars().take(MOST_SAID).collect());
        if let Some(tab) = self.tabs.get(&id) {
            let tab = (id, tab.outbox.clone());
            let question = Question { number, frames, lacks, said };
            self.tracer.trace(&mut self.project, &self.config.base, tab, question);
        }
    }

    fn advice_about(&self, Lacks { importer, source, name, .. }: &Lacks) -> String {
        let exports = self.project.graph.get(source).map(|id| self.exports_of(id)).unwrap_or_default();
        let exports: Vec<&str> = exports.iter().map(String::as_str).collect();
        let is_typed = importer.split('?').next().is_some_and(|path| path.ends_with(".ts") || path.ends_with(".tsx"));
        import_place::advice(name, &exports, is_typed)
    }

    /// Several tabs throw the same, and one may throw it often.
    fn on_thrown(&mut self, thrown: &Diagnostic) {
        let told = (thrown.message.clone(), thrown.location());
        if self.thrown.len() < MOST_THROWN && self.thrown.insert(told) {
            self.report.diagnostics(std::slice::from_ref(thrown));
        }
    }

    /// A browser cannot parse a module that the compiler could.
    fn on_unreadable(&mut self, id: ClientId, script: &str, (line, column): (u32, u32), message: &str) {
        if !self.tracer.refuse(&mut self.project, &self.config.base, id, (script, line, column), message) {
            self.send(id, &ServerMessage::Unreadable);
        }
    }

    /// From now on that is the module's error, until it is edited.
    fn on_refused(&mut self, id: ClientId, Refused { module, hash, place, message }: &Refused) {
        let graph = &self.project.graph;
        let is_the_same = |id: &ModuleId| {
            let published = graph[*id].published.as_ref();
            graph[*id].state == ModuleState::Ready && published.is_some_and(|now| now.definition.hash == *hash)
        };
        if let Some(module) = graph.get(module.as_str()).filter(is_the_same) {
            let delta = self.project.refused(module, place.as_ref(), message);
            self.publish(&delta, News::default(), Instant::now());
        }
        self.send(id, &ServerMessage::Unreadable);
    }

    fn send(&self, id: ClientId, message: &ServerMessage) {
        if let Some(tab) = self.tabs.get(&id) {
            tab.outbox.send(text(message));
        }
    }

    fn broadcast(&self, message: &ServerMessage) {
        let text: Utf8Bytes = text(message).into();
        for tab in self.tabs.values() {
            tab.outbox.send(text.clone());
        }
    }

    // ---- requests: keys into tables

    fn on_request(&mut self, request: &Request, asker: oneshot::Sender<Answer>) {
        self.publish_before(request);
        let page = self.page_of(request);
        if let Some((url, file)) = &page
            && self.pages.is_gone(url)
        {
            // It can be had again, and nobody has said so.
            self.on_batch(FileBatch { paths: vec![file.as_path().to_owned()], ..FileBatch::default() });
            self.publish_waiting();
        }
        if let Some((url, file)) = page
            && self.pages.get(&url).is_none()
        {
            // A page that nobody has asked for: its text goes out while its modules are compiled.
            if self.pages.load(&url, &file, &mut self.project).is_ok() {
                self.stream_page(&url, asker);
                let _ = self.page_modules(&url, &file);
                return;
            }
        }
        self.reply(request, asker);
    }

    /// Answers; source maps are made beside the loop.
    fn reply(&mut self, request: &Request, asker: oneshot::Sender<Answer>) {
        if asker.is_closed() {
            return; // Who asked has hung up.
        }
        match self.wanted_map(request) {
            Some(Map::Module(module)) => return self.tracer.map(module, asker),
            Some(Map::Segment(modules)) => return self.tracer.segment_map(modules, asker),
            None => {}
        }
        let mut answer = self.answer(request);
        if let Body::Bytes(bytes) = &mut answer.body {
            *bytes = self.bodies.shared(std::mem::take(bytes));
        }
        let _ = asker.send(answer);
    }

    /// `/@rekindle/map?id=…`, `/@rekindle/s/….js.map`
    fn wanted_map(&mut self, request: &Request) -> Option<Map> {
        let name = request.path.strip_prefix("/@rekindle/")?;
        if name == "map" {
            let id = self.project.graph.get(&parameter(&request.query, "id")?)?;
            return Mapped::of(&self.project, id).map(Map::Module);
        }
        let address = name.strip_prefix("s/")?.strip_suffix(".js.map")?;
        let lines = self.project.segments.lines(&self.project.graph, address)?;
        let module = |&(id, line): &(ModuleId, usize)| Some((line, Mapped::of(&self.project, id)?));
        Some(Map::Segment(lines.iter().filter_map(module).collect()))
    }

    /// The page that a request shows, if it shows one.
    fn page_of(&self, request: &Request) -> Option<(String, FilePath)> {
        let path = request.path.as_str();
        if path.starts_with("/@") {
            return None;
        }
        self.page_file(path)
    }

    /// Begins to send a page: its head. The segments that its modules go into are announced as they are sealed; the
    /// rest follows when the styles of all that it imports are known.
    fn stream_page(&mut self, url: &str, asker: oneshot::Sender<Answer>) {
        let Some(page) = self.pages.get(url) else { return };
        let (head, rest) = page.render(url, &self.config.base, self.as_of(), &[]);
        let (sender, receiver) = mpsc::unbounded_channel();
        let _ = sender.send(Bytes::from(head));
        let answer =
            Answer { status: 200, content_type: HTML, body: Body::Stream(Arrivals::new(receiver)), cache: Cache::No };
        let _ = asker.send(answer);
        self.streams.push(Stream { sender, url: url.to_owned(), rest, begun: Instant::now(), waits: false });
    }

    /// Everything that `roots` need, compiled; requests that do not depend on it are answered meanwhile.
    fn crawl(&mut self, roots: &[ModuleId], page: Option<&str>) -> Vec<ModuleId> {
        let mut crawl = Crawl::from(roots);
        let mut announced = Vec::new();
        while self.project.step(&mut crawl, &self.watcher) {
            let sealed = self.project.segments.take_sealed(&self.project.graph);
            self.announce(&sealed);
            announced.extend(sealed);
            self.work = crawl.progress();
            self.show_waiting();
            while let Ok(event) = self.events.try_recv() {
                self.between_steps(event, page, &announced);
            }
        }
        self.work.clear();
        for Stream { sender, url, rest, waits, .. } in std::mem::take(&mut self.streams) {
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

    /// What is answered whatever is being compiled or waits to be told: it says nothing of how modules stand.
    const INDEPENDENT: [&str; 5] =
        ["/@rekindle/client", "/@rekindle/runtime/", "/@rekindle/s/", "/@rekindle/waiting.js", "/@rekindle/progress"];

    /// While a page is compiled: the client, segments that are done, and the page itself can be had.
    fn between_steps(&mut self, event: Event, page: Option<&str>, announced: &[String]) {
        let Event::Request(request, asker) = event else { return self.backlog.push_back(event) };
        let is_ready = Self::INDEPENDENT.iter().any(|begin| request.path.starts_with(begin));
        if is_ready {
            self.reply(&request, asker);
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

    fn answer(&mut self, request: &Request) -> Answer {
        let path = request.path.as_str();
        if let Some(internal) = path.strip_prefix("/@rekindle/") {
            return self.internal(internal, request).unwrap_or_else(|| not_found(path));
        }
        if path == "/@vite/client" {
            return self.other_client();
        }
        if path == "/@react-refresh" {
            return Answer::ok(SCRIPT, REACT_PREAMBLE, Cache::Revalidate);
        }
        if let Some((url, file)) = self.page_file(path) {
            return self.page(&url, &file);
        }
        if request.query.split('&').any(|part| part.trim_end_matches('=') == "worker_file") {
            return self.worker_script(path).unwrap_or_else(|| not_found(path));
        }
        let key = match request.query.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{}", request.query),
        };
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

    /// For a browser's tab: it goes on by itself when there is a page.
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

    /// The client by another name: there must be one of it in a page.
    fn other_client(&self) -> Answer {
        let script = format!("export * from \"{}@rekindle/client.js\";\n", self.config.base);
        Answer::ok(SCRIPT, script, Cache::Revalidate)
    }

    fn internal(&mut self, name: &str, request: &Request) -> Option<Answer> {
        match name {
            "client" => Some(self.other_client()),
            "client.js" => {
                let script = if request.guest { &self.guest_script } else { &self.client_script };
                Some(Answer::ok(SCRIPT, script.clone(), Cache::Revalidate))
            }
            "page.js" => {
                let (url, file) = self.page_file(&parameter(&request.query, "path")?)?;
                let session = parameter(&request.query, "session").filter(|session| *session == self.session);
                let since = session.and_then(|_| parameter(&request.query, "seq")?.parse().ok());
                let text = parameter(&request.query, "text");
                Some(self.page_script(&url, &file, since.filter(|since| *since <= self.seq), text))
            }
            "load.js" => Some(self.load(&request.query)),
            "waiting.js" => {
                Some(Answer::ok(SCRIPT, waiting::script(&self.config.base, &request.query), Cache::Revalidate))
            }
            "progress" => Some(Answer::ok("text/plain; charset=utf-8", self.work.clone(), Cache::No)),
            _ if name == Runtime::get().address => {
                Some(Answer::ok(SCRIPT, Runtime::get().script.clone(), Cache::Forever))
            }
            _ => self.segment(name.strip_prefix("s/")?),
        }
    }

    fn segment(&mut self, name: &str) -> Option<Answer> {
        let Self { project, session, seq, config, .. } = self;
        let as_of = AsOf { session, seq: *seq };
        let (script, is_current) =
            project.segments.script(&project.graph, name.strip_suffix(".js")?, &config.base, as_of)?;
        // A page that began to load before an edit gets what is newer, but not under a name that is a promise.
        let cache = if is_current { Cache::Forever } else { Cache::No };
        Some(Answer { status: 200, content_type: SCRIPT, body: Body::Pieces(script), cache })
    }

    // ---- pages

    /// The page that an address shows: its own file, `/docs/` → `/docs/index.html`, `/about` → `/about.html`.
    fn page_file(&self, path: &str) -> Option<(String, FilePath)> {
        let candidates = match path {
            _ if path.ends_with('/') => vec![format!("{path}index.html")],
            _ if path.ends_with(".html") => vec![path.to_owned()],
            _ => vec![format!("{path}.html"), format!("{path}/index.html")],
        };
        candidates.into_iter().find_map(|url| self.listing.pages.get(&url).cloned().map(|file| (url, file)))
    }

    fn page(&mut self, url: &str, file: &FilePath) -> Answer {
        let modules = self.page_modules(url, file);
        let preload = self.project.segments.addresses_of(&self.project.graph, &modules);
        match self.pages.get(url).filter(|page| page.gone.is_none()) {
            Some(page) => {
                let (head, rest) = page.render(url, &self.config.base, self.as_of(), &preload);
                Answer::ok(HTML, head + &self.head_styles(url) + &rest, Cache::Revalidate)
            }
            None => {
                Answer::text(404, format!("{} cannot be read any more", self.project.compiler.display(file.as_path())))
            }
        }
    }

    /// Style elements for what a page imports; with a policy about styles the runtime makes them, as the policy allows.
    fn head_styles(&self, url: &str) -> String {
        self.pages.get(url).map(|page| page.styles(&self.project.graph)).unwrap_or_default()
    }

    /// Everything a page runs, compiled.
    fn page_modules(&mut self, url: &str, file: &FilePath) -> Vec<ModuleId> {
        let Ok(page) = self.pages.load(url, file, &mut self.project) else { return Vec::new() };
        let modules = page.modules();
        self.watcher.watch_files(page.watched());
        self.project.watch_awaited(&self.watcher);
        // In front: a framework looks for its refresh runtime when it starts.
        let roots = [self.project.insert_refresh_modules(), modules].concat();
        let known_broken = self.broken_count();
        let modules = self.crawl(&roots, Some(url));
        if self.broken_count() > known_broken {
            self.report_broken(&modules);
        }
        self.report_of_node();
        modules
    }

    /// One line for each module of Node that a package imports: it is empty in the page.
    fn report_of_node(&mut self) {
        for (name, importer) in self.project.take_of_node() {
            self.report.note(&format!("`{name}` is a module of Node and empty in the page, imported by {importer}"));
        }
    }

    fn broken_count(&self) -> usize {
        self.project.graph.broken
    }

    fn report_broken(&self, modules: &[ModuleId]) {
        let diagnostics = |&id: &ModuleId| match &self.project.graph[id].state {
            ModuleState::Broken(diagnostics) => diagnostics.as_slice(),
            _ => &[],
        };
        let diagnostics: Vec<Diagnostic> = modules.iter().flat_map(diagnostics).cloned().collect();
        if !diagnostics.is_empty() {
            self.report.diagnostics(&diagnostics);
        }
    }

    /// `/@rekindle/page.js?path=/index.html`: imports the segments, then starts the page.
    /// `since`: the batch as of which the page's text was written, if it was in this session; `text`: that text's digest.
    fn page_script(&mut self, url: &str, file: &FilePath, since: Option<u64>, text: Option<String>) -> Answer {
        let modules = self.page_modules(url, file);
        let mut manifest = self.manifest(&modules);
        let mut script = self.imports(&manifest.segments);
        let Some(page) = self.pages.get(url) else { return not_found(url) };
        let mut entries = Vec::new();
        for entry in &page.entries {
            match entry {
                Entry::Module(id) => entries.push(self.project.graph[*id].url.clone()),
                Entry::Address(address) => script.push_str(&format!("import{};\n", quoted(address))),
                Entry::Missing(url, diagnostic) => {
                    manifest.errors.insert(url.to_string(), vec![(**diagnostic).clone()]);
                    entries.push(url.clone());
                }
            }
        }
        manifest.sheets = self.with_digests(&page.sheets);
        manifest.refresh = self.project.refresh_modules();
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

    /// `/src/count.ts?worker_file`: the same for a worker, whose only entry is the module itself.
    fn worker_script(&mut self, path: &str) -> Option<Answer> {
        let id = self.project.graph.get(path)?;
        let known_broken = self.broken_count();
        let modules = self.project.crawl(&[id], &self.watcher);
        if self.broken_count() > known_broken {
            self.report_broken(&modules);
        }
        let mut manifest = self.manifest(&modules);
        manifest.entries = Some(vec![self.project.graph[id].url.clone()]);
        manifest.since = Some(self.seq);
        let imports = self.imports(&manifest.segments);
        let base = &self.config.base;
        let start = format!("import{{boot}}from\"{base}@rekindle/client.js\";\nboot({});\n", json(&manifest));
        // The client comes first: its listener has to be the worker's first one.
        let script = format!("import\"{base}@rekindle/client.js\";\n{imports}{start}");
        Some(Answer::ok(SCRIPT, script, Cache::No))
    }

    fn imports(&self, segments: &[String]) -> String {
        segments.iter().map(|address| format!("import\"{}@rekindle/s/{address}.js\";\n", self.config.base)).collect()
    }

    fn manifest(&mut self, modules: &[ModuleId]) -> Manifest {
        Manifest {
            session: self.session.clone(),
            seq: self.seq,
            since: None,
            segments: self.project.segments.addresses_of(&self.project.graph, modules),
            env: self.project.env.object(),
            errors: self.project.errors(modules.iter().copied()),
            page: None,
            page_hash: None,
            entries: None,
            sheets: Vec::new(),
            refresh: None,
        }
    }

    /// `/@rekindle/load.js?id=…&id=…`: the segments with these modules and all they reach. With `value` the definitions
    /// themselves, for a tab that lacks some although their segments have come.
    fn load(&mut self, query: &str) -> Answer {
        let values = query.split('&').filter_map(|part| part.strip_prefix("id="));
        let urls = values.filter_map(|value| percent_encoding::percent_decode_str(value).decode_utf8().ok());
        let mut urls: Vec<ModuleUrl> = urls.map(|url| ModuleUrl::new(&*url)).collect();
        // Whoever asks for the same gets the same text.
        urls.sort_unstable();
        urls.dedup();
        let roots = self.importable(urls);
        let known_broken = self.broken_count();
        let modules = self.project.crawl(&roots, &self.watcher);
        if self.broken_count() > known_broken {
            self.report_broken(&modules);
        }
        self.report_of_node();
        let by_value = parameter(query, "value").is_some();
        let mut manifest = self.manifest(&modules);
        if by_value {
            manifest.segments.clear();
        }
        let end = format!("{}export const manifest={};\n", self.imports(&manifest.segments), json(&manifest));
        match by_value {
            true => Answer { status: 200, content_type: SCRIPT, body: self.by_value(&modules, end), cache: Cache::No },
            false => Answer::ok(SCRIPT, end, Cache::No),
        }
    }

    /// Definitions by value, true as of now, and then `end`. They are written when the reader takes them: everyone may ask for
    /// other ones, and not read.
    fn by_value(&self, modules: &[ModuleId], end: String) -> Body {
        let mut head = String::new();
        write_head(&mut head, &self.config.base, Carrier::Value(self.as_of()));
        let graph = &self.project.graph;
        let definitions: Vec<_> = graph.ready(modules).map(|(id, it)| (graph[id].url.clone(), it.clone())).collect();
        let (head, end) = (Bytes::from(head), Bytes::from(end));
        Body::Made(Made::new(move |at| match at.checked_sub(1) {
            None => Some(vec![head.clone()]),
            Some(at) if at == definitions.len() => Some(vec![end.clone()]),
            Some(at) => definitions.get(at).map(|(url, published)| definition_parts(url.as_str(), published)),
        }))
    }

    /// Definitions by value, true as of now.
    fn write_definitions(&self, script: &mut String, modules: &[ModuleId]) {
        write_head(script, &self.config.base, Carrier::Value(self.as_of()));
        for (id, published) in self.project.graph.ready(modules) {
            write_definition(script, self.project.graph[id].url.as_str(), published);
            script.push('\n');
        }
    }

    /// Those of `urls` that may be asked for: what is named somewhere, and, for an `import()` whose specifier is only known
    /// when it runs, any script, sheet or JSON file of the project.
    fn importable(&mut self, urls: Vec<ModuleUrl>) -> Vec<ModuleId> {
        let graph = &mut self.project.graph;
        if self.project.imports_by_name && urls.iter().any(|url| graph.get(url.as_str()).is_none()) {
            let files = RootFiles::importable(&self.config);
            for url in &urls {
                if let Some(file) = files.get(url.path()) {
                    graph.insert(url, file);
                }
            }
        }
        urls.iter().filter_map(|url| graph.get(url.as_str())).collect()
    }

    // ---- files and modules by their own address

    /// The sheet of a `<link>`.
    fn sheet(&mut self, path: &str) -> Option<Answer> {
        let id = self.project.graph.get(&format!("{path}?direct"))?;
        let is_public = self.public.as_ref().is_some_and(|public| public.get(path).is_some());
        if is_public && !self.project.graph[id].file.as_path().exists() {
            return None;
        }
        self.project.crawl(&[id], &self.watcher);
        let css = self.project.linked_sheet(id).unwrap_or_else(|| "/* this sheet has an error, see the page */".into());
        Some(Answer::ok("text/css; charset=utf-8", css, Cache::Revalidate))
    }

    /// A script whose address was taken (`?url`, `new URL()`), as something that runs: a module for who imports it, a script
    /// that needs nothing else for workers and worklets.
    fn script_asset(&mut self, path: &str, wants: Wants) -> Option<Answer> {
        let is_public = self.public.as_ref().is_some_and(|public| public.get(path).is_some());
        if is_public || !is_script(&ModuleUrl::new(path)) {
            return None;
        }
        let file = FilePath::new(self.project.asset(path)?.path());
        let is_plain = matches!(path.rsplit('.').next(), Some("js" | "mjs" | "cjs"));
        match wants {
            Wants::Content => return None,
            Wants::Unsaid if is_plain => return None,
            _ => {}
        }
        let id = self.project.graph.insert(&ModuleUrl::new(path), &file);
        if wants != Wants::Script {
            return self.module(path);
        }
        let known_broken = self.broken_count();
        let modules = self.project.crawl(&[id], &self.watcher);
        if self.broken_count() > known_broken {
            self.report_broken(&modules);
        }
        // A script of no modules is what it says, with its globals.
        let is_alone = is_plain && modules.len() == 1 && !standalone::is_module(&self.project, id);
        let script = (!is_alone).then(|| standalone::script(&self.project, &self.config.base, id, &modules))?;
        Some(Answer::ok(SCRIPT, script, Cache::Revalidate))
    }

    fn file(&self, path: &str) -> Option<Answer> {
        let public = self.public.as_ref().and_then(|public| public.get(path));
        let servable = public.or_else(|| self.project.asset(path)).or_else(|| self.listed(path))?;
        Some(Answer {
            status: 200,
            content_type: content_type(path),
            body: Body::File(servable.clone()),
            cache: Cache::Revalidate,
        })
    }

    /// A file that `[serve]` lists. Scripts among them are answered as modules.
    fn listed(&self, path: &str) -> Option<&Servable> {
        self.listing.get(path).filter(|_| !is_script(&ModuleUrl::new(path)))
    }

    /// An imported JSON file or sheet, fetched by its address: as it is, not as a module.
    fn plain(&mut self, path: &str) -> Option<Answer> {
        let id = self.project.graph.get(path)?;
        let file = self.project.graph[id].file.clone();
        if path.ends_with(".json") {
            self.project.admit_asset(path, &file);
            return self.file(path);
        }
        if is_style(path) {
            self.project.graph.insert(&ModuleUrl::new(format!("{path}?direct")), &file);
            return self.sheet(path);
        }
        None
    }

    /// A module by its own address, for native imports: its definition, what it needs, and its exports.
    fn module(&mut self, key: &str) -> Option<Answer> {
        let id = self.module_at(key)?;
        let modules = self.project.crawl(&[id], &self.watcher);
        if self.project.graph[id].state == ModuleState::Deleted {
            return None;
        }
        let manifest = Manifest { refresh: self.project.refresh_modules(), ..self.manifest(&modules) };
        let base = &self.config.base;
        let url = quoted(self.project.graph[id].url.as_str());
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
    fn module_at(&mut self, key: &str) -> Option<ModuleId> {
        if let Some(id) = self.project.graph.get(key) {
            return Some(id);
        }
        let file = self.listing.get(key)?.path().to_owned();
        Some(self.project.graph.insert(&ModuleUrl::new(key), &FilePath::new(file)))
    }

    /// Names a module exports, those behind `export *` included.
    fn exports_of(&self, id: ModuleId) -> BTreeSet<String> {
        let graph = &self.project.graph;
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

/// The browser fetches and compiles these while the rest is still on its way.
pub fn preload_links(base: &str, addresses: &[String]) -> String {
    addresses
        .iter()
        .map(|address| format!("<link rel=\"modulepreload\" href=\"{base}@rekindle/s/{address}.js\">"))
        .collect()
}

/// Names that count of a list that a tab sends for the terminal.
const MOST_NAMES: usize = 500;

/// Of a long chain of imports its ends, which say what led to what.
fn both_ends(mut chain: Vec<String>) -> Vec<String> {
    if chain.len() > MOST_NAMES {
        chain.drain(MOST_NAMES / 2..chain.len() - MOST_NAMES / 2);
    }
    chain
}

/// What a page says, as far as the terminal shows it.
fn shortened(text: &str) -> String {
    const MOST: usize = 300;
    text.chars().take(MOST).collect()
}

/// The files that were edited, each once: as they are called in the terminal.
fn files_of(graph: &ModuleGraph, delta: &Delta, news: &News) -> Vec<String> {
    let edited = delta.changed.iter().chain(&delta.deleted).map(|&id| graph[id].url.path().to_owned());
    let mut seen = BTreeSet::new();
    let mut files: Vec<String> = edited.filter(|url| seen.insert(url.clone())).collect();
    files.extend(news.pages.iter().map(|page| format!("/{}", page.file)));
    files
}

fn merge(delta: &mut Delta, more: Delta) {
    delta.changed.extend(more.changed.into_iter().filter(|id| !delta.changed.contains(id)).collect::<Vec<_>>());
    delta.broken.extend(more.broken);
    delta.fixed.extend(more.fixed);
}

fn not_found(path: &str) -> Answer {
    Answer::text(404, not_found_text(path))
}

fn not_found_text(path: &str) -> String {
    format!(
        "{path} is nothing that this server knows\n\nIt serves modules and assets that the page imports, pages, and files in public/.\n\
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

/// Looks twice a second whether the address, or the page that answers any address, has come to be there.
const NO_PAGE_SCRIPT: &str = "\
const isThere = (address) => fetch(address, { method: 'HEAD', cache: 'no-store' }).then(({ ok }) => ok, () => false)
const look = async () => {
  if ((await isThere(location.href)) || (await isThere(BASE))) location.reload()
  else setTimeout(look, 500)
}
setTimeout(look, 500)
";

pub(crate) fn content_type(path: &str) -> &'static str {
    if is_script(&ModuleUrl::new(path)) {
        return SCRIPT; // `.ts` is a kind of video elsewhere.
    }
    let guess = mime_guess::from_path(path).first_raw();
    match guess {
        Some("text/html") => HTML,
        Some("text/javascript" | "application/javascript") => SCRIPT,
        Some("text/css") => "text/css; charset=utf-8",
        Some("text/plain") => "text/plain; charset=utf-8",
        Some("image/svg+xml") => "image/svg+xml",
        Some(other) => other,
        None => "application/octet-stream",
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("messages always serialise")
}

/// A string literal that may stand in a script.
fn quoted(text: &str) -> String {
    json(&text)
}

fn text(message: &ServerMessage) -> String {
    json(message)
}

fn milliseconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
