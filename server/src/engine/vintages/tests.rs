use std::collections::BTreeMap;

use indicator_proto::{Bound, Decimal, Statuses};
use proptest::prelude::*;

use super::*;
use crate::store::{Datum, Figure, Kind};

fn day(n: i64) -> Time {
    Time::from_micros(n * 86_400_000_000).unwrap()
}

fn figure(value: i64) -> Figure {
    match value {
        0 => Figure::withdrawn(),
        _ => Figure { datum: Datum::Value(Decimal::from(value), Bound::Exact), statuses: Statuses::default(), details: None },
    }
}

/// A version of a year: its value, 0 for a withdrawal; the days on which it was published and recorded; its commit.
fn version(year: i32, value: i64, published: i64, recorded: i64, revision: u64) -> Version {
    Version {
        period: year.to_string().parse().unwrap(),
        kind: Kind::Inserted,
        published_at: day(published),
        recorded_at: day(recorded),
        revision,
        figure: figure(value),
    }
}

fn shown(history: &History, query: &VintageQuery) -> Vec<Shown> {
    history.page(&VintageQuery { limit: usize::MAX, ..*query }).shown
}

fn by(view: VintageView, axis: Axis) -> VintageQuery {
    VintageQuery { view, axis, ..VintageQuery::default() }
}

/// Day of the vintage, year, value.
fn told(history: &History, query: &VintageQuery) -> Vec<(i64, String, i64)> {
    let told = |shown: &Shown| {
        let version = &shown.vintage.version;
        let value = match version.figure.datum {
            Datum::Value(value, _) => i64::try_from(value.mantissa()).unwrap(),
            _ => 0,
        };
        (shown.date.map_or(0, |date| date.micros() / 86_400_000_000), version.period.to_string(), value)
    };
    shown(history, query).iter().map(told).collect()
}

fn rows(rows: &[(i64, &str, i64)]) -> Vec<(i64, String, i64)> {
    rows.iter().map(|&(day, year, value)| (day, year.to_owned(), value)).collect()
}

/// An edition of day 10 with two years, one of day 20 that revises the first and adds a third, one of day 30 that withdraws the
/// second; and one of day 15 that was filled in last.
fn editions() -> History {
    let versions = vec![
        version(2001, 100, 10, 110, 1),
        version(2002, 200, 10, 110, 1),
        version(2001, 101, 20, 120, 2),
        version(2003, 300, 20, 120, 2),
        version(2002, 0, 30, 130, 3),
        version(2001, 109, 15, 140, 4),
        version(2002, 209, 15, 140, 4),
    ];
    History::new(versions, None)
}

#[test]
fn each_view_tells_what_was_published() {
    let history = editions();
    let by_vintage = by(VintageView::AllByVintage, Axis::Published);
    assert_eq!(
        told(&history, &by_vintage),
        rows(&[
            (10, "2001", 100),
            (10, "2002", 200),
            (15, "2001", 109),
            (15, "2002", 209),
            (20, "2001", 101),
            (20, "2002", 209),
            (20, "2003", 300),
            (30, "2001", 101),
            (30, "2003", 300),
        ])
    );
    let changes = by(VintageView::NewOrRevised, Axis::Published);
    assert_eq!(
        told(&history, &changes),
        rows(&[
            (10, "2001", 100),
            (10, "2002", 200),
            (15, "2001", 109),
            (15, "2002", 209),
            (20, "2001", 101),
            (20, "2003", 300),
            (30, "2002", 0),
        ])
    );
    let effects: Vec<_> = shown(&history, &changes).iter().map(|s| s.effect.unwrap()).collect();
    assert_eq!(effects[3..], [Effect::Revised, Effect::Revised, Effect::Inserted, Effect::Withdrawn]);
    let first = by(VintageView::InitialRelease, Axis::Published);
    assert_eq!(told(&history, &first), rows(&[(10, "2001", 100), (10, "2002", 200), (20, "2003", 300)]));
    let each = by(VintageView::RealTimePeriods, Axis::Published);
    let values: Vec<_> = told(&history, &each).iter().map(|(_, _, value)| *value).collect();
    assert_eq!(values, [100, 109, 101, 200, 209, 0, 300]);
}

#[test]
fn what_was_filled_in_behind_a_current_version_was_never_seen_as_recorded() {
    let history = editions();
    let changes = by(VintageView::NewOrRevised, Axis::Recorded);
    assert_eq!(
        told(&history, &changes),
        rows(&[(110, "2001", 100), (110, "2002", 200), (120, "2001", 101), (120, "2003", 300), (130, "2002", 0)])
    );
    let each = by(VintageView::RealTimePeriods, Axis::Recorded);
    let values: Vec<_> = told(&history, &each).iter().map(|(_, _, value)| *value).collect();
    assert_eq!(values, [100, 101, 200, 0, 300]);
    let behind = history.vintages().iter().find(|v| v.version.figure == figure(109)).unwrap();
    assert_eq!((behind.superseded_revision, behind.recorded_until), (4, Some(day(140))));
    assert_eq!((behind.published_until, behind.current), (Some(day(20)), false));
}

