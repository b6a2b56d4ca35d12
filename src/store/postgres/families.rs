//! Token families on Postgres: each step is one statement, its audit event included.
//!
//! A plain read (`seen`) decides whether anything is to be written, so that an ordinary repeat takes no lock and makes
//! no transaction id; one by another method writes that, and one with a client assertion the assertion's id. The
//! guarded update (`moved`) asks its own row again after waiting for a lock: whether the token is the line's own, by a
//! method that still is good enough, and whether `seen` is still right. If it then finds nothing to do although `seen`
//! said so, somebody else was first, and the statement runs again. An assertion is used in the same statement, and
//! whatever else it does hangs on that.

use serde_json::json;
use sqlx::{FromRow, Row, types::Json};
use uuid::Uuid;

use super::{Engine, reading, standing::ended};
use crate::{
    model::{
        Generation, Timestamp,
        audit::{Audit, AuditAction},
        family::EndReason,
    },
    store::{
        StoreError, StoreResult,
        assertions::AssertionUse,
        audit as audit_log,
        families::{Redeem, Redemption, Rotate, Rotation},
        family_rows::{ATTEMPTS, BoundsRow, MovedRow, SeenRow},
        family_statements::{
            admits, bind_presented, bind_redemption, bind_rotation, end_replayed, family_and_parents, family_columns,
            granted, is_for, is_its_own, is_standing, is_to_be_written, lives, redeem_row, repeats, replays,
            rotate_row, rules_that_name, stands, stays,
        },
    },
};

/// Uses the assertion these three parameters name, if they name one: `fresh` is whether the step may go on.
macro_rules! use_assertion {
    ($expires_at:literal, $digest:literal, $use_id:literal) => {
        concat!(
            "used as (
         insert into assertion_ids (expires_at, digest, use_id)
         select ",
            $expires_at,
            ", ",
            $digest,
            ", ",
            $use_id,
            "
          where ",
            $expires_at,
            " is not null
             on conflict (expires_at, digest) do update
            set use_id = excluded.use_id
          where assertion_ids.use_id = excluded.use_id
         returning use_id
     ), fresh as (
         select ",
            $expires_at,
            " is null or exists (select 1 from used) as fresh
     )"
        )
    };
}

