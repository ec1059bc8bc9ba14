//! A small record to draw and to test with.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, sync::Arc};

use indicator_client::{
    WatchState,
    view::{Cell, ViewChange},
};
use indicator_proto::{
    SeriesKey, Time,
    v1::{
        self, Bound, ChangeKind, Commit, Equivalent, Indicator, MissingReason, Observation, ObservationStatus, RankMove,
        RankMoveKind, RankMoves, RankRow, Ranking, Region, Source, Unit, UnitKind, Vintage, WriteContext, catalog_entry::Entry,
        watch_rank_response::Message,
    },
    words::Language,
};

use super::model::{Detail, Event, Model, Scope, Series};
use crate::catalog::Labels;

/// When the tests are.
pub(super) fn at(time: &str) -> Time {
    time.parse().unwrap()
}

/// The moment that the model shows.
pub(super) fn now() -> Time {
    at("2021-12-06T12:00:00Z")
}

fn names(en: &str, zh: &str) -> BTreeMap<String, String> {
    [("en".to_owned(), en.to_owned()), ("zh".to_owned(), zh.to_owned())].into()
}

fn region(id: &str, parent: &str, level: &str, en: &str, zh: &str) -> Entry {
    Entry::Region(Region { id: id.into(), parent: parent.into(), level: level.into(), names: names(en, zh), ..Region::default() })
}

fn unit(id: &str, kind: UnitKind, en: &str, zh: &str) -> Entry {
    Entry::Unit(Unit { id: id.into(), kind: kind.into(), names: names(en, zh), symbols: names(en, zh), ..Unit::default() })
}

fn indicator(id: &str, unit: &str, en: &str, zh: &str) -> Entry {
    Entry::Indicator(Indicator { id: id.into(), unit: unit.into(), names: names(en, zh), ..Indicator::default() })
}

fn source(id: &str, en: &str, zh: &str) -> Entry {
    Entry::Source(Source { id: id.into(), names: names(en, zh), ..Source::default() })
}

/// Shandong, its neighbours, and what is measured there.
pub(super) fn catalog() -> Labels {
    let mut catalog = Labels::default();
    catalog.add([
        region("CN", "", "country", "China", "中国"),
        region("CN-SD", "CN", "province", "Shandong", "山东"),
        region("CN-GD", "CN", "province", "Guangdong", "广东"),
        region("CN-JS", "CN", "province", "Jiangsu", "江苏"),
        region("CN-SD.3702", "CN-SD", "prefecture", "Qingdao", "青岛"),
        unit("{station}", UnitKind::Count, "stations", "个"),
        unit("CNY", UnitKind::Currency, "yuan", "元"),
        unit("USD", UnitKind::Currency, "US dollars", "美元"),
        unit("{rank}", UnitKind::Rank, "rank", "位"),
        unit("%", UnitKind::Share, "%", "%"),
        indicator("stations", "{station}", "5G base stations", "5G基站数"),
        indicator("output", "CNY", "Digital economy output", "数字经济总量"),
        indicator("index-rank", "{rank}", "Rank on the digital index", "数字指数排名"),
        indicator("online-share", "%", "Share of services available online", "政务服务网上可办率"),
        source("media", "Local media", "当地媒体"),
        source("bureau", "Big Data Bureau", "大数据局"),
    ]);
    catalog
}

/// A series of the preferred picture.
pub(super) fn key(indicator: &str, region: &str) -> SeriesKey {
    SeriesKey { indicator: indicator.into(), region: region.into(), ..SeriesKey::default() }
}

/// A figure.
pub(super) fn value(indicator: &str, region: &str, period: &str, value: &str) -> Observation {
    let series = v1::SeriesKey { source: "media".into(), ..v1::SeriesKey::from(&key(indicator, region)) };
    Observation {
        series: Some(series),
        period: period.into(),
        value: value.into(),
        recorded_at: Some(at("2021-12-06T11:57:00Z").into()),
        published_at: Some(at("2021-12-06T00:00:00Z").into()),
        revision: 2,
        ..Observation::default()
    }
}

/// A bound.
pub(super) fn bounded(bound: Bound, observation: Observation) -> Observation {
    Observation { bound: bound.into(), ..observation }
}

/// The series that figures make.
pub(super) fn series(figures: Vec<Observation>) -> Vec<Series> {
    let figures: Vec<(SeriesKey, String, Arc<Observation>)> = figures
        .into_iter()
        .map(|it| {
            let key = SeriesKey { source: String::new(), ..it.series.as_ref().unwrap().into() };
            (key, it.period.clone(), Arc::new(it))
        })
        .collect();
    Series::of(figures.iter().map(|(key, period, figure)| (key, period.as_str(), figure)))
}

