//! Regions in order of a figure.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use indicator_proto::{Decimal, Period};

use super::{
    estimate::{End, Estimate, Span},
    line::Point,
    reading::{Reading, sources_of},
    selection::{CrossSection, RegionSelection},
};
use crate::engine::Error;

/// Asks for rankings.
#[derive(Debug, Clone, Default)]
pub struct RankQuery {
    /// Of what.
    pub selection: RegionSelection,
    /// The least figure is first; else the greatest is.
    pub least_first: bool,
}

/// Regions in order, of one period or of the latest of each.
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    /// `None` for the latest of each.
    pub period: Option<Period>,
    /// By figure as published, first to last; equals by region id.
    pub rows: Vec<RankRow>,
    /// Regions without a figure to rank, by id.
    pub unranked: Vec<String>,
    /// The figures are of these periods.
    pub periods: BTreeSet<Period>,
    /// The figures are of these sources, by id.
    pub sources: BTreeSet<String>,
    /// Unit id.
    pub unit: Arc<str>,
}

/// The place of a region.
#[derive(Debug, Clone)]
pub struct RankRow {
    /// The figure, of the region.
    pub point: Arc<Point>,
    /// The best rank that it can have, and the worst.
    pub rank: (u32, u32),
    /// Another region certainly has the same figure.
    pub tied: bool,
    /// The lowest percentile rank that it can have, and the highest: in percent, to 2 decimals.
    pub percentile: (Decimal, Decimal),
}

impl RankRow {
    /// The region's id.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.point.key.region
    }
}

impl Reading<'_> {
    /// The rankings of a selection: one, or one for each period that any region has a figure for.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if steps do not fit the indicator; [`Error::Store`].
    pub fn rank(&self, query: &RankQuery) -> Result<Vec<Ranking>, Error> {
        let figures = self.region_figures(&query.selection)?;
        let ranking = |section| Ranking::new(section, query.least_first, Arc::clone(&figures.unit));
        Ok(figures.cross_sections().into_iter().map(ranking).collect())
    }

    /// A ranking of one period, or of the latest of each region, after figures of these regions have changed and nothing else has;
    /// `None` if none of them is in it, so that it is as it was.
    pub(super) fn rank_again(
        &self,
        query: &RankQuery,
        before: &Ranking,
        regions: &BTreeSet<&str>,
    ) -> Result<Option<Ranking>, Error> {
        let plan = self.region_plan(&query.selection)?;
        if !plan.stays_in_region() {
            return Ok(self.rank(query)?.pop());
        }
        let ranked = before.rows.iter().map(|row| (row.region(), Some(&row.point)));
        let mut figures: BTreeMap<&str, Option<Arc<Point>>> = ranked.map(|(region, point)| (region, point.cloned())).collect();
        figures.extend(before.unranked.iter().map(|region| (region.as_str(), None)));
        let mut touched = false;
        for region in regions {
            if let Some(figure) = figures.get_mut(region) {
                *figure = self.region_figure(&query.selection, &plan, region)?;
                touched = true;
            }
        }
        let section = CrossSection::of(before.period, figures);
        Ok(touched.then(|| Ranking::new(section, query.least_first, Arc::clone(&before.unit))))
    }
}

impl Ranking {
    fn new(section: CrossSection<'_>, least_first: bool, unit: Arc<str>) -> Self {
        // Figures that are to be least are turned round: then the greatest is first in any case.
        let turned = |figure: Estimate| if least_first { figure.negated() } else { figure };
        let mut figures: Vec<(Estimate, Arc<Point>)> =
            section.figures.iter().filter_map(|point| Some((turned(*point.estimate()?), Arc::clone(point)))).collect();
        figures.sort_by(|(a, x), (b, y)| b.place().cmp(&a.place()).then_with(|| x.key.region.cmp(&y.key.region)));
        let places = places(&figures.iter().map(|(figure, _)| figure.span()).collect::<Vec<_>>());
        let points = || figures.iter().map(|(_, point)| point);
        Self {
            period: section.period,
            unranked: section.without.into_iter().map(str::to_owned).collect(),
            periods: points().map(|point| point.version.period).collect(),
            sources: sources_of(points()),
            unit,
            rows: points().zip(places).map(|(point, place)| place.row(point)).collect(),
        }
    }
}

/// Where a figure can stand among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    rank: (u32, u32),
    /// As many have certainly the same figure, itself included.
    equal: u32,
    percentile: (Decimal, Decimal),
}

impl Place {
    fn row(self, point: &Arc<Point>) -> RankRow {
        RankRow { point: Arc::clone(point), rank: self.rank, tied: self.equal > 1, percentile: self.percentile }
    }
}

/// An end as a number, and whether what is meant lies at it (0) or just beside it.
type Edge = Option<(Decimal, i8)>;

/// Where a span begins; none if it does not.
fn beginning(span: Span) -> Edge {
    edge(span.lower(), 1)
}

