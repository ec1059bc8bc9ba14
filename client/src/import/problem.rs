//! What is wrong with a row. An import lists all of them, with their lines; it never guesses.

use std::borrow::Cow;
use std::sync::Arc;

use indicator_proto::{IdError, ParseDecimalError, ParsePeriodError, ParseTimeError, ReversedInterval};

use crate::names::NameError;

/// A row, or a cell of a wide row, that is not taken.
#[derive(Debug, Clone)]
pub struct Reject {
    /// Line of the file, or row of the sheet, from 1.
    pub line: u64,
    /// Header of the column with the figure, in wide files.
    pub column: Option<Arc<str>>,
    /// The field at fault, by its name in mappings.
    pub field: Cow<'static, str>,
    /// What is wrong.
    pub problem: Arc<Problem>,
}

/// What is wrong with a field of a row, and what to do about it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The row has fewer or more cells than the header.
    #[error(
        "the row has {cells} cells, the header {columns}; add or remove cells, or say where the data end with `read.stop_at`"
    )]
    Ragged {
        /// Cells of the row.
        cells: usize,
        /// Cells of the header.
        columns: usize,
    },
    /// A required field is empty.
    #[error("it is empty")]
    Empty,
    /// Not a period.
    #[error(transparent)]
    Period(#[from] ParsePeriodError),
    /// Not a decimal.
    #[error(transparent)]
    Decimal(#[from] ParseDecimalError),
    /// A thousands separator that is not between digits.
    #[error("{text:?} has a thousands separator that does not stand between digits")]
    Separator {
        /// The cell.
        text: String,
    },
    /// The product with the factor is not exact.
    #[error("{text} times {factor} has more than 28 digits")]
    Inexact {
        /// The figure as written.
        text: String,
        /// The factor.
        factor: String,
    },
    /// Not positive.
    #[error("{text} is not positive")]
    NotPositive {
        /// The figure as written.
        text: String,
    },
    /// Not a time.
    #[error(transparent)]
    Time(#[from] ParseTimeError),
    /// Not one of the words of this field.
    #[error("{text:?} is none of {}", words.join(", "))]
    Word {
        /// The text.
        text: String,
        /// The words that there are.
        words: Vec<&'static str>,
    },
    /// Not an equivalent.
    #[error(
        "{text:?} is not an equivalent; write a decimal and a unit, such as \"470400000000 USD\", with \"; \" between several"
    )]
    Equivalent {
        /// The text.
        text: String,
    },
    /// None or more than one of value, interval and missing reason.
    #[error("a figure has exactly one of `value`, `lower` with `upper`, and `missing`; this row has {has}")]
    Figure {
        /// What it has.
        has: &'static str,
    },
    /// A bound or rounding without a value.
    #[error("it is given, but there is no value that it could belong to")]
    WithoutValue,
    /// The interval is upside down.
    #[error(transparent)]
    Interval(#[from] ReversedInterval),
    /// A text that is too long.
    #[error("it has {bytes} bytes; at most {limit} are kept")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The most that the service takes.
        limit: usize,
    },
    /// The cell was there before.
    #[error("the same cell as on line {line}")]
    Duplicate {
        /// Where it was.
        line: u64,
    },
    /// The cell was there before, published at another time, and a series is replaced by one state.
    #[error("another edition of the cell on line {line}; one edition replaces a series, so put each into a file of its own")]
    OtherEdition {
        /// Where it was.
        line: u64,
    },
    /// The catalog has nothing of this name, or several things.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The indicator is not broken down by this dimension.
    #[error("the indicator {indicator} is not broken down by it")]
    Undeclared {
        /// The indicator.
        indicator: String,
    },
    /// The indicator is always broken down by this dimension.
    #[error("the indicator {indicator} is always broken down by it; say the code")]
    DimensionRequired {
        /// The indicator.
        indicator: String,
    },
    /// An entry cannot be created for a text, because its id would not be one.
    #[error("no entry can be made for {text:?}: {cause}; say its id with `create.{kind}.id`")]
    NoId {
        /// The text.
        text: String,
        /// The kind of entry.
        kind: Cow<'static, str>,
        /// What is wrong with the id.
        cause: Box<IdError>,
    },
    /// An entry cannot be created for a text, because something that only people know is not said.
    #[error("no entry can be made for {text:?}: say its {what} with `create.{kind}.{what}`")]
    NotDescribed {
        /// The text.
        text: String,
        /// The kind of entry.
        kind: Cow<'static, str>,
        /// What is missing.
        what: &'static str,
    },
    /// The service did not take it.
    #[error("{description} ({reason})")]
    Service {
        /// The service's stable reason.
        reason: String,
        /// Its words.
        description: String,
    },
    /// A series has more figures than one commit takes.
    #[error("its series has {figures} figures; a series that is replaced must fit into {limit}")]
    SeriesTooLong {
        /// How many.
        figures: usize,
        /// The most that one commit takes.
        limit: usize,
    },
}
