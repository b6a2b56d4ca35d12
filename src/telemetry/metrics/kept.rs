//! What is recorded, and what has to be looked after: secrets, API keys, what rows keep sealed.

use std::time::Duration;

use super::{Counter, Gauge};

/// Everything that is counted here.
pub(super) const COUNTERS: &[Counter] = &[FLOW_EVENTS_DROPPED, TRACE_SPANS_LOST];

/// Everything that stands somewhere.
pub(super) const GAUGES: &[Gauge] = &[
    RESEAL_ROWS_LEFT,
    SECRETS_NOT_RENEWED,
    API_KEYS_OVERDUE,
    API_KEYS_LEFT_AT_ISSUERS,
    API_KEYS_LEFT_AT_ISSUERS_SECONDS,
    AUDIT_CHAIN_NUMBER,
];

const FLOW_EVENTS_DROPPED: Counter = Counter {
    name: "consentry_flow_events_dropped_total",
    help: "Steps of connections that `consentry flow` will not tell of, because there were too many in a minute.",
};

const TRACE_SPANS_LOST: Counter = Counter {
    name: "consentry_trace_spans_lost_total",
    help: "Spans that no collector has: too many waited to be sent, or the collector did not take them.",
};

/// The same: how far sealing anew is from its end.
const RESEAL_ROWS_LEFT: Gauge = Gauge {
    name: "consentry_reseal_rows_left",
    help: "Values in rows that are still sealed with a key that another one has taken over from.",
};

/// The same for each node by itself.
const SECRETS_NOT_RENEWED: Gauge = Gauge {
    name: "consentry_secrets_not_renewed",
    help: "Configured secrets that could not be read again when they were last looked up; their last good values are used.",
};

/// The same on every node that shares a database.
const API_KEYS_OVERDUE: Gauge =
    Gauge { name: "consentry_api_keys_overdue", help: "API keys of plugins that are late with a new version." };

/// The same.
const API_KEYS_LEFT_AT_ISSUERS: Gauge = Gauge {
    name: "consentry_api_keys_left_at_issuers",
    help: "Old versions of API keys that have ended here and not yet where they were issued, and removed keys whose rotator is still to be asked for what it made of them.",
};

/// The same.
const API_KEYS_LEFT_AT_ISSUERS_SECONDS: Gauge = Gauge {
    name: "consentry_api_keys_left_at_issuers_seconds",
    help: "How long ago the first of them ended here; 0 where there is none.",
};

/// How far the chain is, which all nodes share.
const AUDIT_CHAIN_NUMBER: Gauge = Gauge {
    name: "consentry_audit_chain_number",
    help: "The number of the newest link of the audit log's chain that this process made or tried to make.",
};

/// A step of a connection is not recorded.
pub fn flow_event_dropped() {
    FLOW_EVENTS_DROPPED.one_more();
}

/// So many spans are lost.
pub fn trace_spans_lost(number: u64) {
    TRACE_SPANS_LOST.so_many_more(number);
}

/// So many values are still to be sealed anew.
pub fn reseal_rows_left(number: u64) {
    RESEAL_ROWS_LEFT.stands_at(number);
}

/// So many configured secrets could not be read again.
pub fn secrets_not_renewed(number: usize) {
    SECRETS_NOT_RENEWED.stands_at(number as u64);
}

/// So many API keys are late.
pub fn api_keys_overdue(number: u64) {
    API_KEYS_OVERDUE.stands_at(number);
}

/// So much is still to be ended where it was issued, the oldest of it for so long.
pub fn api_keys_left_at_issuers(number: u64, age: Duration) {
    API_KEYS_LEFT_AT_ISSUERS.stands_at(number);
    API_KEYS_LEFT_AT_ISSUERS_SECONDS.stands_at(age.as_secs());
}

/// The audit log's chain stands at this link.
pub fn audit_chain_stands_at(number: i64) {
    AUDIT_CHAIN_NUMBER.stands_at(number.unsigned_abs());
}
