//! Steps planned for one indicator: which units come out, which rules and factors apply, and what does not fit.

use std::sync::Arc;

use indicator_proto::{
    Decimal, Frequency, Period,
    v1::{EntryKind, ErrorReason, Indicator, TimeAggregation, Unit, UnitKind},
};

use super::{Method, Span, Step};
use crate::engine::{Violation, catalog::View};

/// The unit of what is told in percent.
pub(in crate::engine::analysis) const PERCENT: &str = "%";

/// The unit of a pure number.
const ONE: &str = "1";

/// What is to be computed of the figures of an indicator.
#[derive(Debug, Clone, Default)]
pub(in crate::engine) struct Plan {
    /// With the unit after each, where that is not the indicator's.
    pub(super) stages: Vec<(Stage, Option<Arc<str>>)>,
    /// The unit in the end.
    unit: Arc<str>,
}

/// A step with everything that the catalog says about it.
#[derive(Debug, Clone)]
pub(super) enum Stage {
    Change(Span),
    PercentChange(Span),
    CompoundedAnnualRate,
    ContinuouslyCompounded { annual: bool },
    NaturalLogarithm,
    IndexTo(Period),
    Rolling { periods: u32, method: Method },
    Cumulate,
    Decumulate,
    PerUnit { indicator: String, multiple: Decimal },
    ShareOfRegion { level: String, before: Plan },
    Aggregate { frequency: Frequency, method: Method, whole: bool },
    Scale { multiply: Decimal, divide: Decimal },
    Exchange { indicator: String, multiply: bool },
}

/// What is known of the figures between two steps.
struct Planner<'a> {
    view: View<'a>,
    field: String,
    indicator: &'a Indicator,
    unit: Arc<str>,
    /// How the figures make those of a longer period.
    rule: Option<Method>,
    plan: Plan,
    violations: Vec<Violation>,
}

impl Plan {
    /// Plans steps for an indicator. `field` names the list of steps in the request.
    ///
    /// # Errors
    ///
    /// Every step that does not fit.
    pub(in crate::engine) fn new(
        view: View<'_>,
        indicator: &Indicator,
        steps: &[Step],
        field: &str,
    ) -> Result<Self, Vec<Violation>> {
        let rule = match indicator.time_aggregation() {
            TimeAggregation::Unspecified | TimeAggregation::None => None,
            TimeAggregation::Last => Some(Method::Last),
            TimeAggregation::Sum => Some(Method::Sum),
        };
        let unit: Arc<str> = Arc::from(indicator.unit.as_str());
        let plan = Self { stages: Vec::new(), unit: Arc::clone(&unit) };
        let mut planner = Planner { view, field: String::new(), indicator, unit, rule, plan, violations: Vec::new() };
        for (index, step) in steps.iter().enumerate() {
            planner.field = format!("{field}[{index}]");
            if let Some(stage) = planner.stage(step) {
                let unit = (*planner.unit != *indicator.unit).then(|| Arc::clone(&planner.unit));
                planner.plan.stages.push((stage, unit));
            }
        }
        planner.plan.unit = planner.unit;
        if planner.violations.is_empty() { Ok(planner.plan) } else { Err(planner.violations) }
    }

    /// Whether what comes out for a region is made of figures of that region alone.
    pub(in crate::engine) fn stays_in_region(&self) -> bool {
        let leaves = |stage: &Stage| matches!(stage, Stage::ShareOfRegion { .. } | Stage::Exchange { .. });
        !self.stages.iter().any(|(stage, _)| leaves(stage))
    }

    /// The unit of what comes out.
    pub(in crate::engine) fn unit(&self) -> &Arc<str> {
        &self.unit
    }
}

