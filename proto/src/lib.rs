//! The `indicator.v1` schema, and the pure value types that both sides share.
//!
//! - [`v1`]: messages, client and server stubs, generated from `proto/indicator/v1/*.proto` when the crate is built.
//! - [`Period`], [`Decimal`], [`Extent`], [`SeriesKey`], [`Time`]: checked values with one canonical text each. They do no I/O.
//! - [`descriptors`]: the schema itself, for reflection and for the proto3 JSON mapping.

/// Messages and stubs of the package `indicator.v1`. The `.proto` files are its documentation.
#[allow(missing_docs, unreachable_pub, clippy::all)]
pub mod v1 {
    tonic::include_proto!("indicator.v1");
}

/// The encoded `google.protobuf.FileDescriptorSet` of the schema.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/indicator.bin"));
