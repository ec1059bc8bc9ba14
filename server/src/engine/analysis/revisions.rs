//! How much first prints were revised: the recommended summary statistics of McKenzie and Gamba, "Interpreting the results of
//! Revision Analyses: Recommended Summary Statistics", OECD/Eurostat task force, 2008: <https://www.oecd.org/sdd/40315546.pdf>.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use indicator_proto::{Bound, Decimal, Period};

use super::exact::Exact;
use crate::{
    engine::{Axis, Effect, History, Vintage, vintages::timeline},
    store::Datum,
};

/// Cells that are told one by one.
const MOST_REVISED: usize = 10;

/// Microseconds.
const DAY: i64 = 86_400_000_000;

/// How much the figures of a series were revised.
#[derive(Debug, Clone, PartialEq)]
pub struct Revisions {
    /// Over all cells; `None` where no cell has a first and a latest figure.
    pub statistics: Option<RevisionStatistics>,
    /// Cells whose latest figure is another than the first, the most revised first.
    pub most_revised: Vec<RevisedCell>,
}

/// Statistics of revisions, latest figure less first print. Each is rounded once, to 28 digits, halves to even; `None` where it is not
/// defined.
#[derive(Debug, Clone, PartialEq)]
pub struct RevisionStatistics {
    /// Cells that they are over.
    pub cells: usize,
    /// Cells whose first or latest version has no exact figure.
    pub excluded: usize,
    /// In percent.
    pub share_revised: Option<Decimal>,
    /// A bias of first prints where it is far from 0.
    pub mean: Option<Decimal>,
    /// Of the sizes of revisions.
    pub mean_absolute: Option<Decimal>,
    /// Sizes of revisions in percent of the sizes of latest figures.
    pub relative_mean_absolute: Option<Decimal>,
    /// Of a sample.
    pub standard_deviation: Option<Decimal>,
    /// The most downward one.
    pub least: Option<Decimal>,
    /// The most upward one.
    pub greatest: Option<Decimal>,
    /// In percent.
    pub share_upward: Option<Decimal>,
    /// Between the first print and the latest version with another value, over the revised cells.
    pub median_days_to_latest: Option<Decimal>,
}

/// A cell and its revision.
#[derive(Debug, Clone, PartialEq)]
pub struct RevisedCell {
    /// The first print.
    pub first: Vintage,
    /// The latest version.
    pub latest: Vintage,
    /// Latest less first.
    pub revision: Option<Decimal>,
    /// In percent of the size of the latest; `None` where that is 0.
    pub percent: Option<Decimal>,
    /// Versions in all.
    pub versions: usize,
}

/// A cell whose first and latest versions have exact figures.
struct Cell<'a> {
    first: &'a Vintage,
    latest: &'a Vintage,
    size_of_latest: Exact,
    revision: Exact,
    versions: usize,
    /// Microseconds from the first print to the latest version with another value; `None` if there is none.
    until_latest_change: Option<i64>,
}

/// The revisions of the cells of a history whose periods count.
#[must_use]
pub fn revisions(history: &History, axis: Axis, counts: impl Fn(Period) -> bool) -> Revisions {
    let mut cells = Vec::new();
    let mut excluded = 0;
    for versions in history.cells().filter(|cell| cell.first().is_some_and(|v| counts(v.version.period))) {
        match Cell::of(versions, axis) {
            Some(cell) => cells.push(cell),
            None => excluded += 1,
        }
    }
    Revisions { statistics: statistics(&cells, excluded), most_revised: most_revised(&cells) }
}

impl<'a> Cell<'a> {
    /// `None` if there is no figure to begin or to end with.
    fn of(versions: &'a [Vintage], axis: Axis) -> Option<Self> {
        let events = timeline(versions, axis);
        let first = events.iter().find(|event| event.effect == Some(Effect::Inserted))?;
        let latest = events.last()?;
        let (from, to) = (exact(first.vintage)?, exact(latest.vintage)?);
        // Withdrawn and missing figures say nothing about the value; it is revised where the next one that is told is another.
        let told: Vec<_> = events.iter().filter_map(|event| Some((event.date, told(event.vintage)?))).collect();
        let mut changes = told.windows(2).filter(|pair| pair[0].1 != pair[1].1);
        Some(Self {
            first: first.vintage,
            latest: latest.vintage,
            size_of_latest: Exact::from(to).abs(),
            revision: Exact::from(to) - &Exact::from(from),
            versions: versions.len(),
            until_latest_change: changes.next_back().map(|pair| pair[1].0.micros() - first.date.micros()),
        })
    }

