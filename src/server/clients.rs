//! Finding the client of a request: a row, a metadata document, or a row that holds a document's copy.
//!
//! A document's client has no row until somebody consents: strangers can name any number of addresses, and a row each
//! would be theirs to make. From then on the row is the copy that outlives a restart and its host's bad days.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{
    Server,
    documents::{Document, DocumentError, keys},
};
use crate::{
    model::{
        Timestamp,
        audit::Actor,
        client::{Client, Dialect, Registration},
        id::ClientId,
    },
    protocol::client_metadata,
    random,
    store::{StoreError, StoreResult, clients::ClientDocument},
    telemetry::metrics,
};

/// How long after it went stale a copy still starts sign-ins while its host cannot be reached.
const STALE_MAX: TimeDelta = TimeDelta::hours(24);

/// A client, and its document if that has yet to be kept.
#[derive(Clone, Debug)]
pub struct Known {
    /// The client. Without a row its id is of the moment.
    pub client: Client,
    /// To be kept with the first consent.
    pub unkept: Option<Box<ClientDocument>>,
}

/// Why it is not known whether there is such a client.
#[derive(Debug, thiserror::Error)]
pub enum ClientFault {
    /// The store has no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its document says nothing.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl Server {
    /// The client that sends somebody here to consent; its document is read if what is known of it is stale.
    pub async fn client_that_asks(&self, client_id: &str) -> Result<Option<Known>, ClientFault> {
        let now = self.clock.now();
        let row = self.store.client(client_id, now).await?;
        if !client_metadata::is_document(client_id) {
            return Ok(row.map(|client| Known { client, unkept: None }));
        }
        self.documents.address(client_id)?;
        if row.as_ref().is_some_and(|row| !row.enabled || is_fresh(row, now)) {
            return Ok(row.map(|client| Known { client, unkept: None }));
        }
        let copy = row.as_ref().and_then(|row| row.document);
        match (self.documents.read(client_id, copy, now).await, row) {
            (Ok(document), Some(row)) => {
                let client = self.renew(row, &document, now).await?;
                Ok(Some(Known { client, unkept: None }))
            }
            (Ok(document), None) => Ok(Some(unkept(client_id, &document, now))),
            (Err(error), Some(row)) if is_usable(&row, &error, now) => {
                stale(client_id, &error);
                Ok(Some(Known { client: row, unkept: None }))
            }
            (Err(error), _) => {
                tracing::warn!(client.id = client_id, reason = %error, "nobody is asked to consent to this client");
                Err(error.into())
            }
        }
    }

    /// The client that calls a machine endpoint. Only one with a row can have anything to call with. A stale document is
    /// read again, so that what it offers is known; when that fails the last good copy serves, however old: a host's bad
    /// days must not end living connections.
    pub async fn client_that_calls(&self, client_id: &str) -> StoreResult<Option<Client>> {
        let now = self.clock.now();
        let Some(row) = self.store.client(client_id, now).await? else { return Ok(None) };
        if row.registration != Registration::Document {
            return Ok(Some(row));
        }
        if let Err(error) = self.documents.address(client_id) {
            tracing::warn!(client.id = client_id, reason = %error, "a client with a document is turned away");
            return Ok(None);
        }
        if is_fresh(&row, now) || !row.enabled || !self.documents.may_try(client_id, now).await {
            return Ok(Some(row));
        }
        match self.documents.read(client_id, row.document, now).await {
            Ok(document) => self.renew(row, &document, now).await.map(Some),
            Err(error) => {
                self.documents.failed(client_id, now).await;
                stale(client_id, &error);
                Ok(Some(row))
            }
        }
    }

    /// Brings the row up to date with a document that was read. A pinned copy is no news: the row is what its host said
    /// last, or was made from the same copy.
    async fn renew(&self, row: Client, document: &Arc<Document>, now: Timestamp) -> StoreResult<Client> {
        if document.is_pinned || row.document == Some(document.copy) {
            return Ok(row);
        }
        let audit = self.audit(Actor::Client(row.id), None);
        let kept = self.store.keep_document(&document.to_keep(&row.client_id, now), &audit).await?;
        Ok(kept.unwrap_or(row))
    }
}

fn is_fresh(row: &Client, now: Timestamp) -> bool {
    row.document.is_some_and(|copy| now < copy.fresh_until)
}

/// Tells the operator that a copy serves where something newer could not be had.
fn stale(client_id: &str, error: &DocumentError) {
    metrics::client_document_pinned();
    tracing::warn!(client.id = client_id, reason = %error, "the last good copy of a client's document serves");
}

/// Whether a stale copy may stand in: its host could not be reached, and that is not long ago. A document that became
/// invalid, or is gone, is not one to start anything new with.
fn is_usable(row: &Client, error: &DocumentError, now: Timestamp) -> bool {
    error.is_no_verdict() && row.document.is_some_and(|copy| now < copy.fresh_until + STALE_MAX)
}

/// A client that is only a document so far.
fn unkept(client_id: &str, document: &Document, now: Timestamp) -> Known {
    let kept = document.to_keep(client_id, now);
    let client = Client {
        id: ClientId(random::id(now)),
        client_id: client_id.to_owned(),
        name: kept.name.clone(),
        home: None,
        registration: Registration::Document,
        dialect: Dialect::Connector,
        authentication_methods: kept.authentication_methods,
        signing_algorithm: kept.signing_algorithm,
        keys: keys(&document.metadata),
        document: Some(document.copy),
        redirect_uris: kept.redirect_uris.clone(),
        scopes: None,
        default_scopes: None,
        registration_digest: None,
        // What its row will begin with.
        generation: 1,
        enabled: true,
        created_at: now,
        secrets: Vec::new(),
    };
    Known { client, unkept: Some(Box::new(kept)) }
}
