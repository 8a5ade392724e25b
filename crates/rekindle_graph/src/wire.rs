//! Messages between the server and a tab, as JSON over the socket. The client's `core/messages.ts` is the other half; samples of all
//! messages in `client/test/messages.json` hold the two together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::diagnostic::Diagnostic;
use crate::names::ModuleUrl;

/// Modules whose newest source cannot run, with the reasons.
pub type Errors = BTreeMap<String, Vec<Diagnostic>>;

/// What a page is told when it starts, and again with each set of modules it asks for.
#[derive(Clone, Debug, Serialize)]
pub struct Manifest {
    /// Which start of the server speaks.
    pub session: String,
    /// Number of the last batch that is in the definitions that come along.
    pub seq: u64,
    /// Only for a page's start: number as of which its text was written; absent if that was another session's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Addresses of the segments that came along: what they define is as of `seq`.
    pub segments: Vec<String>,
    /// The values of `import.meta.env`, an object.
    pub env: Value,
    /// Modules of the page that cannot run.
    pub errors: Errors,
    /// Only for a page's start: its name and its module scripts in document order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Digest of the page's own text.
    #[serde(rename = "pageHash", skip_serializing_if = "Option::is_none")]
    pub page_hash: Option<String>,
    /// Its module scripts in document order; only for a page's start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<ModuleUrl>>,
    /// Sheets of its `<link>` elements, with their digests.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sheets: Vec<(ModuleUrl, String)>,
    /// What refreshes the page's components.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<RefreshModules>,
}

/// What refreshes the components of a page, and the modules of it that run before all others, so that the framework finds them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefreshModules {
    /// `react` or `preact`.
    pub framework: &'static str,
    /// In the order in which they run.
    pub modules: Vec<ModuleUrl>,
}

/// What the server says.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ServerMessage {
    /// What a burst of saves did, or what a tab has missed.
    Batch(Batch),
    /// The first message on a connection.
    Connected,
    /// The answer to a ping.
    Pong,
    /// What the tab said of a script that it cannot parse has been noted.
    Unreadable,
    /// The tab comes from another start of the server: it is asked for the digests of its modules.
    Compare,
    /// The answer to a tab that has said hello: from here on it gets batches.
    Welcome {
        /// Which start of the server speaks.
        session: String,
        /// Number of the last batch.
        seq: u64,
    },
    /// A custom event.
    Custom {
        /// Its name.
        event: String,
        /// What came with it; none if nothing did.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        data: Option<Value>,
    },
    /// Positions in sources, for a stack that the tab had asked about.
    Traced {
        /// The number that the tab gave its question.
        id: u64,
        /// For each frame its place in a source, or none if it has no source here.
        frames: Vec<Option<TracedFrame>>,
        /// The lines of source around the first place.
        #[serde(skip_serializing_if = "Option::is_none")]
        frame: Option<String>,
        /// What to do about it.
        #[serde(skip_serializing_if = "Option::is_none")]
        help: Option<String>,
        /// These are the first frames; the answer with all of them follows.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        more: bool,
    },
}

/// What the batches after `since` did, up to `seq`, as it stands as of `seq`. A save is one with `since` = `seq` - 1.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Batch {
    /// Which start of the server speaks.
    pub session: String,
    /// Absent: all in which a tab of another session differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Number of the batch.
    pub seq: u64,
    /// Milliseconds since the epoch.
    pub timestamp: u64,
    /// Modules with new code.
    pub definitions: Vec<PushedDefinition>,
    /// Modules whose files are gone.
    pub deleted: Vec<ModuleUrl>,
    /// Modules that cannot run, with the reasons.
    pub errors: Errors,
    /// Modules whose errors are over.
    pub fixed: Vec<ModuleUrl>,
    /// Sheets of `<link>` elements that changed, with their digests.
    pub links: Vec<(ModuleUrl, String)>,
    /// HTML pages whose text has changed.
    pub pages: Vec<EditedPage>,
    /// The values of `import.meta.env`, if one of them has changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<Value>,
    /// Pages have to start anew, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reload: Option<ServerReload>,
}

