//! Keeping notes about clients, owners' tokens and API keys, and what was refused: what was gathered since the last time goes to the
//! store. What cannot be kept is let go: it will be noted again.

use std::{sync::Arc, time::Duration};

use crate::{
    model::audit::{Actor, Origin},
    server::{Server, notes::OFFERS_MAX, refusals::Due, uses::USE_AGE_MIN},
    store::{StoreResult, owner_tokens::OwnerTokenUse, secret_uses::SecretVersionUse},
};

/// How long after one time the next begins: what a process that is killed has not kept yet.
const INTERVAL: Duration = Duration::from_secs(2);

/// The most secrets or tokens whose uses are kept in one step, so that callers get their turn.
const BATCH: usize = 200;

/// Keeps for ever.
pub async fn run(server: Arc<Server>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        if let Err(error) = keep(&server).await {
            tracing::warn!(%error, "notes are lost: when secrets and tokens were last used, which callbacks are new, and what was refused");
        }
    }
}

/// Keeps everything, because the process ends.
pub async fn end(server: &Server) -> StoreResult<()> {
    keep(server).await?;
    tell(server, server.refusals.take_all()).await
}

async fn tell(server: &Server, due: Vec<Due>) -> StoreResult<()> {
    for Due { actor, origin, telling } in due {
        server.store.tell(telling, &server.audit(actor, origin)).await?;
    }
    Ok(())
}

/// Keeps everything that was gathered.
pub async fn keep(server: &Server) -> StoreResult<()> {
    let (uses, callbacks) = server.notes.take();
    for some in uses.chunks(BATCH) {
        server.store.note_secret_uses(some).await?;
    }
    if !callbacks.is_empty() {
        server.store.note_callbacks(&callbacks, u32::try_from(OFFERS_MAX).unwrap_or(u32::MAX)).await?;
    }
    let (due, dropped) = server.refusals.take(server.clock.now());
    if dropped > 0 {
        tracing::warn!(refusals.dropped = dropped, "the audit log does not tell of refusals: there were too many");
    }
    tell(server, due).await?;
    // The last: a callback that is lost is offered late, and when a token was used is news to fewer.
    let noted = |(id, at)| OwnerTokenUse { id, at, unless_after: at - USE_AGE_MIN };
    let uses: Vec<OwnerTokenUse> = server.owner_tokens.take().into_iter().map(noted).collect();
    for some in uses.chunks(BATCH) {
        server.store.note_owner_token_uses(some).await?;
    }
    let noted = |((secret_id, number), at)| SecretVersionUse { secret_id, number, at, unless_after: at - USE_AGE_MIN };
    let uses: Vec<SecretVersionUse> = server.secret_uses.take().into_iter().map(noted).collect();
    for some in uses.chunks(BATCH) {
        let audit = || server.audit(Actor::Server, Origin::default());
        server.store.note_secret_version_uses(some, &audit).await?;
    }
    Ok(())
}
