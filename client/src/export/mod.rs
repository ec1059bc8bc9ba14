//! Figures to the canonical tidy CSV: what an import takes without a mapping, to the letter.
//!
//! A row is an observation. The columns are fixed but for the dimensions, which are those that the indicators may be broken down
//! by; so the header can be written before the first row is known, and an export of any size takes no memory.

mod writer;

use std::collections::BTreeSet;
use std::io::Write;

use futures::TryStreamExt as _;
use indicator_proto::v1::{GetIndicatorRequest, Indicator, ListIndicatorsRequest, QueryObservationsRequest};

pub use self::writer::{COLUMNS_AFTER, COLUMNS_BEFORE, Writer};
use crate::Client;

/// Why an export did not finish.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The service failed, or the connection.
    #[error("the export did not finish")]
    Call(#[from] crate::Error),
    /// The file cannot be written.
    #[error("cannot write the export")]
    Write(#[from] csv::Error),
    /// The rest of the file cannot be written.
    #[error("cannot write the export")]
    Flush(#[from] std::io::Error),
}

/// Writes what a query selects to `out`, and returns how many observations that were. `on_progress` is told how many there are so
/// far, chunk by chunk.
///
/// # Errors
///
/// When the service fails or `out` cannot be written. What was written until then is not the whole answer.
pub async fn export<W, F>(client: &Client, request: QueryObservationsRequest, out: W, mut on_progress: F) -> Result<u64, Error>
where
    W: Write,
    F: FnMut(u64),
{
    let indicators = request.filter.as_ref().map_or_else(Vec::new, |filter| filter.indicators.clone());
    let dimensions = dimensions(client, &indicators).await?;
    let mut writer = Writer::new(out, dimensions)?;
    let mut query = client.query_observations(request).await?;
    let mut written = 0;
    while let Some(chunk) = query.next_chunk().await? {
        writer.write(&chunk)?;
        written += chunk.observations.len() as u64;
        on_progress(written);
    }
    writer.finish()?;
    Ok(written)
}

/// Every dimension that one of the indicators may be broken down by. None means every indicator.
async fn dimensions(client: &Client, indicators: &[String]) -> Result<BTreeSet<String>, crate::Error> {
    let mut entries = Vec::new();
    for id in indicators {
        let request = GetIndicatorRequest { id: id.clone(), as_of: None };
        entries.extend(client.get_indicator(request).await?.indicator);
    }
    if indicators.is_empty() {
        entries = client.all_indicators(ListIndicatorsRequest::default()).try_collect().await?;
    }
    let of_entry = |entry: Indicator| entry.dimensions.into_iter().chain(entry.optional_dimensions);
    Ok(entries.into_iter().flat_map(of_entry).collect())
}
