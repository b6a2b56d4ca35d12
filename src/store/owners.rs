//! Operations on who owns a plugin, and what they find when they look.
//!
//! Lists come in pages, newest first: each page is one statement by a key, whatever the number of rows beyond it.

use super::{Store, StoreResult, on_either_engine};
use crate::model::{
    Timestamp,
    account::Email,
    audit::Audit,
    client::Client,
    id::{AccountId, ClientId, PluginId},
    plugin::{Plugin, Viewer},
};

/// Which page of a list, newest first.
#[derive(Clone, Copy, Debug)]
pub struct Page<K> {
    /// What is older than this; none for the first page.
    pub before: Option<K>,
    /// At most so many.
    pub rows_max: u32,
}

/// One who owns a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The account.
    pub account_id: AccountId,
    /// Its address.
    pub email: Email,
    /// Its name.
    pub name: String,
    /// Since when.
    pub added_at: Timestamp,
}

/// What became of removing an owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemoveOwner {
    /// They are none any more.
    Removed,
    /// They were none.
    WasNone,
    /// There would be none left.
    IsTheLast,
}

impl Store {
    /// A page of the plugins somebody may see.
    pub async fn plugins_seen_by(&self, viewer: Viewer, page: Page<PluginId>) -> StoreResult<Vec<Plugin>> {
        on_either_engine!(self, engine => engine.plugins_seen_by(viewer, page))
    }

    /// How many plugins somebody owns, counted up to a number.
    pub async fn count_plugins_of(&self, account: AccountId, most: u32) -> StoreResult<u32> {
        on_either_engine!(self, engine => engine.count_plugins_of(account, most))
    }

    /// A plugin by its short name, if somebody may see it: another's is as if it were not there.
    pub async fn plugin_seen_by(&self, viewer: Viewer, slug: &str) -> StoreResult<Option<Plugin>> {
        on_either_engine!(self, engine => engine.plugin_seen_by(viewer, slug))
    }

    /// A page of a plugin's clients that stay, with the secrets valid at `now`.
    pub async fn clients_of(&self, plugin: PluginId, now: Timestamp, page: Page<ClientId>) -> StoreResult<Vec<Client>> {
        on_either_engine!(self, engine => engine.clients_of(plugin, now, page))
    }

    /// Who owns a plugin, in the order in which they came.
    pub async fn owners(&self, plugin: PluginId) -> StoreResult<Vec<Owner>> {
        on_either_engine!(self, engine => engine.owners(plugin))
    }

    /// Makes an account an owner; whether it was none before. The account must be there.
    pub async fn add_owner(&self, plugin: PluginId, account: AccountId, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.add_owner(plugin, account, audit))
    }

    /// Takes an owner away, but not the last one.
    pub async fn remove_owner(&self, plugin: PluginId, account: AccountId, audit: &Audit) -> StoreResult<RemoveOwner> {
        on_either_engine!(self, engine => engine.remove_owner(plugin, account, audit))
    }
}
