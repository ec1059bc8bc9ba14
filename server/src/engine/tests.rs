//! The record from the inside: what the rules of vintages, requests and groups of commits promise.

use std::sync::{Arc, atomic::AtomicI64};

use indicator_proto::{Bound, Decimal, Period, SeriesKey, Statuses, Time, v1};

use super::*;
use crate::store::{Datum, Figure, Kind};

fn clock() -> Time {
    static MICROS: AtomicI64 = AtomicI64::new(1_700_000_000_000_000);
    Time::from_micros(MICROS.fetch_add(1, std::sync::atomic::Ordering::Relaxed)).unwrap()
}

fn open(directory: &std::path::Path) -> Engine {
    Engine::open(directory, Options { write_queue: 100, clock, retention: Retention::EVERYTHING }).unwrap()
}

async fn fill_catalog(engine: &Engine) {
    let entries = r#"[
        {"unit": {"id": "1", "names": {"en": "number"}, "kind": "UNIT_KIND_COUNT"}},
        {"region": {"id": "CN", "level": "country", "names": {"en": "China"}}},
        {"region": {"id": "CN-SD", "parent": "CN", "level": "province", "names": {"en": "Shandong"}}},
        {"source": {"id": "a", "names": {"en": "A"}, "kind": "report", "precedence": 1}},
        {"source": {"id": "b", "names": {"en": "B"}, "kind": "report", "precedence": 2}},
        {"indicator": {"id": "stations", "names": {"en": "Stations"}, "unit": "1"}}
    ]"#;
    let entries: Vec<serde_json::Value> = serde_json::from_str(entries).unwrap();
    let action = |entry| v1::CatalogAction {
        action: Some(v1::catalog_action::Action::Upsert(indicator_proto::from_json(entry).unwrap())),
    };
    let actions = entries.into_iter().map(action).collect();
    let command = CatalogCommand { actions, context: Context::default(), request: None, validate_only: false };
    engine.apply(Command::Catalog(command)).await.unwrap();
}

fn key(source: &str) -> SeriesKey {
    SeriesKey { indicator: "stations".into(), region: "CN-SD".into(), source: source.into(), ..SeriesKey::default() }
}

fn value(text: &str) -> Figure {
    Figure { datum: Datum::Value(text.parse::<Decimal>().unwrap(), Bound::Exact), statuses: Statuses::default(), details: None }
}

fn day(text: &str) -> Option<Time> {
    Some(text.parse().unwrap())
}

fn period(text: &str) -> Period {
    text.parse().unwrap()
}

fn write(cells: &[(&str, &str)], published_at: Option<Time>) -> WriteCommand {
    let mut cells: Vec<CellWrite> = cells
        .iter()
        .map(|(p, v)| CellWrite {
            period: period(p),
            figure: if v.is_empty() { Figure::withdrawn() } else { value(v) },
            published_at: None,
            index: 0,
        })
        .collect();
    cells.sort_by_key(|c| c.period);
    WriteCommand {
        series: vec![SeriesWrite { key: key("a"), place: Place::Change(0), cells, withdraw_rest: false, withdrawn_at: None }],
        expected: Vec::new(),
        published_at,
        context: Context::default(),
        request: None,
        validate_only: false,
    }
}

async fn apply(engine: &Engine, command: WriteCommand) -> Receipt {
    engine.apply(Command::Write(command)).await.unwrap()
}

fn figure(engine: &Engine, at: &str, moment: Moment) -> Option<Figure> {
    engine.cell(&key("a"), Some(period(at)), moment).ok().map(|(_, row)| row.version.figure)
}

fn now(engine: &Engine) -> Moment {
    engine.moment(None, None, None).unwrap()
}

fn kinds(receipt: &Receipt) -> Vec<Kind> {
    receipt.commit.iter().flat_map(|c| &c.series).flat_map(|s| &s.changes).map(|c| c.version.kind).collect()
}

