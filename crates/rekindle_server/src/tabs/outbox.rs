//! The bounded queue to one tab: the loop puts messages in and never waits; a tab that does not take them is closed.
//!
//! ```text
//! loop ── Outbox::send ──►  at most 8 MiB waiting  ──► socket ──► tab
//!                           more: the connection is closed, and the tab comes back
//! ```

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

const QUEUE_LIMIT: usize = 8 * 1024 * 1024;
/// A text that takes room while it waits to be taken, also where many tabs are sent the same.
const LARGE: usize = 64 * 1024;
/// Bytes that a queued message takes besides its text.
const OVERHEAD: usize = 64;

/// The way to one tab. Cloning is cheap, and so is sending one [`Utf8Bytes`] to many tabs.
#[derive(Clone)]
pub struct Outbox {
    line: mpsc::UnboundedSender<Outgoing>,
    pub(crate) queue: Arc<Queue>,
}

/// What stands in the queue to a tab.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Text(Utf8Bytes),
    Close(u16),
}

/// Invariant: `bytes` is the cost of all texts that were put on the line and not yet given to the system.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(crate) bytes: AtomicUsize,
    overflowed: AtomicBool,
    pub(crate) overflow: Notify,
    /// Large texts that have not left for the network, and since when nothing of them has.
    large: Mutex<LargeTexts>,
}

#[derive(Debug, Default)]
struct LargeTexts {
    bytes: usize,
    since: Option<Instant>,
}

impl Queue {
    pub(crate) fn send_away(&self) {
        self.overflowed.store(true, Ordering::Relaxed);
        self.overflow.notify_one();
    }

    fn note_large(&self, cost: usize) {
        if cost >= LARGE {
            let mut large = self.large.lock().unwrap_or_else(PoisonError::into_inner);
            large.bytes += cost;
            large.since.get_or_insert_with(Instant::now);
        }
    }

    pub(crate) fn forget_large(&self, costs: usize) {
        if costs > 0 {
            let mut large = self.large.lock().unwrap_or_else(PoisonError::into_inner);
            large.bytes = large.bytes.saturating_sub(costs);
            large.since = (large.bytes > 0).then(Instant::now);
        }
    }
}

impl Outbox {
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<Outgoing>) {
        let (line, lines) = mpsc::unbounded_channel();
        (Self { line, queue: Arc::default() }, lines)
    }

    /// A way to a tab without a socket: whoever holds the other end takes the messages out.
    pub(crate) fn unsent() -> (Self, OutboxEnd) {
        let (outbox, lines) = Self::new();
        let queue = outbox.queue.clone();
        (outbox, OutboxEnd { lines, queue })
    }

    /// Queues a message. A tab that has not taken 8 MiB of earlier ones is closed instead; one message may be larger.
    /// To a tab that is gone this does nothing.
    pub fn send(&self, text: impl Into<Utf8Bytes>) {
        if self.queue.overflowed.load(Ordering::Relaxed) {
            return;
        }
        let text = text.into();
        let waiting = self.queue.bytes.fetch_add(cost(&text), Ordering::Relaxed);
        if waiting >= QUEUE_LIMIT {
            self.queue.send_away();
            return;
        }
        self.queue.note_large(cost(&text));
        // A closed line means the connection is over; `Event::Gone` tells the loop.
        let _ = self.line.send(Outgoing::Text(text));
    }

    /// Bytes of large texts that the tab has not taken, and how long it has taken nothing of them.
    pub fn untaken(&self) -> (usize, Duration) {
        let large = self.queue.large.lock().unwrap_or_else(PoisonError::into_inner);
        (large.bytes, large.since.map_or(Duration::ZERO, |since| since.elapsed()))
    }

    /// Closes the connection of a tab that does not take what it is sent; it may come back.
    pub fn send_away(&self) {
        self.queue.send_away();
    }

    /// An outbox whose texts a test can read.
    #[cfg(test)]
    pub(crate) fn to_texts() -> (Self, Texts) {
        let (outbox, lines) = Self::new();
        (outbox, Texts(lines))
    }

    /// Closes the connection after what is queued, with a code of RFC 6455.
    pub fn close(&self, code: u16) {
        let _ = self.line.send(Outgoing::Close(code));
    }
}

/// The other end of [`Outbox::unsent`].
pub(crate) struct OutboxEnd {
    lines: mpsc::UnboundedReceiver<Outgoing>,
    queue: Arc<Queue>,
}

/// What the loop has said to a tab since the last look.
pub(crate) struct SentTexts {
    pub texts: Vec<Utf8Bytes>,
    /// The loop has closed the connection, or dropped its end of it.
    pub is_over: bool,
}

impl OutboxEnd {
    pub fn take(&mut self) -> SentTexts {
        let mut texts = Vec::new();
        loop {
            match self.lines.try_recv() {
                Ok(Outgoing::Text(text)) => {
                    self.queue.bytes.fetch_sub(cost(&text), Ordering::Relaxed);
                    self.queue.forget_large(large_cost(&text));
                    texts.push(text);
                }
                Ok(Outgoing::Close(_)) | Err(mpsc::error::TryRecvError::Disconnected) => {
                    return SentTexts { texts, is_over: true };
                }
                Err(mpsc::error::TryRecvError::Empty) => {
                    return SentTexts { texts, is_over: self.queue.overflowed.load(Ordering::Relaxed) };
                }
            }
        }
    }
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("waiting", &self.queue.bytes).finish_non_exhaustive()
    }
}

/// What was put into an outbox.
#[cfg(test)]
pub(crate) struct Texts(mpsc::UnboundedReceiver<Outgoing>);

#[cfg(test)]
impl Texts {
    pub fn next(&mut self) -> Option<String> {
        match self.0.try_recv().ok()? {
            Outgoing::Text(text) => Some(text.to_string()),
            Outgoing::Close(_) => None,
        }
    }
}

/// What a text costs if it is large.
pub(crate) fn large_cost(text: &Utf8Bytes) -> usize {
    Some(cost(text)).filter(|cost| *cost >= LARGE).unwrap_or_default()
}

pub(crate) fn cost(text: &Utf8Bytes) -> usize {
    text.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_that_nobody_empties_holds_eight_mebibytes_and_one_message() {
        let (outbox, mut lines) = Outbox::new();
        let mebibyte = Utf8Bytes::from("x".repeat(1024 * 1024));
        for _ in 0..100 {
            outbox.send(mebibyte.clone());
        }
        let mut queued = 0;
        while lines.try_recv().is_ok() {
            queued += 1;
        }
        assert_eq!(queued, 8);
        assert!(outbox.queue.overflowed.load(Ordering::Relaxed));
    }

    #[test]
    fn one_message_may_be_larger_than_the_queue() {
        let (outbox, mut lines) = Outbox::new();
        outbox.send("{}");
        outbox.send("x".repeat(20 * 1024 * 1024));
        assert!(lines.try_recv().is_ok() && lines.try_recv().is_ok());
        assert!(!outbox.queue.overflowed.load(Ordering::Relaxed));
    }

    #[test]
    fn an_outbox_whose_tab_is_gone_takes_messages_without_keeping_them() {
        let (outbox, lines) = Outbox::new();
        drop(lines);
        outbox.send("{}");
        outbox.close(1000);
    }
}
