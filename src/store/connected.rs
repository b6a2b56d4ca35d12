//! What a person has connected, for their own page of it: what they allow to whom, and what stands under it.

use serde_json::Value;

use super::{Store, StoreResult, consents::ConsentKey, on_either_engine};
use crate::model::{
    Timestamp,
    client::Registration,
    id::{AccountId, ConsentId, FamilyId},
    scope::{Catalogue, Scopes},
};

/// A consent that holds.
#[derive(Clone, Debug)]
pub struct ConnectedApp {
    /// Row id.
    pub id: ConsentId,
    /// Which.
    pub key: ConsentKey,
    /// What the wire calls the client.
    pub client_id: String,
    /// What the client is called.
    pub client_name: String,
    /// How it became known.
    pub registration: Registration,
    /// The display name of the plugin whose API it is.
    pub plugin_name: String,
    /// What the plugin's scopes allow.
    pub catalogue: Catalogue,
    /// What is allowed.
    pub scopes: Scopes,
    /// When it was last given or widened.
    pub granted_at: Timestamp,
    /// What stands under it, the newest first.
    pub connections: Vec<Connection>,
}

/// A family that stands: one installation of the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Row id.
    pub id: FamilyId,
    /// When it was connected.
    pub created_at: Timestamp,
    /// When it last got a new token by refreshing.
    pub rotated_at: Option<Timestamp>,
}

/// What a person names of what they have connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// An app.
    App(ConsentId),
    /// One installation of one.
    Connection(FamilyId),
}

/// Something that happened to an account, as the audit log has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Happened {
    /// When.
    pub at: Timestamp,
    /// The log's word for it.
    pub action: String,
    /// From which network address.
    pub address: Option<String>,
    /// The name of the client concerned, if one was and it is still there.
    pub client_name: Option<String>,
    /// What more is known.
    pub detail: Value,
}

impl Store {
    /// What a person has connected, the newest consent first. An app with a consent and no connection is there too: it
    /// could connect again unasked. At most two hundred consents and a thousand connections.
    pub async fn connected_apps(&self, account: AccountId, now: Timestamp) -> StoreResult<Vec<ConnectedApp>> {
        on_either_engine!(self, engine => engine.connected_apps(account, now))
    }

    /// One app of a person's, by what they name of it, with all that stands under it; none for what is not theirs or
    /// stands no more. The list may be too long to be shown whole, but everything on it can be named.
    pub async fn connected_app(
        &self,
        account: AccountId,
        named: Named,
        now: Timestamp,
    ) -> StoreResult<Option<ConnectedApp>> {
        on_either_engine!(self, engine => engine.connected_app(account, named, now))
    }

    /// What happened to an account lately, the newest first.
    pub async fn happened_to(&self, account: AccountId, rows_max: u32) -> StoreResult<Vec<Happened>> {
        on_either_engine!(self, engine => engine.happened_to(account, rows_max))
    }
}
