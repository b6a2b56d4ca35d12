//! A plugin's secrets: API keys that its API, and whatever else its routes lead to, asks for. The gate puts them into
//! requests; nobody ever sees one again.
//!
//! `route` says where one is used, `injection` how it goes into a request, `notice` when its owners hear of it. `registry::plugin_secrets` keeps them sealed,
//! `server::injection` uses them.

mod injection;
mod notice;
mod route;

use std::{fmt, str::FromStr};

use super::{
    digest::Digest,
    id::{PluginId, SecretId, SecretVersionId},
};
pub use injection::{Injection, NotAnInjection, OVERRIDING};
pub use notice::{LEAD_MAX, Notice, notice};
pub use route::{NotARoute, SecretRoute, is_at_or_below, is_plain_path};

/// The longest name, in characters.
const NAME_LENGTH_MAX: usize = 64;

/// The shortest and the longest value, in bytes. Shorter ones are guessed, and longer ones do not go into a header.
const VALUE_LENGTHS: std::ops::RangeInclusive<usize> = 8..=8192;

/// What owners and the operator call a secret: unique in its plugin.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretName(String);

/// A text that is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a name has 1 to {NAME_LENGTH_MAX} small letters, digits and hyphens, and begins with a letter: such as upstream-key"
)]
pub struct NotASecretName;

impl SecretName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretName {
    type Err = NotASecretName;

    fn from_str(text: &str) -> Result<Self, NotASecretName> {
        let is_of_it = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_name = text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.len() <= NAME_LENGTH_MAX
            && text.chars().all(is_of_it);
        if is_name { Ok(Self(text.to_owned())) } else { Err(NotASecretName) }
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Who makes a new version when one is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// People do.
    People,
    /// The rotator that the configuration has under this name does.
    Rotator(String),
    /// It is changed where it is kept: this reference is followed.
    Reference(String),
}

impl SecretSource {
    /// The rotator's name, where one makes new versions.
    pub fn rotator(&self) -> Option<&str> {
        match self {
            Self::Rotator(name) => Some(name),
            Self::People | Self::Reference(_) => None,
        }
    }

    /// Where it is kept, where that is followed.
    pub fn reference(&self) -> Option<&str> {
        match self {
            Self::Reference(reference) => Some(reference),
            Self::People | Self::Rotator(_) => None,
        }
    }
}

/// A text that is no value of a secret. The text is not repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotASecretValue {
    /// Too short or too long.
    #[error("it has {0} bytes; a key has {min} to {max}", min = VALUE_LENGTHS.start(), max = VALUE_LENGTHS.end())]
    Length(usize),
    /// Something that no header can hold.
    #[error("it has characters that no key has: write visible ASCII without spaces or line breaks")]
    Characters,
    /// A placeholder.
    #[error("it is a placeholder; write the key itself")]
    Placeholder,
}

/// Looks whether a text can be the value of a secret.
pub fn check_value(text: &str) -> Result<(), NotASecretValue> {
    if !VALUE_LENGTHS.contains(&text.len()) {
        return Err(NotASecretValue::Length(text.len()));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(NotASecretValue::Characters);
    }
    if super::placeholder::looks_like_one(text) { Err(NotASecretValue::Placeholder) } else { Ok(()) }
}

impl SecretVersionId {
    /// The id of a version: a name made of its secret and its number (RFC 9562 §5.8), which is what its value is sealed
    /// for. So a value opens neither as another version nor as another secret's, even where its whole row was moved.
    pub fn of(plugin: PluginId, secret: SecretId, number: i64) -> Self {
        let (plugin, secret, number) = (plugin.0.as_bytes(), secret.0.as_bytes(), number.to_be_bytes());
        let name = [b"consentry secret version v1".as_slice(), plugin, secret, &number].concat();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&Digest::of(name).0[..16]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

/// What a rotator is told to call a version where it is issued: by it, what a crash left there is found.
pub fn label(secret: SecretId, number: i64) -> String {
    format!("consentry-{}-{number}", secret.0.simple())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn names_are_small_and_plain() {
        for good in ["k", "upstream-key", "openai2"] {
            assert_eq!(good.parse::<SecretName>().map(|name| name.to_string()), Ok(good.to_owned()));
        }
        for bad in ["", "2nd", "-a", "A", "a b", "a/b", "ä", &"a".repeat(65)] {
            assert_eq!(bad.parse::<SecretName>(), Err(NotASecretName), "{bad}");
        }
    }

    #[test]
    fn a_value_is_one_that_a_header_can_hold_and_nobody_guesses() {
        assert_eq!(check_value("q7_Zk-2f.9x=+/"), Ok(()));
        assert_eq!(check_value("short"), Err(NotASecretValue::Length(5)));
        assert_eq!(check_value(&"x".repeat(8193)), Err(NotASecretValue::Length(8193)));
        for text in ["two words", "line\nbreak", "nul\0nul\0", "schlüssel", "tab\ttab\t"] {
            assert_eq!(check_value(text), Err(NotASecretValue::Characters), "{text}");
        }
        for text in ["changeme-now", "YOUR_API_KEY", "${UPSTREAM_KEY}", "xxxxxxxxxxxx"] {
            assert_eq!(check_value(text), Err(NotASecretValue::Placeholder), "{text}");
        }
    }

    #[test]
    fn each_version_has_an_id_of_its_own_that_stays() {
        let (plugin, secret) = (PluginId(Uuid::from_u128(1)), SecretId(Uuid::from_u128(2)));
        let id = SecretVersionId::of(plugin, secret, 1);
        assert_eq!(id.to_string(), "4a8b9d09-db6d-814a-949f-60928f51673d");
        assert_eq!(id.0.get_version_num(), 8);
        let others = [
            SecretVersionId::of(plugin, secret, 2),
            SecretVersionId::of(plugin, SecretId(Uuid::from_u128(3)), 1),
            SecretVersionId::of(PluginId(Uuid::from_u128(3)), secret, 1),
        ];
        assert!(!others.contains(&id));
    }
}
