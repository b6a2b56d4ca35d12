//! Writing the audit log: the statement, the same on both engines, and what is told by itself.

use serde_json::Value;
use uuid::Uuid;

use super::{Store, StoreResult, on_either_engine};
use crate::model::audit::{Actor, Audit, AuditAction, Subjects};

/// What is told that no change of rows goes with.
#[derive(Clone, Debug)]
pub struct Telling {
    /// What happened.
    pub action: AuditAction,
    /// What it is about.
    pub subjects: Subjects,
    /// What more is known.
    pub detail: Value,
}

impl Store {
    /// Writes an event by itself. What changes rows tells of it in its own step.
    pub async fn tell(&self, telling: Telling, audit: &Audit) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.tell(telling, audit))
    }
}

/// Adds one event; a step that ran twice tells it once.
pub(super) const INSERT: &str = "
    insert into audit_events
           (id, at, action, actor, actor_id, address, account_id, client_id, plugin_id, detail, token_id, token_name,
            request_id)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    on conflict (id) do nothing";

/// Who, as two columns; a program is the account that it acts for.
pub(super) fn actor(actor: &Actor) -> (&'static str, Option<Uuid>) {
    match actor {
        Actor::Account(id) => ("account", Some(id.0)),
        Actor::Program(program) => ("account", Some(program.account_id.0)),
        Actor::Client(id) => ("client", Some(id.0)),
        Actor::Operator => ("operator", None),
        Actor::Server => ("server", None),
    }
}
