//! Cells of which sources say what cannot all be true.
//!
//! Two figures agree if some true figure is allowed by both, as for the preferred source; a tolerance lets each reach further to
//! both sides. Only recorded figures are compared, each as its source published it.

use std::{ops::Bound as End, sync::Arc};

use indicator_proto::{Decimal, Extent, Period, SeriesKey};

use super::{
    arithmetic::{self, Rounding},
    reading::{Reading, allows, without_source},
};
use crate::{
    engine::{
        Cursor, Error, Filter, Sources,
        preferred::{Candidate, SourceRank, by_period, extent, source_rank},
        read,
    },
    store::Version,
};

/// As many cells are read for one page at most: a caller who waits for the next disagreement in a store that has few must not wait
/// for all of it.
const CELLS_PER_PAGE: usize = 1_000_000;

/// How far apart figures may be and still agree. Either way is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tolerance {
    /// In the unit of the indicator.
    pub absolute: Decimal,
    /// In percent of the greater of the two in size.
    pub percent: Decimal,
}

/// Asks for disagreements.
#[derive(Debug, Clone)]
pub struct DiscrepancyQuery {
    /// Of which cells; with named sources, among these.
    pub filter: Filter,
    /// What is no disagreement.
    pub tolerance: Tolerance,
    /// At most this many; at least 1.
    pub page_size: usize,
    /// Go on after this cell.
    pub after: Option<Cursor>,
}

/// A cell of which sources say what cannot all be true.
#[derive(Debug, Clone, PartialEq)]
pub struct Discrepancy {
    /// The series, without a source.
    pub key: Arc<SeriesKey>,
    /// The period.
    pub period: Period,
    /// What each source says, by preference.
    pub sides: Vec<(Arc<SeriesKey>, Version)>,
    /// Between the two that are furthest apart.
    pub gap: Gap,
}

/// How far apart two figures are at least, that cannot be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// In the unit of the indicator.
    pub absolute: Decimal,
    /// In percent of the greater of the two in size.
    pub percent: Decimal,
    /// They are further apart than that, however little.
    further: bool,
}

impl Gap {
    /// `None` where some true figure is allowed by both.
    fn between(a: &Extent, b: &Extent) -> Option<Self> {
        if a.can_equal(b) {
            return None;
        }
        // What cannot be equal lies side by side.
        Self::from_to(a.upper(), b.lower()).or_else(|| Self::from_to(b.upper(), a.lower()))
    }

    /// Between the end of one figure and the beginning of another above it.
    fn from_to(below: End<Decimal>, above: End<Decimal>) -> Option<Self> {
        let ((below, reached), (above, begun)) = (number(below)?, number(above)?);
        if below > above {
            return None;
        }
        let way = arithmetic::add(above, arithmetic::negated(below), Rounding::Nearest);
        // Only numbers of 28 digits on both sides of zero are further apart than any number is from it.
        let absolute = way.unwrap_or(above.max(arithmetic::negated(below)));
        let size = |number: Decimal| if number.is_negative() { arithmetic::negated(number) } else { number };
        let greater = size(below).max(size(above));
        let hundredfold = arithmetic::mul(absolute, Decimal::from(100), Rounding::Nearest);
        let percent = hundredfold.filter(|_| !greater.is_zero()).and_then(|it| arithmetic::div(it, greater, Rounding::Nearest));
        Some(Self { absolute, percent: percent.unwrap_or(Decimal::from(0)), further: !(reached && begun) })
    }
}

/// The number of an end, and whether it is allowed itself.
fn number(end: End<Decimal>) -> Option<(Decimal, bool)> {
    match end {
        End::Included(number) => Some((number, true)),
        End::Excluded(number) => Some((number, false)),
        End::Unbounded => None,
    }
}

impl Tolerance {
    /// Whether a gap is so small that the figures agree.
    fn bridges(&self, gap: &Gap) -> bool {
        let within = |distance: Decimal, most: Decimal| distance < most || (distance == most && !gap.further);
        within(gap.absolute, self.absolute) || within(gap.percent, self.percent)
    }

