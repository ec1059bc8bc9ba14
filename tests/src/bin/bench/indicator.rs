//! Filling this project's server.

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, stream};
use indicator_proto::v1::{
    ApplyCatalogRequest, CatalogAction, ImportBatch, ImportObservationsRequest, ImportOptions, catalog_action::Action,
    catalog_service_client::CatalogServiceClient, import_observations_request::Message,
    observation_service_client::ObservationServiceClient,
};
use tonic::transport::Channel;

use crate::figures::Figures;

/// Observations in a batch of an import.
const BATCH: u32 = 20_000;

/// Writes the catalog that figures need.
pub(crate) async fn apply_catalog(channel: &Channel, figures: Figures) -> Result<()> {
    let upsert = |entry| CatalogAction { action: Some(Action::Upsert(entry)) };
    let actions = figures.catalog().into_iter().map(upsert).collect();
    let request = ApplyCatalogRequest { actions, ..ApplyCatalogRequest::default() };
    CatalogServiceClient::new(channel.clone()).apply_catalog(request).await.context("cannot write the catalog")?;
    Ok(())
}

/// Imports the figures, whose catalog is there. When it returns, they are on disk.
pub(crate) async fn import(channel: &Channel, figures: Figures) -> Result<()> {
    let per_batch = (BATCH / figures.months).max(1);
    let options = ImportObservationsRequest { message: Some(Message::Options(ImportOptions::default())) };
    let batches = (0..figures.series()).step_by(per_batch as usize).map(move |first| {
        let series = first..(first + per_batch).min(figures.series());
        let batch = ImportBatch { series: series.map(|series| figures.observations_of(series)).collect() };
        ImportObservationsRequest { message: Some(Message::Batch(batch)) }
    });
    let requests = stream::iter(std::iter::once(options).chain(batches));
    let mut answers = ObservationServiceClient::new(channel.clone()).import_observations(requests).await?.into_inner();
    let mut inserted = 0;
    while let Some(answer) = answers.next().await.transpose().context("the import failed")? {
        inserted += u64::from(answer.inserted);
    }
    ensure!(inserted == figures.observations(), "{inserted} of {} observations were inserted", figures.observations());
    Ok(())
}

/// Catalog and figures.
pub(crate) async fn fill(channel: &Channel, figures: Figures) -> Result<()> {
    apply_catalog(channel, figures).await?;
    import(channel, figures).await
}
