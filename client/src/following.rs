//! Rankings and milestones as they change: streams that come back by themselves after a cut.

use std::time::Duration;

use futures::{
    StreamExt as _,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use indicator_proto::v1::{
    self, ErrorReason, WatchMilestonesRequest, WatchMilestonesResponse, WatchRankRequest, WatchRankResponse,
    watch_milestones_response::Message as OfMilestones, watch_rank_response::Message as OfRank,
};
use tokio::time::{sleep, timeout};

use crate::{
    Client, Error,
    retry::{Policy, is_transient},
};

/// Between two signs of life of the server where nothing else was asked for, and how much longer is waited for one.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(10);
const GRACE: Duration = Duration::from_secs(10);

/// A request that goes on from a token.
trait Resumable: Clone + Send + 'static {
    fn resume_after(&mut self, token: String);
    fn progress_interval(&self) -> Option<prost_types::Duration>;
}

/// What a message means for the stream that it came on.
enum Sign {
    /// It is about the stream itself, and not for the application.
    Opened,
    /// The whole answer, or that it has to be asked for anew.
    Whole,
    /// What one commit changed.
    Change(u64),
    /// Up to which commit everything has been told, and how to go on after it.
    Progress(u64, String),
    Closing(String, Duration),
    /// Of a version to come.
    Unknown,
}

trait Followed: Send + 'static {
    fn sign(&self) -> Sign;
}

macro_rules! followed {
    ($request:ident -> $response:ident: $message:ident, $whole:ident, $change:ident) => {
        impl Resumable for $request {
            fn resume_after(&mut self, token: String) {
                self.resume_token = token;
            }

            fn progress_interval(&self) -> Option<prost_types::Duration> {
                self.progress_interval
            }
        }

        impl Followed for $response {
            fn sign(&self) -> Sign {
                match &self.message {
                    None => Sign::Unknown,
                    Some($message::Opened(_) | $message::Reset(_)) => Sign::Opened,
                    Some($message::$whole(_)) => Sign::Whole,
                    Some($message::$change(change)) => Sign::Change(change.revision),
                    Some($message::Progress(progress)) => Sign::Progress(progress.revision, progress.resume_token.clone()),
                    Some($message::Closing(closing)) => Sign::Closing(closing.resume_token.clone(), wait(closing)),
                }
            }
        }
    };
}

followed!(WatchRankRequest -> WatchRankResponse: OfRank, Ranking, Moves);
followed!(WatchMilestonesRequest -> WatchMilestonesResponse: OfMilestones, Milestones, Changes);

fn wait(closing: &v1::Closing) -> Duration {
    closing.retry_after.and_then(|wait| Duration::try_from(wait).ok()).unwrap_or_default()
}

type Messages<M> = BoxStream<'static, Result<M, Error>>;

/// One who follows, across connections.
struct Following<Q, M, O> {
    policy: Policy,
    request: Q,
    open: O,
    messages: Option<Messages<M>>,
    /// Before the next connection.
    wait: Duration,
    failures: u32,
    /// The last commit whose changes were given out: a token may lie before it.
    given: u64,
    ended: bool,
}

