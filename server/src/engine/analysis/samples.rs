//! A small record for tests of analyses.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use indicator_proto::{
    Bound, SeriesKey, Statuses, Time,
    v1::{self, CatalogAction, MissingReason, Region, catalog_action::Action},
};
use tempfile::TempDir;

use crate::{
    engine::{
        CatalogCommand, CellWrite, Command, Context, Engine, Moment, Options, Place, Retention, SeriesWrite, WriteCommand,
        catalog::{
            Entry,
            samples::{indicator, region, source, unit},
        },
    },
    store::{Datum, Details, Figure},
};

/// A figure as it is typed: "5", ">5", ">=5", "<5", "~5", "5r1" (rounded to 1), "-" (suppressed), "x" (withdrawn).
pub(in crate::engine) fn figure(text: &str) -> Figure {
    let signs = [
        (">=", Bound::AtLeast),
        ("<=", Bound::AtMost),
        (">", Bound::GreaterThan),
        ("<", Bound::LessThan),
        ("~", Bound::Approximate),
    ];
    let sign = signs.into_iter().find(|(sign, _)| text.starts_with(sign));
    let (bound, rest) = sign.map_or((Bound::Exact, text), |(sign, bound)| (bound, &text[sign.len()..]));
    let (number, step) = rest.split_once('r').map_or((rest, None), |(number, step)| (number, Some(step)));
    let details = step.map(|step| Arc::new(Details { rounded_to: Some(step.parse().unwrap()), ..Details::default() }));
    let datum = match number {
        "-" => Datum::Missing(MissingReason::Suppressed),
        "x" => Datum::Withdrawn,
        number => Datum::Value(number.parse().unwrap(), bound),
    };
    Figure { datum, statuses: Statuses::default(), details }
}

/// The clock of all samples.
static MICROS: AtomicI64 = AtomicI64::new(1_700_000_000_000_000);

/// An engine over a store of its own. Each commit is recorded a second after the one before, from 2023-11-14 on.
pub(in crate::engine) struct Sample {
    pub(in crate::engine) engine: Engine,
    _directory: TempDir,
}

impl Sample {
    /// With "CN", four provinces and two prefectures of "CN-SD"; sources "a" before "b"; indicators "gdp", in yuan, and
    /// "population".
    pub(in crate::engine) async fn new() -> Self {
        let clock = || Time::from_micros(MICROS.fetch_add(1_000_000, Ordering::Relaxed)).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let options = Options { write_queue: 100, clock, retention: Retention::EVERYTHING };
        let sample = Self { engine: Engine::open(directory.path(), options).unwrap(), _directory: directory };
        let count = v1::Unit { kind: v1::UnitKind::Count.into(), ..unit("{person}", "person") };
        let mut entries: Vec<Entry> = vec![unit("CNY", "yuan").into(), count.into()];
        entries
            .extend(["CN", "CN-GD", "CN-JS", "CN-SD", "CN-ZJ"].map(|id| region(id, if id == "CN" { "" } else { "CN" }).into()));
        entries.extend(["CN-SD.3701", "CN-SD.3710"].map(|id| region(id, "CN-SD").into()));
        entries.extend([("a", 0), ("b", 1)].map(|(id, precedence)| v1::Source { precedence, ..source(id, "") }.into()));
        entries.extend([indicator("gdp", "CNY").into(), indicator("population", "{person}").into()]);
        sample.catalog(entries).await;
        sample
    }

    /// Lets a day go by.
    pub(in crate::engine) fn sleep() {
        MICROS.fetch_add(86_400_000_000, Ordering::Relaxed);
    }

    /// One commit of the catalog.
    pub(in crate::engine) async fn catalog(&self, entries: impl IntoIterator<Item = Entry>) -> u64 {
        let action = |entry: Entry| CatalogAction { action: Some(Action::Upsert(entry.into())) };
        let actions = entries.into_iter().map(action).collect();
        let command = CatalogCommand { actions, context: Context::default(), request: None, validate_only: false };
        self.engine.apply(Command::Catalog(command)).await.unwrap().revision
    }

    /// The days of a region.
    pub(in crate::engine) async fn lived(&self, id: &str, parent: &str, from: &str, to: &str) -> u64 {
        self.catalog([Region { valid_from: from.into(), valid_to: to.into(), ..region(id, parent) }.into()]).await
    }

    /// One commit of figures: region, period, figure.
    pub(in crate::engine) async fn put(&self, indicator: &str, source: &str, cells: &[(&str, &str, &str)]) -> u64 {
        let mut series: BTreeMap<&str, Vec<CellWrite>> = BTreeMap::new();
        for (region, period, text) in cells {
            let cell = CellWrite { period: period.parse().unwrap(), figure: figure(text), published_at: None, index: 0 };
            series.entry(region).or_default().push(cell);
        }
        let write = |(region, mut cells): (&str, Vec<CellWrite>)| {
            cells.sort_by_key(|cell| cell.period);
            let [indicator, region, source] = [indicator, region, source].map(str::to_owned);
            let key = SeriesKey { indicator, region, source, ..SeriesKey::default() };
            SeriesWrite { key, place: Place::Change(0), cells, withdraw_rest: false, withdrawn_at: None }
        };
        let series = series.into_iter().map(write).collect();
        let (expected, context) = (Vec::new(), Context::default());
        let command = WriteCommand { series, expected, published_at: None, context, request: None, validate_only: false };
        self.engine.apply(Command::Write(command)).await.unwrap().revision
    }

    /// The moment of a revision.
    pub(in crate::engine) fn at(&self, revision: u64) -> Moment {
        self.engine.moment(Some(revision), None, None).unwrap()
    }

    /// The newest moment.
    pub(in crate::engine) fn now(&self) -> Moment {
        self.engine.moment(None, None, None).unwrap()
    }
}
