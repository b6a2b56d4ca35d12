//! What is in an access token: for whom it is, from whom, how long it is good, and whether the published keys verify
//! it. An opaque one says nothing, and only its API can tell.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::DateTime;
use jsonwebtoken::{
    DecodingKey, Validation,
    jwk::{Jwk, JwkSet},
};
use serde_json::Value;

use super::{Report, check::Check};
use crate::{model::Timestamp, simulate::tokens::claims};

/// What a token should be.
pub(super) struct Expected<'a> {
    /// For this resource.
    pub(super) resource: Option<&'a str>,
    /// From this issuer.
    pub(super) issuer: Option<&'a str>,
    /// Good as long as the answer says, in seconds.
    pub(super) seconds: Option<i64>,
    pub(super) keys: Option<&'a JwkSet>,
    pub(super) now: Timestamp,
}

/// `expires_in` and `exp` are read a moment apart, and may be rounded.
const SECONDS_ROUNDED: i64 = 60;

pub(super) fn look(token: &str, expected: &Expected<'_>, report: &mut Report) {
    let Some(claims) = claims(token) else {
        report.leave_out("token.signature", "what is in the token: it is opaque, and its API alone can tell");
        return;
    };
    if let Some(wanted) = expected.resource {
        report.checks.push(audience(&claims["aud"], wanted));
    }
    if let Some(issuer) = expected.issuer {
        report.checks.push(from(&claims["iss"], issuer));
    }
    match expected.keys {
        Some(keys) => report.checks.push(signature(token, keys)),
        None => report.leave_out("token.signature", "the token's signature: there are no keys to verify it with"),
    }
    report.checks.extend(expiry(&claims, expected));
}

fn audience(audience: &Value, wanted: &str) -> Check {
    let name = "audience.token";
    let is_for = audience == wanted || audience.as_array().is_some_and(|all| all.iter().any(|it| it == wanted));
    if is_for {
        return Check::ok(name, format!("The token is for {wanted}."));
    }
    let is = if audience.is_null() { "names no audience".to_owned() } else { format!("is for {audience}") };
    Check::wrong(
        name,
        format!("The token {is}, and was asked for with resource={wanted}."),
        format!("Put {wanted}, the resource of the request, into aud (RFC 8707 §2); its API must refuse any other."),
    )
}

fn from(issuer: &Value, wanted: &str) -> Check {
    let name = "token.issuer";
    if issuer == wanted {
        return Check::ok(name, "The token is from the issuer of the metadata.");
    }
    Check::wrong(
        name,
        format!("The token says iss: {issuer}, and the metadata calls the server {wanted:?}."),
        format!("Write {wanted} into iss of tokens (RFC 9068 §4): an API that compares refuses any other."),
    )
}

fn expiry(claims: &Value, expected: &Expected<'_>) -> Option<Check> {
    let name = "token.expiry";
    let end = claims["exp"].as_i64().and_then(|end| DateTime::from_timestamp(end, 0))?;
    let left = (end - expected.now).num_seconds();
    if left <= 0 {
        let says = format!("A fresh token expired {} seconds ago.", -left);
        return Some(Check::wrong(
            name,
            says,
            "Correct how exp is reckoned, in seconds since 1970, or the server's clock.",
        ));
    }
    match expected.seconds.filter(|said| said - left > SECONDS_ROUNDED) {
        Some(said) => Some(Check::wrong(
            name,
            format!("expires_in says {said} seconds, and by its exp the token is good for {left}."),
            "Say in expires_in what the token's exp says: callers refresh when that time is over, which is too late.",
        )),
        None => Some(Check::ok(name, format!("A fresh token is good for {left} seconds."))),
    }
}

