//! Bodies of answers that somebody is still reading: equal ones are held once, however many read them slowly.
//!
//! ```text
//! 300 × GET /@rekindle/s/4be1….js    ──►  300 connections, one text of 8 MB
//! ```

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use rustc_hash::FxHashMap;

/// Shorter bodies are not worth looking up.
const SMALLEST: usize = 16 * 1024;
/// Bytes of texts that are kept although nobody is reading them: they are likely to be asked for again.
const KEPT: usize = 16 << 20;
/// Entries between two rounds in which those are forgotten that nobody holds.
const ROUND: usize = 64;

/// The bodies that are on their way. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Bodies {
    held: Arc<Mutex<HeldBodies>>,
}

#[derive(Debug, Default)]
struct HeldBodies {
    by_key: FxHashMap<[u8; 32], Weak<Vec<u8>>>,
    /// The next round is due at so many entries.
    due: usize,
    /// Newest last.
    kept: VecDeque<Arc<Vec<u8>>>,
}

/// What [`Bytes`] take for their owner.
struct Owner(Arc<Vec<u8>>);

impl AsRef<[u8]> for Owner {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Bodies {
    /// The text that is known by a name. It is made if nobody holds it; equal names mean equal texts.
    pub fn named(&self, name: &str, make: impl FnOnce() -> String) -> Bytes {
        let key = *blake3::hash(name.as_bytes()).as_bytes();
        if let Some(known) = self.find(key) {
            return Bytes::from_owner(Owner(known));
        }
        let text = Arc::new(make().into_bytes());
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(key, &text);
        held.keep(&text);
        Bytes::from_owner(Owner(text))
    }

    /// The same bytes; those of an equal body that is on its way already, if there is one.
    pub fn shared(&self, bytes: Bytes) -> Bytes {
        if bytes.len() < SMALLEST {
            return bytes;
        }
        let key = *blake3::hash(&bytes).as_bytes();
        if let Some(known) = self.find(key) {
            return Bytes::from_owner(Owner(known));
        }
        let text = Arc::new(Vec::from(bytes));
        self.held.lock().unwrap_or_else(PoisonError::into_inner).insert(key, &text);
        Bytes::from_owner(Owner(text))
    }

    fn find(&self, key: [u8; 32]) -> Option<Arc<Vec<u8>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).by_key.get(&key)?.upgrade()
    }
}

impl HeldBodies {
    fn insert(&mut self, key: [u8; 32], text: &Arc<Vec<u8>>) {
        if self.by_key.len() >= self.due {
            self.by_key.retain(|_, text| text.strong_count() > 0);
            self.due = self.by_key.len() + ROUND;
        }
        self.by_key.insert(key, Arc::downgrade(text));
    }

    fn keep(&mut self, text: &Arc<Vec<u8>>) {
        self.kept.push_back(text.clone());
        while self.kept.iter().map(|text| text.len()).sum::<usize>() > KEPT {
            self.kept.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bodies_are_one_while_somebody_holds_them() {
        let bodies = Bodies::default();
        let body = || Bytes::from("x".repeat(SMALLEST));
        let first = bodies.shared(body());
        assert_eq!(bodies.shared(body()).as_ptr(), first.as_ptr());
        assert_ne!(bodies.shared(Bytes::from("y".repeat(SMALLEST))).as_ptr(), first.as_ptr());
        drop(first);
        assert!(bodies.find(*blake3::hash(&body()).as_bytes()).is_none());
    }

    #[test]
    fn a_named_text_is_made_once_and_kept_up_to_a_limit() {
        let bodies = Bodies::default();
        let mut made = 0;
        let mut ask = |name: &str, size: usize| {
            bodies.named(name, || {
                made += 1;
                "x".repeat(size)
            })
        };
        ask("a", KEPT / 2);
        ask("a", KEPT / 2);
        ask("b", KEPT);
        let large = ask("c", KEPT + 1);
        assert_eq!(ask("c", KEPT + 1).as_ptr(), large.as_ptr());
        ask("a", 1);
        assert_eq!(made, 4);
    }

    #[test]
    fn what_is_gone_is_forgotten() {
        let bodies = Bodies::default();
        for at in 0..1000 {
            bodies.shared(Bytes::from(format!("{at:0SMALLEST$}")));
        }
        assert!(bodies.held.lock().unwrap().by_key.len() <= ROUND + 1);
    }
}
