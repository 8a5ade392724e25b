//! The tab's part: a replica of some rows of the server's table.

use crate::rules::Rules;
use crate::world::{
    BEFORE, ClientMessage, Content, ENTRY, Holding, LAZY, MODULES, Manifest, ModuleSet, NOTHING, News, Number, Phase,
    SHEET, Segment, ServerMessage, Standing, Tab,
};

impl Tab {
    // ---- the page starts

    /// The page's script runs: all its segments are here.
    pub fn boot(&mut self, rules: &Rules) {
        let (text_session, text_seq) = self.text;
        let manifest = self.script;
        if self.has_failed_segment(&manifest) || (rules.text_has_session && text_session != manifest.session) {
            self.phase = Phase::Failed;
            return;
        }
        self.phase = Phase::Running;
        self.wanted = 1 << ENTRY;
        // Only where a batch may start the replica, one may have been taken already.
        if self.session.is_none() {
            self.session = Some(manifest.session);
            self.seq = if rules.seq_starts_at_text { text_seq } else { manifest.seq };
        }
        let sheet = &mut self.holdings[SHEET];
        sheet.definition_at = sheet.definition_at.max(if rules.seq_starts_at_text { text_seq } else { manifest.seq });
        if !rules.comparison_brings_sheets {
            sheet.definition = manifest.segments[SHEET];
        }
        self.script = Manifest::default();
        self.text = (0, 0);
        self.take_manifest(&manifest, false, rules);
        if self.is_connected {
            self.hello();
        }
    }

    pub fn has_failed_segment(&self, manifest: &Manifest) -> bool {
        (0..SHEET).any(|module| self.segment(module, manifest) == Some(Segment::Failed))
    }

    /// The segment of a module that the manifest names.
    pub fn segment(&self, module: usize, manifest: &Manifest) -> Option<Segment> {
        let content = manifest.segments[module];
        (content != NOTHING).then(|| self.segments[module][usize::from(content) - 1])
    }

    // ---- taking in

    /// The modules of a manifest, as of its number. False if it is of another session, or of before the tab was in it.
    fn take_manifest(&mut self, manifest: &Manifest, by_value: bool, rules: &Rules) -> bool {
        if !self.is_news(manifest.session, manifest.seq, rules) {
            return false;
        }
        for module in (0..SHEET).filter(|module| manifest.reach & (1 << module) != 0) {
            let content = manifest.segments[module];
            self.take_standing(module, manifest.standings[module], manifest.seq, rules);
            match self.segment(module, manifest) {
                None => {}
                Some(_) if by_value => self.take_definition(module, content, manifest.seq, rules),
                Some(Segment::Outgrown { session, seq, definition }) => {
                    let seq = if rules.outgrown_segment_has_number { seq } else { manifest.seq };
                    if definition != NOTHING && self.is_news(session, seq, rules) {
                        self.take_definition(module, definition, seq, rules);
                    }
                }
                Some(Segment::Forgotten) => {}
                Some(_) => {
                    self.take_definition(module, content, manifest.seq, rules);
                    if !rules.segments_are_kept {
                        self.segments[module][usize::from(content) - 1] = Segment::Forgotten;
                    }
                }
            }
        }
        true
    }

    fn is_news(&self, session: u8, seq: Number, rules: &Rules) -> bool {
        let is_ours = self.session == Some(session) || !rules.foreign_carriers_bring_nothing;
        is_ours && (seq >= self.entered_at || !rules.carriers_before_comparison_bring_nothing)
    }

    fn take_definition(&mut self, module: usize, definition: Content, at: Number, rules: &Rules) {
        let holding = &mut self.holdings[module];
        if definition == NOTHING && !rules.deletion_has_number {
            (holding.definition, holding.definition_at) = (NOTHING, BEFORE);
            return;
        }
        if at <= holding.definition_at && rules.newer_definition_wins {
            return;
        }
        if definition == holding.definition && !rules.equal_content_raises_number {
            return;
        }
        (holding.definition, holding.definition_at) = (definition, at);
        self.swaps_sheet |= module == SHEET;
    }

    fn take_standing(&mut self, module: usize, standing: Standing, at: Number, rules: &Rules) {
        let holding = &mut self.holdings[module];
        if at > holding.standing_at || !rules.newer_standing_wins {
            (holding.standing, holding.standing_at) = (standing, at);
        }
    }

    fn take_news(&mut self, news: &[News; MODULES], rules: &Rules) {
        for (module, news) in news.iter().enumerate() {
            if let Some((definition, at)) = news.definition {
                self.take_definition(module, definition, at, rules);
            }
            if let Some((standing, at)) = news.standing {
                self.take_standing(module, standing, at, rules);
            }
        }
    }

    // ---- the socket

    pub fn connect(&mut self, rules: &Rules) {
        self.is_connected = true;
        if rules.new_socket_ends_old_one {
            self.told.clear();
        }
        if self.phase == Phase::Running && rules.hello_on_every_socket {
            self.hello();
        }
    }

    fn hello(&mut self) {
        self.is_asking = true;
        self.said.push(ClientMessage::Hello { session: self.session, seq: self.seq });
    }

