//! Whether tokens come, are said as they should be, and are taken by the API, which takes nothing else.

use serde_json::Value;

use super::{
    Report,
    access_token::{self, Expected},
    check::{Check, State},
    codes,
    connection::Connection,
    documents::named,
    reach, refresh,
};
use crate::simulate::{
    api::Api,
    person::Authorization,
    registration::told,
    tokens::{Counter, Encoding, Tokens},
    wire::{Answer, Heard},
};

/// A token that no server has made.
pub(super) const MADE_UP: &str = "not-a-token";

pub(super) async fn look(
    connection: &Connection<'_>,
    (code, request): (&str, &Authorization),
    keys: Option<&jsonwebtoken::jwk::JwkSet>,
    api: Result<Option<Api>, String>,
    report: &mut Report,
) {
    let encoding = connection.endpoints.encoding;
    let counter = connection.counter(encoding);
    let heard = counter.redeem(code, request.verifier.as_ref()).await;
    report.checks.push(taken(&counter, &heard));
    report.checks.extend(form_too(connection, encoding).await);
    let (Some(tokens), Ok(answer)) = (Tokens::of(&heard), &heard) else {
        return report.leave_out("token.cache", "what is in tokens, refreshing and the API: there are no tokens");
    };
    let body = answer.object().unwrap_or(Value::Null);
    report.checks.extend([cache(answer), kind(&body), refresh_token(&body), expires_in(&body)]);
    let expected = Expected {
        resource: connection.endpoints.asked.resource.as_deref(),
        issuer: connection.found.server().and_then(|server| server["issuer"].as_str()),
        seconds: body["expires_in"].as_i64(),
        keys,
        // By the clock that wrote the token: whether it is right is a check of its own.
        now: reach::date(answer).unwrap_or(answer.at),
    };
    access_token::look(&tokens.access, &expected, report);
    match api {
        Ok(Some(api)) => call(connection, &api, &tokens.access, report).await,
        Ok(None) => report.leave_out("api.accepts", "the API: no description names anything that can simply be read"),
        Err(why) => report.leave_out("api.accepts", format!("the API: {why}")),
    }
    match &tokens.refresh {
        Some(refresh) => report.checks.extend(refresh::look(connection, &counter, refresh).await),
        None => report.leave_out("refresh.works", "refreshing: there is no refresh token"),
    }
    report.checks.extend(codes::look(connection, &counter).await);
}

fn taken(counter: &Counter<'_>, heard: &Heard) -> Check {
    let (name, kind) = match counter.encoding {
        Encoding::Json => ("token.json", "application/json"),
        Encoding::Form => ("token.form", "application/x-www-form-urlencoded"),
    };
    if Tokens::of(heard).is_some() {
        return Check::ok(name, format!("A code sent as {kind} gives tokens."));
    }
    if let Some(why) = unclear(heard) {
        return Check::left_out(name, format!("whether a code sent as {kind} gives tokens: {why}"));
    }
    let usual = || format!("Take token requests as {kind}: that is how this caller writes them.");
    let cure = cure_of(heard, counter).unwrap_or_else(usual);
    Check::wrong(name, format!("A code sent as {kind} is answered {}.", why(heard)), cure)
}

/// Forms are everybody's (RFC 6749 §4.1.3), also of a server whose manifest asks for JSON. The other way round nobody
/// needs JSON who was not told to send it.
async fn form_too(connection: &Connection<'_>, encoding: Encoding) -> Option<Check> {
    if encoding == Encoding::Form {
        return None;
    }
    let (code, request) = match connection.code().await {
        Ok(came) => came,
        Err(why) => return Some(Check::left_out("token.form", format!("token requests as forms: {why}"))),
    };
    let counter = connection.counter(Encoding::Form);
    let check = taken(&counter, &counter.redeem(&code, request.verifier.as_ref()).await);
    // This caller was told to send JSON.
    Some(check.of_others("All other callers send forms."))
}

/// Why an answer says nothing of what was asked: none came, or it is of another matter.
pub(super) fn unclear(heard: &Heard) -> Option<String> {
    match heard {
        Ok(answer) if answer.status == 429 => Some("it was answered 429, too many requests".to_owned()),
        Ok(_) => None,
        Err(silence) => Some(silence.to_string()),
    }
}

/// The same where a no is what should come: a server that fails has not said one.
pub(super) fn no_refusal(heard: &Heard) -> Option<String> {
    let failed = |status: u16| (status >= 500).then(|| format!("it was answered {status}"));
    unclear(heard).or_else(|| failed(heard.as_ref().ok()?.status))
}

