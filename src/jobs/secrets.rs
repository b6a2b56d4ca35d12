//! Plugins' secrets: versions whose time has come end, new ones are made or followed where that is not left to people, and
//! what ended here is ended where it was issued. Any number of nodes share it; whatever a node was killed with is taken by
//! another after a few minutes.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;

use super::refilling;
use crate::{
    model::audit::{Actor, Origin},
    server::Server,
    store::{
        StoreResult,
        secret_turns::{SecretTaking, TakenRevocation, TakenSecret},
    },
};

/// How long after one look the next comes.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many versions are ended before others are looked at.
const ENDED_MAX: u32 = 100;

/// How many issuers a node waits for at once: to make keys, and as many to end some.
const AT_ONCE_MAX: usize = 4;

/// How long a node keeps what it took to itself: longer than a turn may last (`server::secret_turns`).
const TURN: TimeDelta = TimeDelta::minutes(5);

/// Does it for ever. An issuer that is slow holds up no end of a version.
pub async fn run(server: Arc<Server>) {
    let ending = async {
        loop {
            tokio::time::sleep(INTERVAL).await;
            if let Err(error) = end(&server).await {
                tracing::warn!(%error, "versions of API keys could not be ended; it is tried again in a second");
            }
        }
    };
    let renewing = async {
        loop {
            tokio::time::sleep(INTERVAL).await;
            if let Err(error) = renew(&server).await {
                tracing::warn!(%error, "API keys could not be renewed; it is tried again in a second");
            }
        }
    };
    let revoking = async {
        loop {
            tokio::time::sleep(INTERVAL).await;
            if let Err(error) = revoke(&server).await {
                tracing::warn!(%error, "issuers could not be asked to end API keys; it is tried again in a second");
            }
        }
    };
    tokio::join!(ending, renewing, revoking);
}

/// Does all that is due now.
pub async fn once(server: &Arc<Server>) -> StoreResult<()> {
    end(server).await?;
    renew(server).await?;
    revoke(server).await
}

async fn end(server: &Server) -> StoreResult<()> {
    loop {
        let due = server.store.secret_versions_to_end(server.clock.now(), ENDED_MAX).await?;
        let mut ended = false;
        for (secret, number) in due {
            let audit = server.audit(Actor::Server, Origin::default());
            ended |= server.store.end_secret_version_in_time(secret, number, &audit).await?;
        }
        // What others ended meanwhile is theirs.
        if !ended {
            return Ok(());
        }
    }
}

async fn renew(server: &Arc<Server>) -> StoreResult<()> {
    let take = |rows_max| {
        let server = Arc::clone(server);
        async move {
            let at = server.clock.now();
            if !server.store.has_secrets_to_rotate(at).await? {
                return Ok(Vec::new());
            }
            server.store.take_secrets(&SecretTaking { at, until: at + TURN, rows_max }).await
        }
    };
    let work = |taken: TakenSecret| {
        let server = Arc::clone(server);
        async move {
            if let Err(error) = server.renew_plugin_secret(&taken).await {
                tracing::warn!(%error, plugin.id = %taken.plugin_id, secret.name = %taken.name, "an API key waits for its next turn");
            }
        }
    };
    refilling::until_done(AT_ONCE_MAX, take, work).await
}

async fn revoke(server: &Arc<Server>) -> StoreResult<()> {
    let take = |rows_max| {
        let server = Arc::clone(server);
        async move {
            let at = server.clock.now();
            if !server.store.has_secret_revocations(at).await? {
                return Ok(Vec::new());
            }
            server.store.take_secret_revocations(&SecretTaking { at, until: at + TURN, rows_max }).await
        }
    };
    let work = |taken: TakenRevocation| {
        let server = Arc::clone(server);
        async move {
            if let Err(error) = server.revoke_plugin_secret(&taken).await {
                tracing::warn!(%error, "the end of a version of an API key waits for its next turn");
            }
        }
    };
    refilling::until_done(AT_ONCE_MAX, take, work).await
}
