//! Who is connected to a plugin, for those who own it.

use super::{Store, StoreResult, changing, on_either_engine, owners::Page};
use crate::model::{
    Timestamp,
    account::Email,
    audit::Audit,
    id::{AccountId, ConsentId, PluginId},
    scope::Scopes,
};

/// Somebody who allows a client something at a plugin's API.
#[derive(Clone, Debug)]
pub struct ConnectedPerson {
    /// The consent's row id.
    pub consent_id: ConsentId,
    /// Whose it is. An owner is shown the subject their API knows the person by, made of this, and not this.
    pub account_id: AccountId,
    /// Their address, for administrators.
    pub email: Email,
    /// Their name, for administrators.
    pub name: String,
    /// What the wire calls the client.
    pub client_id: String,
    /// What the client is called.
    pub client_name: String,
    /// What is allowed.
    pub scopes: Scopes,
    /// When it was last given or widened.
    pub granted_at: Timestamp,
    /// When a token was last issued under it; none when nothing is connected.
    pub last_used_at: Option<Timestamp>,
}

impl Store {
    /// The identifiers of a plugin's resources, its default first; at most fifty.
    pub async fn identifiers_of(&self, plugin: PluginId) -> StoreResult<Vec<String>> {
        on_either_engine!(self, engine => engine.identifiers_of(plugin))
    }

    /// A page of who is connected to one of a plugin's resources, by its identifier: newest first.
    pub async fn people_of(
        &self,
        plugin: PluginId,
        resource: &str,
        page: Page<ConsentId>,
    ) -> StoreResult<Vec<ConnectedPerson>> {
        on_either_engine!(self, engine => engine.people_of(plugin, resource, page))
    }

    /// How many consents hold at a plugin, counted up to so many.
    pub async fn count_people_of(&self, plugin: PluginId, most: u32) -> StoreResult<u64> {
        on_either_engine!(self, engine => engine.count_people_of(plugin, most))
    }

    /// Takes one consent at a plugin back, with what stands on it; `false` when it is none of the plugin's that holds.
    pub async fn disconnect_person(&self, plugin: PluginId, consent: ConsentId, audit: &Audit) -> StoreResult<bool> {
        changing!(self, engine => engine.disconnect_person(plugin, consent, audit))
    }

    /// Ends every consent, code and family at a plugin: one small write, however many they are.
    pub async fn disconnect_everybody(&self, plugin: PluginId, audit: &Audit) -> StoreResult<()> {
        changing!(self, engine => engine.disconnect_everybody(plugin, audit))
    }
}
