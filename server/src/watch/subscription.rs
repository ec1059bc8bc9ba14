use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engine::{Engine, Error, Filter, Purpose, TokenError, Violation};
use indicator_proto::v1::ErrorReason;

/// Where a stream starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// With the current state.
    Snapshot,
    /// With the commits after this one.
    After(u64),
    /// With the next commit.
    Now,
}

/// What a subscriber asked for, checked.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Which cells.
    pub filter: Filter,
    /// Where to start.
    pub start: Start,
    /// Tell the position at least this often.
    pub progress_interval: Duration,
    /// With what each change replaced.
    pub include_previous: bool,
    /// Also changes of the catalog.
    pub include_catalog: bool,
    /// Binds tokens to all this but the start.
    pub fingerprint: u64,
}

/// What a resume token holds.
#[derive(Serialize, Deserialize)]
struct Position {
    fingerprint: u64,
    revision: u64,
}

impl Subscription {
    /// A token that goes on after a revision.
    #[must_use]
    pub fn token(&self, engine: &Engine, revision: u64) -> String {
        engine.tokens().seal(Purpose::Resume, &Position { fingerprint: self.fingerprint, revision })
    }
}

/// The revision that a token goes on after.
///
/// # Errors
///
/// [`Error::OtherEpoch`]; [`Error::Invalid`] if it is altered, or of another subscription.
pub(crate) fn open_token(engine: &Engine, token: &str, fingerprint: u64) -> Result<u64, Error> {
    let invalid = |reason, why: String| Error::from(Violation::new("resume_token", reason, why));
    let position: Position = engine.tokens().open(Purpose::Resume, token).map_err(|error| match error {
        TokenError::OtherEpoch => Error::OtherEpoch,
        TokenError::Malformed | TokenError::Altered => invalid(ErrorReason::InvalidResumeToken, error.to_string()),
    })?;
    if position.fingerprint != fingerprint {
        let why = "belongs to a watch with another filter, mode or options; use those, or start with a snapshot";
        return Err(invalid(ErrorReason::ResumeTokenOtherFilter, why.into()));
    }
    Ok(position.revision)
}
