//! What an observation has beside its cell and its value.

use std::borrow::Cow;

use csv::ByteRecord;
use indicator_proto::{
    Decimal, Interval, Statuses, Time,
    v1::{Bound, Equivalent, MissingReason, Observation},
};

use super::numbers;
use super::plan::{Part, Plan};
use super::problem::Problem;
use super::words;

/// Longest original text and note, in bytes.
const LONGEST_TEXT: usize = 4000;

/// Longest URI, in bytes.
const LONGEST_URI: usize = 2000;

/// What is wrong with which field.
pub(super) type Faults = Vec<(Cow<'static, str>, Problem)>;

/// What an observation has beside its cell and its value.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Details {
    /// How the figure relates to the value; exact if nothing is said.
    pub bound: Option<Bound>,
    /// The figure lies in this interval.
    pub interval: Option<Interval>,
    /// Why there is no figure.
    pub missing: Option<MissingReason>,
    /// Properties of the figure.
    pub statuses: Statuses,
    /// Size of the last digit as published.
    pub rounded_to: Option<Decimal>,
    /// The figure in other units, as published.
    pub equivalents: Vec<Equivalent>,
    /// The source's own words.
    pub original_text: String,
    /// A remark.
    pub note: String,
    /// Where it was published.
    pub document_uri: String,
    /// When it was published.
    pub published_at: Option<Time>,
}

impl Details {
    /// The details of a record whose figure stands under `header` and had so many `decimals`, which count where the last digit as
    /// written is the rounding.
    pub(super) fn read(plan: &Plan, record: &ByteRecord, header: Option<&str>, decimals: Option<u32>) -> Result<Self, Faults> {
        let mut reader = Reader { details: Self::default(), lower: None, upper: None, numbers: &plan.numbers };
        let mut faults = Faults::new();
        for part in &plan.details {
            let text = part.text(record, header);
            if let Err(problem) = reader.take(part, &text) {
                faults.push((part.field.clone(), problem));
            }
        }
        let Reader { mut details, lower, upper, numbers } = reader;
        match (lower, upper) {
            (None, None) => {}
            (Some(lower), Some(upper)) => match Interval::new(lower, upper) {
                Ok(interval) => details.interval = Some(interval),
                Err(reversed) => faults.push(("lower".into(), reversed.into())),
            },
            (Some(_), None) => faults.push(("upper".into(), Problem::Empty)),
            (None, Some(_)) => faults.push(("lower".into(), Problem::Empty)),
        }
        if details.rounded_to.is_none() {
            details.rounded_to = decimals.and_then(|decimals| numbers.last_digit(decimals));
        }
        if faults.is_empty() { Ok(details) } else { Err(faults) }
    }

    /// Writes them into an observation.
    pub(super) fn fill(&self, observation: &mut Observation) {
        observation.bound = self.bound.unwrap_or_default().into();
        observation.interval = self.interval.map(Into::into);
        observation.missing = self.missing.unwrap_or_default().into();
        observation.statuses = self.statuses.iter().map(Into::into).collect();
        observation.rounded_to = self.rounded_to.map(|size| size.to_string()).unwrap_or_default();
        observation.equivalents.clone_from(&self.equivalents);
        observation.original_text.clone_from(&self.original_text);
        observation.note.clone_from(&self.note);
        observation.document_uri.clone_from(&self.document_uri);
        observation.published_at = self.published_at.map(Into::into);
    }
}

struct Reader<'a> {
    details: Details,
    lower: Option<Decimal>,
    upper: Option<Decimal>,
    numbers: &'a numbers::Reader,
}

impl Reader<'_> {
    fn take(&mut self, part: &Part, text: &str) -> Result<(), Problem> {
        let Self { details, numbers, .. } = self;
        match &*part.field {
            "bound" => details.bound = Some(words::parse_bound(text)?).filter(|bound| *bound != Bound::Exact),
            "lower" => self.lower = decimal(numbers, text)?,
            "upper" => self.upper = decimal(numbers, text)?,
            "missing" => details.missing = words::parse_missing(text)?,
            "statuses" => details.statuses = words::parse_statuses(text)?,
            "rounded_to" => details.rounded_to = positive(decimal(numbers, text)?, text)?,
            "equivalents" => details.equivalents = words::parse_equivalents(text)?,
            "original_text" => details.original_text = limited(text, LONGEST_TEXT)?,
            "note" => details.note = limited(text, LONGEST_TEXT)?,
            "document_uri" => details.document_uri = limited(text, LONGEST_URI)?,
            "published_at" if text.is_empty() => details.published_at = None,
            "published_at" => details.published_at = Some(text.parse()?),
            other => unreachable!("{other} is not among the details that plans have"),
        }
        Ok(())
    }
}

fn decimal(numbers: &numbers::Reader, text: &str) -> Result<Option<Decimal>, Problem> {
    Ok(numbers.read(text)?.map(|figure| figure.value))
}

fn positive(decimal: Option<Decimal>, text: &str) -> Result<Option<Decimal>, Problem> {
    match decimal {
        Some(decimal) if decimal.is_zero() || decimal.is_negative() => Err(Problem::NotPositive { text: text.to_owned() }),
        other => Ok(other),
    }
}

fn limited(text: &str, limit: usize) -> Result<String, Problem> {
    if text.len() > limit {
        return Err(Problem::TooLong { bytes: text.len(), limit });
    }
    Ok(text.to_owned())
}
