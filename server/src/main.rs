//! `indicatord`, the server.
fn main() {}
