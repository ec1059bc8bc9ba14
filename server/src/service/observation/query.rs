use std::{ops::ControlFlow, sync::Arc, time::Duration};

use bytes::Bytes;
use indicator_proto::{
    Period,
    v1::{self, ErrorReason, query_observations_response::Message},
};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use tokio::{
    runtime::Handle,
    sync::{
        Semaphore,
        mpsc::{self, error::TrySendError},
    },
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{
    super::{computed, encoder::ObservationEncoder, filter, moment, page, transform, wire},
    Answers, blocking, reach,
};
use crate::{
    engine::{
        Chunk, Cursor, Engine, Enough, Error, Moment, Query, Violation,
        analysis::{Computation, ComputedChunk, ComputedCursor, Point},
    },
    serve::{Deadline, LatestEnd},
};

/// Observations in one message. Large enough that framing costs little, small enough that a reader can begin.
const ROWS_PER_MESSAGE: usize = 1_000;

/// Messages that may wait for the reader: the whole memory of a stream.
const WAITING: usize = 2;

/// As many answers are read at once, each with a series in memory; the others wait for their turn.
static READING: Semaphore = Semaphore::const_new(16);

/// How long a thread waits for a reader who takes nothing. There are some hundred threads, and more readers.
const PATIENCE: Duration = Duration::from_millis(5);

/// A query, checked.
#[derive(Clone)]
enum Checked {
    /// For figures as they are recorded.
    Recorded(Query),
    /// For figures that are computed.
    Computed { computation: Computation, moment: Moment, explain: bool },
}

/// Where the next page goes on.
#[derive(Serialize, Deserialize)]
enum Next {
    Recorded(Cursor),
    Computed(ComputedCursor),
}

/// The answer, as encoded messages.
pub(super) async fn query(
    engine: Arc<Engine>,
    (deadline, end): (Option<Deadline>, Option<LatestEnd>),
    request: v1::QueryObservationsRequest,
) -> Result<Answers<Bytes>, Error> {
    reach(&engine, request.min_revision, deadline).await?;
    let fingerprint = fingerprint(&request);
    let query = check(&engine, request, fingerprint)?;
    let (sender, receiver) = mpsc::channel(WAITING);
    let ended = async move {
        match end {
            Some(LatestEnd(end)) => tokio::time::sleep_until(end).await,
            None => std::future::pending().await,
        }
    };
    tokio::spawn(async move {
        tokio::select! {
            biased;
            () = sender.closed() => {}
            () = ended => {}
            _ = answer(&engine, query, fingerprint, &sender) => {}
        }
    });
    Ok(Box::pin(ReceiverStream::new(receiver)))
}

/// Everything that was asked but the place in the answer, and what does not change it.
fn fingerprint(request: &v1::QueryObservationsRequest) -> u64 {
    let fixed = v1::QueryObservationsRequest { page_token: String::new(), page_size: 0, min_revision: 0, ..request.clone() };
    crate::engine::fingerprint(&fixed)
}

fn check(engine: &Engine, request: v1::QueryObservationsRequest, fingerprint: u64) -> Result<Checked, Error> {
    let v1::QueryObservationsRequest { latest_n, updated_after, page_size, explain, .. } = request;
    let mut violations = Vec::new();
    let filter = filter::check(request.filter, &mut violations);
    let as_of = moment::check(request.as_of.as_ref(), &mut violations);
    let steps = transform::check(&request.transforms, "transforms", &mut violations);
    let recorded_only = |but: &str| {
        let description = format!("is about figures as they are recorded; leave it out, or {but}");
        Violation::new("updated_after", ErrorReason::ConflictingFields, description)
    };
    if updated_after != 0 && !request.transforms.is_empty() {
        violations.push(recorded_only("the transforms"));
    }
    let head = engine.head().revision;
    let catalog = engine.catalog();
    violations.extend(filter.check(catalog.at(head)));
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let mut moment = moment::resolve(engine, as_of)?;
    let mut next = None;
    if let Some((revision, at)) = page::open::<Next>(engine, &request.page_token, fingerprint)? {
        (moment.revision, next) = (revision, Some(at));
    }
    if updated_after > head {
        return Err(Error::FutureRevision { asked: updated_after, head });
    }
    engine.check_revision(updated_after)?;
    let derived = engine.reading(moment).derived_part(&filter).is_some();
    if steps.is_empty() && !derived {
        let after = match next {
            Some(Next::Recorded(cursor)) => Some(cursor),
            // The pages of one query show one state: they are all of one sort.
            Some(Next::Computed(_)) | None => None,
        };
        return Ok(Checked::Recorded(Query { filter, moment, latest_n, updated_after, page_size, after }));
    }
    if updated_after != 0 {
        return Err(recorded_only("the derived indicators").into());
    }
    let after = match next {
        Some(Next::Computed(cursor)) => Some(cursor),
        Some(Next::Recorded(_)) | None => None,
    };
    let computation = Computation { filter, steps, latest_n, page_size, after };
    engine.reading(moment).check(&computation)?;
    Ok(Checked::Computed { computation, moment, explain })
}

type Sender = mpsc::Sender<Result<Bytes, Status>>;

/// Nobody reads the answer any more.
struct Gone;

async fn send(sender: &Sender, answer: Result<Bytes, Status>) -> Result<(), Gone> {
    sender.send(answer).await.map_err(|_| Gone)
}

/// Sends the answer until it is complete. Whoever reads it may go away, or stand still: then no thread waits.
async fn answer(engine: &Arc<Engine>, mut query: Checked, fingerprint: u64, sender: &Sender) -> Result<(), Gone> {
    let revision = query.moment().revision;
    send(sender, Ok(encode(Message::Header(v1::QueryHeader { revision, epoch: wire::epoch(engine.epoch()) })))).await?;
    let (mut series, mut observations) = (0, 0);
    let next = loop {
        let (part, stream) = (query.clone(), Stream::new(sender.clone(), query.page_size()));
        let turn = READING.acquire().await;
        // Reads block on the disk: not on an async thread.
        let part = match blocking(engine, move |engine| scan(engine, &part, stream)).await {
            Ok(part) => part,
            Err(error) => return send(sender, Err(error.into())).await,
        };
        drop(turn);
        series += part.chunks;
        observations += part.rows;
        if let Some(message) = part.left {
            send(sender, Ok(message)).await?;
        }
        match part.next {
            Some(next) if part.stood_still => query.go_on(next, part.rows),
            next => break next,
        }
        // A thread is worth its while again when all that waited has been read.
        drop(sender.reserve_many(WAITING).await.map_err(|_| Gone)?);
    };
    let next_page_token = next.map(|next| page::seal(engine, fingerprint, revision, next)).unwrap_or_default();
    send(sender, Ok(encode(Message::Summary(v1::QuerySummary { series, observations, next_page_token })))).await
}

fn encode(message: Message) -> Bytes {
    v1::QueryObservationsResponse { message: Some(message) }.encode_to_vec().into()
}

impl Checked {
    fn moment(&self) -> Moment {
        let (Self::Recorded(Query { moment, .. }) | Self::Computed { moment, .. }) = self;
        *moment
    }

    /// 0 is all.
    fn page_size(&self) -> u32 {
        let (Self::Recorded(Query { page_size, .. }) | Self::Computed { computation: Computation { page_size, .. }, .. }) = self;
        *page_size
    }

    /// Leaves out the rows up to a place, so many.
    fn go_on(&mut self, next: Next, rows: u64) {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        match (self, next) {
            (Self::Recorded(query), Next::Recorded(cursor)) => {
                query.after = Some(cursor);
                query.page_size = query.page_size.saturating_sub(rows);
            }
            (Self::Computed { computation, .. }, Next::Computed(cursor)) => {
                computation.after = Some(cursor);
                computation.page_size = computation.page_size.saturating_sub(rows);
            }
            (Self::Recorded(_), Next::Computed(_)) | (Self::Computed { .. }, Next::Recorded(_)) => {}
        }
    }
}

/// A stretch of the answer.
struct Part {
    rows: u64,
    chunks: u64,
    /// Where the answer goes on; `None` if it is complete.
    next: Option<Next>,
    /// Whether it ends here because the reader stood still.
    stood_still: bool,
    /// What the reader has not taken.
    left: Option<Bytes>,
}

/// Where an answer is sent from the thread that reads it.
struct Stream {
    sender: Sender,
    chunks: u64,
    /// Rows still to come of a page.
    page: Option<u64>,
    stood_still: bool,
    left: Option<Bytes>,
}

impl Stream {
    fn new(sender: Sender, page_size: u32) -> Self {
        let page = (page_size != 0).then_some(page_size.into());
        Self { sender, chunks: 0, page, stood_still: false, left: None }
    }

    /// Sends the rows of a series in messages, until the reader stands still.
    fn send<R>(
        &mut self,
        rows: &[R],
        period: impl Fn(&R) -> Period,
        mut encode: impl FnMut(&[R]) -> Bytes,
    ) -> ControlFlow<Enough> {
        let mut sent = 0;
        for part in rows.chunks(ROWS_PER_MESSAGE) {
            sent += part.len();
            self.chunks += 1;
            self.page = self.page.map(|page| page.saturating_sub(part.len() as u64));
            self.left = self.offer(encode(part));
            // Whether a full page is the last one is found out by going on.
            if self.left.is_some() && self.page != Some(0) {
                self.stood_still = true;
                return ControlFlow::Break(Enough { rows: sent, last: period(&part[part.len() - 1]) });
            }
        }
        ControlFlow::Continue(())
    }

    /// Gives back what the reader does not take now.
    fn offer(&self, message: Bytes) -> Option<Bytes> {
        let Err(TrySendError::Full(Ok(message))) = self.sender.try_send(Ok(message)) else { return None };
        let room = async { tokio::time::timeout(PATIENCE, self.sender.reserve()).await };
        match Handle::current().block_on(room) {
            Ok(Ok(permit)) => {
                permit.send(Ok(message));
                None
            }
            Ok(Err(_)) | Err(_) => Some(message),
        }
    }
}

/// Reads and sends until the answer is complete, or its reader stands still.
fn scan(engine: &Engine, query: &Checked, mut stream: Stream) -> Result<Part, Error> {
    let (rows, next) = match query {
        Checked::Recorded(query) => {
            let mut encoder = ObservationEncoder::default();
            let deliver =
                |chunk: Chunk| stream.send(&chunk.rows, |row| row.version.period, |rows| encoder.query_chunk(&chunk.key, rows));
            let summary = engine.query(query, deliver)?;
            (summary.rows, summary.next.map(Next::Recorded))
        }
        Checked::Computed { computation, moment, explain } => {
            let deliver = |chunk: ComputedChunk| {
                let series = v1::SeriesKey::from(&*chunk.key);
                let encode = |points: &[Arc<Point>]| {
                    let observations = points.iter().map(|point| computed::observation(point, false, *explain)).collect();
                    encode(Message::Chunk(v1::SeriesObservations { series: Some(series.clone()), observations }))
                };
                stream.send(&chunk.points, |point| point.period(), encode)
            };
            let summary = engine.reading(*moment).explaining(*explain).compute(computation, deliver)?;
            (summary.rows, summary.next.map(Next::Computed))
        }
    };
    let Stream { chunks, stood_still, left, .. } = stream;
    Ok(Part { rows, chunks, next, stood_still, left })
}
