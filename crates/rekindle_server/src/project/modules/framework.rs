//! The project's component framework and what refreshes it: found at the start, and again when it is installed or removed.

use std::path::PathBuf;

use rekindle_compile::project::framework::Framework;
use rekindle_graph::paths::is_in_package;
use rekindle_graph::wire::RefreshModules;
use rekindle_graph::{ModuleId, ModuleState};

use super::{Modules, find_framework};
use crate::watch::Watcher;

impl Modules {
    /// What refreshes components in every page, if the project has a framework that can.
    pub fn refresh_modules(&self) -> Option<RefreshModules> {
        let found = self.compiler.framework();
        let framework = match &*found {
            Framework::React => "react",
            Framework::Preact(..) => "preact",
            Framework::None | Framework::PreactAlone => return None,
        };
        let modules = found.modules().into_iter().map(|(url, _)| url).collect();
        Some(RefreshModules { framework, modules })
    }

    /// Puts the modules of the refresh runtime into the graph.
    pub fn insert_refresh_modules(&mut self) -> Vec<ModuleId> {
        self.compiler.framework().modules().iter().map(|(url, file)| self.graph.insert(url, file)).collect()
    }

    /// A framework or its refresh runtime was installed or removed: its own scripts mean something else.
    pub(super) fn framework_edit(&mut self) -> Vec<ModuleId> {
        let found = find_framework(&self.root, &self.compiler, self.refreshes);
        if found == *self.compiler.framework() {
            return Vec::new();
        }
        self.compiler.set_framework(found);
        self.has_new_framework = true;
        let is_own = |&id: &ModuleId| !is_in_package(self.graph[id].file.as_path());
        self.graph.ids().filter(is_own).filter(|&id| self.graph[id].state != ModuleState::New).collect()
    }

    /// Whether the framework is another one since the last call.
    pub fn take_new_framework(&mut self) -> bool {
        std::mem::take(&mut self.has_new_framework)
    }

    /// Looks out for what the framework lacks, where it would be installed.
    pub fn await_refresh_runtime(&mut self, watcher: &Watcher) {
        let lacks = if self.refreshes { self.compiler.framework().lacks() } else { &[] };
        let importer = self.root.join("index.js");
        let folders: Vec<PathBuf> =
            lacks.iter().flat_map(|name| self.compiler.resolver.folders_of_package(&importer, name)).collect();
        if !folders.is_empty() {
            self.missing_in.extend(folders.iter().cloned());
            self.watch_folders(folders, watcher);
        }
    }

    /// One line, when something has to be installed so that components keep their state.
    pub fn advice(&self) -> Option<String> {
        self.compiler.framework().advice().filter(|_| self.refreshes)
    }
}
