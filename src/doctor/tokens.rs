//! Whether tokens come, are what they say, are renewed through accidents, and are taken by the API.

use chrono::DateTime;
use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use serde_json::Value;

use super::{Report, check::Check, connection::Connection};
use crate::{
    model::Timestamp,
    simulate::{
        api::Api,
        person::Authorization,
        registration::told,
        tokens::{Counter, Encoding, Tokens, claims},
        wire::{Answer, Heard},
    },
};

pub(super) async fn look(
    connection: &Connection<'_>,
    (code, request): (&str, &Authorization),
    keys: Option<&JwkSet>,
    api: Option<Api>,
    report: &mut Report,
) {
    let encoding = connection.endpoints.encoding;
    let counter = connection.counter(encoding);
    report.checks.push(errors(&counter.refresh("not-a-token").await));
    let heard = counter.redeem(code, request.verifier.as_ref()).await;
    report.checks.push(taken(encoding, &heard));
    report.checks.extend(form_too(connection, encoding).await);
    let (Some(tokens), Ok(answer)) = (Tokens::of(&heard), &heard) else {
        return report.left_out.push("refreshing and the API: there are no tokens".to_owned());
    };
    report.checks.extend(answered(answer));
    let wanted = connection.endpoints.asked.resource.as_deref();
    report.checks.extend(inside(&tokens.access, wanted, keys, connection.wire.clock().now()));
    if let Some(api) = api {
        report.checks.push(accepts(&api.call(connection.wire, &tokens.access).await));
    }
    if let Some(refresh) = &tokens.refresh {
        report.checks.extend(refreshing(connection, &counter, refresh).await);
    }
}

fn name_of(encoding: Encoding) -> &'static str {
    if encoding == Encoding::Json { "token.json" } else { "token.form" }
}

fn taken(encoding: Encoding, heard: &Heard) -> Check {
    let kind = if encoding == Encoding::Json { "JSON" } else { "a form" };
    let cure = format!("Take token requests in {kind}: that is how this caller writes them.");
    let got = why(heard);
    let is_good = Tokens::of(heard).is_some();
    let says = if is_good { format!("A code in {kind} gives tokens.") } else { format!("A code in {kind}: {got}.") };
    Check::of(name_of(encoding), is_good, says, cure)
}

/// Forms are everybody's (RFC 6749 §4.1.3), also of a server whose manifest asks for JSON. The other way round nobody
/// needs JSON who was not told to send it.
async fn form_too(connection: &Connection<'_>, encoding: Encoding) -> Option<Check> {
    if encoding == Encoding::Form {
        return None;
    }
    let (code, request) = connection.code().await?;
    let heard = connection.counter(Encoding::Form).redeem(&code, request.verifier.as_ref()).await;
    Some(taken(Encoding::Form, &heard))
}

/// What a token nobody gave is answered.
fn errors(heard: &Heard) -> Check {
    let cure = "Answer 400 or 401 with a JSON object that has error (RFC 6749 §5.2), never a page and never 200.";
    let (is_right, says) = match heard {
        Ok(answer) => {
            let is_json = answer.content_type() == "application/json"
                && answer.object().is_some_and(|body| body["error"].is_string());
            let is_right = is_json && [400, 401].contains(&answer.status);
            (is_right, format!("A refusal is {} with {}.", answer.status, answer.content_type()))
        }
        Err(silence) => (false, silence.to_string()),
    };
    Check::of("token.errors", is_right, says, cure)
}

fn answered(answer: &Answer) -> Vec<Check> {
    let body = answer.object().unwrap_or(Value::Null);
    let cache = answer.header("cache-control").unwrap_or_default().to_ascii_lowercase();
    let kind = body["token_type"].as_str().unwrap_or_default();
    let lifetime = body["expires_in"].as_i64().or_else(|| body["expires_in"].as_str()?.parse().ok());
    let said = |member: &str| format!("{member}: {}", body.get(member).unwrap_or(&Value::Null));
    let refresh = if body["refresh_token"].is_string() { "A refresh token comes." } else { "No refresh token comes." };
    vec![
        Check::of("token.cache", cache.contains("no-store"), format!("cache-control: {cache}"), "Send no-store."),
        Check::of("token.type", kind.eq_ignore_ascii_case("bearer"), said("token_type"), "Say token_type: Bearer."),
        Check::of(
            "token.refresh_token",
            body["refresh_token"].is_string(),
            refresh,
            "Give one to every client that may refresh, whatever scope it asked for.",
        ),
        Check::of("token.expires_in", lifetime.is_some(), said("expires_in"), "Say expires_in, in seconds."),
    ]
}

