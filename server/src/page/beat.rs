//! What all pages have in common: the pace at which they are told of changes, what changed since, and the pictures.
//!
//! Five hundred pages that show the same are one reading and one drawing of it. All follow one beat, so that they ask for the same
//! revisions; who asks first draws, the others wait for that.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use indicator_proto::{Time, v1};
use quick_cache::{Weighter, sync::Cache};
use tokio::sync::watch;
use tonic::Status;

use super::{
    address::{Address, View},
    picture::Picture,
    reader::Desk,
    views,
};
use crate::{
    engine::{Engine, Error, catalog, formula::Formula},
    service::{blocking, wire},
};

/// Pages are told of changes no more often than this.
const BEAT: Duration = Duration::from_millis(100);
/// Pictures kept, and bytes of them.
const PICTURES: usize = 2_000;
const PICTURE_BYTES: u64 = 64 << 20;
/// Descriptions of what changed.
const SPANS: usize = 500;
/// Beyond as many commits everything counts as changed.
const MOST_COMMITS: u64 = 1_000;
/// As many changes are told one by one.
const TOLD: usize = 12;

/// See the module.
pub(super) struct Shared {
    pub(super) desk: Desk,
    beat: watch::Receiver<u64>,
    pictures: Cache<(Address, u64), Arc<Picture>, Heavy>,
    spans: Cache<(u64, u64), Arc<Span>>,
}

#[derive(Clone)]
struct Heavy;

impl Weighter<(Address, u64), Arc<Picture>> for Heavy {
    fn weight(&self, _: &(Address, u64), picture: &Arc<Picture>) -> u64 {
        picture.weight() as u64 + 500
    }
}

impl Shared {
    /// Within a tokio runtime only.
    pub(super) fn new(desk: Desk) -> Arc<Self> {
        let (publish, beat) = watch::channel(desk.engine().head().revision);
        tokio::spawn(follow(Arc::clone(desk.engine()), publish, desk.hub.stopping().clone()));
        let pictures = Cache::with_weighter(PICTURES, PICTURE_BYTES, Heavy);
        Arc::new(Self { desk, beat, pictures, spans: Cache::new(SPANS) })
    }

    /// Follows the beat.
    pub(super) fn follow(&self) -> watch::Receiver<u64> {
        self.beat.clone()
    }

    /// A view at a revision.
    pub(super) async fn picture(&self, address: &Address, revision: u64) -> Result<Arc<Picture>, Status> {
        let draw = async {
            let reader = self.desk.reader(&address.manner, revision)?;
            Ok(Arc::new(views::draw(&reader, address).await?))
        };
        self.pictures.get_or_insert_async(&(address.clone(), revision), draw).await
    }

    /// What the commits after a revision, up to another, changed.
    pub(super) async fn span(&self, after: u64, to: u64) -> Result<Arc<Span>, Status> {
        let read = async { Ok(Arc::new(blocking(self.desk.engine(), move |engine| Span::read(engine, after, to)).await?)) };
        self.spans.get_or_insert_async(&(after, to), read).await
    }
}

/// Publishes the head, at the pace of pages.
async fn follow(engine: Arc<Engine>, publish: watch::Sender<u64>, stop: tokio_util::sync::CancellationToken) {
    let mut head = engine.follow();
    drop(engine);
    loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            changed = head.changed() => if changed.is_err() { return },
        }
        let revision = head.borrow_and_update().revision;
        publish.send_replace(revision);
        tokio::time::sleep(BEAT).await;
    }
}

/// What some commits changed.
#[derive(Debug, Default)]
pub(super) struct Span {
    /// How many commits.
    pub(super) commits: u64,
    /// When the last of them was recorded.
    pub(super) recorded_at: Option<Time>,
    /// Too much to tell one by one.
    everything: bool,
    /// Those that are derived of changed ones included.
    indicators: HashSet<String>,
    regions: HashSet<String>,
    /// The catalog changed: names, units, what belongs where.
    catalog: bool,
    /// The first changes of cells.
    pub(super) changes: Vec<v1::CellChange>,
    /// How many cells changed, by indicator and region.
    cells: HashMap<(String, String), u64>,
}

