//! Tables aligned by display width.

use std::io::{self, Write};

use comfy_table::{Attribute, Cell, CellAlignment, ColumnConstraint, ContentArrangement, TableStyle, Width};
use unicode_width::UnicodeWidthStr;

use super::{Style, printable};

/// Texts up to this width are never wrapped.
const SHORT: usize = 12;

/// A column of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    header: &'static str,
    right: bool,
}

impl Column {
    /// A column of texts.
    pub(crate) fn text(header: &'static str) -> Self {
        Self { header, right: false }
    }

    /// A column of figures, aligned to the right.
    pub(crate) fn figure(header: &'static str) -> Self {
        Self { header, right: true }
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
        self.write_within(style, None, out)
    }

    /// `width` stands for that of the terminal.
    fn write_within(&self, style: Style, width: Option<u16>, out: &mut impl Write) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let shown: Vec<usize> =
            (0..self.columns.len()).filter(|&column| self.rows.iter().any(|row| !row[column].is_empty())).collect();
        let mut table = comfy_table::Table::new();
        table.load_style(TableStyle::new());
        table.set_content_arrangement(if style.fit { ContentArrangement::Dynamic } else { ContentArrangement::Disabled });
        if let Some(width) = width {
            table.set_width(width);
        }
        if style.color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(shown.iter().map(|&column| {
            let column = &self.columns[column];
            column.cell(column.header).add_attribute(Attribute::Bold)
        }));
        for row in &self.rows {
            table.add_row(shown.iter().map(|&column| self.columns[column].cell(&row[column])));
        }
        for (position, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            column.set_constraint(self.constraint(shown[position]));
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// Where a table does not fit the terminal, its long texts wrap; a figure or a date in two lines would be read as two.
    fn constraint(&self, column: usize) -> ColumnConstraint {
        let texts = self.rows.iter().map(|row| row[column].as_str()).chain([self.columns[column].header]);
        let width = texts.map(UnicodeWidthStr::width).max().unwrap_or(0);
        if self.columns[column].right || width <= SHORT {
            ColumnConstraint::ContentWidth
        } else {
            // The padding counts as part of the width.
            ColumnConstraint::LowerBoundary(Width::Fixed(SHORT as u16 + 2))
        }
    }
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
        table.write_within(Style { fit: true, color: false }, Some(60), &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        NAME             DAY                FIGURE  SOURCE
        工业互联网平台   2021-12-06  > 100,000,000  Shandong
        数量                                        Provincial Big
                                                    Data Bureau
        ");
    }

    #[test]
    fn a_column_without_text_is_left_out() {
        let mut table = Table::new(vec![Column::text("A"), Column::text("B"), Column::text("C")]);
        table.push(vec!["1".into(), String::new(), "3".into()]);
        assert_eq!(text(&table), "A  C\n1  3\n");
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
