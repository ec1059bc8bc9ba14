//! Lines.

use maud::{Markup, html};

use super::{
    Value,
    frame::{Drawn, Frame, Place},
    marks,
    text::number,
};

/// Every point has a mark where there is at least so much room for each.
const ROOM: f64 = 14.0;

/// Marks of a dense line, by which it is known.
const FEW_MARKS: usize = 6;

/// How a part of a line looks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Sure,
    /// From or to a bound: the true line lies elsewhere.
    Open,
    Provisional,
}

impl Look {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Sure => "part",
            Self::Open => "part open",
            Self::Provisional => "part provisional",
        }
    }
}

/// The lines, those of earlier knowledge and those compared below the main one.
pub(super) fn lines(frame: &Frame<'_>) -> Markup {
    let main = |line: &Drawn<'_>| (!line.line.is_vintage(), matches!(line.line.role, super::Role::Main));
    let mut order: Vec<&Drawn> = frame.drawn.iter().collect();
    order.sort_by_key(|line| main(line));
    html! {
        @for line in order {
            g class=(class(line)) {
                @for (look, path) in parts(&line.places) { path class=(look.class()) d=(path) {} }
                @for place in marked(line, frame) { (marks::mark(line, place)) }
            }
        }
    }
}

/// The classes of all that belongs to a line.
pub(super) fn class(line: &Drawn<'_>) -> String {
    if line.line.is_vintage() {
        return format!("series vintage vintage-{}", line.number % 3);
    }
    format!("series line-{}", line.number)
}

/// Paths of neighbours that look alike.
pub(super) fn parts(places: &[Place<'_>]) -> Vec<(Look, String)> {
    let mut parts: Vec<(Look, String)> = Vec::new();
    let mut last = None;
    for pair in places.windows(2) {
        let (before, place) = (&pair[0], &pair[1]);
        let (Some(from), Some(to), true) = (before.y(), place.y(), place.joined) else {
            last = None;
            continue;
        };
        let bound = |place: &Place| matches!(place.point.value, Value::Above(_) | Value::Below(_));
        let look = match () {
            () if place.point.provisional => Look::Provisional,
            () if bound(before) || bound(place) => Look::Open,
            () => Look::Sure,
        };
        if last != Some(look) {
            parts.push((look, format!("M{} {}", number(before.x), number(from))));
            last = Some(look);
        }
        if let Some((_, path)) = parts.last_mut() {
            path.push_str(&format!("L{} {}", number(place.x), number(to)));
        }
    }
    parts
}

/// The points that have a mark: all of a line with room for them; else the last, those that no line leads to, and those whose
/// marks say something, with some more by which the line is known from others.
fn marked<'a, 'b>(line: &'b Drawn<'a>, frame: &Frame<'_>) -> Vec<&'b Place<'a>> {
    let places = &line.places;
    let drawn = places.iter().filter(|place| place.ends.is_some()).count();
    let room = (frame.right - frame.left) / drawn.max(1) as f64;
    let joined = |at: usize| places.get(at).is_some_and(|place| place.joined);
    let last = places.iter().rposition(|place| place.ends.is_some());
    let every = if frame.drawn.len() > 1 { places.len() / FEW_MARKS } else { usize::MAX };
    let end = last.map_or(f64::INFINITY, |at| places[at].x - ROOM);
    let mut free = f64::NEG_INFINITY;
    let chosen = places.iter().enumerate().filter(|(at, place)| {
        let alone = !place.joined && !joined(at + 1);
        if line.line.is_vintage() {
            return alone || !matches!(place.point.value, Value::Exact(_));
        }
        if room >= ROOM || alone || Some(*at) == last || at % every.max(1) == every / 2 {
            return true;
        }
        // Marks of bounds, which may follow one another for years, do not hide one another.
        let says = !matches!(place.point.value, Value::Exact(_) | Value::Missing) && place.x >= free && place.x <= end;
        if says {
            free = place.x + ROOM;
        }
        says
    });
    chosen.map(|(_, place)| place).filter(|place| place.ends.is_some()).collect()
}
