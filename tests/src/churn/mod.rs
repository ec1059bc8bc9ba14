//! A server under everything at once: random writes, changes of the catalog, compactions, kills and restarts, while clients of every
//! kind watch, stop, break off and come back; then everything that they saw is compared with the log.

mod catalog;
mod subscriber;
mod tally;
mod world;
mod writes;

use std::{collections::BTreeMap, ops::Range, sync::Arc, thread, time::Duration};

use fastrand::Rng;
use indicator_proto::v1::{ObservationFilter, QueryObservationsRequest, StartSnapshot, WatchRequest, watch_request::Start};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

use self::tally::Tally;
pub use self::world::World;
use crate::{
    check::{
        Violation, check,
        log::Log,
        reading::same_figure,
        recording::{Subscriber, position, token},
        view::View,
    },
    client::{Client, at_revision},
    recorder::{Opening, Recorder},
    server::Server,
    setting,
};

/// What a run is to be.
#[derive(Debug)]
pub struct Plan {
    /// How long.
    pub time: Duration,
    /// How many watch.
    pub watchers: usize,
    /// Writers and those who change the catalog wait so many times longer: a long run shall not make a log that takes an hour to check.
    pub pace: u32,
    /// How long the server is left alone, in milliseconds.
    pub calm: Range<u64>,
}

/// Runs, with other tasks that end when nobody writes any more; checks everything. `INDICATOR_SEED` repeats a run's choices.
///
/// # Panics
///
/// If anything that was seen is not as the log has it.
pub async fn run(plan: Plan, others: impl FnOnce(&Arc<World>, &mut Rng) -> Vec<JoinHandle<()>>) {
    let seed = setting("INDICATOR_SEED", fastrand::u64(..));
    say(&format!("{:?}; INDICATOR_SEED={seed}", plan.time));
    let mut rng = Rng::with_seed(seed);
    let mut server = Server::start_with(&["--grace", "2", "--log", "warn,indicatord=info"]);
    let foreign = Server::start();
    let world = Arc::new(World::new(&server, foreign_token(&foreign).await, plan.pace));
    catalog::create(&world).await;
    let mut churn: Vec<_> =
        (0..3).map(|n| tokio::spawn(writes::write(Arc::clone(&world), rng.fork(), format!("writer {n}")))).collect();
    churn.push(tokio::spawn(catalog::change(Arc::clone(&world), rng.fork())));
    churn.push(tokio::spawn(writes::compact(Arc::clone(&world), rng.fork())));
    let watchers: Vec<_> =
        (0..plan.watchers).map(|n| tokio::spawn(subscriber::watch(Arc::clone(&world), rng.fork(), n))).collect();
    churn.extend(others(&world, &mut rng));

    disturb(&world, &mut server, &mut rng, &plan).await;
    world.stop_writing();
    for task in churn {
        task.await.unwrap();
    }
    let head = server.client().head().await;
    world.finish(head);
    let mut subscribers = Vec::new();
    for watcher in watchers {
        subscribers.push(watcher.await.unwrap());
    }
    let commits = server.client().commits(0).await;
    world.assert_acknowledged(&commits);
    let log = Log::new(commits);
    assert_agreement(&server.client(), &log, &subscribers, &mut rng).await;
    for subscriber in &subscribers {
        let told = subscriber.streams.last().and_then(|stream| position(stream.messages.last()?));
        assert_eq!(told, Some(head), "{} has not everything in the end", subscriber.name);
    }
    server.assert_no_panic();
}

/// Tells whoever runs a test what it was made of.
#[expect(clippy::print_stderr, reason = "to repeat a failure, and to see what a run was made of")]
pub fn say(text: &str) {
    eprintln!("{text}");
}

/// A token of another store, for the request that every watcher makes of it.
async fn foreign_token(server: &Server) -> String {
    server.client_with_catalog().await;
    let common = Default::default();
    let mut recorder = Recorder::new("a stranger".into(), &common);
    let request = WatchRequest { start: Some(Start::Snapshot(StartSnapshot {})), ..WatchRequest::default() };
    let mut streaming = recorder.open(&server.client(), &Opening::new(request)).await.unwrap();
    loop {
        if let Some(token) = recorder.last().and_then(|(_, message)| token(message)) {
            return token.to_owned();
        }
        assert!(recorder.next(&mut streaming).await);
    }
}

