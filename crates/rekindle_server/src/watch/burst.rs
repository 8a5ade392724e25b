//! Which saves belong together: when the loop is told of news, and when it waits for more of the same.
//!
//! ```text
//! a.ts                                    ──►  told after `settle`                      a person saves
//! a.ts · b.ts · c.ts ·   ·   · z.ts       ──►  a.ts, then all the others at once        a formatter, a codemod
//! [index.lock  a.ts b.ts … z.ts  ]        ──►  all of it when git lets go of its lock   git checkout
//! ```
//!
//! A single save waits for nothing, so the first file of a burst without a lock goes out before anyone can know that it
//! is one. Nothing here looks at a clock or a disk: times and [`VcsState`] come in, a [`Verdict`] goes out.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustc_hash::FxHashSet;

/// Saves of one file do not wait longer than this for quiet, or rapid ones would starve the page.
pub const LONGEST_SAVE: Duration = Duration::from_millis(50);
/// Saves of two files with less than this between them are not made by a person, but by an editor that saves all files, a formatter
/// or a codemod.
pub const PAUSE: Duration = Duration::from_millis(100);
/// A burst is over after a pause that is much longer than those in it.
const PAUSES: u32 = 3;
const SHORTEST_QUIET: Duration = Duration::from_millis(30);
const LONGEST_QUIET: Duration = Duration::from_millis(150);
/// A burst is told after this long in any case.
pub const LONGEST_BURST: Duration = Duration::from_secs(4);

/// A version control system that has held its lock for longer than this before the first file changed is not writing
/// files: `git commit -a` waits for its message, or it crashed and left the lock behind.
pub const FRESH_LOCK: Duration = Duration::from_secs(2);
/// Changes do not wait for a lock under which nothing happens for this long.
const IDLE_LOCK: Duration = Duration::from_secs(1);
/// What is done under a lock is told after this long in any case.
pub const LONGEST_LOCK: Duration = Duration::from_secs(10);
/// One command takes and releases its lock several times (`git stash`, `git pull`).
const BETWEEN_LOCKS: Duration = Duration::from_millis(20);
/// A series of commits that has done nothing for this long has stopped, for a conflict or an `edit`, and a person works on it.
pub const STOPPED_REPLAY: Duration = Duration::from_millis(300);
/// The same for a series that says when it stops. It is longer, since hooks and `--exec` take their time.
pub const SILENT_REBASE: Duration = Duration::from_secs(2);
/// How often locks are looked at while something waits for them.
const LOOK_PACE: Duration = Duration::from_millis(5);

/// What the version control system of the files is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VcsState {
    /// Its lock is there, and has been for this long.
    pub lock: Option<Duration>,
    /// A series of commits is being replayed (`git rebase`).
    pub replay: Option<Replay>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Replay {
    /// How long it has done nothing.
    pub rest: Duration,
    /// After how long it counts as stopped.
    pub limit: Duration,
}

/// What is to be done with the changes that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Tell the loop, each path as soon as it is whole.
    Single,
    /// Tell the loop all of it together, as soon as all of it is whole.
    Together,
    /// Tell the loop all of it as it is: who wrote it has finished, or has taken too long.
    AsItIs,
    /// Ask again then.
    Wait(Instant),
}

/// Changes that the loop has not been told of, and the run of saves that they are part of.
#[derive(Debug)]
pub struct Burst {
    settle: Duration,
    /// Changes are only seen at this pace: the interval of polling, or zero.
    pace: Duration,
    /// First and last of the changes that wait.
    waiting: Option<(Instant, Instant)>,
    /// When the changes that wait were first held for a lock.
    held_since: Option<Instant>,
    run: Run,
}

/// Saves that follow each other closely.
#[derive(Debug, Default)]
struct Run {
    /// When a file was last saved for the first time in this run.
    last: Option<Instant>,
    files: FxHashSet<PathBuf>,
    longest_pause: Duration,
    /// When a lock was last seen that changes waited for.
    locked_at: Option<Instant>,
}

