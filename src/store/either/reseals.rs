//! Sealing anew. Compiled once for each engine.

use serde_json::json;
use uuid::Uuid;

use super::{Engine, audit, reading, taking};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction, Subjects},
        key::{Kid, Purpose},
    },
    store::{
        StoreError, StoreResult,
        reseals::{Progress, Reseal, ResealEnd, ResealKeeping, ResealTaking, SealedColumn, SealedRow},
    },
};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select kid, started_at, place, after_row, seen, stirred, unreadable, resealed, remaining, turn, held_until,
                    finished_at
               from reseals ",
            $rest
        )
    };
}

const FIND: &str = select!("where kid = $1");

/// Not one to a key that seals still: a node that has not read the keys for a while must not end it.
const END_OTHERS: &str = "
    delete from reseals
     where kid <> $1 and finished_at is null
       and not exists (select 1
                         from working_keys k
                        where k.kid = reseals.kid and (k.retired_at is null or k.retired_at > $2))";

/// One that is under way goes on as it is.
const BEGIN: &str = "
    insert into reseals (kid, started_at, place, held_until)
    values ($1, $2, $3, $2)
        on conflict (kid) do update
       set started_at = excluded.started_at, place = excluded.place, after_row = null, seen = 0, stirred = 0,
           unreadable = 0, resealed = 0, remaining = 0, held_until = excluded.held_until, finished_at = null
     where reseals.finished_at is not null";

const TAKE: &str = "
    update reseals
       set turn = turn + 1, held_until = $3
     where kid = $1 and held_until <= $2 and finished_at is null
 returning kid, started_at, place, after_row, seen, stirred, unreadable, resealed, remaining, turn, held_until,
           finished_at";

const KEEP: &str = "
    update reseals
       set place = $3, after_row = $4, seen = $5, stirred = $6, unreadable = $7, resealed = resealed + $8,
           remaining = $9, held_until = $10
     where kid = $1 and turn = $2 and finished_at is null";

const FINISH: &str = "
    update reseals
       set finished_at = $3, seen = $4, unreadable = $5, remaining = $5, held_until = $3
     where kid = $1 and turn = $2 and finished_at is null
 returning started_at, resealed";

/// Keys that were in use no more when the first walk began: whatever they sealed has been sealed anew.
const END_KEYS: &str = "
    update working_keys
       set needed_until = $4
     where purpose = $1 and kid <> $2 and retired_at <= $3 and needed_until is null and gone_at is null";

/// What is done to a column.
pub(super) struct Statements {
    /// The next values after a row.
    after: &'static str,
    /// The same, of those whose key is the one whose bytes stand behind a value's first.
    after_of: &'static str,
    /// A value in the place of another. The condition stands twice: a row that somebody else holds is left alone.
    keep: &'static str,
    /// How many are sealed with another key than the one whose bytes stand behind a value's first.
    count: &'static str,
    /// Some of those rows.
    find: &'static str,
    /// Whether more than so many are sealed with a key. No index says so, and it ends at the first that does.
    pub(super) are_sealed_with: &'static str,
}

macro_rules! statements {
    ($table:literal, $key:literal, $column:literal) => {
        Statements {
            after: concat!(
                "select ",
                $key,
                " as id, ",
                $column,
                " as sealed
                   from ",
                $table,
                "
                  where ",
                $key,
                " > $1 and length(",
                $column,
                ") > 0
                  order by ",
                $key,
                "
                  limit $2"
            ),
            after_of: concat!(
                "select ",
                $key,
                " as id, ",
                $column,
                " as sealed
                   from ",
                $table,
                "
                  where ",
                $key,
                " > $1 and substr(",
                $column,
                ", 2, 4) = $3
                  order by ",
                $key,
                "
                  limit $2"
            ),
            keep: concat!(
                "update ",
                $table,
                "
                    set ",
                $column,
                " = $3
                  where ",
                $key,
                " = (select ",
                $key,
                " from ",
                $table,
                " where ",
                $key,
                " = $1 and ",
                $column,
                " = $2 ",
                taking!(),
                ")
                    and ",
                $column,
                " = $2"
            ),
            count: concat!(
                "select count(*) from ",
                $table,
                " where length(",
                $column,
                ") > 0 and substr(",
                $column,
                ", 2, 4) <> $1"
            ),
            find: concat!(
                "select ",
                $key,
                " from ",
                $table,
                " where length(",
                $column,
                ") > 0 and substr(",
                $column,
                ", 2, 4) <> $1 order by ",
                $key,
                " limit $2"
            ),
            are_sealed_with: concat!(
                "select exists (select 1 from ",
                $table,
                " where substr(",
                $column,
                ", 2, 4) = $1 limit 1 offset $2)"
            ),
        }
    };
}

