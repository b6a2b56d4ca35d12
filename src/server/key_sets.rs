//! The key sets clients' assertions are verified with (RFC 7517, RFC 7523): fetched safely, the last good one kept in
//! the client's row.
//!
//! A set supplied by the operator, or written into the client's own metadata, is used as it is and never fetched. A host
//! that cannot be reached leaves the last good set in force for a day, with a warning and a metric; a `kid` nobody has
//! seen is looked for once a minute per client, so that whoever makes them up costs little.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use moka::future::Cache;
use tokio::sync::Mutex;
use url::Url;

use super::Server;
use crate::{
    model::{
        Timestamp,
        client::{Client, ClientKeys},
        id::ClientId,
        key_set::{self, KeySet},
    },
    outbound::{FetchError, Limits, Outbound},
    store::StoreResult,
    telemetry::metrics,
};

/// What one fetch may cost.
const LIMITS: Limits = Limits { bytes_max: key_set::BYTES_MAX, patience: Duration::from_secs(5) };

/// What holds when the headers say nothing, and the bounds of what they may say.
const FRESH_DEFAULT: TimeDelta = TimeDelta::hours(1);
const FRESH_MIN: TimeDelta = TimeDelta::minutes(1);
const FRESH_MAX: TimeDelta = TimeDelta::hours(24);

/// How long past its time a set still serves while a newer one cannot be had.
const STALE_MAX: TimeDelta = TimeDelta::hours(24);

/// How soon one client's set is asked for again, after a failure or for a `kid` that is not in it.
const AGAIN: TimeDelta = TimeDelta::minutes(1);

/// How old the row's copy may get while the set stays the same: what a restart begins with.
const ROW_AGE_MAX: TimeDelta = TimeDelta::hours(1);

/// The most sets kept in memory.
const KEPT_MAX: u64 = 1000;

/// Why there is no set to verify with.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoKeySet {
    /// The client named none.
    #[error("the client has no key set")]
    NoneNamed,
    /// What is kept or was fetched is not one.
    #[error("the client's key set is not good: {0}")]
    Invalid(String),
    /// It cannot be had, and none is kept that may still serve.
    #[error("the client's key set could not be fetched: {0}")]
    Fetch(FetchError),
}

/// A set as it was fetched.
struct Kept {
    set: Arc<KeySet>,
    uri: String,
    fetched_at: Timestamp,
    fresh_until: Timestamp,
}

/// The sets, shared by all workers.
pub struct KeySets {
    outbound: Outbound,
    kept: Cache<ClientId, Arc<Kept>>,
    /// When a client's set was last asked for.
    asked: Cache<ClientId, Timestamp>,
    /// Who asks just now.
    flights: Cache<ClientId, Arc<Mutex<()>>>,
}

impl KeySets {
    /// None are known yet.
    pub fn new(outbound: Outbound) -> Self {
        let (kept, asked, flights) = (Cache::new(KEPT_MAX), Cache::new(KEPT_MAX), Cache::new(KEPT_MAX));
        Self { outbound, kept, asked, flights }
    }

    async fn fetch(&self, uri: &str, now: Timestamp) -> Result<Kept, NoKeySet> {
        let url = Url::parse(uri).map_err(|_| NoKeySet::Invalid("jwks_uri is not a URL".to_owned()))?;
        let fetched = self.outbound.get(&url, LIMITS).await.map_err(NoKeySet::Fetch)?;
        let set = read(&fetched.body)?;
        let fresh = fetched.max_age.map_or(FRESH_DEFAULT, |age| TimeDelta::from_std(age).unwrap_or(FRESH_MAX));
        let fresh_until = now + fresh.clamp(FRESH_MIN, FRESH_MAX);
        Ok(Kept { set, uri: uri.to_owned(), fetched_at: now, fresh_until })
    }
}

