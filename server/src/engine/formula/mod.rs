//! Formulas of derived indicators: how they are written, and whether their units fit. Pure: they know no record and no catalog.
//!
//! - [`Formula`] is a text that was understood; its [`Expression`] is what there is to compute.
//! - [`mentions`] tells which indicators a text names, without building anything.
//! - [`fits`] checks that only like is added to like, and that the result is of the unit that is said.

mod dimension;
mod lexer;
mod parse;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, fmt};

use indicator_proto::Decimal;

pub use dimension::{Misfit, Units, fits};
pub use lexer::{looks_like_subtraction, mentions};
pub use parse::ParseFormulaError;

/// Bytes of a formula at most.
pub const BYTES: usize = 1_000;

/// Parentheses and signs within each other at most.
pub const DEEPEST: usize = 64;

/// A formula over indicators: `digital-economy-output / gdp * 100`.
///
/// [`FromStr`](std::str::FromStr) takes what people write, of at most [`BYTES`]; [`Display`](fmt::Display) gives the one canonical
/// form, with no parentheses but those that are needed, which reads as the same formula.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Formula(Expression);

/// What there is to compute. As read, it is nested to the right at most [`DEEPEST`] levels and to the left as many as [`BYTES`]
/// have room for, about 500: recursion over it is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// A number: not negative, as it is read.
    Number(Decimal),
    /// The figure of an indicator, by its id.
    Indicator(String),
    /// The negative of a value.
    Negate(Box<Self>),
    /// Two values together: the left one, how, the right one.
    Binary(Box<Self>, Operator, Box<Self>),
}

/// What makes one value of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Their sum.
    Add,
    /// The left less the right one.
    Subtract,
    /// Their product.
    Multiply,
    /// The left divided by the right one.
    Divide,
}

impl Operator {
    /// How it is written.
    pub fn sign(self) -> char {
        match self {
            Self::Add => '+',
            Self::Subtract => '-',
            Self::Multiply => '*',
            Self::Divide => '/',
        }
    }

    fn binding(self) -> Binding {
        match self {
            Self::Add | Self::Subtract => Binding::Sum,
            Self::Multiply | Self::Divide => Binding::Product,
        }
    }
}

/// How tightly the parts of an expression hold together, loosest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Sum,
    Product,
    One,
}

impl Formula {
    /// What there is to compute.
    pub fn expression(&self) -> &Expression {
        &self.0
    }

    /// The ids of the indicators that it names: at least one.
    pub fn indicators(&self) -> BTreeSet<&str> {
        let mut ids = BTreeSet::new();
        let mut open = vec![&self.0];
        while let Some(expression) = open.pop() {
            match expression {
                Expression::Number(_) => {}
                Expression::Indicator(id) => _ = ids.insert(id.as_str()),
                Expression::Negate(inner) => open.push(inner),
                Expression::Binary(left, _, right) => open.extend([&**left, &**right]),
            }
        }
        ids
    }

    /// Whether it makes a sum of sums: it adds and subtracts its indicators, each at most scaled by numbers, and nothing else.
    pub fn is_linear(&self) -> bool {
        self.0.degree() == Some(1)
    }
}

impl Expression {
    /// 0 for what numbers alone make, 1 for what is proportional to the indicators taken together, none for all else.
    fn degree(&self) -> Option<u8> {
        match self {
            Self::Number(_) => Some(0),
            Self::Indicator(_) => Some(1),
            Self::Negate(inner) => inner.degree(),
            Self::Binary(left, operator, right) => match (operator, left.degree()?, right.degree()?) {
                (Operator::Add | Operator::Subtract, left, right) => (left == right).then_some(left),
                (Operator::Multiply, left, right) => (left + right <= 1).then_some(left + right),
                (Operator::Divide, left, right) => (right == 0).then_some(left),
            },
        }
    }

    fn binding(&self) -> Binding {
        match self {
            Self::Number(_) | Self::Indicator(_) | Self::Negate(_) => Binding::One,
            Self::Binary(_, operator, _) => operator.binding(),
        }
    }

    /// Writes it, in parentheses if it would fall apart where it stands.
    fn write(&self, at_least: Binding, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.binding() < at_least {
            return write!(f, "({self})");
        }
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Indicator(id) => f.write_str(id),
            Self::Negate(inner) => {
                f.write_str("-")?;
                inner.write(Binding::One, f)
            }
            Self::Binary(left, operator, right) => {
                left.write(operator.binding(), f)?;
                write!(f, " {} ", operator.sign())?;
                // Operators of one kind group from the left: what is grouped from the right needs to say so.
                let tighter = if operator.binding() == Binding::Sum { Binding::Product } else { Binding::One };
                right.write(tighter, f)
            }
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(Binding::Sum, f)
    }
}

impl fmt::Display for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
