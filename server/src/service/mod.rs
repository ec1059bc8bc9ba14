//! One file an RPC: convert, call, reply.
