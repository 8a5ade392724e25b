//! How tabs and terminal are told of an edit: at once, or when the file has come that belongs to it.
//!
//! ```text
//! edit without a new gap          ─► published at once
//! edit with a new gap             ─► waits; joined by the next ─► published when it is closed, or when all is quiet
//! page, /load, hello in between   ─► published before the answer
//! ```

use std::collections::BTreeSet;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use rekindle_compile::kind::is_linked;
use rekindle_graph::wire::{Batch, Errors, PushedDefinition, ServerMessage};
use rekindle_graph::{Delta, Diagnostic, Module, ModuleGraph, ModuleId, ModuleState, ModuleUrl};

use super::Loop;
use super::json::json;
use super::tab::{Stage, Tab};
use crate::project::edit::{Edit, PageChanges};
use crate::project::gaps;
use crate::project::modules::{MOST_ALIKE, MOST_REASONS};
use crate::project::pages::Entry;
use crate::project::segments::{BatchRef, write_definition};
use crate::report::News;
use crate::report::rounds::Recipients;
use crate::tabs::client::ClientId;
use crate::tabs::socket::Utf8Bytes;

impl Loop {
    /// Publishes an edit, or lets it wait for the file that closes its gaps. `is_complete`: nothing more will come.
    pub(super) fn tell(&mut self, edit: Edit, is_complete: bool) {
        if edit.is_empty() {
            return; // An announcement without a change is no news for what waits, either.
        }
        let edit = self.joined(edit);
        let gaps = gaps::find(&self.project.modules.graph, &edit.delta, &edit.before);
        let may_wait = !is_complete && edit.page_changes.reload.is_none() && self.config.hmr.enabled;
        let may_return =
            !edit.vanished.is_empty() || edit.page_changes.gone.len() + edit.page_changes.gone_otherwise.len() > 0;
        if may_wait && (self.edits.gaps.are_new(&gaps) || may_return) {
            tracing::debug!(gaps = gaps.len(), "an edit waits for the next");
            self.watcher.await_quiet();
            self.edits.waiting = Some(edit);
            return;
        }
        self.edits.gaps.tell(&edit.delta, gaps);
        self.publish_edit(edit);
    }

    /// The edit that waits, if there is one, and this one as a single edit.
    fn joined(&mut self, edit: Edit) -> Edit {
        match self.edits.waiting.take() {
            Some(waiting) => waiting.join(edit, &self.project.modules.graph),
            None => edit,
        }
    }

    /// Publishes the edit that waits, with whatever gaps it has.
    pub(super) fn publish_waiting(&mut self) {
        let Some(edit) = self.edits.waiting.take() else { return };
        let gaps = gaps::find(&self.project.modules.graph, &edit.delta, &edit.before);
        self.edits.gaps.tell(&edit.delta, gaps);
        self.publish_edit(edit);
    }

    fn publish_edit(&mut self, edit: Edit) {
        if edit.is_empty() {
            return; // What was done was undone.
        }
        let Delta { changed, broken, deleted, .. } = &edit.delta;
        let files: BTreeSet<_> =
            changed.iter().chain(broken).chain(deleted).map(|&id| &self.project.modules.graph[id].file).collect();
        self.edits.files += files.len() + edit.page_changes.pages.len();
        self.publish(&edit.delta, edit.page_changes, edit.noticed);
    }

    /// Numbers the batch, tells every tab, and the terminal.
    pub(super) fn publish(&mut self, delta: &Delta, page_changes: PageChanges, noticed: Instant) {
        // Batches are told in the order of their numbers, and pages have taken the number that comes next.
        self.publish_waiting();
        self.seq += 1;
        self.answers.clear();
        self.thrown.clear();
        self.project.modules.graph.stamp(delta, self.seq);
        let graph = &self.project.modules.graph;
        let files = files_of(graph, delta, &page_changes);
        let is_reload = page_changes.reload.is_some();
        if let Some(reason) = page_changes.reload {
            self.restart = Some((self.seq, reason));
        }
        self.report_pages(&page_changes);
        let batch = self.batch(Some(self.seq - 1), delta, page_changes);
        self.report_errors(delta);
        if !self.config.hmr.enabled {
            return;
        }
        let message: Utf8Bytes = json(&ServerMessage::Batch(batch)).into();
        // A silent connection may be a tool that only listens; a tab that has not begun yet ignores the batch.
        for tab in self.tabs.values().filter(|tab| !matches!(tab.stage, Stage::Compared(_))) {
            tab.outbox.send(message.clone());
        }
        if files.is_empty() || is_reload {
            return;
        }
        let (workers, tabs): (Vec<_>, Vec<_>) =
            self.tabs.iter().filter(|(_, tab)| tab.stage == Stage::InStep).partition(|(_, tab)| tab.is_worker);
        let ids = |list: Vec<(&ClientId, &Tab)>| list.into_iter().map(|(&id, _)| id).collect();
        self.rounds.begin(
            self.seq,
            files,
            noticed,
            Recipients { tabs: ids(tabs), workers: ids(workers) },
            &self.report,
        );
    }

