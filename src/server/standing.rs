//! Whether an access token still stands, and with what: asked by introspection and by the gate.
//!
//! The token proves by itself who it was made for (`tokens::access`); whether that is still so, its family says, or the
//! client it stands with.

use super::Server;
use crate::{
    model::{client::Client, id::PluginId, public_key::SigningAlgorithm, resource::ResourceIdentifier, scope::Scopes},
    protocol::introspection,
    store::StoreResult,
    tokens::access::Claims,
};

/// A token that stands.
#[derive(Clone, Debug)]
pub struct Stands {
    /// What it was made for, as far as it is to be had today.
    pub scopes: Scopes,
    /// Whose API it is for.
    pub plugin_id: PluginId,
    /// How access tokens for that are signed.
    pub signing_algorithm: SigningAlgorithm,
}

impl Server {
    /// Looks whether a token stands: one statement, or two for a client's own. `known` spares one where the token is that
    /// client's.
    pub async fn stands(&self, claims: &Claims, known: Option<&Client>) -> StoreResult<Option<Stands>> {
        let named: Scopes = claims.scope.parse().unwrap_or_default();
        let found = match claims.family {
            Some(_) => self.with_its_family(claims).await?,
            None => self.with_its_client(claims, known).await?,
        };
        let left = |stands: Stands| Some(Stands { scopes: introspection::left_of(&named, &stands.scopes)?, ..stands });
        Ok(found.and_then(left))
    }

    async fn with_its_family(&self, claims: &Claims) -> StoreResult<Option<Stands>> {
        let Some(id) = claims.family else { return Ok(None) };
        let family = self.store.standing_family(id, self.clock.now()).await?;
        let family = family.filter(|family| family.access_generation == claims.generation);
        Ok(family.map(|family| Stands {
            scopes: family.scopes,
            plugin_id: family.plugin_id,
            signing_algorithm: family.signing_algorithm,
        }))
    }

    /// A client's own token stands with its client and its resource.
    async fn with_its_client(&self, claims: &Claims, known: Option<&Client>) -> StoreResult<Option<Stands>> {
        let Ok(identifier) = claims.aud.parse::<ResourceIdentifier>() else { return Ok(None) };
        let Some(resource) = self.store.resource(&identifier.canonical()).await? else { return Ok(None) };
        let owner = match known.filter(|known| known.client_id == claims.client_id) {
            Some(known) => Some(known.clone()),
            None => self.store.client(&claims.client_id, self.clock.now()).await?,
        };
        let owner = owner
            .filter(|owner| owner.enabled && owner.generation == claims.generation && owner.may_ask_for(&resource));
        Ok(owner.map(|owner| Stands {
            scopes: owner.scopes_at(&resource),
            plugin_id: resource.plugin_id,
            signing_algorithm: resource.signing_algorithm,
        }))
    }
}
