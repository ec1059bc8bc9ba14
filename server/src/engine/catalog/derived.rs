//! Derived indicators: whether their formulas can be computed from what the catalog would have.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

use indicator_proto::v1::{EntryKind, ErrorReason, Indicator, RegionAggregation, TimeAggregation, Unit};

use super::{
    EntryMessage as _,
    references::{After, circle},
    units,
    validate::Step,
};
use crate::engine::{
    Violation,
    formula::{self, Formula, Units},
};

/// Derived indicators that rest on each other, one above the other, at most: it bounds what one figure costs.
const LEVELS: usize = 16;

/// Finds the formulas of a request that cannot be computed, and what it does to the formulas of others.
pub(super) fn check<'a>(after: &After<'a>, steps: &'a [Step], problems: &mut Vec<Violation>) {
    let touched = Touched::of(after, steps);
    if touched.0.is_empty() {
        return;
    }
    let derived = derived(after);
    check_circles(&derived, &touched, problems);
    for (id, Derived { indicator, formula }) in &derived {
        let own = touched.0.get(&(EntryKind::Indicator, *id));
        // Entries that rest on what is as it was are as right as they were.
        let cause = own.or_else(|| touched.first(after, indicator, formula));
        let Some(Cause { step, field }) = cause else { continue };
        for (own_field, reason, description) in contradictions(after, indicator, formula) {
            problems.push(match own {
                Some(_) => Violation::new(format!("{}.{own_field}", step.path), reason, description),
                None => {
                    let description = format!("the indicator {id:?} is computed with it: {description}; or change both together");
                    Violation::new(format!("{}.{field}", step.path), ErrorReason::InvalidEntry, description)
                }
            });
        }
    }
}

/// A derived indicator whose formula is well formed.
struct Derived<'a> {
    indicator: &'a Indicator,
    formula: Formula,
}

/// Those of the catalog as it would be after the request, by id.
fn derived<'a>(after: &After<'a>) -> BTreeMap<&'a str, Derived<'a>> {
    let unchanged =
        after.view.all::<Indicator>().filter(|it| !after.changed.contains_key(&(EntryKind::Indicator, it.id.as_str())));
    let changed = after.changed.values().filter_map(|step| Indicator::of(step.entry.as_ref()?));
    let with_formula = unchanged.chain(changed).filter(|indicator| !indicator.formula.is_empty());
    with_formula.filter_map(|it| Some((it.id.as_str(), Derived { indicator: it, formula: it.formula.parse().ok()? }))).collect()
}

/// An entry of the request on which formulas rest, and which is not as it was: what did it, and in which field.
#[derive(Clone, Copy)]
struct Cause<'a> {
    step: &'a Step,
    field: &'static str,
}

struct Touched<'a>(BTreeMap<(EntryKind, &'a str), Cause<'a>>);

impl<'a> Touched<'a> {
    fn of(after: &After<'a>, steps: &'a [Step]) -> Self {
        let touched = steps.iter().filter_map(|step| {
            let entry = step.entry.as_ref()?;
            let field = if let Some(unit) = Unit::of(entry) {
                units::changed_field(after.before(&unit.id)?, unit)
            } else {
                let indicator = Indicator::of(entry)?;
                match after.before(&indicator.id) {
                    // A new entry is looked at if it is derived; no other formula can have named it before.
                    None => (!indicator.formula.is_empty()).then_some("formula"),
                    Some(before) => changed_field(before, indicator),
                }
            };
            Some(((step.kind, step.id.as_str()), Cause { step, field: field? }))
        });
        Self(touched.collect())
    }

    /// The first of them on which a formula that is as it was rests.
    fn first(&self, after: &After<'a>, indicator: &'a Indicator, formula: &Formula) -> Option<&Cause<'a>> {
        let operands = formula.indicators().into_iter().filter_map(|id| after.get::<Indicator>(id));
        let units_of = |unit: &'a str| {
            let defined_by = after.get::<Unit>(unit).map(|unit| [&*unit.base_unit, &*unit.numerator, &*unit.denominator]);
            let parts = defined_by.into_iter().flatten();
            let bases = parts.clone().filter_map(|part| Some(&*after.get::<Unit>(part)?.base_unit));
            iter::once(unit).chain(parts).chain(bases).collect::<Vec<_>>()
        };
        let mut rests_on: Vec<(EntryKind, &'a str)> = Vec::new();
        for it in iter::once(indicator).chain(operands) {
            rests_on.push((EntryKind::Indicator, &it.id));
            rests_on.extend(units_of(&it.unit).into_iter().map(|unit| (EntryKind::Unit, unit)));
        }
        rests_on.iter().find_map(|key| self.0.get(key))
    }
}

