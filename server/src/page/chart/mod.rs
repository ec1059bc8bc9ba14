//! Charts as SVG: pure functions from figures to markup.
//!
//! A chart shows what is known and how well. A bound is an open mark with an arrow away from it, an interval a span with end caps, an
//! approximation a hollow diamond; a missing figure is a gap in the line and a cross at the axis; what is provisional is dashed; a
//! break in the series is a dotted rule. Compared lines differ by colour and by the shape of their marks, and carry their names.
//!
//! The page styles by class, with the rules of [`CSS`] and the properties of [`LIGHT`] or [`DARK`].

mod bars;
mod draw;
mod frame;
mod labels;
mod line;
mod marks;
mod scale;
mod spark;
mod summary;
#[cfg(test)]
mod tests;
mod text;
mod thin;
mod ticks;

use indicator_proto::{Period, words::Language};
use maud::{Markup, PreEscaped, html};

pub use self::{spark::sparkline, thin::thin};

/// The rules of charts for a page's style sheet. They use the properties of [`LIGHT`] and [`DARK`].
pub const CSS: &str = include_str!("chart.css");

/// The properties of the light theme. Each colour of a line has a contrast of 4.5 to the surface, so that its label can be read.
pub const LIGHT: [(&str, &str); 12] = [
    ("--ink", "#1a1f26"),
    ("--muted", "#59626e"),
    ("--grid", "#e1e5ea"),
    ("--surface", "#ffffff"),
    ("--line-0", "#0068a8"),
    ("--line-1", "#bf4a00"),
    ("--line-2", "#007a58"),
    ("--line-3", "#a8457f"),
    ("--line-4", "#866000"),
    ("--line-5", "#5b4fc4"),
    ("--line-6", "#3d444d"),
    ("--line-7", "#8c1d40"),
];

/// The properties of the dark theme.
pub const DARK: [(&str, &str); 12] = [
    ("--ink", "#e8ecf1"),
    ("--muted", "#9aa5b1"),
    ("--grid", "#29323d"),
    ("--surface", "#10151c"),
    ("--line-0", "#56b4e9"),
    ("--line-1", "#f58a4b"),
    ("--line-2", "#2bc79a"),
    ("--line-3", "#e08bbf"),
    ("--line-4", "#e6b422"),
    ("--line-5", "#a9a2f7"),
    ("--line-6", "#d5dbe2"),
    ("--line-7", "#ff7b8a"),
];

/// Points that are drawn of a line, at most: a point for every two units of a wide chart.
pub const MOST_POINTS: usize = 400;

/// A chart.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Of its words.
    pub language: Language,
    /// What it shows. Heard by a screen reader, and printed in a file.
    pub title: String,
    /// Printed at the axis; empty for none.
    pub unit: String,
    /// Each in the order of time.
    pub lines: Vec<Line>,
    /// Of the figures.
    pub scale: Scale,
    /// How they are drawn.
    pub kind: Kind,
    /// The coordinates of the drawing.
    pub size: Size,
    /// Begins every id of the SVG; unique in the document.
    pub id: String,
}

/// How figures are spread over the height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences look equal.
    Linear,
    /// Equal ratios look equal. Figures that are not above zero have no place on it, and count as missing; without any other the
    /// chart is linear.
    Log,
}

/// How figures are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As bars where there is one line of eight points or fewer on a linear scale, as lines otherwise.
    Auto,
    /// As lines.
    Line,
    /// As bars from zero.
    Bars,
}

/// The coordinates of a drawing; it is shown at any size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Units across. Below 600 a chart has fewer ticks and shorter labels.
    pub width: u32,
    /// Units down.
    pub height: u32,
}

/// A series of a chart.
#[derive(Debug, Clone)]
pub struct Line {
    /// Printed at its end where there are several.
    pub label: String,
    /// What it is to the chart.
    pub role: Role,
    /// In the order of time.
    pub points: Vec<Point>,
}

/// What a line is to its chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// What the chart is about.
    Main,
    /// A region or source that it is compared with, by number.
    Other(u8),
    /// As known at an earlier time, by number: thin and dashed.
    Vintage(u8),
}

/// A figure of a period.
#[derive(Debug, Clone)]
pub struct Point {
    /// Its time.
    pub period: Period,
    /// The figure.
    pub value: Value,
    /// Provisional, estimated or forecast: the line is dashed up to it.
    pub provisional: bool,
    /// It cannot be compared with the one before.
    pub break_before: bool,
    /// The figure in words with its unit.
    pub words: String,
}

/// A figure as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// It is this number. One that is not finite, or whose size is beyond 1e100, counts as missing; so in all of them.
    Exact(f64),
    /// More than this, or this at least.
    Above(f64),
    /// Less than this, or this at most.
    Below(f64),
    /// About this.
    Near(f64),
    /// From one to the other.
    Between(f64, f64),
    /// There is none.
    Missing,
}

impl Chart {
    /// `<svg class="chart">` for a page that has the rules of [`CSS`].
    ///
    /// Each place on the time axis is a `<g class="slot" data-x data-period data-words>` in order, with a `<rect class="hit">` and
    /// a `<title>`; the lines of `data-words` are separated by line feeds.
    #[must_use]
    pub fn render(&self) -> Markup {
        draw::chart(self, false)
    }

    /// An SVG file: with the title, and with its own style, that of the light theme.
    #[must_use]
    pub fn standalone(&self) -> String {
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", draw::chart(self, true).into_string())
    }

    /// What a screen reader is told: the span, the first, last, greatest and least figures, gaps and bounds.
    #[must_use]
    pub fn summary(&self) -> String {
        summary::of(self)
    }
}

/// The style of a file. The properties are put into the rules, since programs that draw SVG seldom know properties.
fn style() -> Markup {
    let rules = LIGHT.iter().fold(CSS.to_owned(), |css, (name, value)| css.replace(&format!("var({name})"), value));
    html! { style { (PreEscaped(rules)) } }
}