    /// Not while an answer is awaited; without a socket the next one begins with it.
    fn ask_once_more(&mut self) {
        if self.is_connected && !self.is_asking {
            self.hello();
        }
    }

    pub fn hear(&mut self, message: ServerMessage, rules: &Rules) {
        match message {
            ServerMessage::Compare => self.tell_versions(rules),
            ServerMessage::Welcome { session, seq } if self.session == Some(session) => {
                self.seq = self.seq.max(seq);
                self.answered();
            }
            ServerMessage::Welcome { .. } => {}
            ServerMessage::Batch { session, since: None, seq, news } => {
                self.take_comparison(session, seq, &news, rules)
            }
            ServerMessage::Batch { session, since: Some(since), seq, news } => {
                self.take_batch(session, (since, seq), &news, rules);
            }
        }
    }

    fn answered(&mut self) {
        self.is_asking = false;
        self.awaits_answer = false;
    }

    fn take_batch(&mut self, session: u8, (since, seq): (Number, Number), news: &[News; MODULES], rules: &Rules) {
        if self.phase != Phase::Running {
            if rules.only_script_begins {
                return;
            }
            if self.session.is_none() {
                (self.session, self.seq) = (Some(session), seq);
            }
        }
        if self.session != Some(session) {
            if rules.only_comparison_enters_session {
                return;
            }
            self.enter(session, seq, rules);
            self.answered();
        }
        if !rules.batches_say_since {
            if seq > self.seq + 1 {
                return self.hello();
            }
            self.seq = self.seq.max(seq);
            self.take_news(news, rules);
            return self.answered();
        }
        self.take_news(news, rules);
        if since <= self.seq || !rules.gap_keeps_seq {
            self.seq = self.seq.max(seq);
            self.answered();
        } else {
            // What a socket brought before it was answered may begin anywhere.
            self.has_seen_gap |= self.is_connected && !self.is_asking;
            self.ask_once_more();
        }
    }

    fn take_comparison(&mut self, session: u8, seq: Number, news: &[News; MODULES], rules: &Rules) {
        if self.session != Some(session) {
            self.enter(session, seq, rules);
        }
        self.take_news(news, rules);
        self.answered();
    }

    /// All that is held is of before the session.
    fn enter(&mut self, session: u8, seq: Number, rules: &Rules) {
        let kept = if rules.seq_ends_with_session { seq } else { self.seq.max(seq) };
        (self.session, self.seq) = (Some(session), kept);
        if rules.numbers_end_with_session {
            for holding in &mut self.holdings {
                *holding = Holding { definition_at: BEFORE, standing_at: BEFORE, ..*holding };
            }
        }
        self.entered_at = if rules.carriers_before_comparison_bring_nothing { seq } else { 0 };
    }

    fn tell_versions(&mut self, rules: &Rules) {
        if rules.compare_ends_session {
            (self.session, self.entered_at) = (None, 0);
            if rules.seq_ends_with_session {
                self.seq = 0;
            }
        }
        if !self.is_connected {
            return; // It was said on a socket of before; the next `hello` is answered by it again.
        }
        let version = |module: usize| -> Option<(Content, Standing)> {
            let holding = &self.holdings[module];
            let is_known = holding.definition != NOTHING || holding.standing != Standing::Fine;
            (is_known || self.wanted & (1 << module) != 0).then_some((holding.definition, holding.standing))
        };
        let sheet = if self.sheet == NOTHING {
            None // The page links none.
        } else if rules.comparison_brings_sheets {
            Some((NOTHING, Standing::Fine))
        } else {
            Some((self.holdings[SHEET].definition, Standing::Fine))
        };
        let lazy = version(LAZY);
        if lazy.is_some() {
            self.said.push(ClientMessage::Versions { versions: [version(ENTRY), None, sheet], is_last: false });
            self.said.push(ClientMessage::Versions { versions: [None, lazy, None], is_last: true });
        } else {
            self.said.push(ClientMessage::Versions { versions: [version(ENTRY), None, sheet], is_last: true });
        }
    }

    // ---- loads

    /// What it wants to run, could, and does not have.
    pub fn lacking(&self) -> ModuleSet {
        let lacks = |module: &usize| {
            let holding = &self.holdings[*module];
            self.wanted & (1 << module) != 0 && holding.definition == NOTHING && holding.standing == Standing::Fine
        };
        [ENTRY, LAZY].into_iter().filter(lacks).map(|module| 1 << module).sum()
    }

    /// The answer of a load, with all its segments.
    pub fn loaded(&mut self, manifest: &Manifest, by_value: bool, rules: &Rules) {
        if !by_value && self.has_failed_segment(manifest) {
            self.by_value = true;
            return;
        }
        if !self.take_manifest(manifest, by_value, rules) {
            return self.dropped(rules);
        }
        let named = |module: &usize| manifest.segments[*module] != NOTHING;
        let lacking = self.lacking();
        self.by_value = (0..SHEET).filter(named).any(|module| lacking & (1 << module) != 0);
    }

    /// A load came to nothing.
    pub fn dropped(&mut self, rules: &Rules) {
        if rules.dropped_load_waits_for_hello {
            self.awaits_answer = true;
            if rules.dropped_load_is_asked_again {
                self.ask_once_more();
            }
        }
    }
}
