//! Sign-ins: how fast passwords can be guessed. Failures are counted by what was typed, known here or not, before they
//! are counted by address, and each further one makes the next try wait longer.
//!
//! Nobody is locked out for good: a wait ends by itself, and tries made while it lasts do not count. Nor can a stranger
//! lock an owner out: a browser that somebody has signed in with before carries a mark for that account
//! (`tokens::device`), and its failures are counted apart. Whoever has no such browser at hand waits at most
//! [`HOLD_MAX`] at a time.
//!
//! What is counted is in the database, under a keyed hash, so it survives a restart, all nodes know it, and it is no
//! list of addresses. A failure is written once; a success that nothing failed before writes nothing here.

use std::{
    collections::HashMap,
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::hmac;
use chrono::TimeDelta;

use super::shares::{Shares, TooMany};
use crate::{
    clock::Clock,
    keys::{KeyError, ring::Ring},
    model::{Timestamp, digest::Digest, id::AccountId, proxies::TrustedProxies},
    store::{Store, StoreResult, sign_ins::SignInFailure},
};

/// So many failures are nobody's fault: NIST SP 800-63B-4 allows a hundred.
pub const FAILURES_FREE: u32 = 10;

/// The first wait; each further failure doubles it.
const HOLD_FIRST: TimeDelta = TimeDelta::seconds(30);

/// The longest.
pub const HOLD_MAX: TimeDelta = TimeDelta::minutes(15);

/// Failures are forgotten so long after the last.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::hours(6);

/// The most tries at one account at the same time on this node: they are counted when they have failed, so without this
/// a burst would be hundreds of free ones.
const AT_ONCE_MAX: u32 = 4;

/// What an address may try in a minute, whoever it tries: an office shares one, and so does a school.
const PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);

/// Counts tries.
#[derive(Debug)]
pub struct SignIns {
    shares: Shares,
    under_way: Arc<Mutex<HashMap<[u8; 32], u32>>>,
}

/// A try that may be made. The place it has among those under way is given back when it is dropped.
#[derive(Debug)]
pub struct Try {
    subject: Digest,
    failures: u32,
    under_way: Arc<Mutex<HashMap<[u8; 32], u32>>>,
}

impl SignIns {
    /// Nobody has tried anything.
    pub fn new(proxies: TrustedProxies, clock: &Clock) -> Self {
        Self { shares: Shares::new(PER_MINUTE, proxies, clock), under_way: Arc::default() }
    }

    /// Counts a try from an address.
    pub fn count(&self, address: Option<IpAddr>) -> Result<(), TooMany> {
        self.shares.count(address)
    }

    /// Lets a try begin, unless too many have failed.
    pub async fn begin(&self, store: &Store, subject: Digest, now: Timestamp) -> StoreResult<Result<Try, TooMany>> {
        let Some(mut place) = self.take_place(subject) else { return Ok(Err(TooMany { retry_after_seconds: 1 })) };
        let known = store.sign_in_failures(subject, now).await?;
        if let Some(known) = known
            && known.held_until > now
        {
            let wait = (known.held_until - now).num_seconds().max(0).unsigned_abs() + 1;
            return Ok(Err(TooMany { retry_after_seconds: wait }));
        }
        place.failures = known.map_or(0, |known| known.count);
        Ok(Ok(place))
    }

    fn take_place(&self, subject: Digest) -> Option<Try> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let tries = under_way.entry(subject.0).or_default();
        if *tries >= AT_ONCE_MAX {
            return None;
        }
        *tries += 1;
        drop(under_way);
        Some(Try { subject, failures: 0, under_way: Arc::clone(&self.under_way) })
    }
}

impl Try {
    /// How often it was tried in vain when this fails too, where nobody may try for a while then.
    pub fn held_after(&self) -> Option<u32> {
        let failures = self.failures + 1;
        (hold(failures) > TimeDelta::zero()).then_some(failures)
    }

    /// The password was wrong: one durable write.
    pub async fn failed(self, store: &Store, now: Timestamp) -> StoreResult<()> {
        let held_until = now + hold(self.failures + 1);
        let failure =
            SignInFailure { subject: self.subject, at: now, held_until, forget_at: held_until + FORGOTTEN_AFTER };
        store.sign_in_failed(&failure).await
    }

