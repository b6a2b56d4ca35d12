//! Signing keys: ES256 (RFC 7518 §3.4) for access tokens, and their public halves as a JWK Set (RFC 7517).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::Serialize;
use zeroize::Zeroizing;

use super::KeyError;
use crate::model::key::Kid;

/// A key pair that signs access tokens.
pub struct SigningKey {
    kid: Kid,
    encoding: EncodingKey,
    decoding: DecodingKey,
    jwk: Jwk,
}

/// The public half of a signing key (RFC 7517 §4, RFC 7518 §6.2.1).
#[derive(Clone, Debug, Serialize)]
pub struct Jwk {
    kty: &'static str,
    crv: &'static str,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    kid: String,
    x: String,
    y: String,
}

impl SigningKey {
    /// Reads a PKCS #8 document.
    pub fn from_pkcs8(kid: Kid, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| KeyError::Unusable(kid))?;
        // SEC 1 §2.3.3: 0x04, then both coordinates at 32 bytes.
        let point = pair.public_key().as_ref();
        let (x, y) = match point {
            [4, coordinates @ ..] if coordinates.len() == 64 => coordinates.split_at(32),
            _ => return Err(KeyError::Unusable(kid)),
        };
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let decoding = DecodingKey::from_ec_components(&x, &y).map_err(|_| KeyError::Unusable(kid))?;
        let jwk = Jwk { kty: "EC", crv: "P-256", alg: "ES256", usage: "sig", kid: kid.to_string(), x, y };
        Ok(Self { kid, encoding: EncodingKey::from_ec_der(pkcs8), decoding, jwk })
    }

    /// The name in the header of everything it signs.
    pub fn kid(&self) -> Kid {
        self.kid
    }

    /// The private half.
    pub fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    /// The public half, for verifying.
    pub fn decoding(&self) -> &DecodingKey {
        &self.decoding
    }

    /// The public half, for publishing.
    pub fn jwk(&self) -> &Jwk {
        &self.jwk
    }
}

/// Makes a new key pair, as a PKCS #8 document.
#[expect(clippy::disallowed_types, reason = "key generation takes the library's own generator, and nothing else")]
pub fn generate() -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &aws_lc_rs::rand::SystemRandom::new())
            .map_err(|_| KeyError::Refused)?;
    Ok(Zeroizing::new(document.as_ref().to_vec()))
}
