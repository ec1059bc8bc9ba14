use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::Mutex,
};

use indicator_proto::{SeriesKey, Time, v1};
use prost::Message as _;
use sled::IVec;

use super::{
    Batch, DiskLimits, Error, Gaps, Header, Problems, RequestRecord, SeriesState, Touched, Version, block, failure, history,
    keys::{self, BlockKey, BlockKind, Space},
    log,
    nudge::Nudge,
    open::{self, claim, identity, in_directory, open_sled},
    room::Room,
    state,
    watermark::Watermark,
};

/// Name of the horizon of replays among what is kept of the store itself.
pub(super) const HORIZON: &str = "horizon";

/// Name of the revisions that no commit has.
pub(super) const GAPS: &str = "gaps";

/// As many of the newest commits have their hashes compared when a store is opened: where damage by a cut write would be.
const CHAIN_CHECKED: usize = 1_000;

/// A data directory, opened by this process alone.
#[derive(Debug)]
pub struct Store {
    /// First, so that its thread lets go of sled before the others do.
    nudge: Nudge,
    pub(super) db: sled::Db,
    /// sled's file: `flush` does not reach the disk's platters by itself.
    file: File,
    watermark: Watermark,
    directory: PathBuf,
    epoch: [u8; 16],
    token_key: [u8; 32],
    gaps: Gaps,
    room: Room,
    failed: Mutex<Option<String>>,
    _lock: File,
}

/// See [`Store::completion`].
#[derive(Debug)]
pub struct Completion {
    directory: PathBuf,
}

impl Completion {
    /// Marks the store as whole, on disk.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn complete(self) -> Result<(), Error> {
        Ok(open::complete(&self.directory)?)
    }
}

