//! Several sources report the same cell: which one is shown, and whether the others agree.

use std::cmp::Reverse;

use indicator_proto::{Extent, Period, SeriesKey};

use super::catalog::View;
use crate::store::{Datum, Figure, Version};

/// Order of preference among sources; the lowest wins.
pub(super) type SourceRank = (usize, u32);

/// The rank of a source for an indicator: the indicator's own order, then the source's precedence.
pub(super) fn source_rank(catalog: View<'_>, key: &SeriesKey) -> SourceRank {
    let order = catalog.indicator(&key.indicator).map_or(&[][..], |i| i.source_order.as_slice());
    let place = order.iter().position(|s| *s == key.source).unwrap_or(order.len());
    (place, catalog.source(&key.source).map_or(u32::MAX, |s| s.precedence))
}

/// What one source says of a cell.
#[derive(Clone, Copy)]
pub(super) struct Candidate<'a> {
    /// Index of the source's series.
    pub(super) series: usize,
    pub(super) rank: SourceRank,
    pub(super) version: &'a Version,
}

impl Candidate<'_> {
    /// Place among the candidates of a cell; the lowest is the preferred one.
    pub(super) fn preference(&self) -> impl Ord + use<> {
        // The series' place makes the choice certain where everything else is equal.
        (self.rank, Reverse(self.version.published_at), self.series)
    }
}

/// What all sources say of a cell.
pub(super) struct Verdict<'a> {
    pub(super) preferred: Candidate<'a>,
    pub(super) others: u32,
    pub(super) disagree: bool,
}

/// Chooses among what sources say of one cell. Withdrawn figures count for nothing, unless there is nothing else.
pub(super) fn choose<'a>(candidates: &[Candidate<'a>]) -> Option<Verdict<'a>> {
    let live: Vec<Candidate<'a>> = candidates.iter().filter(|c| !c.version.figure.is_withdrawn()).copied().collect();
    let field: &[Candidate<'a>] = if live.is_empty() { candidates } else { &live };
    let preferred = *field.iter().min_by_key(|candidate| candidate.preference())?;
    let others = live.len().saturating_sub(1) as u32;
    let disagree = live.iter().any(|c| c.series != preferred.series && !agree(&c.version.figure, &preferred.version.figure));
    Some(Verdict { preferred, others, disagree })
}

/// Whether both can be right. A missing figure contradicts nothing.
fn agree(a: &Figure, b: &Figure) -> bool {
    match (extent(a), extent(b)) {
        (Some(a), Some(b)) => a.can_equal(&b),
        _ => true,
    }
}

/// The true figures that a published one allows; `None` of one that says nothing.
pub(super) fn extent(figure: &Figure) -> Option<Extent> {
    match figure.datum {
        Datum::Value(value, bound) => Some(Extent::of_value(value, bound, figure.details.as_ref().and_then(|d| d.rounded_to))),
        Datum::Interval(interval) => Some(Extent::from(interval)),
        Datum::Missing(_) | Datum::Withdrawn => None,
    }
}

/// Walks the cells of several series, each sorted by period, period by period.
pub(super) fn by_period<'a>(series: &'a [(SourceRank, &'a [Version])], mut visit: impl FnMut(Period, &[Candidate<'a>])) {
    let mut all: Vec<(Period, Candidate<'a>)> = series
        .iter()
        .enumerate()
        .flat_map(|(index, &(rank, cells))| {
            cells.iter().map(move |version| (version.period, Candidate { series: index, rank, version }))
        })
        .collect();
    all.sort_by_key(|(period, candidate)| (*period, candidate.series));
    for cell in all.chunk_by(|a, b| a.0 == b.0) {
        let candidates: Vec<Candidate<'a>> = cell.iter().map(|(_, c)| *c).collect();
        visit(cell[0].0, &candidates);
    }
}

/// A period's place in "latest": the greatest last day, among equals the finer frequency.
pub(super) fn recency(period: Period) -> (jiff::civil::Date, indicator_proto::Frequency) {
    (period.end(), period.frequency())
}
