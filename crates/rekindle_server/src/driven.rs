//! The loop with neither sockets nor HTTP nor a watching thread: who drives it says what happens, one event after the other.
//!
//! ```text
//! files(["main.js"], [])      ─►  what the real watcher would announce of it, handled when the call returns
//! request("/@rekindle/load")  ─►  status, type and body
//! connect(1) · say(1, text)   ─►  what the loop said to its tabs: words()
//! ```
//!
//! For the model test (`client/test/model`), through `examples/driven_loop.rs`. Not part of the library's interface.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use crate::dev::{Loop, Start};
use crate::event::{Event, Inbox, Request, RequestPurpose, SocketTurn};
use crate::http::answer::{Answer, Body, Cache};
use crate::programs::events_process::EventsProcess;
use crate::report::Report;
use crate::tabs::client::ClientId;
use crate::tabs::outbox::{Outbox, OutboxEnd};
use crate::tabs::trace::PendingAnswers;
use crate::watch::{Notes, Watcher};
use rekindle_config::Config;

/// A loop on a thread of its own. Every method returns when the loop has done what there was to do.
pub struct DrivenLoop {
    inbox: Inbox,
    notes: Notes,
    tabs: BTreeMap<u64, OutboxEnd>,
    traces: PendingAnswers,
    thread: JoinHandle<Option<EventsProcess>>,
}

/// What was answered to a request.
pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    pub body: Vec<u8>,
    /// Its address names its content: browsers do not ask again.
    pub is_immutable: bool,
}

impl DrivenLoop {
    /// # Errors
    /// The system gives no threads.
    pub fn start(config: Config, token: &str, report: Report) -> std::io::Result<Self> {
        let (inbox, events) = mpsc::unbounded_channel();
        let (watcher, notes) = Watcher::taking_notes();
        let start = Start {
            config,
            token: token.to_owned(),
            secret: [7; 32],
            report,
            handlers: BTreeMap::new(),
            events_process: None,
            watcher,
            inbox: inbox.clone(),
        };
        let server_loop = Loop::new(start, events)?;
        let traces = server_loop.traces();
        let thread = std::thread::Builder::new()
            .name("rekindle-loop".into())
            .stack_size(16 << 20)
            .spawn(move || server_loop.run())?;
        let driven = Self { inbox, notes, tabs: BTreeMap::new(), traces, thread };
        driven.settle();
        Ok(driven)
    }

    /// Files were written (`written`); files and folders appeared or vanished (`listed`).
    pub fn files(&mut self, written: &[PathBuf], listed: &[PathBuf]) {
        if let Some(batch) = self.notes.batch(written, listed) {
            self.tell(Event::Files(batch));
        }
    }

    pub fn request(&self, path: &str, query: &str, wants: RequestPurpose, is_page: bool) -> Reply {
        let request =
            Request { path: path.to_owned(), query: query.to_owned(), navigation: is_page, wants, guest: false };
        let (asker, answer) = oneshot::channel();
        let _ = self.inbox.send(Event::Request(request, asker)); // A loop that has ended gives no answer either.
        match answer.blocking_recv() {
            Ok(Answer { status, content_type, body, cache }) => {
                Reply { status, content_type, body: bytes_of(body), is_immutable: cache == Cache::Forever }
            }
            Err(_) => Reply {
                status: 500,
                content_type: "text/plain",
                body: b"the loop gave no answer".to_vec(),
                is_immutable: false,
            },
        }
    }

    pub fn connect(&mut self, tab: u64) {
        let (outbox, unsent) = Outbox::unsent();
        self.tabs.insert(tab, unsent);
        self.tell(Event::Connected(ClientId(tab), outbox));
    }

    /// One text frame of a tab.
    pub fn say(&self, tab: u64, text: &str) {
        // What is not JSON is ignored by the real socket, too.
        if let Ok(message) = serde_json::from_str(text) {
            self.tell(Event::Message(ClientId(tab), message, SocketTurn::free()));
        }
    }

    pub fn gone(&mut self, tab: u64) {
        self.tabs.remove(&tab);
        self.tell(Event::Gone(ClientId(tab)));
    }

    /// What the loop has said since the last call, by tab; `None` ends a connection.
    pub fn words(&mut self) -> Vec<(u64, Option<String>)> {
        self.tell(Event::Quiet); // Nothing comes by itself: what waits for the next save waits in vain.
        let mut said = Vec::new();
        let mut over = Vec::new();
        for (&tab, unsent) in &mut self.tabs {
            let words = unsent.take();
            said.extend(words.texts.iter().map(|text| (tab, Some(text.as_str().to_owned()))));
            if words.is_over {
                said.push((tab, None));
                over.push(tab);
            }
        }
        for tab in over {
            self.gone(tab);
        }
        said
    }

    /// Ends it, as a crash would: its tabs hear nothing.
    pub fn stop(self) {
        let _ = self.inbox.send(Event::Stop);
        let _ = self.thread.join(); // A panic of the loop was printed when it happened.
    }

    fn tell(&self, event: Event) {
        let _ = self.inbox.send(event); // The next request says that the loop has ended.
        self.settle();
    }

    /// Events are handled in order, so an answer comes when all before it is done. What they have asked the thread of stacks is
    /// answered then, and handled.
    fn settle(&self) {
        for _ in 0..2 {
            self.request("/@rekindle/nothing", "", RequestPurpose::Content, false);
            self.traces.wait();
        }
    }
}

fn bytes_of(body: Body) -> Vec<u8> {
    match body {
        Body::Bytes(bytes) => bytes.to_vec(),
        Body::Pieces(pieces) => pieces.concat(),
        Body::Stream(arrivals) => {
            let mut pieces = arrivals.take();
            let mut bytes = Vec::new();
            while let Some(piece) = pieces.as_mut().and_then(|pieces| pieces.blocking_recv()) {
                bytes.extend_from_slice(&piece);
            }
            bytes
        }
        Body::Lazy(made) => {
            let mut next = 0;
            std::iter::from_fn(|| made.take(&mut next)).flatten().collect::<Vec<_>>().concat()
        }
        Body::File(file) => std::fs::read(file.path()).unwrap_or_default(),
        Body::Compressed(_) | Body::Elsewhere(_) => Vec::new(),
    }
}
