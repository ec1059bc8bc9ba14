//! What is where: the room for words, the axes, and the place of each point.

use indicator_proto::{Period, words::Language};

use super::{
    Chart, Kind, Line, MOST_POINTS, Point, Role, Scale, Value,
    labels::{self, Sign},
    marks::ARROW,
    scale::{Across, Height, Measure, end, middle, start},
    text, thin,
    ticks::{self, Tick},
};

/// Colours of the palette.
const COLOURS: u8 = 8;

/// A line of so few points is drawn as bars where the chart may choose.
const FEW: usize = 8;

/// Beside one another where time would leave bars less than this.
const LEAST_BAR: f64 = 18.0;

/// A drawing smaller than this has no room for axes.
const LEAST: (u32, u32) = (200, 150);

/// The room of a chart, and the places in it.
pub(super) struct Frame<'a> {
    pub(super) chart: &'a Chart,
    pub(super) width: f64,
    pub(super) depth: f64,
    /// Of letters.
    pub(super) size: f64,
    pub(super) narrow: bool,
    pub(super) bars: bool,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) height: Height,
    /// Figures marked, with their words.
    pub(super) rows: Vec<(f64, String)>,
    pub(super) columns: Vec<Tick>,
    /// Where the axis leaps over time.
    pub(super) skips: Vec<f64>,
    pub(super) drawn: Vec<Drawn<'a>>,
    /// What is explained under the chart, by rows.
    pub(super) key: Vec<Vec<Sign>>,
    /// The least distance of periods across.
    pub(super) gap: f64,
}

/// A line with the places of its points.
pub(super) struct Drawn<'a> {
    pub(super) line: &'a Line,
    /// Its number among lines of its kind: its colour, or its dashes.
    pub(super) number: u8,
    pub(super) places: Vec<Place<'a>>,
}

/// A point and its place.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) point: &'a Point,
    pub(super) x: f64,
    /// Of the lower and the upper end; none where there is no figure to draw.
    pub(super) ends: Option<(f64, f64)>,
    /// Neither a gap nor a break lies between it and the one before.
    pub(super) joined: bool,
    /// A break lies there.
    pub(super) broken: bool,
}

impl Place<'_> {
    /// Where the line passes.
    pub(super) fn y(&self) -> Option<f64> {
        self.ends.map(|(lower, upper)| lower.midpoint(upper))
    }
}

impl Line {
    /// The number of its colour; of a line of earlier knowledge, that of its dashes.
    pub(super) fn number(&self) -> u8 {
        match self.role {
            Role::Main => 0,
            Role::Other(number) => 1 + number % (COLOURS - 1),
            Role::Vintage(number) => number,
        }
    }

    /// The number of the shape of its marks. Lines of the same colour have different ones.
    pub(super) fn shape(&self) -> u8 {
        match self.role {
            Role::Main | Role::Vintage(_) => 0,
            Role::Other(number) => (1 + number % COLOURS + number / (COLOURS - 1) * 2) % COLOURS,
        }
    }

    pub(super) fn is_vintage(&self) -> bool {
        matches!(self.role, Role::Vintage(_))
    }
}

/// The measure of a chart: linear also where no figure has a place on a log scale.
pub(super) fn measure(chart: &Chart) -> Measure {
    let on_log = |point: &Point| point.value.ends(Measure::Log).is_some();
    match chart.scale {
        Scale::Log if chart.lines.iter().flat_map(|line| &line.points).any(on_log) => Measure::Log,
        _ => Measure::Linear,
    }
}

/// Whether it is drawn as bars.
pub(super) fn is_bars(chart: &Chart) -> bool {
    match (chart.kind, chart.lines.as_slice()) {
        (Kind::Line, _) => false,
        (Kind::Bars, _) => true,
        (Kind::Auto, [line]) => line.points.len() <= FEW && measure(chart) == Measure::Linear,
        (Kind::Auto, _) => false,
    }
}

/// A line before it has places.
struct Kept<'a> {
    line: &'a Line,
    at: Vec<usize>,
}

