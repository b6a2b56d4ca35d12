//! Writing audit events, in the transaction of the change they tell of. Compiled once for each engine.

use serde_json::Value;
use sqlx::types::Json;

use super::{Connection, Engine};
use crate::{
    model::audit::{Audit, AuditAction, Subjects},
    store::{
        StoreResult,
        audit::{self, Telling},
    },
};

impl Engine {
    pub(in crate::store) async fn tell(&self, telling: Telling, event: &Audit) -> StoreResult<()> {
        let mut step = self.begin().await?;
        write(&mut step, event, telling.action, telling.subjects, telling.detail).await?;
        Ok(step.commit().await?)
    }
}

/// Writes one event.
pub(super) async fn write(
    connection: &mut Connection,
    event: &Audit,
    action: AuditAction,
    subjects: Subjects,
    detail: Value,
) -> StoreResult<()> {
    let (actor, actor_id) = audit::actor(&event.actor);
    let token = event.actor.token();
    sqlx::query(audit::INSERT)
        .bind(event.id.0)
        .bind(event.at)
        .bind(action.as_str())
        .bind(actor)
        .bind(actor_id)
        .bind(&event.origin.address)
        .bind(subjects.account_id.map(|id| id.0))
        .bind(subjects.client_id.map(|id| id.0))
        .bind(subjects.plugin_id.map(|id| id.0))
        .bind(Json(detail))
        .bind(token.map(|token| token.id.0))
        .bind(token.map(|token| &token.name))
        .bind(&event.origin.request)
        .execute(connection)
        .await?;
    Ok(())
}
