//! A series as a row of the table shows it: its latest figure, the one before, the way there.

use std::{cmp::Ordering, collections::BTreeMap, sync::Arc};

use indicator_proto::{
    Bound, Decimal, Extent, Frequency, Interval, Period, SeriesKey, Time,
    v1::{self, MissingReason, Observation, Unit, UnitKind},
    words::{Language, readable},
};

/// A figure and its period.
pub(crate) type Point = (Period, Arc<Observation>);

/// The figures of a series, of the frequency that its latest one has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Series {
    /// In the preferred picture without its source.
    pub(crate) key: SeriesKey,
    /// By period. Never empty.
    points: Vec<Point>,
}

/// How a figure stands to the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// More, as much or less. `None` where bounds leave that open.
    pub(crate) direction: Option<Ordering>,
    /// By how much: `+3.2%`. Empty where bounds leave that open.
    pub(crate) text: String,
}

impl Series {
    /// The series of a picture, by key.
    pub(crate) fn of<'a>(figures: impl IntoIterator<Item = (&'a SeriesKey, &'a str, &'a Arc<Observation>)>) -> Vec<Self> {
        let mut all: BTreeMap<&SeriesKey, Vec<Point>> = BTreeMap::new();
        for (series, period, figure) in figures {
            // The service knows periods of no other form.
            let Ok(period) = period.parse::<Period>() else { continue };
            all.entry(series).or_default().push((period, figure.clone()));
        }
        all.into_iter().filter_map(|(key, points)| Self::new(key.clone(), points)).collect()
    }

    /// `None` if there is no figure.
    pub(crate) fn new(key: SeriesKey, mut points: Vec<Point>) -> Option<Self> {
        let recent = |period: &Period| (period.end(), period.frequency());
        let latest = points.iter().map(|(period, _)| *period).max_by_key(recent)?;
        points.retain(|(period, _)| period.frequency() == latest.frequency());
        points.sort_by_key(|(period, _)| *period);
        Some(Self { key, points })
    }

    /// All of them, by period.
    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }

    /// The latest.
    pub(crate) fn latest(&self) -> &Point {
        self.points.last().expect("a series is never empty")
    }

    /// The figure of the period before the latest; among figures as of a day, the one before.
    pub(crate) fn before(&self) -> Option<&Point> {
        let before = self.points.len().checked_sub(2).map(|at| &self.points[at])?;
        let (latest, _) = self.latest();
        let daily = latest.frequency() == Frequency::Daily;
        Some(before).filter(|(period, _)| daily || Some(*period) == latest.pred())
    }

    /// How the latest figure stands to the one before it.
    pub(crate) fn change(&self, unit: Option<&Unit>, language: Language) -> Option<Change> {
        change(&self.before()?.1, &self.latest().1, unit, language)
    }

    /// When the latest figure was recorded.
    pub(crate) fn recorded_at(&self) -> Option<Time> {
        self.latest().1.recorded_at.as_ref().and_then(|time| Time::try_from(time).ok())
    }

    /// The last periods as levels from 0 to 1, with gaps where nothing is known.
    pub(crate) fn levels(&self, count: usize) -> Vec<Option<f64>> {
        let (latest, _) = self.latest();
        let first = latest.ordinal() - i32::try_from(count).unwrap_or(i32::MAX) + 1;
        let daily = latest.frequency() == Frequency::Daily;
        // Figures as of a day are far between: they stand side by side.
        let shown: Vec<(usize, f64)> = if daily {
            let points = &self.points[self.points.len().saturating_sub(count)..];
            let skip = count - points.len();
            points.iter().enumerate().filter_map(|(at, (_, figure))| Some((skip + at, height(figure)?))).collect()
        } else {
            let at = |period: &Period| usize::try_from(period.ordinal() - first).ok();
            self.points.iter().filter_map(|(period, figure)| Some((at(period)?, height(figure)?))).collect()
        };
        let (least, most) =
            shown.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), (_, it)| (least.min(*it), most.max(*it)));
        let mut levels = vec![None; count];
        for (at, value) in shown {
            levels[at] = Some(if most > least { (value - least) / (most - least) } else { 0.5 });
        }
        levels
    }
}

