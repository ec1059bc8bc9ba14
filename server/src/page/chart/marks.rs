//! The marks of points.

use maud::{Markup, html};

use super::{
    Value,
    frame::{Drawn, Place},
    text::number,
};

/// Half of a mark.
pub(super) const RADIUS: f64 = 4.0;

/// How far an arrow reaches from its point.
pub(super) const ARROW: f64 = 19.0;

/// The mark of a point on a line. Its shape tells exact figures of one line from those of another, and open ones from exact.
pub(super) fn mark(line: &Drawn<'_>, place: &Place<'_>) -> Markup {
    let (Some((lower, upper)), Some(y)) = (place.ends, place.y()) else { return html! {} };
    let x = place.x;
    match place.point.value {
        Value::Above(_) => open(x, y, -1.0),
        Value::Below(_) => open(x, y, 1.0),
        Value::Near(_) => html! { path class="mark hollow" d=(diamond(x, y, RADIUS + 1.5)) {} },
        Value::Between(..) => span(x, lower, upper, 5.0),
        Value::Exact(_) | Value::Missing => html! {
            path class=(if place.point.provisional { "mark provisional" } else { "mark" }) d=(shape(line.line.shape(), x, y)) {}
        },
    }
}

/// A hollow circle with an arrow away from it, up where `way` is -1.
pub(super) fn open(x: f64, y: f64, way: f64) -> Markup {
    html! {
        path class="arrow" d=(arrow(x, y + way * (RADIUS + 1.0), y + way * ARROW)) {}
        circle class="mark hollow" cx=(number(x)) cy=(number(y)) r=(number(RADIUS)) {}
    }
}

/// From one height to another, with a head there.
pub(super) fn arrow(x: f64, from: f64, to: f64) -> String {
    let back = if to < from { 4.5 } else { -4.5 };
    format!(
        "M{x} {}V{}M{} {}L{x} {}L{} {}",
        number(from),
        number(to),
        number(x - 3.5),
        number(to + back),
        number(to),
        number(x + 3.5),
        number(to + back),
        x = number(x),
    )
}

/// A span with end caps.
pub(super) fn span(x: f64, lower: f64, upper: f64, half: f64) -> Markup {
    let (from, to) = (number(x - half), number(x + half));
    let (x, lower, upper) = (number(x), number(lower), number(upper));
    html! { path class="span" d=(format!("M{x} {lower}V{upper}M{from} {lower}H{to}M{from} {upper}H{to}")) {} }
}

pub(super) fn diamond(x: f64, y: f64, half: f64) -> String {
    polygon(&[(0.0, -half), (half, 0.0), (0.0, half), (-half, 0.0)], x, y)
}

/// The shape of a line by its number.
pub(super) fn shape(line: u8, x: f64, y: f64) -> String {
    let r = RADIUS;
    let (near, far) = (r * 0.4, r * 1.15);
    match line {
        1 => polygon(&[(-r, -r), (r, -r), (r, r), (-r, r)].map(scaled(0.88)), x, y),
        2 => polygon(&[(0.0, -r), (r, r * 0.8), (-r, r * 0.8)].map(scaled(1.2)), x, y),
        3 => polygon(&[(-r, -r * 0.8), (r, -r * 0.8), (0.0, r)].map(scaled(1.2)), x, y),
        4 => plus(near, far, x, y, |at| at),
        5 => plus(near, far, x, y, |(a, b)| ((a - b) * 0.75, (a + b) * 0.75)),
        6 => polygon(&[(-r * 1.3, -r * 0.5), (r * 1.3, -r * 0.5), (r * 1.3, r * 0.5), (-r * 1.3, r * 0.5)], x, y),
        7 => polygon(&[(-r * 0.5, -r * 1.3), (r * 0.5, -r * 1.3), (r * 0.5, r * 1.3), (-r * 0.5, r * 1.3)], x, y),
        _ => format!(
            "M{} {}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0Z",
            number(x - r),
            number(y),
            r = number(r),
            d = number(r * 2.0)
        ),
    }
}

fn scaled(by: f64) -> impl Fn((f64, f64)) -> (f64, f64) {
    move |(x, y)| (x * by, y * by)
}

fn plus(near: f64, far: f64, x: f64, y: f64, turned: impl Fn((f64, f64)) -> (f64, f64)) -> String {
    let corners = [
        (-near, -far),
        (near, -far),
        (near, -near),
        (far, -near),
        (far, near),
        (near, near),
        (near, far),
        (-near, far),
        (-near, near),
        (-far, near),
        (-far, -near),
        (-near, -near),
    ];
    polygon(&corners.map(turned), x, y)
}

/// A closed path of corners around a point.
pub(super) fn polygon(corners: &[(f64, f64)], x: f64, y: f64) -> String {
    let mut path = String::new();
    for (at, (dx, dy)) in corners.iter().enumerate() {
        path.push(if at == 0 { 'M' } else { 'L' });
        path.push_str(&format!("{} {}", number(x + dx), number(y + dy)));
    }
    path.push('Z');
    path
}
