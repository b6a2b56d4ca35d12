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
        client::{Client, ClientKeys, Registration},
        id::ClientId,
        key_set::{self, KeySet},
    },
    outbound::{FetchError, Limits, Outbound},
    store::{StoreResult, clients::FetchedKeySet},
    telemetry::metrics,
};

/// How long a set is waited for when there is none to go by, and when there is one.
const PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE_WITH_A_SET: Duration = Duration::from_secs(2);

/// What holds when the headers say nothing, and the bounds of what they may say.
const FRESH_DEFAULT: TimeDelta = TimeDelta::hours(1);
const FRESH_MIN: TimeDelta = TimeDelta::minutes(1);
const FRESH_MAX: TimeDelta = TimeDelta::hours(24);

/// How long a set still serves after a newer one could first not be had. Who restarts begins to count anew, so its own age
/// has a bound as well.
const STALE_MAX: TimeDelta = TimeDelta::hours(24);
const AGE_MAX: TimeDelta = TimeDelta::hours(48);

/// How soon one client's set is asked for again, after a failure or for a `kid` that is not in it.
const AGAIN: TimeDelta = TimeDelta::minutes(1);

/// How old the row's copy may get while the set stays the same: what a restart begins with.
const ROW_AGE_MAX: TimeDelta = TimeDelta::hours(1);

/// The largest set kept in the row of a client that registered itself: strangers make those rows.
const DYNAMIC_BYTES_MAX: usize = 8 * 1024;

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
    /// It was asked for a moment ago and could not be had, and none is kept that may still serve.
    #[error("the client's key set was asked for a moment ago, and could not be had")]
    JustAsked,
    /// It cannot be had, and none is kept that may still serve.
    #[error("the client's key set could not be fetched: {0}")]
    Fetch(FetchError),
}

/// Which key an assertion asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// It names none.
    Any,
    /// The one of this name.
    Named(&'a str),
    /// One that is in none of the sets so far.
    Newer,
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
    /// For the sets of clients that registered themselves.
    strangers: Outbound,
    /// For those of clients that somebody knows.
    known: Outbound,
    kept: Cache<ClientId, Arc<Kept>>,
    /// When a client's set was last asked for.
    asked: Cache<ClientId, Timestamp>,
    /// Since when a client's set cannot be had.
    failing: Cache<ClientId, Timestamp>,
    /// Who asks just now.
    flights: Cache<ClientId, Arc<Mutex<()>>>,
}

impl KeySets {
    /// None are known yet.
    pub fn new(strangers: Outbound, known: Outbound) -> Self {
        let (kept, flights) = (Cache::new(KEPT_MAX), Cache::new(KEPT_MAX));
        let (asked, failing) = (Cache::new(KEPT_MAX), Cache::new(KEPT_MAX));
        Self { strangers, known, kept, asked, failing, flights }
    }

    async fn fetch(&self, client: &Client, uri: &str, patience: Duration, now: Timestamp) -> Result<Kept, NoKeySet> {
        let url = Url::parse(uri).map_err(|_| NoKeySet::Invalid("jwks_uri is not a URL".to_owned()))?;
        let outbound = if client.registration == Registration::Dynamic { &self.strangers } else { &self.known };
        let limits = Limits { bytes_max: key_set::BYTES_MAX, patience };
        let fetched = outbound.get(&url, limits).await.map_err(NoKeySet::Fetch)?;
        let set = read(&fetched.body)?;
        let fresh = fetched.max_age.map_or(FRESH_DEFAULT, |age| TimeDelta::from_std(age).unwrap_or(FRESH_MAX));
        let fresh_until = now + fresh.clamp(FRESH_MIN, FRESH_MAX);
        Ok(Kept { set, uri: uri.to_owned(), fetched_at: now, fresh_until })
    }
}

