//! Tables aligned by display width.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use comfy_table::{Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, TableStyle, Width};
use unicode_width::UnicodeWidthStr;

use super::{Style, printable};

/// Texts up to this width are never wrapped.
const SHORT: usize = 16;

/// Columns between columns.
const GAP: usize = 2;

/// Rows that are laid out at once: a cell takes many times the memory of its text.
const BLOCK: usize = 1000;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    header: Cow<'static, str>,
    right: bool,
}

impl Column {
    /// A column of texts.
    pub(crate) fn text(header: impl Into<Cow<'static, str>>) -> Self {
        Self { header: header.into(), right: false }
    }

    /// A column of figures, aligned to the right.
    pub(crate) fn figure(header: impl Into<Cow<'static, str>>) -> Self {
        Self { header: header.into(), right: true }
    }

    fn title(&self) -> Cell {
        self.cell(&self.header).add_attribute(Attribute::Bold)
    }

    fn cell(&self, text: &str) -> Cell {
        let alignment = if self.right { CellAlignment::Right } else { CellAlignment::Left };
        Cell::new(printable(text)).set_alignment(alignment)
    }
}

/// Rows under headers, without lines: easy on the eye, and easy to cut and paste.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row with a cell for each column.
    pub(crate) fn push(&mut self, row: Vec<String>) {
        debug_assert_eq!(row.len(), self.columns.len(), "a cell for each column");
        self.rows.push(row);
    }

    /// Writes the table; nothing at all if it has no rows. Columns without any text are left out.
    pub(crate) fn write(&self, style: Style, out: &mut impl Write) -> io::Result<()> {
        self.write_within(available(style), style, out)
    }

    /// Whether no line of it need be wrapped.
    pub(crate) fn fits(&self, style: Style) -> bool {
        self.fits_within(available(style))
    }

    fn fits_within(&self, available: Option<usize>) -> bool {
        let shown = self.shown();
        let whole = self.widths(&shown, None).iter().sum::<usize>() + GAP * shown.len().saturating_sub(1);
        available.is_none_or(|available| whole <= available)
    }

    /// The columns that have any text.
    fn shown(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|&column| self.rows.iter().any(|row| !row[column].is_empty())).collect()
    }

    fn write_within(&self, available: Option<usize>, style: Style, out: &mut impl Write) -> io::Result<()> {
        let shown = self.shown();
        let widths = self.widths(&shown, available);
        for (number, rows) in self.rows.chunks(BLOCK).enumerate() {
            let mut block = block(style);
            if number == 0 {
                block.set_header(shown.iter().map(|&column| self.columns[column].title()));
            }
            for row in rows {
                block.add_row(shown.iter().map(|&column| self.columns[column].cell(&row[column])));
            }
            for (column, width) in block.column_iter_mut().zip(&widths) {
                column.set_padding((0, GAP as u16));
                let whole = u16::try_from(width + GAP).unwrap_or(u16::MAX);
                column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(whole)));
            }
            for line in block.lines() {
                writeln!(out, "{}", line.trim_end())?;
            }
        }
        Ok(())
    }

    /// The width of each column that is shown.
    ///
    /// Where the table does not fit, its long texts share what the others leave and wrap; a figure or a date in two lines would
    /// be read as two.
    fn widths(&self, shown: &[usize], available: Option<usize>) -> Vec<usize> {
        let widest = |&column: &usize| {
            let texts = self.rows.iter().map(|row| row[column].as_str());
            texts.chain([&*self.columns[column].header]).map(UnicodeWidthStr::width).max().unwrap_or(0)
        };
        let mut widths: Vec<usize> = shown.iter().map(widest).collect();
        let Some(available) = available else { return widths };
        let is_long = |position: usize| !self.columns[shown[position]].right && widths[position] > SHORT;
        let (mut long, short): (Vec<usize>, Vec<usize>) = (0..shown.len()).partition(|&position| is_long(position));
        let taken = GAP * shown.len().saturating_sub(1) + short.iter().map(|&position| widths[position]).sum::<usize>();
        let mut room = available.saturating_sub(taken);
        // The narrower ones first: what they do not need goes to the wider ones.
        long.sort_by_key(|&position| widths[position]);
        for (done, &position) in long.iter().enumerate() {
            let share = room / (long.len() - done);
            widths[position] = widths[position].min(share.max(SHORT));
            room = room.saturating_sub(widths[position]);
        }
        widths
    }
}

