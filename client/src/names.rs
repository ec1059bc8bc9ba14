//! Ids of what people type.
