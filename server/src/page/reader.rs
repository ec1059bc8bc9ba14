//! What the pages read: the answers of the services, all of one state of the record.

use std::{collections::BTreeMap, sync::Arc};

use futures::TryStreamExt as _;
use indicator_proto::{
    Period,
    v1::{
        self, AsOf, analytics_service_server::AnalyticsService as _, observation_service_server::ObservationService as _,
        query_observations_response::Message,
    },
    words::Language,
};
use tonic::{Request, Status};

use super::{address::Manner, names::Names};
use crate::{
    engine::{Engine, catalog::Catalog},
    service::{analytics::Analytics, blocking, observation::Observations},
    watch::Hub,
};

/// Answers what pages ask, in this process.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) hub: Arc<Hub>,
    observations: Observations,
    analytics: Analytics,
}

impl Desk {
    pub(super) fn new(hub: &Arc<Hub>) -> Self {
        Self {
            // Nothing is written here.
            observations: Observations::new(Arc::clone(hub.engine()), 0),
            analytics: Analytics::new(Arc::clone(hub)),
            hub: Arc::clone(hub),
        }
    }

    pub(super) fn engine(&self) -> &Arc<Engine> {
        self.hub.engine()
    }

    /// Reads the state of a revision, or the earlier one that the reader asked for.
    pub(super) fn reader(&self, manner: &Manner, head: u64) -> Result<Reader, Status> {
        let revision = manner.revision.unwrap_or(head);
        if revision > head {
            return Err(crate::engine::Error::FutureRevision { asked: revision, head }.into());
        }
        self.engine().check_revision(revision).map_err(Status::from)?;
        let published_at = manner.as_of.and_then(super::address::Day::end).map(Into::into);
        Ok(Reader {
            desk: self.clone(),
            as_of: AsOf { revision, recorded_at: None, published_at },
            catalog: self.engine().catalog(),
            language: manner.language,
        })
    }
}

/// Reads one state of the record.
pub(super) struct Reader {
    desk: Desk,
    as_of: AsOf,
    catalog: Arc<Catalog>,
    pub(super) language: Language,
}

/// Figures of one subject by period: for the preferred picture, each with the source it comes from.
#[derive(Debug, Clone, Default)]
pub(super) struct Figures {
    pub(super) dimensions: BTreeMap<String, String>,
    pub(super) by_period: Vec<(Period, v1::Observation)>,
}

impl Figures {
    /// That of the greatest last day; among equals of the finer frequency.
    pub(super) fn latest(&self) -> Option<&(Period, v1::Observation)> {
        self.by_period.iter().max_by_key(|(period, _)| (period.end(), period.frequency()))
    }

    /// Those of the frequency of the latest.
    pub(super) fn main_line(&self) -> impl DoubleEndedIterator<Item = &(Period, v1::Observation)> {
        let frequency = self.latest().map(|(period, _)| period.frequency());
        self.by_period.iter().filter(move |(period, _)| Some(period.frequency()) == frequency)
    }
}

/// How broad a series is, the broadest least: broken down by fewest dimensions, and of those by codes for a total: SDMX has "_T" for it.
pub(super) fn breadth(dimensions: &BTreeMap<String, String>) -> (usize, usize) {
    let is_part = |code: &&String| !["_T", "T", "TOTAL", "Total", "total"].contains(&code.as_str());
    (dimensions.len(), dimensions.values().filter(is_part).count())
}

/// What a subject is named by: indicator, region, dimensions.
pub(super) type Subject = (String, String, BTreeMap<String, String>);

impl Reader {
    /// Nothing that was recorded later is read.
    pub(super) fn revision(&self) -> u64 {
        self.as_of.revision
    }

    pub(super) fn as_of(&self) -> AsOf {
        self.as_of
    }

    pub(super) fn engine(&self) -> &Arc<Engine> {
        self.desk.engine()
    }

