//! Each name is shown from the start, and counted by the function that is named for it.

use super::*;

/// What is shown after something happened, without touching the process's own recorder.
fn shown_after(happening: impl FnOnce()) -> String {
    let recorder = builder().unwrap().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        describe();
        happening();
    });
    Exposition { handle: recorder.handle() }.text()
}

#[test]
fn everything_is_shown_at_zero_and_explained() {
    let text = shown_after(|| ());
    for Counter { name, help } in counters() {
        for line in [format!("# HELP {name} {help}"), format!("# TYPE {name} counter"), format!("{name} 0")] {
            assert!(text.lines().any(|shown| shown == line), "{line:?} is missing in:\n{text}");
        }
    }
}

#[test]
fn each_function_counts_what_it_is_named_for() {
    let functions: [(fn(), &str); 16] = [
        (key_set_fetch_failed, "consentry_key_set_fetch_failures_total"),
        (client_document_fetch_failed, "consentry_client_document_fetch_failures_total"),
        (client_document_pinned, "consentry_client_document_pinned_total"),
        (client_document_kept, "consentry_client_document_kept_total"),
        (registration_refused, "consentry_registrations_refused_total"),
        (client_assertion_replayed, "consentry_client_assertions_replayed_total"),
        (refresh_replayed, "consentry_refresh_replayed_total"),
        (refresh_downgrade_refused, "consentry_refresh_downgrades_refused_total"),
        (code_replayed, "consentry_code_replayed_total"),
        (flow_event_dropped, "consentry_flow_events_dropped_total"),
        (|| trace_spans_lost(1), "consentry_trace_spans_lost_total"),
        (client_authentication_failed, "consentry_client_authentication_failures_total"),
        (sign_in_refused, "consentry_sign_ins_refused_total"),
        (mail_sent, "consentry_mails_sent_total"),
        (mail_put_back, "consentry_mails_put_back_total"),
        (mail_failed, "consentry_mails_failed_total"),
    ];
    assert_eq!(functions.len(), counters().count());
    for (function, name) in functions {
        let text = shown_after(|| {
            function();
            function();
        });
        let counted: Vec<_> = text.lines().filter(|line| !line.starts_with('#') && line.ends_with(" 2")).collect();
        assert_eq!(counted, [format!("{name} 2")]);
    }
}

#[test]
fn what_has_labels_is_explained_and_shown_from_the_start() {
    let text = shown_after(|| ());
    let counters = labelled_counters().map(|it| (it.name, it.help, "counter"));
    // Ages and rows are not known at the start.
    let gauges = labelled_gauges().take(2).map(|it| (it.name, it.help, "gauge"));
    let histograms = histograms().map(|it| (it.name, it.help, "histogram"));
    for (name, help, kind) in counters.chain(gauges).chain(histograms) {
        for line in [format!("# HELP {name} {help}"), format!("# TYPE {name} {kind}")] {
            assert!(text.lines().any(|shown| shown == line), "{line:?} is missing in:\n{text}");
        }
    }
}

#[test]
fn a_time_is_found_within_its_bounds_and_whatever_is_unknown_is_one_endpoint() {
    let answer = |endpoint: Option<&str>, milliseconds| {
        let took = std::time::Duration::from_millis(milliseconds);
        request_answered(Answered { endpoint: endpoint.map(str::to_owned), method: "POST", status: 503, took });
    };
    let text = shown_after(|| {
        answer(Some("/token"), 3);
        answer(Some("/token"), 30_000);
        answer(None, 1);
        token_request_answered("refresh_token", None, std::time::Duration::from_millis(7));
        token_request_answered("refresh_token", Some("invalid_grant"), std::time::Duration::from_millis(7));
        store_operation_ended("rotate", std::time::Duration::from_millis(1), false);
        store_operation_ended("rotate", std::time::Duration::from_secs(3), true);
    });
    for line in [
        "consentry_requests_total{endpoint=\"/token\",method=\"POST\",status=\"503\"} 2",
        "consentry_requests_total{endpoint=\"other\",method=\"POST\",status=\"503\"} 1",
        "consentry_request_seconds_bucket{endpoint=\"/token\",le=\"0.0025\"} 0",
        "consentry_request_seconds_bucket{endpoint=\"/token\",le=\"0.005\"} 1",
        "consentry_request_seconds_bucket{endpoint=\"/token\",le=\"10\"} 1",
        "consentry_request_seconds_bucket{endpoint=\"/token\",le=\"+Inf\"} 2",
        "consentry_request_seconds_count{endpoint=\"other\"} 1",
        "consentry_token_requests_total{grant=\"refresh_token\",outcome=\"issued\"} 1",
        "consentry_token_requests_total{grant=\"refresh_token\",outcome=\"invalid_grant\"} 1",
        "consentry_token_request_seconds_count{grant=\"refresh_token\"} 2",
        "consentry_store_seconds_bucket{operation=\"rotate\",le=\"0.002\"} 1",
        "consentry_store_seconds_count{operation=\"rotate\"} 2",
        "consentry_store_failures_total{operation=\"rotate\"} 1",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line:?} is missing in:\n{text}");
    }
}

#[test]
fn counting_without_a_recorder_does_nothing() {
    code_replayed();
}
