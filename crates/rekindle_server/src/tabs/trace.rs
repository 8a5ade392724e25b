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
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};

use oxc_sourcemap::SourceMap;
use rekindle_compile::compile::{Compiler, Source};
use rekindle_compile::file;
use rekindle_compile::nesting::COMPILE_STACK;
use rekindle_compile::resolve::is_in_package;
use rekindle_graph::diagnostic::code_frame;
use rekindle_graph::wire::{Lacks, ServerMessage, TracedFrame};
use rekindle_graph::{Diagnostic, FilePath, ModuleId, ModuleUrl, Place};
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

use crate::event::{Event, Inbox, UnreadableModule};
use crate::http::answer::{Answer, Cache};
use crate::http::bodies::Bodies;
use crate::project::Project;
use crate::tabs::client::ClientId;
use crate::tabs::outbox::Outbox;

/// Frames of a stack that are mapped.
const MOST_FRAMES: usize = 30;
/// Stacks of one tab that may wait at a time; more are answered with nothing.
const MOST_WAITING: usize = 4;
/// Bytes of packages' code that are mapped for one stack. What has been mapped before does not count.
const PACKAGE_CODE: usize = 2 << 20;
/// Bytes of maps that are kept.
const KEPT: usize = 32 << 20;
/// What the positions of a map take beside its text.
const POSITIONS_SHARE: usize = 3;

/// A module as its map is made of it.
#[derive(Clone, Debug)]
pub struct Mapped {
    url: ModuleUrl,
    file: FilePath,
    source: Source,
    /// Digest of its definition: another one has another map.
    hash: Arc<str>,
    /// Bytes of its definition.
    size: usize,
}

impl Mapped {
    pub fn of(project: &Project, id: ModuleId) -> Option<Self> {
        let module = &project.graph[id];
        let definition = &module.published.as_ref()?.definition;
        let (url, hash) = (module.url.clone(), definition.hash.clone());
        let source = project.source_of(&url);
        Some(Self { url, file: module.file.clone(), source, hash, size: definition.code.len() })
    }
}

/// A position in a module's definition; line and column count from 1.
#[derive(Clone, Debug)]
struct Spot {
    module: Arc<Mapped>,
    line: u32,
    column: u32,
}

/// The spots of a stack, `None` where a frame is in none of our scripts.
fn spots(project: &mut Project, base: &str, frames: &[(String, u32, u32)]) -> Vec<Option<Spot>> {
    let mut modules: FxHashMap<ModuleId, Arc<Mapped>> = FxHashMap::default();
    let mut spot = |(address, line, column): &(String, u32, u32)| {
        let (id, line) = place(project, base, address, *line)?;
        let module = match modules.get(&id) {
            Some(module) => module.clone(),
            None => modules.entry(id).or_insert(Arc::new(Mapped::of(project, id)?)).clone(),
        };
        Some(Spot { module, line, column: *column })
    };
    frames.iter().take(MOST_FRAMES).map(&mut spot).collect()
}

/// The module whose definition stands on a line of a script, and the line in it, both from 1.
fn place(project: &mut Project, base: &str, address: &str, line: u32) -> Option<(ModuleId, u32)> {
    let path = path_of(address, base)?;
    match path.strip_prefix("/@rekindle/s/") {
        Some(segment) => place_in_segment(project, segment.strip_suffix(".js")?, line),
        None => Some((project.graph.get(&path)?, line)),
    }
}

fn place_in_segment(project: &mut Project, segment: &str, line: u32) -> Option<(ModuleId, u32)> {
    let lines = project.segments.lines(&project.graph, segment)?;
    let (id, begin) = lines.iter().rev().find(|(_, begin)| *begin < line as usize)?;
    Some((*id, line - *begin as u32))
}

fn path_of(address: &str, base: &str) -> Option<String> {
    let path = address.split_once("://")?.1;
    let path = &path[path.find('/')?..];
    let below = path.strip_prefix(base.trim_end_matches('/'))?;
    Some(percent_encoding::percent_decode_str(below).decode_utf8().ok()?.into_owned())
}

/// The way to the thread. Dropping it ends the thread.
pub struct Tracer {
    desk: Arc<Desk>,
}

