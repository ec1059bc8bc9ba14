use std::sync::Arc;

use indicator_proto::{Bound, Decimal, Interval, Period, Statuses, Time, v1::MissingReason};

/// What a version says of its cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datum {
    /// A figure and how it relates to the true one.
    Value(Decimal, Bound),
    /// The figure lies in an interval.
    Interval(Interval),
    /// There is no figure, and why.
    Missing(MissingReason),
    /// The figure is withdrawn: a tombstone.
    Withdrawn,
}

/// The same figure in another unit, as published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equivalent {
    /// The figure.
    pub value: Decimal,
    /// Unit id.
    pub unit: String,
}

/// What few figures have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// Size of the last digit as published.
    pub rounded_to: Option<Decimal>,
    /// The figure in other units.
    pub equivalents: Vec<Equivalent>,
    /// The source's words; empty if absent.
    pub original_text: String,
    /// A remark; empty if absent.
    pub note: String,
    /// Where it was published; empty if absent.
    pub document_uri: String,
}

/// The content of a version: what makes it differ from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The figure, or why there is none.
    pub datum: Datum,
    /// Its properties.
    pub statuses: Statuses,
    /// The rest; absent for most figures. Never present and empty, so that equal figures compare equal.
    pub details: Option<Arc<Details>>,
}

impl Figure {
    /// A tombstone.
    #[must_use]
    pub fn withdrawn() -> Self {
        Self { datum: Datum::Withdrawn, statuses: Statuses::default(), details: None }
    }

    /// Whether this is a tombstone.
    #[must_use]
    pub fn is_withdrawn(&self) -> bool {
        self.datum == Datum::Withdrawn
    }
}

/// What a version did to its cell when it was recorded. Numbers are those of `v1::ChangeKind`, and are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// The cell had no figure.
    Inserted = 1,
    /// The cell had a figure.
    Revised = 2,
    /// The figure was withdrawn.
    Deleted = 3,
    /// The current version stayed.
    Backfilled = 4,
}

impl Kind {
    /// The kind with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Inserted,
            2 => Self::Revised,
            3 => Self::Deleted,
            4 => Self::Backfilled,
            _ => return None,
        })
    }
}

/// One version of one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The cell's period.
    pub period: Period,
    /// What it did when it was recorded.
    pub kind: Kind,
    /// When the source released it.
    pub published_at: Time,
    /// When the service recorded it.
    pub recorded_at: Time,
    /// The commit that recorded it.
    pub revision: u64,
    /// Its content.
    pub figure: Figure,
}

impl Version {
    /// Versions of a cell in order of this: the greatest is the current one.
    #[must_use]
    pub fn rank(&self) -> (Time, u64) {
        (self.published_at, self.revision)
    }
}
