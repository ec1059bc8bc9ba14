//! The state, drawn: where each pane stands, and what the mouse finds there.
//!
//! A pane has a file. `bars` has what stands above and below them, `look` colours and the characters of a terminal that has none but
//! ASCII, `plain` a frame as text.

mod areas;
mod bars;
mod changes;
mod chart;
mod detail;
mod help;
mod look;
mod plain;
mod ranking;
mod table;

use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
    widgets::{Block, BorderType, Borders, Widget as _},
};

pub(crate) use self::{
    areas::Areas,
    look::Look,
    plain::{once, plain},
};
use super::{
    model::{Model, Pane},
    text::{fit, width},
};

/// Below this, nothing sensible can be shown.
const SMALLEST: (u16, u16) = (32, 9);

/// From this on, panes stand beside the table.
const MEDIUM: (u16, u16) = (72, 20);

/// From this on, all panes are shown.
const WIDE: (u16, u16) = (130, 34);

/// Draws the state. `offset` is the row of the table that was at the top.
pub(crate) fn draw(model: &Model, look: Look, offset: usize, area: Rect, buffer: &mut Buffer) -> Areas {
    let mut screen = Screen { model, look, offset, buffer, areas: Areas::default() };
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        screen.too_small(area);
    } else {
        screen.whole(area);
    }
    let Screen { areas, buffer, .. } = screen;
    if look.ascii {
        plain::to_ascii(buffer);
    }
    areas
}

/// A frame that is being drawn.
struct Screen<'a> {
    model: &'a Model,
    look: Look,
    offset: usize,
    buffer: &'a mut Buffer,
    areas: Areas,
}

