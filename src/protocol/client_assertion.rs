//! Client assertions (RFC 7523 §3): whether the claims of one prove that this client speaks to this server now.
//!
//! The signature was verified by `tokens::assertion` with the client's own keys; that the id is used once is the
//! store's part, in the transaction of the step the assertion is for.

use chrono::{SubsecRound, TimeDelta};

use super::error::{ErrorCode, OAuthError};
use crate::model::{
    Timestamp,
    assertion::{AssertionClaims, AssertionId},
    digest::Digest,
};

/// How far ahead an assertion may expire (RFC 7523 §3 point 4 lets a server refuse the "unreasonably far"), and how
/// long it may be good for in all. Its id is remembered until it expires: for so long at most, with the skew and what
/// is missing of a whole second.
const LIFETIME_MAX: TimeDelta = TimeDelta::minutes(10);

/// How long ago it may have been written (RFC 7523 §3 point 6).
const AGE_MAX: TimeDelta = TimeDelta::minutes(10);

/// How much a client's clock may be ahead of ours. An expired assertion gets nothing of it: the store forgets ids at
/// their expiry, and one that were accepted later could be used again.
const SKEW: TimeDelta = TimeDelta::seconds(30);

/// The longest `jti` (RFC 7519 §4.1.7); a UUID has 36 characters, the token of a cautious client 64.
const JTI_LENGTH_MAX: usize = 255;

/// Who is expected to speak to whom.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The client whose keys verified the signature.
    pub client_id: &'a str,
    /// This server, as metadata names it.
    pub issuer: &'a str,
    /// Its token endpoint, as metadata names it. Clients sign for either (RFC 7523 §3 point 3).
    pub token_endpoint: &'a str,
}

/// Decides on the claims; answers the id to be used up.
pub fn decide(claims: &AssertionClaims, expected: Expected<'_>, now: Timestamp) -> Result<AssertionId, OAuthError> {
    check_client("iss", claims.iss.as_deref(), expected.client_id)?;
    check_client("sub", claims.sub.as_deref(), expected.client_id)?;
    check_audience(&claims.aud, expected)?;
    let expires_at = check_expiry(claims.exp, now)?;
    check_beginning(claims, now)?;
    check_lifetime(claims, expires_at)?;
    let jti = check_jti(claims.jti.as_deref())?;
    Ok(AssertionId { expires_at: whole_second(expires_at), digest: digest(expected.client_id, jti) })
}

fn refused<T>(what: impl std::fmt::Display) -> Result<T, OAuthError> {
    Err(OAuthError::told(ErrorCode::InvalidClient, format!("client_assertion: {what}")))
}

/// RFC 7523 §3 points 1 and 2: for client authentication both are the client.
fn check_client(name: &'static str, claim: Option<&str>, client_id: &str) -> Result<(), OAuthError> {
    match claim {
        Some(claim) if claim == client_id => Ok(()),
        Some(_) => refused(format_args!("{name} is not the client_id")),
        None => refused(format_args!("{name} is missing")),
    }
}

/// RFC 7523 §3 point 3, byte for byte. An assertion that is also for somebody else is one somebody else could use.
fn check_audience(audiences: &[String], expected: Expected<'_>) -> Result<(), OAuthError> {
    let is_us = |audience: &String| audience == expected.issuer || audience == expected.token_endpoint;
    match audiences {
        [] => refused("aud is missing"),
        all if all.iter().all(is_us) => Ok(()),
        all if all.iter().any(is_us) => refused("aud names others beside this server"),
        _ => refused("aud is not this server"),
    }
}

