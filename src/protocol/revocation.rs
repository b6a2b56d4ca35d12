//! Token revocation (RFC 7009): what a client may end, and what ending it means.

use super::error::{ErrorCode, OAuthError};
use crate::model::{
    Generation,
    client::Client,
    family::Family,
    id::{ClientId, FamilyId},
};

/// What is to be done about a presented token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// End the whole family: its refresh token was presented (RFC 7009 §2.1).
    EndFamily(FamilyId),
    /// Let the access tokens of this generation die; the refresh token lives.
    RevokeAccess(FamilyId, Generation),
    /// Nothing: it is not, or no longer, a token. The answer is the same as after success (RFC 7009 §2.2).
    Nothing,
}

/// A token's own facts, once its authenticity is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// A refresh token.
    Refresh,
    /// An access token minted under this access generation.
    Access(Generation),
}

/// Decides what revoking means; a token of another client is refused, and stays.
pub fn decide(client: &Client, presented: Presented, family: Option<&Family>) -> Result<Revocation, OAuthError> {
    let Some(family) = family else { return Ok(Revocation::Nothing) };
    own(client.id, family)?;
    Ok(match presented {
        Presented::Refresh => Revocation::EndFamily(family.id),
        Presented::Access(generation) => Revocation::RevokeAccess(family.id, generation),
    })
}

fn own(client: ClientId, family: &Family) -> Result<(), OAuthError> {
    if family.client_id == client {
        Ok(())
    } else {
        Err(OAuthError::new(ErrorCode::InvalidGrant, "the token was issued to another client"))
    }
}
