//! Refreshing (RFC 6749 §6): each token has one successor. Within a grace window the old one leads to it again, so that
//! neither a lost answer nor a second worker costs the connection; after it, whoever still has it is a thief.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use tokio::{sync::Notify, time::timeout};

use super::{
    Fault, Inside,
    clients::Client,
    grants::{self, Tokens},
    memory::Memory,
    parameters::Parameters,
    wire::Refusal,
};

const GRACE: TimeDelta = TimeDelta::minutes(2);

/// How long a server that cannot stand two at once waits for the second: long enough for a slow test machine.
const IN_HAND_MAX: Duration = Duration::from_secs(1);

/// Gives the successor, and a new access token.
pub async fn refresh(server: &Inside, client: &Client, parameters: &Parameters) -> Result<Tokens, Refusal> {
    let presented = parameters.get("refresh_token").unwrap_or_default();
    if server.has(Fault::RefreshRefused) {
        return refused();
    }
    if server.has(Fault::ParallelRefreshKills) {
        alone(server, presented).await?;
    }
    let mut memory = server.memory();
    let Some(token) = memory.refresh_tokens.get(presented).cloned() else { return refused() };
    let grant = match memory.families.get(&token.family) {
        Some(family) if family.grant.client_id == client.id && family.is_alive => family.grant.clone(),
        // It was ended while this one was in hand. The answer looks good and is worth nothing, as it was in the field.
        Some(family) if token.in_hand.is_some() => family.grant.clone(),
        _ => return refused(),
    };
    if parameters.get("resource").is_some_and(|resource| resource != grant.resource) {
        return Err(Refusal::new("invalid_target", "The resource is not the one that was consented to."));
    }
    let is_in_time = |at| server.now() - at <= GRACE && !server.has(Fault::LostAnswerKills);
    let successor = match token.successor {
        None => grants::new_refresh_token(&mut memory, &token.family),
        Some((successor, at)) if is_in_time(at) => successor,
        Some(_) => {
            memory.end(&token.family);
            return refused();
        }
    };
    if let Some(kept) = memory.refresh_tokens.get_mut(presented) {
        kept.in_hand = None;
        // The window opens at the first use and is not opened again.
        kept.successor.get_or_insert_with(|| (successor.clone(), server.now()));
    }
    drop(memory);
    Ok(grants::tokens(server, token.family, &grant, successor))
}

/// Waits a while for a second one with the same token. The second ends the connection of both.
async fn alone(server: &Inside, presented: &str) -> Result<(), Refusal> {
    let bell = {
        let mut memory = server.memory();
        let Memory { refresh_tokens, families, .. } = &mut *memory;
        let Some(token) = refresh_tokens.get_mut(presented) else { return refused() };
        if families.get(&token.family).is_none_or(|family| !family.is_alive) {
            return refused();
        }
        if let Some(bell) = &token.in_hand {
            bell.notify_one();
            let family = token.family.clone();
            memory.end(&family);
            return refused();
        }
        // Only the first use can meet another: what comes later is a repetition, and is forgiven.
        if token.successor.is_some() {
            return Ok(());
        }
        let bell = Arc::new(Notify::new());
        token.in_hand = Some(Arc::clone(&bell));
        bell
    };
    let _ = timeout(IN_HAND_MAX, bell.notified()).await;
    Ok(())
}

fn refused<T>() -> Result<T, Refusal> {
    Err(Refusal::new("invalid_grant", "The refresh token is not, or no longer, good."))
}
