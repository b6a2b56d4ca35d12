//! Sweeping: what has expired leaves in small batches, so that no table grows with use.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;

use super::counts;
use crate::{
    model::{
        Timestamp,
        audit::{Actor, Audit, Origin},
        id::AuditEventId,
    },
    random,
    registry::clients::callbacks::OFFER_AGE_MAX,
    server::{Server, Settings},
    store::{StoreResult, sweep::Sweep},
};

/// How long after one sweep the next begins.
const INTERVAL: Duration = Duration::from_mins(1);

/// How long between two batches of one sweep, so that callers get their turn.
const BREATH: Duration = Duration::from_millis(50);

/// The most rows of each table in one batch.
const BATCH: u32 = 500;

/// Codes live a minute; a family must outlive the code it was redeemed from, or the code could be redeemed again.
const CODE_LIFETIME_MAX: TimeDelta = TimeDelta::minutes(10);

/// A used assertion is remembered so much longer than it is good for: clocks of nodes differ, and one that is behind
/// must not take it again.
const CLOCKS_DIFFER_MAX: TimeDelta = TimeDelta::minutes(2);

/// Sweeps for ever. A failure is logged and tried again at the next turn.
pub async fn run(server: Arc<Server>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(error) = once(&server).await {
            tracing::warn!(%error, "sweeping failed; it is tried again in a minute");
        }
    }
}

/// Sweeps until nothing is left to sweep, and answers how many rows left.
pub async fn once(server: &Server) -> StoreResult<u64> {
    let sweep = plan(&server.settings, server.clock.now());
    let mut total = 0;
    loop {
        let left = end_clients(server).await? + server.store.sweep(&sweep).await?;
        let left = left + counts::forget(server, BATCH).await?;
        total += left;
        if left == 0 {
            return Ok(total);
        }
        tokio::time::sleep(BREATH).await;
    }
}

/// Deletes clients that had an end, each as an owner would: a step and an event of its own. One that another node was
/// quicker with is none any more.
async fn end_clients(server: &Server) -> StoreResult<u64> {
    let at = server.clock.now();
    let mut ended = 0;
    for client_id in server.store.clients_ended_by(at, BATCH).await? {
        let audit = Audit { id: AuditEventId(random::id(at)), at, actor: Actor::Server, origin: Origin::default() };
        ended += u64::from(server.store.delete_client(&client_id, &audit).await?.is_some());
    }
    Ok(ended)
}

fn plan(settings: &Settings, now: Timestamp) -> Sweep {
    let tokens_gone = settings.access_token_lifetime + CODE_LIFETIME_MAX;
    Sweep {
        families_expired_by: now - tokens_gone,
        sessions_expired_by: now,
        clients_unused_since: now - settings.mechanisms.registration.unused_age,
        offers_unseen_since: now - OFFER_AGE_MAX,
        assertions_expired_by: now - CLOCKS_DIFFER_MAX,
        rows_max: BATCH,
    }
}
