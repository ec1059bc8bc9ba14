//! Refusals in HTTP's own words, for browsers: they know nothing of gRPC's.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use pin_project_lite::pin_project;
use tonic::{Code, Status};
use tower::{Layer, Service};

use super::paths::Page;

/// Gives the answers to pages that are a gRPC status an HTTP status.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain;

impl<S> Layer<S> for Plain {
    type Service = InPlain<S>;

    fn layer(&self, inner: S) -> InPlain<S> {
        InPlain { inner }
    }
}

#[derive(Debug, Clone)]
pub(super) struct InPlain<S> {
    inner: S,
}

impl<S, B, R> Service<Request<B>> for InPlain<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = InPlainFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let page = Page::of_request(request.uri().path(), request.headers()).is_some();
        InPlainFuture { inner: self.inner.call(request), page }
    }
}

pin_project! {
    /// The answer, to come.
    pub(super) struct InPlainFuture<F> {
        #[pin]
        inner: F,
        page: bool,
    }
}

impl<F, R, E> Future for InPlainFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx));
        if *this.page
            && let Ok(response) = &mut response
            && let Some(status) = Status::from_header_map(response.headers()).filter(|status| status.code() != Code::Ok)
        {
            *response.status_mut() = http_status(status.code());
            let headers = response.headers_mut();
            for name in ["grpc-status", "grpc-message", "grpc-status-details-bin"] {
                headers.remove(HeaderName::from_static(name));
            }
            headers.remove(header::CONTENT_TYPE);
            if status.code() == Code::ResourceExhausted {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
            }
        }
        Poll::Ready(response)
    }
}

/// As Google's APIs map them: <https://cloud.google.com/apis/design/errors#handling_errors>.
pub(super) fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Cancelled | Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The code that counts for an HTTP status.
pub(super) fn code(status: StatusCode) -> Code {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::METHOD_NOT_ALLOWED => Code::InvalidArgument,
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN => Code::PermissionDenied,
        StatusCode::NOT_FOUND => Code::NotFound,
        StatusCode::TOO_MANY_REQUESTS => Code::ResourceExhausted,
        StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
        StatusCode::GATEWAY_TIMEOUT => Code::DeadlineExceeded,
        status if status.is_client_error() => Code::InvalidArgument,
        status if status.is_server_error() => Code::Internal,
        _ => Code::Ok,
    }
}
