use std::{
    path::Path,
    sync::{Arc, atomic::AtomicI64},
};

use indicator_proto::{Bound, Period, SeriesKey, Statuses, Time, v1};
use indicator_proto::{
    archive::FrameWriter,
    v1::{ArchiveEnd, ArchiveHeader, ArchiveRecord},
};
use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::{
    engine::{
        CatalogCommand, CellWrite, Command, Context, Engine, Options, Place, RequestId, Retention, SeriesWrite, WriteCommand,
    },
    fuzzing::seeds::seed,
    store::{
        Batch, Datum, Details, Equivalent, Error, Figure, Scope, Store,
        keys::{self, BlockKey, BlockKind},
        log,
    },
};

fn clock() -> Time {
    static MICROS: AtomicI64 = AtomicI64::new(1_700_000_000_000_000);
    Time::from_micros(MICROS.fetch_add(1, std::sync::atomic::Ordering::Relaxed)).unwrap()
}

fn open(directory: &Path) -> Engine {
    Engine::open(directory, Options { write_queue: 100, clock, retention: Retention::EVERYTHING }).unwrap()
}

fn request(id: &str) -> Option<RequestId> {
    (!id.is_empty()).then(|| RequestId { id: id.to_owned(), fingerprint: *blake3::hash(id.as_bytes()).as_bytes() })
}

fn context() -> Context {
    Context {
        actor: "ann".into(),
        reason: "because".into(),
        document_uri: "https://example/1".into(),
        client: "192.0.2.7".into(),
    }
}

async fn catalog(engine: &Engine, id: &str, actions: serde_json::Value) {
    let serde_json::Value::Array(actions) = actions else { panic!("a list") };
    let actions = actions.into_iter().map(|action| indicator_proto::from_json(action).unwrap()).collect();
    let command = CatalogCommand { actions, context: context(), request: request(id), validate_only: false };
    engine.apply(Command::Catalog(command)).await.unwrap();
}

async fn fill_catalog(engine: &Engine, regions: u32) {
    let mut actions = vec![
        serde_json::json!({"upsert": {"unit": {"id": "1", "names": {"en": "number"}, "kind": "UNIT_KIND_COUNT"}}}),
        serde_json::json!({"upsert": {"unit": {"id": "CNY", "names": {"en": "yuan"}, "kind": "UNIT_KIND_CURRENCY"}}}),
        serde_json::json!({"upsert": {"region": {"id": "CN", "level": "country", "names": {"en": "China"}}}}),
        serde_json::json!({"upsert": {"source": {"id": "a", "names": {"en": "A"}, "kind": "report", "precedence": 1}}}),
        serde_json::json!({"upsert": {"indicator": {"id": "stations", "names": {"en": "Stations"}, "unit": "1"}}}),
    ];
    actions.extend((1..regions).map(|n| {
        let region =
            serde_json::json!({"id": format!("CN.{n}"), "parent": "CN", "level": "place", "names": {"en": format!("Place {n}")}});
        serde_json::json!({"upsert": {"region": region}})
    }));
    catalog(engine, "the catalog", actions.into()).await;
}

fn cell(year: i32, number: i64, note: &str) -> CellWrite {
    let details = Details {
        note: note.to_owned(),
        equivalents: vec![Equivalent { value: number.to_string().parse().unwrap(), unit: "CNY".into() }],
        ..Details::default()
    };
    let figure = Figure {
        datum: Datum::Value(number.to_string().parse().unwrap(), Bound::Exact),
        statuses: Statuses::default(),
        details: (!note.is_empty()).then(|| Arc::new(details)),
    };
    CellWrite { period: year.to_string().parse::<Period>().unwrap(), figure, published_at: None, index: 0 }
}