/// What a token nobody gave is answered.
pub(super) fn errors(heard: &Heard) -> Check {
    let name = "token.errors";
    let answer = match heard {
        Ok(answer) => answer,
        Err(silence) => return reach::unanswered(name, silence),
    };
    let (status, kind, is_json) = (answer.status, answer.content_type(), answer.is_of("application/json"));
    let with = if answer.body.is_empty() { "with an empty body".to_owned() } else { format!("as {}", named(kind)) };
    let says = format!("A refresh token that nobody gave is answered {status} {with}.");
    let has_error = answer.object().is_some_and(|body| body["error"].is_string());
    let cure = match status {
        400 | 401 if is_json && has_error => return Check::ok(name, says),
        429 => return Check::left_out(name, format!("how the token endpoint says no: it was answered {status}")),
        402..=499 if is_json && has_error => {
            return Check::warning(name, says, "Answer 400, or 401 to an unknown client (RFC 6749 §5.2).");
        }
        400 | 401 if has_error => "Send it with Content-Type: application/json (RFC 6749 §5.2).",
        400 | 401 => {
            "Answer with a JSON object that has error (RFC 6749 §5.2), never with a page: callers cannot read it."
        }
        200..=299 => "Answer 400, or 401 to an unknown client (RFC 6749 §5.2): callers take a 200 for tokens.",
        404 | 405 => "Correct the address of the token endpoint in the metadata or the manifest.",
        _ => "Answer 400 with a JSON object that has error (RFC 6749 §5.2); look into the server's log for why not.",
    };
    Check::wrong(name, says, cure)
}

fn cache(answer: &Answer) -> Check {
    let name = "token.cache";
    match answer.header("cache-control") {
        Some(said) if said.to_ascii_lowercase().contains("no-store") => Check::ok(name, "Nobody may keep the answer."),
        said => Check::wrong(
            name,
            said.map_or_else(
                || "The answer with tokens has no Cache-Control.".to_owned(),
                |said| format!("The answer with tokens says Cache-Control: {said}."),
            ),
            "Send Cache-Control: no-store with every answer that has tokens (RFC 6749 §5.1), so that no cache keeps them.",
        ),
    }
}

fn kind(body: &Value) -> Check {
    let name = "token.type";
    match body["token_type"].as_str() {
        Some(kind) if kind.eq_ignore_ascii_case("bearer") => Check::ok(name, "token_type is Bearer."),
        said => Check::wrong(
            name,
            said.map_or_else(|| "token_type is missing.".to_owned(), |said| format!("token_type is {said:?}.")),
            "Answer \"token_type\": \"Bearer\"; RFC 6749 §5.1 requires the member, and callers know no other.",
        ),
    }
}

fn refresh_token(body: &Value) -> Check {
    let name = "token.refresh_token";
    if body["refresh_token"].is_string() {
        return Check::ok(name, "A refresh token comes.");
    }
    Check::wrong(
        name,
        "No refresh token comes, so people have to sign in again when the access token is over.",
        "Give a refresh token to every client that may use one, also where it does not ask for offline_access.",
    )
}

fn expires_in(body: &Value) -> Check {
    let name = "token.expires_in";
    let cure = "Answer expires_in as a number of seconds (RFC 6749 §5.1): callers refresh by it.";
    match &body["expires_in"] {
        Value::Number(seconds) if seconds.as_i64().is_some_and(|it| it > 0) => {
            Check::ok(name, format!("expires_in is {seconds}."))
        }
        Value::Null => Check::wrong(name, "expires_in is missing, so callers cannot tell when to refresh.", cure),
        Value::String(text) if text.parse::<u32>().is_ok() => {
            Check::warning(name, format!("expires_in is the text {text:?}; some readers want a number."), cure)
        }
        other => Check::wrong(name, format!("expires_in is {other}."), cure),
    }
}

async fn call(connection: &Connection<'_>, api: &Api, token: &str, report: &mut Report) {
    let wire = connection.wire;
    let check = accepts(&api.call(wire, Some(token)).await);
    let takes_good_ones = check.state == State::Ok;
    report.checks.push(check);
    // From one that takes no token at all nothing can be learnt by another.
    if takes_good_ones {
        let is_open = api.call(wire, None).await.is_ok_and(|answer| answer.is_success());
        report.checks.push(refuses(&api.call(wire, Some(MADE_UP)).await, is_open));
    }
}

fn accepts(heard: &Heard) -> Check {
    let name = "api.accepts";
    let cure = "Let the API check issuer, signature and audience by the server's metadata and keys and by its own \
                address, and see that a proxy in front hands the Authorization header on.";
    match heard {
        Ok(answer) if answer.is_success() => {
            Check::ok(name, format!("The API takes a fresh token, and answers {}.", answer.status))
        }
        Ok(answer) if [401, 403].contains(&answer.status) || answer.redirect().is_some() => {
            let why = answer.header("www-authenticate").or(answer.redirect()).unwrap_or("without a reason");
            Check::wrong(name, format!("The API answers {} to a fresh token: {why}.", answer.status), cure)
        }
        Ok(answer) if answer.status >= 500 => Check::wrong(
            name,
            format!("The API answers {} to a fresh token.", answer.status),
            "Look into the API's log at this moment.",
        ),
        Ok(answer) => Check::warning(
            name,
            format!("The API answers {} to a fresh token, so it cannot be told whether it takes it.", answer.status),
            "Begin with the API's own address, and look into its log.",
        ),
        Err(silence) => reach::unanswered(name, silence),
    }
}

