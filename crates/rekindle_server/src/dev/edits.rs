//! Edits on their way to the tabs: those that wait for a file which belongs to them, and those that a command announces.
//!
//! ```text
//! edit without a new gap          ─► published at once
//! edit with a new gap             ─► waits; joined by the next ─► published when it is closed, or when all is quiet
//! page, /load, hello in between   ─► published before the answer
//! ```

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use rekindle_graph::wire::ClientMessage;
use rekindle_graph::{Delta, ModuleGraph, ModuleId, ModuleState};
use tokio::sync::oneshot;

use super::{Loop, News};
use crate::event::{FileBatch, Request};
use crate::gaps::{self, Before, Gaps};
use crate::leases::{EditAnswer, EditRequest, Leases};
use crate::report::latency;

/// The edits of a loop that are under way.
#[derive(Default)]
pub(super) struct Edits {
    /// In the graph and not published.
    waiting: Option<Edit>,
    pub gaps: Gaps,
    leases: Leases,
    /// Who waits for the end of all of them.
    awaiting: Vec<oneshot::Sender<()>>,
    /// Who ended the last lease and is told how many files there were.
    committers: Vec<oneshot::Sender<EditAnswer>>,
    /// Files of the last edit.
    files: usize,
}

impl Edits {
    /// Tabs and terminal are not told yet of all that is in the graph.
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }
}

/// What a batch of file changes did.
pub(super) struct Edit {
    pub delta: Delta,
    pub news: News,
    pub noticed: Instant,
    pub before: Before,
    /// Files that went: they may be back in a moment.
    pub vanished: Vec<PathBuf>,
}

impl Edit {
    pub fn is_empty(&self) -> bool {
        let News { pages, gone, back, gone_otherwise, env, reload } = &self.news;
        let of_pages = pages.len() + gone.len() + back.len() + gone_otherwise.len();
        self.delta.is_empty() && of_pages == 0 && !env && reload.is_none()
    }

    /// This edit and the next one as one: what both did, as it stands now.
    fn join(self, next: Self, graph: &ModuleGraph) -> Self {
        let before = next.before.or_earlier(self.before, &self.delta);
        let Delta { changed, broken, fixed, deleted, still_broken } = next.delta;
        let is_broken = |id: &ModuleId| matches!(graph[*id].state, ModuleState::Broken(_));
        let is_gone = |id: &ModuleId| graph[*id].state == ModuleState::Deleted;
        // What broke or went and is well again was never broken for anyone, unless it had been before.
        let returned = |id: &ModuleId| self.delta.deleted.contains(id);
        let was_fine = |id: &ModuleId| (returned(id) || self.delta.broken.contains(id)) && !before.unwell.contains(id);
        let is_undone = |id: &ModuleId| (returned(id) || self.delta.changed.contains(id)) && before.is_same(*id, graph);
        let all = |first: &[ModuleId], second: &[ModuleId]| -> BTreeSet<ModuleId> {
            first.iter().chain(second).copied().collect()
        };
        let broken = all(&self.delta.broken, &broken);
        let delta = Delta {
            still_broken: all(&self.delta.still_broken, &still_broken)
                .into_iter()
                .filter(|id| is_broken(id) && !broken.contains(id))
                .collect(),
            changed: all(&self.delta.changed, &changed)
                .into_iter()
                .filter(|id| !is_gone(id) && !is_undone(id))
                .collect(),
            broken: broken.into_iter().filter(is_broken).collect(),
            deleted: all(&self.delta.deleted, &deleted).into_iter().filter(is_gone).collect(),
            fixed: all(&self.delta.fixed, &fixed)
                .into_iter()
                .filter(|id| graph[*id].state == ModuleState::Ready && !was_fine(id))
                .collect(),
        };
        let mut vanished = [self.vanished, next.vanished].concat();
        vanished.retain(|path| !path.exists());
        Self { delta, news: self.news.join(next.news), noticed: self.noticed.min(next.noticed), before, vanished }
    }
}

impl News {
    fn join(self, next: Self) -> Self {
        let mut pages = self.pages;
        pages.retain(|page| next.pages.iter().all(|newer| newer.page != page.page));
        pages.extend(next.pages);
        // What went and is back never went for anyone.
        let without = |list: &[String], others: &[String]| -> Vec<String> {
            list.iter().filter(|url| !others.contains(url)).cloned().collect()
        };
        let gone = [without(&self.gone, &next.back), without(&next.gone, &self.back)].concat();
        let back = [without(&self.back, &next.gone), without(&next.back, &self.gone)].concat();
        let gone_otherwise = [without(&self.gone_otherwise, &next.back), next.gone_otherwise].concat();
        Self { pages, gone, back, gone_otherwise, env: self.env || next.env, reload: self.reload.or(next.reload) }
    }
}

