//! The keyring: the table of working keys as this process knows it. `jobs::keys` has it read again each second, and so does
//! a `kid` that is unknown: another node may have made that key a moment ago.
//!
//! `keys::ring` is what is read; `store::keys` is where from.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicI64, Ordering},
};

use chrono::TimeDelta;

use crate::{
    keys::{
        KeyError,
        master::{self, MasterKey},
        ring::{self, Ring},
    },
    model::{
        Timestamp,
        audit::{Actor, Audit, Origin},
        id::AuditEventId,
        key::{Kid, WrappedKey},
    },
    random,
    store::{Store, StoreError, StoreResult, keys::RewrappedKey},
};

/// The least time between two readings caused by callers: whoever makes up `kid`s costs one statement a second.
const REREAD_INTERVAL_MS: i64 = 1000;

/// A ring that nobody has read for so long is read again before it is asked: this process may have been held up, and
/// the others have gone on.
const STALE: TimeDelta = TimeDelta::seconds(5);

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
    asked_at: AtomicI64,
}

impl Keyring {
    /// Reads the table; a first start fills it. Several nodes may do so at once: the first of each purpose stays. What the
    /// first master key does not wrap yet, it wraps from now on.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Key`] where a row does not open: a server that started without it would refuse what it made.
    pub async fn open(masters: Vec<MasterKey>, store: &Store, now: Timestamp) -> Result<Self, KeyringError> {
        let first = masters.first().ok_or(KeyringError::NoMaster)?;
        let mut rows = store.working_keys().await?;
        let mut ring = Ring::unwrap(&masters, &rows, now);
        if ring.unreadable().is_empty() && !ring.lacking().is_empty() {
            store.add_first_keys(&ring::first_keys(first, now)?, &audit(now)).await?;
            rows = store.working_keys().await?;
            ring = Ring::unwrap(&masters, &rows, now);
        }
        if let Some(row) = ring.unreadable().first() {
            return Err(row.error.clone().into());
        }
        if !ring.lacking().is_empty() {
            return Err(KeyringError::Incomplete);
        }
        let keyring =
            Self { masters, ring: RwLock::new(Arc::new(ring)), asked_at: AtomicI64::new(now.timestamp_millis()) };
        keyring.rewrap_rows(store, &rows, now).await?;
        Ok(keyring)
    }

    /// The ring as it was last read.
    pub fn current(&self) -> Arc<Ring> {
        // A writer only ever replaces the whole value, so even a poisoned lock holds a whole ring.
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The master key that wraps what is new.
    pub fn wrapping(&self) -> Option<&MasterKey> {
        self.masters.first()
    }

    /// The master keys that wrap nothing any more, and could go from the configuration.
    pub fn idle_masters(&self, rows: &[WrappedKey]) -> Vec<&str> {
        let idle = |master: &&MasterKey| rows.iter().all(|row| row.gone_at.is_some() || row.master != master.id());
        self.masters.iter().skip(1).filter(idle).map(MasterKey::id).collect()
    }

    /// Reads the table again, as of now.
    pub async fn follow(&self, store: &Store, now: Timestamp) -> StoreResult<Arc<Ring>> {
        let rows = store.working_keys().await?;
        let before = self.current();
        let ring = Arc::new(before.read_again(&self.masters, &rows, now));
        for row in ring.unreadable() {
            // Once each: it is read again every second.
            if before.unreadable().iter().all(|known| known.kid != row.kid) {
                tracing::warn!(
                    key.id = %row.kid,
                    key.purpose = row.purpose.as_str(),
                    error = %row.error,
                    "a working key cannot be read here; what it made is refused by this node"
                );
            }
        }
        let mut current = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        // Another reading may have begun later and ended sooner.
        if current.as_of() <= ring.as_of() || current.as_of() - now > STALE {
            *current = Arc::clone(&ring);
        }
        Ok(ring)
    }

    /// A ring that knows the keys, if there are such keys: another node may have made them a moment ago.
    pub async fn knowing(
        &self,
        kids: impl IntoIterator<Item = Kid>,
        store: &Store,
        now: Timestamp,
    ) -> Result<Arc<Ring>, KeyringError> {
        let ring = self.current();
        let mut kids = kids.into_iter().peekable();
        if kids.peek().is_none() {
            return Ok(ring);
        }
        let is_known = kids.all(|kid| ring.knows(kid));
        drop(kids);
        if (is_known && now - ring.as_of() < STALE) || !self.may_read_again(now) {
            return Ok(ring);
        }
        match self.follow(store, now).await {
            Ok(ring) => Ok(ring),
            // Whoever asks needs the database for the rest too, and hears of it there.
            Err(_) if is_known => Ok(ring),
            Err(error) => Err(error.into()),
        }
    }

    /// The ring as the table has it now, give or take a second; and whether it could be read.
    pub async fn fresh(&self, store: &Store, now: Timestamp) -> (Arc<Ring>, bool) {
        let ring = self.current();
        if (now - ring.as_of()).num_milliseconds() < REREAD_INTERVAL_MS || !self.may_read_again(now) {
            let is_fresh = now - ring.as_of() < STALE;
            return (ring, is_fresh);
        }
        match self.follow(store, now).await {
            Ok(ring) => (ring, true),
            Err(_) => (ring, false),
        }
    }

    /// Wraps with the first master key what another one wraps; answers how many rows that were.
    pub async fn rewrap(&self, store: &Store, now: Timestamp) -> StoreResult<u64> {
        let rows = store.working_keys().await?;
        self.rewrap_rows(store, &rows, now).await
    }

    async fn rewrap_rows(&self, store: &Store, rows: &[WrappedKey], now: Timestamp) -> StoreResult<u64> {
        let mut rewrapped = Vec::new();
        for row in rows {
            // What does not open here is another node's to wrap.
            if let Ok(Some(WrappedKey { kid, master, wrapped, .. })) =
                master::rewrap(&self.masters, row, random::bytes())
            {
                rewrapped.push(RewrappedKey { kid, before: row.master.clone(), master, wrapped });
            }
        }
        if rewrapped.is_empty() {
            return Ok(0);
        }
        store.rewrap_keys(&rewrapped, &audit(now)).await
    }

    fn may_read_again(&self, now: Timestamp) -> bool {
        let now = now.timestamp_millis();
        let last = self.asked_at.load(Ordering::SeqCst);
        (now - last).abs() >= REREAD_INTERVAL_MS
            && self.asked_at.compare_exchange(last, now, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

fn audit(at: Timestamp) -> Audit {
    Audit { id: AuditEventId(random::id(at)), at, actor: Actor::Server, origin: Origin::default() }
}