impl Burst {
    pub fn new(settle: Duration) -> Self {
        Self { settle, pace: Duration::ZERO, waiting: None, held_since: None, run: Run::default() }
    }

    /// From now on files are only looked at every `pace`.
    pub fn slow_down(&mut self, pace: Duration) {
        self.pace = pace;
    }

    /// There is something to tell.
    pub fn note(&mut self, now: Instant) {
        let is_over = self.run.last.is_some_and(|last| now > last + PAUSE + self.pace);
        if is_over && self.waiting.is_none() {
            self.run = Run::default();
        }
        self.waiting = Some((self.waiting.map_or(now, |(first, _)| first), now));
    }

    /// The system says that somebody wrote, removed or renamed `file`. Whether that is the file's first save in its run:
    /// one that is written again and again does not keep a run going.
    pub fn saved(&mut self, file: &Path, at: Instant) -> bool {
        let run = &mut self.run;
        let is_again = run.files.contains(file);
        match run.last.map(|last| at.saturating_duration_since(last)) {
            // Under a lock pauses are of any length and say nothing.
            _ if self.held_since.is_some() => {}
            Some(pause) if pause <= PAUSE + self.pace => {
                if !is_again {
                    run.longest_pause = run.longest_pause.max(pause);
                }
            }
            Some(_) if is_again && self.waiting.is_some() => {}
            _ => *run = Run::default(),
        }
        let is_first = !run.files.contains(file);
        if is_first || self.held_since.is_some() {
            run.last = Some(at);
        }
        if is_first {
            run.files.insert(file.to_owned());
        }
        is_first
    }

    /// Whether more is to be expected.
    pub fn is_on(&self) -> bool {
        self.waiting.is_some() && (self.run.files.len() > 1 || self.held_since.is_some())
    }

    /// When to ask for a verdict.
    pub fn due(&self) -> Option<Instant> {
        let (first, last) = self.waiting?;
        Some(if self.run.files.len() > 1 {
            (self.run.last.unwrap_or(last) + self.quiet()).max(first).min(first + LONGEST_BURST)
        } else {
            (last + self.settle).min(first + LONGEST_SAVE)
        })
    }

    /// How long a pause ends the run.
    fn quiet(&self) -> Duration {
        let quiet = (self.run.longest_pause * PAUSES).clamp(SHORTEST_QUIET, LONGEST_QUIET) + self.pace;
        quiet.max(self.settle)
    }

    pub fn verdict(&mut self, now: Instant, signs: VcsState) -> Verdict {
        let since = self.held_since.or(self.waiting.map(|(first, _)| first)).unwrap_or(now);
        let is_late = now >= since + LONGEST_LOCK;
        if self.is_working(now, signs) && !is_late {
            self.run.locked_at = Some(now);
            self.held_since = Some(since);
            return Verdict::Wait(now + LOOK_PACE);
        }
        if let Some(locked_at) = self.run.locked_at.filter(|_| self.held_since.is_some()) {
            let next = locked_at + BETWEEN_LOCKS;
            return if now < next && !is_late { Verdict::Wait(next) } else { Verdict::AsItIs };
        }
        match self.due() {
            Some(due) if now < due => Verdict::Wait(due),
            _ if self.run.files.len() < 2 => Verdict::Single,
            _ if now >= since + LONGEST_BURST => Verdict::AsItIs,
            _ => Verdict::Together,
        }
    }

    /// Whether a version control system is changing files.
    fn is_working(&self, now: Instant, signs: VcsState) -> bool {
        let was_working = self.run.locked_at.is_some();
        let last = self.run.last.or(self.waiting.map(|(_, last)| last));
        let is_idle = last.is_none_or(|last| now.saturating_duration_since(last) >= IDLE_LOCK);
        let is_locked = signs.lock.is_some_and(|age| (was_working || age < FRESH_LOCK) && !is_idle);
        is_locked || signs.replay.is_some_and(|replay| replay.rest < replay.limit)
    }

