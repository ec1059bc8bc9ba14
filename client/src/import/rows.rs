//! Records to figures: every cell is read and checked, nothing is looked up in the catalog yet.

use std::collections::HashMap;
use std::sync::Arc;

use csv::ByteRecord;
use indicator_proto::{Decimal, Period, v1::MissingReason};

use super::details::{Details, Faults};
use super::error::Error;
use super::intern::Interner;
use super::mapping::Mapping;
use super::plan::{Part, Place, Plan, ValueColumn};
use super::problem::{Problem, Reject};
use super::source::Text;
use super::table::{Table, text_of};

/// Column number of a figure that stands under no header of its own.
pub(super) const NO_COLUMN: u32 = u32::MAX;

/// What a file says, with its own names for things.
#[derive(Debug, Default)]
pub struct Rows {
    /// Names of the columns.
    pub header: Vec<String>,
    /// Names of the series that there are figures for.
    pub keys: Vec<Key>,
    /// What figures have beside their value. The first says nothing.
    pub details: Vec<Details>,
    /// The figures, in the order of the file.
    pub figures: Vec<Figure>,
    /// What is not taken.
    pub rejects: Vec<Reject>,
    /// Cells without a figure that were left out.
    pub skipped: u64,
    /// `published_at` of the whole file.
    pub published_at: Option<indicator_proto::Time>,
    /// Headers of the columns with figures, by column, in wide files.
    pub headers: HashMap<u32, Arc<str>>,
}

/// The names of a series as the file has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Indicator.
    pub indicator: String,
    /// Region.
    pub region: String,
    /// Source.
    pub source: String,
    /// Dimension ids with the names of codes; those with no name are left out.
    pub dimensions: Vec<(String, String)>,
    /// The first record with it: what it says beside is used when entries are created.
    pub record: Vec<String>,
}

/// One figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Index of its key.
    pub key: u32,
    /// Index of its details.
    pub details: u32,
    /// Where it stands.
    pub line: u64,
    /// Under which column, in wide files.
    pub column: u32,
    /// Its period.
    pub period: Period,
    /// Its value. `None` where the details say an interval or why there is none.
    pub value: Option<Decimal>,
}

/// Reads a whole text. `figures` says whether figures are needed; to delete, a file only needs to name cells.
///
/// # Errors
///
/// When the text does not have what the mapping names. What is wrong with single rows is among the rejects.
pub fn read(text: &Text, mapping: &Mapping, figures: bool) -> Result<Rows, Error> {
    let mut table = Table::open(text, &mapping.read)?;
    let plan = Plan::new(text, &table, mapping, figures)?;
    let mut reader = Reader::new(&plan, figures)?;
    let mut record = ByteRecord::new();
    while let Some(line) = table.next(&mut record) {
        reader.record(line, &record);
    }
    Ok(Rows { header: table.header().to_vec(), ..reader.rows })
}

struct Reader<'p> {
    plan: &'p Plan,
    figures: bool,
    keys: Interner,
    /// By number: whether the key is good.
    key_slots: Vec<Option<u32>>,
    details: Interner,
    detail_slots: Vec<Result<u32, Faults>>,
    periods: Periods<'p>,
    /// Index of the details that a marker for "no figure" is recorded with, for each that it would have otherwise.
    missing: HashMap<u32, u32>,
    rows: Rows,
}

impl<'p> Reader<'p> {
    fn new(plan: &'p Plan, figures: bool) -> Result<Self, Error> {
        let published_at = plan.published_at.as_deref().map(str::parse).transpose();
        let published_at = published_at.map_err(|error: indicator_proto::ParseTimeError| Error::Setting {
            key: "fields.published_at",
            problem: Box::new(error.into()),
        })?;
        let headers = plan.values.iter().filter_map(|column| Some((column.at as u32, column.header.clone()?))).collect();
        Ok(Self {
            plan,
            figures,
            keys: Interner::new(&plan.key),
            key_slots: Vec::new(),
            details: Interner::new(&plan.details),
            detail_slots: Vec::new(),
            periods: Periods::new(plan.period.as_ref()),
            missing: HashMap::new(),
            rows: Rows { published_at, headers, ..Rows::default() },
        })
    }

