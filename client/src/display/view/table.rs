//! The table: a row a figure, or a region to go into.

use indicator_proto::{
    v1::EntryKind,
    words::{Direction, headline, period},
};
use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{Areas, Look, look::arrow, nothing};
use crate::display::{
    model::{Column, Model, Pane, Row, Series},
    text::{age, clean, fit, left, right, width},
};

/// A name that is shown at all is shown with so many columns.
const NAME: usize = 14;

/// To so many it is cut before a column is left out.
const SHORT_NAME: usize = 28;

/// A figure is given as many before columns are left out.
const FIGURE: usize = 34;

/// Columns between two.
const GAP: usize = 2;

/// What is left out first where there is no room.
const LEAST_FIRST: [Column; 5] = [Column::Source, Column::Age, Column::Trend, Column::Period, Column::Change];

/// A column as it is drawn.
struct Placed {
    column: Column,
    width: usize,
}

/// The texts of a row.
struct Texts([String; 7]);

impl Texts {
    fn of(model: &Model, row: &Row, trend: usize) -> Self {
        let Some(series) = row.series() else {
            let mut texts: [String; 7] = Default::default();
            row.name().clone_into(&mut texts[0]);
            return Self(texts);
        };
        let language = model.language;
        let (at, figure) = series.latest();
        let indicator = model.catalog.indicator(&series.key.indicator);
        let unit = model.catalog.unit_shown(figure).or_else(|| model.unit_of(&series.key));
        let noted = if figure.statuses.is_empty() { "" } else { " *" };
        let change = series.change(unit, language);
        let change = change.map(|it| match it.direction {
            Direction::Open | Direction::Level => it.short,
            direction => format!("{} {}", arrow(direction), it.short),
        });
        let source = figure.series.as_ref().map(|it| it.source.as_str()).unwrap_or_default();
        Self([
            row.name().to_owned(),
            clean(&headline(figure, indicator, unit, language).text) + noted,
            change.unwrap_or_default(),
            sparkline(series, trend),
            period(*at, language),
            clean(model.catalog.name(EntryKind::Source, source, language)),
            series.recorded_at().map(|time| age(time, model.now, language)).unwrap_or_default(),
        ])
    }

    fn of_column(&self, column: Column) -> &str {
        &self.0[Column::ALL.iter().position(|it| *it == column).unwrap_or(0)]
    }
}

/// The last periods as bars.
fn sparkline(series: &Series, columns: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let levels = series.levels(columns);
    // One bar says nothing.
    if levels.iter().flatten().count() < 2 {
        return String::new();
    }
    let bar = |level: f64| BARS[((level * 7.0).round() as usize).min(7)];
    levels.into_iter().map(|level| level.map_or(' ', bar)).collect()
}

/// The columns that fit, each as wide as its texts.
fn place(model: &Model, look: Look, texts: &[Texts], room: usize) -> Vec<Placed> {
    let by_region = model.scope().indicator.is_some();
    let natural = |column: Column| {
        let title = width(column.title(by_region, model.language)) + usize::from(model.order.column == column) * 2;
        let widest = texts.iter().map(|texts| width(texts.of_column(column))).max().unwrap_or(0);
        if widest == 0 { 0 } else { widest.max(title) }
    };
    let mut columns: Vec<Placed> = Column::ALL.iter().map(|column| Placed { column: *column, width: natural(*column) }).collect();
    columns.retain(|it| it.width > 0 || it.column == Column::Name);
    // An age would be another one by the time it is read.
    columns.retain(|it| it.column != Column::Age || !look.still);
    for it in &mut columns {
        match it.column {
            Column::Figure => it.width = it.width.min(FIGURE.min(room.saturating_sub(NAME + GAP))),
            Column::Source => it.width = it.width.min(32),
            Column::Name => it.width = it.width.max(NAME),
            _ => {}
        }
    }
    let taken = |columns: &[Placed]| columns.iter().map(|it| it.width + GAP).sum::<usize>().saturating_sub(GAP);
    for least in LEAST_FIRST {
        let spare = columns[0].width.saturating_sub(SHORT_NAME);
        if taken(&columns) <= room + spare {
            break;
        }
        columns.retain(|it| it.column != least);
    }
    let others = taken(&columns) - columns[0].width;
    columns[0].width = columns[0].width.min(room.saturating_sub(others));
    columns
}