/// What waits for the thread.
#[derive(Default)]
struct Desk {
    jobs: Mutex<Jobs>,
    news: Condvar,
}

#[derive(Default)]
struct Jobs {
    /// First frames of stacks before the other ones.
    first: VecDeque<Stack>,
    rest: VecDeque<Stack>,
    refusals: VecDeque<(ClientId, Spot, String)>,
    maps: VecDeque<MapOrder>,
    /// Stacks and refusals of each tab.
    waiting: FxHashMap<ClientId, usize>,
    is_over: bool,
}

/// What a tab asks about something that was thrown.
pub struct Question<'a> {
    pub number: u64,
    /// Script address, line and column, counted from 1.
    pub frames: &'a [(String, u32, u32)],
    /// A name that is not there, and advice about it.
    pub lacks: Option<(&'a Lacks, String)>,
    /// To be told in the terminal.
    pub said: Option<String>,
}

/// An import of a name that is not there.
struct Import {
    module: Mapped,
    specifier: String,
    name: String,
    help: String,
}

/// A stack that a tab asked about.
struct Stack {
    tab: ClientId,
    outbox: Outbox,
    number: u64,
    spots: Vec<Option<Spot>>,
    import: Option<Import>,
    said: Option<String>,
    /// The frame that was answered first, with the source around it.
    first: Option<(usize, TracedFrame, Option<String>)>,
}

/// A map that a browser asked for: of a module, or of a segment with the lines on which definitions begin.
struct MapOrder {
    modules: VecDeque<(Option<usize>, Mapped)>,
    is_segment: bool,
    made: Vec<String>,
    asker: oneshot::Sender<Answer>,
}

enum Step {
    First(Stack),
    Rest(Stack),
    Refusal(ClientId, Spot, String),
    Map(MapOrder),
}

impl Tracer {
    /// # Errors
    /// The system gives no thread.
    pub fn start(compiler: Arc<Compiler>, bodies: Bodies, inbox: Inbox) -> std::io::Result<Self> {
        let desk: Arc<Desk> = Arc::default();
        let thread = Thread { desk: desk.clone(), maps: Maps::new(compiler), bodies, inbox };
        std::thread::Builder::new()
            .name("rekindle-trace".into())
            .stack_size(COMPILE_STACK)
            .spawn(move || thread.run())?;
        Ok(Self { desk })
    }

    /// Answers a tab's question about a stack, at once if it has too many open.
    pub fn trace(
        &self,
        project: &mut Project,
        base: &str,
        (tab, outbox): (ClientId, Outbox),
        Question { number, frames, lacks, said }: Question<'_>,
    ) {
        if !self.admits(tab) {
            let nothing =
                ServerMessage::Traced { id: number, frames: Vec::new(), frame: None, help: None, more: false };
            return outbox.send(text(&nothing));
        }
        let import = lacks.and_then(|(Lacks { importer, specifier, name, .. }, help)| {
            let module = Mapped::of(project, project.graph.get(importer)?)?;
            Some(Import { module, specifier: specifier.clone(), name: name.clone(), help })
        });
        let spots = spots(project, base, frames);
        self.order(|jobs| jobs.first.push_back(Stack { tab, outbox, number, spots, import, said, first: None }));
    }

    /// Finds out what a browser could not parse, and tells the loop with [`Event::Unreadable`]. False if that is no module of
    /// ours, or the tab has too many questions open.
    pub fn refuse(
        &self,
        project: &mut Project,
        base: &str,
        tab: ClientId,
        (script, line, column): (&str, u32, u32),
        message: &str,
    ) -> bool {
        let spot = spots(project, base, &[(script.to_owned(), line, column)]).into_iter().flatten().next();
        let Some(spot) = spot.filter(|_| self.admits(tab)) else { return false };
        self.order(|jobs| jobs.refusals.push_back((tab, spot, message.to_owned())));
        true
    }

    /// Answers with the map of a module.
    pub fn map(&self, module: Mapped, asker: oneshot::Sender<Answer>) {
        let modules = VecDeque::from([(None, module)]);
        self.order(|jobs| jobs.maps.push_back(MapOrder { modules, is_segment: false, made: Vec::new(), asker }));
    }