/// Stops and kills the server now and then, each at least once.
async fn disturb(world: &World, server: &mut Server, rng: &mut Rng, plan: &Plan) {
    let end = Instant::now() + plan.time;
    let mut kill = rng.bool();
    for times in 0.. {
        let calm = Duration::from_millis(rng.u64(plan.calm.clone()));
        if times >= 2 && Instant::now() + calm + Duration::from_secs(2) >= end {
            sleep(end.saturating_duration_since(Instant::now())).await;
            return;
        }
        sleep(calm).await;
        server.assert_no_panic();
        if kill {
            server.kill();
            server.start_again();
        } else {
            server.restart().await;
        }
        kill = !kill;
        world.moved_to(server);
    }
}

type Watched = (Option<ObservationFilter>, bool);

/// Compares what each subscriber saw with the log, and the log with what queries answer.
async fn assert_agreement(client: &Client, log: &Log, subscribers: &[Subscriber], rng: &mut Rng) {
    let mut by_view: Vec<(Watched, Vec<&Subscriber>)> = Vec::new();
    for subscriber in subscribers {
        let request = &subscriber.streams[0].request;
        let watched = (request.filter.clone(), request.preferred);
        match by_view.iter_mut().find(|(known, _)| *known == watched) {
            Some((_, subscribers)) => subscribers.push(subscriber),
            None => by_view.push((watched, vec![subscriber])),
        }
    }
    let mut violations = Vec::new();
    for group in by_view.chunks(2) {
        let views: Vec<View<'_>> =
            group.iter().map(|((filter, preferred), _)| View::new(log, filter.as_ref(), *preferred)).collect();
        for (view, ((filter, preferred), _)) in views.iter().zip(group) {
            assert_queries(client, log, view, filter.as_ref(), *preferred, rng).await;
        }
        violations.extend(compare(log, &views, group));
    }
    let tally = Tally::of(subscribers);
    say(&format!("{} commits, {} series; {tally}", log.head(), log.series().len()));
    assert!(violations.is_empty(), "{}", summary(&violations, subscribers));
    tally.assert_complete();
}

/// Each view on a thread of its own.
fn compare(log: &Log, views: &[View<'_>], group: &[(Watched, Vec<&Subscriber>)]) -> Vec<Violation> {
    thread::scope(|scope| {
        let pairs = views.iter().zip(group);
        let threads: Vec<_> = pairs
            .map(|(view, (_, subscribers))| {
                scope.spawn(move || -> Vec<Violation> { subscribers.iter().flat_map(|s| check(log, view, s)).collect() })
            })
            .collect();
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    })
}

/// How many of each, and the first few of each in full, with what their subscribers had asked for.
fn summary(violations: &[Violation], subscribers: &[Subscriber]) -> String {
    let mut by_check: BTreeMap<_, Vec<&Violation>> = BTreeMap::new();
    for violation in violations {
        by_check.entry(violation.check).or_default().push(violation);
    }
    let mut text = format!("{} violations", violations.len());
    for (check, violations) in by_check {
        text += &format!("\n{check}: {}", violations.len());
        for violation in violations.iter().take(3) {
            let subscriber = subscribers.iter().find(|s| s.name == violation.subscriber).unwrap();
            text += &format!("\n    {violation}\n        {:?}", subscriber.streams[violation.stream].request);
        }
    }
    text
}

/// What a view shows at a revision is what a query answers as of it.
async fn assert_queries(
    client: &Client,
    log: &Log,
    view: &View<'_>,
    filter: Option<&ObservationFilter>,
    preferred: bool,
    rng: &mut Rng,
) {
    let mut filter = filter.cloned().unwrap_or_default();
    filter.all_sources = !preferred && filter.sources.is_empty();
    for revision in (0..4).map(|_| rng.u64(1..=log.head())).chain([log.head()]) {
        let request =
            QueryObservationsRequest { filter: Some(filter.clone()), as_of: at_revision(revision), ..Default::default() };
        let answer = client.query(request).await.unwrap().observations;
        let state = view.state(revision);
        assert_eq!(answer.len(), state.len(), "figures as of {revision} of {filter:?}, preferred: {preferred}");
        let asked: BTreeMap<_, _> = answer
            .iter()
            .map(|o| {
                let place = log.place(&o.series.clone().unwrap().into()).unwrap();
                (view.cell(place, o.period.parse().unwrap()), (place, o))
            })
            .collect();
        for (cell, version) in &state {
            let (place, observation) = asked[cell];
            let same = place == version.place && same_figure(observation, &version.observation);
            assert!(same, "as of {revision} of {filter:?}, preferred: {preferred}: {observation:?}, not {version:?}");
        }
    }
}
