//! When figures crossed thresholds, for certain or perhaps.

use std::sync::Arc;

use indicator_proto::{Decimal, SeriesKey, v1::MilestoneState};

use super::{
    arithmetic,
    estimate::Estimate,
    line::{Line, Point},
    query::Selected,
    reading::Reading,
    transform::{Plan, Step},
};
use crate::{
    engine::{Error, Filter, Sources, Violation, preferred::recency},
    store::Version,
};

/// On which side of a threshold a figure has crossed it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Crossing {
    /// At or above it.
    #[default]
    Reached,
    /// At or below it.
    FellTo,
}

/// What counts as a milestone.
#[derive(Debug, Clone, Default)]
pub struct Thresholds {
    /// In the unit of the figures.
    pub thresholds: Vec<Decimal>,
    /// On which side.
    pub crossing: Crossing,
}

/// Asks for milestones.
#[derive(Debug, Clone)]
pub struct MilestoneQuery {
    /// Of which figures. Its frequency is that of the figures that are computed with; its limits are of what comes out.
    pub filter: Filter,
    /// Which milestones.
    pub thresholds: Thresholds,
    /// What to compute of the figures first.
    pub steps: Vec<Step>,
}

/// One series and one threshold.
#[derive(Debug, Clone)]
pub struct Milestone {
    /// The series; without a source where sources compete.
    pub key: Arc<SeriesKey>,
    /// The threshold.
    pub threshold: Decimal,
    /// The figure of the first period that crossed for certain.
    pub first: Option<Arc<Point>>,
    /// The first version ever published that proves a crossing, whether or not it still stands.
    pub first_published: Option<Arc<Point>>,
    /// The figure of the first period that may have crossed, where none before it has for certain.
    pub possible: Option<Arc<Point>>,
    /// The latest figure.
    pub latest: Option<Arc<Point>>,
}

impl Milestone {
    /// How certain.
    #[must_use]
    pub fn state(&self) -> MilestoneState {
        match (&self.first, &self.possible) {
            (Some(_), _) => MilestoneState::Proven,
            (None, Some(_)) => MilestoneState::Possible,
            (None, None) => MilestoneState::NotReached,
        }
    }

    /// Whether a follower has to be told of it, who knows what it was before: its state, or since when.
    #[must_use]
    pub fn differs(&self, before: &Self) -> bool {
        let since = |milestone: &Self| [&milestone.first, &milestone.possible].map(|point| point.as_ref().map(|p| p.period()));
        since(self) != since(before)
    }
}

impl Crossing {
    /// Whether every number that a figure may be has crossed.
    fn is_proven(self, figure: &Estimate, threshold: Decimal) -> bool {
        let (figure, threshold) = self.upwards(figure, threshold);
        figure.span().is_at_least(threshold)
    }

    /// Whether some number that a figure may be has crossed.
    fn is_possible(self, figure: &Estimate, threshold: Decimal) -> bool {
        let (figure, threshold) = self.upwards(figure, threshold);
        figure.span().may_be_at_least(threshold)
    }

    /// Mirrored where that is needed for crossing to be upwards.
    fn upwards(self, figure: &Estimate, threshold: Decimal) -> (Estimate, Decimal) {
        match self {
            Self::Reached => (*figure, threshold),
            Self::FellTo => (figure.negated(), arithmetic::negated(threshold)),
        }
    }
}

impl Thresholds {
    /// The milestones of a line, threshold by threshold, without publications.
    pub(super) fn state(&self, line: &Line) -> Vec<Milestone> {
        let latest = line.latest_known();
        self.thresholds.iter().map(|&threshold| self.milestone(line, threshold, latest)).collect()
    }

    fn milestone(&self, line: &Line, threshold: Decimal, latest: Option<&Arc<Point>>) -> Milestone {
        let first = |crossed: &dyn Fn(&Estimate) -> bool| {
            let points = line.points.iter().filter(|point| point.estimate().is_some_and(crossed));
            points.min_by_key(|point| recency(point.period()))
        };
        let proven = first(&|figure| self.crossing.is_proven(figure, threshold));
        let before = |possible: &&Arc<Point>| proven.is_none_or(|it| recency(possible.period()) < recency(it.period()));
        let possible = first(&|figure| self.crossing.is_possible(figure, threshold)).filter(before);
        Milestone {
            key: Arc::clone(&line.key),
            threshold,
            first: proven.cloned(),
            first_published: None,
            possible: possible.cloned(),
            latest: latest.cloned(),
        }
    }

