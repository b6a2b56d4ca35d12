//! Versions of plugins' secrets that are to be ended where they were issued. Compiled once for each engine.
//!
//! Who takes them passes over what others hold, and so waits for nobody; whoever keeps what came of it holds the secret's row
//! first, as everybody does.

use serde_json::{Value, json};
use sqlx::{FromRow, Row as _, types::Json};
use uuid::Uuid;

use super::{
    Connection, Engine, audit, is_one_of, place_in,
    plugin_secret_rows::unless_broken,
    plugin_secrets::DELETE,
    reading,
    secret_turns::{Named, hold},
    taking,
};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction},
        id::{PluginId, SecretId},
        plugin_secret::label,
    },
    store::{
        StoreError, StoreResult,
        secret_revocations::{LeftAtIssuers, RemovedSecret, RevocationFailure, TakenRevocation},
        secret_turns::SecretTaking,
    },
};

macro_rules! is_due {
    () => {
        "revoke_at <= $1 and ended_at is not null "
    };
}

/// What an issuer calls a key stands behind the rotator's name.
macro_rules! issuer {
    () => {
        concat!("coalesce(substr(issuer_id, 1, ", place_in!("issuer_id", "'/'"), "), '') ")
    };
}

const ISSUERS: &str = concat!("select distinct ", issuer!(), "from plugin_secret_versions where ", is_due!());

const TAKE: &str = concat!(
    "update plugin_secret_versions
        set revoke_at = $2
      where id ",
    is_one_of!(
        "select id from plugin_secret_versions where ",
        is_due!(),
        "and ",
        issuer!(),
        "= $4 order by revoke_at limit $3 ",
        taking!()
    ),
    " and revoke_at <= $1
    returning id, secret_id, number, coalesce(issuer_id, '') as issuer_id, ended_at"
);

/// One that nobody can be asked to end has none, and ends by this as well.
const REVOKED: &str = "
    update plugin_secret_versions
       set issuer_id = null, revoke_at = null
     where secret_id = $1 and number = $2 and coalesce(issuer_id, '') = $3 and revoke_at is not null";

const PUT_OFF: &str = "
    update plugin_secret_versions
       set revoke_at = $4
     where secret_id = $1 and number = $2 and coalesce(issuer_id, '') = $3 and revoke_at is not null";

/// What the log was told of a plugin's keys, the newest first.
const TOLD: &str = "
    select detail
      from audit_events
     where plugin_id = $1 and action = $2 and at > $3
     order by id desc
     limit 1000";

const LEFT: &str = "
    select count(*), min(since)
      from (select ended_at as since
              from plugin_secret_versions
             where revoke_at is not null and ended_at is not null
             union all
            select removed_at
              from plugin_secrets
             where try_at is not null and removed_at is not null) waiting";

const REMOVED: &str = "
    select s.id, s.name, s.removed_at, s.try_at is not null as is_to_be_abandoned, s.failing_since, s.says,
           v.number, v.ended_at
      from plugin_secrets s
      left join plugin_secret_versions v on v.secret_id = s.id and v.revoke_at is not null
     where s.plugin_id = $1
       and s.removed_at is not null
     order by s.removed_at, s.id, v.number
     limit 500";

#[derive(FromRow)]
struct TakenRow {
    secret_id: Uuid,
    number: i64,
    issuer_id: String,
    ended_at: Timestamp,
}

#[derive(FromRow)]
struct RemovedRow {
    id: Uuid,
    name: String,
    removed_at: Timestamp,
    is_to_be_abandoned: bool,
    failing_since: Option<Timestamp>,
    says: Option<String>,
    number: Option<i64>,
    ended_at: Option<Timestamp>,
}

impl Engine {
    pub(in crate::store) async fn issuers_to_revoke_at(&self, at: Timestamp) -> StoreResult<Vec<String>> {
        reading!(self, connection => sqlx::query_scalar(ISSUERS).bind(at).fetch_all(&mut *connection))
    }

    pub(in crate::store) async fn take_secret_revocations(
        &self,
        issuer: &str,
        taking: &SecretTaking,
    ) -> StoreResult<Vec<TakenRevocation>> {
        let mut step = self.begin().await?;
        let rows = sqlx::query(TAKE)
            .bind(taking.at)
            .bind(taking.until)
            .bind(i64::from(taking.rows_max))
            .bind(issuer)
            .fetch_all(&mut *step)
            .await?;
        step.commit().await?;
        let mut taken = Vec::with_capacity(rows.len());
        for row in rows {
            let id = row.try_get("id")?;
            let read =
                unless_broken(TakenRow::from_row(&row).map_err(StoreError::from), ("plugin_secret_versions", id))?;
            taken.extend(read.map(|row| TakenRevocation {
                secret_id: SecretId(row.secret_id),
                number: row.number,
                issuer_id: row.issuer_id,
                ended_at: row.ended_at,
            }));
        }
        Ok(taken)
    }