impl Store {
    /// Opens a data directory, or makes a new one.
    ///
    /// # Errors
    ///
    /// [`Error::Directory`] if it cannot be made or used, [`Error::InUse`] by another process, [`Error::Foreign`] if it holds
    /// something else, [`Error::Corrupt`], [`Error::Io`].
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let (store, acknowledged) = Self::over(directory, claim(directory))?;
        store.check_acknowledged(acknowledged)?;
        store.check_log()?;
        store.flush()?;
        failure::unmark(&store.directory)?;
        Ok(store)
    }

    /// Begins a store in a directory that is absent or empty, or has one that was begun and not completed. Nothing opens it before its
    /// [`Store::completion`].
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub fn begin(directory: &Path) -> Result<Self, Error> {
        Ok(Self::over(directory, open::begin(directory))?.0)
    }

    /// Makes a store that was begun one that opens, when it has been closed.
    #[must_use]
    pub fn completion(&self) -> Completion {
        Completion { directory: self.directory.clone() }
    }

    /// Removes a store that was begun and not completed, and the directory if that was made for it. What cannot be removed stays, and is no
    /// store.
    pub fn abandon(directory: &Path, made: bool) {
        // A second try takes what is left.
        let _ = open::abandon(directory, made);
    }

    /// Opens a store that is there, whatever is wrong with it. Notes whether the log has what was last acknowledged.
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub fn examine(directory: &Path) -> Result<(Self, Problems), Error> {
        let (store, acknowledged) = Self::over(directory, open::reclaim(directory))?;
        let mut problems = Problems::default();
        match store.check_acknowledged(acknowledged) {
            Err(Error::Corrupt(why)) => problems.note(|| why),
            other => other?,
        }
        Ok((store, problems))
    }

    /// Over a directory that is claimed; with the last commit that was acknowledged.
    #[expect(clippy::type_complexity, reason = "read in one place")]
    fn over(directory: &Path, lock: Result<File, Error>) -> Result<(Self, Option<(u64, [u8; 32])>), Error> {
        let lock = lock.map_err(|error| in_directory(directory, error))?;
        let path = directory.join("sled");
        failure::forget_cached(directory, &path)?;
        let db = open_sled(&path)?;
        let file = File::open(path.join("db"))?;
        let watermark = Watermark::open(&directory.join("WATERMARK"))?;
        let acknowledged = watermark.read()?;
        let (epoch, token_key) = identity(&db, acknowledged.is_some())?;
        let gaps = db.get(keys::meta(GAPS))?.map_or(Some(Gaps::default()), |bytes| Gaps::decode(&bytes));
        let gaps = gaps.ok_or_else(|| Error::Corrupt("the list of numbers left out is malformed".into()))?;
        let directory = directory.to_owned();
        let (nudge, room, failed) = (Nudge::new(&db)?, Room::new(DiskLimits::default()), Mutex::new(None));
        let store = Self { db, file, watermark, directory, epoch, token_key, gaps, room, failed, nudge, _lock: lock };
        Ok((store, acknowledged))
    }

    /// Keeps the revisions that no commit has, and the horizon.
    pub(super) fn set_numbers(&mut self, gaps: Gaps, horizon: u64) -> Result<(), Error> {
        self.db.insert(keys::meta(GAPS), gaps.encode())?;
        self.db.insert(keys::meta(HORIZON), &horizon.to_be_bytes())?;
        self.gaps = gaps;
        Ok(())
    }

    /// The random id of this history.
    #[must_use]
    pub fn epoch(&self) -> [u8; 16] {
        self.epoch
    }

    /// The secret that tokens are sealed with.
    #[must_use]
    pub fn token_key(&self) -> [u8; 32] {
        self.token_key
    }

    /// The revisions that no commit has.
    #[must_use]
    pub fn gaps(&self) -> &Gaps {
        &self.gaps
    }

    /// The revision that [`Store::set_horizon`] was last called with; 0 before.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Corrupt`].
    pub fn horizon(&self) -> Result<u64, Error> {
        let Some(bytes) = self.db.get(keys::meta(HORIZON))? else { return Ok(0) };
        let bytes = bytes.as_ref().try_into().map_err(|_| Error::Corrupt("the horizon is malformed".into()))?;
        Ok(u64::from_be_bytes(bytes))
    }

    /// Keeps a revision as the horizon of replays. When this returns it is on disk.
    ///
    /// # Errors
    ///
    /// [`Error::Full`], [`Error::OverQuota`], [`Error::Failed`], [`Error::Io`].
    pub fn set_horizon(&self, revision: u64) -> Result<(), Error> {
        self.check_writable()?;
        let set = self.db.insert(keys::meta(HORIZON), &revision.to_be_bytes());
        self.note_failure(set.map(drop).map_err(Error::from))?;
        self.flush()
    }

    /// Whether the log reaches the last acknowledged commit.
    fn check_acknowledged(&self, acknowledged: Option<(u64, [u8; 32])>) -> Result<(), Error> {
        if let Some((revision, hash)) = acknowledged {
            let found = self.header(revision)?.map(|header| header.hash);
            if found != Some(hash) {
                let last = self.newest()?.map_or(0, |(revision, _)| revision);
                let why = format!("commit {revision} was acknowledged, and the log, which ends at {last}, does not have it");
                return Err(Error::Corrupt(why));
            }
        }
        Ok(())
    }

    /// Whether the newest hashes of the log chain.
    fn check_log(&self) -> Result<(), Error> {
        let Some((mut revision, mut header)) = self.newest()? else { return Ok(()) };
        for _ in 0..CHAIN_CHECKED {
            let Some(before) = self.log_before(revision)? else { break };
            let previous = self.header(before)?.ok_or_else(|| Error::Corrupt(format!("commit {before} has no header")))?;
            if previous.hash != header.previous_hash {
                return Err(Error::Corrupt(format!(
                    "commit {revision} does not follow commit {before}: a commit is missing or altered"
                )));
            }
            (revision, header) = (before, previous);
        }
        Ok(())
    }

    /// The commit before this one.
    fn log_before(&self, revision: u64) -> Result<Option<u64>, Error> {
        let records = self.log_value(revision)?;
        if let Some(before) = records.iter().rev().find(|r| r.revision < revision) {
            return Ok(Some(before.revision));
        }
        let first = records.first().map_or(revision, |r| r.revision);
        let Some(key) = self.db.range(keys::log(0, 0)..keys::log(first, 0)).keys().next_back() else { return Ok(None) };
        Ok(keys::decode_log(&key?).map(|(before, _)| before))
    }

    /// The commits that lie with this one.
    fn log_value(&self, revision: u64) -> Result<Vec<log::Record>, Error> {
        let Some(found) = self.db.range(keys::log(revision, 0)..=keys::log(u64::MAX, u16::MAX)).next() else {
            return Ok(Vec::new());
        };
        let (key, value) = found?;
        match keys::decode_log(&key) {
            Some((_, 0)) => log::decode_records(&value),
            // Behind the record of the last commit of a value lies only what it touched.
            _ => Ok(Vec::new()),
        }
    }

    fn log_record(&self, revision: u64) -> Result<Option<log::Record>, Error> {
        Ok(self.log_value(revision)?.into_iter().find(|r| r.revision == revision))
    }

    /// Bytes on disk.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn size_on_disk(&self) -> Result<u64, Error> {
        Ok(self.db.size_on_disk()?)
    }

    /// The newest commit.
    ///
    /// # Errors
    ///
    /// [`Error::Io`], [`Error::Corrupt`]; so with every read below.
    pub fn newest(&self) -> Result<Option<(u64, Header)>, Error> {
        let Some(last) = self.db.scan_prefix([Space::Log as u8]).keys().next_back() else { return Ok(None) };
        let (revision, _) = keys::decode_log(&last?).ok_or_else(|| Error::Corrupt("a log key is malformed".into()))?;
        let header = self.header(revision)?.ok_or_else(|| Error::Corrupt(format!("commit {revision} has no header")))?;
        Ok(Some((revision, header)))
    }

    /// The header of a commit.
    pub fn header(&self, revision: u64) -> Result<Option<Header>, Error> {
        Ok(self.log_record(revision)?.map(|record| record.header))
    }

    /// What a commit touched.
    pub fn touched(&self, revision: u64) -> Result<Touched, Error> {
        let Some(record) = self.log_record(revision)? else { return Ok(Touched::default()) };
        history::touched(&self.db, revision, record.into_parts().2)
    }

    /// Every series, by id.
    pub fn series(&self) -> impl Iterator<Item = Result<(u32, SeriesKey), Error>> + use<> {
        self.db.scan_prefix([Space::Series as u8]).map(|item| {
            let (key, value) = item?;
            let id = key.get(1..5).and_then(|k| k.try_into().ok()).map(u32::from_be_bytes);
            let id = id.ok_or_else(|| Error::Corrupt("a series key is malformed".into()))?;
            let key = v1::SeriesKey::decode(&*value).map_err(|e| Error::Corrupt(format!("series {id} does not decode: {e}")))?;
            Ok((id, key.into()))
        })
    }

    /// The key of one series.
    pub(super) fn series_key(&self, id: u32) -> Result<Option<SeriesKey>, Error> {
        let Some(value) = self.db.get(keys::series(id))? else { return Ok(None) };
        let key = v1::SeriesKey::decode(&*value).map_err(|e| Error::Corrupt(format!("series {id} does not decode: {e}")))?;
        Ok(Some(key.into()))
    }

    /// Every unit that published equivalents are in.
    pub fn equivalent_units(&self) -> impl Iterator<Item = Result<String, Error>> + use<> {
        self.db.scan_prefix([Space::EquivalentUnit as u8]).keys().map(|key| {
            let unit = key?.get(1..).map(<[u8]>::to_vec).map(String::from_utf8);
            unit.and_then(Result::ok).ok_or_else(|| Error::Corrupt("a unit key is malformed".into()))
        })
    }

    /// Every version of every catalog entry, `None` being its removal: kind, id, revision, bytes; by kind, id, revision.
    #[expect(clippy::type_complexity, reason = "read in one place")]
    pub fn entries(&self) -> impl Iterator<Item = Result<(u8, String, u64, Option<Vec<u8>>), Error>> + use<> {
        self.db.scan_prefix([Space::Catalog as u8]).map(|item| {
            let (key, value) = item?;
            let (kind, id, revision) =
                keys::decode_catalog(&key).ok_or_else(|| Error::Corrupt("a catalog key is malformed".into()))?;
            let bytes = match value.split_first() {
                Some((0, _)) => None,
                Some((1, bytes)) => Some(bytes.to_vec()),
                _ => return Err(Error::Corrupt(format!("catalog entry {id} is malformed"))),
            };
            Ok((kind, id.to_owned(), revision, bytes))
        })
    }

    /// What is kept of a request.
    pub fn request(&self, id: &str) -> Result<Option<RequestRecord>, Error> {
        self.db.get(keys::request(id))?.map(|bytes| log::decode(&bytes, "a request")).transpose()
    }

    /// Up to `limit` requests made before a time, oldest first.
    pub fn requests_before(&self, time: Time, limit: usize) -> Result<Vec<(Time, String)>, Error> {
        let range = vec![Space::RequestTime as u8]..keys::request_time(time.micros(), "");
        let keys = self.db.range(range).keys().take(limit);
        keys.map(|key| {
            let key = key?;
            let found =
                keys::decode_request_time(&key).and_then(|(micros, id)| Some((Time::from_micros(micros)?, id.to_owned())));
            found.ok_or_else(|| Error::Corrupt("a request key is malformed".into()))
        })
        .collect()
    }

    /// Blocks of a series, newest first, from `revision` on.
    fn blocks(&self, series: u32, revision: u64) -> impl Iterator<Item = Result<(BlockKey, IVec), Error>> + use<> {
        let from = BlockKey::newest_at(series, revision);
        self.db.range(from.as_slice()..BlockKey::end_of(series).as_slice()).map(|item| {
            let (key, value) = item?;
            let key = BlockKey::decode(&key).ok_or_else(|| Error::Corrupt("a block key is malformed".into()))?;
            Ok((key, value))
        })
    }

    /// The current state of a series at a revision: back to the first base block.
    pub fn state(&self, series: u32, revision: u64) -> Result<SeriesState, Error> {
        let mut versions = Vec::new();
        let (mut newest, mut deltas, mut delta_cells, mut base) = (0, 0, 0, None);
        for block in self.blocks(series, revision) {
            let (key, value) = block?;
            newest = newest.max(key.revision);
            match (base, key.kind) {
                (Some(based), BlockKind::Base) if key.revision == based => {}
                (Some(_), _) => break,
                (None, BlockKind::Base) => base = Some(key.revision),
                (None, BlockKind::Delta) => deltas += u32::from(key.part == 0),
            }
            let before = versions.len();
            block::decode(&value, &mut versions)?;
            if base.is_none() {
                delta_cells += (versions.len() - before) as u32;
            }
        }
        Ok(SeriesState::new(newest, versions, deltas, delta_cells))
    }

    /// The state of a series at a revision, of versions published by `until` alone; sorted by period, tombstones included.
    ///
    /// A base block whose versions were all published by then says all that lies behind it; otherwise it says nothing, since it
    /// hides older versions behind later ones.
    pub fn published_state(&self, series: u32, revision: u64, until: Time) -> Result<Vec<Version>, Error> {
        let mut versions = Vec::new();
        let mut base: Vec<Version> = Vec::new();
        let mut base_revision = None;
        for block in self.blocks(series, revision) {
            let (key, value) = block?;
            if base_revision.is_some_and(|r| key.kind == BlockKind::Delta || key.revision != r) {
                base_revision = None;
                if base.iter().all(|v| v.published_at <= until) {
                    break;
                }
                base.clear();
            }
            match key.kind {
                BlockKind::Base => {
                    base_revision = Some(key.revision);
                    block::decode(&value, &mut base)?;
                }
                BlockKind::Delta => block::decode(&value, &mut versions)?,
            }
        }
        versions.append(&mut base);
        Ok(state::published(versions, until))
    }

    /// Every version of a series up to a revision, newest commit first.
    pub fn versions(&self, series: u32, revision: u64) -> Result<Vec<Version>, Error> {
        let mut versions = Vec::new();
        for block in self.blocks(series, revision) {
            let (key, value) = block?;
            if key.kind == BlockKind::Delta {
                block::decode(&value, &mut versions)?;
            }
        }
        Ok(versions)
    }

    /// The last commit up to `revision` that touched a series; 0 if none has.
    pub fn last_revision(&self, series: u32, revision: u64) -> Result<u64, Error> {
        self.blocks(series, revision).next().map_or(Ok(0), |block| Ok(block?.0.revision))
    }

    /// Whether writes are possible now. To be asked before a group of commits is begun: sled, which cannot go on after a write that
    /// failed, shall not meet a disk that takes none.
    ///
    /// # Errors
    ///
    /// The first of [`Store::obstacles`].
    pub fn check_writable(&self) -> Result<(), Error> {
        self.obstacles().into_iter().next().map_or(Ok(()), Err)
    }

    /// All that stops writes now: [`Error::Failed`] after a write that failed, [`Error::Refused`] while the file system takes no
    /// writes, [`Error::Full`] while it has too little room, [`Error::OverQuota`] while the store takes too much of it; [`Error::Io`] if that cannot be told.
    pub fn obstacles(&self) -> Vec<Error> {
        let free = self.free_bytes().and_then(|free| self.room.check_free(free));
        let quota = self.room.check_quota(|| self.size_on_disk());
        let takes_writes = self.watermark.touch().map_err(|why| Error::Refused(why.to_string()));
        [self.check_failed(), takes_writes, free, quota].into_iter().filter_map(Result::err).collect()
    }

    /// Bytes that are free on the file system.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn free_bytes(&self) -> Result<u64, Error> {
        Ok(fs4::available_space(&self.directory)?)
    }

    /// When writes are stopped for want of room.
    #[must_use]
    pub fn limits(&self) -> DiskLimits {
        self.room.limits()
    }

    /// Changes that, from the next check on.
    pub fn set_limits(&self, limits: DiskLimits) {
        self.room.set_limits(limits);
    }

    /// Hands a batch to sled. It is not on disk before [`Store::sync`].
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] and [`Error::Io`] if sled failed, now or before.
    pub fn write(&self, batch: Batch) -> Result<(), Error> {
        self.check_failed()?;
        let (writes, keys) = batch.close();
        let written = self.db.apply_batch(writes).and_then(|()| {
            // sled divides a page that has grown too large when somebody comes by next, which after a write that failed it refuses
            // to readers too. So it is made to do so now.
            keys.iter().try_for_each(|key| self.db.get(key).map(drop))
        });
        self.note_failure(written.map_err(Error::from))
    }

    /// Returns when everything written, up to the commit with this number and hash, is on disk.
    ///
    /// # Errors
    ///
    /// [`Error::Failed`] and [`Error::Io`].
    pub fn sync(&self, revision: u64, hash: [u8; 32]) -> Result<(), Error> {
        self.flush()?;
        if revision == 0 {
            return Ok(());
        }
        self.note_failure(self.watermark.write(revision, hash).map_err(Error::from))
    }

    fn flush(&self) -> Result<(), Error> {
        self.check_failed()?;
        // sled's flush uses sync_file_range, which leaves data in the drive's cache and the file's size to the journal.
        let flushed = self.nudge.watch(|| self.db.flush()).map_err(Error::from).and_then(|_| Ok(self.file.sync_data()?));
        self.note_failure(flushed)
    }

    fn check_failed(&self) -> Result<(), Error> {
        let failed = self.failed.lock().expect("nothing panics while it holds this lock");
        failed.as_ref().map_or(Ok(()), |why| Err(Error::Failed(why.clone())))
    }

    fn note_failure(&self, result: Result<(), Error>) -> Result<(), Error> {
        result.inspect_err(|error| {
            // The first one: later ones come of it.
            let mut failed = self.failed.lock().expect("nothing panics while it holds this lock");
            if failed.is_none() {
                *failed = Some(error.to_string());
                failure::mark(&self.directory, error);
            }
        })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if self.flush().is_err() {
            // What is in memory only may be part of a group that was refused. sled would try to write it, and panics where it cannot.
            std::mem::forget(self.db.clone());
        }
    }
}