    /// It was right: what failed before is forgotten, if anything did.
    pub async fn succeeded(self, store: &Store) -> StoreResult<()> {
        if self.failures > 0 { store.forget_sign_in_failures(self.subject).await } else { Ok(()) }
    }
}

impl Drop for Try {
    fn drop(&mut self) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tries) = under_way.get_mut(&self.subject.0) {
            *tries -= 1;
            if *tries == 0 {
                under_way.remove(&self.subject.0);
            }
        }
    }
}

/// How long nothing is tried after so many failures.
fn hold(failures: u32) -> TimeDelta {
    match failures.checked_sub(FAILURES_FREE) {
        None => TimeDelta::zero(),
        Some(beyond) => HOLD_FIRST.checked_mul(1 << beyond.min(16)).map_or(HOLD_MAX, |hold| hold.min(HOLD_MAX)),
    }
}

/// What failures are counted by of who has signed in and is asked for the password again: the session.
pub fn subject_of_session(ring: &Ring, session: Digest) -> Result<Digest, KeyError> {
    let bytes = [b"consentry session subject v1".as_slice(), &session.0].concat();
    Ok(Digest::of(hmac::sign(&ring.labelling()?.key, &bytes)))
}

/// What failures are counted by at signing in: the address that was typed, in the spelling accounts are found by, and the browser if
/// it has a mark for that account.
pub fn subject(ring: &Ring, typed: &str, device: Option<[u8; 16]>) -> Result<Digest, KeyError> {
    let label = b"consentry sign-in subject v1".as_slice();
    let device = device.map(|device| device.to_vec()).unwrap_or_default();
    // What no account is found by is counted too; lengths keep the parts apart.
    let typed = typed.trim().to_lowercase();
    let bytes = [label, &[u8::try_from(device.len()).unwrap_or_default()], &device, typed.as_bytes()].concat();
    let tag = hmac::sign(&ring.labelling()?.key, &bytes);
    Ok(Digest::of(tag))
}

/// The same for an account's second factors, which nobody tries who has not shown the first, or none at all.
pub fn subject_of_factors(ring: &Ring, account: AccountId, device: Option<[u8; 16]>) -> Result<Digest, KeyError> {
    let label = b"consentry second factor subject v1".as_slice();
    let bytes = [label, account.0.as_bytes(), &device.map(Vec::from).unwrap_or_default()].concat();
    Ok(Digest::of(hmac::sign(&ring.labelling()?.key, &bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end() {
        assert_eq!(hold(0), TimeDelta::zero());
        assert_eq!(hold(9), TimeDelta::zero());
        assert_eq!(hold(10), TimeDelta::seconds(30));
        assert_eq!(hold(11), TimeDelta::minutes(1));
        assert_eq!(hold(14), TimeDelta::minutes(8));
        assert_eq!(hold(15), HOLD_MAX);
        assert_eq!(hold(u32::MAX), HOLD_MAX);
    }

    /// Row 35: another address of the same network is the same.
    #[test]
    fn an_address_has_a_share_and_a_network_no_more() {
        let sign_ins = SignIns::new(TrustedProxies::default(), &Clock::system());
        let taken = |address: &str| (0..100).filter(|_| sign_ins.count(address.parse().ok()).is_ok()).count();
        // The clock goes on meanwhile, and gives one back a second.
        assert!((60..70).contains(&taken("2001:db8:1:2::1")));
        assert!(taken("2001:db8:1:2:ffff:ffff:ffff:ffff") < 10);
        assert!((60..70).contains(&taken("2001:db8:1:3::1")));
        assert!((60..70).contains(&taken("203.0.113.7")));
        assert!(taken("::ffff:203.0.113.7") < 10);
    }

    #[test]
    fn few_are_tried_at_once_and_places_are_given_back() {
        let sign_ins = SignIns::new(TrustedProxies::default(), &Clock::system());
        let (one, other) = (Digest::of("one"), Digest::of("other"));
        let held: Vec<_> = (0..AT_ONCE_MAX).map(|_| sign_ins.take_place(one).unwrap()).collect();
        assert!(sign_ins.take_place(one).is_none());
        assert!(sign_ins.take_place(other).is_some());
        drop(held);
        assert!(sign_ins.take_place(one).is_some());
        assert!(sign_ins.under_way.lock().unwrap().is_empty(), "nothing is kept of what has ended");
    }
}
