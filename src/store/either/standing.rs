//! Token families: the operations that are the same on both engines. Compiled once for each engine.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Engine, audit, reading};
use crate::{
    model::{
        Generation, Timestamp,
        audit::{Audit, AuditAction, Subjects},
        family::{EndReason, Family},
        id::{AccountId, ClientId, FamilyId, PluginId},
    },
    store::{
        StoreResult,
        families::FamilyEnd,
        family_rows::FamilyRow,
        family_statements::{END, LIVING, REVOKE_ACCESS, STANDING},
    },
};

/// Its account and its client, and whose API it is for.
type Parents = (Uuid, Uuid, Option<Uuid>);

impl Engine {
    pub(in crate::store) async fn standing_family(&self, id: FamilyId, now: Timestamp) -> StoreResult<Option<Family>> {
        let row: Option<FamilyRow> = reading!(self, connection => sqlx::query_as(STANDING).bind(id.0).bind(now).fetch_optional(&mut *connection))?;
        row.map_or(Ok(None), FamilyRow::standing)
    }

    pub(in crate::store) async fn living_family(&self, id: FamilyId, now: Timestamp) -> StoreResult<Option<Family>> {
        let row: Option<FamilyRow> =
            reading!(self, connection => sqlx::query_as(LIVING).bind(id.0).bind(now).fetch_optional(&mut *connection))?;
        row.map(FamilyRow::living).transpose()
    }

    pub(in crate::store) async fn is_shut_out(&self, id: FamilyId, now: Timestamp) -> StoreResult<bool> {
        let row: Option<FamilyRow> =
            reading!(self, connection => sqlx::query_as(LIVING).bind(id.0).bind(now).fetch_optional(&mut *connection))?;
        row.map_or(Ok(false), |row| row.is_left_nothing())
    }

    pub(in crate::store) async fn end_family(&self, end: &FamilyEnd, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let row: Option<Parents> = sqlx::query_as(END)
            .bind(end.id.0)
            .bind(event.at)
            .bind(end.reason.as_str())
            .fetch_optional(&mut *step)
            .await?;
        let Some(parents) = row else { return Ok(false) };
        audit::write(&mut step, event, AuditAction::FamilyEnded, subjects(parents), ended(end.id, end.reason)).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn revoke_access(
        &self,
        id: FamilyId,
        generation: Generation,
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let row: Option<Parents> =
            sqlx::query_as(REVOKE_ACCESS).bind(id.0).bind(generation).fetch_optional(&mut *step).await?;
        let Some(parents) = row else { return Ok(false) };
        let detail = json!({ "family": id });
        audit::write(&mut step, event, AuditAction::AccessRevoked, subjects(parents), detail).await?;
        step.commit().await?;
        Ok(true)
    }
}

/// What the audit log is told about an end.
pub(super) fn ended(id: FamilyId, reason: EndReason) -> Value {
    json!({ "family": id, "reason": reason.as_str() })
}

fn subjects((account, client, plugin): Parents) -> Subjects {
    Subjects {
        account_id: Some(AccountId(account)),
        client_id: Some(ClientId(client)),
        plugin_id: plugin.map(PluginId),
    }
}
