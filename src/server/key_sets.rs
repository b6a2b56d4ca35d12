//! The key sets clients' assertions are verified with (RFC 7517, RFC 7523): fetched safely, the last good one kept in
//! the client's row.
//!
//! A set supplied by the operator, or that came with the client's own metadata, is used as it is and never fetched. A
//! host that cannot be reached, or serves something that is no set, leaves the last good one in force for a day from
//! then, with a warning and a metric; the row says since when, so that a restart or another node does not begin the day
//! anew. A `kid` nobody has seen is looked for once a minute per client, so that whoever makes them up costs little.
//!
//! `looking` is the look at where a set is published, with what follows from it; `clients` says who may cause one.

mod looking;

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use moka::future::Cache;
use tokio::sync::Mutex;
use tracing::Instrument;

use super::{Server, clients::Asking};
use crate::{
    model::{
        Timestamp,
        client::{Client, Registration},
        id::ClientId,
        key_set::KeySet,
    },
    outbound::{FetchError, Outbound},
};
use looking::Look;

/// How long a set is waited for when there is none to go by, and when there is one.
const PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE_WITH_A_SET: Duration = Duration::from_secs(2);

/// However short its headers say, a set is good for a minute.
const FRESH_MIN: TimeDelta = TimeDelta::minutes(1);

/// How long a set still serves after a newer one could first not be had.
const STALE_MAX: TimeDelta = TimeDelta::hours(24);

/// How soon one client's set is asked for again, after a failure or for a `kid` that is not in it.
const AGAIN: TimeDelta = TimeDelta::minutes(1);

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
    /// None that is known may serve, and none is asked for on behalf of whoever sent this.
    #[error("the client's keys are not looked for, since nothing that is good here came with it")]
    NotAsked,
    /// What came is no set at all: a page that asks for proof of being human, for instance.
    #[error("what stands at the client's jwks_uri is not a JSON object")]
    NoDocument,
    /// It cannot be had, and none is kept that may still serve.
    #[error("the client's key set could not be fetched: {0}")]
    Fetch(FetchError),
    /// It came with a document that could not be read again for more than a day.
    #[error("the client's document, with its key set, could not be read again for a day")]
    Outdated,
    /// The server is stopping.
    #[error("the look for the client's key set was broken off")]
    BrokenOff,
}

impl NoKeySet {
    /// Whether it may pass by itself: nothing was said against the client, only its keys could not be had.
    pub fn passes(&self) -> bool {
        match self {
            Self::NoDocument | Self::Fetch(_) | Self::Outdated | Self::BrokenOff => true,
            Self::NoneNamed | Self::Invalid(_) | Self::NotAsked => false,
        }
    }
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

/// The sets, shared by all workers. Those of clients that registered themselves have turns and memory of their own:
/// they can be any number, and must not drive out those of clients that somebody knows.
pub struct KeySets {
    strangers: Sets,
    known: Sets,
}

/// A set as it was fetched.
struct Kept {
    set: Arc<KeySet>,
    uri: String,
    fetched_at: Timestamp,
    fresh_until: Timestamp,
}

/// The last look at where a set is published, if nothing came of it.
struct Failed {
    uri: String,
    at: Timestamp,
    /// Since when nothing does; none if so far its host was not even asked.
    since: Option<Timestamp>,
    why: NoKeySet,
}

/// What is remembered of sets, and who fetches them. Cheap to clone; all clones remember the same.
#[derive(Clone)]
struct Sets {
    outbound: Outbound,
    kept: Cache<ClientId, Arc<Kept>>,
    failed: Cache<ClientId, Arc<Failed>>,
    /// Who looks just now.
    turns: Cache<ClientId, Arc<Mutex<()>>>,
}

/// A set, or why there is none.
type Answer = Result<Arc<KeySet>, NoKeySet>;

/// Whose set is wanted, from where, for what, and when.
struct Question<'a> {
    client: &'a Client,
    uri: &'a str,
    wanted: Wanted<'a>,
    now: Timestamp,
}

/// What is known without a look.
enum AtHand {
    /// Looking would not help.
    Settled(Answer),
    /// There may be a newer one; if it cannot be had, this one serves.
    Old(Option<Arc<KeySet>>),
}

impl KeySets {
    /// None are known yet.
    pub fn new(strangers: Outbound, known: Outbound) -> Self {
        Self { strangers: Sets::new(strangers), known: Sets::new(known) }
    }

    fn of(&self, client: &Client) -> &Sets {
        if client.registration == Registration::Dynamic { &self.strangers } else { &self.known }
    }
}

