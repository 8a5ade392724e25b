//! Files and folders of the project: reading them, listing them, and what is seen on the way.

pub(crate) mod disk;
pub mod file;
pub mod glob;
pub mod left_out;
pub mod lookups;
pub mod secrets;
pub mod walk;
