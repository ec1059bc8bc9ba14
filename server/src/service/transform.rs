//! `Transform`, checked.

use indicator_proto::{
    Decimal, Frequency,
    v1::{self, ErrorReason, transform::Step as Message},
};

use super::gate;
use crate::engine::{
    Violation,
    analysis::{Method, Span, Step},
};

/// Most steps in one request.
const MOST: usize = 20;

/// Longest window.
const LONGEST_WINDOW: u32 = 1_000;

/// The steps of a request; `field` names the list.
pub(super) fn check(transforms: &[v1::Transform], field: &str, violations: &mut Vec<Violation>) -> Vec<Step> {
    if transforms.len() > MOST {
        let description = format!("{} steps are more than the {MOST} that one request may have", transforms.len());
        violations.push(Violation::new(field, ErrorReason::InvalidRequest, description));
        return Vec::new();
    }
    let mut steps = Vec::with_capacity(transforms.len());
    for (index, transform) in transforms.iter().enumerate() {
        let field = format!("{field}[{index}]");
        let Some(message) = &transform.step else {
            violations.push(Violation::new(field, ErrorReason::Required, "has no step; set one of them"));
            continue;
        };
        steps.extend(Checker { field, violations }.step(message));
    }
    steps
}

struct Checker<'v> {
    field: String,
    violations: &'v mut Vec<Violation>,
}

impl Checker<'_> {
    fn refuse<T>(&mut self, field: &str, reason: ErrorReason, description: impl Into<String>) -> Option<T> {
        self.violations.push(Violation::new(format!("{}.{field}", self.field), reason, description));
        None
    }

    fn step(&mut self, message: &Message) -> Option<Step> {
        Some(match message {
            Message::Change(change) => Step::Change(self.span(change.span, "change.span")?),
            Message::PercentChange(change) => Step::PercentChange(self.span(change.span, "percent_change.span")?),
            Message::CompoundedAnnualRate(_) => Step::CompoundedAnnualRate,
            Message::ContinuouslyCompounded(step) => Step::ContinuouslyCompounded { annual: step.annual },
            Message::NaturalLogarithm(_) => Step::NaturalLogarithm,
            Message::IndexTo(index) => {
                let field = format!("{}.index_to.base_period", self.field);
                if index.base_period.is_empty() {
                    return self.refuse("index_to.base_period", ErrorReason::Required, "is empty; name the period that is 100");
                }
                Step::IndexTo(gate::optional_period(&index.base_period, &field, self.violations)?)
            }
            Message::Rolling(rolling) => self.rolling(rolling)?,
            Message::Cumulate(_) => Step::Cumulate,
            Message::Decumulate(_) => Step::Decumulate,
            Message::PerUnit(per) => self.per_unit(per)?,
            Message::ShareOfRegion(share) => Step::ShareOfRegion { level: share.level.clone() },
            Message::Aggregate(aggregate) => self.aggregate(aggregate)?,
            Message::Convert(convert) => {
                if convert.unit.is_empty() {
                    return self.refuse("convert.unit", ErrorReason::Required, "is empty; name the unit to convert to");
                }
                Step::Convert { unit: convert.unit.clone(), exchange_rate: convert.exchange_rate.clone() }
            }
        })
    }

    fn span(&mut self, number: i32, field: &str) -> Option<Span> {
        match v1::ChangeSpan::try_from(number) {
            Ok(v1::ChangeSpan::Unspecified | v1::ChangeSpan::Period) => Some(Span::Period),
            Ok(v1::ChangeSpan::Year) => Some(Span::Year),
            Err(_) => self.refuse(field, ErrorReason::InvalidEnum, format!("{number} is not a ChangeSpan")),
        }
    }

    /// The method, if one is named.
    fn method(&mut self, number: i32, field: &str) -> Option<Option<Method>> {
        Some(Some(match v1::AggregationMethod::try_from(number) {
            Ok(v1::AggregationMethod::Unspecified) => return Some(None),
            Ok(v1::AggregationMethod::Average) => Method::Average,
            Ok(v1::AggregationMethod::Sum) => Method::Sum,
            Ok(v1::AggregationMethod::Last) => Method::Last,
            Ok(v1::AggregationMethod::First) => Method::First,
            Ok(v1::AggregationMethod::Max) => Method::Max,
            Ok(v1::AggregationMethod::Min) => Method::Min,
            Err(_) => return self.refuse(field, ErrorReason::InvalidEnum, format!("{number} is not an AggregationMethod")),
        }))
    }

    fn rolling(&mut self, rolling: &v1::Rolling) -> Option<Step> {
        let periods = match rolling.periods {
            2..=LONGEST_WINDOW => Some(rolling.periods),
            0 => self.refuse("rolling.periods", ErrorReason::Required, "is absent; say how many periods, 2 to 1,000"),
            n => self.refuse("rolling.periods", ErrorReason::InvalidRequest, format!("is {n}; a window has 2 to 1,000 periods")),
        };
        let method = match self.method(rolling.method, "rolling.method")? {
            Some(Method::First | Method::Last) => {
                let description = "FIRST and LAST of a window are figures as they are; use AVERAGE, SUM, MAX or MIN";
                self.refuse("rolling.method", ErrorReason::ConflictingFields, description)
            }
            method => Some(method.unwrap_or(Method::Average)),
        };
        Some(Step::Rolling { periods: periods?, method: method? })
    }

    fn per_unit(&mut self, per: &v1::PerUnit) -> Option<Step> {
        if per.indicator.is_empty() {
            self.refuse::<()>("per_unit.indicator", ErrorReason::Required, "is empty; name the indicator to divide by");
        }
        let multiple = match per.multiple.parse::<Decimal>() {
            _ if per.multiple.is_empty() => Some(Decimal::from(1)),
            Ok(multiple) if !multiple.is_negative() && !multiple.is_zero() => Some(multiple),
            Ok(_) => self.refuse("per_unit.multiple", ErrorReason::InvalidDecimal, "is not above zero"),
            Err(error) => self.refuse("per_unit.multiple", ErrorReason::InvalidDecimal, error.to_string()),
        };
        Some(Step::PerUnit { indicator: Some(per.indicator.clone()).filter(|id| !id.is_empty())?, multiple: multiple? })
    }

    fn aggregate(&mut self, aggregate: &v1::Aggregate) -> Option<Step> {
        let frequency = match v1::Frequency::try_from(aggregate.frequency).map(Frequency::try_from) {
            Ok(Ok(frequency)) => Some(frequency),
            Ok(Err(_)) => self.refuse("aggregate.frequency", ErrorReason::Required, "is absent; say which frequency to make"),
            Err(_) => {
                let description = format!("{} is not a Frequency", aggregate.frequency);
                self.refuse("aggregate.frequency", ErrorReason::InvalidEnum, description)
            }
        };
        let method = self.method(aggregate.method, "aggregate.method");
        let whole = match v1::IncompletePeriods::try_from(aggregate.incomplete) {
            Ok(v1::IncompletePeriods::Unspecified | v1::IncompletePeriods::Mark) => Some(false),
            Ok(v1::IncompletePeriods::Omit) => Some(true),
            Err(_) => {
                let description = format!("{} is not an IncompletePeriods", aggregate.incomplete);
                self.refuse("aggregate.incomplete", ErrorReason::InvalidEnum, description)
            }
        };
        Some(Step::Aggregate { frequency: frequency?, method: method?, whole: whole? })
    }
}
