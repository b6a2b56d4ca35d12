//! Authorization codes (RFC 6749 §4.1.2): nothing is stored of them, the sealed text carries everything.

use serde::{Deserialize, Serialize};

use super::{
    family::Birth,
    id::{AccountId, ClientId, ConsentId, FamilyId, ResourceId},
};

/// What a code stands for. Field order is the order of its bytes; a change needs a new version in `tokens::code`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationCode {
    /// Becomes the id of the family it is redeemed into.
    pub id: FamilyId,
    /// For whom.
    pub account_id: AccountId,
    /// For which client.
    pub client_id: ClientId,
    /// Under which consent.
    pub consent_id: ConsentId,
    /// For which resource.
    pub resource_id: ResourceId,
    /// The generations it was issued under.
    pub birth: Birth,
    /// The first half of the SHA-256 of the redirect URI it was sent to.
    pub redirect_uri: [u8; 16],
    /// Positions in the catalogue of scopes of the resource.
    pub scopes: u128,
    /// The PKCE challenge, if one came (RFC 7636 §4.3, S256).
    pub code_challenge: Option<[u8; 32]>,
    /// When the person signed in, in milliseconds since 1970.
    pub auth_time: i64,
    /// From when on it is worth nothing, in milliseconds since 1970.
    pub expires_at: i64,
}
