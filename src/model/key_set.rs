//! A client's key set (RFC 7517 §5): the public keys its assertions are verified with.
//!
//! Read from what a client publishes, registers or hands over as a file; kept as the JSON of [`KeySet::as_json`], which
//! holds nothing but what was understood. `public_key` reads one key.

use std::fmt;

use serde_json::{Map, Value, json};

use super::{
    json::{self, Bounds},
    public_key::{NotTaken, PublicKey, SigningAlgorithm},
};

/// The largest set read; an honest one has a tenth of it.
pub const BYTES_MAX: usize = 64 * 1024;

/// The most keys kept; whoever rotates has two or three.
pub const KEYS_MAX: usize = 32;

/// A set holds an array of keys, whose certificates are an array in turn; the rest is for members nobody knows yet.
const DEPTH_MAX: usize = 8;

/// The members of private and of symmetric keys (RFC 7518 §6.2.2, §6.3.2, §6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// At least one public key, and at most [`KEYS_MAX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet(Vec<PublicKey>);

/// What is wrong with a key set, and where: `keys[3].n is not base64url`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAKeySet {
    member: String,
    problem: String,
}

impl NotAKeySet {
    fn new(member: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { member: member.into(), problem: problem.into() }
    }

    /// The same of a set that is itself a member of something.
    #[must_use]
    pub fn under(self, parent: &str) -> Self {
        let member = if self.member.is_empty() { parent.to_owned() } else { format!("{parent}.{}", self.member) };
        Self { member, ..self }
    }
}

impl fmt::Display for NotAKeySet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let member = if self.member.is_empty() { "the key set" } else { &self.member };
        write!(out, "{member} {}", self.problem)
    }
}

impl std::error::Error for NotAKeySet {}

impl KeySet {
    /// Reads a set from its JSON text.
    pub fn parse(text: &[u8]) -> Result<Self, NotAKeySet> {
        let bounds = Bounds { bytes: BYTES_MAX, depth: DEPTH_MAX };
        let members = json::object(text, bounds).map_err(|problem| NotAKeySet::new("", problem.to_string()))?;
        Self::of_members(&members)
    }

    /// Reads a set that is a member of something already read.
    pub fn of_value(value: &Value) -> Result<Self, NotAKeySet> {
        Self::of_members(value.as_object().ok_or_else(|| NotAKeySet::new("", "is not an object"))?)
    }

    /// A key of a kind that is not used here is passed over, as RFC 7517 §5 wants. One that is damaged is not, and
    /// spoils the set: whoever publishes it hears of it, and meanwhile the last good set stays in use.
    fn of_members(members: &Map<String, Value>) -> Result<Self, NotAKeySet> {
        let keys = match members.get("keys") {
            Some(Value::Array(keys)) => keys,
            Some(_) => return Err(NotAKeySet::new("keys", "is not an array")),
            None => return Err(NotAKeySet::new("keys", "is missing")),
        };
        let (mut kept, mut passed_over) = (Vec::new(), None);
        for (index, key) in keys.iter().enumerate() {
            let at = |member: &str| format!("keys[{index}]{}{member}", if member.is_empty() { "" } else { "." });
            let key = key.as_object().ok_or_else(|| NotAKeySet::new(at(""), "is not an object"))?;
            if let Some(private) = PRIVATE.into_iter().find(|member| key.contains_key(*member)) {
                return Err(NotAKeySet::new(at(private), "is secret; publish public keys only, and change this one"));
            }
            if key.get("kty").is_some_and(|kty| kty == "oct") {
                return Err(NotAKeySet::new(at("kty"), "is oct, a secret; publish public keys only"));
            }
            match PublicKey::read(key) {
                Ok(key) if kept.len() < KEYS_MAX => kept.push(key),
                Ok(_) => {}
                Err(NotTaken::NotOurs(fault)) => {
                    passed_over.get_or_insert_with(|| format!("{} {}", at(fault.member), fault.problem));
                }
                Err(NotTaken::Wrong(fault)) => return Err(NotAKeySet::new(at(fault.member), fault.problem)),
            }
        }
        match (kept.is_empty(), passed_over) {
            (false, _) => Ok(Self(kept)),
            (true, None) => Err(NotAKeySet::new("keys", "is empty")),
            (true, Some(why)) => Err(NotAKeySet::new("keys", format!("has no key that can be used here: {why}"))),
        }
    }

    /// The set as it is kept: what was understood, in one spelling; reading it again gives the same set.
    pub fn as_json(&self) -> String {
        json!({ "keys": self.0.iter().map(PublicKey::to_json).collect::<Vec<_>>() }).to_string()
    }

    /// The keys for an algorithm: those of a name, or without a name all of them.
    pub fn find(&self, kid: Option<&str>, algorithm: SigningAlgorithm) -> impl Iterator<Item = &PublicKey> {
        let fits = move |key: &&PublicKey| key.algorithm() == algorithm && (kid.is_none() || key.kid() == kid);
        self.0.iter().filter(fits)
    }

    /// Whether any key has that name, whatever it is for.
    pub fn names(&self, kid: &str) -> bool {
        self.0.iter().any(|key| key.kid() == Some(kid))
    }

    /// All keys, in the order they were published.
    pub fn iter(&self) -> impl Iterator<Item = &PublicKey> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests;
