//! The log as streams of changes.
//!
//! A subscriber is a cursor into the log and nothing more: the engine tells only that the head has moved, and the [`Feed`] reads
//! the commits after its position when its reader asks for the next message. A reader that does not ask costs no memory and
//! delays nobody; when it asks again, it goes on where it was.

mod feed;
mod snapshot;
mod subscription;

pub use feed::Feed;
pub(crate) use subscription::open_token;
pub use subscription::{Start, Subscription};