    fn percent(&self) -> Option<Decimal> {
        if self.size_of_latest.is_zero() {
            return None;
        }
        (self.revision.clone() * &Exact::count(100)).over(&self.size_of_latest)
    }
}

/// The figure of a version, where it is exact but for its rounding.
fn exact(vintage: &Vintage) -> Option<Decimal> {
    match vintage.version.figure.datum {
        Datum::Value(value, Bound::Exact) => Some(value),
        Datum::Value(..) | Datum::Interval(_) | Datum::Missing(_) | Datum::Withdrawn => None,
    }
}

/// What a version says of the value, if anything.
fn told(vintage: &Vintage) -> Option<Datum> {
    match vintage.version.figure.datum {
        datum @ (Datum::Value(..) | Datum::Interval(_)) => Some(datum),
        Datum::Missing(_) | Datum::Withdrawn => None,
    }
}

fn statistics(cells: &[Cell<'_>], excluded: usize) -> Option<RevisionStatistics> {
    let n = Exact::count(cells.len());
    let revisions = || cells.iter().map(|cell| &cell.revision);
    let (least, greatest) = (revisions().min()?, revisions().max()?);
    let sum = revisions().fold(Exact::ZERO, |sum, revision| sum + revision);
    let sizes = revisions().fold(Exact::ZERO, |sum, revision| sum + &revision.clone().abs());
    let squares = revisions().fold(Exact::ZERO, |sum, revision| sum + &(revision.clone() * revision));
    let latest = cells.iter().fold(Exact::ZERO, |sum, cell| sum + &cell.size_of_latest);
    let percent = |part: usize| Exact::count(100 * part).over(&n);
    // The sum of (r - mean)^2 is (n * sum of r^2 - (sum of r)^2) / n.
    let deviations = n.clone() * &squares - &(sum.clone() * &sum);
    Some(RevisionStatistics {
        cells: cells.len(),
        excluded,
        share_revised: percent(cells.iter().filter(|cell| cell.until_latest_change.is_some()).count()),
        mean: sum.over(&n),
        mean_absolute: sizes.over(&n),
        relative_mean_absolute: if latest.is_zero() { None } else { (sizes * &Exact::count(100)).over(&latest) },
        standard_deviation: match cells.len() {
            0 | 1 => None,
            many => deviations.root_over(&(n.clone() * &Exact::count(many - 1))),
        },
        least: least.rounded(),
        greatest: greatest.rounded(),
        share_upward: percent(revisions().filter(|revision| **revision > Exact::ZERO).count()),
        median_days_to_latest: median_days(cells),
    })
}

fn median_days(cells: &[Cell<'_>]) -> Option<Decimal> {
    let mut times: Vec<i64> = cells.iter().filter_map(|cell| cell.until_latest_change).collect();
    times.sort_unstable();
    let (low, high) = (times.get(times.len().checked_sub(1)? / 2)?, times.get(times.len() / 2)?);
    (Exact::from(Decimal::from(*low)) + &Exact::from(Decimal::from(*high))).over(&Exact::from(Decimal::from(2 * DAY)))
}

fn most_revised(cells: &[Cell<'_>]) -> Vec<RevisedCell> {
    let mut revised: Vec<(Option<Decimal>, &Cell<'_>)> =
        cells.iter().filter(|cell| !cell.revision.is_zero()).map(|cell| (cell.percent(), cell)).collect();
    // Any revision to 0 is beyond all percents. Stable: equal ones stay by period.
    revised.sort_by_key(|(percent, _)| percent.map(|percent| Reverse(percent.inner().abs())));
    let told = |(percent, cell): (Option<Decimal>, &Cell<'_>)| RevisedCell {
        first: cell.first.clone(),
        latest: cell.latest.clone(),
        revision: cell.revision.rounded(),
        percent,
        versions: cell.versions,
    };
    revised.into_iter().take(MOST_REVISED).map(told).collect()
}
