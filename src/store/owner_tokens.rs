//! Operations on the tokens with which owners' programs use the owners' API.
//!
//! A token stands until its end, while its account is enabled and of the generations it was made under: what ends all
//! sessions of an account, a new password too, ends its tokens.

use super::{Store, StoreResult, on_either_engine};
use crate::model::{
    Generation, Timestamp,
    audit::Audit,
    digest::Digest,
    id::{AccountId, OwnerTokenId},
    owner_token::{OwnerToken, StandingToken},
};

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewOwnerToken {
    /// The token.
    pub token: OwnerToken,
    /// Whose.
    pub account_id: AccountId,
    /// Of which generations the account was when they were let make it: with others it is not made, so that it does not
    /// survive what was to end it.
    pub generations: (Generation, Generation),
    /// SHA-256 of its text.
    pub digest: Digest,
    /// At most so many that stand.
    pub standing_max: u32,
}

/// What became of making one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MakeOwnerToken {
    /// It was made.
    Made,
    /// There are as many as there may be.
    TooMany,
    /// The account is gone or disabled, or what ends its tokens has happened since.
    NotStanding,
}

/// When a token was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnerTokenUse {
    /// Which.
    pub id: OwnerTokenId,
    /// When.
    pub at: Timestamp,
    /// Written down unless a use after this has been already.
    pub unless_after: Timestamp,
}

impl Store {
    /// Makes a token.
    pub async fn make_owner_token(&self, token: &NewOwnerToken, audit: &Audit) -> StoreResult<MakeOwnerToken> {
        on_either_engine!(self, engine => engine.make_owner_token(token, audit))
    }

    /// Finds a token that stands, with its owner.
    pub async fn owner_token(&self, digest: Digest, now: Timestamp) -> StoreResult<Option<StandingToken>> {
        on_either_engine!(self, engine => engine.owner_token(digest, now))
    }

    /// An account's tokens that stand, the newest first.
    pub async fn owner_tokens(&self, account: AccountId, now: Timestamp) -> StoreResult<Vec<OwnerToken>> {
        on_either_engine!(self, engine => engine.owner_tokens(account, now))
    }

    /// Ends one of an account's tokens; `false` when it has none of this id.
    pub async fn end_owner_token(&self, account: AccountId, id: OwnerTokenId, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.end_owner_token(account, id, audit))
    }

    /// Notes when tokens were last shown.
    pub async fn note_owner_token_uses(&self, uses: &[OwnerTokenUse]) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.note_owner_token_uses(uses))
    }
}