    /// Answers with the map of a segment: one section for each definition, which begins on the line given with it.
    pub fn segment_map(&self, modules: Vec<(usize, Mapped)>, asker: oneshot::Sender<Answer>) {
        let modules = modules.into_iter().map(|(line, module)| (Some(line), module)).collect();
        self.order(|jobs| jobs.maps.push_back(MapOrder { modules, is_segment: true, made: Vec::new(), asker }));
    }

    fn admits(&self, tab: ClientId) -> bool {
        let mut jobs = self.desk.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = jobs.waiting.entry(tab).or_default();
        let is_admitted = *waiting < MOST_WAITING;
        *waiting += usize::from(is_admitted);
        is_admitted
    }

    fn order(&self, order: impl FnOnce(&mut Jobs)) {
        order(&mut self.desk.jobs.lock().unwrap_or_else(PoisonError::into_inner));
        self.desk.news.notify_one();
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        self.order(|jobs| jobs.is_over = true);
    }
}

impl Jobs {
    /// What is short goes first, what many wait for last.
    fn next(&mut self) -> Option<Step> {
        if let Some(stack) = self.first.pop_front() {
            return Some(Step::First(stack));
        }
        if let Some((tab, spot, message)) = self.refusals.pop_front() {
            return Some(Step::Refusal(tab, spot, message));
        }
        if let Some(stack) = self.rest.pop_front() {
            return Some(Step::Rest(stack));
        }
        self.maps.pop_front().map(Step::Map)
    }
}

/// The thread's state.
struct Thread {
    desk: Arc<Desk>,
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
        let mut jobs = self.desk.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if jobs.is_over {
                return None;
            }
            if let Some(step) = jobs.next() {
                return Some(step);
            }
            jobs = self.desk.news.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn jobs(&self) -> std::sync::MutexGuard<'_, Jobs> {
        self.desk.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::First(stack) => self.answer_first(stack),
            Step::Rest(stack) => self.answer_all(stack),
            Step::Refusal(tab, spot, message) => self.refuse(tab, &spot, message),
            Step::Map(order) => self.make_map(order),
        }
    }

    /// Answers the first frame that can be mapped: that is the one with the mistake.
    fn answer_first(&mut self, mut stack: Stack) {
        let mut done = Done::of(&self.desk, stack.tab);
        if let Some(import) = &stack.import {
            stack.first = self.maps.place_of(import);
            self.tell(&stack);
            let frames = stack.first.iter().map(|(_, traced, _)| Some(traced.clone())).collect();
            return stack.answer(frames, false);
        }
        let mut budget = PACKAGE_CODE;
        let mut spots = stack.spots.iter().enumerate();
        stack.first = spots.find_map(|(at, spot)| {
            let spot = spot.as_ref()?;
            let traced = self.maps.trace(spot, &mut budget)?;
            let frame = self.maps.frame(spot, &traced);
            Some((at, traced, frame))
        });
        self.tell(&stack);
        let Some((at, traced, frame)) = stack.first.clone() else { return stack.answer(Vec::new(), false) };
        let more = stack.spots.iter().skip(at + 1).any(Option::is_some);
        let frames = (0..stack.spots.len()).map(|of| (of == at).then(|| traced.clone())).collect();
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
        let _done = Done::of(&self.desk, stack.tab);
        let mut budget = PACKAGE_CODE;
        let frames = stack.spots.iter().map(|spot| self.maps.trace(spot.as_ref()?, &mut budget)).collect();
        stack.answer(frames, false);
    }

    fn refuse(&mut self, tab: ClientId, spot: &Spot, message: String) {
        let _done = Done::of(&self.desk, tab);
        let place = catch_unwind(AssertUnwindSafe(|| self.maps.trace(spot, &mut usize::MAX.clone()))).ok().flatten();
        let (module, hash) = (spot.module.url.clone(), spot.module.hash.clone());
        let found = UnreadableModule { module, hash, place, message };
        let _ = self.inbox.send(Event::Unreadable(tab, found)); // The server may be ending.
    }

    /// Maps one module, and lets what came meanwhile go first.
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
        let json = match order.is_segment {
            true => format!("{{\"version\":3,\"sections\":[{}]}}", order.made.join(",")),
            false => order.made.pop().unwrap_or_default(),
        };
        let answer = match json.is_empty() {
            true => Answer::text(404, "the source is not what the script was made from any more"),
            false => Answer::ok("application/json", self.bodies.shared(json.into()), Cache::No),
        };
        let _ = order.asker.send(answer); // The asker may have hung up.
    }
}

