//! Access tokens as RFC 9068 shapes them: signed by the issuer, meant for this API, not expired.
//! Neighbour: `signing_keys` brings the issuer's public keys.

use chrono::{DateTime, Utc};
use jsonwebtoken::{Header, Validation};
use reqwest::Client;
use serde::Deserialize;

use super::refusal::Refusal;
use super::signing_keys::SigningKeys;

/// Longer than any token the server makes; longer ones are not worth a look.
const TOKEN_BYTES_MAX: usize = 8192;
/// Clocks of two machines differ a little.
const LEEWAY_SECONDS: i64 = 5;

/// What a verified token says.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: Audience,
    exp: i64,
    /// The person; the same one for as long as the plugin exists.
    pub(super) sub: String,
    #[serde(default)]
    scope: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Claims {
    /// Whether the token carries a scope.
    pub(super) fn allows(&self, scope: &str) -> bool {
        contains(&self.scope, scope)
    }

    fn check(self, issuer: &str, audience: &str, now: DateTime<Utc>) -> Result<Self, Refusal> {
        let meant_for_us = match &self.aud {
            Audience::One(one) => one == audience,
            Audience::Several(several) => several.iter().any(|one| one == audience),
        };
        if self.iss != issuer {
            Err(Refusal::InvalidToken("The token is from another issuer."))
        } else if !meant_for_us {
            Err(Refusal::InvalidToken("The token is meant for another API."))
        } else if self.exp.saturating_add(LEEWAY_SECONDS) <= now.timestamp() {
            Err(Refusal::InvalidToken("The token has expired."))
        } else if self.sub.is_empty() || self.sub.len() > 255 {
            Err(Refusal::InvalidToken("The token speaks for nobody."))
        } else {
            Ok(self)
        }
    }
}

/// Whether a space-separated list of scopes holds one.
pub(super) fn contains(scopes: &str, scope: &str) -> bool {
    scopes.split(' ').any(|one| one == scope)
}

/// What a token is held against.
#[derive(Debug)]
pub(super) struct Verifier {
    issuer: String,
    audience: String,
    keys: SigningKeys,
}

impl Verifier {
    pub(super) fn new(issuer: String, audience: String, http: Client) -> Self {
        Self { keys: SigningKeys::new(format!("{issuer}/.well-known/jwks.json"), http), issuer, audience }
    }

    /// The claims of a token that is what it says it is.
    pub(super) async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, Refusal> {
        const FORGED: Refusal = Refusal::InvalidToken("The token is not one of the issuer's.");
        if token.len() > TOKEN_BYTES_MAX {
            return Err(FORGED);
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| FORGED)?;
        if !is_access_token(&header) {
            return Err(Refusal::InvalidToken("This is not an access token."));
        }
        let kid = header.kid.as_deref().ok_or(FORGED)?;
        let key = self.keys.find(kid, now).await?.ok_or(FORGED)?;
        jsonwebtoken::decode::<Claims>(token, &key.decoding, &signature_only(key.algorithm))
            .map_err(|_| FORGED)?
            .claims
            .check(&self.issuer, &self.audience, now)
    }
}

/// RFC 9068 §4: the type keeps ID tokens and other JWTs of the same issuer from being taken for access tokens.
/// RFC 7515 §4.1.11: an extension that is marked critical and not understood makes the token unusable; none is understood here.
fn is_access_token(header: &Header) -> bool {
    let typ = header.typ.as_deref().unwrap_or_default();
    let typ_fits = ["at+jwt", "application/at+jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known));
    typ_fits && header.crit.is_none()
}

/// The library checks the signature; claims are checked here, because the library would read the clock by itself.
fn signature_only(algorithm: jsonwebtoken::Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}
