//! What wakes the loop: everything a file, a tab, a request or the events process says enters here.

use std::path::PathBuf;
use std::sync::Arc;

use rekindle_graph::wire::TracedFrame;
use rekindle_graph::{Diagnostic, ModuleUrl};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::http::answer::Answer;
use crate::programs::leases::{EditAnswer, EditRequest};
use crate::tabs::client::ClientId;
use crate::tabs::outbox::Outbox;

/// The loop's inbox. Cloned by the HTTP side, the watcher and the events process.
pub type Inbox = mpsc::UnboundedSender<Event>;

/// Something happened that the loop has to deal with.
#[derive(Debug)]
pub enum Event {
    /// A request that passed the gate and every check; the loop looks its key up and answers.
    Request(Request, oneshot::Sender<Answer>),
    /// A socket passed Host, Origin and token. `Outbox` is how the loop talks to it.
    Connected(ClientId, Outbox),
    /// One text frame of a tab, already parsed. A socket has only a few turns, and reads on when earlier ones are dropped.
    Message(ClientId, Value, SocketTurn),
    /// A browser could not parse a script; the module in it that it stopped at has been found.
    Unreadable(ClientId, UnreadableModule),
    /// An error that was thrown in a tab, to be shown in the terminal.
    Thrown(Diagnostic),
    /// The socket is closed, by whichever side.
    Gone(ClientId),
    /// The file system changed; paths as the watcher names them.
    Files(FileBatch),
    /// Somebody waits until no edit is under way that a command has announced.
    AwaitEdits(oneshot::Sender<()>),
    /// No file has changed for a moment, and no burst is under way: the answer to `Watcher::await_quiet`.
    Quiet,
    /// A command makes an edit of many files, and says where it begins and ends.
    Edit(EditRequest, oneshot::Sender<EditAnswer>),
    /// The user's program (library or events process) sends a custom event: to one client, or to all.
    Send { event: String, data: Option<Value>, to: Option<ClientId> },
    /// A sentence for the terminal, from a part of the server that does not write there itself.
    Warning(String),
    /// Time has passed: answers of tabs may have been waited for long enough, and leases may have run out.
    RoundDue,
    /// Ctrl-C, SIGTERM or `DevServer::stop`.
    Stop,
}

/// A socket's place in the loop's inbox, of which it has only a few. Dropped when its message has been dealt with.
#[derive(Debug)]
pub struct SocketTurn(#[expect(dead_code, reason = "it is there to be dropped")] Option<OwnedSemaphorePermit>);

impl SocketTurn {
    /// One of a few.
    pub(crate) fn one_of(permit: OwnedSemaphorePermit) -> Self {
        Self(Some(permit))
    }

    /// For a tab that waits for each of its messages anyway.
    pub(crate) fn free() -> Self {
        Self(None)
    }
}

/// A module that a browser cannot parse.
#[derive(Clone, Debug)]
pub struct UnreadableModule {
    pub module: ModuleUrl,
    /// Digest of the definition that the browser could not parse.
    pub hash: Arc<str>,
    /// Where it stopped in the source, if that could be found out.
    pub place: Option<TracedFrame>,
    /// What the browser says about it.
    pub message: String,
}

/// A checked request: a key into the loop's tables, never a path on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Path after one strict percent-decode and without `base`; begins with a slash.
    pub path: String,
    /// Query as it was sent, without the question mark and without our cache parameter `t=<digits>`.
    pub query: String,
    /// The browser asks for a page: `Sec-Fetch-Mode: navigate`, or (without that header) `Accept` holds `text/html`,
    /// or anything, where the address looks like a route.
    pub navigation: bool,
    /// What the browser will do with the answer, if that is a script.
    pub wants: RequestPurpose,
    /// From an origin that may read answers and nothing else: it must not be told the token.
    pub guest: bool,
}

/// What an answer is for, by `Sec-Fetch-Dest` and `Sec-Fetch-Mode`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequestPurpose {
    /// `import`, `<script type="module">`
    Module,
    /// `<script src>`, a worker or a worklet that is given an address
    Script,
    /// `fetch()`, an image, …
    Content,
    /// The browser does not say.
    #[default]
    Unsaid,
}

/// File-system news that arrived within a few milliseconds of each other, settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileBatch {
    /// Files that were written, created or removed, each once. What happened is found by looking at the disk.
    pub paths: Vec<PathBuf>,
    /// Folders that appeared, vanished or changed their listing.
    pub folders: Vec<PathBuf>,
    /// When the first of these was noticed, for the latency in the terminal.
    pub noticed: Option<std::time::Instant>,
    /// This batch ends an announced edit: it has all that happened up to `Watcher::release`.
    pub released: bool,
}