async fn write(engine: &Engine, id: &str, published: &str, series: Vec<(String, Vec<CellWrite>)>) -> u64 {
    let series = series.into_iter().enumerate().map(|(n, (region, cells))| SeriesWrite {
        key: SeriesKey { indicator: "stations".into(), region, source: "a".into(), ..SeriesKey::default() },
        place: Place::Change(n as u32),
        cells,
        withdraw_rest: false,
        withdrawn_at: None,
    });
    let published_at = (!published.is_empty()).then(|| published.parse().unwrap());
    let (series, context, request) = (series.collect(), context(), request(id));
    let command = WriteCommand { series, expected: Vec::new(), published_at, context, request, validate_only: false };
    engine.apply(Command::Write(command)).await.unwrap().revision
}

/// Everything that a store can have: base blocks, blocks of several parts, commits that touch many series, backfills, withdrawals,
/// equivalents, removals from the catalog, requests with and without a commit, a horizon.
async fn sample(directory: &Path) -> Vec<u64> {
    let engine = open(directory);
    fill_catalog(&engine, 90).await;
    let place = |n: u32| if n == 0 { "CN".to_owned() } else { format!("CN.{n}") };
    for n in 0..40 {
        let note = if n % 5 == 0 { "as told" } else { "" };
        write(
            &engine,
            &format!("edition {n}"),
            "",
            vec![(place(0), vec![cell(2000, n, note), cell(2001 + n as i32 % 3, n, "")])],
        )
        .await;
    }
    let first = engine.head().revision;
    write(&engine, "", "", (1..80).map(|n| (place(n), vec![cell(2010, i64::from(n), "")])).collect()).await;
    write(&engine, "", "2001-01-01", vec![(place(0), vec![cell(2000, 7_777, "")])]).await;
    let long = "x".repeat(3_000);
    write(&engine, "large", "", vec![(place(1), (1900..1990).map(|y| cell(y, i64::from(y), &format!("{long}{y}"))).collect())])
        .await;
    let second = engine.head().revision;
    let mut gone = cell(2010, 0, "");
    gone.figure = Figure::withdrawn();
    write(&engine, "gone", "", vec![(place(2), vec![gone])]).await;
    catalog(&engine, "less", serde_json::json!([{"delete": {"kind": "ENTRY_KIND_REGION", "id": "CN.89"}}])).await;
    // Says what the record says already.
    write(&engine, "nothing new", "", vec![(place(3), vec![cell(2010, 3, "")])]).await;
    engine.compact(5).unwrap();
    vec![first, second, engine.head().revision]
}

fn archive(store: &Store, after: u64, last: u64) -> Vec<u8> {
    let hash = |revision| if revision == 0 { [0; 32] } else { store.header(revision).unwrap().unwrap().hash };
    let since = Since { revision: after, hash: hash(after) };
    let mut bytes = Vec::new();
    store.backup(since, (last, hash(last)), "e1".into(), clock()).unwrap().write(&mut bytes).unwrap();
    bytes
}

fn restore(directory: &Path, archives: &[&[u8]]) -> Result<Store, Error> {
    let mut restoring = Restoring::into_store(Store::begin(directory)?);
    archives.iter().try_for_each(|archive| restoring.add(*archive).map(drop))?;
    restoring.finish()
}

type Pairs = Vec<(Vec<u8>, Vec<u8>)>;

/// All that a store has but who it is; the log as a sequence, since commits lie together as they came to the disk.
fn content(store: &Store) -> (Vec<String>, Pairs) {
    let log = store.history(0).map(|logged| format!("{:?}", logged.unwrap())).collect();
    let mine = |key: &[u8]| [keys::meta("epoch"), keys::meta("token-key"), keys::meta("gaps")].iter().any(|name| name == key);
    let rest = store.db.iter().map(Result::unwrap).map(|(key, value)| (key.to_vec(), value.to_vec()));
    (log, rest.filter(|(key, _)| key[0] != 0x02 && !mine(key)).collect())
}

