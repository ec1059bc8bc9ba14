use indicator_proto::{
    Decimal,
    v1::{self, ErrorReason},
};

use super::super::{computed, filter, moment, transform};
use crate::engine::{
    Engine, Error, Violation,
    analysis::{Crossing, Milestone, MilestoneQuery, Thresholds},
};

/// Thresholds in one request.
const MOST_THRESHOLDS: usize = 100;

/// Milestones in one answer: each has up to four figures.
pub(super) const MOST: usize = 10_000;

/// What is asked of milestones, whether once or as they are reached.
pub(super) fn check(
    filter: Option<v1::ObservationFilter>,
    thresholds: &[String],
    crossing: i32,
    violations: &mut Vec<Violation>,
) -> MilestoneQuery {
    let thresholds = self::thresholds(thresholds, crossing, violations);
    let filter = filter::check(filter, violations);
    if filter.indicators.is_empty() {
        let description = "is empty; name the indicators, whose unit the thresholds are in";
        violations.push(Violation::new("filter.indicators", ErrorReason::Required, description));
    }
    MilestoneQuery { filter, thresholds, steps: Vec::new() }
}

pub(super) fn list(engine: &Engine, request: v1::ListMilestonesRequest) -> Result<v1::ListMilestonesResponse, Error> {
    let mut violations = Vec::new();
    let query = check(request.filter, &request.thresholds, request.crossing, &mut violations);
    let as_of = moment::check(request.as_of.as_ref(), &mut violations);
    let steps = transform::check(&request.transforms, "transforms", &mut violations);
    violations.extend(query.filter.check(engine.catalog().at(engine.head().revision)));
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let moment = moment::resolve(engine, as_of)?;
    let query = MilestoneQuery { steps, ..query };
    let milestones = engine.reading(moment).milestones(&query, MOST)?;
    Ok(v1::ListMilestonesResponse { milestones: milestones.iter().map(milestone).collect(), revision: moment.revision })
}

/// The thresholds of a request.
fn thresholds(texts: &[String], crossing: i32, violations: &mut Vec<Violation>) -> Thresholds {
    let crossing = match v1::Crossing::try_from(crossing) {
        Ok(v1::Crossing::Unspecified | v1::Crossing::Reached) => Crossing::Reached,
        Ok(v1::Crossing::FellTo) => Crossing::FellTo,
        Err(_) => {
            let description = format!("{crossing} is not a Crossing; use CROSSING_REACHED or CROSSING_FELL_TO");
            violations.push(Violation::new("crossing", ErrorReason::InvalidEnum, description));
            Crossing::Reached
        }
    };
    match texts.len() {
        0 => {
            let description = "is empty; give at least one number to reach";
            violations.push(Violation::new("thresholds", ErrorReason::Required, description));
        }
        1..=MOST_THRESHOLDS => {}
        many => {
            let description = format!("has {many} numbers, {MOST_THRESHOLDS} are allowed; ask in parts");
            violations.push(Violation::new("thresholds", ErrorReason::RequestTooLarge, description));
        }
    }
    let read = |(index, text): (usize, &String)| {
        let number = text.parse::<Decimal>();
        let refuse = |error: &indicator_proto::ParseDecimalError| {
            violations.push(Violation::new(format!("thresholds[{index}]"), ErrorReason::InvalidDecimal, error.to_string()));
        };
        number.inspect_err(refuse).ok()
    };
    Thresholds { thresholds: texts.iter().take(MOST_THRESHOLDS).enumerate().filter_map(read).collect(), crossing }
}

/// A milestone as a message.
pub(super) fn milestone(milestone: &Milestone) -> v1::Milestone {
    let told = |point: &Option<_>| point.as_deref().map(|point| computed::observation(point, true, false));
    v1::Milestone {
        series: Some((&*milestone.key).into()),
        threshold: milestone.threshold.to_string(),
        state: milestone.state().into(),
        first: told(&milestone.first),
        first_published: told(&milestone.first_published),
        possible: told(&milestone.possible),
        latest: told(&milestone.latest),
    }
}
