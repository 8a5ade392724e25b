//! Watches the files the graph is made of and tells the loop which of them changed.
//!
//! ```text
//! editor: truncate a.ts, write, close        ──►  one batch: paths [a.ts]
//! editor: write a.ts~, rename it to a.ts     ──►  one batch: paths [a.ts]
//! git switch: 5,000 files in 300 ms          ──►  one batch, when git lets go of its lock (`burst.rs`)
//! mv src/d src/e, mv src/e src/d             ──►  batches with every watched file of src/d
//! npm install: packages go and come          ──►  one batch, when that is over (`install.rs`)
//! ```
//!
//! [`watcher::Watcher`] is the loop's handle; the work is done on a thread of its own (`thread.rs`), which decides with
//! `burst.rs`, `repository.rs` and `install.rs` which saves belong together.
//!
//! Folders that hold watched files are watched, never recursively, by real path: a watch on the file itself would
//! follow the old inode when an editor saves by renaming, and a recursive one would walk `node_modules`.
//!
//! It may say too much, never too little: the loop compares contents, so an announcement without a change costs one
//! read, and a change without an announcement leaves old code on the page. Hence every doubt (a file touched just
//! before its watch was armed, an overflow of the system's queue, a folder that moved) ends as an announcement, and a
//! slow round over the metadata of all files looks for what the system did not tell.

mod burst;
mod install;
mod item;
mod message;
mod notes;
mod pending;
mod place;
mod repository;
mod snapshot;
#[cfg(test)]
mod tests;
mod thread;
mod watcher;

pub(crate) use notes::Notes;
pub(crate) use snapshot::{Snapshot, look_at};
pub use watcher::Watcher;
