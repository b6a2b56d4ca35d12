//! Mail.

use super::{Counter, Gauge};

/// Everything that is counted here.
pub(super) const COUNTERS: &[Counter] = &[MAILS_SENT, MAILS_PUT_BACK, MAILS_FAILED];

/// Everything that stands somewhere.
pub(super) const GAUGES: &[Gauge] = &[MAILS_WAITING];

const MAILS_SENT: Counter = Counter { name: "consentry_mails_sent_total", help: "Mails that the mail server took." };

const MAILS_PUT_BACK: Counter = Counter {
    name: "consentry_mails_put_back_total",
    help: "Times that a mail could not be handed over and was put back to be tried again.",
};

const MAILS_FAILED: Counter = Counter {
    name: "consentry_mails_failed_total",
    help: "Mails that were given up: refused by the mail server, or not taken before they were worth nothing.",
};

/// The same on every node that shares a database.
const MAILS_WAITING: Gauge = Gauge { name: "consentry_mails_waiting", help: "Mails that wait to be sent." };

/// A mail was taken by the mail server.
pub fn mail_sent() {
    MAILS_SENT.one_more();
}

/// A mail was put back, to be tried again.
pub fn mail_put_back() {
    MAILS_PUT_BACK.one_more();
}

/// A mail was given up.
pub fn mail_failed() {
    MAILS_FAILED.one_more();
}

/// So many mails wait.
pub fn mails_waiting(number: u64) {
    MAILS_WAITING.stands_at(number);
}
