//! A client with keys of its own: its key set, and assertions signed with it as real ones are, or as an attacker's.

use std::sync::OnceLock;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::KeySize,
    signature::{Ed25519KeyPair, KeyPair as _, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use consentry::{
    keys::signing::SigningKey,
    model::{
        Timestamp,
        key::{KeyAlgorithm, Kid},
    },
    random,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

/// A key pair, and the name it is published under.
#[derive(Clone)]
pub struct Signer {
    /// The name.
    pub kid: String,
    algorithm: Algorithm,
    key: EncodingKey,
    public: Value,
}

/// A private key and the two numbers of the public one, made once.
type RsaPair = OnceLock<(Vec<u8>, Vec<u8>, Vec<u8>)>;

impl Signer {
    /// A key such as ChatGPT's. All tests share one pair: making one takes long.
    pub fn rs256(kid: &str) -> Self {
        static PAIR: RsaPair = RsaPair::new();
        Self::of_rsa(kid, &PAIR)
    }

    /// Another one of the same kind, such as an attacker has.
    pub fn another_rs256(kid: &str) -> Self {
        static PAIR: RsaPair = RsaPair::new();
        Self::of_rsa(kid, &PAIR)
    }

    fn of_rsa(kid: &str, pair: &'static RsaPair) -> Self {
        let (private, modulus, exponent) = pair.get_or_init(|| {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
            let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
            let public = pair.public_key();
            let bytes = |part: &[u8]| part.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<u8>>();
            (
                der.as_ref().to_vec(),
                bytes(public.modulus().big_endian_without_leading_zero()),
                bytes(public.exponent().big_endian_without_leading_zero()),
            )
        });
        let public = json!({ "kty": "RSA", "alg": "RS256", "n": text(modulus), "e": text(exponent) });
        // PKCS #8 wraps the PKCS #1 document that the library reads.
        let key = EncodingKey::from_rsa_der(pkcs1(private));
        Self::of(kid, Algorithm::RS256, key, public)
    }

    /// An elliptic key of its own.
    pub fn es256(kid: &str) -> Self {
        let pkcs8 = consentry::keys::signing::generate(KeyAlgorithm::Es256).unwrap();
        let key = SigningKey::from_pkcs8(Kid(1), KeyAlgorithm::Es256, &pkcs8).unwrap();
        let published = serde_json::to_value(key.jwk()).unwrap();
        let public = json!({ "kty": "EC", "alg": "ES256", "crv": "P-256", "x": published["x"], "y": published["y"] });
        Self::of(kid, Algorithm::ES256, EncodingKey::from_ec_der(&pkcs8), public)
    }

    /// An Edwards key of its own.
    pub fn eddsa(kid: &str) -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let public = json!({ "kty": "OKP", "alg": "EdDSA", "crv": "Ed25519", "x": text(pair.public_key().as_ref()) });
        let document = pair.to_pkcs8v1().unwrap();
        Self::of(kid, Algorithm::EdDSA, EncodingKey::from_ed_der(document.as_ref()), public)
    }

    fn of(kid: &str, algorithm: Algorithm, key: EncodingKey, mut public: Value) -> Self {
        public["kid"] = kid.into();
        public["use"] = "sig".into();
        Self { kid: kid.into(), algorithm, key, public }
    }

    /// Its set, as it is published.
    pub fn key_set(&self) -> Value {
        json!({ "keys": [self.public] })
    }

    /// The claims of an honest assertion that is good for a minute.
    pub fn claims(client_id: &str, audience: &str, now: Timestamp) -> Value {
        json!({
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "iat": now.timestamp(),
            "exp": now.timestamp() + 60,
            "jti": text(&random::bytes::<16>()),
        })
    }

    /// Signs any claims.
    pub fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.key).unwrap()
    }

    /// Signs any claims without saying with which key, as some clients do.
    pub fn sign_without_name(&self, claims: &Value) -> String {
        jsonwebtoken::encode(&Header::new(self.algorithm), claims, &self.key).unwrap()
    }

    /// Signs any claims under a header with further members; one that is null is left out.
    pub fn sign_with(&self, members: &Value, claims: &Value) -> String {
        let mut header = json!({ "alg": format!("{:?}", self.algorithm), "kid": self.kid });
        let all = header.as_object_mut().unwrap();
        all.extend(members.as_object().unwrap().clone());
        all.retain(|_, value| !value.is_null());
        let message = format!("{}.{}", text(header.to_string().as_bytes()), text(claims.to_string().as_bytes()));
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }

    /// An honest assertion, good for a minute, that nobody has used.
    pub fn assertion(&self, client_id: &str, audience: &str, now: Timestamp) -> String {
        self.sign(&Self::claims(client_id, audience, now))
    }
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What stands in the last octet string of a PKCS #8 document (RFC 5958 §2): it is long, so its length has two bytes.
fn pkcs1(pkcs8: &[u8]) -> &[u8] {
    let start = pkcs8.windows(2).skip(4).position(|window| window == [0x04, 0x82]).unwrap() + 4;
    &pkcs8[start + 4..]
}
