//! Assertions: what is read from an honest one, and the forgeries.

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    hmac,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
        RsaEncoding, RsaKeyPair,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::*;
use crate::tokens::encode;

struct Client {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

impl Client {
    fn new() -> Self {
        Self {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            ed: Ed25519KeyPair::generate().unwrap(),
        }
    }

    fn n(&self) -> Vec<u8> {
        self.rsa.public_key().modulus().big_endian_without_leading_zero().to_vec()
    }

    fn keys(&self) -> KeySet {
        let point = self.ec.public_key().as_ref();
        let keys = json!({ "keys": [
            { "kty": "RSA", "kid": "r", "n": encode(&self.n()), "e": "AQAB" },
            { "kty": "EC", "crv": "P-256", "kid": "e", "x": encode(&point[1..33]), "y": encode(&point[33..]) },
            { "kty": "OKP", "crv": "Ed25519", "kid": "o", "x": encode(self.ed.public_key().as_ref()) },
        ]});
        KeySet::of_value(&keys).unwrap()
    }

    #[expect(clippy::disallowed_types, reason = "signing takes the library's own generator, and nothing else")]
    fn rsa_signature(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.rsa.public_modulus_len()];
        let random = aws_lc_rs::rand::SystemRandom::new();
        self.rsa.sign(encoding, &random, message, &mut signature).unwrap();
        signature
    }

    #[expect(clippy::disallowed_types, reason = "signing takes the library's own generator, and nothing else")]
    fn ec_signature(&self, message: &[u8]) -> Vec<u8> {
        self.ec.sign(&aws_lc_rs::rand::SystemRandom::new(), message).unwrap().as_ref().to_vec()
    }

    /// What an honest client with this algorithm would send.
    fn sign(&self, alg: &str, header: &str, claims: &str) -> String {
        assemble(header, claims, |message| match alg {
            "RS256" => self.rsa_signature(&RSA_PKCS1_SHA256, message),
            "PS256" => self.rsa_signature(&RSA_PSS_SHA256, message),
            "ES256" => self.ec_signature(message),
            _ => self.ed.sign(message).as_ref().to_vec(),
        })
    }
}

