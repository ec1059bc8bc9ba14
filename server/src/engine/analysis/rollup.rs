//! Figures of regions as one of the region above them.
//!
//! Regions of one level are taken to be apart from each other and to make the whole together: the levels between them and the
//! region above are passed over, and nothing is counted twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use indicator_proto::{
    Period,
    v1::{EntryKind, ErrorReason, Indicator, RegionAggregation},
};

use super::{
    estimate::{Estimate, Outcome},
    line::{Line, Operand, Point},
    reading::{Reading, sources_of, subject},
    selection::{CrossSection, RegionSelection},
    transform::{Method, PERCENT, Plan, Step},
};
use crate::engine::{Error, Sources, Violation, catalog::View, preferred::recency};

/// How figures of regions make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combination {
    /// Their sum.
    Sum,
    /// Their mean, each as often as another figure of the region says.
    WeightedMean,
}

/// Asks for figures of regions as one.
#[derive(Debug, Clone, Default)]
pub struct RollupQuery {
    /// Which; the region above is named.
    pub selection: RegionSelection,
    /// How; by the indicator's rule if absent.
    pub combination: Option<Combination>,
    /// The indicator that weighs; that of the rule if empty.
    pub weight: String,
}

/// Figures of regions as one, by period.
#[derive(Debug, Clone)]
pub struct Rollup {
    /// By frequency, then start.
    pub figures: Vec<RolledUp>,
    /// Unit id.
    pub unit: Arc<str>,
}

/// One figure made of those of regions.
#[derive(Debug, Clone)]
pub struct RolledUp {
    /// Of how many regions it is made is its coverage.
    pub figure: Arc<Point>,
    /// Regions that have none, by id.
    pub missing: Vec<String>,
    /// Of the figures that it is made of.
    pub periods: BTreeSet<Period>,
    /// Of the figures that it is made of, by id.
    pub sources: BTreeSet<String>,
    /// What is recorded for the region itself.
    pub reported: Option<Arc<Point>>,
    /// Against what is reported, where that is a figure.
    pub difference: Option<Difference>,
}

/// How a computed figure differs from a reported one.
#[derive(Debug, Clone)]
pub struct Difference {
    /// In the unit of the figures.
    pub absolute: Point,
    /// In percent of the reported one.
    pub percent: Point,
}

/// How figures are to be combined, with what the catalog says.
enum Rule {
    Sum,
    Mean(Weights),
}

/// What figures weigh.
struct Weights {
    indicator: String,
    /// Code by those dimensions of the selection that the weighing indicator has.
    dimensions: BTreeMap<String, String>,
    /// By region.
    lines: BTreeMap<String, Line>,
}

impl RollupQuery {
    /// `None` where the indicator is not in the catalog, so that there is nothing to combine.
    fn rule(&self, catalog: View<'_>) -> Result<Option<Rule>, Violation> {
        let Some(indicator) = catalog.indicator(&self.selection.indicator) else { return Ok(None) };
        match self.combination.map_or_else(|| self.own_rule(indicator), Ok)? {
            Combination::Sum if self.weight.is_empty() => Ok(Some(Rule::Sum)),
            Combination::Sum => {
                let description = "a sum has no weights; leave it out, or ask for the weighted mean by `method`";
                Err(Violation::new("weight", ErrorReason::ConflictingFields, description))
            }
            Combination::WeightedMean => self.weights(catalog, indicator).map(Rule::Mean).map(Some),
        }
    }

    /// The indicator's rule, where what is computed of its figures follows it.
    fn own_rule(&self, indicator: &Indicator) -> Result<Combination, Violation> {
        let computed = !self.selection.steps.iter().all(is_linear);
        let combination = match indicator.region_aggregation() {
            RegionAggregation::Sum => Some(Combination::Sum),
            RegionAggregation::Weighted => Some(Combination::WeightedMean),
            RegionAggregation::Unspecified | RegionAggregation::None => None,
        };
        combination.filter(|_| !computed).ok_or_else(|| {
            let figures = if computed { "what the transforms make of the figures" } else { "figures" };
            let description = format!(
                "{figures} of {:?} have no rule that makes one of several regions'; name a method, such as the mean weighted by another \
                 indicator",
                indicator.id
            );
            Violation::new("method", ErrorReason::Required, description)
        })
    }

