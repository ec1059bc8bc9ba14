#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use indicator_client::WatchState;
use indicator_proto::{
    Time,
    v1::{Observation, RankMove, RankMoveKind, RankMoves, Ranking, watch_rank_response::Message},
    words::{Direction, Language},
};

use super::*;
use crate::display::fixture::{catalog, change as changed, commit, figures, full_model, key, model, now, place, series, value};

fn names(model: &Model) -> Vec<&str> {
    model.rows.iter().map(Row::name).collect()
}

fn later(seconds: i64) -> Time {
    Time::from_micros(now().micros() + seconds * 1_000_000).unwrap()
}

fn sd() -> Scope {
    Scope::of_region("CN-SD")
}

fn on(model: &mut Model, name: &str) {
    let row = model.rows.iter().position(|row| row.name() == name).unwrap();
    model.act(Action::Select(row));
}

#[test]
fn a_row_shows_the_latest_figure_and_the_regions_below_come_last() {
    let model = model(Language::En);
    assert_eq!(
        names(&model),
        [
            "5G base stations",
            "Digital economy output",
            "Rank on the digital index",
            "Share of services available online",
            "Qingdao"
        ]
    );
    let output = model.rows[1].series().unwrap();
    assert_eq!(output.latest().0.to_string(), "2020");
    assert_eq!(output.before().unwrap().0.to_string(), "2019");
    assert_eq!((model.ready(), model.revision), (true, 2));
}

#[test]
fn a_picture_of_a_scope_that_was_left_is_passed_over() {
    let mut model = model(Language::En);
    model.heed(Event::Picture(Scope::of_region("CN-GD"), series(vec![value("output", "CN-GD", "2020", "1")]), 9));
    assert_eq!((model.rows.len(), model.revision), (5, 2));
    model.heed(Event::Changed(Scope::of_region("CN-GD"), changed(None, Some(value("output", "CN-GD", "2020", "1")), 9)));
    assert_eq!(model.changes.entries().len(), 0);
}

#[test]
fn a_change_is_listed_lights_its_row_and_asks_who_made_it() {
    let mut model = model(Language::En);
    let new = Observation { revision: 7, recorded_at: Some(later(-2).into()), ..value("output", "CN-SD", "2020", "5") };
    // The delivery stands for more commits than the one of this figure.
    model.heed(Event::Changed(sd(), changed(Some(value("output", "CN-SD", "2020", "4")), Some(new), 9)));
    assert!(model.is_lit(&key("output", "CN-SD")) && !model.is_lit(&key("stations", "CN-SD")));
    assert_eq!((model.wants().commit, model.last_change), (Some(7), Some(later(-2))));
    model.heed(Event::Commits(vec![commit(7, "li", "a later count")]));
    assert_eq!(model.wants().commit, None);
    assert_eq!(model.changes.commit(7).unwrap().context.as_ref().unwrap().reason, "a later count");
    model.heed(Event::Tick(later(2)));
    assert!(!model.is_lit(&key("output", "CN-SD")));
}

#[test]
fn changes_are_kept_up_to_a_number_with_the_commits_that_made_them() {
    let mut model = model(Language::En);
    for revision in 1..=2_000 {
        let new = Observation { revision, ..value("output", "CN-SD", "2020", &revision.to_string()) };
        model.heed(Event::Changed(sd(), changed(None, Some(new), revision)));
        model.heed(Event::Commits(vec![commit(revision, "li", "")]));
    }
    assert_eq!(model.changes.entries().len(), 500);
    assert_eq!(model.changes.entries().next().unwrap().revision, 2_000);
    assert!(model.changes.commit(1_500).is_none() && model.changes.commit(1_501).is_some());
}

