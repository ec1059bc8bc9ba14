//! A sheet of an Excel workbook as CSV text, so that everything after it is the same as for a CSV file.

use std::io::Cursor;
use std::panic;

use calamine::{Data, Reader as _, open_workbook_auto_from_rs};

use super::error::Error;

/// First bytes of an OLE2 file (.xls) and of a ZIP file (.xlsx, .xlsb, .ods).
const MAGIC: [&[u8]; 2] = [&[0xd0, 0xcf, 0x11, 0xe0], b"PK\x03\x04"];

/// Whether the bytes are a workbook and not text.
pub(super) fn is_workbook(bytes: &[u8]) -> bool {
    MAGIC.iter().any(|magic| bytes.starts_with(magic))
}

/// The sheet (absent means the first) as CSV, one record a row, and the 1-based number of its first row with data. Numbers are
/// printed in the shortest form that reads back as the same double, dates in ISO 8601.
///
/// # Errors
///
/// When it is no workbook that can be read, or has no such sheet.
pub(super) fn sheet_as_csv(file: &str, bytes: &[u8], sheet: Option<&str>) -> Result<(String, u32), Error> {
    // calamine panics at some of what a damaged workbook may say.
    panic::catch_unwind(|| read(file, bytes, sheet))
        .unwrap_or_else(|_| Err(Error::Workbook { file: file.to_owned(), source: calamine::Error::Msg("it is damaged") }))
}

fn read(file: &str, bytes: &[u8], sheet: Option<&str>) -> Result<(String, u32), Error> {
    let fault = |source| Error::Workbook { file: file.to_owned(), source };
    let mut workbook = open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(fault)?;
    let names = workbook.sheet_names();
    let name = match sheet {
        Some(name) => names.iter().find(|known| *known == name),
        None => names.first(),
    };
    let Some(name) = name else {
        return Err(Error::NoSheet { file: file.to_owned(), sheet: sheet.unwrap_or_default().to_owned(), sheets: names });
    };
    let range = workbook.worksheet_range(name).map_err(fault)?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in range.rows() {
        writer.write_record(row.iter().map(cell)).expect("rows of a range have one width and memory takes every write");
    }
    let bytes = writer.into_inner().expect("memory takes every write");
    let text = String::from_utf8(bytes).expect("every cell was a string");
    Ok((text, range.start().map_or(1, |(row, _)| row + 1)))
}

fn cell(data: &Data) -> String {
    match data {
        Data::DateTime(moment) if moment.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
            if (hour, minute, second) == (0, 0, 0) {
                format!("{year:04}-{month:02}-{day:02}")
            } else {
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
            }
        }
        // An error of the workbook ("#N/A") is shown as it is: a missing marker if declared, a reject otherwise.
        other => other.to_string(),
    }
}
