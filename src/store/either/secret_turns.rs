//! What the server does about plugins' secrets by itself. Compiled once for each engine.
//!
//! Whoever changes a secret or its versions holds the secret's row first. `secret_revocations` has what is to be ended where it
//! was issued.

use serde_json::json;
use uuid::Uuid;

use super::{
    Connection, Engine, audit, holding, is_one_of,
    plugin_secret_rows::{WIPED, source, unless_broken},
    plugin_secrets::DELETE,
    reading, taking,
};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction, Subjects},
        id::{PluginId, SecretId},
    },
    store::{
        StoreError, StoreResult,
        secret_turns::{SecretFailure, SecretTaking, TakenSecret},
    },
};

const TO_END: &str = "
    select secret_id, number
      from plugin_secret_versions
     where ends_at <= $1 and ended_at is null
     order by ends_at
     limit $2";

/// Also one that was removed: what is left of it is to be ended where it was issued.
const HOLD: &str = concat!("select plugin_id, name from plugin_secrets where id = $1 ", holding!());

const END: &str = "
    update plugin_secret_versions
       set sealed = $4, ended_at = $3, revoke_at = case when issuer_id is null then null else $3 end
     where secret_id = $1 and number = $2 and ends_at <= $3 and ended_at is null";

/// Also what is asked for while a node is at it waits until that node is done: it might end what another has just made.
macro_rules! is_due {
    () => {
        "try_at <= $1 and (taken_until is null or taken_until <= $1) "
    };
}

/// A rotator by its name, a vault by how references to it begin.
macro_rules! asked {
    () => {
        "case when rotator is not null then 'rotator ' || rotator else coalesce(substr(follows, 1, 5), '') end "
    };
}

const ASKED: &str = concat!("select distinct ", asked!(), "from plugin_secrets where ", is_due!());

/// The condition stands twice: what somebody else took after it was found must be left to them.
const TAKE: &str = concat!(
    "update plugin_secrets
        set taken_until = $2, turn = turn + 1
      where id ",
    is_one_of!(
        "select id from plugin_secrets where ",
        is_due!(),
        "and ",
        asked!(),
        "= $4 order by try_at limit $3 ",
        taking!()
    ),
    " and ",
    is_due!(),
    "returning id"
);

const TAKEN: &str = "
    select s.id, s.plugin_id, s.name, s.rotator, s.follows, s.follows_sealed, s.grace_seconds, s.rotate_every_seconds, s.turn,
           s.failures, s.failing_since, s.removed_at is not null as is_removed, v.number, v.sealed,
           (select coalesce(max(i.number), 0) from plugin_secret_versions i
             where i.secret_id = s.id and i.issuer_id is not null) as issued_number
      from plugin_secrets s
      join plugin_secret_versions v on v.secret_id = s.id
     where s.id = $1
     order by v.number desc
     limit 1";

const LOOKED: &str = "
    update plugin_secrets
       set try_at = $3, taken_until = null, failures = 0, failing_since = null, says = null
     where id = $1 and turn = $2";

const PUT_OFF: &str = "update plugin_secrets set try_at = $3, taken_until = null where id = $1 and turn = $2";

const ABANDONED: &str = "
    update plugin_secrets set try_at = null where id = $1 and turn = $2 and removed_at is not null";

const FAILED: &str = "
    update plugin_secrets
       set try_at = $3, taken_until = null, failures = failures + 1, failing_since = coalesce(failing_since, $4), says = $5
     where id = $1 and turn = $2
 returning plugin_id, name";

const ASK: &str = "
    update plugin_secrets
       set try_at = $2
     where id = $1 and removed_at is null and (rotator is not null or follows is not null)
 returning plugin_id, name";

/// A secret that is told of.
#[derive(sqlx::FromRow)]
pub(super) struct Named {
    pub(super) plugin_id: Uuid,
    pub(super) name: String,
}

impl Named {
    pub(super) fn subjects(&self) -> Subjects {
        Subjects::of_plugin(PluginId(self.plugin_id))
    }
}

#[derive(sqlx::FromRow)]
struct TakenRow {
    id: Uuid,
    plugin_id: Uuid,
    name: String,
    rotator: Option<String>,
    follows: Option<String>,
    follows_sealed: Option<Vec<u8>>,
    grace_seconds: i64,
    rotate_every_seconds: Option<i64>,
    turn: i64,
    failures: i64,
    failing_since: Option<Timestamp>,
    is_removed: bool,
    number: i64,
    sealed: Vec<u8>,
    issued_number: i64,
}

impl TryFrom<TakenRow> for TakenSecret {
    type Error = StoreError;

    fn try_from(row: TakenRow) -> StoreResult<Self> {
        Ok(Self {
            id: SecretId(row.id),
            plugin_id: PluginId(row.plugin_id),
            name: row.name.parse().map_err(StoreError::broken)?,
            source: source(row.rotator, row.follows),
            follows_sealed: row.follows_sealed,
            grace_seconds: row.grace_seconds,
            rotate_every_seconds: row.rotate_every_seconds,
            turn: row.turn,
            failures: row.failures,
            failing_since: row.failing_since,
            is_removed: row.is_removed,
            number: row.number,
            sealed: row.sealed,
            issued_number: row.issued_number,
        })
    }
}

