//! What tabs say and are told: their comings and goings, how updates went, custom events, and what went wrong in them.

use std::time::Instant;

use rekindle_compile::import_place;
use rekindle_compile::kind::path_of;
use rekindle_graph::wire::{ClientMessage, LackingImport, Outcome, ServerMessage, UpdateReport};
use rekindle_graph::{Diagnostic, ModuleId, ModuleState};
use serde_json::Value;

use super::Loop;
use super::json::json;
use super::publish::files_of;
use super::tab::{MissedBatch, ReportedVersions, Stage, Tab};
use crate::event::UnreadableModule;
use crate::project::edit::PageChanges;
use crate::report::News;
use crate::tabs::client::{Client, ClientId};
use crate::tabs::outbox::Outbox;
use crate::tabs::socket::Utf8Bytes;
use crate::tabs::trace::TraceRequest;

/// Characters that are shown of an error that a page has thrown.
const MAX_ERROR_CHARACTERS: usize = 4000;
/// Errors of tabs that the terminal is told of between two batches.
const MAX_REPORTED_ERRORS: usize = 50;
/// Answers to `hello` that are kept.
const MAX_KEPT_ANSWERS: usize = 16;
/// Names that count of a list that a tab sends for the terminal.
const MAX_NAMES: usize = 500;

impl Loop {
    pub(super) fn on_connected(&mut self, id: ClientId, outbox: Outbox) {
        outbox.send(json(&ServerMessage::Connected));
        self.tabs.insert(id, Tab::new(outbox));
        self.tell_handlers("vite:client:connect", None, id);
    }

    pub(super) fn on_gone(&mut self, id: ClientId) {
        self.tell_handlers("vite:client:disconnect", None, id);
        self.tabs.remove(&id);
        self.rounds.left(id, &self.report);
    }

    pub(super) fn on_message(&mut self, id: ClientId, message: Value) {
        // Anything that is not one of our messages is ignored (rule S8).
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

    /// A tab that says how far it is gets all that is in the graph, so an edit that waits is published first.
    fn publish_before_answer(&mut self, message: &ClientMessage) {
        if matches!(message, ClientMessage::Hello { .. } | ClientMessage::Versions { .. }) {
            self.publish_waiting();
        }
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
            tab.stage = Stage::Compared(ReportedVersions::default());
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
    fn missed_since(&mut self, seq: u64) -> MissedBatch {
        if let Some(missed) = self.answers.get(&seq) {
            return missed.clone();
        }
        let delta = self.project.modules.graph.since(seq);
        let edited = self.project.pages.iter().filter(|(_, page)| page.changed_at > seq);
        let pages = edited.filter_map(|(url, page)| {
            page.edited_since(seq, url, self.project.modules.compiler.display(page.file.as_path()))
        });
        let reload = self.restart.filter(|(since, _)| *since > seq).map(|(_, reason)| reason);
        let page_changes = PageChanges { pages: pages.collect(), env: true, reload, ..PageChanges::default() };
        let files = files_of(&self.project.modules.graph, &delta, &page_changes).into();
        let batch = self.batch(Some(seq), &delta, page_changes);
        let missed = MissedBatch { answer: json(&ServerMessage::Batch(batch)).into(), files };
        if self.answers.len() == MAX_KEPT_ANSWERS {
            self.answers.pop_first();
        }
        self.answers.insert(seq, missed.clone());
        missed
    }

    fn on_applied(&mut self, id: ClientId, mut applied: UpdateReport) {
        applied.chain = both_ends(applied.chain);
        applied.boundaries.truncate(MAX_NAMES);
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
                return; // The terminal has said already that the reload is due.
            }
            let reason = applied.reason.unwrap_or_default();
            return self.report.tell(News::ReloadCancelled { reason });
        }
        let is_worker = self.tabs.get(&id).is_some_and(|tab| tab.is_worker);
        self.rounds.answered(id, is_worker, applied, &self.report);
    }

