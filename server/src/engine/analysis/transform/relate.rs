//! A figure against one of another indicator, region or unit.

use std::sync::Arc;

use indicator_proto::{Decimal, Frequency, Period};

use super::Plan;
use crate::engine::{
    Error, Sources,
    analysis::{
        estimate::{Estimate, Outcome},
        line::{Line, Operand, Point},
        reading::{Reading, subject},
    },
};

type Unit = Option<Arc<str>>;

/// now / other * multiple.
pub(super) fn per_unit(
    reading: &Reading<'_>,
    sources: &Sources,
    line: Line,
    unit: Unit,
    indicator: &str,
    multiple: Decimal,
) -> Result<Line, Error> {
    let other = reading.line(&subject(indicator, &line.key.region, &Default::default()), sources)?;
    let one = multiple == Decimal::from(1);
    let formula = if one { "current / per".to_owned() } else { format!("current * {multiple} / per") };
    Ok(line.map(unit.clone(), |line, point| {
        let per = other.at_or_absent(point.period());
        let outcome = point.outcome.and_then(|now| {
            let times = if one { now } else { now.times(Estimate::exactly(multiple))? };
            times.over(per.outcome?)
        });
        let operands = vec![Operand::new("current", point), Operand::new("per", &per)];
        Some(line.point(&unit, point.period(), formula.clone(), operands, outcome))
    }))
}

/// now / that of the region above * 100. `before` is what was computed of the figures so far: it is computed of the region's too.
pub(super) fn share(
    reading: &Reading<'_>,
    sources: &Sources,
    line: Line,
    unit: Unit,
    level: &str,
    before: &Plan,
) -> Result<Line, Error> {
    let view = reading.catalog();
    let mut above = view.ancestors(&line.key.region);
    let region = if level.is_empty() { above.next() } else { above.find(|region| region.level == level) };
    // The top of the tree is a share of nothing.
    let Some(region) = region else { return Ok(Line { unit, points: Vec::new(), ..line }) };
    let whole = reading.line(&subject(&line.key.indicator, &region.id, &line.key.dimensions), sources)?;
    let whole = before.apply(reading, sources, whole)?;
    Ok(line.map(unit.clone(), |line, point| {
        let whole = whole.at_or_absent(point.period());
        let hundred = Estimate::exactly(Decimal::from(100));
        let outcome = point.outcome.and_then(|part| part.over(whole.outcome?)?.times(hundred));
        let operands = vec![Operand::new("current", point), Operand::new("whole", &whole)];
        Some(line.point(&unit, point.period(), "current / whole * 100", operands, outcome))
    }))
}

/// now * multiply / divide.
pub(super) fn scale(line: Line, unit: Unit, multiply: Decimal, divide: Decimal) -> Line {
    let formula = match (multiply == Decimal::from(1), divide == Decimal::from(1)) {
        (_, true) => format!("current * {multiply}"),
        (true, false) => format!("current / {divide}"),
        (false, false) => format!("current * {multiply} / {divide}"),
    };
    line.map(unit.clone(), |line, point| {
        let (multiply, divide) = (Estimate::exactly(multiply), Estimate::exactly(divide));
        let outcome = point.outcome.and_then(|now| now.times(multiply)?.over(divide));
        let operands = vec![Operand::new("current", point)];
        Some(line.point(&unit, point.period(), formula.clone(), operands, outcome))
    })
}

/// now * rate, or now / rate.
pub(super) fn exchange(reading: &Reading<'_>, line: Line, unit: Unit, indicator: &str, multiply: bool) -> Result<Line, Error> {
    let rates = rates(reading, indicator, &line.key.region)?;
    let formula = if multiply { "current * rate" } else { "current / rate" };
    Ok(line.map(unit.clone(), |line, point| {
        let rate = rate_of(&rates, point.period());
        let outcome: Outcome = point.outcome.and_then(|now| {
            let rate = rate.outcome?;
            if multiply { now.times(rate) } else { now.over(rate) }
        });
        let operands = vec![Operand::new("current", point), Operand::new("rate", &rate)];
        Some(Point::computed(&line.key, unit.as_ref(), point.period(), formula, operands, outcome).always_told())
    }))
}

/// The rates of a region, else of the nearest region above that has some, else of the only region that has.
fn rates(reading: &Reading<'_>, indicator: &str, region: &str) -> Result<Line, Error> {
    let view = reading.catalog();
    let own = std::iter::once(region.to_owned());
    for region in own.chain(view.ancestors(region).map(|above| above.id.clone())) {
        let line = reading.line(&subject(indicator, &region, &Default::default()), &Sources::Preferred)?;
        if !line.points.is_empty() {
            return Ok(line);
        }
    }
    let regions = reading.regions_of(indicator);
    let only = match regions.as_slice() {
        [only] => only.as_str(),
        _ => region,
    };
    reading.line(&subject(indicator, only, &Default::default()), &Sources::Preferred)
}

/// The rate of a period, else the mean over the longest of its shorter periods that all have one; of days, over those that have one,
/// since there is no market on Sundays.
fn rate_of(rates: &Line, period: Period) -> Arc<Point> {
    if let Some(rate) = rates.at(period) {
        return Arc::clone(rate);
    }
    let shorter = Frequency::ALL.into_iter().filter(|frequency| *frequency > period.frequency());
    for frequency in shorter {
        let expected = period.parts(frequency).count();
        let parts: Vec<Arc<Point>> = period.parts(frequency).filter_map(|part| rates.at(part).cloned()).collect();
        if !parts.is_empty() && (parts.len() == expected || frequency == Frequency::Daily) {
            return Arc::new(super::window::mean(rates, None, period, &parts).covering(parts.len(), expected));
        }
    }
    Point::absent(&rates.key, period)
}
