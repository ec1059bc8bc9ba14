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
    text::{Line, Span},
    widgets::{Block, BorderType, Widget as _},
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
    let mut areas = Areas::default();
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(model, area, buffer);
    } else {
        frame(model, look, offset, area, buffer, &mut areas);
    }
    if look.ascii {
        plain::to_ascii(buffer);
    }
    areas
}

fn too_small(model: &Model, area: Rect, buffer: &mut Buffer) {
    let size = format!("{}×{}", SMALLEST.0, SMALLEST.1);
    let told = model.language.word(format!("needs {size}"), format!("至少需 {size}"));
    for (row, text) in (area.y..area.bottom()).zip([told, format!("{}×{}", area.width, area.height)]) {
        buffer.set_stringn(area.x, row, text, area.width.into(), ratatui::style::Style::default());
    }
}

fn frame(model: &Model, look: Look, offset: usize, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    let [header, body, hints, status] =
        Layout::vertical([Constraint::Length(1), Constraint::Fill(1), Constraint::Length(1), Constraint::Length(1)]).areas(area);
    bars::header(model, look, header, buffer);
    bars::hints(model, look, hints, buffer);
    bars::status(model, look, status, buffer);
    if area.width >= WIDE.0 && area.height >= WIDE.1 {
        wide(model, look, offset, body, buffer, areas);
    } else if area.width >= MEDIUM.0 && area.height >= MEDIUM.1 {
        medium(model, look, offset, body, buffer, areas);
    } else {
        narrow(model, look, offset, body, buffer, areas);
    }
    if let Some(why) = &model.link.ended {
        bars::ended(model, look, why, body, buffer);
    }
    if model.help {
        help::draw(model, look, body, buffer);
    }
}

/// Rows of the table with its head and frame.
fn table_height(model: &Model) -> u16 {
    u16::try_from(model.rows.len()).unwrap_or(u16::MAX).saturating_add(3)
}

fn wide(model: &Model, look: Look, offset: usize, body: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    let [left, right] = Layout::horizontal([Constraint::Percentage(62), Constraint::Fill(1)]).areas(body);
    let table = table_height(model).clamp(8, left.height * 3 / 5);
    let [top, bottom] = Layout::vertical([Constraint::Length(table), Constraint::Fill(1)]).areas(left);
    let [first, second, third] = Layout::vertical([Constraint::Fill(3), Constraint::Fill(3), Constraint::Fill(4)]).areas(right);
    framed(model, look, &[Pane::Table], Pane::Table, offset, top, buffer, areas);
    framed(model, look, &[Pane::Chart], Pane::Chart, 0, bottom, buffer, areas);
    framed(model, look, &[Pane::Ranking], Pane::Ranking, 0, first, buffer, areas);
    framed(model, look, &[Pane::Changes], Pane::Changes, 0, second, buffer, areas);
    framed(model, look, &[Pane::Detail], Pane::Detail, 0, third, buffer, areas);
}

/// The table above, and two of the others below: those that had the keys, and the ones they share their place with.
fn medium(model: &Model, look: Look, offset: usize, body: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    let table = table_height(model).clamp(6, body.height * 3 / 5);
    let [top, bottom] = Layout::vertical([Constraint::Length(table), Constraint::Fill(1)]).areas(body);
    let [left, right] = Layout::horizontal([Constraint::Percentage(52), Constraint::Fill(1)]).areas(bottom);
    framed(model, look, &[Pane::Table], Pane::Table, offset, top, buffer, areas);
    let shown = |pair: [Pane; 2]| if model.focus == pair[1] { pair[1] } else { pair[0] };
    let (lefts, rights) = ([Pane::Chart, Pane::Detail], [Pane::Ranking, Pane::Changes]);
    framed(model, look, &lefts, shown(lefts), 0, left, buffer, areas);
    framed(model, look, &rights, shown(rights), 0, right, buffer, areas);
}

/// One pane at a time, under their names; below the table what there is to say of its row.
fn narrow(model: &Model, look: Look, offset: usize, body: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    let [tabs, rest] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(body);
    bars::tabs(model, look, tabs, buffer, areas);
    let brief = if model.focus == Pane::Table && rest.height >= 12 { 5 } else { 0 };
    let [pane, below] = Layout::vertical([Constraint::Fill(1), Constraint::Length(brief)]).areas(rest);
    inner(model, look, model.focus, offset, pane, buffer, areas);
    areas.pane(model.focus, pane);
    if brief > 0 {
        let block = Block::new().borders(ratatui::widgets::Borders::TOP).border_style(look.dim());
        let inside = block.inner(below);
        block.render(below, buffer);
        detail::brief(model, look, inside, buffer);
    }
}

#[allow(clippy::too_many_arguments, reason = "what every pane is drawn with")]
fn framed(
    model: &Model,
    look: Look,
    names: &[Pane],
    pane: Pane,
    offset: usize,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let focused = model.focus == pane;
    let border = if focused { BorderType::Thick } else { BorderType::Rounded };
    let mut title = vec![Span::raw(" ")];
    let mut x = area.x + 2;
    for name in names {
        if title.len() > 1 {
            title.push(Span::styled(" · ", look.dim()));
            x += 3;
        }
        let text = bars::name(*name, model.language);
        areas.tab(*name, Rect::new(x, area.y, u16::try_from(width(text)).unwrap_or(0), 1));
        x += u16::try_from(width(text)).unwrap_or(0);
        title.push(Span::styled(text, if *name == pane { look.title(focused) } else { look.dim() }));
    }
    title.push(Span::raw(" "));
    let beside = fit(&about(model, pane), usize::from(area.width.saturating_sub(x - area.x + 4)));
    if !beside.is_empty() {
        title.push(Span::styled(format!("{beside} "), look.dim()));
    }
    let block = Block::bordered().border_type(border).border_style(look.border(focused)).title(Line::from(title));
    let inside = block.inner(area);
    block.render(area, buffer);
    areas.pane(pane, area);
    inner(model, look, pane, offset, inside, buffer, areas);
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

fn inner(model: &Model, look: Look, pane: Pane, offset: usize, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    match pane {
        Pane::Table => table::draw(model, look, offset, area, buffer, areas),
        Pane::Chart => chart::draw(model, look, area, buffer),
        Pane::Ranking => ranking::draw(model, look, area, buffer),
        Pane::Changes => changes::draw(model, look, area, buffer),
        Pane::Detail => detail::draw(model, look, area, buffer),
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
