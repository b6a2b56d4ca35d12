//! The keyring: the table of working keys as this process knows it, read again when a `kid` is unknown.
//!
//! `keys::ring` is what is read; `store::keys` is where from.

use std::sync::{
    Arc, RwLock,
    atomic::{AtomicI64, Ordering},
};

use crate::{
    keys::{
        KeyError,
        master::MasterKey,
        ring::{self, Ring},
    },
    model::{
        Timestamp,
        audit::{Actor, Audit, Origin},
        id::AuditEventId,
        key::Kid,
    },
    random,
    store::{Store, StoreError},
};

/// The least time between two readings caused by unknown `kid`s: a caller who makes them up costs one statement.
const REREAD_INTERVAL_MS: i64 = 1000;

/// Why there is no usable ring.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The table cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No master key was given.
    #[error("no master key was given")]
    NoMaster,
    /// The table lacks an active key although one was to be made.
    #[error("the table of working keys lacks an active key for a purpose")]
    Incomplete,
}

/// The current ring, shared by all workers.
pub struct Keyring {
    masters: Vec<MasterKey>,
    ring: RwLock<Arc<Ring>>,
    read_at: AtomicI64,
}

impl Keyring {
    /// Reads the table; a first start fills it. Several nodes may do so at once: the first of each purpose stays.
    pub async fn open(masters: Vec<MasterKey>, store: &Store, now: Timestamp) -> Result<Self, KeyringError> {
        let first = masters.first().ok_or(KeyringError::NoMaster)?;
        let mut ring = Ring::unwrap(&masters, &store.working_keys().await?)?;
        if !ring.is_complete() {
            let audit =
                Audit { id: AuditEventId(random::id(now)), at: now, actor: Actor::Server, origin: Origin::default() };
            store.add_first_keys(&ring::first_keys(first, now)?, &audit).await?;
            ring = Ring::unwrap(&masters, &store.working_keys().await?)?;
        }
        if !ring.is_complete() {
            return Err(KeyringError::Incomplete);
        }
        Ok(Self { masters, ring: RwLock::new(Arc::new(ring)), read_at: AtomicI64::new(now.timestamp_millis()) })
    }

    /// The ring as it was last read.
    pub fn current(&self) -> Arc<Ring> {
        match self.ring.read() {
            Ok(ring) => Arc::clone(&ring),
            // A writer only ever replaces the whole value, so even a poisoned lock holds a whole ring.
            Err(poisoned) => Arc::clone(&poisoned.into_inner()),
        }
    }

    /// A ring that knows the key, if there is such a key: another node may have made it a moment ago.
    pub async fn knowing(&self, kid: Option<Kid>, store: &Store, now: Timestamp) -> Result<Arc<Ring>, KeyringError> {
        let ring = self.current();
        match kid {
            Some(kid) if !ring.knows(kid) && self.may_read_again(now) => {
                let ring = Arc::new(Ring::unwrap(&self.masters, &store.working_keys().await?)?);
                match self.ring.write() {
                    Ok(mut current) => *current = Arc::clone(&ring),
                    Err(poisoned) => *poisoned.into_inner() = Arc::clone(&ring),
                }
                Ok(ring)
            }
            _ => Ok(ring),
        }
    }

    fn may_read_again(&self, now: Timestamp) -> bool {
        let now = now.timestamp_millis();
        let last = self.read_at.load(Ordering::SeqCst);
        now - last >= REREAD_INTERVAL_MS
            && self.read_at.compare_exchange(last, now, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}
