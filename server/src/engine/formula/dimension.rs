//! Whether the units of a formula fit.
//!
//! A unit is of the dimension of its base unit, in a scale of its own: how many of the base it is. A ratio is its numerator by its
//! denominator; shares, index numbers and the unit "1" are pure numbers; every other unit is a dimension of itself. Products and
//! quotients combine dimensions and scales. Sums and differences need equal dimensions, and so does the result and the unit that
//! it is said to be in.
//!
//! Scales must be equal there too, unless a number has a part in the product on one side: `area-ha * 0.01` may be added to figures
//! in km2, since numbers are how people convert. What such a number does is theirs to know.

use std::collections::BTreeMap;

use indicator_proto::{
    Decimal, Excerpt,
    v1::{Unit, UnitKind},
};

use super::{Expression, Formula, Operator};

/// The unit of pure numbers.
const ONE: &str = "1";

/// Where formulas learn about units.
pub trait Units<'a> {
    /// A unit by its id.
    fn unit(&self, id: &str) -> Option<&'a Unit>;

    /// The unit that the figures of an indicator are in.
    fn unit_of(&self, indicator: &str) -> Option<&'a Unit>;
}

/// Why units do not fit. Expressions are in their canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// A position in an order is no quantity.
    #[error("{indicator:?} is in {unit:?}, a rank, and ranks are not computed with; leave it out")]
    Rank {
        /// The indicator.
        indicator: String,
        /// Its unit.
        unit: String,
    },
    /// Nothing that is computed is a rank.
    #[error("a rank is no result of arithmetic, and the unit {0:?} is one; name another unit, and ask Rank for ranks")]
    RankResult(String),
    /// Sums of unlike things.
    #[error("{left} is in {}, {right} in {}; only figures of one unit are added or subtracted", units[0], units[1])]
    Unlike {
        /// The left side.
        left: Excerpt,
        /// The right side.
        right: Excerpt,
        /// What they are in, in ids of units.
        units: [String; 2],
    },
    /// Sums of like things in unlike sizes.
    #[error("{left} is in {}, {right} in {}, which differ in size; {}", units[0], units[1], conversion(right, factor))]
    Sizes {
        /// The left side.
        left: Excerpt,
        /// The right side.
        right: Excerpt,
        /// What they are in, in ids of units.
        units: [String; 2],
        /// What converts the right side, where that is a decimal.
        factor: Option<Decimal>,
    },
    /// The result is of another dimension.
    #[error("the formula makes figures in {made}, but the unit is {said:?}; {}", likeness(made, said))]
    Result {
        /// What it makes, in ids of units.
        made: String,
        /// The unit that is said.
        said: String,
    },
    /// The result is of another size.
    #[error(
        "the formula makes figures in {made}, which differ in size from the unit {said:?}; {}",
        match factor {
            Some(factor) => format!("multiply by {factor}"),
            None => "multiply by the number that converts them, or name another unit".to_owned(),
        }
    )]
    ResultSize {
        /// What it makes, in ids of units.
        made: String,
        /// The unit that is said.
        said: String,
        /// What converts the result, where that is a decimal.
        factor: Option<Decimal>,
    },
}

/// The remedy for a unit of another dimension. Only a ratio is what its id looks like.
fn likeness(made: &str, said: &str) -> &'static str {
    match Excerpt::of(said).to_string() == made {
        true => "make that a unit of the kind RATIO, with this numerator and denominator",
        false => "name a unit of that kind, or correct the formula",
    }
}

fn conversion(right: &Excerpt, factor: &Option<Decimal>) -> String {
    match factor {
        Some(factor) => format!("multiply {right} by {factor}"),
        None => "multiply one of them by the number that converts it".to_owned(),
    }
}

/// Everything about the units of a formula that does not fit; `result` is the unit that its figures are said to be in. Where a unit
/// is not known, nothing is found of what rests on it.
pub fn fits<'a>(formula: &Formula, result: &'a Unit, units: &dyn Units<'a>) -> Vec<Misfit> {
    let mut check = Check { units, misfits: Vec::new() };
    let made = check.measure(formula.expression());
    let said = check.of_unit(result);
    if result.kind() == UnitKind::Rank {
        check.misfits.push(Misfit::RankResult(result.id.clone()));
    } else if let (Some(made), Some(said)) = (made, said) {
        let told = || (check.text(&made), result.id.clone());
        if check.dimension(&made) != check.dimension(&said) {
            let (made, said) = told();
            check.misfits.push(Misfit::Result { made, said });
        } else if made.is_plain && !check.equal_scales(&made, &said) {
            let factor = check.factor(&made, &said);
            let (made, said) = told();
            check.misfits.push(Misfit::ResultSize { made, said, factor });
        }
    }
    check.misfits
}

/// What a value is in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Measure<'a> {
    /// Units with their exponents; none has the exponent 0, and none is a ratio.
    units: BTreeMap<&'a str, i32>,
    /// No number had a part in it, so that its scale is that of its units.
    is_plain: bool,
}

impl<'a> Measure<'a> {
    fn times(mut self, other: &Self, sign: i32) -> Self {
        for (unit, exponent) in &other.units {
            let sum = self.units.entry(unit).or_default();
            *sum += sign * exponent;
            if *sum == 0 {
                self.units.remove(unit);
            }
        }
        Self { is_plain: self.is_plain && other.is_plain, ..self }
    }
}

struct Check<'c, 'a> {
    units: &'c dyn Units<'a>,
    misfits: Vec<Misfit>,
}

