//! The whole drawing.

use std::collections::{HashMap, HashSet};

use indicator_proto::{
    Period,
    words::{self, Language},
};
use maud::{Markup, html};

use super::{
    Chart, Point, bars,
    frame::{Drawn, Frame, Place},
    labels, line,
    scale::middle,
    style,
    text::{self, clean, number},
};

pub(super) fn chart(chart: &Chart, file: bool) -> Markup {
    let frame = Frame::of(chart, file);
    // What stands in a reference to an id needs no escape.
    let id: String = chart.id.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    let (title, desc) = (format!("{id}-title"), format!("{id}-desc"));
    let (width, depth) = (number(frame.width), number(frame.depth));
    html! {
        svg class=(if frame.narrow { "chart narrow" } else { "chart" })
            xmlns="http://www.w3.org/2000/svg"
            viewBox=(format!("0 0 {width} {depth}"))
            width=[file.then_some(&width)]
            height=[file.then_some(&depth)]
            font-size=(number(frame.size))
            role="img"
            aria-labelledby=(format!("{title} {desc}"))
        {
            title id=(title) { (clean(&chart.title)) }
            desc id=(desc) { (chart.summary()) }
            @if file {
                (style())
                rect class="surface" x="0" y="0" width=(width) height=(depth) {}
                (heading(&frame))
            }
            (axes(&frame))
            @if frame.is_empty() {
                text class="empty" x=(number(frame.left.midpoint(frame.right))) y=(number(frame.top.midpoint(frame.bottom)))
                    text-anchor="middle" { (frame.language().word("No figures to show", "没有可显示的数据")) }
            }
            (breaks(&frame))
            (missing(&frame))
            @if frame.bars { (bars::bars(&frame)) } @else { (line::lines(&frame)) }
            (labels::at_ends(&frame))
            (labels::explained(&frame))
            (slots(&frame))
        }
    }
}

fn heading(frame: &Frame<'_>) -> Markup {
    let size = frame.size * 1.25;
    let words = text::cut(&clean(&frame.chart.title), size, frame.width - frame.size * 2.0);
    html! { text class="heading" x=(number(frame.size * 0.8)) y=(number(frame.size * 1.8)) font-size=(number(size)) { (words) } }
}

/// The grid, the axes and their words.
fn axes(frame: &Frame<'_>) -> Markup {
    let Frame { size, left, right, bottom, height, .. } = *frame;
    let unit = text::cut(&clean(&frame.chart.unit), size, frame.width - size * 1.6);
    let zero = (height.least < 0.0 && height.greatest >= 0.0 || frame.bars).then(|| height.of(0.0));
    let across = |y: f64| format!("M{} {}H{}", number(left), number(y), number(right));
    html! {
        @if !unit.is_empty() {
            text class="unit" x=(number(size * 0.8)) y=(number(frame.top - size * 0.75)) { (unit) }
        }
        g class="grid" { @for (y, _) in &frame.rows { path d=(across(*y)) {} } }
        g class="ticks y" text-anchor="end" {
            @for (y, words) in &frame.rows {
                text x=(number(left - size * 0.5)) y=(number(y + size * 0.35)) { (words) }
            }
        }
        path class="axis" d=(across(bottom)) {}
        @if let Some(y) = zero { path class="axis zero" d=(across(y)) {} }
        @for x in &frame.skips { (skip(*x, bottom)) }
        g class="ticks x" text-anchor="middle" {
            @for tick in &frame.columns {
                @let half = text::width(&tick.words, size) / 2.0;
                @if !frame.bars { path d=(format!("M{} {}v5", number(tick.x), number(bottom))) {} }
                text x=(number(tick.x.min(frame.width - half - 1.0).max(half + 1.0))) y=(number(bottom + size * 1.5)) {
                    (tick.words)
                }
            }
        }
    }
}

/// Two strokes across the axis, which leaps there.
fn skip(x: f64, y: f64) -> Markup {
    let (from, to) = (number(y + 4.0), number(y - 4.0));
    let stroke = |x: f64| format!("M{} {from}L{} {to}", number(x - 2.0), number(x + 2.0));
    html! {
        path class="casing" d=(stroke(x)) {}
        path class="axis" d=(stroke(x - 2.5)) {}
        path class="axis" d=(stroke(x + 2.5)) {}
    }
}

/// A dotted rule with a mark at its head between the two sides of each break.
fn breaks(frame: &Frame<'_>) -> Markup {
    let mut found: Vec<f64> = Vec::new();
    for line in frame.drawn.iter().filter(|line| !line.line.is_vintage()) {
        for (at, place) in line.places.iter().enumerate().filter(|(_, place)| place.broken) {
            let before = at.checked_sub(1).map_or(place.x, |at| line.places[at].x);
            let x = if frame.bars { place.x - frame.gap / 2.0 } else { before.midpoint(place.x) };
            found.push(x.max(frame.left));
        }
    }
    found.sort_by(f64::total_cmp);
    found.dedup_by(|a, b| *a - *b < 1.0);
    let top = frame.top;
    html! {
        @for x in found {
            path class="break" d=(format!("M{} {}V{}", number(x), number(top + 6.0), number(frame.bottom))) {}
            path class="break-mark" d=(format!(
                "M{} {}L{} {}L{} {}Z",
                number(x - 4.0), number(top), number(x + 4.0), number(top), number(x), number(top + 6.0),
            )) {}
        }
    }
}

