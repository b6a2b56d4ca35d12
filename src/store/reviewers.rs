//! Operations on the accounts of reviewers: people of an assistant's vendor who look at one plugin. A plugin has at most
//! one such account, which ends by itself; all that stands on it ends with it, since it is asked for wherever an account
//! is (`family_statements`, `sessions`).

use super::{Store, StoreResult, changing, on_either_engine};
use crate::model::{
    Timestamp,
    account::Email,
    audit::Audit,
    id::{AccountId, PluginId},
};

/// An account to be made, or to get a new password.
#[derive(Clone, Debug)]
pub struct NewReviewer {
    /// Row id, if there is none yet.
    pub id: AccountId,
    /// Whose work it is for.
    pub plugin_id: PluginId,
    /// What it signs in with, if there is none yet: no mailbox of anybody's.
    pub email: Email,
    /// What it is called.
    pub name: String,
    /// PHC string of the password.
    pub password_hash: String,
    /// The end.
    pub ends_at: Timestamp,
}

/// A plugin's account for reviewers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewer {
    /// Which account.
    pub account_id: AccountId,
    /// What it signs in with.
    pub email: Email,
    /// Since when.
    pub created_at: Timestamp,
    /// The end, which may be over.
    pub ends_at: Timestamp,
}

/// What became of an account that was to be made, or to get a new password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutReviewer {
    /// It is there.
    Done(Reviewer),
    /// An administrator has disabled it, and nothing is changed.
    IsDisabled,
}

impl Store {
    /// The plugin's account for reviewers, if it has had one.
    pub async fn reviewer_of(&self, plugin: PluginId) -> StoreResult<Option<Reviewer>> {
        on_either_engine!(self, engine => engine.reviewer_of(plugin))
    }

    /// Makes the account, or gives it a new password and ends all that was begun with the one before.
    pub async fn put_reviewer(&self, reviewer: &NewReviewer, audit: &Audit) -> StoreResult<PutReviewer> {
        changing!(self, engine => engine.put_reviewer(reviewer, audit))
    }

    /// Lets an account that has not ended last until another time; `false` when there is none.
    pub async fn prolong_reviewer(&self, plugin: PluginId, ends_at: Timestamp, audit: &Audit) -> StoreResult<bool> {
        changing!(self, engine => engine.prolong_reviewer(plugin, ends_at, audit))
    }

    /// Ends the account now, with everything that stands on it; `false` when there is none that has not ended.
    pub async fn end_reviewer(&self, plugin: PluginId, audit: &Audit) -> StoreResult<bool> {
        changing!(self, engine => engine.end_reviewer(plugin, audit))
    }
}
