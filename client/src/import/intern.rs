//! Numbers for texts that come again and again, so that a row costs a comparison and not an allocation.

use std::collections::HashMap;

use csv::ByteRecord;

use super::plan::{Part, Place};

/// Gives each combination of the cells that some fields are made from a number, in order of appearance.
#[derive(Debug)]
pub(super) struct Interner {
    columns: Vec<usize>,
    /// The number also depends on the column of the figure.
    by_header: bool,
    numbers: HashMap<Box<[u8]>, u32>,
    last: Option<(Vec<u8>, u32)>,
    buffer: Vec<u8>,
}

impl Interner {
    pub(super) fn new(parts: &[Part]) -> Self {
        let columns = parts.iter().filter_map(|part| match part.place {
            Place::Column(at) => Some(at),
            Place::Constant(_) | Place::Header(_) => None,
        });
        let by_header = parts.iter().any(|part| matches!(part.place, Place::Header(_)));
        Self { columns: columns.collect(), by_header, numbers: HashMap::new(), last: None, buffer: Vec::new() }
    }

    /// The number of a record's combination, and whether it is new. `column` is that of the figure, `extra` whatever else counts.
    pub(super) fn number(&mut self, record: &ByteRecord, column: usize, extra: u32) -> (u32, bool) {
        self.buffer.clear();
        for at in &self.columns {
            let cell = record.get(*at).unwrap_or_default();
            self.buffer.extend_from_slice(cell);
            // With its length behind each cell, no two combinations look alike whatever their cells hold.
            self.buffer.extend_from_slice(&(cell.len() as u32).to_le_bytes());
        }
        if self.by_header {
            self.buffer.extend_from_slice(&(column as u32).to_le_bytes());
        }
        self.buffer.extend_from_slice(&extra.to_le_bytes());
        match &self.last {
            Some((last, number)) if *last == self.buffer => (*number, false),
            _ => self.look_up(),
        }
    }

    fn look_up(&mut self) -> (u32, bool) {
        let known = self.numbers.get(&*self.buffer).copied();
        let number = known.unwrap_or_else(|| {
            let next = u32::try_from(self.numbers.len()).expect("fewer series than figures fit into memory");
            self.numbers.insert(self.buffer.as_slice().into(), next);
            next
        });
        match &mut self.last {
            Some((last, last_number)) => {
                std::mem::swap(last, &mut self.buffer);
                *last_number = number;
            }
            None => self.last = Some((self.buffer.clone(), number)),
        }
        (number, known.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(columns: &[usize]) -> Vec<Part> {
        let part = |at: &usize| Part { field: "x".into(), place: Place::Column(*at), transform: None };
        columns.iter().map(part).collect()
    }

    #[test]
    fn equal_cells_have_one_number_and_others_another() {
        let mut interner = Interner::new(&parts(&[0, 2]));
        let mut number = |cells: &[&str]| interner.number(&ByteRecord::from(cells.to_vec()), 0, 0);
        assert_eq!(number(&["a", "1", "b"]), (0, true));
        assert_eq!(number(&["a", "2", "b"]), (0, false));
        assert_eq!(number(&["ab", "1", ""]), (1, true));
        assert_eq!(number(&["a\u{1f}", "1", ""]), (2, true));
        assert_eq!(number(&["a", "3", "b"]), (0, false), "also when another came between");
    }

    #[test]
    fn what_is_no_cell_counts_too() {
        let mut interner = Interner::new(&[]);
        let record = ByteRecord::new();
        assert_eq!(interner.number(&record, 7, 1), (0, true));
        assert_eq!(interner.number(&record, 8, 1), (0, false), "no field comes from the header");
        assert_eq!(interner.number(&record, 8, 2), (1, true));
    }
}
