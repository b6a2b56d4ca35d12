//! Client metadata documents (draft-ietf-oauth-client-id-metadata-document), as this process knows them: fetched safely,
//! kept as long as their hosts allow, and replaced by a pinned copy where a known vendor's host turns servers away.
//!
//! `outbound` fetches, `protocol::client_metadata` reads, `protocol::presets` holds the pinned copies; `clients` decides
//! when a document is asked for. Failures are never kept: the next request asks again.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use moka::future::Cache;
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

/// What one fetch may cost; the draft recommends five kilobytes (§6.6).
const LIMITS: Limits = Limits { bytes_max: client_metadata::DOCUMENT_BYTES_MAX, patience: Duration::from_secs(5) };

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
    /// It is not one.
    #[error("the client's document is not good: {0}")]
    Invalid(MetadataError),
}

/// A document as it was read.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it says.
    pub metadata: ClientMetadata,
    /// When it was read, and how long that holds.
    pub copy: DocumentCopy,
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
    ClientKeys { jwks_uri, key_set, fetched_at: None }
}

/// The documents, shared by all workers.
pub struct Documents {
    policy: DocumentPolicy,
    outbound: Outbound,
    kept: Cache<String, Arc<Document>>,
    /// When fetching one last failed.
    failed: Cache<String, Timestamp>,
}

impl Documents {
    /// None are known yet.
    pub fn new(policy: DocumentPolicy, outbound: Outbound) -> Self {
        Self { policy, outbound, kept: Cache::new(KEPT_MAX), failed: Cache::new(KEPT_MAX) }
    }

    /// Whether an id may be the address of a document at all, and documents of its host are accepted.
    pub fn address(&self, client_id: &str) -> Result<Url, DocumentError> {
        let url = client_metadata::check_client_id(client_id).map_err(DocumentError::Address)?;
        if self.policy.accepts(url.host_str().unwrap_or_default()) { Ok(url) } else { Err(DocumentError::NotAccepted) }
    }

    /// The document at that address: from memory while it is fresh, otherwise from its host, once for all who ask at
    /// the same time.
    pub async fn read(&self, client_id: &str, now: Timestamp) -> Result<Arc<Document>, DocumentError> {
        let url = self.address(client_id)?;
        if self.kept.get(client_id).await.is_some_and(|kept| kept.copy.fresh_until <= now) {
            self.kept.invalidate(client_id).await;
        }
        let fetching = async { self.fetch(&url, now).await.map(Arc::new) };
        match self.kept.try_get_with_by_ref(client_id, fetching).await {
            Ok(document) => Ok(document),
            Err(error) => {
                self.failed.insert(client_id.to_owned(), now).await;
                Err(DocumentError::clone(&error))
            }
        }
    }

    /// Whether it is worth trying: not if it failed a moment ago and there is a copy that serves.
    pub async fn may_try(&self, client_id: &str, now: Timestamp) -> bool {
        self.failed.get(client_id).await.is_none_or(|failed| now >= failed + FRESH_MIN)
    }

    async fn fetch(&self, url: &Url, now: Timestamp) -> Result<Document, DocumentError> {
        let fetched = match self.outbound.get(url, LIMITS).await {
            Ok(fetched) => fetched,
            Err(error) => {
                metrics::client_document_fetch_failed();
                return pinned(url, &error, now).ok_or(DocumentError::Fetch(error));
            }
        };
        let metadata = client_metadata::read_document(url, &fetched.body).map_err(DocumentError::Invalid)?;
        let fresh = fetched.max_age.map_or(FRESH_DEFAULT, |age| TimeDelta::from_std(age).unwrap_or(FRESH_MAX));
        Ok(Document { metadata, copy: copy(now, fresh.clamp(FRESH_MIN, FRESH_MAX)) })
    }
}

/// Whether a failure says nothing about the document: its host was out of reach, or turned this server away.
pub fn is_no_verdict(error: &FetchError) -> bool {
    error.may_pass() || matches!(error, FetchError::Status(401 | 403))
}

/// The pinned copy for a host that is out of reach or turns servers away; not for one that says the document is gone.
fn pinned(url: &Url, error: &FetchError, now: Timestamp) -> Option<Document> {
    if !is_no_verdict(error) {
        return None;
    }
    let metadata = client_metadata::read_document(url, &presets::pinned(url.as_str())?).ok()?;
    metrics::client_document_pinned();
    tracing::warn!(
        client.id = url.as_str(),
        reason = %error,
        "the client's document could not be fetched; the pinned copy of it serves"
    );
    Some(Document { metadata, copy: copy(now, PINNED_FRESH) })
}

fn copy(now: Timestamp, fresh: TimeDelta) -> DocumentCopy {
    DocumentCopy { fetched_at: now, fresh_until: now + fresh }
}