impl Span {
    fn read(engine: &Engine, after: u64, to: u64) -> Result<Self, Error> {
        let commits = engine.commits_between(after, to);
        let mut span = Self { commits, everything: commits > MOST_COMMITS, ..Self::default() };
        if span.everything {
            return Ok(span);
        }
        let mut revision = after;
        while revision < to {
            revision = engine.next_revision(revision);
            if revision > to {
                break;
            }
            let commit = engine.commit(revision, true)?;
            span.recorded_at = Some(commit.time);
            span.catalog |= !commit.entries.is_empty();
            for series in &commit.series {
                if !span.indicators.contains(&series.key.indicator) {
                    span.indicators.insert(series.key.indicator.clone());
                }
                if !span.regions.contains(&series.key.region) {
                    span.regions.insert(series.key.region.clone());
                }
                let subject = (series.key.indicator.clone(), series.key.region.clone());
                *span.cells.entry(subject).or_default() += series.changes.len() as u64;
                let left = (TOLD * 20).saturating_sub(span.changes.len());
                span.changes
                    .extend(series.changes.iter().take(left.min(TOLD)).map(|change| wire::change(&series.key, change, true)));
            }
        }
        span.add_derived(engine.catalog().at(to));
        Ok(span)
    }

    /// What is derived of what changed has changed too, step after step.
    fn add_derived(&mut self, catalog: catalog::View<'_>) {
        let formulas = catalog.all::<v1::Indicator>().filter(|it| !it.formula.is_empty());
        let mut formulas: Vec<(&str, Formula)> =
            formulas.filter_map(|it| Some((it.id.as_str(), it.formula.parse().ok()?))).collect();
        loop {
            let rests = |(_, formula): &(&str, Formula)| formula.indicators().iter().any(|it| self.indicators.contains(*it));
            let (changed, others): (Vec<_>, Vec<_>) = formulas.into_iter().partition(rests);
            if changed.is_empty() {
                return;
            }
            self.indicators.extend(changed.into_iter().map(|(id, _)| id.to_owned()));
            formulas = others;
        }
    }

    /// Whether a view may look different now.
    pub(super) fn touches(&self, view: &View) -> bool {
        if self.everything || self.catalog {
            return true;
        }
        match view {
            View::Changes { before } => before.is_none() && self.commits > 0,
            View::Home => !self.cells.is_empty(),
            View::Search { .. } => false,
            // What is derived rests on figures of the same region.
            View::Overview(overview) => self.regions.contains(&overview.region),
            // A neighbour's figure moves its rank.
            View::Indicator(it) => self.indicators.contains(&it.indicator),
            View::Ranking(it) => self.indicators.contains(&it.indicator),
        }
    }

    /// The changes that concern a view, the first of them, and how many more there are.
    pub(super) fn told(&self, view: &View) -> (Vec<&v1::CellChange>, u64) {
        let of = |change: &&v1::CellChange| {
            let series = change.observation.as_ref().and_then(|it| it.series.as_ref());
            series.is_some_and(|series| concerns(view, &series.indicator, &series.region))
        };
        let told: Vec<_> = self.changes.iter().filter(of).take(TOLD).collect();
        let all: u64 =
            self.cells.iter().filter(|((indicator, region), _)| concerns(view, indicator, region)).map(|(_, cells)| cells).sum();
        let more = all.saturating_sub(told.len() as u64);
        (told, more)
    }
}

/// Whether a view tells of changes of an indicator in a region.
fn concerns(view: &View, indicator: &str, region: &str) -> bool {
    match view {
        View::Home | View::Search { .. } => false,
        View::Changes { .. } => true,
        View::Overview(it) => region == it.region,
        View::Indicator(it) => indicator == it.indicator && (region == it.region || it.with.iter().any(|with| with == region)),
        View::Ranking(it) => indicator == it.indicator,
    }
}
