//! Forgetting the audit log by its age (`audit_age`): whole links with their events, the oldest first, a few at a time.
//!
//! What is left begins after a link whose number and digest are kept under the key, so that nobody else can forget. For
//! the same reason a link is looked at before it is forgotten: who wrote a false age into one would have the server
//! delete what it does not want to be read, and vouch for that. Links whose keys were given up are vouched for by the last
//! of them alone (`audit::proof`), so those are followed up to there before the first of them leaves.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use serde_json::json;

use crate::{
    audit::{
        chain::{self, BEGINNING},
        proof::Proof,
    },
    keys::{
        KeyError,
        ring::{IN_HAND, Ring},
    },
    model::{
        audit::{Actor, AuditAction, Origin, Subjects},
        digest::Digest,
        id::AuditEventId,
        key::{Purpose, WrappedKey},
    },
    server::Server,
    store::{
        StoreError,
        audit::Telling,
        audit_links::{AuditLink, Forgotten, NewBeginning},
    },
};

/// How long after one time the next begins.
const INTERVAL: Duration = Duration::from_hours(1);

/// How long between two batches of one time, so that callers get their turn.
const BREATH: Duration = Duration::from_millis(50);

/// The oldest link must be older than it may become by so much. So the log does not tell of this more than once a day.
const AT_ONCE: TimeDelta = TimeDelta::days(1);

/// At most so many links, and about so many events, in one batch.
const LINKS: u32 = 20;
const EVENTS: usize = 500;

/// How many links are read at once where they are only looked at.
const LOOKED_AT: u32 = 100;

/// Why nothing more was forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no key for it.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The chain was altered.
    #[error("the audit log's chain does not hold at link {0}; see what `consentry audit verify` says")]
    Altered(i64),
}

/// Forgets for ever.
pub async fn run(server: Arc<Server>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(error) = once(&server).await {
            tracing::warn!(%error, "the oldest part of the audit log could not be forgotten; it is tried again in an hour");
        }
    }
}

/// Forgets what is old enough, and answers how many events that were.
///
/// # Errors
///
/// The store's, where there is no key, and where the chain was altered.
pub async fn once(server: &Server) -> Result<u64, ForgetError> {
    let Some(age) = server.settings.audit_age else { return Ok(0) };
    let before = server.clock.now() - age;
    let (mut total, mut up_to, mut ripe) = (0, 0, AuditEventId::last_of(before - AT_ONCE));
    loop {
        let said = server.store.audit_forgotten().await?;
        let links = oldest(server, ripe).await?;
        let Some(last) = links.last() else { break };
        let ring = server.keyring.current();
        let followed = if total == 0 { follow(server, &ring, said.as_ref()).await } else { Ok(()) };
        if let Err(error) = followed.and_then(|()| check(&ring, said.as_ref(), &links)) {
            if server.store.audit_forgotten().await? == said {
                return Err(error);
            }
            // Another node is at it, and took away what was looked at.
            break;
        }
        let unproven = said.as_ref().and_then(|it| it.unproven);
        let now = chain::begin_after((last.number, last.digest), unproven, server.clock.now(), ring.chaining()?);
        if !server.store.forget_audit_links(&links, &NewBeginning { before: said, now }).await? {
            // Another node is at it, or keys were given up.
            break;
        }
        total += links.iter().map(|link| link.members.len() as u64).sum::<u64>();
        (up_to, ripe) = (last.number, AuditEventId::last_of(before));
        tokio::time::sleep(BREATH).await;
    }
    if total > 0 {
        let detail = json!({ "link": up_to, "events": total });
        let telling = Telling { action: AuditAction::AuditForgotten, subjects: Subjects::default(), detail };
        server.store.tell(telling, &server.audit(Actor::Server, Origin::default())).await?;
    }
    let_keys_go(server).await?;
    Ok(total)
}

/// A key is needed as long as a link that was made with it is there. How long that is nobody knows when another takes
/// over from it.
async fn let_keys_go(server: &Server) -> Result<(), StoreError> {
    let now = server.clock.now();
    let is_idle = |key: &&WrappedKey| {
        let is_retired = key.retired_at.is_some_and(|at| at + IN_HAND < now);
        key.purpose == Purpose::Audit && is_retired && key.needed_until.is_none()
    };
    for key in server.store.working_keys().await?.iter().filter(is_idle) {
        if !server.store.is_chained_with(key.kid).await? {
            server.store.keep_until(key.kid, now).await?;
        }
    }
    Ok(())
}

/// The oldest links that are old enough. The newest of all stays: the next one is made from it.
async fn oldest(server: &Server, ripe: AuditEventId) -> Result<Vec<AuditLink>, StoreError> {
    let mut links = server.store.audit_links(0, LINKS).await?;
    links.pop();
    let mut events = 0;
    let is_next = |link: &&AuditLink| {
        let is_first = events == 0;
        events += link.members.len();
        link.reached <= ripe && (is_first || events <= EVENTS)
    };
    let count = links.iter().take_while(is_next).count();
    links.truncate(count);
    Ok(links)
}

/// Goes from link to link up to the last whose key was given up, if any was.
async fn follow(server: &Server, ring: &Ring, said: Option<&Forgotten>) -> Result<(), ForgetError> {
    let proof = Proof::new(ring, said);
    let Some((last, _)) = proof.unproven() else { return Ok(()) };
    let mut before = beginning(proof, said)?;
    while before.0 < last {
        let links = server.store.audit_links(before.0, LOOKED_AT).await?;
        if links.is_empty() {
            return Err(ForgetError::Altered(before.0 + 1));
        }
        before = chained(proof, before, &links)?;
    }
    Ok(())
}

fn check(ring: &Ring, said: Option<&Forgotten>, links: &[AuditLink]) -> Result<(), ForgetError> {
    let proof = Proof::new(ring, said);
    chained(proof, beginning(proof, said)?, links).map(drop)
}

/// The number and digest of the link after which the log begins.
fn beginning(proof: Proof<'_>, said: Option<&Forgotten>) -> Result<(i64, Digest), ForgetError> {
    match said {
        Some(said) if proof.is_of(said) => Ok((said.number, said.digest)),
        Some(said) => Err(ForgetError::Altered(said.number)),
        None => Ok((0, BEGINNING)),
    }
}

/// Goes over links, each of which has to be whole and made of the one before; answers what the last comes to.
fn chained(proof: Proof<'_>, mut before: (i64, Digest), links: &[AuditLink]) -> Result<(i64, Digest), ForgetError> {
    for link in links {
        if (link.number - 1, link.previous) != before || !proof.holds(link) {
            return Err(ForgetError::Altered(link.number));
        }
        before = (link.number, link.digest);
    }
    Ok(before)
}
