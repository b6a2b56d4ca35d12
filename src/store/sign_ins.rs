//! Operations on signing in: what is remembered of failures, and a stronger hash for a password that was right.

use super::{Store, StoreResult, on_either_engine};
use crate::model::{Timestamp, digest::Digest, id::AccountId};

/// A try that failed.
#[derive(Clone, Copy, Debug)]
pub struct SignInFailure {
    /// At what: a keyed hash.
    pub subject: Digest,
    /// When.
    pub at: Timestamp,
    /// Until when no password is looked at after it.
    pub held_until: Timestamp,
    /// From then on nothing of it is remembered.
    pub forget_at: Timestamp,
}

/// What is remembered of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u32,
    /// Until when no password is looked at.
    pub held_until: Timestamp,
}

impl Store {
    /// What is remembered at that time; none is none.
    pub async fn sign_in_failures(&self, subject: Digest, now: Timestamp) -> StoreResult<Option<Failures>> {
        on_either_engine!(self, engine => engine.sign_in_failures(subject, now))
    }

    /// Counts a failure. Of failures at the same time each counts, and the longest hold stays. What should have been
    /// forgotten begins anew.
    pub async fn sign_in_failed(&self, failure: &SignInFailure) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.sign_in_failed(failure))
    }

    /// Forgets a subject's failures, because the password was right.
    pub async fn forget_sign_in_failures(&self, subject: Digest) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.forget_sign_in_failures(subject))
    }

    /// Replaces the hash of the same password by a stronger one; only if it is still the one that was checked, so that
    /// a password changed meanwhile stays changed. Tells whether it was.
    pub async fn strengthen_password(&self, account: AccountId, checked: &str, stronger: &str) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.strengthen_password(account, checked, stronger))
    }
}
