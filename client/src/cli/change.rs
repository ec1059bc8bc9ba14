//! Changes of the record, a line each: what was, what is, who said so.

use std::collections::BTreeSet;

use indicator_proto::{
    to_json,
    v1::{CatalogChange, CellChange, ChangeKind, EntryKind, Observation, SeriesKey, WriteContext, catalog_entry::Entry},
    words::{self, Language, figure, figure_with_unit, remarks},
};
use prost_types::Timestamp;
use serde_json::Value;

use crate::{
    catalog::{self, Labels},
    output::{Column, Observations, View, clock},
    typed::Typed as _,
};

/// A change and the commit that made it.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The commit.
    pub(crate) revision: u64,
    /// When it was recorded.
    pub(crate) recorded_at: Option<Timestamp>,
    /// Who and why.
    pub(crate) context: WriteContext,
    /// What it did.
    pub(crate) what: What,
}

impl Change {
    /// The series, if it is a figure that changed.
    pub(crate) fn series(&self) -> Option<&SeriesKey> {
        match &self.what {
            What::Cell(change) => change.observation.as_ref()?.series.as_ref(),
            What::Entry(_) => None,
        }
    }
}

/// What a commit did to one thing.
#[derive(Debug, Clone)]
pub(crate) enum What {
    /// A new version of a figure.
    Cell(Box<CellChange>),
    /// A new version of a catalog entry.
    Entry(Box<CatalogChange>),
}

/// Shows changes. `labels` serve the table.
#[derive(Debug)]
pub(crate) struct Changes {
    labels: Labels,
    language: Language,
    records: Observations,
}

impl Changes {
    /// Shows changes in a language.
    pub(crate) fn new(labels: Labels, language: Language) -> Self {
        Self { labels, language, records: Observations::new(Labels::default(), BTreeSet::new(), language) }
    }

    fn cell(&self, change: &CellChange) -> [String; 4] {
        let new = observation(change);
        let series = new.series.clone().unwrap_or_default();
        let name = |kind, id| self.labels.name(kind, id, self.language);
        let mut what = format!("{}, {}", name(EntryKind::Indicator, &series.indicator), name(EntryKind::Region, &series.region));
        if !series.dimensions.is_empty() {
            what = format!("{what} ({})", self.labels.dimensions(&series, self.language));
        }
        let source = name(EntryKind::Source, &series.source).to_owned();
        [what, new.period.clone(), self.figures(&series, change), source]
    }

    /// `90,000 → > 100,000 stations`
    fn figures(&self, series: &SeriesKey, change: &CellChange) -> String {
        let (indicator, unit) = (self.labels.indicator(&series.indicator), self.labels.unit_of(&series.indicator));
        let new = match (change.kind(), &change.previous) {
            // The figure stays as it was, elsewhere. Where it was not asked for, nothing is known of it.
            (ChangeKind::Left, None) => return String::new(),
            (ChangeKind::Left, Some(previous)) => previous,
            _ => observation(change),
        };
        let now = figure_with_unit(new, indicator, unit, self.language);
        let mut text = match &change.previous {
            // The current figure stays: an arrow from it would say that it went.
            Some(previous) if !matches!(change.kind(), ChangeKind::Backfilled | ChangeKind::Entered | ChangeKind::Left) => {
                format!("{} → {now}", figure(previous, indicator.and_then(|it| it.decimals), self.language))
            }
            _ => now,
        };
        let mut remarks = remarks(new, self.language);
        if change.kind() == ChangeKind::Backfilled {
            let published = clock(new.published_at.as_ref());
            remarks.push(format!("{} {published}", self.language.word("published", "发布于")));
        }
        if !remarks.is_empty() {
            text = format!("{text} ({})", remarks.join(", "));
        }
        text
    }

    fn entry(&self, change: &CatalogChange) -> String {
        match change.entry.as_ref().and_then(|entry| entry.entry.as_ref()) {
            Some(entry) => entry_title(entry, self.language),
            None => String::new(),
        }
    }
}

