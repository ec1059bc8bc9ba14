//! One file an RPC: convert, call, reply.

pub mod admin;
mod filter;
mod gate;
mod moment;
pub mod observation;
mod page;
pub mod watch;
pub(crate) mod wire;