#[test]
fn dates_count_what_they_brought() {
    let counts = |axis| -> Vec<_> {
        let dates = editions().dates(axis);
        dates.iter().map(|d| (d.date.micros() / 86_400_000_000, d.inserted, d.revised, d.withdrawn)).collect()
    };
    assert_eq!(counts(Axis::Published), [(10, 2, 0, 0), (15, 0, 2, 0), (20, 1, 1, 0), (30, 0, 0, 1)]);
    assert_eq!(counts(Axis::Recorded), [(110, 2, 0, 0), (120, 1, 1, 0), (130, 0, 0, 1)]);
}

#[test]
fn one_cell_is_shown_on_the_dates_of_its_series() {
    let period = Some("2003".parse().unwrap());
    let query = VintageQuery { period, ..by(VintageView::AllByVintage, Axis::Published) };
    assert_eq!(told(&editions(), &query), rows(&[(20, "2003", 300), (30, "2003", 300)]));
    let query = VintageQuery { from: Some(day(21)), to: Some(day(30)), ..query };
    assert_eq!(told(&editions(), &query), rows(&[(30, "2003", 300)]));
    let query = VintageQuery { period: Some("1999".parse().unwrap()), ..query };
    assert_eq!(told(&editions(), &query), []);
}

#[test]
fn a_slip_that_was_put_right_on_its_day_is_no_release() {
    let versions = vec![version(2001, 1, 10, 110, 1), version(2001, 1000, 10, 111, 2), version(2001, 1001, 20, 120, 3)];
    let history = History::new(versions, None);
    assert_eq!(told(&history, &by(VintageView::InitialRelease, Axis::Published)), rows(&[(10, "2001", 1000)]));
    assert_eq!(told(&history, &by(VintageView::InitialRelease, Axis::Recorded)), rows(&[(110, "2001", 1)]));
    assert_eq!(history.dates(Axis::Published).len(), 2);
}

#[test]
fn a_date_that_repeats_the_figure_is_no_vintage() {
    // The middle one was filled in as 2, and then put right.
    let versions = vec![version(2001, 1, 10, 110, 1), version(2001, 2, 20, 120, 2), version(2001, 1, 20, 121, 3)];
    let history = History::new(versions, None);
    assert_eq!(history.dates(Axis::Published).len(), 1);
    assert_eq!(told(&history, &by(VintageView::NewOrRevised, Axis::Published)), rows(&[(10, "2001", 1)]));
    assert_eq!(history.dates(Axis::Recorded).len(), 3);
}

#[test]
fn what_was_published_later_is_hidden_and_still_ends_what_was_before() {
    let all = editions();
    let versions = all.vintages().iter().map(|v| v.version.clone()).collect();
    let history = History::new(versions, Some(day(16)));
    assert_eq!(history.vintages().len(), 4);
    let last = history.vintages().iter().find(|v| v.version.figure == figure(109)).unwrap();
    assert_eq!(last.published_until, Some(day(20)));
    assert!(history.vintages().iter().all(|v| !v.current));
    assert_eq!(history.dates(Axis::Published).len(), 2);
}

/// The current version of each cell among those that count: what a read gives.
fn state(versions: &[Version], counts: impl Fn(&Version) -> bool) -> BTreeMap<Period, Version> {
    let mut state: BTreeMap<Period, Version> = BTreeMap::new();
    for version in versions.iter().filter(|v| counts(v)) {
        if state.get(&version.period).is_none_or(|before| version.rank() > before.rank()) {
            state.insert(version.period, version.clone());
        }
    }
    state.retain(|_, version| !version.figure.is_withdrawn());
    state
}

/// The states on all dates on which something was published or recorded, the first before any.
fn states(versions: &[Version], axis: Axis) -> Vec<(Time, BTreeMap<Period, Version>)> {
    let date = |v: &Version| if axis == Axis::Published { v.published_at } else { v.recorded_at };
    let mut dates: Vec<Time> = versions.iter().map(date).collect();
    dates.sort_unstable();
    dates.dedup();
    let state = |at: Time| (at, state(versions, |v| date(v) <= at));
    [(Time::MIN, BTreeMap::new())].into_iter().chain(dates.into_iter().map(state)).collect()
}

fn versions() -> impl Strategy<Value = Vec<Version>> {
    let commit = prop::collection::btree_map(2001..2005_i32, (0..4_i64, 0..6_i64), 1..4);
    prop::collection::vec((commit, any::<bool>()), 0..9).prop_map(|commits| {
        let mut recorded = 100;
        let mut versions = Vec::new();
        for (number, (cells, later)) in commits.into_iter().enumerate() {
            recorded += i64::from(later);
            let cell = |(year, (value, published))| version(year, value, published, recorded, number as u64 + 1);
            versions.extend(cells.into_iter().map(cell));
        }
        versions
    })
}

fn axis() -> impl Strategy<Value = Axis> {
    prop_oneof![Just(Axis::Published), Just(Axis::Recorded)]
}

fn view() -> impl Strategy<Value = VintageView> {
    use VintageView::{AllByVintage, InitialRelease, NewOrRevised, RealTimePeriods};
    prop_oneof![Just(RealTimePeriods), Just(AllByVintage), Just(NewOrRevised), Just(InitialRelease)]
}

