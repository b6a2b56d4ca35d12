//! A look at where a client publishes its keys: the fetch, and what follows from it in memory and in the client's row.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use tokio::sync::OwnedMutexGuard;
use url::Url;

use super::{Answer, FRESH_MIN, Failed, Kept, NoKeySet, Sets, failing_since, read};
use crate::{
    model::{
        Timestamp,
        client::{Client, Registration},
        key_set::{self, KeySet},
    },
    outbound::Limits,
    store::{Store, StoreResult, clients::FetchedKeySet},
    telemetry::metrics,
};

/// What holds when the headers say nothing, and the most they may say.
const FRESH_DEFAULT: TimeDelta = TimeDelta::hours(1);
const FRESH_MAX: TimeDelta = TimeDelta::hours(24);

/// How old the row's copy may get while the set stays the same: what a restart begins with. A client that registered
/// itself makes the server write no more often than that, whatever it publishes.
const ROW_AGE_MAX: TimeDelta = TimeDelta::hours(1);

/// The largest set kept in the row of a client that registered itself: strangers make those rows.
const DYNAMIC_BYTES_MAX: usize = 8 * 1024;

/// Who looks where.
pub(super) struct Look {
    pub sets: Sets,
    pub store: Store,
    pub client: Client,
    pub uri: String,
    pub patience: Duration,
    pub now: Timestamp,
}

impl Look {
    /// Looks. The turn is held until everything that follows is done.
    pub async fn run(self, _turn: OwnedMutexGuard<()>) -> Answer {
        match self.fetch().await {
            Ok(fetched) => {
                let fetched = Arc::new(fetched);
                self.sets.kept.insert(self.client.id, Arc::clone(&fetched)).await;
                self.sets.failed.invalidate(&self.client.id).await;
                self.written(self.keep(&fetched).await);
                Ok(Arc::clone(&fetched.set))
            }
            Err(why) => {
                self.tell(&why);
                self.written(self.fail(&why).await);
                Err(why)
            }
        }
    }

    async fn fetch(&self) -> Result<Kept, NoKeySet> {
        let url = Url::parse(&self.uri).map_err(|_| NoKeySet::Invalid("jwks_uri is not a URL".to_owned()))?;
        let limits = Limits { bytes_max: key_set::BYTES_MAX, patience: self.patience };
        let fetched = self.sets.outbound.get(&url, limits).await.map_err(NoKeySet::Fetch)?;
        if !fetched.body.trim_ascii_start().starts_with(b"{") {
            return Err(NoKeySet::NoDocument);
        }
        let published = KeySet::parse_published(&fetched.body);
        let (set, damaged) = published.map_err(|error| NoKeySet::Invalid(error.to_string()))?;
        if let Some(damaged) = damaged {
            let id = self.client.client_id.as_str();
            tracing::warn!(client.id = id, reason = %damaged, "a client publishes a damaged key; the others serve");
        }
        let fresh = fetched.max_age.map_or(FRESH_DEFAULT, |age| TimeDelta::from_std(age).unwrap_or(FRESH_MAX));
        let fresh_until = self.now + fresh.clamp(FRESH_MIN, FRESH_MAX);
        Ok(Kept { set: Arc::new(set), uri: self.uri.clone(), fetched_at: self.now, fresh_until })
    }

    /// Keeps a set in the row, unless that would say what it says already.
    async fn keep(&self, fetched: &Kept) -> StoreResult<()> {
        let (keys, text) = (&self.client.keys, fetched.set.as_json());
        let is_dynamic = self.client.registration == Registration::Dynamic;
        let is_young = keys.fetched_at.is_some_and(|at| self.now < at + ROW_AGE_MAX);
        let kept = || keys.key_set.as_deref().and_then(|kept| read(kept).ok());
        let is_same = || keys.failing_since.is_none() && kept().is_some_and(|kept| kept.as_json() == text);
        let too_much = is_dynamic && (text.len() > DYNAMIC_BYTES_MAX || !self.may_write());
        if too_much || (is_young && is_same()) {
            return Ok(());
        }
        let kept = FetchedKeySet { jwks_uri: &fetched.uri, key_set: &text, fetched_at: fetched.fetched_at };
        self.store.keep_key_set(self.client.id, &kept).await
    }

    /// Remembers that nothing came of it, and since when nothing does: in the row once, while it lasts. That too much
    /// was going on here begins no day: otherwise a crowd could make it end for a client whose host is well.
    async fn fail(&self, why: &NoKeySet) -> StoreResult<()> {
        let Self { sets, client, now, .. } = self;
        let before = sets.failed(client.id, &self.uri).await;
        let known = sets.known(client, &self.uri, *now).await;
        let since = match &known {
            Some(known) => failing_since(client, known, before.as_deref()),
            None => before.and_then(|before| before.since),
        };
        let was_asked = !matches!(why, NoKeySet::Fetch(error) if error.is_ours());
        let since = since.or(was_asked.then_some(*now));
        let failed = Failed { uri: self.uri.clone(), at: *now, since, why: why.clone() };
        sets.failed.insert(client.id, Arc::new(failed)).await;
        match since {
            Some(since)
                if client.keys.fetched_at.is_some() && client.keys.failing_since.is_none() && self.may_write() =>
            {
                self.store.key_set_fails(client.id, since).await
            }
            _ => Ok(()),
        }
    }

    /// Whether the row may be written: if its client registered itself, not within an hour of the last set. That its
    /// keys can be had again is written at once: the row must not go on counting a day that is over.
    fn may_write(&self) -> bool {
        let keys = &self.client.keys;
        self.client.registration != Registration::Dynamic
            || keys.failing_since.is_some()
            || keys.fetched_at.is_none_or(|fetched_at| self.now >= fetched_at + ROW_AGE_MAX)
    }

    fn tell(&self, why: &NoKeySet) {
        metrics::key_set_fetch_failed();
        let id = self.client.client_id.as_str();
        if matches!(why, NoKeySet::Fetch(error) if error.is_refusal()) {
            let cure = "supply its keys by hand: consentry client supply-keys";
            tracing::warn!(client.id = id, reason = %why, cure, "a client's key set could not be fetched");
        } else {
            tracing::warn!(client.id = id, reason = %why, "a client's key set could not be fetched");
        }
    }

    /// What could not be written is known in memory all the same; the next look tries again.
    fn written(&self, outcome: StoreResult<()>) {
        if let Err(error) = outcome {
            let id = self.client.client_id.as_str();
            tracing::warn!(client.id = id, %error, "what came of a look for a client's key set could not be kept");
        }
    }
}