#[test]
fn the_cursor_stays_on_its_row_whatever_comes() {
    let mut model = model(Language::En);
    on(&mut model, "Digital economy output");
    let mut more = figures();
    more.push(value("a-new-one", "CN-SD", "2020", "1"));
    more.push(value("another", "CN-SD", "2020", "1"));
    model.heed(Event::Picture(sd(), series(more), 3));
    assert_eq!(model.row().unwrap().name(), "Digital economy output");
    model.act(Action::Sort(Column::Figure));
    assert_eq!((model.row().unwrap().name(), model.selected), ("Digital economy output", 0));
    // What was under the cursor is gone: it stays where it was, as far as there are rows.
    model.heed(Event::Picture(sd(), Vec::new(), 4));
    assert_eq!(model.row().unwrap().name(), "Qingdao");
}

#[test]
fn rows_are_sorted_by_a_column_and_again_the_other_way_round() {
    let mut model = model(Language::En);
    model.act(Action::Sort(Column::Change));
    assert_eq!(names(&model)[0], "Digital economy output");
    model.act(Action::Reverse);
    assert_eq!(names(&model)[3], "Digital economy output");
    model.act(Action::Sort(Column::Name));
    assert_eq!((names(&model)[0], model.order.descending), ("5G base stations", false));
    model.act(Action::Sort(Column::Name));
    assert_eq!(
        names(&model),
        [
            "Share of services available online",
            "Rank on the digital index",
            "Digital economy output",
            "5G base stations",
            "Qingdao"
        ]
    );
    for _ in Column::ALL {
        model.act(Action::SortNext);
    }
    assert_eq!(model.order.column, Column::Name);
}

#[test]
fn a_filter_finds_names_in_any_language_and_ids() {
    let mut model = model(Language::En);
    let typed = |model: &mut Model, text: &str| {
        model.act(Action::Filter);
        text.chars().for_each(|c| model.act(Action::Type(c)));
        let found: Vec<String> = names(model).into_iter().map(str::to_owned).collect();
        model.act(Action::Up);
        found
    };
    assert_eq!(typed(&mut model, "经济"), ["Digital economy output"]);
    assert_eq!(typed(&mut model, "INDEX-R"), ["Rank on the digital index"]);
    assert_eq!(typed(&mut model, "青"), ["Qingdao"]);
    assert!(typed(&mut model, "nothing of it").is_empty());
    assert_eq!((names(&model).len(), model.typing, model.filter.as_str()), (5, false, ""));
}

#[test]
fn one_goes_from_a_region_to_an_indicator_to_another_region_and_back() {
    let mut model = model(Language::En);
    on(&mut model, "Digital economy output");
    model.act(Action::Open);
    let around = Scope::around("output", "CN-SD", &catalog());
    assert_eq!(model.wants().scope, around);
    assert_eq!(around.filter.regions, ["CN-SD.3702", "CN-SD"]);
    assert!(model.rows.is_empty() && !model.ready() && model.wants().ranking.is_none());
    let both = vec![value("output", "CN-SD.3702", "2020", "1"), value("output", "CN-SD", "2020", "3")];
    model.heed(Event::Picture(around, series(both), 2));
    assert_eq!(
        (names(&model), model.row().unwrap().name()),
        (vec!["Qingdao", "Shandong"], "Shandong"),
        "the cursor is where one came from"
    );
    on(&mut model, "Qingdao");
    model.act(Action::Open);
    assert_eq!(model.scope(), &Scope::of_region("CN-SD.3702"));
    // Nothing is below: its peers, and the region above.
    assert_eq!(Scope::around("output", "CN-SD.3702", &catalog()).filter.regions, ["CN-SD.3702", "CN-SD"]);
    model.act(Action::Up);
    model.act(Action::Up);
    model.heed(Event::Picture(sd(), series(figures()), 2));
    assert_eq!((model.scopes.len(), model.row().unwrap().name()), (1, "Digital economy output"));
    // At last to the region above.
    model.act(Action::Up);
    assert_eq!(model.scope(), &Scope::of_region("CN"));
    model.heed(Event::Picture(Scope::of_region("CN"), Vec::new(), 2));
    assert_eq!(model.row().unwrap().name(), "Shandong");
    model.act(Action::Up);
    assert_eq!((model.scope(), model.message()), (&Scope::of_region("CN"), Some("there is nothing above")));
    model.heed(Event::Tick(later(10)));
    assert_eq!(model.message(), None);
}

