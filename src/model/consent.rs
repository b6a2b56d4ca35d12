//! Consents: what one account allows one client at one resource. Revoking leaves the row as a tombstone.

use super::{
    Generation, Timestamp,
    id::{AccountId, ClientId, ConsentId},
    scope::Scopes,
};

/// What one account allows one client at one resource.
#[derive(Clone, Debug)]
pub struct Consent {
    /// Row id.
    pub id: ConsentId,
    /// Who allows.
    pub account_id: AccountId,
    /// Whom.
    pub client_id: ClientId,
    /// Where (RFC 8707 resource identifier).
    pub resource: String,
    /// What; empty after revocation.
    pub scopes: Scopes,
    /// Raised by revocation; consenting again does not lower it, so nothing old revives.
    pub generation: Generation,
    /// When it was last given or widened.
    pub granted_at: Timestamp,
    /// Set while it is taken back.
    pub revoked_at: Option<Timestamp>,
}
