//! A figure against one before it.

use std::{borrow::Cow, sync::Arc};

use indicator_proto::{Decimal, Frequency, Period};

use super::Span;
use crate::engine::analysis::{
    estimate::{Estimate, Outcome},
    line::{Line, Operand, Point},
};

type Unit = Option<Arc<str>>;

fn hundred() -> Estimate {
    Estimate::exactly(Decimal::from(100))
}

fn one() -> Estimate {
    Estimate::exactly(Decimal::from(1))
}

/// FRED's `n_obs_per_yr`.
fn periods_of_a_year(frequency: Frequency) -> u32 {
    match frequency {
        Frequency::Annual => 1,
        Frequency::HalfYearly => 2,
        Frequency::Trimestrial => 3,
        Frequency::Quarterly => 4,
        Frequency::Monthly => 12,
        Frequency::Weekly => 52,
        Frequency::Daily => 365,
    }
}

impl Span {
    fn before(self, period: Period) -> Option<Period> {
        match self {
            Self::Period => period.pred(),
            Self::Year => period.year_before(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Period => "previous",
            Self::Year => "year_before",
        }
    }
}

/// Each figure with the one before; where there is no period before, there is nothing to compute.
fn compared(
    line: Line,
    unit: Unit,
    span: Span,
    formula: impl Fn(&'static str) -> Cow<'static, str>,
    compute: impl Fn(Estimate, Estimate, Frequency) -> Outcome,
) -> Line {
    line.map(unit.clone(), |line, point| {
        let before = line.at_or_absent(span.before(point.period())?);
        let outcome = point.outcome.and_then(|now| compute(now, before.outcome?, point.period().frequency()));
        let operands = vec![Operand::new("current", point), Operand::new(span.name(), &before)];
        Some(line.point(&unit, point.period(), formula(span.name()), operands, outcome))
    })
}

pub(super) fn difference(line: Line, unit: Unit, span: Span) -> Line {
    compared(line, unit, span, |before| format!("current - {before}").into(), |now, before, _| now.minus(before))
}

/// (now / before - 1) * 100.
pub(super) fn percent(line: Line, unit: Unit, span: Span) -> Line {
    let formula = |before| format!("(current / {before} - 1) * 100").into();
    compared(line, unit, span, formula, |now, before, _| now.over(before)?.minus(one())?.times(hundred()))
}

/// ((now / before)^n - 1) * 100.
pub(super) fn compounded(line: Line, unit: Unit) -> Line {
    let formula = |_| "((current / previous)^periods_per_year - 1) * 100".into();
    compared(line, unit, Span::Period, formula, |now, before, frequency| {
        now.over(before)?.pow(periods_of_a_year(frequency))?.minus(one())?.times(hundred())
    })
}

/// (ln now - ln before) * 100, perhaps times n.
pub(super) fn continuously_compounded(line: Line, unit: Unit, annual: bool) -> Line {
    let formula = |_| {
        let formula = "(ln(current) - ln(previous)) * 100";
        if annual { format!("{formula} * periods_per_year").into() } else { formula.into() }
    };
    compared(line, unit, Span::Period, formula, |now, before, frequency| {
        let times = if annual { periods_of_a_year(frequency) } else { 1 };
        let factor = Estimate::exactly(Decimal::from(100 * i64::from(times)));
        now.ln()?.minus(before.ln()?)?.times(factor)
    })
}

pub(super) fn logarithm(line: Line, unit: Unit) -> Line {
    line.map(unit.clone(), |line, point| {
        let outcome = point.outcome.and_then(Estimate::ln);
        let operands = vec![Operand::new("current", point)];
        Some(line.point(&unit, point.period(), "ln(current)", operands, outcome))
    })
}

/// now / base * 100.
pub(super) fn index(line: Line, unit: Unit, base: Period) -> Line {
    line.map(unit.clone(), |line, point| {
        let base = base_of(line, base, point.period().frequency());
        let outcome = point.outcome.and_then(|now| now.over(base.outcome?)?.times(hundred()));
        let operands = vec![Operand::new("current", point), Operand::new("base", &base)];
        Some(line.point(&unit, point.period(), "current / base * 100", operands, outcome))
    })
}

/// The base of a frequency: the figure of the base period, or the mean over its periods.
fn base_of(line: &Line, base: Period, frequency: Frequency) -> Arc<Point> {
    if base.frequency() == frequency {
        return line.at_or_absent(base);
    }
    let parts: Vec<Arc<Point>> = base.parts(frequency).map(|part| line.at_or_absent(part)).collect();
    if parts.is_empty() { Point::absent(&line.key, base) } else { Arc::new(super::window::mean(line, None, base, &parts)) }
}
