//! The keyring: the table of working keys as this process knows it. `jobs::keys` has it read again each second, and so does
//! a `kid` that is unknown: another node may have made that key a moment ago.
//!
//! `keys::ring` is what is read; `store::keys` is where from.

use std::sync::{
    Arc, PoisonError, RwLock,
    atomic::{AtomicI64, Ordering},
};

use chrono::TimeDelta;
use tokio::sync::Mutex;

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
    registry::keys,
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
    /// The table could not be read for a while, so an unknown key may be one that another node has made.
    #[error("the table of working keys could not be read for a while")]
    Behind,
}

/// The current ring, shared by all workers.
pub struct Keyring {
    masters: Vec<MasterKey>,
    ring: RwLock<Arc<Ring>>,
    asked_at: AtomicI64,
    /// One reading at a time: whoever waited for it looks at what it brought.
    reading: Mutex<()>,
}

impl Keyring {
    /// Reads the table; a first start fills it. Several nodes may do so at once: the first of each purpose stays.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Key`] where a row does not open: a server that started without it would refuse what it made.
    pub async fn open(masters: Vec<MasterKey>, store: &Store, now: Timestamp) -> Result<Self, KeyringError> {
        let first = masters.first().ok_or(KeyringError::NoMaster)?;
        let mut ring = Ring::unwrap(&masters, &store.working_keys().await?, now);
        if ring.unreadable().is_empty() && !ring.lacking().is_empty() {
            store.add_first_keys(&ring::first_keys(first, now)?, &audit(now)).await?;
            ring = Ring::unwrap(&masters, &store.working_keys().await?, now);
        }
        if let Some(row) = ring.unreadable().first() {
            return Err(row.error.clone().into());
        }
        if !ring.lacking().is_empty() {
            return Err(KeyringError::Incomplete);
        }
        let (ring, asked_at) = (RwLock::new(Arc::new(ring)), AtomicI64::new(now.timestamp_millis()));
        Ok(Self { masters, ring, asked_at, reading: Mutex::new(()) })
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
    fn idle_masters(&self, rows: &[WrappedKey]) -> Vec<&str> {
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
    ///
    /// # Errors
    ///
    /// [`KeyringError::Store`] and [`KeyringError::Behind`] where nobody can say whether there is such a key, and
    /// [`KeyringError::Key`] where there is and it does not open here: neither is a reason to call anything forged.
    pub async fn knowing(
        &self,
        kids: impl IntoIterator<Item = Kid> + Clone,
        store: &Store,
        now: Timestamp,
    ) -> Result<Arc<Ring>, KeyringError> {
        let ring = self.current();
        let knows_all = |ring: &Ring| kids.clone().into_iter().all(|kid| ring.knows(kid));
        if kids.clone().into_iter().next().is_none() || (knows_all(&ring) && is_recent(&ring, now)) {
            return Ok(ring);
        }
        let _turn = self.reading.lock().await;
        let ring = self.current();
        let is_known = knows_all(&ring);
        if is_known && is_recent(&ring, now) {
            return Ok(ring);
        }
        let ring = if self.may_read_again(now) {
            match self.follow(store, now).await {
                Ok(ring) => ring,
                // Whoever asks needs the database for the rest too, and hears of it there.
                Err(_) if is_known => ring,
                Err(error) => return Err(error.into()),
            }
        } else if is_known || is_recent(&ring, now) {
            ring
        } else {
            return Err(KeyringError::Behind);
        };
        match ring.unreadable().iter().find(|row| kids.clone().into_iter().any(|kid| kid == row.kid)) {
            Some(row) => Err(row.error.clone().into()),
            None => Ok(ring),
        }
    }

    /// The ring as the table has it now, give or take a second; and whether it could be read.
    pub async fn fresh(&self, store: &Store, now: Timestamp) -> (Arc<Ring>, bool) {
        let ring = self.current();
        if (now - ring.as_of()).num_milliseconds() < REREAD_INTERVAL_MS || !self.may_read_again(now) {
            let is_fresh = is_recent(&ring, now);
            return (ring, is_fresh);
        }
        match self.follow(store, now).await {
            Ok(ring) => (ring, true),
            Err(_) => (ring, false),
        }
    }

    /// Wraps with the first master key what another one wraps, and says what could go from the configuration then. A server
    /// does so once, when it starts: nodes whose lists begin with different keys, as they do while a new one is brought in,
    /// would otherwise take the rows from each other for ever.
    pub async fn settle(&self, store: &Store, now: Timestamp) -> StoreResult<()> {
        let mut rows = store.working_keys().await?;
        let rewrapped = self.rewrap(&rows, store, now).await?;
        if rewrapped > 0 {
            tracing::info!(keys = rewrapped, "working keys are wrapped by the first master key now");
            // A server that starts is waited for, so once is enough.
            keys::scrub(store, 1).await;
            rows = store.working_keys().await?;
        }
        for master in self.idle_masters(&rows) {
            tracing::warn!(
                master.id = master,
                "a master key wraps nothing any more; take it out of master_keys, unless it is listed to become the first"
            );
        }
        Ok(())
    }

    async fn rewrap(&self, rows: &[WrappedKey], store: &Store, now: Timestamp) -> StoreResult<u64> {
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

/// Whether it was read a moment ago.
fn is_recent(ring: &Ring, now: Timestamp) -> bool {
    now - ring.as_of() < STALE
}

fn audit(at: Timestamp) -> Audit {
    Audit { id: AuditEventId(random::id(at)), at, actor: Actor::Server, origin: Origin::default() }
}
