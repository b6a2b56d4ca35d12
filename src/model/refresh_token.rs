//! Refresh tokens: one place in a family's line. `tokens::refresh` writes and reads their text.

use super::{digest::Digest, id::FamilyId};

/// What a refresh token says once its authenticity is proven.
#[derive(Clone)]
pub struct RefreshToken {
    /// The family.
    pub family_id: FamilyId,
    /// The place in its line, counted from 0.
    pub counter: i64,
    /// The 128-bit secret every token of the line carries; the row keeps its digest only, so that neither a stolen
    /// key nor a stolen database is enough to forge one.
    pub secret: [u8; 16],
}

impl RefreshToken {
    /// What the family's row keeps of the secret.
    pub fn secret_digest(&self) -> Digest {
        Digest::of(self.secret)
    }

    /// The token at another place of the same line.
    #[must_use]
    pub fn at(&self, counter: i64) -> Self {
        Self { counter, ..self.clone() }
    }
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("RefreshToken")
            .field("family_id", &self.family_id)
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}