fn signature(token: &str, keys: &JwkSet) -> Check {
    let name = "token.signature";
    let header = match jsonwebtoken::decode_header(token) {
        Ok(header) => header,
        Err(error) => {
            if let Some(algorithm) = algorithm(token).filter(|algorithm| !algorithm.eq_ignore_ascii_case("none")) {
                return Check::left_out(name, format!("the token's signature: {algorithm:?} is not known here"));
            }
            let says = format!("The token's header cannot be read: {error}.");
            return Check::wrong(
                name,
                says,
                "Sign with an algorithm of RFC 7518 §3.1 that has a public key, as RS256.",
            );
        }
    };
    let published: Vec<&str> = keys.keys.iter().map(|key| key.common.key_id.as_deref().unwrap_or("(no kid)")).collect();
    let published = published.join(", ");
    let Some(kid) = &header.kid else {
        let is_verified = keys.keys.iter().any(|key| verifies(token, key, header.alg).is_ok());
        let cure = "Write the kid of the signing key into the token's header, as it is in the published keys.";
        return match (is_verified, keys.keys.len()) {
            (true, 1) => Check::ok(name, "The one published key verifies the token."),
            (true, _) => {
                let says = format!("The token names no kid, and these keys are published: {published}.");
                Check::warning(name, format!("{says} An API that does not try them all refuses it."), cure)
            }
            (false, _) => {
                Check::wrong(name, format!("None of the published keys ({published}) verifies the token."), cure)
            }
        };
    };
    let Some(key) = keys.find(kid) else {
        let says = format!("The token is signed by key {kid:?}, and published are: {published}.");
        let cure = "Publish a key before it signs, and keep it published until the last token that it signed is over.";
        return Check::wrong(name, says, cure);
    };
    match verifies(token, key, header.alg) {
        Ok(()) => Check::ok(name, "The published keys verify the token."),
        Err(error) => Check::wrong(
            name,
            format!("The published key {kid:?} does not verify the token: {error}."),
            "Publish the very key that signs under that kid, and give a new key a new kid.",
        ),
    }
}

fn algorithm(token: &str) -> Option<String> {
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?;
    serde_json::from_slice::<Value>(&header).ok()?["alg"].as_str().map(str::to_owned)
}

/// The signature alone: audience and time are checks of their own.
fn verifies(token: &str, key: &Jwk, algorithm: jsonwebtoken::Algorithm) -> Result<(), jsonwebtoken::errors::Error> {
    let key = DecodingKey::from_jwk(key)?;
    let mut validation = Validation::new(algorithm);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    jsonwebtoken::decode::<Value>(token, &key, &validation).map(|_| ())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::State;

    #[test]
    fn an_audience_may_be_one_of_several() {
        let wanted = "https://a.example/mcp";
        let state = |aud: Value| audience(&aud, wanted).state;
        assert_eq!(state(json!(wanted)), State::Ok);
        assert_eq!(state(json!(["https://b.example", wanted])), State::Ok);
        assert_eq!(state(json!("https://a.example/mcp/")), State::Wrong, "bytes are compared");
        assert_eq!(state(Value::Null), State::Wrong);
    }

    #[test]
    fn an_algorithm_that_is_not_known_here_is_no_mistake() {
        let state = |header: &str| {
            let token = format!("{}.e30.c2ln", URL_SAFE_NO_PAD.encode(header));
            signature(&token, &JwkSet { keys: Vec::new() }).state
        };
        assert_eq!(state(r#"{"alg":"ES512"}"#), State::LeftOut);
        assert_eq!(state(r#"{"alg":"none"}"#), State::Wrong);
        assert_eq!(state("{}"), State::Wrong);
    }

    #[test]
    fn a_time_is_held_against_what_was_said() {
        let state = |exp: i64, seconds: Option<i64>| {
            let expected = Expected { resource: None, issuer: None, seconds, keys: None, now: Timestamp::default() };
            expiry(&json!({ "exp": exp }), &expected).map(|check| check.state)
        };
        assert_eq!(state(3600, Some(3600)), Some(State::Ok));
        assert_eq!(state(3590, Some(3600)), Some(State::Ok));
        assert_eq!(state(600, Some(3600)), Some(State::Wrong));
        assert_eq!(state(3600, Some(600)), Some(State::Ok), "who refreshes early loses nothing");
        assert_eq!(state(-1, None), Some(State::Wrong));
    }
}
