//! Changes in words, for those who listen and for displays on walls.

use indicator_proto::{
    v1::{CellChange, ChangeKind, MissingReason, Observation},
    words::{self, Language},
};
use serde::Serialize;

use super::names::Names;

/// One change in words.
#[derive(Debug, Serialize)]
pub(super) struct Said {
    /// What it is about: indicator, region, period.
    subject: String,
    /// What became of it.
    what: String,
    /// The figure before, if there was one.
    #[serde(skip_serializing_if = "String::is_empty")]
    old: String,
    /// The figure now.
    new: String,
    indicator: String,
    region: String,
}

/// What a change is about.
pub(super) fn subject(observation: &Observation, names: Names<'_>) -> String {
    let series = observation.series.clone().unwrap_or_default();
    let dimensions = series.dimensions.into_iter().collect();
    let comma = names.language.word(", ", "，");
    let parts = [names.subject(&series.indicator, &dimensions), names.region(&series.region), names.period(&observation.period)];
    parts.join(comma)
}

/// The figure before, unless there was none. Its series is that of the new one where it is not told.
pub(super) fn old(change: &CellChange, indicator: &str, names: Names<'_>) -> String {
    let is_figure = |it: &&Observation| !it.deleted || it.missing() != MissingReason::Unspecified;
    change.previous.as_ref().filter(is_figure).map_or_else(String::new, |it| names.headline(it, indicator).text)
}

/// Says a change.
pub(super) fn said(change: &CellChange, names: Names<'_>) -> Said {
    let observation = change.observation.clone().unwrap_or_default();
    let series = observation.series.clone().unwrap_or_default();
    Said {
        subject: subject(&observation, names),
        what: what(change.kind(), names.language).to_owned(),
        old: old(change, &series.indicator, names),
        new: names.headline(&observation, &series.indicator).text,
        indicator: series.indicator,
        region: series.region,
    }
}

/// What became of a cell.
pub(super) fn what(kind: ChangeKind, language: Language) -> &'static str {
    words::change(kind, language)
}
