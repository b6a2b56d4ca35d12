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

/// How many stay in all.
const EVENTS_MAX: u32 = 50_000;

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

/// Keeps everything that was gathered. What a step that failed should have kept waits again.
pub async fn keep(server: &Server) -> StoreResult<()> {
    loop {
        let batch = server.flows.next();
        if batch.is_empty() {
            return Ok(());
        }
        let kept = server.store.keep_flow_events(&batch).await;
        if let Err(error) = kept {
            server.flows.put_back(batch);
            return Err(error);
        }
    }
}

/// Removes what is too old or too much, and answers how many rows left.
pub async fn bound(server: &Server) -> StoreResult<u64> {
    let expired_by = server.clock.now() - AGE_MAX;
    let bounds = FlowBounds { expired_by, per_client_max: CLIENT_EVENTS_MAX, events_max: EVENTS_MAX };
    server.store.bound_flow_events(&bounds).await
}