impl Screen<'_> {
    fn too_small(&mut self, area: Rect) {
        let size = format!("{}×{}", SMALLEST.0, SMALLEST.1);
        let told = self.model.language.word(format!("needs {size}"), format!("至少需 {size}"));
        for (row, text) in (area.y..area.bottom()).zip([told, format!("{}×{}", area.width, area.height)]) {
            self.buffer.set_stringn(area.x, row, text, area.width.into(), Style::default());
        }
    }

    fn whole(&mut self, area: Rect) {
        let bar = Constraint::Length(1);
        let [header, body, hints, status] = Layout::vertical([bar, Constraint::Fill(1), bar, bar]).areas(area);
        bars::header(self.model, self.look, header, self.buffer);
        bars::hints(self.model, self.look, hints, self.buffer);
        bars::status(self.model, self.look, status, self.buffer);
        if area.width >= WIDE.0 && area.height >= WIDE.1 {
            self.wide(body);
        } else if area.width >= MEDIUM.0 && area.height >= MEDIUM.1 {
            self.medium(body);
        } else {
            self.narrow(body);
        }
        if let Some(why) = &self.model.link.ended {
            bars::ended(self.model, self.look, why, body, self.buffer);
        }
        if self.model.help {
            help::draw(self.model, self.look, body, self.buffer);
        }
    }

    /// Rows of the table with its head and frame.
    fn table_height(&self) -> u16 {
        u16::try_from(self.model.rows.len()).unwrap_or(u16::MAX).saturating_add(3)
    }

    fn wide(&mut self, body: Rect) {
        let [left, right] = Layout::horizontal([Constraint::Percentage(62), Constraint::Fill(1)]).areas(body);
        let table = self.table_height().clamp(8, left.height * 3 / 5);
        let [top, bottom] = Layout::vertical([Constraint::Length(table), Constraint::Fill(1)]).areas(left);
        let beside = Layout::vertical([Constraint::Fill(3), Constraint::Fill(3), Constraint::Fill(4)]);
        let [first, second, third] = beside.areas(right);
        for (pane, area) in Pane::ALL.into_iter().zip([top, bottom, first, second, third]) {
            self.framed(&[pane], pane, area);
        }
    }

    /// The table above, and two of the others below: those that have the keys, or else the first of the ones that share a place.
    fn medium(&mut self, body: Rect) {
        let table = self.table_height().clamp(6, body.height * 3 / 5);
        let [top, bottom] = Layout::vertical([Constraint::Length(table), Constraint::Fill(1)]).areas(body);
        let [left, right] = Layout::horizontal([Constraint::Percentage(52), Constraint::Fill(1)]).areas(bottom);
        self.framed(&[Pane::Table], Pane::Table, top);
        for (pair, area) in [([Pane::Chart, Pane::Detail], left), ([Pane::Ranking, Pane::Changes], right)] {
            let shown = if self.model.focus == pair[1] { pair[1] } else { pair[0] };
            self.framed(&pair, shown, area);
        }
    }

    /// One pane at a time, under their names; below the table what there is to say of its row.
    fn narrow(&mut self, body: Rect) {
        let focus = self.model.focus;
        let [tabs, rest] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(body);
        bars::tabs(self.model, self.look, tabs, self.buffer, &mut self.areas);
        let brief = if focus == Pane::Table && rest.height >= 12 { 5 } else { 0 };
        let [pane, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(brief)]).areas(rest);
        self.inner(focus, pane);
        self.areas.pane(focus, pane);
        if brief > 0 {
            let block = Block::new().borders(Borders::TOP).border_style(self.look.dim());
            let inside = block.inner(below);
            block.render(below, self.buffer);
            detail::brief(self.model, self.look, inside, self.buffer);
        }
    }

    /// A pane in its frame, with the names of all that share its place.
    fn framed(&mut self, names: &[Pane], pane: Pane, area: Rect) {
        let focused = self.model.focus == pane;
        let border = if focused { BorderType::Thick } else { BorderType::Rounded };
        let title = self.title(names, pane, area);
        let block = Block::bordered().border_type(border).border_style(self.look.border(focused)).title(title);
        let inside = block.inner(area);
        block.render(area, self.buffer);
        self.areas.pane(pane, area);
        self.inner(pane, inside);
    }

    fn title(&mut self, names: &[Pane], pane: Pane, area: Rect) -> Line<'static> {
        let look = self.look;
        let mut title = vec![Span::raw(" ")];
        let mut x = area.x + 2;
        for name in names {
            if title.len() > 1 {
                title.push(Span::styled(" · ", look.dim()));
                x += 3;
            }
            let text = bars::name(*name, self.model.language);
            let wide = u16::try_from(width(text)).unwrap_or(0);
            self.areas.tab(*name, Rect::new(x, area.y, wide, 1));
            x += wide;
            let style = if *name == pane { look.title(self.model.focus == pane) } else { look.dim() };
            title.push(Span::styled(text, style));
        }
        title.push(Span::raw(" "));
        let beside = fit(&about(self.model, pane), usize::from((area.x + area.width).saturating_sub(x + 4)));
        if !beside.is_empty() {
            title.push(Span::styled(format!("{beside} "), look.dim()));
        }
        Line::from(title)
    }

    fn inner(&mut self, pane: Pane, area: Rect) {
        let Self { model, look, offset, buffer, areas } = self;
        match pane {
            Pane::Table => table::draw(model, *look, *offset, area, buffer, areas),
            Pane::Chart => chart::draw(model, *look, area, buffer),
            Pane::Ranking => ranking::draw(model, *look, area, buffer),
            Pane::Changes => changes::draw(model, *look, area, buffer),
            Pane::Detail => detail::draw(model, *look, area, buffer),
        }
    }
}

/// What stands beside the name of a pane.
fn about(model: &Model, pane: Pane) -> String {
    match pane {
        Pane::Table => match model.rows.len() {
            0 => String::new(),
            count => format!("{}/{count}", model.selected + 1),
        },
        Pane::Chart | Pane::Detail => model.row().map(|row| row.name().to_owned()).unwrap_or_default(),
        Pane::Ranking => ranking::about(model),
        Pane::Changes => match model.changes.unlisted {
            0 => String::new(),
            count => model.language.word(format!("and {count} more"), format!("另有 {count} 项")),
        },
    }
}

/// Writes lines, scrolled as far as there are any.
fn lines(lines: Vec<Line<'_>>, scrolled: usize, area: Rect, buffer: &mut Buffer) {
    let most = lines.len().saturating_sub(area.height.into());
    for (line, y) in lines.into_iter().skip(scrolled.min(most)).zip(area.y..area.bottom()) {
        buffer.set_line(area.x, y, &line, area.width);
    }
}

/// A few words where there is nothing to show yet.
fn nothing(text: &str, look: Look, area: Rect, buffer: &mut Buffer) {
    let room = usize::from(area.width.saturating_sub(2));
    if area.height > 0 {
        buffer.set_stringn(area.x + 1, area.y + area.height.saturating_sub(1) / 2, fit(text, room), room, look.dim());
    }
}

#[cfg(test)]
mod tests;
