//! Bars.

use maud::{Markup, html};

use super::{
    Value,
    frame::{Drawn, Frame, Place},
    labels, line, marks,
    text::{self, number},
};

/// The part of its room that a bar or a group of them fills.
const FILLED: f64 = 0.7;

/// Widest bar.
const WIDEST: f64 = 90.0;

/// Teeth of an open end.
const TOOTH: f64 = 5.0;

/// The bars of each period side by side, with earlier knowledge as ticks across them.
pub(super) fn bars(frame: &Frame<'_>) -> Markup {
    let (vintages, lines): (Vec<&Drawn>, Vec<&Drawn>) = frame.drawn.iter().partition(|line| line.line.is_vintage());
    let (group, each) = widths(frame);
    let words = words(frame, &lines);
    html! {
        @for (at, line) in lines.iter().enumerate() {
            g class=(line::class(line)) {
                @for place in &line.places {
                    @let wide = if lines.len() > 1 { each * 0.92 } else { each };
                    (bar(frame, place, place.x + aside(frame, at) - wide / 2.0, wide))
                }
            }
        }
        @for line in vintages {
            g class=(line::class(line)) {
                @for place in &line.places {
                    @if let Some(y) = place.y() {
                        @let (from, to) = (place.x - group / 2.0 - 3.0, place.x + group / 2.0 + 3.0);
                        @let path = format!("M{} {}H{}", number(from), number(y), number(to));
                        path class="casing" d=(path) {}
                        path class="across" d=(path) {}
                    }
                }
            }
        }
        g class="figures" text-anchor="middle" {
            @for (x, y, words) in words { text x=(number(x)) y=(number(y)) { (words) } }
        }
    }
}

/// How wide the bars of a period are together, and each.
fn widths(frame: &Frame<'_>) -> (f64, f64) {
    let count = frame.drawn.iter().filter(|line| !line.line.is_vintage()).count().max(1) as f64;
    let group = (frame.gap * FILLED).min(WIDEST * count);
    (group, group / count)
}

/// How far right of its period the middle of a line's bar is.
pub(super) fn aside(frame: &Frame<'_>, line: usize) -> f64 {
    let (group, each) = widths(frame);
    (line as f64 + 0.5) * each - group / 2.0
}

/// A bar from zero, open at its end where the figure is.
fn bar(frame: &Frame<'_>, place: &Place<'_>, x: f64, wide: f64) -> Markup {
    let Some((lower, upper)) = place.ends else { return html! {} };
    let zero = zero(frame);
    let class = |open: &str| {
        let provisional = if place.point.provisional { " provisional" } else { "" };
        format!("bar{open}{provisional}")
    };
    let middle = x + wide / 2.0;
    html! {
        @match place.point.value {
            Value::Exact(_) | Value::Missing => (solid(&class(""), x, wide, zero, upper)),
            Value::Above(_) => {
                path class=(class("")) d=(jagged(x, wide, zero, upper)) {}
                path class="arrow" d=(marks::arrow(middle, upper - 5.0, upper - marks::ARROW)) {}
            },
            Value::Below(_) => {
                @let away = if upper < zero { 1.0 } else { -1.0 };
                @let deep = (upper - zero).abs();
                (solid(&class(" open"), x, wide, zero, upper))
                @if deep > 12.0 || away < 0.0 {
                    @let reach = if away > 0.0 { marks::ARROW.min(deep - 4.0) } else { marks::ARROW };
                    path class="arrow" d=(marks::arrow(middle, upper + 4.0, upper + 4.0 + reach)) {}
                }
            },
            Value::Near(_) => {
                (solid(&class(" near"), x, wide, zero, upper))
                path class="mark hollow" d=(marks::diamond(middle, upper, (marks::RADIUS + 1.5).min(wide / 2.0))) {}
            },
            Value::Between(..) => {
                // Sure as far as the end that is nearer to zero.
                @let (near, far) = if (lower - zero).abs() < (upper - zero).abs() { (lower, upper) } else { (upper, lower) };
                @let near = if (near > zero) == (far > zero) { near } else { zero };
                (solid(&class(""), x, wide, zero, near))
                (solid(&class(" open"), x, wide, lower, upper))
                (marks::span(middle, lower, upper, (wide / 2.0).min(7.0)))
            },
        }
    }
}

fn solid(class: &str, x: f64, wide: f64, from: f64, to: f64) -> Markup {
    html! {
        rect class=(class) x=(number(x)) y=(number(from.min(to))) width=(number(wide)) height=(number((from - to).abs())) {}
    }
}

/// A bar whose end is torn.
fn jagged(x: f64, wide: f64, zero: f64, end: f64) -> String {
    let teeth = ((wide / 9.0) as usize).max(2);
    let each = wide / teeth as f64;
    let deep = TOOTH.min((zero - end).abs());
    let mut path = format!("M{} {}V{}", number(x), number(zero), number(end));
    for tooth in 0..teeth {
        let from = x + tooth as f64 * each;
        path.push_str(&format!("L{} {}", number(from + each / 2.0), number(end + deep.copysign(zero - end))));
        path.push_str(&format!("L{} {}", number(from + each), number(end)));
    }
    path.push_str(&format!("V{}Z", number(zero)));
    path
}

/// Where bars begin: at zero, or at the foot of a log scale.
fn zero(frame: &Frame<'_>) -> f64 {
    match frame.height.measure {
        super::scale::Measure::Linear => frame.height.of(0.0),
        super::scale::Measure::Log => frame.bottom,
    }
}

/// The figure at the end of each bar where there is one line: its words where all have room, else those few digits that have.
fn words(frame: &Frame<'_>, lines: &[&Drawn<'_>]) -> Vec<(f64, f64, String)> {
    let [line] = lines else { return Vec::new() };
    let room = frame.gap - 4.0;
    let places = || line.places.iter().filter_map(|place| Some((place, place.ends?)));
    let whole = places().all(|(place, _)| text::width(&text::clean(&place.point.words), frame.size) <= room);
    let mut shown = Vec::new();
    for (place, (lower, upper)) in places() {
        let value = place.point.value;
        let rows =
            if whole { vec![text::clean(&place.point.words)] } else { labels::short(&value, frame.size, room, frame.language()) };
        let near = if matches!(value, Value::Near(_)) { 4.0 } else { 0.0 };
        let line = frame.size * 1.15;
        let first = if lower > zero(frame) + 0.5 {
            let arrow = if matches!(value, Value::Below(_)) { marks::ARROW + 2.0 } else { 0.0 };
            lower + frame.size * 1.1 + near + arrow
        } else {
            let arrow = if matches!(value, Value::Above(_)) { marks::ARROW - 1.0 } else { 0.0 };
            upper - 5.0 - near - arrow - (rows.len().max(1) - 1) as f64 * line
        };
        shown.extend(rows.into_iter().enumerate().map(|(row, words)| (place.x, first + row as f64 * line, words)));
    }
    shown
}
