//! Operations on clients: how they become known, and what they say about themselves. What people change about them stands
//! in `client_changes`.

use super::{Store, StoreResult, changing, on_either_engine};
use crate::model::{
    Timestamp,
    audit::Audit,
    client::{AuthenticationMethods, Client, ClientKeys, ClientSecret, Dialect, DocumentCopy, Registration},
    digest::Digest,
    id::{ClientId, PluginId},
    public_key::SigningAlgorithm,
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
    /// The plugin it belongs to, if it belongs to one.
    pub plugin_id: Option<PluginId>,
    /// How it came to be known; a client with a document is kept with [`ClientDocument`].
    pub registration: Registration,
    /// What people are shown.
    pub name: String,
    /// How it speaks.
    pub dialect: Dialect,
    /// How it may authenticate.
    pub authentication_methods: AuthenticationMethods,
    /// The only algorithm it signs assertions with, if it named one.
    pub signing_algorithm: Option<SigningAlgorithm>,
    /// The keys its assertions are verified with.
    pub keys: ClientKeys,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask for; none for whatever the resource has.
    pub scopes: Option<Scopes>,
    /// Its first secret, when it has one.
    pub secret: Option<ClientSecret>,
    /// SHA-256 of the token that manages its registration (RFC 7592), when it registered itself.
    pub registration_digest: Option<Digest>,
    /// What it said when it did so.
    pub own_words: OwnWords,
    /// When it is deleted by itself; none for one that stays.
    pub ends_at: Option<Timestamp>,
    /// When.
    pub at: Timestamp,
}

/// What a client said about itself that it is not held to.
#[derive(Clone, Debug, Default)]
pub struct OwnWords {
    /// What it asks for when it names nothing.
    pub default_scopes: Option<Scopes>,
    /// What it is told again when it asks what it registered (RFC 7592 §3), as JSON.
    pub metadata: Option<String>,
}

/// A client as its metadata document describes it. Its row is the copy that outlives a restart.
#[derive(Clone, Debug)]
pub struct ClientDocument {
    /// Row id, if there is none yet; made anew for each call.
    pub id: ClientId,
    /// The document's address.
    pub client_id: String,
    /// What people are shown.
    pub name: String,
    /// How it may authenticate.
    pub authentication_methods: AuthenticationMethods,
    /// The only algorithm it signs assertions with, if it named one.
    pub signing_algorithm: Option<SigningAlgorithm>,
    /// Where its keys are published.
    pub jwks_uri: Option<String>,
    /// The keys in the document itself, as JSON.
    pub key_set: Option<String>,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// When it was read, until when that holds, and where it was read.
    pub copy: DocumentCopy,
}

/// A dynamic registration changed by its client (RFC 7592 §2.2).
#[derive(Clone, Debug)]
pub struct ChangedRegistration {
    /// What the wire calls `client_id`.
    pub client_id: String,
    /// What people are shown.
    pub name: String,
    /// How it may authenticate.
    pub authentication_methods: AuthenticationMethods,
    /// The only algorithm it signs assertions with, if it named one.
    pub signing_algorithm: Option<SigningAlgorithm>,
    /// The keys its assertions are verified with.
    pub keys: ClientKeys,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask for; none for whatever the resource has.
    pub scopes: Option<Scopes>,
    /// What else it says.
    pub own_words: OwnWords,
    /// A secret, when it needs one now and had none.
    pub secret: Option<ClientSecret>,
}

/// A key set as it was fetched.
#[derive(Clone, Copy, Debug)]
pub struct FetchedKeySet<'a> {
    /// Where.
    pub jwks_uri: &'a str,
    /// The set, as JSON.
    pub key_set: &'a str,
    /// When.
    pub fetched_at: Timestamp,
}

impl Store {
    /// Registers a client. One that registers itself is no event for the audit log: strangers could fill it.
    pub async fn add_client(&self, client: &NewClient, audit: &Audit) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.add_client(client, audit))
    }

    /// All clients, oldest first, with the secrets valid at `now`.
    pub async fn clients(&self, now: Timestamp) -> StoreResult<Vec<Client>> {
        on_either_engine!(self, engine => engine.clients(now))
    }

    /// Finds a client with its plugin and the secrets valid at `now`, if it has not ended by then: one statement.
    pub async fn client(&self, client_id: &str, now: Timestamp) -> StoreResult<Option<Client>> {
        on_either_engine!(self, engine => engine.client(client_id, now))
    }

    /// The `client_id`s of those whose end was not after this, and that are not deleted yet; the oldest end first.
    pub async fn clients_ended_by(&self, time: Timestamp, rows_max: u32) -> StoreResult<Vec<String>> {
        on_either_engine!(self, engine => engine.clients_ended_by(time, rows_max))
    }

    /// What a client that registered itself is told again of what it said, as JSON; few ask, so it is not read with the
    /// rest.
    pub async fn registered_metadata(&self, id: ClientId) -> StoreResult<Option<String>> {
        on_either_engine!(self, engine => engine.registered_metadata(id))
    }

    /// Keeps what a document says: makes the client's row, or brings it up to date, unless the row has something newer,
    /// or this is a pinned copy and the row was read at its host. A key set the operator supplied stays, and so does
    /// one that was fetched from an address the document still names. The client as it is now; `None` when the id
    /// belongs to a client that was registered otherwise.
    pub async fn keep_document(&self, document: &ClientDocument, audit: &Audit) -> StoreResult<Option<Client>> {
        changing!(self, engine => engine.keep_document(document, audit))
    }

    /// Replaces what a client registered about itself; an event once somebody has consented to it. The client as it is
    /// now; `None` when there is no such dynamic client, or it is disabled.
    pub async fn change_registration(
        &self,
        changed: &ChangedRegistration,
        audit: &Audit,
    ) -> StoreResult<Option<Client>> {
        changing!(self, engine => engine.change_registration(changed, audit))
    }

    /// Keeps the last good key set that was fetched for a client, unless the operator supplied one meanwhile, a newer
    /// one is kept already, or the client publishes its keys elsewhere by now.
    pub async fn keep_key_set(&self, id: ClientId, fetched: &FetchedKeySet<'_>) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.keep_key_set(id, fetched))
    }

    /// Remembers since when no newer key set than the kept one can be had, unless that is remembered already or the set
    /// is newer. Keeping a set, or being supplied with one, ends it.
    pub async fn key_set_fails(&self, id: ClientId, since: Timestamp) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.key_set_fails(id, since))
    }

    /// Supplies a client's key set by hand: from then on none is fetched. The client as it is now; `None` when there is
    /// no such client.
    pub async fn supply_key_set(&self, client_id: &str, key_set: &str, audit: &Audit) -> StoreResult<Option<Client>> {
        changing!(self, engine => engine.supply_key_set(client_id, key_set, audit))
    }
}