impl Planner<'_> {
    fn stage(&mut self, step: &Step) -> Option<Stage> {
        Some(match step {
            Step::Change(span) => {
                self.rule = None;
                Stage::Change(*span)
            }
            Step::PercentChange(span) => self.number(PERCENT, Stage::PercentChange(*span)),
            Step::CompoundedAnnualRate => self.number(PERCENT, Stage::CompoundedAnnualRate),
            Step::ContinuouslyCompounded { annual } => self.number(PERCENT, Stage::ContinuouslyCompounded { annual: *annual }),
            Step::NaturalLogarithm => self.number(ONE, Stage::NaturalLogarithm),
            Step::IndexTo(base) => self.number(ONE, Stage::IndexTo(*base)),
            Step::Rolling { periods, method } => {
                self.rule = None;
                Stage::Rolling { periods: *periods, method: *method }
            }
            Step::Cumulate => {
                self.rule = Some(Method::Last);
                Stage::Cumulate
            }
            Step::Decumulate => {
                self.rule = Some(Method::Sum);
                Stage::Decumulate
            }
            Step::PerUnit { indicator, multiple } => self.per_unit(indicator, *multiple)?,
            Step::ShareOfRegion { level } => {
                let before = Plan { unit: Arc::clone(&self.unit), ..self.plan.clone() };
                self.number(PERCENT, Stage::ShareOfRegion { level: level.clone(), before })
            }
            Step::Aggregate { frequency, method, whole } => {
                let method = (*method).or(self.rule).or_else(|| {
                    let description = format!(
                        "figures of {:?} have no rule that makes one of a longer period of them here; name a `method`",
                        self.indicator.id
                    );
                    self.refuse("aggregate.method", ErrorReason::Required, description);
                    None
                })?;
                Stage::Aggregate { frequency: *frequency, method, whole: *whole }
            }
            Step::Convert { unit, exchange_rate } => self.convert(unit, exchange_rate)?,
        })
    }

    /// A step after which figures are numbers that do not add up.
    fn number(&mut self, unit: &str, stage: Stage) -> Stage {
        self.unit = Arc::from(unit);
        self.rule = None;
        stage
    }

    fn refuse(&mut self, field: &str, reason: ErrorReason, description: String) {
        self.violations.push(Violation::new(format!("{}.{field}", self.field), reason, description));
    }

    fn per_unit(&mut self, indicator: &str, multiple: Decimal) -> Option<Stage> {
        let Some(other) = self.view.indicator(indicator) else {
            self.unknown("per_unit.indicator", EntryKind::Indicator, indicator);
            return None;
        };
        self.rule = None;
        self.unit = self.ratio(&other.unit, multiple);
        Some(Stage::PerUnit { indicator: indicator.to_owned(), multiple })
    }

    /// The unit of so much of the present one for each of another.
    fn ratio(&self, per: &str, multiple: Decimal) -> Arc<str> {
        let one = multiple == Decimal::from(1);
        let fits = |unit: &&Unit| one && *unit.numerator == *self.unit && unit.denominator == per;
        match self.view.all::<Unit>().find(fits) {
            Some(unit) => Arc::from(unit.id.as_str()),
            None if *self.unit == *per && one => Arc::from(ONE),
            None if one => Arc::from(format!("{}/{per}", self.unit)),
            // As UCUM writes it.
            None => Arc::from(format!("{}/({multiple}.{per})", self.unit)),
        }
    }

    fn unknown(&mut self, field: &str, kind: EntryKind, id: &str) {
        self.violations.push(Violation::unknown(format!("{}.{field}", self.field), kind, id));
    }

    fn convert(&mut self, unit: &str, exchange_rate: &str) -> Option<Stage> {
        let target = self.view.unit(unit);
        if target.is_none() {
            self.unknown("convert.unit", EntryKind::Unit, unit);
        }
        let rate = self.view.indicator(exchange_rate);
        if rate.is_none() && !exchange_rate.is_empty() {
            self.unknown("convert.exchange_rate", EntryKind::Indicator, exchange_rate);
        }
        let target = target?;
        let from = Arc::clone(&self.unit);
        let money = |unit: Option<&Unit>| unit.is_some_and(|unit| unit.kind() == UnitKind::Currency);
        let present = self.view.unit(&from);
        if money(present) && money(Some(target)) && *from != *unit {
            if exchange_rate.is_empty() {
                let description = format!("{from} is exchanged for {unit} by a rate; name the indicator that is it");
                self.refuse("convert.exchange_rate", ErrorReason::Required, description);
            }
            return self.exchange(&from, unit, rate?);
        }
        if !exchange_rate.is_empty() {
            let description = format!("{from} and {unit} are not two currencies; leave it out");
            self.refuse("convert.exchange_rate", ErrorReason::ConflictingFields, description);
            return None;
        }
        let factor = |unit: &Unit| -> Option<(String, Decimal)> {
            if unit.base_unit.is_empty() {
                return Some((unit.id.clone(), Decimal::from(1)));
            }
            Some((unit.base_unit.clone(), unit.factor.parse().ok()?))
        };
        let (base, multiply) = present.and_then(factor).unwrap_or((from.to_string(), Decimal::from(1)));
        let (target_base, divide) = factor(target)?;
        if base != target_base {
            let description = format!(
                "figures of {:?} are in {from} here, which has no base unit in common with {unit}; choose a unit of {base}, or give \
                 both a `base_unit` in the catalog",
                self.indicator.id
            );
            self.refuse("convert.unit", ErrorReason::ConflictingFields, description);
            return None;
        }
        self.unit = Arc::from(unit);
        Some(Stage::Scale { multiply, divide })
    }

    fn exchange(&mut self, from: &str, to: &str, rate: &Indicator) -> Option<Stage> {
        let ratio = self.view.unit(&rate.unit);
        let is = |a: &str, b: &str| ratio.is_some_and(|ratio| ratio.numerator == a && ratio.denominator == b);
        let multiply = is(to, from);
        if !multiply && !is(from, to) {
            let description = format!(
                "{:?} is in {}, not {to} for each {from} or {from} for each {to}; its unit must be a ratio of the two",
                rate.id, rate.unit
            );
            self.refuse("convert.exchange_rate", ErrorReason::ConflictingFields, description);
            return None;
        }
        self.unit = Arc::from(to);
        Some(Stage::Exchange { indicator: rate.id.clone(), multiply })
    }
}