/// The first field of an indicator on which formulas rest, its own and those of others, and which differs.
fn changed_field(before: &Indicator, after: &Indicator) -> Option<&'static str> {
    let fields = [
        ("formula", before.formula != after.formula),
        ("unit", before.unit != after.unit),
        ("dimensions", before.dimensions != after.dimensions),
        ("optional_dimensions", before.optional_dimensions != after.optional_dimensions),
        ("time_aggregation", before.time_aggregation() != after.time_aggregation()),
        ("region_aggregation", before.region_aggregation() != after.region_aggregation()),
    ];
    fields.into_iter().find(|(_, differs)| *differs).map(|(field, _)| field)
}

impl<'a> Units<'a> for &After<'a> {
    fn unit(&self, id: &str) -> Option<&'a Unit> {
        self.get(id)
    }

    fn unit_of(&self, indicator: &str) -> Option<&'a Unit> {
        self.get(&self.get::<Indicator>(indicator)?.unit)
    }
}

/// What of a derived indicator contradicts its operands, with the field. Operands that are not there are told elsewhere.
fn contradictions(after: &After<'_>, derived: &Indicator, formula: &Formula) -> Vec<(&'static str, ErrorReason, String)> {
    let mut found = Vec::new();
    if let Some(unit) = after.get::<Unit>(&derived.unit) {
        for misfit in formula::fits(formula, unit, &after) {
            found.push(("formula", ErrorReason::InvalidFormula, misfit.to_string()));
        }
    }
    let operands: Vec<&Indicator> = formula.indicators().into_iter().filter_map(|id| after.get(id)).collect();
    breakdown(derived, &operands, &mut found);
    over_time(derived, &operands, formula, &mut found);
    over_regions(derived, &operands, formula, &mut found);
    found
}

