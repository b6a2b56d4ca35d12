//! Keeping the flow record: what was gathered since the last time goes to the store, a batch in one step, and what is
//! too old or too much leaves.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;

use crate::{
    server::Server,
    store::{StoreResult, flows::FlowBounds},
};

/// How long after one time the next begins: what a process that is killed has not kept yet.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many times it is kept between two looks at what must leave.
const TIMES_BETWEEN: u32 = 60;

/// How long an event stays.
const AGE_MAX: TimeDelta = TimeDelta::days(7);

/// How many of one client stay, and of all that have no known client.
const CLIENT_EVENTS_MAX: u32 = 10_000;

/// How many from one address.
const ADDRESS_EVENTS_MAX: u32 = 5_000;

/// How many stay in all.
const EVENTS_MAX: u32 = 50_000;

/// How many leave in one step.
const BATCH: u32 = 500;

/// How long between two steps, so that callers get their turn.
const BREATH: Duration = Duration::from_millis(50);

/// Keeps for ever. A failure is logged; what could not be kept waits for the next time.
pub async fn run(server: Arc<Server>) {
    for time in 1_u32.. {
        tokio::time::sleep(INTERVAL).await;
        if let Err(error) = keep(&server).await {
            tracing::warn!(%error, "the flow record could not be kept; it is tried again in a second");
        } else if time % TIMES_BETWEEN == 0
            && let Err(error) = bound(&server).await
        {
            tracing::warn!(%error, "the flow record could not be bounded; it is tried again in a minute");
        }
    }
}

/// Keeps everything that was gathered. What a step could not keep for now waits; what can never be kept is let go, so
/// that it does not hold up the rest.
pub async fn keep(server: &Server) -> StoreResult<()> {
    loop {
        let batch = server.flows.next();
        if batch.is_empty() {
            return Ok(());
        }
        match server.store.keep_flow_events(&batch).await {
            Err(error) if error.passes() => return Err(error),
            Err(error) => tracing::error!(%error, events = batch.len(), "a part of the flow record is lost"),
            Ok(()) => {}
        }
        server.flows.settle(&batch);
    }
}

/// Removes what is too old or too much.
pub async fn bound(server: &Server) -> StoreResult<()> {
    let bounds = FlowBounds {
        expired_by: server.clock.now() - AGE_MAX,
        per_client_max: CLIENT_EVENTS_MAX,
        per_address_max: ADDRESS_EVENTS_MAX,
        events_max: EVENTS_MAX,
        rows_max: BATCH,
    };
    loop {
        let ids = server.store.flow_events_beyond(&bounds).await?;
        if ids.is_empty() {
            return Ok(());
        }
        server.store.remove_flow_events(&ids).await?;
        tokio::time::sleep(BREATH).await;
    }
}
