//! The encoding of a block: columns of a series' cells, as postcard, after a format byte.
//!
//! A released format is never changed: a new one gets a new byte, and the old decoder stays.

use std::{borrow::Borrow, sync::Arc};

use indicator_proto::{Bound, Decimal, Frequency, Interval, Period, Statuses, Time, v1::MissingReason};
use serde::{Deserialize, Serialize};

use super::{
    Error,
    cell::{Datum, Details, Equivalent, Figure, Kind, Version},
    column::Column,
};

/// First byte of every block of this format.
const FORMAT: u8 = 1;

/// Aim of a part's size. sled stores items beyond a fraction of its segment as separate files, which is far slower.
const PART_BYTES: usize = 24 * 1024;

/// Bytes of the texts of one part at most, each time that a version has them: a part that says more would take more memory than it
/// is worth. What is written stays far below.
pub(super) const MOST_TEXT: usize = 1 << 20;

/// `Datum` as a number: 1 to 6 are bounds of a value, then these.
const INTERVAL: u8 = 7;
const WITHDRAWN: u8 = 8;
const MISSING: u8 = 16;

#[derive(Serialize, Deserialize)]
struct Columns {
    /// Frequency and how many cells follow of it.
    frequencies: Vec<(u8, u32)>,
    /// Ordinals: the first of each frequency as it is, then the distance from the one before.
    ordinals: Vec<i32>,
    kinds: Column<u8>,
    data: Column<u8>,
    /// Of cells that have a number (an interval's lower end), in order.
    scales: Column<u8>,
    mantissas: Mantissas,
    /// Upper ends of the intervals, in order.
    uppers: Vec<(i128, u8)>,
    statuses: Column<u32>,
    published: Column<i64>,
    /// Revision and time of recording. In a delta block the same for all.
    origins: Column<(u64, i64)>,
    details: Vec<DetailsRow>,
    /// Texts of the details, each once.
    texts: Vec<String>,
}

#[derive(Serialize, Deserialize)]
enum Mantissas {
    Small(Vec<i64>),
    Large(Vec<i128>),
}

#[derive(Serialize, Deserialize)]
struct DetailsRow {
    cell: u32,
    rounded_to: Option<(i128, u8)>,
    /// Mantissa, scale, and index of the unit among the texts.
    equivalents: Vec<(i128, u8, u32)>,
    /// Indexes among the texts, plus one; 0 is absent.
    original_text: u32,
    note: u32,
    document_uri: u32,
}

/// Encodes versions, sorted by period and each period once, as the parts of one block.
pub(crate) fn encode<V: Borrow<Version>>(versions: &[V]) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    let mut rest = versions;
    while !rest.is_empty() {
        let mut size = 0;
        let fit = rest.iter().position(|v| {
            size += estimate((*v).borrow());
            size > PART_BYTES
        });
        let (part, after) = rest.split_at(fit.unwrap_or(rest.len()).max(1));
        parts.push(encode_part(part));
        rest = after;
    }
    parts
}

/// The most that one version is estimated at: three texts of the largest sizes, and fifty equivalents.
const LARGEST_ESTIMATE: usize = 24 + 40 + 4_000 + 4_000 + 2_000 + 50 * (64 + 24);

/// Whether a block whose first part has these versions can have another part: only if the next version may not have fitted.
pub(crate) fn may_have_more_parts(first: &[Version]) -> bool {
    first.iter().map(estimate).sum::<usize>() + LARGEST_ESTIMATE > PART_BYTES
}

/// About how many bytes a version takes; never far too low.
fn estimate(version: &Version) -> usize {
    let details = version.figure.details.as_deref().map_or(0, |d| {
        40 + d.original_text.len()
            + d.note.len()
            + d.document_uri.len()
            + d.equivalents.iter().map(|e| e.unit.len() + 24).sum::<usize>()
    });
    24 + details
}

fn encode_part<V: Borrow<Version>>(versions: &[V]) -> Vec<u8> {
    let versions: Vec<&Version> = versions.iter().map(Borrow::borrow).collect();
    let columns = Columns::of(&versions);
    // Serialising plain vectors and numbers into memory has no way to fail.
    postcard::to_extend(&columns, vec![FORMAT]).expect("columns serialise into memory")
}

