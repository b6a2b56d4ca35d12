//! Working keys: read again each second, so that every node knows a key before it is used; and each minute looked through
//! for what is old enough to be replaced and what is needed no more.
//!
//! All nodes do this, and the store lets one of them win. When is `model::key_timetable`'s to say.

use std::{sync::Arc, time::Duration};

use crate::{
    registry::{RegistryError, keys},
    server::Server,
};

/// How long after one reading the next begins. The timetable counts on it.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long after one look at what is due the next begins.
const LOOK_INTERVAL: Duration = Duration::from_mins(1);

/// Follows and looks for ever. A look may take long, where many rows are sealed or somebody reads the database, and the
/// keys are followed meanwhile.
pub async fn run(server: Arc<Server>) {
    tokio::join!(follow(&server), look_through(&server));
}

/// A failure is told when it begins, and tried again at the next turn.
async fn follow(server: &Server) {
    let mut failing = false;
    loop {
        tokio::time::sleep(INTERVAL).await;
        match server.keyring.follow(&server.store, server.clock.now()).await {
            Ok(_) => failing = false,
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(%error, "the working keys could not be read again; those that are known stay in use");
            }
            Err(_) => {}
        }
    }
}

async fn look_through(server: &Server) {
    loop {
        tokio::time::sleep(LOOK_INTERVAL).await;
        if let Err(error) = once(server).await {
            tracing::warn!(%error, "the working keys could not be looked through; it is tried again in a minute");
        }
    }
}

/// Replaces what is due, and wipes what is not needed any more.
pub async fn once(server: &Server) -> Result<(), RegistryError> {
    // What is wiped is gone, so a clock that has jumped must not say when.
    server.measure_clock().await?;
    let registry = server.registry();
    if let Some(master) = server.keyring.wrapping() {
        let means = keys::Means { master, timetable: &server.settings.keys };
        for key in keys::rotate_due(&registry, means).await? {
            tracing::info!(
                key.id = %key.kid,
                key.purpose = key.purpose.as_str(),
                key.active_at = %key.active_at,
                "a working key takes over from one that is old"
            );
        }
    }
    for kid in keys::end(&registry, &server.keyring.current()).await? {
        tracing::info!(key.id = %kid, "a working key was wiped: nothing it made can come back");
    }
    Ok(())
}
