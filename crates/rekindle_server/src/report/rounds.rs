//! Rounds: after each batch the tabs say how it went, and the terminal gets one line about all of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rekindle_graph::wire::{Outcome, UpdateReport};

use crate::report::Report;
use crate::report::news::{News, Reload, TabsOutcome};
use crate::tabs::client::ClientId;

/// How long the line waits for the last tabs once one has answered: the others may sleep in the background.
pub const PATIENCE: Duration = Duration::from_millis(1500);
/// How long it waits when none has: an update may be held back by a listener, a disposer or a top-level await.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How many answers of one tab count for a batch. There are several, since a tab that waits says so before it is done.
const MOST_ANSWERS: usize = 4;

/// How many rounds are remembered after their line was printed, for those who answer later.
const REMEMBERED: usize = 32;

/// A batch whose tabs have not all answered yet.
#[derive(Debug)]
struct Round {
    seq: u64,
    files: Vec<String>,
    noticed: Instant,
    sent: Instant,
    waiting: BTreeSet<ClientId>,
    /// Somebody has answered.
    answered: bool,
    /// How often each has.
    answers: BTreeMap<ClientId, usize>,
    outcome: TabsOutcome,
    /// The reload that a tab answered with, and how long it took until that was decided.
    reload: Option<DueReload>,
    /// The same for the restart of a worker.
    restart: Option<DueReload>,
    applied_after: Option<Duration>,
}

/// Who gets a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipients {
    pub tabs: BTreeSet<ClientId>,
    /// Workers of tabs; only what they have to say counts.
    pub workers: BTreeSet<ClientId>,
}

/// What a tab said of its reload.
#[derive(Debug)]
struct DueReload {
    chain: Vec<String>,
    reason: Option<String>,
    took: Duration,
}

impl DueReload {
    fn of(applied: UpdateReport, took: Duration) -> Self {
        // The line says by itself that nothing accepts the change, so that is no reason to add.
        let reason = applied.reason.filter(|reason| !reason.starts_with("nothing accepts"));
        Self { chain: applied.chain, reason, took }
    }

    fn news(self, files: &[String]) -> Reload {
        let Self { chain, reason, took } = self;
        Reload { file: cause(files, &chain).to_owned(), reason, chain, took }
    }
}

/// A batch whose line was printed, or that one tab got alone. Nobody waits for the answers that may still come.
#[derive(Clone, Debug)]
struct ClosedRound {
    seq: u64,
    files: Arc<[String]>,
    noticed: Instant,
    /// How often each has answered.
    answers: BTreeMap<ClientId, usize>,
}

/// The rounds that are under way, the last ones that are over, and batches that went to one tab alone because it had missed them.
#[derive(Debug, Default)]
pub struct Rounds {
    open: Vec<Round>,
    /// Their lines were printed.
    closed: VecDeque<ClosedRound>,
    catching_up: BTreeMap<ClientId, ClosedRound>,
}

impl Rounds {
    /// A batch went out to `asked`.
    pub fn begin(&mut self, seq: u64, files: Vec<String>, noticed: Instant, asked: Recipients, report: &Report) {
        if asked.tabs.is_empty() && asked.workers.is_empty() {
            report.tell(News::Changed { files: files.clone(), took: noticed.elapsed() });
            return self.remember(ClosedRound { seq, files: files.into(), noticed, answers: BTreeMap::new() });
        }
        self.open.push(Round::new(seq, files, noticed, asked));
    }

    /// A tab is sent what it has missed up to the batch `seq`: what was edited in `files`.
    pub fn catches_up(&mut self, client: ClientId, seq: u64, files: Arc<[String]>) {
        self.catching_up.insert(client, ClosedRound { seq, files, noticed: Instant::now(), answers: BTreeMap::new() });
    }

    /// A tab or a worker says how it went. Not all were asked: who connects while a save is on its way gets the batch
    /// with the greeting, and counts with the others if that is all it has missed. Otherwise, and after the line was printed,
    /// whoever answers gets a line of its own.
    pub fn answered(&mut self, client: ClientId, is_worker: bool, applied: UpdateReport, report: &Report) {
        let is_of_batch = |round: &Round| round.seq == applied.seq;
        let own = self.open.iter().position(|round| is_of_batch(round) && round.waiting.contains(&client));
        let is_missed = own.is_none() && self.catching_up.get(&client).is_some_and(|missed| missed.seq == applied.seq);
        let missed = match applied.result {
            // It says so again when it is done.
            Outcome::Waiting if is_missed => return,
            _ if is_missed => self.catching_up.remove(&client),
            _ => None,
        };
        let is_all = |round: &Round| missed.as_ref().is_none_or(|missed| *missed.files == *round.files);
        if let Some(at) = own.or_else(|| self.open.iter().position(|round| is_of_batch(round) && is_all(round))) {
            if count(&mut self.open[at].answers, client) <= MOST_ANSWERS {
                self.open[at].take(client, is_worker, applied);
            }
            return self.close(|round| round.waiting.is_empty(), report);
        }
        let mut closed = self.closed.iter_mut().find(|closed| closed.seq == applied.seq);
        if missed.is_none() && closed.as_mut().is_some_and(|one| count(&mut one.answers, client) > MOST_ANSWERS) {
            return;
        }
        let Some(ClosedRound { seq, files, noticed, .. }) = missed.as_ref().or(closed.as_deref()) else { return };
        let (seq, files, noticed) = (*seq, files.clone(), *noticed);
        if !matches!(applied.result, Outcome::Nothing | Outcome::Waiting) {
            let mut late = Round::new(seq, files.to_vec(), noticed, Recipients::default());
            late.take(client, is_worker, applied);
            late.show(report);
        }
    }

