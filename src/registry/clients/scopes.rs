//! What a client may ask for, of the scopes that its plugin has (RFC 6749 §3.3). Nothing is written about its connections:
//! what stands carries no more than its client may ask for (`store::families`), so a scope that is taken away is gone at
//! once, and one that is given is only there for whom somebody agrees to it.

use super::{Registry, RegistryResult, Which, Wrong, callbacks, find_to_change};
use crate::{
    model::{
        client::{Client, Registration},
        scope::{CATALOGUE_MAX, Catalogue, Scopes},
    },
    store::client_changes::ClientEdit,
};

/// Reads what a client of a plugin may ask for: all of its scopes where none is named.
pub(super) fn read((slug, catalogue): (&str, &Catalogue), texts: &[String]) -> Result<Scopes, Wrong> {
    let known = catalogue.names();
    if texts.is_empty() {
        return Ok(known);
    }
    let asked: Scopes = texts.join(" ").parse().map_err(|error| Wrong::new("scope", format!("{error}")))?;
    let foreign: Vec<&str> = asked.iter().filter(|name| !known.contains(name)).collect();
    if foreign.is_empty() {
        return Ok(asked);
    }
    let has = if known.is_empty() { "none".to_owned() } else { known.to_string() };
    let foreign = foreign.join(", ");
    Err(Wrong::new("scope", format!("the plugin \"{slug}\" has no scope {foreign}; it has: {has}")))
}

/// Says anew what a client may ask for: all of it, and nothing else.
///
/// # Errors
///
/// [`RegistryError::Wrong`] for no scope, for one that the plugin does not have, and for a client that nobody registered
/// here; [`RegistryError::Gone`]; [`RegistryError::ChangedMeanwhile`].
///
/// [`RegistryError::Wrong`]: super::RegistryError::Wrong
/// [`RegistryError::Gone`]: super::RegistryError::Gone
/// [`RegistryError::ChangedMeanwhile`]: super::RegistryError::ChangedMeanwhile
pub async fn replace(registry: &Registry<'_>, which: Which<'_>, texts: &[String]) -> RegistryResult<Client> {
    let client = find_to_change(registry, which.client_id).await?;
    let Some(home) = client.home.as_ref().filter(|_| client.registration == Registration::ByHand) else {
        let problem = "nobody registered this client here: it may ask any plugin, and for whatever that one has. Who may \
                       connect, and what they may grant, is the plugin's to say";
        return Err(Wrong::new("other", problem).into());
    };
    if texts.iter().all(|text| text.trim().is_empty()) {
        let problem = "leave it at least one: without any, it would ask for the plugin as a whole. To end everything it \
                       was given, disable the client";
        return Err(Wrong::new("scope", problem).into());
    }
    if texts.len() > CATALOGUE_MAX {
        return Err(Wrong::new("scope", format!("name {CATALOGUE_MAX} at most")).into());
    }
    let scopes = read((&home.plugin_slug, &home.scopes), texts)?;
    callbacks::change(registry, which, ClientEdit::Scopes(scopes)).await
}