#[tokio::test]
async fn a_backfilled_vintage_leaves_the_current_value_alone() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    fill_catalog(&engine).await;
    apply(&engine, write(&[("2010", "24")], day("2024-01-01"))).await;
    let receipt = apply(&engine, write(&[("2010", "12")], day("2012-01-01"))).await;
    assert_eq!(kinds(&receipt), [Kind::Backfilled]);
    assert_eq!(figure(&engine, "2010", now(&engine)), Some(value("24")));
    let known = |until| Moment { published_at: day(until), ..now(&engine) };
    assert_eq!(figure(&engine, "2010", known("2013-01-01")), Some(value("12")));
    assert_eq!(figure(&engine, "2010", known("2011-01-01")), None);
}

#[tokio::test]
async fn a_backfilled_withdrawal_and_a_backfill_behind_a_withdrawal_bring_nothing_back() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    fill_catalog(&engine).await;
    apply(&engine, write(&[("2010", "1")], day("2012-01-01"))).await;
    apply(&engine, write(&[("2010", "")], day("2020-01-01"))).await;
    let receipt = apply(&engine, write(&[("2010", "2")], day("2016-01-01"))).await;
    assert_eq!(kinds(&receipt), [Kind::Backfilled]);
    assert_eq!(figure(&engine, "2010", now(&engine)), None);
    let known = |until| Moment { published_at: day(until), ..now(&engine) };
    assert_eq!(figure(&engine, "2010", known("2018-01-01")), Some(value("2")));
    assert_eq!(figure(&engine, "2010", known("2014-01-01")), Some(value("1")));
}

#[tokio::test]
async fn the_same_figure_again_makes_no_version() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    fill_catalog(&engine).await;
    let first = apply(&engine, write(&[("2010", "1"), ("2011", "2")], None)).await;
    let again = apply(&engine, write(&[("2010", "1"), ("2011", "2")], None)).await;
    assert_eq!((again.revision, again.unchanged, again.commit), (first.revision, 2, None));
}

#[tokio::test]
async fn a_replacement_withdraws_what_it_does_not_name() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    fill_catalog(&engine).await;
    apply(&engine, write(&[("2010", "1"), ("2011", "2"), ("2012", "3")], None)).await;
    let mut replacement = write(&[("2011", "2"), ("2013", "4")], None);
    replacement.series[0].withdraw_rest = true;
    let receipt = apply(&engine, replacement).await;
    assert_eq!(kinds(&receipt), [Kind::Deleted, Kind::Deleted, Kind::Inserted]);
    assert_eq!(figure(&engine, "2010", now(&engine)), None);
    assert_eq!(figure(&engine, "2011", now(&engine)), Some(value("2")));
}

#[tokio::test]
async fn every_revision_reads_as_it_was_across_base_blocks_and_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    {
        let engine = open(directory.path());
        fill_catalog(&engine).await;
        for number in 0..200 {
            let year = format!("{}", 2000 + number % 7);
            let receipt = apply(&engine, write(&[(&year, &format!("{number}"))], None)).await;
            expected.push((receipt.revision, year, format!("{number}")));
        }
    }
    let engine = open(directory.path());
    for (revision, year, text) in &expected {
        let moment = engine.moment(Some(*revision), None, None).unwrap();
        assert_eq!(figure(&engine, year, moment), Some(value(text)), "revision {revision}");
    }
    let history = engine.history(&key("a"), now(&engine)).unwrap();
    assert_eq!(history.vintages().len(), 200);
    assert_eq!(history.vintages().iter().filter(|v| v.current).count(), 7);
}

#[tokio::test]
async fn published_views_survive_base_blocks() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    fill_catalog(&engine).await;
    // Editions loaded backwards, many enough for several bases.
    for edition in (0..60).rev() {
        let published = format!("19{:02}-06-01", 40 + edition);
        apply(&engine, write(&[("1930", &format!("{}", edition + 1))], day(&published))).await;
    }
    for edition in 0..60 {
        let moment = Moment { published_at: day(&format!("19{:02}-12-31", 40 + edition)), ..now(&engine) };
        assert_eq!(figure(&engine, "1930", moment), Some(value(&format!("{}", edition + 1))), "edition {edition}");
    }
    assert_eq!(figure(&engine, "1930", now(&engine)), Some(value("60")));
}

