use std::{
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tonic::Code;
use tower::{Layer, Service};

use super::{
    Calls,
    call::{Call, REQUEST_ID},
};

const NO_STATUS: &str = "the answer ended without a status";

/// The calls of one connection.
#[derive(Debug, Clone)]
pub(in crate::serve) struct CallsOf {
    calls: Calls,
    peer: Option<SocketAddr>,
}

impl CallsOf {
    pub(super) fn new(calls: Calls, peer: Option<SocketAddr>) -> Self {
        Self { calls, peer }
    }
}

impl<S> Layer<S> for CallsOf {
    type Service = Observed<S>;

    fn layer(&self, inner: S) -> Observed<S> {
        Observed { inner, of: self.clone() }
    }
}

#[derive(Debug, Clone)]
pub(in crate::serve) struct Observed<S> {
    inner: S,
    of: CallsOf,
}

impl<S, B, R> Service<Request<B>> for Observed<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    type Response = Response<ObservedBody<R>>;
    type Error = S::Error;
    type Future = ObservedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let call = Call::begin(&self.of.calls, self.of.peer, request.uri().path(), request.headers());
        let inner = call.span.in_scope(|| self.inner.call(request));
        ObservedFuture { inner, call: Some(call) }
    }
}

pin_project! {
    /// The answer of a call, to come.
    pub(in crate::serve) struct ObservedFuture<F> {
        #[pin]
        inner: F,
        call: Option<Call>,
    }
}

impl<F, R, E> Future for ObservedFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
{
    type Output = Result<Response<ObservedBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let entered = this.call.as_ref().map(|call| call.span.enter());
        let response = ready!(this.inner.poll(cx));
        drop(entered);
        let mut call = this.call.take();
        Poll::Ready(response.map(|mut response| {
            if let Some(call) = call.as_mut().filter(|call| call.is_page) {
                call.end_page(response.status(), response.body().is_end_stream());
            } else if let Some(call) = &mut call {
                let has_ended = call.end_with(response.headers());
                match response.status() {
                    // The rest is on its way.
                    StatusCode::OK => {}
                    _ if has_ended => {}
                    // As gRPC reads the answers of HTTP servers that know nothing of it.
                    StatusCode::NOT_FOUND => call.end(Code::Unimplemented, "HTTP 404"),
                    status => call.end(Code::Unknown, status.as_str()),
                }
                if let Some(id) = &call.id {
                    response.headers_mut().insert(REQUEST_ID, id.clone());
                }
            }
            response.map(|inner| ObservedBody { inner, call })
        }))
    }
}

pin_project! {
    /// The body of an answer; the call ends with its trailers.
    pub(in crate::serve) struct ObservedBody<R> {
        #[pin]
        inner: R,
        call: Option<Call>,
    }
}

impl<R: Default> Default for ObservedBody<R> {
    fn default() -> Self {
        Self { inner: R::default(), call: None }
    }
}

impl<R: Body<Data = Bytes>> Body for ObservedBody<R> {
    type Data = Bytes;
    type Error = R::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, R::Error>>> {
        let mut this = self.project();
        let entered = this.call.as_ref().map(|call| call.span.enter());
        let mut frame = ready!(this.inner.as_mut().poll_frame(cx));
        drop(entered);
        if let Some(call) = this.call.as_mut().filter(|call| call.is_page) {
            match &frame {
                Some(Err(_)) => call.end(Code::Internal, "the answer broke off"),
                // The rest of it is not asked for.
                Some(Ok(_)) if this.inner.is_end_stream() => call.end(Code::Ok, ""),
                Some(Ok(_)) => {}
                None => call.end(Code::Ok, ""),
            }
        } else if let Some(call) = this.call {
            let is_told = call.id.is_some();
            match &mut frame {
                Some(Ok(frame)) => {
                    if let Some(trailers) = frame.trailers_mut() {
                        if !call.end_with(trailers) {
                            call.end(Code::Unknown, NO_STATUS);
                        }
                        if let Some(id) = call.id.as_ref().filter(|_| !is_told) {
                            trailers.insert(REQUEST_ID, id.clone());
                        }
                    }
                }
                Some(Err(_)) => call.end(Code::Internal, "the answer broke off"),
                None => call.end(Code::Unknown, NO_STATUS),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
