//! An edit, from the batch of file changes that made it to the batch that tells tabs of it, and the edits that are under way.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use rekindle_graph::wire::EditedPage;
use rekindle_graph::{Delta, ModuleGraph, ModuleId, ModuleState};
use tokio::sync::oneshot;

use crate::programs::leases::{EditAnswer, Leases};
use crate::project::gaps::{Gaps, StateBefore};

/// What a batch of file changes did.
pub struct Edit {
    pub delta: Delta,
    pub page_changes: PageChanges,
    pub noticed: Instant,
    pub before: StateBefore,
    /// Files that went: they may be back in a moment.
    pub vanished: Vec<PathBuf>,
}

impl Edit {
    pub fn is_empty(&self) -> bool {
        let PageChanges { pages, gone, back, gone_otherwise, env, reload } = &self.page_changes;
        let of_pages = pages.len() + gone.len() + back.len() + gone_otherwise.len();
        self.delta.is_empty() && of_pages == 0 && !env && reload.is_none()
    }

    /// This edit and the next one as one: what both did, as it stands now.
    pub fn join(self, next: Self, graph: &ModuleGraph) -> Self {
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
        Self {
            delta,
            page_changes: self.page_changes.join(next.page_changes),
            noticed: self.noticed.min(next.noticed),
            before,
            vanished,
        }
    }
}

/// What an edit did besides the modules: to pages, to `import.meta.env`, and whether pages have to start anew.
#[derive(Debug, Default)]
pub struct PageChanges {
    pub pages: Vec<EditedPage>,
    /// Pages whose files went, and those that came back.
    pub gone: Vec<String>,
    pub back: Vec<String>,
    /// Pages that were gone before, and are gone for another reason now.
    pub gone_otherwise: Vec<String>,
    pub env: bool,
    pub reload: Option<String>,
}

impl PageChanges {
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

/// The edits of a loop that are under way.
#[derive(Default)]
pub struct Edits {
    /// In the graph and not published.
    pub waiting: Option<Edit>,
    pub gaps: Gaps,
    pub leases: Leases,
    /// Who waits for the end of all of them.
    pub awaiting: Vec<oneshot::Sender<()>>,
    /// Who ended the last lease and is told how many files there were.
    pub committers: Vec<oneshot::Sender<EditAnswer>>,
    /// Files of the last edit.
    pub files: usize,
}

impl Edits {
    /// Tabs and terminal are not told yet of all that is in the graph.
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }
}
