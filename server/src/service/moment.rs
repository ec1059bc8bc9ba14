//! Moments of the record: `AsOf`.

use indicator_proto::{Time, v1};

use super::gate;
use crate::engine::{Engine, Error, Moment, Violation};

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
