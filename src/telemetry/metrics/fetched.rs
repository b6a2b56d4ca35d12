//! What is fetched from clients' hosts, and what stands in for it.

use super::Counter;

/// Everything that is counted here.
pub(super) const COUNTERS: &[Counter] =
    &[KEY_SET_FETCH_FAILURES, CLIENT_DOCUMENT_FETCH_FAILURES, CLIENT_DOCUMENT_PINNED, CLIENT_DOCUMENT_KEPT];

const KEY_SET_FETCH_FAILURES: Counter = Counter {
    name: "consentry_key_set_fetch_failures_total",
    help: "Key sets of clients (jwks_uri) that could not be fetched or read.",
};

const CLIENT_DOCUMENT_FETCH_FAILURES: Counter = Counter {
    name: "consentry_client_document_fetch_failures_total",
    help: "Client metadata documents that could not be fetched or read.",
};

const CLIENT_DOCUMENT_PINNED: Counter = Counter {
    name: "consentry_client_document_pinned_total",
    help: "Times that the pinned copy of a client metadata document stood in because its host failed.",
};

const CLIENT_DOCUMENT_KEPT: Counter = Counter {
    name: "consentry_client_document_kept_total",
    help: "Times that the last good copy of a client metadata document went on serving because its host failed.",
};

/// A client's key set could not be fetched or read.
pub fn key_set_fetch_failed() {
    KEY_SET_FETCH_FAILURES.one_more();
}

/// A client metadata document could not be fetched or read.
pub fn client_document_fetch_failed() {
    CLIENT_DOCUMENT_FETCH_FAILURES.one_more();
}

/// The pinned copy of a client metadata document stands in, because its host failed.
pub fn client_document_pinned() {
    CLIENT_DOCUMENT_PINNED.one_more();
}

/// The last good copy of a client metadata document goes on serving, because its host failed.
pub fn client_document_kept() {
    CLIENT_DOCUMENT_KEPT.one_more();
}
