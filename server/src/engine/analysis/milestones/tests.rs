use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::engine::analysis::{Analysis as _, FollowedMilestones};
use crate::engine::{
    Moment,
    analysis::samples::{Sample, figure},
};

fn d(text: &str) -> Decimal {
    text.parse().expect(text)
}

fn query(thresholds: &[&str], crossing: Crossing) -> MilestoneQuery {
    let filter = Filter { indicators: ["gdp".to_owned()].into(), ..Filter::default() };
    let thresholds = thresholds.iter().map(|text| d(text)).collect();
    MilestoneQuery { filter, thresholds: Thresholds { thresholds, crossing }, steps: Vec::new() }
}

fn place(point: &Option<Arc<Point>>) -> String {
    let number = |point: &Arc<Point>| point.estimate().and_then(Estimate::place).unwrap();
    point.as_ref().map_or("-".to_owned(), |point| format!("{}@{}", number(point), point.period()))
}

/// Each milestone: its threshold, how certain, first, possible, latest, first published.
fn told(sample: &Sample, moment: Moment, query: &MilestoneQuery) -> Vec<String> {
    let milestones = sample.engine.reading(moment).milestones(query, 1_000).unwrap();
    let text = |it: &Milestone| {
        let [first, possible, latest, published] = [&it.first, &it.possible, &it.latest, &it.first_published].map(place);
        format!("{} {:?} {first} {possible} {latest} {published}", it.threshold, it.state())
    };
    milestones.iter().map(text).collect()
}

#[tokio::test]
async fn the_first_period_that_crossed_for_certain_is_told_and_what_may_have_before() {
    let sample = Sample::new().await;
    let cells = [("CN-SD", "2018", "80"), ("CN-SD", "2019", ">90"), ("CN-SD", "2020", ">100"), ("CN-SD", "2021", "95")];
    sample.put("gdp", "a", &cells).await;
    let told = told(&sample, sample.now(), &query(&["80", "100", "100.01"], Crossing::Reached));
    assert_eq!(
        told,
        [
            "80 Proven 80@2018 - 95@2021 80@2018",
            "100 Proven 100@2020 90@2019 95@2021 100@2020",
            "100.01 Possible - 90@2019 95@2021 -"
        ]
    );
}

#[tokio::test]
async fn falling_to_a_threshold_is_the_mirror_of_reaching_it() {
    let sample = Sample::new().await;
    let cells = [("CN-SD", "2018", ">=5"), ("CN-SD", "2019", "<8"), ("CN-SD", "2020", "4"), ("CN-SD", "2021", "6")];
    sample.put("gdp", "a", &cells).await;
    let told = told(&sample, sample.now(), &query(&["8", "5", "4", "3"], Crossing::FellTo));
    assert_eq!(
        told,
        [
            "8 Proven 8@2019 5@2018 6@2021 8@2019",
            "5 Proven 4@2020 5@2018 6@2021 4@2020",
            "4 Proven 4@2020 8@2019 6@2021 4@2020",
            "3 Possible - 8@2019 6@2021 -"
        ]
    );
}

#[tokio::test]
async fn the_first_publication_is_of_any_source_and_counts_though_it_was_revised() {
    let sample = Sample::new().await;
    sample.put("gdp", "b", &[("CN-SD", "2020", "101")]).await;
    sample.put("gdp", "a", &[("CN-SD", "2020", "99")]).await;
    let revised = sample.put("gdp", "a", &[("CN-SD", "2020", "102")]).await;
    let query = query(&["100", "102"], Crossing::Reached);
    let before = told(&sample, sample.at(revised - 1), &query);
    assert_eq!(before, ["100 NotReached - - 99@2020 101@2020", "102 NotReached - - 99@2020 -"]);
    sample.put("gdp", "a", &[("CN-SD", "2020", "98")]).await;
    let told_now = told(&sample, sample.now(), &query);
    assert_eq!(told_now, ["100 NotReached - - 98@2020 101@2020", "102 NotReached - - 98@2020 102@2020"]);
    assert_eq!(told(&sample, sample.at(revised - 1), &query), before, "as it was");
}

