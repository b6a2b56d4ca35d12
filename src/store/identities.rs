//! Operations on identities: who is linked with an account at another server.
//!
//! Whom a provider knows by one id is one person for ever, so a pair of provider and subject leads to one account at
//! most. Each step is one transaction, which holds the account first.

use super::{Store, StoreResult, on_either_engine};
use crate::model::{
    Timestamp,
    account::{Account, Email},
    audit::Audit,
    id::{AccountId, IdentityId},
    provider::Identity,
};

/// An account to be made for somebody a provider has sent, and who has no password here.
#[derive(Clone, Debug)]
pub struct NewFederated {
    /// Row id of the account.
    pub account_id: AccountId,
    /// The address, which the provider has verified.
    pub email: Email,
    /// What the person is called.
    pub name: String,
    /// The tag of the language to answer in.
    pub language: Option<String>,
    /// Who they are there.
    pub identity: NewIdentity,
}

/// An identity to be linked.
#[derive(Clone, Debug)]
pub struct NewIdentity {
    /// Row id.
    pub id: IdentityId,
    /// Where.
    pub provider: String,
    /// The id there.
    pub subject: String,
    /// The address there.
    pub email: Email,
    /// When.
    pub at: Timestamp,
}

/// What became of making an account.
#[derive(Clone, Debug)]
pub enum Federated {
    /// It was made.
    Made(Box<Account>),
    /// Somebody has that address.
    EmailTaken,
    /// Somebody is linked with that identity already: it was made a moment ago, in another tab.
    Linked,
}

/// What became of linking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkIdentity {
    /// It is linked, perhaps since a moment ago.
    Linked,
    /// It is linked with another account.
    Taken,
    /// The account is gone or disabled, or its address is not the identity's any more.
    NotStanding,
}

/// What became of unlinking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlink {
    /// It is not linked any more.
    Unlinked,
    /// Without it nobody could sign in to the account.
    LastWay,
    /// The account has none of that id.
    NotThere,
}

impl Store {
    /// Finds whose account an identity leads to.
    pub async fn identity(&self, provider: &str, subject: &str) -> StoreResult<Option<(Identity, Account)>> {
        if super::is_no_text(provider) || super::is_no_text(subject) {
            return Ok(None);
        }
        on_either_engine!(self, engine => engine.identity(provider, subject))
    }

    /// Remembers that somebody signed in by an identity, and their address there.
    pub async fn use_identity(&self, id: IdentityId, email: Option<&Email>, at: Timestamp) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.use_identity(id, email, at))
    }

    /// Makes an account with an identity and without a password; its address is verified.
    pub async fn add_federated(&self, new: &NewFederated, audit: &Audit) -> StoreResult<Federated> {
        on_either_engine!(self, engine => engine.add_federated(new, audit))
    }

    /// Links an identity with an account that has its address at this moment.
    pub async fn link_identity(
        &self,
        account: AccountId,
        identity: &NewIdentity,
        audit: &Audit,
    ) -> StoreResult<LinkIdentity> {
        on_either_engine!(self, engine => engine.link_identity(account, identity, audit))
    }

    /// The identities of an account, the oldest first.
    pub async fn identities(&self, account: AccountId) -> StoreResult<Vec<Identity>> {
        on_either_engine!(self, engine => engine.identities(account))
    }

    /// Unlinks an identity from its account, unless it is the last way to sign in: an identity is one only while its
    /// provider is offered.
    pub async fn unlink_identity(
        &self,
        account: AccountId,
        id: IdentityId,
        offered: &[String],
        audit: &Audit,
    ) -> StoreResult<Unlink> {
        on_either_engine!(self, engine => engine.unlink_identity(account, id, offered, audit))
    }
}