pub(super) fn of(column: SealedColumn) -> Statements {
    match column {
        SealedColumn::AuthenticatorApp => statements!("authenticator_apps", "account_id", "sealed"),
        SealedColumn::Mail => statements!("outgoing_mails", "id", "sealed"),
        SealedColumn::WebhookSecret => statements!("plugin_webhooks", "plugin_id", "secret"),
        SealedColumn::OldWebhookSecret => statements!("plugin_webhooks", "plugin_id", "old_secret"),
        SealedColumn::PluginSecret => statements!("plugin_secret_versions", "id", "sealed"),
        SealedColumn::SecretReference => statements!("plugin_secrets", "id", "follows_sealed"),
    }
}

#[derive(sqlx::FromRow)]
struct ResealRow {
    kid: i64,
    started_at: Timestamp,
    place: String,
    after_row: Option<Uuid>,
    seen: i64,
    stirred: i64,
    unreadable: i64,
    resealed: i64,
    remaining: i64,
    turn: i64,
    held_until: Timestamp,
    finished_at: Option<Timestamp>,
}

impl TryFrom<ResealRow> for Reseal {
    type Error = StoreError;

    fn try_from(row: ResealRow) -> StoreResult<Self> {
        let place = SealedColumn::ALL.iter().find(|column| column.name() == row.place);
        let unknown = || StoreError::Broken(format!("there is no sealed column {}", row.place).into());
        let progress = Progress {
            place: *place.ok_or_else(unknown)?,
            after: row.after_row,
            seen: unsigned(row.seen)?,
            stirred: unsigned(row.stirred)?,
            unreadable: unsigned(row.unreadable)?,
        };
        Ok(Self {
            kid: Kid(row.kid.try_into().map_err(StoreError::broken)?),
            started_at: row.started_at,
            progress,
            resealed: unsigned(row.resealed)?,
            remaining: unsigned(row.remaining)?,
            turn: row.turn,
            held_until: row.held_until,
            finished_at: row.finished_at,
        })
    }
}

