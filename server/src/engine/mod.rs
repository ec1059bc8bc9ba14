//! The record: validates, applies commands, reads as of any moment. Knows nothing of gRPC.
//!
//! One thread writes: it takes all commands that wait, applies each to the state machine (`record`), brings them to the disk
//! with one flush, publishes them, and answers. Readers share the catalog, the series index and a cache of decoded states with
//! it (`shared`); each fixes the head revision when it starts and sees exactly that state.

mod alarm;
pub mod analysis;
pub mod catalog;
mod changelog;
mod check;
mod clock;
mod command;
mod commit;
mod error;
mod filter;
pub mod formula;
mod horizon;
mod index;
mod load;
mod meter;
mod picture;
mod plan;
mod preferred;
mod query;
mod read;
mod record;
mod replay;
mod shared;
#[cfg(test)]
mod tests;
mod token;
mod vintages;
mod wanted;
mod writer;

use std::{ops::ControlFlow, path::Path, sync::Arc, thread};

use indicator_proto::{Period, SeriesKey, Time, v1::ErrorReason};
use tokio::sync::watch;

pub use alarm::Alarm;
pub use command::{CatalogCommand, CellWrite, Command, Context, Mode, Place, RequestId, SeriesWrite, WriteCommand};
pub use commit::{CellChange, Commit, Counts, Receipt, SeriesChanges};
pub use error::{Error, SeriesChanged, Violation};
pub use filter::{Filter, Sources};
pub use horizon::Retention;
pub use index::SeriesIndex;
pub use meter::Meter;
pub use picture::{Difference, Picture, PictureChange, Shift};
pub use query::{Chunk, Cursor, Enough, Query, Row, Summary};
pub use read::Moment;
pub use replay::Replay;
pub use shared::Head;
pub use token::{Purpose, TokenError, Tokens, fingerprint};
pub use vintages::{Axis, Effect, History, Shown, Vintage, VintageDate, VintagePage, VintagePlace, VintageQuery, VintageView};
pub use wanted::while_wanted;

use crate::store::{
    DiskLimits, Found, Gap, Header, Scope, Store,
    archive::{Backup, Since},
};
use changelog::{LocalAppender, LocalLog};
use horizon::Horizon;
use shared::Shared;

/// How an engine is to be opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// As many commands may wait.
    pub write_queue: usize,
    /// The record's clock.
    pub clock: fn() -> Time,
    /// How far back watches are replayed.
    pub retention: Retention,
}

/// Opens the record and answers for it. Cheap to share behind an [`Arc`].
pub struct Engine {
    shared: Arc<Shared>,
    horizon: Horizon,
    appender: Option<LocalAppender>,
    writer: Option<thread::JoinHandle<()>>,
    tokens: Tokens,
}

impl Engine {
    /// Opens a data directory and starts the writer.
    ///
    /// # Errors
    ///
    /// As [`Store::open`]; [`crate::store::Error::Corrupt`] if what is in it contradicts itself.
    pub fn open(directory: &Path, options: Options) -> Result<Self, Error> {
        Self::over(Store::open(directory)?, options)
    }

    /// As [`Engine::open`], over a store that is open.
    ///
    /// # Errors
    ///
    /// As [`Engine::open`].
    pub fn over(store: Store, options: Options) -> Result<Self, Error> {
        let tokens = Tokens::new(store.token_key(), store.epoch());
        let horizon = Horizon::new(options.retention, options.clock, store.horizon()?);
        let shared = Arc::new(load::load(store, options.clock)?);
        let (appender, log) = LocalLog::new(options.write_queue, options.clock);
        let writer = thread::Builder::new().name("writer".into()).spawn({
            let shared = Arc::clone(&shared);
            move || writer::run(&shared, log)
        });
        let writer = writer.map_err(crate::store::Error::from)?;
        Ok(Self { shared, horizon, appender: Some(appender), writer: Some(writer), tokens })
    }

    /// The newest commit that readers see.
    #[must_use]
    pub fn head(&self) -> Head {
        self.shared.head()
    }

    /// Follows the newest commit.
    #[must_use]
    pub fn follow(&self) -> watch::Receiver<Head> {
        self.shared.subscribe()
    }

    /// The store's history.
    #[must_use]
    pub fn epoch(&self) -> [u8; 16] {
        self.shared.store.epoch()
    }

