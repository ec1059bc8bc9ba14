//! What must hold for any file that is imported: nothing panics, and all that is wrong with it has its line.

use std::path::PathBuf;

use indicator_proto::v1::{CatalogEntry, Code, Dimension, Indicator, Region, Source, WriteMode, catalog_entry::Entry};

use super::{
    Error, Import, Input, Options, Order, Steps,
    mapping::{self, Column, Mapping},
    source, workbook,
};
use crate::names::Names;

/// Between a mapping and the data.
const RULE: &[u8] = b"\n---\n";

/// The first byte has options; the others are a mapping, a line of three dashes, and the data. Without the line: data alone, and the
/// first byte says how they are read.
pub(crate) fn import(bytes: &[u8]) {
    let Some((&options, bytes)) = bytes.split_first() else { return };
    let rule = bytes.windows(RULE.len()).position(|part| part == RULE);
    let (mapping, data) = match rule {
        Some(at) => (parsed(&bytes[..at]), &bytes[at + RULE.len()..]),
        None => (Some(chosen(options)), bytes),
    };
    let Some(mapping) = mapping else { return };
    if workbook::is_workbook(data) {
        // They have a target of their own.
        return;
    }
    let read = source::from_bytes("data-2020.csv".into(), data.to_vec(), mapping.read.encoding.as_deref(), None);
    let Some(text) = told(read) else { return };
    // What breaks lines, in any encoding.
    let lines = 1 + text.content.bytes().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64;
    let cells = 1 + text.content.len() as u64;
    let mode = [WriteMode::Merge, WriteMode::Replace, WriteMode::Delete][usize::from(options & 3) % 3];
    let options = Options { mode, create_missing: options & 4 != 0, include_changes: options & 8 != 0 };
    let input = Input { text, mapping, directory: PathBuf::new() };
    let Some(import) = told(Import::prepare(vec![input], names(), options)) else { return };
    for reject in import.files().iter().flat_map(|file| file.rejects()) {
        assert!((1..=lines).contains(&reject.line), "{reject:?} of {lines} lines");
        assert!(!reject.field.is_empty() && !reject.problem.to_string().is_empty());
    }
    assert!(import.figures() <= cells);
    for file in &import.files {
        let sent = (0..file.batches.len()).map(|batch| file.batches.message(batch));
        let sent = sent.flat_map(|batch| batch.series).map(|series| series.observations.len() as u64).sum::<u64>();
        assert_eq!(sent, file.batches.figures.len() as u64);
    }
    if mode != WriteMode::Delete {
        let steps = Steps::new(import, Order::Period, None, None);
        let changes: usize = steps.steps().iter().map(|step| steps.changes(step).len()).sum();
        assert_eq!(changes, steps.figures());
    }
}

/// Sheets of workbooks.
pub(crate) fn workbook(bytes: &[u8]) {
    if workbook::is_workbook(bytes) {
        told(source::from_bytes("data.xlsx".into(), bytes.to_vec(), None, None));
    }
}

/// What was read; errors are told.
fn told<T>(read: Result<T, Error>) -> Option<T> {
    read.inspect_err(|error| assert!(!error.to_string().is_empty())).ok()
}

fn parsed(text: &[u8]) -> Option<Mapping> {
    let text = String::from_utf8_lossy(text);
    let mapping = mapping::parse(&text, "data-2020.csv").inspect_err(|error| assert!(!error.to_string().is_empty())).ok()?;
    let create = &mapping.create;
    let plain = [&create.region, &create.indicator, &create.source].into_iter().flatten();
    // It names a file.
    let looks_up = plain.chain(create.dimension.values()).any(|template| template.lookup.is_some());
    Some(mapping).filter(|_| !looks_up)
}

fn chosen(options: u8) -> Mapping {
    let mut mapping = Mapping::default();
    mapping.read.no_header = options & 16 != 0;
    mapping.numbers.thousands = (options & 32 != 0).then_some(',');
    mapping.numbers.rounded_as_written = options & 64 != 0;
    if options & 128 != 0 {
        let column = |position| Some(mapping::Field::from_origin(mapping::Origin::Column(Column::Position(position))));
        let fields = &mut mapping.fields;
        (fields.indicator, fields.region, fields.source) = (column(1), column(2), column(3));
        (fields.period, fields.value) = (column(4), column(5));
    }
    mapping
}

fn names() -> Names {
    let names = |name: &str| [("en".to_owned(), name.to_owned())].into();
    let entries = [
        Entry::Region(Region {
            id: "CN-SD".into(),
            names: names("Shandong"),
            aliases: vec!["山东省".into()],
            codes: [("gbt2260".to_owned(), "370000".to_owned())].into(),
            ..Region::default()
        }),
        Entry::Source(Source { id: "office".into(), names: names("Office"), ..Source::default() }),
        Entry::Dimension(Dimension {
            id: "sex".into(),
            names: names("Sex"),
            codes: vec![Code { id: "F".into(), names: names("female"), aliases: Vec::new() }],
        }),
        Entry::Indicator(Indicator {
            id: "users".into(),
            names: names("Users"),
            unit: "1".into(),
            optional_dimensions: vec!["sex".into()],
            ..Indicator::default()
        }),
    ];
    Names::from_entries(entries.into_iter().map(|entry| CatalogEntry { entry: Some(entry) }).collect())
}