#[tokio::test]
async fn commands_of_one_group_see_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Arc::new(open(directory.path()));
    fill_catalog(&engine).await;
    let writes = (0..50).map(|number| {
        let engine = Arc::clone(&engine);
        // Later editions first: every command behind another needs the history that is only staged.
        let published = day(&format!("{}-01-01", 2060 - number));
        async move { apply(&engine, write(&[("2010", &format!("{number}"))], published)).await }
    });
    let receipts = futures::future::join_all(writes).await;
    let mut revisions: Vec<u64> = receipts.iter().map(|r| r.revision).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, (2..52).collect::<Vec<u64>>());
    assert_eq!(figure(&engine, "2010", now(&engine)), Some(value("0")));
    assert_eq!(engine.history(&key("a"), now(&engine)).unwrap().vintages().len(), 50);
}

#[tokio::test]
async fn a_request_repeated_gets_its_first_answer_and_other_content_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let request = |fingerprint| Some(RequestId { id: "r".into(), fingerprint: [fingerprint; 32] });
    let first = {
        let engine = open(directory.path());
        fill_catalog(&engine).await;
        apply(&engine, WriteCommand { request: request(1), ..write(&[("2010", "1")], None) }).await
    };
    let engine = open(directory.path());
    apply(&engine, write(&[("2010", "5")], None)).await;
    let again = apply(&engine, WriteCommand { request: request(1), ..write(&[("2010", "1")], None) }).await;
    assert!(again.repeated);
    assert_eq!((again.revision, again.commit), (first.revision, first.commit));
    let other = WriteCommand { request: request(2), ..write(&[("2010", "9")], None) };
    let error = engine.apply(Command::Write(other)).await.unwrap_err();
    assert!(matches!(error, Error::RequestIdReused(_)), "{error}");
}

#[tokio::test]
async fn a_write_that_expects_another_revision_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    fill_catalog(&engine).await;
    let first = apply(&engine, write(&[("2010", "1")], None)).await;
    apply(&engine, write(&[("2010", "2")], None)).await;
    let stale = WriteCommand { expected: vec![(key("a"), first.revision)], ..write(&[("2010", "3")], None) };
    let error = engine.apply(Command::Write(stale)).await.unwrap_err();
    assert!(matches!(error, Error::SeriesChanged(_)), "{error}");
    assert_eq!(figure(&engine, "2010", now(&engine)), Some(value("2")));
}

#[tokio::test]
async fn a_quota_begins_and_ends_an_alarm_while_the_engine_runs() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    fill_catalog(&engine).await;
    let mut alarms = engine.alarms();
    assert!(alarms.borrow_and_update().is_empty());

    let limits = engine.disk_limits();
    engine.set_disk_limits(crate::store::DiskLimits { quota: 1, ..limits });
    assert!(alarms.has_changed().unwrap());
    let first = alarms.borrow_and_update().to_vec();
    assert_eq!(first.iter().map(|alarm| alarm.kind).collect::<Vec<_>>(), [v1::AlarmKind::Quota]);
    let refused = engine.apply(Command::Write(write(&[("2010", "1")], None))).await.unwrap_err();
    assert!(matches!(refused, Error::Store(crate::store::Error::OverQuota { quota: 1, .. })), "{refused}");

    // The figures in it change without waking anybody, and it is the same alarm.
    engine.set_disk_limits(crate::store::DiskLimits { quota: 2, ..limits });
    assert!(!alarms.has_changed().unwrap());
    let second = alarms.borrow().to_vec();
    assert_eq!(second[0].since, first[0].since);
    assert_ne!(second[0].message, first[0].message);

    engine.set_disk_limits(limits);
    assert!(alarms.has_changed().unwrap() && alarms.borrow_and_update().is_empty());
    apply(&engine, write(&[("2010", "1")], None)).await;
}

