//! Answers of the owner's own sign-in page: a JWT (RFC 7519), signed with HS256 by the key that is shared with that page
//! alone. HS256, because every language has it in its standard library or next to it, and both sides are the owner's.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

use super::sealed;
use crate::model::{
    Timestamp, legible,
    provider::{OWN, Shown, is_subject},
};

/// The longest text that is read: a challenge in base64 once more, and who somebody is.
pub const LENGTH_MAX: usize = sealed::LENGTH_MAX + sealed::LENGTH_MAX / 2;

/// How long an answer may be good for: it is written when the browser is sent back.
const LIFETIME_MAX: i64 = 300;

/// How far the clocks may be apart, in seconds.
const LEEWAY: i64 = 60;

/// An answer, as it was signed.
#[derive(Debug, Deserialize)]
struct Claims {
    challenge: String,
    sub: String,
    iat: i64,
    exp: i64,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
    name: Option<String>,
}

/// Why an answer is none. The sentences are for the owner's log, and repeat nothing of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadAnswer {
    /// Not signed by the key, not for this server, or not of its form.
    #[error("it is not signed with the shared key, not for this server, or lacks a claim: {0}")]
    NotSigned(String),
    /// Too old, or not yet.
    #[error("it is expired, or the clocks are more than a minute apart")]
    Time,
    /// It would be good for too long.
    #[error("it is good for more than five minutes")]
    TooLong,
    /// Nobody is named.
    #[error("sub is empty, longer than 255 bytes, or has control characters")]
    Subject,
}

/// Reads an answer for this audience: the challenge it is to, and who somebody is.
pub fn read(key: &[u8], text: &str, audience: &str, now: Timestamp) -> Result<(String, Shown), BadAnswer> {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["aud", "exp"]);
    // By the clock of this server, below.
    validation.validate_exp = false;
    let text = if text.len() > LENGTH_MAX { "" } else { text };
    let token = decode::<Claims>(text, &DecodingKey::from_secret(key), &validation)
        .map_err(|error| BadAnswer::NotSigned(legible::in_a_description(&error.to_string())))?;
    let claims = token.claims;
    let now = now.timestamp();
    if claims.exp <= now || claims.iat > now.saturating_add(LEEWAY) {
        return Err(BadAnswer::Time);
    }
    if claims.exp.saturating_sub(claims.iat) > LIFETIME_MAX {
        return Err(BadAnswer::TooLong);
    }
    if !is_subject(&claims.sub) {
        return Err(BadAnswer::Subject);
    }
    let shown = Shown {
        provider: OWN.to_owned(),
        subject: claims.sub,
        email: claims.email.and_then(|email| email.parse().ok()),
        email_verified: claims.email_verified,
        name: claims.name.as_deref().and_then(legible::name),
    };
    Ok((claims.challenge, shown))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};
    use serde_json::{Value, json};

    use super::*;

    const KEY: &[u8] = b"0f3a9c71e2b84d56a7c0d91b2e6f8435";
    const HERE: &str = "https://consent.example";

    fn now() -> Timestamp {
        Timestamp::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn answer(change: &Value, algorithm: Algorithm, key: &[u8]) -> String {
        let mut claims = json!({
            "aud": HERE, "challenge": "c", "sub": "42", "iat": 1_800_000_000, "exp": 1_800_000_060,
            "email": "Ada@Example.com", "email_verified": true, "name": "Ada",
        });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        encode(&Header::new(algorithm), &claims, &EncodingKey::from_secret(key)).unwrap()
    }

    fn told(change: &Value) -> Result<(String, Shown), BadAnswer> {
        read(KEY, &answer(change, Algorithm::HS256, KEY), HERE, now())
    }

    #[test]
    fn an_answer_says_who_somebody_is() {
        let (challenge, shown) = told(&json!({})).unwrap();
        assert_eq!((challenge.as_str(), shown.provider.as_str(), shown.subject.as_str()), ("c", OWN, "42"));
        assert_eq!(shown.verified_email().unwrap().as_str(), "ada@example.com");
        let (_, shown) = told(&json!({ "email_verified": null, "name": "a\u{202e}b" })).unwrap();
        assert!(shown.verified_email().is_none() && shown.name.is_none());
    }

    #[test]
    fn what_was_not_signed_for_us_by_the_key_is_no_answer() {
        for change in [
            json!({ "aud": "https://other.example" }),
            json!({ "aud": null }),
            json!({ "exp": null }),
            json!({ "iat": null }),
            json!({ "challenge": null }),
            json!({ "sub": 42 }),
            json!({ "sub": null }),
            json!({ "email_verified": "true" }),
        ] {
            assert!(matches!(told(&change.clone()), Err(BadAnswer::NotSigned(_))), "{change}");
        }
        let other_key = answer(&json!({}), Algorithm::HS256, b"another key of the same length..");
        let other_algorithm = answer(&json!({}), Algorithm::HS512, KEY);
        let good = answer(&json!({}), Algorithm::HS256, KEY);
        let (_, rest) = good.split_once('.').unwrap();
        let unsigned = format!("eyJhbGciOiJub25lIn0.{}.", rest.split_once('.').unwrap().0);
        for text in [other_key.as_str(), &other_algorithm, &unsigned, "", "a.b.c", &good[1..]] {
            assert!(matches!(read(KEY, text, HERE, now()), Err(BadAnswer::NotSigned(_))), "{text}");
        }
    }

    #[test]
    fn an_answer_is_of_now_and_about_somebody() {
        for (change, why) in [
            (json!({ "exp": 1_800_000_000 }), BadAnswer::Time),
            (json!({ "iat": 1_800_000_061 }), BadAnswer::Time),
            (json!({ "exp": 1_800_000_301 }), BadAnswer::TooLong),
            (json!({ "iat": i64::MIN }), BadAnswer::TooLong),
            (json!({ "sub": "" }), BadAnswer::Subject),
            (json!({ "sub": "a\n" }), BadAnswer::Subject),
        ] {
            assert_eq!(told(&change.clone()).unwrap_err(), why, "{change}");
        }
    }
}
