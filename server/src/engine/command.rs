use indicator_proto::{
    Period, SeriesKey, Time,
    v1::{self, ErrorReason},
};

use super::Violation;
use crate::store::Figure;

/// Who makes a change, and why. Empty texts are unknown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// The document it rests on.
    pub document_uri: String,
    /// Address of the client.
    pub client: String,
}

/// What makes a repetition recognisable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId {
    /// The client's id.
    pub id: String,
    /// Hash of the request's content.
    pub fingerprint: [u8; 32],
}

/// What a write does with the cells it names, and with those it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Insert or replace what is named.
    Merge,
    /// And withdraw the other figures of the series that are named.
    Replace,
    /// Withdraw what is named.
    Delete,
}

/// Where a series stood in its request, to name it in errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `changes[i]`.
    Change(u32),
    /// `series[i]` of an import batch.
    Series(u32),
}

impl Place {
    /// A violation of a field of the series key.
    #[must_use]
    pub fn series_violation(self, name: &str, reason: ErrorReason, description: impl Into<String>) -> Violation {
        match self {
            Self::Change(index) => Violation::new(format!("changes[{index}].series.{name}"), reason, description),
            Self::Series(index) => Violation {
                place: Some((index, None)),
                ..Violation::new(format!("series[{index}].series.{name}"), reason, description)
            },
        }
    }

    /// A violation of a field of the observation with this index.
    #[must_use]
    pub fn violation(self, index: u32, name: &str, reason: ErrorReason, description: impl Into<String>) -> Violation {
        match self {
            Self::Change(_) => Violation::new(format!("changes[{index}].{name}"), reason, description),
            Self::Series(series) => Violation {
                place: Some((series, Some(index))),
                ..Violation::new(format!("series[{series}].observations[{index}].{name}"), reason, description)
            },
        }
    }
}

/// A new version of a cell, as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellWrite {
    /// The cell's period.
    pub period: Period,
    /// The figure; a tombstone in deletes.
    pub figure: Figure,
    /// When it was published. `None` means with the command.
    pub published_at: Option<Time>,
    /// Where it stood in the request: index of the change, or of the observation in its series.
    pub index: u32,
}

/// What to write to one series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesWrite {
    /// The series.
    pub key: SeriesKey,
    /// Where it first stood in the request.
    pub place: Place,
    /// New versions, sorted by period, each period once.
    pub cells: Vec<CellWrite>,
    /// Withdraw every figure that is not among the cells.
    pub withdraw_rest: bool,
    /// When that was published. `None` means with the command.
    pub withdrawn_at: Option<Time>,
}

/// A checked write of observations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteCommand {
    /// By series, each once, in the order of the request.
    pub series: Vec<SeriesWrite>,
    /// The revision that series must be at.
    pub expected: Vec<(SeriesKey, u64)>,
    /// When it was published. `None` means when it is recorded.
    pub published_at: Option<Time>,
    /// Who and why.
    pub context: Context,
    /// To recognise its repetition.
    pub request: Option<RequestId>,
    /// Change nothing.
    pub validate_only: bool,
}

/// A write of the catalog. Its actions are checked when it is applied, since they refer to each other and to what is there.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogCommand {
    /// What to do.
    pub actions: Vec<v1::CatalogAction>,
    /// Who and why.
    pub context: Context,
    /// To recognise its repetition.
    pub request: Option<RequestId>,
    /// Change nothing.
    pub validate_only: bool,
}

/// A change to the record.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Of observations.
    Write(WriteCommand),
    /// Of the catalog.
    Catalog(CatalogCommand),
}

impl Command {
    /// To recognise its repetition.
    #[must_use]
    pub fn request(&self) -> Option<&RequestId> {
        match self {
            Self::Write(command) => command.request.as_ref(),
            Self::Catalog(command) => command.request.as_ref(),
        }
    }

    /// Who and why.
    #[must_use]
    pub fn context(&self) -> &Context {
        match self {
            Self::Write(command) => &command.context,
            Self::Catalog(command) => &command.context,
        }
    }
}
