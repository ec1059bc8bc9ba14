//! The `indicator.v1` schema, and the pure value types that both sides share.
//!
//! - [`v1`]: messages, client and server stubs, generated from `proto/indicator/v1/*.proto` when the crate is built.
//! - [`Period`], [`Decimal`], [`Extent`], [`SeriesKey`], [`Time`], [`Statuses`]: checked values. They do no I/O and know no clock.
//! - [`pool`], [`to_json`], [`from_json`]: the schema itself, for reflection and for the proto3 JSON mapping.
//! - [`cell_hash`], [`Digest`]: by which a watcher knows that it has what the server has.

pub mod archive;
mod civil;
mod decimal;
mod digest;
mod digits;
mod excerpt;
mod extent;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod id;
mod json;
mod kind;
mod period;
mod series;
mod status;
mod time;
pub mod words;

pub use self::{
    decimal::{Decimal, ParseDecimalError},
    digest::{Digest, cell_hash},
    excerpt::Excerpt,
    extent::{Bound, Extent, Interval, ReversedInterval, UnknownBound},
    id::{IdError, check_code_id, check_region_id, check_slug, check_unit_id},
    json::{JsonError, from_json, pool, to_json, to_json_as_in_schema},
    period::{Frequency, ParsePeriodError, Period, UnknownFrequency},
    series::SeriesKey,
    status::Statuses,
    time::{DateOrTime, ParseTimeError, Time, TimestampError},
};

/// Messages and stubs of the package `indicator.v1`. The `.proto` files are its documentation.
#[allow(missing_docs, unreachable_pub, clippy::all, rustdoc::bare_urls, rustdoc::invalid_html_tags)]
pub mod v1 {
    tonic::include_proto!("indicator.v1");
}

/// Messages and stubs of the package `grpc.health.v1`, gRPC's health checking protocol. Its `.proto` file is that of the gRPC authors,
/// under the Apache License 2.0.
#[allow(missing_docs, unreachable_pub, clippy::all, rustdoc::bare_urls, rustdoc::invalid_html_tags)]
pub mod health {
    tonic::include_proto!("grpc.health.v1");
}

/// The encoded `google.protobuf.FileDescriptorSet` of the schema, and of the health checking protocol.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/indicator.bin"));