    pub(in crate::store) async fn keep_secret_revocation(
        &self,
        revocation: &TakenRevocation,
        event: &Audit,
    ) -> StoreResult<bool> {
        let secret = revocation.secret_id.0;
        let mut step = self.begin().await?;
        let Some(named) = hold(&mut step, revocation.secret_id).await? else { return Ok(false) };
        let revoked = sqlx::query(REVOKED)
            .bind(secret)
            .bind(revocation.number)
            .bind(&revocation.issuer_id)
            .execute(&mut *step)
            .await?;
        if revoked.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(DELETE).bind(secret).execute(&mut *step).await?;
        let detail = json!({ "name": named.name, "version": revocation.number });
        audit::write(&mut step, event, AuditAction::SecretVersionRevoked, named.subjects(), detail).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn delay_secret_revocation(
        &self,
        revocation: &TakenRevocation,
        until: Timestamp,
    ) -> StoreResult<()> {
        let mut step = self.begin().await?;
        put_off(&mut step, revocation, until).await?;
        Ok(step.commit().await?)
    }

    pub(in crate::store) async fn put_off_secret_revocation(
        &self,
        failure: &RevocationFailure,
        event: &Audit,
    ) -> StoreResult<bool> {
        let revocation = &failure.revocation;
        let mut step = self.begin().await?;
        // Held, so that of two versions that fail at once, on two nodes, one is told of.
        let Some(named) = hold(&mut step, revocation.secret_id).await? else { return Ok(false) };
        let is_put_off = put_off(&mut step, revocation, failure.until).await?;
        let tells = is_put_off && !was_told(&mut step, &named, failure).await?;
        if tells {
            let detail = json!({
                "name": named.name,
                "version": revocation.number,
                "ended_at": revocation.ended_at,
                "rotator": failure.rotator,
                "label": label(revocation.secret_id, revocation.number),
                "says": failure.says,
            });
            audit::write(&mut step, event, AuditAction::SecretRevocationFailed, named.subjects(), detail).await?;
        }
        step.commit().await?;
        Ok(tells)
    }

    pub(in crate::store) async fn left_at_issuers(&self) -> StoreResult<LeftAtIssuers> {
        let (number, oldest): (i64, Option<Timestamp>) =
            reading!(self, connection => sqlx::query_as(LEFT).fetch_one(&mut *connection))?;
        Ok(LeftAtIssuers { number: u64::try_from(number).map_err(StoreError::broken)?, oldest })
    }

    pub(in crate::store) async fn removed_plugin_secrets(&self, plugin: PluginId) -> StoreResult<Vec<RemovedSecret>> {
        let rows: Vec<RemovedRow> =
            reading!(self, connection => sqlx::query_as(REMOVED).bind(plugin.0).fetch_all(&mut *connection))?;
        let (mut removed, mut last): (Vec<RemovedSecret>, _) = (Vec::new(), None);
        for row in rows {
            if last != Some(row.id) {
                last = Some(row.id);
                removed.push(RemovedSecret {
                    name: row.name.parse().map_err(StoreError::broken)?,
                    removed_at: row.removed_at,
                    versions: Vec::new(),
                    is_to_be_abandoned: row.is_to_be_abandoned,
                    failing: row.failing_since.map(|since| (since, row.says.unwrap_or_default())),
                });
            }
            if let Some(secret) = removed.last_mut() {
                secret.versions.extend(row.number.zip(row.ended_at));
            }
        }
        Ok(removed)
    }
}

/// Whether it was still to be ended there.
async fn put_off(step: &mut Connection, revocation: &TakenRevocation, until: Timestamp) -> StoreResult<bool> {
    let put_off = sqlx::query(PUT_OFF)
        .bind(revocation.secret_id.0)
        .bind(revocation.number)
        .bind(&revocation.issuer_id)
        .bind(until)
        .execute(step)
        .await?;
    Ok(put_off.rows_affected() > 0)
}

/// Whether the log was told of the secret lately. Several may have had its name; the label is of one.
async fn was_told(step: &mut Connection, named: &Named, failure: &RevocationFailure) -> StoreResult<bool> {
    let told: Vec<Json<Value>> = sqlx::query_scalar(TOLD)
        .bind(named.plugin_id)
        .bind(AuditAction::SecretRevocationFailed.as_str())
        .bind(failure.unless_told_after)
        .fetch_all(step)
        .await?;
    let is_its = |detail: &Value| {
        let of = detail["version"].as_i64().map(|number| label(failure.revocation.secret_id, number));
        of.is_some_and(|of| detail["label"] == of.as_str())
    };
    Ok(told.iter().any(|Json(detail)| is_its(detail)))
}
