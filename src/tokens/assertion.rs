//! Client assertions as JSON Web Tokens (RFC 7523, RFC 7515): which key signed one, and what it claims.
//!
//! The key comes from the client's own set and decides the algorithm; nothing in the assertion can bring a key along or
//! choose how it is verified. Whether the claims are good enough is `protocol::client_assertion`'s to say.

use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::{Map, Value};

use super::decode;
use crate::model::{
    Timestamp,
    assertion::AssertionClaims,
    json::{self, Bounds},
    key_set::KeySet,
    legible,
    public_key::{Material, PublicKey, SigningAlgorithm},
};

/// The longest assertion read; one signed with the largest key has a tenth of it.
pub const LENGTH_MAX: usize = 16 * 1024;

/// The most keys tried for an assertion that does not name its own: each try is a signature's worth of work.
const TRIES_MAX: usize = 8;

const PART: Bounds = Bounds { bytes: LENGTH_MAX, depth: 8 };

/// What an assertion says about itself before anything is verified: enough to look the client up by, and no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unverified {
    /// The algorithm in its header.
    pub alg: String,
    /// The key's name in its header.
    pub kid: Option<String>,
    /// Who says to have written it.
    pub iss: Option<String>,
    /// Whom it says to be about.
    pub sub: Option<String>,
}

/// Why an assertion is refused; each message names the member at fault and holds only what an `error_description` may.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionFault {
    /// Longer than [`LENGTH_MAX`].
    #[error("client_assertion: it is longer than {LENGTH_MAX} bytes")]
    TooLong,
    /// Not a JWS in compact serialization (RFC 7515 §7.1).
    #[error("client_assertion: it is not three parts in base64url with dots between them")]
    NotCompact,
    /// The header is not one.
    #[error("client_assertion: {0}")]
    Header(String),
    /// An algorithm that is never accepted, or not from this client.
    #[error("client_assertion: alg {alg} is not accepted, but {accepted}")]
    Algorithm {
        /// The one in the header.
        alg: String,
        /// What would be.
        accepted: String,
    },
    /// RFC 7515 §4.1.11: what is critical must be understood, and no extension is.
    #[error("client_assertion: crit names extensions, and none is understood")]
    Critical,
    /// No key of the set may have made it. The client may have published a new one: worth fetching the set again.
    #[error("client_assertion: {0}")]
    UnknownKey(&'static str),
    /// The key it names is for another algorithm.
    #[error("client_assertion: kid names a key that is not for the algorithm in alg")]
    WrongKey,
    /// The key it names did not make it.
    #[error("client_assertion: the signature is not by the key that kid names")]
    Signature,
    /// The claims are not what claims are.
    #[error("client_assertion: {0}")]
    Claims(String),
}

/// Reads what an assertion says about itself; `None` when it is no assertion.
pub fn peek(text: &str) -> Option<Unverified> {
    let parts = Parts::of(text).ok()?;
    let header = parts.header().ok()?;
    let claims = json::object(&decode(parts.claims)?, PART).ok()?;
    let claim = |name| claims.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    Some(Unverified { alg: header.alg, kid: header.kid, iss: claim("iss"), sub: claim("sub") })
}

/// Verifies the signature with the client's keys and reads the claims. A client that named its algorithm (RFC 7591 §2,
/// `token_endpoint_auth_signing_alg`) is held to it.
pub fn verify(
    text: &str,
    keys: &KeySet,
    registered: Option<SigningAlgorithm>,
) -> Result<AssertionClaims, AssertionFault> {
    let parts = Parts::of(text)?;
    let header = parts.header()?;
    let algorithm = accepted(&header.alg, registered)?;
    if header.is_critical {
        return Err(AssertionFault::Critical);
    }
    check_signature(&parts, &header, keys, algorithm)?;
    let claims = decode(parts.claims).ok_or(AssertionFault::NotCompact)?;
    let claims = json::object(&claims, PART).map_err(|fault| AssertionFault::Claims(format!("its payload {fault}")))?;
    read_claims(&claims).map_err(|(name, problem)| AssertionFault::Claims(format!("{name} {problem}")))
}

/// The three parts as they were sent; `signed` is the first two with their dot.
struct Parts<'a> {
    signed: &'a str,
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
}

struct Header {
    alg: String,
    kid: Option<String>,
    is_critical: bool,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Result<Self, AssertionFault> {
        if text.len() > LENGTH_MAX {
            return Err(AssertionFault::TooLong);
        }
        let split = || {
            let (signed, signature) = text.rsplit_once('.')?;
            let (header, claims) = signed.split_once('.')?;
            (!claims.contains('.')).then_some(Self { signed, header, claims, signature })
        };
        split().ok_or(AssertionFault::NotCompact)
    }