/// A figure is computed from figures of the same dimensions: each operand must have them, and no others.
fn breakdown(derived: &Indicator, operands: &[&Indicator], found: &mut Vec<(&'static str, ErrorReason, String)>) {
    for (field, dimensions) in [("dimensions", &derived.dimensions), ("optional_dimensions", &derived.optional_dimensions)] {
        for dimension in dimensions {
            let without =
                operands.iter().filter(|it| !it.dimensions.contains(dimension) && !it.optional_dimensions.contains(dimension));
            for operand in without {
                let remedy = "leave it out, or name operands that all are";
                let description = format!("its operand {:?} is not broken down by {dimension:?}; {remedy}", operand.id);
                found.push((field, ErrorReason::InvalidEntry, description));
            }
        }
    }
    let required = operands.iter().flat_map(|operand| operand.dimensions.iter().map(move |dimension| (dimension, operand)));
    let mut told = BTreeSet::new();
    for (dimension, operand) in required.filter(|(dimension, _)| !derived.dimensions.contains(dimension)) {
        if told.insert(dimension) {
            let description =
                format!("every series of its operand {:?} is broken down by {dimension:?}; add it to its dimensions", operand.id);
            found.push(("dimensions", ErrorReason::InvalidEntry, description));
        }
    }
}

/// A rule must make the same of computed figures as the formula makes of the operands by theirs.
fn over_time(
    derived: &Indicator,
    operands: &[&Indicator],
    formula: &Formula,
    found: &mut Vec<(&'static str, ErrorReason, String)>,
) {
    let rule = derived.time_aggregation();
    let fits = match rule {
        TimeAggregation::Unspecified | TimeAggregation::None => return,
        TimeAggregation::Last => true,
        TimeAggregation::Sum => formula.is_linear(),
    };
    let other = operands.iter().find(|operand| operand.time_aggregation() != rule);
    if let Some(description) = no_rule(fits, other, short(rule.as_str_name(), "TIME_AGGREGATION_")) {
        found.push(("time_aggregation", ErrorReason::InvalidEntry, description));
    }
}

fn over_regions(
    derived: &Indicator,
    operands: &[&Indicator],
    formula: &Formula,
    found: &mut Vec<(&'static str, ErrorReason, String)>,
) {
    let rule = derived.region_aggregation();
    let other = operands.iter().find(|operand| operand.region_aggregation() != rule);
    let problem = match rule {
        // A quotient is the mean of its parts, weighted by what it is divided by: people say by what.
        RegionAggregation::Unspecified | RegionAggregation::None | RegionAggregation::Weighted => None,
        RegionAggregation::Sum => no_rule(formula.is_linear(), other, short(rule.as_str_name(), "REGION_AGGREGATION_")),
    };
    found.extend(problem.map(|description| ("region_aggregation", ErrorReason::InvalidEntry, description)));
}

fn no_rule(fits: bool, other: Option<&&Indicator>, rule: String) -> Option<String> {
    match other {
        _ if !fits => {
            Some(format!("only sums of indicators, each at most multiplied by numbers, have the rule {rule}; leave it out"))
        }
        Some(other) => Some(format!("its operand {:?} has not the rule {rule}; leave it out, or change both", other.id)),
        None => None,
    }
}

fn short(schema_name: &str, prefix: &str) -> String {
    schema_name.trim_start_matches(prefix).to_owned()
}

/// Finds formulas that lead back to their indicator, and those that rest on too many others, one above the other: each at the first
/// entry of the request that has a part in it.
fn check_circles(derived: &BTreeMap<&str, Derived<'_>>, touched: &Touched<'_>, problems: &mut Vec<Violation>) {
    let mut fail = |ids: &[&str], description: String| {
        let cause = ids.iter().find_map(|id| touched.0.get(&(EntryKind::Indicator, *id)));
        if let Some(Cause { step, .. }) = cause {
            problems.push(Violation::new(format!("{}.formula", step.path), ErrorReason::InvalidFormula, description));
        }
    };
    let Order { levels, circles } = Order::of(derived);
    for ids in circles {
        fail(&ids, format!("its formula leads back to itself: {}; compute one of them from others", circle(&ids)));
    }
    for (id, _) in levels.iter().filter(|(_, (level, _))| *level == LEVELS + 1) {
        let ids: Vec<&str> = iter::successors(Some(*id), |id| levels[id].1).take(LEVELS + 1).collect();
        let chain = ids.join(" > ");
        let remedy = "name recorded indicators instead";
        fail(&ids, format!("{} formulas rest on each other, and {LEVELS} may: {chain}; {remedy}", ids.len()));
    }
}

/// How derived indicators rest on each other.
#[derive(Default)]
struct Order<'d> {
    /// How many formulas there are from each down to recorded figures, and over which operand; 0 while that is found out.
    levels: BTreeMap<&'d str, (usize, Option<&'d str>)>,
    /// Indicators each of which names the next, and the last the first.
    circles: Vec<Vec<&'d str>>,
}

impl<'d> Order<'d> {
    fn of(derived: &BTreeMap<&'d str, Derived<'d>>) -> Self {
        let mut order = Self::default();
        for start in derived.keys() {
            if !order.levels.contains_key(start) {
                order.descend(start, derived);
            }
        }
        order
    }

    /// Goes down from an indicator. Not by recursion: before it is refused, a chain may be longer than the stack is deep.
    fn descend(&mut self, start: &'d str, derived: &BTreeMap<&'d str, Derived<'d>>) {
        let operands = |id: &str| -> Vec<&'d str> {
            let named = derived.get(id).map(|it| it.formula.indicators()).unwrap_or_default();
            named.into_iter().filter_map(|id| derived.get_key_value(id)).map(|(id, _)| *id).collect()
        };
        // The way down, each with those of its operands that are still to be looked at.
        let mut way = vec![(start, operands(start))];
        self.levels.insert(start, (0, None));
        while let Some((id, open)) = way.last_mut() {
            let Some(operand) = open.pop() else {
                let highest = operands(id).into_iter().map(|operand| (self.levels[operand].0, operand)).max();
                self.levels.insert(id, highest.map_or((1, None), |(level, operand)| (level + 1, Some(operand))));
                way.pop();
                continue;
            };
            match self.levels.get(operand) {
                None => {
                    self.levels.insert(operand, (0, None));
                    way.push((operand, operands(operand)));
                }
                Some((0, _)) => {
                    let from = way.iter().position(|(id, _)| *id == operand).unwrap_or_default();
                    self.circles.push(way[from..].iter().map(|(id, _)| *id).collect());
                }
                Some(_) => {}
            }
        }
    }
}
