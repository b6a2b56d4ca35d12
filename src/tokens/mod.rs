//! Tokens: the texts of codes, requests in flight, refresh tokens, access tokens and secrets.
//!
//! Each kind has a file that writes and reads it; what it means is `model`'s, what follows from it `protocol`'s.
//! Keys come from `keys::ring`.

pub mod access;
pub mod assertion;
pub mod between;
pub mod code;
pub mod device;
pub mod form;
pub mod identity;
pub mod own_answer;
pub mod refresh;
pub mod request;
pub mod sealed;
pub mod secret;
pub mod subject;
pub mod webhook;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Reads base64url without padding, in its one canonical spelling: a token that was re-formatted is not the token.
fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
