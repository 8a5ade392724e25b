//! What the loop knows of one tab, and how far the conversation with it is.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rekindle_graph::ModuleUrl;

use crate::tabs::outbox::Outbox;
use crate::tabs::socket::Utf8Bytes;

/// How often a tab may say `hello` in a minute. Each connection needs one, and one more for each gap.
const MAX_HELLOS: usize = 60;
const MINUTE: Duration = Duration::from_secs(60);

/// A connected tab, or a worker of one, as the loop knows it.
pub struct Tab {
    pub outbox: Outbox,
    /// The page it shows, once it has said so.
    pub page: Option<String>,
    /// It is a worker of a page.
    pub is_worker: bool,
    pub stage: Stage,
    /// How often it has said `hello` since a moment.
    hellos: (usize, Instant),
    /// Modules of an earlier session that it runs. This session had not come to them when the tab was told that they are gone.
    pub unmet: Vec<ModuleUrl>,
    /// The batch at which it has said that it cancelled a reload.
    pub stayed_at: Option<u64>,
}

impl Tab {
    pub fn new(outbox: Outbox) -> Self {
        let hellos = (0, Instant::now());
        Self { outbox, page: None, is_worker: false, stage: Stage::Silent, hellos, unmet: Vec::new(), stayed_at: None }
    }

    /// Counts a `hello`; false if there are more than any page says.
    pub fn may_ask(&mut self, now: Instant) -> bool {
        let (count, since) = &mut self.hellos;
        if now.duration_since(*since) > MINUTE {
            (*count, *since) = (0, now);
        }
        *count += 1;
        *count <= MAX_HELLOS
    }

    /// Closes its connection, with the code for what is against the rules.
    pub fn send_away(&mut self) {
        self.stage = Stage::Silent;
        self.outbox.close(1008);
    }
}

/// How far the conversation with a tab is (`docs/internals/sync.md`).
#[derive(Debug, PartialEq, Eq)]
pub enum Stage {
    /// It has not said what it holds: a page that loads, or a tool that only listens. It is sent batches all the same.
    Silent,
    /// It comes from another session, and says what it holds.
    Compared(ReportedVersions),
    /// It holds what the last batch left, and gets the next.
    InStep,
}

/// What a tab of another session holds, as far as it has said so.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ReportedVersions {
    /// Digests of its modules.
    pub versions: BTreeMap<String, String>,
    /// Modules that it takes for broken.
    pub errors: Vec<String>,
    /// What all that takes.
    pub bytes: usize,
}

/// What a tab is sent that has missed something.
#[derive(Clone, Debug)]
pub struct MissedBatch {
    pub answer: Utf8Bytes,
    /// What was edited.
    pub files: Arc<[String]>,
}
