//! Finding the client of a request: a row, a metadata document, or a row that holds a document's copy.
//!
//! A document's client has no row until somebody consents: strangers can name any number of addresses, and a row each
//! would be theirs to make. From then on the row is the copy that outlives a restart and its host's bad days.

use std::sync::Arc;

use chrono::TimeDelta;

use super::{
    Server,
    documents::{Document, DocumentError, RefusedDocument, keys},
};
use crate::{
    model::{
        Timestamp,
        audit::{Actor, Origin},
        client::{Client, Dialect, DocumentCopy, Registration},
        id::ClientId,
        key_set::KeySet,
    },
    protocol::{client_metadata, presets},
    random,
    store::{StoreError, StoreResult, clients::ClientDocument},
};

/// How long after it went stale a copy still starts sign-ins while its host cannot be reached.
const STALE_MAX: TimeDelta = TimeDelta::hours(24);

/// How long a document is believed that has just changed in a way the audit log tells of. Each such change is told, so
/// its maker must not be able to change it every minute.
const CHANGED_FRESH: TimeDelta = TimeDelta::hours(1);

/// Who may be asked for what it takes to judge a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// Nobody: what is known has to do. Anybody can name a client, and with it the hosts its maker chose.
    Nobody,
    /// The hosts at which the client publishes its document and its keys.
    ItsHosts,
}

impl Asking {
    /// Where a client's hosts are, whoever registered it by hand vouches for: they may always be asked.
    #[must_use]
    pub fn about(self, client: &Client) -> Self {
        if client.registration == Registration::ByHand { Self::ItsHosts } else { self }
    }
}

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
    Document(#[from] RefusedDocument),
}

impl Server {
    /// The client that sends somebody here to consent; its document is read if what is known of it is stale.
    pub async fn client_that_asks(&self, client_id: &str) -> Result<Option<Known>, ClientFault> {
        let now = self.clock.now();
        let row = self.store.client(client_id, now).await?;
        if !client_metadata::is_document(client_id) {
            return Ok(row.map(|client| Known { client, unkept: None }));
        }
        let refused = |why| RefusedDocument { client_id: client_id.to_owned(), why };
        self.documents.address(client_id).map_err(refused)?;
        let Some(row) = row else {
            let document = self.documents.read(client_id, None, now).await.map_err(refused)?;
            return Ok(Some(unkept(client_id, &document, now)));
        };
        let (client, why) = if row.enabled { self.up_to_date(row, now).await? } else { (row, None) };
        match why {
            Some(why) if !is_usable(&client, &why, now) => Err(refused(why).into()),
            _ => Ok(Some(Known { client, unkept: None })),
        }
    }

    /// The client that calls a machine endpoint. Only one with a row can have anything to call with. A stale document is
    /// read again, so that what it offers is known; when that fails the last good copy serves, however old: a host's bad
    /// days must not end living connections.
    pub async fn client_that_calls(&self, client_id: &str, asking: Asking) -> StoreResult<Option<Client>> {
        let now = self.clock.now();
        let Some(row) = self.store.client(client_id, now).await? else { return Ok(None) };
        if row.registration != Registration::Document {
            return Ok(Some(row));
        }
        if let Err(error) = self.documents.address(client_id) {
            tracing::warn!(client.id = client_id, reason = %error, "a client with a document is turned away");
            return Ok(None);
        }
        if !row.enabled || asking == Asking::Nobody {
            return Ok(Some(row));
        }
        let (row, _) = self.up_to_date(row, now).await?;
        Ok(Some(row))
    }

    /// The row, brought up to date if it is stale and its document can be had; otherwise as it is, with what is in the
    /// way.
    async fn up_to_date(&self, row: Client, now: Timestamp) -> StoreResult<(Client, Option<DocumentError>)> {
        if is_fresh(&row, now) {
            return Ok((row, None));
        }
        let why = match self.documents.read(&row.client_id, row.document, now).await {
            // What its host said last is newer than what came with the program.
            Ok(document) if document.copy.is_pinned && is_live(&row) => None,
            Ok(document) => return Ok((self.renew(row, &document, now).await?, None)),
            Err(why) => Some(why),
        };
        // The keys it named in the document itself could not be had either.
        let was_asked = !matches!(&why, Some(DocumentError::Fetch(error)) if error.is_ours());
        if was_asked && row.keys.came_along() && row.keys.failing_since.is_none() {
            self.store.key_set_fails(row.id, now).await?;
        }
        Ok((row, why))
    }

    /// Brings the row up to date with a document that was read.
    async fn renew(&self, row: Client, document: &Arc<Document>, now: Timestamp) -> StoreResult<Client> {
        if row.document == Some(document.copy) {
            return Ok(row);
        }
        let mut to_keep = document.to_keep(&row.client_id, now);
        let same = says_the_same(&row, &to_keep);
        if to_keep.copy.is_pinned && same && row.name == to_keep.name {
            return Ok(row);
        }
        // A known vendor's is taken as it comes: it has no interest in filling the log, and rolls back what went wrong.
        if !same && presets::document_of(&row.client_id).is_none() {
            to_keep.copy.fresh_until = to_keep.copy.fresh_until.max(now + CHANGED_FRESH);
            let id = row.client_id.as_str();
            tracing::info!(client.id = id, "a client's document has changed, and is not read again for an hour");
        }
        let audit = self.audit(Actor::Client(row.id), Origin::default());
        let mut renewed = None;
        let keep = Box::pin(async {
            renewed = self.store.keep_document(&to_keep, &audit).await?;
            Ok::<_, StoreError>(())
        });
        // Many may have waited for it to be read; the first of them writes, the others look at what it wrote.
        document.kept.get_or_try_init(|| keep).await?;
        let client = match renewed {
            Some(client) => Some(client),
            None => self.store.client(&row.client_id, now).await?,
        };
        Ok(client.unwrap_or(row))
    }
}

fn is_fresh(row: &Client, now: Timestamp) -> bool {
    row.document.is_some_and(|copy| copy.is_fresh(now))
}

/// Whether the row was read at the client's own host.
fn is_live(row: &Client) -> bool {
    row.document.is_some_and(|DocumentCopy { is_pinned, .. }| !is_pinned)
}

/// Whether a document says what the row has already, as far as the audit log tells of it.
fn says_the_same(row: &Client, document: &ClientDocument) -> bool {
    let set = |text: &Option<String>| text.as_ref().and_then(|text| KeySet::parse(text.as_bytes()).ok());
    let own_set = row.keys.came_along().then(|| set(&row.keys.key_set)).flatten();
    row.redirect_uris == document.redirect_uris
        && row.authentication_methods == document.authentication_methods
        && row.signing_algorithm == document.signing_algorithm
        && row.keys.jwks_uri == document.jwks_uri
        && (row.keys.were_supplied() || own_set == set(&document.key_set))
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
        version: 1,
        enabled: true,
        created_at: now,
        ends_at: None,
        secrets: Vec::new(),
    };
    Known { client, unkept: Some(Box::new(kept)) }
}