    /// The loop was told what waited.
    pub fn told(&mut self) {
        self.waiting = None;
        self.held_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);
    fn resting(rest: Duration) -> Option<Replay> {
        Some(Replay { rest, limit: STOPPED_REPLAY })
    }

    const QUIET: VcsState = VcsState { lock: None, replay: None };

    /// A clock, the burst, and at which milliseconds how many saves were told.
    struct Case {
        start: Instant,
        now: u32,
        burst: Burst,
        untold: usize,
        told: Vec<(u32, usize)>,
        /// What the version control system does, by time.
        signs: Box<dyn Fn(u32) -> VcsState>,
    }

    impl Case {
        fn new(signs: impl Fn(u32) -> VcsState + 'static) -> Self {
            let burst = Burst::new(MS);
            Self { start: Instant::now(), now: 0, burst, untold: 0, told: Vec::new(), signs: Box::new(signs) }
        }

        fn at(&self, time: u32) -> Instant {
            self.start + MS * time
        }

        fn save(&mut self, time: u32, file: &str) {
            self.until(time);
            self.burst.note(self.at(time));
            self.burst.saved(Path::new(file), self.at(time));
            self.untold += 1;
        }

        /// Lets time pass and acts on verdicts as the watcher does.
        fn until(&mut self, time: u32) {
            while self.now < time {
                self.now += 1;
                let now = self.at(self.now);
                let is_due = self.burst.due().is_some_and(|due| due <= now);
                if is_due && !matches!(self.burst.verdict(now, (self.signs)(self.now)), Verdict::Wait(_)) {
                    self.burst.told();
                    self.told.push((self.now, std::mem::take(&mut self.untold)));
                }
            }
        }

        fn end(mut self) -> Vec<(u32, usize)> {
            self.until(self.now + 20_000);
            assert_eq!(self.untold, 0);
            self.told
        }
    }

    fn locked(from: u32, to: u32) -> impl Fn(u32) -> VcsState {
        move |now| VcsState { lock: (from..to).contains(&now).then(|| MS * (now - from)), replay: None }
    }

    #[test]
    fn a_single_save_waits_for_nothing() {
        let mut case = Case::new(|_| QUIET);
        case.save(10, "a.ts");
        case.save(500, "b.ts");
        case.save(700, "b.ts");
        assert_eq!(case.end(), [(11, 1), (501, 1), (701, 1)]);
    }

    #[test]
    fn what_comes_long_after_a_burst_is_none_of_it() {
        let mut case = Case::new(|_| QUIET);
        case.save(0, "a.ts");
        case.save(0, "b.ts");
        // A folder's listing, say: news without a saved file.
        case.until(2_000);
        case.burst.note(case.at(2_000));
        case.untold += 1;
        assert_eq!(case.end(), [(30, 2), (2_001, 1)]);
    }

    #[test]
    fn one_file_saved_again_and_again_is_no_burst() {
        let mut case = Case::new(|_| QUIET);
        for time in [0, 20, 40, 60] {
            case.save(time, "a.ts");
        }
        assert_eq!(case.end(), [(1, 1), (21, 1), (41, 1), (61, 1)]);
    }

    #[test]
    fn of_a_formatter_the_first_file_goes_out_at_once_and_the_others_together() {
        for gap in [2, 20, 50, 90] {
            let mut case = Case::new(|_| QUIET);
            let files = 3000 / gap;
            for file in 0..files {
                case.save(file * gap, &format!("{file}.ts"));
            }
            let last = (files - 1) * gap;
            let told = case.end();
            assert_eq!(told.len(), 2, "gap {gap}: {told:?}");
            assert_eq!(told[0], (1, 1));
            let wait = told[1].0 - last;
            assert!((30..=150).contains(&wait), "gap {gap}: {wait} ms after the last");
        }
    }

    #[test]
    fn files_that_are_saved_at_the_same_moment_go_out_together() {
        let mut case = Case::new(|_| QUIET);
        for file in 0..200 {
            case.save(file / 50, &file.to_string());
        }
        assert_eq!(case.end(), [(33, 200)]);
    }

