//! The loop: one thread owns graph, pages and tabs; everything enters it as an [`Event`].
//!
//! ```text
//! Files    ─► project.take ─► edit ─► batch to every tab ─► one line in the terminal         publish.rs
//! Request  ─► a route: a key into the tables ─► answer                                      requests.rs
//! Message  ─► hello, applied, custom event, trace                                           tabs.rs
//! ```
//!
//! This file has the state and the main loop; each of the others adds the steps of one subject to [`Loop`].

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rekindle_graph::wire::ServerReload;
use rekindle_graph::{FilePath, ModuleUrl};
use tokio::sync::mpsc;

use crate::event::{Event, Inbox};
use crate::files::listing::RootFiles;
use crate::http::bodies::Bodies;
use crate::programs::events_process::EventsProcess;
use crate::project::Project;
use crate::report::rounds::Rounds;
use crate::report::{News, Report};
use crate::tabs::client::{ClientId, EventHandler};
use crate::tabs::client_script::client_script;
use crate::tabs::trace::{PendingAnswers, Tracer};
use crate::watch::Watcher;
use rekindle_config::Config;

mod announced_edits;
mod compare;
mod edits;
mod json;
mod module_answers;
mod page_answers;
mod publish;
mod requests;
mod route;
mod tab;
mod tabs;
mod time_share;
mod turns;
mod waiting;

use edits::Edits;
use tab::{MissedBatch, Tab};
use time_share::TimeShare;
use waiting::PageStream;

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
    /// Names this start of the server, so that a tab of an earlier one is recognised.
    session: String,
    /// Number of the last batch.
    seq: u64,
    /// How many modules the graph had when tabs were last told of modules that they wait for.
    known_modules: usize,
    /// The batch that made all pages reload that had loaded before it, and the reason.
    restart: Option<(u64, ServerReload)>,
    /// What tabs get that say `hello` with the number of an earlier batch, as of the last one: many tabs miss the same.
    answers: BTreeMap<u64, MissedBatch>,
    project: Project,
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
    /// Messages of tabs that wait until there is nothing else to do.
    later: VecDeque<Event>,
    /// Time that went into comparing tabs of earlier sessions.
    compared: TimeShare,
    /// Pages that are being sent while their modules are compiled.
    streams: Vec<PageStream>,
    /// What is being compiled, and how far that is.
    work: String,
    tracer: Tracer,
    /// Errors of tabs that the terminal has shown since the last batch.
    thrown: BTreeSet<(String, Option<String>)>,
    bodies: Bodies,
}

impl Loop {
    pub fn new(start: Start, events: mpsc::UnboundedReceiver<Event>) -> std::io::Result<Self> {
        let Start { config, token, secret, report, handlers, events_process, watcher, inbox } = start;
        let project = Project::open(&config, secret, &watcher, &report)?;
        let bodies = Bodies::default();
        let tracer = Tracer::start(project.modules.compiler.clone(), bodies.clone(), inbox)?;
        Ok(Self {
            client_script: client_script(&config, &token).into(),
            guest_script: client_script(&config, "").into(),
            session: format!("{:x}", SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos())),
            seq: 0,
            restart: None,
            answers: BTreeMap::new(),
            project,
            tabs: BTreeMap::new(),
            rounds: Rounds::default(),
            known_modules: 0,
            edits: Edits::default(),
            report,
            watcher,
            handlers,
            events_process,
            events,
            backlog: VecDeque::new(),
            later: VecDeque::new(),
            compared: TimeShare::default(),
            streams: Vec::new(),
            work: String::new(),
            tracer,
            thrown: BTreeSet::new(),
            bodies,
            config,
        })
    }

    /// A way to wait for what the thread of stacks still has to say.
    pub fn traces(&self) -> PendingAnswers {
        self.tracer.answers()
    }

    /// Handles events until [`Event::Stop`].
    pub fn run(mut self) -> Option<EventsProcess> {
        self.warm_up();
        while let Some(event) = self.next_event() {
            if matches!(event, Event::Stop) {
                break;
            }
            // A mistake of ours in one event must not end the server (rule S11).
            let handled = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.on_event(event)));
            if handled.is_err() {
                self.report.tell(News::Crashed);
            }
        }
        self.events_process.take()
    }

    /// The first page is compiled while the browser is still starting, and after it what `server.warmup` names.
    fn warm_up(&mut self) {
        let named = self.config.server.warmup.clone();
        let modules = if named.is_empty() { HashMap::new() } else { RootFiles::importable(&self.config) };
        for name in ["/".to_owned()].into_iter().chain(named) {
            // What goes wrong shows again when the page or the module is asked for.
            let warmed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.warm(&name, &modules)));
            drop(warmed);
            self.report_warnings();
        }
    }

    /// Compiles a page or a module, and all that it needs.
    fn warm(&mut self, name: &str, modules: &HashMap<String, FilePath>) {
        let path = format!("/{}", name.trim_start_matches("./").trim_start_matches('/'));
        if let Some((url, file)) = self.page_file(&path) {
            self.page_modules(&url, &file);
        } else if let Some(file) = modules.get(&path) {
            let module = self.project.modules.graph.insert(&ModuleUrl::new(&*path), file);
            let known_broken = self.broken_count();
            let modules = self.crawl(&[module], None);
            if self.broken_count() > known_broken {
                self.report_broken(&modules);
            }
        } else if name != "/" {
            self.report.warn(&format!("`server.warmup`: there is no page and no module `{name}` in the project"));
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Request(request, asker) => self.on_request(&request, asker),
            Event::Connected(id, outbox) => self.on_connected(id, outbox),
            Event::Message(id, message, _turn) => self.on_message(id, message),
            Event::Unreadable(id, module) => self.on_unreadable_module(id, &module),
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
            self.project.modules.tell_missing_scripts();
        }
        self.report_warnings();
    }

    /// Warnings that were collected while something was compiled: what browsers skip in silence, what tools have printed, and
    /// names in pages that no env file has.
    fn report_warnings(&mut self) {
        let (warnings, lines) = self.project.modules.compiler.styles.take_warnings();
        if !warnings.is_empty() {
            self.report.tell(News::Warned { warnings });
        }
        lines.iter().for_each(|line| self.report.note(line));
        for text in self.project.modules.take_page_warnings() {
            self.report.warn(&text);
        }
        for (path, reason) in self.project.modules.compiler.left_out().take() {
            let file = Some(self.project.modules.compiler.display(&path));
            self.report.tell(News::Warning { file, text: reason });
        }
    }
}
