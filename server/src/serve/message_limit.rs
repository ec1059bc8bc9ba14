use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame, SizeHint};
use tonic::Status;
use tower::{BoxError, Layer, Service};

use super::paths::Page;
use crate::status;

/// Answers RESOURCE_EXHAUSTED to a message of more than `self.0` bytes, before it is read.
///
/// The codec of tonic would answer OUT_OF_RANGE, which tells clients something else. Its own limit has to be no lower.
#[derive(Debug, Clone, Copy)]
pub(super) struct MessageLimit(pub(super) usize);

impl<S> Layer<S> for MessageLimit {
    type Service = Limit<S>;

    fn layer(&self, inner: S) -> Limit<S> {
        Limit { inner, bytes: self.0 }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Limit<S> {
    inner: S,
    bytes: usize,
}

impl<S, B> Service<Request<B>> for Limit<S>
where
    S: Service<Request<Limited<B>>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        // What browsers send is no message.
        let limit = if Page::of_request(request.uri().path(), request.headers()).is_some() { usize::MAX } else { self.bytes };
        let messages = Messages { limit, prefix: [0; PREFIX], prefix_len: 0, rest: 0 };
        self.inner.call(request.map(|body| Limited { body, messages }))
    }
}

/// A request body that fails at the first message which is too large.
#[derive(Debug)]
pub(super) struct Limited<B> {
    body: B,
    messages: Messages,
}

impl<B> Body for Limited<B>
where
    B: Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => return Poll::Ready(Some(Err(Status::from_error(error.into())))),
            None => return Poll::Ready(None),
        };
        let checked = frame.data_ref().map_or(Ok(()), |data| self.messages.check(data));
        Poll::Ready(Some(checked.map(|()| frame).map_err(|size| status::message_too_large(size, self.messages.limit))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Bytes before each message: the compressed flag and the length.
const PREFIX: usize = 5;

/// Follows the messages in a body that comes in arbitrary pieces.
#[derive(Debug)]
struct Messages {
    limit: usize,
    prefix: [u8; PREFIX],
    prefix_len: usize,
    /// Bytes of the current message still to come.
    rest: usize,
}

impl Messages {
    /// Follows the messages through the next piece. The error is the size of a message that is too large.
    fn check(&mut self, mut piece: &[u8]) -> Result<(), usize> {
        loop {
            let skipped = self.rest.min(piece.len());
            self.rest -= skipped;
            piece = &piece[skipped..];
            if piece.is_empty() {
                return Ok(());
            }
            let taken = (PREFIX - self.prefix_len).min(piece.len());
            self.prefix[self.prefix_len..self.prefix_len + taken].copy_from_slice(&piece[..taken]);
            self.prefix_len += taken;
            piece = &piece[taken..];
            if self.prefix_len == PREFIX {
                let [_, length @ ..] = self.prefix;
                self.prefix_len = 0;
                self.rest = u32::from_be_bytes(length) as usize;
                if self.rest > self.limit {
                    return Err(self.rest);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_message_above_the_limit_is_found_however_the_body_is_cut(
            sizes in prop::collection::vec(0_usize..40, 0..12),
            cuts in prop::collection::vec(1_usize..30, 1..60),
            limit in 0_usize..40,
        ) {
            let body: Vec<u8> = sizes.iter().flat_map(|size| {
                [&[0][..], &(*size as u32).to_be_bytes(), &vec![7; *size]].concat()
            }).collect();
            let mut messages = Messages { limit, prefix: [0; PREFIX], prefix_len: 0, rest: 0 };
            let mut cuts = cuts.iter().cycle();
            let mut rest = &body[..];
            let mut found = None;
            while !rest.is_empty() && found.is_none() {
                let (piece, after) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
                rest = after;
                found = messages.check(piece).err();
            }
            prop_assert_eq!(found, sizes.into_iter().find(|size| *size > limit));
        }
    }
}