/// Why the server asks all pages to start anew. The terminal has words for it in `terminal.rs` (server), and the page in `reload.ts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ServerReload {
    /// A component framework, or its refresh runtime, was installed or removed. A framework finds its refresh runtime only if that
    /// runs before it.
    FrameworkChanged,
}

/// A definition as script text: one `$d(…)` call.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PushedDefinition {
    /// Which module it defines.
    pub id: ModuleUrl,
    /// The text of the call.
    pub code: String,
}

/// An HTML page whose text, or whose scripts, have changed.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct EditedPage {
    /// The page's name: its path below the base.
    pub page: String,
    /// The file it was read from, relative to the project folder.
    pub file: String,
    /// Digest of its text now.
    pub hash: String,
    /// Its text as the tab got it; none where that is not known any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Its text as it is now.
    pub after: String,
    /// Its module scripts are others than before.
    pub scripts: bool,
}

/// A position in an original source; lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct TracedFrame {
    /// As the user knows it: relative to the project folder where it lies inside.
    pub file: String,
    /// The first line is 1.
    pub line: u32,
    /// The first column is 1.
    pub column: u32,
}

/// What a tab says. Anything else is ignored.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ClientMessage {
    /// Whether somebody is there.
    Ping,
    /// The first message of a connection: who speaks, and how far it is.
    Hello {
        /// The page that the tab shows; none for a worker.
        page: Option<String>,
        /// Which start of the server the tab's code is from.
        session: String,
        /// The last batch that it has.
        seq: u64,
        /// Its module scripts.
        #[serde(default)]
        entries: Vec<String>,
        /// It is a worker, not a page.
        #[serde(default)]
        worker: bool,
    },
    /// Parts of one list, so that no message grows without end; the page and its entries come with the last.
    Versions {
        /// The page that the tab shows; none for a worker.
        #[serde(skip_serializing_if = "Option::is_none")]
        page: Option<String>,
        /// Digest of the page's own text; none for a worker.
        #[serde(default, rename = "pageHash", skip_serializing_if = "Option::is_none")]
        page_hash: Option<String>,
        /// Its module scripts.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        entries: Vec<String>,
        /// Modules that it takes for broken.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        errors: Vec<String>,
        /// Digests of definitions, by module.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        modules: BTreeMap<String, String>,
        /// No more parts follow.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        last: bool,
    },
    /// A custom event.
    Custom {
        /// Its name.
        event: String,
        /// What comes with it; none if nothing does.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        data: Option<Value>,
    },
    /// How an update went.
    Applied(UpdateReport),
    /// A script that the browser cannot parse, and where.
    Unreadable {
        /// Its address.
        script: String,
        /// The first line is 1.
        line: u32,
        /// The first column is 1.
        column: u32,
        /// What the browser says of it.
        message: String,
    },
    /// Asks for the places in sources that a stack is about.
    Trace {
        /// A number that the answer repeats.
        id: u64,
        /// Script address, line and column, counted from 1.
        frames: Vec<(String, u32, u32)>,
        /// It is about an import whose name is not there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lacks: Option<LackingImport>,
        /// What is to be told in the terminal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<String>,
    },
}

/// A name that `importer` takes of `source`, which does not export it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct LackingImport {
    /// The module that imports the name.
    pub importer: String,
    /// How `source` is called where it is imported.
    pub specifier: String,
    /// The module that does not have it.
    pub source: String,
    /// The name as it is imported.
    pub name: String,
}

/// How an update went in a tab.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct UpdateReport {
    /// Number of the batch that the update was of.
    pub seq: u64,
    /// How it went.
    pub result: Outcome,
    /// Modules at which it stopped.
    #[serde(default)]
    pub boundaries: Vec<String>,
    /// From the edited module to the one that nobody accepts for, each imported by the next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
    /// Why the page reloads, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the new code threw, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What became of an update in a tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The tab has not loaded what was edited.
    Nothing,
    /// The new code runs.
    Updated,
    /// The page reloads.
    Reload,
    /// The page cancelled its reload.
    Stayed,
    /// A worker makes room for a new thread.
    Restart,
    /// The new code threw, and the tab has gone back to the old.
    Failed,
    /// Something it needs has an error of its own.
    Waiting,
}

/// `null` is data; only a missing field is none.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
