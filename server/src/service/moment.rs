//! Moments of the record: `AsOf`, and the axes of its time.

use indicator_proto::{
    Time,
    v1::{self, ErrorReason},
};

use super::gate;
use crate::engine::{Axis, Engine, Error, Moment, Violation};

/// An `AsOf`, checked.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct AsOf {
    revision: Option<u64>,
    recorded_at: Option<Time>,
    published_at: Option<Time>,
}

/// Checks the times.
pub(super) fn check(as_of: Option<&v1::AsOf>, violations: &mut Vec<Violation>) -> AsOf {
    let Some(as_of) = as_of else { return AsOf::default() };
    AsOf {
        revision: Some(as_of.revision).filter(|r| *r != 0),
        recorded_at: gate::time(as_of.recorded_at.as_ref(), || "as_of.recorded_at".into(), violations),
        published_at: gate::time(as_of.published_at.as_ref(), || "as_of.published_at".into(), violations),
    }
}

/// Fixes the moment at the head of now.
pub(super) fn resolve(engine: &Engine, as_of: AsOf) -> Result<Moment, Error> {
    engine.moment(as_of.revision, as_of.recorded_at, as_of.published_at)
}

/// The revision whose catalog a request is checked against: that of its moment, so that the answer stays the same whatever becomes of
/// the catalog. The newest where the moment is at fault, which [`resolve`] tells.
pub(super) fn of_catalog(engine: &Engine, as_of: AsOf) -> u64 {
    resolve(engine, as_of).map_or_else(|_| engine.head().revision, |moment| moment.revision)
}

/// Along which time versions are told.
pub(super) fn axis(number: i32, violations: &mut Vec<Violation>) -> Axis {
    match v1::VintageAxis::try_from(number) {
        Ok(v1::VintageAxis::Unspecified | v1::VintageAxis::Published) => Axis::Published,
        Ok(v1::VintageAxis::Recorded) => Axis::Recorded,
        Err(_) => {
            let description = format!("{number} is not a VintageAxis; use VINTAGE_AXIS_PUBLISHED or VINTAGE_AXIS_RECORDED");
            violations.push(Violation::new("axis", ErrorReason::InvalidEnum, description));
            Axis::default()
        }
    }
}
