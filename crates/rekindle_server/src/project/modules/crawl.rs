//! The crawl: everything that some modules need is compiled, in steps between which others have a turn.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use rekindle_compile::compiled::Compiled;
use rekindle_graph::{Delta, ModuleId, ModuleState};
use rustc_hash::FxHashSet;

use super::{Modules, Watchlist, compile_one, crashed};
use crate::watch::Watcher;

/// Modules that a crawl takes in before it lets others have a turn.
const STEP: usize = 256;
/// How long it waits for one of them at a time.
const STEP_PATIENCE: Duration = Duration::from_millis(100);

/// A walk over static imports, breadth first, that can be paused. What it meets is compiled ahead of it, on all cores;
/// it takes the results in in its own order, so that the same project always gives the same graph and segments.
#[derive(Debug)]
pub struct Crawl {
    queue: VecDeque<QueuedModule>,
    seen: FxHashSet<ModuleId>,
    pub reached: Vec<ModuleId>,
    pub began: Instant,
    /// The file that it has waited for long.
    slow: Option<String>,
}

/// A module on the walk.
#[derive(Debug)]
struct QueuedModule {
    id: ModuleId,
    /// Gives the result, if it is being compiled.
    compiled: Option<Receiver<Compiled>>,
}

impl Crawl {
    pub fn from(roots: &[ModuleId]) -> Self {
        let mut seen = FxHashSet::default();
        let first = roots.iter().copied().filter(|&id| seen.insert(id));
        let queue = first.map(|id| QueuedModule { id, compiled: None }).collect();
        Self { queue, seen, reached: Vec::new(), began: Instant::now(), slow: None }
    }

    /// How far it is: `compiling, 12 of 40 modules (src/app.scss)`.
    pub fn progress(&self) -> String {
        let slow = self.slow.as_ref().map(|file| format!(" ({file})")).unwrap_or_default();
        format!("compiling, {} of {} modules{slow}", self.reached.len(), self.seen.len())
    }
}

impl Modules {
    /// Everything that running `roots` needs, compiled; in the order it was met. What cannot run is in it too.
    pub fn crawl(&mut self, roots: &[ModuleId], watcher: &Watcher) -> Vec<ModuleId> {
        let mut crawl = Crawl::from(roots);
        while self.step(&mut crawl, watcher) {}
        crawl.reached
    }

    /// Takes the next modules of a crawl in; false when there are none left.
    pub fn step(&mut self, crawl: &mut Crawl, watcher: &Watcher) -> bool {
        for met in &mut crawl.queue {
            if met.compiled.is_none() {
                met.compiled = self.begin(met.id);
            }
        }
        let mut watchlist = Watchlist::default();
        for _ in 0..STEP {
            let Some(QueuedModule { id, compiled }) = crawl.queue.pop_front() else { break };
            if let Some(receiver) = compiled {
                let file = &self.graph[id].file;
                let compiled = match receiver.recv_timeout(STEP_PATIENCE) {
                    Ok(compiled) => compiled,
                    Err(RecvTimeoutError::Disconnected) => crashed(&self.compiler.display(file.as_path())),
                    Err(RecvTimeoutError::Timeout) => {
                        crawl.slow = Some(self.compiler.display(file.as_path()));
                        crawl.queue.push_front(QueuedModule { id, compiled: Some(receiver) });
                        break;
                    }
                };
                crawl.slow = None;
                self.take_in(id, compiled, &mut Delta::default(), &mut watchlist);
                self.segments.assign(&self.graph, &[id]);
            }
            crawl.reached.push(id);
            for dep in self.static_deps(id) {
                if crawl.seen.insert(dep) {
                    crawl.queue.push_back(QueuedModule { id: dep, compiled: self.begin(dep) });
                }
            }
        }
        self.watch(watchlist, watcher, SystemTime::now() - crawl.began.elapsed());
        if crawl.queue.is_empty() {
            self.segments.seal();
            self.report.at_rest();
        } else {
            self.report.working(crawl.began, || crawl.progress());
        }
        !crawl.queue.is_empty()
    }

    /// Lets a module that is new be compiled by whoever has time.
    fn begin(&self, id: ModuleId) -> Option<Receiver<Compiled>> {
        let module = &self.graph[id];
        if module.state != ModuleState::New {
            return None;
        }
        let (url, file, source) = (module.url.clone(), module.file.clone(), self.source_of(&module.url));
        let compiler = self.compiler.clone();
        let (sender, receiver) = sync_channel(1);
        // Nobody waits for it any more when the crawl was given up.
        self.pool.spawn(move || drop(sender.send(compile_one(&compiler, &url, &file, &source))));
        Some(receiver)
    }
}
