//! Signing keys for access tokens: ES256 (RFC 7518 §3.4), and RS256 (§3.3) and `EdDSA` (RFC 8037 §3.1) for APIs that
//! verify nothing else; and their public halves as a JWK Set (RFC 7517).

use aws_lc_rs::{
    encoding::AsDer,
    rsa::{self, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Serialize;
use zeroize::Zeroizing;

use super::KeyError;
use crate::model::key::{KeyAlgorithm, Kid};

/// A key pair that signs access tokens.
pub struct SigningKey {
    kid: Kid,
    pair: Pair,
    decoding: DecodingKey,
    jwk: Jwk,
}

/// Read once: reading an RSA key checks it, which takes longer than signing.
enum Pair {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
    EdDsa(Ed25519KeyPair),
}

/// The public half of a signing key (RFC 7517 §4).
#[derive(Clone, Debug, Serialize)]
pub struct Jwk {
    #[serde(flatten)]
    public: Public,
    alg: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    kid: String,
}

/// What the algorithm makes of it (RFC 7518 §6.2.1, §6.3.1; RFC 8037 §2).
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kty")]
enum Public {
    #[serde(rename = "EC")]
    Ec { crv: &'static str, x: String, y: String },
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
    #[serde(rename = "OKP")]
    Okp { crv: &'static str, x: String },
}

impl SigningKey {
    /// Reads a PKCS #8 document.
    pub fn from_pkcs8(kid: Kid, algorithm: KeyAlgorithm, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let unusable = || KeyError::Unusable(kid);
        let (pair, public) = match algorithm {
            KeyAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| unusable())?;
                // SEC 1 §2.3.3: 0x04, then both coordinates at 32 bytes.
                let (x, y) = match pair.public_key().as_ref() {
                    [4, coordinates @ ..] if coordinates.len() == 64 => coordinates.split_at(32),
                    _ => return Err(unusable()),
                };
                let public = Public::Ec { crv: "P-256", x: encode(x), y: encode(y) };
                (Pair::Es256(pair), public)
            }
            KeyAlgorithm::Rs256 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| unusable())?;
                let key = pair.public_key();
                let n = encode(key.modulus().big_endian_without_leading_zero());
                let e = encode(key.exponent().big_endian_without_leading_zero());
                (Pair::Rs256(pair), Public::Rsa { n, e })
            }
            KeyAlgorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| unusable())?;
                let public = Public::Okp { crv: "Ed25519", x: encode(pair.public_key().as_ref()) };
                (Pair::EdDsa(pair), public)
            }
            KeyAlgorithm::HmacSha256 | KeyAlgorithm::Aes256Gcm => return Err(unusable()),
        };
        let decoding = public.decoding().map_err(|_| unusable())?;
        let jwk = Jwk { public, alg: algorithm.as_str(), usage: "sig", kid: kid.to_string() };
        Ok(Self { kid, pair, decoding, jwk })
    }

    /// The name in the header of everything it signs.
    pub fn kid(&self) -> Kid {
        self.kid
    }

    /// The algorithm in the header: what is signed with this key says it, and nothing else is taken for signed with it.
    pub fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Es256(_) => Algorithm::ES256,
            Pair::Rs256(_) => Algorithm::RS256,
            Pair::EdDsa(_) => Algorithm::EdDSA,
        }
    }

    /// Signs.
    #[expect(clippy::disallowed_types, reason = "signing takes the library's own generator, and nothing else")]
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let generator = aws_lc_rs::rand::SystemRandom::new();
        match &self.pair {
            Pair::Es256(pair) => Ok(pair.sign(&generator, message).map_err(|_| KeyError::Refused)?.as_ref().to_vec()),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &generator, message, &mut signature).map_err(|_| KeyError::Refused)?;
                Ok(signature)
            }
            Pair::EdDsa(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
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

impl Public {
    fn decoding(&self) -> Result<DecodingKey, jsonwebtoken::errors::Error> {
        match self {
            Self::Ec { x, y, .. } => DecodingKey::from_ec_components(x, y),
            Self::Rsa { n, e } => DecodingKey::from_rsa_components(n, e),
            Self::Okp { x, .. } => DecodingKey::from_ed_components(x),
        }
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Makes a new key pair, as a PKCS #8 document.
#[expect(clippy::disallowed_types, reason = "key generation takes the library's own generator, and nothing else")]
pub fn generate(algorithm: KeyAlgorithm) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let generator = aws_lc_rs::rand::SystemRandom::new();
    let document = match algorithm {
        KeyAlgorithm::Es256 => {
            let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &generator);
            document.map_err(|_| KeyError::Refused)?.as_ref().to_vec()
        }
        KeyAlgorithm::Rs256 => {
            let pair = rsa::KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Refused)?;
            pair.as_der().map_err(|_| KeyError::Refused)?.as_ref().to_vec()
        }
        KeyAlgorithm::EdDsa => {
            let document = Ed25519KeyPair::generate_pkcs8(&generator);
            document.map_err(|_| KeyError::Refused)?.as_ref().to_vec()
        }
        KeyAlgorithm::HmacSha256 | KeyAlgorithm::Aes256Gcm => return Err(KeyError::Refused),
    };
    Ok(Zeroizing::new(document))
}
