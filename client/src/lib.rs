//! A client of the service of record for statistical indicators: typed, asynchronous, reconnecting.
//!
//! - [`Client`] has one method an RPC of `indicator.v1`, and takes and returns its messages.
//! - [`Query`] reads the answer to a query as it arrives.
//! - [`Watch`] gives every change exactly once and in order, across disconnects and restarts of the server.
//! - [`names`] finds the ids of what people type: codes, names and spellings in any language.
//! - [`retry`] says what is tried again and when; [`Error`] what went wrong and what to do about it.
//!
//! Requests flow from [`Client`] through [`retry`] to the connection; answers come back as messages, or as [`Error`] with the reason
//! that the service gave.

#[cfg(feature = "import")]
pub mod catalog_file;
mod client;
mod connect;
mod error;
#[cfg(feature = "import")]
pub mod import;
pub mod names;
mod query;
pub mod retry;
pub mod watch;

pub use crate::{
    client::Client,
    connect::Builder,
    error::{Error, Violation, code_name, reason_name},
    query::Query,
    watch::{Watch, WatchEvent},
};