/// What Shandong has.
pub(super) fn figures() -> Vec<Observation> {
    let mut figures = vec![
        bounded(Bound::GreaterThan, value("stations", "CN-SD", "2021-12-06", "100000")),
        value("index-rank", "CN-SD", "2019", "5"),
        value("index-rank", "CN-SD", "2020", "3"),
        value("online-share", "CN-SD", "2019", "97.5"),
        Observation {
            statuses: vec![ObservationStatus::Provisional.into()],
            note: "Of high-frequency services.".into(),
            ..value("online-share", "CN-SD", "2020", "100")
        },
        bounded(Bound::GreaterThan, value("output", "CN-SD", "2013", "1300000000000")),
        Observation { missing: MissingReason::NotCollected.into(), ..value("output", "CN-SD", "2016", "") },
        Observation {
            equivalents: vec![Equivalent { value: "470400000000".into(), unit: "USD".into() }],
            original_text: "exceeded 3 trillion yuan ($470.4 billion)".into(),
            document_uri: "https://example.org/a".into(),
            ..bounded(Bound::GreaterThan, value("output", "CN-SD", "2020", "3000000000000"))
        },
    ];
    for (year, billions) in [(2012, 1200), (2014, 1450), (2015, 1600), (2017, 1950), (2018, 2200), (2019, 2480)] {
        figures.push(value("output", "CN-SD", &year.to_string(), &format!("{billions}000000000")));
    }
    figures
}

/// A change of a figure from one version to another.
pub(super) fn change(old: Option<Observation>, new: Option<Observation>, revision: u64) -> ViewChange {
    let of = new.as_ref().or(old.as_ref()).unwrap();
    let series = SeriesKey { source: String::new(), ..of.series.as_ref().unwrap().into() };
    let cell = Cell { series, period: of.period.clone() };
    ViewChange { revision, cell, old: old.map(Arc::new), new: new.map(Arc::new) }
}

/// A commit by somebody, for a reason.
pub(super) fn commit(revision: u64, actor: &str, reason: &str) -> Commit {
    let context = WriteContext { actor: actor.into(), reason: reason.into(), ..WriteContext::default() };
    Commit { revision, context: Some(context), ..Commit::default() }
}

/// A place in a ranking.
pub(super) fn place(region: &str, from: u32, to: u32, observation: Observation) -> RankRow {
    RankRow { region: region.into(), rank_from: from, rank_to: to, observation: Some(observation), ..RankRow::default() }
}

/// Shandong, live.
pub(super) fn model(language: Language) -> Model {
    let scope = Scope::of_region("CN-SD");
    let mut model = Model::new(scope.clone(), catalog(), language, "http://127.0.0.1:7430".into(), now());
    model.heed(Event::Picture(scope, series(figures()), 2));
    model.heed(Event::Link(WatchState::Live, 2));
    model
}

/// The same, with the cursor on the output, and everything that belongs to it.
pub(super) fn full_model(language: Language) -> Model {
    let mut model = model(language);
    let output = model.rows.iter().position(|row| row.series().is_some_and(|it| it.key.indicator == "output")).unwrap();
    model.act(super::model::Action::Select(output));
    let selection = model.wants().ranking.unwrap();
    let ours = bounded(Bound::GreaterThan, value("output", "CN-SD", "2020", "3000000000000"));
    let guangdong = value("output", "CN-GD", "2020", "5200000000000");
    let jiangsu = value("output", "CN-JS", "2020", "4000000000000");
    let rows = vec![place("CN-GD", 1, 2, guangdong), place("CN-SD", 1, 3, ours.clone()), place("CN-JS", 2, 3, jiangsu.clone())];
    model.heed(Event::Ranking(selection.clone(), Message::Ranking(Ranking { rows, ranked: 3, ..Ranking::default() })));
    let step =
        RankMove { kind: RankMoveKind::Moved.into(), row: Some(place("CN-JS", 1, 2, jiangsu)), previous_from: 2, previous_to: 3 };
    let moves = RankMoves { revision: 7, recorded_at: Some(at("2021-12-06T11:59:20Z").into()), moves: vec![step], ranked: 3 };
    model.heed(Event::Ranking(selection, Message::Moves(moves)));
    let stations = bounded(Bound::GreaterThan, value("stations", "CN-SD", "2021-12-06", "100000"));
    let recounted = Observation { value: "100500".into(), revision: 7, recorded_at: Some(now().into()), ..stations.clone() };
    model.heed(Event::Changed(Scope::of_region("CN-SD"), change(Some(stations), Some(recounted), 7)));
    model.heed(Event::Commits(vec![commit(7, "li", "a later count")]));
    let wanted = model.wants().detail.unwrap();
    let bureau = v1::SeriesKey { source: "bureau".into(), ..ours.series.clone().unwrap() };
    let other = Observation { series: Some(bureau), value: "2900000000000".into(), bound: Bound::Exact.into(), ..ours.clone() };
    let earlier = Observation { value: "2800000000000".into(), revision: 1, ..ours.clone() };
    let vintages = vec![
        Vintage { observation: Some(ours.clone()), kind: ChangeKind::Revised.into(), current: true, ..Vintage::default() },
        Vintage { observation: Some(earlier), kind: ChangeKind::Inserted.into(), ..Vintage::default() },
    ];
    model.heed(Event::Detail(wanted, Detail { vintages, sources: vec![ours, other] }));
    model
}