#[test]
fn what_comes_while_it_is_paused_is_shown_when_it_goes_on() {
    let mut model = model(Language::En);
    model.act(Action::Pause);
    let new = value("output", "CN-SD", "2021", "9");
    model.heed(Event::Changed(sd(), changed(None, Some(new.clone()), 3)));
    model.heed(Event::Picture(sd(), series(figures().into_iter().chain([new]).collect()), 3));
    model.heed(Event::Link(WatchState::Live, 3));
    assert_eq!((model.revision, model.changes.entries().len(), model.paused.as_ref().unwrap().count), (2, 0, 1));
    assert!(!model.is_lit(&key("output", "CN-SD")));
    model.act(Action::Pause);
    assert_eq!((model.revision, model.changes.entries().len(), model.paused.is_none()), (3, 1, true));
    assert!(model.is_lit(&key("output", "CN-SD")));
    on(&mut model, "Digital economy output");
    assert_eq!(model.series().unwrap().latest().0.to_string(), "2021");
}

#[test]
fn a_connection_is_lost_since_it_went_until_it_is_back() {
    let mut model = model(Language::En);
    assert_eq!(model.link.lost_since, None);
    model.heed(Event::Link(WatchState::Connecting { attempt: 1 }, 2));
    model.heed(Event::Tick(later(30)));
    model.heed(Event::Link(WatchState::Connecting { attempt: 5 }, 2));
    assert_eq!((model.link.lost_since, model.rows.len()), (Some(now()), 5), "the last picture stays");
    let before = model.wants();
    model.heed(Event::Link(WatchState::Live, 2));
    assert_eq!(model.link.lost_since, None);
    assert_ne!(model.wants(), before, "what could not be answered is asked for again");
    model.heed(Event::Ended("error".into()));
    assert_eq!((model.link.state, model.link.ended.as_deref(), model.rows.len()), (WatchState::Ended, Some("error"), 5));
}

#[test]
fn what_is_wanted_is_that_of_the_row_under_the_cursor() {
    let mut model = model(Language::En);
    on(&mut model, "Digital economy output");
    let wants = model.wants();
    let ranking = wants.ranking.unwrap();
    assert_eq!((ranking.indicator.as_str(), ranking.level.as_str(), ranking.under.as_str()), ("output", "province", "CN"));
    let detail = wants.detail.unwrap();
    assert_eq!((detail.series, detail.period.as_str(), detail.revision), (key("output", "CN-SD"), "2020", 2));
    on(&mut model, "Qingdao");
    assert_eq!((model.wants().ranking, model.wants().detail), (None, None), "a region has no figure of its own");
}

#[test]
fn the_detail_of_another_row_is_not_shown() {
    let mut model = full_model(Language::En);
    assert_eq!(model.detail().unwrap().vintages.len(), 2);
    on(&mut model, "5G base stations");
    assert!(model.detail().is_none());
}