#[tokio::test]
async fn a_store_is_restored_whole_from_a_backup_and_from_one_with_increments() {
    let directory = tempfile::tempdir().unwrap();
    let ends = sample(&directory.path().join("a")).await;
    let store = Store::open(&directory.path().join("a")).unwrap();
    let found = store.verify(Scope::Whole).unwrap();
    assert_eq!(found.problems.listed(), [""; 0]);
    assert!(found.bases > 1 && found.contents.series == 80 && found.contents.requests > 40, "{found:?}");
    let last = ends[2];
    let [first, second] = [archive(&store, 0, ends[0]), archive(&store, ends[0], ends[1])];
    // Between one backup and the next, a request has been kept for long enough.
    let mut forgotten = Batch::default();
    let micros = store.request("edition 3").unwrap().unwrap().micros;
    forgotten.forget_request(Time::from_micros(micros).unwrap(), "edition 3");
    store.write(forgotten).unwrap();
    let full = archive(&store, 0, last);
    let parts = [first, second, archive(&store, ends[1], last)];
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let nothing_new = archive(&store, last, last);
    let ways: [(&str, Vec<&[u8]>); 3] = [("b", vec![&full]), ("c", parts.clone()), ("d", [&parts[..], &[&nothing_new]].concat())];
    for (name, archives) in ways {
        let restored = restore(&directory.path().join(name), &archives).unwrap();
        assert!(content(&restored) == content(&store), "{name}");
        assert_ne!(restored.epoch(), store.epoch());
        assert_ne!(restored.token_key(), store.token_key());
        drop(restored.completion());
        // Nothing opens it before it is complete.
        let (epoch, completion) = (restored.epoch(), restored.completion());
        drop(restored);
        assert!(matches!(Store::open(&directory.path().join(name)), Err(Error::Foreign { .. })));
        completion.complete().unwrap();
        assert_eq!(Store::open(&directory.path().join(name)).unwrap().epoch(), epoch);
        assert!(matches!(Store::begin(&directory.path().join(name)), Err(Error::Foreign { .. })), "it is one");
    }
}

#[tokio::test]
async fn archives_out_of_order_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let ends = sample(&directory.path().join("a")).await;
    let store = Store::open(&directory.path().join("a")).unwrap();
    let [one, two, three] = [archive(&store, 0, ends[0]), archive(&store, ends[0], ends[1]), archive(&store, ends[1], ends[2])];
    let full = archive(&store, 0, ends[2]);
    sample(&directory.path().join("b")).await;
    let other = Store::open(&directory.path().join("b")).unwrap();
    let foreign = archive(&other, ends[0], ends[1]);
    let cases: [(&str, &[&[u8]]); 8] = [
        ("is an increment", &[&two]),
        ("goes on after commit 44", &[&one, &three]),
        ("goes on after commit 41", &[&one, &two, &two]),
        ("goes on after commit 44", &[&one, &three, &two]),
        ("goes on after commit 0", &[&one, &one]),
        ("goes on after commit 0", &[&full, &one]),
        ("is another", &[&one, &foreign]),
        ("goes on after commit 41", &[&full, &two]),
    ];
    for (number, (why, archives)) in cases.into_iter().enumerate() {
        let error = restore(&directory.path().join(format!("r{number}")), archives).map(drop).unwrap_err().to_string();
        assert!(error.contains(why), "{why}: {error}");
    }
}

#[tokio::test]
async fn every_altered_byte_and_every_cut_of_an_archive_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    fill_catalog(&engine, 2).await;
    for n in 0..3 {
        write(&engine, "r", "", vec![("CN".into(), vec![cell(2000, n, "told")])]).await;
    }
    drop(engine);
    let store = Store::open(directory.path()).unwrap();
    let bytes = archive(&store, 0, store.newest().unwrap().unwrap().0);
    assert_eq!(Restoring::nowhere().add(&bytes[..]).unwrap().contents.commits, 2);
    for at in 0..bytes.len() {
        assert!(Restoring::nowhere().add(&bytes[..at]).is_err(), "cut at {at}");
        for flip in [0x01, 0x40, 0xff] {
            let mut altered = bytes.clone();
            altered[at] ^= flip;
            assert!(Restoring::nowhere().add(&altered[..]).is_err(), "byte {at} ^ {flip:#x}");
        }
    }
}