    fn weights(&self, catalog: View<'_>, indicator: &Indicator) -> Result<Weights, Violation> {
        let id = if self.weight.is_empty() { &indicator.region_weight } else { &self.weight };
        if id.is_empty() {
            let description =
                format!("is empty, and {:?} names none in the catalog; name the indicator that weighs", indicator.id);
            return Err(Violation::new("weight", ErrorReason::Required, description));
        }
        let Some(weight) = catalog.indicator(id) else {
            return Err(Violation::unknown("weight", EntryKind::Indicator, id));
        };
        let declares =
            |dimension: &String| weight.dimensions.contains(dimension) || weight.optional_dimensions.contains(dimension);
        let dimensions = self.selection.dimensions.iter().filter(|(dimension, _)| declares(dimension));
        let dimensions: BTreeMap<String, String> =
            dimensions.map(|(dimension, code)| (dimension.clone(), code.clone())).collect();
        if let Some(lacking) = weight.dimensions.iter().find(|dimension| !dimensions.contains_key(*dimension)) {
            let description =
                format!("{id:?} is broken down by {lacking:?}, of which the selection has no code; choose one that is not");
            return Err(Violation::new("weight", ErrorReason::ConflictingFields, description));
        }
        Ok(Weights { indicator: id.clone(), dimensions, lines: BTreeMap::new() })
    }
}

/// Whether what a step makes of a sum is the sum of what it makes of the parts.
fn is_linear(step: &Step) -> bool {
    let sums = |method: Method| !matches!(method, Method::Max | Method::Min);
    match step {
        Step::Change(_) | Step::Cumulate | Step::Decumulate | Step::Convert { .. } => true,
        Step::Rolling { method, .. } => sums(*method),
        Step::Aggregate { method, .. } => method.is_none_or(sums),
        Step::PercentChange(_)
        | Step::CompoundedAnnualRate
        | Step::ContinuouslyCompounded { .. }
        | Step::NaturalLogarithm
        | Step::IndexTo(_)
        | Step::PerUnit { .. }
        | Step::ShareOfRegion { .. } => false,
    }
}

impl Weights {
    /// What the figure of a region and period weighs; `None` where that is not known.
    fn of(&mut self, reading: &Reading<'_>, figure: &Point) -> Result<Option<Arc<Point>>, Error> {
        let region = &figure.key.region;
        if !self.lines.contains_key(region) {
            let line = reading.line(&subject(&self.indicator, region, &self.dimensions), &Sources::Preferred)?;
            self.lines.insert(region.clone(), line);
        }
        let weight = self.lines.get(region).and_then(|line| line.at(figure.period()));
        Ok(weight.filter(|weight| weight.estimate().is_some()).cloned())
    }
}

impl Reading<'_> {
    /// Figures of regions as one; each region's line is read once, for however many periods.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if there is no rule to do so, or the steps do not fit the indicator; [`Error::Store`].
    pub fn rollup(&self, query: &RollupQuery) -> Result<Rollup, Error> {
        let mut rule = query.rule(self.catalog())?;
        let selection = &query.selection;
        let figures = self.region_figures(selection)?;
        let own =
            self.line(&subject(&selection.indicator, &selection.regions.under, &selection.dimensions), &selection.sources)?;
        let own = match self.catalog().indicator(&selection.indicator) {
            Some(indicator) => {
                let plan =
                    Plan::new(self.catalog(), indicator, &selection.steps, "selection.transforms").map_err(Error::Invalid)?;
                plan.apply(self, &selection.sources, own)?
            }
            None => own,
        };
        // What is computed has no source, whoever reports on the region above.
        let key = subject(&selection.indicator, &selection.regions.under, &selection.dimensions);
        let above = Line { key, unit: own.unit.clone(), points: Vec::new(), explain: own.explain };
        let mut rolled_up = Vec::new();
        for section in figures.cross_sections() {
            let weighted = match &mut rule {
                Some(Rule::Mean(weights)) => {
                    Some(section.figures.iter().map(|figure| weights.of(self, figure)).collect::<Result<_, _>>()?)
                }
                Some(Rule::Sum) | None => None,
            };
            rolled_up.extend(combine(&above, &own, section, weighted));
        }
        Ok(Rollup { figures: rolled_up, unit: figures.unit })
    }
}

