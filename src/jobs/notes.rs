//! Keeping notes about clients and owners' tokens: what was gathered since the last time goes to the store. What cannot
//! be kept is let go: it will be noted again.

use std::{sync::Arc, time::Duration};

use crate::{
    server::{Server, notes::OFFERS_MAX},
    store::StoreResult,
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
            tracing::warn!(%error, "notes are lost: when secrets and tokens were last used, and which callbacks are new");
        }
    }
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
    // The last: a callback that is lost is offered late, and when a token was used is news to fewer.
    for some in server.owner_tokens.take().chunks(BATCH) {
        server.store.note_owner_token_uses(some).await?;
    }
    Ok(())
}
