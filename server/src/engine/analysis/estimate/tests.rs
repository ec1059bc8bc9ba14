use std::sync::Arc;

use indicator_proto::Statuses;
use proptest::prelude::*;

use super::{interval::End, *};
use crate::store::Details;

fn d(text: &str) -> Decimal {
    text.parse().expect(text)
}

fn of(value: &str, bound: Bound) -> Estimate {
    Estimate::of_value(d(value), bound, None)
}

fn exactly(value: &str) -> Estimate {
    Estimate::exactly(d(value))
}

fn rounded(value: &str, step: &str) -> Estimate {
    Estimate::of_value(d(value), Bound::Exact, Some(d(step)))
}

fn interval(lower: &str, upper: &str) -> Estimate {
    Estimate { nature: Nature::Bounds, nominal: None, span: Some(Span::closed(d(lower), d(upper))) }
}

/// As a person would write it.
fn told(outcome: Outcome) -> String {
    let (datum, step) = match outcome {
        Ok(estimate) => estimate.figure(),
        Err(reason) => return reason.name().expect("a reason").to_owned(),
    };
    let text = match datum {
        Datum::Value(value, bound) => {
            let sign = match bound {
                Bound::Exact => "",
                Bound::GreaterThan => ">",
                Bound::AtLeast => ">=",
                Bound::LessThan => "<",
                Bound::AtMost => "<=",
                Bound::Approximate => "~",
            };
            format!("{sign}{value}")
        }
        Datum::Interval(interval) => format!("{}..{}", interval.lower(), interval.upper()),
        Datum::Missing(reason) => reason.name().expect("a reason").to_owned(),
        Datum::Withdrawn => unreachable!("nothing computed is withdrawn"),
    };
    step.map_or(text.clone(), |step| format!("{text} to {step}"))
}

#[test]
fn more_than_100_divided_by_4_is_more_than_25() {
    assert_eq!(told(of("100", Bound::GreaterThan).over(exactly("4"))), ">25");
    assert_eq!(told(of("100", Bound::AtLeast).over(exactly("-4"))), "<=-25");
    assert_eq!(told(of("100", Bound::LessThan).times(exactly("3"))), "<300");
}

#[test]
fn sums_of_bounds_are_bounds() {
    assert_eq!(told(of("100", Bound::GreaterThan).plus(exactly("20"))), ">120");
    assert_eq!(told(of("100", Bound::AtLeast).plus(of("50", Bound::AtLeast))), ">=150");
    assert_eq!(told(of("100", Bound::AtLeast).plus(of("50", Bound::GreaterThan))), ">150");
    assert_eq!(told(interval("1", "3").plus(interval("10", "20"))), "11..23");
    assert_eq!(told(interval("1", "3").plus(of("10", Bound::LessThan))), "<13");
}

#[test]
fn what_the_bounds_leave_open_is_undetermined() {
    let more = of("100", Bound::GreaterThan);
    assert_eq!(told(more.minus(of("50", Bound::GreaterThan))), "undetermined");
    assert_eq!(told(more.plus(of("50", Bound::LessThan))), "undetermined");
    assert_eq!(told(exactly("5").over(interval("-1", "1"))), "undetermined");
    assert_eq!(told(more.minus(of("50", Bound::LessThan))), ">50");
}

#[test]
fn what_is_divided_by_zero_cannot_exist() {
    assert_eq!(told(exactly("5").over(exactly("0"))), "cannot-exist");
    assert_eq!(told(of("5", Bound::GreaterThan).over(exactly("0"))), "cannot-exist");
    assert_eq!(told(exactly("-1").ln()), "cannot-exist");
    assert_eq!(told(of("0", Bound::AtMost).ln()), "cannot-exist");
}