impl Columns {
    fn of(versions: &[&Version]) -> Self {
        let (frequencies, ordinals) = encode_periods(versions);
        let mut numbers = Vec::with_capacity(versions.len());
        let mut uppers = Vec::new();
        for version in versions {
            match version.figure.datum {
                Datum::Value(value, _) => numbers.push(value),
                Datum::Interval(interval) => {
                    numbers.push(interval.lower());
                    uppers.push(parts(interval.upper()));
                }
                Datum::Missing(_) | Datum::Withdrawn => {}
            }
        }
        let mut texts = Texts::default();
        let details = versions
            .iter()
            .enumerate()
            .filter_map(|(cell, v)| Some(DetailsRow::of(cell as u32, v.figure.details.as_deref()?, &mut texts)))
            .collect();
        Self {
            frequencies,
            ordinals,
            kinds: Column::of(versions.iter().map(|v| v.kind as u8).collect()),
            data: Column::of(versions.iter().map(|v| datum_number(v.figure.datum)).collect()),
            scales: Column::of(numbers.iter().map(|n| n.scale() as u8).collect()),
            mantissas: Mantissas::of(&numbers),
            uppers,
            statuses: Column::of(versions.iter().map(|v| v.figure.statuses.bits()).collect()),
            published: Column::of(versions.iter().map(|v| v.published_at.micros()).collect()),
            origins: Column::of(versions.iter().map(|v| (v.revision, v.recorded_at.micros())).collect()),
            details,
            texts: texts.list,
        }
    }
}

fn parts(decimal: Decimal) -> (i128, u8) {
    (decimal.mantissa(), decimal.scale() as u8)
}

fn encode_periods(versions: &[&Version]) -> (Vec<(u8, u32)>, Vec<i32>) {
    let mut frequencies: Vec<(u8, u32)> = Vec::new();
    let mut ordinals = Vec::with_capacity(versions.len());
    let mut before = 0;
    for version in versions {
        let frequency = version.period.frequency() as u8;
        match frequencies.last_mut() {
            Some((last, count)) if *last == frequency => *count += 1,
            _ => {
                frequencies.push((frequency, 1));
                before = 0;
            }
        }
        ordinals.push(version.period.ordinal() - before);
        before = version.period.ordinal();
    }
    (frequencies, ordinals)
}

fn datum_number(datum: Datum) -> u8 {
    match datum {
        Datum::Value(_, bound) => bound as u8,
        Datum::Interval(_) => INTERVAL,
        Datum::Withdrawn => WITHDRAWN,
        Datum::Missing(reason) => MISSING + reason as u8,
    }
}

impl Mantissas {
    fn of(numbers: &[Decimal]) -> Self {
        let small: Option<Vec<i64>> = numbers.iter().map(|n| i64::try_from(n.mantissa()).ok()).collect();
        small.map_or_else(|| Self::Large(numbers.iter().map(|n| n.mantissa()).collect()), Self::Small)
    }

    fn get(&self, index: usize) -> Option<i128> {
        match self {
            Self::Small(list) => list.get(index).map(|m| i128::from(*m)),
            Self::Large(list) => list.get(index).copied(),
        }
    }
}

/// Collects texts, each once.
#[derive(Default)]
struct Texts {
    list: Vec<String>,
    numbers: std::collections::HashMap<String, u32>,
}

impl Texts {
    fn index(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.list.len() as u32;
        self.list.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }

    fn optional(&mut self, text: &str) -> u32 {
        if text.is_empty() { 0 } else { self.index(text) + 1 }
    }
}

impl DetailsRow {
    fn of(cell: u32, details: &Details, texts: &mut Texts) -> Self {
        let equivalents = details.equivalents.iter().map(|e| {
            let (mantissa, scale) = parts(e.value);
            (mantissa, scale, texts.index(&e.unit))
        });
        Self {
            cell,
            rounded_to: details.rounded_to.map(parts),
            equivalents: equivalents.collect(),
            original_text: texts.optional(&details.original_text),
            note: texts.optional(&details.note),
            document_uri: texts.optional(&details.document_uri),
        }
    }

    /// Bytes of its texts.
    fn text(&self, texts: &[String]) -> usize {
        let bytes = |index: u32| texts.get(index as usize).map_or(0, String::len);
        let optional = [self.original_text, self.note, self.document_uri].into_iter().filter_map(|index| index.checked_sub(1));
        optional.chain(self.equivalents.iter().map(|&(_, _, unit)| unit)).map(bytes).fold(0, usize::saturating_add)
    }

