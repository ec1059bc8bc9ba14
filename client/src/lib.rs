//! A client of the service of record for statistical indicators: typed, asynchronous, reconnecting.
//!
//! - [`Client`] has one method an RPC of `indicator.v1`, and takes and returns its messages.
//! - [`Query`] reads the answer to a query as it arrives.
//! - [`Watch`] gives every change exactly once and in order, across disconnects and restarts of the server.
//! - [`View`] keeps the current figures of a selection at hand.
//! - [`Client::watch_rank`] and [`Client::watch_milestones`] follow what is computed of figures.
//! - [`names`] finds the ids of what people type: codes, names and spellings in any language.
//! - [`retry`] says what is tried again and when; [`Error`] what went wrong and what to do about it.
//! - With the feature `archive`: `archive` keeps backups, which [`Client::backup`] streams, as files.
//! - With the feature `import`: `import` turns data files into writes, `export` figures into files that `import` reads, and
//!   `catalog_file` catalogs as files into catalog writes.
//!
//! Requests flow from [`Client`] through [`retry`] to the connection; answers come back as messages, or as [`Error`] with the reason
//! that the service gave.
//!
//! ```no_run
//! use indicator_client::{Client, WatchEvent};
//! use indicator_proto::v1::{EntryKind, ObservationFilter, WatchRequest};
//!
//! # async fn watch() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::connect_lazy("127.0.0.1:7430")?;
//! let region = client.resolve(EntryKind::Region, "山东").await?;
//! let filter = ObservationFilter { regions: vec![region], ..ObservationFilter::default() };
//! let mut watch = client.watch(WatchRequest { filter: Some(filter), ..WatchRequest::default() });
//! while let Some(event) = watch.next().await {
//!     match event? {
//!         WatchEvent::Reset { .. } => println!("forget what came before; a snapshot follows"),
//!         WatchEvent::Snapshot(series) => println!("is: {series:?}"),
//!         WatchEvent::Commit(commit) => println!("has changed: {commit:?}"),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "archive")]
pub mod archive;
#[cfg(feature = "import")]
pub mod catalog_file;
mod client;
mod connect;
mod error;
#[cfg(feature = "import")]
pub mod export;
mod following;
#[cfg(all(feature = "import", any(test, fuzzing)))]
pub mod fuzzing;
#[cfg(feature = "import")]
pub mod import;
pub mod names;
mod query;
pub mod retry;
pub mod view;
pub mod watch;

pub use crate::{
    client::Client,
    connect::Builder,
    error::{Error, Violation, code_name, reason_name},
    query::Query,
    view::View,
    watch::{Watch, WatchEvent, WatchPosition, WatchState},
};
