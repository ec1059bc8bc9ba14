//! Figures of regions: [`indicator_proto::v1::RegionSelection`], checked, and read as cross-sections.
//!
//! A region takes part in a period if it existed on some day of it, and among the latest figures if it exists at the moment that
//! they are read of: the one that a publication is limited to, else that of the commit. The clock takes no part in it, so that the
//! same moment has the same answer on any day.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use indicator_proto::{
    Frequency, Period,
    v1::{EntryKind, ErrorReason, Region},
};
use jiff::civil::Date;

use super::{
    line::{Line, Point},
    reading::{Reading, subject},
    transform::{Plan, Step},
};
use crate::engine::{Error, Sources, Violation, catalog::View, check};

/// Regions by their place in the tree: those of a level, those directly below a region, or those of a level at any depth below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regions {
    /// Empty means those directly below `under`.
    pub level: String,
    /// Empty means anywhere.
    pub under: String,
}

/// Figures of one indicator over regions.
#[derive(Debug, Clone, Default)]
pub struct RegionSelection {
    /// Its id.
    pub indicator: String,
    /// Of which regions.
    pub regions: Regions,
    /// Code by dimension: the series broken down so, and not otherwise.
    pub dimensions: BTreeMap<String, String>,
    /// Whose figures. The preferred one of them counts.
    pub sources: Sources,
    /// Of which periods, of what comes out.
    pub periods: Periods,
    /// What to compute of each region's figures first.
    pub steps: Vec<Step>,
}

/// Which periods.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Periods {
    /// The latest of each region that is a figure, as far as it is known: what is missing is not the latest of anything.
    #[default]
    Latest,
    /// This one.
    One(Period),
    /// Each that lies within.
    Within {
        /// Starts on or after this day.
        start: Option<Date>,
        /// Ends on or before this day.
        end: Option<Date>,
        /// Of this frequency.
        frequency: Option<Frequency>,
    },
}

impl Periods {
    /// Whether a period is one of them. One of each region is the latest.
    fn take(self, period: Period) -> bool {
        match self {
            Self::Latest => true,
            Self::One(one) => period == one,
            Self::Within { start, end, frequency } => {
                start.is_none_or(|start| period.start() >= start)
                    && end.is_none_or(|end| period.end() <= end)
                    && frequency.is_none_or(|frequency| period.frequency() == frequency)
            }
        }
    }
}

impl Regions {
    /// What is wrong with them. `path` comes before the names of the fields: "selection.", or nothing.
    #[must_use]
    pub fn check(&self, catalog: View<'_>, path: &str) -> Vec<Violation> {
        let mut violations = Vec::new();
        if self.level.is_empty() && self.under.is_empty() {
            let description = "is empty, and so is `under`; name a level, such as \"province\", or a region above, or both";
            violations.push(Violation::new(format!("{path}level"), ErrorReason::Required, description));
        }
        if !self.under.is_empty() && catalog.region(&self.under).is_none() {
            violations.push(Violation::unknown(format!("{path}under"), EntryKind::Region, &self.under));
        }
        // A level that no region has is a slip of the pen, which an empty answer would hide.
        if !self.level.is_empty() && !catalog.all::<Region>().any(|region| region.level == self.level) {
            let levels: BTreeSet<&str> = catalog.all::<Region>().map(|region| region.level.as_str()).collect();
            let levels = levels.into_iter().collect::<Vec<_>>().join(", ");
            let description = format!("no region is of level {:?}; the catalog has {levels}", self.level);
            violations.push(Violation::new(format!("{path}level"), ErrorReason::UnknownRegion, description));
        }
        violations
    }

    /// Whether a region is one of them, whenever it existed.
    #[must_use]
    pub fn has(&self, catalog: View<'_>, id: &str) -> bool {
        let Some(region) = catalog.region(id) else { return false };
        if self.level.is_empty() {
            return region.parent == self.under;
        }
        region.level == self.level && (self.under.is_empty() || catalog.is_under(id, &self.under))
    }