    #[test]
    fn a_burst_without_an_end_is_told_now_and_then() {
        let mut case = Case::new(|_| QUIET);
        for time in (0..12_000).step_by(50) {
            case.save(time, &time.to_string());
        }
        let times: Vec<u32> = case.end().iter().map(|(time, _)| *time).collect();
        assert_eq!(times.len(), 4, "{times:?}");
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] <= 4_100), "{times:?}");
    }

    #[test]
    fn what_is_done_under_a_lock_is_told_when_it_is_released() {
        let mut case = Case::new(locked(0, 900));
        for time in [5, 300, 305, 850] {
            case.save(time, &time.to_string());
        }
        let told = case.end();
        assert_eq!(told.len(), 1);
        assert!((900..=925).contains(&told[0].0), "{told:?}");
    }

    #[test]
    fn one_command_may_lock_more_than_once() {
        let (first, second) = (locked(0, 100), locked(115, 200));
        let mut case = Case::new(move |now| if now < 110 { first(now) } else { second(now) });
        case.save(50, "a.ts");
        case.save(150, "b.ts");
        let told = case.end();
        assert_eq!((told.len(), told[0].1), (1, 2), "{told:?}");
    }

    #[test]
    fn a_lock_that_was_left_behind_holds_nothing_up() {
        let mut case = Case::new(|_| VcsState { lock: Some(Duration::from_secs(100)), replay: None });
        case.save(10, "a.ts");
        case.save(1000, "b.ts");
        assert_eq!(case.end(), [(11, 1), (1001, 1)]);
    }

    #[test]
    fn a_lock_under_which_nothing_happens_holds_nothing_up_for_long() {
        let mut case = Case::new(locked(0, 60_000));
        case.save(10, "a.ts");
        let told = case.end();
        assert_eq!(told.len(), 1);
        assert!((1010..=1040).contains(&told[0].0), "{told:?}");
    }

    #[test]
    fn a_lock_that_is_never_released_has_a_limit() {
        let mut case = Case::new(locked(0, 60_000));
        for time in (10..15_000).step_by(500) {
            case.save(time, &time.to_string());
        }
        let told = case.end();
        assert!((10_000..=10_100).contains(&told[0].0), "{told:?}");
    }

    #[test]
    fn a_rebase_is_one_update_and_one_that_has_stopped_holds_nothing_up() {
        // Three picks with 60 ms between them, then a conflict; a person saves half a second later and at 5 s.
        let mut case = Case::new(|now| {
            let working = [0, 60, 120];
            let lock = working.iter().any(|&start| (start..start + 10).contains(&now)).then_some(MS);
            VcsState { lock, replay: resting(MS * now.saturating_sub(130)) }
        });
        for (file, time) in [(1, 2), (2, 62), (3, 122), (1, 3_000), (1, 5_000)] {
            case.save(time, &file.to_string());
        }
        let told = case.end();
        assert_eq!(told.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [3, 1, 1]);
        assert!((430..=460).contains(&told[0].0), "{told:?}");
        assert_eq!((told[1].0, told[2].0), (3_001, 5_001));
    }

    #[test]
    fn the_end_of_a_rebase_ends_the_wait() {
        let mut case = Case::new(|now| VcsState { lock: None, replay: resting(MS).filter(|_| now < 200) });
        case.save(5, "a.ts");
        case.save(190, "b.ts");
        let told = case.end();
        assert_eq!(told.len(), 1);
        assert!((200..=225).contains(&told[0].0), "{told:?}");
    }

    #[test]
    fn where_files_are_looked_at_in_turn_a_burst_comes_in_lumps() {
        let mut case = Case::new(|_| QUIET);
        case.burst.slow_down(MS * 100);
        for round in 0..5 {
            for file in 0..3 {
                case.save(round * 100, &format!("{round}{file}"));
            }
        }
        case.save(5_000, "a.ts");
        assert_eq!(case.end().iter().map(|(_, count)| *count).collect::<Vec<_>>(), [15, 1]);
    }
}
