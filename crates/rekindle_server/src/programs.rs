//! Other programs of this machine that the server speaks with: `rekindle edit`, the editor and the browser, and the program of
//! `[events]`.

pub mod control;
pub mod editor;
pub(crate) mod events_process;
pub mod leases;
