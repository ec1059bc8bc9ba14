//! Frames that go to the connection as they are: shared bytes, which tonic's codec would copy for each stream.

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};
use http::HeaderMap;
use http_body::Frame;
use tonic::{Response, Status, body::Body};

type Stream = BoxStream<'static, Result<Bytes, Status>>;

/// The frames of a stream.
#[derive(Clone)]
pub(super) struct ReadyFrames(Arc<Mutex<Option<Stream>>>);

impl ReadyFrames {
    /// A response that carries them past tonic, which takes care of the rest.
    pub(super) fn response(
        frames: impl futures::Stream<Item = Result<Bytes, Status>> + Send + 'static,
    ) -> Response<stream::Empty<Result<Bytes, Status>>> {
        let mut response = Response::new(stream::empty());
        response.extensions_mut().insert(Self(Arc::new(Mutex::new(Some(frames.boxed())))));
        response
    }

    /// Makes them the body of the response that carries them.
    pub(super) fn unpack(mut response: http::Response<Body>) -> http::Response<axum::body::Body> {
        let frames = response.extensions_mut().remove::<Self>();
        let frames = frames.and_then(|frames| frames.0.lock().ok()?.take());
        match frames {
            Some(frames) => response.map(|_| axum::body::Body::new(FramesBody { frames: Some(frames) })),
            None => response.map(axum::body::Body::new),
        }
    }
}

/// A response body of ready frames, with the status at its end.
struct FramesBody {
    frames: Option<Stream>,
}

impl http_body::Body for FramesBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(frames) = &mut self.frames else { return Poll::Ready(None) };
        let status = match ready!(frames.poll_next_unpin(cx)) {
            Some(Ok(frames)) => return Poll::Ready(Some(Ok(Frame::data(frames)))),
            Some(Err(status)) => status,
            None => Status::ok(""),
        };
        self.frames = None;
        let mut trailers = HeaderMap::new();
        Poll::Ready(Some(status.add_header(&mut trailers).map(|()| Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_none()
    }
}