/// Whether something is to be had of some scopes, by what was agreed to, what the client may ask for and what the rules let
/// the person grant. [`BoundsRow::left_of`] says the same.
macro_rules! something_is_left {
    ($scopes:literal, $agreed:literal, $client:literal, $granted:literal) => {
        concat!(
            "((",
            $scopes,
            " = '' and coalesce(",
            $client,
            ", '') = '' and ",
            $granted,
            " like '%\"%')
              or exists (select 1
                           from unnest(string_to_array(",
            $scopes,
            ", ' ')) had(word)
                          where word = any (string_to_array(",
            $agreed,
            ", ' '))
                            and (",
            $client,
            " is null or word = any (string_to_array(",
            $client,
            ", ' ')))
                            and (",
            $granted,
            " like '%\"%' or word = any (string_to_array(",
            $granted,
            ", ' '))))) "
        )
    };
}

/// Whether something is to be had of what is asked for (`$11`); `a`, `c` and `g` are the account, the client and the
/// consent.
macro_rules! leaves_something {
    () => {
        concat!(
            "and exists (select 1
                           from plugins p
                           cross join lateral (select ",
            granted!(),
            ") rules
                          where p.id = $28
                            and ",
            something_is_left!("$11", "g.scopes", "c.scopes", "rules.granted"),
            ") "
        )
    };
}

/// `$17` to `$24` and `$29` are the audit event, of a birth or of an end, `$25` to `$27` the assertion, `$28` whose API
/// it is. The event's id was made with the request, so a statement that runs twice tells it once.
const REDEEM: &str = concat!(
    "with ",
    use_assertion!("$25", "$26", "$27"),
    ", born as (",
    redeem_row!(concat!("and (select fresh from fresh) ", leaves_something!())),
    "returning redemption = $2 as ours, ended_at, end_reason, access_generation
     ), replayed as (",
    end_replayed!(),
    "       and not exists (select 1 from born)
            and (select fresh from fresh)
     returning id
     ), told as (
         insert into audit_events (id, at, action, actor, actor_id, address, account_id, client_id, plugin_id, detail,
                                   request_id)
         select $17, $14, case when ended_at is null then $18 else $19 end, $20, $21, $22, $3, $4, $28,
                case when ended_at is null then $23 else $24 end, $29
           from born
          where ours and (ended_at is null or end_reason = 'code_replayed')
          union all
         select $17, $14, $19, $20, $21, $22, $3, $4, $28, $24, $29
           from replayed
             on conflict (id) do nothing
     )
     select fresh.fresh, exists (select 1 from replayed), born.ours, born.ended_at, born.access_generation, g.scopes,
            c.scopes, ",
    granted!(),
    "  from fresh
       left join born on true
       left join consents g on g.id = $5
       left join accounts a on a.id = $3
       left join clients c on c.id = $4
       left join plugins p on p.id = $28"
);

/// `$14` to `$19` and `$23` are the audit event of a replay, `$20` to `$22` the assertion.
const ROTATE: &str = concat!(
    "with ",
    use_assertion!("$20", "$21", "$22"),
    ", seen as (
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
    "and ",
    is_for!(),
    "), moved as (
         update families as f ",
    rotate_row!(),
    "  from seen, fresh
          where f.id = seen.id
            and fresh.fresh
            and f.ended_at is null
            and ",
    something_is_left!("seen.scopes", "seen.consent_scopes", "seen.client_scopes", "seen.granted"),
    "and ",
    is_its_own!(),
    "and ",
    is_to_be_written!("seen.repeats"),
    "returning f.counter as moved_counter, f.rotated_at as moved_rotated_at, f.idle_until as moved_idle_until,
               f.ended_at as moved_ended_at, f.account_id
     ), told as (
         insert into audit_events (id, at, action, actor, actor_id, address, account_id, client_id, plugin_id, detail,
                                   request_id)
         select $14, $2, $15, $16, $17, $18, moved.account_id, $3, seen.plugin_id, $19, $23
           from moved, seen
          where moved_ended_at is not null
             on conflict (id) do nothing
     )
     select fresh.fresh, seen.*, moved.moved_counter, moved.moved_rotated_at, moved.moved_idle_until,
            moved.moved_ended_at
       from fresh
       left join seen on true
       left join moved on true"
);

/// What a redemption did: whether it went on, whether the code had come before while nothing could be given for it, and
/// the family, which is missing when it made or ended nothing; and what bounds its scopes.
type RedeemedRow =
    (bool, bool, Option<bool>, Option<Timestamp>, Option<Generation>, Option<String>, Option<String>, Option<String>);

/// Whether the assertion was fresh, the line as it was seen if it stands, and what was changed if anything was.
struct TurnedRow(bool, Option<(SeenRow, Option<MovedRow>)>);

impl<'r> FromRow<'r, sqlx::postgres::PgRow> for TurnedRow {
    fn from_row(row: &'r sqlx::postgres::PgRow) -> sqlx::Result<Self> {
        let fresh = row.try_get("fresh")?;
        if row.try_get::<Option<Uuid>, _>("id")?.is_none() {
            return Ok(Self(fresh, None));
        }
        let moved = match row.try_get::<Option<i64>, _>("moved_counter")? {
            Some(_) => Some(MovedRow::from_row(row)?),
            None => None,
        };
        Ok(Self(fresh, Some((SeenRow::from_row(row)?, moved))))
    }
}

/// Binds an assertion to the next three parameters.
macro_rules! bind_assertion {
    ($query:expr, $assertion:expr) => {{
        let assertion: Option<&AssertionUse> = $assertion;
        $query
            .bind(assertion.map(|assertion| assertion.id.expires_at))
            .bind(assertion.map(|assertion| assertion.id.digest.0.to_vec()))
            .bind(assertion.map(|assertion| assertion.use_id.to_vec()))
    }};
}

impl Engine {
    pub(in crate::store) async fn redeem(&self, redemption: &Redemption, event: &Audit) -> StoreResult<Redeem> {
        let (actor, actor_id) = audit_log::actor(&event.actor);
        let born = Json(json!({ "family": redemption.id, "scopes": redemption.scopes.to_string() }));
        let ended = Json(ended(redemption.id, EndReason::CodeReplayed));
        let row: RedeemedRow = reading!(self, connection => {
            let query = bind_redemption!(sqlx::query_as(REDEEM), redemption)
                .bind(event.id.0)
                .bind(AuditAction::FamilyBorn.as_str())
                .bind(AuditAction::FamilyEnded.as_str())
                .bind(actor)
                .bind(actor_id)
                .bind(&event.origin.address)
                .bind(&born)
                .bind(&ended);
            bind_assertion!(query, redemption.assertion.as_ref())
                .bind(redemption.plugin_id.0)
                .bind(&event.origin.request)
                .fetch_one(&mut *connection)
        })?;
        match row {
            (false, ..) => Ok(Redeem::AssertionReplayed),
            (true, false, Some(true), None, Some(access_generation), Some(consent_scopes), client_scopes, granted) => {
                let bounds = BoundsRow { consent_scopes, client_scopes, granted };
                Ok(Redeem::Won(redemption.born(&bounds, access_generation)?))
            }
            (true, false, None, ..) => Ok(Redeem::NotStanding),
            _ => Ok(Redeem::Replayed),
        }
    }

    pub(in crate::store) async fn rotate(&self, rotation: &Rotation, event: &Audit) -> StoreResult<Rotate> {
        for _ in 0..ATTEMPTS {
            let TurnedRow(fresh, line) = if rotation.is_strict() {
                // Without a window a second run could take the first one's answer for a theft: it runs once only, so
                // the connection is tested first.
                let mut connection = self.fresh().await?;
                turn(&mut connection, rotation, event).await?
            } else {
                reading!(self, connection => turn(&mut connection, rotation, event))?
            };
            if !fresh {
                return Ok(Rotate::AssertionReplayed);
            }
            let Some((seen, moved)) = line else { return Ok(Rotate::NotStanding) };
            if let Some(outcome) = rotation.outcome(seen, moved)? {
                return Ok(outcome);
            }
        }
        Err(StoreError::Contended)
    }
}

async fn turn(connection: &mut super::Connection, rotation: &Rotation, event: &Audit) -> sqlx::Result<TurnedRow> {
    let (actor, actor_id) = audit_log::actor(&event.actor);
    let detail = Json(ended(rotation.id, EndReason::RefreshReplayed));
    let query = bind_rotation!(sqlx::query_as(ROTATE), rotation)
        .bind(event.id.0)
        .bind(AuditAction::FamilyEnded.as_str())
        .bind(actor)
        .bind(actor_id)
        .bind(&event.origin.address)
        .bind(&detail);
    bind_assertion!(query, rotation.assertion.as_ref()).bind(&event.origin.request).fetch_one(connection).await
}
