//! Whose turn it is: tabs that ask for much wait where that would hold up others; and after a restart, tabs are told when modules
//! that they run have been compiled.
//!
//! ```text
//! 100 tabs that compare everything, without end     ──►  a save is told between two comparisons
//! 300 tabs that do not read what they are sent      ──►  those that take nothing are closed, the next is answered
//! ```

use std::time::Duration;

use rekindle_graph::wire::{Batch, ServerMessage};
use rekindle_graph::{Delta, ModuleUrl};
use serde_json::Value;
use tokio::sync::mpsc::error::TryRecvError;

use super::Loop;
use crate::event::Event;
use crate::project::edit::PageChanges;
use crate::tabs::client::ClientId;

/// While tabs have this many bytes of large answers unread, further ones wait.
const MAX_UNSENT_BYTES: usize = 24 << 20;
/// A tab that reads nothing for this long is disconnected then.
const STALL_LIMIT: Duration = Duration::from_secs(2);
/// How often it is looked at whether tabs have read.
const READ_PACE: Duration = Duration::from_millis(20);

impl Loop {
    /// The next event to handle. Tabs that ask for much wait while others do not take what they were sent, or while
    /// comparisons leave no time for anything else.
    pub(super) fn next_event(&mut self) -> Option<Event> {
        loop {
            let next = match self.backlog.pop_front() {
                Some(event) => Ok(event),
                None if self.later.is_empty() => Ok(self.events.blocking_recv()?),
                None => self.events.try_recv(),
            };
            match next {
                Ok(event) if self.must_wait(&event) => self.later.push_back(event),
                Ok(event) => return Some(event),
                Err(TryRecvError::Disconnected) => return None,
                Err(TryRecvError::Empty) if self.has_room() => return self.later.pop_front(),
                Err(TryRecvError::Empty) => {
                    self.send_slow_away();
                    std::thread::sleep(READ_PACE);
                }
            }
        }
    }

    /// Whether an event is better handled when nothing else is to be done.
    fn must_wait(&self, event: &Event) -> bool {
        let Event::Message(id, message, _) = event else { return false };
        let kind = message.get("type").and_then(Value::as_str);
        let is_comparison = kind == Some("versions");
        if !is_comparison && kind != Some("hello") {
            return false;
        }
        // The messages of one tab are handled in their order.
        let is_behind = self.later.iter().any(|event| matches!(event, Event::Message(other, ..) if other == id));
        is_behind || (is_comparison && self.compared.is_too_much()) || !self.has_room()
    }

    fn has_room(&self) -> bool {
        self.tabs.values().map(|tab| tab.outbox.untaken().0).sum::<usize>() < MAX_UNSENT_BYTES
    }

    /// Closes connections of tabs that take nothing, so that others get their answers. They may come back.
    fn send_slow_away(&self) {
        let slow = self.tabs.values().filter(|tab| tab.outbox.untaken().1 > STALL_LIMIT);
        slow.for_each(|tab| tab.outbox.send_away());
    }

    /// A restarted server compiles some modules only later: those behind `import()`, and the workers that are started there. Tabs
    /// that run them ask again when they hear of it.
    pub(super) fn tell_what_came(&mut self) {
        let graph = &self.project.modules.graph;
        if std::mem::replace(&mut self.known_modules, graph.len()) == graph.len() {
            return;
        }
        let mut came: Vec<(ClientId, Vec<ModuleUrl>)> = Vec::new();
        for (&id, tab) in self.tabs.iter_mut().filter(|(_, tab)| !tab.unmet.is_empty()) {
            let there = tab.unmet.iter().filter(|url| graph.get(url.as_str()).is_some()).cloned().collect();
            tab.unmet.retain(|url| graph.get(url.as_str()).is_none());
            came.push((id, there));
        }
        for (id, fixed) in came.into_iter().filter(|(_, fixed)| !fixed.is_empty()) {
            let batch = self.batch(Some(self.seq), &Delta::default(), PageChanges::default());
            self.send(id, &ServerMessage::Batch(Batch { fixed, ..batch }));
        }
    }
}
