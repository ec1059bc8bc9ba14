//! The log as streams of changes.
