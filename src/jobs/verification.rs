//! Verifying again: what plugins publish is read back through their public addresses when it is due, a few at a time
//! and each by one node, so that `verified` stays true. When the next look is due is `protocol::verification`'s to say.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;

use super::refilling;
use crate::{
    model::id::PluginId,
    registry::RegistryError,
    server::{Server, verifications::LookError},
    store::{StoreResult, verifications::LookTaking},
};

/// How long after one time the next comes.
const INTERVAL: Duration = Duration::from_secs(20);

/// How many addresses are looked at at once.
const AT_ONCE_MAX: usize = 4;

/// How long a node keeps what it took to itself: longer than a look may take with all its redirections
/// (`registry::verification`). What is taken by one that is killed meanwhile is taken by others after that.
const TURN: TimeDelta = TimeDelta::minutes(3);

/// Looks for ever.
pub async fn run(server: Arc<Server>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(error) = once(&server).await {
            tracing::warn!(%error, "plugins could not be verified again; it is tried again soon");
        }
    }
}

/// Makes all looks that are due now. A host that takes its time holds up no other look than its own.
pub async fn once(server: &Arc<Server>) -> StoreResult<()> {
    let take = |looks_max| {
        let server = Arc::clone(server);
        async move {
            let at = server.clock.now();
            server.store.take_looks(&LookTaking { at, until: at + TURN, looks_max }).await
        }
    };
    refilling::until_done(AT_ONCE_MAX, take, |plugin| look(Arc::clone(server), plugin)).await
}

async fn look(server: Arc<Server>, plugin: PluginId) {
    match server.look_at(plugin).await {
        Ok(looked) => {
            let outcome = looked.verification.look.as_ref().map(|look| look.outcome.as_str());
            let state = looked.plugin.state.as_str();
            tracing::debug!(
                plugin.slug = looked.plugin.slug,
                outcome,
                state,
                "a plugin's public address was looked at"
            );
        }
        // It is due again, or was looked at, or is no more.
        Err(LookError::Registry(RegistryError::ChangedMeanwhile | RegistryError::Gone)) => {}
        Err(error) => tracing::warn!(%error, plugin.id = %plugin, "a look at a plugin's public address waits"),
    }
}