impl<'a> Check<'_, 'a> {
    fn measure(&mut self, expression: &Expression) -> Option<Measure<'a>> {
        match expression {
            Expression::Number(_) => Some(Measure::default()),
            Expression::Indicator(id) => {
                let unit = self.units.unit_of(id)?;
                if unit.kind() == UnitKind::Rank {
                    self.misfits.push(Misfit::Rank { indicator: id.clone(), unit: unit.id.clone() });
                    return None;
                }
                self.of_unit(unit)
            }
            Expression::Negate(inner) => self.measure(inner),
            Expression::Binary(left, operator, right) => {
                // Both sides are looked at, so that all that is wrong is told.
                let (l, r) = (self.measure(left), self.measure(right));
                let (l, r) = (l?, r?);
                match operator {
                    Operator::Multiply => Some(l.times(&r, 1)),
                    Operator::Divide => Some(l.times(&r, -1)),
                    Operator::Add | Operator::Subtract => self.sum((left, l), (right, r)),
                }
            }
        }
    }

    fn sum(&mut self, left: (&Expression, Measure<'a>), right: (&Expression, Measure<'a>)) -> Option<Measure<'a>> {
        let ((left, l), (right, r)) = (left, right);
        let unlike = self.dimension(&l) != self.dimension(&r);
        if unlike || (l.is_plain && r.is_plain && !self.equal_scales(&l, &r)) {
            let units = [self.text(&l), self.text(&r)];
            let factor = self.factor(&r, &l);
            let [left, right] = [left, right].map(|side| Excerpt::of(&side.to_string()));
            self.misfits.push(match unlike {
                true => Misfit::Unlike { left, right, units },
                false => Misfit::Sizes { left, right, units, factor },
            });
            return None;
        }
        // Where one side is in known units, the other was converted to them.
        Some(if l.is_plain { l } else { r })
    }

    /// What figures in a unit are in; none if a part of a ratio is not known.
    fn of_unit(&self, unit: &'a Unit) -> Option<Measure<'a>> {
        let parts = match unit.kind() {
            UnitKind::Ratio => vec![(self.units.unit(&unit.numerator)?, 1), (self.units.unit(&unit.denominator)?, -1)],
            _ => vec![(unit, 1)],
        };
        let one = |unit: &'a Unit, exponent| {
            let counts = unit.id != ONE && (!is_number(unit) || !unit.base_unit.is_empty());
            Measure { units: counts.then_some((unit.id.as_str(), exponent)).into_iter().collect(), is_plain: true }
        };
        let start = Measure { is_plain: true, ..Measure::default() };
        Some(parts.into_iter().fold(start, |all, (unit, exponent)| all.times(&one(unit, exponent), 1)))
    }

    /// Base units with their exponents: equal where the values are like.
    fn dimension(&self, measure: &Measure<'a>) -> BTreeMap<&'a str, i32> {
        let mut dimension = BTreeMap::new();
        for (id, exponent) in &measure.units {
            let unit = self.units.unit(id);
            let base = unit.map_or(*id, |unit| if unit.base_unit.is_empty() { id } else { &unit.base_unit });
            if base != ONE && !unit.is_some_and(is_number) {
                *dimension.entry(base).or_default() += exponent;
            }
        }
        dimension.retain(|_, exponent| *exponent != 0);
        dimension
    }

    /// How many base units one of it is, as a product above and one below the line; none if a product has too many digits.
    fn scale(&self, measure: &Measure<'a>) -> Option<[Decimal; 2]> {
        let mut scale = [Decimal::from(1), Decimal::from(1)];
        for (id, exponent) in &measure.units {
            let factor = self.units.unit(id).map(|unit| unit.factor.as_str()).filter(|factor| !factor.is_empty());
            let Some(Ok(factor)) = factor.map(str::parse::<Decimal>) else { continue };
            let side = &mut scale[usize::from(*exponent < 0)];
            for _ in 0..exponent.unsigned_abs() {
                *side = side.checked_mul(&factor)?;
            }
        }
        Some(scale)
    }

    /// Whether two values of one dimension are in the same scale. Not if that cannot be computed: then people say what converts them.
    fn equal_scales(&self, one: &Measure<'a>, other: &Measure<'a>) -> bool {
        // What is common to both has no part in it, and may have many digits.
        let quotient = self.scale(&one.clone().times(other, -1));
        quotient.is_some_and(|[above, below]| above == below)
    }

    /// By what values in `from` are multiplied to be in `to`, if that is a decimal.
    fn factor(&self, from: &Measure<'a>, to: &Measure<'a>) -> Option<Decimal> {
        let [above, below] = self.scale(&from.clone().times(to, -1))?;
        let quotient = above.inner().checked_div(below.inner())?.normalize();
        let quotient = Decimal::from_parts(quotient.mantissa(), quotient.scale())?;
        (quotient.checked_mul(&below)? == above).then_some(quotient)
    }

    /// The units as people write them: `CNY/{person}`.
    fn text(&self, measure: &Measure<'a>) -> String {
        let repeated = |sign: i32| {
            let of_sign = measure.units.iter().filter(move |(_, exponent)| exponent.signum() == sign);
            of_sign.flat_map(|(id, exponent)| std::iter::repeat_n(*id, exponent.unsigned_abs() as usize))
        };
        let above: Vec<&str> = repeated(1).collect();
        let mut text = if above.is_empty() { ONE.to_owned() } else { above.join(".") };
        for below in repeated(-1) {
            text.push('/');
            text.push_str(below);
        }
        Excerpt::of(&text).to_string()
    }
}

fn is_number(unit: &Unit) -> bool {
    matches!(unit.kind(), UnitKind::Share | UnitKind::Index) || unit.id == ONE
}
