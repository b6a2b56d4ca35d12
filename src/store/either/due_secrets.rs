//! API keys that are due. Compiled once for each engine.

use chrono::TimeDelta;
use serde_json::json;

use super::{Engine, audit, mails::enqueue, plugin_secret_rows::unless_broken, reading};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction, Subjects},
        id::{PluginId, SecretId},
    },
    store::{
        StoreError, StoreResult,
        due_secrets::{DueSecret, DueTelling},
    },
};

const DUE: &str = "
    select id, plugin_id, name, due_at, rotate_every_seconds, rotator is not null as is_rotated, told_at
      from plugin_secrets
     where due_at <= $1
       and removed_at is null
       and rotate_every_seconds is not null
       and (told_at is null or (told_at < due_at and due_at <= $2))
     order by due_at
     limit $3";

const OVERDUE: &str = "select count(*) from plugin_secrets where due_at <= $1 and removed_at is null";

/// Whoever is first says so; a new version, or another time, is another matter.
const TOLD: &str = "
    update plugin_secrets
       set told_at = $2
     where id = $1 and due_at = $3 and removed_at is null and (told_at is null or told_at < $4)";

#[derive(sqlx::FromRow)]
struct DueRow {
    id: uuid::Uuid,
    plugin_id: uuid::Uuid,
    name: String,
    due_at: Timestamp,
    rotate_every_seconds: i64,
    is_rotated: bool,
    told_at: Option<Timestamp>,
}

impl TryFrom<DueRow> for DueSecret {
    type Error = StoreError;

    fn try_from(row: DueRow) -> StoreResult<Self> {
        Ok(Self {
            id: SecretId(row.id),
            plugin_id: PluginId(row.plugin_id),
            name: row.name.parse().map_err(StoreError::broken)?,
            due_at: row.due_at,
            rotate_every: TimeDelta::seconds(row.rotate_every_seconds),
            is_rotated: row.is_rotated,
            told_at: row.told_at,
        })
    }
}

impl Engine {
    pub(in crate::store) async fn due_secrets(
        &self,
        (now, by): (Timestamp, Timestamp),
        rows_max: u32,
    ) -> StoreResult<Vec<DueSecret>> {
        let rows: Vec<DueRow> = reading!(self, connection => sqlx::query_as(DUE)
            .bind(by)
            .bind(now)
            .bind(i64::from(rows_max))
            .fetch_all(&mut *connection))?;
        let mut due = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.id;
            due.extend(unless_broken(DueSecret::try_from(row), ("plugin_secrets", id))?);
        }
        Ok(due)
    }

    pub(in crate::store) async fn overdue_secrets(&self, now: Timestamp) -> StoreResult<u64> {
        let count: i64 =
            reading!(self, connection => sqlx::query_scalar(OVERDUE).bind(now).fetch_one(&mut *connection))?;
        u64::try_from(count).map_err(StoreError::broken)
    }

    pub(in crate::store) async fn tell_of_due_secret(&self, telling: &DueTelling, event: &Audit) -> StoreResult<bool> {
        let secret = &telling.secret;
        // Told of what is late, its owners were told before at most of what was not yet.
        let before = telling.is_overdue.then_some(secret.due_at);
        let mut step = self.begin().await?;
        let told = sqlx::query(TOLD)
            .bind(secret.id.0)
            .bind(event.at)
            .bind(secret.due_at)
            .bind(before)
            .execute(&mut *step)
            .await?;
        if told.rows_affected() == 0 {
            return Ok(false);
        }
        for mail in &telling.mails {
            enqueue(&mut step, mail).await?;
        }
        if telling.is_overdue {
            let detail = json!({ "name": secret.name.as_str(), "due_at": secret.due_at, "mails": telling.mails.len() });
            audit::write(&mut step, event, AuditAction::SecretOverdue, Subjects::of_plugin(secret.plugin_id), detail)
                .await?;
        }
        step.commit().await?;
        Ok(true)
    }
}
