//! Operations on clients and their secrets.

use super::{Store, StoreResult, on_either_engine};
use crate::model::{
    Timestamp,
    audit::Audit,
    client::{AuthenticationMethod, Client, ClientSecret, Dialect},
    id::{ClientId, PluginId},
    redirect_uri::RedirectUri,
    scope::Scopes,
};

/// A client to be registered.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// Row id.
    pub id: ClientId,
    /// What the wire calls `client_id`; unique.
    pub client_id: String,
    /// The plugin it belongs to.
    pub plugin_id: PluginId,
    /// What people are shown.
    pub name: String,
    /// How it speaks.
    pub dialect: Dialect,
    /// How it authenticates.
    pub authentication_method: AuthenticationMethod,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask for.
    pub scopes: Scopes,
    /// Its first secret, when it has one.
    pub secret: Option<ClientSecret>,
    /// When.
    pub at: Timestamp,
}

/// A new secret for a client; the newest of the older ones stays valid for a while, any other ends now.
#[derive(Clone, Debug)]
pub struct SecretRotation {
    /// What the wire calls `client_id`.
    pub client_id: String,
    /// The new secret; `created_at` is the time of the rotation.
    pub secret: ClientSecret,
    /// When the older one ends, unless it ends before.
    pub old_expires_at: Timestamp,
}

/// What became of rotating a secret.
#[derive(Clone, Debug)]
pub enum RotateSecret {
    /// The new secret is valid; the client as it is now.
    Rotated(Box<Client>),
    /// There is no such client.
    Unknown,
    /// The client authenticates without a secret.
    HasNoSecret,
}

impl Store {
    /// Registers a client.
    pub async fn add_client(&self, client: &NewClient, audit: &Audit) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.add_client(client, audit))
    }

    /// All clients, oldest first, with the secrets valid at `now`.
    pub async fn clients(&self, now: Timestamp) -> StoreResult<Vec<Client>> {
        on_either_engine!(self, engine => engine.clients(now))
    }

    /// Finds a client with its plugin and the secrets valid at `now`: one statement.
    pub async fn client(&self, client_id: &str, now: Timestamp) -> StoreResult<Option<Client>> {
        on_either_engine!(self, engine => engine.client(client_id, now))
    }

    /// Adds redirect URIs to a client's; those it has already are left as they are. The client as it is now; `None`
    /// when there is no such client.
    pub async fn add_redirect_uris(
        &self,
        client_id: &str,
        redirect_uris: &[RedirectUri],
        audit: &Audit,
    ) -> StoreResult<Option<Client>> {
        on_either_engine!(self, engine => engine.add_redirect_uris(client_id, redirect_uris, audit))
    }

    /// Adds a secret and gives the older one an end: at most two are valid at any time.
    pub async fn rotate_secret(&self, rotation: &SecretRotation, audit: &Audit) -> StoreResult<RotateSecret> {
        on_either_engine!(self, engine => engine.rotate_secret(rotation, audit))
    }

    /// Disables a client and raises its generation: nothing of its stands any more. The client as it is now; `None`
    /// when there is no such client. Disabling twice changes nothing the second time.
    pub async fn disable_client(&self, client_id: &str, audit: &Audit) -> StoreResult<Option<Client>> {
        on_either_engine!(self, engine => engine.disable_client(client_id, audit))
    }
}
