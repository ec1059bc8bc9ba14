//! Several periods as one.

use std::{collections::BTreeMap, sync::Arc};

use indicator_proto::{Decimal, Frequency, Period, v1::MissingReason};

use super::Method;
use crate::engine::analysis::{
    estimate::{Estimate, Outcome},
    line::{Line, Operand, Point},
};

type Unit = Option<Arc<str>>;

impl Method {
    fn formula(self) -> &'static str {
        match self {
            Self::Average => "sum(figures) / count(figures)",
            Self::Sum => "sum(figures)",
            Self::Last => "last(figures)",
            Self::First => "first(figures)",
            Self::Max => "max(figures)",
            Self::Min => "min(figures)",
        }
    }

    /// Of figures in the order of their periods. At least one.
    fn of(self, figures: &[Outcome]) -> Outcome {
        let mut all = figures.iter().copied();
        let first = all.next().unwrap_or(Err(MissingReason::NotAvailable))?;
        let fold =
            |one: fn(Estimate, Estimate) -> Outcome| figures[1..].iter().try_fold(first, |made, figure| one(made, (*figure)?));
        match self {
            Self::Sum => fold(Estimate::plus),
            Self::Average => fold(Estimate::plus)?.over(Estimate::exactly(Decimal::from(figures.len() as i64))),
            Self::Max => fold(Estimate::max),
            Self::Min => fold(Estimate::min),
            Self::First => Ok(first),
            Self::Last => all.next_back().unwrap_or(Ok(first)),
        }
    }
}

/// One figure made of several.
fn made(line: &Line, unit: &Unit, period: Period, method: Method, points: &[Arc<Point>]) -> Point {
    let figures: Vec<Outcome> = points.iter().map(|point| point.outcome).collect();
    let operands = points.iter().map(|point| Operand::new("figures", point)).collect();
    line.point(unit, period, method.formula(), operands, method.of(&figures))
}

pub(super) fn mean(line: &Line, unit: Unit, period: Period, points: &[Arc<Point>]) -> Point {
    made(line, &unit, period, Method::Average, points)
}

/// Each period with those before it, all of which must have a figure.
pub(super) fn rolling(line: Line, unit: Unit, periods: u32, method: Method) -> Line {
    line.map(unit.clone(), |line, point| {
        let first = i64::from(point.period().ordinal()) - i64::from(periods) + 1;
        let window = (first..=i64::from(point.period().ordinal())).map(|ordinal| {
            let period = Period::from_ordinal(point.period().frequency(), i32::try_from(ordinal).ok()?)?;
            Some(line.at_or_absent(period))
        });
        let window: Vec<Arc<Point>> = window.collect::<Option<_>>()?;
        Some(made(line, &unit, point.period(), method, &window))
    })
}

/// The year that a period belongs to.
fn year(period: Period) -> Option<Period> {
    if period.frequency() == Frequency::Annual { Some(period) } else { period.within(Frequency::Annual) }
}

/// The sum of the year up to and including each period, all of which must have a figure.
pub(super) fn cumulate(line: Line, unit: Unit) -> Line {
    line.map(unit.clone(), |line, point| {
        let period = point.period();
        let before = std::iter::successors(Some(period), |p| p.pred()).take_while(|p| year(*p) == year(period));
        let mut window: Vec<Arc<Point>> = before.map(|period| line.at_or_absent(period)).collect();
        window.reverse();
        Some(made(line, &unit, period, Method::Sum, &window))
    })
}

/// Each figure less that of the period before in the same year.
pub(super) fn decumulate(line: Line, unit: Unit) -> Line {
    line.map(unit.clone(), |line, point| {
        let period = point.period();
        let current = Operand::new("current", point);
        let Some(before) = period.pred().filter(|before| year(*before) == year(period)) else {
            return Some(line.point(&unit, period, "current", vec![current], point.outcome));
        };
        let before = line.at_or_absent(before);
        let outcome = point.outcome.and_then(|now| now.minus(before.outcome?));
        let operands = vec![current, Operand::new("previous", &before)];
        Some(line.point(&unit, period, "current - previous", operands, outcome))
    })
}

/// To a lower frequency: what is recorded for the longer periods, and what the longest of the shorter ones make.
pub(super) fn aggregate(line: Line, unit: Unit, frequency: Frequency, method: Method, whole: bool) -> Line {
    // Of one longer period: the figures of each shorter frequency, the longest first.
    let mut shorter: BTreeMap<Period, BTreeMap<Frequency, Vec<Arc<Point>>>> = BTreeMap::new();
    let mut points: BTreeMap<Period, Arc<Point>> = BTreeMap::new();
    for point in &line.points {
        if point.period().frequency() == frequency {
            points.insert(point.period(), Arc::clone(point));
        } else if let Some(longer) = point.period().within(frequency) {
            shorter.entry(longer).or_default().entry(point.period().frequency()).or_default().push(Arc::clone(point));
        }
    }
    for (longer, by_frequency) in shorter {
        if points.contains_key(&longer) {
            continue;
        }
        let Some((part, figures)) = by_frequency.into_iter().next() else { continue };
        let expected = longer.parts(part).count();
        let (known, missing): (Vec<_>, Vec<_>) = figures.into_iter().partition(|point| point.outcome.is_ok());
        if whole && known.len() < expected {
            continue;
        }
        let of = if known.is_empty() { &missing } else { &known };
        let point = made(&line, &unit, longer, method, of).covering(known.len(), expected);
        points.insert(longer, Arc::new(point));
    }
    Line { unit, points: points.into_values().collect(), ..line }
}
