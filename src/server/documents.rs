//! Client metadata documents (draft-ietf-oauth-client-id-metadata-document), as this process knows them: fetched safely,
//! kept as long as their hosts allow, and replaced by a pinned copy where a known vendor's host turns servers away.
//!
//! `outbound` fetches, `protocol::client_metadata` reads, `protocol::presets` holds the pinned copies; `clients` decides
//! when a document is asked for. What fails is never kept, so that a maker who mends a document is let in at once; only
//! where there is a copy to go by it is asked for again a minute later.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use moka::future::Cache;
use tokio::sync::OnceCell;
use tracing::Instrument;
use url::Url;

use crate::{
    model::{
        Timestamp,
        client::{ClientKeys, DocumentCopy},
        id::ClientId,
        mechanisms::DocumentPolicy,
    },
    outbound::{FetchError, Limits, Outbound},
    protocol::{
        client_metadata::{self, ClientMetadata, Keys, MetadataError, NotADocumentAddress},
        presets,
    },
    random,
    store::clients::ClientDocument,
    telemetry::metrics,
};

/// How long a document that nobody has a copy of is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a newer one is waited for where there is a copy: a host that hangs must not hold up living connections.
const PATIENCE_WITH_A_COPY: Duration = Duration::from_secs(2);

/// A sign-in takes several requests, and each needs the document: this often it is asked for at most, whatever its
/// headers say.
const FRESH_MIN: TimeDelta = TimeDelta::minutes(1);
/// What holds when the headers say nothing.
const FRESH_DEFAULT: TimeDelta = TimeDelta::hours(1);
/// Longer than this nothing is believed unseen.
const FRESH_MAX: TimeDelta = TimeDelta::hours(24);
/// How soon a host whose document is pinned is asked again.
const PINNED_FRESH: TimeDelta = TimeDelta::minutes(5);

/// The most documents kept in memory; strangers can name any number.
const KEPT_MAX: u64 = 1000;

/// Why a document says nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum DocumentError {
    /// Documents, or those of this host, are not accepted here.
    #[error("documents of this host are not accepted here")]
    NotAccepted,
    /// The id is not the address of a document.
    #[error("client_id is not the address of a document: {0}")]
    Address(NotADocumentAddress),
    /// It could not be had.
    #[error("the client's document could not be fetched: {0}")]
    Fetch(FetchError),
    /// What came is no document at all: a page that asks for proof of being human, for instance.
    #[error("what stands at the client's document's address is not a JSON object")]
    NoDocument,
    /// It is not one.
    #[error("the client's document is not good: {0}")]
    Invalid(MetadataError),
    /// The server is stopping.
    #[error("the look at the client's document was broken off")]
    BrokenOff,
}

/// Why nobody is asked to consent to a client.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct RefusedDocument {
    /// The document's address.
    pub client_id: String,
    /// What is wrong with it.
    pub why: DocumentError,
}

impl DocumentError {
    /// Whether it says nothing about the document: its host was out of reach, or turned this server away.
    pub fn is_no_verdict(&self) -> bool {
        match self {
            Self::Fetch(error) => {
                let turned_away = matches!(error, FetchError::Status(401 | 403) | FetchError::Redirected);
                error.may_pass() || turned_away || *error == FetchError::TooLarge
            }
            Self::NoDocument | Self::BrokenOff => true,
            Self::NotAccepted | Self::Address(_) | Self::Invalid(_) => false,
        }
    }
}

/// A document as it was read.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it says.
    pub metadata: ClientMetadata,
    /// When it was read, how long that holds, and whether it is the pinned copy.
    pub copy: DocumentCopy,
    /// Set when the client's row was brought up to date with it: once, for all who had it read.
    pub kept: OnceCell<()>,
}

impl Document {
    /// What the store keeps of it.
    pub fn to_keep(&self, client_id: &str, now: Timestamp) -> ClientDocument {
        let keys = keys(&self.metadata);
        ClientDocument {
            id: ClientId(random::id(now)),
            client_id: client_id.to_owned(),
            name: self.metadata.name.clone(),
            authentication_methods: self.metadata.methods,
            signing_algorithm: self.metadata.signing_algorithm,
            jwks_uri: keys.jwks_uri,
            key_set: keys.key_set,
            redirect_uris: self.metadata.redirect_uris.clone(),
            copy: self.copy,
        }
    }
}

/// The keys a client's metadata names, as the store keeps them.
pub fn keys(metadata: &ClientMetadata) -> ClientKeys {
    let (jwks_uri, key_set) = match &metadata.keys {
        Keys::None => (None, None),
        Keys::Uri(uri) => (Some(uri.to_string()), None),
        Keys::Inline(set) => (None, Some(set.as_json())),
    };
    ClientKeys { jwks_uri, key_set, ..ClientKeys::default() }
}

/// The same with the time at which they came, which tells a set that the client sent from one the operator supplied.
pub fn keys_read_at(metadata: &ClientMetadata, now: Timestamp) -> ClientKeys {
    let keys = keys(metadata);
    ClientKeys { fetched_at: keys.key_set.as_ref().map(|_| now), ..keys }
}

/// The documents, shared by all workers. Cheap to clone; all clones remember the same.
#[derive(Clone)]
pub struct Documents {
    policy: DocumentPolicy,
    /// For documents anybody may name.
    strangers: Outbound,
    /// For those somebody has consented to: strangers must not be able to take all turns.
    known: Outbound,
    kept: Cache<String, Arc<Document>>,
    /// When fetching one last failed that there is a copy of, and why.
    failed: Cache<String, Arc<(Timestamp, DocumentError)>>,
}

