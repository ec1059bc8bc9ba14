//! Computed figures as messages.

use indicator_proto::v1;

use super::wire;
use crate::engine::analysis::{Coverage, Derivation, Operand, Origin, Point};

/// As many operands are told of one figure, nested ones included: windows over windows over windows grow without a bound.
const MOST_OPERANDS: usize = 1_000;

/// A figure, with its series where the reader needs it, and how it came about where that is asked for or must be told.
pub(crate) fn observation(point: &Point, with_series: bool, explain: bool) -> v1::Observation {
    told(point, with_series, explain, &mut MOST_OPERANDS.clone())
}

/// `room` is how many operands may still be told.
fn told(point: &Point, with_series: bool, explain: bool, room: &mut usize) -> v1::Observation {
    let series = with_series.then(|| v1::SeriesKey::from(&*point.key));
    let mut observation = wire::observation(&point.version, series);
    observation.unit = point.unit.as_deref().unwrap_or_default().to_owned();
    observation.coverage = point.coverage.map(coverage);
    match &point.origin {
        Origin::Recorded { other_sources, sources_disagree } => {
            observation.other_sources = *other_sources;
            observation.sources_disagree = *sources_disagree;
        }
        Origin::Computed(derivation) => {
            observation.derivation = Some(self::derivation(derivation, explain, room));
        }
        // Nobody published or recorded it.
        Origin::Absent => (observation.published_at, observation.recorded_at) = (None, None),
    }
    observation
}

fn derivation(derivation: &Derivation, explain: bool, room: &mut usize) -> v1::Derivation {
    // Its own operands come first: one figure is told whole before those that it was made of are.
    let tell = (explain && *room > 0) || derivation.always;
    let few = if tell { derivation.operands.len().min(MOST_OPERANDS) } else { 0 };
    *room = room.saturating_sub(few);
    let mut operand = |operand: &Operand| v1::Operand {
        name: operand.name.clone().into_owned(),
        observation: Some(told(&operand.point, true, explain, room)),
    };
    v1::Derivation {
        formula: derivation.formula.clone().into_owned(),
        operands: derivation.operands[..few].iter().map(&mut operand).collect(),
    }
}

/// Of how much a figure is made.
pub(crate) fn coverage(coverage: Coverage) -> v1::Coverage {
    v1::Coverage { reported: coverage.reported, expected: coverage.expected }
}
