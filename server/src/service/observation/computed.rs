//! Queries whose answer is computed.

use std::ops::ControlFlow;

use bytes::Bytes;
use indicator_proto::v1::{self, ErrorReason, query_observations_response::Message};
use prost::Message as _;

use super::{
    super::{computed, filter, moment, page, transform, wire},
    query::{ROWS_PER_MESSAGE, Sender},
};
use crate::engine::{
    Engine, Error, Moment, Violation,
    analysis::{Computation, ComputedCursor},
};

/// A query, checked.
pub(super) struct Query {
    computation: Computation,
    moment: Moment,
    explain: bool,
}

/// Whether a query names a derived indicator. Which are derived may change; at the moment that is asked for, it is looked again.
pub(super) fn names_derived(engine: &Engine, request: &v1::QueryObservationsRequest) -> bool {
    let catalog = engine.catalog();
    let as_of = request.as_of.as_ref().map_or(0, |as_of| as_of.revision);
    let revisions = [engine.head().revision, as_of];
    let derived = |id: &String| {
        let is = |revision| catalog.at(revision).indicator(id).is_some_and(|it| !it.formula.is_empty());
        revisions.into_iter().any(is)
    };
    request.filter.iter().flat_map(|filter| &filter.indicators).any(derived)
}

pub(super) fn check(engine: &Engine, request: v1::QueryObservationsRequest, fingerprint: u64) -> Result<Query, Error> {
    let mut violations = Vec::new();
    let filter = filter::check(request.filter, &mut violations);
    let as_of = moment::check(request.as_of.as_ref(), &mut violations);
    let steps = transform::check(&request.transforms, "transforms", &mut violations);
    if request.updated_after != 0 {
        let description = "is about figures as they are recorded; leave it out, or the transforms and derived indicators";
        violations.push(Violation::new("updated_after", ErrorReason::ConflictingFields, description));
    }
    let catalog = engine.catalog();
    violations.extend(filter.check(catalog.at(engine.head().revision)));
    if !violations.is_empty() {
        return Err(Error::Invalid(violations));
    }
    let mut moment = moment::resolve(engine, as_of)?;
    let mut after = None;
    if let Some((revision, cursor)) = page::open::<ComputedCursor>(engine, &request.page_token, fingerprint)? {
        moment.revision = revision;
        after = Some(cursor);
    }
    let computation = Computation { filter, steps, latest_n: request.latest_n, page_size: request.page_size, after };
    engine.reading(moment).check(&computation)?;
    Ok(Query { computation, moment, explain: request.explain })
}

/// Sends the answer until it is complete, or nobody reads it.
pub(super) fn answer(engine: &Engine, query: &Query, fingerprint: u64, sender: &Sender) {
    let send = |message| {
        let bytes = v1::QueryObservationsResponse { message: Some(message) }.encode_to_vec();
        sender.blocking_send(Ok(Bytes::from(bytes))).is_ok()
    };
    let revision = query.moment.revision;
    if !send(Message::Header(v1::QueryHeader { revision, epoch: wire::epoch(engine.epoch()) })) {
        return;
    }
    let (mut gone, mut chunks) = (false, 0);
    let reading = engine.reading(query.moment).explaining(query.explain);
    let summary = reading.compute(&query.computation, |chunk| {
        for points in chunk.points.chunks(ROWS_PER_MESSAGE) {
            chunks += 1;
            let observations = points.iter().map(|point| computed::observation(point, false, query.explain)).collect();
            gone = !send(Message::Chunk(v1::SeriesObservations { series: Some((&*chunk.key).into()), observations }));
            if gone {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    });
    match summary {
        Ok(_) if gone => {}
        Ok(summary) => {
            let next = summary.next.map(|cursor| page::seal(engine, fingerprint, revision, cursor));
            let (observations, next_page_token) = (summary.rows, next.unwrap_or_default());
            send(Message::Summary(v1::QuerySummary { series: chunks, observations, next_page_token }));
        }
        // If the reader is gone too, there is nobody to tell.
        Err(error) => drop(sender.blocking_send(Err(error.into()))),
    }
}
