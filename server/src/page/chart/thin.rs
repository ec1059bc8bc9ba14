//! Fewer points that look like all of them.

use super::{Point, Value, scale::Measure, scale::middle};

/// At most `most` points that look like all of them, in their order.
///
/// The method is Largest-Triangle-Three-Buckets: Sveinn Steinarsson, "Downsampling Time Series for Visual Representation",
/// University of Iceland, 2013, <https://skemman.is/handle/1946/15343>. Of each of as many spans as there may be points it takes
/// the one that makes the largest triangle with the point taken before and the mean of the next span. It alone may miss what
/// matters most, so these are taken first: the first and the last point, the greatest and the least figure, both sides of a break,
/// and the ends of each run of bounds, of approximations, of intervals, of missing or of provisional figures. Where these alone are
/// more than `most`, it takes as many of them, evenly; the first four always.
///
/// For a linear scale; a [`Chart`](super::Chart) thins by its own.
#[must_use]
pub fn thin(points: &[Point], most: usize) -> Vec<Point> {
    kept(points, most, Measure::Linear).into_iter().map(|at| points[at].clone()).collect()
}

/// Positions of the points to draw.
pub(super) fn kept(points: &[Point], most: usize, measure: Measure) -> Vec<usize> {
    if points.len() <= most {
        return (0..points.len()).collect();
    }
    let heights: Vec<Option<f64>> = points.iter().map(|point| height(&point.value, measure)).collect();
    let mut keep = vec![false; points.len()];
    let must = landmarks(points, &heights);
    let ends = extremes(points, measure);
    let room = most.saturating_sub(ends.len());
    let others: Vec<usize> = must.into_iter().filter(|at| !ends.contains(at)).collect();
    for at in ends {
        keep[at] = true;
    }
    if others.len() > room {
        (0..room).for_each(|n| keep[others[n * others.len() / room]] = true);
    } else {
        others.iter().for_each(|at| keep[*at] = true);
        largest_triangles(points, &heights, room - others.len(), &mut keep);
    }
    (0..points.len()).filter(|at| keep[*at]).collect()
}

/// Where a point stands, which is none for a missing figure.
fn height(value: &Value, measure: Measure) -> Option<f64> {
    value.ends(measure).map(|(lower, upper)| measure.of(lower).midpoint(measure.of(upper)))
}

/// First, last, greatest, least.
fn extremes(points: &[Point], measure: Measure) -> Vec<usize> {
    let ends = || points.iter().enumerate().filter_map(|(at, point)| Some((at, point.value.ends(measure)?)));
    let greatest = ends().max_by(|(_, a), (_, b)| a.1.total_cmp(&b.1));
    let least = ends().min_by(|(_, a), (_, b)| a.0.total_cmp(&b.0));
    let mut found = vec![0, points.len() - 1];
    found.extend([greatest, least].into_iter().flatten().map(|(at, _)| at));
    found.sort_unstable();
    found.dedup();
    found
}

/// Both sides of each place where the line changes its look.
fn landmarks(points: &[Point], heights: &[Option<f64>]) -> Vec<usize> {
    let look = |at: usize| {
        let drawn = heights[at].map(|_| std::mem::discriminant(&points[at].value));
        (drawn, points[at].provisional)
    };
    let mut found = Vec::new();
    for (at, point) in points.iter().enumerate().skip(1) {
        if point.break_before || look(at) != look(at - 1) {
            found.extend([at - 1, at]);
        }
    }
    found.dedup();
    found
}

/// Takes one point of each of `spans` equal parts.
fn largest_triangles(points: &[Point], heights: &[Option<f64>], spans: usize, keep: &mut [bool]) {
    let drawn: Vec<(usize, f64, f64)> =
        heights.iter().enumerate().filter_map(|(at, y)| Some((at, middle(points[at].period), (*y)?))).collect();
    if spans == 0 || drawn.len() < 3 {
        return;
    }
    let inner = drawn.len() - 2;
    let span = |n: usize| 1 + n * inner / spans..1 + (n + 1) * inner / spans;
    let mut before = drawn[0];
    for n in 0..spans {
        let next = if n + 1 < spans { &drawn[span(n + 1)] } else { &drawn[drawn.len() - 1..] };
        let count = next.len().max(1) as f64;
        let mean = next.iter().fold((0.0, 0.0), |sum, (_, x, y)| (sum.0 + x / count, sum.1 + y / count));
        let area =
            |(_, x, y): &(usize, f64, f64)| ((before.1 - mean.0) * (y - before.2) - (before.1 - x) * (mean.1 - before.2)).abs();
        let largest = drawn[span(n)].iter().max_by(|a, b| area(a).total_cmp(&area(b)));
        if let Some(largest) = largest {
            keep[largest.0] = true;
            before = *largest;
        }
    }
}
