//! What is looked at now and then: what waits in queues, how old working keys are, how many rows there are.

use std::time::Duration;

use super::Gauge;
use crate::model::key::Purpose;

/// What stands somewhere, apart by labels.
pub(super) const LABELLED: &[Gauge] = &[QUEUE_LENGTH, KEYS_DUE, KEY_AGE, ROWS];

/// Most of them each node has for itself.
const QUEUE_LENGTH: Gauge = Gauge {
    name: "consentry_queue_length",
    help: "How much waits in a queue: to be told to plugins' APIs (the same on every node), to be hashed, to be kept.",
};

/// The same on every node that shares a database, as what follows.
const KEYS_DUE: Gauge = Gauge {
    name: "consentry_keys_due",
    help: "Working keys that another one should have taken over from, by what they are for.",
};

const KEY_AGE: Gauge = Gauge {
    name: "consentry_key_age_seconds",
    help: "How long the oldest working key that is in use has been, by what it is for.",
};

const ROWS: Gauge = Gauge { name: "consentry_rows", help: "Rows of a table, when it was last counted." };

/// Everything that waits for somebody to take it away. Mail has a gauge of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Events that plugins' APIs are to be told.
    Deliveries,
    /// Passwords to be hashed or checked.
    Passwords,
    /// Steps of connections to be recorded.
    FlowEvents,
    /// Counts for owners.
    Counts,
    /// Notes about clients, tokens and API keys.
    Notes,
    /// Refusals that the audit log is to tell of.
    Refusals,
}

impl Queue {
    const ALL: [Self; 6] =
        [Self::Deliveries, Self::Passwords, Self::FlowEvents, Self::Counts, Self::Notes, Self::Refusals];

    fn as_str(self) -> &'static str {
        match self {
            Self::Deliveries => "webhook_deliveries",
            Self::Passwords => "passwords",
            Self::FlowEvents => "flow_events",
            Self::Counts => "counts",
            Self::Notes => "notes",
            Self::Refusals => "refusals",
        }
    }
}

/// So much waits.
pub fn queue_length(queue: Queue, number: u64) {
    Gauge::put(&metrics::gauge!(QUEUE_LENGTH.name, "queue" => queue.as_str()), number);
}

/// So many keys are late with another.
pub fn keys_due(purpose: Purpose, number: u64) {
    Gauge::put(&metrics::gauge!(KEYS_DUE.name, "purpose" => purpose.as_str()), number);
}

/// The oldest key in use is so old.
pub fn key_age(purpose: Purpose, age: Duration) {
    Gauge::put(&metrics::gauge!(KEY_AGE.name, "purpose" => purpose.as_str()), age.as_secs());
}

/// A table has so many rows.
pub fn rows(table: &'static str, number: u64) {
    Gauge::put(&metrics::gauge!(ROWS.name, "table" => table), number);
}

/// Shows at zero what is there from the start. An age or a number of rows is shown once it is known.
pub(super) fn show() {
    for queue in Queue::ALL {
        queue_length(queue, 0);
    }
    for purpose in Purpose::ALL {
        keys_due(*purpose, 0);
    }
}
