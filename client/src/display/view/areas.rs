//! What the mouse finds where.

use ratatui::layout::{Position, Rect};

use crate::display::model::{Column, Pane};

/// Where things have been drawn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Areas {
    panes: Vec<(Pane, Rect)>,
    tabs: Vec<(Pane, Rect)>,
    columns: Vec<(Column, Rect)>,
    rows: Rect,
    offset: usize,
}

impl Areas {
    pub(super) fn pane(&mut self, pane: Pane, area: Rect) {
        self.panes.push((pane, area));
    }

    pub(super) fn tab(&mut self, pane: Pane, area: Rect) {
        self.tabs.push((pane, area));
    }

    pub(super) fn column(&mut self, column: Column, area: Rect) {
        self.columns.push((column, area));
    }

    pub(super) fn rows(&mut self, area: Rect, offset: usize) {
        (self.rows, self.offset) = (area, offset);
    }

    /// The row of the table that is at the top.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// How many lines a pane shows at once.
    pub(crate) fn page(&self, pane: Pane) -> u16 {
        let of = |area: &Rect| area.height.saturating_sub(3).max(1);
        self.panes.iter().find(|(it, _)| *it == pane).map_or(1, |(_, area)| of(area))
    }

    /// The pane there.
    pub(crate) fn pane_at(&self, at: Position) -> Option<Pane> {
        found(&self.panes, at)
    }

    /// The pane whose name is there.
    pub(crate) fn tab_at(&self, at: Position) -> Option<Pane> {
        found(&self.tabs, at)
    }

    /// The column whose head is there.
    pub(crate) fn column_at(&self, at: Position) -> Option<Column> {
        found(&self.columns, at)
    }

    /// The row of the table there, if the table has as many.
    pub(crate) fn row_at(&self, at: Position) -> Option<usize> {
        self.rows.contains(at).then(|| self.offset + usize::from(at.y - self.rows.y))
    }
}

fn found<T: Copy>(places: &[(T, Rect)], at: Position) -> Option<T> {
    places.iter().find(|(_, area)| area.contains(at)).map(|(it, _)| *it)
}
