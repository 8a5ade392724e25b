//! Positions in definition scripts → positions in the sources they were made from, on a thread of its own: making a map
//! means compiling, and the loop has better things to do.
//!
//! ```text
//! tab: trace 3 ─► loop: which modules? ─► thread: first frame ─► tab: traced 3, more to come
//!                                                 the others  ─► tab: traced 3
//!                                                              ─► loop, terminal: what was thrown, and where
//! GET …js.map  ─► loop: which modules? ─► thread: the map of each, between two stacks ─► answer
//! ```

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use rekindle_compile::compiler::Compiler;
use rekindle_compile::script::nesting::COMPILE_STACK;
use rekindle_graph::wire::{LackingImport, ServerMessage, TracedFrame};
use rekindle_graph::{Diagnostic, Place};
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

use crate::event::{Event, Inbox, UnreadableModule};
use crate::http::answer::{Answer, Cache};
use crate::http::bodies::Bodies;
use crate::project::modules::Modules;
use crate::tabs::client::ClientId;
use crate::tabs::outbox::Outbox;

mod maps;
pub(crate) mod position;

use maps::{Import, Maps};
use position::{MappedModule, Position, positions};

/// Stacks of one tab that may wait at a time; more are answered with nothing.
const MOST_WAITING: usize = 4;
/// Bytes of packages' code that are mapped for one stack. What has been mapped before does not count.
const PACKAGE_CODE: usize = 2 << 20;

/// The way to the thread. Dropping it ends the thread.
pub struct Tracer {
    queue: Arc<JobQueue>,
}

/// What waits for the thread.
#[derive(Default)]
struct JobQueue {
    jobs: Mutex<Jobs>,
    news: Condvar,
}

#[derive(Default)]
struct Jobs {
    /// First frames of stacks before the other ones.
    first: VecDeque<Stack>,
    rest: VecDeque<Stack>,
    refusals: VecDeque<(ClientId, Position, String)>,
    maps: VecDeque<MapOrder>,
    /// How many questions of each tab are open.
    waiting: FxHashMap<ClientId, usize>,
    is_over: bool,
}

/// What a tab asks about something that was thrown.
pub struct TraceRequest<'a> {
    pub number: u64,
    /// Script address, line and column, counted from 1.
    pub frames: &'a [(String, u32, u32)],
    /// A name that is not there, and advice about it.
    pub lacks: Option<(&'a LackingImport, String)>,
    /// The text of what was thrown, if the terminal is to show it.
    pub said: Option<String>,
}

/// A stack that a tab asked about.
struct Stack {
    tab: ClientId,
    outbox: Outbox,
    number: u64,
    positions: Vec<Option<Position>>,
    import: Option<Import>,
    said: Option<String>,
    /// The frame that was answered first, with the source around it.
    first: Option<(usize, TracedFrame, Option<String>)>,
}

/// A map that a browser asked for: of a module, or of a segment with the lines on which definitions begin.
struct MapOrder {
    modules: VecDeque<(Option<usize>, MappedModule)>,
    is_segment: bool,
    made: Vec<String>,
    asker: oneshot::Sender<Answer>,
}

enum Step {
    First(Stack),
    Rest(Stack),
    Refusal(ClientId, Position, String),
    Map(MapOrder),
}

impl Tracer {
    /// # Errors
    /// The system gives no thread.
    pub fn start(compiler: Arc<Compiler>, bodies: Bodies, inbox: Inbox) -> std::io::Result<Self> {
        let queue: Arc<JobQueue> = Arc::default();
        let thread = Thread { queue: queue.clone(), maps: Maps::new(compiler), bodies, inbox };
        std::thread::Builder::new()
            .name("rekindle-trace".into())
            .stack_size(COMPILE_STACK)
            .spawn(move || thread.run())?;
        Ok(Self { queue })
    }