/// Draws the rows around the cursor.
pub(super) fn draw(model: &Model, look: Look, offset: usize, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    if area.height < 2 {
        return;
    }
    if model.rows.is_empty() {
        return nothing(empty(model), look, area, buffer);
    }
    let height = usize::from(area.height - 1);
    let last = model.rows.len().saturating_sub(height);
    let offset = offset.clamp((model.selected + 1).saturating_sub(height).min(last), model.selected.min(last));
    let shown = &model.rows[offset..(offset + height).min(model.rows.len())];
    let trend = if area.width >= 100 { 12 } else { 8 };
    let texts: Vec<Texts> = shown.iter().map(|row| Texts::of(model, row, trend)).collect();
    let columns = place(model, look, &texts, usize::from(area.width).saturating_sub(3));
    head(model, look, &columns, area, buffer, areas);
    let body = Rect { y: area.y + 1, height: area.height - 1, ..area };
    areas.rows(body, offset);
    for (place, (row, texts)) in shown.iter().zip(&texts).enumerate() {
        let y = body.y + u16::try_from(place).unwrap_or(0);
        let lit = row.series().is_some_and(|series| model.is_lit(&series.key));
        buffer.set_line(area.x, y, &line(model, look, row, texts, &columns, lit), area.width);
        let here = Rect { y, height: 1, ..area };
        if offset + place == model.selected && !look.still {
            buffer.set_style(here, look.cursor(model.focus == Pane::Table));
        }
        if lit {
            buffer.set_style(here, look.lit());
        }
    }
}

fn empty(model: &Model) -> &'static str {
    let word = |en, zh| model.language.word(en, zh);
    match (model.ready(), model.filter.is_empty()) {
        (false, _) => word("the figures are on their way …", "正在读取数据 …"),
        (true, true) => word("no figure is recorded here yet", "尚无数据"),
        (true, false) => word("no row has this text", "没有匹配的行"),
    }
}

fn head(model: &Model, look: Look, columns: &[Placed], area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    let mut x = area.x + 2;
    for it in columns {
        let title = it.column.title(model.scope().indicator.is_some(), model.language);
        let order = match (model.order.column == it.column, model.order.descending) {
            (false, _) => String::new(),
            (true, false) => " ↑".to_owned(),
            (true, true) => " ↓".to_owned(),
        };
        let text = aligned(it.column, &format!("{title}{order}"), it.width);
        buffer.set_stringn(x, area.y, text, it.width, look.dim());
        let width = u16::try_from(it.width).unwrap_or(0);
        areas.column(it.column, Rect::new(x, area.y, width, 1).intersection(area));
        x += width + u16::try_from(GAP).unwrap_or(0);
    }
}

fn aligned(column: Column, text: &str, columns: usize) -> String {
    match column {
        Column::Figure | Column::Change | Column::Age => right(text, columns),
        _ => left(text, columns),
    }
}

fn line<'a>(model: &Model, look: Look, row: &Row, texts: &Texts, columns: &[Placed], lit: bool) -> Line<'a> {
    let mark = match (row, lit) {
        (Row::Region { .. }, _) => "▸ ",
        (Row::Series { .. }, true) => "● ",
        (Row::Series { .. }, false) => "  ",
    };
    let mut spans = vec![Span::raw(mark)];
    for (place, it) in columns.iter().enumerate() {
        if place > 0 {
            spans.push(Span::raw(" ".repeat(GAP)));
        }
        let style = match (it.column, row.series()) {
            (Column::Change, Some(series)) => {
                look.change(series.change(model.unit_of(&series.key), model.language).map_or(Direction::Open, |it| it.direction))
            }
            (Column::Trend, _) => look.exact(),
            (Column::Source | Column::Age, _) => look.dim(),
            _ => Style::new(),
        };
        let text = texts.of_column(it.column);
        // Of a name that is too long, its end may be what tells it from others: both ends stay.
        let text = if it.column == Column::Name { shorten(text, it.width) } else { text.to_owned() };
        spans.push(Span::styled(aligned(it.column, &text, it.width), style));
    }
    Line::from(spans)
}

/// A text without its middle.
fn shorten(text: &str, columns: usize) -> String {
    if width(text) <= columns || columns < 12 {
        return fit(text, columns);
    }
    let mut tail = String::new();
    for c in text.chars().rev() {
        if width(&tail) + width(c.encode_utf8(&mut [0; 4])) > columns / 3 {
            break;
        }
        tail.insert(0, c);
    }
    fit(text, columns - width(&tail)) + &tail
}
