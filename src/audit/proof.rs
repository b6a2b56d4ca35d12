//! What proves a link of the chain, and what is said of the log's beginning: a working key, as a rule.
//!
//! Where keys of links were given up, the last of those links is named under another key. Each link holds the digest of the
//! one before, so that proves all of them, as they were then.

use super::chain;
use crate::{
    keys::ring::Ring,
    model::digest::Digest,
    store::audit_links::{AuditLink, Forgotten},
};

/// What links are proved by.
#[derive(Clone, Copy)]
pub struct Proof<'a> {
    ring: &'a Ring,
    unproven: Option<(i64, Digest)>,
}

impl<'a> Proof<'a> {
    /// By these keys. That others were given up is believed only of who has one of these.
    pub fn new(ring: &'a Ring, began: Option<&Forgotten>) -> Self {
        let proof = Self { ring, unproven: None };
        Self { unproven: began.filter(|began| proof.is_of(began)).and_then(|began| began.unproven), ..proof }
    }

    /// Whether who has the key said so of the log's beginning.
    pub fn is_of(self, began: &Forgotten) -> bool {
        let key = self.ring.chaining_of(began.kid, began.forgotten_at);
        key.is_some_and(|key| chain::is_truly_forgotten(began, key))
    }

    /// The number and digest of the last link whose key was given up.
    pub fn unproven(self) -> Option<(i64, Digest)> {
        self.unproven
    }

    /// Whether a link by itself is what it was, as far as can be told.
    pub fn holds(self, link: &AuditLink) -> bool {
        chain::digest(link) == link.digest
            && match self.unproven {
                Some((last, digest)) if link.number == last => link.digest == digest,
                _ => self.rests_on_the_next(link) || self.is_made_with_its_key(link),
            }
    }

    /// Whether its key was given up, so that it is proved only by the link after it, if that is.
    pub fn rests_on_the_next(self, link: &AuditLink) -> bool {
        self.unproven.is_some_and(|(last, _)| link.number < last) && !self.ring.knows(link.kid)
    }

    fn is_made_with_its_key(self, link: &AuditLink) -> bool {
        // It says itself when it was made; what it reaches cannot be earlier than that.
        let made_at = link.made_at.max(link.reached.time());
        self.ring.chaining_of(link.kid, made_at).is_some_and(|key| chain::is_authentic(link, key))
    }
}