/// An archive whose frames are right, whatever is in them.
fn framed(header: &ArchiveHeader, records: &[Record], end: &ArchiveEnd) -> Vec<u8> {
    let raw: Vec<u8> = records.iter().flat_map(|r| ArchiveRecord::from(r.clone()).encode_length_delimited_to_vec()).collect();
    compressed(header, raw.len(), &raw, end)
}

fn compressed(header: &ArchiveHeader, size: usize, raw: &[u8], end: &ArchiveEnd) -> Vec<u8> {
    let (mut frames, mut bytes) = FrameWriter::begin(header);
    bytes.extend(frames.records(size, &zstd::bulk::compress(raw, 3).unwrap()));
    bytes.extend(frames.end(end));
    bytes
}

/// The records of an archive, and what it says of them.
fn parsed(bytes: &[u8]) -> (ArchiveHeader, Vec<Record>, ArchiveEnd) {
    let mut archive = Archive::open(bytes).unwrap();
    let mut records = Vec::new();
    while let Some(record) = archive.next().unwrap() {
        records.push(record);
    }
    let mut frames = indicator_proto::archive::Frames::default();
    frames.push(bytes);
    let mut last = None;
    while let Some(frame) = frames.take().unwrap() {
        last = Some(frame);
    }
    let Some(indicator_proto::archive::Frame::End(end)) = last else { panic!("an end") };
    (archive.header().clone(), records, end)
}