#[test]
fn a_share_of_more_than_nothing_has_no_upper_end() {
    assert_eq!(told(exactly("5").over(of("0", Bound::GreaterThan))), ">0");
    assert_eq!(told(exactly("5").over(of("100", Bound::GreaterThan))), "0..0.05");
    assert_eq!(told(exactly("5").over(of("0", Bound::AtLeast))), "undetermined");
    assert_eq!(told(of("3", Bound::AtLeast).over(of("100", Bound::GreaterThan))), ">0");
    assert_eq!(told(of("3", Bound::AtLeast).over(interval("1", "2"))), ">=1.5");
}

#[test]
fn roundings_go_on() {
    assert_eq!(told(rounded("1710000", "10000").over(exactly("2"))), "855000 to 5000");
    assert_eq!(told(rounded("1.5", "0.1").plus(rounded("2.5", "0.1"))), "4 to 0.2");
    assert_eq!(told(rounded("1.5", "0.1").plus(of("2", Bound::GreaterThan))), ">3.45");
    // A rounded figure that may be zero.
    assert_eq!(told(exactly("1").over(rounded("0", "1"))), "undetermined");
}

#[test]
fn exact_operands_make_no_rounding_of_a_result_with_many_digits() {
    assert_eq!(told(exactly("1").over(exactly("3"))), "0.3333333333333333333333333333");
    assert_eq!(told(exactly("2").ln()), "0.6931471805599453094172321215");
}

#[test]
fn about_stays_about() {
    assert_eq!(told(of("3", Bound::Approximate).times(exactly("2"))), "~6");
    assert_eq!(told(of("3", Bound::Approximate).plus(of("2", Bound::GreaterThan))), "undetermined");
    assert_eq!(told(Estimate::of_value(d("3"), Bound::Approximate, Some(d("1"))).over(exactly("2"))), "~1.5 to 0.5");
}

#[test]
fn powers_of_what_may_be_negative_begin_at_zero() {
    assert_eq!(told(interval("-2", "1").pow(2)), "0..4");
    assert_eq!(told(interval("-2", "1").pow(3)), "-8..1");
    assert_eq!(told(interval("-3", "-2").pow(2)), "4..9");
    assert_eq!(told(of("-2", Bound::AtMost).pow(2)), ">=4");
}

#[test]
fn the_greatest_of_bounds_is_a_bound() {
    assert_eq!(told(of("100", Bound::GreaterThan).max(exactly("120"))), ">=120");
    assert_eq!(told(of("100", Bound::GreaterThan).min(exactly("50"))), "50");
    assert_eq!(told(of("100", Bound::GreaterThan).min(exactly("120"))), "100..120");
}

#[test]
fn a_missing_figure_says_why_and_a_withdrawn_one_is_none() {
    let figure = |datum| Figure { datum, statuses: Statuses::default(), details: None };
    let suppressed = figure(Datum::Missing(MissingReason::Suppressed));
    assert_eq!(Estimate::of_figure(&suppressed), Some(Err(MissingReason::Suppressed)));
    assert_eq!(Estimate::of_figure(&Figure::withdrawn()), None);
    let details = Details { rounded_to: Some(d("0.1")), ..Details::default() };
    let value = Figure { details: Some(Arc::new(details)), ..figure(Datum::Value(d("1.5"), Bound::Exact)) };
    assert_eq!(Estimate::of_figure(&value), Some(Ok(rounded("1.5", "0.1"))));
}

