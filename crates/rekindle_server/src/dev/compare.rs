//! A tab that comes from an earlier session of the server: it says what it holds, and gets what differs as one batch
//! (`docs/internals/sync.md`).
//!
//! ```text
//! tab: hello, session 1  ─► compare  ─► tab: versions {"/a.js": "9f…"}  ─► crawl what it holds ─► batch without `since`
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use rekindle_graph::wire::ServerMessage;
use rekindle_graph::{Delta, FilePath, ModuleId, ModuleState, ModuleUrl};

use super::Loop;
use super::publish::files_of;
use super::tab::{ReportedVersions, Stage, Tab};
use crate::project::edit::PageChanges;
use crate::project::pages::file_of;
use crate::tabs::client::ClientId;

/// Bytes that the digests of a tab may take, and those of all tabs together.
const MAX_REPORTED_BYTES: usize = 32 << 20;
const MAX_REPORTED_BYTES_IN_ALL: usize = 64 << 20;
/// Bytes that a module takes besides its letters.
const VERSION_OVERHEAD: usize = 128;
/// Pages that tabs of earlier sessions show and that are not there.
const MAX_MISSING_PAGES: usize = 100;
/// Bytes of the names of modules that a tab waits for and the graph does not have yet.
const MAX_UNKNOWN_NAME_BYTES: usize = 64 * 1024;

impl Loop {
    /// Takes in the digests of a tab that was asked for them. False if it was not asked, or says more than any page has.
    pub(super) fn note_versions(
        &mut self,
        id: ClientId,
        modules: BTreeMap<String, String>,
        errors: Vec<String>,
    ) -> bool {
        let Some(tab) = self.tabs.get_mut(&id) else { return false };
        let Stage::Compared(reported) = &mut tab.stage else { return false };
        reported.bytes += modules.iter().map(|(url, hash)| url.len() + hash.len() + VERSION_OVERHEAD).sum::<usize>();
        reported.bytes += errors.iter().map(|url| url.len() + VERSION_OVERHEAD).sum::<usize>();
        if reported.bytes > MAX_REPORTED_BYTES {
            tab.send_away();
            return false;
        }
        reported.versions.extend(modules);
        reported.errors.extend(errors);
        self.bound_versions(id)
    }

    /// When all tabs together say too much, the one that has said most is disconnected. False if that is this one.
    fn bound_versions(&mut self, id: ClientId) -> bool {
        let sizes = self.tabs.iter().filter_map(|(&id, tab)| match tab.stage {
            Stage::Compared(ReportedVersions { bytes, .. }) => Some((bytes, id)),
            Stage::Silent | Stage::InStep => None,
        });
        let (sum, most) = sizes.fold((0, None), |(sum, most), one| (sum + one.0, most.max(Some(one))));
        let Some((_, largest)) = most.filter(|_| sum > MAX_REPORTED_BYTES_IN_ALL) else { return true };
        self.tabs.get_mut(&largest).into_iter().for_each(Tab::send_away);
        largest != id
    }

    /// A tab from another session: what differs is sent as one batch.
    pub(super) fn compare(
        &mut self,
        id: ClientId,
        page: Option<String>,
        page_hash: Option<String>,
        entries: &[String],
    ) {
        let Some(tab) = self.tabs.get_mut(&id) else { return };
        let Stage::Compared(reported) = std::mem::replace(&mut tab.stage, Stage::InStep) else { return };
        let ReportedVersions { versions, errors, .. } = reported;
        let began = Instant::now();
        self.find_known(page.as_deref(), entries, &versions);
        let graph = &self.project.modules.graph;
        let known = |url: &String| graph.get(url).filter(|&id| graph[id].state != ModuleState::New);
        let differs = |&id: &ModuleId, hash: &str| graph[id].published.as_ref().is_some_and(|now| *now.hash != *hash);
        let mut changed: Vec<ModuleId> =
            versions.iter().filter_map(|(url, hash)| known(url).filter(|id| differs(id, hash))).collect();
        self.project.modules.add_new_imports(&mut changed, |url| versions.contains_key(url));
        let broken = graph.ids().filter(|&id| matches!(graph[id].state, ModuleState::Broken(_))).collect();
        let fixed = errors.iter().filter_map(known).filter(|&id| graph[id].state == ModuleState::Ready).collect();
        let is_deleted = |&id: &ModuleId| graph[id].state == ModuleState::Deleted;
        let deleted = versions.keys().filter_map(known).filter(is_deleted).collect();
        let delta = Delta { changed, broken, fixed, deleted, ..Delta::default() };
        let gone: Vec<ModuleUrl> =
            versions.keys().filter(|url| known(url).is_none()).map(|url| ModuleUrl::new(url.as_str())).collect();
        let file = |url: &str| {
            self.project.pages.get(url).map(|page| self.project.modules.compiler.display(page.file.as_path()))
        };
        let edited = page.as_deref().zip(page_hash.as_deref());
        let edited = edited.and_then(|(url, hash)| self.project.pages.edited_from_hash(url, hash, file(url)?));
        let page_changes = PageChanges { pages: edited.into_iter().collect(), env: true, ..PageChanges::default() };
        // A hash that begins with `?` is of a sheet that the browser fetched by itself. It is sent in any case, and counts as
        // edited only if it differs.
        let is_doubtful = |id: &ModuleId| {
            let said = versions.get(graph[*id].url.as_str()).and_then(|said| said.strip_prefix('?'));
            said.is_some_and(|said| graph[*id].published.as_ref().is_some_and(|now| *now.hash == *said))
        };
        let edited = delta.changed.iter().copied().filter(|id| !is_doubtful(id)).collect();
        let files = files_of(graph, &Delta { changed: edited, ..Delta::default() }, &page_changes);
        let mut batch = self.batch(None, &delta, page_changes);
        if let Some(tab) = self.tabs.get_mut(&id) {
            tab.unmet = unmet(entries, &gone);
        }
        batch.deleted.extend(gone);
        self.send(id, &ServerMessage::Batch(batch));
        self.rounds.catches_up(id, self.seq, files.into());
        self.compared.note(began);
    }

