//! Client assertions (RFC 7523): what is remembered of one, so that it is used once.

use super::{Timestamp, digest::Digest};

/// Which assertion was used: time-ordered, and telling nothing about the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssertionId {
    /// When the assertion expires; from then on nobody need remember it.
    pub expires_at: Timestamp,
    /// SHA-256 of the client and the assertion's `jti`.
    pub digest: Digest,
}
