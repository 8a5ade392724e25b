//! The server's part: what a save, a request and a message of a tab do.

use crate::rules::Rules;
use crate::world::{
    ClientMessage, Content, MODULES, Manifest, ModuleSet, NOTHING, News, Number, Record, SHEET, Server, ServerMessage,
    Stage, Standing, Tab, Version, World,
};

/// What a save makes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Save {
    Good(Content),
    Broken,
    Gone,
}

impl World {
    /// A file is saved: one batch, if the server runs. False if nothing changes by it.
    pub fn save(&mut self, module: usize, save: Save, rules: &Rules) -> bool {
        let server = &mut self.server;
        let before = server.records[module];
        let record = &mut server.records[module];
        let seq = server.seq + 1;
        let (definition, standing) = match save {
            Save::Good(content) => (content, Standing::Fine),
            Save::Broken => (record.definition, Standing::Broken),
            Save::Gone => (NOTHING, Standing::Gone),
        };
        let is_deleted = record.standing != standing && standing == Standing::Gone;
        if record.definition != definition || is_deleted {
            (record.definition, record.definition_at) = (definition, seq);
        }
        if record.standing != standing {
            (record.standing, record.standing_at) = (standing, seq);
        }
        if *record == before {
            return false;
        }
        if server.is_up {
            server.seq = seq;
            self.publish(rules);
        }
        true
    }

    fn publish(&mut self, rules: &Rules) {
        let server = &self.server;
        let batch = batch(server, server.seq - 1, server.news_since(server.seq - 1, rules));
        for tab in &mut self.tabs {
            let hears = match tab.stage {
                Stage::Silent => rules.silent_sockets_hear,
                Stage::Compared => !rules.compared_tabs_wait,
                Stage::InStep => true,
                Stage::LeftOut => false,
            };
            if tab.is_connected && hears {
                tab.told.push(batch);
            }
        }
    }
}

fn batch(server: &Server, since: Number, news: [News; MODULES]) -> ServerMessage {
    ServerMessage::Batch { session: server.session, since: Some(since), seq: server.seq, news }
}

impl Server {
    /// A new session: it knows files as they are now, and nothing of before.
    pub fn start(&mut self) {
        self.is_up = true;
        self.session += 1;
        self.seq = 0;
        self.given = [0; MODULES];
        for record in &mut self.records {
            *record = Record { definition: record.served(), definition_at: 0, standing_at: 0, ..*record };
        }
    }

    fn news_since(&self, seq: Number, rules: &Rules) -> [News; MODULES] {
        self.records.map(|record| {
            let is_told = rules.broken_modules_keep_definition || record.standing != Standing::Broken;
            News {
                definition: (record.definition_at > seq && is_told)
                    .then_some((record.definition, record.definition_at)),
                standing: (record.standing_at > seq).then_some((record.standing, record.standing_at)),
            }
        })
    }

    /// Names the segments of `reach`, which gives their addresses away.
    pub fn manifest(&mut self, reach: ModuleSet, rules: &Rules) -> Manifest {
        let mut manifest = Manifest { session: self.session, seq: self.seq, reach, ..Manifest::default() };
        for module in (0..SHEET).filter(|module| reach & (1 << module) != 0) {
            let content = self.records[module].served();
            manifest.segments[module] = content;
            manifest.standings[module] = self.records[module].standing;
            if content != NOTHING {
                let before = if rules.addresses_stay_known { self.given[module] } else { 0 };
                self.given[module] = before | 1 << content;
            }
        }
        manifest.segments[SHEET] = self.records[SHEET].definition;
        manifest
    }

    /// The server's side of one message of a tab; the answer goes to the tab.
    pub fn hear(&self, tab: &mut Tab, message: ClientMessage, rules: &Rules) {
        match message {
            ClientMessage::Hello { session, seq } => {
                tab.stage = if session == Some(self.session) { Stage::InStep } else { Stage::Compared };
                tab.versions = [None; MODULES];
                tab.compared = [News::default(); MODULES];
                let answer = if session != Some(self.session) {
                    ServerMessage::Compare
                } else if seq >= self.seq {
                    ServerMessage::Welcome { session: self.session, seq: self.seq }
                } else {
                    batch(self, seq, self.news_since(seq, rules))
                };
                tab.told.push(answer);
            }
            ClientMessage::Versions { versions, is_last } => self.collect(tab, versions, is_last, rules),
        }
    }

    fn collect(&self, tab: &mut Tab, versions: [Version; MODULES], is_last: bool, rules: &Rules) {
        if tab.stage != Stage::Compared {
            return; // Nobody has asked for them, or they are compared already.
        }
        for (module, version) in versions.into_iter().enumerate() {
            let Some(version) = version else { continue };
            if rules.comparison_is_of_one_moment {
                tab.versions[module] = Some(version);
            } else {
                tab.compared[module] = self.compare(module, version, rules);
            }
        }
        if !is_last {
            return;
        }
        let mut news = tab.compared;
        if rules.comparison_is_of_one_moment {
            news = std::array::from_fn(|module| {
                tab.versions[module].map_or(News::default(), |version| self.compare(module, version, rules))
            });
        }
        tab.versions = [None; MODULES];
        tab.compared = [News::default(); MODULES];
        tab.stage = if rules.compared_tabs_listen { Stage::InStep } else { Stage::LeftOut };
        tab.told.push(ServerMessage::Batch { session: self.session, since: None, seq: self.seq, news });
    }

    fn compare(&self, module: usize, (definition, standing): (Content, Standing), rules: &Rules) -> News {
        let record = &self.records[module];
        if record.standing == Standing::Gone && !rules.comparison_names_gone {
            return News::default();
        }
        // Broken since the start: there is no good definition, and the tab goes on with its own.
        let has_definition = record.definition != NOTHING || record.standing == Standing::Gone;
        News {
            definition: (record.definition != definition && has_definition).then_some((record.definition, self.seq)),
            standing: (record.standing != standing).then_some((record.standing, self.seq)),
        }
    }
}

/// A tab's side of the connection ends, and with it the server's.
pub fn disconnect(tab: &mut Tab, is_received: bool) {
    tab.is_connected = false;
    tab.stage = Stage::Silent;
    tab.is_asking = false;
    tab.versions = [None; MODULES];
    tab.compared = [News::default(); MODULES];
    tab.said.clear();
    if !is_received {
        tab.told.clear();
    }
}