impl<'a> Frame<'a> {
    pub(super) fn of(chart: &'a Chart, file: bool) -> Self {
        let measure = measure(chart);
        let bars = is_bars(chart);
        let (width, depth) = (f64::from(chart.size.width.max(LEAST.0)), f64::from(chart.size.height.max(LEAST.1)));
        let narrow = width < 600.0;
        let size = if narrow { 12.0 } else { 13.0 };
        let kept: Vec<Kept> =
            chart.lines.iter().map(|line| Kept { line, at: thin::kept(&line.points, MOST_POINTS, measure) }).collect();
        let points = || kept.iter().flat_map(|it| it.at.iter().map(|at| &it.line.points[*at]));

        // Down: the title of a file, the unit, the drawing, the words of periods, the key.
        let key = labels::key(chart, bars, measure, size, width);
        let title = if file { size * 2.4 } else { 0.0 };
        let unit = if chart.unit.is_empty() { size * 0.9 } else { size * 2.0 };
        let top = title + unit;
        let bottom = depth - size * 2.1 - key.len() as f64 * size * 1.6 - 2.0;

        let ends: Vec<(f64, f64)> = points().filter_map(|point| point.value.ends(measure)).collect();
        let about = ((bottom - top) / if narrow { 46.0 } else { 58.0 }).max(2.0) as usize;
        let marked = marked(&ends, measure, bars, about);
        let words = ticks::figures(&marked.figures, size, width * 0.4 - size, chart.language);
        let widest = words.iter().map(|it| text::width(it, size)).fold(0.0, f64::max);
        let left = widest + size;
        let right = width - labels::room(chart, bars, width, size);

        let height = Height { measure, least: marked.ends.0, greatest: marked.ends.1, bottom, top: top + size * 0.4 };
        let height = with_room(height, points(), bars, size);

        let mut periods: Vec<Period> = points().map(|point| point.period).collect();
        periods.sort_by(|a, b| middle(*a).total_cmp(&middle(*b)));
        periods.dedup();
        let (across, gap) = across(&periods, bars, left, right);
        let columns = match &across {
            Across::Side { periods, .. } => beside(periods, &across, size, chart.language),
            Across::Time { .. } if bars => {
                let each = beside(&periods, &across, size, chart.language);
                if each.len() == periods.len() { each } else { ticks::calendar(&periods, &across, size, chart.language) }
            }
            Across::Time { .. } => ticks::calendar(&periods, &across, size, chart.language),
        };
        let skips = match &across {
            Across::Side { periods, .. } => skips(periods, &across),
            Across::Time { .. } => Vec::new(),
        };
        let drawn = kept
            .iter()
            .map(|Kept { line, at }| {
                let places = placed(&line.points, at, &across, &height);
                Drawn { line, number: line.number(), places }
            })
            .collect();
        let rows = marked.figures.into_iter().map(|figure| height.of(figure)).zip(words).collect();
        Self { chart, width, depth, size, narrow, bars, left, right, top, bottom, height, rows, columns, skips, drawn, key, gap }
    }

    pub(super) fn language(&self) -> Language {
        self.chart.language
    }

    /// Nothing has a place.
    pub(super) fn is_empty(&self) -> bool {
        self.drawn.iter().all(|line| line.places.iter().all(|place| place.ends.is_none()))
    }
}

/// With room for the arrows of bounds and the words of bars beyond the outermost figures.
fn with_room<'a>(height: Height, points: impl Iterator<Item = &'a Point>, bars: bool, size: f64) -> Height {
    let (mut above, mut below) = (0.0_f64, 0.0_f64);
    for point in points {
        let Some((lower, upper)) = point.value.ends(height.measure) else { continue };
        let (lower, upper) = (height.of(lower), height.of(upper));
        let arrow = |is: bool| if is { ARROW + 2.0 } else { 0.0 };
        let words = match point.value {
            _ if !bars => 0.0,
            Value::Between(..) => size * 2.8,
            _ => size * 1.6,
        };
        let zero = if height.least < 0.0 && bars { height.of(0.0) } else { height.bottom };
        if upper <= zero {
            above = above.max(arrow(matches!(point.value, Value::Above(_))) + words - (upper - height.top));
        }
        if lower > zero || !bars {
            below = below.max(arrow(matches!(point.value, Value::Below(_))) + words - (height.bottom - lower));
        }
    }
    Height { top: height.top + above, bottom: height.bottom - below, ..height }
}

