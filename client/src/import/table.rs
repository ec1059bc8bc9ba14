//! Text to records: the delimiter, the lines before the header, the header, the records, and where they end.

use std::collections::BTreeMap;

use csv::{ByteRecord, ReaderBuilder};

use super::error::Error;
use super::mapping::{Column, Layout, Pattern};
use super::source::{Numbering, Text};

/// What may separate cells, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b'\t', b';', b'|'];

/// Records that the delimiter is found out from.
const SAMPLE: usize = 100;

/// The records of a text under its header.
#[derive(Debug)]
pub struct Table<'t> {
    reader: csv::Reader<&'t [u8]>,
    text: &'t Text,
    /// Bytes and lines before the part that is read as CSV.
    offset: (usize, u64),
    header: Vec<String>,
    stop_at: Option<Pattern>,
    /// The first record, where there is no header.
    pending: Option<(u64, ByteRecord)>,
}

impl<'t> Table<'t> {
    /// Reads up to the header.
    ///
    /// # Errors
    ///
    /// When there is no header where the layout says, or nothing at all.
    pub fn open(text: &'t Text, layout: &Layout) -> Result<Self, Error> {
        let offset = skip_lines(&text.content, layout.skip_lines);
        let body = &text.content[offset.0..];
        let delimiter = match layout.delimiter {
            Some(declared) => u8::try_from(declared).map_err(|_| Error::Delimiter { delimiter: declared })?,
            None => detect_delimiter(body),
        };
        let reader = ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(body.as_bytes());
        let stop_at = layout.stop_at.clone();
        let mut table = Self { reader, text, offset, header: Vec::new(), stop_at, pending: None };
        table.read_header(layout)?;
        Ok(table)
    }

    /// Names of the columns, without blanks around them. Without a header: their positions.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Reads the next record and returns its line (or row of the sheet); `None` at the end or at the footer. Blank records are
    /// passed over.
    pub fn next(&mut self, record: &mut ByteRecord) -> Option<u64> {
        loop {
            let line = match self.pending.take() {
                Some((line, pending)) => {
                    *record = pending;
                    line
                }
                None => self.read(record)?,
            };
            let first = text_of(record, 0).trim();
            if self.stop_at.as_ref().is_some_and(|pattern| pattern.matches(first)) {
                return None;
            }
            if !first.is_empty() || record.iter().any(|cell| !cell.trim_ascii().is_empty()) {
                return Some(line);
            }
        }
    }

    /// Where a column stands, from 0.
    ///
    /// # Errors
    ///
    /// When there is no such column, or more than one.
    pub fn position(&self, column: &Column) -> Result<usize, Error> {
        position(&self.header, column, &self.text.name)
    }

    fn read_header(&mut self, layout: &Layout) -> Result<(), Error> {
        let mut record = ByteRecord::new();
        let no_header = || Error::NoHeader { file: self.text.name.clone(), sought: layout.header_at.is_some() };
        loop {
            let Some(line) = self.read(&mut record) else { return Err(no_header()) };
            let is_header = layout.header_at.as_ref().is_none_or(|pattern| pattern.matches(text_of(&record, 0).trim()));
            if !is_header {
                continue;
            }
            if layout.no_header {
                self.header = (1..=record.len()).map(|position| position.to_string()).collect();
                self.pending = Some((line, record));
            } else {
                self.header = (0..record.len()).map(|at| text_of(&record, at).trim().to_owned()).collect();
            }
            return Ok(());
        }
    }

    fn read(&mut self, record: &mut ByteRecord) -> Option<u64> {
        let read = self.reader.read_byte_record(record).expect("memory can be read and every width is taken");
        read.then(|| self.line_of(record))
    }

