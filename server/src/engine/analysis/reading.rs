//! Lines of figures at one moment, from the record.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use indicator_proto::{SeriesKey, Time};
use jiff::{Timestamp, civil::Date, tz::Offset};

use super::{
    derived,
    line::{Line, Point},
};
use crate::{
    engine::{
        Error, Moment, Sources,
        catalog::{Catalog, View},
        preferred::{SourceRank, by_period, choose, source_rank},
        read::{self, Cells},
        shared::Shared,
    },
    store::Version,
};

/// The record at one moment, for analyses: every figure that one reads is of the same state.
pub struct Reading<'a> {
    shared: &'a Shared,
    catalog: Arc<Catalog>,
    moment: Moment,
    explain: bool,
}

impl<'a> Reading<'a> {
    pub(in crate::engine) fn new(shared: &'a Shared, moment: Moment) -> Self {
        Self { shared, catalog: shared.catalog.load_full(), moment, explain: false }
    }

    /// Computed figures keep what they were computed of.
    #[must_use]
    pub fn explaining(self, explain: bool) -> Self {
        Self { explain, ..self }
    }

    /// The moment.
    #[must_use]
    pub fn moment(&self) -> Moment {
        self.moment
    }

    /// The catalog at the moment.
    #[must_use]
    pub fn catalog(&self) -> View<'_> {
        self.catalog.at(self.moment.revision)
    }

    /// The day of the moment, in UTC: that up to which publications count, and else that of the commit. `None` before the first.
    pub(super) fn day(&self) -> Result<Option<Date>, Error> {
        let recorded = match self.moment.revision {
            0 => None,
            revision => Some(read::header(self.shared, revision)?.time()?),
        };
        let time = self.moment.published_at.into_iter().chain(recorded).min();
        let day = |time: Time| Some(Offset::UTC.to_datetime(Timestamp::from_microsecond(time.micros()).ok()?).date());
        Ok(time.and_then(day))
    }

    pub(super) fn shared(&self) -> &'a Shared {
        self.shared
    }

    /// The figures of an indicator, region and breakdown, recorded or derived, of the preferred one of the sources that are allowed
    /// for each cell. Nothing is a line without points. A source that had said nothing by the moment takes no part, so that the line
    /// is the same whoever reports later.
    pub(super) fn line(&self, subject: &Arc<SeriesKey>, sources: &Sources) -> Result<Line, Error> {
        if let Some(formula) = derived::formula(self.catalog(), &subject.indicator) {
            return self.derived_line(subject, &formula, sources);
        }
        let series: Vec<(u32, Arc<SeriesKey>)> = {
            let index = self.shared.index();
            let keys = index.same_subject(subject).iter().map(|&id| (id, Arc::clone(index.key(id))));
            keys.filter(|(_, key)| allows(sources, &key.source)).collect()
        };
        let mut said = Vec::with_capacity(series.len());
        for (id, key) in series {
            let cells = self.cells(id)?;
            if !cells.is_empty() {
                said.push((key, cells));
            }
        }
        let line = |key: &Arc<SeriesKey>, points| Line { key: Arc::clone(key), unit: None, points, explain: self.explain };
        Ok(match said.as_slice() {
            [] => self.empty(&without_source(subject)),
            [(key, cells)] => line(key, points(key, cells)),
            several => line(&without_source(subject), self.preferred(several)),
        })
    }

    /// A line without figures.
    pub(super) fn empty(&self, key: &Arc<SeriesKey>) -> Line {
        Line { key: Arc::clone(key), unit: None, points: Vec::new(), explain: self.explain }
    }

    /// The figures of one series.
    pub(super) fn series_line(&self, id: u32, key: &Arc<SeriesKey>) -> Result<Line, Error> {
        let points = points(key, &self.cells(id)?);
        Ok(Line { key: Arc::clone(key), unit: None, points, explain: self.explain })
    }

    /// The figures of the preferred series for each cell.
    fn preferred(&self, series: &[(Arc<SeriesKey>, Cells)]) -> Vec<Arc<Point>> {
        let view = self.catalog();
        let ranked: Vec<(SourceRank, &[Version])> =
            series.iter().map(|(key, cells)| (source_rank(view, key), &**cells)).collect();
        let mut points = Vec::new();
        by_period(&ranked, |_, candidates| {
            let Some(verdict) = choose(candidates) else { return };
            let (key, _) = &series[verdict.preferred.series];
            let point = Point::recorded(key, verdict.preferred.version, verdict.others, verdict.disagree);
            points.extend(point.map(Arc::new));
        });
        points
    }

    /// The regions that have series of an indicator, by id.
    pub(super) fn regions_of(&self, indicator: &str) -> Vec<String> {
        let index = self.shared.index();
        let regions: BTreeSet<String> = index.of_indicators([indicator]).iter().map(|id| index.key(id).region.clone()).collect();
        regions.into_iter().collect()
    }

    pub(super) fn cells(&self, id: u32) -> Result<Cells, Error> {
        read::cells(self.shared, id, self.moment)
    }
}

/// The figures of a series, as it alone tells them.
fn points(key: &Arc<SeriesKey>, cells: &[Version]) -> Vec<Arc<Point>> {
    cells.iter().filter_map(|version| Point::recorded(key, version, 0, false)).map(Arc::new).collect()
}

/// Whether figures of a source take part.
pub(super) fn allows(sources: &Sources, source: &str) -> bool {
    match sources {
        Sources::Preferred | Sources::All => true,
        Sources::Named(named) => named.contains(source),
    }
}

/// What several sources report on.
pub(super) fn subject(indicator: &str, region: &str, dimensions: &BTreeMap<String, String>) -> Arc<SeriesKey> {
    Arc::new(SeriesKey {
        indicator: indicator.to_owned(),
        region: region.to_owned(),
        source: String::new(),
        dimensions: dimensions.clone(),
    })
}

pub(super) fn without_source(key: &Arc<SeriesKey>) -> Arc<SeriesKey> {
    if key.source.is_empty() { Arc::clone(key) } else { subject(&key.indicator, &key.region, &key.dimensions) }
}

/// The sources of points, by id.
pub(super) fn sources_of<'p>(points: impl IntoIterator<Item = &'p Arc<Point>>) -> BTreeSet<String> {
    points.into_iter().map(|point| point.key.source.clone()).filter(|source| !source.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::analysis::samples::Sample;

    #[tokio::test]
    async fn a_line_of_the_past_is_the_same_whoever_reports_later() {
        let sample = Sample::new().await;
        let before = sample.put("gdp", "b", &[("CN-SD", "2020", "5")]).await;
        let told = |moment| {
            let line = sample.engine.reading(moment).line(&subject("gdp", "CN-SD", &BTreeMap::new()), &Sources::Preferred);
            let line = line.unwrap();
            (line.key.source.clone(), line.points.iter().map(|point| point.key.source.clone()).collect::<Vec<_>>())
        };
        let first = told(sample.at(before));
        sample.put("gdp", "a", &[("CN-SD", "2021", "6")]).await;
        assert_eq!(told(sample.at(before)), first);
        assert_eq!(told(sample.now()), (String::new(), vec!["b".to_owned(), "a".to_owned()]));
    }
}