impl Server {
    /// The set to verify a client's assertion with, which holds the key that is wanted if any set of the client's does.
    pub async fn key_set(&self, client: &Client, wanted: Wanted<'_>) -> StoreResult<Result<Arc<KeySet>, NoKeySet>> {
        let ClientKeys { jwks_uri, key_set, fetched_at } = &client.keys;
        let Some(uri) = jwks_uri.as_ref().filter(|_| key_set.is_none() || fetched_at.is_some()) else {
            return Ok(key_set.as_ref().map_or(Err(NoKeySet::NoneNamed), |text| read(text.as_bytes())));
        };
        let now = self.clock.now();
        let known = self.known_set(client, uri).await;
        if let Some(set) = fresh(known.as_deref(), wanted, now) {
            return Ok(Ok(set));
        }
        // One request asks; those who have something to go by do not wait for it.
        let flight = self.key_sets.flights.get_with(client.id, async { Arc::default() }).await;
        let usable = self.usable_set(client, known.as_deref(), wanted, now).await;
        let _turn = match (flight.try_lock(), usable) {
            (Ok(turn), _) => turn,
            (Err(_), Some(set)) => return Ok(Ok(set)),
            (Err(_), None) => flight.lock().await,
        };
        let known = self.known_set(client, uri).await;
        if let Some(set) = fresh(known.as_deref(), wanted, now) {
            return Ok(Ok(set));
        }
        let usable = self.usable_set(client, known.as_deref(), wanted, now).await;
        if self.key_sets.asked.get(&client.id).await.is_some_and(|asked| now < asked + AGAIN) {
            // If it was had a moment ago, a key that is not in it is nobody's; if not, it may be a new one.
            let is_failing = self.key_sets.failing.contains_key(&client.id);
            let newest = known.filter(|_| !is_failing).map(|known| Arc::clone(&known.set));
            return Ok(usable.or(newest).ok_or(NoKeySet::JustAsked));
        }
        self.key_sets.asked.insert(client.id, now).await;
        let patience = if usable.is_some() { PATIENCE_WITH_A_SET } else { PATIENCE };
        match self.key_sets.fetch(client, uri, patience, now).await {
            Ok(fetched) => {
                let fetched = Arc::new(fetched);
                self.key_sets.failing.invalidate(&client.id).await;
                self.key_sets.kept.insert(client.id, Arc::clone(&fetched)).await;
                self.keep_row(client, &fetched).await?;
                Ok(Ok(Arc::clone(&fetched.set)))
            }
            Err(error) => {
                self.key_sets.failing.get_with(client.id, async { now }).await;
                metrics::key_set_fetch_failed();
                tracing::warn!(client.id = client.client_id.as_str(), reason = %error, "a client's key set could not be fetched");
                Ok(usable.ok_or(error))
            }
        }
    }

    /// A set that was good once, holds the key that is wanted, and may still serve.
    async fn usable_set(
        &self,
        client: &Client,
        known: Option<&Kept>,
        wanted: Wanted<'_>,
        now: Timestamp,
    ) -> Option<Arc<KeySet>> {
        let failing_since = self.key_sets.failing.get(&client.id).await;
        let known = known.filter(|known| holds(known, wanted) && now < known.fetched_at + AGE_MAX)?;
        failing_since.is_none_or(|since| now < since + STALE_MAX).then(|| Arc::clone(&known.set))
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
        let too_large = client.registration == Registration::Dynamic && text.len() > DYNAMIC_BYTES_MAX;
        if too_large || (young && same()) {
            return Ok(());
        }
        let kept = FetchedKeySet { jwks_uri: &fetched.uri, key_set: &text, fetched_at: fetched.fetched_at };
        self.store.keep_key_set(client.id, &kept).await
    }
}

/// A set that needs no asking: it is fresh, and holds the key that is wanted.
fn fresh(known: Option<&Kept>, wanted: Wanted<'_>, now: Timestamp) -> Option<Arc<KeySet>> {
    known.filter(|known| now < known.fresh_until && holds(known, wanted)).map(|known| Arc::clone(&known.set))
}

fn holds(known: &Kept, wanted: Wanted<'_>) -> bool {
    match wanted {
        Wanted::Any => true,
        Wanted::Named(kid) => known.set.names(kid),
        Wanted::Newer => false,
    }
}

fn read(text: &[u8]) -> Result<Arc<KeySet>, NoKeySet> {
    KeySet::parse(text).map(Arc::new).map_err(|error| NoKeySet::Invalid(error.to_string()))
}