    fn record(&mut self, line: u64, record: &ByteRecord) {
        if record.len() != self.plan.columns && !only_blanks_beyond(record, self.plan.columns) {
            let problem = Problem::Ragged { cells: record.len(), columns: self.plan.columns };
            self.reject(line, None, "row", problem);
            return;
        }
        let plan = self.plan;
        if plan.values.is_empty() {
            self.cell(line, record, None);
        }
        for column in &plan.values {
            self.cell(line, record, Some(column));
        }
    }

    /// One figure of a record.
    fn cell(&mut self, line: u64, record: &ByteRecord, column: Option<&ValueColumn>) {
        let at = column.map_or(NO_COLUMN, |column| column.at as u32);
        let header = column.and_then(|column| column.header.as_ref());
        let read = match column {
            Some(column) if self.figures => self.plan.numbers.read(text_of(record, column.at)),
            _ => Ok(None),
        };
        let rejects = self.rows.rejects.len();
        let figure = read.unwrap_or_else(|problem| {
            self.reject(line, header, "value", problem);
            None
        });
        let details = self.details(line, record, header, at, figure.map(|figure| figure.decimals));
        let details = match details.filter(|_| self.rows.rejects.len() == rejects) {
            Some(details) => match self.complete(details, figure.is_some()) {
                Ok(Some(details)) => details,
                // A cell without a figure says nothing, so nothing else of it matters.
                Ok(None) => {
                    self.rows.skipped += 1;
                    return;
                }
                Err((field, problem)) => {
                    self.reject(line, header, field, problem);
                    details
                }
            },
            None => 0,
        };
        // Every fault is told, so the rest is looked at also when there was one.
        let period = self.periods.read(record, header.map(|header| &**header));
        let period = period.map_err(|problem| self.reject(line, header, "period", problem));
        let key = self.key(line, record, header, at);
        if let (Ok(period), Some(key)) = (period, key)
            && self.rows.rejects.len() == rejects
        {
            let value = figure.map(|figure| figure.value);
            let column = if header.is_some() { at } else { NO_COLUMN };
            self.rows.figures.push(Figure { key, details, line, column, period, value });
        }
    }

    /// Index of the key; `None` when something is wrong with it, which is among the rejects then.
    fn key(&mut self, line: u64, record: &ByteRecord, header: Option<&Arc<str>>, at: u32) -> Option<u32> {
        let (number, new) = self.keys.number(record, at as usize, 0);
        if new {
            let key = read_key(&self.plan.key, record, header.map(|header| &**header));
            let empty = key.indicator.is_empty() || key.region.is_empty() || key.source.is_empty();
            self.key_slots.push((!empty).then_some(self.rows.keys.len() as u32));
            if !empty {
                self.rows.keys.push(key);
            }
        }
        let slot = self.key_slots[number as usize];
        if slot.is_none() {
            let key = read_key(&self.plan.key, record, header.map(|header| &**header));
            for (field, text) in [("indicator", key.indicator), ("region", key.region), ("source", key.source)] {
                if text.is_empty() {
                    self.reject(line, header, field, Problem::Empty);
                }
            }
        }
        slot
    }

    /// Index of the details; `None` when something is wrong with them, which is among the rejects then.
    fn details(
        &mut self,
        line: u64,
        record: &ByteRecord,
        header: Option<&Arc<str>>,
        at: u32,
        decimals: Option<u32>,
    ) -> Option<u32> {
        let plan = self.plan;
        let decimals = decimals.filter(|_| plan.numbers.rounded_as_written);
        // One more than the number of decimals, so that "none counts" is 0.
        let (number, new) = self.details.number(record, at as usize, decimals.map_or(0, |decimals| decimals + 1));
        if new {
            let read = Details::read(plan, record, header.map(|header| &**header), decimals);
            let slot = read.map(|details| self.push_details(details));
            self.detail_slots.push(slot);
        }
        match &self.detail_slots[number as usize] {
            Ok(details) => Some(*details),
            Err(faults) => {
                for (field, problem) in faults.clone() {
                    let header = header.cloned();
                    self.rows.rejects.push(Reject { line, column: header, field, problem: Arc::new(problem) });
                }
                None
            }
        }
    }

