//! Sealing of short-lived things, and of what is kept in a row: AES-256-GCM under a key derived per purpose and hour.
//!
//! Shape: version (1) ‖ kid (4) ‖ hour (4) ‖ nonce (12) ‖ ciphertext ‖ tag (16). Everything before the nonce is
//! associated data, and so is the purpose, so that nothing sealed for one purpose opens for another. An hour's key
//! of its own keeps the number of random nonces per key far below the limit of NIST SP 800-38D §8.3.

use std::sync::{Arc, PoisonError, RwLock};

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
const TAG_LENGTH: usize = 16;

/// How many hours' keys are kept: what is in flight is of this hour or the one before, and mail seldom waits longer.
const HOURS_KEPT: usize = 8;

/// A working key that seals.
pub struct SealingKey {
    kid: Kid,
    purpose: Purpose,
    bytes: Zeroizing<[u8; 32]>,
    /// The latest hours that something was sealed in or opened from: deriving a key costs more than sealing a line.
    hours: RwLock<Vec<(u32, Arc<LessSafeKey>)>>,
}

impl SealingKey {
    /// Takes 32 random bytes and what they are for.
    pub fn new(kid: Kid, purpose: Purpose, bytes: [u8; 32]) -> Self {
        Self { kid, purpose, bytes: Zeroizing::new(bytes), hours: RwLock::default() }
    }

    /// Its name in whatever it seals.
    pub fn kid(&self) -> Kid {
        self.kid
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
        let mut sealed = Vec::with_capacity(HEADER_LENGTH + NONCE_LENGTH + plain.len() + TAG_LENGTH);
        sealed.push(VERSION);
        sealed.extend(self.kid.0.to_be_bytes());
        sealed.extend(hour.to_be_bytes());
        let place = self.place(&sealed, place);
        sealed.extend(nonce);
        sealed.extend(plain);
        let (_, body) = sealed.split_at_mut(HEADER_LENGTH + NONCE_LENGTH);
        let (key, is_new) = self.of_hour(hour)?;
        let tag = key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), place, body)
            .map_err(|_| KeyError::Refused)?;
        sealed.extend(tag.as_ref());
        if is_new {
            self.keep(hour, key);
        }
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
        let (key, is_new) = self.of_hour(hour).ok()?;
        let length = key.open_in_place(nonce, self.place(header, place), &mut plain).ok()?.len();
        plain.truncate(length);
        // Kept only now: what strangers make up names any hour, and must push none out.
        if is_new {
            self.keep(hour, key);
        }
        Some(plain)
    }

    /// The header has one length, so nothing can be read as part of its neighbour.
    fn place(&self, header: &[u8], place: &[u8]) -> Aad<Vec<u8>> {
        Aad::from([b"consentry seal ", self.purpose.as_str().as_bytes(), header, place].concat())
    }

    /// The key of an hour, and whether it had to be derived.
    fn of_hour(&self, hour: u32) -> Result<(Arc<LessSafeKey>, bool), KeyError> {
        // Entries are only put in and taken out whole, so a poisoned lock holds whole ones too.
        let hours = self.hours.read().unwrap_or_else(PoisonError::into_inner);
        match hours.iter().find(|(known, _)| *known == hour) {
            Some((_, key)) => Ok((Arc::clone(key), false)),
            None => Ok((Arc::new(self.derive(hour)?), true)),
        }
    }

    /// The latest hours stay, so that a walk through everything that was ever sealed pushes none of them out.
    fn keep(&self, hour: u32, key: Arc<LessSafeKey>) {
        let mut hours = self.hours.write().unwrap_or_else(PoisonError::into_inner);
        let place = hours.partition_point(|(known, _)| *known > hour);
        if place < HOURS_KEPT && hours.get(place).is_none_or(|(known, _)| *known != hour) {
            hours.insert(place, (hour, key));
            hours.truncate(HOURS_KEPT);
        }
    }

    fn derive(&self, hour: u32) -> Result<LessSafeKey, KeyError> {
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

    /// The bytes as they always were: rows hold them. Made with another library.
    #[test]
    fn what_was_sealed_before_opens() {
        let before = "01000000070007a1200202020202020202020202020b003d9da8f4e7add6af9ad052072f26de09da1baf";
        let key = SealingKey::new(Kid(7), Purpose::SealData, [1; 32]);
        let again = key.seal_for(b"row 1", b"plain", time(500_000), [2; 12]).unwrap();
        let pairs = (0..before.len()).step_by(2).map(|at| u8::from_str_radix(&before[at..at + 2], 16).unwrap());
        assert_eq!(again, pairs.collect::<Vec<_>>());
        assert_eq!(key.open_from(b"row 1", &again).unwrap(), b"plain");
    }

    #[test]
    fn however_many_hours_there_are_each_opens_and_the_latest_keys_are_kept() {
        let key = SealingKey::new(Kid(7), Purpose::SealData, [1; 32]);
        let hours = |key: &SealingKey| key.hours.read().unwrap().iter().map(|(hour, _)| *hour).collect::<Vec<_>>();
        // In an order that is neither up nor down.
        let all: Vec<u32> = (0..100).map(|number| 500_000 + number * 37 % 100).collect();
        let sealed: Vec<Vec<u8>> =
            all.iter().map(|&hour| key.seal(&hour.to_be_bytes(), time(hour.into()), [2; 12]).unwrap()).collect();
        let latest: Vec<u32> = (500_092..500_100).rev().collect();
        assert_eq!(hours(&key), latest);
        let fresh = SealingKey::new(Kid(7), Purpose::SealData, [1; 32]);
        for key in [&key, &fresh] {
            for _ in 0..2 {
                for (hour, sealed) in all.iter().zip(&sealed) {
                    assert_eq!(key.open(sealed).unwrap(), hour.to_be_bytes(), "hour {hour}");
                }
            }
            assert_eq!(hours(key), latest);
        }
    }

    #[test]
    fn what_does_not_open_keeps_no_hour() {
        let key = SealingKey::new(Kid(7), Purpose::SealRequest, [1; 32]);
        let mut sealed = key.seal(b"plain", time(500_000), [2; 12]).unwrap();
        for hour in 500_001_u32..500_020 {
            sealed[5..9].copy_from_slice(&hour.to_be_bytes());
            assert!(key.open(&sealed).is_none());
        }
        assert_eq!(key.hours.read().unwrap().len(), 1);
    }
}
