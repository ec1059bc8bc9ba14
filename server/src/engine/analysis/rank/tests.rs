use proptest::prelude::*;

use super::*;

fn d(text: &str) -> Decimal {
    text.parse().expect(text)
}

fn exactly(text: &str) -> Span {
    Span::closed(d(text), d(text))
}

fn ranks(spans: &[Span]) -> Vec<(u32, u32)> {
    places(spans).into_iter().map(|place| place.rank).collect()
}

#[test]
fn equal_figures_share_a_rank_and_the_next_one_is_left_out() {
    let spans = ["9", "7", "7", "5"].map(exactly);
    assert_eq!(ranks(&spans), [(1, 1), (2, 2), (2, 2), (4, 4)]);
    assert_eq!(places(&spans).iter().map(|place| place.equal).collect::<Vec<_>>(), [1, 2, 2, 1]);
}

#[test]
fn what_cannot_be_ordered_has_a_rank_that_is_an_interval() {
    // "More than 100" may be more than 120, or less.
    let spans = [exactly("200"), exactly("120"), Span::above(d("100"), false), exactly("100"), exactly("50")];
    assert_eq!(ranks(&spans), [(1, 2), (2, 3), (1, 3), (4, 4), (5, 5)]);
    // "At least 100" may be 100 itself.
    assert_eq!(ranks(&[exactly("100"), Span::above(d("100"), true)]), [(1, 2), (1, 1)]);
    assert_eq!(ranks(&[exactly("100"), Span::below(d("100"), true)]), [(1, 1), (1, 2)]);
    assert_eq!(ranks(&[Span::EVERYTHING, exactly("1"), exactly("0")]), [(1, 3), (1, 2), (2, 3)]);
}

#[test]
fn roundings_that_touch_are_in_order() {
    let rounded = |value: &str| Span::around(d(value), d("0.1"));
    assert_eq!(ranks(&[rounded("100.2"), rounded("100.1")]), [(1, 1), (2, 2)]);
    assert_eq!(ranks(&[rounded("100.2"), rounded("100.2")]), [(1, 2), (1, 2)]);
}

#[test]
fn percentiles_count_those_behind_and_half_of_those_beside() {
    let percentiles = |spans: &[Span]| -> Vec<(String, String)> {
        places(spans).into_iter().map(|place| (place.percentile.0.to_string(), place.percentile.1.to_string())).collect()
    };
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    // https://en.wikipedia.org/wiki/Percentile_rank: the score 7 of 1, 2, 4, 4, 5, 6, 7, 9 is at (6 + 0.5) / 8.
    let spans = ["9", "7", "6", "5", "4", "4", "2", "1"].map(exactly);
    let found = percentiles(&spans);
    assert_eq!(found[1], pair("81.25", "81.25"));
    assert_eq!(found[4], pair("37.5", "37.5"));
    assert_eq!(percentiles(&[exactly("3"), exactly("2"), exactly("1")])[2], pair("16.67", "16.67"));
    assert_eq!(percentiles(&[exactly("3"), Span::above(d("2"), false)]), [pair("25", "75"), pair("25", "75")]);
}

fn any_span() -> impl Strategy<Value = (Span, Vec<Decimal>)> {
    // With numbers that it may be.
    let number = || (-6_i64..6).prop_map(Decimal::from);
    let sum = |a: Decimal, b: i64| Decimal::from_parts(a.mantissa() + i128::from(b), 0).expect("short");
    let exact = number().prop_map(|n| (Span::closed(n, n), vec![n]));
    let between = (number(), 0_i64..4)
        .prop_map(move |(n, width)| (Span::closed(n, sum(n, width)), (0..=width).map(|way| sum(n, way)).collect()));
    let above = (number(), any::<bool>())
        .prop_map(move |(n, included)| (Span::above(n, included), (i64::from(!included)..9).map(|way| sum(n, way)).collect()));
    let below = (number(), any::<bool>())
        .prop_map(move |(n, included)| (Span::below(n, included), (i64::from(!included)..9).map(|way| sum(n, -way)).collect()));
    prop_oneof![exact, between, above, below]
}

/// Whether every number of one is greater than every number of another.
fn is_above(one: Span, other: Span) -> bool {
    match (one.lower(), other.upper()) {
        (End::At { number: lower, included: a }, End::At { number: upper, included: b }) => {
            lower > upper || (lower == upper && !(a && b))
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn whatever_the_true_figures_are_their_ranks_are_in_the_intervals(
        figures in prop::collection::vec((any_span(), any::<prop::sample::Index>()), 1..9),
    ) {
        let spans: Vec<Span> = figures.iter().map(|((span, _), _)| *span).collect();
        let truth: Vec<Decimal> = figures.iter().map(|((_, allowed), index)| *index.get(allowed)).collect();
        for (place, x) in places(&spans).into_iter().zip(&truth) {
            let rank = 1 + truth.iter().filter(|y| *y > x).count() as u32;
            prop_assert!((place.rank.0..=place.rank.1).contains(&rank), "{place:?} {rank}");
            let (behind, beside) = (truth.iter().filter(|y| *y < x).count(), truth.iter().filter(|y| *y == x).count());
            let percentile = percentile(behind, beside as u32, truth.len());
            prop_assert!(place.percentile.0 <= percentile && percentile <= place.percentile.1, "{place:?} {percentile}");
        }
    }

    #[test]
    fn exact_figures_have_exact_ranks(figures in prop::collection::vec(-5_i64..5, 1..12)) {
        let spans: Vec<Span> = figures.iter().map(|n| Span::closed(Decimal::from(*n), Decimal::from(*n))).collect();
        for (place, n) in places(&spans).into_iter().zip(&figures) {
            let rank = 1 + figures.iter().filter(|m| *m > n).count() as u32;
            prop_assert_eq!(place.rank, (rank, rank));
        }
    }

    #[test]
    fn no_interval_is_wider_than_the_figures_make_it(figures in prop::collection::vec(any_span(), 1..7)) {
        // The ends are reached: by the least and the greatest numbers that the figure and the others may be.
        let spans: Vec<Span> = figures.iter().map(|(span, _)| *span).collect();
        for (index, place) in places(&spans).into_iter().enumerate() {
            let others = || figures.iter().enumerate().filter(move |(other, _)| *other != index).map(|(_, figure)| figure);
            let certainly = others().filter(|(span, _)| is_above(*span, spans[index])).count() as u32;
            prop_assert_eq!(place.rank.0, 1 + certainly);
            let lower = spans[index].lower().number();
            let perhaps = others().filter(|(span, _)| match (span.upper().number(), lower) {
                (Some(upper), Some(lower)) => upper > lower,
                _ => true,
            });
            prop_assert_eq!(place.rank.1, 1 + perhaps.count() as u32);
        }
    }
}
