//! Observations to write, and what of them to compare.

use indicator_proto::{
    Time,
    v1::{Bound, Interval, MissingReason, Observation, SeriesKey},
};
use prost_types::Timestamp;

/// The key of a series without dimensions.
#[must_use]
pub fn key(indicator: &str, region: &str, source: &str) -> SeriesKey {
    SeriesKey { indicator: indicator.into(), region: region.into(), source: source.into(), ..SeriesKey::default() }
}

/// The series that most tests write: 5G base stations of Shandong, by the bureau.
#[must_use]
pub fn stations() -> SeriesKey {
    key("5g-base-stations", "CN-SD", "bureau")
}

/// A figure.
#[must_use]
pub fn value(series: &SeriesKey, period: &str, value: &str) -> Observation {
    Observation { series: Some(series.clone()), period: period.into(), value: value.into(), ..Observation::default() }
}

/// A figure with a bound.
#[must_use]
pub fn bounded(series: &SeriesKey, period: &str, bound: Bound, text: &str) -> Observation {
    Observation { bound: bound.into(), ..value(series, period, text) }
}

/// A figure in an interval.
#[must_use]
pub fn between(series: &SeriesKey, period: &str, lower: &str, upper: &str) -> Observation {
    let interval = Some(Interval { lower: lower.into(), upper: upper.into() });
    Observation { interval, ..value(series, period, "") }
}

/// No figure, and why.
#[must_use]
pub fn missing(series: &SeriesKey, period: &str, reason: MissingReason) -> Observation {
    Observation { missing: reason.into(), ..value(series, period, "") }
}

/// The same observation, published on a day.
#[must_use]
pub fn published(day: &str, observation: Observation) -> Observation {
    Observation { published_at: Some(at(day)), ..observation }
}

/// A day's midnight in UTC, or a time.
///
/// # Panics
///
/// If it is neither.
#[must_use]
pub fn at(time: &str) -> Timestamp {
    time.parse::<Time>().unwrap().into()
}

/// An observation without what only the service says, and with every default as the service writes it: what must come back as
/// it was written.
#[must_use]
pub fn content(observation: &Observation) -> Observation {
    let mut content = Observation {
        recorded_at: None,
        revision: 0,
        deleted: false,
        other_sources: 0,
        sources_disagree: false,
        derivation: None,
        ..observation.clone()
    };
    if content.bound() == Bound::Exact {
        content.set_bound(Bound::Unspecified);
    }
    content
}

/// Period and value of each: what most tests are about.
#[must_use]
pub fn values(observations: &[Observation]) -> Vec<(&str, &str)> {
    observations.iter().map(|o| (o.period.as_str(), o.value.as_str())).collect()
}

/// Figures of three regions, sources and years (2018 to 2020); the value tells which.
#[must_use]
pub fn cube() -> Vec<Observation> {
    let mut changes = Vec::new();
    for (r, region) in ["CN", "CN-SD", "CN-SD.3710"].into_iter().enumerate() {
        for (s, source) in ["bureau", "report", "media"].into_iter().enumerate() {
            for year in 2018..=2020 {
                changes.push(value(&key("5g-base-stations", region, source), &year.to_string(), &format!("{r}{s}{year}")));
            }
        }
    }
    for observation in &mut changes {
        observation.value = observation.value.trim_start_matches('0').into();
    }
    changes
}
