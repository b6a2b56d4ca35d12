//! A client's key set (RFC 7517 §5): the public keys its assertions are verified with.
//!
//! Read from what a client publishes, registers or hands over as a file; kept as the JSON of [`KeySet::as_json`], which
//! holds nothing but what was understood. `public_key` reads one key.

use std::fmt;

use serde_json::{Map, Value, json};

use super::{
    json::{self, Bounds},
    public_key::{Fault, NotTaken, PublicKey, SigningAlgorithm},
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

/// What is done about a key that says it is of a kind used here, and is not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Damaged {
    /// It spoils the set: whoever sent it gets an answer, and mends it.
    Refused,
    /// It is passed over (RFC 7517 §5): whoever published it hears nothing, and its other keys are in order.
    PassedOver,
}

/// What is wrong with a key set, and where: `keys[3].n is not base64url`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAKeySet {
    member: String,
    problem: String,
    /// Whether it is in order, and only holds no key of a kind that is used here.
    pub is_of_other_kinds: bool,
}

impl NotAKeySet {
    fn new(member: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { member: member.into(), problem: problem.into(), is_of_other_kinds: false }
    }

    fn of_key(index: usize, Fault { member, problem }: Fault) -> Self {
        let dot = if member.is_empty() { "" } else { "." };
        Self::new(format!("keys[{index}]{dot}{member}"), problem)
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
    /// Reads a set from its JSON text, as somebody handed it over.
    pub fn parse(text: &[u8]) -> Result<Self, NotAKeySet> {
        Self::of_members(&members(text)?, Damaged::Refused).map(|(set, _)| set)
    }

    /// Reads a set from the JSON text of what a client publishes; also tells what is wrong with the first damaged key.
    pub fn parse_published(text: &[u8]) -> Result<(Self, Option<NotAKeySet>), NotAKeySet> {
        Self::of_members(&members(text)?, Damaged::PassedOver)
    }

    /// Reads a set that is a member of something already read.
    pub fn of_value(value: &Value) -> Result<Self, NotAKeySet> {
        let members = value.as_object().ok_or_else(|| NotAKeySet::new("", "is not an object"))?;
        Self::of_members(members, Damaged::Refused).map(|(set, _)| set)
    }

    /// A key of a kind that is not used here is passed over, as RFC 7517 §5 wants. Secrets are never: whoever sees the
    /// set knows them, so its other keys deserve no trust either.
    fn of_members(members: &Map<String, Value>, damaged: Damaged) -> Result<(Self, Option<NotAKeySet>), NotAKeySet> {
        let keys = match members.get("keys") {
            Some(Value::Array(keys)) => keys,
            Some(_) => return Err(NotAKeySet::new("keys", "is not an array")),
            None => return Err(NotAKeySet::new("keys", "is missing")),
        };
        let (mut kept, mut not_ours, mut spoilt) = (Vec::new(), None, None);
        for (index, key) in keys.iter().enumerate() {
            match read_key(key) {
                Ok(key) if kept.len() < KEYS_MAX => kept.push(key),
                Ok(_) => {}
                Err(NotTaken::NotOurs(fault)) => not_ours = not_ours.or(Some(NotAKeySet::of_key(index, fault))),
                Err(NotTaken::Secret(fault)) => return Err(NotAKeySet::of_key(index, fault)),
                Err(NotTaken::Wrong(fault)) if damaged == Damaged::Refused => {
                    return Err(NotAKeySet::of_key(index, fault));
                }
                Err(NotTaken::Wrong(fault)) => spoilt = spoilt.or(Some(NotAKeySet::of_key(index, fault))),
            }
        }
        if !kept.is_empty() {
            return Ok((Self(kept), spoilt));
        }
        let is_of_other_kinds = spoilt.is_none();
        let problem = match spoilt.or(not_ours) {
            Some(why) => format!("has no key that can be used here: {why}"),
            None => "is empty".to_owned(),
        };
        Err(NotAKeySet { is_of_other_kinds, ..NotAKeySet::new("keys", problem) })
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

fn members(text: &[u8]) -> Result<Map<String, Value>, NotAKeySet> {
    let bounds = Bounds { bytes: BYTES_MAX, depth: DEPTH_MAX };
    json::object(text, bounds).map_err(|problem| NotAKeySet::new("", problem.to_string()))
}

fn read_key(key: &Value) -> Result<PublicKey, NotTaken> {
    let told = |member, problem: &str| Fault { member, problem: problem.to_owned() };
    let key = key.as_object().ok_or_else(|| NotTaken::Wrong(told("", "is not an object")))?;
    if let Some(private) = PRIVATE.into_iter().find(|member| key.contains_key(*member)) {
        return Err(NotTaken::Secret(told(private, "is secret; publish public keys only, and change this one")));
    }
    if key.get("kty").is_some_and(|kty| kty == "oct") {
        return Err(NotTaken::Secret(told("kty", "is oct, a secret; publish public keys only")));
    }
    PublicKey::read(key)
}

#[cfg(test)]
mod tests;
