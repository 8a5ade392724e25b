//! What can happen next: everything that the two sides, the browser, and the world around them may do in a state.

use crate::rules::Rules;
use crate::search::Size;
use crate::server::{Save, disconnect};
use crate::world::{
    Content, ENTRY, FAILED, LAZY, Load, Manifest, ModuleSet, NOTHING, Phase, SHEET, Segment, Tab, World,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    // From outside: these may happen or not.
    Save { module: u8, save: Save },
    Stop { received: bool },
    Cut { tab: u8, received: bool },
    Open { tab: u8 },
    Import { tab: u8 },
    ImportOnceMore { tab: u8 },
    // By themselves: these happen sooner or later.
    Start,
    FetchScript { tab: u8 },
    FetchSheet { tab: u8 },
    FetchSegment { tab: u8, module: u8, content: Content },
    Boot { tab: u8 },
    LoadPageAnew { tab: u8 },
    Connect { tab: u8 },
    ServerHears { tab: u8 },
    TabHears { tab: u8 },
    Ask { tab: u8 },
    TakeLoad { tab: u8, load: u8 },
}

impl Step {
    /// It happens by itself: a state in which no such step is possible is quiet.
    pub fn is_own(self) -> bool {
        !matches!(
            self,
            Self::Save { .. }
                | Self::Stop { .. }
                | Self::Cut { .. }
                | Self::Open { .. }
                | Self::Import { .. }
                | Self::ImportOnceMore { .. }
        )
    }
}

/// Which sources may be saved, and how.
#[derive(Clone, Copy, Debug)]
pub struct Saves {
    pub modules: &'static [usize],
    pub kinds: &'static [Save],
}

impl World {
    /// All steps that are possible, each with the state it leads to.
    pub fn steps(&self, size: &Size, rules: &Rules, visit: &mut impl FnMut(Step, World)) {
        let Size { tabs, saves, has_lazy, .. } = *size;
        let mut consider = |step: Step| {
            if !has_lazy && matches!(step, Step::Import { .. }) {
                return;
            }
            if let Some(next) = self.after(step, rules) {
                visit(step, next);
            }
        };
        for (&module, &save) in
            saves.modules.iter().flat_map(|module| saves.kinds.iter().map(move |kind| (module, kind)))
        {
            consider(Step::Save { module: module as u8, save });
        }
        consider(Step::Stop { received: false });
        consider(Step::Stop { received: true });
        consider(Step::Start);
        for tab in 0..tabs {
            self.steps_of_tab(tab, &mut consider);
        }
    }

    fn steps_of_tab(&self, tab: u8, consider: &mut impl FnMut(Step)) {
        let now = &self.tabs[usize::from(tab)];
        if now.phase == Phase::Closed {
            return consider(Step::Open { tab });
        }
        consider(Step::Cut { tab, received: false });
        consider(Step::Cut { tab, received: true });
        let alone = [
            Step::Import { tab },
            Step::ImportOnceMore { tab },
            Step::FetchScript { tab },
            Step::FetchSheet { tab },
            Step::Boot { tab },
            Step::LoadPageAnew { tab },
            Step::Connect { tab },
            Step::ServerHears { tab },
            Step::TabHears { tab },
            Step::Ask { tab },
        ];
        alone.into_iter().for_each(&mut *consider);
        for load in 0..now.loads.len() as u8 {
            consider(Step::TakeLoad { tab, load });
        }
        for module in [ENTRY, LAZY] {
            for content in [1, 2] {
                consider(Step::FetchSegment { tab, module: module as u8, content });
            }
        }
    }

