//! Requests: how many, what came of them, and how long they took; and those of the token endpoint by their grant.

use std::time::Duration;

use super::{Counter, Histogram};

/// What is counted apart by labels.
pub(super) const LABELLED: &[Counter] = &[REQUESTS, TOKEN_REQUESTS];

/// What takes time.
pub(super) const HISTOGRAMS: &[Histogram] = &[REQUEST_SECONDS, TOKEN_REQUEST_SECONDS];

/// From what a document takes that is in memory to what a caller waits for at the longest. A refresh takes a few
/// milliseconds, a password some hundred; a database that is away is waited for during 3 seconds, and a host that is
/// fetched from during some more. Each bound is about twice the one before, so that a quantile is off by that at the most.
const BOUNDS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

const REQUESTS: Counter = Counter {
    name: "consentry_requests_total",
    help: "Requests that were answered, by the pattern of their endpoint, their method and their answer's status.",
};

const REQUEST_SECONDS: Histogram = Histogram {
    name: "consentry_request_seconds",
    help: "How long requests took to be answered, by the pattern of their endpoint.",
    bounds: BOUNDS,
};

const TOKEN_REQUESTS: Counter = Counter {
    name: "consentry_token_requests_total",
    help: "Token requests, by their grant and their outcome: issued, or the error's code.",
};

const TOKEN_REQUEST_SECONDS: Histogram = Histogram {
    name: "consentry_token_request_seconds",
    help: "How long token requests took, by their grant.",
    bounds: BOUNDS,
};

/// The endpoint of what no route matches.
const NO_ENDPOINT: &str = "other";

/// The grant of what is refused before its grant is known: the client did not prove itself, or there is no such grant.
pub const GRANT_UNKNOWN: &str = "unknown";

/// The outcome of a token request that went well.
const ISSUED: &str = "issued";

/// A request and its answer.
#[derive(Debug)]
pub struct Answered {
    /// The pattern in the route table; none where nothing matches.
    pub endpoint: Option<String>,
    /// The method, from a list.
    pub method: &'static str,
    /// The answer's status.
    pub status: u16,
    /// How long it took.
    pub took: Duration,
}

/// A request was answered.
pub fn request_answered(Answered { endpoint, method, status, took }: Answered) {
    let endpoint = endpoint.unwrap_or_else(|| NO_ENDPOINT.to_owned());
    metrics::histogram!(REQUEST_SECONDS.name, "endpoint" => endpoint.clone()).record(took);
    let status = status.to_string();
    metrics::counter!(REQUESTS.name, "endpoint" => endpoint, "method" => method, "status" => status).increment(1);
}

/// A token request was answered; `refused` is the error's code.
pub fn token_request_answered(grant: &'static str, refused: Option<&'static str>, took: Duration) {
    let outcome = refused.unwrap_or(ISSUED);
    metrics::histogram!(TOKEN_REQUEST_SECONDS.name, "grant" => grant).record(took);
    metrics::counter!(TOKEN_REQUESTS.name, "grant" => grant, "outcome" => outcome).increment(1);
}

/// Shows one of each from the start. The rest appears with the first request: what could be asked in vain is too much to
/// be shown at zero.
pub(super) fn show() {
    drop(metrics::histogram!(REQUEST_SECONDS.name, "endpoint" => NO_ENDPOINT));
    drop(metrics::histogram!(TOKEN_REQUEST_SECONDS.name, "grant" => GRANT_UNKNOWN));
    metrics::counter!(REQUESTS.name, "endpoint" => NO_ENDPOINT, "method" => "GET", "status" => "404").increment(0);
    metrics::counter!(TOKEN_REQUESTS.name, "grant" => GRANT_UNKNOWN, "outcome" => "invalid_client").increment(0);
}
