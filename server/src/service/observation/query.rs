use std::{ops::ControlFlow, sync::Arc};

use bytes::Bytes;
use indicator_proto::v1::{self, ErrorReason, query_observations_response::Message};
use prost::Message as _;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{
    super::{computed, encoder::ObservationEncoder, filter, moment, page, transform, wire},
    Answers, reach,
};
use crate::{
    engine::{
        Cursor, Engine, Error, Moment, Query, Violation,
        analysis::{Computation, ComputedCursor},
    },
    serve::Deadline,
};

/// Observations in one message. Large enough that framing costs little, small enough that a reader can begin.
const ROWS_PER_MESSAGE: usize = 1_000;

/// Messages that may wait for the reader: the whole memory of a stream.
const WAITING: usize = 8;

/// A query, checked.
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

/// How an answer ended.
struct Ended {
    rows: u64,
    next: Option<Next>,
}

/// The answer, as encoded messages.
pub(super) async fn query(
    engine: Arc<Engine>,
    deadline: Option<Deadline>,
    request: v1::QueryObservationsRequest,
) -> Result<Answers<Bytes>, Error> {
    reach(&engine, request.min_revision, deadline).await?;
    let fingerprint = fingerprint(&request);
    let query = check(&engine, request, fingerprint)?;
    let (sender, receiver) = mpsc::channel(WAITING);
    // Reads block on the disk, and a slow reader blocks them: not on an async thread.
    tokio::task::spawn_blocking(move || answer(&engine, &query, fingerprint, &sender));
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

/// The stream of an answer: whoever reads it may go away.
struct Stream<'s> {
    sender: &'s Sender,
    /// Chunks sent.
    chunks: u64,
    gone: bool,
}

impl Stream<'_> {
    fn send(&mut self, message: Message) {
        self.send_bytes(v1::QueryObservationsResponse { message: Some(message) }.encode_to_vec().into());
    }

    fn send_bytes(&mut self, bytes: Bytes) {
        self.gone = self.gone || self.sender.blocking_send(Ok(bytes)).is_err();
    }

    /// Sends a chunk; whether the next one is wanted.
    fn send_chunk(&mut self, bytes: Bytes) -> ControlFlow<()> {
        self.chunks += 1;
        self.send_bytes(bytes);
        if self.gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Sends the answer until it is complete, or nobody reads it.
fn answer(engine: &Engine, query: &Checked, fingerprint: u64, sender: &Sender) {
    let mut stream = Stream { sender, chunks: 0, gone: false };
    let (Checked::Recorded(Query { moment, .. }) | Checked::Computed { moment, .. }) = query;
    let revision = moment.revision;
    stream.send(Message::Header(v1::QueryHeader { revision, epoch: wire::epoch(engine.epoch()) }));
    if stream.gone {
        return;
    }
    let ended = match query {
        Checked::Recorded(query) => send_recorded(engine, query, &mut stream),
        Checked::Computed { computation, moment, explain } => send_computed(engine, computation, *moment, *explain, &mut stream),
    };
    match ended {
        Ok(_) if stream.gone => {}
        Ok(Ended { rows, next }) => {
            let next_page_token = next.map(|next| page::seal(engine, fingerprint, revision, next)).unwrap_or_default();
            let (series, observations) = (stream.chunks, rows);
            stream.send(Message::Summary(v1::QuerySummary { series, observations, next_page_token }));
        }
        // If the reader is gone too, there is nobody to tell.
        Err(error) => drop(sender.blocking_send(Err(error.into()))),
    }
}

fn send_recorded(engine: &Engine, query: &Query, stream: &mut Stream<'_>) -> Result<Ended, Error> {
    let mut encoder = ObservationEncoder::default();
    let summary = engine.query(query, |chunk| {
        let mut parts = chunk.rows.chunks(ROWS_PER_MESSAGE);
        parts.try_for_each(|rows| stream.send_chunk(encoder.query_chunk(&chunk.key, rows)))
    })?;
    Ok(Ended { rows: summary.rows, next: summary.next.map(Next::Recorded) })
}

fn send_computed(
    engine: &Engine,
    computation: &Computation,
    moment: Moment,
    explain: bool,
    stream: &mut Stream<'_>,
) -> Result<Ended, Error> {
    let summary = engine.reading(moment).explaining(explain).compute(computation, |chunk| {
        chunk.points.chunks(ROWS_PER_MESSAGE).try_for_each(|points| {
            let observations = points.iter().map(|point| computed::observation(point, false, explain)).collect();
            let series = v1::SeriesObservations { series: Some((&*chunk.key).into()), observations };
            let response = v1::QueryObservationsResponse { message: Some(Message::Chunk(series)) };
            stream.send_chunk(response.encode_to_vec().into())
        })
    })?;
    Ok(Ended { rows: summary.rows, next: summary.next.map(Next::Computed) })
}
