//! Client assertions (RFC 7523): what one claims, and what is remembered of it, so that it is used once.
//!
//! `tokens::assertion` reads the claims from a text whose signature it verified, `protocol::client_assertion` decides
//! on them, the store remembers the id.

use super::{Timestamp, digest::Digest};

/// The claims of an assertion whose signature is good (RFC 7523 §3). What is missing is not yet a fault here, only
/// what is of the wrong kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AssertionClaims {
    /// Who wrote it.
    pub iss: Option<String>,
    /// Whom it is about.
    pub sub: Option<String>,
    /// Whom it is for: one text and an array of one are the same (RFC 7519 §4.1.3).
    pub aud: Vec<String>,
    /// Worth nothing from then on. Fractions of a millisecond are cut off, of all three times.
    pub exp: Option<Timestamp>,
    /// Worth nothing before.
    pub nbf: Option<Timestamp>,
    /// When it was written.
    pub iat: Option<Timestamp>,
    /// Its own name.
    pub jti: Option<String>,
}

/// Which assertion was used: time-ordered, and telling nothing about the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AssertionId {
    /// When the assertion expires; from then on nobody need remember it.
    pub expires_at: Timestamp,
    /// SHA-256 of the client and the assertion's `jti`.
    pub digest: Digest,
}
