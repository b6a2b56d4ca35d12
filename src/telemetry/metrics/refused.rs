//! Who is refused.

use super::Counter;
use crate::model::counts::Refusal;

/// Everything that is counted here.
pub(super) const COUNTERS: &[Counter] = &[REGISTRATIONS_REFUSED, CLIENT_AUTHENTICATION_FAILED, SIGN_INS_REFUSED];

/// What is counted apart by labels.
pub(super) const LABELLED: &[Counter] = &[REFUSALS];

const REFUSALS: Counter = Counter {
    name: "consentry_refusals_total",
    help: "Steps of connections that were refused, by what owners are told as the reason.",
};

const REGISTRATIONS_REFUSED: Counter = Counter {
    name: "consentry_registrations_refused_total",
    help: "Dynamic client registrations (RFC 7591) refused for the switch, the token or the rate, and changes for the rate.",
};

const CLIENT_AUTHENTICATION_FAILED: Counter = Counter {
    name: "consentry_client_authentication_failures_total",
    help: "Calls of clients that are unknown or did not prove to be who they say.",
};

const SIGN_INS_REFUSED: Counter = Counter {
    name: "consentry_sign_ins_refused_total",
    help: "Sign-ins with a wrong password, or for an account that is unknown or disabled.",
};

/// A dynamic client registration was refused.
pub fn registration_refused() {
    REGISTRATIONS_REFUSED.one_more();
}

/// A client is unknown, or did not prove to be who it says.
pub fn client_authentication_failed() {
    CLIENT_AUTHENTICATION_FAILED.one_more();
}

/// A sign-in was refused.
pub fn sign_in_refused() {
    SIGN_INS_REFUSED.one_more();
}

/// A step of a connection was refused.
pub fn refused(reason: Refusal) {
    metrics::counter!(REFUSALS.name, "reason" => reason.as_str()).increment(1);
}

/// Shows each reason at zero.
pub(super) fn show() {
    for reason in Refusal::ALL {
        metrics::counter!(REFUSALS.name, "reason" => reason.as_str()).increment(0);
    }
}
