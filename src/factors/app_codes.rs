//! Codes of authenticator apps (RFC 6238): six digits, a new one every thirty seconds, SHA-1, since many apps know no
//! other kind.

use totp_rs::{Builder, Secret, Totp};
use zeroize::Zeroizing;

use crate::model::Timestamp;

/// How long a code is, and the key from which they are made.
const DIGITS: usize = 6;
/// In bytes, as RFC 4226 (§4, R6) recommends.
pub const KEY_LENGTH: usize = 20;

/// Clocks of telephones differ: the code before and the one after are taken too (RFC 6238 §5.2).
const SKEW: u16 = 1;

/// The key that an app and this server share.
pub struct AppKey(Zeroizing<Vec<u8>>);

impl AppKey {
    /// Takes random bytes, or what was kept.
    pub fn new(bytes: Vec<u8>) -> Option<Self> {
        (bytes.len() == KEY_LENGTH).then(|| Self(Zeroizing::new(bytes)))
    }

    /// The bytes, to be sealed.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key as a person types it who cannot take a picture of it: in groups of four.
    pub fn to_text(&self) -> String {
        let text = self.secret().to_base32();
        let letters: Vec<char> = text.chars().filter(|letter| *letter != '=').collect();
        letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
    }

    /// The address that an app reads from a picture. What has a meaning in it is left out of both names.
    pub fn to_url(&self, server_name: &str, email: &str) -> Option<String> {
        let plain = |text: &str| text.replace(':', " ");
        let builder = self.builder().with_account_name(plain(email)).with_issuer(Some(plain(server_name)));
        builder.build().ok()?.to_url().ok()
    }

    /// The step of time that a code belongs to, if it is right now.
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        if !looks_like_one(&code) {
            return None;
        }
        let step = self.totp()?.check(&code, u64::try_from(now.timestamp()).ok()?)?;
        i64::try_from(step).ok()
    }

    fn totp(&self) -> Option<Totp> {
        self.builder().build().ok()
    }

    fn builder(&self) -> Builder {
        Builder::new().with_secret(self.secret()).with_skew(SKEW)
    }

    fn secret(&self) -> Secret {
        Secret::from(self.0.as_slice())
    }
}

/// Whether what a person typed can be a code of an app, rather than one for recovery.
pub fn looks_like_one(code: &str) -> bool {
    let code = code.split_whitespace().collect::<String>();
    code.len() == DIGITS && code.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, cut to six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let key = AppKey::new(b"12345678901234567890".to_vec()).unwrap();
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            let now = chrono::DateTime::from_timestamp(seconds, 0).unwrap();
            assert_eq!(key.step_of(code, now), Some(seconds / 30), "{code}");
            assert_eq!(key.step_of(&format!(" {} {}", &code[..3], &code[3..]), now), Some(seconds / 30));
            let later = now + chrono::TimeDelta::seconds(90);
            assert_eq!(key.step_of(code, later), None, "three steps later");
        }
        let now = chrono::DateTime::from_timestamp(59, 0).unwrap();
        for wrong in ["287083", "28708", "2870822", "", "２８７０８２", "-28708", "ABCDEF"] {
            assert_eq!(key.step_of(wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn an_app_is_told_whose_key_it_is() {
        let key = AppKey::new(vec![7; KEY_LENGTH]).unwrap();
        let url = key.to_url("Example: Accounts", "ada@example.com").unwrap();
        assert!(url.starts_with("otpauth://totp/Example%20%20Accounts:ada"), "{url}");
        assert!(url.contains(&key.to_text().replace(' ', "")), "{url}");
        assert!(AppKey::new(vec![7; 19]).is_none());
    }
}
