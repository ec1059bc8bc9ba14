//! Figures as they are typed: `204`, `>100000`, `>=3`, `~5`, `1..5`.

use std::str::FromStr;

use indicator_proto::{
    Decimal, ParseDecimalError,
    v1::{self, Bound},
};

/// Spellings of bounds. The longer ones come first: `>=` begins with `>`.
const SIGNS: [(&str, Bound); 12] = [
    (">=", Bound::AtLeast),
    ("=>", Bound::AtLeast),
    ("<=", Bound::AtMost),
    ("=<", Bound::AtMost),
    ("≥", Bound::AtLeast),
    ("≤", Bound::AtMost),
    (">", Bound::GreaterThan),
    ("＞", Bound::GreaterThan),
    ("<", Bound::LessThan),
    ("＜", Bound::LessThan),
    ("≈", Bound::Approximate),
    ("~", Bound::Approximate),
];

/// What separates the ends of an interval: what is typed, and what is printed.
const SEPARATORS: [&str; 2] = ["..", "–"];

/// A figure as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Figure {
    /// A number, and how the figure relates to it, if that was typed.
    Value(Decimal, Option<Bound>),
    /// Between two numbers, both included.
    Between(Decimal, Decimal),
}

/// Why a text is no figure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ParseFigureError {
    /// A number in it is none.
    #[error(transparent)]
    Decimal(#[from] ParseDecimalError),
    /// The ends of an interval are the wrong way round.
    #[error("{lower} is above {upper}; write the lower end first: {upper}..{lower}")]
    Reversed {
        /// What stood first.
        lower: Decimal,
        /// What stood second.
        upper: Decimal,
    },
}

impl FromStr for Figure {
    type Err = ParseFigureError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Some((lower, upper)) = SEPARATORS.iter().find_map(|separator| text.split_once(separator)) {
            let (lower, upper) = (Decimal::parse_lenient(lower)?, Decimal::parse_lenient(upper)?);
            return if lower > upper {
                Err(ParseFigureError::Reversed { lower, upper })
            } else {
                Ok(Self::Between(lower, upper))
            };
        }
        let sign = SIGNS.iter().find_map(|(sign, bound)| Some((text.strip_prefix(sign)?, *bound)));
        let (number, bound) = sign.map_or((text, None), |(number, bound)| (number, Some(bound)));
        Ok(Self::Value(Decimal::parse_lenient(number)?, bound))
    }
}

impl Figure {
    /// Puts it into an observation.
    pub(crate) fn put_into(&self, observation: &mut v1::Observation) {
        match self {
            Self::Value(value, bound) => {
                observation.value = value.to_string();
                observation.bound = bound.unwrap_or(Bound::Exact).into();
            }
            Self::Between(lower, upper) => {
                observation.interval = Some(v1::Interval { lower: lower.to_string(), upper: upper.to_string() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use indicator_proto::words::{Language, figure};
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().expect("a canonical decimal")
    }

    #[test]
    fn a_sign_before_the_number_is_its_bound() {
        for (text, bound) in [
            ("100000", None),
            (">100000", Some(Bound::GreaterThan)),
            ("> 100000", Some(Bound::GreaterThan)),
            (">=100000", Some(Bound::AtLeast)),
            ("≥ 100000", Some(Bound::AtLeast)),
            ("<100000", Some(Bound::LessThan)),
            ("<=100000", Some(Bound::AtMost)),
            ("≤100000", Some(Bound::AtMost)),
            ("~1e5", Some(Bound::Approximate)),
            ("≈100000", Some(Bound::Approximate)),
        ] {
            assert_eq!(text.parse(), Ok(Figure::Value(decimal("100000"), bound)), "{text}");
        }
    }

    #[test]
    fn an_interval_has_two_ends_in_order() {
        assert_eq!("1..5".parse(), Ok(Figure::Between(decimal("1"), decimal("5"))));
        assert_eq!("-5..-1.5".parse(), Ok(Figure::Between(decimal("-5"), decimal("-1.5"))));
        assert_eq!("10 – 20".parse(), Ok(Figure::Between(decimal("10"), decimal("20"))));
        let error = "5..1".parse::<Figure>().unwrap_err().to_string();
        assert_eq!(error, "5 is above 1; write the lower end first: 1..5");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", ">", "abc", "1,000", "1 000", "NaN", "1..", "..5", ">1..5", "1...5", "><3", "١٢", "--5"] {
            assert!(text.parse::<Figure>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_can_be_typed(number in "-?(0|[1-9][0-9]{0,2})(\\.[0-9]{0,5}[1-9])?", sign in 0..SIGNS.len()) {
            prop_assume!(number != "-0");
            let typed = Figure::Value(decimal(&number), Some(SIGNS[sign].1));
            let mut observation = v1::Observation::default();
            typed.put_into(&mut observation);
            prop_assert_eq!(figure(&observation, None, Language::En).parse::<Figure>(), Ok(typed));
        }
    }
}