    /// Answers a tab's question about a stack, at once if it has too many open.
    pub fn trace(
        &self,
        modules: &mut Modules,
        base: &str,
        (tab, outbox): (ClientId, Outbox),
        TraceRequest { number, frames, lacks, said }: TraceRequest<'_>,
    ) {
        if !self.admits(tab) {
            let nothing =
                ServerMessage::Traced { id: number, frames: Vec::new(), frame: None, help: None, more: false };
            return outbox.send(text(&nothing));
        }
        let import = lacks.and_then(|(LackingImport { importer, specifier, name, .. }, help)| {
            let module = MappedModule::of(modules, modules.graph.get(importer)?)?;
            Some(Import { module, specifier: specifier.clone(), name: name.clone(), help })
        });
        let positions = positions(modules, base, frames);
        self.order(|jobs| jobs.first.push_back(Stack { tab, outbox, number, positions, import, said, first: None }));
    }

    /// Finds out what a browser could not parse, and tells the loop with [`Event::Unreadable`]. False if that is no module of
    /// ours, or the tab has too many questions open.
    pub fn refuse(
        &self,
        modules: &mut Modules,
        base: &str,
        tab: ClientId,
        (script, line, column): (&str, u32, u32),
        message: &str,
    ) -> bool {
        let position = positions(modules, base, &[(script.to_owned(), line, column)]).into_iter().flatten().next();
        let Some(position) = position.filter(|_| self.admits(tab)) else { return false };
        self.order(|jobs| jobs.refusals.push_back((tab, position, message.to_owned())));
        true
    }

    /// Answers with the map of a module.
    pub fn map(&self, module: MappedModule, asker: oneshot::Sender<Answer>) {
        let modules = VecDeque::from([(None, module)]);
        self.order(|jobs| jobs.maps.push_back(MapOrder { modules, is_segment: false, made: Vec::new(), asker }));
    }

    /// Answers with the map of a segment: one section for each definition, which begins on the line given with it.
    pub fn segment_map(&self, modules: Vec<(usize, MappedModule)>, asker: oneshot::Sender<Answer>) {
        let modules = modules.into_iter().map(|(line, module)| (Some(line), module)).collect();
        self.order(|jobs| jobs.maps.push_back(MapOrder { modules, is_segment: true, made: Vec::new(), asker }));
    }

    /// For who drives a loop by hand: a way to wait until every question is answered.
    pub fn answers(&self) -> PendingAnswers {
        PendingAnswers(self.queue.clone())
    }

    fn admits(&self, tab: ClientId) -> bool {
        let mut jobs = self.queue.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = jobs.waiting.entry(tab).or_default();
        let is_admitted = *waiting < MOST_WAITING;
        *waiting += usize::from(is_admitted);
        is_admitted
    }

    fn order(&self, order: impl FnOnce(&mut Jobs)) {
        order(&mut self.queue.jobs.lock().unwrap_or_else(PoisonError::into_inner));
        self.queue.news.notify_all();
    }
}

/// Waits for the answers to tabs' questions, which come at their own time otherwise.
pub struct PendingAnswers(Arc<JobQueue>);

impl PendingAnswers {
    pub fn wait(&self) {
        let mut jobs = self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        while !jobs.waiting.is_empty() && !jobs.is_over {
            jobs = self.0.news.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        self.order(|jobs| jobs.is_over = true);
    }
}

impl Jobs {
    /// Short work goes first; maps, which take long, go last.
    fn next(&mut self) -> Option<Step> {
        if let Some(stack) = self.first.pop_front() {
            return Some(Step::First(stack));
        }
        if let Some((tab, position, message)) = self.refusals.pop_front() {
            return Some(Step::Refusal(tab, position, message));
        }
        if let Some(stack) = self.rest.pop_front() {
            return Some(Step::Rest(stack));
        }
        self.maps.pop_front().map(Step::Map)
    }
}

/// The thread's state.
struct Thread {
    queue: Arc<JobQueue>,
    maps: Maps,
    bodies: Bodies,
    inbox: Inbox,
}

impl Thread {
    fn run(mut self) {
        while let Some(step) = self.wait() {
            // A mistake of ours in one map must not be the end of all others.
            let _ = catch_unwind(AssertUnwindSafe(|| self.take(step)));
        }
    }

