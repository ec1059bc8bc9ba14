//! One series over time: exact figures on a line, bounds apart from them, gaps where nothing is known.

use std::collections::BTreeSet;

use indicator_proto::{
    Frequency,
    v1::{Bound, Observation, UnitKind},
    words::{headline, period},
};
use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
    symbols::Marker,
    widgets::{
        Widget as _,
        canvas::{Canvas, Line},
    },
};

use super::{Look, nothing};
use crate::display::{
    model::{Model, Point, Series, height},
    text::{clean, fit, right, width},
};

/// Draws the series under the cursor.
pub(super) fn draw(model: &Model, look: Look, area: Rect, buffer: &mut Buffer) {
    let word = |en, zh| model.language.word(en, zh);
    let Some(series) = model.series() else {
        return nothing(word("no series is under the cursor", "光标处没有序列"), look, area, buffer);
    };
    let drawn: Vec<&Point> = series.points().iter().filter(|(_, figure)| height(figure).is_some()).collect();
    // Also where the first or the last figure is missing: the gap is seen.
    let (Some(first), Some(last), false) = (series.points().first(), series.points().last(), drawn.is_empty()) else {
        return nothing(word("no figure can be drawn", "没有可画的数值"), look, area, buffer);
    };
    if area.height < 4 || area.width < 20 {
        return nothing(word("too small to draw", "空间太小"), look, area, buffer);
    }
    let ends = Ends::of(&drawn, first, last);
    let (top, bottom) = (label(model, series, ends.most), label(model, series, ends.least));
    let gutter = width(&top).max(width(&bottom)).min(usize::from(area.width) / 3);
    let wide = u16::try_from(gutter).unwrap_or(0) + 2;
    let plot = Rect { x: area.x + wide, width: area.width - wide, height: area.height - 1, ..area };
    let row = |figure| ends.cell(ends.x[0], height(figure).unwrap_or_default(), plot).y;
    axis(look, &[(&top, row(ends.most)), (&bottom, row(ends.least))], gutter, plot, buffer);
    periods(model, look, &[first, last], plot, buffer);
    plotted(look, series, &ends, plot, buffer);
}

/// The figures between which all others lie, and the periods.
struct Ends<'a> {
    least: &'a Observation,
    most: &'a Observation,
    x: [f64; 2],
    y: [f64; 2],
}

impl<'a> Ends<'a> {
    fn of(drawn: &[&'a Point], first: &Point, last: &Point) -> Self {
        let by_height = |a: &&&Point, b: &&&Point| {
            let of = |it: &Point| height(&it.1).unwrap_or_default();
            of(a).total_cmp(&of(b))
        };
        let least = &drawn.iter().min_by(by_height).expect("something is drawn").1;
        let most = &drawn.iter().max_by(by_height).expect("something is drawn").1;
        let (from, to) = (f64::from(first.0.ordinal()), f64::from(last.0.ordinal()));
        let (low, high) = drawn.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (_, figure)| {
            let (lower, upper) = span(figure).unwrap_or_default();
            (low.min(lower), high.max(upper))
        });
        // One figure alone stands in the middle; the others keep clear of the edges, so that their marks are whole.
        let apart = |low: f64, high: f64, part: f64| {
            let room = if high > low { (high - low) * part } else { (high.abs() / 2.0).max(1.0) };
            [low - room, high + room]
        };
        Self { least, most, x: apart(from, to, 0.03), y: apart(low, high, 0.08) }
    }

    /// Of more points than there are dots, those that are seen: in each column of dots the first, the least, the greatest and the last. And
    /// how far neighbours are from each other at most.
    fn thinned(&self, points: &'a [Point], plot: Rect) -> (Vec<&'a Point>, i32) {
        let columns = usize::from(plot.width) * 2;
        if points.len() <= columns * 4 {
            return (points.iter().collect(), 1);
        }
        let each = points.len().div_ceil(columns);
        let kept = points.chunks(each).flat_map(|chunk| {
            let heights = || chunk.iter().enumerate().filter_map(|(at, (_, figure))| Some((at, height(figure)?)));
            let least = heights().min_by(|a, b| a.1.total_cmp(&b.1)).map(|(at, _)| at);
            let most = heights().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(at, _)| at);
            let places: BTreeSet<usize> = [Some(0), least, most, Some(chunk.len() - 1)].into_iter().flatten().collect();
            places.into_iter().map(|at| &chunk[at])
        });
        (kept.collect(), i32::try_from(each).unwrap_or(i32::MAX))
    }

    /// The cell that a place is drawn in: a canvas has dots within a cell, two beside each other, four above each other.
    fn cell(&self, x: f64, y: f64, plot: Rect) -> Position {
        let dots = |part: f64, dots: u16| (part.clamp(0.0, 1.0) * f64::from(dots - 1)).round() as u16;
        let across = dots((x - self.x[0]) / (self.x[1] - self.x[0]), plot.width * 2) / 2;
        let down = dots((self.y[1] - y) / (self.y[1] - self.y[0]), plot.height * 4) / 4;
        Position { x: plot.x + across.min(plot.width - 1), y: plot.y + down.min(plot.height - 1) }
    }
}

