//! Metrics: what is counted, each name in this file alone, and the text a monitoring system reads them as.
//!
//! Whoever sees something happen calls the function named for it; until somebody has installed a recorder, that does
//! nothing. `cli` installs one where the operator wants an operations listener, and `http::ops` serves the text.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::TelemetryError;

/// Something that is counted from the start of the process.
struct Counter {
    name: &'static str,
    /// What it counts, in the words of whoever reads a graph.
    help: &'static str,
}

impl Counter {
    fn one_more(&self) {
        metrics::counter!(self.name).increment(1);
    }
}

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

const REGISTRATIONS_REFUSED: Counter = Counter {
    name: "consentry_registrations_refused_total",
    help: "Dynamic client registrations (RFC 7591) refused for the switch, the token or the rate, and changes for the rate.",
};

const CLIENT_ASSERTIONS_REPLAYED: Counter = Counter {
    name: "consentry_client_assertions_replayed_total",
    help: "Client assertions (RFC 7523) that were presented a second time.",
};

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

const CLIENT_AUTHENTICATION_FAILED: Counter = Counter {
    name: "consentry_client_authentication_failures_total",
    help: "Calls of clients that are unknown or did not prove to be who they say.",
};

const SIGN_INS_REFUSED: Counter = Counter {
    name: "consentry_sign_ins_refused_total",
    help: "Sign-ins with a wrong password, or for an account that is unknown or disabled.",
};

const FLOW_EVENTS_DROPPED: Counter = Counter {
    name: "consentry_flow_events_dropped_total",
    help: "Steps of connections that `consentry flow` will not tell of, because there were too many in a minute.",
};

const MAILS_SENT: Counter = Counter { name: "consentry_mails_sent_total", help: "Mails that the mail server took." };

const MAILS_PUT_BACK: Counter = Counter {
    name: "consentry_mails_put_back_total",
    help: "Times that a mail could not be handed over and was put back to be tried again.",
};

const MAILS_FAILED: Counter = Counter {
    name: "consentry_mails_failed_total",
    help: "Mails that were given up: refused by the mail server, or not taken before they were worth nothing.",
};

/// How much there is of something now.
struct Gauge {
    name: &'static str,
    help: &'static str,
}

impl Gauge {
    fn stands_at(&self, number: u64) {
        #[expect(clippy::cast_precision_loss, reason = "a gauge is drawn, and nobody draws the last of 2^53")]
        metrics::gauge!(self.name).set(number as f64);
    }
}

/// The same on every node that shares a database.
const MAILS_WAITING: Gauge = Gauge { name: "consentry_mails_waiting", help: "Mails that wait to be sent." };

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

/// How far the chain is, which all nodes share.
const AUDIT_CHAIN_NUMBER: Gauge = Gauge {
    name: "consentry_audit_chain_number",
    help: "The number of the newest link of the audit log's chain that this process made or tried to make.",
};

/// Everything that stands somewhere.
const GAUGES: [&Gauge; 5] =
    [&MAILS_WAITING, &RESEAL_ROWS_LEFT, &SECRETS_NOT_RENEWED, &API_KEYS_OVERDUE, &AUDIT_CHAIN_NUMBER];

/// Everything that is counted.
const COUNTERS: [&Counter; 15] = [
    &KEY_SET_FETCH_FAILURES,
    &CLIENT_DOCUMENT_FETCH_FAILURES,
    &CLIENT_DOCUMENT_PINNED,
    &CLIENT_DOCUMENT_KEPT,
    &REGISTRATIONS_REFUSED,
    &CLIENT_ASSERTIONS_REPLAYED,
    &REFRESH_REPLAYED,
    &REFRESH_DOWNGRADES_REFUSED,
    &CODE_REPLAYED,
    &FLOW_EVENTS_DROPPED,
    &CLIENT_AUTHENTICATION_FAILED,
    &SIGN_INS_REFUSED,
    &MAILS_SENT,
    &MAILS_PUT_BACK,
    &MAILS_FAILED,
];

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

/// A dynamic client registration was refused.
pub fn registration_refused() {
    REGISTRATIONS_REFUSED.one_more();
}

/// A client assertion was presented a second time.
pub fn client_assertion_replayed() {
    CLIENT_ASSERTIONS_REPLAYED.one_more();
}

/// A client is unknown, or did not prove to be who it says.
pub fn client_authentication_failed() {
    CLIENT_AUTHENTICATION_FAILED.one_more();
}

/// A sign-in was refused.
pub fn sign_in_refused() {
    SIGN_INS_REFUSED.one_more();
}

/// A step of a connection is not recorded.
pub fn flow_event_dropped() {
    FLOW_EVENTS_DROPPED.one_more();
}

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

/// The audit log's chain stands at this link.
pub fn audit_chain_stands_at(number: i64) {
    AUDIT_CHAIN_NUMBER.stands_at(number.unsigned_abs());
}

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

/// What has been counted, to be read as text.
#[derive(Clone, Debug)]
pub struct Exposition {
    // Its upkeep folds the samples of histograms that nobody reads. There are only counters and gauges yet, which hold
    // one number each however long nobody looks; whoever adds the first histogram adds a job that runs it.
    handle: PrometheusHandle,
}

impl Exposition {
    /// How the text is announced.
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// The text, as of now.
    pub fn text(&self) -> String {
        self.handle.render()
    }
}

/// Begins to count, for the whole process; once.
pub fn install() -> Result<Exposition, TelemetryError> {
    let handle = PrometheusBuilder::new().install_recorder().map_err(|_| TelemetryError::CountedTwice)?;
    describe();
    Ok(Exposition { handle })
}

/// Says what each counter counts, and shows it at zero: an alert on an increase misses the first event of a series
/// that did not exist before it.
fn describe() {
    for Counter { name, help } in COUNTERS {
        metrics::describe_counter!(*name, *help);
        metrics::counter!(*name).increment(0);
    }
    for gauge in GAUGES {
        metrics::describe_gauge!(gauge.name, gauge.help);
        gauge.stands_at(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown after something happened, without touching the process's own recorder.
    fn shown_after(happening: impl FnOnce()) -> String {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            describe();
            happening();
        });
        Exposition { handle: recorder.handle() }.text()
    }

    #[test]
    fn everything_is_shown_at_zero_and_explained() {
        let text = shown_after(|| ());
        for Counter { name, help } in COUNTERS {
            for line in [format!("# HELP {name} {help}"), format!("# TYPE {name} counter"), format!("{name} 0")] {
                assert!(text.lines().any(|shown| shown == line), "{line:?} is missing in:\n{text}");
            }
        }
    }

    #[test]
    fn each_function_counts_what_it_is_named_for() {
        let functions = [
            key_set_fetch_failed,
            client_document_fetch_failed,
            client_document_pinned,
            client_document_kept,
            registration_refused,
            client_assertion_replayed,
            refresh_replayed,
            refresh_downgrade_refused,
            code_replayed,
        ];
        for (function, counter) in functions.iter().zip(COUNTERS) {
            let text = shown_after(|| {
                function();
                function();
            });
            let counted: Vec<_> = text.lines().filter(|line| !line.starts_with('#') && line.ends_with(" 2")).collect();
            assert_eq!(counted, [format!("{} 2", counter.name)]);
        }
    }

    #[test]
    fn counting_without_a_recorder_does_nothing() {
        code_replayed();
    }
}
