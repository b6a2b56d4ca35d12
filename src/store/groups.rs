//! Operations on groups: people of this server under one name, kept by the operator and administrators. Plugins' rules
//! name them (`access`).

use super::{Store, StoreResult, changing, on_either_engine};
use crate::model::{
    Timestamp,
    access::{Group, GroupName},
    account::Email,
    audit::Audit,
    id::{AccountId, GroupId},
};

/// A group in the list of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupOf {
    /// Which.
    pub group: Group,
    /// How many are in it.
    pub members: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Who is in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The account.
    pub account_id: AccountId,
    /// Its address.
    pub email: Email,
    /// Since when.
    pub added_at: Timestamp,
}

impl Store {
    /// All groups by their names; at most a thousand.
    pub async fn groups(&self) -> StoreResult<Vec<GroupOf>> {
        on_either_engine!(self, engine => engine.groups())
    }

    /// Finds a group by its name.
    pub async fn group(&self, name: &GroupName) -> StoreResult<Option<Group>> {
        on_either_engine!(self, engine => engine.group(name))
    }

    /// Finds the groups that have these names, of which there are not many.
    pub async fn groups_named(&self, names: &[GroupName]) -> StoreResult<Vec<Group>> {
        on_either_engine!(self, engine => engine.groups_named(names))
    }

    /// Makes a group; `false` when there is one of that name.
    pub async fn create_group(&self, group: &Group, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.create_group(group, audit))
    }

    /// Deletes a group, and the rules that name it: they let nobody in any more.
    pub async fn delete_group(&self, group: GroupId, audit: &Audit) -> StoreResult<bool> {
        changing!(self, engine => engine.delete_group(group, audit))
    }

    /// Who is in a group, in the order in which they came; at most a thousand.
    pub async fn members_of(&self, group: GroupId) -> StoreResult<Vec<Member>> {
        on_either_engine!(self, engine => engine.members_of(group))
    }

    /// Puts an account into a group; `false` when it is in it, or one of the two is gone.
    pub async fn add_member(&self, group: GroupId, account: AccountId, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.add_member(group, account, audit))
    }

    /// Takes an account out of a group; `false` when it is not in it.
    pub async fn remove_member(&self, group: GroupId, account: AccountId, audit: &Audit) -> StoreResult<bool> {
        changing!(self, engine => engine.remove_member(group, account, audit))
    }
}
