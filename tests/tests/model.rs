//! Random commands and restarts, on a real server and on the plain list of versions in [`Record`]: both must say the same.
//!
//! `PROPTEST_CASES` sets how many runs (24).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, env};

use indicator_proto::{
    Period, SeriesKey, Time,
    v1::{AsOf, Bound, EntryKind, MissingReason, Observation, ObservationStatus, WriteMode, WriteObservationsRequest},
};
use indicator_tests::{
    assert_same,
    catalog::{delete, region, upsert},
    client::{Client, merge},
    figures::{at, between, bounded, key, missing, value},
    record::{Record, assert_state, figure, version, vintage},
    server::Server,
};
use proptest::{collection::vec, option, prelude::*, test_runner::Config};
use tonic::Code;

/// Days of publication; the last is always in the future, so that what comes without a date is backfilled behind it.
const DAYS: [&str; 4] = ["2010-01-01", "2012-06-01", "2020-03-04T05:06:07.000008Z", "2999-01-01"];
const PERIODS: [&str; 5] = ["2019", "2020", "2020-Q1", "2020-12", "2021-12-06"];
/// The last two are not in the catalog at first.
const REGIONS: [&str; 4] = ["CN-SD", "CN-SD.3710", "CN-A", "CN-B"];
const SOURCES: [&str; 2] = ["bureau", "media"];

/// Numbers, so that it shrinks.
#[derive(Debug, Clone)]
enum Step {
    Write {
        mode: WriteMode,
        cells: Vec<Cell>,
        day: Option<usize>,
        validate_only: bool,
    },
    /// Withdraws a whole series; the day of the change goes before that of the request.
    Empty {
        series: (usize, usize),
        change: Option<usize>,
        day: Option<usize>,
    },
    /// Sends the last write again under its request id.
    Repeat,
    /// Inserts or revises a region.
    Region {
        region: usize,
        name: u8,
    },
    DropRegion {
        region: usize,
    },
    Restart {
        kill: bool,
    },
}

#[derive(Debug, Clone)]
struct Cell {
    series: (usize, usize),
    period: usize,
    figure: usize,
    day: Option<usize>,
}

fn series() -> impl Strategy<Value = (usize, usize)> {
    // Mostly one series, so that base blocks come about.
    prop_oneof![4 => Just((0, 0)), 2 => (0..2_usize, 0..2_usize), 1 => (0..4_usize, 0..2_usize)]
}

fn day() -> impl Strategy<Value = Option<usize>> {
    option::weighted(0.5, 0..DAYS.len())
}

fn cell() -> impl Strategy<Value = Cell> {
    (series(), 0..PERIODS.len(), 0..8_usize, day()).prop_map(|(series, period, figure, day)| Cell { series, period, figure, day })
}

fn step() -> impl Strategy<Value = Step> {
    let mode = prop_oneof![6 => Just(WriteMode::Merge), 2 => Just(WriteMode::Replace), 2 => Just(WriteMode::Delete)];
    let write = (mode, vec(cell(), 1..5), day(), prop::bool::weighted(0.1))
        .prop_map(|(mode, cells, day, validate_only)| Step::Write { mode, cells, day, validate_only });
    prop_oneof![
        24 => write,
        1 => (series(), day(), day()).prop_map(|(series, change, day)| Step::Empty { series, change, day }),
        1 => Just(Step::Repeat),
        2 => (2..4_usize, 0..3_u8).prop_map(|(region, name)| Step::Region { region, name }),
        2 => (0..4_usize).prop_map(|region| Step::DropRegion { region }),
        1 => any::<bool>().prop_map(|kill| Step::Restart { kill }),
    ]
}

fn key_of((region, source): (usize, usize)) -> indicator_proto::v1::SeriesKey {
    key("5g-base-stations", REGIONS[region], SOURCES[source])
}

fn observation(cell: &Cell) -> Observation {
    let (series, period) = (key_of(cell.series), PERIODS[cell.period]);
    let observation = match cell.figure {
        0 => value(&series, period, "1"),
        1 => value(&series, period, "-2.50000000000000000000000001"),
        2 => bounded(&series, period, Bound::GreaterThan, "100000"),
        3 => between(&series, period, "1", "2"),
        4 => missing(&series, period, MissingReason::Suppressed),
        5 => Observation { statuses: vec![ObservationStatus::Provisional.into()], ..value(&series, period, "1") },
        6 => Observation { note: "revised by the census".into(), rounded_to: "10".into(), ..value(&series, period, "30") },
        _ => value(&series, period, "4"),
    };
    Observation { published_at: cell.day.map(|d| at(DAYS[d])), ..observation }
}

