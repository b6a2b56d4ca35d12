//! Token families on Postgres: each step is one statement, its audit event included.
//!
//! A plain read (`seen`) decides whether anything is to be written, so that a repeat takes no lock and makes no
//! transaction id. The guarded update (`moved`) tests its own row again after waiting for a lock; if it then finds
//! nothing to do although `seen` said so, somebody else was first, and the statement runs again.

use serde_json::json;
use sqlx::{FromRow, types::Json};

use super::{Engine, reading, standing::ended};
use crate::{
    model::{
        Generation, Timestamp,
        audit::{Audit, AuditAction},
        family::EndReason,
    },
    store::{
        StoreError, StoreResult, audit as audit_log,
        families::{Redeem, Redemption, Rotate, Rotation},
        family_rows::{
            ATTEMPTS, MovedRow, SeenRow, bind_presented, bind_redemption, bind_rotation, family_and_parents,
            family_columns, is_its_own, redeem_row, repeats, replays, rotate_row, stands,
        },
    },
};

/// `$17` to `$24` are the audit event, of a birth or of an end. Its id is the request's, so a statement that runs twice tells it once.
const REDEEM: &str = concat!(
    "with born as (",
    redeem_row!(),
    "returning redemption = $2 as ours, ended_at, access_generation
     ), told as (
         insert into audit_events (id, at, action, actor, actor_id, address, account_id, client_id, detail)
         select $17, $14, case when ours then $18 else $19 end, $20, $21, $22, $3, $4,
                case when ours then $23 else $24 end
           from born
          where (ours and ended_at is null) or (not ours and ended_at = $14)
             on conflict (id) do nothing
     )
     select born.ours, born.ended_at, born.access_generation, g.scopes
       from born, consents g
      where g.id = $5"
);

/// `$11` to `$16` are the audit event of a replay.
const ROTATE: &str = concat!(
    "with seen as (
         select ",
    family_columns!(),
    ", f.rotated_at, ",
    repeats!(),
    " as repeats",
    family_and_parents!(),
    "where ",
    stands!(),
    "and ",
    is_its_own!(),
    "), moved as (
         update families as f ",
    rotate_row!(),
    "  from seen
          where f.id = seen.id
            and f.ended_at is null
            and not seen.repeats
            and not ",
    repeats!(),
    " returning f.counter as moved_counter, f.idle_until as moved_idle_until, f.ended_at as moved_ended_at,
                f.account_id
     ), told as (
         insert into audit_events (id, at, action, actor, actor_id, address, account_id, client_id, detail)
         select $11, $2, $12, $13, $14, $15, account_id, $3, $16
           from moved
          where moved_ended_at is not null
             on conflict (id) do nothing
     )
     select seen.*, moved.moved_counter, moved.moved_idle_until, moved.moved_ended_at
       from seen
       left join moved on true"
);

/// A line as it was seen, and what was changed if anything was.
struct TurnedRow(SeenRow, Option<MovedRow>);

impl<'r> FromRow<'r, sqlx::postgres::PgRow> for TurnedRow {
    fn from_row(row: &'r sqlx::postgres::PgRow) -> sqlx::Result<Self> {
        use sqlx::Row;
        let moved = match row.try_get::<Option<i64>, _>("moved_counter")? {
            Some(_) => Some(MovedRow::from_row(row)?),
            None => None,
        };
        Ok(Self(SeenRow::from_row(row)?, moved))
    }
}

impl Engine {
    pub(in crate::store) async fn redeem(&self, redemption: &Redemption, event: &Audit) -> StoreResult<Redeem> {
        let (actor, actor_id) = audit_log::actor(&event.actor);
        let born = Json(json!({ "family": redemption.id, "scopes": redemption.scopes.to_string() }));
        let ended = Json(ended(redemption.id, EndReason::CodeReplayed));
        let row: Option<(bool, Option<Timestamp>, Generation, String)> = reading!(self, connection => bind_redemption!(sqlx::query_as(REDEEM), redemption)
                .bind(event.id.0)
                .bind(AuditAction::FamilyBorn.as_str())
                .bind(AuditAction::FamilyEnded.as_str())
                .bind(actor)
                .bind(actor_id)
                .bind(&event.address)
                .bind(&born)
                .bind(&ended)
                .fetch_optional(&mut *connection))?;
        match row {
            None => Ok(Redeem::NotStanding),
            Some((true, None, access_generation, scopes)) => {
                Ok(Redeem::Won(redemption.born(&scopes, access_generation)?))
            }
            Some(_) => Ok(Redeem::Replayed),
        }
    }

    pub(in crate::store) async fn rotate(&self, rotation: &Rotation, event: &Audit) -> StoreResult<Rotate> {
        for _ in 0..ATTEMPTS {
            let turned = if rotation.is_strict() {
                // Without a window a second run could take the first one's answer for a theft: it runs once only, so
                // the connection is tested first.
                let mut connection = self.fresh().await?;
                turn(&mut connection, rotation, event).await?
            } else {
                reading!(self, connection => turn(&mut connection, rotation, event))?
            };
            let Some(TurnedRow(seen, moved)) = turned else { return Ok(Rotate::NotStanding) };
            if let Some(outcome) = rotation.outcome(seen, moved)? {
                return Ok(outcome);
            }
        }
        Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut))
    }
}

async fn turn(
    connection: &mut super::Connection,
    rotation: &Rotation,
    event: &Audit,
) -> sqlx::Result<Option<TurnedRow>> {
    let (actor, actor_id) = audit_log::actor(&event.actor);
    let detail = Json(ended(rotation.id, EndReason::RefreshReplayed));
    bind_rotation!(sqlx::query_as(ROTATE), rotation)
        .bind(event.id.0)
        .bind(AuditAction::FamilyEnded.as_str())
        .bind(actor)
        .bind(actor_id)
        .bind(&event.address)
        .bind(&detail)
        .fetch_optional(connection)
        .await
}