    /// A tab is gone: nobody waits for it.
    pub fn left(&mut self, client: ClientId, report: &Report) {
        self.catching_up.remove(&client);
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
            self.remember(round.show(report));
        }
    }

    fn remember(&mut self, closed: ClosedRound) {
        self.closed.truncate(REMEMBERED - 1);
        self.closed.push_front(closed);
    }
}

/// One answer more.
fn count(answers: &mut BTreeMap<ClientId, usize>, client: ClientId) -> usize {
    let count = answers.entry(client).or_default();
    *count += 1;
    *count
}

/// The file that a reload was for: of several the one that the chain begins with, since sheets that scan it for class names change
/// with it.
fn cause<'f>(files: &'f [String], chain: &[String]) -> &'f str {
    let began = chain.first().and_then(|began| files.iter().find(|file| *file == began));
    began.or(files.first()).map_or("", String::as_str)
}

impl Round {
    fn new(seq: u64, files: Vec<String>, noticed: Instant, asked: Recipients) -> Self {
        let Recipients { tabs, workers } = asked;
        Self {
            seq,
            files,
            noticed,
            sent: Instant::now(),
            waiting: tabs.union(&workers).copied().collect(),
            answered: false,
            answers: BTreeMap::new(),
            outcome: TabsOutcome { tabs: tabs.len(), ..TabsOutcome::default() },
            reload: None,
            restart: None,
            applied_after: None,
        }
    }

    fn take(&mut self, client: ClientId, is_worker: bool, applied: UpdateReport) {
        if !self.waiting.remove(&client) && !is_worker {
            self.outcome.tabs += 1;
        }
        self.answered = true;
        let took = self.noticed.elapsed();
        match applied.result {
            Outcome::Nothing | Outcome::Waiting if is_worker => {}
            Outcome::Restart => self.restart = Some(DueReload::of(applied, took)),
            // It is about a reload of an earlier round, and the loop has told the terminal.
            Outcome::Stayed => {}
            Outcome::Nothing | Outcome::Waiting => self.outcome.untouched += 1,
            Outcome::Reload => self.reload = Some(DueReload::of(applied, took)),
            Outcome::Failed => {
                self.outcome.failed.push(applied.error.unwrap_or_default());
                for boundary in applied.boundaries {
                    if !self.outcome.kept.contains(&boundary) {
                        self.outcome.kept.push(boundary);
                    }
                }
            }
            Outcome::Updated => {
                if is_worker {
                    self.outcome.workers += 1;
                } else {
                    self.outcome.applied += 1;
                }
                self.applied_after = Some(took);
                for boundary in applied.boundaries {
                    let known = self.outcome.boundaries.contains(&boundary);
                    if !known && !self.files.contains(&boundary) {
                        self.outcome.boundaries.push(boundary);
                    }
                }
            }
        }
    }