fn entry_title(entry: &Entry, language: Language) -> String {
    let kind = words::entry_kind(entry.kind(), language);
    format!("{kind} {} ({})", catalog::name(entry, language), entry.id())
}

impl View for Changes {
    type Item = Change;

    fn name(&self) -> &'static str {
        "changes"
    }

    fn columns(&self) -> Vec<Column> {
        let word = |en, zh| self.language.word(en, zh);
        vec![
            Column::figure(word("REVISION", "修订号")),
            Column::text(word("RECORDED", "记录时间")),
            Column::text(word("CHANGE", "变更")),
            Column::text(word("WHAT", "对象")),
            Column::text(word("PERIOD", "时期")),
            Column::text(word("FIGURE", "数值")),
            Column::text(word("SOURCE", "来源")),
            Column::text(word("ACTOR", "操作者")),
            Column::text(word("REASON", "原因")),
        ]
    }

    fn row(&self, change: &Change) -> Vec<String> {
        let (kind, [what, period, figures, source]) = match &change.what {
            What::Cell(cell) => (cell.kind(), self.cell(cell)),
            What::Entry(entry) => (entry.kind(), [self.entry(entry), String::new(), String::new(), String::new()]),
        };
        let revision = if change.revision == 0 { String::new() } else { change.revision.to_string() };
        let recorded = clock(change.recorded_at.as_ref());
        let kind = words::change(kind, self.language).to_owned();
        let WriteContext { actor, reason, .. } = &change.context;
        vec![revision, recorded, kind, what, period, figures, source, actor.clone(), reason.clone()]
    }

    fn fields(&self) -> Vec<String> {
        let before = ["change", "dimensions"].map(str::to_owned);
        let after = ["actor", "reason"].map(str::to_owned);
        before.into_iter().chain(self.records.fields()).chain(after).collect()
    }

    fn record(&self, change: &Change) -> Vec<String> {
        let cell = match &change.what {
            What::Cell(cell) => cell,
            What::Entry(_) => return vec![String::new(); self.fields().len()],
        };
        let new = observation(cell);
        let series = new.series.clone().unwrap_or_default();
        let dimensions: Vec<String> = series.dimensions.iter().map(|(dimension, code)| format!("{dimension}={code}")).collect();
        let kind = if cell.kind() == ChangeKind::Unspecified { String::new() } else { cell.kind().typed().to_owned() };
        let mut record = vec![kind, dimensions.join(" ")];
        record.extend(self.records.record(new));
        record.extend([change.context.actor.clone(), change.context.reason.clone()]);
        record
    }

    fn json(&self, change: &Change) -> Value {
        match &change.what {
            What::Cell(cell) => to_json(&**cell),
            What::Entry(entry) => to_json(&**entry),
        }
    }
}

/// The new version.
fn observation(change: &CellChange) -> &Observation {
    static NONE: std::sync::LazyLock<Observation> = std::sync::LazyLock::new(Observation::default);
    change.observation.as_ref().unwrap_or(&NONE)
}

#[cfg(test)]
mod tests {
    use indicator_proto::v1::{Bound, CatalogEntry, Indicator, Region};

    use super::*;

    fn version(value: &str, bound: Bound) -> Observation {
        let series = SeriesKey {
            indicator: "5g".to_owned(),
            region: "CN-SD".to_owned(),
            source: "bureau".to_owned(),
            dimensions: [("level".to_owned(), "provincial".to_owned())].into(),
        };
        let published_at = Some(Timestamp { seconds: 1_638_748_800, nanos: 0 });
        let period = "2021-12-06".to_owned();
        Observation {
            series: Some(series),
            period,
            value: value.to_owned(),
            bound: bound.into(),
            published_at,
            ..Observation::default()
        }
    }

    fn change(kind: ChangeKind, observation: Observation, previous: Option<Observation>) -> Change {
        Change {
            revision: 18,
            recorded_at: Some(Timestamp { seconds: 1_638_835_200, nanos: 0 }),
            context: WriteContext { actor: "Gu".to_owned(), reason: "recount".to_owned(), document_uri: String::new() },
            what: What::Cell(Box::new(CellChange { kind: kind.into(), observation: Some(observation), previous })),
        }
    }

