//! Filling this project's server.

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, stream};
use indicator_proto::{
    Time,
    v1::{
        ApplyCatalogRequest, AsOf, CatalogAction, CatalogEntry, GetStatusRequest, ImportBatch, ImportObservationsRequest,
        ImportOptions, SeriesObservations, admin_service_client::AdminServiceClient, catalog_action::Action,
        catalog_service_client::CatalogServiceClient, import_observations_request::Message,
        observation_service_client::ObservationServiceClient,
    },
};
use prost_types::Timestamp;
use tonic::transport::Channel;

use crate::figures::Figures;

/// Observations in a batch of an import.
const BATCH: u32 = 20_000;

/// Writes the catalog that figures need.
pub(crate) async fn apply_catalog(channel: &Channel, figures: Figures) -> Result<()> {
    apply(channel, figures.catalog()).await
}

/// Upserts entries.
pub(crate) async fn apply(channel: &Channel, entries: Vec<CatalogEntry>) -> Result<()> {
    let upsert = |entry| CatalogAction { action: Some(Action::Upsert(entry)) };
    let actions = entries.into_iter().map(upsert).collect();
    let request = ApplyCatalogRequest { actions, ..ApplyCatalogRequest::default() };
    CatalogServiceClient::new(channel.clone()).apply_catalog(request).await.context("cannot write the catalog")?;
    Ok(())
}

/// The figures as they were published first, or revised, all of them, a year later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edition {
    First,
    Second,
}

impl Edition {
    fn published_at(self) -> Timestamp {
        let day: Time = if self == Self::First { "2020-01-01" } else { "2021-01-01" }.parse().expect("a day");
        day.into()
    }

    /// When this edition was the last one.
    pub(crate) fn published(self) -> AsOf {
        AsOf { published_at: Some(self.published_at()), ..AsOf::default() }
    }

    fn observations_of(self, figures: Figures, series: u32) -> SeriesObservations {
        let mut observations = figures.observations_of(series);
        if self == Self::Second {
            // A digit more: another figure.
            observations
                .observations
                .iter_mut()
                .for_each(|it| it.value.push_str(if it.value.contains('.') { "1" } else { ".1" }));
        }
        observations
    }
}

/// The newest commit.
pub(crate) async fn revision(channel: &Channel) -> Result<u64> {
    Ok(AdminServiceClient::new(channel.clone()).get_status(GetStatusRequest {}).await?.into_inner().head_revision)
}

/// Imports the figures of an edition, whose catalog is there. When it returns, they are on disk.
pub(crate) async fn import(channel: &Channel, figures: Figures, edition: Edition) -> Result<()> {
    let per_batch = (BATCH / figures.months).max(1);
    let options = ImportOptions { published_at: Some(edition.published_at()), ..ImportOptions::default() };
    let options = ImportObservationsRequest { message: Some(Message::Options(options)) };
    let batches = (0..figures.series()).step_by(per_batch as usize).map(move |first| {
        let series = first..(first + per_batch).min(figures.series());
        let batch = ImportBatch { series: series.map(|series| edition.observations_of(figures, series)).collect() };
        ImportObservationsRequest { message: Some(Message::Batch(batch)) }
    });
    let requests = stream::iter(std::iter::once(options).chain(batches));
    let mut answers = ObservationServiceClient::new(channel.clone()).import_observations(requests).await?.into_inner();
    let mut written = 0;
    while let Some(answer) = answers.next().await.transpose().context("the import failed")? {
        written += u64::from(answer.inserted + answer.revised);
    }
    ensure!(written == figures.observations(), "{written} of {} observations were written", figures.observations());
    Ok(())
}

/// Catalog and figures.
pub(crate) async fn fill(channel: &Channel, figures: Figures) -> Result<()> {
    apply_catalog(channel, figures).await?;
    import(channel, figures, Edition::First).await
}
