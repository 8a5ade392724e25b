//! Rounds: after each batch the tabs say how it went, and the terminal gets one line about all of them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rekindle_graph::wire::{Applied, Outcome};

use crate::event::ClientId;
use crate::report::{Report, TabsOutcome};

/// How long the line waits for the last tabs once one has answered: the others may sleep in the background.
pub const PATIENCE: Duration = Duration::from_millis(1500);
/// How long it waits when none has: an update may be held back by a listener, a disposer or a top-level await.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A batch whose tabs have not all answered yet.
#[derive(Debug)]
struct Round {
    seq: u64,
    files: Vec<String>,
    noticed: Instant,
    sent: Instant,
    waiting: BTreeSet<ClientId>,
    outcome: TabsOutcome,
    /// The reload that made it necessary, and how long until it was decided.
    reload: Option<Reload>,
    applied_after: Option<Duration>,
}

/// What a tab said of its reload.
#[derive(Debug)]
struct Reload {
    chain: Vec<String>,
    reason: Option<String>,
    took: Duration,
}

/// The rounds that are under way.
#[derive(Debug, Default)]
pub struct Rounds {
    open: Vec<Round>,
}

impl Rounds {
    /// A batch went out to `tabs`.
    pub fn begin(&mut self, seq: u64, files: Vec<String>, noticed: Instant, tabs: BTreeSet<ClientId>, report: &Report) {
        if tabs.is_empty() {
            return report.no_tabs(&files, noticed.elapsed());
        }
        let outcome = TabsOutcome { tabs: tabs.len(), ..TabsOutcome::default() };
        let round = Round {
            seq,
            files,
            noticed,
            sent: Instant::now(),
            waiting: tabs,
            outcome,
            reload: None,
            applied_after: None,
        };
        self.open.push(round);
    }

    /// A tab says how it went.
    pub fn answered(&mut self, client: ClientId, applied: Applied, report: &Report) {
        let Some(at) = self.open.iter().position(|round| round.seq == applied.seq) else { return };
        let round = &mut self.open[at];
        if !round.waiting.remove(&client) {
            return;
        }
        let took = round.noticed.elapsed();
        match applied.result {
            Outcome::Nothing | Outcome::Waiting => round.outcome.untouched += 1,
            Outcome::Reload => {
                // That nothing accepts it is what the line says anyway.
                let reason = applied.reason.filter(|reason| !reason.starts_with("nothing accepts"));
                round.reload = Some(Reload { chain: applied.chain, reason, took });
            }
            Outcome::Failed => round.outcome.failed.push(applied.error.unwrap_or_default()),
            Outcome::Updated => {
                round.outcome.applied += 1;
                round.applied_after = Some(took);
                for boundary in applied.boundaries {
                    let known = round.outcome.boundaries.contains(&boundary);
                    if !known && !round.files.contains(&boundary) {
                        round.outcome.boundaries.push(boundary);
                    }
                }
            }
        }
        if round.waiting.is_empty() {
            self.open.remove(at).show(report);
        }
    }

    /// A tab is gone: nobody waits for it.
    pub fn left(&mut self, client: ClientId, report: &Report) {
        for round in &mut self.open {
            round.waiting.remove(&client);
        }
        self.close(|round| round.waiting.is_empty(), report);
    }

    /// Shows what has waited long enough.
    pub fn expire(&mut self, report: &Report) {
        let done = |round: &Round| {
            let limit = if round.waiting.len() < round.outcome.tabs { PATIENCE } else { LONGEST_WAIT };
            round.sent.elapsed() >= limit
        };
        self.close(done, report);
    }

    fn close(&mut self, done: impl Fn(&Round) -> bool, report: &Report) {
        let (closed, open) = std::mem::take(&mut self.open).into_iter().partition(done);
        self.open = open;
        for round in closed {
            round.show(report);
        }
    }
}

impl Round {
    fn show(self, report: &Report) {
        let took = self.applied_after.unwrap_or_else(|| self.noticed.elapsed());
        if let Some(Reload { chain, reason, took }) = self.reload {
            let file = self.files.first().map_or("", String::as_str);
            report.reload(file, reason.as_deref(), &chain, took);
        } else if self.waiting.len() == self.outcome.tabs {
            let files = self.files.join(", ");
            report.warn(&format!("no tab has answered to the update of {files}; it is applied when the tab goes on"));
        } else {
            report.updated(&self.files, &self.outcome, took);
        }
    }
}
