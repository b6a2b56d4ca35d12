//! SHA-256 digests as the store keeps them, compared in constant time.

use aws_lc_rs::{constant_time, digest};

/// The SHA-256 of a secret; all that is stored of it.
#[derive(Clone, Copy, Debug)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// Hashes the given bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, bytes.as_ref()).as_ref());
        Self(hash)
    }

    /// The digest that is written so in hexadecimal.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut hash = [0; 32];
        let is_hex = text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)).filter(|_| is_hex) {
            *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
        }
        is_hex.then_some(Self(hash))
    }

    /// In hexadecimal.
    pub fn to_hex(self) -> String {
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
    }

    /// The first 16 bytes: enough where only equality with something chosen beforehand is asked.
    pub fn short(&self) -> [u8; 16] {
        let mut short = [0; 16];
        short.copy_from_slice(&self.0[..16]);
        short
    }

    /// Whether those are its first 16 bytes.
    pub fn begins_with(&self, short: &[u8; 16]) -> bool {
        constant_time::verify_slices_are_equal(&self.0[..16], short).is_ok()
    }
}

impl PartialEq for Digest {
    // Constant time, so that a comparison never tells how many bytes of a guess were right.
    fn eq(&self, other: &Self) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl Eq for Digest {}