    /// Compiles what a tab of another session holds, as far as it is still there.
    fn find_known(&mut self, page: Option<&str>, entries: &[String], versions: &BTreeMap<String, String>) {
        let mut roots: Vec<ModuleId> = Vec::new();
        match page.map(|url| file_of(url, &self.project.listing.pages).cloned()) {
            Some(Some(file)) => roots.extend(self.page_modules(page.unwrap_or_default(), &file)),
            Some(None) => self.miss_page(page.unwrap_or_default()),
            None => self.find_entries(entries),
        }
        for url in entries {
            roots.extend(self.module_at(url));
        }
        self.crawl_known(roots, versions);
        // The crawl stops at broken modules. What the tab holds below them is compiled too, as often as that finds more.
        let mut met: BTreeSet<ModuleId> = BTreeSet::new();
        loop {
            let graph = &self.project.modules.graph;
            let is_there = |id: &ModuleId| graph[*id].state == ModuleState::New && graph[*id].file.as_path().is_file();
            let known = versions.keys().filter_map(|url| graph.get(url));
            let below: Vec<ModuleId> = known.filter(|id| is_there(id) && met.insert(*id)).collect();
            if below.is_empty() {
                break;
            }
            self.crawl_known(below, versions);
        }
        // Modules that no import names before it runs: those behind a computed `import()`.
        let unmet = versions
            .keys()
            .filter(|url| self.project.modules.graph.get(url).is_none())
            .map(|url| ModuleUrl::new(url.as_str()));
        let roots = self.importable(unmet.collect());
        self.crawl_known(roots, versions);
    }

    /// A tab of an earlier session shows a page that is not there.
    fn miss_page(&mut self, url: &str) {
        let is_name = |part: &str| !part.is_empty() && !part.starts_with('.') && part != "node_modules";
        let is_page = url.strip_prefix('/').is_some_and(|path| path.ends_with(".html") && path.split('/').all(is_name));
        if is_page
            && self.project.pages.get(url).is_none()
            && self.project.pages.stood_after(None).count() < MAX_MISSING_PAGES
        {
            let file = FilePath::new(self.config.root.join(&url[1..]));
            self.project.pages.miss(url, file, &self.project.modules, self.seq);
        }
    }

    /// A worker does not say which page made it: compiles pages until one names its module.
    fn find_entries(&mut self, entries: &[String]) {
        let pages: Vec<(String, FilePath)> =
            self.project.listing.pages.iter().map(|(url, file)| (url.clone(), file.clone())).collect();
        for (url, file) in pages {
            if entries.iter().all(|entry| self.project.modules.graph.get(entry).is_some()) {
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
            let reached = self.project.modules.crawl(&queue, &self.watcher);
            queue = Vec::new();
            for id in reached {
                if !seen.insert(id) {
                    continue;
                }
                let wanted = |dep: &ModuleId| versions.contains_key(self.project.modules.graph[*dep].url.as_str());
                queue.extend(
                    self.project.modules.all_deps(id).into_iter().filter(|dep| !seen.contains(dep) && wanted(dep)),
                );
            }
        }
    }
}

/// The modules that a tab is told of when they appear, as many as there is room for. Its entries come first, since no other
/// module names those of a worker.
fn unmet(entries: &[String], gone: &[ModuleUrl]) -> Vec<ModuleUrl> {
    let is_entry = |url: &&ModuleUrl| entries.iter().any(|entry| entry == url.as_str());
    let (first, rest): (Vec<&ModuleUrl>, Vec<&ModuleUrl>) = gone.iter().partition(is_entry);
    let mut bytes = 0;
    let names = first.into_iter().chain(rest).take_while(|url| {
        bytes += url.as_str().len();
        bytes <= MAX_UNKNOWN_NAME_BYTES
    });
    names.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_kept_for_a_tab_are_bounded_and_entries_come_first() {
        let gone: Vec<ModuleUrl> = (0..10_000).map(|at| ModuleUrl::new(format!("/src/module-{at}.js"))).collect();
        let kept = unmet(&["/src/module-9999.js".to_owned()], &gone);
        assert_eq!(kept[0].as_str(), "/src/module-9999.js");
        assert!(
            kept.len() > 1000 && kept.iter().map(|url| url.as_str().len()).sum::<usize>() <= MAX_UNKNOWN_NAME_BYTES
        );
    }
}