    fn wait(&self) -> Option<Step> {
        let mut jobs = self.queue.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if jobs.is_over {
                return None;
            }
            if let Some(step) = jobs.next() {
                return Some(step);
            }
            jobs = self.queue.news.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn jobs(&self) -> std::sync::MutexGuard<'_, Jobs> {
        self.queue.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::First(stack) => self.answer_first(stack),
            Step::Rest(stack) => self.answer_all(stack),
            Step::Refusal(tab, position, message) => self.refuse(tab, &position, message),
            Step::Map(order) => self.make_map(order),
        }
    }

    /// Answers the first frame that can be mapped: that is the one with the mistake.
    fn answer_first(&mut self, mut stack: Stack) {
        let mut done = PendingTrace::of(&self.queue, stack.tab);
        if let Some(import) = &stack.import {
            stack.first = self.maps.place_of(import);
            self.tell(&stack);
            let frames = stack.first.iter().map(|(_, traced, _)| Some(traced.clone())).collect();
            return stack.answer(frames, false);
        }
        let mut budget = PACKAGE_CODE;
        let mut positions = stack.positions.iter().enumerate();
        stack.first = positions.find_map(|(at, position)| {
            let position = position.as_ref()?;
            let traced = self.maps.trace(position, &mut budget)?;
            let frame = self.maps.frame(position, &traced);
            Some((at, traced, frame))
        });
        self.tell(&stack);
        let Some((at, traced, frame)) = stack.first.clone() else { return stack.answer(Vec::new(), false) };
        let more = stack.positions.iter().skip(at + 1).any(Option::is_some);
        let frames = (0..stack.positions.len()).map(|of| (of == at).then(|| traced.clone())).collect();
        stack.first = Some((at, traced, frame));
        stack.answer(frames, more);
        if more {
            done.is_due = false;
            self.jobs().rest.push_back(stack);
        }
    }

    /// What was thrown goes to the terminal, with its place.
    fn tell(&self, stack: &Stack) {
        let Some(said) = &stack.said else { return };
        let mut thrown = Diagnostic::error(said.as_str());
        if let Some((_, traced, frame)) = &stack.first {
            thrown = thrown.in_file(traced.file.as_str());
            thrown.place = Some(Place { line: traced.line, column: traced.column });
            thrown.frame = frame.clone();
        }
        thrown.help = stack.import.as_ref().map(|import| import.help.clone());
        let _ = self.inbox.send(Event::Thrown(thrown)); // The server may be ending.
    }

    fn answer_all(&mut self, stack: Stack) {
        let _done = PendingTrace::of(&self.queue, stack.tab);
        let mut budget = PACKAGE_CODE;
        let frames = stack.positions.iter().map(|position| self.maps.trace(position.as_ref()?, &mut budget)).collect();
        stack.answer(frames, false);
    }

    fn refuse(&mut self, tab: ClientId, position: &Position, message: String) {
        let _done = PendingTrace::of(&self.queue, tab);
        let place =
            catch_unwind(AssertUnwindSafe(|| self.maps.trace(position, &mut usize::MAX.clone()))).ok().flatten();
        let (module, hash) = (position.module.url.clone(), position.module.hash.clone());
        let found = UnreadableModule { module, hash, place, message };
        let _ = self.inbox.send(Event::Unreadable(tab, found)); // The server may be ending.
    }

    /// Makes the map of one module, and puts the order back: whatever came meanwhile goes first.
    fn make_map(&mut self, mut order: MapOrder) {
        if order.asker.is_closed() {
            return;
        }
        if let Some((line, module)) = order.modules.pop_front()
            && let Some(map) = self.maps.of(&module)
        {
            order.made.push(match line {
                Some(line) => format!("{{\"offset\":{{\"line\":{line},\"column\":0}},\"map\":{}}}", map.json),
                None => map.json.to_string(),
            });
        }
        if !order.modules.is_empty() {
            return self.jobs().maps.push_front(order);
        }
        let json = if order.is_segment {
            format!("{{\"version\":3,\"sections\":[{}]}}", order.made.join(","))
        } else {
            order.made.pop().unwrap_or_default()
        };
        let answer = if json.is_empty() {
            Answer::text(404, "the source is no longer what the script was made from")
        } else {
            Answer::ok("application/json", self.bodies.shared(json.into()), Cache::No)
        };
        let _ = order.asker.send(answer); // The asker may have hung up.
    }
}

