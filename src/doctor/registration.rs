//! Whether a client can register itself (RFC 7591), with all its callbacks, and for good.

use serde_json::Value;

use super::{check::Check, reach::unanswered};
use crate::{
    model::Timestamp,
    simulate::{
        discovery::lists,
        registration::{Introduced, told},
        wire::Answer,
    },
};

pub(super) fn judged(introduced: &Introduced, now: Timestamp) -> Vec<Check> {
    let name = "registration.works";
    let answer = match (&introduced.heard, &introduced.client) {
        (Some(Ok(answer)), Ok(_)) => answer,
        (Some(Ok(answer)), Err(_)) => return vec![refused(answer, &introduced.redirect_uris)],
        (Some(Err(silence)), _) => return vec![unanswered(name, silence)],
        // It was told to register, and the server names no place for it.
        (None, _) => {
            let cure = "Offer registration (RFC 7591) and name registration_endpoint in the metadata.";
            return vec![Check::wrong(name, "The server names no registration endpoint.", cure)];
        }
    };
    let body = answer.object().unwrap_or(Value::Null);
    let mut checks = vec![Check::ok(name, "A client can register."), callbacks(&introduced.redirect_uris, &body)];
    checks.extend(lifetime(&body, now));
    checks
}

fn refused(answer: &Answer, redirect_uris: &[String]) -> Check {
    let body = answer.object().unwrap_or(Value::Null);
    let says = format!("Registering is answered {} ({}).", answer.status, told(&body));
    let cure = match (answer.status, body["error"].as_str().unwrap_or_default()) {
        (401 | 403, _) => "Let clients register without a token: nobody has given the assistant one.".to_owned(),
        (429, _) => "Raise the limit: all people of an assistant register from few addresses.".to_owned(),
        (_, "invalid_redirect_uri") => format!("Allow these callbacks to be registered: {}.", redirect_uris.join(", ")),
        (200..=299, _) => "Answer 201 with a JSON object that has client_id (RFC 7591 §3.2.1).".to_owned(),
        _ => "Take RFC 7591 requests, and pass over members that are not known (§2), as application_type may be."
            .to_owned(),
    };
    Check::wrong("registration.works", says, cure)
}

fn callbacks(redirect_uris: &[String], body: &Value) -> Check {
    let name = "registration.redirect_uris";
    let lost: Vec<&str> =
        redirect_uris.iter().map(String::as_str).filter(|uri| !lists(body, "redirect_uris", uri)).collect();
    if lost.is_empty() {
        return Check::ok(name, format!("All {} redirect URIs were registered.", redirect_uris.len()));
    }
    Check::wrong(
        name,
        format!("Of {} redirect URIs these are not in the answer: {}.", redirect_uris.len(), lost.join(", ")),
        "Keep every redirect URI of the request, and say all of them in the answer (RFC 7591 §3.2.1).",
    )
}

/// Callers register once and go on using what they got; nothing tells them to do it again but failing.
fn lifetime(body: &Value, now: Timestamp) -> Option<Check> {
    let end = body["client_secret_expires_at"].as_i64()?;
    let name = "registration.lifetime";
    if end == 0 {
        return Some(Check::ok(name, "The client's secret does not expire."));
    }
    let days = (end - now.timestamp()) / 86_400;
    let says = format!("The client's secret ends in {days} days, and with it every connection.");
    Some(Check::wrong(name, says, "Answer client_secret_expires_at: 0, and end only clients that are not in use."))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{State, samples::answer};

    #[test]
    fn a_refusal_is_cured_by_what_it_says() {
        let cure = |status: u16, error: &str| {
            let answer = answer(status, &[], &json!({ "error": error }).to_string());
            refused(&answer, &["https://c.example/cb".to_owned()]).cure.unwrap_or_default()
        };
        assert!(cure(400, "invalid_client_metadata").contains("pass over members that are not known"));
        assert!(cure(400, "invalid_redirect_uri").contains("https://c.example/cb"));
        assert!(cure(401, "invalid_token").contains("without a token"));
        assert!(cure(200, "").contains("201"));
    }

    #[test]
    fn a_secret_that_ends_ends_connections() {
        let state = |end: Value| {
            lifetime(&json!({ "client_secret_expires_at": end }), Timestamp::default()).map(|check| check.state)
        };
        assert_eq!(state(json!(0)), Some(State::Ok));
        assert_eq!(state(json!(2_592_000)), Some(State::Wrong));
        assert_eq!(state(Value::Null), None, "a client without a secret has none that ends");
    }
}