/// The marks of the axis of figures.
fn marked(ends: &[(f64, f64)], measure: Measure, bars: bool, about: usize) -> ticks::Marked {
    let least = ends.iter().map(|it| it.0).fold(f64::INFINITY, f64::min);
    let greatest = ends.iter().map(|it| it.1).fold(f64::NEG_INFINITY, f64::max);
    if ends.is_empty() {
        return ticks::Marked { figures: Vec::new(), ends: (0.0, 1.0) };
    }
    if measure == Measure::Log {
        return ticks::log(least, greatest, about);
    }
    let zero = bars || ticks::from_zero(least, greatest);
    let (least, greatest) = if zero { (least.min(0.0), greatest.max(0.0)) } else { (least, greatest) };
    ticks::linear(least, greatest, about, ends.iter().all(|it| it.0.fract() == 0.0 && it.1.fract() == 0.0))
}

/// The time axis of these periods, in order, and their least distance on it.
pub(super) fn across(periods: &[Period], bars: bool, left: f64, right: f64) -> (Across, f64) {
    let wide = right - left;
    let (Some(first), Some(last)) = (periods.first(), periods.last()) else {
        return (Across::Time { from: 0.0, to: 1.0, left, right }, wide);
    };
    let least = |across: &Across| {
        let places: Vec<f64> = periods.iter().map(|it| across.of(*it)).collect();
        places.windows(2).map(|pair| pair[1] - pair[0]).fold(wide, f64::min)
    };
    if !bars {
        // A margin for the marks of the outermost points; one point alone stands in the middle of it.
        let (left, right) = (left + 8.0, right - 8.0);
        let (from, to) = (middle(*first), middle(*last));
        let (from, to) = if to > from { (from, to) } else { (start(*first), end(*last)) };
        let across = Across::Time { from, to, left, right };
        let gap = least(&across);
        return (across, gap);
    }
    let half = periods.windows(2).map(|pair| middle(pair[1]) - middle(pair[0])).fold(f64::INFINITY, f64::min) / 2.0;
    let half = if half.is_finite() { half } else { (end(*last) - start(*first)) / 2.0 };
    let by_time = Across::Time { from: middle(*first) - half, to: middle(*last) + half, left, right };
    let gap = least(&by_time);
    let each = wide / periods.len() as f64;
    if gap >= LEAST_BAR || gap > each * 0.7 {
        return (by_time, gap);
    }
    (Across::Side { periods: periods.to_vec(), left, right }, each)
}

/// Places between periods that do not follow one another.
fn skips(periods: &[Period], across: &Across) -> Vec<f64> {
    let leaps = periods.windows(2).filter(|pair| start(pair[1]) > end(pair[0]));
    leaps.map(|pair| across.of(pair[0]).midpoint(across.of(pair[1]))).collect()
}

/// The words of every period, or of every second, third… where they have no room.
fn beside(periods: &[Period], across: &Across, size: f64, language: Language) -> Vec<Tick> {
    let of = |it: &Period| Tick { x: across.of(*it), words: indicator_proto::words::period(*it, language) };
    let each = |step: usize| periods.iter().step_by(step).map(of).collect::<Vec<_>>();
    (1..=periods.len()).map(each).find(|found| ticks::room(found, size)).unwrap_or_default()
}

/// The places of the points kept of all of a line.
pub(super) fn placed<'a>(all: &'a [Point], kept: &[usize], across: &Across, height: &Height) -> Vec<Place<'a>> {
    let gone = |point: &Point| point.value.ends(height.measure).is_none();
    let mut before: Option<usize> = None;
    let places = kept.iter().map(|at| {
        let point = &all[*at];
        // What was thinned out between two points still parts them.
        let since = &all[before.map_or(*at, |before| before + 1)..=*at];
        let broken = before.is_some() && since.iter().any(|it| it.break_before);
        let joined = before.is_some_and(|before| !gone(&all[before])) && !broken && !since.iter().any(gone);
        before = Some(*at);
        let ends = point.value.ends(height.measure).map(|(lower, upper)| (height.of(lower), height.of(upper)));
        Place { point, x: across.of(point.period), ends, joined, broken }
    });
    places.collect()
}
