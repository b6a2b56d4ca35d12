//! Secrets that are compared and nothing else: client secrets, session cookies, one-time links, owners' tokens,
//! registration access tokens.
//!
//! Shape: prefix ‖ 256 random bits ‖ checksum, in base64url. The prefix lets scanners recognise a leaked one, the
//! checksum lets a typing mistake be told from a guess before the database hears of either.

use std::fmt;

use super::encode;
use crate::model::digest::Digest;

/// What a client shows at the token endpoint.
pub const CLIENT_SECRET: &str = "cst_cs_";
/// What a signed-in browser's cookie holds.
pub const SESSION: &str = "cst_ss_";

/// What a one-time link holds.
pub const LINK: &str = "cst_ln_";

/// What a program of an owner's shows to the owners' API.
pub const OWNER_TOKEN: &str = "cst_ot_";

/// What manages a dynamic registration (RFC 7592).
pub const REGISTRATION: &str = "cst_ra_";

const CHECKSUM_LENGTH: usize = 6;

/// A secret's text; it does not print itself, and only its digest is ever stored and compared.
#[derive(Clone)]
pub struct SecretText(String);

impl SecretText {
    /// Makes a secret of 256 random bits.
    pub fn new(prefix: &str, random: [u8; 32]) -> Self {
        let body = format!("{prefix}{}", encode(&random));
        let checksum = checksum(&body);
        Self(body + &checksum)
    }

    /// Takes a text that came from outside if it has the shape of a secret of that kind.
    pub fn parse(prefix: &str, text: &str) -> Option<Self> {
        let split = text.len().checked_sub(CHECKSUM_LENGTH)?;
        let (body, sum) = text.split_at_checked(split)?;
        let whole = text.starts_with(prefix) && body.len() == prefix.len() + 43 && checksum(body) == sum;
        whole.then(|| Self(text.to_owned()))
    }

    /// The whole text, to be shown once or put into a cookie.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.0)
    }
}

fn checksum(body: &str) -> String {
    encode(&Digest::of(body).0)[..CHECKSUM_LENGTH].to_owned()
}

impl fmt::Debug for SecretText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SecretText(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_back_and_a_damaged_one_is_not() {
        let secret = SecretText::new(CLIENT_SECRET, [7; 32]);
        let text = secret.reveal();
        assert_eq!(SecretText::parse(CLIENT_SECRET, text).unwrap().digest(), secret.digest());
        for (prefix, text) in [
            (SESSION, text),
            (CLIENT_SECRET, &text[..text.len() - 1]),
            (CLIENT_SECRET, &text.replace("Bw", "Cw")),
            (CLIENT_SECRET, "ä"),
        ] {
            assert!(SecretText::parse(prefix, text).is_none(), "{text}");
        }
        assert_eq!(format!("{secret:?}"), "SecretText(…)");
    }
}
