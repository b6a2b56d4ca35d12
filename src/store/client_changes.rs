//! Operations on what people change about a client: its name, its callbacks, its secrets, and whether it is there at all.

use super::{Store, StoreResult, changing, on_either_engine};
use crate::model::{
    Timestamp,
    audit::Audit,
    client::{Client, ClientSecret},
    id::{ClientId, ClientSecretId},
    redirect_uri::RedirectUri,
    scope::Scopes,
};

/// A change to a client.
#[derive(Clone, Debug)]
pub struct ClientChange {
    /// What the wire calls `client_id`.
    pub client_id: String,
    /// The version whoever changes it saw; none for whoever changes it as it is.
    pub seen: Option<i64>,
    /// What is to change.
    pub edit: ClientEdit,
}

/// What is to change about a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientEdit {
    /// What people are shown.
    Rename(String),
    /// Where else people may be sent back to; what was offered of it is offered no more.
    AddRedirectUris(Vec<RedirectUri>),
    /// Where they may be sent no more.
    RemoveRedirectUris(Vec<RedirectUri>),
    /// What it may ask for. Whatever stands carries no more than that from then on.
    Scopes(Scopes),
    /// It gets something again. What it was given before stays ended.
    Enable,
}

/// What became of a change.
#[derive(Clone, Debug)]
pub enum ChangeClient {
    /// The client as it is now; a change that changes nothing writes nothing.
    Done(Box<Client>),
    /// There is no such client.
    Unknown,
    /// Somebody else has changed it since; nothing is changed.
    ChangedMeanwhile,
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
    /// The newest secret as far as whoever renews it knows; none for whoever renews it whatever there is.
    pub seen: Option<ClientSecretId>,
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
    /// Somebody has renewed it since: another one is the newest.
    ChangedMeanwhile,
}

/// What became of ending a secret.
#[derive(Clone, Debug)]
pub enum EndSecret {
    /// It is no longer valid; the client as it is now.
    Ended(Box<Client>),
    /// There is no such client.
    Unknown,
    /// The client has no such secret that is valid.
    NoSuchSecret,
    /// Without it the client would be left with none, now or once another one has ended.
    IsTheLast,
}

/// When a secret was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretUse {
    /// Which.
    pub id: ClientSecretId,
    /// When.
    pub at: Timestamp,
    /// Written down unless a use after this has been already.
    pub unless_after: Timestamp,
}

impl Store {
    /// Changes a client.
    pub async fn change_client(&self, change: &ClientChange, audit: &Audit) -> StoreResult<ChangeClient> {
        changing!(self, engine => engine.change_client(change, audit))
    }

    /// Adds a secret and gives the older one an end: at most two are valid at any time.
    pub async fn rotate_secret(&self, rotation: &SecretRotation, audit: &Audit) -> StoreResult<RotateSecret> {
        on_either_engine!(self, engine => engine.rotate_secret(rotation, audit))
    }

    /// Ends a secret before its time, if one that has no end is left.
    pub async fn end_secret(&self, client_id: &str, secret: ClientSecretId, audit: &Audit) -> StoreResult<EndSecret> {
        on_either_engine!(self, engine => engine.end_secret(client_id, secret, audit))
    }

    /// Notes when secrets were last shown.
    pub async fn note_secret_uses(&self, uses: &[SecretUse]) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.note_secret_uses(uses))
    }

    /// Disables a client and raises its generation: nothing of its stands any more. The client as it is now; `None`
    /// when there is no such client. Disabling twice changes nothing the second time.
    pub async fn disable_client(&self, client_id: &str, audit: &Audit) -> StoreResult<Option<Client>> {
        changing!(self, engine => engine.disable_client(client_id, audit))
    }

    /// Deletes a client: one write, after which nobody finds it and nothing of its stands. What is left of its rows is
    /// the sweep's to remove. The client as it was; `None` when there is no such client.
    pub async fn delete_client(&self, client_id: &str, audit: &Audit) -> StoreResult<Option<Client>> {
        changing!(self, engine => engine.delete_client(client_id, audit))
    }

    /// How many families of a client stand; `None` where they, or the consents that they could stand on, are more than
    /// `most` and are not counted.
    pub async fn count_families(&self, client: ClientId, now: Timestamp, most: u32) -> StoreResult<Option<u32>> {
        on_either_engine!(self, engine => engine.count_families(client, now, most))
    }
}
