//! Access tokens as RFC 9068 JSON Web Tokens: APIs verify them for themselves with the JWKS.

use jsonwebtoken::{Header, Validation};
use serde::{Deserialize, Serialize};

use super::encode;
use crate::{
    keys::{KeyError, ring::Ring},
    model::{Generation, Timestamp, id::FamilyId, key::Kid, public_key::SigningAlgorithm},
};

/// The media type in the header (RFC 9068 §2.1): no other kind of JWT is taken for an access token.
const TYPE: &str = "at+jwt";

/// The claims (RFC 9068 §2.2), and what the token stands with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer.
    pub iss: String,
    /// Whom the API should know: a pairwise subject, or the client itself.
    pub sub: String,
    /// The resource it is for.
    pub aud: String,
    /// The client it was issued to.
    pub client_id: String,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Worth nothing from then on, in seconds since 1970.
    pub exp: i64,
    /// Unique.
    pub jti: String,
    /// What it allows, separated by spaces; absent when there is nothing to name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// When the person signed in, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// The family it stands with; absent when it stands with its client alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<FamilyId>,
    /// The family's access generation, or the client's generation, it was issued under.
    pub generation: Generation,
}

/// A `jti` of 128 random bits.
pub fn jti(random: [u8; 16]) -> String {
    encode(&random)
}

/// Signs the claims with the active key of an algorithm (RFC 7515 §5.1, compact).
pub fn write(ring: &Ring, algorithm: SigningAlgorithm, claims: &Claims) -> Result<String, KeyError> {
    signed(ring, algorithm, TYPE, claims)
}

/// The same for claims of any type (`typ`, RFC 8725 §3.11).
pub(super) fn signed(
    ring: &Ring,
    algorithm: SigningAlgorithm,
    typ: &str,
    claims: &impl Serialize,
) -> Result<String, KeyError> {
    let key = ring.signing(algorithm)?;
    let mut header = Header::new(key.algorithm());
    header.typ = Some(typ.into());
    header.kid = Some(key.kid().to_string());
    let part = |json: Result<Vec<u8>, serde_json::Error>| json.map(|json| encode(&json)).map_err(|_| KeyError::Refused);
    let signed = format!("{}.{}", part(serde_json::to_vec(&header))?, part(serde_json::to_vec(claims))?);
    let signature = encode(&key.sign(signed.as_bytes())?);
    Ok(format!("{signed}.{signature}"))
}

/// Which key a text claims to be signed with.
pub fn kid(text: &str) -> Option<Kid> {
    jsonwebtoken::decode_header(text).ok()?.kid?.parse().ok()
}

/// Reads a token this installation signed and that has not expired at `now`; anything else is `None`. Says nothing
/// about whether its family still stands.
pub fn read(ring: &Ring, issuer: &str, text: &str, now: Timestamp) -> Option<Claims> {
    let header = jsonwebtoken::decode_header(text).ok()?;
    let typed = header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case(TYPE));
    if !typed || header.crit.is_some() {
        return None;
    }
    let key = ring.signing_of(header.kid?.parse().ok()?)?;
    let mut validation = Validation::new(key.algorithm());
    // Audience and expiry are compared here, with the house's own clock and this token's own resource.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.set_issuer(&[issuer]);
    let claims: Claims = jsonwebtoken::decode(text, key.decoding(), &validation).ok()?.claims;
    (now.timestamp() < claims.exp).then_some(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{master::MasterKey, ring};

    #[test]
    fn a_token_lives_until_its_last_second_and_only_for_its_issuer() {
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let master = MasterKey::new([3; 32]);
        let ring = Ring::unwrap(std::slice::from_ref(&master), &ring::first_keys(&master, now).unwrap(), now);
        let claims = Claims {
            iss: "https://as.example".into(),
            sub: "s".into(),
            aud: "https://api.example".into(),
            client_id: "c".into(),
            iat: now.timestamp(),
            exp: now.timestamp() + 10,
            jti: jti([1; 16]),
            scope: "a b".into(),
            auth_time: Some(5),
            family: None,
            generation: 1,
        };
        let text = write(&ring, SigningAlgorithm::Es256, &claims).unwrap();
        let second = chrono::TimeDelta::seconds(1);
        assert_eq!(read(&ring, "https://as.example", &text, now + second * 9), Some(claims));
        assert_eq!(read(&ring, "https://as.example", &text, now + second * 10), None);
        assert_eq!(read(&ring, "https://other.example", &text, now), None);
        let (head, _) = text.rsplit_once('.').unwrap();
        assert_eq!(read(&ring, "https://as.example", &format!("{head}."), now), None);
    }
}
