//! What the page of an indicator reads.

use std::collections::{BTreeMap, BTreeSet};

use indicator_proto::{
    Frequency, Period, Time,
    v1::{
        self, EntryKind, ObservationFilter, RegionSelection, SearchCatalogRequest, SeriesKey, Transform, catalog_entry::Entry,
        transform::Step,
    },
};
use tonic::{Code, Status};

use super::super::{
    address::{Day, Indicator, Transform as Computed},
    ranking::{Ranked, ranked, usual_order},
    reader::{Figures, Reader, breadth},
};
use crate::engine::catalog::Search;

/// Regions beside the one that the page is of.
const OTHERS: usize = 7;
/// Earlier states beside that of now.
const VINTAGES: usize = 6;
const DISCREPANCIES: u32 = 20;

/// See the module.
pub(in crate::page) struct Data {
    /// What the series are broken down by: each a choice.
    pub(in crate::page) choices: BTreeSet<BTreeMap<String, String>>,
    /// What this one is broken down by.
    pub(in crate::page) dimensions: BTreeMap<String, String>,
    /// The latest figure of each source, the preferred one first.
    pub(in crate::page) by_source: Vec<v1::Observation>,
    /// The frequencies that there are.
    pub(in crate::page) frequencies: BTreeSet<Frequency>,
    /// As recorded, the latest last.
    pub(in crate::page) recorded: Figures,
    /// As the page shows them: recorded or computed.
    pub(in crate::page) shown: Figures,
    pub(in crate::page) others: Vec<(String, Figures)>,
    pub(in crate::page) vintages: Vec<(Day, Figures)>,
    /// The days on which figures came out, oldest first.
    pub(in crate::page) dates: Vec<Day>,
    /// The versions of the latest figure, oldest first.
    pub(in crate::page) versions: Vec<v1::Vintage>,
    pub(in crate::page) discrepancies: Vec<v1::Discrepancy>,
    pub(in crate::page) neighbours: Option<Ranked>,
    /// Names that are none of a region.
    pub(in crate::page) unknown: Vec<String>,
}

impl Data {
    pub(in crate::page) async fn read(reader: &Reader, view: &Indicator) -> Result<Self, Status> {
        let names = reader.names();
        let derived = names.catalog.indicator(&view.indicator).is_some_and(|it| !it.formula.is_empty());
        let of = |region: &str| ObservationFilter {
            indicators: vec![view.indicator.clone()],
            regions: vec![region.to_owned()],
            ..ObservationFilter::default()
        };
        // Which there are.
        let all = ObservationFilter { all_sources: !derived, ..of(&view.region) };
        let (choices, by_subject) = choices(reader, all).await?;
        let dimensions = match &view.dimensions {
            Some(dimensions) => dimensions.clone(),
            None => choices.iter().min_by_key(|dimensions| breadth(dimensions)).cloned().unwrap_or_default(),
        };
        let query = Query { reader, view, dimensions: &dimensions };
        let recorded = query.figures(&view.region, Computed::None, reader.as_of()).await?;
        let frequencies: BTreeSet<Frequency> = recorded.by_period.iter().map(|(period, _)| period.frequency()).collect();
        let shown = match view.transform {
            Computed::None => recorded.clone(),
            computed => query.figures(&view.region, computed, reader.as_of()).await?,
        };
        let mut unknown = Vec::new();
        let mut others = Vec::new();
        for name in view.with.iter().take(OTHERS) {
            match region(reader, name) {
                Some(id) if id == view.region => {}
                Some(id) => others.push((id.clone(), query.figures(&id, view.transform, reader.as_of()).await?)),
                None => unknown.push(name.clone()),
            }
        }
        let mut vintages = Vec::new();
        for day in view.vintages.iter().rev().take(VINTAGES).rev() {
            let as_of = v1::AsOf { published_at: day.end().map(Into::into), ..reader.as_of() };
            vintages.push((*day, query.figures(&view.region, view.transform, as_of).await?));
        }
        let latest = recorded.latest().map(|(_, observation)| observation.clone());
        let (dates, versions) = match latest.as_ref().filter(|_| !derived) {
            Some(latest) => history(reader, latest).await?,
            None => (Vec::new(), Vec::new()),
        };
        let preferred = latest.as_ref().and_then(|it| it.series.as_ref()).map(|series| series.source.clone());
        let mut by_source: Vec<v1::Observation> =
            by_subject.into_iter().filter(|(of, _)| *of == dimensions).flat_map(|(_, it)| it).collect();
        by_source.sort_by_key(|it| {
            let source = it.series.as_ref().map(|series| series.source.clone());
            (source != preferred, source)
        });
        let discrepancies = if by_source.len() > 1 {
            let filter = ObservationFilter { dimensions: dimensions.clone().into_iter().collect(), ..of(&view.region) };
            reader.discrepancies(filter, DISCREPANCIES).await?
        } else {
            Vec::new()
        };
        let neighbours = neighbours(reader, view, &dimensions, latest.as_ref()).await?;
        Ok(Self {
            choices,
            dimensions,
            by_source,
            frequencies,
            recorded,
            shown,
            others,
            vintages,
            dates,
            versions,
            discrepancies,
            neighbours,
            unknown,
        })
    }
}

type BySubject = Vec<(BTreeMap<String, String>, Vec<v1::Observation>)>;

