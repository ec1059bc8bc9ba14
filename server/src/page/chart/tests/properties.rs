//! What holds of charts of any kind.

use proptest::prelude::*;
use roxmltree::{Document, Node};

use super::any;
use crate::page::chart::{MOST_POINTS, Point, Size, Value, scale::Measure, sparkline, text, thin};

const ELEMENTS: [&str; 9] = ["svg", "title", "desc", "style", "g", "path", "rect", "circle", "text"];

const ATTRIBUTES: [&str; 20] = [
    "aria-hidden",
    "aria-labelledby",
    "class",
    "cx",
    "cy",
    "d",
    "data-period",
    "data-words",
    "data-x",
    "focusable",
    "font-size",
    "height",
    "id",
    "r",
    "role",
    "text-anchor",
    "viewBox",
    "width",
    "x",
    "y",
];

/// The corners of a path, whose commands are those that charts use.
fn corners(path: &str) -> Vec<(f64, f64)> {
    let mut corners = Vec::new();
    let (mut x, mut y) = (0.0, 0.0);
    let mut rest = path;
    while !rest.is_empty() {
        let end = rest[1..].find(|c: char| c.is_ascii_alphabetic()).map_or(rest.len(), |end| end + 1);
        let numbers: Vec<f64> = rest[1..end].split_ascii_whitespace().map(|it| it.parse().expect("a number")).collect();
        match (&rest[..1], numbers.as_slice()) {
            ("M" | "L", [to_x, to_y]) => (x, y) = (*to_x, *to_y),
            ("H", [to]) => x = *to,
            ("V", [to]) => y = *to,
            ("v", [by]) => y += by,
            ("a", [.., by, _]) => x += by,
            ("Z", []) => {}
            other => panic!("no such command: {other:?}"),
        }
        corners.push((x, y));
        rest = &rest[end..];
    }
    corners
}

/// The corners of all that is drawn: of a text by its width as the layout takes it to be.
fn extent(node: &Node<'_, '_>) -> Vec<(f64, f64)> {
    let of = |name: &str| node.attribute(name).map(|text| text.parse::<f64>().expect("a number"));
    let (x, y) = (of("x").unwrap_or(0.0), of("y").unwrap_or(0.0));
    match node.tag_name().name() {
        "path" => corners(node.attribute("d").unwrap()),
        "rect" => vec![(x, y), (x + of("width").unwrap(), y + of("height").unwrap())],
        "circle" => {
            let (x, y, r) = (of("cx").unwrap(), of("cy").unwrap(), of("r").unwrap());
            vec![(x - r, y - r), (x + r, y + r)]
        }
        "text" => {
            let inherited = |name| node.ancestors().find_map(|it| it.attribute(name));
            let size: f64 = inherited("font-size").unwrap().parse().unwrap();
            let wide = text::width(node.text().unwrap_or(""), size);
            let left = match inherited("text-anchor") {
                Some("middle") => x - wide / 2.0,
                Some("end") => x - wide,
                _ => x,
            };
            vec![(left, y - size * 0.7), (left + wide, y)]
        }
        _ => Vec::new(),
    }
}

/// Every number is one, everything is inside, and nothing is an element or an attribute that charts do not have.
fn check(svg: &str) -> Result<(), TestCaseError> {
    let document = Document::parse(svg).map_err(|error| TestCaseError::fail(format!("{error}: {svg}")))?;
    let root = document.root_element();
    let view: Vec<f64> = root.attribute("viewBox").unwrap().split(' ').map(|it| it.parse().unwrap()).collect();
    for node in document.descendants() {
        prop_assert!(!node.is_comment() && !node.is_pi());
        if !node.is_element() {
            continue;
        }
        prop_assert!(ELEMENTS.contains(&node.tag_name().name()), "{:?}", node.tag_name());
        for attribute in node.attributes() {
            prop_assert!(ATTRIBUTES.contains(&attribute.name()), "{attribute:?}");
        }
        for (x, y) in extent(&node) {
            prop_assert!(x.is_finite() && y.is_finite());
            let inside = (-0.2..=view[2] + 0.2).contains(&x) && (-0.2..=view[3] + 0.2).contains(&y);
            prop_assert!(inside, "({x}, {y}) in {view:?}: {:?} {:?}", node, node.text());
        }
    }
    prop_assert!(!svg.contains("NaN") && !svg.contains("inf\""));
    let steering = svg.chars().find(|c| c.is_control() && *c != '\n' || "\u{202e}\u{2066}\u{2069}\u{ffff}".contains(*c));
    prop_assert_eq!(steering, None);
    Ok(())
}