    fn show(self, report: &Report) -> ClosedRound {
        let took = self.applied_after.unwrap_or_else(|| self.noticed.elapsed());
        let TabsOutcome { applied, workers, failed, .. } = &self.outcome;
        let is_only_restart = self.restart.is_some() && applied + workers + failed.len() == 0;
        if let Some(restart) = self.restart
            && self.reload.is_none()
        {
            report.tell(News::WorkerRestarted(restart.news(&self.files)));
        }
        let files = self.files.clone();
        if let Some(reload) = self.reload {
            report.tell(News::Reloaded(reload.news(&files)));
        } else if is_only_restart {
            // The pages had nothing to do with it.
        } else if !self.answered && self.waiting.is_empty() {
            report.tell(News::Changed { files, took }); // They left.
        } else if !self.answered {
            report.tell(News::Unanswered { files });
        } else {
            report.tell(News::Updated { files, outcome: self.outcome, took });
        }
        ClosedRound { seq: self.seq, files: self.files.into(), noticed: self.noticed, answers: self.answers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::screen::Screen;

    fn applied(result: Outcome) -> UpdateReport {
        let chain = vec!["/a.ts".to_owned()];
        UpdateReport { seq: 7, result, boundaries: Vec::new(), chain, reason: None, error: None }
    }

    /// The lines up to their last comma: what follows is how long it took.
    fn after(tell: impl FnOnce(&mut Rounds, &Report)) -> Vec<String> {
        let screen = Screen::default();
        tell(&mut Rounds::default(), &Report::plain(screen.clone()));
        let text = screen.text();
        let lines = text.lines().filter(|line| !line.starts_with(' '));
        lines.map(|line| line.rsplit_once(',').map_or(line, |(line, _)| line).to_owned()).collect()
    }

    fn begin(rounds: &mut Rounds, tabs: &[u64], workers: &[u64], report: &Report) {
        let ids = |list: &[u64]| list.iter().map(|&id| ClientId(id)).collect();
        let asked = Recipients { tabs: ids(tabs), workers: ids(workers) };
        rounds.begin(7, vec!["/a.ts".to_owned()], Instant::now(), asked, report);
    }

    #[test]
    fn one_line_tells_of_all_tabs() {
        let lines = after(|rounds, report| {
            begin(rounds, &[1, 2], &[], report);
            rounds.answered(ClientId(1), false, applied(Outcome::Updated), report);
            rounds.answered(ClientId(2), false, applied(Outcome::Updated), report);
        });
        assert_eq!(lines, ["14:03:22 hot updated /a.ts in 2 tabs"]);
    }

    #[test]
    fn a_tab_that_connected_meanwhile_is_counted() {
        let lines = after(|rounds, report| {
            begin(rounds, &[1], &[], report);
            rounds.answered(ClientId(2), false, applied(Outcome::Updated), report);
            rounds.answered(ClientId(1), false, applied(Outcome::Updated), report);
        });
        assert_eq!(lines, ["14:03:22 hot updated /a.ts in 2 tabs"]);
    }

    #[test]
    fn each_answers_for_itself_where_two_rounds_are_about_one_batch() {
        let lines = after(|rounds, report| {
            begin(rounds, &[1], &[], report);
            begin(rounds, &[], &[2], report);
            rounds.answered(ClientId(2), true, applied(Outcome::Updated), report);
            rounds.answered(ClientId(1), false, applied(Outcome::Updated), report);
            assert!(rounds.open.is_empty());
        });
        assert_eq!(lines, ["14:03:22 hot updated /a.ts in 1 worker", "14:03:22 hot updated /a.ts in 1 tab"]);
    }

    #[test]
    fn one_that_answers_without_end_is_told_of_a_few_times() {
        let lines = after(|rounds, report| {
            begin(rounds, &[1], &[], report);
            for _ in 0..100 {
                rounds.answered(ClientId(2), false, applied(Outcome::Failed), report);
            }
            assert!(rounds.open[0].outcome.failed.len() <= MOST_ANSWERS);
            rounds.answered(ClientId(1), false, applied(Outcome::Updated), report);
            for _ in 0..100 {
                rounds.answered(ClientId(1), false, applied(Outcome::Reload), report);
            }
        });
        assert!((2..=1 + MOST_ANSWERS).contains(&lines.len()), "{lines:?}");
    }

    #[test]
    fn who_catches_up_is_told_of_with_what_it_had_missed() {
        let files = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let lines = after(|rounds, report| {
            begin(rounds, &[1], &[], report);
            rounds.catches_up(ClientId(2), 7, files(&["/b.ts"]));
            rounds.catches_up(ClientId(3), 7, files(&["/a.ts"]));
            rounds.catches_up(ClientId(4), 7, files(&["/a.ts", "/b.ts"]));
            rounds.answered(ClientId(2), true, applied(Outcome::Updated), report);
            rounds.answered(ClientId(3), false, applied(Outcome::Updated), report);
            rounds.answered(ClientId(1), false, applied(Outcome::Updated), report);
            rounds.answered(ClientId(4), false, applied(Outcome::Nothing), report);
            rounds.catches_up(ClientId(5), 7, files(&["/c.ts"]));
            rounds.answered(ClientId(5), false, applied(Outcome::Waiting), report);
            rounds.answered(ClientId(5), false, applied(Outcome::Updated), report);
            assert!(rounds.open.is_empty() && rounds.catching_up.is_empty());
        });
        let expected = [
            "14:03:22 hot updated /b.ts in 1 worker",
            "14:03:22 hot updated /a.ts in 2 tabs",
            "14:03:22 hot updated /c.ts in 1 tab",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_late_answer_has_a_line_of_its_own() {
        let lines = after(|rounds, report| {
            begin(rounds, &[], &[], report);
            rounds.answered(ClientId(1), false, applied(Outcome::Nothing), report);
            rounds.answered(ClientId(2), false, applied(Outcome::Updated), report);
            rounds.answered(ClientId(3), false, applied(Outcome::Reload), report);
            rounds.answered(ClientId(4), true, applied(Outcome::Restart), report);
        });
        let expected = [
            "14:03:22 changed /a.ts, no tab is open",
            "14:03:22 hot updated /a.ts in 1 tab",
            "14:03:22 page reload /a.ts",
            "14:03:22 worker restart /a.ts",
        ];
        assert_eq!(lines, expected);
    }
}
