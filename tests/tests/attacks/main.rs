//! Attacks on a real server. It keeps answering a well-behaved client meanwhile, takes no more than some memory, and afterwards
//! nothing is left of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bystander;
mod floods;
mod limits;
mod messages;
mod readers;
mod wire;
