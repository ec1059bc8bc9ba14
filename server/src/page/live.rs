//! The stream of a page: what to exchange in it, as server-sent events.
//!
//! A stream is a position in the log, as every watch is. An event carries the position that it leads to as its id; a browser that
//! comes back says the last one that it had, and is told what is different now and what happened meanwhile. Somebody who does not
//! read costs nothing, and is told the latest when they read again.
//!
//! Events: `picture` (parts to exchange, their order, what is to be said), `beat` (nothing happened; the connection is alive),
//! `reload` (what the page has is of another history, or of another version of the display), `closing` (come back after so many
//! milliseconds).

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    response::{IntoResponse as _, Response},
};
use futures::Stream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use tonic::Status;

use super::{
    Pages,
    address::Address,
    assets,
    beat::{Shared, Span},
    names::Names,
    picture::{Picture, hash},
    said,
};
use crate::{service::wire, watch::Subscriber};

/// A page that has heard nothing for twice as long takes its connection for lost.
const QUIET: Duration = Duration::from_secs(10);
/// When to come back after the server has stopped.
const RETURN: std::ops::Range<u64> = 200..1_500;

/// Where a page stands in the log of which history, drawn by which version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    history: String,
    revision: u64,
}

impl Position {
    fn read(text: &str) -> Option<Self> {
        let (history, revision) = text.rsplit_once('.')?;
        Some(Self { history: history.to_owned(), revision: revision.parse().ok()? })
    }

    /// At a revision of this server's record.
    pub(super) fn of(shared: &Shared, revision: u64) -> Self {
        Self { history: format!("{}-{}", assets::version(), wire::epoch(shared.desk.engine().epoch())), revision }
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.history, self.revision)
    }
}

/// Answers with the stream of a view. The position is in the header that browsers send when they come back by themselves, or in `after`.
pub(super) fn answer(pages: &Pages, address: Address, after: Option<&str>, headers: &HeaderMap) -> Response {
    if !address.manner.is_live() {
        return (StatusCode::BAD_REQUEST, "a past state does not change\n").into_response();
    }
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).or(after);
    let follower = Follower {
        subscriber: pages.shared.desk.hub.subscriber(),
        shared: Arc::clone(&pages.shared),
        address,
        from: last.and_then(Position::read),
        at: None,
        sent: HashMap::new(),
        ended: false,
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // A proxy that gathers would hold back what is to be seen now.
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (headers, Body::from_stream(follower.events())).into_response()
}

/// One page, followed.
struct Follower {
    shared: Arc<Shared>,
    address: Address,
    subscriber: Subscriber,
    /// What the page has, as it says.
    from: Option<Position>,
    /// The revision that it has been brought to.
    at: Option<u64>,
    /// What it has of each section: parts in their order, with the hashes of their content.
    sent: HashMap<&'static str, Vec<(u64, u64)>>,
    ended: bool,
}

/// What to exchange in a page.
#[derive(Serialize)]
struct Exchange<'a> {
    revision: u64,
    title: &'a str,
    /// Ids of the parts of each section whose order changed.
    #[serde(skip_serializing_if = "HashMap::is_empty")]
    order: HashMap<&'static str, Vec<&'a str>>,
    /// New content by id.
    html: HashMap<&'a str, &'a str>,
    /// What is to be said of it.
    said: Vec<said::Said>,
    /// More changes than are said.
    more: u64,
    /// When the last commit was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded_at: Option<String>,
}

