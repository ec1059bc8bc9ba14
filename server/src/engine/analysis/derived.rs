//! Figures of derived indicators: computed of those of others whenever they are read.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use indicator_proto::{Period, SeriesKey, v1::MissingReason};

use super::{
    estimate::{Estimate, Outcome},
    line::{Line, Operand, Point},
    query::{Place, Selected},
    reading::{Reading, subject, without_source},
};
use crate::{
    engine::{
        Error, Filter, Sources,
        catalog::View,
        formula::{Expression, Formula, Operator},
    },
    store::Version,
};

/// The formula of an indicator, if it is a derived one.
pub(in crate::engine) fn formula(view: View<'_>, indicator: &str) -> Option<Formula> {
    // What is in the catalog was understood when it was written.
    view.indicator(indicator).filter(|it| !it.formula.is_empty())?.formula.parse().ok()
}

/// The recorded indicators that the figures of one are made of in the end: itself, if it is not derived.
pub(in crate::engine) fn leaves(view: View<'_>, indicator: &str) -> BTreeSet<String> {
    let (mut leaves, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut open = vec![indicator.to_owned()];
    while let Some(id) = open.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        match formula(view, &id) {
            Some(formula) => open.extend(formula.indicators().into_iter().map(str::to_owned)),
            None => _ = leaves.insert(id),
        }
    }
    leaves
}

/// A region and a breakdown.
type Subject = (String, BTreeMap<String, String>);