/// An open question of a tab. Dropping it closes the question, also when answering it panics.
struct PendingTrace {
    queue: Arc<JobQueue>,
    tab: ClientId,
    is_due: bool,
}

impl PendingTrace {
    fn of(queue: &Arc<JobQueue>, tab: ClientId) -> Self {
        Self { queue: queue.clone(), tab, is_due: true }
    }
}

impl Drop for PendingTrace {
    fn drop(&mut self) {
        if !self.is_due {
            return;
        }
        let mut jobs = self.queue.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = jobs.waiting.get_mut(&self.tab) {
            *waiting = waiting.saturating_sub(1);
            if *waiting == 0 {
                jobs.waiting.remove(&self.tab);
                self.queue.news.notify_all();
            }
        }
    }
}

impl Stack {
    fn answer(&self, frames: Vec<Option<TracedFrame>>, more: bool) {
        let frame = self.first.as_ref().and_then(|(_, _, frame)| frame.clone());
        let help = self.import.as_ref().map(|import| import.help.clone());
        self.outbox.send(text(&ServerMessage::Traced { id: self.number, frames, frame, help, more }));
    }
}

/// A message as it is sent.
fn text(message: &ServerMessage) -> String {
    serde_json::to_string(message).expect("messages always serialise")
}

#[cfg(test)]
mod tests {
    use rekindle_compile::compiler::Compiler;
    use rekindle_compile::source::Source;
    use rekindle_graph::{FilePath, ModuleUrl};
    use tokio::sync::mpsc;

    use super::maps::{KEPT, POSITIONS_SHARE};
    use super::*;
    use crate::tabs::outbox::Texts;

    struct Stage {
        folder: tempfile::TempDir,
        thread: Thread,
        tracer: Tracer,
    }

    fn stage() -> Stage {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let compiler = Arc::new(Compiler::new(&root, None, "/"));
        let queue: Arc<JobQueue> = Arc::default();
        let (inbox, _) = mpsc::unbounded_channel();
        let thread = Thread { queue: queue.clone(), maps: Maps::new(compiler), bodies: Bodies::default(), inbox };
        Stage { folder, thread, tracer: Tracer { queue } }
    }

    impl Stage {
        fn module(&self, name: &str, text: &str) -> MappedModule {
            let path = self.folder.path().canonicalize().unwrap().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            let (url, file) = (ModuleUrl::new(format!("/{name}")), FilePath::new(path));
            let definition = self.thread.maps.compiler.compile(&url, &file, &Source::File).result.unwrap();
            MappedModule { url, file, source: Source::File, hash: definition.hash.clone(), size: definition.code.len() }
        }

        /// The frames in the answers so far, by line of the source; `+` where more are to come.
        fn answers(texts: &mut Texts) -> Vec<String> {
            let mut answers = Vec::new();
            while let Some(text) = texts.next() {
                let said: serde_json::Value = serde_json::from_str(&text).unwrap();
                let frames = said["frames"].as_array().unwrap().iter();
                let frames: Vec<String> =
                    frames.map(|frame| frame["line"].as_u64().map_or("-".into(), |line| line.to_string())).collect();
                answers.push(format!(
                    "{}: {}{}",
                    said["id"],
                    frames.join(" "),
                    if said["more"] == true { " +" } else { "" }
                ));
            }
            answers
        }

        fn run(&mut self) {
            loop {
                let Some(step) = self.thread.jobs().next() else { return };
                self.thread.take(step);
            }
        }

        fn order(&self, number: u64, outbox: &Outbox, positions: Vec<Option<Position>>) {
            let tab = ClientId(1);
            assert!(self.tracer.admits(tab));
            self.tracer.order(|jobs| {
                jobs.first.push_back(Stack {
                    tab,
                    outbox: outbox.clone(),
                    number,
                    positions,
                    import: None,
                    said: None,
                    first: None,
                })
            });
        }
    }

