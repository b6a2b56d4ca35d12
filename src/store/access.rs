//! Operations on who may connect to a plugin. Whom its rules name is asked anew wherever something is made or goes on
//! (`family_statements.rs`), so a change here is one small write, however many people it concerns.

use super::{Store, StoreResult, changing, on_either_engine};
use crate::model::{
    access::{Access, Grants},
    audit::Audit,
    id::{AccountId, PluginId},
};

/// Who shall be let in from now on.
#[derive(Clone, Debug)]
pub struct AccessChange {
    /// To which plugin.
    pub plugin_id: PluginId,
    /// The version of it that whoever changes it has seen.
    pub version: i64,
    /// Who.
    pub access: Access,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetAccess {
    /// It holds; the plugin has this version now.
    Done(i64),
    /// The plugin is not at that version any more, or a group is gone.
    ChangedMeanwhile,
}

/// Whom a change would shut out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShutOut {
    /// How many people who are connected.
    pub people: usize,
    /// Whether that is all of them: so many connections were looked at, and no more.
    pub is_all: bool,
}

impl Store {
    /// Who may connect to a plugin, and its version.
    pub async fn access(&self, plugin: PluginId) -> StoreResult<Option<(i64, Access)>> {
        on_either_engine!(self, engine => engine.access(plugin))
    }

    /// Changes it.
    pub async fn set_access(&self, change: &AccessChange, audit: &Audit) -> StoreResult<SetAccess> {
        changing!(self, engine => engine.set_access(change, audit))
    }

    /// Whom it would shut out who is let in now. It is read, and nothing is written.
    pub async fn shut_out_by(&self, plugin: PluginId, access: &Access) -> StoreResult<ShutOut> {
        on_either_engine!(self, engine => engine.shut_out_by(plugin, access))
    }

    /// What a plugin lets an account grant; none where it does not let it in.
    pub async fn grants_of(&self, plugin: PluginId, account: AccountId) -> StoreResult<Option<Grants>> {
        on_either_engine!(self, engine => engine.grants_of(plugin, account))
    }
}