/// Where a figure stands in a drawing. `None` where there is none.
pub(crate) fn height(figure: &Observation) -> Option<f64> {
    match &figure.interval {
        Some(interval) => Some(f64::midpoint(interval.lower.parse().ok()?, interval.upper.parse().ok()?)),
        None => figure.value.parse().ok(),
    }
}

/// The true figures that a published one allows. `None` if it is no figure.
pub(crate) fn extent(figure: &Observation) -> Option<Extent> {
    if figure.deleted || figure.missing() != MissingReason::Unspecified {
        return None;
    }
    if let Some(interval) = &figure.interval {
        return Some(Interval::new(interval.lower.parse().ok()?, interval.upper.parse().ok()?).ok()?.into());
    }
    Some(Extent::of_value(figure.value.parse().ok()?, Bound::from(figure.bound()), figure.rounded_to.parse().ok()))
}

/// A figure that is a number, exact or about.
fn number(figure: &Observation) -> Option<Decimal> {
    let plain = matches!(figure.bound(), v1::Bound::Unspecified | v1::Bound::Exact | v1::Bound::Approximate);
    figure.value.parse().ok().filter(|_| plain)
}

/// How a figure stands to another. `None` where one of them is none.
fn change(old: &Observation, new: &Observation, unit: Option<&Unit>, language: Language) -> Option<Change> {
    let (was, is) = (extent(old)?, extent(new)?);
    if let Some((before, after)) = number(old).zip(number(new)) {
        // Of ranks, the lower is the better: a rise is one to the top.
        if unit.is_some_and(|unit| unit.kind() == UnitKind::Rank) {
            let direction = Some(before.inner().cmp(&after.inner()));
            return Some(Change { direction, text: format!("{before}→{after}") });
        }
        let about = [old, new].iter().any(|it| it.bound() == v1::Bound::Approximate);
        let about = if about { "≈ " } else { "" };
        let direction = Some(after.inner().cmp(&before.inner()));
        return Some(Change { direction, text: format!("{about}{}", amount(before, after, unit, language)) });
    }
    // Where no true figure is allowed by both, it is certain which is the greater, but not by how much.
    let apart = height(old).zip(height(new)).filter(|_| !was.can_equal(&is));
    Some(Change { direction: apart.and_then(|(old, new)| new.partial_cmp(&old)), text: String::new() })
}

/// By how much: in percent; of shares in percentage points.
fn amount(old: Decimal, new: Decimal, unit: Option<&Unit>, language: Language) -> String {
    let (old, new) = (old.inner(), new.inner());
    let kind = unit.map(Unit::kind).unwrap_or_default();
    let sign = match new.cmp(&old) {
        Ordering::Greater => "+",
        Ordering::Equal => return "0".to_owned(),
        Ordering::Less => "−",
    };
    let absolute = |ending: &str| {
        let size = new.checked_sub(old).map(|it| readable(&it.abs().normalize().to_string())).unwrap_or_default();
        format!("{sign}{size}{ending}")
    };
    match kind {
        UnitKind::Share => absolute(language.word(" pp", "个百分点")),
        _ => {
            let percent = new.checked_sub(old).and_then(|it| it.checked_div(old.abs())).and_then(|it| it.checked_mul(100.into()));
            match percent.map(|it| it.abs()) {
                None => absolute(""),
                Some(size) if size >= 1000.into() => format!("{sign}{}%", size.round_dp(0).normalize()),
                Some(size) if size >= 1.into() => format!("{sign}{}%", size.round_dp(1).normalize()),
                Some(size) => format!("{sign}{}%", size.round_sf(2).unwrap_or(size).normalize()),
            }
        }
    }
}