#[tokio::test]
async fn who_rewrites_the_frames_cannot_rewrite_the_history() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    fill_catalog(&engine, 3).await;
    write(&engine, "r1", "", vec![("CN".into(), vec![cell(2000, 1, "told"), cell(2001, 2, "")])]).await;
    write(&engine, "r2", "", vec![("CN".into(), vec![cell(2000, 3, "")]), ("CN.1".into(), vec![cell(2000, 3, "")])]).await;
    drop(engine);
    let store = Store::open(directory.path()).unwrap();
    let (header, records, end) = parsed(&archive(&store, 0, 3));
    assert!(Restoring::nowhere().add(&framed(&header, &records, &end)[..]).is_ok(), "as it was");
    // Each record left out, told twice, or exchanged with the next. Requests are of no order, and nobody misses one but the count.
    for at in 0..records.len() {
        let (mut without, mut twice, mut exchanged) = (records.clone(), records.clone(), records.clone());
        without.remove(at);
        twice.insert(at, records[at].clone());
        exchanged.swap(at, (at + 1) % records.len());
        for (what, list) in [("without", without), ("twice", twice), ("exchanged", exchanged)] {
            // Nor does it matter where between blocks the dictionary grows, as long as it is before the series is used.
            let requests = matches!(
                (&records[at], records.get(at + 1)),
                (Record::Request(..), Some(Record::Request(..))) | (Record::Block { .. }, Some(Record::Series(..)))
            );
            if !(what == "exchanged" && requests) {
                assert!(Restoring::nowhere().add(&framed(&header, &list, &end)[..]).is_err(), "{what} {at}: {:?}", records[at]);
            }
        }
    }
    // Each field of each commit, and of what it changed.
    let mut altered: Vec<Vec<Record>> = Vec::new();
    let mut alter = |at: usize, change: &dyn Fn(&mut Record)| {
        let mut list = records.clone();
        change(&mut list[at]);
        assert_ne!(list[at], records[at]);
        altered.push(list);
    };
    for (at, record) in records.iter().enumerate() {
        match record {
            Record::Commit(..) => {
                let changes: [fn(&mut crate::store::Header); 15] = [
                    |h| h.micros += 1,
                    |h| h.actor.push('x'),
                    |h| h.reason.push('x'),
                    |h| h.document_uri.push('x'),
                    |h| h.request_id.push('x'),
                    |h| h.inserted += 1,
                    |h| h.revised += 1,
                    |h| h.deleted += 1,
                    |h| h.backfilled += 1,
                    |h| h.series += 1,
                    |h| h.entries += 1,
                    |h| h.previous_hash[7] ^= 1,
                    |h| h.hash[7] ^= 1,
                    |h| h.client.push('1'),
                    |h| h.micros = i64::MAX,
                ];
                for change in changes {
                    alter(at, &|record| {
                        if let Record::Commit(_, header) = record {
                            change(header);
                        }
                    });
                }
                for revision in [0, u64::MAX, 1_000_000] {
                    alter(at, &|record| {
                        if let Record::Commit(number, _) = record {
                            *number = revision;
                        }
                    });
                }
            }
            Record::Series(..) => alter(at, &|record| {
                if let Record::Series(id, _) = record {
                    *id = u32::MAX;
                }
            }),
            Record::Block { bytes, .. } => {
                for byte in 0..bytes.len() {
                    alter(at, &|record| {
                        if let Record::Block { bytes, .. } = record {
                            bytes[byte] ^= 0x55;
                        }
                    });
                }
            }
            Record::Entry(..) => alter(at, &|record| {
                if let Record::Entry(_, _, bytes) = record {
                    *bytes = None;
                }
            }),
            Record::Request(..) => alter(at, &|record| {
                if let Record::Request(_, request) = record {
                    request.revision = 9;
                }
            }),
        }
    }
    assert!(altered.len() > 200, "{}", altered.len());
    for list in altered {
        let refused = Restoring::nowhere().add(&framed(&header, &list, &end)[..]);
        assert!(matches!(refused, Err(Error::Archive(_))), "{refused:?}");
    }
    // What it says of itself.
    let wrong = [
        ArchiveHeader { last_revision: 4, ..header.clone() },
        ArchiveHeader { last_hash: vec![1; 32], ..header.clone() },
        ArchiveHeader { last_hash: vec![1; 31], ..header.clone() },
        ArchiveHeader { after_revision: 1, ..header.clone() },
        ArchiveHeader { after_revision: 9, ..header.clone() },
        ArchiveHeader { after_series: 1, ..header.clone() },
    ];
    for header in wrong {
        assert!(Restoring::nowhere().add(&framed(&header, &records, &end)[..]).is_err(), "{header:?}");
    }
    let wrong = [
        ArchiveEnd { commits: 2, ..end },
        ArchiveEnd { versions: 2, ..end },
        ArchiveEnd { entries: 2, ..end },
        ArchiveEnd { series: 1, ..end },
        ArchiveEnd { requests: 9, ..end },
        ArchiveEnd { horizon_revision: 4, ..end },
    ];
    for end in wrong {
        assert!(Restoring::nowhere().add(&framed(&header, &records, &end)[..]).is_err(), "{end:?}");
    }
    // More comes out than was said, or less.
    let raw = vec![0; 1 << 20];
    for size in [0, 100, 2 << 20] {
        assert!(Restoring::nowhere().add(&compressed(&header, size, &raw, &end)[..]).is_err(), "{size}");
    }
}

proptest! {
    #[test]
    fn no_records_make_a_reader_panic(raw in prop::collection::vec(any::<u8>(), 0..300), size in 0_usize..400) {
        let header = ArchiveHeader { after_hash: vec![0; 32], last_hash: vec![0; 32], ..ArchiveHeader::default() };
        let end = ArchiveEnd::default();
        let archive = compressed(&header, size, &raw, &end);
        prop_assert!(Restoring::nowhere().add(&archive[..]).is_err() || raw.is_empty());
    }

    #[test]
    fn no_block_makes_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), kind: u8, id: String) {
        let header = crate::store::Header {
            micros: 1, actor: id.clone(), inserted: 1, series: 1, entries: 1, hash: [1; 32], ..crate::store::Header::default()
        };
        let commit = Record::Commit(1, header);
        let block = Record::Block { series: 0, part: 0, bytes: [&[1][..], &bytes].concat() };
        let records = [commit, Record::Series(0, SeriesKey::default()), block, Record::Entry(kind, id, Some(bytes))];
        let header = ArchiveHeader { after_hash: vec![0; 32], last_hash: vec![1; 32], last_revision: 1, ..ArchiveHeader::default() };
        prop_assert!(Restoring::nowhere().add(&framed(&header, &records, &ArchiveEnd::default())[..]).is_err());
    }
}

