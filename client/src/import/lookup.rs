//! Tables that say more about the texts of a field, and templates that are filled in from their rows.

use std::collections::HashMap;
use std::path::Path;

use csv::ByteRecord;

use super::error::Error;
use super::mapping::{Alternatives, Column, Layout, Lookup, Origin};
use super::source;
use super::table::{self, Table, text_of};

/// What templates take columns from: a row of the lookup, and beside it the row of the data.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// The text that the entry is made for.
    pub(super) text: &'a str,
    /// The data file, for errors.
    pub(super) file: &'a str,
    pub(super) header: &'a [String],
    pub(super) cells: &'a [String],
    pub(super) lookup: Option<&'a Rows>,
}

impl Row<'_> {
    /// The first alternative that is not empty. A header or a file name as origin stands for the text itself.
    pub(super) fn first(&self, alternatives: &Alternatives) -> Result<Option<String>, Error> {
        for field in &alternatives.0 {
            let raw = match &field.origin {
                Origin::Column(column) => self.cell(column)?,
                Origin::Constant(text) => text,
                Origin::Headers(_) | Origin::FileName(_) => self.text,
            };
            // An absent cell stays absent, whatever a rule would make of nothing.
            if !raw.is_empty() {
                let text = field.transform(raw);
                if !text.is_empty() {
                    return Ok(Some(text));
                }
            }
        }
        Ok(None)
    }

    /// The cell of a column of the lookup, which is empty if the lookup does not have the text; else of a column of the data.
    fn cell(&self, column: &Column) -> Result<&str, Error> {
        if let Some(lookup) = self.lookup
            && let Ok(at) = table::position(&lookup.header, column, &lookup.name)
        {
            let cells = lookup.rows.get(self.text);
            return Ok(cells.and_then(|cells| cells.get(at)).map_or("", |cell| cell.trim()));
        }
        let at = table::position(self.header, column, self.file)?;
        Ok(self.cells.get(at).map_or("", |cell| cell.trim()))
    }
}

/// A table by the text of its key column.
#[derive(Debug)]
pub(super) struct Rows {
    name: String,
    header: Vec<String>,
    rows: HashMap<String, Vec<String>>,
}

impl Rows {
    /// Reads the table. Its path is relative to `directory`.
    pub(super) fn load(lookup: &Lookup, directory: &Path) -> Result<Self, Error> {
        let text = source::read(&directory.join(&lookup.file), None, None)?;
        let mut table = Table::open(&text, &Layout::default())?;
        let key = table.position(&lookup.key)?;
        let mut rows = HashMap::new();
        let mut record = ByteRecord::new();
        while table.next(&mut record).is_some() {
            let cells: Vec<_> = (0..record.len()).map(|at| text_of(&record, at).to_owned()).collect();
            let text = text_of(&record, key).trim();
            if !text.is_empty() {
                rows.entry(text.to_owned()).or_insert(cells);
            }
        }
        Ok(Self { header: table.header().to_vec(), name: text.name.clone(), rows })
    }

    /// Whether it has a row for the text.
    pub(super) fn has(&self, text: &str) -> bool {
        self.rows.contains_key(text)
    }
}