#[tokio::test]
async fn the_writer_has_a_pulse_while_nothing_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    let pulse = engine.meter().pulse();
    let beats = async {
        while engine.meter().pulse() < pulse + 2 {
            tokio::task::yield_now().await
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), beats).await.expect("it beats");
}

#[tokio::test]
async fn the_same_commands_make_the_same_log() {
    let mut hashes = Vec::new();
    for _ in 0..2 {
        let directory = tempfile::tempdir().unwrap();
        let store = crate::store::Store::open(directory.path()).unwrap();
        let shared = Arc::new(load::load(store, clock).unwrap());
        let mut record = record::Record::new(Arc::clone(&shared));
        for number in 0..40_u64 {
            let time = Time::from_micros(1_000_000 * number as i64).unwrap();
            let command = if number == 0 { catalog_command() } else { numbered(number) };
            record.apply(number + 1, time, &command).unwrap();
            if number % 3 == 0 {
                record.publish().unwrap();
            }
        }
        record.publish().unwrap();
        hashes.push(shared.head().hash);
    }
    assert_eq!(hashes[0], hashes[1]);
}

fn catalog_command() -> Command {
    let entries = [
        r#"{"unit": {"id": "1", "names": {"en": "number"}, "kind": "UNIT_KIND_COUNT"}}"#,
        r#"{"region": {"id": "CN-SD", "level": "province", "names": {"en": "Shandong", "zh": "山东"}}}"#,
        r#"{"source": {"id": "a", "names": {"en": "A"}, "kind": "report"}}"#,
        r#"{"indicator": {"id": "stations", "names": {"en": "Stations"}, "unit": "1"}}"#,
    ];
    let action = |entry: &str| v1::CatalogAction {
        action: Some(v1::catalog_action::Action::Upsert(
            indicator_proto::from_json(serde_json::from_str(entry).unwrap()).unwrap(),
        )),
    };
    let actions = entries.into_iter().map(action).collect();
    Command::Catalog(CatalogCommand { actions, context: Context::default(), request: None, validate_only: false })
}

fn numbered(number: u64) -> Command {
    let published = day(&format!("20{:02}-01-01", (number * 7) % 40 + 10));
    Command::Write(write(&[(&format!("{}", 1990 + number % 5), &format!("{number}")), ("2000", "7")], published))
}

#[tokio::test]
async fn the_horizon_is_the_latest_of_what_was_compacted_counted_and_grown_old() {
    let directory = tempfile::tempdir().unwrap();
    let open = |retention| Engine::open(directory.path(), Options { write_queue: 100, clock, retention }).unwrap();
    {
        let engine = open(Retention::EVERYTHING);
        fill_catalog(&engine).await;
        for value in 1..=9 {
            apply(&engine, write(&[("2020", &value.to_string())], None)).await;
        }
        assert_eq!((engine.head().revision, engine.horizon().unwrap()), (10, 0));
        assert_eq!(engine.compact(4).unwrap(), 4);
        assert_eq!(engine.compact(2).unwrap(), 4, "it never moves back");
        assert!(matches!(engine.compact(11), Err(Error::FutureRevision { asked: 11, head: 10 })));
        let all = engine.history(&key("a"), now(&engine)).unwrap();
        assert_eq!(all.vintages().len(), 9, "the record keeps everything");
    }
    assert_eq!(open(Retention::EVERYTHING).horizon().unwrap(), 4, "kept across restarts");
    assert_eq!(open(Retention { commits: 3, ..Retention::EVERYTHING }).horizon().unwrap(), 7);
    assert_eq!(open(Retention { age: std::time::Duration::ZERO, ..Retention::EVERYTHING }).horizon().unwrap(), 10);
}

#[tokio::test]
async fn a_store_that_takes_writes_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    fill_catalog(&engine).await;
    assert!(engine.alarms().borrow().is_empty());
}
