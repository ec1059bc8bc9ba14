//! Rejects as a CSV file: what is wrong, and the row as it was, so that it can be corrected and imported again.

use std::io::{self, Write};

use csv::ByteRecord;

use super::error::Error;
use super::prepare::Import;
use super::table::Table;

impl Import {
    /// Writes every reject with its row: `file`, `line`, `column` (in wide files), `field`, `reason`, then the cells of the row.
    ///
    /// # Errors
    ///
    /// When `out` cannot be written.
    pub fn write_rejects<W: Write>(&self, out: W) -> io::Result<()> {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(out);
        writer.write_record(["file", "line", "column", "field", "reason", "row"])?;
        for file in self.files.iter().filter(|file| !file.rejects.is_empty()) {
            // The rows are read again: only few are wanted, and keeping all would cost as much memory as the file.
            let mut table = Table::open(&file.text, &file.layout).map_err(|error: Error| io::Error::other(error.to_string()))?;
            let mut record = ByteRecord::new();
            let mut at = None;
            for reject in &file.rejects {
                while at.is_none_or(|line| line < reject.line) {
                    let Some(line) = table.next(&mut record) else { break };
                    at = Some(line);
                }
                let line = reject.line.to_string();
                let column = reject.column.as_deref().unwrap_or_default();
                let reason = reject.problem.to_string();
                let fault = [file.name(), &line, column, &reject.field, &reason].map(str::as_bytes);
                writer.write_record(fault.into_iter().chain(record.iter()))?;
            }
        }
        writer.flush()
    }
}
