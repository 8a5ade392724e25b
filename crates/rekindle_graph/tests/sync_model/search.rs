//! Breadth-first search through all states, to the end; the first fault it meets has the shortest way to it.

use std::collections::VecDeque;
use std::fmt::Write;
use std::hash::{Hash, Hasher};

use rustc_hash::FxHashMap;

use crate::rules::Rules;
use crate::steps::{Saves, Step};
use crate::world::{Budget, NOTHING, Phase, SHEET, Segment, Standing, Tab, World};

/// How large the model is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub tabs: u8,
    pub has_sheet: bool,
    /// Tabs may come to import the lazy module.
    pub has_lazy: bool,
    pub saves: Saves,
    pub budget: Budget,
    /// A gap between the batches that come after an answer to `hello` is a fault by itself.
    pub minds_gaps: bool,
}

/// What a search found.
#[derive(Debug)]
pub struct Findings {
    pub states: usize,
    /// The steps to it, in words, and what is wrong there.
    pub fault: Option<String>,
}

/// Ends a search that would not end in time.
const MOST_STATES: usize = 3_000_000;

struct Search<'r> {
    size: Size,
    rules: &'r Rules,
    seen: FxHashMap<u128, u32>,
    /// How each state was reached first.
    reached: Vec<(u32, Step)>,
    /// Steps that the two sides take by themselves, between states.
    own: Vec<(u32, u32, Step)>,
}

/// Looks at every state that `size` allows.
pub fn explore(size: Size, rules: &Rules) -> Findings {
    let mut search = Search { size, rules, seen: FxHashMap::default(), reached: Vec::new(), own: Vec::new() };
    let fault = search.run().or_else(|| search.endless_exchange());
    Findings { states: search.reached.len(), fault }
}

fn beginning(size: Size) -> World {
    let mut world = World { budget: size.budget, ..World::default() };
    world.server.is_up = true;
    for record in world.server.records.iter_mut().take(if size.has_sheet { SHEET + 1 } else { SHEET }) {
        record.definition = 1;
    }
    world
}

impl Search<'_> {
    fn run(&mut self) -> Option<String> {
        let first = beginning(self.size);
        self.seen.insert(fingerprint(&first), 0);
        self.reached.push((0, Step::Start));
        let mut queue = VecDeque::from([(0, first)]);
        while let Some((at, world)) = queue.pop_front() {
            assert!(
                self.reached.len() < MOST_STATES,
                "more than {MOST_STATES} states: the model is too large to be explored in CI"
            );
            let mut is_quiet = true;
            world.steps(&self.size, self.rules, &mut |step, next| {
                let fresh = self.reached.len() as u32;
                let to = *self.seen.entry(fingerprint(&next)).or_insert(fresh);
                if to == fresh {
                    self.reached.push((at, step));
                    queue.push_back((to, next));
                }
                if step.is_own() {
                    is_quiet = false;
                    self.own.push((at, to, step));
                }
            });
            let fault = fault_at_any_time(&world, self.size).or_else(|| fault_when_quiet(&world).filter(|_| is_quiet));
            if let Some(fault) = fault {
                return Some(self.words(&self.way_to(at), &fault));
            }
        }
        None
    }

    /// A circle of steps that the two sides take by themselves: found by taking away, again and again, the states from
    /// which no such step is left.
    fn endless_exchange(&self) -> Option<String> {
        let count = self.reached.len();
        let mut left = vec![0u32; count];
        let mut begins = vec![0u32; count + 1];
        for &(from, to, _) in &self.own {
            left[from as usize] += 1;
            begins[to as usize + 1] += 1;
        }
        for at in 0..count {
            begins[at + 1] += begins[at];
        }
        let mut filled = begins.clone();
        let mut sources = vec![0u32; self.own.len()];
        for &(from, to, _) in &self.own {
            sources[filled[to as usize] as usize] = from;
            filled[to as usize] += 1;
        }
        let mut ended: Vec<usize> = (0..count).filter(|&at| left[at] == 0).collect();
        while let Some(at) = ended.pop() {
            for &from in &sources[begins[at] as usize..begins[at + 1] as usize] {
                left[from as usize] -= 1;
                if left[from as usize] == 0 {
                    ended.push(from as usize);
                }
            }
        }
        let first = (0..count).find(|&at| left[at] > 0)?;
        let mut way = self.way_to(first as u32);
        let (steps, again) = self.circle(first as u32, &left);
        let length = steps.len() - again;
        way.extend(steps);
        Some(self.words(&way, &format!("this goes on for ever: the last {length} steps come again and again")))
    }

    /// Steps from `first` among states that have some left, until a state comes for the second time; and how many steps
    /// lead to it for the first.
    fn circle(&self, first: u32, left: &[u32]) -> (Vec<Step>, usize) {
        let goes_on = self.own.iter().filter(|(_, to, _)| left[*to as usize] > 0);
        let next: FxHashMap<u32, (u32, Step)> = goes_on.map(|&(from, to, step)| (from, (to, step))).collect();
        let mut steps = Vec::new();
        let mut seen = FxHashMap::default();
        let mut at = first;
        loop {
            if let Some(again) = seen.insert(at, steps.len()) {
                return (steps, again);
            }
            let (to, step) = next[&at]; // A state that has steps left has one to another such state.
            steps.push(step);
            at = to;
        }
    }

    fn way_to(&self, mut at: u32) -> Vec<Step> {
        let mut steps = Vec::new();
        while at != 0 {
            let (from, step) = self.reached[at as usize];
            steps.push(step);
            at = from;
        }
        steps.reverse();
        steps
    }

    fn words(&self, steps: &[Step], fault: &str) -> String {
        let mut text = String::new();
        let mut world = beginning(self.size);
        for (at, step) in steps.iter().enumerate() {
            // In a circle of two tabs their names may have changed places.
            let Some(next) = world.after(*step, self.rules) else { break };
            let _ = writeln!(text, "{:3}. {}", at + 1, step.describe(&world, &next));
            world = next;
        }
        let _ = writeln!(text, "     ⇒ {fault}");
        text
    }
}

