//! Whatever happens to the record and to the catalog: a picture that went through the commits shows what a query answers, and so does
//! one that was brought there by a difference.

use std::{collections::BTreeMap, ops::ControlFlow};

use indicator_proto::{
    Bound, Statuses, Time,
    v1::{self, CatalogAction, catalog_action::Action},
};
use proptest::prelude::*;

use super::*;
use crate::{
    engine::{
        CatalogCommand, CellWrite, Command, Context, Engine, Moment, Options, Place, Query, Replay, Retention, SeriesWrite,
        Sources, WriteCommand,
        analysis::Computation,
        catalog::samples::{indicator, region, source, unit},
    },
    store::{Datum, Figure},
};

const INDICATORS: [&str; 2] = ["stations", "output"];
const REGIONS: [&str; 5] = ["CN", "CN-SD", "CN-GD", "CN-SD.3710", "CN-SD.3701"];
const SOURCES: [&str; 3] = ["a", "b", "c"];

#[derive(Debug, Clone)]
enum Step {
    /// Cells of a series: the period's number, a value or a withdrawal, and the day of publication, where it is not now.
    Write {
        series: (usize, usize, usize),
        cells: BTreeMap<i32, (Option<u8>, Option<u8>)>,
    },
    /// A prefecture moves to another province, or becomes one.
    Move {
        prefecture: bool,
        to: usize,
        level: bool,
    },
    Precede {
        source: usize,
        precedence: u8,
    },
    Order {
        indicator: usize,
        first: usize,
    },
    /// A derived indicator is computed otherwise.
    Formula {
        formula: usize,
    },
    /// A region moves and a source precedes in one commit.
    MoveAndPrecede {
        to: usize,
        precedence: u8,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let cells = prop::collection::btree_map(0..4, (prop::option::weighted(0.8, any::<u8>()), prop::option::of(0_u8..20)), 1..3);
    let write = ((0..2_usize, 0..5_usize, 0..3_usize), cells).prop_map(|(series, cells)| Step::Write { series, cells });
    let step = prop_oneof![
        8 => write,
        2 => (any::<bool>(), 0..3_usize, any::<bool>()).prop_map(|(prefecture, to, level)| Step::Move { prefecture, to, level }),
        1 => (0..3_usize, 0..3_u8).prop_map(|(source, precedence)| Step::Precede { source, precedence }),
        1 => (0..2_usize, 0..3_usize).prop_map(|(indicator, first)| Step::Order { indicator, first }),
        1 => (0..3_usize, 0..3_u8).prop_map(|(to, precedence)| Step::MoveAndPrecede { to, precedence }),
        1 => (0..3_usize).prop_map(|formula| Step::Formula { formula }),
    ];
    prop::collection::vec(step, 1..40)
}

fn clock() -> Time {
    static MICROS: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(1_700_000_000_000_000);
    Time::from_micros(MICROS.fetch_add(1, std::sync::atomic::Ordering::Relaxed)).unwrap()
}

fn catalog(entries: Vec<Entry>) -> Command {
    let action = |entry: Entry| CatalogAction { action: Some(Action::Upsert(entry.into())) };
    let actions = entries.into_iter().map(action).collect();
    Command::Catalog(CatalogCommand { actions, context: Context::default(), request: None, validate_only: false })
}

fn begin() -> Command {
    let mut entries = vec![unit("CNY", "yuan").into()];
    entries.extend(SOURCES.map(|id| source(id, "").into()));
    entries.extend(INDICATORS.map(|id| indicator(id, "CNY").into()));
    entries.push(derived("sum", FORMULAS[0]));
    entries.push(derived("twice", "sum * 2"));
    entries.extend(
        [("CN", ""), ("CN-SD", "CN"), ("CN-GD", "CN"), ("CN-SD.3710", "CN-SD"), ("CN-SD.3701", "CN-SD")]
            .map(|(id, parent)| region(id, parent).into()),
    );
    catalog(entries)
}

const FORMULAS: [&str; 3] = ["output + stations", "output - stations", "stations * 3"];

fn derived(id: &str, formula: &str) -> Entry {
    v1::Indicator { formula: formula.to_owned(), ..indicator(id, "CNY") }.into()
}

fn command(step: &Step) -> Command {
    match step {
        Step::Write { series: (i, r, s), cells } => {
            let dimensions = BTreeMap::new();
            let key = SeriesKey {
                indicator: INDICATORS[*i].into(),
                region: REGIONS[*r].into(),
                source: SOURCES[*s].into(),
                dimensions,
            };
            let cells = cells.iter().map(|(period, (value, day))| CellWrite {
                period: format!("{}", 2000 + period).parse().unwrap(),
                figure: value.map_or_else(Figure::withdrawn, |value| Figure {
                    datum: Datum::Value((i32::from(value)).to_string().parse().unwrap(), Bound::Exact),
                    statuses: Statuses::default(),
                    details: None,
                }),
                published_at: day.map(|day| Time::from_micros(i64::from(day) * 1_000_000).unwrap()),
                index: 0,
            });
            let place = Place::Change(0);
            let series = vec![SeriesWrite { key, place, cells: cells.collect(), withdraw_rest: false, withdrawn_at: None }];
            let (expected, context) = (Vec::new(), Context::default());
            Command::Write(WriteCommand { series, expected, published_at: None, context, request: None, validate_only: false })
        }
        Step::Move { prefecture, to, level } => {
            let id = REGIONS[3 + usize::from(*prefecture)];
            let moved = region(id, REGIONS[*to]);
            let level = if *level { "province".to_owned() } else { moved.level.clone() };
            catalog(vec![v1::Region { level, ..moved }.into()])
        }
        Step::Precede { source: number, precedence } => {
            let precedence = u32::from(*precedence);
            catalog(vec![v1::Source { precedence, ..source(SOURCES[*number], "") }.into()])
        }
        Step::MoveAndPrecede { to, precedence } => {
            let moved = region(REGIONS[3], REGIONS[*to]);
            let precedence = u32::from(*precedence);
            catalog(vec![moved.into(), v1::Source { precedence, ..source(SOURCES[1], "") }.into()])
        }
        Step::Formula { formula } => catalog(vec![derived("sum", FORMULAS[*formula])]),
        Step::Order { indicator: number, first } => {
            let source_order = vec![SOURCES[*first].to_owned()];
            catalog(vec![v1::Indicator { source_order, ..indicator(INDICATORS[*number], "CNY") }.into()])
        }
    }
}

fn filters() -> Vec<(Filter, bool)> {
    let subtree =
        Filter { regions: ["CN-SD".to_owned()].into(), include_subregions: true, sources: Sources::All, ..Filter::default() };
    let provinces = Filter { region_level: "province".to_owned(), sources: Sources::All, ..Filter::default() };
    let named = Filter { sources: Sources::Named(["a".to_owned(), "c".to_owned()].into()), ..subtree.clone() };
    let late = Filter { start: Some(jiff::civil::date(2001, 1, 1)), sources: Sources::All, ..Filter::default() };
    let derived = |filter: &Filter, ids: &[&str]| Filter {
        indicators: ids.iter().map(|id| (*id).to_owned()).collect(),
        sources: if filter.sources == Sources::All { Sources::Preferred } else { filter.sources.clone() },
        ..filter.clone()
    };
    let preferred = |filter: &Filter| Filter { sources: Sources::Preferred, ..filter.clone() };
    vec![
        (Filter { sources: Sources::All, ..Filter::default() }, false),
        (preferred(&Filter::default()), true),
        (preferred(&subtree), true),
        (preferred(&provinces), true),
        (preferred(&late), true),
        (derived(&Filter::default(), &["sum", "twice", "output"]), true),
        (derived(&subtree, &["twice"]), true),
        (derived(&provinces, &["sum"]), false),
        (derived(&named, &["sum", "stations"]), false),
        (derived(&late, &["sum"]), true),
        (subtree, false),
        (provinces, false),
        (named, false),
        (late, false),
    ]
}

/// Cells by series without its source in the preferred picture, and period.
type State = BTreeMap<(SeriesKey, Period), (String, u64, Figure)>;

fn cell(preferred: bool, key: &SeriesKey, version: &Version) -> (SeriesKey, Period) {
    let source = if preferred { String::new() } else { key.source.clone() };
    (SeriesKey { source, ..key.clone() }, version.period)
}

fn queried(engine: &Engine, filter: &Filter, preferred: bool, revision: u64) -> State {
    let query = Query {
        filter: filter.clone(),
        moment: Moment { revision, published_at: None },
        latest_n: 0,
        updated_after: 0,
        page_size: 0,
        after: None,
    };
    let mut state = State::new();
    let answered = engine.query(&query, |chunk| {
        for row in &chunk.rows {
            state.insert(
                cell(preferred, &chunk.key, &row.version),
                (chunk.key.source.clone(), row.version.revision, row.version.figure.clone()),
            );
        }
        ControlFlow::Continue(())
    });
    answered.unwrap();
    let computation = Computation { filter: filter.clone(), steps: Vec::new(), latest_n: 0, page_size: 0, after: None };
    let reading = engine.reading(query.moment);
    let answered = reading.compute(&computation, |chunk| {
        for point in chunk.points.iter().filter(|_| !INDICATORS.contains(&chunk.key.indicator.as_str())) {
            state.insert(
                cell(preferred, &chunk.key, &point.version),
                (chunk.key.source.clone(), point.version.revision, point.version.figure.clone()),
            );
        }
        ControlFlow::Continue(())
    });
    answered.unwrap();
    state
}

fn apply(state: &mut State, preferred: bool, changes: &[PictureChange]) {
    let mut places = std::collections::BTreeSet::new();
    for change in changes {
        assert!(places.insert(change.place), "once: {change:?}");
        let cell = cell(preferred, &change.key, &change.version);
        let previous =
            change.previous.as_ref().map(|(key, version)| (key.source.clone(), version.revision, version.figure.clone()));
        assert_eq!(state.get(&cell), previous.as_ref(), "what it replaced: {change:?}");
        match change.after() {
            Some((key, version)) => drop(state.insert(cell, (key.source.clone(), version.revision, version.figure.clone()))),
            None => drop(state.remove(&cell)),
        }
    }
}

fn check(steps: &[Step]) {
    let directory = tempfile::tempdir().unwrap();
    let options = Options { write_queue: 100, clock, retention: Retention::EVERYTHING };
    let engine = Engine::open(directory.path(), options).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(engine.apply(begin())).unwrap();
    for step in steps {
        runtime.block_on(engine.apply(command(step))).unwrap();
    }
    // From memory, and from the log.
    check_pictures(&engine);
    drop(engine);
    check_pictures(&Engine::open(directory.path(), options).unwrap());
}

fn check_pictures(engine: &Engine) {
    let head = engine.head().revision;
    for (filter, preferred) in filters() {
        let mut states: Vec<State> = vec![State::new()];
        let mut picture = engine.picture(filter.clone(), preferred, 0);
        let mut visit = |commit: &Commit| {
            let mut state = states.last().unwrap().clone();
            let changes = engine.advance(&mut picture, commit)?;
            assert!(changes.is_sorted_by_key(|change| change.place), "by place");
            apply(&mut state, preferred, &changes);
            assert_eq!(state, queried(engine, &filter, preferred, commit.revision), "{filter:?} at {}", commit.revision);
            states.push(state);
            Ok(())
        };
        let mut replay = Replay::after(0, true);
        while replay.position() < head {
            engine.replay(&mut replay, head, 4, &mut visit).unwrap();
        }
        assert_eq!(picture.revision(), head);
        for from in 0..=head {
            let mut difference = engine.difference(&picture, from);
            let mut state = states[from as usize].clone();
            loop {
                let changes = engine.next_differences(&mut difference, 3).unwrap();
                if changes.is_empty() {
                    break;
                }
                apply(&mut state, preferred, &changes);
            }
            assert_eq!(&state, states.last().unwrap(), "from {from}: {filter:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]
    #[test]
    fn a_picture_that_followed_or_was_brought_there_shows_what_a_query_answers(steps in steps()) {
        check(&steps);
    }
}
