//! What there is to tell about a server, as values with all their facts. The terminal is one way to show them (`terminal.rs`); they can
//! be written as JSON for others.
//!
//! ```text
//! {"kind":"updated","files":["/src/app.tsx"],"outcome":{"tabs":2,"applied":2,…},"took":12.3}
//! ```

use std::time::Duration;

use rekindle_graph::Diagnostic;
use rekindle_graph::wire::ServerReload;
use serde::{Serialize, Serializer};

/// Something that happened. Files are named as the terminal shows them, and times are in milliseconds where this is written as JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum News {
    /// The server listens. Each address has a word about who can reach it.
    Started {
        version: &'static str,
        addresses: Vec<(&'static str, String)>,
        #[serde(serialize_with = "milliseconds")]
        took: Duration,
    },
    /// The wanted port is taken.
    OtherPort { wanted: u16, found: u16 },
    /// Other machines can reach the server.
    Exposed,
    /// What was taken from a settings file: words, and what belongs to each.
    Settings { file: String, rows: Vec<(&'static str, String)> },
    /// These settings files were edited, and the server starts again with them.
    Restarting { files: Vec<String> },
    /// The server cannot start with the new settings, and runs with those it had.
    NotRestarted { error: String },
    /// The browser of this machine could not be opened.
    NoBrowser { url: String },
    /// The build that is previewed has no page at its root.
    NoIndexPage { folder: String, base: String },
    /// A build begins.
    Building { version: &'static str, mode: String },

    /// An update reached the tabs.
    Updated {
        files: Vec<String>,
        outcome: TabsOutcome,
        #[serde(serialize_with = "milliseconds")]
        took: Duration,
    },
    /// A page had to be reloaded.
    Reloaded(Reload),
    /// A worker was started again; the page goes on.
    WorkerRestarted(Reload),
    /// Files were edited while no page was open.
    Changed {
        files: Vec<String>,
        #[serde(serialize_with = "milliseconds")]
        took: Duration,
    },
    /// No tab has said how the update went.
    Unanswered { files: Vec<String> },
    /// A page has cancelled its reload.
    ReloadCancelled { reason: String },
    /// A module has called `import.meta.hot.invalidate()`.
    Invalidated { module: String, message: Option<String> },
    /// All pages start again.
    PagesStartAnew { reason: ServerReload },

    /// Mistakes in the user's files, or errors that pages have thrown. The old page stays alive.
    Failed { errors: Vec<Diagnostic> },
    /// Files that were saved, and whose mistakes are those told before.
    StillBroken { files: Vec<String> },
    /// The mistakes told before are gone.
    Fixed { files: Vec<String> },
    /// What works, but is probably not what the user means: found in sources.
    Warned { warnings: Vec<Diagnostic> },
    /// The same, as a sentence. With a file, the sentence goes on after its name.
    Warning { file: Option<String>, text: String },
    /// A sentence that may be good to know.
    Note { text: String },
    /// A module of Node was imported. It is empty in the page.
    NodeModule { name: String, importer: String },

    /// `rekindle edit` is under way, so updates wait.
    EditUnderWay,
    /// An edit was begun and neither renewed nor committed.
    EditAbandoned {
        #[serde(serialize_with = "milliseconds")]
        lease: Duration,
    },
    /// The server has caught a panic of its own.
    Crashed,
}

/// A page or a worker that was started again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reload {
    /// The file that was edited.
    pub file: String,
    /// `None`: no module accepts the change.
    pub reason: Option<String>,
    /// How the change reaches the page: module by module.
    pub chain: Vec<String>,
    #[serde(serialize_with = "milliseconds")]
    pub took: Duration,
}

/// How an update went, summed over the tabs that received it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TabsOutcome {
    /// Tabs that received the update.
    pub tabs: usize,
    /// Tabs that run the new code.
    pub applied: usize,
    /// Workers that run the new code.
    pub workers: usize,
    /// Tabs that had not loaded any of the changed modules.
    pub untouched: usize,
    /// Tabs that went back to the old code because the new one threw, with what it threw.
    pub failed: Vec<String>,
    /// Modules of which such tabs keep the old code, with what they import.
    pub kept: Vec<String>,
    /// Modules at which the update stopped, where they are others than the changed ones.
    pub boundaries: Vec<String>,
}

impl News {
    /// The port is not the one that was wanted; 0 is any.
    pub fn of_port(wanted: u16, found: u16) -> Option<Self> {
        (found != wanted && wanted != 0).then_some(Self::OtherPort { wanted, found })
    }
}

fn milliseconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64() * 1000.0)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const SOON: Duration = Duration::from_micros(12_345);

    /// A list of news, and a function that names their kind. It does not compile when a kind is missing.
    macro_rules! all_kinds {
        ($($variant:ident => $news:expr),+ $(,)?) => {
            fn kind_of(news: &News) -> &'static str {
                match news {
                    $(News::$variant { .. } => stringify!($variant)),+
                }
            }

            /// News of each kind.
            pub(in crate::report) fn one_of_each() -> Vec<News> {
                vec![$($news),+]
            }
        };
    }

    all_kinds! {
        Started => News::Started { version: "0.1.0", addresses: vec![("Local:", text())], took: SOON },
        OtherPort => News::OtherPort { wanted: 5173, found: 5174 },
        Exposed => News::Exposed,
        Settings => News::Settings { file: text(), rows: vec![("taken", text())] },
        Restarting => News::Restarting { files: files() },
        NotRestarted => News::NotRestarted { error: text() },
        NoBrowser => News::NoBrowser { url: text() },
        NoIndexPage => News::NoIndexPage { folder: text(), base: text() },
        Building => News::Building { version: "0.1.0", mode: text() },
        Updated => News::Updated { files: files(), outcome: TabsOutcome::default(), took: SOON },
        Reloaded => News::Reloaded(reload()),
        WorkerRestarted => News::WorkerRestarted(reload()),
        Changed => News::Changed { files: files(), took: SOON },
        Unanswered => News::Unanswered { files: files() },
        ReloadCancelled => News::ReloadCancelled { reason: text() },
        Invalidated => News::Invalidated { module: text(), message: Some(text()) },
        PagesStartAnew => News::PagesStartAnew { reason: ServerReload::FrameworkChanged },
        Failed => News::Failed { errors: vec![Diagnostic::error("text")] },
        StillBroken => News::StillBroken { files: files() },
        Fixed => News::Fixed { files: files() },
        Warned => News::Warned { warnings: vec![Diagnostic::error("text")] },
        Warning => News::Warning { file: Some(text()), text: text() },
        Note => News::Note { text: text() },
        NodeModule => News::NodeModule { name: text(), importer: text() },
        EditUnderWay => News::EditUnderWay,
        EditAbandoned => News::EditAbandoned { lease: SOON },
        Crashed => News::Crashed,
    }

    fn files() -> Vec<String> {
        vec!["/src/app.tsx".to_owned()]
    }

    fn text() -> String {
        "text".to_owned()
    }

    fn reload() -> Reload {
        Reload { file: text(), reason: Some(text()), chain: files(), took: SOON }
    }

    #[test]
    fn all_kinds_of_news_can_be_written_as_json() {
        for news in one_of_each() {
            let written = serde_json::to_value(&news).unwrap();
            let kind = written["kind"].as_str().unwrap().replace('-', "");
            assert_eq!(kind, kind_of(&news).to_lowercase(), "{written}");
        }
    }

    #[test]
    fn the_facts_of_news_are_fields_and_times_are_milliseconds() {
        let outcome = TabsOutcome { tabs: 2, applied: 2, ..TabsOutcome::default() };
        let news = News::Updated { files: vec!["/src/app.tsx".to_owned()], outcome, took: SOON };
        let written = serde_json::to_value(news).unwrap();
        assert_eq!((written["outcome"]["applied"].as_u64(), written["took"].as_f64()), (Some(2), Some(12.345)));
        assert_eq!(written["files"][0], "/src/app.tsx");
    }
}
