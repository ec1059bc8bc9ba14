//! The log as streams of changes.
//!
//! A subscriber is a cursor into the log and nothing more ([`Feed`]): when its reader asks for more, it takes what lies after its
//! position; while nobody asks, it costs no memory and delays nobody. Subscribers who see the same share a *lane*: it follows the
//! log for them, encodes each run of commits once, and hands out slices of the same bytes. The [`Hub`] takes the lanes further
//! for which somebody waits, whenever the head of the log moves. Who is behind what a lane keeps reads the log for itself.
//!
//! An analysis is followed by each subscriber for itself ([`Following`]): its answer is computed anew at the commits that can change it.
//!
//! ```text
//! log → hub → lane: picture → ring of frames (every change)      → feed → connection
//!                           → steps, conflated (latest) + digest →
//! ```

mod catch_up;
mod conflate;
mod feed;
mod following;
mod frames;
mod hub;
mod lane;
mod ring;
mod snapshot;
mod steps;
mod subscription;

pub use feed::Feed;
pub use following::{Following, Told};
pub use hub::{Hub, Meter, Subscriber};
pub use lane::digest;
pub use subscription::{Mode, Selection, Start, Subscription, open, seal};
