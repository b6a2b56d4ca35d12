//! The audit log's chain: what was written a moment ago is put into the next link, behind the writes, so that no step
//! waits for another or writes twice. Any node may make a link; of several that make the same one, one wins.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;

use crate::{
    audit::{
        chain::{self, LATE, MEMBERS_MAX},
        verify::Anchor,
    },
    keys::KeyError,
    model::{Timestamp, id::AuditEventId},
    server::Server,
    store::{
        StoreError, StoreResult,
        audit_links::{AuditLink, EventRange, StoredEvent},
    },
    telemetry::metrics,
};

/// How long after one time the next begins.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long between two links of one time, so that callers get their turn.
const BREATH: Duration = Duration::from_millis(20);

/// How long after a failure.
const AFTER_FAILURE: Duration = Duration::from_mins(1);

/// Most steps are over so long after their event's id was made. What is written later is looked for.
const SETTLED: TimeDelta = TimeDelta::seconds(2);

/// How often that is.
const LATE_INTERVAL: Duration = Duration::from_mins(1);

/// How often another node may be quicker before it is left to the next time.
const TRIES: usize = 3;

/// How often the log of this process says where the chain stands.
const ANCHOR_INTERVAL: Duration = Duration::from_hours(1);

/// How many ids are read at once where late events are looked for.
const IDS: u32 = 10_000;

/// Why no link could be made.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no key for it.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Makes links for ever.
pub async fn run(server: Arc<Server>) {
    let (mut next_late, mut next_anchor) = (Duration::ZERO, ANCHOR_INTERVAL);
    loop {
        tokio::time::sleep(INTERVAL).await;
        let now = server.clock.elapsed();
        let is_time = now >= next_late;
        if is_time {
            next_late = now + LATE_INTERVAL;
        }
        let made = if is_time { link_all(&server).await } else { link(&server).await };
        if let Err(error) = made {
            tracing::warn!(%error, "the audit log's chain could not be made longer; it is tried again in a minute");
            tokio::time::sleep(AFTER_FAILURE).await;
        } else if now >= next_anchor {
            next_anchor = now + ANCHOR_INTERVAL;
            if let Err(error) = anchor(&server).await {
                tracing::warn!(%error, "the audit log's chain could not be read; it is in an hour");
            }
        }
    }
}

/// What was written late and all that has settled, in this order: late is what is a while before the end of the chain, and
/// after a time without a server that end goes far.
async fn link_all(server: &Server) -> Result<u64, LinkError> {
    Ok(link_late(server).await? + link(server).await?)
}

/// Puts all that has settled into links, and answers how many it made.
///
/// # Errors
///
/// The store's, and where there is no key.
pub async fn link(server: &Server) -> Result<u64, LinkError> {
    let mut made = 0;
    loop {
        let last = server.store.last_audit_link().await?;
        let range = EventRange {
            plugin: None,
            after: last.as_ref().map(|last| last.reached),
            until: AuditEventId::last_of(server.clock.now() - SETTLED),
            rows_max: MEMBERS_MAX,
        };
        let events = server.store.stored_events(&range).await?;
        made += u64::from(add(server, last.as_ref(), &events).await?.is_some());
        if events.len() < MEMBERS_MAX as usize {
            return Ok(made);
        }
        tokio::time::sleep(BREATH).await;
    }
}

/// Puts into links what was written later than others of its time, and answers how many it made.
///
/// # Errors
///
/// The store's, and where there is no key.
pub async fn link_late(server: &Server) -> Result<u64, LinkError> {
    'again: for _ in 0..TRIES {
        // Read first: what others link meanwhile takes the number of the link that would hold it twice.
        let Some(mut last) = server.store.last_audit_link().await? else { return Ok(0) };
        let late = late(server, last.reached).await?;
        let mut made = 0;
        for events in late.chunks(MEMBERS_MAX as usize) {
            match add(server, Some(&last), events).await? {
                Some(link) => last = link,
                None => continue 'again,
            }
            made += 1;
        }
        return Ok(made);
    }
    Ok(0)
}

/// Events of the last while before the end of the chain that stand in no link.
async fn late(server: &Server, reached: AuditEventId) -> StoreResult<Vec<StoredEvent>> {
    let from = AuditEventId::last_of(reached.time() - LATE);
    let mut linked: Vec<AuditEventId> =
        server.store.linked_after(from).await?.into_iter().map(|member| member.event).collect();
    linked.sort_unstable();
    let (mut late, mut after) = (Vec::new(), from);
    loop {
        let range = EventRange { plugin: None, after: Some(after), until: reached, rows_max: IDS };
        let ids = server.store.stored_event_ids(&range).await?;
        let Some(last) = ids.last() else { return Ok(late) };
        after = *last;
        for id in ids.iter().filter(|id| linked.binary_search(id).is_err()) {
            late.extend(server.store.stored_event(*id).await?);
        }
    }
}

async fn add(
    server: &Server,
    last: Option<&AuditLink>,
    events: &[StoredEvent],
) -> Result<Option<AuditLink>, LinkError> {
    if events.is_empty() {
        return Ok(None);
    }
    let ring = server.keyring.current();
    let making: (Timestamp, &str) = (server.clock.now(), &server.node);
    let Some(link) = chain::link(last, events, making, ring.chaining()?) else { return Ok(None) };
    let is_added = server.store.add_audit_link(&link).await?;
    metrics::audit_chain_stands_at(link.number);
    Ok(is_added.then_some(link))
}

/// The last time of a process: what was late and what has settled is linked, and the log says where the chain stands.
///
/// # Errors
///
/// The store's, and where there is no key.
pub async fn end(server: &Server) -> Result<(), LinkError> {
    link_all(server).await?;
    Ok(anchor(server).await?)
}

/// Says in the log where the chain stands. That is all that finds a log whose end was cut off, so logs should be kept
/// where whoever can write the database cannot.
///
/// # Errors
///
/// The store's.
pub async fn anchor(server: &Server) -> StoreResult<()> {
    if let Some(AuditLink { number, digest, .. }) = server.store.last_audit_link().await? {
        tracing::info!(audit.anchor = %Anchor { number, digest }, "the audit log's chain stands here");
    }
    Ok(())
}
