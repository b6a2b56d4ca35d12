//! Plugins' secrets on their way into requests. Compiled once for each engine.

use serde_json::json;

use super::{
    Engine, audit,
    plugin_secret_rows::{injection, routes},
    plugin_secrets::hold,
    reading,
};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction},
        id::{PluginId, SecretId},
    },
    store::{
        StoreError, StoreResult,
        secret_uses::{InjectableSecret, SecretVersionUse},
    },
};

const INJECTABLE: &str = "
    select s.id, s.name, s.header, s.prefix, s.routes, v.number, v.last_used_at, v.sealed
      from plugin_secrets s
      join plugin_secret_versions v on v.secret_id = s.id
     where s.plugin_id = $1
       and s.removed_at is null
       and v.number = (select max(newest.number) from plugin_secret_versions newest where newest.secret_id = s.id)
     order by s.name";

const USED_FIRST: &str = "
    update plugin_secret_versions set last_used_at = $3 where secret_id = $1 and number = $2 and last_used_at is null";

const USED: &str = "
    update plugin_secret_versions set last_used_at = $3
     where secret_id = $1 and number = $2 and last_used_at <= $4";

#[derive(sqlx::FromRow)]
struct InjectableRow {
    id: uuid::Uuid,
    name: String,
    header: String,
    prefix: String,
    routes: String,
    number: i64,
    last_used_at: Option<Timestamp>,
    sealed: Vec<u8>,
}

impl TryFrom<InjectableRow> for InjectableSecret {
    type Error = StoreError;

    fn try_from(row: InjectableRow) -> StoreResult<Self> {
        Ok(Self {
            id: SecretId(row.id),
            name: row.name.parse().map_err(StoreError::broken)?,
            injection: injection(&row.header, &row.prefix)?,
            routes: routes(&row.routes)?,
            number: row.number,
            last_used_at: row.last_used_at,
            sealed: row.sealed,
        })
    }
}

impl Engine {
    pub(in crate::store) async fn injectable_secrets(&self, plugin: PluginId) -> StoreResult<Vec<InjectableSecret>> {
        let rows: Vec<InjectableRow> =
            reading!(self, connection => sqlx::query_as(INJECTABLE).bind(plugin.0).fetch_all(&mut *connection))?;
        rows.into_iter().map(InjectableSecret::try_from).collect()
    }

    pub(in crate::store) async fn note_secret_version_uses(
        &self,
        uses: &[SecretVersionUse],
        event: &(dyn Fn() -> Audit + Send + Sync),
    ) -> StoreResult<()> {
        let mut step = self.begin().await?;
        for used in uses {
            let SecretVersionUse { secret_id, number, at, .. } = *used;
            let Some(held) = hold(&mut step, secret_id).await? else { continue };
            let first = sqlx::query(USED_FIRST).bind(secret_id.0).bind(number).bind(at).execute(&mut *step).await?;
            if first.rows_affected() == 0 {
                sqlx::query(USED)
                    .bind(secret_id.0)
                    .bind(number)
                    .bind(at)
                    .bind(used.unless_after)
                    .execute(&mut *step)
                    .await?;
                continue;
            }
            let detail = json!({ "name": held.name, "version": number });
            audit::write(&mut step, &event(), AuditAction::SecretUsed, held.subjects(), detail).await?;
        }
        Ok(step.commit().await?)
    }
}
