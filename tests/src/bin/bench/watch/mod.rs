//! Watches: changes to many subscribers, some of whom do not read, to idle ones, and to one who comes late.
//!
//! Each event carries the time at which its write was sent, so that the latency of every one is measured from there, and each
//! subscriber sums up what it saw: a turn in which one missed an event or saw it twice is an error.

mod crowd;
mod fields;
mod http2;
mod latencies;
mod side;
mod turn;
mod writers;

pub(crate) mod fanout;
pub(crate) mod idle;
pub(crate) mod latest;
pub(crate) mod replay;
pub(crate) mod stalled;

use std::path::Path;

use anyhow::Result;

use crate::{figures::Figures, indicator, load::connect, process::Server};

/// Those of a crowd.
const CONNECTIONS: usize = 10;

/// Where the writes go.
const FIGURES: Figures = Figures { indicators: 10, regions: 100, months: 40 };

/// This project's server with the catalog of [`FIGURES`].
async fn prepared(data: &Path) -> Result<Server> {
    let server = Server::indicatord(data)?;
    indicator::apply_catalog(&connect(&server.address, 1).await?[0], FIGURES).await?;
    Ok(server)
}