    fn line_of(&self, record: &ByteRecord) -> u64 {
        let position = record.position().expect("a record that was read has a position");
        match self.text.numbering {
            Numbering::Rows(first) => self.offset.1 + position.record() + u64::from(first),
            // The reader's position is where it began to look: before the rest of a line break, and before blank lines.
            Numbering::Lines => {
                let start = self.offset.0 + usize::try_from(position.byte()).expect("the text is in memory");
                let breaks = self.text.content.as_bytes()[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
                self.offset.1 + position.line() + breaks.filter(|byte| **byte == b'\n').count() as u64
            }
        }
    }
}

/// A cell as text; empty where the record is too short. The whole text was checked to be UTF-8, and delimiters and quotes are
/// ASCII, so every cell is UTF-8 too.
pub(super) fn text_of(record: &ByteRecord, at: usize) -> &str {
    record.get(at).map_or("", |cell| std::str::from_utf8(cell).expect("a part of a UTF-8 text between ASCII characters"))
}

/// Where a column stands in a header, from 0.
pub(super) fn position(header: &[String], column: &Column, file: &str) -> Result<usize, Error> {
    let absent = || Error::NoColumn { file: file.to_owned(), column: column.clone(), columns: header.to_vec() };
    match column {
        Column::Position(position) => match position.checked_sub(1) {
            Some(at) if at < header.len() => Ok(at),
            _ => Err(absent()),
        },
        Column::Name(name) => {
            let mut found = header.iter().enumerate().filter(|(_, header)| *header == name.trim()).map(|(at, _)| at);
            match (found.next(), found.next()) {
                (Some(at), None) => Ok(at),
                (None, _) => Err(absent()),
                (Some(_), Some(_)) => Err(Error::AmbiguousColumn { file: file.to_owned(), column: name.clone() }),
            }
        }
    }
}

/// The offset behind the first `lines` lines, and how many there were.
fn skip_lines(text: &str, lines: u64) -> (usize, u64) {
    let mut offset = 0;
    let mut skipped = 0;
    while skipped < lines {
        let Some(end) = text[offset..].find('\n') else { break };
        offset += end + 1;
        skipped += 1;
    }
    (offset, skipped)
}

/// The delimiter with which the greatest part of the records has one and the same width above one. Lines before the header count
/// as records too; they are few.
fn detect_delimiter(text: &str) -> u8 {
    let score = |delimiter: u8| {
        let mut widths = BTreeMap::new();
        let mut reader = ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(text.as_bytes());
        for record in reader.byte_records().take(SAMPLE).flatten() {
            *widths.entry(record.len()).or_insert(0) += 1;
        }
        let all: usize = widths.values().sum();
        // A part and not a number: signs inside of quoted texts break them into many records, of many widths.
        let part = |(width, records): (usize, usize)| (records * 1000 / all, width);
        widths.into_iter().filter(|(width, _)| *width > 1).map(part).max()
    };
    let mut best = (None, DELIMITERS[0]);
    for delimiter in DELIMITERS {
        let score = score(delimiter);
        // Strictly better: among equals the likeliest stays.
        if score > best.0 {
            best = (score, delimiter);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(content: &str) -> Text {
        Text { name: "sample.csv".to_owned(), content: content.to_owned(), encoding: "UTF-8", numbering: Numbering::Lines }
    }

    fn pattern(text: &str) -> Option<Pattern> {
        Some(Pattern::try_from(text.to_owned()).unwrap())
    }

    fn records(text: &Text, layout: &Layout) -> Vec<(u64, Vec<String>)> {
        let mut table = Table::open(text, layout).unwrap();
        let mut record = ByteRecord::new();
        let mut records = Vec::new();
        while let Some(line) = table.next(&mut record) {
            records.push((line, (0..record.len()).map(|at| text_of(&record, at).to_owned()).collect()));
        }
        records
    }

    fn lines(text: &Text, layout: &Layout) -> Vec<u64> {
        records(text, layout).into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn lines_are_those_of_the_file_whatever_ends_them() {
        assert_eq!(lines(&text("a,b\n1,2\n3,4\n"), &Layout::default()), [2, 3]);
        assert_eq!(lines(&text("a,b\r\n1,2\r\n3,4\r\n5,6"), &Layout::default()), [2, 3, 4]);
    }

    #[test]
    fn blank_lines_and_blank_records_are_passed_over_but_counted() {
        assert_eq!(lines(&text("a,b\n\n1,2\n,\n\n\n3,4\n , \n"), &Layout::default()), [3, 7]);
        assert_eq!(lines(&text("a,b\r\n\r\n1,2\r\n,\r\n\r\n3,4\r\n"), &Layout::default()), [3, 6]);
    }

    #[test]
    fn a_quoted_cell_over_several_lines_counts_them() {
        assert_eq!(lines(&text("a,b\n\"1\n1\",2\n3,4\n"), &Layout::default()), [2, 4]);
    }

    #[test]
    fn a_preamble_is_skipped_by_number_or_up_to_the_header() {
        let preamble = text("数据库：年度数据\n指标：产值(亿元)\n\n地区,2020年\n甲省,1\n");
        let by_number = Layout { skip_lines: 3, ..Layout::default() };
        let by_header = Layout { header_at: pattern("地区"), ..Layout::default() };
        for layout in [by_number, by_header] {
            assert_eq!(records(&preamble, &layout), [(5, vec!["甲省".to_owned(), "1".to_owned()])]);
        }
    }

    #[test]
    fn a_footer_quoted_over_lines_is_no_data() {
        let footed = text("地区,2020年\n甲省,1\n\"注：本表按当年价格计算。\n　　按省计算。\"\n数据来源：统计局\n");
        let layout = Layout { stop_at: pattern("(注|数据来源).*"), ..Layout::default() };
        assert_eq!(lines(&footed, &layout), [2]);
    }

    #[test]
    fn delimiters_are_found_out() {
        for (delimiter, sample) in [
            (b',', "a,b,c\n1,2;5,3\n"),
            (b'\t', "a\tb\n1,5\t2,5\n3,5\t4,5\n"),
            (b';', "a;b\n1,5;2,5\n3;4\n"),
            (b'|', "a|b|c\n1|2|3\n"),
            (b',', "a\n1\n"),
            (b',', "title\nnote; with; signs\na,b\n1,2\n3,4\n"),
            (b',', "a,b\n1,\"x;\ny;\nz;\n\"\n"),
        ] {
            assert_eq!(detect_delimiter(sample), delimiter, "{sample}");
        }
    }

    #[test]
    fn without_a_header_columns_go_by_position() {
        let headless = text("CN,2020,1\nCN,2021,2\n");
        let layout = Layout { no_header: true, ..Layout::default() };
        assert_eq!(lines(&headless, &layout), [1, 2]);
        assert_eq!(Table::open(&headless, &layout).unwrap().header(), ["1", "2", "3"]);
    }

    #[test]
    fn a_column_that_is_not_there_is_named_with_those_that_are() {
        let sample = text("geo,time\nCN,2020\n");
        let table = Table::open(&sample, &Layout::default()).unwrap();
        let error = table.position(&Column::Name("year".to_owned())).unwrap_err().to_string();
        assert!(error.contains("\"year\"") && error.contains("geo, time"), "{error}");
        assert!(table.position(&Column::Position(0)).is_err());
        assert_eq!(table.position(&Column::Position(2)).unwrap(), 1);
    }

    #[test]
    fn a_header_that_never_comes_is_an_error() {
        let layout = Layout { header_at: pattern("region"), ..Layout::default() };
        assert!(matches!(Table::open(&text("a,b\n1,2\n"), &layout), Err(Error::NoHeader { sought: true, .. })));
        assert!(matches!(Table::open(&text(""), &Layout::default()), Err(Error::NoHeader { sought: false, .. })));
    }
}