/// What the series are broken down by, and the latest figure of each source.
async fn choices(reader: &Reader, filter: ObservationFilter) -> Result<(BTreeSet<BTreeMap<String, String>>, BySubject), Status> {
    let subjects = reader.figures(filter, 1, Vec::new(), reader.as_of()).await?;
    let choices = subjects.keys().map(|(.., dimensions)| dimensions.clone()).collect();
    let by_subject = subjects.into_iter().map(|((.., dimensions), figures)| {
        // One subject has a figure of each source.
        (dimensions, figures.by_period.into_iter().map(|(_, observation)| observation).collect())
    });
    Ok((choices, by_subject.collect()))
}

/// What all lines of a page have in common.
struct Query<'a> {
    reader: &'a Reader,
    view: &'a Indicator,
    dimensions: &'a BTreeMap<String, String>,
}

impl Query<'_> {
    async fn figures(&self, region: &str, computed: Computed, as_of: v1::AsOf) -> Result<Figures, Status> {
        let view = self.view;
        let text = |period: Option<Period>| period.map(|period| period.to_string()).unwrap_or_default();
        let filter = ObservationFilter {
            indicators: vec![view.indicator.clone()],
            regions: vec![region.to_owned()],
            sources: view.source.iter().cloned().collect(),
            dimensions: self.dimensions.clone().into_iter().collect(),
            start_period: text(view.from),
            end_period: text(view.to),
            frequency: view.frequency.map_or(v1::Frequency::Unspecified, Into::into).into(),
            ..ObservationFilter::default()
        };
        let steps = match computed {
            Computed::None => None,
            Computed::Change => Some(Step::Change(v1::Change { span: v1::ChangeSpan::Period.into() })),
            Computed::PercentChange => Some(Step::PercentChange(v1::PercentChange { span: v1::ChangeSpan::Period.into() })),
            Computed::YearOnYear => Some(Step::PercentChange(v1::PercentChange { span: v1::ChangeSpan::Year.into() })),
            Computed::Index => match self.base(region, &filter, as_of).await? {
                Some(base) => Some(Step::IndexTo(v1::IndexTo { base_period: base.to_string() })),
                None => return Ok(Figures::default()),
            },
        };
        let steps = steps.map(|step| Transform { step: Some(step) }).into_iter().collect();
        let subjects = self.reader.figures(filter, 0, steps, as_of).await?;
        let found = subjects.into_iter().find(|((.., dimensions), _)| dimensions == self.dimensions);
        Ok(found.map(|(_, figures)| figures).unwrap_or_default())
    }

    /// The first period of the line, which an index is 100 in.
    async fn base(&self, region: &str, filter: &ObservationFilter, as_of: v1::AsOf) -> Result<Option<Period>, Status> {
        let filter = ObservationFilter { regions: vec![region.to_owned()], ..filter.clone() };
        let subjects = self.reader.figures(filter, 0, Vec::new(), as_of).await?;
        let found = subjects.into_iter().find(|((.., dimensions), _)| dimensions == self.dimensions);
        let line = found.map(|(_, figures)| figures).unwrap_or_default();
        Ok(line.main_line().find(|(_, it)| !it.value.is_empty()).map(|(period, _)| *period))
    }
}

/// The region that a reader means: its id, or a name of it in any language.
fn region(reader: &Reader, name: &str) -> Option<String> {
    let catalog = reader.names().catalog;
    if let Some(region) = catalog.region(name) {
        return Some(region.id.clone());
    }
    let request = SearchCatalogRequest {
        query: name.to_owned(),
        kinds: vec![EntryKind::Region.into()],
        limit: 1,
        language: reader.language.tag().to_owned(),
        as_of: None,
    };
    let mut problems = Vec::new();
    let search = Search::read(&request, &mut problems);
    let hit = if problems.is_empty() { search.hits(catalog).into_iter().next() } else { None };
    match hit?.entry?.entry? {
        Entry::Region(region) => Some(region.id),
        _ => None,
    }
}

/// When figures came out, and the versions of the latest.
async fn history(reader: &Reader, latest: &v1::Observation) -> Result<(Vec<Day>, Vec<v1::Vintage>), Status> {
    let series: SeriesKey = latest.series.clone().unwrap_or_default();
    let dates = absent_is_none(reader.vintage_dates(series.clone()).await)?;
    let mut days: Vec<Day> = dates.iter().filter_map(|it| Day::of(Time::try_from(&it.date?).ok()?)).collect();
    days.dedup();
    let versions = absent_is_none(reader.vintages(series, latest.period.clone()).await)?;
    Ok((days, versions))
}

fn absent_is_none<T>(answer: Result<Vec<T>, Status>) -> Result<Vec<T>, Status> {
    match answer {
        Err(status) if status.code() == Code::NotFound => Ok(Vec::new()),
        answer => answer,
    }
}

/// The regions beside this one, in order.
async fn neighbours(
    reader: &Reader,
    view: &Indicator,
    dimensions: &BTreeMap<String, String>,
    latest: Option<&v1::Observation>,
) -> Result<Option<Ranked>, Status> {
    let Some(region) = reader.names().catalog.region(&view.region) else { return Ok(None) };
    if latest.is_none() {
        return Ok(None);
    }
    let selection = RegionSelection {
        indicator: view.indicator.clone(),
        level: region.level.clone(),
        under: region.parent.clone(),
        dimensions: dimensions.clone().into_iter().collect(),
        ..RegionSelection::default()
    };
    let found = ranked(reader, selection, usual_order(reader.names(), &view.indicator)).await?;
    // Alone one is first.
    Ok((found.ranking.rows.len() > 1).then_some(found))
}
