//! What is computed of the record, and reading it as of another moment.

use anyhow::Result;
use fastrand::Rng;
use indicator_proto::v1::{
    self, AsOf, ObservationFilter, QueryObservationsRequest, RankRequest, RegionAggregation, RegionSelection, RollupRequest,
    catalog_entry::Entry, observation_service_client::ObservationServiceClient,
};
use prost::Message;
use tonic::transport::Channel;

use crate::{
    figures::{Figures, SOURCE, decimal, indicator_id, named},
    indicator::{self, Edition},
    load::{Load, ROUNDS, connect},
    process::{self, Server},
    report::{self, Row, seconds},
};

/// 500,000 figures in 20,000 series, as the issue asks; each was published twice.
const FIGURES: Figures = Figures { indicators: 100, regions: 200, months: 25 };

/// Beside them, a country of 31 provinces with 40 periods each.
const PROVINCES: u32 = 31;
const PERIODS: u32 = 40;

const QUERY: &str = "/indicator.v1.ObservationService/QueryObservations";
const RANK: &str = "/indicator.v1.AnalyticsService/Rank";
const ROLLUP: &str = "/indicator.v1.AnalyticsService/Rollup";

/// The end of the first edition, which a load cannot be told otherwise: it takes functions without a memory.
static FIRST_EDITION: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);

pub(crate) async fn run() -> Result<()> {
    let data = process::directory()?;
    let large = Server::indicatord(data.path())?;
    let channel = connect(&large.address, 1).await?.remove(0);
    indicator::fill(&channel, FIGURES).await?;
    let first = indicator::revision(&channel).await?;
    FIRST_EDITION.store(first, std::sync::atomic::Ordering::Relaxed);
    indicator::import(&channel, FIGURES, Edition::Second).await?;
    fill_provinces(&channel).await?;

    report::title(&format!(
        "as of: QueryObservations of one of {} indicators, {} series of {} figures each, published twice; alone",
        FIGURES.indicators, FIGURES.regions, FIGURES.months
    ));
    let (mut now, mut revision, mut published) = (Row::new("now"), Row::new("as of a revision"), Row::new("as of a publication"));
    let (mut at_now, mut at_revision, mut at_published) = (
        Load::new(QUERY, |random| query(random, None)).alone(),
        Load::new(QUERY, |random| query(random, Some(as_of_revision()))).alone(),
        Load::new(QUERY, |random| query(random, Some(Edition::First.published()))).alone(),
    );
    for _ in 0..ROUNDS {
        now.add(at_now.turn(&large).await?);
        revision.add(at_revision.turn(&large).await?);
        published.add(at_published.turn(&large).await?);
    }
    report::table("queries/s", &[&now, &revision, &published]);
    report::ratio("median latency, as of a revision / now", revision.p50() / now.p50(), "at most 2");
    report::ratio("median latency, as of a publication / now", published.p50() / now.p50(), "at most 2");

    report::title("analysis: Rank of 200 regions by one of 100 indicators, alone; now and as of the first edition");
    let rank = measure(&large, "Rank, latest", Load::new(RANK, |random| self::rank(random, None))).await?;
    let then = Load::new(RANK, |random| self::rank(random, Some(as_of_revision())));
    let rank_then = measure(&large, "Rank, as of a revision", then).await?;
    report::table("calls/s", &[&rank, &rank_then]);
    report::figure("median latency of a ranking, all in all", &seconds(rank.p50()), "at most 5 ms");

    report::title(&format!("analysis: Rollup of {PROVINCES} provinces over {PERIODS} periods, in the same store; alone"));
    let rollup = measure(&large, "Rollup, sum", Load::new(ROLLUP, rollup)).await?;
    report::table("calls/s", &[&rollup]);
    report::figure("median latency of a rollup, all in all", &seconds(rollup.p50()), "at most 5 ms");
    Ok(())
}

async fn fill_provinces(channel: &Channel) -> Result<()> {
    let province = |number: u32| format!("YY.{number:02}");
    let country = v1::Region { id: "YY".into(), level: "country".into(), names: named("Country"), ..Default::default() };
    let provinces = (0..PROVINCES).map(|number| v1::Region {
        id: province(number),
        parent: "YY".into(),
        level: "province".into(),
        names: named(&format!("Province {number}")),
        ..Default::default()
    });
    let output = v1::Indicator { id: "output".into(), names: named("Output"), unit: "1".into(), ..Default::default() };
    let regions = std::iter::once(country).chain(provinces).map(Entry::Region);
    let entries = regions.chain([Entry::Indicator(output)]).map(|entry| v1::CatalogEntry { entry: Some(entry) });
    indicator::apply(channel, entries.collect()).await?;
    let cells = (0..PROVINCES).flat_map(|number| (0..PERIODS).map(move |year| (number, year)));
    let changes = cells.map(|(number, year)| v1::Observation {
        series: Some(v1::SeriesKey {
            indicator: "output".into(),
            region: province(number),
            source: SOURCE.into(),
            ..Default::default()
        }),
        period: (1980 + year).to_string(),
        value: decimal(1_000_003 * (number + 1) + 7_919 * year),
        ..Default::default()
    });
    let request = v1::WriteObservationsRequest { changes: changes.collect(), omit_changes: true, ..Default::default() };
    ObservationServiceClient::new(channel.clone()).write_observations(request).await?;
    Ok(())
}

async fn measure<M: Message + 'static>(
    server: &Server,
    name: &'static str,
    load: Load<impl Fn(&mut Rng) -> M + Copy + Send + 'static>,
) -> Result<Row> {
    let (mut row, mut load) = (Row::new(name), load.alone());
    for _ in 0..ROUNDS {
        row.add(load.turn(server).await?);
    }
    Ok(row)
}

fn as_of_revision() -> AsOf {
    AsOf { revision: FIRST_EDITION.load(std::sync::atomic::Ordering::Relaxed), ..AsOf::default() }
}

fn one_of(random: &mut Rng) -> String {
    indicator_id(random.u32(..FIGURES.indicators))
}

fn query(random: &mut Rng, as_of: Option<AsOf>) -> QueryObservationsRequest {
    let filter = Some(ObservationFilter { indicators: vec![one_of(random)], ..ObservationFilter::default() });
    QueryObservationsRequest { filter, as_of, ..QueryObservationsRequest::default() }
}

fn rank(random: &mut Rng, as_of: Option<AsOf>) -> RankRequest {
    let selection = RegionSelection { indicator: one_of(random), level: "county".into(), ..RegionSelection::default() };
    RankRequest { selection: Some(selection), as_of, ..RankRequest::default() }
}

fn rollup(_: &mut Rng) -> RollupRequest {
    let selection = RegionSelection {
        indicator: "output".into(),
        under: "YY".into(),
        frequency: v1::Frequency::Annual.into(),
        ..RegionSelection::default()
    };
    RollupRequest { selection: Some(selection), method: RegionAggregation::Sum.into(), ..RollupRequest::default() }
}