fn unsigned(number: i64) -> StoreResult<u64> {
    u64::try_from(number).map_err(StoreError::broken)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Engine {
    pub(in crate::store) async fn reseal(&self, kid: Kid) -> StoreResult<Option<Reseal>> {
        let row: Option<ResealRow> = reading!(self, connection => sqlx::query_as(FIND)
            .bind(i64::from(kid.0))
            .fetch_optional(&mut *connection))?;
        row.map(Reseal::try_from).transpose()
    }

    pub(in crate::store) async fn begin_reseal(&self, kid: Kid, at: Timestamp) -> StoreResult<()> {
        let mut step = self.begin().await?;
        sqlx::query(END_OTHERS).bind(i64::from(kid.0)).bind(at).execute(&mut *step).await?;
        sqlx::query(BEGIN)
            .bind(i64::from(kid.0))
            .bind(at)
            .bind(Progress::BEGINNING.place.name())
            .execute(&mut *step)
            .await?;
        Ok(step.commit().await?)
    }

    pub(in crate::store) async fn take_reseal(&self, taking: &ResealTaking) -> StoreResult<Option<Reseal>> {
        let mut step = self.begin().await?;
        let row: Option<ResealRow> = sqlx::query_as(TAKE)
            .bind(i64::from(taking.kid.0))
            .bind(taking.at)
            .bind(taking.until)
            .fetch_optional(&mut *step)
            .await?;
        step.commit().await?;
        row.map(Reseal::try_from).transpose()
    }

    pub(in crate::store) async fn sealed_otherwise(&self, kid: Kid) -> StoreResult<u64> {
        let mut step = self.begin_unhurried().await?;
        let mut all = 0;
        for column in SealedColumn::ALL {
            let count: i64 =
                sqlx::query_scalar(of(*column).count).bind(kid.0.to_be_bytes().to_vec()).fetch_one(&mut *step).await?;
            all += unsigned(count)?;
        }
        Ok(all)
    }

    pub(in crate::store) async fn rows_sealed_otherwise(
        &self,
        column: SealedColumn,
        kid: Kid,
        rows_max: u32,
    ) -> StoreResult<Vec<Uuid>> {
        let mut step = self.begin_unhurried().await?;
        let found = sqlx::query_scalar(of(column).find).bind(kid.0.to_be_bytes().to_vec()).bind(i64::from(rows_max));
        Ok(found.fetch_all(&mut *step).await?)
    }

    pub(in crate::store) async fn sealed_after(
        &self,
        column: SealedColumn,
        after: Option<Uuid>,
        rows_max: u32,
    ) -> StoreResult<Vec<SealedRow>> {
        // No row has the key that is all zeros: each has a time in it.
        let after = after.unwrap_or(Uuid::nil());
        let rows: Vec<(Uuid, Vec<u8>)> = reading!(self, connection => sqlx::query_as(of(column).after)
            .bind(after)
            .bind(i64::from(rows_max))
            .fetch_all(&mut *connection))?;
        Ok(rows.into_iter().map(|(id, sealed)| SealedRow { id, sealed }).collect())
    }

    pub(in crate::store) async fn sealed_with(
        &self,
        (column, kid): (SealedColumn, Kid),
        after: Option<Uuid>,
        rows_max: u32,
    ) -> StoreResult<Vec<SealedRow>> {
        let mut step = self.begin_unhurried().await?;
        let rows: Vec<(Uuid, Vec<u8>)> = sqlx::query_as(of(column).after_of)
            .bind(after.unwrap_or(Uuid::nil()))
            .bind(i64::from(rows_max))
            .bind(kid.0.to_be_bytes().to_vec())
            .fetch_all(&mut *step)
            .await?;
        Ok(rows.into_iter().map(|(id, sealed)| SealedRow { id, sealed }).collect())
    }

    pub(in crate::store) async fn keep_resealed(&self, keeping: &ResealKeeping) -> StoreResult<Option<u64>> {
        let mut step = self.begin().await?;
        let keep = of(keeping.column).keep;
        let mut changed = 0;
        for row in &keeping.rows {
            let kept = sqlx::query(keep).bind(row.id).bind(&row.old).bind(&row.new).execute(&mut *step).await?;
            changed += kept.rows_affected();
        }
        let progress = &keeping.progress;
        let held = sqlx::query(KEEP)
            .bind(i64::from(keeping.kid.0))
            .bind(keeping.turn)
            .bind(progress.place.name())
            .bind(progress.after)
            .bind(signed(progress.seen))
            .bind(signed(progress.stirred))
            .bind(signed(progress.unreadable))
            .bind(signed(changed))
            .bind(signed(keeping.remaining.saturating_sub(changed)))
            .bind(keeping.until)
            .execute(&mut *step)
            .await?;
        if held.rows_affected() == 0 {
            return Ok(None);
        }
        step.commit().await?;
        Ok(Some(changed))
    }

    pub(in crate::store) async fn finish_reseal(&self, end: &ResealEnd, event: &Audit) -> StoreResult<bool> {
        let kid = i64::from(end.kid.0);
        let mut step = self.begin().await?;
        let finished: Option<(Timestamp, i64)> = sqlx::query_as(FINISH)
            .bind(kid)
            .bind(end.turn)
            .bind(event.at)
            .bind(signed(end.progress.seen))
            .bind(signed(end.progress.unreadable))
            .fetch_optional(&mut *step)
            .await?;
        let Some((started_at, resealed)) = finished else { return Ok(false) };
        sqlx::query(END_KEYS)
            .bind(Purpose::SealData.as_str())
            .bind(kid)
            .bind(started_at)
            .bind(end.keys_needed_until)
            .execute(&mut *step)
            .await?;
        let detail = json!({
            "kid": end.kid.to_string(),
            "resealed": resealed,
            "unreadable": end.progress.unreadable,
        });
        audit::write(&mut step, event, AuditAction::KeyResealed, Subjects::default(), detail).await?;
        step.commit().await?;
        Ok(true)
    }
}