fn bits(value: &Value) -> (u64, u64) {
    let (lower, upper) = value.ends(Measure::Linear).unwrap_or((f64::NAN, f64::NAN));
    (lower.to_bits(), upper.to_bits())
}

fn greatest(points: &[Point]) -> Option<f64> {
    points.iter().filter_map(|point| Some(point.value.ends(Measure::Linear)?.1)).max_by(f64::total_cmp)
}

fn least(points: &[Point]) -> Option<f64> {
    points.iter().filter_map(|point| Some(point.value.ends(Measure::Linear)?.0)).min_by(f64::total_cmp)
}

#[test]
fn every_sample_is_xml_within_its_bounds() {
    for (name, chart) in super::samples::all() {
        check(&chart.standalone()).unwrap_or_else(|error| panic!("{name}: {error}"));
        check(&chart.render().into_string()).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

proptest! {
    #[test]
    fn every_chart_is_xml_within_its_bounds(chart in any::chart()) {
        check(&chart.standalone())?;
        let summary = chart.summary();
        prop_assert!(!summary.is_empty() && !summary.chars().any(char::is_control));
    }

    #[test]
    fn every_sparkline_is_xml_within_its_bounds(points in any::points(40), width in 0..300_u32, height in 0..100_u32) {
        check(&sparkline(&points, Size { width, height }).into_string())?;
    }

    #[test]
    fn thinning_keeps_the_ends_and_the_extremes_in_order(points in any::points(120), most in 4..90_usize) {
        let kept = thin(&points, most);
        prop_assert!(kept.len() <= most.max(4) && kept.len() >= most.min(points.len()).min(4));
        prop_assert!(kept.windows(2).all(|pair| pair[0].period < pair[1].period));
        let ends = |points: &[Point]| points.first().zip(points.last()).map(|(first, last)| (first.period, last.period));
        prop_assert_eq!(ends(&kept), ends(&points));
        prop_assert_eq!(greatest(&kept).map(f64::to_bits), greatest(&points).map(f64::to_bits));
        prop_assert_eq!(least(&kept).map(f64::to_bits), least(&points).map(f64::to_bits));
        for point in &kept {
            prop_assert!(points.iter().any(|it| it.period == point.period && bits(&it.value) == bits(&point.value)));
        }
    }

    #[test]
    fn thinning_keeps_gaps_breaks_and_bounds_that_stand_alone(at in prop::collection::btree_set(1..1999_usize, 1..8)) {
        let mut points = super::samples::daily(2000).lines.remove(0).points;
        for (at, value) in at.iter().zip([Value::Missing, Value::Above(1.0), Value::Near(2.0), Value::Between(1.0, 2.0)].iter().cycle()) {
            points[*at].value = *value;
            points[*at].break_before = at % 2 == 0;
        }
        let kept = thin(&points, MOST_POINTS);
        prop_assert!(kept.len() > MOST_POINTS / 2 && kept.len() <= MOST_POINTS);
        for at in at {
            // Missing ones inside the long gap are part of its run.
            let alone = points[at].break_before || points[at - 1].value != points[at].value;
            prop_assert!(!alone || kept.iter().any(|it| it.period == points[at].period), "{at}");
        }
    }
}

#[test]
fn a_long_line_has_as_many_slots_as_points_drawn() {
    let drawn = super::samples::daily(5000).render().into_string();
    let slots = drawn.matches(r#"<g class="slot""#).count();
    assert!((MOST_POINTS * 3 / 4..=MOST_POINTS).contains(&slots), "{slots}");
}
