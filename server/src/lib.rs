//! The service of record for statistical indicators.
//!
//! Data flows one way:
//!
//! - [`service`] converts a request to domain types (the one gate for untrusted input), calls the engine, converts the answer;
//! - [`engine`] decides: it validates, applies commands to the record, and reads it as of any moment;
//! - [`store`] keeps series blocks, the catalog and the log of commits in sled, and is the only place that knows sled;
//! - [`watch`] turns the log into streams of changes;
//! - [`page`] shows it to people with a browser;
//! - [`offline`] restores, moves and verifies stores that no server has open;
//! - [`access`] knows the callers, and what each may do;
//! - [`serve`] listens, lets in who may come, and stops cleanly;
//! - [`status`] is the one place where an error becomes a gRPC status.

pub mod access;
pub mod engine;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod offline;
pub mod page;
mod seldom;
pub mod serve;
pub mod service;
mod stamp;
pub mod status;
pub mod store;
pub mod watch;
