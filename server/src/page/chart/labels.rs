//! Names of lines at their ends, and what is explained under the chart.

use indicator_proto::words::Language;
use maud::{Markup, html};
use rust_decimal::RoundingStrategy;

use super::{
    Chart, Point, Value,
    frame::{Drawn, Frame},
    line,
    marks::{self, RADIUS},
    scale::Measure,
    text::{self, clean, number},
    ticks,
};

/// Something that a reader is told under the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sign {
    /// The bars of a line have this colour.
    Bars(u8, String),
    /// This tick across bars is of earlier knowledge.
    Vintage(u8, String),
    /// More or less than the value.
    Open(&'static str),
    Near(&'static str),
    Between(&'static str),
    Provisional(&'static str),
    Break(&'static str),
    Missing(&'static str),
}

impl Sign {
    fn words(&self) -> &str {
        match self {
            Self::Bars(_, words) | Self::Vintage(_, words) => words,
            Self::Open(words)
            | Self::Near(words)
            | Self::Between(words)
            | Self::Provisional(words)
            | Self::Break(words)
            | Self::Missing(words) => words,
        }
    }
}

/// Names are bold, and so wider.
const BOLD: f64 = 1.1;

/// Room for the mark of a sign.
const SIGN: f64 = 24.0;

/// Between two signs.
const SPACE: f64 = 16.0;

/// What needs an explanation in this chart, in rows that fit.
pub(super) fn key(chart: &Chart, bars: bool, measure: Measure, size: f64, width: f64) -> Vec<Vec<Sign>> {
    let word = |en, zh| chart.language.word(en, zh);
    let has = |is: &dyn Fn(&Point) -> bool| chart.lines.iter().flat_map(|line| &line.points).any(is);
    let drawn = |point: &Point| point.value.ends(measure).is_some();
    let mut signs = Vec::new();
    if bars && chart.lines.len() > 1 {
        signs.extend(chart.lines.iter().map(|line| {
            let words = text::cut(&clean(&line.label), size, width * 0.4);
            let number = line.number();
            if line.is_vintage() { Sign::Vintage(number, words) } else { Sign::Bars(number, words) }
        }));
    }
    let above = has(&|point| drawn(point) && matches!(point.value, Value::Above(_)));
    let below = has(&|point| drawn(point) && matches!(point.value, Value::Below(_)));
    match (above, below) {
        (true, true) => signs.push(Sign::Open(word("more or less than", "超过或不足"))),
        (true, false) => signs.push(Sign::Open(word("more than", "超过"))),
        (false, true) => signs.push(Sign::Open(word("less than", "不足"))),
        (false, false) => {}
    }
    if has(&|point| drawn(point) && matches!(point.value, Value::Near(_))) {
        signs.push(Sign::Near(word("about", "约数")));
    }
    if has(&|point| drawn(point) && matches!(point.value, Value::Between(..))) {
        signs.push(Sign::Between(word("between two figures", "区间")));
    }
    if has(&|point| drawn(point) && point.provisional) {
        signs.push(Sign::Provisional(word("provisional", "初步")));
    }
    if has(&|point| point.break_before) {
        signs.push(Sign::Break(word("break in series", "序列中断")));
    }
    if has(&|point| !drawn(point)) {
        signs.push(Sign::Missing(word("no figure", "无数据")));
    }
    let mut rows: Vec<Vec<Sign>> = Vec::new();
    let mut used = f64::INFINITY;
    for sign in signs {
        let needs = SIGN + text::width(sign.words(), size) + SPACE;
        if used + needs > width {
            rows.push(Vec::new());
            used = size;
        }
        used += needs;
        if let Some(row) = rows.last_mut() {
            row.push(sign);
        }
    }
    // A chart is not all key.
    rows.truncate(3);
    rows
}

/// The key under the chart.
pub(super) fn explained(frame: &Frame<'_>) -> Markup {
    let line = frame.size * 1.6;
    let first = frame.depth - frame.key.len() as f64 * line + line * 0.5;
    html! {
        @for (row, signs) in frame.key.iter().enumerate() {
            @let y = first + row as f64 * line - 2.0;
            @for (x, sign) in lefts(signs, frame.left.min(frame.size * 2.0), frame.size) {
                g class="key" {
                    (drawn_sign(sign, frame.bars, x, y))
                    text x=(number(x + SIGN)) y=(number(y + frame.size * 0.35)) { (sign.words()) }
                }
            }
        }
    }
}

fn lefts(signs: &[Sign], left: f64, size: f64) -> impl Iterator<Item = (f64, &Sign)> {
    signs.iter().scan(left, move |x, sign| {
        let at = *x;
        *x += SIGN + text::width(sign.words(), size) + SPACE;
        Some((at, sign))
    })
}

fn drawn_sign(sign: &Sign, bars: bool, x: f64, y: f64) -> Markup {
    let middle = x + SIGN / 2.0 - 3.0;
    let (from, to) = (number(x), number(x + SIGN - 6.0));
    html! {
        @match sign {
            Sign::Bars(line, _) => g class=(format!("series line-{line}")) {
                rect class="bar" x=(number(x + 4.0)) y=(number(y - 5.0)) width="10" height="10" {}
            },
            Sign::Vintage(line, _) => g class=(format!("series vintage vintage-{}", line % 3)) {
                path class="across" d=(format!("M{from} {}H{to}", number(y))) {}
            },
            Sign::Open(_) => {
                circle class="mark hollow" cx=(number(middle)) cy=(number(y + 3.0)) r="3" {}
                path class="arrow" d=(marks::arrow(middle, y, y - 8.0)) {}
            },
            Sign::Near(_) => path class="mark hollow" d=(marks::diamond(middle, y, RADIUS + 1.0)) {},
            Sign::Between(_) => (marks::span(middle, y + 6.0, y - 6.0, 4.0)),
            Sign::Provisional(_) if bars => {
                rect class="bar provisional" x=(number(x + 4.0)) y=(number(y - 5.0)) width="10" height="10" {}
            },
            Sign::Provisional(_) => path class="part provisional" d=(format!("M{from} {}H{to}", number(y))) {},
            Sign::Break(_) => path class="break" d=(format!("M{} {}V{}", number(middle), number(y - 7.0), number(y + 7.0))) {},
            Sign::Missing(_) => path class="missing" d=(cross(middle, y)) {},
        }
    }
}

/// A small cross.
pub(super) fn cross(x: f64, y: f64) -> String {
    let (left, right, top, bottom) = (number(x - 2.5), number(x + 2.5), number(y - 2.5), number(y + 2.5));
    format!("M{left} {top}L{right} {bottom}M{left} {bottom}L{right} {top}")
}

/// Whether the ends of lines have words.
fn labelled(chart: &Chart, bars: bool) -> bool {
    !bars && chart.lines.iter().any(|line| line.points.iter().any(|point| point.value.ends(Measure::Linear).is_some()))
}

/// What stands at the end of a line: its name, or the last figure of the only one.
fn words(chart: &Chart, line: &super::Line, width: f64, size: f64) -> String {
    let most = width * if width < 600.0 { 0.3 } else { 0.22 };
    let size = size * BOLD;
    if chart.lines.len() > 1 {
        return text::cut(&clean(&line.label), size, most);
    }
    let last = line.points.iter().rev().find(|point| point.value.ends(Measure::Linear).is_some());
    last.and_then(|point| figure(point, size, most, chart.language)).unwrap_or_default()
}

/// The figure of a point as long as it fits: its words, or few digits of it.
fn figure(point: &Point, size: f64, most: f64, language: Language) -> Option<String> {
    let whole = clean(&point.words);
    if !whole.is_empty() && text::width(&whole, size) <= most {
        return Some(whole);
    }
    let rows = short(&point.value, size, most, language);
    let text = rows.join(" ");
    (!rows.is_empty() && text::width(&text, size) <= most).then_some(text)
}

/// A figure in few digits, rounded away from claiming more than is known: an interval in two rows where it does not fit in one, and
/// none where even these do not.
pub(super) fn short(value: &Value, size: f64, most: f64, language: Language) -> Vec<String> {
    use RoundingStrategy::{MidpointNearestEven, ToNegativeInfinity, ToPositiveInfinity};
    let of = |value, rounding| ticks::figure(value, rounding, language);
    let (above, below, near) = language.word((">", "<", "≈"), ("超", "不足", "约"));
    let fits = |row: &String| text::width(row, size) <= most;
    let row = match *value {
        Value::Exact(value) => of(value, MidpointNearestEven),
        Value::Above(value) => format!("{above} {}", of(value, ToNegativeInfinity)),
        Value::Below(value) => format!("{below} {}", of(value, ToPositiveInfinity)),
        Value::Near(value) => format!("{near} {}", of(value, MidpointNearestEven)),
        Value::Between(one, other) => {
            let (lower, upper) = (of(one.min(other), ToNegativeInfinity), of(one.max(other), ToPositiveInfinity));
            // A magnitude that both have is said once.
            let from = match (lower.split_once(' '), upper.split_once(' ')) {
                (Some((digits, magnitude)), Some((_, same))) if magnitude == same => digits.to_owned(),
                _ => lower,
            };
            let one = format!("{from} – {upper}");
            if !fits(&one) {
                let rows = vec![format!("{from} –"), upper];
                return if rows.iter().all(fits) { rows } else { Vec::new() };
            }
            one
        }
        Value::Missing => return Vec::new(),
    };
    if fits(&row) { vec![row] } else { Vec::new() }
}

/// The room that these words need at the right.
pub(super) fn room(chart: &Chart, bars: bool, width: f64, size: f64) -> f64 {
    if !labelled(chart, bars) {
        return size;
    }
    let widest = chart.lines.iter().map(|line| text::width(&words(chart, line, width, size), size * BOLD)).fold(0.0, f64::max);
    widest + size * 1.6
}

/// The words at the ends of lines, one below another where the lines end close together.
pub(super) fn at_ends(frame: &Frame<'_>) -> Markup {
    if !labelled(frame.chart, frame.bars) {
        return html! {};
    }
    let line = frame.size * 1.2;
    let mut ends: Vec<(&Drawn, f64, f64)> = frame
        .drawn
        .iter()
        .filter_map(|drawn| drawn.places.iter().rev().find_map(|place| Some((drawn, place.x, place.y()?))))
        .collect();
    // As many as there is room for: the main lines before the rest, which the chart lists first.
    ends.sort_by_key(|(drawn, ..)| drawn.line.is_vintage());
    ends.truncate((((frame.bottom - frame.top) / line) as usize).max(1));
    ends.sort_by(|a, b| a.2.total_cmp(&b.2));
    let wanted: Vec<f64> = ends.iter().map(|(_, _, y)| *y).collect();
    let places = apart(&wanted, line, frame.top + line / 2.0, frame.bottom - line / 2.0);
    let left = frame.right + frame.size * 0.6;
    html! {
        @for ((drawn, x, y), place) in ends.iter().zip(places) {
            g class=(line::class(drawn)) {
                @if (place - y).abs() > 3.0 || left - x > 26.0 {
                    path class="leader" d=(leader(*x, *y, left, place)) {}
                }
                text class="label" x=(number(left)) y=(number(place + frame.size * 0.35)) {
                    (words(frame.chart, drawn.line, frame.width, frame.size))
                }
            }
        }
    }
}

fn leader(x: f64, y: f64, left: f64, place: f64) -> String {
    let bend = number(left - 10.0);
    format!("M{} {y}H{bend}L{} {}", number(x + RADIUS + 2.0), number(left - 3.0), number(place), y = number(y))
}

/// Places in the order of `wanted`, none nearer than `least` to another, all between `top` and `bottom`, with the least sum of
/// squared distances from what was wanted: neighbours too close are moved as one block around their mean.
fn apart(wanted: &[f64], least: f64, top: f64, bottom: f64) -> Vec<f64> {
    // A block: its first place and how many there are.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    let fit = |first: f64, count: usize| first.min(bottom - (count as f64 - 1.0) * least).max(top);
    let mut sums: Vec<f64> = Vec::new();
    for want in wanted {
        let (mut sum, mut count) = (*want, 1);
        let mut first = fit(*want, 1);
        while let Some((before, of)) = blocks.last().copied() {
            if before + of as f64 * least <= first {
                break;
            }
            blocks.pop();
            // Each place of this block is `of` lines below its place in the joined one.
            sum += sums.pop().unwrap_or(0.0) - (of * count) as f64 * least;
            count += of;
            first = fit(sum / count as f64, count);
        }
        blocks.push((first, count));
        sums.push(sum);
    }
    blocks.iter().flat_map(|(first, count)| (0..*count).map(move |n| first + n as f64 * least)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_move_no_farther_than_they_must() {
        assert_eq!(apart(&[10.0, 50.0], 12.0, 0.0, 100.0), [10.0, 50.0]);
        assert_eq!(apart(&[50.0, 50.0], 12.0, 0.0, 100.0), [44.0, 56.0]);
        assert_eq!(apart(&[98.0, 99.0, 100.0], 12.0, 0.0, 100.0), [76.0, 88.0, 100.0]);
        assert_eq!(apart(&[0.0, 1.0], 12.0, 5.0, 100.0), [5.0, 17.0]);
    }

    proptest! {
        #[test]
        fn labels_never_overlap(mut wanted in prop::collection::vec(0.0..200.0, 0..10)) {
            wanted.sort_by(f64::total_cmp);
            let places = apart(&wanted, 14.0, 10.0, 190.0);
            prop_assert_eq!(places.len(), wanted.len());
            prop_assert!(places.windows(2).all(|pair| pair[1] - pair[0] > 13.999));
            prop_assert!(places.iter().all(|place| (9.999..190.001).contains(place)));
        }
    }
}