fn inside(token: &str, wanted: Option<&str>, keys: Option<&JwkSet>, now: Timestamp) -> Vec<Check> {
    let Some(claims) = claims(token) else {
        return vec![Check::ok("audience.token", "The token is opaque: the API alone can tell for whom it is.")];
    };
    let mut checks = Vec::new();
    if let Some(wanted) = wanted {
        let audience = &claims["aud"];
        let is_for = audience == wanted || audience.as_array().is_some_and(|all| all.iter().any(|it| it == wanted));
        let says = format!("The token is for {audience}; it was asked for {wanted}.");
        checks.push(Check::of(
            "audience.token",
            is_for,
            says,
            "Put the resource that was asked for into aud (RFC 8707).",
        ));
    }
    if let Some(keys) = keys {
        let verified = verified(token, keys);
        let says = verified.as_ref().map_or_else(Clone::clone, |()| "The published keys verify the token.".to_owned());
        let cure = "Publish the key that signs, under the kid it signs with, before it signs.";
        checks.push(Check::of("token.signature", verified.is_ok(), says, cure));
    }
    if let Some(end) = claims["exp"].as_i64().and_then(|end| DateTime::from_timestamp(end, 0)) {
        let left = (end - now).num_seconds();
        let says = format!("A fresh token is good for {left} seconds.");
        checks.push(Check::of("token.expiry", left > 0, says, "Correct exp, or the server's clock."));
    }
    checks
}

fn verified(token: &str, keys: &JwkSet) -> Result<(), String> {
    let header = jsonwebtoken::decode_header(token).map_err(|error| format!("The token's header: {error}."))?;
    let key = match &header.kid {
        Some(kid) => keys.find(kid),
        None => keys.keys.first(),
    };
    let key = key.ok_or_else(|| format!("No published key is called {:?}.", header.kid.unwrap_or_default()))?;
    let key = DecodingKey::from_jwk(key).map_err(|error| format!("The key cannot be used: {error}."))?;
    // The signature alone: audience and time are checks of their own.
    let mut validation = Validation::new(header.alg);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let outcome = jsonwebtoken::decode::<Value>(token, &key, &validation);
    outcome.map(|_| ()).map_err(|error| format!("The published key does not verify the token: {error}."))
}

fn accepts(heard: &Heard) -> Check {
    let name = "api.accepts";
    let cure = "Let the API check issuer, keys and audience as they are in this server's metadata and in its own.";
    match heard {
        Ok(answer) if [401, 403].contains(&answer.status) => {
            let why = answer.header("www-authenticate").unwrap_or("no reason");
            Check::wrong(name, format!("The API answers {} to a fresh token: {why}.", answer.status), cure)
        }
        Ok(answer) if answer.status >= 404 => Check::warning(
            name,
            format!("The API answers {}, so it cannot be told.", answer.status),
            "Name the API's own address.",
        ),
        Ok(answer) => Check::ok(name, format!("The API takes a fresh token, and answers {}.", answer.status)),
        Err(silence) => Check::wrong(name, silence.to_string(), cure),
    }
}

/// One refresh, the same again as if its answer had been lost, and two at once with a connection of their own.
async fn refreshing(connection: &Connection<'_>, counter: &Counter<'_>, token: &str) -> Vec<Check> {
    let first = counter.refresh(token).await;
    let works = Tokens::of(&first).is_some();
    let cure = "Refresh tokens of a connection in use must go on working.";
    let says = if works { "A refresh gives new tokens.".to_owned() } else { format!("A refresh: {}.", why(&first)) };
    let mut checks = vec![Check::of("refresh.works", works, says, cure)];
    if !works {
        return checks;
    }
    let again = counter.refresh(token).await;
    let survives = Tokens::of(&again).is_some();
    let says = if survives {
        "A caller that lost the answer may ask again.".to_owned()
    } else {
        format!("A caller that lost the answer asks again: {}.", why(&again))
    };
    let cure = "Let a rotated token lead to its successor again for a minute or two, before it counts as stolen.";
    checks.push(Check::of("refresh.lost_answer", survives, says, cure));
    if let Some((code, request)) = connection.code().await
        && let Some(tokens) = Tokens::of(&counter.redeem(&code, request.verifier.as_ref()).await)
        && let Some(token) = tokens.refresh
    {
        checks.push(parallel(counter, &token).await);
    }
    checks
}

async fn parallel(counter: &Counter<'_>, token: &str) -> Check {
    let (one, other) = tokio::join!(counter.refresh(token), counter.refresh(token));
    let both = [Tokens::of(&one), Tokens::of(&other)];
    // Both may look good while the connection is already over.
    let next = both.iter().flatten().find_map(|tokens| tokens.refresh.clone());
    let lives = match next {
        Some(next) => Tokens::of(&counter.refresh(&next).await).is_some(),
        None => both.iter().any(Option::is_some),
    };
    let is_good = both.iter().all(Option::is_some) && lives;
    let says = if is_good {
        "Two workers may refresh at once.".to_owned()
    } else {
        format!(
            "Two workers refresh at once: {}; {}; afterwards {}.",
            why(&one),
            why(&other),
            if lives { "it lives" } else { "it is over" }
        )
    };
    Check::of(
        "refresh.parallel",
        is_good,
        says,
        "Give all who come with one token, at once or soon after, the same successor.",
    )
}

fn why(heard: &Heard) -> String {
    match heard {
        Ok(answer) => format!("{} ({})", answer.status, told(&answer.object().unwrap_or(Value::Null))),
        Err(silence) => silence.to_string(),
    }
}