    fn changes() -> Changes {
        let names = |name: &str| [("en".to_owned(), name.to_owned())].into();
        let mut labels = Labels::default();
        labels.add([
            Entry::Region(Region { id: "CN-SD".to_owned(), names: names("Shandong"), ..Region::default() }),
            Entry::Indicator(Indicator { id: "5g".to_owned(), names: names("5G base stations"), ..Indicator::default() }),
        ]);
        Changes::new(labels, Language::En)
    }

    fn line(change: &Change) -> String {
        let row = changes().row(change);
        row.into_iter().filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join("  ")
    }

    #[test]
    fn a_revision_shows_the_figure_before_and_after() {
        let old = version("90000", Bound::Exact);
        let revised = change(ChangeKind::Revised, version("100000", Bound::GreaterThan), Some(old));
        assert_eq!(
            line(&revised),
            "18  2021-12-07  revised  5G base stations, Shandong (level: provincial)  2021-12-06  90,000 → > 100,000  bureau  Gu  recount"
        );
    }

    #[test]
    fn an_inserted_figure_has_no_arrow_and_a_withdrawn_one_points_at_nothing() {
        let inserted = change(ChangeKind::Inserted, version("7", Bound::Exact), None);
        assert!(line(&inserted).contains("  2021-12-06  7  bureau"), "{}", line(&inserted));
        let gone = Observation { deleted: true, ..version("", Bound::Unspecified) };
        let withdrawn = change(ChangeKind::Deleted, gone, Some(version("7", Bound::Exact)));
        assert!(line(&withdrawn).contains("  7 → … (withdrawn)  "), "{}", line(&withdrawn));
    }

    #[test]
    fn a_backfilled_version_does_not_look_like_a_change_of_the_figure() {
        let backfilled = change(ChangeKind::Backfilled, version("6", Bound::Exact), Some(version("7", Bound::Exact)));
        assert!(line(&backfilled).contains("  6 (published 2021-12-06)  "), "{}", line(&backfilled));
    }

    #[test]
    fn a_figure_that_enters_or_leaves_stays_as_it_was() {
        let entered = change(ChangeKind::Entered, version("7", Bound::Exact), None);
        assert!(
            line(&entered).contains("  entered  ") && line(&entered).contains("  2021-12-06  7  bureau"),
            "{}",
            line(&entered)
        );
        // What has left comes with series and period alone.
        let bare = || version("", Bound::Unspecified);
        let left = change(ChangeKind::Left, bare(), Some(version("7", Bound::Exact)));
        assert!(line(&left).contains("  left  ") && line(&left).contains("  2021-12-06  7  bureau"), "{}", line(&left));
        let unknown = change(ChangeKind::Left, bare(), None);
        assert!(line(&unknown).contains("  2021-12-06  bureau"), "{}", line(&unknown));
    }

    #[test]
    fn an_entry_of_the_catalog_is_named_with_its_kind_and_id() {
        let region =
            Region { id: "CN-SD".to_owned(), names: [("zh".to_owned(), "山东".to_owned())].into(), ..Region::default() };
        let entry = Some(CatalogEntry { entry: Some(Entry::Region(region)) });
        let what = What::Entry(Box::new(CatalogChange { kind: ChangeKind::Inserted.into(), entry }));
        let change = Change { revision: 1, recorded_at: None, context: WriteContext::default(), what };
        assert_eq!(line(&change), "1  inserted  region 山东 (CN-SD)");
    }

    #[test]
    fn a_record_has_a_field_for_each_name_in_the_header() {
        let inserted = change(ChangeKind::Inserted, version("7", Bound::Exact), None);
        let (fields, record) = (changes().fields(), changes().record(&inserted));
        assert_eq!(fields.len(), record.len());
        let value = |name: &str| &*record[fields.iter().position(|field| field == name).unwrap()];
        let shown = ["change", "dimensions", "region", "value", "actor"].map(value);
        assert_eq!(shown, ["inserted", "level=provincial", "CN-SD", "7", "Gu"]);
    }
}
