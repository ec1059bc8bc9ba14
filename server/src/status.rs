//! The one place where an error becomes a gRPC status.