    /// Names of what the figures are about.
    pub(super) fn names(&self) -> Names<'_> {
        Names::new(self.catalog.at(self.as_of.revision), self.language)
    }

    /// The preferred figures that a filter selects, or those of each source, as they are or computed, by subject.
    pub(super) async fn figures(
        &self,
        filter: v1::ObservationFilter,
        latest_n: u32,
        transforms: Vec<v1::Transform>,
        as_of: AsOf,
    ) -> Result<BTreeMap<Subject, Figures>, Status> {
        let request = v1::QueryObservationsRequest {
            filter: Some(filter),
            as_of: Some(as_of),
            latest_n,
            transforms,
            ..v1::QueryObservationsRequest::default()
        };
        let mut answer = self.desk.observations.query_observations(Request::new(request)).await?.into_inner();
        let mut subjects: BTreeMap<Subject, Figures> = BTreeMap::new();
        while let Some(message) = answer.try_next().await? {
            let Some(Message::Chunk(chunk)) = message.message else { continue };
            let series = chunk.series.unwrap_or_default();
            let dimensions: BTreeMap<String, String> = series.dimensions.clone().into_iter().collect();
            let subject = (series.indicator.clone(), series.region.clone(), dimensions.clone());
            let figures = subjects.entry(subject).or_insert_with(|| Figures { dimensions, by_period: Vec::new() });
            for mut observation in chunk.observations {
                let Ok(period) = observation.period.parse() else { continue };
                observation.series = Some(series.clone());
                figures.by_period.push((period, observation));
            }
        }
        for figures in subjects.values_mut() {
            figures.by_period.sort_by_key(|(period, _)| *period);
        }
        Ok(subjects)
    }

    /// Ranks regions.
    pub(super) async fn rank(&self, selection: v1::RegionSelection, least_first: bool) -> Result<v1::RankResponse, Status> {
        let request =
            v1::RankRequest { selection: Some(selection), least_first, as_of: Some(self.as_of), ..v1::RankRequest::default() };
        Ok(self.desk.analytics.rank(Request::new(request)).await?.into_inner())
    }

    /// Where sources disagree.
    pub(super) async fn discrepancies(&self, filter: v1::ObservationFilter, most: u32) -> Result<Vec<v1::Discrepancy>, Status> {
        let request = v1::ListDiscrepanciesRequest {
            filter: Some(filter),
            as_of: Some(self.as_of),
            page_size: most,
            ..v1::ListDiscrepanciesRequest::default()
        };
        Ok(self.desk.analytics.list_discrepancies(Request::new(request)).await?.into_inner().discrepancies)
    }

    /// The versions of a cell.
    pub(super) async fn vintages(&self, series: v1::SeriesKey, period: String) -> Result<Vec<v1::Vintage>, Status> {
        let request = v1::ListVintagesRequest {
            series: Some(series),
            period,
            as_of: Some(AsOf { published_at: None, ..self.as_of }),
            page_size: 100,
            ..v1::ListVintagesRequest::default()
        };
        Ok(self.desk.observations.list_vintages(Request::new(request)).await?.into_inner().vintages)
    }

    /// The days on which versions of a series came out, oldest first.
    pub(super) async fn vintage_dates(&self, series: v1::SeriesKey) -> Result<Vec<v1::VintageDate>, Status> {
        let request = v1::ListVintageDatesRequest {
            series: Some(series),
            as_of: Some(AsOf { published_at: None, ..self.as_of }),
            page_size: 1_000,
            ..v1::ListVintageDatesRequest::default()
        };
        Ok(self.desk.observations.list_vintage_dates(Request::new(request)).await?.into_inner().dates)
    }

    /// Commits up to the reader's revision, or up to an earlier one, newest first; with their changes where those are few.
    pub(super) async fn commits(&self, until: u64, most: u32, few: u32) -> Result<Vec<v1::Commit>, Status> {
        let request = v1::ListCommitsRequest {
            until_revision: until.min(self.revision()),
            newest_first: true,
            page_size: most,
            ..v1::ListCommitsRequest::default()
        };
        let mut commits = if request.until_revision == 0 {
            // Which would be all.
            Vec::new()
        } else {
            self.desk.observations.list_commits(Request::new(request)).await?.into_inner().commits
        };
        commits = blocking(self.engine(), move |engine| {
            for commit in commits.iter_mut().filter(|commit| commit.cells + commit.entries <= few) {
                *commit = crate::service::wire::commit(&engine.commit(commit.revision, true)?);
            }
            Ok(commits)
        })
        .await?;
        Ok(commits)
    }
}