/// 401 is also what tells a caller to refresh. What is open to everybody is no harm.
fn refuses(heard: &Heard, is_open: bool) -> Check {
    let name = "api.refuses";
    let answer = match (no_refusal(heard), heard) {
        (None, Ok(answer)) => answer,
        (why, _) => {
            let why = why.unwrap_or_default();
            return Check::left_out(name, format!("whether the API refuses a token that is made up: {why}"));
        }
    };
    let says = format!("The API answers {} to a token that is made up.", answer.status);
    match answer.status {
        401 => Check::ok(name, "The API refuses a token that is made up."),
        200..=299 if !is_open => {
            Check::wrong(name, says, "Let the API verify every token, and answer 401 to a token that is not good.")
        }
        _ => {
            Check::warning(name, says, "Answer 401 to a token that is not good: it is what tells a caller to refresh.")
        }
    }
}

/// What an answer was, without what is secret in it.
pub(super) fn why(heard: &Heard) -> String {
    match heard {
        Ok(answer) if Tokens::of(heard).is_some() => format!("{} with tokens", answer.status),
        Ok(answer) => format!("{} ({})", answer.status, told(&answer.object().unwrap_or(Value::Null))),
        Err(silence) => silence.to_string(),
    }
}

/// The cure for an error that says what it is for.
pub(super) fn cure_of(heard: &Heard, counter: &Counter<'_>) -> Option<String> {
    let body = heard.as_ref().ok()?.object()?;
    match body["error"].as_str()? {
        "invalid_client" => {
            let place = if counter.client.by_header { "in the Authorization header" } else { "in the body" };
            let how = if counter.client.secret.is_some() { "its secret comes" } else { "client_id alone comes," };
            Some(format!("Check the client's id and secret, and how it may prove itself: {how} {place}."))
        }
        "invalid_target" => {
            let resource = counter.resource.as_deref().unwrap_or("the API's address");
            Some(format!("Register {resource} as a resource that tokens are given for (RFC 8707 §2.2)."))
        }
        "unsupported_grant_type" | "unauthorized_client" => {
            Some("Allow this client the grants authorization_code and refresh_token.".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{doctor::samples::answer, simulate::wire::Silence};

    #[test]
    fn an_error_is_cured_by_how_it_comes() {
        let (json, error) = ("application/json", r#"{"error":"invalid_grant"}"#);
        let heard = |status, kind, body| Ok(answer(status, &[("content-type", kind)], body));
        let cure = |status, kind, body| errors(&heard(status, kind, body)).cure.unwrap_or_default();
        assert_eq!(cure(400, json, error), "");
        assert!(cure(400, "text/html", "<p>").contains("never with a page"));
        assert!(cure(400, "text/plain", error).contains("Content-Type: application/json"));
        assert!(cure(200, json, error).contains("take a 200 for tokens"));
        assert!(cure(404, "text/html", "").contains("address of the token endpoint"));
        assert!(cure(500, json, error).contains("log"));
        let state = |status| errors(&heard(status, json, error)).state;
        assert_eq!([403, 404, 429].map(state), [State::Warning, State::Warning, State::LeftOut]);
    }

    #[test]
    fn an_api_is_judged_by_what_it_says_and_no_more() {
        let heard = |status| Ok(answer(status, &[("location", "/login")], ""));
        let accepted = [200, 302, 400, 401, 404, 500].map(|status| accepts(&heard(status)).state);
        let [ok, wrong, doubt] = [State::Ok, State::Wrong, State::Warning];
        assert_eq!(accepted, [ok, wrong, doubt, wrong, doubt, wrong]);
        let refused = |is_open| [200, 401, 404, 429, 503].map(|status| refuses(&heard(status), is_open).state);
        assert_eq!(refused(false), [wrong, ok, doubt, State::LeftOut, State::LeftOut]);
        assert_eq!(refused(true)[0], doubt, "everybody may read it");
        assert_eq!(refuses(&Err(Silence::TooLong), false).state, State::LeftOut, "silence is no refusal");
    }

    #[test]
    fn a_lifetime_is_a_number() {
        let states = [json!(3600), json!("3600"), Value::Null, json!(0), json!("soon")]
            .map(|value| expires_in(&json!({ "expires_in": value })).state);
        assert_eq!(states, [State::Ok, State::Warning, State::Wrong, State::Wrong, State::Wrong]);
    }
}