#[test]
fn a_ranking_follows_its_moves() {
    let mut model = full_model(Language::En);
    let selection = model.wants().ranking.unwrap();
    let places = |model: &Model| -> Vec<(String, u32, u32)> {
        let rows = model.standing.as_ref().unwrap().rows.as_ref().unwrap();
        rows.iter().map(|row| (row.region.clone(), row.rank_from, row.rank_to)).collect()
    };
    assert_eq!(places(&model), [("CN-GD".into(), 1, 2), ("CN-JS".into(), 1, 2), ("CN-SD".into(), 1, 3)]);
    let moves = &model.standing.as_ref().unwrap().moves;
    assert_eq!((moves["CN-JS"].from, moves["CN-JS"].to, moves.len()), (2, 1, 1));
    let step = |kind: RankMoveKind, row, previous| RankMove {
        kind: kind.into(),
        row: Some(row),
        previous_from: previous,
        previous_to: previous,
    };
    let steps = vec![
        step(RankMoveKind::Entered, place("CN-ZJ", 1, 1, value("output", "CN-ZJ", "2020", "9000000000000")), 0),
        step(RankMoveKind::Moved, place("CN-GD", 2, 3, value("output", "CN-GD", "2020", "5000000000000")), 1),
        step(RankMoveKind::Left, place("CN-JS", 0, 0, Observation::default()), 1),
    ];
    model
        .heed(Event::Ranking(selection.clone(), Message::Moves(RankMoves { revision: 8, moves: steps, ..RankMoves::default() })));
    assert_eq!(places(&model), [("CN-ZJ".into(), 1, 1), ("CN-GD".into(), 2, 3), ("CN-SD".into(), 1, 3)]);
    assert_eq!(model.standing.as_ref().unwrap().unranked, 1);
    // A figure that changes and moves nobody.
    model.heed(Event::Peers(selection.clone(), series(vec![value("output", "CN-GD", "2020", "5.5")])));
    let standing = model.standing.as_ref().unwrap();
    assert_eq!(standing.figure(&standing.rows.as_ref().unwrap()[1]).unwrap().value, "5.5");
    // Another history: everything is new.
    model.heed(Event::Ranking(selection, Message::Ranking(Ranking::default())));
    assert_eq!((places(&model).len(), model.standing.as_ref().unwrap().moves.len()), (0, 0));
}

#[test]
fn how_a_figure_stands_to_the_one_before() {
    let of = |indicator: &str, old: &str, new: &str| {
        let all = series(vec![value(indicator, "CN-SD", "2019", old), value(indicator, "CN-SD", "2020", new)]);
        let change = all[0].change(catalog().unit_of(indicator), Language::En)?;
        Some((change.direction, change.short))
    };
    assert_eq!(of("output", "200", "206.4"), Some((Direction::Up, "+3.2%".into())));
    assert_eq!(of("online-share", "97.5", "100"), Some((Direction::Up, "+2.5 pp".into())), "by the kind of the unit");
    assert_eq!(of("index-rank", "5", "3"), Some((Direction::Up, "5→3".into())), "to the top");
}

#[test]
fn the_period_before_is_not_the_one_before_a_gap() {
    let all = series(vec![value("output", "CN-SD", "2018", "1"), value("output", "CN-SD", "2020", "2")]);
    assert_eq!(all[0].before(), None);
    // Figures as of a day stand beside each other.
    let days = series(vec![value("output", "CN-SD", "2018-03-01", "1"), value("output", "CN-SD", "2020-12-06", "2")]);
    assert_eq!(days[0].before().unwrap().0.to_string(), "2018-03-01");
    // Of several frequencies, that of the latest figure.
    let both = series(vec![
        value("output", "CN-SD", "2020", "1"),
        value("output", "CN-SD", "2020-Q4", "2"),
        value("output", "CN-SD", "2021-Q1", "3"),
    ]);
    assert_eq!(both[0].points().len(), 2);
}

#[test]
fn levels_have_gaps_where_nothing_is_known() {
    let all = series(vec![
        value("output", "CN-SD", "2016", "1"),
        value("output", "CN-SD", "2018", "2"),
        value("output", "CN-SD", "2020", "3"),
    ]);
    assert_eq!(all[0].levels(5), [Some(0.0), None, Some(0.5), None, Some(1.0)]);
    assert_eq!(all[0].levels(2), [None, Some(0.5)]);
    let days = series(vec![value("output", "CN-SD", "2001-01-01", "1"), value("output", "CN-SD", "2020-12-06", "3")]);
    assert_eq!(days[0].levels(4), [None, None, Some(0.0), Some(1.0)]);
}
