//! What signs webhooks (Standard Webhooks, "Signature scheme"): a secret that the owner's API has too, so it is kept
//! sealed and not as a digest.

use std::fmt;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// What a secret's text begins with; ready-made receivers know it.
const PREFIX: &str = "whsec_";

/// A signing secret; it does not print itself.
pub struct WebhookSecret(Zeroizing<[u8; 32]>);

impl WebhookSecret {
    /// Takes 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Takes what was unsealed.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self::new(bytes.try_into().ok()?))
    }

    /// What is sealed.
    pub fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The whole text, to be shown once.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(self.bytes()))
    }

    /// Signs a message: one entry of the header `webhook-signature`.
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.bytes());
        let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag.as_ref()))
    }
}

/// The headers of a signed message (Standard Webhooks, "Webhook headers"); as long as there are two secrets, each signs it.
pub fn headers(secrets: &[WebhookSecret], id: &str, timestamp: i64, body: &str) -> [(&'static str, String); 3] {
    let signatures: Vec<String> = secrets.iter().map(|secret| secret.sign(id, timestamp, body)).collect();
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ]
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("WebhookSecret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_signs_as_the_specification_does_and_does_not_print() {
        let bytes = std::array::from_fn(|place| u8::try_from(place).unwrap());
        let secret = WebhookSecret::new(bytes);
        assert_eq!(secret.reveal(), "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let signed = secret.sign("msg_1", 1_674_087_231, "{\"type\":\"webhook.test\"}");
        assert_eq!(signed, "v1,DPLUeGYjSUKqPYi4IM1oAqUYpV4s5BZxFCYMferVoP8=");
        assert_eq!(format!("{secret:?}"), "WebhookSecret(…)");
        assert!(WebhookSecret::from_bytes(b"short").is_none());
    }
}