fn check_expiry(exp: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, OAuthError> {
    match exp {
        None => refused("exp is missing"),
        Some(exp) if exp <= now => refused("exp is in the past"),
        Some(exp) if exp > now + LIFETIME_MAX + SKEW => refused("exp is more than 10 minutes ahead"),
        Some(exp) => Ok(exp),
    }
}

fn check_beginning(claims: &AssertionClaims, now: Timestamp) -> Result<(), OAuthError> {
    if claims.nbf.is_some_and(|nbf| nbf > now + SKEW) {
        return refused("nbf is in the future");
    }
    match claims.iat {
        Some(iat) if iat > now + SKEW => refused("iat is in the future"),
        Some(iat) if iat < now - AGE_MAX => refused("iat is more than 10 minutes ago"),
        _ => Ok(()),
    }
}

/// One that is good for long is not good at all, however little of it is left: whoever copies it gains the whole of it.
/// Both times are of the client's own clock, so the skew is none of this. Of one that does not say when it begins only
/// the end is known.
fn check_lifetime(claims: &AssertionClaims, exp: Timestamp) -> Result<(), OAuthError> {
    let is_long = |beginning| exp - beginning > LIFETIME_MAX;
    match (claims.iat, claims.nbf) {
        (Some(iat), _) if is_long(iat) => refused("exp is more than 10 minutes after iat"),
        (None, Some(nbf)) if is_long(nbf) => refused("exp is more than 10 minutes after nbf"),
        _ => Ok(()),
    }
}

/// RFC 7523 §3 point 7 leaves it open; without it a copied assertion could be used until it expires.
fn check_jti(jti: Option<&str>) -> Result<&str, OAuthError> {
    match jti {
        None => refused("jti is missing"),
        Some(jti) if (1..=JTI_LENGTH_MAX).contains(&jti.len()) && jti.bytes().all(|b| b.is_ascii_graphic()) => Ok(jti),
        Some(_) => refused("jti is not 1 to 255 visible characters"),
    }
}

fn whole_second(time: Timestamp) -> Timestamp {
    let cut = time.trunc_subsecs(0);
    if cut < time { cut + TimeDelta::seconds(1) } else { cut }
}

/// Lengths stand before the texts, so that no other pair makes the same bytes.
fn digest(client_id: &str, jti: &str) -> Digest {
    let mut bytes = b"consentry client assertion v1".to_vec();
    for text in [client_id, jti] {
        bytes.extend((text.len() as u64).to_be_bytes());
        bytes.extend(text.as_bytes());
    }
    Digest::of(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPECTED: Expected<'_> = Expected {
        client_id: "https://c.example/doc",
        issuer: "https://as.example",
        token_endpoint: "https://as.example/token",
    };

    fn now() -> Timestamp {
        Timestamp::from_timestamp_millis(1_800_000_000_000).unwrap()
    }

    fn after(milliseconds: i64) -> Option<Timestamp> {
        now().checked_add_signed(TimeDelta::milliseconds(milliseconds))
    }

    fn good() -> AssertionClaims {
        AssertionClaims {
            iss: Some(EXPECTED.client_id.into()),
            sub: Some(EXPECTED.client_id.into()),
            aud: vec![EXPECTED.issuer.into()],
            exp: after(60_000),
            nbf: None,
            iat: after(0),
            jti: Some("j".into()),
        }
    }

    fn told(change: impl Fn(&mut AssertionClaims)) -> Result<AssertionId, String> {
        let mut claims = good();
        change(&mut claims);
        decide(&claims, EXPECTED, now()).map_err(|error| {
            assert_eq!(error.code, ErrorCode::InvalidClient);
            error.description.strip_prefix("client_assertion: ").unwrap().to_owned()
        })
    }

    #[test]
    fn what_real_clients_send_is_accepted() {
        for audience in [
            vec![EXPECTED.issuer.to_owned()],
            vec![EXPECTED.token_endpoint.to_owned()],
            vec![EXPECTED.token_endpoint.to_owned(), EXPECTED.issuer.to_owned()],
        ] {
            assert!(told(|claims| claims.aud.clone_from(&audience)).is_ok(), "{audience:?}");
        }
        assert!(told(|claims| claims.iat = None).is_ok());
        assert!(told(|claims| claims.nbf = after(30_000)).is_ok());
        assert!(told(|claims| claims.iat = after(30_000)).is_ok());
        assert!(told(|claims| claims.exp = after(1)).is_ok());
        for (beginning, end) in [(30_000, 630_000), (0, 600_000), (-300_000, 300_000), (-599_999, 1)] {
            let (beginning, end) = (after(beginning), after(end));
            assert!(told(|claims| (claims.iat, claims.exp) = (beginning, end)).is_ok(), "{beginning:?}");
            assert!(told(|claims| (claims.iat, claims.nbf, claims.exp) = (None, beginning, end)).is_ok());
        }
        assert!(told(|claims| claims.nbf = after(-3_600_000)).is_ok(), "iat says when it was made");
        assert!(told(|claims| (claims.iat, claims.exp) = (None, after(630_000))).is_ok());
        assert!(told(|claims| claims.jti = Some("~".repeat(255))).is_ok());
    }

    #[test]
    fn anything_else_is_refused_by_name() {
        type Change = fn(&mut AssertionClaims);
        let cases: &[(Change, &str)] = &[
            (|claims| claims.iss = None, "iss is missing"),
            (|claims| claims.sub = None, "sub is missing"),
            (|claims| claims.iss = Some("https://c.example/other".into()), "iss is not the client_id"),
            (|claims| claims.sub = Some("https://C.example/doc".into()), "sub is not the client_id"),
            (|claims| claims.aud.clear(), "aud is missing"),
            (|claims| claims.aud = vec!["https://other.example".into()], "aud is not this server"),
            (|claims| claims.aud = vec!["https://as.example/".into()], "aud is not this server"),
            (|claims| claims.aud = vec!["https://AS.example".into()], "aud is not this server"),
            (|claims| claims.aud = vec!["https://as.example//token".into()], "aud is not this server"),
            (|claims| claims.aud = vec!["https://as.example/authorize".into()], "aud is not this server"),
            (|claims| claims.aud.push("https://rs.example".into()), "aud names others beside this server"),
            (|claims| claims.exp = None, "exp is missing"),
            (|claims| claims.exp = after(0), "exp is in the past"),
            (|claims| claims.exp = after(-29_000), "exp is in the past"),
            (|claims| claims.exp = after(630_001), "exp is more than 10 minutes ahead"),
            (|claims| claims.nbf = after(30_001), "nbf is in the future"),
            (|claims| claims.iat = after(30_001), "iat is in the future"),
            (|claims| claims.iat = after(-600_001), "iat is more than 10 minutes ago"),
            (|claims| claims.exp = after(600_001), "exp is more than 10 minutes after iat"),
            (|claims| claims.iat = after(-540_001), "exp is more than 10 minutes after iat"),
            (
                |claims| (claims.iat, claims.nbf, claims.exp) = (None, after(-300_000), after(300_001)),
                "exp is more than 10 minutes after nbf",
            ),
            // Eighteen minutes, nine of which are over.
            (
                |claims| (claims.iat, claims.exp) = (after(-540_000), after(540_000)),
                "exp is more than 10 minutes after iat",
            ),
            (|claims| claims.jti = None, "jti is missing"),
            (|claims| claims.jti = Some(String::new()), "jti is not 1 to 255 visible characters"),
            (|claims| claims.jti = Some("a b".into()), "jti is not 1 to 255 visible characters"),
            (|claims| claims.jti = Some("\u{e4}".into()), "jti is not 1 to 255 visible characters"),
            (|claims| claims.jti = Some("j".repeat(256)), "jti is not 1 to 255 visible characters"),
        ];
        for (change, expected) in cases {
            assert_eq!(told(change).unwrap_err(), *expected);
        }
    }

    #[test]
    fn the_id_is_of_this_client_and_lasts_as_long_as_the_assertion() {
        let id = |exp, jti: &str| told(|claims| (claims.exp, claims.jti) = (after(exp), Some(jti.into()))).unwrap();
        assert_eq!(id(60_000, "j").expires_at, after(60_000).unwrap());
        assert_eq!(id(60_001, "j").expires_at, after(61_000).unwrap());
        assert_eq!(id(60_000, "j").digest, id(60_999, "j").digest);
        assert_ne!(id(60_000, "j").digest, id(60_000, "k").digest);
        assert_ne!(digest("ab", "c"), digest("a", "bc"));
    }
}
