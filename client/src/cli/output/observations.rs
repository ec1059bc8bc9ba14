//! Observations as rows, records and JSON.

use std::collections::BTreeSet;

use indicator_client::{
    export::{COLUMNS_AFTER, COLUMNS_BEFORE},
    import::words::{bound_word, write_equivalents},
};
use indicator_proto::{
    Time, to_json,
    v1::{self, EntryKind, MissingReason, Observation, ObservationStatus, SeriesKey},
    words::{Language, figure, remarks, symbol},
};
use serde_json::Value;

use super::{Column, View};
use crate::{catalog::Labels, typed::Typed as _};

/// Shows observations, each with its series.
#[derive(Debug)]
pub(crate) struct Observations {
    labels: Labels,
    dimensions: Vec<String>,
    language: Language,
}

impl Observations {
    /// `dimensions` are those that have a column of their own in CSV; `labels` serve the table.
    pub(crate) fn new(labels: Labels, dimensions: BTreeSet<String>, language: Language) -> Self {
        Self { labels, dimensions: dimensions.into_iter().collect(), language }
    }

    fn name(&self, kind: EntryKind, id: &str) -> String {
        self.labels.name(kind, id, self.language).to_owned()
    }
}

/// The fields after those of a tidy file: what only the service knows.
const FROM_SERVICE: [&str; 3] = ["recorded_at", "revision", "deleted"];

/// How many fields follow those of the dimensions.
const AFTER: usize = COLUMNS_AFTER.len() + FROM_SERVICE.len();

impl View for Observations {
    type Item = Observation;

    fn name(&self) -> &'static str {
        "observations"
    }

    fn columns(&self) -> Vec<Column> {
        let word = |en, zh| self.language.word(en, zh);
        vec![
            Column::text(word("INDICATOR", "指标")),
            Column::text(word("REGION", "地区")),
            Column::text(word("BREAKDOWN", "分类")),
            Column::text(word("PERIOD", "时期")),
            Column::figure(word("FIGURE", "数值")),
            Column::text(word("UNIT", "单位")),
            Column::text(word("SOURCE", "来源")),
            Column::text(word("REMARKS", "备注")),
        ]
    }

    fn row(&self, observation: &Observation) -> Vec<String> {
        let series = series_of(observation);
        let indicator = self.labels.indicator(&series.indicator);
        vec![
            self.name(EntryKind::Indicator, &series.indicator),
            self.name(EntryKind::Region, &series.region),
            self.labels.dimensions(series, self.language),
            observation.period.clone(),
            figure(observation, indicator.and_then(|it| it.decimals), self.language),
            self.labels.unit_shown(observation).map(|it| symbol(it, self.language)).unwrap_or_default(),
            match series.source.as_str() {
                "" => self.language.word("(computed)", "（计算）").to_owned(),
                source => self.name(EntryKind::Source, source),
            },
            remarks(observation, self.language).join(", "),
        ]
    }

    fn fields(&self) -> Vec<String> {
        let dimensions = self.dimensions.iter().map(|dimension| format!("dim.{dimension}"));
        let after = COLUMNS_AFTER.into_iter().chain(FROM_SERVICE).map(str::to_owned);
        COLUMNS_BEFORE.into_iter().map(str::to_owned).chain(dimensions).chain(after).collect()
    }

    fn record(&self, observation: &Observation) -> Vec<String> {
        let series = series_of(observation);
        let mut record = vec![series.indicator.clone(), series.region.clone(), series.source.clone(), observation.period.clone()];
        record.extend(self.dimensions.iter().map(|it| series.dimensions.get(it).cloned().unwrap_or_default()));
        record.extend(cells(observation));
        record
    }

    fn json(&self, observation: &Observation) -> Value {
        to_json(observation)
    }
}

/// The number of a figure alone: value, bound, lower, upper.
pub(crate) fn number(observation: Option<&Observation>) -> [String; 4] {
    let Some(observation) = observation else { return Default::default() };
    let interval = observation.interval.clone().unwrap_or_default();
    [observation.value.clone(), bound_word(observation.bound()).to_owned(), interval.lower, interval.upper]
}

