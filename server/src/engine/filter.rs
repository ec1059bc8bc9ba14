use std::collections::{BTreeMap, BTreeSet};

use indicator_proto::{
    Frequency, Period, SeriesKey,
    v1::{EntryKind, ErrorReason, Region},
};
use jiff::civil::Date;
use roaring::RoaringBitmap;

use super::{SeriesIndex, Violation, catalog::View};

/// Selects cells: [`indicator_proto::v1::ObservationFilter`], checked. Empty lists select everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Indicator ids.
    pub indicators: BTreeSet<String>,
    /// Region ids.
    pub regions: BTreeSet<String>,
    /// Also the regions below.
    pub include_subregions: bool,
    /// Only this level; empty is any.
    pub region_level: String,
    /// Which sources.
    pub sources: Sources,
    /// Code by dimension.
    pub dimensions: BTreeMap<String, String>,
    /// Only periods that start on or after this day.
    pub start: Option<Date>,
    /// Only periods that end on or before this day.
    pub end: Option<Date>,
    /// Only this frequency.
    pub frequency: Option<Frequency>,
}

/// Whose figures a filter selects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Sources {
    /// For each cell, those of the preferred source.
    #[default]
    Preferred,
    /// Everybody's.
    All,
    /// Those of these sources.
    Named(BTreeSet<String>),
}

impl Filter {
    /// What the filter names and the catalog does not have.
    #[must_use]
    pub fn check(&self, catalog: View<'_>) -> Vec<Violation> {
        let mut violations = Vec::new();
        let mut unknown = |field: String, kind, id: &str| violations.push(Violation::unknown(field, kind, id));
        for id in self.indicators.iter().filter(|id| catalog.indicator(id).is_none()) {
            unknown(format!("filter.indicators[{id:?}]"), EntryKind::Indicator, id);
        }
        for id in self.regions.iter().filter(|id| catalog.region(id).is_none()) {
            unknown(format!("filter.regions[{id:?}]"), EntryKind::Region, id);
        }
        if let Sources::Named(sources) = &self.sources {
            for id in sources.iter().filter(|id| catalog.source(id).is_none()) {
                unknown(format!("filter.sources[{id:?}]"), EntryKind::Source, id);
            }
        }
        for (id, code) in &self.dimensions {
            let field = format!("filter.dimensions[{id:?}]");
            match catalog.dimension(id) {
                None => violations.push(Violation::unknown(field, EntryKind::Dimension, id)),
                Some(dimension) if !dimension.codes.iter().any(|c| c.id == *code) => {
                    let description =
                        format!("dimension {id:?} has no code {code:?}; check the spelling, or look at it with GetDimension");
                    violations.push(Violation::new(field, ErrorReason::UnknownCode, description));
                }
                Some(_) => {}
            }
        }
        violations
    }

    /// The series that are selected, whatever their periods.
    #[must_use]
    pub fn series(&self, catalog: View<'_>, index: &SeriesIndex) -> RoaringBitmap {
        let mut selected: Option<RoaringBitmap> = None;
        let mut narrow = |set: RoaringBitmap| {
            selected = Some(match selected.take() {
                None => set,
                Some(before) => before & set,
            });
        };
        if !self.indicators.is_empty() {
            narrow(index.of_indicators(self.indicators.iter().map(String::as_str)));
        }
        if let Sources::Named(sources) = &self.sources {
            narrow(index.of_sources(sources.iter().map(String::as_str)));
        }
        for (dimension, code) in &self.dimensions {
            narrow(index.of_code(dimension, code));
        }
        if let Some(regions) = self.region_ids(catalog) {
            narrow(index.of_regions(regions));
        }
        selected.unwrap_or_else(|| index.all())
    }

    /// The regions that are selected; `None` is all.
    fn region_ids<'a>(&'a self, catalog: View<'a>) -> Option<Vec<&'a str>> {
        let level = |id: &str| self.region_level.is_empty() || catalog.region(id).is_some_and(|r| r.level == self.region_level);
        if self.regions.is_empty() {
            return (!self.region_level.is_empty())
                .then(|| catalog.all::<Region>().filter(|r| r.level == self.region_level).map(|r| r.id.as_str()).collect());
        }
        let mut ids: Vec<&str> = self.regions.iter().map(String::as_str).collect();
        if self.include_subregions {
            ids.extend(catalog.subregions(ids.clone()));
        }
        ids.retain(|id| level(id));
        Some(ids)
    }

    /// Whether a series is selected, as the catalog is at that moment.
    #[must_use]
    pub fn matches(&self, catalog: View<'_>, key: &SeriesKey) -> bool {
        let indicator = self.indicators.is_empty() || self.indicators.contains(&key.indicator);
        let source = match &self.sources {
            Sources::Named(sources) => sources.contains(&key.source),
            Sources::Preferred | Sources::All => true,
        };
        let codes = self.dimensions.iter().all(|(d, c)| key.dimensions.iter().any(|(kd, kc)| kd == d && kc == c));
        indicator && source && codes && self.matches_region(catalog, &key.region)
    }

    fn matches_region(&self, catalog: View<'_>, region: &str) -> bool {
        let level = self.region_level.is_empty() || catalog.region(region).is_some_and(|r| r.level == self.region_level);
        let under = |ancestor: &String| self.include_subregions && catalog.is_under(region, ancestor);
        level && (self.regions.is_empty() || self.regions.contains(region) || self.regions.iter().any(under))
    }

    /// Whether what is selected changes when a region moves in the tree, or changes its level.
    #[must_use]
    pub fn depends_on_region_tree(&self) -> bool {
        !self.region_level.is_empty() || (self.include_subregions && !self.regions.is_empty())
    }

    /// Whether every period is selected.
    #[must_use]
    pub fn takes_every_period(&self) -> bool {
        self.start.is_none() && self.end.is_none() && self.frequency.is_none()
    }

    /// Whether a period is selected.
    #[must_use]
    pub fn takes(&self, period: Period) -> bool {
        self.frequency.is_none_or(|f| f == period.frequency()) && self.lies_within(period)
    }

    /// Whether a period lies within the first and the last day.
    #[must_use]
    pub fn lies_within(&self, period: Period) -> bool {
        self.start.is_none_or(|start| period.start() >= start) && self.end.is_none_or(|end| period.end() <= end)
    }
}