    /// Those that there are, by id, whenever they existed.
    pub(super) fn of<'a>(&self, catalog: View<'a>) -> Vec<&'a Region> {
        if self.level.is_empty() {
            return catalog.children(&self.under).collect();
        }
        let of_level = |region: &&Region| region.level == self.level;
        if self.under.is_empty() {
            return catalog.all::<Region>().filter(of_level).collect();
        }
        let below = catalog.subregions([self.under.as_str()]);
        below.into_iter().filter_map(|id| catalog.region(id)).filter(of_level).collect()
    }
}

impl RegionSelection {
    /// What it names and the catalog does not have, and what does not fit together. Fields are those of a `selection`.
    #[must_use]
    pub fn check(&self, catalog: View<'_>) -> Vec<Violation> {
        let mut violations = Vec::new();
        let indicator = catalog.indicator(&self.indicator);
        if self.indicator.is_empty() {
            let description = "is empty; name the indicator";
            violations.push(Violation::new("selection.indicator", ErrorReason::Required, description));
        } else if indicator.is_none() {
            violations.push(Violation::unknown("selection.indicator", EntryKind::Indicator, &self.indicator));
        }
        violations.extend(self.regions.check(catalog, "selection."));
        if let Some(indicator) = indicator {
            let codes = self.dimensions.iter().map(|(dimension, code)| (dimension.as_str(), code.as_str()));
            check::breakdown(catalog, indicator, codes, |field, reason, description| {
                violations.push(Violation::new(format!("selection.{field}"), reason, description));
            });
        }
        if let Sources::Named(sources) = &self.sources {
            for id in sources.iter().filter(|id| catalog.source(id).is_none()) {
                violations.push(Violation::unknown(format!("selection.sources[{id:?}]"), EntryKind::Source, id));
            }
        }
        if let Some(indicator) = indicator
            && let Err(unfit) = Plan::new(catalog, indicator, &self.steps, STEPS)
        {
            violations.extend(unfit);
        }
        violations
    }
}

/// The list of steps in a request.
const STEPS: &str = "selection.transforms";

/// The figures of the regions of a selection.
pub(super) struct RegionFigures<'r> {
    /// By region id.
    lines: Vec<(&'r Region, Line)>,
    periods: Periods,
    day: Option<Date>,
    /// Unit id.
    pub(super) unit: Arc<str>,
}

/// The figures of regions for one period, or the latest of each.
pub(super) struct CrossSection<'r> {
    /// `None` for the latest of each.
    pub(super) period: Option<Period>,
    /// Figures that are known as far as they are, by region id.
    pub(super) figures: Vec<Arc<Point>>,
    /// Regions without one, by id: not recorded, missing or undetermined.
    pub(super) without: Vec<&'r str>,
}

impl Reading<'_> {
    /// The figures of the regions of a selection, each region's line read and computed once.
    pub(super) fn region_figures(&self, selection: &RegionSelection) -> Result<RegionFigures<'_>, Error> {
        let plan = self.region_plan(selection)?;
        let mut lines = Vec::new();
        for region in selection.regions.of(self.catalog()) {
            lines.push((region, self.region_line(selection, &plan, &region.id)?));
        }
        let unit = Arc::clone(plan.unit());
        Ok(RegionFigures { lines, periods: selection.periods, day: self.day()?, unit })
    }

    /// What is to be computed of each region's figures.
    pub(super) fn region_plan(&self, selection: &RegionSelection) -> Result<Plan, Error> {
        match self.catalog().indicator(&selection.indicator) {
            Some(indicator) => Plan::new(self.catalog(), indicator, &selection.steps, STEPS).map_err(Error::Invalid),
            // Not yet in the catalog at the moment: nobody has a figure.
            None => Ok(Plan::default()),
        }
    }

    fn region_line(&self, selection: &RegionSelection, plan: &Plan, region: &str) -> Result<Line, Error> {
        let line = self.line(&subject(&selection.indicator, region, &selection.dimensions), &selection.sources)?;
        plan.apply(self, &selection.sources, line)
    }

    /// The figure of one region, for one period or the latest.
    pub(super) fn region_figure(
        &self,
        selection: &RegionSelection,
        plan: &Plan,
        region: &str,
    ) -> Result<Option<Arc<Point>>, Error> {
        let line = self.region_line(selection, plan, region)?;
        Ok(match selection.periods {
            Periods::One(period) => line.at(period).cloned(),
            Periods::Latest | Periods::Within { .. } => line.latest_known().cloned(),
        })
    }

    /// The regions that existed on some day of a period, or that exist at the moment, by id.
    pub(super) fn existing(&self, regions: &Regions, period: Option<Period>) -> Result<Vec<&Region>, Error> {
        let day = self.day()?;
        let existed = |region: &&Region| match period {
            Some(period) => existed_in(region, period),
            None => day.is_none_or(|day| existed(region, day, day)),
        };
        Ok(regions.of(self.catalog()).into_iter().filter(existed).collect())
    }

    /// The first day after that of the moment from which another of the regions exists, or one no longer does.
    pub(super) fn next_beginning_or_end(&self, regions: &Regions) -> Result<Option<Date>, Error> {
        let day = self.day()?;
        let turns = regions.of(self.catalog()).into_iter().flat_map(|region| {
            let (from, to) = life(region);
            [from, to.and_then(|to| to.tomorrow().ok())].into_iter().flatten()
        });
        Ok(turns.filter(|turn| day.is_none_or(|day| *turn > day)).min())
    }
}