    /// Watches that go on after this revision or a later one are replayed change by change.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub fn horizon(&self) -> Result<u64, Error> {
        self.horizon.revision(&self.shared)
    }

    /// Moves the horizon forward, durably. Answers where it is. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::FutureRevision`] if there is no such commit yet, [`Error::NotOfThisHistory`]; [`Error::Store`].
    pub fn compact(&self, revision: u64) -> Result<u64, Error> {
        self.check_revision(revision)?;
        self.horizon.compact(&self.shared, revision)
    }

    /// Seals and opens tokens.
    #[must_use]
    pub fn tokens(&self) -> &Tokens {
        &self.tokens
    }

    /// The catalog, with all its versions.
    #[must_use]
    pub fn catalog(&self) -> Arc<catalog::Catalog> {
        self.shared.catalog.load_full()
    }

    /// How many series there are.
    #[must_use]
    pub fn series_count(&self) -> u32 {
        self.shared.index().len()
    }

    /// Looks something up in the dictionary of series, which writes wait for meanwhile.
    pub fn with_index<T>(&self, look_up: impl FnOnce(&SeriesIndex) -> T) -> T {
        look_up(&self.shared.index())
    }

    /// The key of a series that a commit or an index named.
    #[must_use]
    pub fn series_key(&self, id: u32) -> Arc<SeriesKey> {
        Arc::clone(self.shared.index().key(id))
    }

    /// Bytes on disk.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub fn size_on_disk(&self) -> Result<u64, Error> {
        Ok(self.shared.store.size_on_disk()?)
    }

    /// Bytes that are free on the file system of the store.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub fn free_bytes(&self) -> Result<u64, Error> {
        Ok(self.shared.store.free_bytes()?)
    }

    /// When writes are stopped for want of room.
    #[must_use]
    pub fn disk_limits(&self) -> DiskLimits {
        self.shared.store.limits()
    }

    /// Changes that; alarms begin and end accordingly.
    pub fn set_disk_limits(&self, limits: DiskLimits) {
        self.shared.store.set_limits(limits);
        // Whether it is possible to write concerns whoever writes.
        let _ = self.shared.check_writable();
    }

    /// What stops writes now; a change of it is seen within a second or so, whether somebody writes or not.
    #[must_use]
    pub fn alarms(&self) -> watch::Receiver<Arc<[Alarm]>> {
        self.shared.alarms.follow()
    }

    /// What the writer has done.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.shared.meter
    }

    /// How many commands wait for the writer.
    #[must_use]
    pub fn queued_writes(&self) -> u64 {
        self.appender.as_ref().map_or(0, LocalAppender::waiting)
    }

    /// Checks that a revision, which somebody was once told, is of this history as far as it has come.
    ///
    /// # Errors
    ///
    /// [`Error::NotOfThisHistory`].
    pub fn check_revision(&self, asked: u64) -> Result<(), Error> {
        let gap = self.shared.store.gaps().around(asked);
        gap.map_or(Ok(()), |Gap { before, after }| Err(Error::NotOfThisHistory { asked, before, after }))
    }

    /// The revision of the commit after one: mostly the next number.
    #[must_use]
    pub fn next_revision(&self, revision: u64) -> u64 {
        self.shared.store.gaps().next(revision)
    }

    /// The revision of the commit before one.
    #[must_use]
    pub fn previous_revision(&self, revision: u64) -> u64 {
        self.shared.store.gaps().previous(revision)
    }

    /// How many commits lie after a revision, up to another.
    #[must_use]
    pub fn commits_between(&self, after: u64, to: u64) -> u64 {
        self.shared.store.gaps().between(after, to)
    }

    /// A backup of the commits after a revision, up to the head: what is written from now on is not in it. `hash` is that of the commit
    /// that it goes on after, where the caller knows it.
    ///
    /// # Errors
    ///
    /// [`Error::FutureRevision`]; [`Error::NotOfThisHistory`]; [`Error::OtherBackup`] if the commit has another hash;
    /// [`Error::Store`].
    pub fn backup(&self, after: u64, hash: Option<[u8; 32]>, epoch: String, made_at: Time) -> Result<Backup<'_>, Error> {
        let head = self.head();
        if after > head.revision {
            return Err(Error::FutureRevision { asked: after, head: head.revision });
        }
        self.check_revision(after)?;
        let found = if after == 0 { [0; 32] } else { self.header(after)?.hash };
        if hash.is_some_and(|hash| hash != found) {
            return Err(Error::OtherBackup);
        }
        let since = Since { revision: after, hash: found };
        Ok(self.shared.store.backup(since, (head.revision, head.hash), epoch, made_at)?)
    }

    /// Compares the store with its log, up to the head. Blocks, for as long as it takes to read everything.
    ///
    /// # Errors
    ///
    /// [`Error::Store`]. What is wrong is in the answer.
    pub fn verify(&self) -> Result<(u64, Found), Error> {
        let head = self.head().revision;
        Ok((head, self.shared.store.verify(Scope::UpTo(head))?))
    }

    /// Waits until the record has a revision. The caller sets the limit of time.
    pub async fn reach(&self, revision: u64) {
        // The sender lives as long as `self`.
        let _ = self.follow().wait_for(|head| head.revision >= revision).await;
    }

    /// Resolves a moment at the head.
    ///
    /// # Errors
    ///
    /// [`Error::FutureRevision`], [`Error::NotOfThisHistory`], [`Error::Store`].
    pub fn moment(&self, revision: Option<u64>, recorded_at: Option<Time>, published_at: Option<Time>) -> Result<Moment, Error> {
        let head = self.head().revision;
        let asked = revision.unwrap_or(head);
        if asked > head {
            return Err(Error::FutureRevision { asked, head });
        }
        self.check_revision(asked)?;
        let recorded = recorded_at.map_or(Ok(head), |time| read::revision_at(&self.shared, time))?;
        Ok(Moment { revision: asked.min(recorded), published_at })
    }

    /// Checks a write against the catalog as it is now, without waiting for the writer.
    #[must_use]
    pub fn check(&self, command: &WriteCommand) -> Vec<Violation> {
        check::references(self.catalog().at(self.head().revision), &self.shared.index(), command)
    }

    /// Applies a command. When it answers, the commit is on disk and readers see it.
    ///
    /// # Errors
    ///
    /// What is wrong with the command, or with the store; nothing was written, unless it is [`crate::store::Error::Failed`]: then the
    /// commit is wholly there or wholly not when the store is opened again.
    pub async fn apply(&self, command: Command) -> Result<Receipt, Error> {
        let appender = self.appender.as_ref().ok_or(Error::ShuttingDown)?;
        appender.append(command)?.await.map_err(|_| changelog::writer_ended())?
    }

    /// The figure of one cell: of the preferred source if the key names none, of the latest period if none is named.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] with the reason: what is unknown of the key, or that there is no figure at that moment.
    pub fn cell(&self, key: &SeriesKey, period: Option<Period>, moment: Moment) -> Result<(Arc<SeriesKey>, Row), Error> {
        match query::cell(&self.shared, key, period, moment)? {
            Some(found) => Ok(found),
            None => Err(self.absent(key, period, moment)),
        }
    }

    /// The figure of one cell of a derived indicator; none if the key names a recorded one. A source in the key means that only its
    /// figures are computed with.
    ///
    /// # Errors
    ///
    /// As [`Engine::cell`].
    pub fn derived_cell(
        &self,
        key: &SeriesKey,
        period: Option<Period>,
        moment: Moment,
        explain: bool,
    ) -> Result<Option<Arc<analysis::Point>>, Error> {
        let reading = self.reading(moment).explaining(explain);
        match reading.derived_cell(key, period)? {
            Some(Some(point)) => Ok(Some(point)),
            Some(None) => Err(self.absent(key, period, moment)),
            None => Ok(None),
        }
    }

    /// Why a cell is not there.
    fn absent(&self, key: &SeriesKey, period: Option<Period>, moment: Moment) -> Error {
        let catalog = self.catalog();
        let view = catalog.at(moment.revision);
        let not_found = |reason, kind, name: String| Error::NotFound { reason, kind, name };
        if view.indicator(&key.indicator).is_none() {
            return not_found(ErrorReason::UnknownIndicator, "indicator", key.indicator.clone());
        }
        if view.region(&key.region).is_none() {
            return not_found(ErrorReason::UnknownRegion, "region", key.region.clone());
        }
        if !key.source.is_empty() && view.source(&key.source).is_none() {
            return not_found(ErrorReason::UnknownSource, "source", key.source.clone());
        }
        let period = period.map_or_else(String::new, |p| format!(" for {p}"));
        not_found(ErrorReason::NotFound, "observation", format!("{key}{period}"))
    }

    /// Delivers the answer to a query. Blocks: not for an async thread.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub fn query(&self, query: &Query, deliver: impl FnMut(Chunk) -> ControlFlow<Enough>) -> Result<Summary, Error> {
        query::run(&self.shared, query, deliver)
    }

    /// The record at a moment, for analyses. They block: not for an async thread.
    #[must_use]
    pub fn reading(&self, moment: Moment) -> analysis::Reading<'_> {
        analysis::Reading::new(&self.shared, moment)
    }

    /// Follows an analysis from a revision on. Blocks.
    ///
    /// # Errors
    ///
    /// As the analysis.
    pub fn analysis_at<A: analysis::Analysis>(&self, analysis: Arc<A>, revision: u64) -> Result<analysis::Follower<A>, Error> {
        analysis::Follower::at(&self.shared, analysis, revision)
    }

    /// Takes a followed analysis past the commits up to `to` that are in memory and cannot change its answer, `most` at once.
    pub fn pass_analysis<A: analysis::Analysis>(&self, follower: &mut analysis::Follower<A>, to: u64, most: u64) {
        follower.pass(&self.shared, to, most);
    }

    /// Takes a followed analysis on, up to `to` or through `most` commits, until one has changed its answer. Blocks.
    ///
    /// # Errors
    ///
    /// As the analysis.
    pub fn follow_analysis<A: analysis::Analysis>(
        &self,
        follower: &mut analysis::Follower<A>,
        to: u64,
        most: u64,
    ) -> Result<Option<analysis::Followed<A::Change>>, Error> {
        follower.next(&self.shared, to, most)
    }

    /// The series of the preferred source of a subject today, or the named one.
    ///
    /// # Errors
    ///
    /// As [`Engine::cell`]; [`Error::Invalid`] for a derived indicator.
    pub fn series(&self, key: &SeriesKey, period: Option<Period>) -> Result<Arc<SeriesKey>, Error> {
        let moment = self.moment(None, None, None)?;
        if let Some(certain) = self.certain_series(key) {
            return Ok(certain);
        }
        if let Some(formula) = analysis::derived::formula(self.catalog().at(moment.revision), &key.indicator) {
            let description = format!(
                "{:?} is computed as {formula} and has no versions of its own; ask for those of what it is computed of, or read it \
                 with `as_of`",
                key.indicator
            );
            return Err(Violation::new("series.indicator", ErrorReason::InvalidRequest, description).into());
        }
        let preferred = query::cell(&self.shared, key, period, moment)?.map(|(key, _)| key);
        preferred.ok_or_else(|| self.absent(key, period, moment))
    }

    /// The named series, or the only one of a subject: one whose figures are all withdrawn still has a history.
    fn certain_series(&self, key: &SeriesKey) -> Option<Arc<SeriesKey>> {
        let index = self.shared.index();
        let id = match (key.source.is_empty(), index.same_subject(key)) {
            (false, _) => index.id(key)?,
            (true, [only]) => *only,
            (true, _) => return None,
        };
        Some(Arc::clone(index.key(id)))
    }

    /// Every version of a series that a moment knows. Blocks: not for an async thread.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], [`Error::Store`].
    pub fn history(&self, key: &SeriesKey, moment: Moment) -> Result<History, Error> {
        let id = self.shared.index().id(key);
        let id = id.ok_or_else(|| self.absent(key, None, moment))?;
        History::read(&self.shared, id, moment)
    }

    /// The header of a commit up to the head.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub fn header(&self, revision: u64) -> Result<Header, Error> {
        read::header(&self.shared, revision)
    }

    /// What a filter selects at a revision; `preferred` shows the figure of one source a cell, else each source's.
    #[must_use]
    pub fn picture(&self, filter: Filter, preferred: bool, revision: u64) -> Picture {
        Picture::at(&self.shared, filter, preferred, revision)
    }

    /// Takes a picture on to the next commit. Answers what changed in it.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub fn advance(&self, picture: &mut Picture, commit: &Commit) -> Result<Vec<PictureChange>, Error> {
        picture.advance(&self.shared, commit)
    }

    /// How a picture differs from what it was at an earlier revision.
    #[must_use]
    pub fn difference(&self, picture: &Picture, from: u64) -> Difference {
        Difference::new(&self.shared, picture, from)
    }

    /// The next differences: about `enough`, and none at the end. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub fn next_differences(&self, difference: &mut Difference, enough: usize) -> Result<Vec<PictureChange>, Error> {
        difference.next(&self.shared, enough)
    }

    /// How many cells differ, and how many figures the picture has. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub fn weigh(&self, difference: &Difference) -> Result<(u64, u64), Error> {
        difference.weigh(&self.shared)
    }

    /// Visits the next commits, up to `to`, until they have changed about as many cells as `enough`, or are as many. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Store`], and what `visit` answers.
    pub fn replay(
        &self,
        replay: &mut Replay,
        to: u64,
        enough: usize,
        visit: impl FnMut(&Commit) -> Result<(), Error>,
    ) -> Result<(), Error> {
        replay.read(&self.shared, to, enough, visit)
    }

    /// Whether the commits after a revision are all in memory, decoded and with what they replaced.
    #[must_use]
    pub fn remembers_after(&self, revision: u64) -> bool {
        revision >= self.head().revision || self.shared.recent(self.next_revision(revision)).is_some()
    }

    /// How many cells the commits in memory after a revision changed, counted until there are more than `enough`.
    #[must_use]
    pub fn changes_after(&self, revision: u64, enough: u64) -> u64 {
        self.shared.recent_changes_after(revision, enough)
    }

    /// A commit up to the head, with its changes.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    pub fn commit(&self, revision: u64, with_previous: bool) -> Result<Arc<Commit>, Error> {
        read::commit(&self.shared, revision, with_previous)
    }
}

impl Drop for Engine {
    /// Lets the writer finish what waits.
    fn drop(&mut self) {
        self.appender = None;
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has said so; there is nothing left to wait for.
            let _ = writer.join();
        }
    }
}
