//! The catalog: validated, versioned, searched, in memory.