impl<'r> RegionFigures<'r> {
    /// One for each period that any region has a figure for, by frequency, then start; exactly one where one period or the latest is
    /// asked for.
    pub(super) fn cross_sections(&self) -> Vec<CrossSection<'r>> {
        match self.periods {
            Periods::Latest => vec![self.latest()],
            Periods::One(period) => vec![self.of(period)],
            Periods::Within { .. } => self.reported().into_iter().map(|period| self.of(period)).collect(),
        }
    }

    /// The periods that any region has a figure for.
    fn reported(&self) -> BTreeSet<Period> {
        let known = self.lines.iter().flat_map(|(region, line)| {
            let known = line.points.iter().filter(|point| point.estimate().is_some()).map(|point| point.period());
            known.filter(|period| self.periods.take(*period) && existed_in(region, *period))
        });
        known.collect()
    }

    fn of(&self, period: Period) -> CrossSection<'r> {
        let expected = self.lines.iter().filter(|(region, _)| existed_in(region, period));
        CrossSection::of(Some(period), expected.map(|(region, line)| (region.id.as_str(), line.at(period).cloned())))
    }

    fn latest(&self) -> CrossSection<'r> {
        let expected = self.lines.iter().filter(|(region, _)| self.day.is_none_or(|day| existed(region, day, day)));
        CrossSection::of(None, expected.map(|(region, line)| (region.id.as_str(), line.latest_known().cloned())))
    }
}

impl<'r> CrossSection<'r> {
    /// Of each region's point, by region id. One that is missing or undetermined is no figure.
    pub(super) fn of(period: Option<Period>, points: impl IntoIterator<Item = (&'r str, Option<Arc<Point>>)>) -> Self {
        let mut section = Self { period, figures: Vec::new(), without: Vec::new() };
        for (region, point) in points {
            match point.filter(|point| point.estimate().is_some()) {
                Some(point) => section.figures.push(point),
                None => section.without.push(region),
            }
        }
        section
    }
}

/// Whether a region existed on some day of a period.
fn existed_in(region: &Region, period: Period) -> bool {
    // Nearly all regions have always been there, as far as is stated.
    (region.valid_from.is_empty() && region.valid_to.is_empty()) || existed(region, period.start(), period.end())
}

/// Whether a region existed on some day from a first to a last one.
fn existed(region: &Region, first: Date, last: Date) -> bool {
    let (from, to) = life(region);
    from.is_none_or(|from| from <= last) && to.is_none_or(|to| to >= first)
}

/// The first and the last day of a region, as far as they are stated.
fn life(region: &Region) -> (Option<Date>, Option<Date>) {
    // The catalog takes nothing else than days.
    (region.valid_from.parse().ok(), region.valid_to.parse().ok())
}

#[cfg(test)]
mod tests;
