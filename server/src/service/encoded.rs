//! Answers that are encoded where they are read, and pass through tonic as bytes.
//!
//! A query may answer millions of observations. Made into messages first, each would be half a dozen allocations, and be walked
//! twice to be measured and written.

use std::{convert::Infallible, marker::PhantomData};

use bytes::{Buf as _, BufMut as _, Bytes};
use futures::Stream;
use http::Request;
use prost::Message;
use tonic::{
    Status,
    body::Body,
    codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    server::{Grpc, ServerStreamingService},
    service::Routes,
};

use super::ready_frames::ReadyFrames;
use crate::status;

/// The size at which tonic hands what it has to the connection.
const YIELD_BYTES: usize = 64 * 1024;

/// Requests are messages, answers are bytes of messages.
struct EncodedCodec<R>(PhantomData<R>);

impl<R: Message + Default + 'static> Codec for EncodedCodec<R> {
    type Encode = Bytes;
    type Decode = R;
    type Encoder = BytesEncoder;
    type Decoder = MessageDecoder<R>;

    fn encoder(&mut self) -> BytesEncoder {
        BytesEncoder
    }

    fn decoder(&mut self) -> MessageDecoder<R> {
        MessageDecoder(PhantomData)
    }
}

struct BytesEncoder;

impl Encoder for BytesEncoder {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.reserve(item.len());
        buffer.put(item);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(YIELD_BYTES, YIELD_BYTES)
    }
}

struct MessageDecoder<R>(PhantomData<R>);

impl<R: Message + Default> Decoder for MessageDecoder<R> {
    type Item = R;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<R>, Status> {
        let message = R::decode(buffer.copy_to_bytes(buffer.remaining()));
        Ok(Some(message.map_err(|error| status::malformed_message(&error.to_string()))?))
    }
}

/// Answers calls of `path` with a stream of encoded messages, before the service that the path belongs to.
pub(super) fn route<R, S, A>(mut routes: Routes, path: &str, service: S) -> Routes
where
    R: Message + Default + 'static,
    S: ServerStreamingService<R, Response = Bytes, ResponseStream = A> + Clone + Send + Sync + 'static,
    S::Future: Send,
    A: Stream<Item = Result<Bytes, Status>> + Send + 'static,
{
    let call = tower::service_fn(move |request: Request<axum::body::Body>| {
        let service = service.clone();
        async move {
            let mut grpc =
                Grpc::new(EncodedCodec::<R>(PhantomData)).apply_max_message_size_config(Some(usize::MAX), Some(usize::MAX));
            let answer = grpc.server_streaming(service, request.map(Body::new)).await;
            Ok::<_, Infallible>(ReadyFrames::unpack(answer))
        }
    });
    let router = routes.axum_router_mut();
    *router = std::mem::take(router).route_service(path, call);
    routes
}

/// Protobuf's wire types.
const VARINT: u32 = 0;
const LENGTH_DELIMITED: u32 = 2;

/// Writes the fields of a message.
pub(crate) trait PutField {
    /// The key of a field.
    fn put_key(&mut self, field: u32, wire_type: u32);
    /// A number that is not the default.
    fn put_number(&mut self, field: u32, value: u64);
    /// Bytes, a text, or an encoded message.
    fn put_bytes(&mut self, field: u32, value: &[u8]);
}

impl PutField for Vec<u8> {
    fn put_key(&mut self, field: u32, wire_type: u32) {
        prost::encoding::encode_varint(u64::from(field << 3 | wire_type), self);
    }

    fn put_number(&mut self, field: u32, value: u64) {
        if value != 0 {
            self.put_key(field, VARINT);
            prost::encoding::encode_varint(value, self);
        }
    }

    fn put_bytes(&mut self, field: u32, value: &[u8]) {
        self.put_key(field, LENGTH_DELIMITED);
        prost::encoding::encode_varint(value.len() as u64, self);
        self.extend_from_slice(value);
    }
}
