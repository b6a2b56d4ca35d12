//! Operations on consents.

use super::{Store, StoreResult, changing, clients::ClientDocument, on_either_engine};
use crate::model::{
    audit::Audit,
    consent::Consent,
    id::{AccountId, ClientId, ConsentId},
    scope::Scopes,
};

/// Which consent: at most one row per account, client and resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentKey {
    /// Who allows.
    pub account_id: AccountId,
    /// Whom.
    pub client_id: ClientId,
    /// Where.
    pub resource: String,
}

/// A consent to be given, or widened.
#[derive(Clone, Debug)]
pub struct ConsentGrant {
    /// The row's id, if there is none yet.
    pub id: ConsentId,
    /// Which.
    pub key: ConsentKey,
    /// What is allowed now. It is added to what was; after a revocation it is all there is.
    pub scopes: Scopes,
    /// What was asked for and left out: taken back if it was allowed before.
    pub left_out: Scopes,
    /// The client's document, when it was read anew: kept in the same step. The key's client is then the one to be made
    /// if there is none; the answer says which it is.
    pub document: Option<ClientDocument>,
}

impl Store {
    /// Finds a consent, revoked or not.
    pub async fn consent(&self, key: &ConsentKey) -> StoreResult<Option<Consent>> {
        on_either_engine!(self, engine => engine.consent(key))
    }

    /// Gives, widens or narrows a consent (`granted_at` becomes the audit's time) and answers it as it is now. Two tabs
    /// that grant different scopes at once both get theirs. A grant that changes nothing writes nothing.
    pub async fn grant_consent(&self, grant: &ConsentGrant, audit: &Audit) -> StoreResult<Consent> {
        changing!(self, engine => engine.grant_consent(grant, audit))
    }

    /// Takes a consent back: empties it, raises its generation and keeps the row. `false` when there is none, or it
    /// was revoked already.
    pub async fn revoke_consent(&self, key: &ConsentKey, audit: &Audit) -> StoreResult<bool> {
        changing!(self, engine => engine.revoke_consent(key, audit))
    }
}
