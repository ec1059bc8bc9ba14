//! A line the size of a word.

use indicator_proto::Period;
use maud::{Markup, html};

use super::{
    MOST_POINTS, Point, Size, Value, frame, line, marks,
    scale::{Height, Measure},
    text::number,
    thin,
};

/// Half of the mark of the last figure.
const RADIUS: f64 = 3.0;

/// `<svg class="sparkline">`: the course of a line, with a mark at its last figure, open where that is no exact one. What it shows
/// is told beside it, so a screen reader passes over it.
#[must_use]
pub fn sparkline(points: &[Point], size: Size) -> Markup {
    let (width, depth) = (f64::from(size.width.max(24)), f64::from(size.height.max(16)));
    let kept = thin::kept(points, MOST_POINTS, Measure::Linear);
    let ends = || points.iter().filter_map(|point| point.value.ends(Measure::Linear));
    let (least, greatest) = ends().fold((f64::INFINITY, f64::NEG_INFINITY), |found, it| (found.0.min(it.0), found.1.max(it.1)));
    // A level line, and a point alone, are halfway up.
    let level = if greatest > least { 0.0 } else { least.abs().max(1.0) };
    let margin = RADIUS + 1.5;
    let height = Height {
        measure: Measure::Linear,
        least: least - level,
        greatest: greatest + level,
        bottom: depth - margin,
        top: margin,
    };
    let mut periods: Vec<Period> = kept.iter().map(|at| points[*at].period).collect();
    periods.sort_unstable();
    let (across, _) = frame::across(&periods, false, margin, width - margin);
    let places = frame::placed(points, &kept, &across, &height);
    let last = places.iter().rev().find_map(|place| Some((place, place.y()?)));
    html! {
        svg class="sparkline" xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {} {}", number(width), number(depth)))
            aria-hidden="true" focusable="false"
        {
            g class="series line-0" {
                @for (look, path) in line::parts(&places) { path class=(look.class()) d=(path) {} }
                @if let Some((place, y)) = last {
                    @match place.point.value {
                        Value::Above(_) | Value::Below(_) | Value::Between(..) | Value::Missing => {
                            circle class="mark hollow" cx=(number(place.x)) cy=(number(y)) r=(number(RADIUS)) {}
                        },
                        Value::Near(_) => path class="mark hollow" d=(marks::diamond(place.x, y, RADIUS + 1.0)) {},
                        Value::Exact(_) => circle class="mark" cx=(number(place.x)) cy=(number(y)) r=(number(RADIUS)) {},
                    }
                }
            }
        }
    }
}
