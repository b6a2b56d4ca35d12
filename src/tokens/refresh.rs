//! The text of a refresh token: `cst_rt_` and kid (4) ‖ family id (16) ‖ counter (8) ‖ family secret (16) ‖
//! HMAC-SHA-256 (32).
//!
//! A forged one is refused by the HMAC before the database hears of it; the same place in a line always has the
//! same text under the same key, so a lost answer is computed again instead of stored.

use aws_lc_rs::hmac;
use uuid::Uuid;

use super::{decode, encode};
use crate::{
    keys::ring::{MacKey, Ring},
    model::{id::FamilyId, key::Kid, refresh_token::RefreshToken},
};

const PREFIX: &str = "cst_rt_";
const BODY_LENGTH: usize = 44;

/// Writes the token with the given key.
pub fn write(key: &MacKey, token: &RefreshToken) -> String {
    let mut bytes = Vec::with_capacity(BODY_LENGTH + 32);
    bytes.extend(key.kid.0.to_be_bytes());
    bytes.extend(token.family_id.0.as_bytes());
    bytes.extend(token.counter.to_be_bytes());
    bytes.extend(token.secret);
    let tag = hmac::sign(&key.key, &labelled(&bytes));
    bytes.extend(tag.as_ref());
    format!("{PREFIX}{}", encode(&bytes))
}

/// Whether a text claims to be a refresh token.
pub fn looks_like_one(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Which key a text claims to be authenticated with.
pub fn kid(text: &str) -> Option<Kid> {
    Some(Kid(u32::from_be_bytes(bytes(text)?[..4].try_into().ok()?)))
}

/// Reads a token this installation wrote; anything else is `None`. Says nothing about its family.
pub fn read(ring: &Ring, text: &str) -> Option<RefreshToken> {
    let bytes = bytes(text)?;
    let (body, tag) = bytes.split_at(BODY_LENGTH);
    let key = ring.mac_of(kid(text)?)?;
    hmac::verify(&key.key, &labelled(body), tag).ok()?;
    Some(RefreshToken {
        family_id: FamilyId(Uuid::from_slice(&body[4..20]).ok()?),
        counter: i64::from_be_bytes(body[20..28].try_into().ok()?),
        secret: body[28..].try_into().ok()?,
    })
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    decode(text.strip_prefix(PREFIX)?).filter(|bytes| bytes.len() == BODY_LENGTH + 32)
}

/// One key authenticates several kinds of things; the label keeps one from being taken for another.
fn labelled(body: &[u8]) -> Vec<u8> {
    [b"consentry refresh token v1".as_slice(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{master::MasterKey, ring};

    #[test]
    fn a_token_comes_back_and_a_changed_one_does_not() {
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let master = MasterKey::new([3; 32]);
        let ring = Ring::unwrap(std::slice::from_ref(&master), &ring::first_keys(&master, now).unwrap(), now);
        let token = RefreshToken { family_id: FamilyId(Uuid::max()), counter: 41, secret: [5; 16] };
        let text = write(ring.mac().unwrap(), &token);
        let told = read(&ring, &text).unwrap();
        assert_eq!((told.family_id, told.counter, told.secret), (token.family_id, token.counter, token.secret));
        assert_eq!(write(ring.mac().unwrap(), &token), text, "the same place has the same text");
        for position in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
            assert!(read(&ring, std::str::from_utf8(&changed).unwrap()).is_none(), "position {position}");
        }
        assert!(read(&ring, &text[..text.len() - 1]).is_none());
        assert!(read(&ring, &format!("{text}=")).is_none());
    }
}