/// From where to where a figure is drawn.
fn span(figure: &Observation) -> Option<(f64, f64)> {
    match &figure.interval {
        Some(interval) => Some((interval.lower.parse().ok()?, interval.upper.parse().ok()?)),
        None => height(figure).map(|it| (it, it)),
    }
}

fn label(model: &Model, series: &Series, figure: &Observation) -> String {
    // A rank is said by its place; every other unit stands beside the figure in the table and would only take room here.
    let unit = model.unit_of(&series.key).filter(|unit| unit.kind() == UnitKind::Rank);
    clean(&headline(figure, model.catalog.indicator(&series.key.indicator), unit, model.language).text)
}

fn axis(look: Look, labels: &[(&str, u16); 2], gutter: usize, plot: Rect, buffer: &mut Buffer) {
    let left = plot.x - u16::try_from(gutter).unwrap_or(0) - 2;
    for y in plot.y..plot.bottom() {
        buffer.set_stringn(plot.x - 1, y, "│", 1, look.dim());
    }
    // One figure alone is named once: at its place, both are the same.
    for (text, y) in labels {
        buffer.set_stringn(left, *y, right(text, gutter), gutter, look.dim());
        buffer.set_stringn(plot.x - 1, *y, "┤", 1, look.dim());
    }
}

fn periods(model: &Model, look: Look, [first, last]: &[&Point; 2], plot: Rect, buffer: &mut Buffer) {
    let room = usize::from(plot.width);
    let (from, to) = (period(first.0, model.language), period(last.0, model.language));
    let y = plot.bottom();
    if first.0 == last.0 || width(&from) + width(&to) + 2 > room {
        let text = fit(&to, room);
        let x = plot.x + plot.width.saturating_sub(u16::try_from(width(&text)).unwrap_or(0)) / 2;
        buffer.set_stringn(x, y, text, room, look.dim());
        return;
    }
    buffer.set_stringn(plot.x, y, &from, room, look.dim());
    buffer.set_stringn(plot.right() - u16::try_from(width(&to)).unwrap_or(0), y, &to, room, look.dim());
}

fn plotted(look: Look, series: &Series, ends: &Ends<'_>, plot: Rect, buffer: &mut Buffer) {
    let marker = if look.ascii { Marker::Custom('.') } else { Marker::Braille };
    let line = look.exact().fg.unwrap_or_default();
    // Marks may stand where there is room for them.
    let few = series.points().len() <= usize::from(plot.width) / 2;
    let (points, apart) = ends.thinned(series.points(), plot);
    Canvas::default()
        .marker(marker)
        .x_bounds(ends.x)
        .y_bounds(ends.y)
        .paint(|context| {
            for pair in points.windows(2) {
                let [(from, old), (to, new)] = pair else { continue };
                // A line joins what is known of neighbours; over a gap or a bound, it would claim what nobody said.
                let next = from.frequency() == Frequency::Daily || to.ordinal() - from.ordinal() <= apart;
                if let (true, Some(y1), Some(y2)) = (next, point(old), point(new)) {
                    let (x1, x2) = (f64::from(from.ordinal()), f64::from(to.ordinal()));
                    context.draw(&Line { x1, y1, x2, y2, color: line });
                }
            }
            for (period, figure) in &points {
                if let Some((low, high)) = span(figure).filter(|(low, high)| high > low) {
                    let x = f64::from(period.ordinal());
                    context.draw(&Line { x1: x, y1: low, x2: x, y2: high, color: look.bound().fg.unwrap_or_default() });
                }
            }
        })
        .render(plot, buffer);
    for (period, figure) in &points {
        // A figure that is known to be missing stands at the bottom; of what was never recorded there is nothing.
        let place = span(figure).or_else(|| few.then_some((ends.y[0], ends.y[0])));
        let Some(((low, high), (sign, style))) = place.zip(sign(look, figure, few)) else { continue };
        for y in [low, high] {
            let at = ends.cell(f64::from(period.ordinal()), y, plot);
            buffer[at].set_symbol(sign).set_style(style);
        }
    }
}

/// Where a line goes through: a figure that is a number, exact or about.
fn point(figure: &Observation) -> Option<f64> {
    let plain = matches!(figure.bound(), Bound::Unspecified | Bound::Exact | Bound::Approximate);
    height(figure).filter(|_| plain && figure.interval.is_none())
}

/// What stands for a figure.
fn sign(look: Look, figure: &Observation, few: bool) -> Option<(&'static str, Style)> {
    Some(match (&figure.interval, figure.bound()) {
        _ if height(figure).is_none() => ("×", look.dim()),
        (Some(_), _) => ("○", look.bound()),
        (None, Bound::GreaterThan | Bound::AtLeast) => ("△", look.bound()),
        (None, Bound::LessThan | Bound::AtMost) => ("▽", look.bound()),
        (None, Bound::Approximate) => ("○", look.exact()),
        (None, Bound::Unspecified | Bound::Exact) if few => ("●", look.exact()),
        // So many that their line says it.
        (None, Bound::Unspecified | Bound::Exact) => return None,
    })
}