impl Server {
    /// The set to verify a client's assertion with; `kid` is which key it claims to be signed with.
    pub async fn key_set(&self, client: &Client, kid: Option<&str>) -> StoreResult<Result<Arc<KeySet>, NoKeySet>> {
        let ClientKeys { jwks_uri, key_set, fetched_at } = &client.keys;
        let Some(uri) = jwks_uri.as_ref().filter(|_| key_set.is_none() || fetched_at.is_some()) else {
            return Ok(key_set.as_ref().map_or(Err(NoKeySet::NoneNamed), |text| read(text.as_bytes())));
        };
        let now = self.clock.now();
        let known = self.known_set(client, uri).await;
        if let Some(set) = fresh(known.as_deref(), kid, now) {
            return Ok(Ok(set));
        }
        // One request asks; those who have something to go by do not wait for it.
        let flight = self.key_sets.flights.get_with(client.id, async { Arc::default() }).await;
        let _turn = match (flight.try_lock(), usable(known.as_deref(), kid, now)) {
            (Ok(turn), _) => turn,
            (Err(_), Some(set)) => return Ok(Ok(set)),
            (Err(_), None) => flight.lock().await,
        };
        let known = self.known_set(client, uri).await;
        if let Some(set) = fresh(known.as_deref(), kid, now) {
            return Ok(Ok(set));
        }
        if self.key_sets.asked.get(&client.id).await.is_some_and(|asked| now < asked + AGAIN) {
            return Ok(usable(known.as_deref(), None, now).ok_or(NoKeySet::Fetch(FetchError::Busy)));
        }
        self.key_sets.asked.insert(client.id, now).await;
        match self.key_sets.fetch(uri, now).await {
            Ok(fetched) => {
                let fetched = Arc::new(fetched);
                self.key_sets.kept.insert(client.id, Arc::clone(&fetched)).await;
                self.keep_row(client, &fetched).await?;
                Ok(Ok(Arc::clone(&fetched.set)))
            }
            Err(error) => {
                metrics::key_set_fetch_failed();
                tracing::warn!(client.id = client.client_id.as_str(), reason = %error, "a client's key set could not be fetched; the last good one serves for a day");
                Ok(usable(known.as_deref(), None, now).ok_or(error))
            }
        }
    }

    /// The set as it was last fetched from this address, by this process or by any.
    async fn known_set(&self, client: &Client, uri: &str) -> Option<Arc<Kept>> {
        if let Some(kept) = self.key_sets.kept.get(&client.id).await.filter(|kept| kept.uri == uri) {
            return Some(kept);
        }
        let (text, fetched_at) = client.keys.key_set.as_ref().zip(client.keys.fetched_at)?;
        let set = read(text.as_bytes()).ok()?;
        // How long it was good for is not kept; it is asked for anew, and serves until then.
        let kept = Arc::new(Kept { set, uri: uri.to_owned(), fetched_at, fresh_until: fetched_at });
        self.key_sets.kept.insert(client.id, Arc::clone(&kept)).await;
        Some(kept)
    }

    async fn keep_row(&self, client: &Client, fetched: &Kept) -> StoreResult<()> {
        let text = fetched.set.as_json();
        let young = client.keys.fetched_at.is_some_and(|at| fetched.fetched_at < at + ROW_AGE_MAX);
        let same = || {
            client
                .keys
                .key_set
                .as_ref()
                .is_some_and(|kept| read(kept.as_bytes()).is_ok_and(|kept| kept.as_json() == text))
        };
        if young && same() {
            return Ok(());
        }
        self.store.keep_key_set(client.id, &text, fetched.fetched_at).await
    }
}

/// A set that needs no asking: it is fresh, and knows the key.
fn fresh(known: Option<&Kept>, kid: Option<&str>, now: Timestamp) -> Option<Arc<KeySet>> {
    known.filter(|known| now < known.fresh_until && knows(known, kid)).map(|known| Arc::clone(&known.set))
}

/// A set that was good once and may still serve, and knows the key if one is named.
fn usable(known: Option<&Kept>, kid: Option<&str>, now: Timestamp) -> Option<Arc<KeySet>> {
    known.filter(|known| now < known.fresh_until + STALE_MAX && knows(known, kid)).map(|known| Arc::clone(&known.set))
}

fn knows(known: &Kept, kid: Option<&str>) -> bool {
    kid.is_none_or(|kid| known.set.names(kid))
}

fn read(text: &[u8]) -> Result<Arc<KeySet>, NoKeySet> {
    KeySet::parse(text).map(Arc::new).map_err(|error| NoKeySet::Invalid(error.to_string()))
}