/// The server, and what it should hold.
struct Pair {
    server: Server,
    client: Client,
    record: Record,
    regions: BTreeSet<(String, u8)>,
    revision: u64,
    /// When the last commit was recorded.
    time: Time,
    last: Option<(WriteObservationsRequest, u64)>,
    requests: u32,
}

impl Pair {
    async fn start() -> Self {
        let server = Server::start_with(&["--log", "warn,indicatord=info"]);
        let client = server.client_with_catalog().await;
        let time = client.status().await.head_recorded_at.as_ref().unwrap().try_into().unwrap();
        let regions = BTreeSet::from([("CN-SD".to_owned(), 0), ("CN-SD.3710".to_owned(), 0)]);
        Self { server, client, record: Record::default(), regions, revision: 1, time, last: None, requests: 0 }
    }

    fn has_region(&self, id: &str) -> bool {
        self.regions.iter().any(|(region, _)| region == id)
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Write { mode, cells, day, validate_only } => {
                let mut cells = cells.clone();
                cells.sort_by_key(|c| (c.series, c.period));
                cells.dedup_by_key(|c| (c.series, c.period));
                let mut changes: Vec<Observation> = cells.iter().map(observation).collect();
                // The order of the request is the order in which series are created.
                changes.reverse();
                let published_at = day.map(|d| at(DAYS[d]));
                let validate_only = *validate_only;
                self.write(WriteObservationsRequest { mode: (*mode).into(), published_at, validate_only, ..merge(changes) })
                    .await;
            }
            Step::Empty { series, change, day } => {
                let change_day = change.map(|d| at(DAYS[d]));
                let change = Observation { series: Some(key_of(*series)), published_at: change_day, ..Observation::default() };
                let published_at = day.map(|d| at(DAYS[d]));
                let mode = WriteMode::Delete.into();
                self.write(WriteObservationsRequest { mode, published_at, ..merge(vec![change]) }).await;
            }
            Step::Repeat => self.repeat().await,
            Step::Region { region, name } => self.upsert_region(REGIONS[*region], *name).await,
            Step::DropRegion { region } => self.drop_region(REGIONS[*region]).await,
            Step::Restart { kill } => {
                if *kill {
                    self.server.kill();
                    self.server.start_again();
                } else {
                    self.server.restart().await;
                }
                self.client = self.server.client();
            }
        }
        assert_eq!(self.client.head().await, self.revision, "the head revision");
    }

    async fn write(&mut self, request: WriteObservationsRequest) {
        self.requests += 1;
        let request = WriteObservationsRequest { request_id: format!("request-{}", self.requests), ..request };
        let known = |o: &Observation| {
            let key = o.series.clone().unwrap();
            self.has_region(&key.region) || self.record.series().contains(&SeriesKey::from(key))
        };
        if !request.changes.iter().all(known) {
            let refusal = self.client.try_write(request).await.unwrap_err();
            assert_eq!(refusal.what(), (Code::InvalidArgument, "UNKNOWN_REGION"));
            return;
        }
        let response = self.client.write(request.clone()).await;
        let now = response.recorded_at.as_ref().map_or(self.time, |t| Time::try_from(t).unwrap());
        assert!(now >= self.time, "the record's clock goes back");
        // A write that is only validated is told with the time at which it was looked at.
        let seen = response.changes.first().and_then(|c| c.observation.as_ref()?.recorded_at);
        let now = seen.map_or(now, |t| Time::try_from(&t).unwrap());
        let plan = self.record.plan(&request, now, self.revision + 1);
        let told: Vec<_> = response.changes.iter().map(version).collect();
        assert_same(&told, &plan.versions, "the changes");
        assert_eq!(response.unchanged, plan.unchanged, "unchanged");
        let counts = [response.inserted, response.revised, response.deleted, response.backfilled];
        assert_eq!(counts.iter().sum::<u32>() as usize, told.len());
        for change in &response.changes {
            self.check_previous(change.observation.as_ref().unwrap(), change.previous.as_ref());
        }
        if request.validate_only {
            assert_eq!((response.revision, response.recorded_at), (self.revision, None));
            return;
        }
        if !plan.versions.is_empty() {
            self.revision += 1;
            self.time = now;
            self.record.take(plan.versions);
        }
        assert_eq!(response.revision, self.revision);
        self.last = Some((request, response.revision));
    }

    fn check_previous(&self, observation: &Observation, previous: Option<&Observation>) {
        let state = self.record.state(self.revision, None);
        let key = SeriesKey::from(observation.series.clone().unwrap());
        let period: Period = observation.period.parse().unwrap();
        let before = state.iter().find(|((_, p), v)| *p == period && v.key == key).map(|(_, v)| *v);
        let told = previous.map(|p| (p.revision, Some(figure(p))));
        assert_eq!(told, before.map(|b| (b.revision, b.figure.clone())), "previous of {observation:?}");
    }

    async fn repeat(&mut self) {
        let Some((request, revision)) = &self.last else { return };
        let again = self.client.write(request.clone()).await;
        assert!(again.repeated_request);
        assert_eq!(again.revision, *revision);
    }

    async fn upsert_region(&mut self, id: &str, name: u8) {
        let entry = region(id, "CN", "province", &format!("Name {name}"), "名");
        let response = self.client.apply(upsert(vec![entry])).await;
        if self.regions.contains(&(id.to_owned(), name)) {
            assert_eq!((response.revision, response.unchanged), (self.revision, 1));
            return;
        }
        self.regions.retain(|(region, _)| region != id);
        self.regions.insert((id.to_owned(), name));
        self.committed(response.revision).await;
    }

    async fn drop_region(&mut self, id: &str) {
        let used = self.record.series().iter().any(|key| key.region == id) || (id == "CN-SD" && self.has_region("CN-SD.3710"));
        let result = self.client.try_apply(delete(EntryKind::Region, id)).await;
        // Qingdao is below Shandong from the start.
        if used || id == "CN-SD" {
            assert_eq!(result.unwrap_err().what(), (Code::FailedPrecondition, "ENTRY_IN_USE"));
            return;
        }
        let response = result.unwrap();
        if self.has_region(id) {
            self.regions.retain(|(region, _)| region != id);
            self.committed(response.revision).await;
        } else {
            assert_eq!((response.revision, response.changes.len()), (self.revision, 0));
        }
    }

    /// A commit of the catalog.
    async fn committed(&mut self, revision: u64) {
        self.revision += 1;
        assert_eq!(revision, self.revision);
        self.time = self.client.status().await.head_recorded_at.as_ref().unwrap().try_into().unwrap();
    }

    /// Compares every read.
    async fn compare(&self) {
        let answer = self.client.everything(None).await;
        assert_eq!(answer.revision, self.revision);
        assert_state(&answer.observations, &self.record.state(self.revision, None), "now");
        let step = (self.revision / 12).max(1);
        for revision in (1..=self.revision).step_by(usize::try_from(step).unwrap()) {
            for day in [None, Some(DAYS[0]), Some(DAYS[2]), Some("2015-01-01")] {
                let published_by = day.map(|d| d.parse::<Time>().unwrap());
                let as_of = Some(AsOf { revision, published_at: day.map(at), ..AsOf::default() });
                let told = self.client.everything(as_of).await.observations;
                let what = format!("as of revision {revision}, published by {day:?}");
                assert_state(&told, &self.record.state(revision, published_by), &what);
            }
        }
        for key in self.record.series() {
            self.compare_series(key).await;
        }
        let mut followed = Record::default();
        for commit in self.client.commits(0).await {
            followed.follow(&commit);
        }
        assert_same(followed.versions(), self.record.versions(), "the audit trail");
    }

    async fn compare_series(&self, key: &SeriesKey) {
        let series = indicator_proto::v1::SeriesKey::from(key);
        let told: Vec<_> = self.client.vintages(&series, "").await.iter().map(vintage).collect();
        assert_same(&told, &self.record.vintages(key), "the history");
        let state = self.record.state(self.revision, None);
        for period in PERIODS {
            let parsed: Period = period.parse().unwrap();
            let expected = state.iter().find(|((_, p), v)| *p == parsed && v.key == *key).map(|(_, v)| v.figure.clone().unwrap());
            match self.client.get(&series, period).await {
                Ok(told) => assert_eq!(Some(figure(&told)), expected, "{key} {period}"),
                Err(refusal) => assert_eq!((refusal.what(), expected), ((Code::NotFound, "NOT_FOUND"), None), "{key} {period}"),
            }
        }
    }
}

#[test]
fn random_commands_and_restarts_agree_with_a_plain_list_of_versions() {
    let cases = env::var("PROPTEST_CASES").map_or(24, |cases| cases.parse().unwrap());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    proptest!(config, |(steps in vec(step(), 1..70))| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut pair = Pair::start().await;
            for (number, step) in steps.iter().enumerate() {
                pair.step(step).await;
                if number % 25 == 24 {
                    pair.compare().await;
                }
            }
            pair.compare().await;
        });
    });
}
