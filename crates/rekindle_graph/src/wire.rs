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
    pub session: String,
    /// Number of the last batch that is in the definitions that come along.
    pub seq: u64,
    /// Only for a page's start: number as of which its text was written; absent if that was another session's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    /// Addresses of the segments that came along: what they define is as of `seq`.
    pub segments: Vec<String>,
    pub env: Value,
    pub errors: Errors,
    /// Only for a page's start: its name and its module scripts in document order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Digest of the page's own text.
    #[serde(rename = "pageHash", skip_serializing_if = "Option::is_none")]
    pub page_hash: Option<String>,
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
    pub modules: Vec<ModuleUrl>,
}

/// What the server says.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ServerMessage {
    Batch(Batch),
    /// The first message on a connection.
    Connected,
    Pong,
    /// What the tab said of a script that it cannot parse has been noted.
    Unreadable,
    /// The tab comes from another start of the server: it is asked for the digests of its modules.
    Compare,
    Welcome {
        session: String,
        seq: u64,
    },
    Custom {
        event: String,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        data: Option<Value>,
    },
    Traced {
        id: u64,
        frames: Vec<Option<TracedFrame>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        frame: Option<String>,
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
    pub session: String,
    /// Absent: all in which a tab of another session differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<u64>,
    pub seq: u64,
    /// Milliseconds since the epoch.
    pub timestamp: u64,
    pub definitions: Vec<PushedDefinition>,
    pub deleted: Vec<ModuleUrl>,
    pub errors: Errors,
    pub fixed: Vec<ModuleUrl>,
    /// Sheets of `<link>` elements that changed, with their digests.
    pub links: Vec<(ModuleUrl, String)>,
    pub pages: Vec<EditedPage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<Value>,
    /// Pages have to start anew, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reload: Option<String>,
}

/// A definition as script text: one `$d(…)` call.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PushedDefinition {
    pub id: ModuleUrl,
    pub code: String,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct EditedPage {
    pub page: String,
    pub file: String,
    /// Digest of its text now.
    pub hash: String,
    /// Its text as the tab got it; none where that is not known any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    pub after: String,
    /// Its module scripts are others than before.
    pub scripts: bool,
}

/// A position in an original source; lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct TracedFrame {
    pub file: String,
    pub line: u32,
    pub column: u32,
}

/// What a tab says. Anything else is ignored.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ClientMessage {
    Ping,
    Hello {
        page: Option<String>,
        session: String,
        seq: u64,
        #[serde(default)]
        entries: Vec<String>,
        /// It is a worker, not a page.
        #[serde(default)]
        worker: bool,
    },
    /// Parts of one list, so that no message grows without end; the page and its entries come with the last.
    Versions {
        #[serde(skip_serializing_if = "Option::is_none")]
        page: Option<String>,
        #[serde(default, rename = "pageHash", skip_serializing_if = "Option::is_none")]
        page_hash: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        entries: Vec<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        errors: Vec<String>,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        modules: BTreeMap<String, String>,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        last: bool,
    },
    Custom {
        event: String,
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        data: Option<Value>,
    },
    Applied(Applied),
    /// A script that the browser cannot parse, and where.
    Unreadable {
        script: String,
        line: u32,
        column: u32,
        message: String,
    },
    Trace {
        id: u64,
        /// Script address, line and column, counted from 1.
        frames: Vec<(String, u32, u32)>,
        /// It is about an import whose name is not there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lacks: Option<Lacks>,
        /// What is to be told in the terminal.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<String>,
    },
}

/// A name that `importer` takes of `source`, which does not export it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Lacks {
    pub importer: String,
    /// How `source` is called where it is imported.
    pub specifier: String,
    pub source: String,
    pub name: String,
}

/// How an update went in a tab.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Applied {
    pub seq: u64,
    pub result: Outcome,
    #[serde(default)]
    pub boundaries: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Nothing,
    Updated,
    Reload,
    /// The page cancelled its reload.
    Stayed,
    /// A worker makes room for a new thread.
    Restart,
    Failed,
    /// Something it needs has an error of its own.
    Waiting,
}

/// `null` is data; only a missing field is none.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