/// The width to fit into. Off a terminal there is none.
fn available(style: Style) -> Option<usize> {
    if style.fit { comfy_table::Table::new().width().map(usize::from) } else { None }
}

fn block(style: Style) -> comfy_table::Table {
    let mut block = comfy_table::Table::new();
    block.load_style(TableStyle::new());
    block.set_content_arrangement(ContentArrangement::Dynamic);
    // The widths have been decided on.
    block.set_width(u16::MAX);
    if style.color {
        block.enforce_styling();
    } else {
        block.force_no_tty();
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(table: &Table) -> String {
        let mut out = Vec::new();
        table.write(Style::default(), &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn columns_are_aligned_by_display_width_and_figures_to_the_right() {
        let mut table = Table::new(vec![Column::text("REGION"), Column::figure("FIGURE"), Column::text("UNIT")]);
        table.push(vec!["山东".into(), "> 100,000".into(), "个".into()]);
        table.push(vec!["Guangdong".into(), "12".into(), "{station}".into()]);
        insta::assert_snapshot!(text(&table), @r"
        REGION        FIGURE  UNIT
        山东       > 100,000  个
        Guangdong         12  {station}
        ");
    }

    #[test]
    fn a_table_that_does_not_fit_wraps_its_long_texts_only() {
        let mut table =
            Table::new(vec![Column::text("NAME"), Column::text("DAY"), Column::figure("FIGURE"), Column::text("SOURCE")]);
        let bureau = "Shandong Provincial Big Data Bureau";
        table.push(vec!["工业互联网平台数量".into(), "2021-12-06".into(), "> 100,000,000".into(), bureau.into()]);
        let mut out = Vec::new();
        table.write_within(Some(60), Style::default(), &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        NAME              DAY                FIGURE  SOURCE
        工业互联网平台数  2021-12-06  > 100,000,000  Shandong
        量                                           Provincial Big
                                                     Data Bureau
        ");
    }

    #[test]
    fn a_table_of_many_blocks_has_one_header_and_the_same_columns_throughout() {
        let mut table = Table::new(vec![Column::figure("N"), Column::text("NAME")]);
        for number in 0..=2 * BLOCK {
            table.push(vec![number.to_string(), "名".repeat(number % 4)]);
        }
        let text = text(&table);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines.len(), lines[0]), (2 * BLOCK + 2, "   N  NAME"));
        assert_eq!((lines[2], lines[BLOCK + 2], lines[2 * BLOCK]), ("   1  名", "1001  名", "1999  名名名"));
    }

    #[test]
    fn a_column_without_text_is_left_out() {
        let mut table = Table::new(vec![Column::text("A"), Column::text("B"), Column::text("C")]);
        table.push(vec!["1".into(), String::new(), "3".into()]);
        assert_eq!(text(&table), "A  C\n1  3\n");
    }

    #[test]
    fn a_table_fits_where_its_longest_line_does() {
        let mut table = Table::new(vec![Column::text("PERIOD"), Column::text("EMPTY"), Column::figure("2021-12-06".to_owned())]);
        table.push(vec!["2020".into(), String::new(), "未采集".into()]);
        let longest = text(&table).lines().map(UnicodeWidthStr::width).max();
        assert_eq!(longest, Some(18));
        assert!(table.fits_within(Some(18)) && table.fits_within(None));
        assert!(!table.fits_within(Some(17)));
    }

    #[test]
    fn a_text_cannot_steer_the_terminal_or_break_its_row() {
        let mut table = Table::new(vec![Column::text("A"), Column::text("B")]);
        table.push(vec!["x\u{1b}[2J\ny".into(), "z".into()]);
        assert_eq!(text(&table), "A        B\nx [2J y  z\n");
    }

    #[test]
    fn a_table_without_rows_prints_nothing() {
        assert_eq!(text(&Table::new(vec![Column::text("A")])), "");
    }
}
