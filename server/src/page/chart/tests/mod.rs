//! What holds of every chart, and how some look.

mod any;
mod properties;
mod samples;

use indicator_proto::words::Language;

use super::{
    CSS, Chart, DARK, Kind, LIGHT, Point, Scale, Size, Value,
    frame::placed,
    scale::{Across, Height, Measure},
    sparkline,
};

/// The drawing without the rules of a file, an element a line.
fn lines(markup: &str) -> String {
    markup.replace("><", ">\n<")
}

#[test]
fn bars_show_bounds_intervals_and_gaps() {
    let mut chart = samples::digital();
    chart.size = samples::NARROW;
    insta::assert_snapshot!(lines(&chart.render().into_string()));
}

#[test]
fn lines_are_named_at_their_ends() {
    let mut chart = samples::compared();
    chart.lines.truncate(2);
    chart.lines.iter_mut().for_each(|line| line.points.truncate(4));
    insta::assert_snapshot!(lines(&chart.render().into_string()));
}

#[test]
fn a_sparkline_ends_in_a_mark() {
    let size = Size { width: 120, height: 32 };
    let mut points = samples::digital().lines.remove(0).points;
    insta::assert_snapshot!(lines(&sparkline(&points, size).into_string()));
    // Open where the last figure is a bound.
    points.truncate(3);
    assert!(sparkline(&points, size).into_string().contains(r#"<circle class="mark hollow""#));
    // One figure is a dot; none is nothing.
    points.truncate(1);
    let one = sparkline(&points, size).into_string();
    assert!(one.contains(r#"<circle class="mark" cx="60" cy="16""#) && !one.contains("<path"), "{one}");
    assert!(!sparkline(&[], size).into_string().contains("<circle"));
}

#[test]
fn a_chart_is_told_in_words() {
    let both =
        |chart: Chart| [Language::En, Language::Zh].map(|language| Chart { language, ..chart.clone() }.summary()).join("\n");
    let told = [samples::digital(), samples::vintages(), samples::log(), samples::empty()].map(both);
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn a_slot_has_the_words_of_every_line() {
    let drawn = samples::compared().render().into_string();
    assert!(drawn.contains("data-words=\"2016\nGuangdong: 73,000\nZhejiang: 84,000\nShandong &lt;b&gt;: "), "{drawn}");
    assert_eq!(drawn.matches(r#"<g class="slot""#).count(), 13);
}

#[test]
fn a_narrow_chart_has_fewer_ticks() {
    let ticks = |size| {
        let drawn = Chart { size, ..samples::daily(800) }.render().into_string();
        let x = drawn.split_once(r#"<g class="ticks x""#).unwrap().1.split_once("</g>").unwrap().0;
        x.matches("<text").count()
    };
    let (wide, narrow) = (ticks(samples::WIDE), ticks(samples::NARROW));
    assert!(narrow >= 2 && wide > narrow, "{wide} {narrow}");
}

#[test]
fn what_was_thinned_out_between_two_points_still_parts_them() {
    let points = samples::gdp().lines.remove(0).points;
    let across = Across::Time { from: 0.0, to: 1.0, left: 0.0, right: 1.0 };
    let height = Height { measure: Measure::Linear, least: 0.0, greatest: 1e14, bottom: 100.0, top: 0.0 };
    let second = |points: &[Point]| {
        let places = placed(points, &[0, 2], &across, &height);
        (places[1].joined, places[1].broken)
    };
    assert_eq!(second(&points), (true, false));
    let mut gap = points.clone();
    gap[1].value = Value::Missing;
    assert_eq!(second(&gap), (false, false));
    let mut broken = points;
    broken[1].break_before = true;
    assert_eq!(second(&broken), (false, true));
}

#[test]
fn few_figures_of_one_line_are_bars() {
    let bars = |chart: &Chart| chart.render().into_string().contains(r#"class="bar""#);
    let few = samples::digital();
    assert!(bars(&few));
    assert!(!bars(&Chart { kind: Kind::Line, ..few.clone() }) && !bars(&Chart { scale: Scale::Log, ..few }));
    assert!(!bars(&samples::gdp()) && bars(&Chart { kind: Kind::Bars, ..samples::gdp() }));
}

/// By the formula of WCAG 2.2.
fn contrast(one: &str, other: &str) -> f64 {
    let luminance = |colour: &str| {
        let channel = |at: usize| {
            let part = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    };
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    (one / other).max(other / one)
}

#[test]
fn every_colour_can_be_read_on_its_surface() {
    for theme in [LIGHT, DARK] {
        let surface = theme.iter().find(|(name, _)| *name == "--surface").unwrap().1;
        for (name, colour) in theme.iter().filter(|(name, _)| !["--surface", "--grid"].contains(name)) {
            assert!(contrast(colour, surface) >= 4.5, "{name} {colour} on {surface}: {}", contrast(colour, surface));
        }
    }
}

#[test]
fn the_rules_use_the_properties_of_a_theme_and_no_others() {
    for used in CSS.split("var(").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(LIGHT.iter().chain(&DARK).filter(|(name, _)| *name == used).count() == 2, "{used}");
    }
    assert!(!CSS.contains(['<', '&']), "rules stand in XML as they are");
    assert!(!samples::gdp().standalone().contains("var("));
}