/// The fields after those of the dimensions.
fn cells(observation: &Observation) -> [String; AFTER] {
    let interval = observation.interval.clone().unwrap_or_default();
    let missing = match observation.missing() {
        MissingReason::Unspecified => String::new(),
        reason => reason.typed().to_owned(),
    };
    let statuses: Vec<&str> =
        observation.statuses().filter(|it| *it != ObservationStatus::Unspecified).map(|it| it.typed()).collect();
    let mut equivalents = String::new();
    write_equivalents(&observation.equivalents, &mut equivalents);
    [
        observation.value.clone(),
        bound_word(observation.bound()).to_owned(),
        interval.lower,
        interval.upper,
        missing,
        statuses.join(" "),
        observation.rounded_to.clone(),
        equivalents,
        observation.original_text.clone(),
        observation.note.clone(),
        observation.document_uri.clone(),
        time(observation.published_at.as_ref()),
        time(observation.recorded_at.as_ref()),
        observation.revision.to_string(),
        if observation.deleted { "true".to_owned() } else { String::new() },
    ]
}

/// The series of an observation that carries it.
fn series_of(observation: &Observation) -> &SeriesKey {
    const NONE: &SeriesKey = &SeriesKey {
        indicator: String::new(),
        region: String::new(),
        source: String::new(),
        dimensions: std::collections::BTreeMap::new(),
    };
    observation.series.as_ref().unwrap_or(NONE)
}

/// The observations of a chunk, each with its series.
pub(crate) fn with_series(chunk: v1::SeriesObservations) -> impl Iterator<Item = Observation> {
    let series = chunk.series;
    chunk.observations.into_iter().map(move |observation| Observation { series: series.clone(), ..observation })
}

/// A time in UTC: the day if it is midnight. Empty if there is none.
pub(crate) fn time(stamp: Option<&prost_types::Timestamp>) -> String {
    match stamp.map(Time::try_from) {
        None => String::new(),
        Some(Ok(time)) => time.date_or_time().to_string(),
        // A server that keeps its contract sends none of these; the reader still sees what came.
        Some(Err(error)) => error.to_string(),
    }
}

/// A time in UTC as people read it: the day if it is midnight, else to the second. Revisions tell apart what it does not.
pub(crate) fn clock(stamp: Option<&prost_types::Timestamp>) -> String {
    let exact = time(stamp);
    match exact.split_once('T') {
        Some((day, clock)) => format!("{day} {} UTC", clock.split(['.', 'Z']).next().unwrap_or(clock)),
        None => exact,
    }
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    #[test]
    fn people_read_days_and_seconds_and_programs_everything() {
        let stamp = Timestamp { seconds: 1_638_748_800, nanos: 0 };
        assert_eq!((time(Some(&stamp)), clock(Some(&stamp))), ("2021-12-06".into(), "2021-12-06".into()));
        let stamp = Timestamp { seconds: 1_638_748_861, nanos: 230_727_000 };
        assert_eq!(time(Some(&stamp)), "2021-12-06T00:01:01.230727Z");
        assert_eq!(clock(Some(&stamp)), "2021-12-06 00:01:01 UTC");
        assert_eq!((time(None), clock(None)), (String::new(), String::new()));
    }

    #[test]
    fn a_record_has_a_field_for_each_of_the_header() {
        let dimensions = BTreeSet::from(["level".to_owned(), "sex".to_owned()]);
        let view = Observations::new(Labels::default(), dimensions, Language::En);
        let series =
            SeriesKey { indicator: "x".into(), dimensions: [("sex".to_owned(), "F".to_owned())].into(), ..SeriesKey::default() };
        let observation = Observation {
            series: Some(series),
            period: "2020".into(),
            value: "3".into(),
            bound: v1::Bound::GreaterThan.into(),
            statuses: vec![ObservationStatus::Provisional.into(), ObservationStatus::LowReliability.into()],
            ..Observation::default()
        };
        let record: Vec<(String, String)> = view.fields().into_iter().zip(view.record(&observation)).collect();
        assert_eq!(view.fields().len(), view.record(&observation).len());
        let field = |name: &str| record.iter().find(|(field, _)| field == name).map(|(_, text)| text.as_str());
        assert_eq!((field("dim.sex"), field("dim.level"), field("value")), (Some("F"), Some(""), Some("3")));
        assert_eq!((field("bound"), field("statuses")), (Some("greater-than"), Some("provisional low-reliability")));
    }
}
