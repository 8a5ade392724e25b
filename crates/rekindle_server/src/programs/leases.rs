//! Edits of many files that a command announces (`rekindle edit`): who has one under way, and until when.
//!
//! ```text
//! begin a, 30 s ─► begin b, 30 s ─► commit a ─► commit b ─► all that happened, as one update
//! begin a, 30 s ─► nothing more is heard of it          ─► after 30 s the same, and a line in the terminal
//! ```
//!
//! The command chooses the names, so that one name serves for all servers of a project.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// Edits that may be under way at the same time.
const MOST: usize = 16;
/// How long a lease may be; it can be renewed.
pub const LONGEST: Duration = Duration::from_secs(600);
/// Characters of a name.
const LONGEST_NAME: usize = 64;

/// What a command says about an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EditRequest {
    Begin { id: String, lease: Duration },
    Commit { id: String },
}

impl EditRequest {
    /// Reads the parameters of a request; an error is a sentence for who wrote it.
    pub fn parse(parameter: impl Fn(&str) -> Option<String>) -> Result<Self, &'static str> {
        let id = parameter("id").ok_or("the parameter `id` is missing")?;
        if id.is_empty() || id.len() > LONGEST_NAME || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err("`id` must consist of 1 to 64 letters and digits");
        }
        match parameter("do").as_deref() {
            Some("begin") => {
                let milliseconds = parameter("lease").and_then(|text| text.parse::<u64>().ok());
                let lease =
                    milliseconds.map(Duration::from_millis).filter(|lease| *lease <= LONGEST && !lease.is_zero());
                Ok(Self::Begin { id, lease: lease.ok_or("`lease` must be 1 to 600000 milliseconds")? })
            }
            Some("commit") => Ok(Self::Commit { id }),
            _ => Err("`do` must be begin or commit"),
        }
    }
}

/// What the command is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "lowercase")]
pub enum EditAnswer {
    /// It is under way.
    Open,
    /// The update went out, with so many files.
    Done { files: usize },
    /// The update goes out with the last of so many other edits.
    Shared { others: usize },
    /// There is no such edit (any more).
    Unknown,
    /// Too many are under way.
    Full,
}

impl EditAnswer {
    /// Status of the answer over HTTP.
    pub fn status(self) -> u16 {
        match self {
            Self::Open | Self::Done { .. } | Self::Shared { .. } => 200,
            Self::Unknown => 404,
            Self::Full => 429,
        }
    }
}

#[derive(Debug)]
struct Lease {
    length: Duration,
    end: Instant,
}

/// The edits that are under way.
#[derive(Debug, Default)]
pub struct Leases {
    open: BTreeMap<String, Lease>,
}

impl Leases {
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Opens a lease, or renews one that is open so that it lasts for `length` from now on. False if there are too many.
    pub fn begin(&mut self, id: String, length: Duration, now: Instant) -> bool {
        if self.open.len() >= MOST && !self.open.contains_key(&id) {
            return false;
        }
        self.open.insert(id, Lease { length, end: now + length });
        true
    }

    /// Ends a lease. Returns how many others are open, or `None` if there is no such lease.
    pub fn commit(&mut self, id: &str) -> Option<usize> {
        self.open.remove(id).map(|_| self.open.len())
    }

    /// Removes the leases that have run out, and returns how long each was.
    pub fn expire(&mut self, now: Instant) -> Vec<Duration> {
        let is_over = |lease: &Lease| lease.end <= now;
        let over = self.open.values().filter(|lease| is_over(lease)).map(|lease| lease.length).collect();
        self.open.retain(|_, lease| !is_over(lease));
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_last_of_several_edits_ends_the_wait() {
        let (mut leases, now) = (Leases::default(), Instant::now());
        assert!(leases.begin("a".into(), SECOND, now) && leases.begin("b".into(), SECOND, now));
        assert_eq!((leases.commit("a"), leases.commit("a"), leases.commit("b")), (Some(1), None, Some(0)));
        assert!(leases.is_empty());
    }

    #[test]
    fn a_lease_runs_out_unless_it_is_begun_anew() {
        let (mut leases, now) = (Leases::default(), Instant::now());
        leases.begin("a".into(), SECOND * 2, now);
        leases.begin("b".into(), SECOND * 3, now);
        assert!(leases.expire(now + SECOND).is_empty());
        assert!(leases.begin("a".into(), SECOND * 2, now + SECOND * 2));
        assert_eq!(leases.expire(now + SECOND * 3), [SECOND * 3]);
        assert_eq!(leases.expire(now + SECOND * 4), [SECOND * 2]);
        assert!(leases.is_empty());
    }

    #[test]
    fn their_number_is_bounded() {
        let (mut leases, now) = (Leases::default(), Instant::now());
        assert!((0..MOST).all(|number| leases.begin(number.to_string(), SECOND, now)));
        assert!(!leases.begin("one more".into(), SECOND, now));
        assert!(leases.begin("0".into(), SECOND, now), "one that is there may begin anew");
    }

    #[test]
    fn parameters_are_read_strictly() {
        let read = |query: &str| EditRequest::parse(|name| crate::http::address::parameter(query, name));
        let id = || "ab12".to_owned();
        assert_eq!(read("do=begin&id=ab12&lease=500"), Ok(EditRequest::Begin { id: id(), lease: SECOND / 2 }));
        assert_eq!(read("do=commit&id=ab12"), Ok(EditRequest::Commit { id: id() }));
        let long = format!("do=commit&id={}", "a".repeat(65));
        for query in [
            "do=begin&id=ab12",
            "do=begin&id=ab12&lease=0",
            "do=begin&id=ab12&lease=600001",
            "do=begin&id=ab12&lease=-1",
            "do=commit",
            "do=commit&id=",
            "do=commit&id=a%2Fb",
            "do=drop&id=ab12",
            "id=ab12",
            &long,
        ] {
            assert!(read(query).is_err(), "{query}");
        }
    }
}