    fn decode(&self, texts: &[String]) -> Option<Details> {
        let optional = |index: u32| match index.checked_sub(1) {
            None => Some(String::new()),
            Some(index) => texts.get(index as usize).cloned(),
        };
        let equivalents = self.equivalents.iter().map(|&(mantissa, scale, unit)| {
            Some(Equivalent { value: Decimal::from_parts(mantissa, u32::from(scale))?, unit: texts.get(unit as usize)?.clone() })
        });
        Some(Details {
            rounded_to: match self.rounded_to {
                None => None,
                Some((mantissa, scale)) => Some(Decimal::from_parts(mantissa, u32::from(scale))?),
            },
            equivalents: equivalents.collect::<Option<_>>()?,
            original_text: optional(self.original_text)?,
            note: optional(self.note)?,
            document_uri: optional(self.document_uri)?,
        })
    }
}

/// Appends the versions of one part.
///
/// # Errors
///
/// [`Error::Corrupt`] if the bytes are not a block of a known format.
pub(crate) fn decode(bytes: &[u8], into: &mut Vec<Version>) -> Result<(), Error> {
    match bytes.split_first() {
        Some((&FORMAT, rest)) => {
            let columns: Columns =
                postcard::from_bytes(rest).map_err(|e| Error::Corrupt(format!("a block does not decode: {e}")))?;
            columns.decode(into).ok_or_else(|| Error::Corrupt("a block's columns contradict each other".into()))
        }
        Some((format, _)) => Err(Error::Corrupt(format!("a block has format {format}, which this version does not know"))),
        None => Err(Error::Corrupt("a block is empty".into())),
    }
}

impl Columns {
    fn decode(&self, into: &mut Vec<Version>) -> Option<()> {
        let base = into.len();
        into.reserve(self.ordinals.len());
        let (mut numbers, mut uppers, mut ordinals) = (0, self.uppers.iter(), self.ordinals.iter());
        for &(frequency, count) in &self.frequencies {
            let frequency = Frequency::try_from(frequency).ok()?;
            let mut ordinal = 0_i32;
            for _ in 0..count {
                ordinal = ordinal.checked_add(*ordinals.next()?)?;
                let cell = into.len() - base;
                let datum = self.datum(cell, &mut numbers, &mut uppers)?;
                let (revision, recorded_at) = self.origins.get(cell)?;
                into.push(Version {
                    period: Period::from_ordinal(frequency, ordinal)?,
                    kind: Kind::from_number(self.kinds.get(cell)?)?,
                    published_at: Time::from_micros(self.published.get(cell)?)?,
                    recorded_at: Time::from_micros(recorded_at)?,
                    revision,
                    figure: Figure { datum, statuses: Statuses::from_bits(self.statuses.get(cell)?)?, details: None },
                });
            }
        }
        let text: usize = self.details.iter().map(|row| row.text(&self.texts)).fold(0, usize::saturating_add);
        if text > MOST_TEXT {
            return None;
        }
        for row in &self.details {
            into.get_mut(base + row.cell as usize)?.figure.details = Some(Arc::new(row.decode(&self.texts)?));
        }
        ordinals.next().is_none().then_some(())
    }

    fn datum(&self, cell: usize, numbers: &mut usize, uppers: &mut std::slice::Iter<'_, (i128, u8)>) -> Option<Datum> {
        let number = self.data.get(cell)?;
        if number == WITHDRAWN {
            return Some(Datum::Withdrawn);
        }
        if let Some(reason) = number.checked_sub(MISSING) {
            return Some(Datum::Missing(MissingReason::try_from(i32::from(reason)).ok()?));
        }
        let value = Decimal::from_parts(self.mantissas.get(*numbers)?, u32::from(self.scales.get(*numbers)?))?;
        *numbers += 1;
        if number == INTERVAL {
            let &(mantissa, scale) = uppers.next()?;
            return Interval::new(value, Decimal::from_parts(mantissa, u32::from(scale))?).ok().map(Datum::Interval);
        }
        Some(Datum::Value(value, Bound::try_from(number).ok()?))
    }
}

#[cfg(test)]
mod tests;
