//! The store: series blocks, the catalog and the log of commits, in sled. Nothing else in the crate knows sled.
//!
//! Everything lies in one tree under the prefixes of `keys`, because a sled batch is atomic within one tree only, and a
//! commit must be wholly there or wholly not. A *block* holds the cells of one series that one commit changed; from time to
//! time a *base block* holds the whole current state, so that reading the current state need not go back to the beginning.

pub mod archive;
mod block;
mod cell;
mod column;
mod disk;
mod error;
mod failure;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod gaps;
mod history;
mod keys;
mod log;
mod nudge;
mod open;
mod problems;
mod room;
mod state;
mod verify;
mod watermark;
mod write;

pub use cell::{Datum, Details, Equivalent, Figure, Kind, Version};
pub use disk::{Completion, Store};
pub use error::Error;
pub use gaps::{Gap, Gaps};
pub use history::{History, Logged};
pub use log::{Header, Touched};
pub use open::prepare;
pub use problems::Problems;
pub use room::DiskLimits;
pub use state::SeriesState;
pub use verify::{Found, Scope};
pub use write::{Batch, RequestRecord};
