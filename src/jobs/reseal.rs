//! Sealing anew: once another key seals what rows keep, everything is sealed with it, and the key of before can go. Any
//! number of nodes look; one of them at a time is at it, and another goes on where one was killed.

use std::{sync::Arc, time::Duration};

use crate::{
    registry::{
        RegistryResult,
        resealing::{self, Need, Turn},
    },
    server::Server,
    telemetry::metrics,
};

/// How long after one look the next comes.
const INTERVAL: Duration = Duration::from_secs(10);

/// How long a turn lasts before the keys are looked at again.
const LASTS: Duration = Duration::from_secs(5);

/// Looks for ever.
pub async fn run(server: Arc<Server>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(error) = once(&server).await {
            tracing::warn!(%error, "what rows keep could not be sealed anew; it is tried again in ten seconds");
        }
    }
}

/// Seals everything anew that is to be, unless somebody else is at it.
pub async fn once(server: &Server) -> RegistryResult<()> {
    let registry = server.registry();
    let ring = server.keyring.current();
    if resealing::need(&registry).await? != Need::Now {
        metrics::reseal_rows_left(0);
        return Ok(());
    }
    let kid = resealing::begin(&registry, &ring).await?;
    loop {
        match resealing::turn(&registry, &server.keyring.current(), LASTS).await? {
            Turn::GoesOn(reseal) => {
                metrics::reseal_rows_left(reseal.remaining);
                tracing::info!(
                    key.id = %kid,
                    reseal.resealed = reseal.resealed,
                    reseal.remaining = reseal.remaining,
                    "what rows keep is being sealed anew"
                );
            }
            Turn::Done(reseal) => {
                metrics::reseal_rows_left(0);
                tracing::info!(
                    key.id = %kid,
                    reseal.resealed = reseal.resealed,
                    reseal.unreadable = reseal.progress.unreadable,
                    "everything that rows keep is sealed anew; the keys of before are wiped in a while"
                );
                return Ok(());
            }
            Turn::NotOurs => {
                let standing = resealing::standing(&registry, &ring).await?;
                metrics::reseal_rows_left(standing.map_or(0, |reseal| reseal.remaining));
                return Ok(());
            }
        }
    }
}