/// What must not be in any state.
fn fault_at_any_time(world: &World, size: Size) -> Option<String> {
    for (at, tab) in world.tabs.iter().enumerate() {
        if tab.has_seen_gap && size.minds_gaps {
            return Some(format!(
                "tab {} sees a gap between batches although it was answered and its socket was never cut since",
                at + 1
            ));
        }
        let is_refused = tab.phase == Phase::Failed || tab.segments.as_flattened().contains(&Segment::Failed);
        if size.budget.stops == 0 && is_refused {
            return Some(format!("tab {} is refused something although the server was always there", at + 1));
        }
    }
    None
}

/// What must not be when nothing more happens by itself.
fn fault_when_quiet(world: &World) -> Option<String> {
    let opened = world.tabs.iter().enumerate().filter(|(_, tab)| tab.phase != Phase::Closed);
    opened
        .filter_map(|(at, tab)| difference(world, tab).map(|what| format!("all is quiet, and tab {} {what}", at + 1)))
        .next()
}

/// In what the tab differs from one that is opened now.
fn difference(world: &World, tab: &Tab) -> Option<String> {
    if tab.phase != Phase::Running {
        return Some("has not started".to_owned());
    }
    if !tab.is_connected || tab.session != Some(world.server.session) || tab.is_asking {
        return Some("waits for an answer that never comes".to_owned());
    }
    for module in 0..SHEET {
        let (held, now) = (&tab.holdings[module], &world.server.records[module]);
        let is_wanted = tab.wanted & (1 << module) != 0;
        if held.definition == NOTHING && !is_wanted {
            continue;
        }
        let is_right = match now.standing {
            Standing::Fine => held.definition == now.definition,
            Standing::Gone => held.definition == NOTHING,
            // Who came while it was broken has none. Broken since the start of the server: nobody can have another one.
            Standing::Broken => [held.definition, NOTHING].contains(&now.definition) || held.definition == NOTHING,
        };
        let name = crate::world::NAMES[module];
        if !is_right {
            return Some(format!("holds {name} v{} where the server has v{}", held.definition, now.definition));
        }
        if held.standing != now.standing {
            return Some(format!("takes {name} for {:?} where it is {:?}", held.standing, now.standing));
        }
    }
    let sheet = world.server.records[SHEET].definition;
    (tab.sheet != sheet).then(|| format!("shows linked.css v{} where the server has v{sheet}", tab.sheet))
}

/// Two tabs are alike: which is which makes no other state.
fn fingerprint(world: &World) -> u128 {
    let mut tabs = world.tabs.map(|tab| digest(&tab));
    tabs.sort_unstable();
    digest(&(world.server, world.cache, world.budget, tabs))
}

fn digest(value: &impl Hash) -> u128 {
    let mut fingerprint = Fingerprint(0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344);
    value.hash(&mut fingerprint);
    u128::from(fingerprint.finish()) << 64 | u128::from(fingerprint.1 ^ fingerprint.1 >> 29)
}

/// 128 bits, so that two of some million states never have the same.
struct Fingerprint(u64, u64);

impl Hasher for Fingerprint {
    fn finish(&self) -> u64 {
        self.0 ^ self.0 >> 32
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_i8(&mut self, value: i8) {
        self.write_u64(value as u64);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        self.1 = (self.1.rotate_left(23) ^ value).wrapping_mul(0xff51_afd7_ed55_8ccd);
    }
}
