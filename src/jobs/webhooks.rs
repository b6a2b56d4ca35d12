//! Telling plugins' APIs: webhooks that have something to tell are taken a few at a time, each by one node, and told
//! what is due one after the other. One that does not answer takes its own place and no other, and is left alone for a
//! while.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;

use super::refilling;
use crate::{
    server::{Server, webhooks::TellError},
    store::{
        StoreResult,
        webhooks::{TakenWebhook, WebhookTaking},
    },
};

/// How long after one look the next comes.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many webhooks a node serves at once.
const AT_ONCE_MAX: usize = 16;

/// How much is told in one turn: those that wait have theirs after it, so one with a long queue holds up nobody.
const TOLD_MAX: usize = 20;

/// How long a turn lasts before it goes on to nothing more: a host that takes everything slowly waits for its next turn
/// too.
const LASTS: Duration = Duration::from_secs(10);

/// How long a node keeps what it took to itself: longer than it may take to tell all of that (`server::webhooks`).
const TURN: TimeDelta = TimeDelta::minutes(5);

/// Tells for ever.
pub async fn run(server: Arc<Server>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(error) = once(&server).await {
            tracing::warn!(%error, "webhooks could not be looked at; it is tried again in a second");
        }
    }
}

/// Tells all that is due now.
pub async fn once(server: &Arc<Server>) -> StoreResult<()> {
    let take = |webhooks_max| {
        let server = Arc::clone(server);
        async move {
            let at = server.clock.now();
            if !server.store.has_due_webhooks(at).await? {
                return Ok(Vec::new());
            }
            server.store.take_webhooks(&WebhookTaking { at, until: at + TURN, webhooks_max }).await
        }
    };
    refilling::until_done(AT_ONCE_MAX, take, |webhook| serve(Arc::clone(server), webhook)).await
}

async fn serve(server: Arc<Server>, webhook: TakenWebhook) {
    if let Err(error) = tell(&server, webhook).await {
        tracing::warn!(%error, "a webhook waits for its next turn");
    }
}

async fn tell(server: &Server, mut webhook: TakenWebhook) -> Result<(), TellError> {
    let began = server.clock.elapsed();
    for _ in 0..TOLD_MAX {
        let Some(delivery) = server.store.due_delivery(webhook.plugin_id, server.clock.now()).await? else { break };
        if !server.tell(&webhook, &delivery).await? {
            return Ok(());
        }
        // Whatever failed before, it takes again.
        (webhook.failures, webhook.failing_since) = (0, None);
        if server.clock.elapsed().saturating_sub(began) >= LASTS {
            break;
        }
    }
    Ok(server.store.release_webhook(&webhook, server.clock.now()).await?)
}
