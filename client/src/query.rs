//! The answer to a query, chunk by chunk.

use futures::{Stream, stream};
use indicator_proto::v1::{
    QueryHeader, QueryObservationsResponse, QuerySummary, SeriesObservations, query_observations_response::Message,
};
use tonic::Streaming;

use crate::{Client, Error};

/// A query under way: its header is known, its chunks are read one by one, and its summary follows them.
#[derive(Debug)]
pub struct Query {
    client: Client,
    messages: Streaming<QueryObservationsResponse>,
    header: QueryHeader,
    summary: Option<QuerySummary>,
}

impl Query {
    pub(crate) async fn open(client: Client, mut messages: Streaming<QueryObservationsResponse>) -> Result<Self, Error> {
        match next(&client, &mut messages).await? {
            Message::Header(header) => Ok(Self { client, messages, header, summary: None }),
            Message::Chunk(_) | Message::Summary(_) => Err(Error::Protocol { what: "a query's chunks before its header" }),
        }
    }

    /// Which state the answer shows.
    pub fn header(&self) -> &QueryHeader {
        &self.header
    }

    /// The next chunk. `None` once there are no more and the answer is known to be complete; an answer that just ends is
    /// [`Error::Cut`].
    pub async fn next_chunk(&mut self) -> Result<Option<SeriesObservations>, Error> {
        if self.summary.is_some() {
            return Ok(None);
        }
        match next(&self.client, &mut self.messages).await? {
            Message::Chunk(chunk) => Ok(Some(chunk)),
            Message::Summary(summary) => {
                self.summary = Some(summary);
                Ok(None)
            }
            Message::Header(_) => Err(Error::Protocol { what: "a second header in one query" }),
        }
    }

    /// The summary; there once [`Query::next_chunk`] has answered `None`.
    pub fn summary(&self) -> Option<&QuerySummary> {
        self.summary.as_ref()
    }

    /// The chunks as a stream, which ends after an error.
    pub fn into_chunks(self) -> impl Stream<Item = Result<SeriesObservations, Error>> + Send + use<> {
        stream::try_unfold(self, |mut query| async {
            let chunk = query.next_chunk().await?;
            Ok(chunk.map(|chunk| (chunk, query)))
        })
    }

    /// Everything at once, the chunks of a series put together. For answers that fit into memory.
    pub async fn read_to_end(&mut self) -> Result<Vec<SeriesObservations>, Error> {
        let mut all: Vec<SeriesObservations> = Vec::new();
        while let Some(chunk) = self.next_chunk().await? {
            match all.last_mut() {
                Some(last) if last.series == chunk.series => last.observations.extend(chunk.observations),
                _ => all.push(chunk),
            }
        }
        Ok(all)
    }
}

async fn next(client: &Client, messages: &mut Streaming<QueryObservationsResponse>) -> Result<Message, Error> {
    let time = client.policy().deadline;
    let next = match tokio::time::timeout(time, messages.message()).await {
        Ok(next) => next.map_err(|status| client.error(&status, "the query's answer"))?,
        Err(_) => return Err(Error::Deadline { after: time }),
    };
    match next {
        Some(response) => response.message.ok_or(Error::Protocol { what: "a kind of query message" }),
        None => Err(Error::Cut { what: "the query's answer", cause: None }),
    }
}
