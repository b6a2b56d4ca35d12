//! Plugins' secrets: versions whose time has come end, new ones are made or followed where that is not left to people, and
//! what ended here is ended where it was issued. Any number of nodes share it; whatever a node was killed with is taken by
//! another after a few minutes.

use std::{collections::HashSet, sync::Arc, time::Duration};

use chrono::TimeDelta;

use super::{lanes::Lanes, refilling};
use crate::{
    model::{
        audit::{Actor, Origin},
        plugin_secret::label,
    },
    server::Server,
    store::{
        StoreError, StoreResult,
        secret_revocations::TakenRevocation,
        secret_turns::{SecretTaking, TakenSecret},
    },
};

/// How long after one look the next comes.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many versions are ended before others are looked at.
const ENDED_MAX: u32 = 100;

/// How often it is told at most that some cannot be ended: it is tried each second.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// For how many answers of one rotator, or one kind of vault, a node waits at once: to make keys, and as many to end some.
/// As many as go to one host at a time (`outbound`): where two rotators share a host, what finds no place there comes
/// again after a moment.
const AT_ONCE_MAX: usize = 2;

/// How long a node keeps what it took to itself: longer than a turn may last (`server::secret_turns`).
const TURN: TimeDelta = TimeDelta::minutes(5);

/// Does it for ever. An issuer that is slow holds up no end of a version, and no other issuer.
pub async fn run(server: Arc<Server>) {
    let ending = async {
        let mut told_at = None;
        loop {
            tokio::time::sleep(INTERVAL).await;
            if let Err(error) = end(&server, &mut told_at).await {
                tracing::warn!(%error, "versions of API keys could not be ended; it is tried again in a second");
            }
        }
    };
    let renewing = async {
        let mut lanes = Lanes::default();
        loop {
            tokio::time::sleep(INTERVAL).await;
            if let Err(error) = renew(&server, &mut lanes).await {
                not_renewed(&error);
            }
        }
    };
    let revoking = async {
        let mut lanes = Lanes::default();
        loop {
            tokio::time::sleep(INTERVAL).await;
            if let Err(error) = revoke(&server, &mut lanes).await {
                not_revoked(&error);
            }
        }
    };
    tokio::join!(ending, renewing, revoking);
}

/// Does all that is due now.
pub async fn once(server: &Arc<Server>) -> StoreResult<()> {
    end(server, &mut None).await?;
    let mut lanes = Lanes::default();
    renew(server, &mut lanes).await?;
    lanes.end().await;
    let mut lanes = Lanes::default();
    revoke(server, &mut lanes).await?;
    lanes.end().await;
    Ok(())
}

fn not_renewed(error: &StoreError) {
    tracing::warn!(%error, "API keys could not be renewed; it is tried again in a second");
}

fn not_revoked(error: &StoreError) {
    tracing::warn!(%error, "issuers could not be asked to end API keys; it is tried again in a second");
}

/// Ends versions whose time has come. `told_at` is when it was last told that some cannot be ended.
async fn end(server: &Server, told_at: &mut Option<Duration>) -> StoreResult<()> {
    let now = server.clock.elapsed();
    let is_told = told_at.is_none_or(|at| now.saturating_sub(at) >= TOLD_EVERY);
    let mut stuck = HashSet::new();
    loop {
        // Those that cannot be ended are the longest overdue, and stand before all others.
        let rows_max = ENDED_MAX.saturating_add(u32::try_from(stuck.len()).unwrap_or(u32::MAX));
        let mut due = server.store.secret_versions_to_end(server.clock.now(), rows_max).await?;
        due.retain(|version| !stuck.contains(version));
        let mut goes_on = false;
        for (secret, number) in due {
            let audit = server.audit(Actor::Server, Origin::default());
            match server.store.end_secret_version_in_time(secret, number, &audit).await {
                Ok(ended) => goes_on |= ended,
                Err(error) if error.passes() => return Err(error),
                // Those after it have their time too.
                Err(error) => {
                    goes_on |= stuck.insert((secret, number));
                    if is_told {
                        *told_at = Some(now);
                        tracing::error!(%error, secret.label = label(secret, number), "a version of an API key could not be ended");
                    }
                }
            }
        }
        // What others ended meanwhile is theirs.
        if !goes_on {
            return Ok(());
        }
    }
}

/// Begins to renew what is due, each who is asked for it in a lane of their own.
async fn renew(server: &Arc<Server>, lanes: &mut Lanes) -> StoreResult<()> {
    let asked = server.store.asked_for_due_secrets(server.clock.now()).await?;
    lanes.open(asked, |asked| renew_by(Arc::clone(server), asked));
    Ok(())
}

async fn renew_by(server: Arc<Server>, asked: String) {
    let take = |rows_max| {
        let (server, asked) = (Arc::clone(&server), asked.clone());
        async move {
            let at = server.clock.now();
            if !server.store.asked_for_due_secrets(at).await?.contains(&asked) {
                return Ok(Vec::new());
            }
            server.store.take_secrets(&asked, &SecretTaking { at, until: at + TURN, rows_max }).await
        }
    };
    let work = |taken: TakenSecret| {
        let server = Arc::clone(&server);
        async move {
            if let Err(error) = server.renew_plugin_secret(&taken).await {
                tracing::warn!(%error, plugin.id = %taken.plugin_id, secret.name = %taken.name, "an API key waits for its next turn");
            }
        }
    };
    if let Err(error) = refilling::until_done(AT_ONCE_MAX, take, work).await {
        not_renewed(&error);
    }
}

/// Begins to have ended what is to be ended where it was issued, each issuer in a lane of its own.
async fn revoke(server: &Arc<Server>, lanes: &mut Lanes) -> StoreResult<()> {
    let issuers = server.store.issuers_to_revoke_at(server.clock.now()).await?;
    lanes.open(issuers, |issuer| revoke_by(Arc::clone(server), issuer));
    Ok(())
}

async fn revoke_by(server: Arc<Server>, issuer: String) {
    let take = |rows_max| {
        let (server, issuer) = (Arc::clone(&server), issuer.clone());
        async move {
            let at = server.clock.now();
            if !server.store.issuers_to_revoke_at(at).await?.contains(&issuer) {
                return Ok(Vec::new());
            }
            server.store.take_secret_revocations(&issuer, &SecretTaking { at, until: at + TURN, rows_max }).await
        }
    };
    let work = |taken: TakenRevocation| {
        let server = Arc::clone(&server);
        async move {
            if let Err(error) = server.revoke_plugin_secret(taken).await {
                tracing::warn!(%error, "the end of a version of an API key waits for its next turn");
            }
        }
    };
    if let Err(error) = refilling::until_done(AT_ONCE_MAX, take, work).await {
        not_revoked(&error);
    }
}