impl Server {
    /// The set to verify a client's assertion with, which holds the key that is wanted if any set of the client's does.
    pub async fn key_set(&self, client: &Client, wanted: Wanted<'_>, asking: Asking) -> Answer {
        let now = self.clock.now();
        let Some(uri) = client.keys.fetched_from() else { return at_rest(client, now) };
        let sets = self.key_sets.of(client);
        let question = Question { client, uri, wanted, now };
        let old = match sets.at_hand(&question).await {
            AtHand::Settled(answer) => return answer,
            AtHand::Old(old) => old,
        };
        if asking.about(client) == Asking::Nobody {
            return old.ok_or(NoKeySet::NotAsked);
        }
        // One request looks; those who have something to go by do not wait for it.
        let turn = sets.turns.get_with(client.id, async { Arc::default() }).await;
        let turn = match (Arc::clone(&turn).try_lock_owned(), old) {
            (Ok(turn), _) => turn,
            (Err(_), Some(old)) => return Ok(old),
            (Err(_), None) => turn.lock_owned().await,
        };
        let old = match sets.at_hand(&question).await {
            AtHand::Settled(answer) => return answer,
            AtHand::Old(old) => old,
        };
        let patience = if old.is_some() { PATIENCE_WITH_A_SET } else { PATIENCE };
        let look = Look {
            sets: sets.clone(),
            store: self.store.clone(),
            client: client.clone(),
            uri: uri.to_owned(),
            patience,
            now,
        };
        // A task of its own: what has begun is brought to its end although whoever asked goes away, so that nobody can
        // use up the look that a client has in a minute.
        let looked = tokio::spawn(look.run(turn).in_current_span()).await.unwrap_or(Err(NoKeySet::BrokenOff));
        looked.or_else(|why| old.ok_or(why))
    }
}

/// The set that the client sent along, or the operator supplied. The keys in a document have the same day as those that
/// are published beside it: where it cannot be read again, nobody can say whether they are still the client's.
fn at_rest(client: &Client, now: Timestamp) -> Answer {
    let Some(text) = &client.keys.key_set else { return Err(NoKeySet::NoneNamed) };
    if client.keys.failing_since.is_some_and(|since| now >= since + STALE_MAX) {
        return Err(NoKeySet::Outdated);
    }
    read(text)
}

impl Sets {
    fn new(outbound: Outbound) -> Self {
        let (kept, failed, turns) = (Cache::new(KEPT_MAX), Cache::new(KEPT_MAX), Cache::new(KEPT_MAX));
        Self { outbound, kept, failed, turns }
    }

    async fn at_hand(&self, question: &Question<'_>) -> AtHand {
        let Question { client, uri, wanted, now } = *question;
        let known = self.known(client, uri, now).await;
        let failed = self.failed(client.id, uri).await;
        if let Some(known) = known.as_deref().filter(|known| known.settles(wanted, now)) {
            return AtHand::Settled(Ok(Arc::clone(&known.set)));
        }
        let serves =
            |known: &&Kept| failing_since(client, known, failed.as_deref()).is_none_or(|since| now < since + STALE_MAX);
        let old = known.as_deref().filter(|known| known.holds(wanted)).filter(serves);
        let old = old.map(|known| Arc::clone(&known.set));
        match failed {
            Some(failed) if is_lately(failed.at, now) => AtHand::Settled(old.ok_or_else(|| failed.why.clone())),
            _ => AtHand::Old(old),
        }
    }

    /// The set as it was last fetched from this address, by this process or by any.
    async fn known(&self, client: &Client, uri: &str, now: Timestamp) -> Option<Arc<Kept>> {
        let in_memory = self.kept.get(&client.id).await.filter(|kept| kept.uri == uri);
        let Some((text, fetched_at)) = client.keys.key_set.as_ref().zip(client.keys.fetched_at) else {
            return in_memory;
        };
        // A time that has yet to come was written by a clock that was wrong: whatever was fetched since is newer.
        if in_memory.as_ref().is_some_and(|kept| kept.fetched_at >= fetched_at || fetched_at > now) {
            return in_memory;
        }
        let fetched_at = fetched_at.min(now);
        let Ok(set) = read(text) else { return in_memory };
        // How long its headers allowed is not in the row.
        let kept = Arc::new(Kept { set, uri: uri.to_owned(), fetched_at, fresh_until: fetched_at + FRESH_MIN });
        self.kept.insert(client.id, Arc::clone(&kept)).await;
        Some(kept)
    }

    /// The last look at this address, if nothing came of it.
    async fn failed(&self, id: ClientId, uri: &str) -> Option<Arc<Failed>> {
        self.failed.get(&id).await.filter(|failed| failed.uri == uri)
    }
}

impl Kept {
    /// Whether a look would not help: it is fresh and has the key, or was had so lately that a key which is not in it
    /// is nobody's.
    fn settles(&self, wanted: Wanted<'_>, now: Timestamp) -> bool {
        let is_fresh = self.fetched_at <= now && now < self.fresh_until;
        (is_fresh && self.holds(wanted)) || is_lately(self.fetched_at, now)
    }

    fn holds(&self, wanted: Wanted<'_>) -> bool {
        match wanted {
            Wanted::Any => true,
            Wanted::Named(kid) => self.set.names(kid),
            Wanted::Newer => false,
        }
    }
}

/// Whether that was so lately that nothing else is to be had. What has yet to come was seen on a clock that was wrong.
fn is_lately(then: Timestamp, now: Timestamp) -> bool {
    then <= now && now < then + AGAIN
}

/// Since when no newer set could be had, as the row and this process know it. What failed before this one was fetched
/// is over.
fn failing_since(client: &Client, known: &Kept, failed: Option<&Failed>) -> Option<Timestamp> {
    let told = [client.keys.failing_since, failed.and_then(|failed| failed.since)];
    told.into_iter().flatten().filter(|since| *since >= known.fetched_at).min()
}

fn read(text: &str) -> Answer {
    KeySet::parse(text.as_bytes()).map(Arc::new).map_err(|error| NoKeySet::Invalid(error.to_string()))
}