/// A cross at the axis for each missing figure; a bar with one cross where they stand closer than crosses.
fn missing(frame: &Frame<'_>) -> Markup {
    let lines = frame.drawn.iter().filter(|line| !line.line.is_vintage());
    html! {
        @for (row, line) in lines.enumerate() {
            @let y = frame.bottom - 6.0 - if frame.bars { 0.0 } else { 7.0 * (row % 3) as f64 };
            @let aside = if frame.bars { bars::aside(frame, row) } else { 0.0 };
            g class=(line::class(line)) {
                @for run in gaps(line) {
                    @let (from, to) = (run[0].x + aside, run[run.len() - 1].x + aside);
                    @if run.len() > 1 && frame.gap < 7.0 {
                        path class="missing run" d=(format!("M{} {}H{}", number(from), number(y), number(to))) {}
                        path class="missing" d=(labels::cross(from.midpoint(to), y)) {}
                    } @else {
                        @for place in run { path class="missing" d=(labels::cross(place.x + aside, y)) {} }
                    }
                }
            }
        }
    }
}

/// The runs of missing figures.
fn gaps<'a, 'b>(line: &'b Drawn<'a>) -> impl Iterator<Item = &'b [Place<'a>]> {
    line.places.chunk_by(|a, b| a.ends.is_none() == b.ends.is_none()).filter(|run| run[0].ends.is_none())
}

/// The places that a reader can point at or walk through, with the words of all lines there.
fn slots(frame: &Frame<'_>) -> Markup {
    // The line with the most points decides; the others have words where they have figures of its periods.
    let most = frame.drawn.iter().map(|line| line.places.len()).max().unwrap_or(0);
    let mut places: Vec<(f64, Period)> = Vec::new();
    for line in &frame.drawn {
        if places.is_empty() && line.places.len() == most || places.len() + line.places.len() <= super::MOST_POINTS {
            places.extend(line.places.iter().map(|place| (place.x, place.point.period)));
        }
    }
    places.sort_by(|a, b| a.0.total_cmp(&b.0).then(middle(a.1).total_cmp(&middle(b.1))).then(a.1.cmp(&b.1)));
    places.dedup_by_key(|(_, period)| *period);
    // Periods that cannot be told apart share a slot.
    let groups: Vec<&[(f64, Period)]> = places.chunk_by(|a, b| b.0 - a.0 < 0.5).collect();
    let named: HashSet<Period> = places.iter().map(|(_, period)| *period).collect();
    let figures: Vec<HashMap<Period, String>> = frame
        .drawn
        .iter()
        .map(|line| {
            let points = line.line.points.iter().filter(|point| named.contains(&point.period));
            points.map(|point| (point.period, said(point, frame.language()))).collect()
        })
        .collect();
    let words = |group: &[(f64, Period)]| {
        let mut text = Vec::new();
        for (_, period) in group {
            text.push(words::period(*period, frame.language()));
            for (line, figures) in frame.drawn.iter().zip(&figures) {
                match figures.get(period) {
                    Some(figure) if frame.drawn.len() > 1 => {
                        let colon = frame.language().word(": ", "：");
                        text.push(format!("{}{colon}{figure}", clean(&line.line.label)));
                    }
                    Some(figure) => text.push(figure.clone()),
                    None => {}
                }
            }
        }
        text.join("\n")
    };
    let edge = |at: usize| {
        let (before, after) = (groups[at - 1][0].0, groups[at][0].0);
        before.midpoint(after)
    };
    let (top, tall) = (number(frame.top), number(frame.bottom - frame.top));
    html! {
        g class="slots" {
            @for (at, group) in groups.iter().enumerate() {
                @let from = if at == 0 { frame.left } else { edge(at) };
                @let to = if at + 1 == groups.len() { frame.right } else { edge(at + 1) };
                @let words = words(group);
                g class="slot" data-x=(number(group[0].0)) data-period=(group[0].1) data-words=(words) {
                    rect class="hit" x=(number(from)) y=(top) width=(number((to - from).max(0.1))) height=(tall) {}
                    title { (words) }
                }
            }
        }
    }
}

/// A figure in words, with what its mark says beside them.
fn said(point: &Point, language: Language) -> String {
    let mut said = clean(&point.words);
    if said.is_empty() {
        language.word("no figure", "无数据").clone_into(&mut said);
    }
    let comma = language.word(", ", "，");
    for (is, word) in [
        (point.provisional, language.word("provisional", "初步")),
        (point.break_before, language.word("break in series", "序列中断")),
    ] {
        if is {
            said.push_str(comma);
            said.push_str(word);
        }
    }
    said
}
