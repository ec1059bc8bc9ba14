//! Figures as points of a chart. Only here do they become floating-point numbers: a drawing has no more digits than pixels.

use indicator_proto::{
    Period,
    v1::{Bound, MissingReason, Observation, ObservationStatus},
};

use super::{
    chart::{Point, Value},
    names::Names,
};

/// One figure.
pub(super) fn point(period: Period, observation: &Observation, indicator: &str, names: Names<'_>) -> Point {
    let provisional = [
        ObservationStatus::Provisional,
        ObservationStatus::Estimated,
        ObservationStatus::Forecast,
        ObservationStatus::Unvalidated,
        ObservationStatus::Experimental,
        ObservationStatus::Imputed,
    ];
    Point {
        period,
        value: value(observation),
        provisional: observation.statuses().any(|status| provisional.contains(&status)),
        break_before: observation.statuses().any(|status| status == ObservationStatus::Break),
        words: words(observation, indicator, names),
    }
}

/// In few words, and with all digits where those have not all.
fn words(observation: &Observation, indicator: &str, names: Names<'_>) -> String {
    let headline = names.headline(observation, indicator);
    if headline.whole { headline.text } else { names.figure(observation, indicator) }
}

fn value(observation: &Observation) -> Value {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    if observation.deleted || observation.missing() != MissingReason::Unspecified {
        return Value::Missing;
    }
    if let Some(interval) = &observation.interval {
        return match (number(&interval.lower), number(&interval.upper)) {
            (Some(lower), Some(upper)) => Value::Between(lower, upper),
            _ => Value::Missing,
        };
    }
    let Some(value) = number(&observation.value) else { return Value::Missing };
    match observation.bound() {
        Bound::Unspecified | Bound::Exact => Value::Exact(value),
        Bound::GreaterThan | Bound::AtLeast => Value::Above(value),
        Bound::LessThan | Bound::AtMost => Value::Below(value),
        Bound::Approximate => Value::Near(value),
    }
}