impl Documents {
    /// None are known yet.
    pub fn new(policy: DocumentPolicy, strangers: Outbound, known: Outbound) -> Self {
        Self { policy, strangers, known, kept: Cache::new(KEPT_MAX), failed: Cache::new(KEPT_MAX) }
    }

    /// Whether an id may be the address of a document at all, and documents of its host are accepted.
    pub fn address(&self, client_id: &str) -> Result<Url, DocumentError> {
        let url = client_metadata::check_client_id(client_id).map_err(DocumentError::Address)?;
        if self.policy.accepts(url.host_str().unwrap_or_default()) { Ok(url) } else { Err(DocumentError::NotAccepted) }
    }

    /// The document at that address: from memory while it is fresh and no older than the row's copy, otherwise from its
    /// host, once for all who ask at the same time.
    pub async fn read(
        &self,
        client_id: &str,
        row: Option<DocumentCopy>,
        now: Timestamp,
    ) -> Result<Arc<Document>, DocumentError> {
        let url = self.address(client_id)?;
        let newer = row.map(|row| row.fetched_at).filter(|fetched_at| *fetched_at <= now);
        let is_old =
            |kept: &Document| !kept.copy.is_fresh(now) || newer.is_some_and(|newer| kept.copy.fetched_at < newer);
        match self.kept.get(client_id).await {
            Some(kept) if !is_old(&kept) => return Ok(kept),
            Some(_) => self.kept.invalidate(client_id).await,
            None => {}
        }
        let reading = self.clone().look(url, row, now);
        if row.is_none() {
            return reading.await;
        }
        let lately = |at: Timestamp| at <= now && now < at + FRESH_MIN;
        if let Some(failed) = self.failed.get(client_id).await.filter(|failed| lately(failed.0)) {
            return Err(failed.1.clone());
        }
        // A task of its own: what has begun is brought to its end although whoever asked goes away, or each who does
        // would cost one more look.
        tokio::spawn(reading.in_current_span()).await.unwrap_or(Err(DocumentError::BrokenOff))
    }

    async fn look(self, url: Url, row: Option<DocumentCopy>, now: Timestamp) -> Result<Arc<Document>, DocumentError> {
        let looking = async {
            match self.fetch(&url, row, now).await {
                Ok(document) => Ok(Arc::new(document)),
                Err(why) => self.stand_in(&url, row, why, now).await.map(Arc::new),
            }
        };
        let read = self.kept.try_get_with_by_ref(url.as_str(), looking).await;
        read.map_err(|why: Arc<DocumentError>| DocumentError::clone(&why))
    }

    async fn fetch(&self, url: &Url, row: Option<DocumentCopy>, now: Timestamp) -> Result<Document, DocumentError> {
        let (outbound, patience) =
            if row.is_some() { (&self.known, PATIENCE_WITH_A_COPY) } else { (&self.strangers, PATIENCE) };
        let limits = Limits { bytes_max: client_metadata::DOCUMENT_BYTES_MAX, patience };
        let fetched = outbound.get(url, limits).await.map_err(DocumentError::Fetch)?;
        if !fetched.body.trim_ascii_start().starts_with(b"{") {
            return Err(DocumentError::NoDocument);
        }
        let metadata = client_metadata::read_document(url, &fetched.body).map_err(DocumentError::Invalid)?;
        let fresh = fetched.max_age.map_or(FRESH_DEFAULT, |age| TimeDelta::from_std(age).unwrap_or(FRESH_MAX));
        let fresh_until = now + fresh.clamp(FRESH_MIN, FRESH_MAX);
        Ok(Document {
            metadata,
            copy: DocumentCopy { fetched_at: now, fresh_until, is_pinned: false },
            kept: OnceCell::new(),
        })
    }

    /// What serves instead, told once a look: the row's copy if there is one, otherwise the pinned one. With neither
    /// there is nothing to tell but to whoever asked.
    async fn stand_in(
        &self,
        url: &Url,
        row: Option<DocumentCopy>,
        why: DocumentError,
        now: Timestamp,
    ) -> Result<Document, DocumentError> {
        metrics::client_document_fetch_failed();
        let client_id = url.as_str();
        let pinned = pinned(client_id, now).filter(|_| why.is_no_verdict());
        match (row, &pinned) {
            (Some(DocumentCopy { is_pinned: true, .. }), _) | (None, Some(_)) => {
                metrics::client_document_pinned();
                tracing::warn!(client.id = client_id, reason = %why, "the pinned copy of a client's document serves");
            }
            (Some(_), _) => {
                metrics::client_document_kept();
                let reason = &why;
                tracing::warn!(client.id = client_id, %reason, "the last good copy of a client's document serves");
            }
            (None, None) => {}
        }
        if row.is_some() && pinned.is_none() {
            self.failed.insert(client_id.to_owned(), Arc::new((now, why.clone()))).await;
        }
        pinned.ok_or(why)
    }
}

/// The pinned copy of a well-known client's document, as it came with the program.
pub fn pinned(client_id: &str, now: Timestamp) -> Option<Document> {
    let url = client_metadata::check_client_id(client_id).ok()?;
    let metadata = client_metadata::read_document(&url, &presets::pinned(client_id)?).ok()?;
    Some(Document {
        metadata,
        copy: DocumentCopy { fetched_at: now, fresh_until: now + PINNED_FRESH, is_pinned: true },
        kept: OnceCell::new(),
    })
}
