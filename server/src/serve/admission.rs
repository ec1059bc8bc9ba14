use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, sleep_until};
use tonic::Status;
use tower::{Layer, Service};

use super::{kind::Kind, peers::Share};
use crate::{seldom::Seldom, status};

/// How many calls and watches the server takes on at once.
#[derive(Debug)]
pub(super) struct Capacity {
    requests: Limit,
    watches: Limit,
    requests_logged: Seldom,
    watches_logged: Seldom,
}

impl Capacity {
    pub(super) fn new(requests: usize, watches: usize) -> Arc<Self> {
        let limit = |most| Limit { most, used: Arc::default() };
        Arc::new(Self {
            requests: limit(requests),
            watches: limit(watches),
            requests_logged: Seldom::default(),
            watches_logged: Seldom::default(),
        })
    }

    fn admit(&self, kind: Kind, peer: &Share) -> Result<Option<Taken>, Status> {
        let (limit, of_peer, refuse, logged): (_, _, fn(&str, usize) -> Status, _) = match kind {
            Kind::Health => return Ok(None),
            Kind::Watch => (&self.watches, peer.watches(), status::too_many_watches, &self.watches_logged),
            Kind::Call | Kind::Transfer => (&self.requests, peer.requests(), status::too_many_requests, &self.requests_logged),
        };
        limit.take(of_peer).map(Some).map_err(|(whose, most)| {
            let status = refuse(whose, most);
            if let Some(left_out) = logged.is_due() {
                tracing::warn!(reason = status.message(), left_out, "refused a call");
            }
            status
        })
    }
}

/// A number of places, of which one address gets no more than half: a single client cannot leave nothing for the others.
#[derive(Debug)]
struct Limit {
    most: usize,
    used: Arc<AtomicUsize>,
}

impl Limit {
    /// A place, in all and among those of the address. The error says who has how many.
    fn take(&self, of_peer: &Arc<AtomicUsize>) -> Result<Taken, (&'static str, usize)> {
        let share = self.most.div_ceil(2);
        let peer = Place::take(of_peer, share).ok_or(("your address", share))?;
        let all = Place::take(&self.used, self.most).ok_or(("the server", self.most))?;
        Ok(Taken { _places: [peer, all] })
    }
}

/// The places of one call.
#[derive(Debug)]
struct Taken {
    _places: [Place; 2],
}

#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(used: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let place = Self(Arc::clone(used));
        // Given back at once if it is one too many.
        (used.fetch_add(1, Ordering::Relaxed) < most).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The calls of one connection.
#[derive(Debug)]
pub(super) struct Busy {
    start: Instant,
    under_way: AtomicUsize,
    /// When the last one ended, in milliseconds since the start.
    last_end: AtomicU64,
}

impl Busy {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), under_way: AtomicUsize::new(0), last_end: AtomicU64::new(0) })
    }

    /// Ready when there has been no call for a time.
    pub(super) async fn idle_for(&self, time: Duration) {
        let mut since = Instant::now();
        loop {
            let Some(until) = since.checked_add(time) else { return std::future::pending().await };
            sleep_until(until).await;
            let now = Instant::now();
            if self.under_way.load(Ordering::Acquire) > 0 {
                // It ends later than now.
                since = now;
                continue;
            }
            let last_end = self.start + Duration::from_millis(self.last_end.load(Ordering::Acquire));
            if last_end <= since {
                return;
            }
            since = last_end;
        }
    }
}

/// A call of a connection, as long as it lives.
#[derive(Debug)]
struct UnderWay(Arc<Busy>);

impl UnderWay {
    fn new(busy: &Arc<Busy>) -> Self {
        busy.under_way.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(busy))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let elapsed = u64::try_from(self.0.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.0.last_end.fetch_max(elapsed, Ordering::Release);
        self.0.under_way.fetch_sub(1, Ordering::Release);
    }
}

/// Answers RESOURCE_EXHAUSTED to calls and watches for which there is no place, and counts those of a connection. Health checks are
/// always answered.
#[derive(Debug, Clone)]
pub(super) struct Admission {
    pub(super) capacity: Arc<Capacity>,
    pub(super) share: Arc<Share>,
    pub(super) busy: Arc<Busy>,
}

impl<S> Layer<S> for Admission {
    type Service = Admitted<S>;

    fn layer(&self, inner: S) -> Admitted<S> {
        Admitted { inner, admission: self.clone() }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Admitted<S> {
    inner: S,
    admission: Admission,
}

impl<S, B, R> Service<Request<B>> for Admitted<S>
where
    S: Service<Request<B>, Response = Response<R>, Future: Send + 'static>,
    R: Body<Data = Bytes> + Default,
{
    type Response = Response<AdmittedBody<R>>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Admission { capacity, share, busy } = &self.admission;
        let under_way = UnderWay::new(busy);
        let taken = match capacity.admit(Kind::of(request.uri().path()), share) {
            Ok(taken) => taken,
            Err(status) => return Box::pin(async move { Ok(status.into_http()) }),
        };
        let place = (under_way, taken);
        let call = self.inner.call(request);
        Box::pin(async move { Ok(call.await?.map(|body| AdmittedBody { body, _place: Some(place) })) })
    }
}

/// A response body that keeps the places of its call until it has been sent, or given up.
#[derive(Default)]
pub(super) struct AdmittedBody<R> {
    body: R,
    _place: Option<(UnderWay, Option<Taken>)>,
}

impl<R: Body<Data = Bytes> + Unpin> Body for AdmittedBody<R> {
    type Data = Bytes;
    type Error = R::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::{super::peers::Peers, *};

    fn peers(count: u8) -> Vec<Share> {
        let peers = Peers::new(10);
        (0..count).map(|n| peers.connect([192, 0, 2, n].into()).unwrap()).collect()
    }

    #[test]
    fn no_more_calls_are_taken_on_than_there_are_places_and_no_more_than_half_from_one_address() {
        let capacity = Capacity::new(4, 1);
        let peers = peers(3);
        let take = |peer: usize| capacity.admit(Kind::Call, &peers[peer]);
        let first = [take(0).unwrap(), take(0).unwrap()];
        assert!(take(0).unwrap_err().message().contains("your address has 2"));
        let _others = [take(1).unwrap(), take(1).unwrap()];
        assert!(take(2).unwrap_err().message().contains("the server has 4"));
        drop(first);
        assert!(take(2).is_ok());
        assert!(take(0).is_ok(), "those that were refused hold nothing");
    }

    #[test]
    fn watches_have_places_of_their_own_and_health_checks_need_none() {
        let capacity = Capacity::new(1, 1);
        let peers = peers(1);
        let admit = |kind| capacity.admit(kind, &peers[0]);
        let _held = [admit(Kind::Call).unwrap(), admit(Kind::Watch).unwrap()];
        assert!(admit(Kind::Transfer).is_err() && admit(Kind::Watch).is_err());
        assert!(admit(Kind::Health).is_ok());
    }

    const IDLE: Duration = Duration::from_secs(300);

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_a_time_after_its_last_call() {
        let calls = Busy::new();
        let start = Instant::now();
        let first = UnderWay::new(&calls);
        let idle = tokio::spawn({
            let calls = Arc::clone(&calls);
            async move { calls.idle_for(IDLE).await }
        });
        advance(IDLE + Duration::from_secs(1)).await;
        drop(first);
        advance(Duration::from_secs(99)).await;
        drop(UnderWay::new(&calls));
        idle.await.unwrap();
        let took = start.elapsed() - Duration::from_secs(400) - IDLE;
        assert!(took < Duration::from_millis(10), "{took:?}");
    }
}