/// One question of a tab less, whatever happens.
struct Done {
    desk: Arc<Desk>,
    tab: ClientId,
    is_due: bool,
}

impl Done {
    fn of(desk: &Arc<Desk>, tab: ClientId) -> Self {
        Self { desk: desk.clone(), tab, is_due: true }
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        if !self.is_due {
            return;
        }
        let mut jobs = self.desk.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = jobs.waiting.get_mut(&self.tab) {
            *waiting = waiting.saturating_sub(1);
            if *waiting == 0 {
                jobs.waiting.remove(&self.tab);
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

/// Maps of modules, each made once and kept until its definition is another one, or room is needed.
struct Maps {
    compiler: Arc<Compiler>,
    by_module: FxHashMap<ModuleUrl, Kept>,
    /// Least recently used first.
    order: VecDeque<ModuleUrl>,
    bytes: usize,
}

struct Kept {
    hash: Arc<str>,
    map: Arc<ModuleMap>,
}

struct ModuleMap {
    json: Box<str>,
    /// Line and column in the definition, line and column in the source, all from 0; in order.
    positions: OnceLock<Vec<[u32; 4]>>,
}

impl Maps {
    fn new(compiler: Arc<Compiler>) -> Self {
        Self { compiler, by_module: FxHashMap::default(), order: VecDeque::new(), bytes: 0 }
    }

    /// The map of a module, if its file still is what the definition was made from.
    fn of(&mut self, module: &Mapped) -> Option<Arc<ModuleMap>> {
        let known = self.by_module.get(&module.url).filter(|known| known.hash == module.hash);
        let map = match known.map(|known| known.map.clone()) {
            Some(map) => map,
            None => {
                let json = self.compiler.source_map(&module.url, &module.file, &module.source, &module.hash)?;
                Arc::new(ModuleMap { json: json.into(), positions: OnceLock::new() })
            }
        };
        self.forget(&module.url);
        self.bytes += map.cost();
        self.order.push_back(module.url.clone());
        self.by_module.insert(module.url.clone(), Kept { hash: module.hash.clone(), map: map.clone() });
        while self.bytes > KEPT && self.order.len() > 1 {
            let Some(oldest) = self.order.front().cloned() else { break };
            self.forget(&oldest);
        }
        Some(map)
    }

    fn forget(&mut self, url: &ModuleUrl) {
        let Some(known) = self.by_module.remove(url) else { return };
        self.bytes -= known.map.cost();
        self.order.retain(|kept| kept != url);
    }

    /// Where a spot is in the source. Modules of packages are mapped while `budget` lasts.
    fn trace(&mut self, spot: &Spot, budget: &mut usize) -> Option<TracedFrame> {
        let Spot { module, line, column } = spot;
        let is_known = self.by_module.get(&module.url).is_some_and(|known| known.hash == module.hash);
        if !is_known && is_in_package(module.file.as_path()) {
            *budget = budget.checked_sub(module.size)?;
        }
        let map = self.of(module)?;
        let (line, column) = map.place(line.checked_sub(1)?, column.checked_sub(1)?)?;
        let file = self.compiler.display(module.file.as_path());
        Some(TracedFrame { file, line: line + 1, column: column + 1 })
    }

    /// Where a name is imported that is not there.
    fn place_of(&self, import: &Import) -> Option<(usize, TracedFrame, Option<String>)> {
        let Import { module, specifier, name, .. } = import;
        let (place, text) = self.compiler.import_place((&module.url, &module.file, &module.source), specifier, name)?;
        let file = self.compiler.display(module.file.as_path());
        let frame = code_frame(&text, place, name);
        Some((0, TracedFrame { file, line: place.line, column: place.column }, Some(frame)))
    }

    /// A few lines of the source around a traced frame.
    fn frame(&self, spot: &Spot, traced: &TracedFrame) -> Option<String> {
        let source = read(spot.module.file.as_path())?;
        Some(code_frame(&source, Place { line: traced.line, column: traced.column }, ""))
    }
}

/// The file is one of the graph's.
fn read(file: &Path) -> Option<String> {
    file::read_text(file).ok()
}

impl ModuleMap {
    fn cost(&self) -> usize {
        self.json.len() * POSITIONS_SHARE
    }

    fn place(&self, line: u32, column: u32) -> Option<(u32, u32)> {
        let positions = self.positions.get_or_init(|| positions_of(&self.json).unwrap_or_default());
        let behind = positions.partition_point(|&[at_line, at_column, ..]| (at_line, at_column) <= (line, column));
        let &[at_line, _, source_line, source_column] = positions.get(behind.checked_sub(1)?)?;
        (at_line == line).then_some((source_line, source_column))
    }
}

fn positions_of(json: &str) -> Option<Vec<[u32; 4]>> {
    let map = SourceMap::from_json_string(json).ok()?;
    let position = |token: oxc_sourcemap::Token| {
        [token.get_dst_line(), token.get_dst_col(), token.get_src_line(), token.get_src_col()]
    };
    let mut positions: Vec<[u32; 4]> = map.get_tokens().map(position).collect();
    positions.sort_unstable();
    Some(positions)
}

fn text(message: &ServerMessage) -> String {
    serde_json::to_string(message).expect("messages always serialise")
}

#[cfg(test)]
mod tests {
    use rekindle_compile::compile::Compiler;
    use tokio::sync::mpsc;

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
        let desk: Arc<Desk> = Arc::default();
        let (inbox, _) = mpsc::unbounded_channel();
        let thread = Thread { desk: desk.clone(), maps: Maps::new(compiler), bodies: Bodies::default(), inbox };
        Stage { folder, thread, tracer: Tracer { desk } }
    }

    impl Stage {
        fn module(&self, name: &str, text: &str) -> Mapped {
            let path = self.folder.path().canonicalize().unwrap().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            let (url, file) = (ModuleUrl::new(format!("/{name}")), FilePath::new(path));
            let definition = self.thread.maps.compiler.compile(&url, &file, &Source::File).result.unwrap();
            Mapped { url, file, source: Source::File, hash: definition.hash.clone(), size: definition.code.len() }
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

        fn order(&self, number: u64, outbox: &Outbox, spots: Vec<Option<Spot>>) {
            let tab = ClientId(1);
            assert!(self.tracer.admits(tab));
            self.tracer.order(|jobs| {
                jobs.first.push_back(Stack {
                    tab,
                    outbox: outbox.clone(),
                    number,
                    spots,
                    import: None,
                    said: None,
                    first: None,
                })
            });
        }
    }

    /// Where the text `what` stands in a definition.
    fn spot(module: &Mapped, compiler: &Compiler, what: &str) -> Option<Spot> {
        let code = compiler.compile(&module.url, &module.file, &module.source).result.unwrap().code;
        let at = code.find(what).unwrap();
        let line = code[..at].matches('\n').count() as u32 + 1;
        let column = (at - code[..at].rfind('\n').map_or(0, |end| end + 1)) as u32 + 1;
        Some(Spot { module: Arc::new(module.clone()), line, column })
    }

    #[test]
    fn first_frames_are_answered_before_all_others() {
        let mut stage = stage();
        let module = stage.module("a.ts", "const x: number = 1\n\nconsole.log('first')\n\nconsole.log('second')\n");
        let compiler = stage.thread.maps.compiler.clone();
        let spots = vec![
            None,
            spot(&module, &compiler, "console.log(\"first"),
            spot(&module, &compiler, "console.log(\"second"),
        ];
        let (outbox, mut texts) = Outbox::to_texts();
        stage.order(1, &outbox, spots.clone());
        stage.order(2, &outbox, spots[..2].to_vec());
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
        let modules: Vec<Mapped> = (0..4).map(|at| stage.module(&format!("node_modules/p/m{at}.mjs"), &text)).collect();
        let own = stage.module("own.js", &text);
        let spots = modules.iter().chain([&own]).map(|module| spot(module, &compiler, "console.log")).collect();
        let (outbox, mut texts) = Outbox::to_texts();
        stage.order(1, &outbox, spots);
        stage.run();
        // The first one is known when the others are asked for.
        assert_eq!(Stage::answers(&mut texts), ["1: 2 - - - - +", "1: 2 2 2 - 2"]);
    }
}