impl Reading<'_> {
    /// The figures of a derived indicator: of each period for which all operands have one.
    pub(super) fn derived_line(&self, key: &Arc<SeriesKey>, formula: &Formula, sources: &Sources) -> Result<Line, Error> {
        self.line_of(key, formula, sources, &mut BTreeMap::new())
    }

    /// `known` are the lines of indicators that have been computed on the way: formulas may share what they rest on.
    fn line_of(
        &self,
        key: &Arc<SeriesKey>,
        formula: &Formula,
        sources: &Sources,
        known: &mut BTreeMap<String, Line>,
    ) -> Result<Line, Error> {
        let mut operands: BTreeMap<String, Line> = BTreeMap::new();
        for id in formula.indicators() {
            let line = match known.get(id) {
                Some(line) => line.clone(),
                None => {
                    let key = subject(id, &key.region, &key.dimensions);
                    let line = match self::formula(self.catalog(), id) {
                        Some(formula) => self.line_of(&key, &formula, sources, known)?,
                        None => self.line(&key, sources)?,
                    };
                    known.insert(id.to_owned(), line.clone());
                    line
                }
            };
            operands.insert(id.to_owned(), line);
        }
        let line = self.empty(&without_source(key));
        let Some(fewest) = operands.values().min_by_key(|line| line.points.len()) else { return Ok(line) };
        let text = formula.to_string();
        let compute = |period: Period| -> Option<Arc<Point>> {
            let point = |line: &Line| line.at(period).cloned();
            let points: BTreeMap<&str, Arc<Point>> =
                operands.iter().map(|(id, line)| Some((id.as_str(), point(line)?))).collect::<Option<_>>()?;
            let outcome = value(formula.expression(), &points);
            let told = points.iter().map(|(id, point)| Operand::new((*id).to_owned(), point)).collect();
            Some(Arc::new(line.point(&None, period, text.clone(), told, outcome)))
        };
        let points = fewest.points.iter().filter_map(|point| compute(point.period())).collect();
        Ok(Line { points, ..line })
    }

    /// The figure of a cell, or of the latest one; none of an indicator that is not derived.
    pub(in crate::engine) fn derived_cell(
        &self,
        key: &SeriesKey,
        period: Option<Period>,
    ) -> Result<Option<Option<Arc<Point>>>, Error> {
        let Some(formula) = formula(self.catalog(), &key.indicator) else { return Ok(None) };
        let sources = match key.source.as_str() {
            "" => Sources::Preferred,
            named => Sources::Named(BTreeSet::from([named.to_owned()])),
        };
        let line = self.derived_line(&Arc::new(key.clone()), &formula, &sources)?;
        Ok(Some(match period {
            Some(period) => line.at(period).cloned(),
            None => line.latest().cloned(),
        }))
    }

    /// What a filter selects of derived indicators alone; none if it names none.
    #[must_use]
    pub fn derived_part(&self, filter: &Filter) -> Option<Filter> {
        let derived = filter.indicators.iter().filter(|id| formula(self.catalog(), id).is_some());
        let indicators: BTreeSet<String> = derived.cloned().collect();
        (!indicators.is_empty()).then(|| Filter { indicators, ..filter.clone() })
    }

    /// The keys of the lines of the derived indicators that a filter names.
    pub(in crate::engine) fn derived_keys(&self, filter: &Filter) -> Vec<Arc<SeriesKey>> {
        self.selected_derived(filter).into_iter().map(|line| line.key).collect()
    }

    /// The figures of a line of a derived indicator, as if they were recorded.
    pub(in crate::engine) fn derived_versions(&self, key: &Arc<SeriesKey>, sources: &Sources) -> Result<Vec<Version>, Error> {
        Ok(self.line(key, sources)?.points.iter().map(|point| point.version.clone()).collect())
    }

    /// The lines of the derived indicators that a filter names: where every recorded indicator behind one has a series.
    pub(super) fn selected_derived(&self, filter: &Filter) -> Vec<Selected> {
        let mut selected = Vec::new();
        let derived = filter.indicators.iter().filter(|id| formula(self.catalog(), id).is_some());
        for (ordinal, id) in derived.enumerate() {
            let mut common: Option<BTreeMap<Subject, u32>> = None;
            for leaf in leaves(self.catalog(), id) {
                let of_leaf = self.subjects(filter, leaf);
                common = Some(match common {
                    None => of_leaf,
                    Some(mut before) => {
                        before.retain(|subject, _| of_leaf.contains_key(subject));
                        before
                    }
                });
            }
            let place = |first: u32| -> Place { (ordinal as u32 + 1, first) };
            let mut lines: Vec<Selected> = common
                .into_iter()
                .flatten()
                .map(|((region, dimensions), first)| Selected::derived(place(first), subject(id, &region, &dimensions)))
                .collect();
            lines.sort_by_key(|line| line.place);
            selected.extend(lines);
        }
        selected
    }

    /// The lines of the derived indicators that a filter names whose figures are made of those of these series, among others.
    pub(super) fn selected_derived_of(&self, filter: &Filter, series: &[Arc<SeriesKey>]) -> Vec<Selected> {
        let mut lines = BTreeSet::new();
        for id in filter.indicators.iter().filter(|id| formula(self.catalog(), id).is_some()) {
            let leaves = leaves(self.catalog(), id);
            let operands = series.iter().filter(|key| leaves.contains(&key.indicator));
            let matching = operands.filter(|key| {
                let key = SeriesKey { indicator: id.clone(), ..SeriesKey::clone(key) };
                filter.matches(self.catalog(), &key)
            });
            lines.extend(matching.map(|key| (id.clone(), key.region.clone(), key.dimensions.clone())));
        }
        // Their place among all lines, which takes all of them to know, does not matter to one who reads these alone.
        let selected =
            |(id, region, dimensions): (String, String, _)| Selected::derived((1, 0), subject(&id, &region, &dimensions));
        lines.into_iter().map(selected).collect()
    }

    /// The regions and breakdowns that an indicator has series for, with the first series of each.
    fn subjects(&self, filter: &Filter, indicator: String) -> BTreeMap<Subject, u32> {
        let filter = Filter { indicators: BTreeSet::from([indicator]), ..filter.clone() };
        let index = self.shared().index();
        let mut subjects = BTreeMap::new();
        for id in filter.series(self.catalog(), &index) {
            let key = index.key(id);
            subjects.entry((key.region.clone(), key.dimensions.clone())).or_insert(id);
        }
        subjects
    }
}

/// What an expression gives for the figures of one period.
fn value(expression: &Expression, points: &BTreeMap<&str, Arc<Point>>) -> Outcome {
    match expression {
        Expression::Number(number) => Ok(Estimate::exactly(*number)),
        Expression::Indicator(id) => points.get(id.as_str()).map_or(Err(MissingReason::NotAvailable), |point| point.outcome),
        Expression::Negate(inner) => Ok(value(inner, points)?.negated()),
        Expression::Binary(left, operator, right) => {
            let (left, right) = (value(left, points)?, value(right, points)?);
            match operator {
                Operator::Add => left.plus(right),
                Operator::Subtract => left.minus(right),
                Operator::Multiply => left.times(right),
                Operator::Divide => left.over(right),
            }
        }
    }
}
