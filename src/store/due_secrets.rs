//! Operations on API keys that are, or soon will be, due for a new version: whose owners are to be told, and how many
//! there are.
//!
//! When somebody is told is `model::plugin_secret::notice`'s to say, and `jobs::due_secrets` asks.

use chrono::TimeDelta;

use super::{Store, StoreResult, mails::NewMail, on_either_engine};
use crate::model::{
    Timestamp,
    audit::Audit,
    id::{PluginId, SecretId},
    plugin_secret::SecretName,
};

/// One that has a time by which it is to have a new version.
#[derive(Clone, Debug)]
pub struct DueSecret {
    /// Row id.
    pub id: SecretId,
    /// Whose.
    pub plugin_id: PluginId,
    /// What they call it.
    pub name: SecretName,
    /// When it is due.
    pub due_at: Timestamp,
    /// How often it is.
    pub rotate_every: TimeDelta,
    /// Whether the server makes its versions.
    pub is_rotated: bool,
    /// When its owners were last told.
    pub told_at: Option<Timestamp>,
}

/// Its owners are told.
#[derive(Clone, Debug)]
pub struct DueTelling {
    /// Of which.
    pub secret: DueSecret,
    /// Whether it is late already: then the log is told too.
    pub is_overdue: bool,
    /// What goes to the owners.
    pub mails: Vec<NewMail>,
}

impl Store {
    /// Those that are due by then, the earliest first, and whose owners do not know it.
    pub async fn due_secrets(&self, (now, by): (Timestamp, Timestamp), rows_max: u32) -> StoreResult<Vec<DueSecret>> {
        on_either_engine!(self, engine => engine.due_secrets((now, by), rows_max))
    }

    /// How many are late.
    pub async fn overdue_secrets(&self, now: Timestamp) -> StoreResult<u64> {
        on_either_engine!(self, engine => engine.overdue_secrets(now))
    }

    /// Tells the owners of one. `false` where another node was faster, or it is not due any more.
    pub async fn tell_of_due_secret(&self, telling: &DueTelling, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.tell_of_due_secret(telling, audit))
    }
}