    /// Where the text `what` stands in a definition.
    fn position(module: &MappedModule, compiler: &Compiler, what: &str) -> Option<Position> {
        let code = compiler.compile(&module.url, &module.file, &module.source).result.unwrap().code;
        let at = code.find(what).unwrap();
        let line = code[..at].matches('\n').count() as u32 + 1;
        let column = (at - code[..at].rfind('\n').map_or(0, |end| end + 1)) as u32 + 1;
        Some(Position { module: Arc::new(module.clone()), line, column })
    }

    #[test]
    fn first_frames_are_answered_before_all_others() {
        let mut stage = stage();
        let module = stage.module("a.ts", "const x: number = 1\n\nconsole.log('first')\n\nconsole.log('second')\n");
        let compiler = stage.thread.maps.compiler.clone();
        let positions = vec![
            None,
            position(&module, &compiler, "console.log(\"first"),
            position(&module, &compiler, "console.log(\"second"),
        ];
        let (outbox, mut texts) = Outbox::to_texts();
        stage.order(1, &outbox, positions.clone());
        stage.order(2, &outbox, positions[..2].to_vec());
        stage.order(3, &outbox, vec![None]);
        stage.run();
        assert_eq!(Stage::answers(&mut texts), ["1: - 3 - +", "2: - 3", "3: ", "1: - 3 5"]);
    }

    #[test]
    fn a_tab_has_a_few_questions_open_at_a_time() {
        let mut stage = stage();
        let (outbox, _texts) = Outbox::to_texts();
        for number in 0..4 {
            stage.order(number, &outbox, vec![None]);
        }
        assert!(!stage.tracer.admits(ClientId(1)) && stage.tracer.admits(ClientId(2)));
        stage.run();
        assert!(stage.tracer.admits(ClientId(1)));
    }

    #[test]
    fn a_map_is_made_once_and_anew_for_another_definition() {
        let mut stage = stage();
        let module = stage.module("a.js", "export const a = 1\n");
        let first = stage.thread.maps.of(&module).unwrap();
        assert!(Arc::ptr_eq(&first, &stage.thread.maps.of(&module).unwrap()));
        let edited = stage.module("a.js", "export const a = 2\n");
        assert!(!Arc::ptr_eq(&first, &stage.thread.maps.of(&edited).unwrap()));
        assert!(stage.thread.maps.of(&module).is_none(), "the file says something else by now");
        assert_eq!(stage.thread.maps.by_module.len(), 1);
    }

    #[test]
    fn maps_are_kept_up_to_a_limit() {
        let mut stage = stage();
        let text = format!("export const text = '{}'\n", "x".repeat(KEPT / POSITIONS_SHARE / 3));
        for at in 0..6 {
            let module = stage.module(&format!("m{at}.js"), &text);
            stage.thread.maps.of(&module).unwrap();
            assert!(stage.thread.maps.bytes <= KEPT);
        }
        assert!(stage.thread.maps.by_module.len() < 6);
        assert_eq!(stage.thread.maps.order.len(), stage.thread.maps.by_module.len());
    }

    #[test]
    fn what_frames_in_packages_cost_is_bounded() {
        let mut stage = stage();
        let text = format!("export const text = '{}'\nconsole.log(text)\n", "x".repeat(PACKAGE_CODE / 3));
        let compiler = stage.thread.maps.compiler.clone();
        let modules: Vec<MappedModule> =
            (0..4).map(|at| stage.module(&format!("node_modules/p/m{at}.mjs"), &text)).collect();
        let own = stage.module("own.js", &text);
        let positions = modules.iter().chain([&own]).map(|module| position(module, &compiler, "console.log")).collect();
        let (outbox, mut texts) = Outbox::to_texts();
        stage.order(1, &outbox, positions);
        stage.run();
        // The first one is known when the others are asked for.
        assert_eq!(Stage::answers(&mut texts), ["1: 2 - - - - +", "1: 2 2 2 - 2"]);
    }
}
