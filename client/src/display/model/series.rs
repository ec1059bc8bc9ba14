//! A series as a row of the table shows it: its latest figure, the one before, the way there.

use std::{collections::BTreeMap, sync::Arc};

use indicator_proto::{
    Bound, Extent, Frequency, Interval, Period, SeriesKey, Time,
    v1::{MissingReason, Observation, Unit},
    words::{Growth, Language, growth},
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
    pub(crate) fn change(&self, unit: Option<&Unit>, language: Language) -> Option<Growth> {
        growth(&self.before()?.1, &self.latest().1, unit.map(Unit::kind).unwrap_or_default(), language)
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
