//! What the display shows: the indicators of a region, one indicator over regions, or what a filter selects.

use indicator_proto::v1::{EntryKind, ObservationFilter};

use crate::{catalog::Labels, display::text::clean};
use indicator_proto::words::Language;

/// A selection of figures, and how to call it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Scope {
    /// Which figures.
    pub(crate) filter: ObservationFilter,
    /// All rows are of this region.
    pub(crate) region: Option<String>,
    /// All rows are of this indicator.
    pub(crate) indicator: Option<String>,
}

impl Scope {
    /// What a filter selects.
    pub(crate) fn of_filter(filter: ObservationFilter) -> Self {
        let only = |ids: &[String]| match ids {
            [only] => Some(only.clone()),
            _ => None,
        };
        let region = only(&filter.regions).filter(|_| !filter.include_subregions);
        Self { region, indicator: only(&filter.indicators), filter }
    }

    /// All indicators of a region.
    pub(crate) fn of_region(region: &str) -> Self {
        Self::of_filter(ObservationFilter { regions: vec![region.to_owned()], ..ObservationFilter::default() })
    }

    /// One indicator everywhere.
    pub(crate) fn of_indicator(indicator: &str) -> Self {
        Self::of_filter(ObservationFilter { indicators: vec![indicator.to_owned()], ..ObservationFilter::default() })
    }

    /// One indicator of a region and of those directly below it; of its peers, where there is none below.
    pub(crate) fn around(indicator: &str, region: &str, catalog: &Labels) -> Self {
        let mut regions: Vec<String> = catalog.regions_in(region).map(|below| below.id.clone()).collect();
        if regions.is_empty() {
            let parent = catalog.region(region).map(|region| region.parent.as_str()).unwrap_or_default();
            regions = catalog.regions_in(parent).map(|peer| peer.id.clone()).collect();
            regions.extend(Some(parent).filter(|parent| !parent.is_empty()).map(str::to_owned));
        } else {
            regions.push(region.to_owned());
        }
        let filter = ObservationFilter { indicators: vec![indicator.to_owned()], regions, ..ObservationFilter::default() };
        Self { region: None, indicator: Some(indicator.to_owned()), filter }
    }

    /// One figure a cell, that of the preferred source, unless sources were asked for.
    pub(crate) fn preferred(&self) -> bool {
        self.filter.sources.is_empty() && !self.filter.all_sources
    }

    /// The names of what it shows.
    pub(crate) fn title(&self, catalog: &Labels, language: Language) -> String {
        let name = |kind, id: &Option<String>| id.as_deref().map(|id| clean(catalog.name(kind, id, language)));
        match (name(EntryKind::Indicator, &self.indicator), name(EntryKind::Region, &self.region)) {
            (Some(indicator), Some(region)) => format!("{indicator} · {region}"),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) if self.filter == ObservationFilter::default() => language.word("All figures", "全部数据").to_owned(),
            (None, None) => language.word("Selection", "所选数据").to_owned(),
        }
    }
}
