//! Reminding: owners are told that an API key is due for a new version, before it is and once it is late; the operator
//! sees in the metrics how many are, and how much of what ended here is good still where it was issued.
//! `model::plugin_secret::notice` says when, `server::reminders` tells, and each is told by one node.

use std::{sync::Arc, time::Duration};

use crate::{
    model::plugin_secret::{LEAD_MAX, notice},
    registry::RegistryError,
    server::Server,
    telemetry::metrics,
};

/// How long after one time the next comes.
const INTERVAL: Duration = Duration::from_mins(1);

/// How many are looked at each time; those of which their owners know are left out.
const LOOKED_AT_MAX: u32 = 1000;

/// Reminds for ever.
pub async fn run(server: Arc<Server>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(error) = once(&server).await {
            tracing::warn!(%error, "nobody could be reminded of API keys that are due; it is tried again in a minute");
        }
    }
}

/// Tells of all that nobody knows of yet.
pub async fn once(server: &Server) -> Result<(), RegistryError> {
    let now = server.clock.now();
    metrics::api_keys_overdue(server.store.overdue_secrets(now).await?);
    let left = server.store.left_at_issuers().await?;
    let age = left.oldest.and_then(|oldest| (now - oldest).to_std().ok()).unwrap_or_default();
    metrics::api_keys_left_at_issuers(left.number, age);
    for secret in server.store.due_secrets((now, now + LEAD_MAX), LOOKED_AT_MAX).await? {
        let due = (secret.due_at, secret.rotate_every);
        let Some(notice) = notice(due, secret.is_rotated, secret.told_at, now) else { continue };
        let (plugin, name) = (secret.plugin_id, secret.name.clone());
        match server.remind(secret, notice).await {
            // What keeps one from being told of keeps none of the others, unless it is the database that is away.
            Err(error) if !matches!(&error, RegistryError::Store(error) if error.passes()) => {
                tracing::warn!(%error, plugin.id = %plugin, secret.name = %name, "owners could not be reminded of an API key");
            }
            told => drop(told?),
        }
    }
    Ok(())
}
