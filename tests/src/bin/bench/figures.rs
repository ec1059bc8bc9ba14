//! The figures that the benches work on: monthly series that wander, as statistics do.

use std::{collections::BTreeMap, io::Write};

use fastrand::Rng;
use indicator_proto::v1;

pub(crate) const SOURCE: &str = "bureau";
const COUNTRY: &str = "XX";
const FIRST_YEAR: u32 = 1950;

/// How many figures: every indicator for every region in every month.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    pub(crate) indicators: u32,
    pub(crate) regions: u32,
    pub(crate) months: u32,
}

pub(crate) fn named(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("en".to_owned(), name.to_owned())])
}

pub(crate) fn indicator_id(number: u32) -> String {
    format!("indicator-{number:03}")
}

pub(crate) fn region_id(number: u32) -> String {
    format!("{COUNTRY}.{number:05}")
}

pub(crate) fn period(month: u32) -> String {
    format!("{}-{:02}", FIRST_YEAR + month / 12, month % 12 + 1)
}

impl Figures {
    pub(crate) const fn series(&self) -> u32 {
        self.indicators * self.regions
    }

    pub(crate) const fn observations(&self) -> u64 {
        self.series() as u64 * self.months as u64
    }

    /// A series of its number.
    pub(crate) fn key(&self, series: u32) -> v1::SeriesKey {
        v1::SeriesKey {
            indicator: indicator_id(series / self.regions),
            region: region_id(series % self.regions),
            source: SOURCE.to_owned(),
            dimensions: BTreeMap::new(),
        }
    }

    /// The values of a series, in tenths: they wander, and no two series are alike.
    pub(crate) fn tenths(&self, series: u32) -> impl Iterator<Item = u32> + use<> {
        let mut random = Rng::with_seed(u64::from(series));
        let mut value = 100_000 + random.u32(..9_000_000);
        (0..self.months).map(move |_| {
            value = (value + random.u32(..2_001)).saturating_sub(1_000);
            value
        })
    }

    /// A series with its figures.
    pub(crate) fn observations_of(&self, series: u32) -> v1::SeriesObservations {
        let figure = |(month, tenths): (usize, u32)| v1::Observation {
            period: period(month as u32),
            value: decimal(tenths),
            ..v1::Observation::default()
        };
        let observations = self.tenths(series).enumerate().map(figure).collect();
        v1::SeriesObservations { series: Some(self.key(series)), observations }
    }

    /// What the catalog needs to have before the figures.
    pub(crate) fn catalog(&self) -> Vec<v1::CatalogEntry> {
        use v1::catalog_entry::Entry;
        let unit = v1::Unit { id: "1".to_owned(), names: named("one"), kind: v1::UnitKind::Count.into(), ..Default::default() };
        let source =
            v1::Source { id: SOURCE.to_owned(), names: named("Bureau"), kind: "department".to_owned(), ..Default::default() };
        let country =
            v1::Region { id: COUNTRY.to_owned(), level: "country".to_owned(), names: named("Country"), ..Default::default() };
        let regions = (0..self.regions).map(|number| v1::Region {
            id: region_id(number),
            parent: COUNTRY.to_owned(),
            level: "county".to_owned(),
            names: named(&format!("Region {number}")),
            ..Default::default()
        });
        let indicators = (0..self.indicators).map(|number| v1::Indicator {
            id: indicator_id(number),
            names: named(&format!("Indicator {number}")),
            unit: "1".to_owned(),
            ..Default::default()
        });
        let entries = [Entry::Unit(unit), Entry::Source(source), Entry::Region(country)].into_iter();
        let entries = entries.chain(regions.map(Entry::Region)).chain(indicators.map(Entry::Indicator));
        entries.map(|entry| v1::CatalogEntry { entry: Some(entry) }).collect()
    }

    /// The first indicator's figures as a tidy file: a row an observation.
    pub(crate) fn write_csv(&self, mut out: impl Write) -> std::io::Result<()> {
        writeln!(out, "region,period,value")?;
        for region in 0..self.regions {
            let id = region_id(region);
            for (month, tenths) in self.tenths(region).enumerate() {
                writeln!(out, "{id},{},{}", period(month as u32), decimal(tenths))?;
            }
        }
        out.flush()
    }
}

/// Canonical: no trailing zero.
pub(crate) fn decimal(tenths: u32) -> String {
    match (tenths / 10, tenths % 10) {
        (whole, 0) => whole.to_string(),
        (whole, tenth) => format!("{whole}.{tenth}"),
    }
}
