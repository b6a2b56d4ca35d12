//! The master keys: references to 32 random bytes each, in base64. The first wraps, all unwrap.

use std::fmt;

use aws_lc_rs::constant_time;
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use super::reader::Reader;
use crate::{model::placeholder, vault::SecretValue};

const KEY: &str = "master_keys";
const HOW_TO_MAKE: &str = "make one with: (umask 077; head -c 32 /dev/urandom | base64 > master.key)";

/// 32 random bytes have 30 different values on average, and fewer than this once in more years than there have been.
const DIFFERENT_BYTES_MIN: usize = 12;

/// The bytes of a master key: they do not print, and leave memory when they are dropped.
#[derive(Clone)]
pub struct MasterKeyBytes(Zeroizing<[u8; 32]>);

impl MasterKeyBytes {
    /// The bytes themselves, for the one place that needs them.
    pub fn reveal(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for MasterKeyBytes {
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(self.reveal(), other.reveal()).is_ok()
    }
}

impl Eq for MasterKeyBytes {}

impl fmt::Debug for MasterKeyBytes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("MasterKeyBytes(…)")
    }
}

/// Why a text is no master key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAMasterKey {
    /// Left over from a sample.
    #[error("it is a placeholder")]
    Placeholder,
    /// Not base64.
    #[error("it is not base64")]
    NotBase64,
    /// Too short or too long.
    #[error("it has {0} bytes instead of 32")]
    Length(usize),
    /// A pattern somebody typed.
    #[error("it was not drawn at random")]
    NotRandom,
}

/// Reads a key's text: standard or URL-safe base64, with or without padding.
pub fn parse(text: &SecretValue) -> Result<MasterKeyBytes, NotAMasterKey> {
    let text = text.reveal().trim();
    if placeholder::looks_like_one(text) {
        return Err(NotAMasterKey::Placeholder);
    }
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { alphabet::URL_SAFE } else { alphabet::STANDARD };
    let bytes = GeneralPurpose::new(&alphabet, lenient).decode(text).map_err(|_| NotAMasterKey::NotBase64)?;
    let bytes = Zeroizing::new(bytes);
    let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| NotAMasterKey::Length(bytes.len()))?;
    let key = Zeroizing::new(key);
    let mut seen = [false; 256];
    for byte in *key {
        seen[usize::from(byte)] = true;
    }
    if seen.iter().filter(|seen| **seen).count() < DIFFERENT_BYTES_MIN {
        return Err(NotAMasterKey::NotRandom);
    }
    Ok(MasterKeyBytes(key))
}

/// Reads all of them; at least one.
pub(super) fn read(reader: &mut Reader<'_>) -> Vec<MasterKeyBytes> {
    let list = reader.text(KEY).unwrap_or_default();
    let mut keys: Vec<MasterKeyBytes> = Vec::new();
    let mut any = false;
    for reference in list.split(',').map(str::trim).filter(|reference| !reference.is_empty()) {
        any = true;
        if let Some(key) = read_one(reader, reference) {
            if keys.contains(&key) {
                reader.mistake(KEY, format!("{reference} holds the same key as one before it"), "name each key once");
            }
            keys.push(key);
        }
    }
    if !any {
        reader.mistake(KEY, "it is missing", format!("{HOW_TO_MAKE}, then write file:master.key"));
    }
    keys
}

fn read_one(reader: &mut Reader<'_>, text: &str) -> Option<MasterKeyBytes> {
    let (reference, value) = reader.follow(&reader.place(KEY), text)?;
    match parse(&value) {
        Ok(key) => Some(key),
        Err(error) => {
            reader.mistake(KEY, format!("{reference} holds no master key: {error}"), HOW_TO_MAKE);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQAbyd3fABAgM=";

    fn read(text: &str) -> Result<MasterKeyBytes, NotAMasterKey> {
        parse(&SecretValue::new(text.to_owned()))
    }

    #[test]
    fn both_alphabets_with_or_without_padding_are_one_key() {
        let key = read(GOOD).unwrap();
        assert_eq!(format!("{key:?}"), "MasterKeyBytes(…)");
        for text in [GOOD.trim_end_matches('='), &format!("{GOOD}\n"), &format!("  {GOOD}")] {
            assert_eq!(read(text).as_ref(), Ok(&key));
        }
        let safe = "-_-_EjRWeJCrze8SNFZ4kKvN7xI0VniQAbyd3fABAgM=";
        assert_eq!(read(safe), read(&safe.replace('-', "+").replace('_', "/")));
    }

    #[test]
    fn what_nobody_drew_at_random_is_refused() {
        let repeated = format!("{}=", "q".repeat(43));
        for (text, why) in [
            ("changeme", NotAMasterKey::Placeholder),
            ("REPLACE_ME", NotAMasterKey::Placeholder),
            ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", NotAMasterKey::Placeholder),
            ("c2hvcnQ=", NotAMasterKey::Length(5)),
            ("not base64 at all!", NotAMasterKey::NotBase64),
            ("AAECAwABAgMAAQIDAAECAwABAgMAAQIDAAECAwABAgM=", NotAMasterKey::NotRandom),
        ] {
            assert_eq!(read(text), Err(why), "{text}");
        }
        assert!(read(&repeated).is_err());
        assert_eq!(read(&GOOD.repeat(2)), Err(NotAMasterKey::NotBase64), "padding in the middle");
    }
}