impl Loop {
    /// The edit that waits and this one as one.
    fn joined(&mut self, edit: Edit) -> Edit {
        match self.edits.waiting.take() {
            Some(waiting) => waiting.join(edit, &self.project.graph),
            None => edit,
        }
    }

    /// Publishes an edit, or lets it wait for the file that closes its gaps. `is_complete`: nothing more will come.
    pub(super) fn tell(&mut self, edit: Edit, is_complete: bool) {
        if edit.is_empty() {
            return; // An announcement without a change is no news for what waits, either.
        }
        let edit = self.joined(edit);
        let gaps = gaps::find(&self.project.graph, &edit.delta, &edit.before);
        let may_wait = !is_complete && edit.news.reload.is_none() && self.config.hmr.enabled;
        let may_return = !edit.vanished.is_empty() || edit.news.gone.len() + edit.news.gone_otherwise.len() > 0;
        if may_wait && (self.edits.gaps.are_new(&gaps) || may_return) {
            tracing::debug!(gaps = gaps.len(), "an edit waits for the next");
            self.watcher.await_quiet();
            self.edits.waiting = Some(edit);
            return;
        }
        self.edits.gaps.tell(&edit.delta, gaps);
        self.publish_edit(edit);
    }

    /// What waits goes out as it is.
    pub(super) fn publish_waiting(&mut self) {
        let Some(edit) = self.edits.waiting.take() else { return };
        let gaps = gaps::find(&self.project.graph, &edit.delta, &edit.before);
        self.edits.gaps.tell(&edit.delta, gaps);
        self.publish_edit(edit);
    }

    fn publish_edit(&mut self, edit: Edit) {
        if edit.is_empty() {
            return; // What was done was undone.
        }
        let Delta { changed, broken, deleted, .. } = &edit.delta;
        let files: BTreeSet<_> =
            changed.iter().chain(broken).chain(deleted).map(|&id| &self.project.graph[id].file).collect();
        self.edits.files += files.len() + edit.news.pages.len();
        self.publish(&edit.delta, edit.news, edit.noticed);
    }

    /// Whoever asks for modules or their state gets them as they are, and nothing that waits may be news to him later.
    pub(super) fn publish_before(&mut self, request: &Request) {
        let is_public = self.public.as_ref().is_some_and(|public| public.get(&request.path).is_some());
        let is_file = is_public || self.project.asset(&request.path).is_some();
        if !is_file && !Self::INDEPENDENT.iter().any(|begin| request.path.starts_with(begin)) {
            self.publish_waiting();
        }
    }

    /// The same for what a tab says.
    pub(super) fn publish_before_answer(&mut self, message: &ClientMessage) {
        if matches!(message, ClientMessage::Hello { .. } | ClientMessage::Versions { .. }) {
            self.publish_waiting();
        }
    }

    // ---- edits that a command announces

    /// A batch of the watcher. One that ends an announced edit is told whatever it leaves open.
    pub(super) fn on_batch(&mut self, batch: FileBatch) {
        let is_released = batch.released;
        self.edits.files = 0;
        self.on_files(batch);
        if !is_released {
            return;
        }
        self.publish_waiting();
        for waiting in std::mem::take(&mut self.edits.awaiting) {
            let _ = waiting.send(()); // It may wait no longer.
        }
        for committer in std::mem::take(&mut self.edits.committers) {
            let _ = committer.send(EditAnswer::Done { files: self.edits.files }); // It may have hung up.
        }
    }

    pub(super) fn on_edit(&mut self, request: EditRequest, asker: oneshot::Sender<EditAnswer>) {
        let (leases, now) = (&mut self.edits.leases, Instant::now());
        let answer = match request {
            EditRequest::Begin { id, lease } => match leases.begin(id, lease, now) {
                true => {
                    self.watcher.hold();
                    EditAnswer::Open
                }
                false => EditAnswer::Full,
            },
            EditRequest::Commit { id } => match leases.commit(&id) {
                Some(0) => {
                    self.watcher.release();
                    return self.edits.committers.push(asker);
                }
                Some(others) => EditAnswer::Shared { others },
                None => EditAnswer::Unknown,
            },
        };
        let _ = asker.send(answer); // It may have hung up.
    }

    pub(super) fn on_await_edits(&mut self, asker: oneshot::Sender<()>) {
        if self.edits.leases.is_empty() {
            let _ = asker.send(()); // It may wait no longer.
        } else {
            self.edits.awaiting.push(asker);
        }
    }

    /// Ends leases that have run out: nobody waits for a command that was killed.
    pub(super) fn expire_leases(&mut self) {
        for length in self.edits.leases.expire(Instant::now()) {
            let length = latency(length);
            self.report.warn(&format!(
                "an edit was begun, and neither renewed nor committed within {length}; what it changed goes out now"
            ));
            if self.edits.leases.is_empty() {
                self.watcher.release();
            }
        }
    }
}
