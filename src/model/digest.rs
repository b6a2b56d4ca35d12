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
