//! Whatever is recorded: who goes through the commits has at each the answer that is computed there, and is told what leads to it.

use std::collections::BTreeMap;

use indicator_proto::v1;
use proptest::prelude::*;

use super::*;
use crate::engine::{
    Filter,
    analysis::{Crossing, RegionSelection, Regions, Thresholds, samples::Sample},
    catalog::samples::{indicator, region, source},
};

const REGIONS: [&str; 6] = ["CN", "CN-GD", "CN-JS", "CN-SD", "CN-ZJ", "CN-SD.3701"];
const INDICATORS: [&str; 3] = ["gdp", "population", "other"];

#[derive(Debug, Clone)]
enum Event {
    /// Figures of an indicator, by a source: region, year, figure.
    Put(usize, usize, Vec<(usize, u16, &'static str)>),
    /// A province becomes a root, or comes back; or it ends with a day, or does not.
    Region(usize, bool, &'static str),
    /// A source is preferred, or not.
    Source(usize, u32),
    /// A day goes by.
    Day,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let figure = prop::sample::select(vec!["1", "2", "3", "5", ">2", "<4", ">=3", "3r2", "~4", "-", "x", "x"]);
    let cells = prop::collection::btree_map((0..REGIONS.len(), 2019_u16..2022), figure, 1..4);
    let cells = cells.prop_map(|cells| cells.into_iter().map(|((region, year), figure)| (region, year, figure)).collect());
    let end = prop::sample::select(vec!["", "", "2023-11-14", "2023-11-16"]);
    let event = prop_oneof![
        12 => (0..INDICATORS.len(), 0..2_usize, cells).prop_map(|(indicator, source, cells)| Event::Put(indicator, source, cells)),
        1 => (1..5_usize, any::<bool>(), end).prop_map(|(region, stays, end)| Event::Region(region, stays, end)),
        1 => (0..2_usize, 0..3_u32).prop_map(|(source, precedence)| Event::Source(source, precedence)),
        1 => Just(Event::Day),
    ];
    prop::collection::vec(event, 1..30)
}

async fn happen(sample: &Sample, event: &Event) {
    match event {
        Event::Put(indicator, source, cells) => {
            let cells: Vec<(&str, String, &str)> =
                cells.iter().map(|(region, year, figure)| (REGIONS[*region], year.to_string(), *figure)).collect();
            let cells: Vec<(&str, &str, &str)> = cells.iter().map(|(region, year, figure)| (*region, &**year, *figure)).collect();
            sample.put(INDICATORS[*indicator], ["a", "b"][*source], &cells).await;
        }
        Event::Region(id, stays, end) => {
            sample.lived(REGIONS[*id], if *stays { "CN" } else { "" }, "", end).await;
        }
        Event::Source(id, precedence) => {
            let source = v1::Source { precedence: *precedence, ..source(["a", "b"][*id], "") };
            sample.catalog([source.into()]).await;
        }
        Event::Day => Sample::sleep(),
    }
}

fn blocking<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// A record in which something has happened, with a derived indicator.
async fn record(events: &[Event]) -> Sample {
    let sample = Sample::new().await;
    let per_capita = v1::Indicator { formula: "gdp / population".into(), ..indicator("per-capita", "CNY/{person}") };
    sample.catalog([ratio().into(), indicator("other", "CNY").into(), per_capita.into()]).await;
    for event in events {
        happen(&sample, event).await;
    }
    sample
}

fn ratio() -> v1::Unit {
    let kind = v1::UnitKind::Ratio.into();
    let [numerator, denominator] = ["CNY", "{person}"].map(str::to_owned);
    v1::Unit { kind, numerator, denominator, ..crate::engine::catalog::samples::unit("CNY/{person}", "yuan per person") }
}

/// Follows from a revision to the end: each answer, and each change, as `check` wants them.
fn follow<A: Analysis + Clone>(
    sample: &Sample,
    analysis: &A,
    from: u64,
    mut check: impl FnMut(&A::Answer, &A::Answer, Option<A::Change>),
) {
    let mut follower = sample.engine.analysis_at(Arc::new(analysis.clone()), from).unwrap();
    for revision in from + 1..=sample.engine.head().revision {
        let told = sample.engine.follow_analysis(&mut follower, revision, 1).unwrap();
        assert_eq!(follower.revision(), revision);
        assert!(told.as_ref().is_none_or(|told| told.revision == revision));
        let expected = analysis.answer(&sample.engine.reading(sample.at(revision))).unwrap();
        check(follower.answer(), &expected, told.map(|told| told.change));
    }
}

type Ranks = BTreeMap<String, (u32, u32)>;

fn ranks(ranking: &Ranking) -> Ranks {
    ranking.rows.iter().map(|row| (row.region().to_owned(), row.rank)).collect()
}

/// Everything that a ranking says.
fn told(ranking: &Ranking) -> String {
    let row = |row: &crate::engine::analysis::RankRow| {
        let version = &row.point.version;
        (row.region().to_owned(), row.rank, row.tied, row.percentile, version.period, version.revision, version.figure.clone())
    };
    let rows: Vec<_> = ranking.rows.iter().map(row).collect();
    format!("{:?} {rows:?} {:?} {:?} {:?}", ranking.period, ranking.unranked, ranking.periods, ranking.sources)
}

fn queries() -> Vec<RankQuery> {
    let of = |indicator: &str, level: &str, periods: Periods, steps: &[Step]| RankQuery {
        selection: RegionSelection {
            indicator: indicator.into(),
            regions: Regions { level: level.into(), under: "CN".into() },
            periods,
            steps: steps.to_vec(),
            ..RegionSelection::default()
        },
        least_first: indicator == "population",
    };
    let year = Periods::One("2020".parse().unwrap());
    let per_person = Step::PerUnit { indicator: "population".into(), multiple: 1.into() };
    vec![
        of("gdp", "province", Periods::Latest, &[]),
        of("gdp", "", year, &[]),
        of("population", "", Periods::Latest, &[]),
        of("per-capita", "province", Periods::Latest, &[]),
        of("gdp", "province", Periods::Latest, &[per_person]),
        of("gdp", "province", year, &[Step::ShareOfRegion { level: String::new() }]),
    ]
}

fn milestones() -> Vec<FollowedMilestones> {
    let of = |indicators: &[&str], sources: Sources, include_subregions: bool| FollowedMilestones {
        query: MilestoneQuery {
            filter: Filter {
                indicators: indicators.iter().map(|id| (*id).to_owned()).collect(),
                regions: ["CN".to_owned()].into(),
                include_subregions,
                sources,
                ..Filter::default()
            },
            thresholds: Thresholds { thresholds: vec![2.into(), 4.into()], crossing: Crossing::Reached },
            steps: Vec::new(),
        },
        most: 1_000,
    };
    vec![
        of(&["gdp"], Sources::Preferred, true),
        of(&["gdp", "population"], Sources::All, true),
        of(&["gdp"], Sources::Named(["b".to_owned()].into()), true),
        of(&["gdp", "per-capita"], Sources::Preferred, true),
        of(&["per-capita"], Sources::Named(["a".to_owned()].into()), false),
    ]
}

/// What is told of a milestone, by its name.
fn reached(milestones: &[Milestone], competing: bool) -> BTreeMap<String, String> {
    let told = |milestone: &Milestone| {
        let key = if competing { without_source(&milestone.key) } else { Arc::clone(&milestone.key) };
        let period = |point: &Option<Arc<crate::engine::analysis::Point>>| point.as_ref().map(|point| point.version.period);
        let since = [&milestone.first, &milestone.possible].map(period);
        (format!("{key} {}", milestone.threshold), format!("{since:?}"))
    };
    milestones.iter().map(told).collect()
}

/// In any order, with every figure.
fn whole(milestones: &[Milestone]) -> Vec<String> {
    let mut told: Vec<String> = milestones
        .iter()
        .map(|it| {
            let point = |point: &Option<Arc<crate::engine::analysis::Point>>| {
                point.as_ref().map(|it| (it.version.period, it.version.revision, it.version.figure.clone()))
            };
            let points = [&it.first, &it.first_published, &it.possible, &it.latest].map(point);
            format!("{} {} {points:?}", it.key, it.threshold)
        })
        .collect();
    told.sort();
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_ranking_that_is_followed_is_the_one_that_is_asked_for(events in events()) {
        let sample = blocking(record(&events));
        for query in queries() {
            let from = 2;
            let mut known = ranks(&query.answer(&sample.engine.reading(sample.at(from))).unwrap());
            follow(&sample, &query, from, |answer, expected, change| {
                assert_eq!(told(answer), told(expected), "{query:?}");
                for moved in change.into_iter().flat_map(|change| change.moves) {
                    match moved {
                        RankMove::Entered(row) => assert_eq!(known.insert(row.region().to_owned(), row.rank), None),
                        RankMove::Moved(row, before) => {
                            assert_ne!(row.rank, before);
                            assert_eq!(known.insert(row.region().to_owned(), row.rank), Some(before));
                        }
                        RankMove::Left(region, before) => assert_eq!(known.remove(&region), Some(before)),
                    }
                }
                assert_eq!(known, ranks(expected));
            });
        }
    }

    #[test]
    fn milestones_that_are_followed_are_those_that_are_asked_for(events in events()) {
        let sample = blocking(record(&events));
        for analysis in milestones() {
            let competing = analysis.query.filter.sources == Sources::Preferred;
            let mut known = BTreeMap::new();
            follow(&sample, &analysis, 2, |answer, expected, change| {
                assert_eq!(whole(answer), whole(expected), "{analysis:?}");
                let MilestoneChanges { changed, left } = change.unwrap_or_default();
                for (name, now) in reached(&changed, competing) {
                    assert_ne!(known.insert(name, now.clone()), Some(now));
                }
                for name in reached(&left, competing).keys() {
                    assert!(known.remove(name).is_some());
                }
                assert_eq!(known, reached(expected, competing));
            });
        }
    }
}

fn provinces() -> RankQuery {
    queries().remove(0)
}

#[tokio::test]
async fn a_region_leaves_the_ranking_of_the_latest_with_the_first_commit_after_its_last_day() {
    let sample = Sample::new().await;
    sample.put("gdp", "a", &[("CN-SD", "2020", "1"), ("CN-GD", "2020", "2")]).await;
    let today: Time = sample.engine.head().time.unwrap();
    let last_day = today.to_string()[..10].to_owned();
    let from = sample.lived("CN-GD", "CN", "", &last_day).await;
    let mut follower = sample.engine.analysis_at(Arc::new(provinces()), from).unwrap();
    assert_eq!(ranks(follower.answer()).len(), 2);
    Sample::sleep();
    // It has nothing to do with the ranking but its time.
    let commit = sample.put("population", "a", &[("CN-JS", "2020", "1")]).await;
    let told = sample.engine.follow_analysis(&mut follower, commit, 100).unwrap().unwrap();
    assert_eq!(told.revision, commit);
    assert!(matches!(told.change.moves.as_slice(), [RankMove::Moved(..), RankMove::Left(id, (1, 1))] if id == "CN-GD"));
}

#[tokio::test]
async fn commits_that_are_of_no_concern_are_passed_by_in_memory() {
    let sample = Sample::new().await;
    let begin = sample.put("gdp", "a", &[("CN-SD", "2020", "1")]).await;
    let mut follower = sample.engine.analysis_at(Arc::new(provinces()), begin).unwrap();
    for n in 0..5 {
        sample.put("population", "a", &[("CN-SD", "2020", ["1", "2"][n % 2])]).await;
    }
    let concern = sample.put("gdp", "a", &[("CN-SD", "2020", "2")]).await;
    sample.engine.pass_analysis(&mut follower, concern, 3);
    assert_eq!(follower.revision(), begin + 3);
    sample.engine.pass_analysis(&mut follower, concern, 100);
    assert_eq!(follower.revision(), concern - 1);
    // It moved nobody, and is passed by reading it.
    assert!(sample.engine.follow_analysis(&mut follower, concern, 100).unwrap().is_none());
    assert_eq!(follower.revision(), concern);
    sample.catalog([region("CN-XJ", "CN").into()]).await;
    sample.engine.pass_analysis(&mut follower, concern + 1, 100);
    assert_eq!(follower.revision(), concern, "any change of the catalog may be of concern");
}
