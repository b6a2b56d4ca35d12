//! Reading the audit log, newest first, page by page. Writing it is part of each step: `store/either/audit.rs`.

use serde_json::Value;

use super::{Store, StoreResult, on_either_engine, owners::Page};
use crate::model::{
    Timestamp,
    audit::UsedToken,
    id::{AccountId, AuditEventId, ClientId, PluginId},
};

/// Which lines.
#[derive(Clone, Debug)]
pub struct LogQuery {
    /// Those of one plugin, or all.
    pub of: Of,
    /// Which page of them.
    pub page: Page<AuditEventId>,
}

/// Whose lines. Each of these has an index in the order of the page, so that none costs more in a longer log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// The whole server's.
    Server,
    /// A plugin's.
    Plugin(PluginId),
    /// A plugin's that have this word.
    Action(PluginId, String),
    /// A plugin's that are about this client.
    Client(PluginId, ClientId),
}

/// A line of the log, with the names of what it speaks of as far as they are still there.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// Row id.
    pub id: AuditEventId,
    /// When.
    pub at: Timestamp,
    /// The log's word for what happened.
    pub action: String,
    /// The word for who did it: `account`, `client`, `operator` or `server`.
    pub actor: String,
    /// The account that did it.
    pub actor_account: Option<AccountId>,
    /// Its name.
    pub actor_name: Option<String>,
    /// The token by which a program of theirs did it.
    pub token: Option<UsedToken>,
    /// From which network address.
    pub address: Option<String>,
    /// Under which request.
    pub request_id: Option<String>,
    /// The account it is about.
    pub account_id: Option<AccountId>,
    /// Its name.
    pub account_name: Option<String>,
    /// Its address.
    pub account_email: Option<String>,
    /// What the wire calls the client it is about.
    pub client_id: Option<String>,
    /// What that is called.
    pub client_name: Option<String>,
    /// The short name of the plugin it is about.
    pub plugin_slug: Option<String>,
    /// What more is known.
    pub detail: Value,
}

impl Store {
    /// A page of the audit log.
    pub async fn audit_log(&self, query: &LogQuery) -> StoreResult<Vec<LogLine>> {
        on_either_engine!(self, engine => engine.audit_log(query))
    }
}
