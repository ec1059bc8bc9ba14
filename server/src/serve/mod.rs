//! Listening and stopping.
