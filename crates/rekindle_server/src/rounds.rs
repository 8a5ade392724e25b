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
    /// Which of them are workers.
    workers: BTreeSet<ClientId>,
    /// Somebody has answered.
    answered: bool,
    outcome: TabsOutcome,
    /// The reload that made it necessary, and how long until it was decided.
    reload: Option<Reload>,
    /// The same of a worker.
    restart: Option<Reload>,
    applied_after: Option<Duration>,
}

/// Who gets a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    pub tabs: BTreeSet<ClientId>,
    /// Workers of tabs; only what they have to say counts.
    pub workers: BTreeSet<ClientId>,
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
    /// A batch went out to `asked`.
    pub fn begin(&mut self, seq: u64, files: Vec<String>, noticed: Instant, asked: Asked, report: &Report) {
        let Asked { tabs, workers } = asked;
        if tabs.is_empty() && workers.is_empty() {
            return report.no_tabs(&files, noticed.elapsed());
        }
        let outcome = TabsOutcome { tabs: tabs.len(), ..TabsOutcome::default() };
        let round = Round {
            seq,
            files,
            noticed,
            sent: Instant::now(),
            waiting: tabs.union(&workers).copied().collect(),
            workers,
            answered: false,
            outcome,
            reload: None,
            restart: None,
            applied_after: None,
        };
        self.open.push(round);
    }

    /// A tab says how it went.
    pub fn answered(&mut self, client: ClientId, applied: Applied, report: &Report) {
        let Some(at) = self.open.iter().position(|round| round.seq == applied.seq) else {
            if applied.result == Outcome::Restart {
                late_restart(&applied, report);
            }
            return;
        };
        let round = &mut self.open[at];
        if !round.waiting.remove(&client) {
            // A worker that came up while the save was on its way got it with its greeting.
            if applied.result == Outcome::Restart {
                late_restart(&applied, report);
            }
            return;
        }
        round.answered = true;
        let is_worker = round.workers.contains(&client);
        let took = round.noticed.elapsed();
        match applied.result {
            Outcome::Nothing | Outcome::Waiting if is_worker => {}
            Outcome::Restart => {
                let reason = applied.reason.filter(|reason| !reason.starts_with("nothing accepts"));
                round.restart = Some(Reload { chain: applied.chain, reason, took });
            }
            Outcome::Nothing | Outcome::Waiting => round.outcome.untouched += 1,
            Outcome::Reload => {
                // That nothing accepts it is what the line says anyway.
                let reason = applied.reason.filter(|reason| !reason.starts_with("nothing accepts"));
                round.reload = Some(Reload { chain: applied.chain, reason, took });
            }
            Outcome::Failed => round.outcome.failed.push(applied.error.unwrap_or_default()),
            Outcome::Updated => {
                match is_worker {
                    true => round.outcome.workers += 1,
                    false => round.outcome.applied += 1,
                }
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
            let limit = if round.answered { PATIENCE } else { LONGEST_WAIT };
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

/// A restart that nobody waits for any more.
fn late_restart(applied: &Applied, report: &Report) {
    let file = applied.chain.first().map_or("", String::as_str);
    let reason = applied.reason.as_deref().filter(|reason| !reason.starts_with("nothing accepts"));
    report.restart(file, reason, &applied.chain, Duration::from_secs_f64(applied.took.max(0.0) / 1000.0));
}

impl Round {
    fn show(self, report: &Report) {
        let took = self.applied_after.unwrap_or_else(|| self.noticed.elapsed());
        let file = self.files.first().map_or("", String::as_str);
        let TabsOutcome { applied, workers, failed, .. } = &self.outcome;
        let is_only_restart = self.restart.is_some() && applied + workers + failed.len() == 0;
        if let Some(Reload { chain, reason, took }) = &self.restart
            && self.reload.is_none()
        {
            report.restart(file, reason.as_deref(), chain, *took);
        }
        if let Some(Reload { chain, reason, took }) = self.reload {
            report.reload(file, reason.as_deref(), &chain, took);
        } else if is_only_restart {
            // The pages had nothing to do with it.
        } else if !self.answered && !self.waiting.is_empty() {
            let files = self.files.join(", ");
            report.warn(&format!("no tab has answered to the update of {files}; it is applied when the tab goes on"));
        } else {
            report.updated(&self.files, &self.outcome, took);
        }
    }
}