    /// The state after a step; none if it is not possible now.
    pub fn after(&self, step: Step, rules: &Rules) -> Option<World> {
        let mut next = *self;
        let is_possible = match step {
            Step::Save { module, save } => spend(&mut next.budget.saves) && next.save(usize::from(module), save, rules),
            Step::Stop { received } => next.stop(received),
            Step::Start => {
                !self.server.is_up && {
                    next.server.start();
                    true
                }
            }
            Step::Cut { tab, received } => next.cut(usize::from(tab), received),
            Step::ImportOnceMore { tab } => {
                spend(&mut next.budget.loads) && next.import_once_more(usize::from(tab), rules)
            }
            Step::Open { tab } | Step::LoadPageAnew { tab } => next.open(usize::from(tab), step, rules),
            Step::FetchScript { tab } => next.fetch_script(usize::from(tab), rules),
            Step::FetchSheet { tab } => next.fetch_sheet(usize::from(tab)),
            Step::FetchSegment { tab, module, content } => {
                next.fetch_segment(usize::from(tab), usize::from(module), content, rules)
            }
            Step::ServerHears { tab } => next.server_hears(usize::from(tab), rules),
            Step::Import { tab } => next.tabs[usize::from(tab)].import(),
            Step::Boot { tab } => {
                self.can_boot(usize::from(tab)) && {
                    next.tabs[usize::from(tab)].boot(rules);
                    true
                }
            }
            Step::Connect { tab } => {
                self.can_connect(usize::from(tab), rules) && {
                    next.tabs[usize::from(tab)].connect(rules);
                    true
                }
            }
            Step::TabHears { tab } => next.tabs[usize::from(tab)].hear_next(rules),
            Step::Ask { tab } => next.ask_for_lacking(usize::from(tab), rules),
            Step::TakeLoad { tab, load } => next.tabs[usize::from(tab)].take_load(usize::from(load), rules),
        };
        is_possible.then_some(next)
    }

    // ---- server and connections

    fn stop(&mut self, received: bool) -> bool {
        if !self.server.is_up || !spend(&mut self.budget.stops) {
            return false;
        }
        self.server.is_up = false;
        let has_messages = self.tabs.iter().any(|tab| tab.is_connected && !tab.told.as_slice().is_empty());
        for tab in self.tabs.iter_mut().filter(|tab| tab.is_connected) {
            disconnect(tab, received);
        }
        has_messages || !received
    }

    fn cut(&mut self, tab: usize, received: bool) -> bool {
        let tab = &mut self.tabs[tab];
        if !tab.is_connected || !spend(&mut self.budget.cuts) || (received && tab.told.as_slice().is_empty()) {
            return false;
        }
        disconnect(tab, received);
        true
    }

    fn can_connect(&self, tab: usize, rules: &Rules) -> bool {
        let tab = &self.tabs[tab];
        // Where a socket without hello hears nothing it is as none; that makes fewer states.
        let may = match tab.phase {
            Phase::Running => true,
            Phase::Text | Phase::Script => rules.silent_sockets_hear,
            Phase::Closed | Phase::Failed => false,
        };
        may && self.server.is_up && !tab.is_connected
    }

    fn server_hears(&mut self, tab: usize, rules: &Rules) -> bool {
        let tab = &mut self.tabs[tab];
        let Some(message) = tab.said.pop() else { return false };
        self.server.hear(tab, message, rules);
        true
    }

    // ---- the page

    fn open(&mut self, tab: usize, step: Step, rules: &Rules) -> bool {
        let phase = self.tabs[tab].phase;
        let may = match step {
            Step::Open { .. } => phase == Phase::Closed,
            _ => phase == Phase::Failed && rules.page_without_script_is_loaded_anew,
        };
        if !may || !self.server.is_up {
            return false;
        }
        let text = (self.server.session, self.server.seq);
        self.tabs[tab] = Tab { phase: Phase::Text, text, ..Tab::default() };
        true
    }

    fn fetch_script(&mut self, tab: usize, rules: &Rules) -> bool {
        let tab = &mut self.tabs[tab];
        if tab.phase != Phase::Text {
            return false;
        }
        if self.server.is_up {
            tab.phase = Phase::Script;
            tab.script = self.server.manifest(1 << ENTRY, rules);
        } else {
            tab.phase = Phase::Failed;
        }
        true
    }

    fn has_sheet(&self) -> bool {
        self.server.records[SHEET].definition != NOTHING
    }

    /// The page's own sheet for the first time, or in the place of one that was edited.
    fn fetch_sheet(&mut self, tab: usize) -> bool {
        let content = self.server.records[SHEET].definition;
        let tab = &mut self.tabs[tab];
        let is_first = matches!(tab.phase, Phase::Text | Phase::Script) && tab.sheet == NOTHING;
        if content == NOTHING || !(is_first || tab.swaps_sheet) {
            return false;
        }
        tab.swaps_sheet = false;
        if self.server.is_up {
            tab.sheet = content;
        } else if is_first {
            tab.sheet = FAILED;
        }
        true
    }