#[tokio::test]
async fn a_series_of_which_nothing_had_been_said_is_not_told() {
    let sample = Sample::new().await;
    let first = sample.put("gdp", "a", &[("CN-SD", "2020", "5")]).await;
    sample.put("gdp", "a", &[("CN-GD", "2020", "5")]).await;
    assert_eq!(told(&sample, sample.at(first), &query(&["5"], Crossing::Reached)).len(), 1);
    assert_eq!(told(&sample, sample.now(), &query(&["5"], Crossing::Reached)).len(), 2);
}

#[tokio::test]
async fn more_milestones_than_an_answer_holds_are_refused() {
    let sample = Sample::new().await;
    sample.put("gdp", "a", &[("CN-SD", "2020", "5"), ("CN-GD", "2020", "5")]).await;
    let refused = sample.engine.reading(sample.now()).milestones(&query(&["5", "6"], Crossing::Reached), 3);
    assert!(matches!(refused, Err(Error::Invalid(violations)) if violations[0].field == "filter"));
}

#[tokio::test]
async fn a_follower_is_told_of_what_it_does_not_know_and_of_nothing_else() {
    let sample = Sample::new().await;
    let query = query(&["10", "20", "30"], Crossing::Reached);
    let mut revisions = Vec::new();
    for cells in [
        [("CN-SD", "2020", "11")],
        // The same first period, another figure: nothing to tell.
        [("CN-SD", "2020", "12")],
        [("CN-SD", "2021", ">19")],
        [("CN-SD", "2021", "21")],
    ] {
        revisions.push(sample.put("gdp", "a", &cells).await);
    }
    let at = |revision| sample.engine.reading(sample.at(revision)).milestones(&query, 1_000).unwrap();
    let followed = FollowedMilestones { query: query.clone(), most: 1_000 };
    let differing = |from: usize, to: usize| -> BTreeSet<String> {
        let change = followed.change(&at(revisions[from]), &at(revisions[to])).unwrap_or_default();
        assert!(change.left.is_empty(), "what is selected stays so");
        change.changed.iter().map(|milestone| milestone.threshold.to_string()).collect()
    };
    let set = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(differing(0, 1), set(&[]));
    assert_eq!(differing(1, 2), set(&["20", "30"]), "both are possible now");
    assert_eq!(differing(2, 3), set(&["20", "30"]), "one is certain, the other out of reach");
}

proptest! {
    #[test]
    fn what_is_proven_is_possible_and_turning_everything_around_changes_nothing(
        number in -20_i64..20, form in 0_usize..7, threshold in -20_i64..20,
    ) {
        let text = |number: i64, form: usize| match form {
            0 => format!("{number}"),
            1 => format!(">{number}"),
            2 => format!(">={number}"),
            3 => format!("<{number}"),
            4 => format!("<={number}"),
            5 => format!("~{number}"),
            _ => format!("{number}r3"),
        };
        // Mirrored, more is less.
        let mirrored = [0, 3, 4, 1, 2, 5, 6][form];
        let estimate = |text: &str| Estimate::of_figure(&figure(text)).expect("not withdrawn").expect("a figure");
        let (figure, mirror) = (estimate(&text(number, form)), estimate(&text(-number, mirrored)));
        let (threshold, mirror_threshold) = (Decimal::from(threshold), Decimal::from(-threshold));
        for crossing in [Crossing::Reached, Crossing::FellTo] {
            prop_assert!(!crossing.is_proven(&figure, threshold) || crossing.is_possible(&figure, threshold));
        }
        let (reached, fell) = (Crossing::Reached, Crossing::FellTo);
        prop_assert_eq!(reached.is_proven(&figure, threshold), fell.is_proven(&mirror, mirror_threshold));
        prop_assert_eq!(reached.is_possible(&figure, threshold), fell.is_possible(&mirror, mirror_threshold));
    }
}
