//! The store: how long its operations took, and which failed.

use std::time::Duration;

use super::{Counter, Histogram};

/// What is counted apart by labels.
pub(super) const LABELLED: &[Counter] = &[FAILURES];

/// What takes time.
pub(super) const HISTOGRAMS: &[Histogram] = &[SECONDS];

/// There are some two hundred operations and each has a series for each of these, so they are few: what is as fast as
/// memory, as a disk, as a network; what somebody notices; and the 3 seconds after which a database counts as away.
const BOUNDS: &[f64] = &[0.0005, 0.002, 0.01, 0.05, 0.25, 1.0, 3.0];

const SECONDS: Histogram = Histogram {
    name: "consentry_store_seconds",
    help: "How long operations on the database took, with waiting for a connection, by their name.",
    bounds: BOUNDS,
};

const FAILURES: Counter = Counter {
    name: "consentry_store_failures_total",
    help: "Operations on the database that came to no outcome, by their name.",
};

/// What is always there: whoever asks whether the server is ready has it done.
const ALWAYS: &str = "ping";

/// An operation ended, with an outcome or without.
pub fn store_operation_ended(operation: &'static str, took: Duration, has_failed: bool) {
    metrics::histogram!(SECONDS.name, "operation" => operation).record(took);
    if has_failed {
        metrics::counter!(FAILURES.name, "operation" => operation).increment(1);
    }
}

/// Shows one of each from the start.
pub(super) fn show() {
    drop(metrics::histogram!(SECONDS.name, "operation" => ALWAYS));
    metrics::counter!(FAILURES.name, "operation" => ALWAYS).increment(0);
}
