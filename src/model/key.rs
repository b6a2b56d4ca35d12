//! Working keys: one table for everything the server signs, authenticates or seals with.
//!
//! Each carries a `kid` into whatever it made. What a key may do follows from its times alone, so that all nodes change
//! over at the same instant and nobody has to flip a row; `key_timetable` says how those times are chosen. `keys` wraps
//! and unwraps them; the store only keeps the rows.

use std::{fmt, str::FromStr};

use super::{Timestamp, account::UnknownWord, public_key::SigningAlgorithm};

/// Names a working key inside whatever it made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kid(pub u32);

impl fmt::Display for Kid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:08x}", self.0)
    }
}

impl FromStr for Kid {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let digits = text.len() == 8 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match u32::from_str_radix(text, 16) {
            Ok(number) if digits => Ok(Self(number)),
            _ => Err(UnknownWord::new("key id", text)),
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal, { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word the database uses.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word { $($word => Ok(Self::$variant),)+ _ => Err(UnknownWord::new($what, word)) }
            }
        }
    };
}

words! {
    /// What a key may be used for; a key made for one purpose opens nothing of another.
    Purpose, "key purpose", {
        /// Signs access tokens; its public half is in the JWKS.
        Sign = "sign",
        /// Authenticates refresh tokens and form tokens.
        Mac = "mac",
        /// Seals authorization codes.
        SealCode = "seal-code",
        /// Seals authorization requests in flight.
        SealRequest = "seal-request",
        /// Seals what is kept: stored API keys.
        SealData = "seal-data",
        /// Authenticates the chain of the audit log.
        Audit = "audit",
    }
}

impl Purpose {
    /// How the key of it computes that must always be there.
    pub fn algorithm(self) -> KeyAlgorithm {
        match self {
            Self::Sign => KeyAlgorithm::Es256,
            Self::Mac | Self::Audit => KeyAlgorithm::HmacSha256,
            Self::SealCode | Self::SealRequest | Self::SealData => KeyAlgorithm::Aes256Gcm,
        }
    }
}

words! {
    /// A key's way through life.
    KeyState, "key state", {
        /// Published, so that everybody knows it before its first use.
        Next = "next",
        /// In use for new things; one per purpose and algorithm.
        Active = "active",
        /// Only still opens or verifies what it made.
        Retired = "retired",
        /// Wiped; the row remembers that it was.
        Gone = "gone",
    }
}

words! {
    /// How the key computes.
    KeyAlgorithm, "key algorithm", {
        /// ECDSA over P-256 (RFC 7518 §3.4), PKCS #8.
        Es256 = "ES256",
        /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3), 2048 bits, PKCS #8.
        Rs256 = "RS256",
        /// Ed25519 (RFC 8037 §3.1), PKCS #8.
        EdDsa = "EdDSA",
        /// HMAC with SHA-256, 32 bytes.
        HmacSha256 = "HS256",
        /// AES-256 in Galois/Counter Mode, 32 bytes.
        Aes256Gcm = "A256GCM",
    }
}

impl From<SigningAlgorithm> for KeyAlgorithm {
    fn from(algorithm: SigningAlgorithm) -> Self {
        match algorithm {
            SigningAlgorithm::Es256 => Self::Es256,
            SigningAlgorithm::Rs256 => Self::Rs256,
            SigningAlgorithm::EdDsa => Self::EdDsa,
        }
    }
}

/// A row of the table of working keys; its material is wrapped by a master key.
#[derive(Clone, Debug)]
pub struct WrappedKey {
    /// Its name in what it made.
    pub kid: Kid,
    /// What it is for.
    pub purpose: Purpose,
    /// How it computes.
    pub algorithm: KeyAlgorithm,
    /// Which master key wraps it: the first bytes of that key's digest, in hexadecimal.
    pub master: String,
    /// Nonce, ciphertext and tag; empty once it is gone.
    pub wrapped: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is used for new things.
    pub active_at: Timestamp,
    /// From when on another one is; none for the newest.
    pub retired_at: Option<Timestamp>,
    /// Until when something it made may come back; none while that is not known.
    pub needed_until: Option<Timestamp>,
    /// When it was wiped.
    pub gone_at: Option<Timestamp>,
}

impl WrappedKey {
    /// Where it is in life.
    pub fn state(&self, now: Timestamp) -> KeyState {
        if self.gone_at.is_some() {
            KeyState::Gone
        } else if self.retired_at.is_some_and(|until| until <= now) {
            KeyState::Retired
        } else if now < self.active_at {
            KeyState::Next
        } else {
            KeyState::Active
        }
    }

    /// Whether it is the last one of its purpose and algorithm.
    pub fn is_newest(&self) -> bool {
        self.retired_at.is_none() && self.gone_at.is_none()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    #[test]
    fn a_keys_times_say_where_it_is_in_life() {
        let at = |seconds: i64| DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap();
        let mut key = WrappedKey {
            kid: Kid(1),
            purpose: Purpose::Mac,
            algorithm: KeyAlgorithm::HmacSha256,
            master: String::new(),
            wrapped: Vec::new(),
            created_at: at(0),
            active_at: at(10),
            retired_at: Some(at(20)),
            needed_until: Some(at(30)),
            gone_at: None,
        };
        let moment = TimeDelta::milliseconds(1);
        assert_eq!(key.state(at(10) - moment), KeyState::Next);
        assert_eq!(key.state(at(10)), KeyState::Active);
        assert_eq!(key.state(at(20) - moment), KeyState::Active);
        assert_eq!(key.state(at(20)), KeyState::Retired);
        assert_eq!(key.state(at(99)), KeyState::Retired, "it is gone when it was wiped, and not before");
        key.gone_at = Some(at(30));
        assert_eq!(key.state(at(0)), KeyState::Gone);
    }
}
