use std::{ops::ControlFlow, sync::Arc};

use bytes::Bytes;
use indicator_proto::v1::{self, query_observations_response::Message};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{
    super::{encoder::ObservationEncoder, filter, moment, page, wire},
    Answers, computed, reach,
};
use crate::{
    engine::{Cursor, Engine, Error, Query},
    serve::Deadline,
};

/// Observations in one message. Large enough that framing costs little, small enough that a reader can begin.
pub(super) const ROWS_PER_MESSAGE: usize = 1_000;

/// Messages that may wait for the reader: the whole memory of a stream.
const WAITING: usize = 8;

/// The answer, as encoded messages.
pub(super) async fn query(
    engine: Arc<Engine>,
    deadline: Option<Deadline>,
    request: v1::QueryObservationsRequest,
) -> Result<Answers<Bytes>, Error> {
    reach(&engine, request.min_revision, deadline).await?;
    let fingerprint = fingerprint(&request);
    let (sender, receiver) = mpsc::channel(WAITING);
    // Reads block on the disk, and a slow reader blocks them: not on an async thread.
    if request.transforms.is_empty() && !computed::names_derived(&engine, &request) {
        let query = check(&engine, request, fingerprint)?;
        tokio::task::spawn_blocking(move || answer(&engine, &query, fingerprint, &sender));
    } else {
        let query = computed::check(&engine, request, fingerprint)?;
        tokio::task::spawn_blocking(move || computed::answer(&engine, &query, fingerprint, &sender));
    }
    Ok(Box::pin(ReceiverStream::new(receiver)))
}

/// Everything that was asked but the place in the answer, and what does not change it.
fn fingerprint(request: &v1::QueryObservationsRequest) -> u64 {
    let fixed = v1::QueryObservationsRequest { page_token: String::new(), page_size: 0, min_revision: 0, ..request.clone() };
    crate::engine::fingerprint(&fixed)
}

fn check(engine: &Engine, request: v1::QueryObservationsRequest, fingerprint: u64) -> Result<Query, Error> {
    let mut violations = Vec::new();
    let filter = filter::check(request.filter, &mut violations);
    let as_of = moment::check(request.as_of.as_ref(), &mut violations);
    let catalog = engine.catalog();
    violations.extend(filter.check(catalog.at(engine.head().revision)));
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let mut moment = moment::resolve(engine, as_of)?;
    let mut after = None;
    if let Some((revision, cursor)) = page::open::<Cursor>(engine, &request.page_token, fingerprint)? {
        moment.revision = revision;
        after = Some(cursor);
    }
    if request.updated_after > engine.head().revision {
        return Err(Error::FutureRevision { asked: request.updated_after, head: engine.head().revision });
    }
    Ok(Query {
        filter,
        moment,
        latest_n: request.latest_n,
        updated_after: request.updated_after,
        page_size: request.page_size,
        after,
    })
}

pub(super) type Sender = mpsc::Sender<Result<Bytes, Status>>;

/// Sends the answer until it is complete, or nobody reads it.
fn answer(engine: &Engine, query: &Query, fingerprint: u64, sender: &Sender) {
    let send = |bytes| sender.blocking_send(Ok(bytes)).is_ok();
    let encode = |message| Bytes::from(v1::QueryObservationsResponse { message: Some(message) }.encode_to_vec());
    let revision = query.moment.revision;
    if !send(encode(Message::Header(v1::QueryHeader { revision, epoch: wire::epoch(engine.epoch()) }))) {
        return;
    }
    let (mut gone, mut chunks, mut encoder) = (false, 0, ObservationEncoder::default());
    let summary = engine.query(query, |chunk| {
        let mut parts = chunk.rows.chunks(ROWS_PER_MESSAGE);
        chunks += parts.len() as u64;
        gone = !parts.all(|rows| send(encoder.query_chunk(&chunk.key, rows)));
        if gone { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match summary {
        Ok(_) if gone => {}
        Ok(summary) => {
            let next = summary.next.map(|cursor| page::seal(engine, fingerprint, revision, cursor));
            let (observations, next_page_token) = (summary.rows, next.unwrap_or_default());
            send(encode(Message::Summary(v1::QuerySummary { series: chunks, observations, next_page_token })));
        }
        // If the reader is gone too, there is nobody to tell.
        Err(error) => drop(sender.blocking_send(Err(error.into()))),
    }
}
