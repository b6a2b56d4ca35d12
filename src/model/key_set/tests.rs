//! Key sets: what is kept, what is passed over, and what is refused by name.

use aws_lc_rs::{
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn rsa() -> Value {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
    json!({ "kty": "RSA", "kid": "r", "n": encode(n.big_endian_without_leading_zero()),
            "e": encode(e.big_endian_without_leading_zero()) })
}

fn p256() -> Value {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    json!({ "kty": "EC", "crv": "P-256", "kid": "e", "x": encode(&point[1..33]), "y": encode(&point[33..]) })
}

fn ed25519() -> Value {
    let pair = Ed25519KeyPair::generate().unwrap();
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": "o", "x": encode(pair.public_key().as_ref()) })
}

fn with(mut key: Value, member: &str, value: impl Into<Value>) -> Value {
    key[member] = value.into();
    key
}

fn without(mut key: Value, member: &str) -> Value {
    key.as_object_mut().unwrap().remove(member);
    key
}

fn read(keys: &[Value]) -> Result<KeySet, String> {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn every_known_kind_is_kept_and_read_again() {
    let set = read(&[with(rsa(), "use", "sig"), with(p256(), "alg", "ES256"), ed25519()]).unwrap();
    assert_eq!(KeySet::parse(set.as_json().as_bytes()), Ok(set.clone()));
    for (algorithm, kid) in SigningAlgorithm::ALL.into_iter().zip(["r", "e", "o"]) {
        assert_eq!(set.find(Some(kid), algorithm).count(), 1);
        assert_eq!(set.find(None, algorithm).count(), 1);
        assert_eq!(set.find(Some("x"), algorithm).count(), 0);
    }
    assert_eq!(set.find(Some("r"), SigningAlgorithm::Es256).count(), 0, "a key is good for its own algorithm only");
    assert!(set.names("r") && !set.names("x"));
}

#[test]
fn what_is_kept_holds_only_what_was_understood() {
    let key = with(with(ed25519(), "x5u", "https://evil.example/"), "key_ops", json!(["verify"]));
    let kept = read(&[key]).unwrap().as_json();
    assert!(!kept.contains("evil") && kept.contains(r#""alg":"EdDSA""#), "{kept}");
    let padded = with(rsa(), "e", encode(&[0, 1, 0, 1]));
    assert!(read(&[padded]).unwrap().as_json().contains(r#""e":"AQAB""#));
}

#[test]
fn keys_for_something_else_are_passed_over() {
    let short = encode(&[0xff; 128]);
    let long = encode(&[0xff; 1025]);
    for (other, why) in [
        (json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AA" }), "keys[0].kty is AKP"),
        (with(p256(), "crv", "P-384"), "keys[0].crv is not P-256"),
        (with(ed25519(), "crv", "X25519"), "keys[0].crv is not Ed25519"),
        (with(rsa(), "use", "enc"), "keys[0].use is not sig"),
        (with(rsa(), "alg", "PS256"), "keys[0].alg is not RS256"),
        (with(rsa(), "alg", "HS256"), "keys[0].alg is not RS256"),
        (with(rsa(), "key_ops", json!(["encrypt"])), "keys[0].key_ops has no verify"),
        (with(rsa(), "n", short.as_str()), "keys[0].n has 1024 bits; 2048 to 8192 are accepted"),
        (with(rsa(), "n", long.as_str()), "keys[0].n has 8200 bits; 2048 to 8192 are accepted"),
    ] {
        let error = read(std::slice::from_ref(&other)).unwrap_err();
        assert_eq!(error, format!("keys has no key that can be used here: {why}"));
        assert_eq!(read(&[other, ed25519()]).unwrap().iter().count(), 1);
    }
}

#[test]
fn a_key_anybody_can_sign_for_is_refused() {
    let number = |lowest: u8, others: u8, highest: u8| {
        let mut point = [others; 32];
        (point[0], point[31]) = (lowest, highest);
        point
    };
    let order_eight = "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU";
    let mut order_eight: Vec<u8> = URL_SAFE_NO_PAD.decode(order_eight).unwrap();
    let identity = number(1, 0, 0);
    // What this is about: with the identity for a key, this signature is good under every text.
    let forged = [identity, [0; 32]].concat();
    let key = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, identity);
    assert!(key.verify(b"anything", &forged).is_ok(), "the library takes it");
    let mut points = vec![
        ("zero", number(0, 0, 0).to_vec()),
        ("one", identity.to_vec()),
        ("one, with a sign", number(1, 0, 0x80).to_vec()),
        ("minus one", number(0xec, 0xff, 0x7f).to_vec()),
        ("zero, spelled as the prime", number(0xed, 0xff, 0x7f).to_vec()),
        ("one, spelled beyond the prime", number(0xee, 0xff, 0xff).to_vec()),
        ("two, spelled beyond the prime", number(0xef, 0xff, 0x7f).to_vec()),
        ("order eight", order_eight.clone()),
    ];
    order_eight[31] |= 0x80;
    points.push(("order eight, with a sign", order_eight));
    for (what, point) in points {
        let error = read(&[with(ed25519(), "x", encode(&point))]).unwrap_err();
        assert_eq!(error, "keys[0].x is not the public key of any private one", "{what}");
    }
    // Its neighbours are none of these; whether they lie on the curve shows when a signature is verified.
    for point in [number(2, 0, 0), number(0xeb, 0xff, 0x7f), number(0xec, 0xff, 0x7e)] {
        assert!(read(&[with(ed25519(), "x", encode(&point))]).is_ok());
    }
}

#[test]
fn a_damaged_key_is_refused_by_name() {
    let even = encode(&[vec![0xff; 255], vec![0xfe]].concat());
    for (key, expected) in [
        (with(rsa(), "n", "a b"), "keys[1].n is not base64url"),
        (with(rsa(), "n", "AQ=="), "keys[1].n is not base64url"),
        (with(rsa(), "n", 5), "keys[1].n is not a text"),
        (with(rsa(), "n", even.as_str()), "keys[1].n is not a product of two odd primes"),
        (without(rsa(), "n"), "keys[1].n is missing"),
        (without(rsa(), "e"), "keys[1].e is missing"),
        (with(rsa(), "e", "AQ"), "keys[1].e is not an odd number from 3 to 4294967295"),
        (with(rsa(), "e", "Ag"), "keys[1].e is not an odd number from 3 to 4294967295"),
        (with(rsa(), "e", "AQAAAAAB"), "keys[1].e is not an odd number from 3 to 4294967295"),
        (without(rsa(), "kty"), "keys[1].kty is missing"),
        (with(rsa(), "kid", 1), "keys[1].kid is not a text"),
        (with(rsa(), "alg", true), "keys[1].alg is not a text"),
        (with(rsa(), "key_ops", "verify"), "keys[1].key_ops is not an array"),
        (without(p256(), "crv"), "keys[1].crv is missing"),
        (with(p256(), "x", "AQ"), "keys[1].x does not have 32 bytes"),
        (with(p256(), "y", encode(&[1; 32])), "keys[1].x and y are not a point on P-256"),
        (with(ed25519(), "x", "AQ"), "keys[1].x does not have 32 bytes"),
        (json!("key"), "keys[1] is not an object"),
    ] {
        assert_eq!(read(&[ed25519(), key]).unwrap_err(), expected);
    }
}

#[test]
fn a_damaged_key_that_is_published_leaves_the_others_in_order() {
    let published = |keys: &[Value]| KeySet::parse_published(json!({ "keys": keys }).to_string().as_bytes());
    for (damaged, told) in [
        (without(rsa(), "n"), "keys[0].n is missing"),
        (with(rsa(), "n", "a b"), "keys[0].n is not base64url"),
        (with(rsa(), "e", "AQ"), "keys[0].e is not an odd number from 3 to 4294967295"),
        (with(rsa(), "kid", 1), "keys[0].kid is not a text"),
        (with(rsa(), "kid", ""), "keys[0].kid is not 1 to 255 printable characters"),
        (with(rsa(), "use", 1), "keys[0].use is not a text"),
        (with(rsa(), "key_ops", "verify"), "keys[0].key_ops is not an array"),
        (json!("key"), "keys[0] is not an object"),
    ] {
        let (set, spoilt) = published(&[damaged.clone(), with(p256(), "x", "AQ"), ed25519()]).unwrap();
        assert_eq!((set.iter().count(), spoilt.unwrap().to_string().as_str()), (1, told), "the first one is told");
        let nothing_left = published(std::slice::from_ref(&damaged)).unwrap_err();
        assert_eq!(nothing_left.to_string(), format!("keys has no key that can be used here: {told}"));
        assert!(read(&[damaged, ed25519()]).is_err(), "whoever sends a set is told");
    }
    let (set, spoilt) = published(&[with(rsa(), "use", "enc"), ed25519()]).unwrap();
    assert!(set.iter().count() == 1 && spoilt.is_none(), "a key for something else is nothing to speak of");
    for text in ["<html>", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[]}"#] {
        assert!(KeySet::parse_published(text.as_bytes()).is_err(), "{text} is no set");
    }
}

#[test]
fn a_secret_spoils_the_whole_set() {
    for member in PRIVATE {
        let error = read(&[ed25519(), with(p256(), member, "AQ")]).unwrap_err();
        assert_eq!(error, format!("keys[1].{member} is secret; publish public keys only, and change this one"));
    }
    for secret in [with(p256(), "d", "AQ"), json!({ "kty": "oct" }), json!({ "kty": "oct", "k": "AQ" })] {
        let set = json!({ "keys": [ed25519(), secret] }).to_string();
        assert!(KeySet::parse_published(set.as_bytes()).is_err(), "published by mistake, it is known to everybody");
    }
    let error = read(&[json!({ "kty": "oct" })]).unwrap_err();
    assert_eq!(error, "keys[0].kty is oct, a secret; publish public keys only");
    assert!(read(&[json!({ "kty": "new", "d": "AQ" }), ed25519()]).is_err());
}

#[test]
fn a_set_that_is_none_is_refused() {
    for (text, expected) in [
        ("", "the key set is not a JSON object"),
        ("{}", "keys is missing"),
        (r#"{"keys":{}}"#, "keys is not an array"),
        (r#"{"keys":[]}"#, "keys is empty"),
        (r#"{"keys":[],"keys":[]}"#, "the key set has the member keys twice"),
        (r#"{"keys":[{"kty":"RSA","kty":"oct"}]}"#, "the key set has the member kty twice"),
        (r#"{"keys":[[[[[[[[]]]]]]]]}"#, "the key set is nested more than 8 levels deep"),
    ] {
        assert_eq!(KeySet::parse(text.as_bytes()).unwrap_err().to_string(), expected);
    }
    let huge = " ".repeat(BYTES_MAX + 1);
    assert_eq!(
        KeySet::parse(huge.as_bytes()).unwrap_err().under("jwks").to_string(),
        "jwks has 65537 bytes; at most 65536 are read"
    );
}

#[test]
fn no_more_keys_are_kept_than_anybody_needs() {
    let many = vec![ed25519(); KEYS_MAX + 5];
    assert_eq!(read(&many).unwrap().iter().count(), KEYS_MAX);
}