    fn on_custom(&mut self, id: ClientId, event: &str, data: Option<Value>) {
        if event == "vite:invalidate" {
            let field = |name: &str| data.as_ref().and_then(|data| data.get(name)?.as_str());
            let Some(path) = field("path") else { return };
            let message = field("message").map(shortened);
            self.report.tell(News::Invalidated { module: shortened(path), message });
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

    pub(super) fn send_custom(&mut self, event: String, data: Option<Value>, to: Option<ClientId>) {
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
        lacks: Option<&LackingImport>,
        said: Option<String>,
    ) {
        let lacks = lacks.map(|lacks| (lacks, self.advice_about(lacks)));
        let said = said.map(|text| text.chars().take(MAX_ERROR_CHARACTERS).collect());
        if let Some(tab) = self.tabs.get(&id) {
            let tab = (id, tab.outbox.clone());
            let question = TraceRequest { number, frames, lacks, said };
            self.tracer.trace(&mut self.project.modules, &self.config.base, tab, question);
        }
    }

    fn advice_about(&self, LackingImport { importer, source, name, .. }: &LackingImport) -> String {
        let exports = self.project.modules.graph.get(source).map(|id| self.exports_of(id)).unwrap_or_default();
        let exports: Vec<&str> = exports.iter().map(String::as_str).collect();
        let is_typed = [".ts", ".tsx"].iter().any(|ending| path_of(importer).ends_with(ending));
        import_place::advice(name, &exports, is_typed)
    }

    /// Several tabs throw the same, and one may throw it often.
    pub(super) fn on_thrown(&mut self, thrown: &Diagnostic) {
        let told = (thrown.message.clone(), thrown.location());
        if self.thrown.len() < MAX_REPORTED_ERRORS && self.thrown.insert(told) {
            self.report.tell(News::Failed { errors: vec![thrown.clone()] });
        }
    }

    /// A browser cannot parse a module that the compiler could.
    fn on_unreadable(&mut self, id: ClientId, script: &str, (line, column): (u32, u32), message: &str) {
        if !self.tracer.refuse(&mut self.project.modules, &self.config.base, id, (script, line, column), message) {
            self.send(id, &ServerMessage::Unreadable);
        }
    }

    /// What the browser says is the error of the module from now on, until it is edited.
    pub(super) fn on_unreadable_module(&mut self, id: ClientId, found: &UnreadableModule) {
        let UnreadableModule { module, hash, place, message } = found;
        let graph = &self.project.modules.graph;
        let is_the_same = |id: &ModuleId| {
            let published = graph[*id].published.as_ref();
            graph[*id].state == ModuleState::Ready && published.is_some_and(|now| now.definition.hash == *hash)
        };
        if let Some(module) = graph.get(module.as_str()).filter(is_the_same) {
            let delta = self.project.modules.refused(module, place.as_ref(), message);
            self.publish(&delta, PageChanges::default(), Instant::now());
        }
        self.send(id, &ServerMessage::Unreadable);
    }

    pub(super) fn send(&self, id: ClientId, message: &ServerMessage) {
        if let Some(tab) = self.tabs.get(&id) {
            tab.outbox.send(json(message));
        }
    }

    fn broadcast(&self, message: &ServerMessage) {
        let text: Utf8Bytes = json(message).into();
        for tab in self.tabs.values() {
            tab.outbox.send(text.clone());
        }
    }
}

/// Cuts the middle out of a long chain of imports: its ends say what led to what.
fn both_ends(mut chain: Vec<String>) -> Vec<String> {
    if chain.len() > MAX_NAMES {
        chain.drain(MAX_NAMES / 2..chain.len() - MAX_NAMES / 2);
    }
    chain
}

/// The beginning of a text of a page, as long as the terminal shows it.
fn shortened(text: &str) -> String {
    const MOST: usize = 300;
    text.chars().take(MOST).collect()
}