    fn fetch_segment(&mut self, tab: usize, module: usize, content: Content, rules: &Rules) -> bool {
        let at = usize::from(content) - 1;
        let tab = &mut self.tabs[tab];
        if tab.segments[module][at] != Segment::Unknown || !tab.awaits_segment(module, content) {
            return false;
        }
        let cached = self.cache[module][at];
        let server = &self.server;
        let current = server.records[module].served();
        let fetched = if cached != Segment::Unknown {
            cached
        } else if !server.is_up || server.given[module] & (1 << content) == 0 {
            Segment::Failed
        } else if current == content {
            Segment::Exact
        } else {
            Segment::Outgrown { session: server.session, seq: server.seq, definition: current }
        };
        tab.segments[module][at] = fetched;
        let is_kept = match fetched {
            Segment::Outgrown { .. } => !rules.outgrown_segment_is_not_kept,
            _ => fetched == Segment::Exact,
        };
        if is_kept {
            self.cache[module][at] = fetched;
        }
        true
    }

    fn can_boot(&self, tab: usize) -> bool {
        let tab = &self.tabs[tab];
        tab.phase == Phase::Script && tab.has_all(&tab.script) && (tab.sheet != NOTHING || !self.has_sheet())
    }

    // ---- loads

    fn import_once_more(&mut self, tab: usize, rules: &Rules) -> bool {
        let now = &self.tabs[tab];
        let may = now.phase == Phase::Running && now.wanted & (1 << LAZY) != 0;
        may && self.load(tab, 1 << LAZY, rules)
    }

    fn ask_for_lacking(&mut self, tab: usize, rules: &Rules) -> bool {
        let now = &self.tabs[tab];
        let lacking = now.lacking();
        let may = now.session.is_some() && !now.awaits_answer && now.loads == [Load::None; 2];
        now.phase == Phase::Running && lacking != 0 && may && self.load(tab, lacking, rules)
    }

    /// Modules and all they reach. When the request left the tab makes no difference, only when the server sees it.
    fn load(&mut self, tab: usize, ids: ModuleSet, rules: &Rules) -> bool {
        let tab = &mut self.tabs[tab];
        if !self.server.is_up {
            tab.dropped(rules);
            return true;
        }
        let Some(free) = tab.loads.iter_mut().find(|load| **load == Load::None) else { return false };
        let reach = if ids & (1 << LAZY) != 0 { 1 << ENTRY | 1 << LAZY } else { ids };
        let by_value = tab.by_value && rules.lacking_is_asked_by_value;
        *free = Load::Answered { manifest: self.server.manifest(reach, rules), by_value };
        tab.loads.sort_unstable();
        true
    }
}

impl Tab {
    fn import(&mut self) -> bool {
        let may = self.phase == Phase::Running && self.wanted & (1 << LAZY) == 0;
        self.wanted |= 1 << LAZY;
        may
    }

    fn hear_next(&mut self, rules: &Rules) -> bool {
        let Some(message) = self.told.pop() else { return false };
        self.hear(message, rules);
        true
    }

    fn take_load(&mut self, load: usize, rules: &Rules) -> bool {
        let Load::Answered { manifest, by_value } = self.loads[load] else { return false };
        if !by_value && !self.has_all(&manifest) {
            return false;
        }
        self.loads[load] = Load::None;
        self.loads.sort_unstable();
        self.loaded(&manifest, by_value, rules);
        true
    }

    fn has_all(&self, manifest: &Manifest) -> bool {
        (0..SHEET).all(|module| self.segment(module, manifest) != Some(Segment::Unknown))
    }

    fn awaits_segment(&self, module: usize, content: Content) -> bool {
        let loads = self.loads.iter().filter_map(|load| match load {
            Load::Answered { manifest, by_value: false } => Some(manifest),
            _ => None,
        });
        let page = (self.phase == Phase::Script).then_some(&self.script);
        loads.chain(page).any(|manifest| manifest.segments[module] == content)
    }
}

fn spend(budget: &mut u8) -> bool {
    let has = *budget > 0;
    *budget = budget.saturating_sub(1);
    has
}
