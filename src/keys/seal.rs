//! Sealing of short-lived things, and of what is kept in a row: AES-256-GCM under a key derived per purpose and hour.
//!
//! Shape: version (1) ‖ kid (4) ‖ hour (4) ‖ nonce (12) ‖ ciphertext ‖ tag (16). Everything before the nonce is
//! associated data, and so is the purpose, so that nothing sealed for one purpose opens for another. An hour's key
//! of its own keeps the number of random nonces per key far below the limit of NIST SP 800-38D §8.3.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf,
};
use zeroize::Zeroizing;

use super::KeyError;
use crate::model::{
    Timestamp,
    key::{Kid, Purpose},
};

const VERSION: u8 = 1;
const HEADER_LENGTH: usize = 9;
const NONCE_LENGTH: usize = 12;

/// A working key that seals.
pub struct SealingKey {
    kid: Kid,
    purpose: Purpose,
    bytes: Zeroizing<[u8; 32]>,
}

impl SealingKey {
    /// Takes 32 random bytes and what they are for.
    pub fn new(kid: Kid, purpose: Purpose, bytes: [u8; 32]) -> Self {
        Self { kid, purpose, bytes: Zeroizing::new(bytes) }
    }

    /// Seals, under a random nonce.
    pub fn seal(&self, plain: &[u8], now: Timestamp, nonce: [u8; NONCE_LENGTH]) -> Result<Vec<u8>, KeyError> {
        self.seal_for(b"", plain, now, nonce)
    }

    /// Seals what is kept in one place (a table, a column and a row), and opens nowhere else.
    pub fn seal_for(
        &self,
        place: &[u8],
        plain: &[u8],
        now: Timestamp,
        nonce: [u8; NONCE_LENGTH],
    ) -> Result<Vec<u8>, KeyError> {
        let hour = u32::try_from(now.timestamp() / 3600).map_err(|_| KeyError::Refused)?;
        let mut sealed = Vec::with_capacity(HEADER_LENGTH + NONCE_LENGTH + plain.len() + 16);
        sealed.push(VERSION);
        sealed.extend(self.kid.0.to_be_bytes());
        sealed.extend(hour.to_be_bytes());
        let place = self.place(&sealed, place);
        let mut body = plain.to_vec();
        self.of_hour(hour)?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), place, &mut body)
            .map_err(|_| KeyError::Refused)?;
        sealed.extend(nonce);
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// Opens what this key sealed for the same purpose; anything else is `None`.
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        self.open_from(b"", sealed)
    }

    /// Opens what this key sealed for the same purpose and place.
    pub fn open_from(&self, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (header, rest) = sealed.split_at_checked(HEADER_LENGTH)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LENGTH)?;
        let hour = u32::from_be_bytes(header[5..].try_into().ok()?);
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut plain = body.to_vec();
        let length = self.of_hour(hour).ok()?.open_in_place(nonce, self.place(header, place), &mut plain).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }

    /// The header has one length, so nothing can be read as part of its neighbour.
    fn place(&self, header: &[u8], place: &[u8]) -> Aad<Vec<u8>> {
        Aad::from([b"consentry seal ", self.purpose.as_str().as_bytes(), header, place].concat())
    }

    fn of_hour(&self, hour: u32) -> Result<LessSafeKey, KeyError> {
        let purpose = self.purpose.as_str().as_bytes();
        let hour = hour.to_be_bytes();
        let mut derived = Zeroizing::new([0; 32]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"consentry hourly sealing key v1")
            .extract(self.bytes.as_slice())
            .expand(&[purpose, &hour], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(derived.as_mut_slice()))
            .map_err(|_| KeyError::Refused)?;
        let key = UnboundKey::new(&AES_256_GCM, derived.as_slice()).map_err(|_| KeyError::Refused)?;
        Ok(LessSafeKey::new(key))
    }
}

/// Which working key a sealed thing says it was sealed with; says nothing about whether that is true.
pub fn kid_of(sealed: &[u8]) -> Option<Kid> {
    match sealed.split_first() {
        Some((&VERSION, rest)) => Some(Kid(u32::from_be_bytes(rest.get(..4)?.try_into().ok()?))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(hour: i64) -> Timestamp {
        chrono::DateTime::from_timestamp(hour * 3600, 0).unwrap()
    }

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let key = SealingKey::new(Kid(7), Purpose::SealCode, [1; 32]);
        let sealed = key.seal(b"plain", time(500_000), [2; 12]).unwrap();
        assert_eq!(kid_of(&sealed), Some(Kid(7)));
        assert_eq!(key.open(&sealed).unwrap(), b"plain");
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert!(key.open(&changed).is_none(), "a changed byte {position} went unnoticed");
        }
        for length in 0..sealed.len() {
            assert!(key.open(&sealed[..length]).is_none(), "a cut at {length} went unnoticed");
        }
    }

    #[test]
    fn what_is_kept_in_one_place_opens_in_no_other() {
        let key = SealingKey::new(Kid(7), Purpose::SealData, [1; 32]);
        let sealed = key.seal_for(b"row 1", b"plain", time(1), [2; 12]).unwrap();
        assert_eq!(key.open_from(b"row 1", &sealed).unwrap(), b"plain");
        assert!(key.open_from(b"row 2", &sealed).is_none() && key.open(&sealed).is_none());
    }

    #[test]
    fn the_same_bytes_for_another_purpose_open_nothing() {
        let sealed = SealingKey::new(Kid(7), Purpose::SealCode, [1; 32]).seal(b"p", time(1), [2; 12]).unwrap();
        assert!(SealingKey::new(Kid(7), Purpose::SealRequest, [1; 32]).open(&sealed).is_none());
    }
}