    fn push_details(&mut self, details: Details) -> u32 {
        self.rows.details.push(details);
        (self.rows.details.len() - 1) as u32
    }

    /// Whether value and details make one figure. The details may be others where a marker is recorded as missing. `None` leaves
    /// the cell out.
    fn complete(&mut self, details: u32, value: bool) -> Result<Option<u32>, (&'static str, Problem)> {
        if !self.figures {
            return Ok(Some(details));
        }
        let known = &self.rows.details[details as usize];
        match (value, known.interval.is_some(), known.missing.is_some()) {
            (true, true, _) => return Err(("value", Problem::Figure { has: "a value and an interval" })),
            (true, _, true) => return Err(("value", Problem::Figure { has: "a value and a missing reason" })),
            (_, true, true) => return Err(("missing", Problem::Figure { has: "an interval and a missing reason" })),
            (true, false, false) => return Ok(Some(details)),
            (false, ..) if known.bound.is_some() => return Err(("bound", Problem::WithoutValue)),
            (false, true, false) | (false, false, true) => return Ok(Some(details)),
            (false, false, false) => {}
        }
        let Some(reason) = self.plan.numbers.missing_means else { return Ok(None) };
        Ok(Some(self.as_missing(details, reason)))
    }

    fn as_missing(&mut self, details: u32, reason: MissingReason) -> u32 {
        if let Some(known) = self.missing.get(&details) {
            return *known;
        }
        let missing = Details { missing: Some(reason), ..self.rows.details[details as usize].clone() };
        let number = self.push_details(missing);
        self.missing.insert(details, number);
        number
    }

    fn reject(&mut self, line: u64, header: Option<&Arc<str>>, field: &'static str, problem: Problem) {
        let column = header.cloned();
        self.rows.rejects.push(Reject { line, column, field: field.into(), problem: Arc::new(problem) });
    }
}

/// Files that end every line with a delimiter have blank cells beyond the header.
fn only_blanks_beyond(record: &ByteRecord, columns: usize) -> bool {
    record.len() > columns && record.iter().skip(columns).all(|cell| cell.trim_ascii().is_empty())
}

fn read_key(parts: &[Part], record: &ByteRecord, header: Option<&str>) -> Key {
    let mut key = Key {
        indicator: String::new(),
        region: String::new(),
        source: String::new(),
        dimensions: Vec::new(),
        record: (0..record.len()).map(|at| text_of(record, at).to_owned()).collect(),
    };
    for part in parts {
        let text = part.text(record, header).into_owned();
        match &*part.field {
            "indicator" => key.indicator = text,
            "region" => key.region = text,
            "source" => key.source = text,
            dimension if text.is_empty() => debug_assert!(dimension.starts_with(super::plan::DIMENSION_PREFIX)),
            dimension => {
                let id = dimension.trim_start_matches(super::plan::DIMENSION_PREFIX).to_owned();
                key.dimensions.push((id, text));
            }
        }
    }
    key
}

/// Reads periods. Texts that go through a mapping, or are no periods, are looked at once each.
struct Periods<'p> {
    part: Option<&'p Part>,
    known: HashMap<String, Result<Period, Problem>>,
}

impl<'p> Periods<'p> {
    fn new(part: Option<&'p Part>) -> Self {
        Self { part, known: HashMap::new() }
    }

    fn read(&mut self, record: &ByteRecord, header: Option<&str>) -> Result<Period, Problem> {
        let part = self.part.ok_or(Problem::Empty)?;
        let raw = match &part.place {
            Place::Column(at) => text_of(record, *at).trim(),
            Place::Constant(text) => text,
            Place::Header(_) => header.unwrap_or_default(),
        };
        if part.transform.is_none()
            && let Place::Column(_) = part.place
        {
            return Ok(raw.parse()?);
        }
        if let Some(known) = self.known.get(raw) {
            return known.clone();
        }
        let read = part.text(record, header).parse().map_err(Problem::from);
        self.known.insert(raw.to_owned(), read.clone());
        read
    }
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
