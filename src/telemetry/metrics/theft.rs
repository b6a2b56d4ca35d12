//! What thieves do: what was used up, or is worth less than it was, comes back.

use super::Counter;

/// Everything that is counted here.
pub(super) const COUNTERS: &[Counter] =
    &[REFRESH_REPLAYED, REFRESH_DOWNGRADES_REFUSED, CODE_REPLAYED, CLIENT_ASSERTIONS_REPLAYED];

const REFRESH_REPLAYED: Counter = Counter {
    name: "consentry_refresh_replayed_total",
    help: "Superseded refresh tokens that were presented after their grace; each ended its connection.",
};

const REFRESH_DOWNGRADES_REFUSED: Counter = Counter {
    name: "consentry_refresh_downgrades_refused_total",
    help: "Refresh tokens refused because the client authenticated by less than their connection had before.",
};

const CODE_REPLAYED: Counter = Counter {
    name: "consentry_code_replayed_total",
    help: "Authorization codes that were presented a second time; each ended its connection.",
};

const CLIENT_ASSERTIONS_REPLAYED: Counter = Counter {
    name: "consentry_client_assertions_replayed_total",
    help: "Client assertions (RFC 7523) that were presented a second time.",
};

/// A superseded refresh token was presented after its grace.
pub fn refresh_replayed() {
    REFRESH_REPLAYED.one_more();
}

/// A refresh token was refused because its client authenticated by less than before.
pub fn refresh_downgrade_refused() {
    REFRESH_DOWNGRADES_REFUSED.one_more();
}

/// An authorization code was presented a second time.
pub fn code_replayed() {
    CODE_REPLAYED.one_more();
}

/// A client assertion was presented a second time.
pub fn client_assertion_replayed() {
    CLIENT_ASSERTIONS_REPLAYED.one_more();
}