proptest! {
    #[test]
    fn by_vintage_is_what_reads_as_of_each_date_give(versions in versions(), axis in axis()) {
        let history = History::new(versions.clone(), None);
        let shown = shown(&history, &by(VintageView::AllByVintage, axis));
        let shown: Vec<_> = shown.into_iter().map(|s| (s.date.unwrap(), s.vintage.version)).collect();
        let figures = |state: &BTreeMap<Period, Version>| -> Vec<_> {
            state.values().map(|v| (v.period, v.figure.clone())).collect()
        };
        let changed = |pair: &[(Time, BTreeMap<Period, Version>)]| figures(&pair[0].1) != figures(&pair[1].1);
        let states = states(&versions, axis);
        let changes: Vec<_> = states.windows(2).filter(|pair| changed(pair)).map(|pair| pair[1].clone()).collect();
        let expected: Vec<_> = changes.iter().flat_map(|(date, state)| state.values().map(|v| (*date, v.clone()))).collect();
        prop_assert_eq!(shown, expected);
        let dates: Vec<Time> = history.dates(axis).iter().map(|d| d.date).collect();
        prop_assert_eq!(dates, changes.iter().map(|(date, _)| *date).collect::<Vec<_>>());
    }

    #[test]
    fn what_is_new_or_revised_leads_from_each_state_to_the_next(versions in versions(), axis in axis()) {
        let history = History::new(versions.clone(), None);
        let mut expected = Vec::new();
        for pair in states(&versions, axis).windows(2) {
            let (before, after) = (&pair[0].1, &pair[1].1);
            let mut periods: Vec<Period> = before.keys().chain(after.keys()).copied().collect();
            periods.sort_unstable();
            periods.dedup();
            for period in periods {
                let effect = match (before.get(&period), after.get(&period)) {
                    (None, Some(_)) => Effect::Inserted,
                    (Some(_), None) => Effect::Withdrawn,
                    (Some(before), Some(after)) if before.figure != after.figure => Effect::Revised,
                    _ => continue,
                };
                expected.push((pair[1].0, period, effect));
            }
        }
        let shown = shown(&history, &by(VintageView::NewOrRevised, axis));
        let shown: Vec<_> = shown.iter().map(|s| (s.date.unwrap(), s.vintage.version.period, s.effect.unwrap())).collect();
        prop_assert_eq!(&shown, &expected);
        let counted = |effect| shown.iter().filter(|(_, _, e)| *e == effect).count() as u32;
        let add = |sum: (u32, u32, u32), d: &VintageDate| (sum.0 + d.inserted, sum.1 + d.revised, sum.2 + d.withdrawn);
        let sums = history.dates(axis).iter().fold((0, 0, 0), add);
        prop_assert_eq!(sums, (counted(Effect::Inserted), counted(Effect::Revised), counted(Effect::Withdrawn)));
    }

    #[test]
    fn an_initial_release_is_the_first_figure_that_a_read_gives(versions in versions(), axis in axis()) {
        let mut first: BTreeMap<Period, (Time, Version)> = BTreeMap::new();
        for (date, state) in states(&versions, axis) {
            for version in state.into_values() {
                first.entry(version.period).or_insert((date, version));
            }
        }
        let shown = shown(&History::new(versions, None), &by(VintageView::InitialRelease, axis));
        let shown: Vec<_> = shown.into_iter().map(|s| (s.date.unwrap(), s.vintage.version)).collect();
        prop_assert_eq!(shown, first.into_values().collect::<Vec<_>>());
    }

    #[test]
    fn pages_of_any_size_together_are_the_view(versions in versions(), view in view(), axis in axis(), limit in 1..7_usize) {
        let history = History::new(versions, None);
        let whole = shown(&history, &by(view, axis));
        let (mut paged, mut after) = (Vec::new(), None);
        loop {
            let page = history.page(&VintageQuery { after, limit, ..by(view, axis) });
            prop_assert!(page.shown.len() == limit || page.next.is_none());
            paged.extend(page.shown);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        prop_assert_eq!(paged, whole);
    }

    #[test]
    fn the_time_of_each_version_ends_where_that_of_the_next_begins(versions in versions()) {
        let history = History::new(versions.clone(), None);
        for vintage in history.vintages() {
            let cell = || versions.iter().filter(|v| v.period == vintage.version.period);
            let above = || cell().filter(|v| v.rank() > vintage.version.rank());
            let next = above().min_by_key(|v| v.rank());
            prop_assert_eq!(vintage.published_until, next.map(|v| v.published_at));
            prop_assert_eq!(vintage.current, next.is_none());
            let (earlier, later): (Vec<_>, Vec<_>) = above().partition(|v| v.revision < vintage.version.revision);
            let end = if earlier.is_empty() { later.iter().min_by_key(|v| v.revision).copied() } else { Some(&vintage.version) };
            prop_assert_eq!(vintage.superseded_revision, end.map_or(0, |v| v.revision));
            prop_assert_eq!(vintage.recorded_until, end.map(|v| v.recorded_at));
        }
    }
}