/// An estimate, and a number that it allows.
fn estimate_and_truth() -> impl Strategy<Value = (Estimate, Decimal)> {
    let number = || (-40_i64..40, 0..=1_u32).prop_map(|(n, scale)| Decimal::from_parts(n.into(), scale).expect("short"));
    let exact = number().prop_map(|n| (Estimate::exactly(n), n));
    let bound =
        (number(), 0_i64..30, prop::sample::select(&[Bound::GreaterThan, Bound::AtLeast, Bound::LessThan, Bound::AtMost][..]))
            .prop_map(|(n, away, bound)| {
                let open = matches!(bound, Bound::GreaterThan | Bound::LessThan);
                let away = Decimal::from(away + i64::from(open));
                let away = if matches!(bound, Bound::LessThan | Bound::AtMost) { arithmetic::negated(away) } else { away };
                (Estimate::of_value(n, bound, None), arithmetic::add(n, away, Rounding::Nearest).expect("short"))
            });
    let between = (number(), 0_i64..10, 0_i64..10).prop_map(|(n, below, above)| {
        let end = |way: i64| arithmetic::add(n, Decimal::from(way), Rounding::Nearest).expect("short");
        let span = Span::closed(end(-below), end(above));
        (Estimate { nature: Nature::Bounds, nominal: None, span: Some(span) }.settled(), n)
    });
    let rounded = number().prop_map(|n| {
        (Estimate::of_value(n, Bound::Exact, Some(d("1"))), arithmetic::add(n, d("0.4"), Rounding::Nearest).expect("short"))
    });
    prop_oneof![exact, bound, between, rounded]
}

fn holds(span: Span, number: Decimal) -> bool {
    let above = match span.lower() {
        End::Open => true,
        End::At { number: end, included } => number > end || (included && number == end),
    };
    let below = match span.upper() {
        End::Open => true,
        End::At { number: end, included } => number < end || (included && number == end),
    };
    above && below
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_true_operands_give_lies_in_the_result(a in estimate_and_truth(), b in estimate_and_truth(), n in 1..5_u32) {
        let near = |r| r;
        let ((a, x), (b, y)) = (a, b);
        let sum = arithmetic::add(x, y, Rounding::Nearest).expect("short");
        if let Ok(result) = a.plus(b) { prop_assert!(holds(result.span(), sum)); }
        let difference = arithmetic::add(x, arithmetic::negated(y), Rounding::Nearest).expect("short");
        if let Ok(result) = a.minus(b) { prop_assert!(holds(result.span(), difference)); }
        let product = arithmetic::mul(x, y, Rounding::Nearest).expect("short");
        if let Ok(result) = a.times(b) { prop_assert!(holds(result.span(), product)); }
        let power = arithmetic::pow(x, n, Rounding::Nearest).expect("short");
        if let Ok(result) = a.pow(n) { prop_assert!(holds(result.span(), power)); }
        if let Ok(result) = a.max(b) { prop_assert!(holds(result.span(), x.max(y))); }
        if let Ok(result) = a.min(b) { prop_assert!(holds(result.span(), x.min(y))); }
        if let Ok(result) = a.over(b) {
            prop_assert!(!y.is_zero());
            // The quotient may have to be rounded: compare on the side where it cannot leave.
            let low = arithmetic::div(x, y, Rounding::Down).map(near);
            let high = arithmetic::div(x, y, Rounding::Up).map(near);
            let span = result.span();
            prop_assert!(holds(span, low.expect("short")) || holds(span, high.expect("short")) || result.span.is_none());
        }
        if let Ok(result) = a.ln() && x > d("0") {
            let span = result.span();
            let (low, high) = (arithmetic::ln(x, Rounding::Down), arithmetic::ln(x, Rounding::Up));
            prop_assert!(holds(span, low.expect("short")) || holds(span, high.expect("short")) || result.span.is_none());
        }
    }

    #[test]
    fn a_result_is_as_wide_as_the_true_operands_make_it(a in estimate_and_truth(), b in estimate_and_truth()) {
        // The ends of a sum are the sums of the ends: nothing is given away.
        let ((a, _), (b, _)) = (a, b);
        if let Ok(result) = a.plus(b) {
            let ends = |end: fn(Span) -> End| end(a.span()).number().zip(end(b.span()).number())
                .and_then(|(x, y)| arithmetic::add(x, y, Rounding::Nearest));
            prop_assert_eq!(result.span().lower().number(), ends(Span::lower));
            prop_assert_eq!(result.span().upper().number(), ends(Span::upper));
        }
    }
}