#[tokio::test]
async fn a_restore_goes_on_far_beyond_what_the_lost_history_may_have_had() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("a");
    let last = sample(&data).await[2];
    let full = archive(&Store::open(&data).unwrap(), 0, last);
    let mut gaps = 0;
    let mut backup = full;
    for name in ["b", "c"] {
        let data = directory.path().join(name);
        let mut restoring = Restoring::into_store(Store::begin(&data).unwrap());
        restoring.add(&backup[..]).unwrap();
        let before = restoring.head().0;
        let revision = restoring.go_on_after(1_000, clock(), "me", "why".into()).unwrap();
        assert_eq!(revision, before + 1_000);
        let store = restoring.finish().unwrap();
        gaps += 1;
        assert_eq!(store.gaps().count(revision), last + gaps);
        assert_eq!(store.gaps().around(before + 1).map(|gap| (gap.before, gap.after)), Some((before, revision)));
        let header = store.header(revision).unwrap().unwrap();
        assert_eq!((header.actor.as_str(), header.reason.as_str(), header.series, header.entries), ("me", "why", 0, 0));
        let completion = store.completion();
        drop(store);
        completion.complete().unwrap();
        // It goes on, and is backed up and restored as any other.
        let engine = open(&data);
        assert_eq!(write(&engine, name, "", vec![("CN".into(), vec![cell(1999, 1, name)])]).await, revision + 1);
        drop(engine);
        let store = Store::open(&data).unwrap();
        assert_eq!(store.verify(Scope::Whole).unwrap().problems.listed(), [""; 0]);
        backup = archive(&store, 0, revision + 1);
        gaps += 1;
    }
    let mut restoring = Restoring::nowhere();
    restoring.add(&backup[..]).unwrap();
    for gap in [0, u64::MAX, u64::MAX - restoring.head().0] {
        assert!(restoring.go_on_after(gap, clock(), "me", String::new()).is_err(), "{gap}");
    }
}

type Damage = fn(&sled::Db, &Store);

