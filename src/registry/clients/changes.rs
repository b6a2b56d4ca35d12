//! A client renamed, disabled, enabled again, and deleted.

use super::{
    Registry, RegistryError, RegistryResult, Which, Wrong, callbacks::change, find, find_to_change, name,
    says_not_so_itself,
};
use crate::{
    model::client::{Client, Registration},
    store::client_changes::ClientEdit,
};

/// Connections are counted where so many people at most have agreed to them; whoever has more is told that.
pub const COUNTED_MAX: u32 = 1_000;

/// A client that is deleted.
#[derive(Debug)]
pub struct Deleted {
    /// The client as it was.
    pub client: Client,
    /// How many connections ended, as [`connections`] counts them.
    pub connections: Option<u32>,
}

/// Gives a client another name.
///
/// # Errors
///
/// [`RegistryError::Wrong`], [`RegistryError::Gone`], [`RegistryError::ChangedMeanwhile`].
pub async fn rename(registry: &Registry<'_>, which: Which<'_>, text: &str) -> RegistryResult<Client> {
    let name = name(text)?;
    says_not_so_itself(&find_to_change(registry, which.client_id).await?)?;
    change(registry, which, ClientEdit::Rename(name)).await
}

/// Disables a client: nothing it was given is valid any more. Twice is as good as once.
///
/// # Errors
///
/// [`RegistryError::Gone`].
pub async fn disable(registry: &Registry<'_>, client_id: &str) -> RegistryResult<Client> {
    let audit = registry.audit(registry.clock.now());
    registry.store.disable_client(client_id, &audit).await?.ok_or(RegistryError::Gone)
}

/// Enables a client again. What it was given before stays ended: people connect anew.
///
/// # Errors
///
/// [`RegistryError::Wrong`] for one that is there for a time, [`RegistryError::Gone`],
/// [`RegistryError::ChangedMeanwhile`].
pub async fn enable(registry: &Registry<'_>, which: Which<'_>) -> RegistryResult<Client> {
    find_to_change(registry, which.client_id).await?;
    change(registry, which, ClientEdit::Enable).await
}

/// How many connections of a client would end; `None` where more people than [`COUNTED_MAX`] have agreed to it, or more
/// connections than that stand.
pub async fn connections(registry: &Registry<'_>, client: &Client) -> RegistryResult<Option<u32>> {
    // Nothing of a disabled client stands, and looking for what does would go through all that does not.
    if !client.enabled {
        return Ok(Some(0));
    }
    Ok(registry.store.count_families(client.id, registry.clock.now(), COUNTED_MAX).await?)
}

/// Deletes a client with its secrets, consents and connections. From the moment this answers nothing of it is valid or
/// found; its rows leave in the background.
///
/// # Errors
///
/// [`RegistryError::Wrong`] for a client with a document, which would be back with the next consent;
/// [`RegistryError::Gone`].
pub async fn delete(registry: &Registry<'_>, client_id: &str) -> RegistryResult<Deleted> {
    let client = find(registry, client_id).await?;
    if client.registration == Registration::Document {
        let problem = "a client with a document of its own would be back with the next consent; disable it instead";
        return Err(Wrong::new("other", problem).into());
    }
    let connections = connections(registry, &client).await?;
    let audit = registry.audit(registry.clock.now());
    let client = registry.store.delete_client(client_id, &audit).await?.ok_or(RegistryError::Gone)?;
    Ok(Deleted { client, connections })
}