    /// The widest gap among figures that is not bridged.
    fn widest(&self, extents: &[Extent]) -> Option<Gap> {
        let pairs = extents.iter().enumerate().flat_map(|(index, a)| extents[index + 1..].iter().map(move |b| (a, b)));
        pairs.filter_map(|(a, b)| Gap::between(a, b)).filter(|gap| !self.bridges(gap)).max()
    }
}

/// Series of several sources that report on the same.
struct Subject {
    /// The first of them in the order of creation.
    first: u32,
    series: Vec<(u32, Arc<SeriesKey>)>,
}

impl Reading<'_> {
    /// A page of disagreements, by series in order of creation, then period; and where the next page goes on, if there may be one.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub fn discrepancies(&self, query: &DiscrepancyQuery) -> Result<(Vec<Discrepancy>, Option<Cursor>), Error> {
        let mut series = query.filter.series(self.catalog(), &self.shared().index());
        if let Some(after) = query.after {
            series.remove_range(..after.series);
        }
        let (mut found, mut read) = (Vec::new(), 0);
        for id in series {
            let Some(subject) = self.contested(id, &query.filter.sources) else { continue };
            if read >= CELLS_PER_PAGE {
                // Everything before this subject has been told.
                return Ok((found, Some(Cursor::before(subject.first))));
            }
            let (of_subject, cells) = self.disagreements(&subject, query)?;
            read += cells;
            for discrepancy in of_subject {
                let cursor = Cursor::new(subject.first, discrepancy.period);
                if query.after.is_some_and(|after| !after.is_before(subject.first, discrepancy.period)) {
                    continue;
                }
                found.push(discrepancy);
                if found.len() == query.page_size {
                    return Ok((found, Some(cursor)));
                }
            }
        }
        Ok((found, None))
    }

    /// The subject of a series, where several sources take part in it and the series is the first of theirs.
    fn contested(&self, id: u32, sources: &Sources) -> Option<Subject> {
        let index = self.shared().index();
        let all = index.same_subject(index.key(id));
        if all.len() < 2 {
            return None;
        }
        let series = all.iter().map(|&id| (id, Arc::clone(index.key(id)))).filter(|(_, key)| allows(sources, &key.source));
        let series: Vec<_> = series.collect();
        (series.len() >= 2 && series[0].0 == id).then_some(Subject { first: id, series })
    }

    /// The disagreements on a subject, by period, and how many cells were read.
    fn disagreements(&self, subject: &Subject, query: &DiscrepancyQuery) -> Result<(Vec<Discrepancy>, usize), Error> {
        let cells = subject.series.iter().map(|(id, _)| read::cells_uncached(self.shared(), *id, self.moment()));
        let cells = cells.collect::<Result<Vec<_>, _>>()?;
        let view = self.catalog();
        let ranked: Vec<(SourceRank, &[Version])> =
            subject.series.iter().zip(&cells).map(|((_, key), cells)| (source_rank(view, key), &**cells)).collect();
        let mut found = Vec::new();
        by_period(&ranked, |period, candidates| {
            if !query.filter.takes(period) {
                return;
            }
            let mut sides: Vec<&Candidate<'_>> = candidates.iter().filter(|c| !c.version.figure.is_withdrawn()).collect();
            let extents: Vec<Extent> = sides.iter().filter_map(|side| extent(&side.version.figure)).collect();
            let Some(gap) = query.tolerance.widest(&extents) else { return };
            sides.sort_by_key(|side| side.preference());
            let side = |side: &&Candidate<'_>| (Arc::clone(&subject.series[side.series].1), side.version.clone());
            let key = without_source(&subject.series[0].1);
            found.push(Discrepancy { key, period, sides: sides.iter().map(side).collect(), gap });
        });
        Ok((found, cells.iter().map(|cells| cells.len()).sum()))
    }
}

#[cfg(test)]
mod tests;