#[tokio::test]
async fn each_damage_of_a_store_is_found() {
    let damages: &[(&str, Damage)] = &[
        ("is not as it was made", |db, _| {
            let key = BlockKey { series: 2, revision: 42, kind: BlockKind::Delta, part: 0 }.encode();
            let other = db.get(BlockKey { series: 3, revision: 42, kind: BlockKind::Delta, part: 0 }.encode()).unwrap().unwrap();
            db.insert(key, other).unwrap();
        }),
        ("commit 42 says that it changed 79 cells in 79 series", |db, _| {
            db.remove(BlockKey { series: 2, revision: 42, kind: BlockKind::Delta, part: 0 }.encode()).unwrap();
        }),
        ("lacks a part", |db, _| {
            db.remove(BlockKey { series: 1, revision: 44, kind: BlockKind::Delta, part: 1 }.encode()).unwrap();
        }),
        ("series 5 has a block of commit 7, which did not touch it", |db, store| {
            let block = store.db.get(BlockKey { series: 5, revision: 42, kind: BlockKind::Delta, part: 0 }.encode());
            db.insert(BlockKey { series: 5, revision: 7, kind: BlockKind::Delta, part: 0 }.encode(), block.unwrap().unwrap())
                .unwrap();
        }),
        ("the base block of series 0", |db, _| {
            let (key, _) = base(db);
            db.insert(
                key,
                db.get(BlockKey { series: 0, revision: 2, kind: BlockKind::Delta, part: 0 }.encode()).unwrap().unwrap(),
            )
            .unwrap();
        }),
        ("does not decode", |db, _| {
            let (key, value) = base(db);
            db.insert(key, &value[..value.len() / 2]).unwrap();
        }),
        ("series 4 is missing from the dictionary", |db, _| {
            db.remove(keys::series(4)).unwrap();
        }),
        ("series 80 is in the dictionary, and no commit", |db, _| {
            let mut key: v1::SeriesKey = (&SeriesKey::default()).into();
            key.indicator = "other".into();
            db.insert(keys::series(80), key.encode_to_vec()).unwrap();
        }),
        ("is in the dictionary twice", |db, _| {
            db.insert(keys::series(4), db.get(keys::series(3)).unwrap().unwrap()).unwrap();
        }),
        ("catalog entry CN.3 has a version of commit 9", |db, _| {
            db.insert(keys::catalog(1, "CN.3", 9), vec![0]).unwrap();
        }),
        ("commit 46 says", |db, _| {
            db.remove(keys::catalog(1, "CN.89", 46)).unwrap();
        }),
        ("commit 1 is not as it was made", |db, _| {
            db.insert(keys::catalog(1, "CN.3", 1), vec![1, 0]).unwrap();
        }),
        ("is not listed at its time", |db, store| {
            let micros = store.request("large").unwrap().unwrap().micros;
            db.remove(keys::request_time(micros, "large")).unwrap();
        }),
        ("listed at a time, and nothing is kept of it", |db, _| {
            db.insert(keys::request_time(77, "never"), vec![]).unwrap();
        }),
        ("is said to have made commit", |db, store| {
            let mut record = store.request("large").unwrap().unwrap();
            record.revision = 5;
            db.insert(keys::request("large"), log::encode(&record)).unwrap();
        }),
        ("equivalents in CNY", |db, _| {
            db.remove(keys::equivalent_unit("CNY")).unwrap();
        }),
        ("EUR is among the units", |db, _| {
            db.insert(keys::equivalent_unit("EUR"), vec![]).unwrap();
        }),
        ("horizon of replays", |db, _| {
            db.insert(keys::meta("horizon"), &9_999_u64.to_be_bytes()).unwrap();
        }),
        ("numbers that restores left out", |db, _| {
            db.insert(keys::meta("gaps"), [5_u64.to_be_bytes(), 9_u64.to_be_bytes()].concat()).unwrap();
        }),
        ("is unknown", |db, _| {
            db.insert([0x70, 1], vec![]).unwrap();
        }),
        ("is unknown", |db, _| {
            db.insert(keys::meta("what"), vec![]).unwrap();
        }),
        ("malformed", |db, _| {
            db.insert([0x03, 1], vec![]).unwrap();
        }),
        ("does not follow", |db, _| {
            let first = log_keys(db)[3].clone();
            db.remove(first).unwrap();
        }),
        ("was acknowledged", |db, _| {
            let last = log_keys(db).pop().unwrap();
            db.remove(last).unwrap();
        }),
        ("does not decode", |db, _| {
            let some = log_keys(db)[3].clone();
            db.insert(some, vec![1, 9, 9]).unwrap();
        }),
    ];
    let directory = tempfile::tempdir().unwrap();
    let whole = directory.path().join("whole");
    sample(&whole).await;
    for (number, (expected, damage)) in damages.iter().enumerate() {
        let data = directory.path().join(number.to_string());
        copy(&whole, &data);
        {
            let store = Store::open(&data).unwrap();
            damage(&store.db, &store);
            store.db.flush().unwrap();
        }
        let (store, mut problems) = Store::examine(&data).unwrap();
        problems.append(store.verify(Scope::Whole).unwrap().problems);
        assert!(problems.listed().iter().any(|p| p.contains(expected)), "{expected}: {:#?}", problems.listed());
        // A backup of it is none, or is one without the damage.
        let (last, header) = store.newest().unwrap().unwrap();
        let mut bytes = Vec::new();
        let backup = store.backup(Since::default(), (last, header.hash), "e".into(), clock()).and_then(|b| b.write(&mut bytes));
        if backup.is_ok() {
            let mut restoring = Restoring::into_store(Store::begin(&directory.path().join(format!("r{number}"))).unwrap());
            if restoring.add(&bytes[..]).is_ok()
                && let Ok(restored) = restoring.finish()
            {
                assert_eq!(restored.verify(Scope::Whole).unwrap().problems.listed(), [""; 0]);
            }
        }
    }
}