impl Engine {
    pub(in crate::store) async fn secret_versions_to_end(
        &self,
        at: Timestamp,
        rows_max: u32,
    ) -> StoreResult<Vec<(SecretId, i64)>> {
        let rows: Vec<(Uuid, i64)> = reading!(self, connection => sqlx::query_as(TO_END)
            .bind(at)
            .bind(i64::from(rows_max))
            .fetch_all(&mut *connection))?;
        Ok(rows.into_iter().map(|(secret, number)| (SecretId(secret), number)).collect())
    }

    pub(in crate::store) async fn end_secret_version_in_time(
        &self,
        secret: SecretId,
        number: i64,
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let Some(named) = hold(&mut step, secret).await? else { return Ok(false) };
        let ended = sqlx::query(END).bind(secret.0).bind(number).bind(event.at).bind(WIPED).execute(&mut *step).await?;
        if ended.rows_affected() == 0 {
            return Ok(false);
        }
        let detail = json!({ "name": named.name, "version": number });
        audit::write(&mut step, event, AuditAction::SecretVersionEnded, named.subjects(), detail).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn asked_for_due_secrets(&self, at: Timestamp) -> StoreResult<Vec<String>> {
        reading!(self, connection => sqlx::query_scalar(ASKED).bind(at).fetch_all(&mut *connection))
    }

    pub(in crate::store) async fn take_secrets(
        &self,
        asked: &str,
        taking: &SecretTaking,
    ) -> StoreResult<Vec<TakenSecret>> {
        let mut step = self.begin().await?;
        let ids: Vec<Uuid> = sqlx::query_scalar(TAKE)
            .bind(taking.at)
            .bind(taking.until)
            .bind(i64::from(taking.rows_max))
            .bind(asked)
            .fetch_all(&mut *step)
            .await?;
        let mut taken = Vec::with_capacity(ids.len());
        for id in ids {
            // A broken one is looked at again when others may take it, and keeps back nobody else.
            let read: Result<TakenRow, _> = sqlx::query_as(TAKEN).bind(id).fetch_one(&mut *step).await;
            let read = read.map_err(StoreError::from).and_then(TakenSecret::try_from);
            taken.extend(unless_broken(read, ("plugin_secrets", id))?);
        }
        step.commit().await?;
        Ok(taken)
    }

    pub(in crate::store) async fn keep_secret_look(
        &self,
        secret: SecretId,
        turn: i64,
        try_at: Timestamp,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let kept = sqlx::query(LOOKED).bind(secret.0).bind(turn).bind(try_at).execute(&mut *step).await?;
        step.commit().await?;
        Ok(kept.rows_affected() > 0)
    }

    pub(in crate::store) async fn put_off_secret(
        &self,
        secret: SecretId,
        turn: i64,
        try_at: Timestamp,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let put_off = sqlx::query(PUT_OFF).bind(secret.0).bind(turn).bind(try_at).execute(&mut *step).await?;
        step.commit().await?;
        Ok(put_off.rows_affected() > 0)
    }

    pub(in crate::store) async fn keep_secret_abandoned(&self, secret: SecretId, turn: i64) -> StoreResult<()> {
        let mut step = self.begin().await?;
        sqlx::query(ABANDONED).bind(secret.0).bind(turn).execute(&mut *step).await?;
        sqlx::query(DELETE).bind(secret.0).execute(&mut *step).await?;
        Ok(step.commit().await?)
    }

    pub(in crate::store) async fn keep_secret_failure(
        &self,
        failure: &SecretFailure,
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let named: Option<Named> = sqlx::query_as(FAILED)
            .bind(failure.secret_id.0)
            .bind(failure.turn)
            .bind(failure.try_at)
            .bind(event.at)
            .bind(&failure.says)
            .fetch_optional(&mut *step)
            .await?;
        let Some(named) = named else { return Ok(false) };
        if failure.is_told {
            let detail = json!({ "name": named.name, "says": failure.says });
            audit::write(&mut step, event, AuditAction::SecretRotationFailed, named.subjects(), detail).await?;
        }
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn ask_for_secret_rotation(&self, secret: SecretId, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let named: Option<Named> = sqlx::query_as(ASK).bind(secret.0).bind(event.at).fetch_optional(&mut *step).await?;
        let Some(named) = named else { return Ok(false) };
        let detail = json!({ "name": named.name, "try_at": event.at });
        audit::write(&mut step, event, AuditAction::SecretChanged, named.subjects(), detail).await?;
        step.commit().await?;
        Ok(true)
    }
}

pub(super) async fn hold(step: &mut Connection, secret: SecretId) -> StoreResult<Option<Named>> {
    Ok(sqlx::query_as(HOLD).bind(secret.0).fetch_optional(step).await?)
}
