//! One public key of a client, as a JSON Web Key (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
//!
//! Three kinds are known, each good for exactly one algorithm, so that a signature never chooses how it is verified.
//! `key_set` reads them as a list; `tokens::assertion` verifies with them.

use std::{fmt, str::FromStr};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::account::UnknownWord;

/// How clients sign their assertions (RFC 7518 §3.1, RFC 8037 §3.1). Nothing symmetric, and never `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl SigningAlgorithm {
    /// All of them, in the order metadata lists them.
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDsa];

    /// The word in headers, keys and metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl FromStr for SigningAlgorithm {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let unknown = || UnknownWord::new("signing algorithm", word);
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == word).ok_or_else(unknown)
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// The longest name of a key; most are a hash or a date.
const KID_LENGTH_MAX: usize = 255;

/// RSA moduli outside this range are too weak, or too slow to verify with (RFC 7518 §3.3 wants 2048 at least).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The numbers a key consists of, big-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Material {
    /// RSA, without leading zeros.
    Rsa {
        /// The modulus.
        n: Vec<u8>,
        /// The exponent.
        e: Vec<u8>,
    },
    /// A point on P-256, uncompressed (SEC 1 §2.3.3): 0x04 and both coordinates.
    P256([u8; 65]),
    /// A point on Ed25519 (RFC 8032 §5.1.2).
    Ed25519([u8; 32]),
}

/// A key a client's assertions can be verified with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    kid: Option<String>,
    material: Material,
}

/// What is wrong about which member.
#[derive(Debug)]
pub(super) struct Fault {
    pub member: &'static str,
    pub problem: String,
}

/// Why a key is not taken.
#[derive(Debug)]
pub(super) enum NotTaken {
    /// It may be in order, but nothing here verifies with it; RFC 7517 §5 wants such keys passed over.
    NotOurs(Fault),
    /// It says that it is one of ours, and is not.
    Wrong(Fault),
    /// It is not public.
    Secret(Fault),
}

fn fault(member: &'static str, problem: impl Into<String>) -> Fault {
    Fault { member, problem: problem.into() }
}

fn not_ours(member: &'static str, problem: impl Into<String>) -> NotTaken {
    NotTaken::NotOurs(fault(member, problem))
}

fn wrong(member: &'static str, problem: impl Into<String>) -> NotTaken {
    NotTaken::Wrong(fault(member, problem))
}

impl PublicKey {
    /// Its name in the headers of what it signed, if it has one.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The numbers it consists of.
    pub fn material(&self) -> &Material {
        &self.material
    }

    /// The only algorithm it is good for.
    pub fn algorithm(&self) -> SigningAlgorithm {
        match self.material {
            Material::Rsa { .. } => SigningAlgorithm::Rs256,
            Material::P256(_) => SigningAlgorithm::Es256,
            Material::Ed25519(_) => SigningAlgorithm::EdDsa,
        }
    }

    pub(super) fn read(key: &Map<String, Value>) -> Result<Self, NotTaken> {
        let kid = text(key, "kid")?;
        if kid.is_some_and(|kid| kid.is_empty() || kid.len() > KID_LENGTH_MAX || kid.chars().any(char::is_control)) {
            return Err(wrong("kid", format!("is not 1 to {KID_LENGTH_MAX} printable characters")));
        }
        let kid = kid.map(ToOwned::to_owned);
        check_use(key)?;
        let kty = text(key, "kty")?.ok_or_else(|| wrong("kty", "is missing"))?;
        let material = match kty {
            "RSA" => rsa(key)?,
            "EC" => p256(key)?,
            "OKP" => ed25519(key)?,
            // A kind that somebody means is a word; what is none may be anything, and is not repeated.
            other if other.len() <= 8 && other.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                return Err(not_ours("kty", format!("is {other}")));
            }
            _ => return Err(not_ours("kty", "is no kind of key".to_owned())),
        };
        let read = Self { kid, material };
        match text(key, "alg")? {
            Some(alg) if alg != read.algorithm().as_str() => {
                Err(not_ours("alg", format!("is not {}", read.algorithm())))
            }
            _ => Ok(read),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut key = match &self.material {
            Material::Rsa { n, e } => json!({ "kty": "RSA", "n": encode(n), "e": encode(e) }),
            Material::P256(point) => {
                json!({ "kty": "EC", "crv": "P-256", "x": encode(&point[1..33]), "y": encode(&point[33..]) })
            }
            Material::Ed25519(x) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(x) }),
        };
        key["use"] = "sig".into();
        key["alg"] = self.algorithm().as_str().into();
        if let Some(kid) = &self.kid {
            key["kid"] = kid.as_str().into();
        }
        key
    }
}

