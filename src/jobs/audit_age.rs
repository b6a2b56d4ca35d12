//! Forgetting the audit log by its age (`audit_age`): whole links with their events, the oldest first, a few at a time.
//!
//! What is left begins after a link whose number and digest are kept under the key, so that nobody else can forget. For
//! the same reason a link is looked at before it is forgotten: who wrote a false age into one would have the server
//! delete what it does not want to be read, and vouch for that.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use serde_json::json;

use crate::{
    audit::{chain, verify},
    keys::{
        KeyError,
        ring::{IN_HAND, Ring},
    },
    model::{
        audit::{Actor, AuditAction, Origin, Subjects},
        id::AuditEventId,
        key::{Purpose, WrappedKey},
    },
    server::Server,
    store::{
        StoreError,
        audit::Telling,
        audit_links::{AuditLink, Forgotten},
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
        let began = server.store.audit_forgotten().await?;
        let links = oldest(server, began.as_ref(), ripe).await?;
        let Some(last) = links.last() else { break };
        let ring = server.keyring.current();
        check(&ring, began.as_ref(), &links)?;
        let forgotten = match began {
            // Nothing proves these any more, and what comes after them is proved as before.
            Some(began) if last.number <= began.number => began,
            _ => chain::forget(last, server.clock.now(), ring.chaining()?),
        };
        if !server.store.forget_audit_links(&links, &forgotten).await? {
            // Another node is at it.
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

/// The oldest links that are old enough: of those whose keys were lost, or of those after them. The newest of all stays:
/// the next one is made from it.
async fn oldest(server: &Server, began: Option<&Forgotten>, ripe: AuditEventId) -> Result<Vec<AuditLink>, StoreError> {
    let mut links = server.store.audit_links(0, LINKS).await?;
    links.pop();
    let unproven = began.map_or(0, |it| links.iter().take_while(|link| link.number <= it.number).count());
    if unproven > 0 {
        links.truncate(unproven);
    }
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

fn check(ring: &Ring, began: Option<&Forgotten>, links: &[AuditLink]) -> Result<(), ForgetError> {
    let mut previous = match began {
        Some(began) if verify::is_true(ring, began) => (began.number, began.digest),
        Some(began) => return Err(ForgetError::Altered(began.number)),
        None => (0, chain::BEGINNING),
    };
    let unproven = previous.0;
    for link in links.iter().filter(|link| unproven < link.number) {
        if (link.number - 1, link.previous) != previous || !verify::holds(ring, link) {
            return Err(ForgetError::Altered(link.number));
        }
        previous = (link.number, link.digest);
    }
    Ok(())
}
