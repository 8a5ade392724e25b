//! What the model is made of: one server, up to two tabs, the messages between them.
//!
//! Everything is small and `Copy`, so that a state is a few hundred bytes and a step is a copy with one change.

use std::hash::{Hash, Hasher};

/// The module that comes with the page.
pub const ENTRY: usize = 0;
/// A module that comes with `import()`, and imports `ENTRY`.
pub const LAZY: usize = 1;
/// The sheet of a `<link>`, which the browser loads by itself.
pub const SHEET: usize = 2;
pub const MODULES: usize = 3;
pub const NAMES: [&str; MODULES] = ["entry.js", "lazy.js", "linked.css"];
/// A set of modules, one bit each.
pub type ModuleSet = u8;

/// The number of a batch. A number means nothing outside its session.
pub type Number = i8;
/// Of before the session, or never.
pub const BEFORE: Number = -1;

/// What a source says: 0 is nothing, 1 and 2 are two versions of it.
pub type Content = u8;
pub const NOTHING: Content = 0;
/// A sheet that the browser could not load.
pub const FAILED: Content = 3;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Standing {
    #[default]
    Fine,
    Broken,
    Gone,
}

/// A row of the server's table: what a module is, how it stands, and since when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Record {
    pub definition: Content,
    pub definition_at: Number,
    pub standing: Standing,
    pub standing_at: Number,
}

impl Record {
    /// What a page that starts now gets of it.
    pub fn served(&self) -> Content {
        if self.standing == Standing::Fine { self.definition } else { NOTHING }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Server {
    pub is_up: bool,
    pub session: u8,
    pub seq: Number,
    pub records: [Record; MODULES],
    /// Addresses given away in this session, by module: one bit for each content.
    pub given: [u8; MODULES],
}

/// What comes with a page's script or an answer of `/load`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Manifest {
    pub session: u8,
    pub seq: Number,
    pub reach: ModuleSet,
    /// The addresses of the segments: the digest of a content stands for that content.
    pub segments: [Content; MODULES],
    pub standings: [Standing; MODULES],
}

/// A segment in a tab, by its address. A document fetches an address once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Segment {
    #[default]
    Unknown,
    /// The content that its address says.
    Exact,
    /// A newer one, with its own number.
    Outgrown {
        session: u8,
        seq: Number,
        definition: Content,
    },
    /// Its definitions were taken in, and are not kept.
    Forgotten,
    Failed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Load {
    #[default]
    None,
    Answered {
        manifest: Manifest,
        by_value: bool,
    },
}

/// What a batch says of one module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct News {
    pub definition: Option<(Content, Number)>,
    pub standing: Option<(Standing, Number)>,
}

/// From the server to a tab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ServerMessage {
    #[default]
    Compare,
    Welcome {
        session: u8,
        seq: Number,
    },
    Batch {
        session: u8,
        /// None: the answer to `versions`, which is a comparison with all that the tab holds.
        since: Option<Number>,
        seq: Number,
        news: [News; MODULES],
    },
}

/// What a tab says it has of a module.
pub type Version = Option<(Content, Standing)>;

/// From a tab to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientMessage {
    Hello { session: Option<u8>, seq: Number },
    Versions { versions: [Version; MODULES], is_last: bool },
}

impl Default for ClientMessage {
    fn default() -> Self {
        Self::Hello { session: None, seq: 0 }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    #[default]
    Closed,
    /// It has the page's text.
    Text,
    /// It has the page's script, which waits for its segments.
    Script,
    Running,
    /// Its script could not be had.
    Failed,
}

/// What a tab holds of one module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Holding {
    pub definition: Content,
    pub definition_at: Number,
    pub standing: Standing,
    pub standing_at: Number,
}

impl Default for Holding {
    fn default() -> Self {
        Self { definition: NOTHING, definition_at: BEFORE, standing: Standing::Fine, standing_at: BEFORE }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tab {
    pub phase: Phase,
    /// Session and number of the page's text.
    pub text: (u8, Number),
    /// Of the page, until it runs.
    pub script: Manifest,

    /// None: it left a session, or has not begun one.
    pub session: Option<u8>,
    pub seq: Number,
    /// The number at which it entered the session.
    pub entered_at: Number,
    pub holdings: [Holding; MODULES],
    pub wanted: ModuleSet,
    /// By module and content.
    pub segments: [[Segment; 2]; 2],
    pub loads: [Load; 2],
    /// Its next load is by value.
    pub by_value: bool,
    /// A load came to nothing: it asks again when `hello` is answered.
    pub awaits_answer: bool,
    /// The sheet that the page shows, and whether another one is to be fetched.
    pub sheet: Content,
    pub swaps_sheet: bool,
    pub has_seen_gap: bool,

    pub is_connected: bool,
    /// It has said `hello` and not been answered.
    pub is_asking: bool,
    pub said: Queue<ClientMessage, 8>,
    /// On the way to it, or received and not handled yet.
    pub told: Queue<ServerMessage, 8>,

    /// The server's side of the connection.
    pub stage: Stage,
    pub versions: [Version; MODULES],
    /// Only with the rule that compares each part by itself.
    pub compared: [News; MODULES],
}

/// How far the server is in the conversation with a tab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stage {
    /// It has not said `hello`.
    #[default]
    Silent,
    /// It was asked to compare, and has not said all its versions.
    Compared,
    /// It was answered.
    InStep,
    /// Only with the rule that leaves a tab out once it was compared.
    LeftOut,
}

/// What may still happen from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Budget {
    pub saves: u8,
    pub cuts: u8,
    pub stops: u8,
    /// Loads that the application asks for although one is on its way.
    pub loads: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct World {
    pub server: Server,
    pub tabs: [Tab; 2],
    /// The browser's cache of segments, by module and content.
    pub cache: [[Segment; 2]; 2],
    pub budget: Budget,
}

/// A queue of bounded length. Its unused places do not count when queues are compared.
#[derive(Clone, Copy, Debug)]
pub struct Queue<T, const N: usize> {
    items: [T; N],
    len: usize,
}

impl<T: Copy + Default, const N: usize> Default for Queue<T, N> {
    fn default() -> Self {
        Self { items: [T::default(); N], len: 0 }
    }
}

impl<T: Copy, const N: usize> Queue<T, N> {
    /// More messages than `N` on one way at once mean that the sides do not stop to talk.
    pub fn push(&mut self, item: T) {
        assert!(self.len < N, "more than {N} messages are on their way at once: raise the bound or mend the protocol");
        self.items[self.len] = item;
        self.len += 1;
    }

    pub fn pop(&mut self) -> Option<T> {
        let first = *self.as_slice().first()?;
        self.items.copy_within(1..self.len, 0);
        self.len -= 1;
        Some(first)
    }

    pub fn clear(&mut self) {
        self.len = 0;
    }

    pub fn as_slice(&self) -> &[T] {
        &self.items[..self.len]
    }
}

impl<T: Copy + PartialEq, const N: usize> PartialEq for Queue<T, N> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<T: Copy + Eq, const N: usize> Eq for Queue<T, N> {}

impl<T: Copy + Hash, const N: usize> Hash for Queue<T, N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}