    /// For each threshold the first version that proves a crossing, of versions in the order of their publication.
    fn first_published(&self, versions: &[(Arc<SeriesKey>, Version)]) -> Vec<Option<Arc<Point>>> {
        let mut points = versions.iter().filter_map(|(key, version)| Point::recorded(key, version, 0, false)).map(Arc::new);
        let mut found = vec![None; self.thresholds.len()];
        while found.iter().any(Option::is_none)
            && let Some(point) = points.next()
        {
            let Some(figure) = point.estimate() else { continue };
            for (first, threshold) in found.iter_mut().zip(&self.thresholds) {
                if first.is_none() && self.crossing.is_proven(figure, *threshold) {
                    *first = Some(Arc::clone(&point));
                }
            }
        }
        found
    }
}

/// A line by one of its series, and its milestones.
pub(super) type OfLine = (Arc<SeriesKey>, Vec<Milestone>);

impl Reading<'_> {
    /// The milestones of what a filter selects, by series in order of creation, then threshold.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if steps do not fit the indicators, or there are more than `most`; [`Error::Store`].
    pub fn milestones(&self, query: &MilestoneQuery, most: usize) -> Result<Vec<Milestone>, Error> {
        let selected = self.selected(&query.filter);
        let plans = self.plans(&query.filter, &selected, &query.steps, "transforms")?;
        if selected.len().saturating_mul(query.thresholds.thresholds.len()) > most {
            return Err(too_many(selected.len(), query.thresholds.thresholds.len(), most).into());
        }
        let mut milestones = Vec::new();
        for selected in &selected {
            milestones.extend(self.milestones_of_line(query, selected, &plans[&selected.key.indicator])?);
        }
        Ok(milestones)
    }

    /// The milestones of what figures of these series can have changed, without steps: each line of what the filter selects with all
    /// that there is to tell of it, perhaps nothing.
    pub(super) fn milestones_of(&self, query: &MilestoneQuery, touched: &[Arc<SeriesKey>]) -> Result<Vec<OfLine>, Error> {
        let selected = self.selected_of(&query.filter, touched);
        let of_line = |selected: Selected| {
            let milestones = self.milestones_of_line(query, &selected, &Plan::default())?;
            Ok((selected.key, milestones))
        };
        selected.into_iter().map(of_line).collect()
    }

    fn milestones_of_line(&self, query: &MilestoneQuery, selected: &Selected, plan: &Plan) -> Result<Vec<Milestone>, Error> {
        let mut line = self.planned(selected, &query.filter, plan)?;
        line.points.retain(|point| query.filter.lies_within(point.period()));
        let mut milestones = query.thresholds.state(&line);
        let mut told = !line.points.is_empty();
        if query.steps.is_empty() {
            let versions = self.published(selected, &query.filter)?;
            let firsts = query.thresholds.first_published(&versions);
            for (milestone, first) in milestones.iter_mut().zip(firsts) {
                told |= first.is_some();
                milestone.first_published = first;
            }
        }
        // Nobody had said anything of it by then.
        Ok(if told { milestones } else { Vec::new() })
    }

    /// Every version of what a filter selects of a line, in the order of their publication.
    fn published(&self, selected: &Selected, filter: &Filter) -> Result<Vec<(Arc<SeriesKey>, Version)>, Error> {
        let series: Vec<(u32, Arc<SeriesKey>)> = {
            let index = self.shared().index();
            let ids = match (&filter.sources, &selected.series) {
                (Sources::Preferred, _) => index.same_subject(&selected.key),
                (Sources::All | Sources::Named(_), series) => series.as_slice(),
            };
            ids.iter().map(|&id| (id, Arc::clone(index.key(id)))).collect()
        };
        let moment = self.moment();
        let mut published = Vec::new();
        for (id, key) in series {
            let versions = self.shared().store.versions(id, moment.revision)?;
            let known = versions.into_iter().filter(|version| {
                moment.published_at.is_none_or(|until| version.published_at <= until) && filter.takes(version.period)
            });
            published.extend(known.map(|version| (Arc::clone(&key), version)));
        }
        published.sort_by_key(|(_, version)| (version.rank(), recency(version.period)));
        Ok(published)
    }
}

fn too_many(series: usize, thresholds: usize, most: usize) -> Violation {
    let description =
        format!("selects {series} series, which with {thresholds} thresholds make more than {most} milestones; narrow it");
    Violation::new("filter", indicator_proto::v1::ErrorReason::RequestTooLarge, description)
}

#[cfg(test)]
mod tests;