/// One figure of those of a cross-section. `weights` are those of its figures, in their order, where they are weighted. `None` where
/// there is no figure that would tell of which period it is.
fn combine(above: &Line, own: &Line, section: CrossSection<'_>, weights: Option<Vec<Option<Arc<Point>>>>) -> Option<RolledUp> {
    let expected = section.figures.len() + section.without.len();
    let mut missing: BTreeSet<String> = section.without.iter().map(|id| (*id).to_owned()).collect();
    let mut figures = section.figures;
    let weights: Option<Vec<Arc<Point>>> = weights.map(|weights| {
        let mut known = weights.iter();
        figures.retain(|figure| {
            let weighs = known.next().is_some_and(Option::is_some);
            if !weighs {
                missing.insert(figure.key.region.clone());
            }
            weighs
        });
        weights.into_iter().flatten().collect()
    });
    let latest = figures.iter().map(|figure| figure.period()).max_by_key(|period| recency(*period));
    let period = section.period.or(latest)?;
    let figure = match (figures.is_empty(), &weights) {
        (true, _) => Arc::unwrap_or_clone(Point::absent(&above.key, period)),
        (false, None) => sum_of(above, period, &figures),
        (false, Some(weights)) => mean_of(above, period, &figures, weights),
    };
    let figure = Arc::new(figure.covering(figures.len(), expected));
    let reported = own.at(period).cloned();
    Some(RolledUp {
        missing: missing.into_iter().collect(),
        periods: figures.iter().map(|figure| figure.period()).collect(),
        sources: sources_of(&figures),
        difference: reported.as_ref().and_then(|reported| difference(above, &figure, reported)),
        figure,
        reported,
    })
}

fn sum(figures: impl IntoIterator<Item = Outcome>) -> Outcome {
    let zero = Estimate::exactly(0.into());
    figures.into_iter().try_fold(zero, |sum, figure| sum.plus(figure?))
}

fn sum_of(above: &Line, period: Period, figures: &[Arc<Point>]) -> Point {
    let operands = figures.iter().map(|figure| Operand::new("figures", figure)).collect();
    above.point(&above.unit, period, "sum(figures)", operands, sum(figures.iter().map(|figure| figure.outcome)))
}

fn mean_of(above: &Line, period: Period, figures: &[Arc<Point>], weights: &[Arc<Point>]) -> Point {
    let pairs = || figures.iter().zip(weights);
    let products = sum(pairs().map(|(figure, weight)| figure.outcome?.times(weight.outcome?)));
    let outcome = products.and_then(|products| products.over(sum(weights.iter().map(|weight| weight.outcome))?));
    let operands = pairs().flat_map(|(figure, weight)| [Operand::new("figures", figure), Operand::new("weights", weight)]);
    above.point(&above.unit, period, "sum(figures * weights) / sum(weights)", operands.collect(), outcome)
}

/// `None` where what is reported is no figure.
fn difference(above: &Line, computed: &Arc<Point>, reported: &Arc<Point>) -> Option<Difference> {
    let estimate = *reported.estimate()?;
    // What it was computed of is told beside it already.
    let told = Arc::new(Point::clone(computed).unexplained());
    let operands = || vec![Operand::new("computed", &told), Operand::new("reported", reported)];
    let period = reported.period();
    let absolute = computed.outcome.and_then(|computed| computed.minus(estimate));
    let percent = computed.outcome.and_then(|computed| {
        let ratio = computed.over(estimate)?;
        ratio.minus(Estimate::exactly(1.into()))?.times(Estimate::exactly(100.into()))
    });
    Some(Difference {
        absolute: above.point(&above.unit, period, "computed - reported", operands(), absolute),
        percent: above.point(&Some(Arc::from(PERCENT)), period, "(computed / reported - 1) * 100", operands(), percent),
    })
}

#[cfg(test)]
mod tests;