fn text<'a>(key: &'a Map<String, Value>, member: &'static str) -> Result<Option<&'a str>, NotTaken> {
    match key.get(member) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(wrong(member, "is not a text")),
    }
}

/// A key made for something else does not verify signatures (RFC 7517 §4.2, §4.3).
fn check_use(key: &Map<String, Value>) -> Result<(), NotTaken> {
    if text(key, "use")?.is_some_and(|usage| usage != "sig") {
        return Err(not_ours("use", "is not sig"));
    }
    match key.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().any(|operation| operation == "verify") => Ok(()),
        Some(Value::Array(_)) => Err(not_ours("key_ops", "has no verify")),
        Some(_) => Err(wrong("key_ops", "is not an array")),
    }
}

fn number(key: &Map<String, Value>, member: &'static str) -> Result<Vec<u8>, NotTaken> {
    let text = text(key, member)?.ok_or_else(|| wrong(member, "is missing"))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| wrong(member, "is not base64url"))
}

/// RFC 7518 §6.3.1 forbids leading zeros, and some libraries write one all the same.
fn without_zeros(mut number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.drain(..zeros);
    number
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last % 2 == 1)
}

fn rsa(key: &Map<String, Value>) -> Result<Material, NotTaken> {
    let (n, e) = (without_zeros(number(key, "n")?), without_zeros(number(key, "e")?));
    let bits = n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
    if !RSA_BITS.contains(&bits) {
        let range = format!("{} to {}", RSA_BITS.start(), RSA_BITS.end());
        return Err(not_ours("n", format!("has {bits} bits; {range} are accepted")));
    }
    // With exponent 1 anything is its own signature; an honest one is 65537, or at least fits into four bytes.
    let sane = e.len() <= 4 && is_odd(&e) && e != [1];
    if !sane {
        return Err(wrong("e", "is not an odd number from 3 to 4294967295"));
    }
    if !is_odd(&n) {
        return Err(wrong("n", "is not a product of two odd primes"));
    }
    Ok(Material::Rsa { n, e })
}

fn check_curve(key: &Map<String, Value>, ours: &str) -> Result<(), NotTaken> {
    match text(key, "crv")? {
        None => Err(wrong("crv", "is missing")),
        Some(curve) if curve == ours => Ok(()),
        Some(_) => Err(not_ours("crv", format!("is not {ours}"))),
    }
}

fn coordinate(key: &Map<String, Value>, member: &'static str) -> Result<[u8; 32], NotTaken> {
    number(key, member)?.try_into().map_err(|_| wrong(member, "does not have 32 bytes"))
}

fn p256(key: &Map<String, Value>) -> Result<Material, NotTaken> {
    check_curve(key, "P-256")?;
    let mut point = [4; 65];
    point[1..33].copy_from_slice(&coordinate(key, "x")?);
    point[33..].copy_from_slice(&coordinate(key, "y")?);
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| wrong("x", "and y are not a point on P-256"))?;
    Ok(Material::P256(point))
}

fn ed25519(key: &Map<String, Value>) -> Result<Material, NotTaken> {
    check_curve(key, "Ed25519")?;
    let x = coordinate(key, "x")?;
    if is_out_of_range(&x) || is_of_small_order(&x) {
        return Err(wrong("x", "is not the public key of any private one"));
    }
    Ok(Material::Ed25519(x))
}

/// The coordinate without the bit above it, which is the sign of the other one.
fn without_sign(mut point: [u8; 32]) -> [u8; 32] {
    point[31] &= 0x7f;
    point
}

/// 2^255 - 19 and above: another spelling of a smaller number (RFC 8032 §5.1.3, step 1).
fn is_out_of_range(point: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = without_sign(*point);
    highest == 0x7f && middle.iter().all(|byte| *byte == 0xff) && lowest >= 0xed
}

/// Whether it is one of the eight points that come back to zero when they are added to themselves eight times. With
/// such a key anybody can sign anything, and the library that verifies takes them like any other.
fn is_of_small_order(point: &[u8; 32]) -> bool {
    /// Two of order eight; the others are 0, 1 and -1.
    const ORDER_EIGHT: [[u8; 32]; 2] = [
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
            0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
            0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ],
    ];
    let [lowest, middle @ .., highest] = without_sign(*point);
    let all_but_lowest = |byte: u8, top: u8| highest == top && middle.iter().all(|other| *other == byte);
    let zero_or_one = lowest <= 1 && all_but_lowest(0, 0);
    let minus_one = lowest == 0xec && all_but_lowest(0xff, 0x7f);
    zero_or_one || minus_one || ORDER_EIGHT.contains(&without_sign(*point))
}