    /// What the batches after `since` did. Without `since` it is for a tab of another session: all in which that differs.
    pub(super) fn batch(
        &self,
        since: Option<u64>,
        delta: &Delta,
        PageChanges { pages, env, reload, .. }: PageChanges,
    ) -> Batch {
        let graph = &self.project.modules.graph;
        let urls = |ids: &[ModuleId]| -> Vec<ModuleUrl> { ids.iter().map(|&id| graph[id].url.clone()).collect() };
        let (links, changed): (Vec<ModuleId>, Vec<ModuleId>) =
            delta.changed.iter().copied().partition(|&id| is_linked(&graph[id].url));
        let mut told: Vec<ModuleId> = delta.broken.iter().chain(&delta.still_broken).copied().collect();
        if !delta.fixed.is_empty() && told.len() <= MOST_REASONS {
            // When very many modules are broken, most are named without their reasons. Once some are mended, the others get theirs.
            let is_broken = |id: &ModuleId| matches!(graph[*id].state, ModuleState::Broken(_)) && !told.contains(id);
            let left: Vec<ModuleId> = graph.ids().filter(is_broken).take(MOST_REASONS + 1).collect();
            let were = left.len() + delta.fixed.len();
            if were > MOST_ALIKE && left.len() <= MOST_REASONS {
                told.extend(left);
            }
        }
        let mut errors = self.project.modules.errors(told);
        let is_deleted = |url: &str| graph.get(url).is_some_and(|id| delta.deleted.contains(&id));
        errors.extend(self.missing_entries(|url| since.is_none() || is_deleted(url)));
        let mut fixed = urls(&delta.fixed);
        // A page's script that was not there until now: nothing is wrong with it any more.
        let entries: BTreeSet<ModuleId> = self.project.pages.entries().collect();
        let is_well = |id: &ModuleId| entries.contains(id) && graph[*id].state == ModuleState::Ready;
        fixed.extend(urls(&changed.iter().copied().filter(is_well).collect::<Vec<_>>()));
        for (url, page) in self.project.pages.stood_after(since) {
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
            env: env.then(|| self.project.modules.env.object()),
            reload,
        }
    }

    pub(super) fn as_of(&self) -> BatchRef<'_> {
        BatchRef { session: &self.session, seq: self.seq }
    }

    pub(super) fn with_digests(&self, ids: &[ModuleId]) -> Vec<(ModuleUrl, String)> {
        let digest = |module: &Module| Some(module.published.as_ref()?.hash.to_string());
        let modules = ids.iter().map(|&id| &self.project.modules.graph[id]);
        modules.filter_map(|module| Some((module.url.clone(), digest(module)?))).collect()
    }

    fn pushed(&self, id: ModuleId) -> Option<PushedDefinition> {
        let module = &self.project.modules.graph[id];
        let published = module.published.as_ref()?;
        let mut code = String::with_capacity(published.definition.code.len() + 256);
        write_definition(&mut code, module.url.as_str(), published);
        Some(PushedDefinition { id: module.url.clone(), code })
    }

    /// Errors of page scripts that are not there, as far as `concerns` holds for their addresses. Nothing imports a page's
    /// script, so its absence is an error of its own.
    fn missing_entries(&self, concerns: impl Fn(&str) -> bool) -> Errors {
        let graph = &self.project.modules.graph;
        let mut errors = Errors::new();
        for entry in self.project.pages.iter().flat_map(|(_, page)| &page.entries) {
            match entry {
                Entry::Module(id) if concerns(graph[*id].url.as_str()) => {
                    errors.extend(self.project.modules.errors([*id]))
                }
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
        let files = self.names_of(&delta.still_broken);
        if !files.is_empty() {
            self.report.tell(News::StillBroken { files });
        }
        let files = self.names_of(&delta.fixed);
        if !files.is_empty() {
            self.report.tell(News::Fixed { files });
        }
    }

    fn names_of(&self, ids: &[ModuleId]) -> Vec<String> {
        ids.iter().map(|&id| self.project.modules.graph[id].url.path().to_owned()).collect()
    }

    /// Tells the terminal of pages whose files went or came back.
    fn report_pages(&self, page_changes: &PageChanges) {
        let gone = page_changes
            .gone
            .iter()
            .chain(&page_changes.gone_otherwise)
            .filter_map(|url| self.project.pages.get(url)?.gone.clone());
        let errors: Vec<Diagnostic> = gone.collect();
        if !errors.is_empty() {
            self.report.tell(News::Failed { errors });
        }
        if !page_changes.back.is_empty() {
            self.report.tell(News::Fixed { files: page_changes.back.clone() });
        }
    }
}

/// The files that were edited, each once: as they are called in the terminal.
pub(super) fn files_of(graph: &ModuleGraph, delta: &Delta, page_changes: &PageChanges) -> Vec<String> {
    let edited = delta.changed.iter().chain(&delta.deleted).map(|&id| graph[id].url.path().to_owned());
    let mut seen = BTreeSet::new();
    let mut files: Vec<String> = edited.filter(|url| seen.insert(url.clone())).collect();
    files.extend(page_changes.pages.iter().map(|page| format!("/{}", page.file)));
    files
}

fn milliseconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