impl Follower {
    fn events(self) -> impl Stream<Item = Result<Bytes, Infallible>> {
        futures::stream::unfold(self, async |mut follower| {
            let event = follower.next().await?;
            Some((Ok(Bytes::from(event)), follower))
        })
    }

    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        if self.ended {
            return None;
        }
        let stopping = self.shared.desk.hub.stopping().clone();
        tokio::select! {
            biased;
            () = stopping.cancelled() => {
                self.ended = true;
                Some(event("closing", None, &fastrand::u64(RETURN).to_string()))
            }
            event = self.advance() => Some(event),
        }
    }

    async fn advance(&mut self) -> String {
        match self.step().await {
            Ok(event) => event,
            Err(status) => {
                tracing::debug!(%status, address = %self.address, "a page is not taken further");
                self.ended = true;
                event("closing", None, &(2 * RETURN.end).to_string())
            }
        }
    }

    async fn step(&mut self) -> Result<String, Status> {
        let mut beat = self.shared.follow();
        let Some(at) = self.at else {
            // The head, which the beat may lag behind.
            let head = self.shared.desk.engine().head().revision;
            return self.begin(head).await;
        };
        self.subscriber.waits();
        let waited =
            tokio::time::timeout(QUIET, async { beat.wait_for(|revision| *revision > at).await.map(|revision| *revision) });
        let to = match waited.await {
            Ok(Ok(revision)) => revision,
            // The server stops, which ends the stream by itself.
            Ok(Err(_)) => std::future::pending().await,
            Err(_) => return Ok(event("beat", Some(&Position::of(&self.shared, at)), &at.to_string())),
        };
        self.subscriber.stands_at(at);
        let event = self.bring_to(at, to).await?;
        self.at = Some(to);
        Ok(event)
    }

    /// The first event: what is different from what the page has, which is often nothing.
    async fn begin(&mut self, head: u64) -> Result<String, Status> {
        let from = self.from.take();
        let here = Position::of(&self.shared, head);
        if from.as_ref().is_some_and(|from| from.history != here.history || from.revision > head) {
            self.ended = true;
            return Ok(event("reload", None, ""));
        }
        let engine = self.shared.desk.engine();
        let had = from.map(|from| from.revision).filter(|revision| engine.check_revision(*revision).is_ok());
        self.at = Some(head);
        let Some(had) = had else {
            // Whoever says nothing has nothing.
            let picture = self.shared.picture(&self.address, head).await?;
            return Ok(self.exchange(&picture, head, &Span::default()));
        };
        // What it had is what it was given.
        let before = self.shared.picture(&self.address, had).await?;
        self.remember(&before);
        self.bring_to(had, head).await
    }

    async fn bring_to(&mut self, at: u64, to: u64) -> Result<String, Status> {
        let span = self.shared.span(at, to).await?;
        if at == to || !span.touches(&self.address.view) {
            return Ok(event("beat", Some(&Position::of(&self.shared, to)), &to.to_string()));
        }
        let picture = self.shared.picture(&self.address, to).await?;
        Ok(self.exchange(&picture, to, &span))
    }

    fn remember(&mut self, picture: &Picture) {
        for section in &picture.sections {
            let parts = section.parts.iter().map(|part| (hash(&part.id), part.hash)).collect();
            self.sent.insert(section.id, parts);
        }
    }

    /// What the page lacks of a picture.
    fn exchange(&mut self, picture: &Picture, revision: u64, span: &Span) -> String {
        let mut order = HashMap::new();
        let mut html = HashMap::new();
        for section in &picture.sections {
            let had = self.sent.get(section.id).map_or(&[][..], Vec::as_slice);
            let ids = section.parts.iter().map(|part| hash(&part.id));
            if !had.iter().map(|(id, _)| *id).eq(ids) {
                order.insert(section.id, section.parts.iter().map(|part| part.id.as_str()).collect());
            }
            let had: HashMap<u64, u64> = had.iter().copied().collect();
            for part in &section.parts {
                if had.get(&hash(&part.id)) != Some(&part.hash) {
                    html.insert(part.id.as_str(), part.html.as_str());
                }
            }
        }
        // Sections that are gone have no parts any more.
        for id in self.sent.keys().filter(|id| !picture.sections.iter().any(|section| section.id == **id)) {
            order.insert(id, Vec::new());
        }
        let catalog = self.shared.desk.engine().catalog();
        let names = Names::new(catalog.at(revision), self.address.manner.language);
        let (told, more) = span.told(&self.address.view);
        let said = told.into_iter().map(|change| said::said(change, names)).collect();
        let recorded_at = span.recorded_at.map(|time| time.to_string());
        let exchange = Exchange { revision, title: &picture.title, order, html, said, more, recorded_at };
        let data = serde_json::to_string(&exchange).expect("texts and numbers are JSON");
        let event = event("picture", Some(&Position::of(&self.shared, revision)), &data);
        self.sent.retain(|id, _| picture.sections.iter().any(|section| section.id == *id));
        self.remember(picture);
        event
    }
}

/// One event, as the protocol writes it. `data` has no line ends: JSON escapes them.
fn event(name: &str, id: Option<&Position>, data: &str) -> String {
    let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
    format!("event: {name}\n{id}data: {data}\n\n")
}
