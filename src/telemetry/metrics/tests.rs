//! Each name is shown from the start, and counted by the function that is named for it.

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
    for Counter { name, help } in counters() {
        for line in [format!("# HELP {name} {help}"), format!("# TYPE {name} counter"), format!("{name} 0")] {
            assert!(text.lines().any(|shown| shown == line), "{line:?} is missing in:\n{text}");
        }
    }
}

#[test]
fn each_function_counts_what_it_is_named_for() {
    let functions: [(fn(), &str); 15] = [
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
fn counting_without_a_recorder_does_nothing() {
    code_replayed();
}
