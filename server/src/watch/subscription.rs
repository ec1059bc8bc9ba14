use std::{sync::Arc, time::Duration};

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

/// How changes are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Each, in the order of the log.
    EveryChange,
    /// The latest state of each cell that changed.
    Latest,
}

/// What is to be seen, and how: what subscribers have in common who can be sent the same bytes.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Which cells.
    pub filter: Filter,
    /// How changes are delivered.
    pub mode: Mode,
    /// One figure a cell, that of the preferred source.
    pub preferred: bool,
    /// With what each change replaced.
    pub include_previous: bool,
    /// Also changes of the catalog.
    pub include_catalog: bool,
    /// The request in its one form, without where to start and how often to tell: equal for equal selections.
    pub identity: Arc<[u8]>,
    /// Binds tokens to the selection.
    pub fingerprint: u64,
}

/// What a subscriber asked for, checked.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// What to see.
    pub selection: Selection,
    /// Where to start.
    pub start: Start,
    /// Tell the position at least this often.
    pub progress_interval: Duration,
    /// At most one delivery in this time; zero is no limit.
    pub min_interval: Duration,
}

/// What a resume token holds.
#[derive(Serialize, Deserialize)]
struct Position {
    fingerprint: u64,
    revision: u64,
}

impl Selection {
    /// A token that goes on after a revision.
    #[must_use]
    pub fn token(&self, engine: &Engine, revision: u64) -> String {
        seal(engine, self.fingerprint, revision)
    }

    /// The revision that a token goes on after.
    ///
    /// # Errors
    ///
    /// [`Error::OtherEpoch`]; [`Error::Invalid`] if it is altered, or of another selection.
    pub fn open_token(&self, engine: &Engine, token: &str) -> Result<u64, Error> {
        open(engine, self.fingerprint, token)
    }
}

/// A token that goes on after a revision, bound to what was asked for.
#[must_use]
pub fn seal(engine: &Engine, fingerprint: u64, revision: u64) -> String {
    engine.tokens().seal(Purpose::Resume, &Position { fingerprint, revision })
}

/// The revision that a token goes on after.
///
/// # Errors
///
/// [`Error::OtherEpoch`]; [`Error::Invalid`] if it is altered, or bound to something else.
pub fn open(engine: &Engine, fingerprint: u64, token: &str) -> Result<u64, Error> {
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
