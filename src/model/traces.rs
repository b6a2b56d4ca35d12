//! Traces: what all floors must agree on so that one request's steps stand under it.
//!
//! Whoever does something that is worth a span writes one with this target; `telemetry` sends them where the operator wants
//! them, and keeps them out of the log. Where nobody wants them, a span costs a look at a flag.

/// The target of all spans that are traced, and of nothing else.
pub const TARGET: &str = "consentry_traces";