fn base(db: &sled::Db) -> (sled::IVec, sled::IVec) {
    let is_base = |key: &[u8]| BlockKey::decode(key).is_some_and(|key| key.kind == BlockKind::Base);
    db.scan_prefix([0x03]).map(Result::unwrap).find(|(key, _)| is_base(key)).unwrap()
}

fn log_keys(db: &sled::Db) -> Vec<sled::IVec> {
    db.scan_prefix([0x02])
        .keys()
        .map(Result::unwrap)
        .filter(|key| keys::decode_log(key).is_some_and(|(_, part)| part == 0))
        .collect()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn archives_and_stored_values_of_today_pass_their_targets() {
    let directory = tempfile::tempdir().unwrap();
    let engine = open(directory.path());
    fill_catalog(&engine, 3).await;
    let place = |n: u32| if n == 0 { "CN".to_owned() } else { format!("CN.{n}") };
    write(&engine, "first", "", vec![(place(0), vec![cell(2000, 1, "as told"), cell(2001, 2, "")])]).await;
    write(&engine, "", "2001-01-01", vec![(place(0), vec![cell(2000, 7, "")]), (place(1), vec![cell(2001, 9, "")])]).await;
    drop(engine);
    let store = Store::open(directory.path()).unwrap();
    let last = store.history(0).last().unwrap().unwrap().revision;
    let file = archive(&store, 0, last);
    let mut frames = indicator_proto::archive::Frames::default();
    frames.push(&file);
    let (mut ends, mut records) = (Vec::new(), Vec::new());
    while let Some(frame) = frames.take().unwrap() {
        use indicator_proto::archive::Frame;
        match frame {
            Frame::Header(header) => ends.push(header.encode_to_vec()),
            Frame::Records { size, compressed } => records.extend(zstd::bulk::decompress(&compressed, size).unwrap()),
            Frame::End(end) => ends.push(end.encode_to_vec()),
        }
    }
    let after_lengths = ends.iter().flat_map(|end| [&[end.len() as u8], &end[..]].concat()).collect::<Vec<u8>>();
    let archive_seed = |name: &str, what, bytes: &[u8]| seed("archive", super::fuzzing::archive, name, what, bytes);
    let store_seed = |name: &str, what, bytes: &[u8]| seed("store", crate::fuzzing::store, name, what, bytes);
    archive_seed("file", 0, &file);
    archive_seed("contents", 1, &[after_lengths, records.clone()].concat());
    archive_seed("records", 2, &records);
    for (number, item) in store.db.iter().enumerate() {
        let (key, value) = item.unwrap();
        store_seed("key", 5, &key);
        let (name, what) = match key[0] {
            0x02 => ("commits", 1),
            0x03 => ("block", 0),
            0x06 => ("request", 4),
            _ => continue,
        };
        store_seed(&format!("{name}-{number}"), what, &value);
    }
    let touched =
        log::encode(&crate::store::Touched { series: vec![1, 5, 300], entries: vec![(1, "CN".into()), (2, "a".into())] });
    store_seed("touched", 2, &[&[touched.len() as u8], &touched[..], &[touched.len() as u8], &touched].concat());
    let gaps: Vec<u8> = [3_u64, 1_000, 1_005, 2_000].into_iter().flat_map(u64::to_be_bytes).collect();
    store_seed("gaps", 3, &gaps);
}