impl<Q: Resumable, M: Followed, O> Following<Q, M, O>
where
    O: Fn(Q) -> BoxFuture<'static, Result<Messages<M>, Error>> + Send + 'static,
{
    fn into_stream(self) -> BoxStream<'static, Result<M, Error>> {
        stream::unfold(self, |mut this| async move { this.next().await.map(|message| (message, this)) }).boxed()
    }

    async fn next(&mut self) -> Option<Result<M, Error>> {
        while !self.ended {
            let outcome = match &mut self.messages {
                None => {
                    sleep(std::mem::take(&mut self.wait)).await;
                    let time = self.policy.deadline;
                    match timeout(time, (self.open)(self.request.clone())).await {
                        Ok(Ok(messages)) => {
                            self.messages = Some(messages);
                            continue;
                        }
                        Ok(Err(error)) => Err(error),
                        Err(_) => Err(Error::Deadline { after: time }),
                    }
                }
                Some(messages) => {
                    let interval = self.request.progress_interval().and_then(|it| Duration::try_from(it).ok());
                    let patience = interval.unwrap_or(PROGRESS_INTERVAL) + GRACE;
                    match timeout(patience, messages.next()).await {
                        Ok(Some(message)) => message,
                        Ok(None) => Err(Error::Cut { what: "the stream", cause: None }),
                        Err(_) => Err(Error::Cut { what: "the stream", cause: Some("the server has fallen silent".into()) }),
                    }
                }
            };
            match outcome {
                Ok(message) => {
                    self.failures = 0;
                    if self.is_for_the_application(&message) {
                        return Some(Ok(message));
                    }
                }
                Err(error) => {
                    if let Some(error) = self.failed(error) {
                        self.ended = true;
                        return Some(Err(error));
                    }
                }
            }
        }
        None
    }

    fn is_for_the_application(&mut self, message: &M) -> bool {
        match message.sign() {
            Sign::Opened | Sign::Unknown => false,
            Sign::Whole => {
                self.given = 0;
                true
            }
            // Told again since the token that was gone on from lies before it.
            Sign::Change(revision) if revision <= self.given => false,
            Sign::Change(revision) => {
                self.given = revision;
                true
            }
            Sign::Progress(revision, token) => {
                self.request.resume_after(token);
                // What the application has is that of a later revision, as long as the server only tells again.
                revision >= self.given
            }
            Sign::Closing(token, wait) => {
                self.request.resume_after(token);
                (self.messages, self.wait) = (None, wait);
                false
            }
        }
    }

    /// The error, if it is worth no other attempt.
    fn failed(&mut self, error: Error) -> Option<Error> {
        self.messages = None;
        // The history is another one: what was given out is of no use, and a whole answer will come.
        let other_history = error.reason() == Some(ErrorReason::OtherEpoch);
        if other_history {
            self.request.resume_after(String::new());
        } else if !is_transient(&error) {
            return Some(error);
        }
        self.failures += 1;
        self.wait = self.policy.wait(self.failures, error.retry_after(), fastrand::f64());
        tracing::debug!(failures = self.failures, wait = ?self.wait, %error, "following again");
        None
    }
}

impl Client {
    /// A ranking and every move in it: first the ranking, then the moves of one commit after the other, each once, and how far that is.
    /// It comes back by itself after a cut; another ranking may come then, which replaces everything. Only what is worth no
    /// other attempt is an error, and ends it.
    pub fn watch_rank(&self, request: WatchRankRequest) -> BoxStream<'static, Result<WatchRankResponse, Error>> {
        let client = self.clone();
        self.following(request, move |request| {
            let client = client.clone();
            Box::pin(async move { client.open(client.analytics().watch_rank(request).await) })
        })
    }

    /// Milestones and every change of them, as [`Client::watch_rank`] tells moves.
    pub fn watch_milestones(
        &self,
        request: WatchMilestonesRequest,
    ) -> BoxStream<'static, Result<WatchMilestonesResponse, Error>> {
        let client = self.clone();
        self.following(request, move |request| {
            let client = client.clone();
            Box::pin(async move { client.open(client.analytics().watch_milestones(request).await) })
        })
    }

    fn open<M: Send + 'static>(
        &self,
        opened: Result<tonic::Response<tonic::Streaming<M>>, tonic::Status>,
    ) -> Result<Messages<M>, Error> {
        let messages = opened.map_err(|status| self.error(&status, "the stream"))?.into_inner();
        let client = self.clone();
        Ok(messages.map(move |message| message.map_err(|status| client.error(&status, "the stream"))).boxed())
    }

    fn following<Q: Resumable, M: Followed>(
        &self,
        request: Q,
        open: impl Fn(Q) -> BoxFuture<'static, Result<Messages<M>, Error>> + Send + 'static,
    ) -> BoxStream<'static, Result<M, Error>> {
        let (policy, wait) = (*self.policy(), Duration::ZERO);
        Following { policy, request, open, messages: None, wait, failures: 0, given: 0, ended: false }.into_stream()
    }
}

#[cfg(test)]
mod tests;