    /// Reads `alg`, `kid` and `crit`. Keys and addresses of keys (`jwk`, `jku`, `x5c`, `x5u`) are never looked at:
    /// whoever forges an assertion can write them too.
    fn header(&self) -> Result<Header, AssertionFault> {
        let bytes = decode(self.header).ok_or(AssertionFault::NotCompact)?;
        let header =
            json::object(&bytes, PART).map_err(|fault| AssertionFault::Header(format!("its header {fault}")))?;
        let text = |name| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(AssertionFault::Header(format!("{name} is not a text"))),
        };
        let alg = text("alg")?.ok_or_else(|| AssertionFault::Header("alg is missing".to_owned()))?;
        Ok(Header { alg, kid: text("kid")?, is_critical: header.contains_key("crit") })
    }
}

fn accepted(alg: &str, registered: Option<SigningAlgorithm>) -> Result<SigningAlgorithm, AssertionFault> {
    let ours = SigningAlgorithm::ALL.into_iter().filter(|ours| registered.is_none_or(|only| only == *ours));
    ours.clone().find(|ours| ours.as_str() == alg).ok_or_else(|| AssertionFault::Algorithm {
        alg: legible::in_a_description(alg),
        accepted: ours.map(SigningAlgorithm::as_str).collect::<Vec<_>>().join(", "),
    })
}

fn check_signature(
    parts: &Parts<'_>,
    header: &Header,
    keys: &KeySet,
    algorithm: SigningAlgorithm,
) -> Result<(), AssertionFault> {
    let kid = header.kid.as_deref();
    let mut fitting = keys.find(kid, algorithm).take(TRIES_MAX).peekable();
    match kid {
        Some(kid) if !keys.names(kid) => {
            return Err(AssertionFault::UnknownKey("kid is not in the client's key set"));
        }
        Some(_) if fitting.peek().is_none() => return Err(AssertionFault::WrongKey),
        _ => {}
    }
    if fitting.any(|key| is_signed_by(parts, key)) {
        return Ok(());
    }
    // Without a name nobody can tell a forgery from a key that is too new to be known here.
    Err(kid.map_or(AssertionFault::UnknownKey("no key of the client's key set made it"), |_| AssertionFault::Signature))
}

/// The algorithm is the key's, not the header's: they were compared, and this holds if that comparison ever goes.
fn is_signed_by(parts: &Parts<'_>, key: &PublicKey) -> bool {
    let algorithm = match key.algorithm() {
        SigningAlgorithm::Rs256 => Algorithm::RS256,
        SigningAlgorithm::Es256 => Algorithm::ES256,
        SigningAlgorithm::EdDsa => Algorithm::EdDSA,
    };
    let key = match key.material() {
        Material::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
        Material::P256(point) => DecodingKey::from_ec_der(point),
        Material::Ed25519(x) => DecodingKey::from_ed_der(x),
    };
    crypto::verify(parts.signature, parts.signed.as_bytes(), &key, algorithm).unwrap_or(false)
}

/// Which claim is at fault, and how.
type ClaimFault = (&'static str, &'static str);

fn read_claims(claims: &Map<String, Value>) -> Result<AssertionClaims, ClaimFault> {
    let text = |name| match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err((name, "is not a text")),
    };
    let time =
        |name| claims.get(name).map(|value| read_time(value).ok_or((name, "is not a time in seconds"))).transpose();
    Ok(AssertionClaims {
        iss: text("iss")?,
        sub: text("sub")?,
        aud: read_audiences(claims.get("aud")).ok_or(("aud", "is neither a text nor an array of texts"))?,
        exp: time("exp")?,
        nbf: time("nbf")?,
        iat: time("iat")?,
        jti: text("jti")?,
    })
}

/// A `NumericDate` (RFC 7519 §2): seconds since 1970, which may have a fraction. Before 1970 nobody signed anything.
fn read_time(value: &Value) -> Option<Timestamp> {
    let since = std::time::Duration::try_from_secs_f64(value.as_f64()?).ok()?;
    Timestamp::from_timestamp_millis(i64::try_from(since.as_millis()).ok()?)
}

fn read_audiences(aud: Option<&Value>) -> Option<Vec<String>> {
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    match aud {
        None => Some(Vec::new()),
        Some(Value::Array(all)) => all.iter().map(text).collect(),
        Some(one) => Some(vec![text(one)?]),
    }
}

#[cfg(test)]
mod tests;