fn assemble(header: &str, claims: &str, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let signed = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
    let signature = encode(&sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

const CLAIMS: &str = r#"{"iss":"c","sub":"c","aud":"https://as.example","exp":1800000000,"jti":"j"}"#;

fn told(text: &str, keys: &KeySet) -> String {
    verify(text, keys, None).unwrap_err().to_string()
}

#[test]
fn every_algorithm_is_verified_with_and_without_a_name() {
    let client = Client::new();
    let keys = client.keys();
    for (alg, kid) in [("RS256", "r"), ("ES256", "e"), ("EdDSA", "o")] {
        for header in [format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#), format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#)] {
            let text = client.sign(alg, &header, CLAIMS);
            let claims = verify(&text, &keys, None).unwrap();
            assert_eq!(claims.iss.as_deref(), Some("c"));
            assert_eq!(claims.aud, ["https://as.example"]);
            assert_eq!(claims.exp.unwrap().timestamp(), 1_800_000_000);
            assert!(verify(&text, &keys, alg.parse().ok()).is_ok());
        }
    }
    let text = client.sign("ES256", r#"{"alg":"ES256","kid":"e"}"#, CLAIMS);
    assert_eq!(
        verify(&text, &keys, Some(SigningAlgorithm::Rs256)).unwrap_err().to_string(),
        "client_assertion: alg ES256 is not accepted, but RS256"
    );
}

#[test]
fn what_was_changed_or_signed_by_somebody_else_is_refused() {
    let (client, other) = (Client::new(), Client::new());
    let keys = client.keys();
    for (alg, kid) in [("RS256", "r"), ("ES256", "e"), ("EdDSA", "o")] {
        let named = format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
        let text = client.sign(alg, &named, CLAIMS);
        let (signed, signature) = text.rsplit_once('.').unwrap();
        let (header, _) = signed.split_once('.').unwrap();
        let changed = format!("{header}.{}.{signature}", encode(CLAIMS.replace('c', "d").as_bytes()));
        for forged in [changed, format!("{signed}."), format!("{text}="), other.sign(alg, &named, CLAIMS)] {
            assert_eq!(verify(&forged, &keys, None), Err(AssertionFault::Signature), "{alg}");
        }
        let unnamed = other.sign(alg, &format!(r#"{{"alg":"{alg}"}}"#), CLAIMS);
        assert!(matches!(verify(&unnamed, &keys, None), Err(AssertionFault::UnknownKey(_))));
        let renamed = client.sign(alg, &format!(r#"{{"alg":"{alg}","kid":"new"}}"#), CLAIMS);
        assert!(matches!(verify(&renamed, &keys, None), Err(AssertionFault::UnknownKey(_))));
    }
}

#[test]
fn a_name_of_a_key_of_another_kind_does_not_fit() {
    let client = Client::new();
    for (alg, kid) in [("ES256", "r"), ("RS256", "e"), ("EdDSA", "e"), ("RS256", "o")] {
        let text = client.sign(alg, &format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#), CLAIMS);
        assert_eq!(verify(&text, &client.keys(), None), Err(AssertionFault::WrongKey), "{alg} with {kid}");
    }
}

#[test]
fn a_public_key_is_never_taken_for_a_shared_secret() {
    let client = Client::new();
    let public: PublicKeyX509Der<'_> = client.rsa.public_key().as_der().unwrap();
    let pem = |bytes: &[u8]| {
        let body = STANDARD.encode(bytes);
        let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n")).into_bytes()
    };
    let secrets = [
        client.n(),
        encode(&client.n()).into_bytes(),
        public.as_ref().to_vec(),
        client.rsa.public_key().as_ref().to_vec(),
        pem(public.as_ref()),
        client.ec.public_key().as_ref().to_vec(),
        client.ed.public_key().as_ref().to_vec(),
        client.keys().as_json().into_bytes(),
        Vec::new(),
    ];
    for secret in secrets {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let mac = |message: &[u8]| hmac::sign(&key, message).as_ref().to_vec();
        for alg in ["HS256", "HS384", "HS512", "hs256", "RS256", "ES256", "EdDSA"] {
            for kid in [r#","kid":"r""#, ""] {
                let text = assemble(&format!(r#"{{"alg":"{alg}"{kid}}}"#), CLAIMS, mac);
                assert!(verify(&text, &client.keys(), None).is_err(), "{alg}");
            }
        }
    }
}

#[test]
fn other_algorithms_are_refused_by_name() {
    let client = Client::new();
    for alg in ["none", "None", "", "HS256", "PS256", "RS512", "ES384", "Ed25519", "rs256", "RS256 "] {
        for sign in [|_: &[u8]| Vec::new(), |_: &[u8]| vec![0; 64]] {
            let text = assemble(&format!(r#"{{"alg":"{alg}","kid":"r"}}"#), CLAIMS, sign);
            let expected = format!("client_assertion: alg {alg} is not accepted, but RS256, ES256, EdDSA");
            assert_eq!(told(&text, &client.keys()), expected);
        }
    }
    let pss_as_pkcs1 = client.sign("PS256", r#"{"alg":"RS256","kid":"r"}"#, CLAIMS);
    assert_eq!(verify(&pss_as_pkcs1, &client.keys(), None), Err(AssertionFault::Signature));
}

#[test]
fn a_key_that_comes_along_is_ignored() {
    let (client, forger) = (Client::new(), Client::new());
    let own = json!({ "kty": "RSA", "n": encode(&forger.n()), "e": "AQAB" });
    for (member, value) in [
        ("jwk", own),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["AAAA"])),
        ("x5t", json!("AAAA")),
    ] {
        let header = json!({ "alg": "RS256", "kid": "r", member: value }).to_string();
        assert_eq!(
            verify(&forger.sign("RS256", &header, CLAIMS), &client.keys(), None),
            Err(AssertionFault::Signature)
        );
        assert!(verify(&client.sign("RS256", &header, CLAIMS), &client.keys(), None).is_ok(), "ignored, not refused");
    }
}

#[test]
fn headers_and_claims_that_are_none_are_refused_by_name() {
    let client = Client::new();
    for (header, expected) in [
        (r#"{"alg":"EdDSA","crit":["x"],"x":1}"#, "crit names extensions, and none is understood"),
        (r#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#, "crit names extensions, and none is understood"),
        (r#"{"alg":"EdDSA","crit":[]}"#, "crit names extensions, and none is understood"),
        (r#"{"alg":"EdDSA","alg":"none"}"#, "its header has the member alg twice"),
        (r#"{"kid":"o"}"#, "alg is missing"),
        (r#"{"alg":["EdDSA"]}"#, "alg is not a text"),
        (r#"{"alg":"EdDSA","kid":7}"#, "kid is not a text"),
        ("EdDSA", "its header is not a JSON object"),
    ] {
        let text = client.sign("EdDSA", header, CLAIMS);
        assert_eq!(told(&text, &client.keys()), format!("client_assertion: {expected}"));
    }
    for (claims, expected) in [
        (r#"{"iss":"c","iss":"d"}"#, "its payload has the member iss twice"),
        (r#"{"jti":"a","x":{"y":1,"y":2}}"#, "its payload has the member y twice"),
        (r#"{"iss":1}"#, "iss is not a text"),
        (r#"{"jti":null}"#, "jti is not a text"),
        (r#"{"aud":{}}"#, "aud is neither a text nor an array of texts"),
        (r#"{"aud":["a",1]}"#, "aud is neither a text nor an array of texts"),
        (r#"{"exp":"1800000000"}"#, "exp is not a time in seconds"),
        (r#"{"exp":1e300}"#, "exp is not a time in seconds"),
        (r#"{"nbf":-5}"#, "nbf is not a time in seconds"),
        (r#"{"iat":true}"#, "iat is not a time in seconds"),
        ("[]", "its payload is not a JSON object"),
        ("", "its payload is not a JSON object"),
    ] {
        let text = client.sign("EdDSA", r#"{"alg":"EdDSA"}"#, claims);
        assert_eq!(told(&text, &client.keys()), format!("client_assertion: {expected}"));
    }
}

#[test]
fn times_may_have_fractions_and_audiences_may_be_many() {
    let client = Client::new();
    let text = client.sign("EdDSA", r#"{"alg":"EdDSA"}"#, r#"{"exp":1800000000.5,"iat":1.7e9,"aud":["a","b"]}"#);
    let claims = verify(&text, &client.keys(), None).unwrap();
    assert_eq!(claims.exp.unwrap().timestamp_millis(), 1_800_000_000_500);
    assert_eq!(claims.iat.unwrap().timestamp(), 1_700_000_000);
    assert_eq!(claims.aud, ["a", "b"]);
    assert_eq!((claims.jti, claims.nbf), (None, None));
}

#[test]
fn what_is_no_assertion_is_neither_peeked_into_nor_verified() {
    let client = Client::new();
    for text in ["", ".", "..", "a.b", "a.b.c.d", "{}.{}.", "e30=.e30=.", "e30.e30.AA"] {
        assert_eq!(peek(text), None, "{text}");
        assert!(verify(text, &client.keys(), None).is_err(), "{text}");
    }
    let long = format!("{}.e30.AA", "A".repeat(LENGTH_MAX));
    assert_eq!((peek(&long), verify(&long, &client.keys(), None)), (None, Err(AssertionFault::TooLong)));
    let seen = peek(&client.sign("EdDSA", r#"{"alg":"EdDSA","kid":"o"}"#, CLAIMS)).unwrap();
    assert_eq!((seen.alg.as_str(), seen.kid.as_deref()), ("EdDSA", Some("o")));
    assert_eq!((seen.iss.as_deref(), seen.sub.as_deref()), (Some("c"), Some("c")));
}
