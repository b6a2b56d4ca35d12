//! Token revocation (RFC 7009): what a client may end, and what ending it means.

use super::error::{ErrorCode, OAuthError};
use crate::model::{
    Generation,
    client::Client,
    family::Family,
    id::{ClientId, FamilyId},
    refresh_token::RefreshToken,
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
#[derive(Clone, Debug)]
pub enum Presented {
    /// A refresh token.
    Refresh(RefreshToken),
    /// An access token of a family, minted under this access generation.
    Access(FamilyId, Generation),
    /// An access token that stands with its client alone. It ends by itself, or with the client.
    Standalone,
}

impl Presented {
    /// The family it belongs to.
    pub fn family_id(&self) -> Option<FamilyId> {
        match self {
            Self::Refresh(token) => Some(token.family_id),
            Self::Access(family_id, _) => Some(*family_id),
            Self::Standalone => None,
        }
    }
}

/// Decides what revoking means; a token of another client is refused, and stays.
pub fn decide(client: &Client, presented: &Presented, family: Option<&Family>) -> Result<Revocation, OAuthError> {
    if matches!(presented, Presented::Standalone) {
        let description = "a client's own access token cannot be revoked by itself; it lives for minutes";
        return Err(OAuthError::new(ErrorCode::UnsupportedTokenType, description));
    }
    let Some(family) = family else { return Ok(Revocation::Nothing) };
    own(client.id, family)?;
    Ok(match presented {
        Presented::Refresh(token) if family.has(token) => Revocation::EndFamily(family.id),
        Presented::Access(_, generation) => Revocation::RevokeAccess(family.id, *generation),
        // Authentic, and yet not of this line: somebody has our key and not the family's secret.
        Presented::Refresh(_) | Presented::Standalone => Revocation::Nothing,
    })
}

fn own(client: ClientId, family: &Family) -> Result<(), OAuthError> {
    if family.client_id == client {
        Ok(())
    } else {
        Err(OAuthError::new(ErrorCode::InvalidGrant, "the token was issued to another client"))
    }
}