/// Where a span ends; none if it does not.
fn ending(span: Span) -> Edge {
    edge(span.upper(), -1)
}

fn edge(end: End, beside: i8) -> Edge {
    match end {
        End::Open => None,
        End::At { number, included } => Some((number, if included { 0 } else { beside })),
    }
}

/// The places of figures among each other. The ends are sorted, so that none has to be compared with every other.
fn places(spans: &[Span]) -> Vec<Place> {
    let sorted = |edge: fn(Span) -> Edge| {
        let mut edges: Vec<(Decimal, i8)> = spans.iter().filter_map(|span| edge(*span)).collect();
        edges.sort_unstable();
        edges
    };
    let (beginnings, endings) = (sorted(beginning), sorted(ending));
    let mut exact: HashMap<Decimal, u32> = HashMap::new();
    for only in spans.iter().filter_map(|span| span.only()) {
        *exact.entry(only).or_default() += 1;
    }
    let all = spans.len();
    let place = |span: &Span| {
        // Certainly before it is what begins behind its end; perhaps before it, what does not end before its beginning, or at it.
        let before = ending(*span).map_or(0, |end| all_after(&beginnings, end));
        let perhaps_before = match span.lower().number() {
            None => all,
            Some(beginning) => all - endings.partition_point(|(number, _)| *number <= beginning),
        };
        let behind = beginning(*span).map_or(0, |begin| endings.partition_point(|end| *end < begin));
        let perhaps_behind = match span.upper().number() {
            None => all,
            Some(ending) => all - beginnings.len() + beginnings.partition_point(|(number, _)| *number < ending),
        };
        // One that may be several numbers is counted as perhaps before and behind itself.
        let itself = usize::from(span.only().is_none());
        let equal = span.only().map_or(1, |only| exact[&only]);
        // Perhaps beside it and never behind it, what begins just where it ends.
        let begin_there = ending(*span).filter(|(_, beside)| *beside == 0).map_or(0, |end| count(&beginnings, end));
        let perhaps_equal = u32::try_from(begin_there + itself).unwrap_or(u32::MAX);
        let rank = |before: usize| u32::try_from(before + 1).unwrap_or(u32::MAX);
        Place {
            rank: (rank(before), rank(perhaps_before - itself)),
            equal,
            percentile: (percentile(behind, equal, all), percentile(perhaps_behind - itself, perhaps_equal.max(1), all)),
        }
    };
    spans.iter().map(place).collect()
}

fn all_after(edges: &[(Decimal, i8)], end: (Decimal, i8)) -> usize {
    edges.len() - edges.partition_point(|edge| *edge <= end)
}

fn count(edges: &[(Decimal, i8)], like: (Decimal, i8)) -> usize {
    edges.partition_point(|edge| *edge <= like) - edges.partition_point(|edge| *edge < like)
}

/// (behind + equal / 2) / all, in percent to 2 decimals, halves to even.
fn percentile(behind: usize, equal: u32, all: usize) -> Decimal {
    let (dividend, divisor) = ((2 * behind as i128 + i128::from(equal)) * 10_000, 2 * all as i128);
    let (floor, rest) = (dividend.div_euclid(divisor), dividend.rem_euclid(divisor));
    let up = rest * 2 > divisor || (rest * 2 == divisor && floor % 2 == 1);
    Decimal::from_parts(floor + i128::from(up), 2).expect("at most 100.00")
}

/// What happened to a region in a ranking.
#[derive(Debug, Clone)]
pub enum RankMove {
    /// It has a rank now.
    Entered(RankRow),
    /// Its rank, or how certain that is, is another; what it was before.
    Moved(RankRow, (u32, u32)),
    /// It has no rank any more; what it was before.
    Left(String, (u32, u32)),
}

impl Ranking {
    /// What leads from one ranking to another: by rank after it, those that left at the end, by id.
    #[must_use]
    pub fn moves(before: &Self, after: &Self) -> Vec<RankMove> {
        let mut ranks: HashMap<&str, (u32, u32)> = before.rows.iter().map(|row| (row.region(), row.rank)).collect();
        let mut moves = Vec::new();
        for row in &after.rows {
            match ranks.remove(row.region()) {
                None => moves.push(RankMove::Entered(row.clone())),
                Some(rank) if rank != row.rank => moves.push(RankMove::Moved(row.clone(), rank)),
                Some(_) => {}
            }
        }
        let left = before.rows.iter().filter(|row| ranks.contains_key(row.region()));
        let mut left: Vec<_> = left.map(|row| RankMove::Left(row.region().to_owned(), row.rank)).collect();
        left.sort_by(|a, b| match (a, b) {
            (RankMove::Left(a, _), RankMove::Left(b, _)) => a.cmp(b),
            _ => std::cmp::Ordering::Equal,
        });
        moves.extend(left);
        moves
    }
}

#[cfg(test)]
mod tests;
